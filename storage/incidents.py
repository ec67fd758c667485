"""Incidents in the database: how they are written, one by one, and in lists for the page."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Select, Text, bindparam, cast, func, or_, select, update

from base import Event, StorageError
from camera_config.time_limits import Category
from patrol import HistoryEntry, Incident, Work
from storage.areas import Area, incidents_of
from storage.rows import entry_of, event_of, incident_of, incident_row
from storage.tables import events, history, incidents, is_closed, is_open, snapshots

__all__ = [
    "ALL_INCIDENTS",
    "IncidentFilter",
    "IncidentState",
    "next_number",
    "read_event",
    "read_events",
    "read_history",
    "read_incident",
    "read_incident_of_event",
    "read_incident_page",
    "read_incidents",
    "read_related",
    "read_snapshot",
    "write_incidents",
]

IncidentState = Literal["open", "closed", "all"]


@dataclass(frozen=True, slots=True)
class IncidentFilter:
    """Which incidents a list holds; what is None or empty leaves nothing out."""

    work: Work | None = None
    severity: int | None = None
    category: Category | None = None
    grid_cell: str = ""
    team: str = ""
    text: str = ""  # somewhere in the report, the camera, the owner's name or the cause; a number is that of an incident
    from_s: float | None = None  # opened then or later
    to_s: float | None = None  # opened before
    overdue_s: float | None = None  # a limit lies before this moment
    area: Area | None = None  # of who asks


ALL_INCIDENTS = IncidentFilter()

LOOKED_AT = 10_000
"""Incidents that are looked at for one page, open ones apart: a filter that fits nothing must not read a million of them."""

SLACK = 1_000
"""Numbers follow times, but where the wall clock was set back; so far around a moment an incident may have been opened at it."""


def write_incidents(connection: Connection, changed: Sequence[Incident]) -> None:
    """Replace stored incidents by later versions; raises StorageError if one is not older: somebody else writes, too."""
    if not changed:
        return
    by_id = update(incidents).where(incidents.c.id == bindparam("this_id"), incidents.c.version < bindparam("this_version"))
    rows = [incident_row(each) | {"this_id": each.id, "this_version": each.version} for each in changed]
    if connection.execute(by_id, rows).rowcount != len(rows):
        raise StorageError("an incident was changed by another program that writes to the same database; stop that program")


def read_incident(connection: Connection, incident: str) -> Incident | None:
    row = connection.execute(select(incidents).where(incidents.c.id == incident)).mappings().first()
    return incident_of(row) if row else None


def read_incidents(
    connection: Connection, state: IncidentState, limit: int, before: str | None, which: IncidentFilter
) -> list[Incident]:
    """Newest number first, from below the incident `before`; nothing if that is unknown."""
    query = _query(state, which).limit(limit)
    if before is not None:
        query = query.where(incidents.c.number < select(incidents.c.number).where(incidents.c.id == before).scalar_subquery())
    return [incident_of(row) for row in connection.execute(query).mappings()]


def read_incident_page(
    connection: Connection,
    state: IncidentState,
    limit: int,
    before: str | None,
    which: IncidentFilter,
    looked_at: int = LOOKED_AT,
) -> tuple[list[Incident], str | None]:
    """As `read_incidents`, but looks at so many incidents only: a page may be short, or empty, though others follow.

    With it the incident to give as `before` for the next page, which need not be one of the filter; None at the end.
    """
    number = incidents.c.number
    above, first = _above(connection, before, which), _first(connection, which)
    lowest = first if state == "open" else max(first, above - looked_at)
    query = _query(state, which).where(number >= lowest, number < above).limit(limit + 1)
    found = [incident_of(row) for row in connection.execute(query).mappings()]
    if len(found) > limit:
        return found[:limit], found[limit - 1].id
    if lowest <= first:
        return found, None
    return found, connection.scalar(select(incidents.c.id).where(number >= lowest).order_by(number).limit(1))


def next_number(connection: Connection) -> int:
    """The number of the next incident. Only the writer asks, and the newest is never deleted: no gaps, none twice."""
    newest: int = connection.execute(select(func.coalesce(func.max(incidents.c.number), 0))).scalar_one()
    return newest + 1


def read_history(connection: Connection, incident: str) -> list[HistoryEntry]:
    query = select(history).where(history.c.incident == incident).order_by(history.c.version)
    return [entry_of(row) for row in connection.execute(query).mappings()]


def read_events(connection: Connection, incident: str) -> list[Event]:
    query = select(events).where(events.c.incident == incident).order_by(events.c.raised_s, events.c.id)
    return [event_of(row) for row in connection.execute(query).mappings()]


def read_event(connection: Connection, event: str) -> Event | None:
    row = connection.execute(select(events).where(events.c.id == event)).mappings().first()
    return event_of(row) if row else None


def read_incident_of_event(connection: Connection, event: str) -> Incident | None:
    query = select(incidents).join(events, events.c.incident == incidents.c.id).where(events.c.id == event)
    row = connection.execute(query).mappings().first()
    return incident_of(row) if row else None


def read_related(connection: Connection, incident: Incident, cameras: Collection[str], within_s: float) -> list[Incident]:
    """Other incidents of these cameras that were opened at most `within_s` before or after, by number."""
    near = incidents.c.opened_s.between(incident.opened_s - within_s, incident.opened_s + within_s)
    query = select(incidents).where(near, incidents.c.camera.in_(cameras), incidents.c.id != incident.id)
    return [incident_of(row) for row in connection.execute(query.order_by(incidents.c.number)).mappings()]


def read_snapshot(connection: Connection, event: str) -> bytes | None:
    jpeg = connection.execute(select(snapshots.c.jpeg).where(snapshots.c.event == event)).scalar()
    return None if jpeg is None else bytes(jpeg)


def _query(state: IncidentState, which: IncidentFilter) -> Select[Any]:
    """Those of a state that pass the filter, newest number first."""
    query = select(incidents).where(*_conditions(which)).order_by(incidents.c.number.desc())
    if state == "all":
        return query
    return query.where(is_closed if state == "closed" else is_open)


def _above(connection: Connection, before: str | None, which: IncidentFilter) -> int:
    """Below which number a page begins."""
    bounds = [next_number(connection)]
    if before is not None:
        bounds.append(connection.scalar(select(incidents.c.number).where(incidents.c.id == before)) or 0)
    if which.to_s is not None:
        opened_s = incidents.c.opened_s
        last = select(incidents.c.number).where(opened_s < which.to_s).order_by(opened_s.desc()).limit(1)
        bounds.append((connection.scalar(last) or -SLACK) + 1 + SLACK)
    return min(bounds)


def _first(connection: Connection, which: IncidentFilter) -> int:
    """From which number on an incident may pass the filter."""
    if which.from_s is None:
        return connection.scalar(select(func.min(incidents.c.number))) or 1
    opened_s = incidents.c.opened_s
    first = select(incidents.c.number).where(opened_s >= which.from_s).order_by(opened_s).limit(1)
    found = connection.scalar(first)
    return next_number(connection) if found is None else max(1, found - SLACK)


def _conditions(which: IncidentFilter) -> list[ColumnElement[bool]]:
    columns = incidents.c
    found = incidents_of(which.area)
    if which.work is not None:
        found.append(columns.work == which.work.value)
    if which.severity is not None:
        found.append(columns.severity == which.severity)
    if which.category is not None:
        found.append(columns.category == which.category.value)
    if which.grid_cell:
        found.append(columns.grid_cell == which.grid_cell)
    if which.team:
        found.append(columns.team == which.team)
    if which.text:
        named = (columns.summary, columns.camera, columns.owner_name, columns.cause)
        said = [column.icontains(which.text, autoescape=True) for column in named]
        found.append(or_(*said, cast(columns.number, Text) == which.text))
    if which.from_s is not None:
        found.append(columns.opened_s >= which.from_s)
    if which.to_s is not None:
        found.append(columns.opened_s < which.to_s)
    if which.overdue_s is not None:
        found.append(columns.due_s < which.overdue_s)
    return found
