"""Changes of the roster in the database: swaps, leave and extra shifts, and that they were undone."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert, select, update

from base import TransitionError
from camera_config.site import Site
from patrol.incident import Actor
from patrol.shifts import ChangeKind, RosterChange, check_change
from storage.accounts import add_audit
from storage.tables import roster_changes

__all__ = ["add_change", "read_change", "read_changes", "read_changes_around", "undo_change"]

_AROUND = timedelta(days=4)
"""Further from a moment than this, no shift that lasts at it begins or is looked for; see `AHEAD_S` of `patrol.shifts`."""


def add_change(connection: Connection, site: Site, change: RosterChange, by: Actor) -> RosterChange:
    """Store `change`, or find that it is stored; raises TransitionError if it cannot be made. The caller commits."""
    known = connection.execute(select(roster_changes).where(roster_changes.c.id == change.id)).mappings().first()
    if known is not None:
        stored = _change_of(known)
        if replace(stored, made_s=change.made_s, undone_s=None, undone_by="") != change:
            raise TransitionError(f"the id {change.id} was already used for another change; every change needs an id of its own")
        return stored
    check_change(site, read_changes(connection, change.day, change.last_day), change)
    connection.execute(insert(roster_changes), _row(change))
    with_whom = f" with {change.other}" if change.other else ""
    detail = f"{change.kind} of team {change.team} from {change.day} to {change.last_day}{with_whom}"
    add_audit(connection, by, "change_roster", f"roster_change/{change.id}", detail, change.made_s)
    return change


def undo_change(connection: Connection, change: str, by: Actor, now_s: float) -> RosterChange | None:
    """Undo a change, unless it is undone already; None if there is none. The caller commits."""
    stored = read_change(connection, change)
    if stored is None or stored.undone_s is not None:
        return stored
    undone = replace(stored, undone_s=now_s, undone_by=by.name)
    by_id = update(roster_changes).where(roster_changes.c.id == change)
    connection.execute(by_id.values(undone_s=now_s, undone_by=by.name))
    add_audit(connection, by, "undo_roster_change", f"roster_change/{change}", f"team {stored.team}", now_s)
    return undone


def read_change(connection: Connection, change: str) -> RosterChange | None:
    """One change by its id."""
    row = connection.execute(select(roster_changes).where(roster_changes.c.id == change)).mappings().first()
    return None if row is None else _change_of(row)


def read_changes(connection: Connection, first: date, last: date) -> list[RosterChange]:
    """The changes that concern a day from `first` to `last`, undone ones too, in the order in which they were made."""
    query = select(roster_changes).where(
        roster_changes.c.first_day <= last.isoformat(), roster_changes.c.last_day >= first.isoformat()
    )
    rows = connection.execute(query.order_by(roster_changes.c.made_s, roster_changes.c.id)).mappings()
    return [_change_of(row) for row in rows]


def read_changes_around(connection: Connection, site: Site, now_s: float) -> list[RosterChange]:
    """The changes that can matter for who is on shift around `now_s`."""
    today = datetime.fromtimestamp(now_s, site.zone_info).date()
    return read_changes(connection, today - _AROUND, today + _AROUND)


def _row(change: RosterChange) -> dict[str, Any]:  # Any: columns of different types
    days = [day for day in (change.day, change.last_day, change.other_day) if day is not None]
    return {
        "id": change.id,
        "kind": change.kind.value,
        "team": change.team,
        "day": change.day.isoformat(),
        "first_day": min(days).isoformat(),
        "last_day": max(days).isoformat(),
        "other": change.other,
        "other_day": change.other_day.isoformat() if change.other_day else None,
        "begin_min": change.span[0] if change.span else None,
        "end_min": change.span[1] if change.span else None,
        "reason": change.reason,
        "by_name": change.by,
        "made_s": change.made_s,
        "undone_s": change.undone_s,
        "undone_by": change.undone_by,
    }


def _change_of(row: Mapping[Any, Any]) -> RosterChange:
    kind, day = ChangeKind(row["kind"]), date.fromisoformat(row["day"])
    return RosterChange(
        id=row["id"],
        kind=kind,
        team=row["team"],
        day=day,
        last_day=date.fromisoformat(row["last_day"]) if kind is ChangeKind.LEAVE else day,
        other=row["other"],
        other_day=date.fromisoformat(row["other_day"]) if row["other_day"] else None,
        span=None if row["begin_min"] is None else (row["begin_min"], row["end_min"]),
        reason=row["reason"],
        by=row["by_name"],
        made_s=row["made_s"],
        undone_s=row["undone_s"],
        undone_by=row["undone_by"],
    )
