"""The decode budget: never overspent by more than a camera, nobody starves, and what matters goes first."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detect.budget import Costs, Want, choose

TURN_S = 4.0


@st.composite
def wants(draw: st.DrawFn) -> list[Want]:
    rows = draw(st.lists(st.integers(0, 50), unique=True, max_size=30))
    return [
        Want(
            row,
            draw(st.sampled_from([1.0, 1.5, 2.0, 3.0, 4.0, 5.0])),
            draw(st.floats(1e-4, 0.5)),
            draw(st.floats(0, 1e6)),
            draw(st.none() | st.floats(0, 100)),
            draw(st.booleans()),
        )
        for row in rows
    ]


@settings(max_examples=300)
@given(wants(), st.floats(0, 2))
def test_the_budget_is_never_exceeded_by_more_than_one_camera(asked: list[Want], budget: float) -> None:
    choice = choose(asked, budget, TURN_S)
    cost = {want.row: want.cost for want in asked}
    spent = [cost[row] for row in choice.ranked + choice.turns]
    assert sum(spent[:-1]) <= budget + 1e-9
    assert len(choice.rows) == len(spent), "nobody is chosen twice"
    assert bool(choice.rows) == bool(asked), "somebody is always served"
    shuffled = sorted(asked, key=lambda want: hash((want.row * 7919) % 101))
    assert choose(shuffled, budget, TURN_S).rows == choice.rows, "the order of asking changes nothing"


@settings(max_examples=300)
@given(wants(), st.floats(0, 2))
def test_nobody_is_passed_over_for_one_who_matters_less(asked: list[Want], budget: float) -> None:
    choice = choose(asked, budget, TURN_S)
    by_row = {want.row: want for want in asked}
    for waiting in set(by_row) - choice.rows:
        for row in choice.ranked:
            other = by_row[row]
            assert other.rank <= by_row[waiting].rank or other.cost < by_row[waiting].cost


def play(ranks: Sequence[float], cost: float, budget: float, seconds: int) -> dict[int, list[int]]:
    """Everybody wants all the time; the seconds in which each was awake."""
    awake: dict[int, tuple[float, bool]] = {}
    last = dict.fromkeys(range(len(ranks)), -1.0)
    seen: dict[int, list[int]] = {row: [] for row in range(len(ranks))}
    for now in range(seconds):
        asked = []
        for row, rank in enumerate(ranks):
            since, by_turn = awake.get(row, (None, False))
            unseen = 0.0 if row in awake else now - last[row]
            asked.append(Want(row, rank, cost, unseen, None if since is None else now - since, by_turn))
        choice = choose(asked, budget, TURN_S)
        for row in set(awake) - choice.rows:
            del awake[row]
        for row in choice.rows:
            awake[row] = (awake[row][0] if row in awake else float(now), row in choice.turns)
            last[row] = now
            seen[row].append(now)
    return seen


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([1.0, 2.0, 4.0, 5.0]), min_size=1, max_size=15), st.floats(0.05, 1.0), st.floats(0, 3))
def test_everyone_who_wants_is_served_within_bounded_time(ranks: list[float], cost: float, budget: float) -> None:
    bound = int(len(ranks) * (TURN_S + 1)) + 1
    for row, seconds in play(ranks, cost, budget, 4 * bound).items():
        waits = np.diff([-1, *seconds, 4 * bound])
        assert waits.max() <= bound, f"row {row} waited {waits.max()} s"


def test_equals_take_turns_and_a_look_is_not_broken_off_for_an_equal() -> None:
    seen = play([2.0] * 8, cost=0.1, budget=0.4, seconds=400)
    lengths = [len(part) for seconds in seen.values() for part in np.split(seconds, np.flatnonzero(np.diff(seconds) > 1) + 1)]
    assert min(lengths[:-1]) >= 1 and np.median(lengths) >= TURN_S
    shares = [len(seconds) / 400 for seconds in seen.values()]
    assert max(shares) < 2 * min(shares)


def test_severity_1_is_always_awake_while_there_is_room_for_it() -> None:
    seen = play([1.0] * 3 + [2.0] * 20, cost=0.1, budget=0.5, seconds=300)
    assert all(len(seen[row]) == 300 for row in range(3))


def test_an_unarmed_camera_gets_its_turn_beside_a_crowd_of_armed_ones() -> None:
    seen = play([1.0] * 20 + [5.0], cost=0.1, budget=0.5, seconds=21 * 5 * 4)
    assert len(seen[20]) >= 3 * TURN_S


@pytest.mark.parametrize("rows", [1, 5])
def test_costs_are_running_means_of_processor_time(rows: int) -> None:
    costs = Costs(rows)
    assert costs.of(0) == pytest.approx(0.01), "before anything is known"
    awake, quiet = np.zeros(rows), np.zeros(rows)
    looked = np.arange(rows) == 0
    for second in range(120):
        costs.measure(float(second), quiet, awake, looked)
        awake[0] += 0.03
        quiet += 0.002
    assert costs.of(0) == pytest.approx(0.03)
    assert costs.of(rows - 1) == pytest.approx(0.03), "as the others"
    assert costs.quiet_cores == pytest.approx(0.002 * rows, rel=0.02)
    for second in range(120, 125):
        costs.measure(float(second), quiet, awake, looked)
        awake[0] += 0.3
        quiet += 0.002
    assert 0.03 < costs.of(0) < 0.1, "one bad moment does not count as the rule"
