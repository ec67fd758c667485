"""Limits, warnings, breaches and who hears of them; pauses, working time, shelves."""

import dataclasses
from typing import Any

import pytest

from base import TransitionError
from camera_config.schedule import Schedule
from camera_config.site import CompoundKind, Name, PlaceHours, Section, Site
from camera_config.time_limits import Category, Limit, LimitedStep, TimeLimits
from patrol import (
    LIMITS_S,
    Clocks,
    Condition,
    Due,
    Flag,
    Happening,
    HistoryEntry,
    Incident,
    Level,
    Step,
    Work,
    advance,
    join,
)
from tests.patrol.small_site import LI, NOON_S, WANG, command, intrusion, small_site, team_actor
from tests.patrol.test_incident import opened
from tests.patrol.test_steps import at

SITE = small_site()
CLOCKS = Clocks(SITE)
ACKNOWLEDGE_S = LIMITS_S[2][Step.ACKNOWLEDGE]


def clocks(**changes: Any) -> Clocks:  # fields of TimeLimits or Site
    """Clocks of the small site with some time limits, or some other part of the site, changed."""
    of_site = {name: value for name, value in changes.items() if name in {field.name for field in dataclasses.fields(Site)}}
    limits = TimeLimits(**{name: value for name, value in changes.items() if name not in of_site})
    return Clocks(dataclasses.replace(SITE, time_limits=limits, **of_site))


def told(incident: Incident, by_s: float, using: Clocks = CLOCKS) -> tuple[Incident, tuple[HistoryEntry, ...]]:
    return using.tell(incident, by_s, by_s)


def test_a_clock_warns_breaches_and_climbs_level_by_level_at_its_times() -> None:
    incident = CLOCKS.timed(at(Work.NEW))
    seen = []
    for after_s in range(4 * int(ACKNOWLEDGE_S)):
        incident, entries = told(incident, NOON_S + after_s)
        seen += [(entry.step.value, entry.level, entry.place, entry.at_s - NOON_S, after_s, entry.clock) for entry in entries]
    limit_s = ACKNOWLEDGE_S  # 90 s
    assert seen == [
        ("warned", None, "", 0.8 * limit_s, 72, Step.ACKNOWLEDGE),
        ("breached", Level.CELL, "g1", limit_s, 90, Step.ACKNOWLEDGE),
        ("escalated", Level.SECTION, "p1", 1.5 * limit_s, 135, Step.ACKNOWLEDGE),
        ("escalated", Level.COMMUNITY, "m1", 2 * limit_s, 180, Step.ACKNOWLEDGE),
        ("escalated", Level.SUB_DISTRICT, "d", 3 * limit_s, 270, Step.ACKNOWLEDGE),
    ]
    assert (incident.told, incident.version, incident.look_s) == (5, 6, None)
    assert incident.due == Due(Step.ACKNOWLEDGE, NOON_S + limit_s)


def test_after_a_long_stop_everything_is_told_at_once_in_order_and_never_again() -> None:
    late, entries = CLOCKS.tell(CLOCKS.timed(at(Work.NEW)), NOON_S + 86400, NOON_S + 86400)
    assert [entry.step.value for entry in entries] == ["warned", "breached", "escalated", "escalated", "escalated"]
    assert [entry.version for entry in entries] == [2, 3, 4, 5, 6]
    assert [entry.at_s - NOON_S for entry in entries] == [72, 90, 135, 180, 270]
    assert {entry.recorded_s for entry in entries} == {NOON_S + 86400}
    for again_s in (NOON_S + 86400, NOON_S - 3600, NOON_S + 90, NOON_S + 1e7):  # the wall clock goes anywhere
        assert told(late, again_s) == (late, ())


def test_every_moved_stage_starts_its_own_clock() -> None:
    incident, _ = told(CLOCKS.timed(at(Work.NEW)), NOON_S + 95)
    assert incident.told == 2
    owned, _ = advance(incident, command(incident, Step.ACKNOWLEDGE, at_s=NOON_S + 100), NOON_S + 100)
    owned = CLOCKS.timed(owned)
    assert (owned.told, owned.due) == (0, Due(Step.DISPATCH, NOON_S + 100 + LIMITS_S[2][Step.DISPATCH]))
    taken, _ = advance(owned, command(owned, Step.TAKE_OVER, WANG, NOON_S + 150), NOON_S + 150)
    assert CLOCKS.timed(taken).due == owned.due


def test_the_clock_of_arriving_runs_on_through_departure_with_what_it_told() -> None:
    incident = CLOCKS.timed(at(Work.ACCEPTED))
    incident, [warned] = told(incident, NOON_S + 0.8 * LIMITS_S[2][Step.ARRIVE])
    departed, _ = advance(incident, command(incident, Step.DEPART, team_actor("t1"), NOON_S + 500), NOON_S + 500)
    assert (departed.told, warned.clock) == (1, Step.ARRIVE)
    _, entries = told(CLOCKS.timed(departed), NOON_S + LIMITS_S[2][Step.ARRIVE])
    assert [(entry.step, entry.team) for entry in entries] == [(Happening.BREACHED, "t1")]


@pytest.mark.parametrize(("severity", "step"), [(1, Step.VERIFY), (2, Step.VERIFY), (3, Step.CLOSE), (4, Step.CLOSE)])
def test_what_was_reported_is_verified_or_closed_by_severity(severity: int, step: Step) -> None:
    reported = dataclasses.replace(at(Work.REPORTED), severity=severity)
    assert CLOCKS.timed(reported).due == Due(step, NOON_S + LIMITS_S[severity][step])


def test_nothing_is_due_or_told_when_closed() -> None:
    closed = CLOCKS.timed(at(Work.CLOSED))
    assert (closed.due, closed.look_s) == (None, None)
    assert told(closed, NOON_S + 1e9) == (closed, ())


# Pauses


def paused(from_s: float, incident: Incident | None = None) -> Incident:
    """Owned since noon and paused `from_s` later."""
    incident = incident or at(Work.ACKNOWLEDGED)
    moment_s = NOON_S + from_s
    return CLOCKS.timed(advance(incident, command(incident, Step.PAUSE, at_s=moment_s, text="等待物业"), moment_s)[0])


def test_paused_time_is_not_counted() -> None:
    incident = paused(100.0)
    assert (incident.due, incident.look_s, incident.decided) == (None, None, 2)
    assert told(incident, NOON_S + 1e6)[1] == ()
    resumed, entry = advance(incident, command(incident, Step.RESUME, at_s=NOON_S + 1100), NOON_S + 1100)
    resumed = CLOCKS.timed(resumed)
    assert resumed.pauses == ((NOON_S + 100, NOON_S + 1100),)
    assert resumed.due == Due(Step.DISPATCH, NOON_S + 1000 + LIMITS_S[2][Step.DISPATCH])
    assert resumed.look_s == pytest.approx(NOON_S + 1000 + 0.8 * LIMITS_S[2][Step.DISPATCH])
    assert entry.step is Step.RESUME


def test_a_pause_after_the_breach_does_not_move_it() -> None:
    incident = paused(200.0)  # the limit is 180 s
    assert incident.due == Due(Step.DISPATCH, NOON_S + 180)
    assert [entry.step.value for entry in told(incident, NOON_S + 300)[1]] == ["warned", "breached"]
    _, entries = told(incident, NOON_S + 1e6)
    assert [entry.at_s - NOON_S for entry in entries] == [144, 180]


def test_only_the_owner_pauses_with_a_reason_and_only_a_running_clock() -> None:
    incident = paused(10.0)
    with pytest.raises(TransitionError, match="already stands still"):
        advance(incident, command(incident, Step.PAUSE), NOON_S + 20)
    running = at(Work.ACKNOWLEDGED)
    with pytest.raises(TransitionError, match="does not stand still"):
        advance(running, command(running, Step.RESUME), NOON_S)


def test_a_step_that_moves_the_work_ends_the_pause_and_other_people_are_not_stale() -> None:
    incident = paused(10.0)
    sent, _ = advance(incident, command(incident, Step.DISPATCH, version=2, at_s=NOON_S + 60), NOON_S + 60)
    assert (sent.paused_since_s, sent.pauses) == (None, ())
    assert CLOCKS.timed(sent).due == Due(Step.ACCEPT, NOON_S + 60 + LIMITS_S[2][Step.ACCEPT])


def test_departing_ends_a_pause_of_the_clock_that_runs_on() -> None:
    incident = paused(100.0, at(Work.ACCEPTED))
    departed, _ = advance(incident, command(incident, Step.DEPART, team_actor("t1"), NOON_S + 400), NOON_S + 400)
    assert CLOCKS.timed(departed).due == Due(Step.ARRIVE, NOON_S + 300 + LIMITS_S[2][Step.ARRIVE])
    # A phone that was offline says that it left before the pause: then there was none.
    early, _ = advance(incident, command(incident, Step.DEPART, team_actor("t1"), NOON_S + 50), NOON_S + 400)
    assert CLOCKS.timed(early).due == Due(Step.ARRIVE, NOON_S + LIMITS_S[2][Step.ARRIVE])


def test_a_clock_set_back_makes_no_pause_of_negative_length() -> None:
    incident = paused(100.0)
    resumed, entry = advance(incident, command(incident, Step.RESUME, at_s=NOON_S - 3600), NOON_S - 3600)
    assert resumed.pauses == ((NOON_S + 100, NOON_S + 100),)
    assert entry.flags == (Flag.TIME_RAISED,)


# Limits of the site


def test_limits_of_the_site_by_severity_and_category() -> None:
    ours = clocks(
        limits=(
            Limit((2, 3), (), {LimitedStep.ACKNOWLEDGE: 300.0}),
            Limit((2,), (Category.PUBLIC_ORDER,), {LimitedStep.ACKNOWLEDGE: 30.0}),
        )
    )
    due = {
        (severity, category): ours.timed(dataclasses.replace(at(Work.NEW), severity=severity, category=category)).due
        for severity in (1, 2, 3)
        for category in (Category.PUBLIC_ORDER, Category.FIRE)
    }
    assert {key: each.at_s - NOON_S for key, each in due.items() if each} == {
        (1, Category.PUBLIC_ORDER): 60,
        (1, Category.FIRE): 60,
        (2, Category.PUBLIC_ORDER): 30,
        (2, Category.FIRE): 300,
        (3, Category.PUBLIC_ORDER): 300,
        (3, Category.FIRE): 300,
    }


def test_warning_and_escalation_at_the_shares_of_the_site() -> None:
    ours = clocks(warn_at=0.5, escalate_after=(0.1, 0.2, 0.3))
    _, entries = told(ours.timed(at(Work.NEW)), NOON_S + 1000, ours)
    assert [entry.at_s - NOON_S for entry in entries] == pytest.approx([45, 90, 99, 108, 117])


OFFICE = Schedule.parse("mon-fri 09:00-17:00")
WORKING = Limit((3, 4), (), {LimitedStep.CLOSE: 8 * 3600.0}, frozenset({LimitedStep.CLOSE}))
HOUR_S = 3600.0


def reported(severity: int = 3) -> Incident:
    return dataclasses.replace(at(Work.REPORTED), severity=severity)  # on a Wednesday at noon


def test_long_limits_count_working_time_where_the_site_says_so() -> None:
    ours = clocks(limits=(WORKING,), working_hours=OFFICE)
    assert ours.timed(reported()).due == Due(Step.CLOSE, NOON_S + 24 * HOUR_S)  # five hours today, three tomorrow
    assert ours.timed(dataclasses.replace(at(Work.NEW), severity=3)).due == Due(Step.ACKNOWLEDGE, NOON_S + 600)
    over = dataclasses.replace(reported(), pauses=((NOON_S + HOUR_S, NOON_S + 20 * HOUR_S),))
    # One hour today until the pause, which ends at eight; seven hours from nine tomorrow.
    assert ours.timed(over).due == Due(Step.CLOSE, NOON_S + 28 * HOUR_S)


def test_places_have_staggered_hours_and_the_innermost_counts() -> None:
    late, early = Schedule.parse("mon-fri 14:00-22:00"), Schedule.parse("mon-fri 06:00-14:00")
    by_kind = clocks(
        limits=(WORKING,), working_hours=OFFICE, place_hours=(PlaceHours(late, compound_kind=CompoundKind.RESIDENTIAL),)
    )
    assert by_kind.timed(reported()).due == Due(Step.CLOSE, NOON_S + 10 * HOUR_S)
    both = (PlaceHours(late, compound_kind=CompoundKind.RESIDENTIAL), PlaceHours(early, "g1"), PlaceHours(late, "m1"))
    by_cell = clocks(limits=(WORKING,), working_hours=OFFICE, place_hours=both)
    assert by_cell.timed(reported()).due == Due(Step.CLOSE, NOON_S + 24 * HOUR_S)  # two hours today, six tomorrow from six


def test_a_section_stands_between_cell_and_community_and_missing_levels_are_taken_by_the_next() -> None:
    ours = clocks(sections=(Section("s1", Name("一片", "Section 1"), ("g1",), "leader"),))
    incident = at(Work.NEW)
    assert [ours.place_of(level, incident) for level in Level] == ["g1", "s1", "m1", "d"]
    nowhere = dataclasses.replace(incident, grid_cell="", compound="")
    assert [ours.place_of(level, nowhere) for level in Level] == ["m1", "m1", "m1", "d"]
    bare = dataclasses.replace(nowhere, community="")
    assert [Clocks(dataclasses.replace(SITE, places=())).place_of(level, bare) for level in Level] == [""] * 4


# Shelves


def test_a_shelf_ends_by_itself_and_the_alarm_sounds_again() -> None:
    incident = at(Work.NEW)
    until_s = NOON_S + HOUR_S
    shelved, entry = advance(incident, command(incident, Step.SHELVE, WANG, text="施工", until_s=until_s), NOON_S)
    assert (shelved.condition, shelved.shelved_until_s, shelved.work, shelved.decided) == (
        Condition.SHELVED,
        until_s,
        Work.NEW,
        1,
    )
    assert (entry.until_s, entry.text) == (until_s, "施工")
    after, entries = told(CLOCKS.timed(shelved), until_s)
    assert (after.condition, after.shelved_until_s) == (Condition.UNACKNOWLEDGED, None)
    assert (entries[-1].step, entries[-1].at_s) == (Happening.UNSHELVED, until_s)
    assert [each.step for each in entries[:-1]] == [Happening.WARNED, Happening.BREACHED, *[Happening.ESCALATED] * 3]
    assert told(after, until_s - 10) == (after, ())


def test_an_alarm_in_hand_comes_off_the_shelf_acknowledged() -> None:
    incident = at(Work.DISPATCHED)
    shelved, _ = advance(incident, command(incident, Step.SHELVE), NOON_S)
    off, _ = advance(shelved, command(shelved, Step.UNSHELVE), NOON_S)
    assert (off.condition, off.shelved_until_s) == (Condition.ACKNOWLEDGED, None)
    with pytest.raises(TransitionError, match="unshelve is not legal while the condition is acknowledged"):
        advance(off, command(off, Step.UNSHELVE), NOON_S)


def test_the_highest_level_is_never_shelved_and_closing_ends_a_shelf() -> None:
    urgent = opened(severity=1)
    with pytest.raises(TransitionError, match="severity 1; such an alarm is never shelved"):
        advance(urgent, command(urgent, Step.SHELVE), NOON_S + 1)
    incident = at(Work.NEW)
    shelved, _ = advance(incident, command(incident, Step.SHELVE), NOON_S)
    with pytest.raises(TransitionError, match="shelve is not legal while the condition is shelved"):
        advance(shelved, command(shelved, Step.SHELVE), NOON_S)
    closed, _ = advance(shelved, command(shelved, Step.CLOSE), NOON_S)
    assert (closed.condition, closed.shelved_until_s) == (Condition.NORMAL, None)


# Reopening


def test_reopening_needs_a_reason_starts_the_clock_and_keeps_the_verdict_in_the_history() -> None:
    closed = at(Work.CLOSED)
    reopened, entry = advance(closed, command(closed, Step.REOPEN, WANG, NOON_S + 999, text="又来了"), NOON_S + 999)
    assert (reopened.work, reopened.owner, reopened.team, reopened.verdict, reopened.cause) == (
        Work.ACKNOWLEDGED,
        WANG,
        "",
        None,
        "",
    )
    assert (reopened.condition, reopened.stages) == (
        Condition.ACKNOWLEDGED,
        {Work.NEW: NOON_S, Work.ACKNOWLEDGED: NOON_S + 999},
    )
    assert CLOCKS.timed(reopened).due == Due(Step.DISPATCH, NOON_S + 999 + LIMITS_S[2][Step.DISPATCH])
    assert (entry.text, entry.verdict) == ("又来了", None)
    with pytest.raises(TransitionError, match="reopen is not legal while the work is acknowledged"):
        advance(reopened, command(reopened, Step.REOPEN, LI), NOON_S + 1000)


def test_sending_again_what_was_reported_takes_back_the_stages_of_the_first_time() -> None:
    incident = at(Work.REPORTED)
    again, _ = advance(incident, command(incident, Step.DISPATCH, team="t2", at_s=NOON_S + 60), NOON_S + 60)
    assert (again.work, again.team) == (Work.DISPATCHED, "t2")
    assert list(again.stages) == [Work.NEW, Work.ACKNOWLEDGED, Work.DISPATCHED]


def raised(incident: Incident, severity: int, after_s: float) -> tuple[Incident, tuple[HistoryEntry, ...]]:
    """`incident` joined by an event of this severity, as the database does it."""
    joined, _ = join(intrusion(at_s=NOON_S + after_s, severity=severity), incident, NOON_S + after_s)
    warned, lines = CLOCKS.tell_raised(incident, joined, NOON_S + after_s)
    return CLOCKS.timed(warned), lines


def test_the_limit_of_a_raised_severity_counts_from_when_it_was_known() -> None:
    incident, lines = raised(CLOCKS.timed(opened(severity=4)), 1, 600.0)
    assert (incident.raises, incident.due, lines) == (((NOON_S + 600, 4),), Due(Step.ACKNOWLEDGE, NOON_S + 660), ())
    told_now, entries = told(incident, NOON_S + 660)
    assert [(entry.step, entry.at_s - NOON_S) for entry in entries] == [(Happening.WARNED, 648), (Happening.BREACHED, 660)]
    owned, _ = advance(told_now, command(told_now, Step.ACKNOWLEDGE, at_s=NOON_S + 670), NOON_S + 670)
    assert (owned.raises, CLOCKS.timed(owned).due) == ((), Due(Step.DISPATCH, NOON_S + 670 + LIMITS_S[1][Step.DISPATCH]))


def test_an_earlier_limit_stays_when_the_severity_is_raised() -> None:
    incident, _ = raised(CLOCKS.timed(opened(severity=2)), 1, 60.0)
    assert incident.due == Due(Step.ACKNOWLEDGE, NOON_S + 90.5)  # not 60 s more
    _, entries = told(incident, NOON_S + 180)
    assert [entry.at_s - NOON_S for entry in entries] == [72.5, 90.5, 135.5, 180]


def test_who_was_warned_is_warned_once_more_of_each_nearer_limit_with_the_reason() -> None:
    incident, [first] = told(CLOCKS.timed(opened(severity=4)), NOON_S + 2900)
    assert (first.step, first.text) == (Happening.WARNED, "")
    for severity, after_s in ((3, 2910.0), (1, 2920.0)):
        before = incident.severity
        incident, [again] = raised(incident, severity, after_s)
        assert (again.step, again.at_s, again.clock) == (Happening.WARNED, NOON_S + after_s, Step.ACKNOWLEDGE)
        assert again.text == f"severity raised from {before} to {severity}, so the limit is nearer"
        assert (incident.told, again.version) == (1, incident.version)
    incident, lines = raised(incident, 1, 2930.0)
    assert lines == ()
    incident, [breached] = told(incident, NOON_S + 2985)
    assert (breached.step, breached.at_s) == (Happening.BREACHED, NOON_S + 2980)


def test_nobody_is_warned_again_of_what_was_breached_or_comes_no_earlier() -> None:
    incident, _ = told(CLOCKS.timed(opened(severity=4)), NOON_S + 3601)
    breached, lines = raised(incident, 1, 3700.0)
    assert (breached.told, lines, breached.due) == (2, (), Due(Step.ACKNOWLEDGE, NOON_S + 3600.5))
    _, [escalated] = told(breached, NOON_S + 3700 + 90)
    assert (escalated.step, escalated.level, escalated.at_s) == (Happening.ESCALATED, Level.SECTION, NOON_S + 3790)
    nearly, _ = told(CLOCKS.timed(opened(severity=2)), NOON_S + 89)
    assert raised(nearly, 1, 89.0)[1] == ()


def test_a_raised_severity_waits_for_the_end_of_a_pause() -> None:
    incident = paused(10.0, CLOCKS.timed(replace_severity(at(Work.ACKNOWLEDGED), 4)))
    raised_now, lines = raised(incident, 1, 500.0)
    assert (raised_now.due, lines) == (None, ())
    resumed, _ = advance(raised_now, command(raised_now, Step.RESUME, at_s=NOON_S + 1000), NOON_S + 1000)
    assert CLOCKS.timed(resumed).due == Due(Step.DISPATCH, NOON_S + 1060)


def replace_severity(incident: Incident, severity: int) -> Incident:
    return dataclasses.replace(incident, severity=severity)
