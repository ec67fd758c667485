"""What somebody should do about the system, from how it does and did. Pure; the page has the words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from dashboard.fleet_view import WorkerState
from storage import SystemSample

__all__ = ["TREND_S", "Advice", "AdviceCode", "advise", "disk_full_in_s"]

TREND_S = 7 * 86_400.0
"""How far back a trend looks."""

_DAY_S = 86_400.0
_GB = 1e9
_KNOWN_S = 12 * 3600.0
"""A trend over less than this is weather: a nightly backup would look like a disk that is full tomorrow."""

_RECENT_S = 3600.0
_FULL_WATCH_DAYS, _FULL_ACT_DAYS = 30.0, 7.0
_DISK_LOW_GB = 5.0
"""Control stores no clips below 2 GB, workers make none below 1 GB (docs/ref/storage.md)."""

_MEMORY_LOW = 0.10
_SILENT_S = 15.0
_RESTARTS = 3
_OUTBOX = 100
_OVER_BUDGET = 0.02
"""Share of the cameras that wait for the decode budget on average, from which it is too small."""


class AdviceCode(StrEnum):
    DISK_LOW = "disk_low"
    DISK_FULL = "disk_full"  # in so many days, if it goes on like this
    MEMORY_LOW = "memory_low"
    WORKER_SILENT = "worker_silent"
    WORKER_RESTARTS = "worker_restarts"
    OUTBOX_GROWS = "outbox_grows"
    NOT_WATCHED = "not_watched"
    BUDGET_SMALL = "budget_small"
    NOTICES_DEAD = "notices_dead"


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing to do. `is_urgent`: something is being lost, or soon will be. `values` fill the words of the page."""

    code: AdviceCode
    is_urgent: bool
    values: Mapping[str, float | str] = field(default_factory=dict)


def advise(now: SystemSample, past: Sequence[SystemSample], workers: Sequence[WorkerState], memory_bytes: float) -> list[Advice]:
    """What to do, the urgent first. `past` are the samples of the last `TREND_S`, oldest first."""
    found = [
        *_about_disk(now, past),
        *_about_memory(now, memory_bytes),
        *_about_workers(now.at_s, workers),
        *_about_watching(now, [each for each in past if each.at_s >= now.at_s - _RECENT_S]),
    ]
    if now.notices_dead:
        found.append(Advice(AdviceCode.NOTICES_DEAD, False, {"n": now.notices_dead}))
    return sorted(found, key=lambda each: not each.is_urgent)


def disk_full_in_s(past: Sequence[SystemSample], free_bytes: float) -> float | None:
    """In how many seconds `free_bytes` are used up, by the line of least squares through what was free; None: never."""
    points = [(each.at_s, each.disk_free_bytes) for each in past if each.disk_free_bytes is not None]
    if len(points) < 3 or points[-1][0] - points[0][0] < _KNOWN_S:
        return None
    mean_s = sum(at_s for at_s, _ in points) / len(points)
    mean_bytes = sum(free for _, free in points) / len(points)
    spread = sum((at_s - mean_s) ** 2 for at_s, _ in points)
    slope = sum((at_s - mean_s) * (free - mean_bytes) for at_s, free in points) / spread
    return None if slope >= 0 else free_bytes / -slope


def _about_disk(now: SystemSample, past: Sequence[SystemSample]) -> list[Advice]:
    free = now.disk_free_bytes
    if free is None:
        return []
    gb = round(free / _GB, 1)
    if free < _DISK_LOW_GB * _GB:
        return [Advice(AdviceCode.DISK_LOW, True, {"gb": gb})]
    left_s = disk_full_in_s(past, free)
    if left_s is None or left_s > _FULL_WATCH_DAYS * _DAY_S:
        return []
    return [Advice(AdviceCode.DISK_FULL, left_s < _FULL_ACT_DAYS * _DAY_S, {"days": round(left_s / _DAY_S, 1), "gb": gb})]


def _about_memory(now: SystemSample, memory_bytes: float) -> list[Advice]:
    free = now.memory_free_bytes
    if free is None or free >= _MEMORY_LOW * memory_bytes:
        return []
    return [Advice(AdviceCode.MEMORY_LOW, True, {"gb": round(free / _GB, 1)})]


def _about_workers(now_s: float, workers: Sequence[WorkerState]) -> list[Advice]:
    found = []
    for worker in workers:
        silent_s = now_s - worker.heard_s
        if silent_s > _SILENT_S:
            values: dict[str, float | str] = {"worker": worker.name, "seconds": round(silent_s), "n": worker.cameras}
            found.append(Advice(AdviceCode.WORKER_SILENT, True, values))
        elif worker.restarts >= _RESTARTS:
            found.append(Advice(AdviceCode.WORKER_RESTARTS, False, {"worker": worker.name, "n": worker.restarts}))
    return found


def _about_watching(now: SystemSample, recent: Sequence[SystemSample]) -> list[Advice]:
    found = []
    if now.outbox >= _OUTBOX and all(each.outbox >= _OUTBOX for each in recent[-2:]):
        found.append(Advice(AdviceCode.OUTBOX_GROWS, True, {"n": now.outbox}))
    unseen = _mean([each.not_watched for each in recent])
    if unseen >= 1.0:
        found.append(Advice(AdviceCode.NOT_WATCHED, True, {"n": round(unseen, 1), "of": now.cameras}))
    waiting = _mean([each.over_budget for each in recent])
    if now.cameras and waiting > _OVER_BUDGET * now.cameras:
        found.append(Advice(AdviceCode.BUDGET_SMALL, False, {"n": round(waiting, 1), "of": now.cameras}))
    return found


def _mean(values: Sequence[float | None]) -> float:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else 0.0
