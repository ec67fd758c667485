"""The figures of an assessment (考核): how fast, how many closed, how complete, how many false alarms. Pure.

Everything is worked out from histories, so the same histories give the same figures to the second, whoever works them out.
docs/ref/assessment.md says what counts where; read `clock_runs.py` for how long a clock ran.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from camera_config.score import ScoreWeights
from camera_config.time_limits import LimitedStep
from patrol.clock_runs import Run, referral_runs, runs_of
from patrol.grid import Locality
from patrol.incident import HistoryEntry
from patrol.referral import ReferralEntry, ReferralState, ReferralStep
from patrol.steps import Step, Verdict, Work
from patrol.visits import Figures as VisitFigures
from patrol.visits import StopResult, figures_of

__all__ = ["Assessment", "Case", "DeskFigures", "Figures", "GroupBy", "Timing", "Walked", "assess", "assess_desks", "month_of"]

_OF_TEAM = frozenset({Step.ACCEPT, Step.ARRIVE, Step.REPORT})
"""Steps that a team does; the others are the control room's, and count for no team."""


class GroupBy(StrEnum):
    """What the figures are about, one line for each."""

    COMMUNITY = "community"
    COMPOUND = "compound"
    GRID_CELL = "grid_cell"
    TEAM = "team"
    MONTH = "month"  # of the site's calendar, in which it was opened
    CATEGORY = "category"
    CAMERA = "camera"
    RULE = "rule"  # camera/name of the rule that saw the best event


@dataclass(frozen=True, slots=True)
class Case:
    """One incident with its history, oldest first. `rule` is empty if no event belongs to it."""

    incident: str
    grid_cell: str
    compound: str
    community: str
    category: str
    camera: str
    rule: str
    entries: tuple[HistoryEntry, ...]


@dataclass(frozen=True, slots=True)
class Walked:
    """One round that is over and was not called off."""

    team: str
    due_s: float
    stops: tuple[StopResult, ...]


@dataclass(frozen=True, slots=True)
class Timing:
    """How long something took: nearest-rank percentiles, None where nothing was done.

    `count` is how often it was done, `runs` adds those times that it was not done although the limit had passed.
    """

    count: int
    median_s: float | None
    p90_s: float | None
    runs: int
    in_time: int

    @property
    def share(self) -> float | None:
        """Of the runs, those within the limit."""
        return self.in_time / self.runs if self.runs else None


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one group. Duplicates count nowhere else: their matter is that of another incident."""

    opened: int
    closed: int
    verdicts: Mapping[Verdict, int]
    refused: int  # times that a team refused
    timings: Mapping[LimitedStep, Timing]
    total: Timing  # from opening to closing, of those that are closed; it has no limit of its own
    patrol: VisitFigures
    score: float | None  # 0 to 100; None without anything that counts

    @property
    def closing_rate(self) -> float | None:
        return self.closed / self.opened if self.opened else None

    @property
    def false_alarm_rate(self) -> float | None:
        """Of the closed incidents, those that were a false alarm."""
        return self.verdicts[Verdict.FALSE_ALARM] / self.closed if self.closed else None


@dataclass(frozen=True, slots=True)
class Assessment:
    """Figures of everything together, and of each group by its name."""

    all: Figures
    groups: Mapping[str, Figures]


@dataclass(frozen=True, slots=True)
class DeskFigures:
    """What became of the referrals to one desk."""

    sent: int
    states: Mapping[ReferralState, int]
    receipt: Timing
    feedback: Timing


def assess(
    cases: Iterable[Case],
    walked: Iterable[Walked],
    places: Mapping[str, Locality],
    zone: ZoneInfo,
    by: GroupBy,
    weights: ScoreWeights,
) -> Assessment:
    """The figures of these incidents and rounds. `places` is where each grid cell lies. Reads each of them once."""
    together, groups = _Sum(), defaultdict[str, _Sum](_Sum)
    for case in cases:
        facts = _facts(case)
        together.add(facts)
        for name in _groups_of(case, facts, by, zone):
            groups[name].add(_of_team(facts, name) if by is GroupBy.TEAM else facts)
    for each in walked:
        for stop in each.stops:
            together.stops.append(stop)
            name = _group_of_stop(each, stop, places, by, zone)
            if name:
                groups[name].stops.append(stop)
    return Assessment(together.figures(weights), {name: groups[name].figures(weights) for name in sorted(groups)})


def assess_desks(histories: Iterable[tuple[str, Sequence[ReferralEntry]]]) -> dict[str, DeskFigures]:
    """The figures of each desk, from the histories of its referrals."""
    states: dict[str, list[ReferralState]] = defaultdict(list)
    runs: dict[str, list[Run]] = defaultdict(list)
    for desk, entries in histories:
        if entries:
            states[desk].append(entries[-1].state)
            runs[desk] += referral_runs(entries)
    return {
        desk: DeskFigures(
            sent=len(states[desk]),
            states={state: states[desk].count(state) for state in ReferralState},
            receipt=_timing([run for run in runs[desk] if run.step is ReferralStep.RECEIVE]),
            feedback=_timing([run for run in runs[desk] if run.step is ReferralStep.FEEDBACK]),
        )
        for desk in sorted(states)
    }


def month_of(at_s: float, zone: ZoneInfo) -> str:
    """The month of the site's calendar, such as 2026-03."""
    return datetime.fromtimestamp(at_s, UTC).astimezone(zone).strftime("%Y-%m")


@dataclass(frozen=True, slots=True)
class _Facts:
    """What one history says."""

    opened_s: float
    verdict: Verdict | None  # None while it is open
    total_s: float | None
    runs: list[Run]
    teams: frozenset[str]  # that were sent
    refusals: tuple[str, ...]  # teams, as often as they refused


@dataclass(slots=True)
class _Sum:
    """What a group has come to so far."""

    opened: int = 0
    verdicts: dict[Verdict, int] = field(default_factory=lambda: dict.fromkeys(Verdict, 0))
    refused: int = 0
    runs: dict[str, list[Run]] = field(default_factory=lambda: defaultdict(list))
    totals: list[Run] = field(default_factory=list)
    stops: list[StopResult] = field(default_factory=list)

    def add(self, facts: _Facts) -> None:
        if facts.verdict is not None:
            self.verdicts[facts.verdict] += 1
        if facts.verdict is Verdict.DUPLICATE:
            return
        self.opened += 1
        self.refused += len(facts.refusals)
        for run in facts.runs:
            self.runs[run.step.value].append(run)
        if facts.total_s is not None:
            self.totals.append(Run(Step.CLOSE, facts.total_s, True))

    def figures(self, weights: ScoreWeights) -> Figures:
        closed = sum(count for verdict, count in self.verdicts.items() if verdict is not Verdict.DUPLICATE)
        timings = {step: _timing(self.runs.get(step.value, ())) for step in LimitedStep}
        patrol = figures_of(self.stops)
        runs = sum(timing.runs for timing in timings.values())
        in_time = sum(timing.in_time for timing in timings.values())
        shares = (
            (weights.in_time, in_time / runs if runs else None),
            (weights.closing, closed / self.opened if self.opened else None),
            (weights.patrol, patrol.completion),
            (weights.true_alarms, 1 - self.verdicts[Verdict.FALSE_ALARM] / closed if closed else None),
        )
        known = [(weight, share) for weight, share in shares if share is not None and weight > 0]
        score = 100 * sum(weight * share for weight, share in known) / sum(weight for weight, _ in known) if known else None
        return Figures(self.opened, closed, dict(self.verdicts), self.refused, timings, _timing(self.totals), patrol, score)


def _facts(case: Case) -> _Facts:
    entries = case.entries
    opened_s = entries[0].recorded_s
    ending = next((entry for entry in reversed(entries) if entry.verdict is not None), None)
    is_closed = entries[-1].work is Work.CLOSED
    sent = frozenset(entry.team for entry in entries if entry.step is Step.DISPATCH)
    return _Facts(
        opened_s=opened_s,
        verdict=ending.verdict if ending is not None and is_closed else None,
        total_s=ending.at_s - opened_s if ending is not None and is_closed else None,
        runs=list(runs_of(entries)),
        teams=sent,
        refusals=tuple(entry.team for entry in entries if entry.step is Step.REFUSE),
    )


def _of_team(facts: _Facts, team: str) -> _Facts:
    """`facts` with nothing in it that is another team's, or the control room's."""
    return replace(
        facts,
        runs=[run for run in facts.runs if run.team == team and run.step in _OF_TEAM],
        refusals=tuple(each for each in facts.refusals if each == team),
    )


def _groups_of(case: Case, facts: _Facts, by: GroupBy, zone: ZoneInfo) -> Iterable[str]:
    """The groups that an incident counts for; a team counts for those it was sent to."""
    match by:
        case GroupBy.TEAM:
            return facts.teams
        case GroupBy.MONTH:
            return (month_of(facts.opened_s, zone),)
        case GroupBy.RULE:
            return (f"{case.camera}/{case.rule}",) if case.rule else ()
        case _:
            name: str = getattr(case, by.value)
            return (name,) if name else ()


def _group_of_stop(walked: Walked, stop: StopResult, places: Mapping[str, Locality], by: GroupBy, zone: ZoneInfo) -> str:
    place = places.get(stop.stop.grid_cell, Locality(grid_cell=stop.stop.grid_cell))
    match by:
        case GroupBy.TEAM:
            return walked.team
        case GroupBy.MONTH:
            return month_of(walked.due_s, zone)
        case GroupBy.GRID_CELL | GroupBy.COMPOUND | GroupBy.COMMUNITY:
            name: str = getattr(place, by.value)
            return name
        case _:
            return ""


def _timing(runs: Sequence[Run]) -> Timing:
    took_s = sorted(run.took_s for run in runs if run.took_s is not None)
    return Timing(len(took_s), _rank(took_s, 50), _rank(took_s, 90), len(runs), sum(run.in_time for run in runs))


def _rank(ordered: Sequence[float], percent: int) -> float | None:
    """The smallest value that at least `percent` of them do not exceed (nearest rank); always one that occurred."""
    return ordered[-(-len(ordered) * percent // 100) - 1] if ordered else None  # divided upwards, exactly
