"""The same pipeline over a file: deterministic, so that the same clip gives the same events byte for byte."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

import numpy as np

from base import Event, FrameBatch, SimulatedClock, uuid7
from camera_config import Rule
from detect.objects import Judges
from detect.pipeline import Pipeline
from detect.settings import DetectSettings
from detect.wake import WakeCause

__all__ = ["replay", "stable_id"]


def replay(
    batches: Iterable[FrameBatch],
    camera: str,
    rules: Sequence[Rule],
    zone_info: ZoneInfo,
    networks: Judges,
    *,
    start_s: float = 0.0,
    settings: DetectSettings | None = None,
) -> Iterator[Event]:
    """The events of one camera's frames, in the order they were raised, complete with `ended_s`.

    `batches` hold row 0 only, with times from 0; `start_s` (UTC) is added to them, so that schedules apply. Every frame is
    looked at: the gate counts as open throughout. An event whose thing is still there at the end of the clip ends with it.
    """
    settings = replace(settings or DetectSettings(), report_ends=True)
    clock = SimulatedClock(start_s)
    pipeline = Pipeline([camera], rules, zone_info, networks, _open_anyway, clock=clock, settings=settings, make_id=stable_id)
    waiting: dict[str, Event] = {}  # in the order raised; released when the first of them has ended
    last_s = start_s
    for batch in batches:
        moved = replace(batch, time_s=batch.time_s + start_s, awake=np.ones(len(batch), np.bool_))
        last_s = float(moved.time_s[-1])
        for event in pipeline.process(moved):
            if event.ended_s is None:
                waiting[event.id] = event
            else:
                waiting[event.id] = replace(waiting[event.id], ended_s=event.ended_s)
        while waiting and (first := next(iter(waiting.values()))).ended_s is not None:
            yield waiting.pop(first.id)
    for event in waiting.values():
        yield event if event.ended_s is not None else replace(event, ended_s=last_s)


def _open_anyway(_camera: str, _until_s: float, _cause: WakeCause) -> None:
    """A gate that needs no opening."""


def stable_id(time_s: float, what: str) -> str:
    """A UUID version 7 whose random part is a digest of `what`: the same happening in the same clip has the same id."""
    return uuid7(time_s, int.from_bytes(hashlib.sha256(what.encode()).digest()[:10]))
