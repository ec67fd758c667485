"""Which rounds there are between two moments, and whose. Pure: the same site, roster, seed and stops give the same rounds.

A round's id is made of its source and its moment, so that planning again finds the same rounds, before and after a restart.
Moments are wall-clock times of the site (`shifts.instant_s`), so both nights in which clocks are changed have their rounds.
"""

import itertools
import math
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from camera_config.round_rules import Inspection, Order, Route
from camera_config.schedule import Schedule
from camera_config.site import Checkpoint, Name, Point, Team, TravelMode
from patrol.grid import Grid
from patrol.inspections import Draw, draw_checkpoints, seed_of, share
from patrol.rounds import Round, RoundKind, Stop, TemporaryStop
from patrol.shifts import Duty, RosterChange, instant_s

__all__ = ["DWELL_S", "Plan", "RoundPlanner"]

DWELL_S = 60.0
"""At each checkpoint, besides the walk: to look around, and to read the code. Our own choice."""

SOON_S = 3600.0
"""Within which a temporary stop is to be visited."""

DAY_S = 86_400.0
_NAMESPACE = uuid.UUID("5d1f6a52-7a58-4c63-9c39-3c6a41ba71d4")


@dataclass(frozen=True, slots=True)
class Plan:
    """Rounds, by the moment at which they are due, and the draws that chose the stops of some."""

    rounds: tuple[Round, ...]
    draws: tuple[Draw, ...]


class RoundPlanner:
    """Plans the rounds of one site. `seed` is the secret of its random times and draws. Safe from any thread."""

    def __init__(self, grid: Grid, seed: str) -> None:
        self._grid = grid
        self._site = grid.site
        self._seed = seed
        self._legs_s = lru_cache(maxsize=None)(self._worked_out_legs_s)  # of a route and a way to travel, so it is bounded

    def plan(self, changes: Iterable[RosterChange], temporary: Iterable[TemporaryStop], from_s: float, to_s: float) -> Plan:
        """Every round that is due in [from_s, to_s), with whoever is on duty then."""
        duties = self._grid.roster.duties(changes, from_s - DAY_S, to_s + 2 * DAY_S)
        rounds: list[Round] = []
        draws: list[Draw] = []
        for route in self._site.rounds.routes:
            if route.starts.every_h is not None:
                rounds += self._every(route, route.starts.every_h, duties)
            for day, due_s in self._starts(route, from_s, to_s):
                team = _first(duties, route.teams, route.grid_cell, due_s)
                rounds.append(self._walk(route, day, due_s, team, _id(self._site.id, route.id, due_s)))
        for inspection in self._site.rounds.inspections:
            for day, begin_s, end_s in self._windows(inspection.schedule, from_s, to_s):
                if inspection.draw:
                    due_s = self._drawn_moment_s(inspection, begin_s, end_s)
                    drawn = self._draw(inspection, begin_s, due_s)
                    draws += [drawn] if drawn else []
                    rounds += self.inspect(drawn, inspection, day, due_s, duties) if drawn else []
                else:
                    rounds += self._announced(inspection, day, begin_s, end_s, duties)
        for stop in temporary:
            rounds += self._temporary(stop, duties)
        wanted = sorted((each for each in rounds if from_s <= each.due_s < to_s), key=lambda each: (each.due_s, each.id))
        kept = {each.draw for each in wanted}
        return Plan(tuple(wanted), tuple(draw for draw in draws if draw.id in kept))

    def inspect(self, draw: Draw, inspection: Inspection, day: date, due_s: float, duties: Sequence[Duty]) -> list[Round]:
        """The unannounced rounds of a draw, one for each team that has something to inspect; not told before `due_s`."""
        end_s = due_s + 60 * inspection.within_min
        points = [self._site.checkpoint_by_id[point] for point in draw.drawn if point in self._site.checkpoint_by_id]
        rounds = self._by_team(RoundKind.UNANNOUNCED, inspection, points, day, (due_s, end_s), duties)
        return [replace(each, source=draw.source or draw.id, draw=draw.id) for each in rounds]

    def duties_around(self, changes: Iterable[RosterChange], at_s: float) -> list[Duty]:
        """The duties among which those who can be asked at `at_s` are."""
        return self._grid.roster.duties(changes, at_s - DAY_S, at_s + DAY_S)

    def pool(self, inspection: Inspection) -> list[Checkpoint]:
        """The checkpoints that an inspection is about: those it names, else every key node."""
        if inspection.checkpoints:
            return [self._site.checkpoint_by_id[point] for point in inspection.checkpoints]
        return [point for point in self._site.checkpoints if point.key_node]

    # Moments

    def _starts(self, route: Route, from_s: float, to_s: float) -> Iterator[tuple[date, float]]:
        """The moments of a route that do not depend on shifts, with the date each belongs to."""
        starts = route.starts
        if starts.at is not None:
            for day in self._days(from_s, to_s):
                for moment_s in dict.fromkeys(instant_s(day, minute, self._site.zone_info) for minute in starts.at.on(day)):
                    yield day, moment_s
        elif starts.within is not None:
            for day, begin_s, end_s in self._windows(starts.within, from_s, to_s):
                slice_s = (end_s - begin_s) / starts.times
                for number in range(starts.times):
                    drawn = share(self._seed, f"route {route.id} {begin_s:.0f} {number}")
                    yield day, float(math.floor(begin_s + (number + drawn) * slice_s))

    def _drawn_moment_s(self, inspection: Inspection, begin_s: float, end_s: float) -> float:
        """At least `within_min` before the end of the window, where it is long enough for that."""
        room_s = max(0.0, end_s - begin_s - 60 * inspection.within_min)
        return float(math.floor(begin_s + share(self._seed, f"inspection {inspection.id} {begin_s:.0f}") * room_s))

    def _windows(self, schedule: Schedule, from_s: float, to_s: float) -> Iterator[tuple[date, float, float]]:
        for day in self._days(from_s, to_s):
            for start, end in schedule.spans_on(day):
                begin_s, end_s = (instant_s(day, minute, self._site.zone_info) for minute in (start, end))
                if begin_s < end_s:  # a window can lie wholly in an hour that the clocks jump over
                    yield day, begin_s, end_s

    def _days(self, from_s: float, to_s: float) -> list[date]:
        """The dates on which something may begin that is due in [from_s, to_s)."""
        first = self._date(from_s) - timedelta(days=1)
        return [first + timedelta(days=offset) for offset in range((self._date(to_s) - first).days + 1)]

    def _date(self, at_s: float) -> date:
        return datetime.fromtimestamp(at_s, UTC).astimezone(self._site.zone_info).date()

    # Rounds

    def _every(self, route: Route, hours: float, duties: Sequence[Duty]) -> Iterator[Round]:
        """From the beginning of each shift on, by the team that works it."""
        for duty in duties:
            if _may_walk(route.teams, route.grid_cell, duty):
                for number in range(math.ceil((duty.end_s - duty.begin_s) / (3600 * hours))):
                    due_s = duty.begin_s + number * 3600 * hours
                    name = _id(self._site.id, f"{route.id} {_in_place_of(duty)}", due_s)
                    yield self._walk(route, self._date(duty.begin_s), due_s, duty.team, name)

    def _walk(self, route: Route, day: date, due_s: float, team: str, name: str) -> Round:
        travels = self._travels(team)
        offsets = [0.0]
        for leg_s in self._legs_s(route, travels):
            offsets.append(offsets[-1] + leg_s)
        opens_s, late_s = due_s - 60 * route.early_min, 60 * route.late_min
        closes_s = due_s + offsets[-1] + late_s
        points = [self._site.checkpoint_by_id[point] for point in route.stops]
        is_fixed = route.order is Order.FIXED
        stops = tuple(
            _stop(point, due_s + offset - 60 * route.early_min, due_s + offset, due_s + offset + late_s)
            if is_fixed
            else _stop(point, opens_s, closes_s, closes_s)
            for point, offset in zip(points, offsets, strict=True)
        )
        return Round(
            id=name,
            kind=RoundKind.ROUTE,
            source=route.id,
            name=route.name,
            team=team,
            day=day,
            order=route.order,
            due_s=due_s,
            opens_s=opens_s,
            closes_s=closes_s,
            # Random times are known to nobody before they come.
            announced_s=opens_s if route.starts.within is not None else 0.0,
            stops=stops,
            travels=travels,
        )

    def _announced(self, inspection: Inspection, day: date, begin_s: float, end_s: float, duties: Sequence[Duty]) -> list[Round]:
        points = self.pool(inspection)
        return self._by_team(RoundKind.INSPECTION, inspection, points, day, (begin_s, end_s), duties)

    def _by_team(
        self,
        kind: RoundKind,
        inspection: Inspection,
        points: Iterable[Checkpoint],
        day: date,
        window: tuple[float, float],
        duties: Sequence[Duty],
    ) -> list[Round]:
        """One round for each team, of the checkpoints that fall to it: whoever is on duty longest from the beginning on."""
        shares: dict[str, list[Checkpoint]] = defaultdict(list)
        for point in points:
            shares[_first(duties, inspection.teams, point.grid_cell, *window)].append(point)
        begin_s, end_s = window
        return [
            self._within(
                kind,
                f"{kind} {inspection.id} {team}",
                (inspection.id, inspection.name),
                team,
                day,
                tuple(_stop(point, begin_s, end_s, end_s) for point in mine),
            )
            for team, mine in shares.items()
        ]

    def _draw(self, inspection: Inspection, begin_s: float, due_s: float) -> Draw | None:
        pool = sorted(point.id for point in self.pool(inspection))
        if not pool:
            return None
        seed = seed_of(self._seed, f"draw {inspection.id} {begin_s:.0f}")
        drawn = draw_checkpoints(pool, inspection.draw, seed)
        draw = _id(self._site.id, f"draw {inspection.id}", begin_s)
        return Draw(draw, inspection.id, seed, tuple(pool), inspection.draw, drawn, due_s, due_s, "Gridpatrol")

    def _temporary(self, stop: TemporaryStop, duties: Sequence[Duty]) -> Iterator[Round]:
        """Now, and again after each `repeat_min`, until it is over; withdrawn ones have no further rounds."""
        end_s = stop.until_s if stop.withdrawn_s is None else stop.withdrawn_s
        repeat_s = max(stop.until_s - stop.made_s, 1.0) if stop.repeat_min is None else 60 * stop.repeat_min
        for number in range(max(0, math.ceil((end_s - stop.made_s) / repeat_s))):
            begin_s = stop.made_s + number * repeat_s
            by_s = min(stop.until_s, begin_s + min(repeat_s, SOON_S))
            team = stop.team or _first(duties, (), stop.grid_cell, begin_s)
            name = Name(f"临时点：{stop.why}", f"Temporary stop: {stop.why}")
            why, place = Name(stop.why, stop.why), stop.place
            there = Stop(stop.id, why, place, stop.grid_cell, begin_s, by_s, by_s, has_code=False)
            day = self._date(begin_s)
            yield self._within(RoundKind.TEMPORARY, f"temporary {stop.id}", (stop.id, name), team, day, (there,))

    def _within(
        self, kind: RoundKind, identity: str, source: tuple[str, Name], team: str, day: date, stops: tuple[Stop, ...]
    ) -> Round:
        """A round of stops that all have the same window, in any order; what is not an announced inspection is told as it opens.

        `identity` tells it from the others that open at the same moment; `source` is the id and the name of what asks for it.
        """
        opens_s, closes_s = stops[0].from_s, stops[0].until_s
        return Round(
            id=_id(self._site.id, identity, opens_s),
            kind=kind,
            source=source[0],
            name=source[1],
            team=team,
            day=day,
            order=Order.FREE,
            due_s=opens_s,
            opens_s=opens_s,
            closes_s=closes_s,
            announced_s=0.0 if kind is RoundKind.INSPECTION else opens_s,
            stops=stops,
            travels=self._travels(team),
        )

    def _worked_out_legs_s(self, route: Route, travels: TravelMode) -> tuple[float, ...]:
        """From each stop of a route to the next, with the time spent there."""
        if route.walk_min:
            return tuple(60 * minutes for minutes in route.walk_min)
        points: list[Point] = [_point(self._site.checkpoint_by_id[stop]) for stop in route.stops]
        trips = (self._grid.travel.trips(b, [(a, travels)])[0] for a, b in itertools.pairwise(points))
        return tuple(trip.time_s + DWELL_S for trip in trips)

    def _travels(self, team: str) -> TravelMode:
        known: Team | None = self._site.team_by_id.get(team)
        return known.travels if known else TravelMode.WALK


def _first(duties: Sequence[Duty], teams: Sequence[str], grid_cell: str, begin_s: float, end_s: float | None = None) -> str:
    """Who is asked: the first that may and is on duty at `begin_s`, else whoever comes first before `end_s`; empty if nobody.

    Of several the one named first in `teams` goes before, else the one that the site names first, as `duties` are sorted.
    """
    fitting = [duty for duty in duties if _may_walk(teams, grid_cell, duty) and duty.end_s > begin_s]
    here = [duty for duty in fitting if duty.begin_s <= begin_s]
    if not here and end_s is not None:
        here = sorted((duty for duty in fitting if duty.begin_s < end_s), key=lambda duty: duty.begin_s)
        return here[0].team if here else ""
    ranked = sorted(here, key=lambda duty: teams.index(_in_place_of(duty)) if teams else 0)
    return ranked[0].team if ranked else ""


def _may_walk(teams: Sequence[str], grid_cell: str, duty: Duty) -> bool:
    """`teams` empty: any; `grid_cell` empty: anywhere."""
    return (not teams or _in_place_of(duty) in teams) and (not grid_cell or grid_cell in duty.grid_cells)


def _in_place_of(duty: Duty) -> str:
    """Whose shift it is: who stands in for a team walks that team's rounds."""
    return duty.instead_of or duty.team


def _stop(point: Checkpoint, from_s: float, due_s: float, until_s: float) -> Stop:
    place = _point(point)
    return Stop(point.id, point.name, place, point.grid_cell, from_s, due_s, until_s, key_node=point.key_node)


def _point(checkpoint: Checkpoint) -> Point:
    return checkpoint.lon, checkpoint.lat


def _id(site: str, source: str, moment_s: float) -> str:
    return str(uuid.uuid5(_NAMESPACE, f"{site}\n{source}\n{moment_s:.3f}"))
