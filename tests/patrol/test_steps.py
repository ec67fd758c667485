"""Every pair of the two state machines, and who may do what."""

import dataclasses
import itertools

import pytest

from base import DeniedError, TransitionError
from camera_config.time_limits import LimitedStep
from patrol import (
    ASSIGNED,
    CONDITION_AFTER,
    LEGAL,
    LIMIT_OF,
    LIMITS_S,
    OPEN,
    WHO_MAY,
    CommandError,
    Condition,
    Grid,
    Incident,
    Party,
    Signal,
    Step,
    Verdict,
    Work,
    advance,
    condition_after,
    legal_steps,
    open_incident,
    verdicts,
    work_after,
)
from tests.patrol.small_site import LI, NOON_S, WANG, command, intrusion, small_site, team_actor

# The table once more, written down independently: rows are states, what is not listed is illegal.
EXPECTED = {
    "new": {"acknowledge": "acknowledged"},
    "acknowledged": {"dispatch": "dispatched"},
    "dispatched": {"dispatch": "dispatched", "accept": "accepted", "refuse": "acknowledged"},
    "accepted": {"refuse": "acknowledged", "depart": "en_route"},
    "en_route": {"arrive": "on_scene"},
    "on_scene": {"report": "reported"},
    "reported": {"verify": "verified", "dispatch": "dispatched"},
    "verified": {},
    "closed": {"reopen": "acknowledged"},
}
for _work, _steps in EXPECTED.items():
    if _work != "closed":
        _steps |= {"close": "closed", "shelve": _work, "unshelve": _work, "split": _work}
    if _work not in ("new", "closed"):
        _steps |= {"take_over": _work, "pause": _work, "resume": _work}
    if _work in ("new", "acknowledged", "reported", "verified"):
        _steps["merge"] = "closed"

TWO = (Step.MERGE, Step.SPLIT)
"""Steps about two incidents; they have a path and tests of their own."""

# The shortest way to every state, as (step, by whom).
WAY = {
    Work.NEW: 0,
    Work.ACKNOWLEDGED: 1,
    Work.DISPATCHED: 2,
    Work.ACCEPTED: 3,
    Work.EN_ROUTE: 4,
    Work.ON_SCENE: 5,
    Work.REPORTED: 6,
    Work.VERIFIED: 7,
    Work.CLOSED: 8,
}
STEPS = (Step.ACKNOWLEDGE, Step.DISPATCH, Step.ACCEPT, Step.DEPART, Step.ARRIVE, Step.REPORT, Step.VERIFY, Step.CLOSE)


def at(work: Work) -> Incident:
    """An incident whose work stands at `work`, owned by Li, with team t1 where one was sent."""
    incident, _ = open_incident(intrusion(), "i", 7, Grid(small_site()).locate("c1"), NOON_S)
    for step in STEPS[: WAY[work]]:
        incident, _ = advance(incident, command(incident, step), NOON_S)
    assert incident.work is work
    return incident


def ready_for(step: Step, incident: Incident) -> Incident:
    """The same, shelved or paused where the step ends that."""
    before = {Step.UNSHELVE: Step.SHELVE, Step.RESUME: Step.PAUSE}.get(step)
    if before is None or (incident.work, before) not in LEGAL:
        return incident
    return advance(incident, command(incident, before), NOON_S)[0]


@pytest.mark.parametrize(("work", "step"), [pair for pair in itertools.product(Work, Step) if pair[1] not in TWO])
def test_every_pair_of_work_and_step_leads_where_the_table_says(work: Work, step: Step) -> None:
    incident = ready_for(step, at(work))
    expected = {**EXPECTED[work.value], "note": work.value}.get(step.value)
    by = WANG if step is Step.TAKE_OVER else LI
    sent = command(incident, step, by, team="t2" if step is Step.DISPATCH else "")
    if expected is not None:
        after, entry = advance(incident, sent, NOON_S)
        assert after.work == entry.work == expected
        assert work_after(work, step) == expected
        assert step in legal_steps(work)
        return
    with pytest.raises(TransitionError) as caught:
        advance(incident, sent, NOON_S)
    sentence = str(caught.value)
    assert f"step {step} " in sentence
    assert f"work is {work};" in sentence
    assert "legal here: " + ", ".join(legal_steps(work)) in sentence
    assert step not in legal_steps(work)


@pytest.mark.parametrize(("condition", "signal"), list(itertools.product(Condition, Signal)))
def test_every_pair_of_condition_and_signal_leads_somewhere_or_says_what_is_legal(condition: Condition, signal: Signal) -> None:
    if (condition, signal) in CONDITION_AFTER:
        assert condition_after(condition, signal) is CONDITION_AFTER[condition, signal]
        return
    with pytest.raises(TransitionError, match=f"signal {signal} .*condition is {condition}; legal here: event"):
        condition_after(condition, signal)


def test_events_and_closing_are_legal_in_every_condition() -> None:
    for condition in Condition:
        assert (condition, Signal.CLOSE) in CONDITION_AFTER
        assert (condition, Signal.EVENT) in CONDITION_AFTER


def test_acknowledging_silences_but_clears_nothing() -> None:
    assert condition_after(Condition.UNACKNOWLEDGED, Signal.ACKNOWLEDGE) is Condition.ACKNOWLEDGED
    assert at(Work.ACKNOWLEDGED).condition is Condition.ACKNOWLEDGED
    assert at(Work.REPORTED).condition is Condition.ACKNOWLEDGED
    assert at(Work.CLOSED).condition is Condition.NORMAL


def test_tables_are_complete() -> None:
    assert set(WHO_MAY) == set(Step)
    assert {work for work, _ in LEGAL} == set(Work)
    assert set(LEGAL.values()) == set(Work)
    assert set(LIMIT_OF) == set(OPEN)
    assert ASSIGNED < OPEN
    for limits in LIMITS_S.values():
        assert set(limits) == set(LIMIT_OF.values()) == set(map(Step, LimitedStep))
    for step in set(LIMIT_OF.values()):
        by_severity = [LIMITS_S[severity][step] for severity in (1, 2, 3, 4)]
        assert by_severity == sorted(by_severity)


@pytest.mark.parametrize(("work", "step"), list(itertools.product(Work, TWO)))
def test_steps_about_two_incidents_are_in_the_table_and_refused_here(work: Work, step: Step) -> None:
    assert LEGAL.get((work, step)) == EXPECTED[work.value].get(step.value)
    with pytest.raises(CommandError, match=f"{step} concerns two incidents"):
        advance(at(work), command(at(work), step), NOON_S)


@pytest.mark.parametrize(("work", "step"), [pair for pair in LEGAL if pair[1] not in TWO])
def test_steps_are_refused_to_everybody_who_is_not_named(work: Work, step: Step) -> None:
    incident = ready_for(step, at(work))
    team = "t2" if step is Step.DISPATCH else ""
    parties = WHO_MAY[step]
    for actor, party in ((team_actor("t1"), Party.TEAM), (team_actor("t2"), None)):
        allowed = party in parties and incident.team == "t1"
        sent = command(incident, step, actor, team=team)
        if allowed:
            assert advance(incident, sent, NOON_S)[0].work is LEGAL[work, step]
        else:
            with pytest.raises(DeniedError):
                advance(incident, sent, NOON_S)
    sent = command(incident, step, WANG, team=team)
    if Party.OPERATOR in parties or incident.owner is None:
        assert advance(incident, sent, NOON_S)[0].work is LEGAL[work, step]
    else:
        with pytest.raises(DeniedError, match="belongs to 李伟; take it over"):
            advance(incident, sent, NOON_S)


def test_only_a_report_makes_an_incident_true_and_a_serious_one_is_verified_first() -> None:
    for severity in (1, 2, 3, 4):
        assert verdicts(Work.VERIFIED, severity) == set(Verdict)
        assert (verdicts(Work.REPORTED, severity) == set(Verdict)) is (severity > 2)
        assert verdicts(Work.CLOSED, severity) == set()
        for work in OPEN - {Work.REPORTED, Work.VERIFIED}:
            assert verdicts(work, severity) == {Verdict.FALSE_ALARM, Verdict.DUPLICATE}
    for work in OPEN - {Work.VERIFIED}:
        lack = "it was verified" if work is Work.REPORTED else "a team has reported"
        with pytest.raises(TransitionError, match=f"before {lack}; legal here: close as duplicate, false_alarm"):
            advance(at(work), command(at(work), Step.CLOSE, verdict=Verdict.TRUE), NOON_S)
    reported = dataclasses.replace(at(Work.REPORTED), severity=3)
    assert advance(reported, command(reported, Step.CLOSE, verdict=Verdict.TRUE), NOON_S)[0].verdict is Verdict.TRUE
