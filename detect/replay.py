"""The same pipeline over a file: deterministic, so that the same clip gives the same events byte for byte."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

import numpy as np

from base import Event, FrameBatch, SimulatedClock, uuid7
from camera_config import Outline, Rule
from detect.objects import Judges
from detect.pipeline import Pipeline
from detect.second_opinion import LookNow
from detect.settings import DetectSettings
from detect.wake import WakeCause

__all__ = ["Replay", "replay", "stable_id"]


def replay(
    batches: Iterable[FrameBatch],
    camera: str,
    rules: Sequence[Rule],
    zone_info: ZoneInfo,
    networks: Judges,
    *,
    start_s: float = 0.0,
    settings: DetectSettings | None = None,
    ignored: Sequence[Outline] = (),
) -> Iterator[Event]:
    """The events of one camera's frames, in the order they were raised, complete with `ended_s`.

    `batches` hold row 0 only, with times from 0; `start_s` (UTC) is added to them, so that schedules apply. Every frame is
    looked at: the gate counts as open throughout. An event whose thing is still there at the end of the clip ends with it.
    """
    one = Replay(camera, rules, zone_info, networks, start_s=start_s, settings=settings, ignored=ignored)
    for batch in batches:
        yield from one.show(batch)
    yield from one.finish()


class Replay:
    """A replay frame by frame, for who has several of the same frames under way."""

    def __init__(
        self,
        camera: str,
        rules: Sequence[Rule],
        zone_info: ZoneInfo,
        networks: Judges,
        *,
        start_s: float = 0.0,
        settings: DetectSettings | None = None,
        ignored: Sequence[Outline] = (),
    ) -> None:
        self._start_s = self._last_s = start_s
        self._pipeline = Pipeline(
            [camera],
            rules,
            zone_info,
            networks,
            _open_anyway,
            clock=SimulatedClock(start_s),
            settings=replace(settings or DetectSettings(), report_ends=True),
            ignored={camera: ignored},
            opinions=LookNow(networks),
            make_id=stable_id,
        )
        self._waiting: dict[str, Event] = {}  # in the order raised; released when the first of them has ended

    def show(self, batch: FrameBatch) -> Iterator[Event]:
        """The events that are complete with this frame."""
        moved = replace(batch, time_s=batch.time_s + self._start_s, awake=np.ones(len(batch), np.bool_))
        self._last_s = float(moved.time_s[-1])
        waiting = self._waiting
        for event in self._pipeline.process(moved):
            waiting[event.id] = event if event.ended_s is None else replace(waiting[event.id], ended_s=event.ended_s)
        while waiting and (first := next(iter(waiting.values()))).ended_s is not None:
            yield waiting.pop(first.id)

    def finish(self) -> Iterator[Event]:
        """The rest: what is still there ends with the clip."""
        for event in self._waiting.values():
            yield event if event.ended_s is not None else replace(event, ended_s=self._last_s)


def _open_anyway(_camera: str, _until_s: float, _cause: WakeCause) -> None:
    """A gate that needs no opening."""


def stable_id(time_s: float, what: str) -> str:
    """A UUID version 7 whose random part is a digest of `what`: the same happening in the same clip has the same id."""
    return uuid7(time_s, int.from_bytes(hashlib.sha256(what.encode()).digest()[:10]))
