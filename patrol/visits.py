"""What became of a round: its state, each stop's, and what was odd about the visits. Pure; the same entries give the same result.

A visit counts by the time at which it was done, not by the time at which we learned of it, so that check-ins of a phone that was
offline fall into their place.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from camera_config.round_rules import Order
from camera_config.site import TravelMode
from patrol.incident import Incident
from patrol.rounds import Act, Proof, Round, RoundEntry, RoundState, Stop, entries_about
from patrol.travel import Travel

__all__ = ["FASTEST_M_S", "Figures", "Finding", "RoundNow", "RoundResult", "StopResult", "StopState", "evaluate", "figures_of"]

FASTEST_M_S = {TravelMode.WALK: 4.0, TravelMode.DRIVE: 22.0}
"""Faster than this nobody gets from one checkpoint to the next: a run with equipment, 80 km/h in a town."""


class StopState(StrEnum):
    OPEN = "open"
    VISITED = "visited"
    SKIPPED = "skipped"  # with a reason
    MISSED = "missed"


class Finding(StrEnum):
    """What is odd about a visit that counts."""

    EARLY = "early"
    LATE = "late"
    OUT_OF_ORDER = "out_of_order"  # the deviation from a fixed order
    TOO_FAST = "too_fast"


@dataclass(frozen=True, slots=True)
class StopResult:
    """What became of a stop. `at_s` and `proof` are set iff visited, `reason` iff skipped; `told` once its miss was told.

    `until_s` is when it is, or was, missed if nobody comes: earlier than planned if the round is finished before.
    """

    stop: Stop
    state: StopState
    until_s: float
    at_s: float | None = None
    proof: Proof | None = None
    findings: tuple[Finding, ...] = ()
    reason: str = ""
    told: bool = False


@dataclass(frozen=True, slots=True)
class Figures:
    """Stops of a round, or of many; `on_time` are visits that were neither early nor late, `odd` those with any finding."""

    stops: int = 0
    visited: int = 0
    on_time: int = 0
    late: int = 0
    skipped: int = 0
    missed: int = 0
    odd: int = 0

    @property
    def completion(self) -> float | None:
        """Share of the stops that were visited; skipped ones count as not. None without stops."""
        return self.visited / self.stops if self.stops else None


@dataclass(frozen=True, slots=True)
class RoundResult:
    """What became of a round. `look_s` is when something falls due next, None if nothing will."""

    state: RoundState
    stops: tuple[StopResult, ...]
    started_s: float | None
    ended_s: float | None
    look_s: float | None

    @property
    def figures(self) -> Figures:
        return figures_of(self.stops)

    @property
    def is_open(self) -> bool:
        return self.state in (RoundState.DUE, RoundState.UNDER_WAY)


@dataclass(frozen=True, slots=True)
class RoundNow:
    """A round, its history, oldest first, and what became of it."""

    planned: Round
    entries: tuple[RoundEntry, ...]
    result: RoundResult
    incidents: tuple[Incident, ...] = ()  # those that the visit just recorded has changed; none when it is only read


def evaluate(planned: Round, entries: Sequence[RoundEntry], now_s: float, geofence_m: float, travel: Travel) -> RoundResult:
    """What became of `planned` by `now_s`. What was told as missed stays so when the clock steps back, until it is made up."""
    told = {entry.checkpoint: entry.at_s for entry in entries_about(entries, Act.MISSED)}
    reached_s = max([now_s, *told.values()])
    visits = _visits(planned, entries)
    findings = _findings(planned, visits, geofence_m, travel)
    skips = {entry.checkpoint: entry.reason for entry in reversed(entries_about(entries, Act.SKIP))}
    withdrawn = entries_about(entries, Act.WITHDRAWN)[:1]
    for entry in withdrawn:
        skips = {stop.checkpoint: entry.reason for stop in planned.stops} | skips
    over_s = min([planned.closes_s, *(entry.at_s for entry in (*entries_about(entries, Act.FINISH), *withdrawn))])
    stops = []
    for stop in planned.stops:
        name, until_s = stop.checkpoint, min(stop.until_s, over_s)
        if name in visits:
            visit = visits[name]
            result = StopResult(stop, StopState.VISITED, until_s, visit.at_s, visit.proof, findings[name])
        elif name in skips:
            result = StopResult(stop, StopState.SKIPPED, until_s, reason=skips[name])
        else:
            result = StopResult(stop, StopState.MISSED if until_s <= reached_s else StopState.OPEN, until_s)
        stops.append(replace(result, told=name in told))
    started = [entry.at_s for entry in entries if entry.act is Act.START or entry.is_visit]
    state = RoundState.WITHDRAWN if withdrawn else _state(stops, over_s <= reached_s, bool(started))
    ended_s: float | None = over_s
    if state is RoundState.COMPLETED:
        ended_s = max((result.at_s for result in stops if result.at_s is not None), default=over_s)
    elif state in (RoundState.DUE, RoundState.UNDER_WAY):
        ended_s = None
    ahead = [each.until_s for each in stops if each.state is StopState.OPEN or (each.state is StopState.MISSED and not each.told)]
    return RoundResult(state, tuple(stops), min(started, default=None), ended_s, min(ahead, default=None))


def figures_of(results: Sequence[StopResult]) -> Figures:
    """The figures of these stops."""
    visited = [result for result in results if result.state is StopState.VISITED]
    untimely = {Finding.EARLY, Finding.LATE}
    return Figures(
        stops=len(results),
        visited=len(visited),
        on_time=sum(not untimely.intersection(result.findings) for result in visited),
        late=sum(Finding.LATE in result.findings for result in visited),
        skipped=sum(result.state is StopState.SKIPPED for result in results),
        missed=sum(result.state is StopState.MISSED for result in results),
        odd=sum(bool(result.findings) for result in visited),
    )


def _visits(planned: Round, entries: Sequence[RoundEntry]) -> dict[str, RoundEntry]:
    """The first visit of each stop that counts, in the order of time."""
    visits: dict[str, RoundEntry] = {}
    for entry in sorted((each for each in entries if each.is_visit), key=lambda each: (each.at_s, each.id)):
        if planned.stop(entry.checkpoint) is not None:
            visits.setdefault(entry.checkpoint, entry)
    return visits


def _findings(
    planned: Round, visits: Mapping[str, RoundEntry], geofence_m: float, travel: Travel
) -> dict[str, tuple[Finding, ...]]:
    stops = {stop.checkpoint: stop for stop in planned.stops}
    deviating = _out_of_order(planned, list(visits)) if planned.order is Order.FIXED else frozenset()
    found: dict[str, tuple[Finding, ...]] = {}
    before: RoundEntry | None = None
    for checkpoint, visit in visits.items():
        stop = stops[checkpoint]
        facts = {
            Finding.EARLY: visit.at_s < stop.from_s,
            Finding.LATE: visit.at_s > stop.until_s,
            Finding.OUT_OF_ORDER: checkpoint in deviating,
            Finding.TOO_FAST: before is not None
            and _is_too_fast((stops[before.checkpoint], before), (stop, visit), planned.travels, geofence_m, travel),
        }
        found[checkpoint] = tuple(finding for finding, is_so in facts.items() if is_so)
        before = visit
    return found


def _out_of_order(planned: Round, visited: list[str]) -> frozenset[str]:
    """The fewest visits without which the others are in order: all but a longest rising sequence (Fredman 1975)."""
    place = {stop.checkpoint: number for number, stop in enumerate(planned.stops)}
    numbers = [place[checkpoint] for checkpoint in visited]
    ends: list[int] = []  # the lowest last number of a rising sequence of each length
    at: list[int] = []  # where the element stands that holds such an end
    before: list[int] = []
    for index, number in enumerate(numbers):
        length = bisect_left(ends, number)
        before.append(at[length - 1] if length else -1)
        ends[length : length + 1] = [number]
        at[length : length + 1] = [index]
    kept, index = set(), at[-1] if at else -1
    while index >= 0:
        kept.add(visited[index])
        index = before[index]
    return frozenset(visited) - kept


def _is_too_fast(
    left: tuple[Stop, RoundEntry], came: tuple[Stop, RoundEntry], travels: TravelMode, geofence_m: float, travel: Travel
) -> bool:
    """Whether no way from one visit to the other is short enough for the time between; who drives may have walked.

    A code is read at its checkpoint; any other proof leaves the team somewhere within the geofence.
    """
    (a, leaving), (b, coming) = left, came
    slack_m = sum(geofence_m for visit in (leaving, coming) if visit.proof is not Proof.CODE)
    took_s = coming.at_s - leaving.at_s
    ways_m = {mode: travel.length_m(a.place, b.place, mode) - slack_m for mode in {travels, TravelMode.WALK}}
    return all(way_m > 0 and way_m > FASTEST_M_S[mode] * took_s for mode, way_m in ways_m.items())


def _state(stops: Sequence[StopResult], is_over: bool, started: bool) -> RoundState:
    """Completed needs one visit at least: skipping everything is not a round."""
    states = {result.state for result in stops}
    touched = bool(states & {StopState.VISITED, StopState.SKIPPED})
    if not states & {StopState.OPEN, StopState.MISSED}:
        return RoundState.COMPLETED if StopState.VISITED in states else RoundState.INCOMPLETE
    if is_over or StopState.OPEN not in states:
        return RoundState.INCOMPLETE if touched else RoundState.MISSED
    return RoundState.UNDER_WAY if started or touched else RoundState.DUE
