"""Which rounds there are: times, shifts, chance, and the two nights in which clocks are changed."""

from collections import Counter
from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from base import TransitionError
from camera_config.round_rules import Order, Starts, Times
from camera_config.schedule import Schedule
from camera_config.site import Site
from patrol.grid import Grid
from patrol.inspections import draw_checkpoints, seed_of, share
from patrol.round_plan import DWELL_S, Plan, RoundPlanner
from patrol.rounds import Round, RoundKind, TemporaryStop
from patrol.shifts import ChangeKind, RosterChange
from tests.patrol.round_site import SEED, inspection, planned, round_site, route
from tests.patrol.small_site import NOON_S, small_site

DAY_S = 86_400.0
BERLIN = ZoneInfo("Europe/Berlin")


def plan(site: Site, from_s: float, to_s: float, seed: str = SEED, changes: tuple[RosterChange, ...] = ()) -> Plan:
    return RoundPlanner(Grid(site), seed).plan(changes, (), from_s, to_s)


def wall(walk: Round, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(walk.due_s, zone).strftime("%d %H:%M")


def test_a_fixed_route_has_a_window_around_each_stop() -> None:
    [walk] = planned(round_site(route()))
    assert (walk.team, walk.due_s, walk.opens_s, walk.closes_s) == ("t1", NOON_S, NOON_S - 600, NOON_S + 1800 + 900)
    assert [stop.due_s - NOON_S for stop in walk.stops] == [0, 600, 1200, 1800]
    assert [stop.until_s - stop.from_s for stop in walk.stops] == [1500] * 4
    [free] = planned(round_site(route(order=Order.FREE)))
    assert {(stop.from_s, stop.until_s) for stop in free.stops} == {(walk.opens_s, walk.closes_s)}


def test_without_given_times_the_walk_is_worked_out() -> None:
    [walk] = planned(round_site(route(walk_min=())))
    leg_s = walk.stops[1].due_s - walk.stops[0].due_s
    assert leg_s == pytest.approx(DWELL_S + 96.3 * 1.3 / 1.3, abs=1.0)  # 30 % more than the straight line, at 1.3 m/s


def test_times_of_days() -> None:
    site = round_site(route(starts=Starts(at=Times.parse("mon-fri 08:00, sat 22:30, 08:00"))))
    week = plan(site, NOON_S - 3 * DAY_S, NOON_S + 4 * DAY_S).rounds
    found = [datetime.fromtimestamp(walk.due_s, site.zone_info).strftime("%a %H:%M") for walk in week]
    days = [f"{day} 08:00" for day in ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat")]
    assert found == ["Mon 08:00", "Tue 08:00", "Wed 08:00", "Thu 08:00", "Fri 08:00", "Sat 08:00", "Sat 22:30", "Sun 08:00"]
    assert found[:6] == days


def test_every_few_hours_begins_with_the_shift_and_follows_who_stands_in() -> None:
    site = round_site(
        route(starts=Starts(every_h=4.0), teams=("t1", "t3")),
        site=small_site({"t1": "08:00-18:00", "t3": "20:00-22:00"}),
    )
    found = [(wall(walk, site.zone_info), walk.team) for walk in plan(site, NOON_S - 12 * 3600, NOON_S + 12 * 3600).rounds]
    assert found == [("15 08:00", "t1"), ("15 12:00", "t1"), ("15 16:00", "t1"), ("15 20:00", "t3")]
    day = date(2023, 11, 15)
    leave = RosterChange("x", ChangeKind.LEAVE, "t1", day, day, other="t2")
    covered = plan(site, NOON_S - 12 * 3600, NOON_S + 12 * 3600, changes=(leave,)).rounds
    assert [walk.team for walk in covered] == ["t2", "t2", "t2", "t3"]
    assert [walk.id for walk in covered] == [walk.id for walk in plan(site, NOON_S - 12 * 3600, NOON_S + 12 * 3600).rounds]


def test_a_round_goes_to_the_first_on_shift_and_to_nobody_if_nobody_is() -> None:
    site = small_site({"t1": "22:00-06:00", "t2": "08:00-18:00"})
    assert [walk.team for walk in planned(round_site(route(teams=("t1", "t2")), site=site))] == ["t2"]
    assert [walk.team for walk in planned(round_site(route(teams=("t1",)), site=site))] == [""]
    assert [walk.team for walk in planned(round_site(route(teams=(), grid_cell="g1"), site=site))] == ["t2"]


def test_random_times_are_spread_within_their_window_known_by_the_seed_and_by_nothing_else() -> None:
    site = round_site(route(starts=Starts(within=Schedule.parse("22:00-04:00"), times=3)))
    from_s, to_s = NOON_S, NOON_S + 20 * DAY_S
    rounds = plan(site, from_s, to_s).rounds
    assert plan(site, from_s, to_s).rounds == rounds
    assert len(rounds) == 60
    per_night = Counter(walk.day for walk in rounds)
    assert set(per_night.values()) == {3}
    for walk in rounds:
        begin = datetime(walk.day.year, walk.day.month, walk.day.day, 22, tzinfo=site.zone_info).timestamp()
        assert begin <= walk.due_s < begin + 6 * 3600
        assert walk.announced_s == walk.opens_s  # nobody is told before
    other = plan(site, from_s, to_s, seed="11" * 32).rounds
    assert not {walk.due_s for walk in rounds} & {walk.due_s for walk in other}


def test_planning_a_piece_at_a_time_finds_the_same_rounds_as_all_at_once() -> None:
    site = round_site(
        route(starts=Starts(within=Schedule.parse("22:00-04:00"), times=2)),
        route("r2", starts=Starts(every_h=3.0)),
        inspections=(inspection(), inspection(id="surprise", draw=1)),
    )
    whole = plan(site, NOON_S, NOON_S + 4 * DAY_S)
    pieces = [plan(site, NOON_S + n * DAY_S / 3, NOON_S + (n + 1) * DAY_S / 3) for n in range(12)]
    assert [walk for piece in pieces for walk in piece.rounds] == list(whole.rounds)
    assert [draw for piece in pieces for draw in piece.draws] == list(whole.draws)


@pytest.mark.parametrize(
    ("night", "expected"),
    [
        # Clocks go from 02:00 to 03:00: 02:30 does not come, its round is at the moment of the jump; no round is lost.
        ((2026, 3, 29), ["29 01:30", "29 03:00", "29 03:30"]),
        # Clocks go from 03:00 back to 02:00: 02:30 comes twice, its round once.
        ((2026, 10, 25), ["25 01:30", "25 02:30", "25 03:30"]),
    ],
)
def test_both_nights_in_which_clocks_change_have_each_round_once(night: tuple[int, int, int], expected: list[str]) -> None:
    site = replace(round_site(route(starts=Starts(at=Times.parse("01:30, 02:30, 03:30")))), timezone="Europe/Berlin")
    begin_s = datetime(*night, tzinfo=BERLIN).timestamp()
    rounds = plan(site, begin_s, begin_s + 6 * 3600).rounds
    assert [wall(walk, BERLIN) for walk in rounds] == expected
    assert len({walk.id for walk in rounds}) == 3
    for walk in rounds:  # grace and walking times are real minutes, also across the change
        assert walk.closes_s - walk.opens_s == 600 + 1800 + 900


def test_a_daily_inspection_names_each_key_node_once_and_splits_them_by_who_serves_them() -> None:
    rounds = planned(round_site(inspections=(inspection(),)))
    assert [(walk.kind, walk.team, [stop.checkpoint for stop in walk.stops]) for walk in rounds] == [
        (RoundKind.INSPECTION, walk.team, ["k5"] if walk.team == "t3" else ["k6"]) for walk in rounds
    ]
    assert sorted(walk.team for walk in rounds) == ["t3", "t4"]
    assert {(walk.opens_s, walk.closes_s) for walk in rounds} == {(NOON_S - 4 * 3600, NOON_S + 6 * 3600)}
    late = small_site({"t3": "14:00-16:00"})  # nobody at 8: who comes on shift first in the window
    assert sorted(walk.team for walk in planned(round_site(inspections=(inspection(),), site=late))) == ["t3", "t4"]
    absent = small_site({"t3": "never"})
    assert sorted(walk.team for walk in planned(round_site(inspections=(inspection(),), site=absent))) == ["", "t4"]


def test_an_unannounced_inspection_can_be_drawn_again_by_who_knows_its_seed() -> None:
    site = round_site(inspections=(inspection(draw=1, within_min=60.0),))
    found = plan(site, NOON_S - 12 * 3600, NOON_S + 10 * DAY_S)
    draws = {draw.id: draw for draw in found.draws}
    assert len(found.rounds) == len(draws) == 10
    for walk in found.rounds:
        draw = draws[walk.draw]
        assert draw.drawn == draw_checkpoints(draw.pool, draw.count, draw.seed) == (walk.stops[0].checkpoint,)
        assert draw.pool == ("k5", "k6")
        assert walk.announced_s == walk.opens_s == draw.announced_s
        assert walk.closes_s == walk.opens_s + 3600
    assert len({draw.seed for draw in draws.values()}) == 10
    assert SEED not in {draw.seed for draw in draws.values()}
    assert {walk.stops[0].checkpoint for walk in found.rounds} == {"k5", "k6"}  # over days, everybody's turn comes


def test_a_temporary_stop_is_passed_once_or_again_and_again_until_it_is_over() -> None:
    site, until_s = round_site(), NOON_S + 5 * 3600
    once = TemporaryStop("s1", (120.002, 30.003), "camera c1 down", until_s, grid_cell="g1", made_s=NOON_S)
    planner = RoundPlanner(Grid(site), SEED)
    [walk] = planner.plan((), (once,), NOON_S, NOON_S + DAY_S).rounds
    assert (walk.kind, walk.team, walk.due_s, walk.closes_s) == (RoundKind.TEMPORARY, "t1", NOON_S, NOON_S + 3600)
    assert not walk.stops[0].has_code
    hourly = replace(once, repeat_min=60.0)
    rounds = planner.plan((), (hourly,), NOON_S, NOON_S + DAY_S).rounds
    assert [each.due_s - NOON_S for each in rounds] == [0, 3600, 7200, 10800, 14400]
    off = planner.plan((), (replace(hourly, withdrawn_s=NOON_S + 4000),), NOON_S, NOON_S + DAY_S).rounds
    assert [each.due_s - NOON_S for each in off] == [0, 3600]


@given(
    st.sets(st.sampled_from([f"k{n}" for n in range(30)]), min_size=1),
    st.integers(1, 40),
    st.text("0123456789abcdef", max_size=8),
)
def test_a_draw_is_a_part_of_its_pool_whatever_its_order(pool: set[str], count: int, seed: str) -> None:
    drawn = draw_checkpoints(sorted(pool), count, seed)
    assert drawn == draw_checkpoints(sorted(pool, reverse=True), count, seed)
    assert len(set(drawn)) == len(drawn) == min(count, len(pool))
    assert set(drawn) <= pool
    assert drawn[:1] == draw_checkpoints(pool, 1, seed)


def test_draws_are_fair_and_shares_are_spread() -> None:
    pool = [f"k{n}" for n in range(10)]
    counted = Counter(drawn for n in range(2000) for drawn in draw_checkpoints(pool, 3, seed_of(SEED, str(n))))
    assert all(520 <= counted[point] <= 680 for point in pool)  # 600 expected, 20.5 is one standard deviation
    shares = [share(SEED, str(n)) for n in range(2000)]
    assert all(0.0 <= each < 1.0 for each in shares)
    assert sum(shares) / 2000 == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize(("pool", "count"), [([], 1), (["k1"], 0)])
def test_an_empty_draw_is_refused(pool: list[str], count: int) -> None:
    with pytest.raises(TransitionError):
        draw_checkpoints(pool, count, SEED)
