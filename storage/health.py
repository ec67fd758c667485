"""Camera health: every change, with its cause. Begin with `HealthRecorder`."""

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select

from base import CameraStatus, Clock, Health, Quality
from storage.tables import health
from storage.writer import Writer

__all__ = ["HealthChange", "HealthRecorder", "read_health_changes", "read_last_health"]


@dataclass(frozen=True, slots=True)
class HealthChange:
    """From `since_s` on a camera had this health. `cause` is the error at that moment, or else the advice; may be empty."""

    camera: str
    health: Health
    quality: Quality
    since_s: float
    recorded_s: float
    cause: str


class HealthRecorder:
    """Writes down changes of health. Safe from any thread; one call at a time goes on.

    Every worker reports its cameras every second and next to nothing of that is a change. So the last recorded health is kept
    in memory, and the writer, who has events to store, hears of changes only. `known` holds what is certain to be the newest
    row of a camera: it is set after the commit, and forgotten when a write failed, which may have stored the row or not.
    """

    def __init__(self, writer: Writer, clock: Clock, known: dict[str, Health]) -> None:
        self._writer = writer
        self._clock = clock
        self._lock = threading.Lock()  # guards what follows, and keeps the calls in order
        self._known = known
        self._unwritten: dict[str, CameraStatus] = {}  # the last of each camera whose write failed

    def record(self, statuses: Sequence[CameraStatus]) -> list[CameraStatus]:
        """Write down the changes, those that failed in an earlier call first; returns what was written. Raises StorageError."""
        with self._lock:
            changed = _changes([*self._unwritten.values(), *statuses], self._known)
            if not changed:
                return []
            now_s = self._clock.now_s()
            try:
                written = self._writer.run(lambda connection: _record(connection, changed, now_s))
            except BaseException:
                for status in changed:
                    self._known.pop(status.camera, None)
                    self._unwritten[status.camera] = status
                raise
            self._known.update((status.camera, status.health) for status in changed)
            self._unwritten.clear()
            return written


def read_last_health(connection: Connection) -> dict[str, Health]:
    """The health last recorded, by camera. Reads the index of the whole history: about 0.1 s per million rows."""
    newest = select(func.max(health.c.number)).group_by(health.c.camera)
    query = select(health.c.camera, health.c.health).where(health.c.number.in_(newest))
    return {row.camera: Health(row.health) for row in connection.execute(query)}


def read_health_changes(connection: Connection, camera: str, limit: int) -> list[HealthChange]:
    query = select(health).where(health.c.camera == camera).order_by(health.c.number.desc()).limit(limit)
    return [
        HealthChange(row.camera, Health(row.health), Quality(row.quality), row.since_s, row.recorded_s, row.cause)
        for row in connection.execute(query)
    ]


def _changes(statuses: Sequence[CameraStatus], known: dict[str, Health]) -> list[CameraStatus]:
    """Those of which the health is not the one before, in `known` or in `statuses`. Quality wavers too much to count."""
    last = dict(known)
    changed = []
    for status in statuses:
        if last.get(status.camera) is not status.health:
            last[status.camera] = status.health
            changed.append(status)
    return changed


def _record(connection: Connection, changed: list[CameraStatus], now_s: float) -> list[CameraStatus]:
    """Add a row for each change; returns those. What a failed call stored after all is found in the table, not added again."""
    known: dict[str, Health] = {}
    for camera in {status.camera for status in changed}:
        newest = select(health.c.health).where(health.c.camera == camera).order_by(health.c.number.desc()).limit(1)
        last = connection.scalar(newest)
        if last is not None:
            known[camera] = Health(last)
    changed = _changes(changed, known)
    if changed:
        connection.execute(insert(health), [_row(status, now_s) for status in changed])
    return changed


def _row(status: CameraStatus, now_s: float) -> dict[str, str | float]:
    """`status` without what no database holds (NaN, NUL): it would be tried again for ever, and all others with it."""
    return {
        "camera": status.camera,
        "health": status.health.value,
        "quality": status.quality.value,
        "since_s": status.since_s if math.isfinite(status.since_s) else now_s,
        "recorded_s": now_s,
        "cause": (status.error or ", ".join(status.advice)).replace("\x00", ""),
    }
