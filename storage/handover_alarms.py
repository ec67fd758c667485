"""Alarms about shift handovers that nobody signed: raised once for each change of shifts, cleared by the next signature."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from camera_config.notification_rules import NoticeKind
from camera_config.site import Site
from patrol.handover import EARLY_S, HandoverAlarm, last_change_s
from patrol.notify import Notice
from storage.desk_tables import handover_alarms, handovers
from storage.notices import queue_notices
from storage.tables import users

__all__ = ["clear_alarms", "missing", "raise_alarm", "read_alarms"]

SEVERITY = 3


def missing(connection: Connection, site: Site, now_s: float) -> float | None:
    """The change of shifts of which nobody was told yet that it was not signed; None if all is well.

    Nobody could sign before there was an account. Where areas hand over for themselves, the first of them counts.
    """
    changes = site.time_limits.handover
    change_s = None if changes is None else last_change_s(changes, site.zone_info, now_s)
    if change_s is None:
        return None
    signed = select(handovers.c.id).where(handovers.c.confirmed_s >= change_s - EARLY_S)
    told = select(handover_alarms.c.change_s).where(handover_alarms.c.change_s == change_s)
    if any(connection.execute(query.limit(1)).first() for query in (signed, told)):
        return None
    begun_s = connection.scalar(select(func.min(users.c.created_s)))
    return change_s if begun_s is not None and begun_s < change_s else None


def raise_alarm(connection: Connection, site: Site, now_s: float) -> None:
    """Raise the alarm that `missing` tells of, with its notice. The caller commits."""
    change_s = missing(connection, site, now_s)
    if change_s is not None:
        connection.execute(insert(handover_alarms).values(change_s=change_s, raised_s=now_s))
        queue_notices(connection, [Notice(0, NoticeKind.HANDOVER_MISSING, change_s, SEVERITY)])


def clear_alarms(connection: Connection, now_s: float) -> None:
    """Both sides have signed: no alarm stands any more. The caller commits."""
    standing = read_alarms(connection)
    if standing:
        connection.execute(update(handover_alarms).where(handover_alarms.c.cleared_s.is_(None)).values(cleared_s=now_s))
        queue_notices(connection, [Notice(0, NoticeKind.HANDOVER_SIGNED, now_s, SEVERITY)])


def read_alarms(connection: Connection) -> list[HandoverAlarm]:
    """The alarms that stand, oldest first."""
    query = select(handover_alarms).where(handover_alarms.c.cleared_s.is_(None)).order_by(handover_alarms.c.change_s)
    return [_alarm_of(row) for row in connection.execute(query).mappings()]


def _alarm_of(row: Mapping[Any, Any]) -> HandoverAlarm:
    return HandoverAlarm(row["change_s"], row["raised_s"], row["cleared_s"])
