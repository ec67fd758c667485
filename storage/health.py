"""Camera health: every change, with its cause."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select

from base import CameraStatus, Health, Quality
from storage.tables import health

__all__ = ["HealthChange", "read_health_changes", "record_statuses"]


@dataclass(frozen=True, slots=True)
class HealthChange:
    """From `since_s` on a camera had this health. `cause` is the last error at that moment, empty if there was none."""

    camera: str
    health: Health
    quality: Quality
    since_s: float
    recorded_s: float
    cause: str


def record_statuses(connection: Connection, statuses: Sequence[CameraStatus], now_s: float) -> list[CameraStatus]:
    """Add a row for each camera whose health is not the one last recorded; returns those. The caller commits.

    Quality alone makes no row: it wavers with every busy minute.
    """
    newest = select(func.max(health.c.number)).group_by(health.c.camera)
    query = select(health.c.camera, health.c.health).where(health.c.number.in_(newest))
    known = {row.camera: Health(row.health) for row in connection.execute(query)}
    changed = []
    for status in statuses:
        if known.get(status.camera) is not status.health:
            known[status.camera] = status.health
            changed.append(status)
    if changed:
        connection.execute(insert(health), [_row(status, now_s) for status in changed])
    return changed


def read_health_changes(connection: Connection, camera: str, limit: int) -> list[HealthChange]:
    query = select(health).where(health.c.camera == camera).order_by(health.c.number.desc()).limit(limit)
    return [
        HealthChange(row.camera, Health(row.health), Quality(row.quality), row.since_s, row.recorded_s, row.cause)
        for row in connection.execute(query)
    ]


def _row(status: CameraStatus, now_s: float) -> dict[str, str | float]:
    return {
        "camera": status.camera,
        "health": status.health.value,
        "quality": status.quality.value,
        "since_s": status.since_s,
        "recorded_s": now_s,
        "cause": status.error,
    }
