"""Clocks in the database: what fell due becomes history and notices, in one transaction."""

from sqlalchemy import ColumnElement, Connection, bindparam, func, select, update

from patrol import Clocks, Incident
from storage.history import add_history
from storage.incidents import write_incidents
from storage.rows import incident_of
from storage.tables import history, incidents, is_open

__all__ = ["anything_due", "retime", "tell"]

AT_ONCE = 100
"""Incidents told of in one transaction, which then takes about 0.1 s; the next call goes on."""


def anything_due(connection: Connection, now_s: float) -> bool:
    """Whether `tell` would find something; costs one look into an index."""
    return connection.execute(select(incidents.c.id).where(*_is_due(now_s)).limit(1)).first() is not None


def tell(connection: Connection, clocks: Clocks, now_s: float) -> list[Incident]:
    """Tell what fell due by `now_s`; the incidents it concerns as they are now. The caller commits."""
    query = select(incidents).where(*_is_due(now_s)).order_by(incidents.c.look_s, incidents.c.number).limit(AT_ONCE)
    told = [clocks.tell(incident_of(row), now_s, now_s) for row in connection.execute(query).mappings().all()]
    changed = [incident for incident, _ in told]
    write_incidents(connection, changed)
    for incident, lines in told:
        add_history(connection, incident, lines)
    return changed


def retime(connection: Connection, clocks: Clocks, now_s: float) -> list[Incident]:
    """Have running clocks count the limits that the site has now, and tell what these have passed already, dated `now_s`.

    The open incidents that this moved; the caller commits.
    """
    reached = _told_until(connection)
    changed, moved = [], []
    for row in connection.execute(select(incidents).where(is_open)).mappings().all():
        before = incident_of(row)
        timed = clocks.retimed(before, max(now_s, reached.get(before.id, now_s)))
        if timed == before:
            continue
        after, lines = clocks.tell(timed, now_s, now_s, since_s=now_s)
        changed.append(after)
        if lines:
            write_incidents(connection, [after])
            add_history(connection, after, lines)
        else:
            due = after.due
            moved.append(
                {
                    "this_id": after.id,
                    "due_step": due.step.value if due else None,
                    "due_s": due.at_s if due else None,
                    "look_s": after.look_s,
                    "told": after.told,
                }
            )
    if moved:
        connection.execute(update(incidents).where(incidents.c.id == bindparam("this_id")), moved)
    return changed


def _told_until(connection: Connection) -> dict[str, float]:
    """When each open incident's history was last added to: a wall clock that was set back since makes nothing untold."""
    query = select(history.c.incident, func.max(history.c.recorded_s).label("recorded_s"))
    query = (
        query.join(incidents, incidents.c.id == history.c.incident)
        .where(is_open, incidents.c.told > 0)
        .group_by(history.c.incident)
    )
    return {row.incident: row.recorded_s for row in connection.execute(query)}


def _is_due(now_s: float) -> tuple[ColumnElement[bool], ...]:
    return is_open, incidents.c.look_s <= now_s
