"""The books of the ledger read page by page, newest first, and the assessment; nothing is ever written here."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Select, Text, cast, func, or_, select

from camera_config.site import PlaceKind, Site
from patrol.assessment import Assessment, DeskFigures, GroupBy
from patrol.ledger import Book, LedgerFilter
from storage.areas import Area, incidents_of, rounds_of, stop_in
from storage.assessment import AssessmentOf, read_assessment, read_desk_figures
from storage.desk_tables import referrals
from storage.event_hours import HourCounts, read_event_hours, read_incident_hours
from storage.reader import Reader
from storage.site_rules import SiteRules
from storage.tables import events, gaps, incidents, rounds

__all__ = ["Ledger", "LedgerPage", "Line"]

Line = Mapping[str, Any]  # Any: columns of different types
"""One line of a book: its values by the keys of COLUMNS; times as UTC seconds."""


LOOKED_AT = 10_000
"""Lines that a search looks at for one page: one that fits nothing must not read years of them before it answers."""


@dataclass(frozen=True, slots=True)
class LedgerPage:
    """Lines, newest first; `next` is where the next page begins, None at the end. An empty id in it stands before all others."""

    lines: tuple[Line, ...]
    next: tuple[float, str] | None


class Ledger:
    """Reads the books of one site. As the `Store` it belongs to: any thread, raises StorageError."""

    def __init__(self, read: Reader, rules: SiteRules, looked_at: int = LOOKED_AT) -> None:
        self._read = read
        self._rules = rules
        self._looked_at = looked_at

    def page(
        self,
        book: Book,
        which: LedgerFilter,
        limit: int,
        after: tuple[float, str] | None = None,
        area: Area | None = None,
    ) -> LedgerPage:
        """At most `limit` lines; those that follow `after`, the `next` of the page before.

        It takes the same time for any filter, so a page may hold fewer lines, or none, though others follow.
        """
        source, site = _SOURCES[book], self._rules.grid.site
        inside = _inside(source, which, after)
        wanted = _query(source, which, site, area).where(*inside).order_by(source.time.desc(), source.id.desc())
        is_searched = bool(source.match(which, site) or source.within(area))

        def read(connection: Connection) -> tuple[list[Any], float | None]:
            lowest_s = _lowest_s(connection, source, inside, self._looked_at) if is_searched else None
            near = wanted if lowest_s is None else wanted.where(source.time >= lowest_s)
            return list(connection.execute(near.limit(limit + 1)).mappings()), lowest_s

        rows, lowest_s = self._read(read)
        lines = tuple(source.finish(dict(row), site) for row in rows[:limit])
        if len(rows) > limit:
            return LedgerPage(lines, (rows[limit - 1][_TIME], rows[limit - 1][_ID]))
        return LedgerPage(lines, None if lowest_s is None else (lowest_s, ""))

    def count(self, book: Book, which: LedgerFilter, most: int, area: Area | None = None) -> int:
        """How many lines there are, counting no further than `most` + 1."""
        source = _SOURCES[book]
        lines = _query(source, which, self._rules.grid.site, area).where(*_inside(source, which, None))
        found = lines.with_only_columns(source.id).limit(most + 1).subquery()
        number: int = self._read(lambda connection: connection.execute(select(func.count()).select_from(found)).scalar_one())
        return number

    def assessment(self, asked: AssessmentOf, by: GroupBy) -> tuple[Assessment, dict[str, DeskFigures]]:
        """The figures by group, and those of the desks, from one snapshot of the database."""

        def read(connection: Connection) -> tuple[Assessment, dict[str, DeskFigures]]:
            return read_assessment(connection, asked, by, self._rules), read_desk_figures(connection, asked)

        return self._read(read)

    def hours(self, asked: AssessmentOf, of_events: bool) -> HourCounts:
        """Events, or incidents, by grid cell and hour of the day in the site's zone."""
        count, zone = read_event_hours if of_events else read_incident_hours, self._rules.grid.site.zone_info
        return self._read(lambda connection: count(connection, asked, zone))


_TIME, _ID = "_time", "_id"


def _as_it_is(line: dict[str, Any], site: Site) -> Line:
    return line


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a book's lines come from. `columns` by the keys of COLUMNS; `match` what a filter asks for beside time."""

    origin: FromClause
    time: ColumnElement[float]
    id: ColumnElement[str]
    columns: Mapping[str, ColumnElement[Any]]
    match: Callable[[LedgerFilter, Site], list[ColumnElement[bool]]]
    within: Callable[[Area | None], list[ColumnElement[bool]]]  # of the area of who asks
    finish: Callable[[dict[str, Any], Site], Line] = _as_it_is


def _query(source: _Source, which: LedgerFilter, site: Site, area: Area | None) -> Select[Any]:
    wanted = [column.label(key) for key, column in source.columns.items()]
    query = select(source.time.label(_TIME), source.id.label(_ID), *wanted).select_from(source.origin)
    return query.where(*source.match(which, site), *source.within(area))


def _inside(source: _Source, which: LedgerFilter, after: tuple[float, str] | None) -> list[ColumnElement[bool]]:
    """Where in time lines are looked for: within the filter, and behind `after`."""
    found: list[ColumnElement[bool]] = []
    if which.from_s is not None:
        found.append(source.time >= which.from_s)
    if which.to_s is not None:
        found.append(source.time < which.to_s)
    if after is not None:
        at_s, name = after
        # Said twice, so that an index by time begins there: of two conditions joined by OR a database makes nothing.
        found += [source.time <= at_s, or_(source.time < at_s, source.id < name)]
    return found


def _lowest_s(connection: Connection, source: _Source, inside: Sequence[ColumnElement[bool]], looked_at: int) -> float | None:
    """The time down to which a search looks for one page; None if it looks at all there is."""
    query = select(source.time).where(*inside).order_by(source.time.desc()).offset(looked_at - 1).limit(1)
    return connection.scalar(query)


def _equal(which: LedgerFilter, **columns: ColumnElement[Any]) -> list[ColumnElement[bool]]:
    """A condition for each of these filters that is set."""
    return [column == value for name, column in columns.items() if (value := getattr(which, name)) not in ("", None)]


def _said(which: LedgerFilter, *columns: ColumnElement[Any]) -> list[ColumnElement[bool]]:
    """The text somewhere in these columns."""
    return [or_(*(column.icontains(which.text, autoescape=True) for column in columns))] if which.text else []


def _of_place(which: LedgerFilter) -> list[ColumnElement[bool]]:
    """By an expression, so that no index of cells is taken, which would find all there ever was in one and sort it by time."""
    cell = func.coalesce(incidents.c.grid_cell, "")
    return _equal(which, grid_cell=cell, compound=incidents.c.compound, community=incidents.c.community)


def _incidents(which: LedgerFilter, _: Site) -> list[ColumnElement[bool]]:
    c = incidents.c
    found = _equal(which, team=c.team, kind=c.kind, category=c.category, severity=c.severity, verdict=c.verdict)
    texts = (c.summary, c.camera, c.owner_name, c.cause, cast(c.number, Text))
    return [*found, *_of_place(which), *_said(which, *texts)]


def _events(which: LedgerFilter, _: Site) -> list[ColumnElement[bool]]:
    c = events.c
    found = _equal(which, kind=c.kind, severity=c.severity, category=incidents.c.category, verdict=incidents.c.verdict)
    return [*found, *_of_place(which), *_said(which, c.camera, c.label, c.rule, c.zone)]


def _referrals(which: LedgerFilter, _: Site) -> list[ColumnElement[bool]]:
    c = referrals.c
    found = _equal(which, kind=c.desk, category=incidents.c.category, severity=incidents.c.severity)
    return [*found, *_of_place(which), *_said(which, c.reason, c.by_name, cast(c.number, Text))]


def _rounds(which: LedgerFilter, site: Site) -> list[ColumnElement[bool]]:
    """A round is found by the cells of its stops."""
    c = rounds.c
    found = _equal(which, team=c.team, kind=c.kind)
    cells = _cells(which, site)
    if cells is not None:
        found.append(stop_in(cells))
    return [*found, *_said(which, c.name_zh, c.name_en, c.source)]


def _gaps(which: LedgerFilter, site: Site) -> list[ColumnElement[bool]]:
    found = _equal(which, kind=gaps.c.cause)
    if which.grid_cell or which.compound or which.community:
        found.append(gaps.c.camera.in_([camera for camera, places in _places_of_cameras(site) if _lies_in(which, places)]))
    return [*found, *_said(which, gaps.c.camera)]


def _gaps_of(area: Area | None) -> list[ColumnElement[bool]]:
    return [] if area is None else [gaps.c.camera.in_(sorted(area.cameras))]


def _with_places(line: dict[str, Any], site: Site) -> Line:
    camera = site.camera_by_id.get(line["camera"])
    places = _above(site, camera.grid_cell, camera.compound) if camera else ("", "", "")
    return line | dict(zip(("grid_cell", "compound", "community"), places, strict=True))


def _cells(which: LedgerFilter, site: Site) -> list[str] | None:
    """The grid cells that are asked for; None if no place is."""
    if not (which.grid_cell or which.compound or which.community):
        return None
    cells = (place for place in site.places if place.kind is PlaceKind.GRID_CELL)
    return [cell.id for cell in cells if _lies_in(which, _above(site, cell.id, ""))]


def _places_of_cameras(site: Site) -> Iterable[tuple[str, tuple[str, str, str]]]:
    return ((camera.id, _above(site, camera.grid_cell, camera.compound)) for camera in site.cameras)


def _lies_in(which: LedgerFilter, places: tuple[str, str, str]) -> bool:
    asked = (which.grid_cell, which.compound, which.community)
    return all(wanted in ("", place) for wanted, place in zip(asked, places, strict=True))


def _above(site: Site, grid_cell: str, compound: str) -> tuple[str, str, str]:
    """The cell, its compound and its community; empty where it lies in none."""
    found = {PlaceKind.COMPOUND: compound}
    for start in (grid_cell, compound):
        place = site.place_by_id.get(start)
        while place is not None:
            if not found.get(place.kind):
                found[place.kind] = place.id
            place = site.place_by_id.get(place.parent)
    return grid_cell, found.get(PlaceKind.COMPOUND, ""), found.get(PlaceKind.COMMUNITY, "")


_OF_INCIDENT = {name: incidents.c[name] for name in ("grid_cell", "compound", "community", "number", "category")}
_SOURCES: Mapping[Book, _Source] = {
    Book.INCIDENTS: _Source(
        incidents,
        incidents.c.opened_s,
        incidents.c.id,
        _OF_INCIDENT
        | {name: incidents.c[name] for name in ("origin", "kind", "severity", "camera", "summary", "work", "team", "verdict")}
        | {name: incidents.c[name] for name in ("cause", "event_count", "drill")}
        | {"opened": incidents.c.opened_s, "owner": incidents.c.owner_name, "since": incidents.c.since_s},
        _incidents,
        incidents_of,
    ),
    Book.EVENTS: _Source(
        events.join(incidents, incidents.c.id == events.c.incident),
        events.c.raised_s,
        events.c.id,
        _OF_INCIDENT
        | {name: events.c[name] for name in ("kind", "label", "camera", "rule", "zone", "severity", "score")}
        | {"raised": events.c.raised_s, "ended": events.c.ended_s, "verdict": incidents.c.verdict},
        _events,
        incidents_of,
    ),
    Book.REFERRALS: _Source(
        referrals.join(incidents, incidents.c.id == referrals.c.incident),
        referrals.c.sent_s,
        referrals.c.id,
        _OF_INCIDENT
        | {"severity": incidents.c.severity, "by": referrals.c.by_name, "sent": referrals.c.sent_s, "due": referrals.c.due_s}
        | {"accepted": referrals.c.accepted_s, "ended": referrals.c.ended_s}
        | {name: referrals.c[name] for name in ("desk", "state", "reason")},
        _referrals,
        incidents_of,
    ),
    Book.ROUNDS: _Source(
        rounds,
        rounds.c.due_s,
        rounds.c.id,
        {name: rounds.c[name] for name in ("kind", "team", "state", "stop_count", "visited", "on_time", "late")}
        | {name: rounds.c[name] for name in ("skipped", "missed", "odd")}
        | {"due": rounds.c.due_s, "name": rounds.c.name_zh},
        _rounds,
        rounds_of,
    ),
    Book.GAPS: _Source(
        gaps,
        gaps.c.began_s,
        gaps.c.camera,
        {"began": gaps.c.began_s, "ended": gaps.c.ended_s, "camera": gaps.c.camera, "cause": gaps.c.cause},
        _gaps,
        _gaps_of,
        _with_places,
    ),
}
