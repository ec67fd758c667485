"""Clocks in the database: what fell due becomes history and notices, in one transaction."""

from sqlalchemy import ColumnElement, Connection, bindparam, select, update

from patrol import Clocks, Incident
from storage.history import add_history
from storage.incidents import write_incidents
from storage.rows import incident_of
from storage.tables import incidents, is_open

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


def retime(connection: Connection, clocks: Clocks) -> list[Incident]:
    """Work out anew when open incidents are due: the site's limits may have changed. Those that moved; the caller commits."""
    query = select(incidents).where(is_open)
    changed, moved = [], []
    for row in connection.execute(query).mappings():
        incident = incident_of(row)
        timed = clocks.timed(incident)
        if timed != incident:
            due = timed.due
            changed.append(timed)
            moved.append(
                {
                    "this_id": timed.id,
                    "due_step": due.step.value if due else None,
                    "due_s": due.at_s if due else None,
                    "look_s": timed.look_s,
                }
            )
    if moved:
        connection.execute(update(incidents).where(incidents.c.id == bindparam("this_id")), moved)
    return changed


def _is_due(now_s: float) -> tuple[ColumnElement[bool], ...]:
    return is_open, incidents.c.look_s <= now_s
