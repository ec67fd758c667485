"""Figures from small histories written by hand: what a run is, what counts where, and what a score is made of."""

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_config.score import ScoreWeights
from camera_config.time_limits import LimitedStep
from patrol import Happening, HistoryEntry, Step, Verdict, Work, work_after
from patrol.assessment import Assessment, Case, GroupBy, assess, month_of
from patrol.clock_runs import Run, runs_of
from tests.patrol.small_site import LI, NOON_S

SHANGHAI = ZoneInfo("Asia/Shanghai")


def history(*lines: tuple[float, Step | Happening], **last: object) -> tuple[HistoryEntry, ...]:
    """Lines at seconds after noon, the first being the opening; `last` are more fields of the last one."""
    work, entries = Work.NEW, [HistoryEntry("i1", 1, Happening.OPENED, Work.NEW, NOON_S - 5, NOON_S, LI)]
    for version, (after_s, step) in enumerate(lines, 2):
        if isinstance(step, Step):
            work = work_after(work, step)
        due = Step.ACCEPT if work is Work.DISPATCHED else Step.ACKNOWLEDGE
        clock = due if step is Happening.BREACHED else None
        entries.append(HistoryEntry("i1", version, step, work, NOON_S + after_s, NOON_S + after_s, LI, team="t1", clock=clock))
    if last:
        entries[-1] = replace(entries[-1], **last)  # type: ignore[arg-type]  # fields of an entry
    return tuple(entries)


def runs(*lines: tuple[float, Step | Happening]) -> list[tuple[str, float | None, bool]]:
    return [(run.step.value, run.took_s, run.in_time) for run in runs_of(history(*lines))]


TO_SCENE = ((10, Step.ACKNOWLEDGE), (30, Step.DISPATCH), (60, Step.ACCEPT), (70, Step.DEPART), (300, Step.ARRIVE))


def test_each_stage_is_one_run_and_departing_is_none() -> None:
    found = runs(*TO_SCENE, (900, Step.REPORT), (1000, Step.VERIFY), (1100, Step.CLOSE))
    assert [took_s for _, took_s, _ in found] == [10, 20, 30, 240, 600, 100, 100]
    assert [step for step, _, _ in found] == list(LimitedStep)
    assert all(in_time for _, _, in_time in found)


def test_pauses_are_left_out_whoever_ends_them() -> None:
    assert runs(*TO_SCENE[:1], (20, Step.PAUSE), (50, Step.RESUME), (100, Step.DISPATCH))[-1] == ("dispatch", 60, True)
    assert runs(*TO_SCENE[:1], (20, Step.PAUSE), (100, Step.DISPATCH))[-1] == ("dispatch", 10, True)
    assert runs(*TO_SCENE[:3], (65, Step.PAUSE), (75, Step.DEPART), (100, Step.ARRIVE))[-1] == ("arrive", 30, True)


def test_what_something_else_ended_counts_only_if_it_was_late() -> None:
    assert runs(*TO_SCENE[:2], (40, Step.REFUSE), (50, Step.DISPATCH), (60, Step.ACCEPT))[2:] == [
        ("dispatch", 10, True),
        ("accept", 10, True),
    ]
    assert runs(*TO_SCENE[:2], (90, Happening.BREACHED), (95, Step.REFUSE))[2:] == [("accept", None, False)]
    assert runs((5, Step.CLOSE)) == []
    assert runs((60, Happening.BREACHED), (70, Step.CLOSE)) == [("acknowledge", None, False)]
    assert runs((60, Happening.BREACHED)) == [("acknowledge", None, False)]
    assert runs((60, Happening.WARNED), (61, Step.ACKNOWLEDGE)) == [("acknowledge", 61, True)]


def test_an_acceptance_told_late_but_made_in_time_is_in_time() -> None:
    assert runs(*TO_SCENE[:2], (90, Happening.BREACHED), (80, Step.ACCEPT))[-1] == ("accept", 50, True)
    assert runs(*TO_SCENE[:2], (90, Happening.BREACHED), (91, Step.ACCEPT))[-1] == ("accept", 61, False)


def test_reopening_begins_the_clock_of_dispatching() -> None:
    assert runs((5, Step.CLOSE), (1000, Step.REOPEN), (1030, Step.DISPATCH)) == [("dispatch", 30, True)]


def case(entries: tuple[HistoryEntry, ...], cell: str = "g1") -> Case:
    return Case("i1", cell, "p1", "m1", "public_order", "c1", "night", entries)


def figures(*cases: Case, by: GroupBy = GroupBy.GRID_CELL, weights: ScoreWeights = ScoreWeights()) -> Assessment:  # noqa: B008  frozen
    return assess(cases, (), {}, SHANGHAI, by, weights)


CLOSED = ((10.0, Step.ACKNOWLEDGE), (100.0, Step.CLOSE))


def test_duplicates_count_as_such_and_nowhere_else() -> None:
    found = figures(
        case(history(*CLOSED, verdict=Verdict.FALSE_ALARM)),
        case(history(*CLOSED, verdict=Verdict.DUPLICATE), "g2"),
        case(history(*CLOSED[:1])),
    )
    assert (found.all.opened, found.all.closed, found.all.closing_rate, found.all.false_alarm_rate) == (2, 1, 0.5, 1.0)
    assert found.all.verdicts[Verdict.DUPLICATE] == found.groups["g2"].verdicts[Verdict.DUPLICATE] == 1
    assert (found.groups["g2"].opened, found.groups["g2"].closing_rate, found.groups["g2"].score) == (0, None, None)
    assert found.all.timings[LimitedStep.ACKNOWLEDGE].count == 2
    assert (found.all.total.count, found.all.total.median_s) == (1, 100)


def test_what_was_reopened_is_open() -> None:
    found = figures(case(history((5, Step.CLOSE), (50, Step.REOPEN))))
    assert (found.all.opened, found.all.closed, found.all.total.count) == (1, 0, 0)


def test_a_team_counts_for_what_it_was_sent_to_and_for_its_own_steps() -> None:
    entries = history(*TO_SCENE[:2], (40, Step.REFUSE), (50, Step.DISPATCH), (80, Step.ACCEPT))
    entries = (*entries[:4], *(replace(entry, team="t2") for entry in entries[4:]))
    found = figures(case(entries), by=GroupBy.TEAM)
    assert {team: (each.opened, each.refused) for team, each in found.groups.items()} == {"t1": (1, 1), "t2": (1, 0)}
    assert found.groups["t1"].timings[LimitedStep.ACCEPT].count == 0
    assert found.groups["t2"].timings[LimitedStep.ACCEPT].median_s == 30
    assert found.groups["t2"].timings[LimitedStep.DISPATCH].count == 0
    assert found.all.timings[LimitedStep.DISPATCH].count == 2


def test_groups_by_month_category_camera_and_rule() -> None:
    late = tuple(replace(entry, recorded_s=NOON_S + 16 * 86_400) for entry in history(*CLOSED))
    both = (case(history(*CLOSED)), replace(case(late), rule=""))
    assert list(figures(*both, by=GroupBy.MONTH).groups) == ["2023-11", "2023-12"]
    assert list(figures(*both, by=GroupBy.CATEGORY).groups) == ["public_order"]
    assert list(figures(*both, by=GroupBy.CAMERA).groups) == ["c1"]
    assert {name: each.opened for name, each in figures(*both, by=GroupBy.RULE).groups.items()} == {"c1/night": 1}
    assert month_of(NOON_S + 15.5 * 86_400, SHANGHAI) == "2023-12"  # midnight there, not in Greenwich


def test_a_score_leaves_out_what_has_no_data() -> None:
    entries = history((60, Happening.BREACHED), (70, Step.ACKNOWLEDGE), (100, Step.CLOSE), verdict=Verdict.FALSE_ALARM)
    half = figures(case(entries), case(history(*CLOSED, verdict=Verdict.FALSE_ALARM)), weights=ScoreWeights(50, 30, 20, 0))
    assert half.all.score == 100 * (50 * 0.5 + 30 * 1.0) / 80
    assert figures(case(entries), weights=ScoreWeights(0, 0, 20, 0)).all.score is None


@given(st.lists(st.floats(0, 1e6, allow_nan=False), min_size=1, max_size=200), st.sampled_from([50, 90]))
def test_percentiles_are_the_smallest_value_that_so_many_do_not_exceed(took_s: list[float], percent: int) -> None:
    cases = [case(history((each, Step.ACKNOWLEDGE))) for each in took_s]
    timing = figures(*cases).all.timings[LimitedStep.ACKNOWLEDGE]
    found = timing.median_s if percent == 50 else timing.p90_s
    exact = sorted((NOON_S + each) - NOON_S for each in took_s)
    enough = [value for value in exact if 100 * sum(each <= value for each in exact) >= percent * len(exact)]
    assert found == pytest.approx(min(enough))


def test_an_empty_history_has_no_runs() -> None:
    assert list(runs_of(())) == []
    assert Run(Step.ACCEPT, None, False).team == ""
