"""When things happen where: events or incidents counted by grid cell and hour of the site's day. The database does the sums."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, ColumnElement, Connection, FromClause, Integer, cast, func, select

from patrol import Verdict
from storage.assessment import AssessmentOf, conditions_of
from storage.tables import events, incidents

__all__ = ["HOURS", "HourCounts", "read_event_hours", "read_incident_hours"]

HOURS = 24
_HOUR_S, _DAY_S = 3600, 86_400

HourCounts = dict[str, list[int]]
"""By grid cell, one number for each hour of the day; under an empty name what happened in no cell."""


def read_event_hours(connection: Connection, asked: AssessmentOf, zone: ZoneInfo) -> HourCounts:
    """Events that were raised in that time, those of duplicates too: each was something that a camera saw."""
    source = incidents.join(events, events.c.incident == incidents.c.id)
    return _counted(connection, source, asked, zone, events.c.raised_s, (events.c.recorded_s <= asked.as_of_s,))


def read_incident_hours(connection: Connection, asked: AssessmentOf, zone: ZoneInfo) -> HourCounts:
    """Incidents that were opened in that time, whoever reported them, without duplicates."""
    is_own = func.coalesce(incidents.c.verdict, "") != Verdict.DUPLICATE.value
    more = (incidents.c.opened_s <= asked.as_of_s, is_own)
    return _counted(connection, incidents, asked, zone, incidents.c.opened_s, more)


def _counted(
    connection: Connection,
    source: FromClause,
    asked: AssessmentOf,
    zone: ZoneInfo,
    at_s: ColumnElement[float],
    more: Sequence[ColumnElement[bool]],
) -> HourCounts:
    found: HourCounts = {}
    for from_s, to_s, offset_s in spans_of_one_offset(zone, asked.from_s, asked.to_s):
        hour = cast(func.floor((at_s + offset_s) / _HOUR_S), BigInteger) % HOURS
        inside = (at_s >= from_s, at_s < to_s, *more, *conditions_of(asked))
        # Named in a query of its own: PostgreSQL does not see that an expression with parameters is the one grouped by.
        each = select(incidents.c.grid_cell, cast(hour, Integer).label("hour")).select_from(source).where(*inside).subquery()
        query = select(each.c.grid_cell, each.c.hour, func.count()).group_by(each.c.grid_cell, each.c.hour)
        for cell, number, count in connection.execute(query):
            found.setdefault(cell, [0] * HOURS)[number] += count
    return dict(sorted(found.items()))


def spans_of_one_offset(zone: ZoneInfo, from_s: float, to_s: float) -> Iterator[tuple[float, float, int]]:
    """[from_s, to_s) cut where the clocks of `zone` are put forward or back, each with its seconds east of UTC.

    Clocks are taken to change at most once within a day, and at whole seconds.
    """
    begin_s, at_s = from_s, from_s
    while at_s < to_s:
        next_s = min(at_s + _DAY_S, to_s)
        before = _offset_s(zone, at_s)
        if _offset_s(zone, next_s) != before:
            first = int(at_s) + 1
            seconds = range(first, int(next_s) + 1)
            change_s = float(first + bisect_left(seconds, True, key=lambda second: _offset_s(zone, second) != before))
            yield begin_s, change_s, before
            begin_s = change_s
        at_s = next_s
    if begin_s < to_s:
        yield begin_s, to_s, _offset_s(zone, begin_s)


def _offset_s(zone: ZoneInfo, at_s: float) -> int:
    offset = datetime.fromtimestamp(at_s, UTC).astimezone(zone).utcoffset()
    assert offset is not None  # zones of the database have one at every moment
    return round(offset.total_seconds())
