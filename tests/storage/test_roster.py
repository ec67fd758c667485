"""Roster, positions and support in both databases."""

import dataclasses
from collections.abc import Callable, Iterator
from datetime import date, timedelta

import pytest

from base import SimulatedClock, TransitionError, uuid7
from camera_config import Automatic, DispatchRules, Matter, Rest, Schedule
from camera_config.site import Site
from patrol import (
    ActorKind,
    ChangeKind,
    Doubt,
    Happening,
    Incident,
    RosterChange,
    Step,
    Support,
    SupportState,
    TeamStatus,
    Work,
)
from storage import Store
from tests.patrol.small_site import LI, NOON_S, WANG, command, intrusion, small_site, team_actor

TODAY = date(2023, 11, 15)
HERE = (120.002, 30.002)


def change(kind: ChangeKind, team: str, day: date = TODAY, **more: object) -> RosterChange:
    values: dict[str, object] = {"id": uuid7(NOON_S), "kind": kind, "team": team, "day": day, "last_day": day, "by": LI.name}
    return RosterChange(**({"made_s": NOON_S} | values | more))  # type: ignore[arg-type]  # right types above


def helper(incident: Incident, team: str, support: str = "") -> Support:
    return Support(support or uuid7(NOON_S), incident.id, team, SupportState.EN_ROUTE, NOON_S, by=LI.name)


@pytest.fixture
def site() -> Site:
    """t1 works by day, t2 by night, t3 always; t4, t5 never."""
    return small_site({"t1": "08:00-20:00", "t2": "20:00-08:00", "t4": "never", "t5": "never"})


@pytest.fixture
def acknowledged(store: Store) -> Incident:
    [incident] = store.record_events([intrusion()])
    return store.apply(command(incident, Step.ACKNOWLEDGE))


def test_a_swap_changes_who_is_on_shift_and_undoing_it_changes_it_back(store: Store) -> None:
    swap = change(ChangeKind.SWAP, "t1", other="t2", other_day=TODAY, reason="培训")
    assert store.add_roster_change(swap, LI) == swap
    assert store.add_roster_change(swap, LI) == swap, "the same id again changes nothing"
    states = store.team_states()
    assert (states["t1"].on_shift, states["t2"].on_shift) == (False, True)
    assert states["t2"].until_s == NOON_S + 8 * 3600
    undone = store.undo_roster_change(swap.id, WANG)
    assert undone is not None
    assert (undone.undone_s, undone.undone_by) == (NOON_S, WANG.name)
    assert store.undo_roster_change(swap.id, LI) == undone, "who was first stays in the record"
    assert store.undo_roster_change("nothing", LI) is None
    assert store.team_states()["t1"].on_shift
    assert store.roster_changes(TODAY, TODAY) == [undone]
    assert [row.action for row in store.audit_rows()] == ["undo_roster_change", "change_roster"]


def test_every_kind_of_change_survives_being_stored(store: Store) -> None:
    changes = [
        change(ChangeKind.SWAP, "t1", other="t2", other_day=TODAY - timedelta(days=9)),
        change(ChangeKind.LEAVE, "t3", last_day=TODAY + timedelta(days=3), other="t4", reason="=1+1'; --"),
        change(ChangeKind.EXTRA, "t5", span=(1200, 1560), made_s=NOON_S + 1),
    ]
    for each in changes:
        store.add_roster_change(each, LI)
    assert sorted(store.roster_changes(TODAY, TODAY), key=lambda each: each.team) == changes
    assert store.roster_changes(TODAY - timedelta(days=9), TODAY - timedelta(days=8)) == changes[:1]
    assert store.roster_changes(TODAY + timedelta(days=4), TODAY + timedelta(days=9)) == []


def test_an_impossible_change_leaves_no_trace(store: Store) -> None:
    leave = change(ChangeKind.LEAVE, "t1")
    store.add_roster_change(leave, LI)
    with pytest.raises(TransitionError, match="changed already"):
        store.add_roster_change(change(ChangeKind.LEAVE, "t1", other="t2"), LI)
    with pytest.raises(TransitionError, match="was already used for another change"):
        store.add_roster_change(dataclasses.replace(leave, team="t3"), LI)
    assert store.roster_changes(TODAY, TODAY) == [leave]
    assert len(store.audit_rows()) == 1


def test_positions_are_kept_on_shift_only_and_deleted_when_it_ends(store: Store, clock: SimulatedClock) -> None:
    with pytest.raises(TransitionError, match="team t2 is off shift; its position is not kept"):
        store.set_position("t2", *HERE, NOON_S)
    with pytest.raises(TransitionError, match="no team 'nobody'"):
        store.set_position("nobody", *HERE, NOON_S)
    assert not store.set_position("t1", *HERE, NOON_S - 5 * 3600), "from before this shift"
    assert store.set_position("t1", *HERE, NOON_S)
    assert store.forget_positions() == []
    clock.advance(8 * 3600)
    assert store.team_states()["t1"].position is None, "nobody sees it even before it is deleted"
    assert store.forget_positions() == ["t1"]
    assert store.forget_positions() == []
    clock.advance(12 * 3600)
    assert store.team_states()["t1"].position is None


def test_a_team_still_on_its_way_after_its_shift_keeps_its_position(
    store: Store, clock: SimulatedClock, acknowledged: Incident
) -> None:
    clock.advance(8 * 3600 - 60)
    incident = store.apply(command(acknowledged, Step.DISPATCH, at_s=clock.now_s()))
    clock.advance(120)
    assert store.set_position("t1", *HERE, clock.now_s())
    assert store.forget_positions() == []
    state = store.team_states()["t1"]
    assert (state.status, state.on_shift, state.position) == (TeamStatus.DISPATCHED, False, HERE)
    store.apply(command(incident, Step.CLOSE, at_s=clock.now_s()))
    assert store.forget_positions() == ["t1"]


def test_a_position_that_cannot_be_true_is_noted_not_kept(store: Store, clock: SimulatedClock) -> None:
    assert store.set_position("t1", *HERE, NOON_S)
    clock.advance(10)
    assert store.set_position("t1", 120.05, 30.002, NOON_S + 10)
    state = store.team_states()["t1"]
    assert (state.position, state.doubt, state.doubt_at_s) == (HERE, Doubt.TOO_FAST, NOON_S + 10)
    assert store.set_position("t1", 120.0021, 30.002, NOON_S + 10)
    assert store.team_states()["t1"].doubt is None
    assert store.set_position("t3", 0.0, 0.0, NOON_S)
    state = store.team_states()["t3"]
    assert (state.position, state.doubt) == (None, Doubt.OUTSIDE)


def test_a_supporting_team_is_busy_until_it_is_done(store: Store, clock: SimulatedClock, acknowledged: Incident) -> None:
    asked = helper(acknowledged, "t3")
    assert store.add_support(asked, LI) == asked
    assert store.add_support(asked, LI) == asked, "the same id again sends nobody"
    state = store.team_states()["t3"]
    assert (state.status, state.supporting, state.incident, state.load) == (TeamStatus.EN_ROUTE, True, acknowledged.id, 1)
    for other in (acknowledged, *store.record_events([intrusion("c2")])):
        with pytest.raises(TransitionError, match="team t3 is en_route for incident 1"):
            store.add_support(helper(other, "t3"), LI)
    with pytest.raises(TransitionError, match="team t3 is en_route for incident 1"):
        store.apply(command(acknowledged, Step.DISPATCH, team="t3"))
    clock.advance(60)
    assert store.move_support(acknowledged.id, "t1", SupportState.DONE, LI, clock.now_s()) is None
    there = store.move_support(acknowledged.id, "t3", SupportState.ON_SCENE, team_actor("t3"), clock.now_s())
    assert there is not None
    assert there == store.move_support(acknowledged.id, "t3", SupportState.ON_SCENE, LI, clock.now_s() + 9)
    assert store.team_states()["t3"].status is TeamStatus.ON_SCENE
    assert store.support_of_team("t3") == there
    done = store.move_support(acknowledged.id, "t3", SupportState.DONE, LI, clock.now_s() + 9e9)
    assert done is not None
    assert (done.arrived_s, done.done_s) == (NOON_S + 60, NOON_S + 60), "not in the future"
    with pytest.raises(TransitionError, match="is done; it cannot become on_scene"):
        store.move_support(acknowledged.id, "t3", SupportState.ON_SCENE, LI, clock.now_s())
    assert store.team_states()["t3"].status is TeamStatus.AVAILABLE
    assert store.support_of_team("t3") is None
    assert store.support(acknowledged.id) == [done]
    assert store.incident(acknowledged.id) == acknowledged, "the main team and its incident stay as they were"


def test_support_ends_with_its_incident(store: Store, acknowledged: Incident) -> None:
    store.add_support(helper(acknowledged, "t3"), LI)
    store.apply(command(acknowledged, Step.CLOSE))
    assert store.team_states()["t3"].status is TeamStatus.AVAILABLE
    assert store.support_of_team("t3") is None
    with pytest.raises(TransitionError, match="no open incident"):
        store.add_support(helper(acknowledged, "t1"), LI)
    [second] = store.record_events([intrusion("c2")])
    assert store.add_support(helper(second, "t3"), LI).team == "t3"
    assert store.support(acknowledged.id)[0].state is SupportState.DONE


def test_the_main_team_cannot_support_its_own_incident(store: Store, acknowledged: Incident) -> None:
    store.apply(command(acknowledged, Step.DISPATCH, team="t3"))
    with pytest.raises(TransitionError, match="main team"):
        store.add_support(helper(acknowledged, "t3"), LI)


def test_an_incident_of_severity_1_calls_a_team_away_and_the_other_one_waits_again(store: Store) -> None:
    lesser, worst = store.record_events([intrusion(severity=3), intrusion("c2", severity=1)])
    lesser = store.apply(command(lesser, Step.ACKNOWLEDGE))
    lesser = store.apply(command(lesser, Step.DISPATCH, team="t3"))
    worst = store.apply(command(worst, Step.ACKNOWLEDGE))
    fresh = store.proposal(worst.id)
    assert fresh is not None
    assert (fresh.team, fresh.alternatives[-1].team, fresh.alternatives[-1].preempts) == ("t1", "t3", lesser.number)
    worst = store.apply(command(worst, Step.DISPATCH, WANG if worst.owner == WANG else LI, team="t3"))
    left = store.incident(lesser.id)
    assert left is not None
    assert (left.work, left.team, left.owner) == (Work.ACKNOWLEDGED, "", LI)
    assert left.proposal is not None
    assert left.proposal.team == "t1"
    last = store.history(lesser.id)[-1]
    assert (last.step, last.by, last.team, last.version) == (Happening.WITHDRAWN, LI, "t3", left.version)
    assert store.team_states()["t3"].incident == worst.id
    again = store.apply(command(left, Step.DISPATCH, team="t1"))
    with pytest.raises(TransitionError, match="team t3 is dispatched for incident 2"):
        store.apply(command(again, Step.DISPATCH, team="t3"))


@pytest.fixture
def open_ruled(url: str, clock: SimulatedClock, site: Site) -> Iterator[Callable[[DispatchRules], Store]]:
    """Opens the test's database with rules of dispatch."""
    opened: list[Store] = []

    def open_it(rules: DispatchRules) -> Store:
        opened.append(Store.open(url, clock, dataclasses.replace(site, dispatch=rules)))
        return opened[-1]

    yield open_it
    for store in opened:
        store.close()


def test_a_rule_dispatches_each_incident_of_a_burst_to_another_team(open_ruled: Callable[[DispatchRules], Store]) -> None:
    store = open_ruled(DispatchRules(automatic=(Automatic("at-once", Matter((2,)), Schedule.parse("always")),)))
    incidents = store.record_events([intrusion(), intrusion("c2"), intrusion("c3"), intrusion("c4", severity=3)])
    assert [(each.work, each.team) for each in incidents] == [
        (Work.DISPATCHED, "t1"),
        (Work.DISPATCHED, "t3"),
        (Work.NEW, ""),
        (Work.NEW, ""),
    ]
    assert incidents[2].proposal is not None
    assert incidents[2].proposal.shortfall is not None, "both teams on shift are sent already"
    assert [store.incident(each.id) for each in incidents] == incidents
    history = store.history(incidents[0].id)
    assert [(entry.step, entry.by.kind) for entry in history] == [
        (Happening.OPENED, ActorKind.SYSTEM),
        (Step.DISPATCH, ActorKind.SYSTEM),
    ]
    assert "by the rule at-once" in history[1].text


def test_after_a_refusal_the_rule_sends_the_next_one(open_ruled: Callable[[DispatchRules], Store]) -> None:
    store = open_ruled(DispatchRules(automatic=(Automatic("at-once", Matter()),)))
    [incident] = store.record_events([intrusion()])
    refuse = command(incident, Step.REFUSE, team_actor("t1"))
    second = store.apply(refuse)
    assert (second.work, second.team, second.refused) == (Work.DISPATCHED, "t3", ("t1",))
    assert store.apply(refuse) == second, "a repeated refusal sends nobody else"
    third = store.apply(command(second, Step.REFUSE, team_actor("t3")))
    assert (third.work, third.team) == (Work.ACKNOWLEDGED, "")
    assert third.proposal is not None
    assert third.proposal.shortfall is not None
    versions = [entry.version for entry in store.history(incident.id)]
    assert versions == list(range(1, third.version + 1))


def test_who_has_done_enough_comes_later(open_ruled: Callable[[DispatchRules], Store], clock: SimulatedClock) -> None:
    store = open_ruled(DispatchRules(Rest(assignments=1, hours=2.0)))
    [incident] = store.record_events([intrusion()])
    incident = store.apply(command(incident, Step.ACKNOWLEDGE))
    for step in (Step.DISPATCH, Step.ACCEPT, Step.DEPART, Step.ARRIVE, Step.REPORT):
        incident = store.apply(command(incident, step))
    state = store.team_states()["t1"]
    assert (state.finished, state.finished_at_s, state.load) == (1, NOON_S, 1)
    [second] = store.record_events([intrusion("c1", NOON_S + 900)])
    assert second.proposal is not None
    assert second.proposal.team == "t3"
    clock.advance(2 * 3600)
    assert store.team_states()["t1"].finished == 0
