"""Legal holds: an incident with all that belongs to it stays, however old it becomes, until the hold ends or is lifted."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, insert, literal, or_, select, update

from base import TransitionError
from patrol import Actor, CommandError
from patrol.advance import check_text
from storage.accounts import add_audit
from storage.areas import Area, incidents_of
from storage.tables import holds, incidents

__all__ = ["Hold", "add_hold", "is_audit_held", "is_held", "lift_hold", "read_hold", "read_holds"]

REASON_MAX = 500


@dataclass(frozen=True, slots=True)
class Hold:
    """Somebody asked that an incident be kept. `id` is made by the client; `until_s` None: until it is lifted."""

    id: str
    incident: str
    reason: str
    by: str  # name
    made_s: float
    until_s: float | None = None
    lifted_s: float | None = None
    lifted_by: str = ""


def add_hold(connection: Connection, asked: Hold, by: Actor) -> Hold:
    """Store a hold, once by its id. Raises CommandError; TransitionError if there is no such incident. The caller commits."""
    known = connection.execute(select(holds).where(holds.c.id == asked.id)).mappings().first()
    if known is not None:
        stored = _hold_of(known)
        if (stored.incident, stored.reason, stored.until_s) != (asked.incident, asked.reason, asked.until_s):
            raise CommandError(f"the id {asked.id} was already used for another hold; every hold needs an id of its own")
        return stored
    check_text("reason", asked.reason, REASON_MAX)
    if not asked.reason.strip():
        raise CommandError("reason: a hold needs one, such as the number of the case")
    if asked.until_s is not None and asked.until_s <= asked.made_s:
        raise CommandError("until: expected a time to come")
    if connection.execute(select(incidents.c.id).where(incidents.c.id == asked.incident)).first() is None:
        raise TransitionError(f"there is no incident {asked.incident}")
    connection.execute(insert(holds).values(_row(asked)))
    add_audit(connection, by, "hold", f"incident/{asked.incident}", asked.reason, asked.made_s)
    return asked


def lift_hold(connection: Connection, hold: str, by: Actor, now_s: float) -> Hold | None:
    """Lift a hold, unless it is lifted already; None if there is none. The caller commits."""
    stored = read_hold(connection, hold)
    if stored is None or stored.lifted_s is not None:
        return stored
    connection.execute(update(holds).where(holds.c.id == hold).values(lifted_s=now_s, lifted_by=by.name))
    add_audit(connection, by, "lift_hold", f"incident/{stored.incident}", stored.reason, now_s)
    return replace(stored, lifted_s=now_s, lifted_by=by.name)


def read_hold(connection: Connection, hold: str) -> Hold | None:
    """One hold by its id."""
    row = connection.execute(select(holds).where(holds.c.id == hold)).mappings().first()
    return None if row is None else _hold_of(row)


def read_holds(connection: Connection, incident: str | None, now_s: float, area: Area | None = None) -> list[Hold]:
    """The holds on one incident, ended ones too; or all that are in force, of one area or everywhere. Newest first."""
    mine = holds.c.incident == incident if incident is not None else _in_force(now_s)
    query = select(holds).where(mine).order_by(holds.c.made_s.desc(), holds.c.id)
    if area is not None:
        query = query.join(incidents, incidents.c.id == holds.c.incident).where(*incidents_of(area))
    return [_hold_of(row) for row in connection.execute(query).mappings()]


def is_held(table: Table, now_s: float) -> ColumnElement[bool]:
    """Whether there is a hold on a row of `incidents`, or on the incident that it was merged into."""
    mine = or_(holds.c.incident == table.c.id, holds.c.incident == table.c.duplicate_of)
    return select(holds.c.id).where(_in_force(now_s), mine).exists()


def is_audit_held(table: Table, now_s: float) -> ColumnElement[bool]:
    """Whether a row of `audit` is about an incident that there is a hold on."""
    mine = table.c.resource == literal("incident/") + holds.c.incident
    return select(holds.c.id).where(_in_force(now_s), mine).exists()


def _in_force(now_s: float) -> ColumnElement[bool]:
    return holds.c.lifted_s.is_(None) & (holds.c.until_s.is_(None) | (holds.c.until_s > now_s))


def _row(hold: Hold) -> dict[str, Any]:  # Any: columns of different types
    return {
        "id": hold.id,
        "incident": hold.incident,
        "reason": hold.reason,
        "by_name": hold.by,
        "made_s": hold.made_s,
        "until_s": hold.until_s,
        "lifted_s": hold.lifted_s,
        "lifted_by": hold.lifted_by,
    }


def _hold_of(row: Mapping[Any, Any]) -> Hold:  # as above
    return Hold(
        id=row["id"],
        incident=row["incident"],
        reason=row["reason"],
        by=row["by_name"],
        made_s=row["made_s"],
        until_s=row["until_s"],
        lifted_s=row["lifted_s"],
        lifted_by=row["lifted_by"],
    )
