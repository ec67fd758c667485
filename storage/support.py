"""Supporting teams in the database."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, insert, select, update

from base import TransitionError
from patrol import Actor, Grid, ensure_free
from patrol.support import Support, SupportState, moved
from storage.accounts import add_audit
from storage.incidents import read_incident
from storage.tables import incidents, is_closed, is_open, support
from storage.teams import team_states

__all__ = [
    "add_support",
    "begin_support",
    "end_support_of_team",
    "move_support",
    "read_all_support",
    "read_support",
    "read_support_by_id",
    "read_support_of_team",
]


def add_support(connection: Connection, grid: Grid, asked: Support, by: Actor, now_s: float) -> Support:
    """Send a team to support an incident, once; raises TransitionError if it is busy or the incident is not open."""
    stored = read_support_by_id(connection, asked.id)
    if stored is not None:
        if (stored.incident, stored.team) != (asked.incident, asked.team):
            raise TransitionError(f"the id {asked.id} was already used for another support; every support needs an id of its own")
        return stored
    incident = read_incident(connection, asked.incident)
    if incident is None or not incident.is_open:
        raise TransitionError(f"there is no open incident {asked.incident}")
    _end_with_incidents(connection, now_s)
    if incident.team == asked.team and team_states(connection, grid, now_s)[asked.team].is_busy:
        raise TransitionError(f"team {asked.team} is the main team of incident {incident.number} already")
    ensure_free(asked.team, "", team_states(connection, grid, now_s))
    begin_support(connection, asked)
    add_audit(connection, by, "send_support", f"incident/{asked.incident}", f"team {asked.team}", now_s)
    return asked


def begin_support(connection: Connection, support_: Support) -> None:
    """Write down a support that begins; the caller has seen to it that the team has no other."""
    connection.execute(insert(support), _row(support_))


def end_support_of_team(connection: Connection, team: str, now_s: float) -> None:
    """Whatever a team supports, it has left."""
    mine = update(support).where(support.c.team == team, support.c.state != SupportState.DONE.value)
    connection.execute(mine.values(state=SupportState.DONE.value, done_s=now_s))


def move_support(
    connection: Connection, incident: str, team: str, state: SupportState, by: Actor, at_s: float, now_s: float
) -> Support | None:
    """Move the last support of `team` at `incident` to its next state; None if there is none. Raises TransitionError."""
    mine = select(support).where(support.c.incident == incident, support.c.team == team)
    row = connection.execute(mine.order_by(support.c.sent_s.desc())).mappings().first()
    if row is None:
        return None
    before = _support_of(row)
    after = moved(before, state, min(at_s, now_s))
    if after != before:
        connection.execute(update(support).where(support.c.id == after.id).values(_row(after)))
        add_audit(connection, by, "move_support", f"incident/{incident}", f"team {team}: {before.state} → {after.state}", now_s)
    return after


def read_support(connection: Connection, incident: str) -> list[Support]:
    """Every team that supports or supported an incident, in the order in which they were sent."""
    query = select(support).where(support.c.incident == incident).order_by(support.c.sent_s, support.c.id)
    return [_support_of(row) for row in connection.execute(query).mappings()]


def read_support_by_id(connection: Connection, identity: str) -> Support | None:
    """The support of this id, however far it is."""
    row = connection.execute(select(support).where(support.c.id == identity)).mappings().first()
    return None if row is None else _support_of(row)


def read_support_of_team(connection: Connection, team: str) -> Support | None:
    """What a team supports now."""
    mine = select(support).join(incidents, incidents.c.id == support.c.incident)
    mine = mine.where(support.c.team == team, support.c.state != SupportState.DONE.value, is_open)
    row = connection.execute(mine).mappings().first()
    return None if row is None else _support_of(row)


def read_all_support(connection: Connection) -> list[Support]:
    """What all teams support now."""
    query = select(support).join(incidents, incidents.c.id == support.c.incident)
    rows = connection.execute(query.where(support.c.state != SupportState.DONE.value, is_open)).mappings()
    return [_support_of(row) for row in rows]


def _end_with_incidents(connection: Connection, now_s: float) -> None:
    """A support ends with its incident; written down before anybody is sent anew, as the database allows one at a time."""
    closed = select(incidents.c.id).where(is_closed)
    open_ones = update(support).where(support.c.state != SupportState.DONE.value, support.c.incident.in_(closed))
    connection.execute(open_ones.values(state=SupportState.DONE.value, done_s=now_s))


def _row(each: Support) -> dict[str, Any]:  # Any: columns of different types
    return {
        "id": each.id,
        "incident": each.incident,
        "team": each.team,
        "state": each.state.value,
        "sent_s": each.sent_s,
        "arrived_s": each.arrived_s,
        "done_s": each.done_s,
        "by_name": each.by,
    }


def _support_of(row: Mapping[Any, Any]) -> Support:
    return Support(
        id=row["id"],
        incident=row["incident"],
        team=row["team"],
        state=SupportState(row["state"]),
        sent_s=row["sent_s"],
        arrived_s=row["arrived_s"],
        done_s=row["done_s"],
        by=row["by_name"],
    )
