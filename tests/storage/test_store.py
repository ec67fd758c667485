"""What the store promises, on both databases."""

import dataclasses
from collections.abc import Callable

import pytest

from base import EventKind, SimulatedClock, StorageError, TransitionError
from patrol import CommandError, Condition, Conflict, Flag, Happening, Step, TeamStatus, Verdict, Work
from storage import Store
from tests.patrol.small_site import LI, NOON_S, WANG, command, intrusion, small_site, team_actor


def test_an_event_opens_an_incident_with_number_proposal_history_and_snapshot(store: Store) -> None:
    event = intrusion()
    [incident] = store.record_events([event])
    assert (incident.number, incident.version, incident.work) == (1, 1, Work.NEW)
    assert incident.proposal is not None
    assert incident.proposal.team == "t1"
    assert incident.proposal.reason.zh
    assert store.incident(incident.id) == incident
    assert store.incidents() == [incident]
    assert store.events(incident.id) == [dataclasses.replace(event, snapshot_jpeg=b"")]
    assert store.event(event.id) == dataclasses.replace(event, snapshot_jpeg=b"")
    assert store.incident_of_event(event.id) == incident
    assert store.snapshot(event.id) == event.snapshot_jpeg
    assert [entry.step for entry in store.history(incident.id)] == [Happening.OPENED]


def test_the_same_events_again_change_nothing(store: Store) -> None:
    events = [intrusion(), intrusion("c2"), intrusion(at_s=NOON_S + 5)]
    first = store.record_events(events)
    assert [incident.event_count for incident in first] == [2, 1]
    before = [store.history(incident.id) for incident in first]
    assert store.record_events(events) == first  # for a caller that was told of a failure
    assert store.record_events([*events, *events]) == first
    assert store.record_events(events[1:2]) == first[1:]
    assert store.incidents() == first[::-1]
    assert [store.history(incident.id) for incident in first] == before
    again = intrusion(at_s=NOON_S + 6)
    joined, same = store.record_events([again, again, *events])
    assert (joined.event_count, joined.number) == (3, 1)
    assert same == first[1]


def test_events_join_open_incidents_and_open_new_ones_after_closing_or_the_dead_time(store: Store) -> None:
    [first] = store.record_events([intrusion()])
    [joined] = store.record_events([intrusion(at_s=NOON_S + 100, severity=1)])
    assert (joined.id, joined.version, joined.severity) == (first.id, 2, 1)
    [other] = store.record_events([intrusion(at_s=NOON_S + 100, kind=EventKind.LOITERING)])
    [later] = store.record_events([intrusion(at_s=NOON_S + 400)])
    store.apply(command(later, Step.CLOSE))
    [reopened] = store.record_events([intrusion(at_s=NOON_S + 410)])
    assert [first.number, other.number, later.number, reopened.number] == [1, 2, 3, 4]
    assert [entry.step for entry in store.history(first.id)] == [Happening.OPENED, Happening.JOINED]


def test_nothing_is_recorded_for_no_events(store: Store) -> None:
    assert store.record_events([]) == []
    assert store.incidents("all") == []


def test_an_event_without_a_snapshot_or_camera_is_kept(store: Store) -> None:
    event = intrusion("gone", snapshot_jpeg=b"", rule="gone")
    [incident] = store.record_events([event])
    assert store.snapshot(event.id) is None
    assert incident.lon is None
    assert store.incident(incident.id) == incident


def test_the_whole_way_from_alarm_to_closed(store: Store, clock: SimulatedClock) -> None:
    [incident] = store.record_events([intrusion()])
    team = team_actor("t1")
    statuses = []
    for step, by in (
        (Step.ACKNOWLEDGE, LI),
        (Step.DISPATCH, LI),
        (Step.ACCEPT, team),
        (Step.DEPART, team),
        (Step.ARRIVE, team),
        (Step.REPORT, team),
        (Step.VERIFY, LI),
    ):
        clock.advance(10)
        incident = store.apply(command(incident, step, by, clock.now_s()))
        statuses.append(store.team_states()["t1"].status)
    clock.advance(10)
    incident = store.apply(command(incident, Step.CLOSE, LI, clock.now_s(), verdict=Verdict.TRUE, cause="trespass", text="劝离"))
    assert statuses == ["available", "dispatched", "accepted", "en_route", "on_scene", "available", "available"]
    assert (incident.work, incident.condition, incident.verdict) == (Work.CLOSED, Condition.NORMAL, Verdict.TRUE)
    assert [incident.stages[work] - NOON_S for work in Work] == [0, 10, 20, 30, 40, 50, 60, 70, 80]
    assert store.incident(incident.id) == incident
    assert store.incidents("open") == []
    assert store.incidents("closed") == [incident]
    history = store.history(incident.id)
    assert [entry.version for entry in history] == list(range(1, 10))
    assert [entry.work for entry in history] == list(Work)
    assert (history[-1].text, history[-1].verdict, history[-1].by) == ("劝离", Verdict.TRUE, LI)
    actions = [row.action for row in store.audit_rows()]
    assert actions == ["close", "verify", "report", "arrive", "depart", "accept", "dispatch", "acknowledge"]


def test_a_repeated_command_gives_the_first_answer_and_happens_once(store: Store, clock: SimulatedClock) -> None:
    [incident] = store.record_events([intrusion()])
    acknowledge = command(incident, Step.ACKNOWLEDGE)
    first = store.apply(acknowledge)
    store.apply(command(first, Step.DISPATCH))
    clock.advance(5)
    assert store.apply(dataclasses.replace(acknowledge, at_s=clock.now_s())) == first
    assert len(store.history(incident.id)) == 3
    assert len(store.audit_rows()) == 2
    with pytest.raises(CommandError, match="already used for another step"):
        store.apply(dataclasses.replace(acknowledge, step=Step.NOTE, text="x"))
    with pytest.raises(CommandError, match="already used for another step"):
        store.apply(dataclasses.replace(acknowledge, by=WANG))


def test_a_stale_version_is_a_conflict_with_the_current_incident(store: Store) -> None:
    [incident] = store.record_events([intrusion()])
    owned = store.apply(command(incident, Step.ACKNOWLEDGE, LI))
    with pytest.raises(Conflict) as caught:
        store.apply(command(incident, Step.ACKNOWLEDGE, WANG))
    assert caught.value.current == owned
    assert len(store.history(incident.id)) == 2
    # The refused id was not used up.
    with pytest.raises(Conflict):
        store.apply(command(incident, Step.ACKNOWLEDGE, WANG))


def test_an_unknown_incident_is_a_sentence(store: Store) -> None:
    [incident] = store.record_events([intrusion()])
    with pytest.raises(TransitionError, match="there is no incident nowhere"):
        store.apply(dataclasses.replace(command(incident, Step.ACKNOWLEDGE), incident="nowhere"))
    assert store.incident("nowhere") is None
    assert store.history("nowhere") == []
    assert store.proposal("nowhere") is None
    assert store.event("nowhere") is None
    assert store.incident_of_event("nowhere") is None


def test_a_dispatched_team_is_busy_until_it_is_free_again(store: Store) -> None:
    first, second = (store.apply(command(each, Step.ACKNOWLEDGE)) for each in store.record_events([intrusion(), intrusion("c2")]))
    first = store.apply(command(first, Step.DISPATCH, team="t3"))
    state = store.team_states()["t3"]
    assert (state.status, state.incident, state.incident_number, state.load) == (TeamStatus.DISPATCHED, first.id, 1, 1)
    with pytest.raises(TransitionError, match="team t3 is dispatched for incident 1; choose another team"):
        store.apply(command(second, Step.DISPATCH, team="t3"))
    with pytest.raises(TransitionError, match="no team 'nobody'"):
        store.apply(command(second, Step.DISPATCH, team="nobody"))
    fresh = store.proposal(second.id)
    assert fresh is not None
    assert (fresh.team, "t3 busy" in fresh.reason.en) == ("t2", True)
    # Another team instead, then a false alarm: both are free again.
    first = store.apply(command(first, Step.DISPATCH, team="t4"))
    assert store.team_states()["t3"].status is TeamStatus.AVAILABLE
    store.apply(command(first, Step.CLOSE))
    assert {state.status for state in store.team_states().values()} == {TeamStatus.AVAILABLE}
    assert store.apply(command(second, Step.DISPATCH, team="t3")).team == "t3"


def test_a_refusal_brings_a_new_proposal_without_the_team(store: Store) -> None:
    [incident] = store.record_events([intrusion()])
    incident = store.apply(command(incident, Step.ACKNOWLEDGE))
    for team, following in (("t1", "t2"), ("t2", "t3")):
        incident = store.apply(command(incident, Step.DISPATCH, team=team))
        incident = store.apply(command(incident, Step.REFUSE, team_actor(team), text="忙"))
        assert incident.proposal is not None
        assert (incident.work, incident.proposal.team) == (Work.ACKNOWLEDGED, following)
    assert incident.refused == ("t1", "t2")
    for team in ("t3", "t4", "t5"):
        incident = store.apply(command(incident, Step.DISPATCH, team=team))
        incident = store.apply(command(incident, Step.REFUSE, LI))
    assert incident.proposal is not None
    assert incident.proposal.shortfall is not None
    assert "5 refused" in incident.proposal.shortfall.en
    assert store.incident(incident.id) == incident


def test_a_team_off_shift_can_be_called_in_and_the_history_says_so(
    open_store: Callable[[], Store], url: str, clock: SimulatedClock
) -> None:
    store = open_store()
    [incident] = store.record_events([intrusion()])
    incident = store.apply(command(incident, Step.ACKNOWLEDGE))
    store.close()
    night = Store.open(url, clock, small_site({"t1": "22:00-06:00", "t2": "never"}))
    assert night.team_states()["t1"].status is TeamStatus.OFF_SHIFT
    assert night.team_states(NOON_S + 11 * 3600)["t1"].status is TeamStatus.AVAILABLE
    night.apply(command(incident, Step.DISPATCH))
    assert night.history(incident.id)[-1].flags == (Flag.OFF_SHIFT,)
    assert night.team_states()["t1"].status is TeamStatus.DISPATCHED
    night.close()


def test_positions_only_move_forward_in_time(store: Store, clock: SimulatedClock) -> None:
    assert store.set_position("t1", 120.001, 30.001, NOON_S - 60)
    assert store.set_position("t1", 120.002, 30.002, NOON_S - 30)
    assert not store.set_position("t1", 120.009, 30.009, NOON_S - 50)
    assert store.set_position("t1", 120.003, 30.003, NOON_S + 500)  # a phone's clock that runs ahead
    state = store.team_states()["t1"]
    assert (state.position, state.position_at_s) == ((120.003, 30.003), NOON_S)
    clock.advance(1)
    assert store.set_position("t1", 120.004, 30.004, NOON_S + 1)


def test_load_counts_the_dispatches_of_twelve_hours(store: Store, clock: SimulatedClock) -> None:
    [incident] = store.record_events([intrusion()])
    incident = store.apply(command(incident, Step.ACKNOWLEDGE))
    incident = store.apply(command(incident, Step.DISPATCH))
    store.apply(command(incident, Step.CLOSE))
    assert store.team_states()["t1"].load == 1
    clock.advance(12 * 3600 + 1)
    assert store.team_states()["t1"].load == 0


def test_lists_page_by_number(store: Store) -> None:
    opened = store.record_events([intrusion("c1", NOON_S + 300 * n) for n in range(7)])
    numbers: list[int] = []
    before = None
    while page := store.incidents("all", 3, before):
        numbers += [incident.number for incident in page]
        before = page[-1].id
    assert numbers == [7, 6, 5, 4, 3, 2, 1]
    assert store.incidents("all", 3, "nowhere") == []
    assert [incident.number for incident in opened] == sorted(numbers)


def test_everything_is_still_there_after_opening_again(open_store: Callable[[], Store]) -> None:
    store = open_store()
    [incident] = store.record_events([intrusion()])
    incident = store.apply(command(incident, Step.ACKNOWLEDGE))
    store.close()
    store.close()
    again = open_store()
    assert again.incidents() == [incident]
    [second] = again.record_events([intrusion("c2")])
    assert second.number == 2


def test_a_closed_store_says_so(store: Store) -> None:
    store.close()
    with pytest.raises(StorageError, match="is closed"):
        store.record_events([intrusion()])


def test_text_of_people_survives_exactly(store: Store) -> None:
    [incident] = store.record_events([intrusion()])
    text = "=1+1\t\"'; DROP TABLE incidents; -- <script>🚓 \\ 100% {x} %s\r\n'"
    store.apply(command(incident, Step.NOTE, text=text))
    assert store.history(incident.id)[-1].text == text


def test_an_event_no_database_can_hold_is_repaired_and_does_not_hold_up_the_others(store: Store) -> None:
    nan, infinite = float("nan"), float("inf")
    bad = intrusion(label="per\x00son", score=nan, began_s=nan, ended_s=infinite, box=(0.0, nan, 1.0, 1.0))
    incidents = store.record_events([bad, intrusion("c2")])
    assert len(incidents) == 2
    kept = store.event(bad.id)
    assert kept is not None
    assert (kept.label, kept.score, kept.began_s, kept.ended_s, kept.box) == ("person", 0.0, 0.0, None, (0.0, 0.0, 1.0, 1.0))
