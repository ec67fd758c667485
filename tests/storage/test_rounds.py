"""Rounds on both databases: planned, walked, told of once, and nothing lost by restarts, repetitions or steps of the clock."""

import uuid
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import create_engine, select, text

from base import DeniedError, SimulatedClock, TransitionError
from camera_config.round_rules import OpensIncident, Starts, Times
from camera_config.schedule import Schedule
from camera_config.site import Site
from patrol import CommandError, Origin
from patrol.checkpoint_codes import CodeError, Refusal, code_of
from patrol.inspections import draw_checkpoints
from patrol.rounds import Act, Proof, RoundKind, RoundState, TemporaryStop
from patrol.shifts import ChangeKind, RosterChange
from patrol.visits import Finding, RoundNow, StopState
from storage import RoundFilter, Store, WantedDraw
from storage.tables import notices, rounds
from tests.patrol.round_site import GATE, METRE_DEG, asks, does, inspection, round_site, route
from tests.patrol.small_site import LI, NOON_S, intrusion, small_site, team_actor

EVERYTHING = RoundFilter()
HOUR = 3600.0


@pytest.fixture
def site() -> Site:
    return round_site(route(), inspections=(inspection(),))


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(NOON_S - HOUR)


def walk_of(store: Store, source: str = "r1") -> RoundNow:
    """The first round of a source, planned if need be."""
    store.rounds.plan(at_once=True)
    return store.rounds.rounds(RoundFilter(source=source))[-1]


def code(store: Store, checkpoint: str) -> str:
    return code_of(checkpoint, store.rounds.code_key())


def visit_all(store: Store, clock: SimulatedClock, walk: RoundNow) -> RoundNow:
    """Every stop at its time."""
    for stop in walk.planned.stops:
        clock.advance(stop.due_s - clock.now_s())
        walk = store.rounds.check_in(asks(walk.planned, at_s=clock.now_s(), code=code(store, stop.checkpoint)))
    return walk


def told(url: str) -> list[tuple[str, str, str | None]]:
    """Kind, checkpoint and incident of every notice about a stop."""
    engine = create_engine(url)
    with engine.connect() as connection:
        rows = connection.execute(select(notices).where(notices.c.kind.startswith("stop_")).order_by(notices.c.id)).all()
    engine.dispose()
    ids = {point.name.en: point.id for point in round_site().checkpoints}
    return [(row.kind, ids[row.payload["checkpoint"]["en"]], row.incident) for row in rows]


def test_a_round_is_planned_walked_and_listed(store: Store, clock: SimulatedClock) -> None:
    walk = walk_of(store)
    assert (walk.result.state, walk.planned.team, len(walk.planned.stops)) == (RoundState.DUE, "t1", 4)
    clock.advance(HOUR)
    started = store.rounds.take(does(walk.planned, Act.START))
    assert started.result.state is RoundState.UNDER_WAY
    done = visit_all(store, clock, walk)
    assert (done.result.state, done.result.figures.on_time) == (RoundState.COMPLETED, 4)
    assert store.rounds.round(walk.planned.id) == done
    assert [entry.act for entry in done.entries] == [Act.START, *[Act.CHECK_IN] * 4]
    assert [each.planned.id for each in store.rounds.rounds(RoundFilter(state=RoundState.COMPLETED))] == [walk.planned.id]
    [figures] = store.rounds.figures(NOON_S - HOUR, NOON_S + HOUR)
    assert (figures.team, figures.rounds, figures.completed, figures.stops) == ("t1", 1, 1, done.result.figures)
    clock.advance(6 * HOUR)
    store.rounds.keep()
    assert store.rounds.round(walk.planned.id) == done  # nothing is missed of it


def test_planning_again_and_after_a_restart_changes_nothing(open_store: Callable[[], Store], clock: SimulatedClock) -> None:
    first = open_store()
    first.rounds.plan(at_once=True)
    before = first.rounds.rounds(EVERYTHING)
    key = first.rounds.code_key()
    first.rounds.plan(at_once=True)
    assert first.rounds.rounds(EVERYTHING) == before
    first.close()
    second = open_store()
    second.rounds.keep()
    assert second.rounds.rounds(EVERYTHING) == before
    assert second.rounds.code_key() == key
    clock.advance(24 * HOUR)
    second.rounds.keep()
    assert len(second.rounds.rounds(EVERYTHING)) == len(before) + 3  # one route and two inspections a day


def test_every_missed_stop_is_told_once_and_a_key_node_becomes_an_incident(
    url: str, open_store: Callable[[], Store], clock: SimulatedClock
) -> None:
    store = open_store()
    store.rounds.plan(at_once=True)
    clock.advance(HOUR + 16 * 60)
    assert [each.planned.source for each in store.rounds.keep().rounds] == ["r1"]
    assert store.rounds.keep().rounds == ()
    store.close()
    store = open_store()
    clock.advance(7 * HOUR)
    told_now = store.rounds.keep()
    assert [incident.origin for incident in told_now.incidents] == [Origin.INSPECTION] * 2
    assert {incident.grid_cell for incident in told_now.incidents} == {"g2", "g3"}
    assert store.incidents() == sorted(told_now.incidents, key=lambda incident: -incident.number)
    clock.step_wall(-20 * HOUR)  # the wall clock is set back
    assert store.rounds.keep().incidents == ()
    clock.step_wall(21 * HOUR)
    assert store.rounds.keep().incidents == ()
    kinds = told(url)
    assert sorted(checkpoint for _, checkpoint, _ in kinds) == ["k1", "k2", "k3", "k4", "k5", "k6"]
    assert {kind for kind, _, _ in kinds} == {"stop_missed"}
    assert {checkpoint for _, checkpoint, incident in kinds if incident} == {"k5", "k6"}
    walk = walk_of(store)
    assert walk.result.state is RoundState.MISSED
    assert [(entry.act, entry.at_s) for entry in walk.entries] == [
        (Act.MISSED, stop.until_s) for stop in walk.planned.stops
    ]  # each with the time at which it fell due, not at which it was told


def test_a_late_visit_makes_up_for_a_miss_that_was_told(url: str, store: Store, clock: SimulatedClock) -> None:
    walk = walk_of(store)
    clock.advance(HOUR + 20 * 60)
    store.rounds.keep()
    late = store.rounds.check_in(asks(walk.planned, at_s=clock.now_s(), code=code(store, "k1")))
    assert late.result.stops[0].findings == (Finding.LATE,)
    offline = store.rounds.check_in(asks(walk.planned, at_s=NOON_S + 12 * 60, code=code(store, "k2")))
    assert Finding.LATE not in offline.result.stops[1].findings  # in time, though we learned of it later
    assert told(url) == [("stop_missed", "k1", None), ("stop_made_up", "k1", None)]


def test_ordinary_stops_share_an_incident_where_the_site_wants_one(
    url: str, clock: SimulatedClock, open_store: Callable[[], Store], site: Site
) -> None:
    always = replace(site, rounds=replace(site.rounds, incidents=OpensIncident.ALWAYS, severity=2))
    store = Store.open(url, clock, always)
    store.rounds.plan(at_once=True)
    clock.advance(HOUR + 16 * 60)
    [first] = store.rounds.keep().incidents
    clock.advance(HOUR)
    assert store.rounds.keep().incidents == ()
    assert [incident for _, _, incident in told(url)] == [first.id] * 4
    assert (first.severity, first.lon) == (2, GATE[0])
    store.close()


def test_a_command_counts_once_and_its_id_for_nothing_else(store: Store, clock: SimulatedClock) -> None:
    walk = walk_of(store)
    clock.advance(HOUR)
    asked = asks(walk.planned, code=code(store, "k1"))
    first = store.rounds.check_in(asked)
    clock.advance(60)
    again = store.rounds.check_in(asked)
    assert again.entries == first.entries
    with pytest.raises(CommandError, match="already used"):
        store.rounds.check_in(replace(asked, code=code(store, "k2")))
    with pytest.raises(CommandError, match="already used"):
        store.rounds.take(replace(does(walk.planned, Act.START), id=asked.id))
    with pytest.raises(TransitionError, match="no round"):
        store.rounds.check_in(replace(asked, round=str(uuid.uuid4())))
    assert store.rounds.round(walk.planned.id) == again


def test_offline_check_ins_that_arrive_in_any_order_give_the_same_round(store: Store, clock: SimulatedClock) -> None:
    walk = walk_of(store)
    clock.advance(3 * HOUR)
    store.rounds.keep()  # all of it was told as missed already
    for stop in reversed(walk.planned.stops):
        after = store.rounds.check_in(asks(walk.planned, at_s=stop.due_s, code=code(store, stop.checkpoint)))
    assert after.result.state is RoundState.COMPLETED
    assert after.result.figures.odd == 0
    assert [each.at_s for each in after.result.stops] == [stop.due_s for stop in walk.planned.stops]


def test_refused_codes_are_recorded_and_change_nothing(store: Store, clock: SimulatedClock) -> None:
    walk = walk_of(store)
    clock.advance(HOUR)
    printed = code(store, "k1")
    assert store.rounds.renew_codes(LI).version == 2
    forged = printed.replace(":1:", ":2:")
    foreign = printed.replace(":S:", ":T:")
    expected = [
        (printed, Refusal.OLD_VERSION, "k1"),
        (forged, Refusal.FORGED, "k1"),
        (foreign, Refusal.FOREIGN_SITE, "k1"),
        ("k1", Refusal.UNREADABLE, ""),
        (code(store, "k5"), Refusal.NOT_ON_ROUND, "k5"),
    ]
    for shown, refusal, _ in expected:
        with pytest.raises(CodeError) as caught:
            store.rounds.check_in(asks(walk.planned, code=shown))
        assert caught.value.refusal is refusal
    attempts = store.rounds.code_attempts()
    assert [(each.refusal, each.checkpoint) for each in reversed(attempts)] == [(each[1], each[2]) for each in expected]
    assert {(each.by.id, each.round) for each in attempts} == {("t1", walk.planned.id)}
    assert store.rounds.code_attempts(2, attempts[1].number) == attempts[2:4]
    assert store.rounds.round(walk.planned.id) == replace(walk, result=replace(walk.result))
    assert store.rounds.check_in(asks(walk.planned, code=code(store, "k1"))).result.stops[0].proof is Proof.CODE


def test_another_teams_round_is_not_walked(store: Store, clock: SimulatedClock) -> None:
    walk = walk_of(store)
    clock.advance(HOUR)
    with pytest.raises(DeniedError):
        store.rounds.check_in(asks(walk.planned, code=code(store, "k1"), by=team_actor("t2")))
    with pytest.raises(DeniedError):
        store.rounds.take(does(walk.planned, Act.START, by=team_actor("t2")))
    by_radio = store.rounds.check_in(asks(walk.planned, "k1", by=LI))
    assert by_radio.result.stops[0].proof is Proof.RADIO


def test_a_camera_that_saw_somebody_then_confirms_a_check_in(url: str, clock: SimulatedClock) -> None:
    # c1 looks north from where k1 is; a stop 12 m before it lies in its view.
    base = round_site(route(stops=("k1",), walk_min=()))
    point = replace(base.checkpoints[0], lat=GATE[1] + 12 * METRE_DEG)
    store = Store.open(url, clock, replace(base, checkpoints=(point, *base.checkpoints[1:])))
    walk = walk_of(store)
    clock.advance(HOUR)
    tried = store.rounds.check_in(asks(walk.planned, "k1"))
    assert (tried.result.stops[0].state, tried.entries[0].proof) == (StopState.OPEN, Proof.NONE)
    store.record_events([intrusion("c1", NOON_S - 31.0), intrusion("c4", NOON_S), intrusion("c1", NOON_S, label="vehicle")])
    assert store.rounds.keep().rounds == ()
    store.record_events([intrusion("c1", NOON_S + 20.0)])
    clock.advance(25)
    [seen] = store.rounds.keep().rounds
    assert (seen.result.stops[0].state, seen.result.stops[0].proof) == (StopState.VISITED, Proof.CAMERA)
    assert seen.result.stops[0].at_s == NOON_S  # when the team said so
    assert store.rounds.keep().rounds == ()
    store.close()


def test_a_team_that_passes_a_working_camera_is_credited(store: Store, clock: SimulatedClock) -> None:
    walk = walk_of(store)
    clock.advance(HOUR)
    assert store.rounds.credit("t1", GATE, 5.0, NOON_S, ()) == []  # no camera works
    assert store.rounds.credit("t1", GATE, 5.0, NOON_S, {"c2"}) == []  # too far away
    assert store.rounds.credit("t2", GATE, 5.0, NOON_S, {"c1"}) == []  # not its round
    [credited] = store.rounds.credit("t1", GATE, 5.0, NOON_S, {"c1"})
    assert credited.planned.id == walk.planned.id
    assert [each.proof for each in credited.result.stops] == [Proof.PASSED, None, None, None]
    assert credited.entries[0].camera == "c1"
    assert store.rounds.credit("t1", GATE, 5.0, NOON_S + 1, {"c1"}) == []  # once


def test_a_changed_roster_moves_rounds_that_have_not_begun(store: Store, clock: SimulatedClock) -> None:
    walk = walk_of(store)
    day = walk.planned.day
    leave = RosterChange(str(uuid.uuid4()), ChangeKind.LEAVE, "t1", day, day, other="t2", made_s=clock.now_s())
    store.add_roster_change(leave, LI)
    assert store.rounds.round(walk.planned.id) == walk
    clock.advance(61)
    store.rounds.keep()
    moved = store.rounds.round(walk.planned.id)
    assert moved is not None
    assert moved.planned == replace(walk.planned, team="t2")
    clock.advance(HOUR)
    store.rounds.take(does(moved.planned, Act.START, at_s=clock.now_s()))
    store.undo_roster_change(leave.id, LI)
    clock.advance(61)
    store.rounds.keep()
    assert walk_of(store).planned.team == "t2"  # begun: it stays with who began it


def test_a_route_taken_off_the_site_takes_its_coming_rounds_along_and_leaves_the_past(
    url: str, clock: SimulatedClock, site: Site
) -> None:
    store = Store.open(url, clock, site)
    store.rounds.plan(at_once=True)
    clock.advance(7 * HOUR)
    store.rounds.keep()
    before = store.rounds.rounds(EVERYTHING)
    store.close()
    store = Store.open(url, clock, round_site())
    store.rounds.plan(at_once=True)
    left = store.rounds.rounds(EVERYTHING)
    assert left == [each for each in before if each.planned.opens_s <= clock.now_s()]
    assert left
    store.close()


def test_random_rounds_are_known_to_nobody_before_they_begin(url: str, clock: SimulatedClock) -> None:
    secret = round_site(
        route(starts=Starts(within=Schedule.parse("14:00-16:00"))),
        inspections=(inspection(draw=1, schedule=Schedule.parse("always")),),
    )
    store = Store.open(url, clock, secret)
    store.rounds.plan(at_once=True)
    for each in store.rounds.rounds(EVERYTHING):
        assert each.planned.announced_s == each.planned.opens_s
    shown = RoundFilter(announced_s=clock.now_s())
    assert all(each.planned.opens_s <= clock.now_s() for each in store.rounds.rounds(shown))
    assert all(draw.announced_s <= clock.now_s() for draw in store.rounds.draws())
    for _ in range(2):  # by then the draw of a whole day was announced, whenever that was
        clock.advance(24 * HOUR)
        store.rounds.keep()
    drawn = store.rounds.draws()
    assert drawn
    for draw in drawn:
        assert draw.drawn == draw_checkpoints(draw.pool, draw.count, draw.seed)
    store.close()


def test_an_inspection_is_drawn_on_demand_once_and_can_be_audited(store: Store, clock: SimulatedClock) -> None:
    wanted = WantedDraw(str(uuid.uuid4()), "ab" * 32, 1)
    draw, planned = store.rounds.draw(wanted, LI)
    assert draw.drawn == draw_checkpoints(("k5", "k6"), 1, "ab" * 32)
    assert [stop.checkpoint for walk in planned for stop in walk.stops] == list(draw.drawn)
    assert (planned[0].kind, planned[0].closes_s - clock.now_s()) == (RoundKind.UNANNOUNCED, 7200.0)
    assert store.rounds.draw(replace(wanted, seed="cd" * 32), LI) == (draw, planned)
    assert store.rounds.draws() == [draw]
    store.rounds.plan(at_once=True)
    assert store.rounds.round(planned[0].id) is not None
    for wrong in (replace(wanted, pool=("k9",)), replace(wanted, teams=("t9",)), replace(wanted, count=0)):
        with pytest.raises(CommandError):
            store.rounds.draw(replace(wrong, id=str(uuid.uuid4())), LI)
    assert [row.action for row in store.audit_rows()] == ["draw_inspection"]


def test_a_temporary_stop_is_asked_for_repeated_and_called_off(store: Store, clock: SimulatedClock) -> None:
    asked = TemporaryStop(str(uuid.uuid4()), GATE, "摄像机 c1 离线", clock.now_s() + 5 * HOUR, repeat_min=60.0)
    stop = store.rounds.add_temporary_stop(asked, LI)
    assert (stop.grid_cell, stop.by, stop.made_s) == ("g1", LI.name, clock.now_s())
    assert store.rounds.add_temporary_stop(asked, LI) == stop
    assert store.rounds.temporary_stops() == [stop]
    mine = store.rounds.rounds(RoundFilter(source=stop.id))
    assert [each.planned.team for each in mine] == ["t1"] * 5
    first = mine[-1]
    position = store.rounds.check_in(asks(first.planned, stop.id, clock.now_s(), place=GATE))
    assert (position.result.state, position.result.stops[0].proof) == (RoundState.COMPLETED, Proof.POSITION)  # it has no code
    clock.advance(HOUR)
    withdrawn = store.rounds.withdraw_temporary_stop(stop.id, LI)
    assert withdrawn is not None
    assert withdrawn.withdrawn_s == clock.now_s()
    assert store.rounds.withdraw_temporary_stop(stop.id, LI) == withdrawn
    assert store.rounds.temporary_stops() == []
    assert store.rounds.temporary_stops(all_of_them=True) == [withdrawn]
    left = store.rounds.rounds(RoundFilter(source=stop.id))
    assert [each.result.state for each in left] == [RoundState.WITHDRAWN, RoundState.COMPLETED]
    clock.advance(5 * HOUR)
    assert all(each.planned.source != stop.id for each in store.rounds.keep().rounds)


@pytest.mark.parametrize(
    "changes",
    [
        {"place": (0.0, 0.0)},
        {"why": " "},
        {"why": "x" * 201},
        {"until_s": NOON_S - HOUR},
        {"until_s": NOON_S + 1e9},
        {"team": "t9"},
        {"repeat_min": 1.0},
    ],
)
def test_a_wrong_temporary_stop_is_refused(store: Store, changes: dict[str, object]) -> None:
    asked = TemporaryStop(str(uuid.uuid4()), GATE, "dark", NOON_S + HOUR)
    with pytest.raises(CommandError):
        store.rounds.add_temporary_stop(replace(asked, **changes), LI)  # type: ignore[arg-type]  # values of the right types
    assert store.rounds.temporary_stops(all_of_them=True) == []


def test_pages_hold_every_round_once(store: Store, clock: SimulatedClock) -> None:
    clock.advance(72 * HOUR)
    store.rounds.plan(at_once=True)
    whole = store.rounds.rounds(EVERYTHING)
    paged: list[RoundNow] = []
    while page := store.rounds.rounds(EVERYTHING, 2, paged[-1].planned.id if paged else None):
        paged += page
    assert paged == whole
    assert store.rounds.rounds(EVERYTHING, 2, str(uuid.uuid4())) == []
    inspections = store.rounds.rounds(RoundFilter(kind=RoundKind.INSPECTION, team="t3"))
    assert {each.planned.team for each in inspections} == {"t3"}
    assert store.rounds.rounds(RoundFilter(from_s=NOON_S, to_s=NOON_S)) == []


def test_the_history_of_a_round_is_only_added_to(url: str, store: Store, clock: SimulatedClock) -> None:
    walk = walk_of(store)
    clock.advance(HOUR)
    store.rounds.take(does(walk.planned, Act.START))
    store.close()
    engine = create_engine(url)
    for change in ("UPDATE round_entries SET at_s = 0", "DELETE FROM round_entries"):
        with pytest.raises(Exception, match="append-only"), engine.begin() as connection:
            connection.execute(text(change))
    engine.dispose()


def test_what_is_kept_for_lists_is_what_the_history_gives(url: str, clock: SimulatedClock) -> None:
    """A day with everything in it: recomputing each round from its history gives the columns that lists and sums read."""
    site = round_site(
        route(starts=Starts(at=Times.parse("12:00, 15:00, 18:00"))),
        route("r2", teams=("t3",), starts=Starts(every_h=6.0), stops=("k5",), walk_min=()),
        inspections=(inspection(), inspection(id="surprise", draw=1)),
        site=small_site({"t3": "06:00-22:00"}),
    )
    store = Store.open(url, clock, site)
    store.rounds.keep()
    walk = walk_of(store)
    clock.advance(HOUR)
    store.rounds.take(does(walk_of(store, "r2").planned, Act.SKIP, clock.now_s(), "k5", "locked"))
    visit_all(store, clock, walk)
    for _ in range(20):
        clock.advance(HOUR)
        store.rounds.keep()
    engine = create_engine(url)
    with engine.connect() as connection:
        for row in connection.execute(select(rounds)).mappings():
            now = store.rounds.round(row["id"])
            assert now is not None
            figures = now.result.figures
            kept = tuple(row[name] for name in ("stop_count", "visited", "on_time", "late", "skipped", "missed", "odd"))
            assert kept == (
                figures.stops,
                figures.visited,
                figures.on_time,
                figures.late,
                figures.skipped,
                figures.missed,
                figures.odd,
            )
            assert (row["state"], row["look_s"]) == (now.result.state.value, now.result.look_s)
    engine.dispose()
    store.close()
