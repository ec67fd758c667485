"""What a site asks of dispatch: rest, skills, calling away, standing in, rules that send by themselves; each with its words."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from camera_config import Automatic, DispatchRules, Matter, Need, Rest, Schedule, Site, Team, TravelMode, Way
from camera_config.time_limits import Category
from patrol import (
    SYSTEM,
    Condition,
    Doubt,
    Grid,
    Incident,
    Step,
    TeamState,
    TeamStatus,
    Work,
    advance,
    busy_with,
    open_incident,
    propose,
    propose_or_dispatch,
    withdrawn,
)
from tests.patrol.small_site import LI, NOON_S, command, intrusion, small_site
from tests.patrol.test_dispatch import BUSY, EVERYBODY, OFF, STALE, states


def site_with(rules: DispatchRules = DispatchRules(), **teams: dict[str, object]) -> Site:  # noqa: B008  # frozen
    """The small site with other rules, and other facts of some teams by id."""
    site = small_site()
    changed = tuple(dataclasses.replace(team, **teams.get(team.id, {})) for team in site.teams)  # type: ignore[arg-type]
    return dataclasses.replace(site, dispatch=rules, teams=changed)


def incident_on(grid: Grid, camera: str = "c1", severity: int = 2) -> Incident:
    return open_incident(intrusion(camera, severity=severity), "i", 1, grid.locate(camera), NOON_S)[0]


LATELY: dict[str, object] = {"finished": 1, "finished_at_s": NOON_S - 240}
OFTEN: dict[str, object] = {"finished": 3, "finished_at_s": NOON_S - 7200}


@pytest.mark.parametrize(
    ("facts", "rest", "en", "zh"),
    [
        (LATELY, Rest(minutes=10), "Team t1 resting for 7 min more", "t1队休息中（还有 7 分钟）"),
        (OFTEN, Rest(3, 4.0), "Team t1 rests after 3 assignments in 4 h", "t1队近 4 小时已完成 3 次任务，轮休"),
    ],
)
def test_a_team_that_should_rest_comes_after_all_others_and_the_reason_says_so(
    facts: dict[str, object], rest: Rest, en: str, zh: str
) -> None:
    grid = Grid(site_with(DispatchRules(rest)))
    known = states({"t1": facts, "t2": OFF})
    proposal = propose(incident_on(grid), grid, known, NOON_S)
    assert (proposal.team, [each.team for each in proposal.alternatives]) == ("t3", ["t4", "t5", "t1"])
    assert en in proposal.reason.en
    assert zh in proposal.reason.zh
    assert "rest" in proposal.alternatives[-1].reason.en
    # With nobody else left it goes, and for severity 1 it is as good as any.
    alone = states({"t1": facts} | dict.fromkeys(EVERYBODY[1:], OFF))
    assert propose(incident_on(grid), grid, alone, NOON_S).team == "t1"
    assert propose(incident_on(grid, severity=1), grid, known, NOON_S).team == "t1"


def test_a_team_without_what_is_needed_is_not_proposed_and_the_shortfall_says_so() -> None:
    need = Need(Matter(categories=(Category.PUBLIC_ORDER,)), skills=("law",), equipment=("radio",))
    grid = Grid(site_with(DispatchRules(needs=(need,)), t4={"skills": ("law", "first_aid"), "equipment": ("radio",)}))
    proposal = propose(incident_on(grid), grid, states(), NOON_S)
    assert (proposal.team, proposal.alternatives) == ("t4", ())
    assert "Team t1 lacks the skills or equipment needed" in proposal.reason.en
    nobody = propose(incident_on(grid), grid, states({"t4": OFF}), NOON_S)
    assert nobody.shortfall is not None
    assert nobody.shortfall.en.startswith("1 off shift, 4 without the skills or equipment needed; escalate")
    other = dataclasses.replace(incident_on(grid), category=Category.FIRE)
    assert propose(other, grid, states(), NOON_S).team == "t1"


LESSER: dict[str, object] = {"status": TeamStatus.ON_SCENE, "incident": "j", "incident_number": 5, "severity": 3}


def test_only_severity_1_calls_a_team_away_and_only_as_the_last_resort() -> None:
    grid = Grid(site_with())
    known = states({"t1": LESSER, "t2": {**LESSER, "severity": 1}, "t3": {**LESSER, "severity": 4, "incident_number": 6}})
    proposal = propose(incident_on(grid, severity=1), grid, known, NOON_S)
    order = [(proposal.team, proposal.preempts), *((each.team, each.preempts) for each in proposal.alternatives)]
    assert order == [("t4", 0), ("t5", 0), ("t3", 6), ("t1", 5)]
    busy = known | {name: dataclasses.replace(known[name], **OFF) for name in ("t4", "t5")}  # type: ignore[arg-type]
    last = propose(incident_on(grid, severity=1), grid, busy, NOON_S)
    assert (last.team, last.preempts) == ("t3", 6)
    assert "has to be called away from incident 6 of severity 4" in last.reason.en
    assert "须从 4 级案卷 6 抽调" in last.reason.zh
    assert propose(incident_on(grid, severity=2), grid, busy, NOON_S).shortfall is not None
    helping = states({name: {**LESSER, "supporting": True} for name in EVERYBODY})
    assert propose(incident_on(grid, severity=1), grid, helping, NOON_S).shortfall is not None


def test_a_team_that_stands_in_counts_for_the_cells_it_serves_now() -> None:
    grid = Grid(site_with())
    proposal = propose(incident_on(grid, "c4"), grid, states({"t5": OFF, "t2": {"grid_cells": ("g4",)}}), NOON_S)
    assert proposal.team == "t2"
    assert proposal.reason.en.startswith("free and on shift in this grid cell")


def test_a_doubtful_position_is_not_used_and_the_reason_says_so() -> None:
    grid = Grid(site_with())
    facts = {"doubt": Doubt.TOO_FAST, "doubt_at_s": NOON_S}
    proposal = propose(incident_on(grid), grid, states({"t1": facts, "t2": OFF}), NOON_S)
    assert proposal.team == "t1"
    assert "its post about 0 m away, position moved faster than 150 km/h, not used" in proposal.reason.en


def test_a_stationed_team_is_at_its_post_whatever_its_phone_says() -> None:
    grid = Grid(site_with(t1={"stationed": True}))
    assert propose(incident_on(grid), grid, states({"t1": STALE, "t2": OFF}), NOON_S).team == "t1"


def test_where_ways_are_drawn_the_time_along_them_decides() -> None:
    """t1's post is 193 m off as the crow flies, but its way leads round by the north; t2 stands at the end of a straight one."""
    here, far = (120.002, 30.002), (120.004, 30.004)
    ways = (
        Way(TravelMode.WALK, ((120.0001, 30.002), (120.0001, 30.0048), (120.002, 30.0048), here)),
        Way(TravelMode.WALK, (far, (120.002, 30.004), here)),
    )
    site = site_with(t1={"home": (120.0001, 30.002)}, t2={"home": far})
    assert propose(incident_on(Grid(site)), Grid(site), states(), NOON_S).team == "t1"
    grid = Grid(dataclasses.replace(site, ways=ways))
    proposal = propose(incident_on(grid), grid, states(), NOON_S)
    assert proposal.team == "t2"
    assert "its post about 415 m (5 min on foot) away" in proposal.reason.en
    assert "驻点距现场约 415 米（步行 5 分钟）" in proposal.reason.zh


NIGHT = Automatic("at-once", Matter((2,), (Category.PUBLIC_ORDER,)), Schedule.parse("11:00-13:00"))


def test_a_rule_sends_the_proposed_team_at_once_and_the_history_says_so() -> None:
    grid = Grid(site_with(DispatchRules(automatic=(NIGHT,))))
    sent, entry = propose_or_dispatch(incident_on(grid), grid, states(), NOON_S)
    assert entry is not None
    assert (sent.work, sent.team, sent.version, sent.decided, sent.condition) == (
        Work.DISPATCHED,
        "t1",
        2,
        2,
        Condition.UNACKNOWLEDGED,
    )
    assert (entry.step, entry.by, entry.team, entry.version) == (Step.DISPATCH, SYSTEM, "t1", 2)
    assert entry.text == "automatic dispatch by the rule at-once"
    # Who takes it over owns it, and the alarm is acknowledged by that.
    taken, _ = advance(sent, command(sent, Step.TAKE_OVER), NOON_S)
    assert (taken.owner, taken.condition, taken.work) == (LI, Condition.ACKNOWLEDGED, Work.DISPATCHED)


@pytest.mark.parametrize("why", ["another time", "another severity", "nobody free", "sent already", "no rule"])
def test_without_a_rule_that_fits_or_a_free_team_only_a_proposal_is_made(why: str) -> None:
    rules = DispatchRules(automatic=() if why == "no rule" else (NIGHT,))
    grid = Grid(site_with(rules))
    incident = incident_on(grid, severity=3 if why == "another severity" else 2)
    if why == "sent already":
        incident = dataclasses.replace(incident, work=Work.REPORTED)
    known = states(dict.fromkeys(EVERYBODY, BUSY) if why == "nobody free" else None)
    now_s = NOON_S + 7200 if why == "another time" else NOON_S
    after, entry = propose_or_dispatch(incident, grid, known, now_s)
    assert entry is None
    assert after.proposal is not None
    assert after == dataclasses.replace(incident, proposal=after.proposal)


def test_who_is_called_away_leaves_an_incident_that_waits_for_somebody_else() -> None:
    grid = Grid(site_with())
    incident = incident_on(grid, severity=3)
    acknowledged, _ = advance(incident, command(incident, Step.ACKNOWLEDGE), NOON_S)
    sent, _ = advance(acknowledged, command(acknowledged, Step.DISPATCH), NOON_S + 60)
    left, entry = withdrawn(sent, 9, LI, NOON_S + 120)
    assert (left.work, left.team, left.owner, left.since_s) == (Work.ACKNOWLEDGED, "", LI, NOON_S + 120)
    assert left.stages == acknowledged.stages
    assert (entry.team, entry.text, entry.version) == ("t1", "team t1 called away to incident 9", left.version)
    again, _ = advance(left, command(left, Step.DISPATCH, at_s=NOON_S + 130), NOON_S + 130)
    assert again.work is Work.DISPATCHED


def test_a_team_just_sent_is_busy_for_the_next_incident() -> None:
    grid = Grid(site_with())
    incident = incident_on(grid)
    state = busy_with(states()["t1"], incident)
    assert (state.is_busy, state.incident, state.severity, state.load) == (True, "i", 2, 1)
    assert propose(incident_on(grid), grid, states() | {"t1": state}, NOON_S).team == "t2"


fact = st.fixed_dictionaries(
    {
        "on_shift": st.booleans(),
        "incident": st.sampled_from(["", "", "", "j"]),
        "severity": st.integers(1, 4),
        "supporting": st.booleans(),
        "position": st.tuples(st.floats(119.95, 120.05), st.floats(29.99, 30.01)),
        "position_at_s": st.one_of(st.none(), st.floats(NOON_S - 4000, NOON_S)),
        "load": st.integers(0, 3),
        "finished": st.integers(0, 4),
        "finished_at_s": st.one_of(st.none(), st.floats(NOON_S - 4000, NOON_S)),
    }
)


@settings(max_examples=200, deadline=None)
@given(
    facts=st.fixed_dictionaries(dict.fromkeys(EVERYBODY, fact)),
    severity=st.integers(1, 4),
    camera=st.sampled_from(["c1", "c2", "c3", "c4", "gone"]),
    refused=st.frozensets(st.sampled_from(EVERYBODY), max_size=3),
    order=st.permutations(EVERYBODY),
)
def test_whatever_the_facts_only_teams_that_may_go_are_proposed_and_their_order_in_the_file_is_nothing(
    facts: dict[str, dict[str, object]], severity: int, camera: str, refused: frozenset[str], order: list[str]
) -> None:
    rules = DispatchRules(Rest(3, 2.0, 20.0), needs=(Need(Matter((2,)), skills=("law",)),))
    able: dict[str, object] = {"skills": ("law",)}
    site = site_with(rules, t1=able, t3=able, t5=able)
    known = states({name: {**each, "incident_number": 7 if each["incident"] else 0} for name, each in facts.items()})
    grid = Grid(site)
    incident = incident_on(grid, camera, severity)
    proposal = propose(incident, grid, known, NOON_S, refused)
    shuffled = dataclasses.replace(site, teams=tuple(site.team_by_id[name] for name in order))
    assert propose(incident, Grid(shuffled), known, NOON_S, refused) == proposal
    assert (proposal.shortfall is None) == bool(proposal.team)
    assert all((name.zh and name.en) for name in (proposal.reason, *(each.reason for each in proposal.alternatives)))
    for name, preempts in [(proposal.team, proposal.preempts), *((each.team, each.preempts) for each in proposal.alternatives)]:
        if name:
            assert name not in refused
            check_may_go(known[name], site.team_by_id[name], severity, preempts)


def check_may_go(state: TeamState, team: Team, severity: int, preempts: int) -> None:
    assert state.on_shift
    assert state.position_at_s is None or NOON_S - state.position_at_s <= 1800
    assert severity != 2 or "law" in team.skills
    assert preempts == state.incident_number
    if state.incident:
        assert severity == 1 < state.severity
        assert not state.supporting
