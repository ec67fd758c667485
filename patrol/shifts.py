"""Who is on shift when: patterns, holidays, swaps, leave and extra shifts put together, exact through daylight saving time.

Shifts are planned in wall-clock time and worked in real time. Every boundary becomes an instant by one rule (`instant_s`), so
that a shift which begins when another ends meets it exactly, in the two nights of the year too.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import partial
from zoneinfo import ZoneInfo

from base import TransitionError
from camera_config.schedule import Schedule, Span
from camera_config.site import Holiday, PlaceKind, Site, Team

__all__ = [
    "AHEAD_S",
    "ChangeKind",
    "Duty",
    "OnShift",
    "Roster",
    "RosterChange",
    "StaffingGap",
    "check_change",
    "instant_s",
    "staffing_gaps",
]

DAY_S = 86_400.0
AHEAD_S = 2 * DAY_S
"""How far ahead the end of a shift is looked for; a shift without an end until then is said to have none."""

LEAVE_DAYS = 366
CACHED = 50_000
"""Days of teams whose shifts are kept worked out: 200 teams for eight months, some 10 MB."""


class ChangeKind(StrEnum):
    """How the roster differs from the patterns for a while."""

    SWAP = "swap"  # two teams work each other's shifts
    LEAVE = "leave"  # a team does not work, somebody else may stand in
    EXTRA = "extra"  # a team works one shift more


@dataclass(frozen=True, slots=True)
class RosterChange:
    """One change of the roster, asked for by a dispatcher; undone ones are kept for the record and change nothing.

    Days are those on which a shift begins. A swap gives the shifts of `team` on `day` to `other`, and those of `other` on
    `other_day` to `team`. Leave frees `team` from `day` to `last_day`; `other`, if any, stands in. Extra is `span` on `day`.
    """

    id: str
    kind: ChangeKind
    team: str
    day: date
    last_day: date
    other: str = ""
    other_day: date | None = None  # set iff swap
    span: Span | None = None  # set iff extra: minutes after midnight
    reason: str = ""
    by: str = ""
    made_s: float = 0.0
    undone_s: float | None = None
    undone_by: str = ""  # set iff undone


@dataclass(frozen=True, slots=True)
class Duty:
    """A team works from `begin_s` to `end_s` (UTC) and serves `grid_cells`: its own, or those of the team it stands in for."""

    team: str
    begin_s: float
    end_s: float
    grid_cells: tuple[str, ...]
    instead_of: str = ""
    change: str = ""  # id of the change that brought it about


@dataclass(frozen=True, slots=True)
class OnShift:
    """A team's shift at one moment, without a break from `since_s` to `until_s` (None: no end within `AHEAD_S`)."""

    grid_cells: tuple[str, ...]
    since_s: float
    until_s: float | None


@dataclass(frozen=True, slots=True)
class StaffingGap:
    """From `begin_s` to `end_s` a cell is served by `teams`, fewer than the `needed` ones."""

    grid_cell: str
    begin_s: float
    end_s: float
    needed: int
    teams: tuple[str, ...]


class Roster:
    """The shifts of one site. Safe from any thread: what it remembers can always be worked out again."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._zone = site.zone_info
        self._order = {team.id: number for number, team in enumerate(site.teams)}
        self._holiday: dict[date, Holiday] = {}
        for holiday in site.holidays:
            for offset in range((holiday.last - holiday.first).days + 1):
                self._holiday.setdefault(holiday.first + timedelta(days=offset), holiday)
        self._planned: dict[tuple[str, date], tuple[tuple[float, float], ...]] = {}

    def duties(self, changes: Iterable[RosterChange], from_s: float, to_s: float) -> list[Duty]:
        """Every duty that overlaps [from_s, to_s), by team in the order of the site, then by time."""
        given, extra = _by_day(changes)
        duties: list[Duty] = []
        days = _days(from_s, to_s, self._zone)
        for team in self._site.teams:
            for day in days:
                change = given.get((team.id, day))
                worker = team.id if change is None else _worker(change, team.id)
                for begin_s, end_s in self.planned(team, day) if worker else ():
                    instead_of = team.id if worker != team.id else ""
                    duties.append(Duty(worker, begin_s, end_s, team.grid_cells, instead_of, change.id if change else ""))
                duties += [
                    Duty(team.id, *self._instants(day, added.span), team.grid_cells, "", added.id)
                    for added in extra.get((team.id, day), ())
                    if added.span is not None
                ]
        overlapping = [duty for duty in duties if duty.begin_s < to_s and duty.end_s > from_s and duty.team in self._order]
        return sorted(overlapping, key=lambda duty: (self._order[duty.team], duty.begin_s, duty.end_s, duty.instead_of))

    def on_shift(self, changes: Iterable[RosterChange], now_s: float) -> dict[str, OnShift]:
        """The teams that are on shift at `now_s`."""
        by_team: dict[str, list[Duty]] = defaultdict(list)
        for duty in self.duties(changes, now_s - DAY_S, now_s + AHEAD_S):
            by_team[duty.team].append(duty)
        found = {}
        for team, duties in by_team.items():
            here = [duty for duty in duties if duty.begin_s <= now_s < duty.end_s]
            if here:
                begin_s, end_s = _stretch(duties, now_s)
                cells = dict.fromkeys(cell for duty in here for cell in duty.grid_cells)
                found[team] = OnShift(tuple(cells), begin_s, end_s if end_s < now_s + AHEAD_S else None)
        return found

    def is_on_shift(self, team: str, changes: Iterable[RosterChange], at_s: float) -> bool:
        """Whether this team is on shift at `at_s`; False for a team that the site does not have."""
        return any(duty.team == team for duty in self.duties(changes, at_s, at_s + 1e-3) if duty.begin_s <= at_s < duty.end_s)

    def planned(self, team: Team, day: date) -> tuple[tuple[float, float], ...]:
        """The shifts of `team` that begin on `day` by its pattern and the holidays, as instants; no change is counted in."""
        key = team.id, day
        known = self._planned.get(key)
        if known is None:
            if len(self._planned) >= CACHED:
                self._planned.clear()
            known = self._planned[key] = tuple(map(partial(self._instants, day), self._spans(team, day)))
        return known

    def _spans(self, team: Team, day: date) -> tuple[Span, ...]:
        holiday = self._holiday.get(day)
        if holiday is None:
            return team.shift.spans_on(day)
        if holiday.made_up:  # a rotation takes no notice of weekdays anyway
            return team.shift.spans_on(day - timedelta(days=day.weekday()) if isinstance(team.shift, Schedule) else day)
        return (team.holiday_shift or team.shift).spans_on(day)

    def _instants(self, day: date, span: Span) -> tuple[float, float]:
        return instant_s(day, span[0], self._zone), instant_s(day, span[1], self._zone)


def instant_s(day: date, minute: int, zone: ZoneInfo) -> float:
    """When the clocks of `zone` show `minute` minutes after the midnight of `day` (UTC seconds).

    A time that the clocks show twice is its first; one that they jump over is the moment of the jump. So the order of wall-clock
    times is kept, and a boundary that two shifts share is one instant.
    """
    wall = datetime.combine(day, time()) + timedelta(minutes=minute)
    first_s, second_s = (wall.replace(tzinfo=zone, fold=fold).timestamp() for fold in (0, 1))
    if first_s <= second_s:
        return first_s
    # Jumped over (PEP 495): the jump lies between the readings by the offset after it and by the one before it.
    low, high = int(second_s), int(first_s)
    before = datetime.fromtimestamp(low, zone).utcoffset()
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if datetime.fromtimestamp(middle, zone).utcoffset() == before else (low, middle)
    return float(high)


def check_change(site: Site, known: Iterable[RosterChange], change: RosterChange) -> None:
    """Return if `change` can be made; raises TransitionError with a sentence: unknown team, nothing to swap, changed already."""
    for name in filter(None, (change.team, change.other)):
        if name not in site.team_by_id:
            raise TransitionError(f"there is no team {name!r} on this site")
    if change.other == change.team:
        raise TransitionError(f"team {change.team} cannot stand in for itself")
    if not 0 <= (change.last_day - change.day).days < LEAVE_DAYS:
        raise TransitionError(f"expected the last day from {change.day} on and within a year, got {change.last_day}")
    given, _ = _by_day(known)
    roster = Roster(site)
    for team, day in _given_away(change):
        if (team, day) in given:
            raise TransitionError(f"the shift of team {team} on {day} is changed already; undo that first")
        if change.kind is ChangeKind.SWAP and not roster.planned(site.team_by_id[team], day):
            raise TransitionError(f"team {team} has no shift that begins on {day}, so there is nothing to swap")


def staffing_gaps(site: Site, changes: Iterable[RosterChange], from_s: float, to_s: float) -> list[StaffingGap]:
    """Where and when [from_s, to_s) fewer teams serve a cell than the site's minimums ask for, by cell, then by time.

    Where several minimums ask for the same cell at the same time, the highest counts.
    """
    if not site.dispatch.minimums:
        return []
    duties = Roster(site).duties(changes, from_s, to_s)
    serving: dict[str, list[Duty]] = defaultdict(list)
    for duty in duties:
        for cell in duty.grid_cells:
            serving[cell].append(duty)
    asked = [_asked(minimum.schedule, site.zone_info, from_s, to_s) for minimum in site.dispatch.minimums]
    every_cell = [place.id for place in site.places if place.kind is PlaceKind.GRID_CELL]
    gaps: list[StaffingGap] = []
    for cell in every_cell:
        needs = [
            (begin_s, end_s, minimum.teams)
            for minimum, spans in zip(site.dispatch.minimums, asked, strict=True)
            if not minimum.grid_cells or cell in minimum.grid_cells
            for begin_s, end_s in spans
        ]
        gaps += _gaps(cell, needs, serving[cell], from_s, to_s)
    return gaps


def _gaps(
    cell: str, needs: Sequence[tuple[float, float, int]], duties: Sequence[Duty], from_s: float, to_s: float
) -> Iterator[StaffingGap]:
    """Sweep over one cell: between two neighbouring instants at which anything begins or ends, nothing changes."""
    turns: dict[float, list[tuple[Counter[int] | Counter[str], int | str, int]]] = defaultdict(list)
    needed: Counter[int] = Counter()
    present: Counter[str] = Counter()
    for begin_s, end_s, teams in needs:
        turns[max(begin_s, from_s)].append((needed, teams, 1))
        turns[min(end_s, to_s)].append((needed, teams, -1))
    for duty in duties:
        turns[max(duty.begin_s, from_s)].append((present, duty.team, 1))
        turns[min(duty.end_s, to_s)].append((present, duty.team, -1))
    open_gap: StaffingGap | None = None
    for at_s in sorted(turns):
        for counter, key, step in turns[at_s]:
            counter[key] += step  # type: ignore[index]  # each key stands beside the counter it belongs to
        most = max((teams for teams, times in needed.items() if times > 0), default=0)
        here = tuple(sorted(team for team, times in present.items() if times > 0))
        now = StaffingGap(cell, at_s, to_s, most, here) if len(here) < most else None
        if open_gap and now and (open_gap.needed, open_gap.teams) == (now.needed, now.teams):
            continue
        if open_gap and open_gap.begin_s < at_s:
            yield StaffingGap(cell, open_gap.begin_s, at_s, open_gap.needed, open_gap.teams)
        open_gap = now


def _asked(schedule: Schedule, zone: ZoneInfo, from_s: float, to_s: float) -> list[tuple[float, float]]:
    spans = [
        (instant_s(day, start, zone), instant_s(day, end, zone))
        for day in _days(from_s, to_s, zone)
        for start, end in schedule.spans_on(day)
    ]
    return [(begin_s, end_s) for begin_s, end_s in spans if begin_s < to_s and end_s > from_s]


def _days(from_s: float, to_s: float, zone: ZoneInfo) -> list[date]:
    """The dates on which a span may begin that overlaps [from_s, to_s): none is longer than two days."""
    first, last = (datetime.fromtimestamp(at_s, UTC).astimezone(zone).date() for at_s in (from_s, to_s))
    return [first + timedelta(days=offset) for offset in range(-1, (last - first).days + 1)]


def _by_day(
    changes: Iterable[RosterChange],
) -> tuple[dict[tuple[str, date], RosterChange], dict[tuple[str, date], list[RosterChange]]]:
    """Whose shifts of which day are given away, and which are added. Undone changes are left out; of two the older counts."""
    given: dict[tuple[str, date], RosterChange] = {}
    extra: dict[tuple[str, date], list[RosterChange]] = defaultdict(list)
    for change in sorted(changes, key=lambda each: (each.made_s, each.id)):
        if change.undone_s is not None:
            continue
        if change.kind is ChangeKind.EXTRA:
            extra[change.team, change.day].append(change)
        for key in _given_away(change):
            given.setdefault(key, change)
    return given, extra


def _given_away(change: RosterChange) -> list[tuple[str, date]]:
    if change.kind is ChangeKind.SWAP and change.other_day is not None:
        return [(change.team, change.day), (change.other, change.other_day)]
    if change.kind is ChangeKind.LEAVE:
        return [(change.team, change.day + timedelta(days=n)) for n in range((change.last_day - change.day).days + 1)]
    return []


def _worker(change: RosterChange, team: str) -> str:
    """Who works a shift of `team` that `change` gives away; empty if nobody does."""
    if change.kind is ChangeKind.SWAP and team == change.other:
        return change.team
    return change.other


def _stretch(duties: Sequence[Duty], now_s: float) -> tuple[float, float]:
    """From when to when duties follow one another without a break around `now_s`; they are sorted by their begin."""
    begin_s = end_s = now_s
    for duty in duties:
        if duty.begin_s <= end_s and duty.end_s > end_s:
            end_s = duty.end_s
    for duty in reversed(duties):
        if duty.end_s >= begin_s and duty.begin_s < begin_s:
            begin_s = duty.begin_s
    return begin_s, end_s
