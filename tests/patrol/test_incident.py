"""Owners, versions, clocks, joining, and what an incomplete command gets to hear."""

import dataclasses
from typing import Any

import pytest

from base import DeniedError, EventKind, TransitionError
from patrol import (
    LIMITS_S,
    ActorKind,
    Clocks,
    CommandError,
    Condition,
    Conflict,
    Due,
    Flag,
    Grid,
    Happening,
    Incident,
    Step,
    Verdict,
    Work,
    advance,
    join,
    joins,
    open_incident,
)
from tests.patrol.small_site import LI, NOON_S, WANG, command, intrusion, small_site, team_actor
from tests.patrol.test_steps import STEPS, at

GRID, CLOCKS = Grid(small_site()), Clocks(small_site())


def opened(**changes: Any) -> Incident:  # fields of Event
    return open_incident(intrusion(**changes), "i", 7, GRID.locate("c1"), NOON_S + 0.5)[0]


def test_an_event_opens_an_incident_with_its_place_and_first_history_entry() -> None:
    event = intrusion()
    incident, entry = open_incident(event, "i", 7, GRID.locate("c1"), NOON_S + 0.5)
    assert (incident.compound, incident.grid_cell, incident.community) == ("p1", "g1", "m1")
    assert (incident.lon, incident.lat) == (120.002, 30.002)
    assert (incident.work, incident.condition, incident.owner, incident.version) == (Work.NEW, Condition.UNACKNOWLEDGED, None, 1)
    assert (incident.best_event, incident.event_count, incident.number) == (event.id, 1, 7)
    assert CLOCKS.timed(incident).due == Due(Step.ACKNOWLEDGE, NOON_S + 0.5 + LIMITS_S[2][Step.ACKNOWLEDGE])
    assert (entry.step, entry.at_s, entry.recorded_s, entry.event) == (Happening.OPENED, NOON_S, NOON_S + 0.5, event.id)
    assert entry.by.kind is ActorKind.SYSTEM


def test_an_unknown_camera_still_gets_its_incident() -> None:
    incident, _ = open_incident(intrusion("gone"), "i", 1, GRID.locate("gone"), NOON_S)
    assert (incident.grid_cell, incident.lon, incident.lat) == ("", None, None)


# (seconds after the last event, other changes, whether it joins an incident with dead time 120 s)
JOINING = [
    (60.0, {}, True),
    (120.0, {}, True),  # exactly at the end of the dead time
    (120.1, {}, False),
    (-100.0, {}, True),  # delivered late
    (-130.0, {}, False),
    (60.0, {"camera": "c2"}, False),
    (60.0, {"kind": EventKind.LOITERING}, False),
]


@pytest.mark.parametrize(("after_s", "changes", "expected"), JOINING)
def test_events_join_within_the_dead_time_of_the_last_one(after_s: float, changes: dict[str, object], expected: bool) -> None:
    assert joins(intrusion(at_s=NOON_S + after_s, **changes), opened(), 120.0) is expected  # type: ignore[arg-type]


def test_the_dead_time_counts_from_the_end_of_an_event_where_that_is_known() -> None:
    incident = opened(ended_s=NOON_S + 300)
    assert joins(intrusion(at_s=NOON_S + 400), incident, 120.0)


def test_nothing_joins_a_closed_incident() -> None:
    assert not joins(intrusion(), at(Work.CLOSED), 120.0)


def test_joining_keeps_the_highest_severity_and_the_best_picture() -> None:
    incident = opened(severity=3, score=0.8, label="person")
    worse = intrusion(at_s=NOON_S + 10, severity=1, score=0.7, label="vehicle")
    joined, entry = join(worse, incident, NOON_S + 10)
    assert (joined.severity, joined.event_count, joined.last_event_s) == (1, 2, NOON_S + 10)
    assert (joined.best_event, joined.label, joined.score) == (incident.best_event, "person", 0.8)
    better = intrusion(at_s=NOON_S - 20, severity=4, score=0.9, label="vehicle", box=(0.5, 0.5, 0.6, 0.6))
    joined, entry = join(better, joined, NOON_S + 11)
    assert (joined.severity, joined.event_count, joined.last_event_s) == (1, 3, NOON_S + 10)
    assert (joined.best_event, joined.label, joined.box) == (better.id, "vehicle", (0.5, 0.5, 0.6, 0.6))
    assert joined.began_s == NOON_S - 21
    assert (entry.step, entry.version, entry.event) == (Happening.JOINED, 3, better.id)


def test_a_joined_event_makes_nobody_stale() -> None:
    incident = opened()
    seen = command(incident, Step.ACKNOWLEDGE)
    joined, _ = join(intrusion(at_s=NOON_S + 5), incident, NOON_S + 5)
    after, _ = advance(joined, seen, NOON_S + 6)
    assert (after.work, after.version) == (Work.ACKNOWLEDGED, 3)


def test_the_first_to_acknowledge_owns_it_and_the_other_hears_who() -> None:
    incident = opened()
    first, second = command(incident, Step.ACKNOWLEDGE, LI), command(incident, Step.ACKNOWLEDGE, WANG)
    owned, _ = advance(incident, first, NOON_S)
    with pytest.raises(
        Conflict, match=r"version 2 \(acknowledged, owner 李伟\), the acknowledge was meant for version 1"
    ) as caught:
        advance(owned, second, NOON_S)
    assert caught.value.current == owned
    assert owned.owner == LI


def test_taking_over_is_explicit_and_not_for_the_owner() -> None:
    incident = at(Work.DISPATCHED)
    taken, entry = advance(incident, command(incident, Step.TAKE_OVER, WANG), NOON_S)
    assert (taken.owner, taken.work, taken.since_s, taken.told) == (WANG, Work.DISPATCHED, incident.since_s, incident.told)
    assert entry.by == WANG
    with pytest.raises(TransitionError, match="already belongs to 王芳"):
        advance(taken, command(taken, Step.TAKE_OVER, WANG), NOON_S)
    with pytest.raises(DeniedError, match="belongs to 王芳"):
        advance(taken, command(taken, Step.CLOSE, LI), NOON_S)


@pytest.mark.parametrize("version", [0, -1, 1, 99])
def test_a_stale_or_invented_version_is_a_conflict(version: int) -> None:
    with pytest.raises(Conflict) as caught:
        advance(at(Work.ACKNOWLEDGED), command(at(Work.ACKNOWLEDGED), Step.DISPATCH, version=version), NOON_S)
    assert caught.value.current.version == 2


def test_a_note_changes_nothing_else_and_is_never_stale() -> None:
    incident = at(Work.DISPATCHED)
    noted, entry = advance(incident, command(incident, Step.NOTE, WANG, version=1), NOON_S)
    assert noted == dataclasses.replace(incident, version=incident.version + 1)
    assert entry.text
    after, _ = advance(noted, command(incident, Step.ACCEPT, team_actor("t1")), NOON_S)
    assert after.work is Work.ACCEPTED


# (step, what is wrong with the command, what the sentence says)
INCOMPLETE = [
    (Step.DISPATCH, {"team": ""}, "needs the team"),
    (Step.REPORT, {"text": ""}, "report needs a text"),
    (Step.REPORT, {"text": "  \n"}, "report needs a text"),
    (Step.NOTE, {"text": ""}, "note needs a text"),
    (Step.CLOSE, {"verdict": None}, "close needs a verdict: one of true, suspicious, false_alarm, duplicate"),
    (Step.CLOSE, {"cause": " "}, "close as false_alarm needs a cause"),
    (Step.CLOSE, {"verdict": Verdict.TRUE, "cause": ""}, "close as true needs a cause"),
    (Step.REOPEN, {"text": ""}, "reopen needs a text"),
    (Step.PAUSE, {"text": ""}, "pause needs a text"),
    (Step.SHELVE, {"text": ""}, "shelve needs a text"),
    (Step.SHELVE, {"until_s": None}, "when it ends, at most 8 hours"),
    (Step.SHELVE, {"until_s": NOON_S}, "when it ends, at most 8 hours"),
    (Step.SHELVE, {"until_s": NOON_S + 8 * 3600 + 1}, "when it ends, at most 8 hours"),
    (Step.SHELVE, {"until_s": float("nan")}, "when it ends, at most 8 hours"),
    (Step.NOTE, {"text": "x" * 10_000_000}, "at most 4000 characters, got 10000000"),
    (Step.CLOSE, {"cause": "x" * 201}, "at most 200 characters, got 201"),
    (Step.NOTE, {"text": "a\x00b"}, "expected readable text"),
    (Step.NOTE, {"text": "a\ud800b"}, "expected readable text"),
    (Step.NOTE, {"id": ""}, "id of 1 to 64 characters"),
    (Step.NOTE, {"id": "x" * 65}, "id of 1 to 64 characters"),
    (Step.NOTE, {"at_s": NOON_S + 2.1}, "2 s in the future; check the clock"),
    (Step.NOTE, {"at_s": float("inf")}, "in the future"),
    (Step.NOTE, {"at_s": float("nan")}, "in the future"),
]


@pytest.mark.parametrize(("step", "changes", "sentence"), INCOMPLETE)
def test_incomplete_commands_are_refused_with_a_sentence(step: Step, changes: dict[str, object], sentence: str) -> None:
    work = {Step.DISPATCH: Work.ACKNOWLEDGED, Step.REPORT: Work.ON_SCENE, Step.REOPEN: Work.CLOSED}.get(step, Work.REPORTED)
    incident = at(work)
    sent = dataclasses.replace(command(incident, step), **changes)  # type: ignore[arg-type]  # the table has the right types
    with pytest.raises(CommandError, match=sentence):
        advance(incident, sent, NOON_S)


def test_every_stage_is_stamped_and_due_follows_the_limits() -> None:
    incident = at(Work.NEW)
    now_s = NOON_S
    reached = {Work.NEW: NOON_S}
    for step in STEPS:
        now_s += 10
        verdict = {"verdict": Verdict.TRUE, "cause": "trespass"} if step is Step.CLOSE else {}
        incident, _ = advance(incident, command(incident, step, at_s=now_s, **verdict), now_s)  # type: ignore[arg-type]
        reached[incident.work] = now_s
        due = CLOCKS.timed(incident).due
        if incident.work is Work.EN_ROUTE:
            # The clock of arriving runs on from acceptance.
            assert due == Due(Step.ARRIVE, reached[Work.ACCEPTED] + LIMITS_S[2][Step.ARRIVE])
        elif incident.work is Work.CLOSED:
            assert due is None
        else:
            assert due is not None
            assert due.at_s == now_s + LIMITS_S[2][due.step]
    assert incident.stages == reached
    assert (incident.verdict, incident.team, incident.owner) == (Verdict.TRUE, "t1", LI)


def test_a_refusal_starts_the_clock_of_dispatch_again_and_remembers_who_refused() -> None:
    incident = at(Work.DISPATCHED)
    refused, entry = advance(incident, command(incident, Step.REFUSE, team_actor("t1"), NOON_S + 50, text="车坏了"), NOON_S + 50)
    assert (refused.work, refused.team, refused.refused) == (Work.ACKNOWLEDGED, "", ("t1",))
    assert refused.stages == {Work.NEW: NOON_S, Work.ACKNOWLEDGED: NOON_S}
    assert CLOCKS.timed(refused).due == Due(Step.DISPATCH, NOON_S + 50 + LIMITS_S[2][Step.DISPATCH])
    assert (entry.team, entry.text, entry.flags) == ("t1", "车坏了", ())


def test_another_team_can_be_sent_while_the_first_does_not_answer() -> None:
    incident = at(Work.DISPATCHED)
    with pytest.raises(TransitionError, match="already dispatched to incident 7"):
        advance(incident, command(incident, Step.DISPATCH), NOON_S)
    again, _ = advance(incident, command(incident, Step.DISPATCH, team="t2", at_s=NOON_S + 90), NOON_S + 90)
    assert (again.team, again.work, again.since_s, again.refused) == ("t2", Work.DISPATCHED, NOON_S + 90, ())
    with pytest.raises(DeniedError, match="not assigned to team Team t1"):
        advance(again, command(again, Step.ACCEPT, team_actor("t1")), NOON_S + 91)


def test_steps_by_radio_are_marked_on_behalf() -> None:
    incident = at(Work.DISPATCHED)
    accepted, entry = advance(incident, command(incident, Step.ACCEPT, WANG), NOON_S)
    assert (entry.by, entry.team, entry.flags) == (WANG, "t1", (Flag.ON_BEHALF,))
    _, own = advance(accepted, command(accepted, Step.DEPART, team_actor("t1")), NOON_S)
    assert own.flags == ()


def test_offline_commands_keep_their_own_time() -> None:
    incident = at(Work.DISPATCHED)
    now_s = NOON_S + 720
    for step, at_s in ((Step.ACCEPT, NOON_S + 20), (Step.DEPART, NOON_S + 40), (Step.ARRIVE, NOON_S + 200)):
        incident, entry = advance(incident, command(incident, step, team_actor("t1"), at_s), now_s)
        assert (entry.at_s, entry.recorded_s, entry.flags) == (at_s, now_s, (Flag.LATE,))
    assert [incident.stages[work] - NOON_S for work in (Work.ACCEPTED, Work.EN_ROUTE, Work.ON_SCENE)] == [20, 40, 200]


def test_a_time_before_the_previous_stage_is_raised_and_flagged() -> None:
    incident = at(Work.DISPATCHED)
    after, entry = advance(incident, command(incident, Step.ACCEPT, team_actor("t1"), NOON_S - 500), NOON_S + 1)
    assert after.stages[Work.ACCEPTED] == entry.at_s == NOON_S
    assert set(entry.flags) == {Flag.LATE, Flag.TIME_RAISED}


def test_a_clock_slightly_ahead_counts_as_now() -> None:
    incident = at(Work.DISPATCHED)
    after, entry = advance(incident, command(incident, Step.ACCEPT, team_actor("t1"), NOON_S + 1.9), NOON_S)
    assert (after.since_s, entry.at_s, entry.flags) == (NOON_S, NOON_S, ())


def test_closing_a_new_incident_makes_the_closer_its_owner() -> None:
    incident = at(Work.NEW)
    closed, entry = advance(incident, command(incident, Step.CLOSE, WANG, cause=" rain "), NOON_S)
    assert (closed.owner, closed.condition, closed.verdict) == (WANG, Condition.NORMAL, Verdict.FALSE_ALARM)
    assert closed.cause == entry.cause == "rain"
