"""Who is awake: everybody while there is room; then by rank and turn; nothing is left open or forgotten."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from base import SimulatedClock
from detect.budget import Costs
from detect.wake import NOT_ARMED, WakeCause, Wakes

START_S = 1_700_000_000.0


class Hall:
    """Ten cameras of severity 2 that cost 0.01 cores each, and what their gates were told."""

    def __init__(self) -> None:
        self.clock = SimulatedClock(START_S)
        self.until_s: dict[int, float] = {}
        self.wakes = Wakes(10, self.until_s.__setitem__, self.close, self.clock)
        self.rank = np.full(10, 2.0)

    def close(self, row: int) -> None:
        del self.until_s[row]

    def turn(self, seconds: float = 0.1, budget: float = 1.0) -> tuple[list[int], list[int], list[int], list[int]]:
        self.clock.advance(seconds)
        turn = self.wakes.turn(budget, Costs(10), self.rank)
        return [row for row, _ in turn.woken], list(turn.ended), list(turn.cut), list(turn.refused)

    def awake(self) -> list[int]:
        return sorted(row for row, _ in self.wakes.awake_since())


def test_while_there_is_room_everybody_is_let_in_at_once_and_ends_in_time() -> None:
    hall = Hall()
    hall.wakes.ask(3, 6.0, WakeCause.KEY_FRAME)
    assert hall.turn() == ([3], [], [], [])
    assert hall.until_s[3] == hall.clock.now_s() + 6.0
    hall.turn(4.0)
    hall.wakes.ask(3, 6.0, WakeCause.FOLLOW)
    hall.turn()
    assert abs(hall.until_s[3] - (hall.clock.now_s() + 6.0)) < 1e-6, "extended"
    assert hall.wakes.cause(3) is WakeCause.KEY_FRAME
    assert hall.turn(5.9)[1] == [] and hall.turn(0.2)[1] == [3]
    assert not hall.wakes.wants(3) and hall.turn() == ([], [], [], [])


def test_one_who_waits_gets_its_full_time_and_is_refused_when_it_took_too_long() -> None:
    hall = Hall()
    hall.wakes.ask(0, 100.0, WakeCause.KEY_FRAME)
    hall.turn(budget=0.0)
    hall.rank[1] = NOT_ARMED
    hall.wakes.ask(1, 5.0, WakeCause.CAMERA)
    hall.turn(budget=0.0)
    assert hall.awake() == [0] and hall.wakes.waiting() == [1] and hall.wakes.wanting == 1
    woken, _, cut, _ = hall.turn(5.0, budget=0.0)
    assert (woken, cut) == ([1], [0]), "its turn: nobody waits for ever"
    assert hall.wakes.waiting() == [0], "for the rest of its time"
    assert hall.until_s == {1: hall.clock.now_s() + 5.0}
    hall.wakes.ask(2, 5.0, WakeCause.KEY_FRAME)
    for _ in range(40):
        hall.wakes.ask(1, 50.0, WakeCause.FOLLOW)
        hall.wakes.ask(3, 50.0, WakeCause.FOLLOW)
        hall.wakes.ask(4, 50.0, WakeCause.FOLLOW)
        hall.turn(1.0, budget=0.0)
    assert len(hall.awake()) == 1 and hall.wakes.cut >= 5


def test_severity_1_is_let_in_at_once_at_the_cost_of_others() -> None:
    hall = Hall()
    for row in range(9):
        hall.wakes.ask(row, 60.0, WakeCause.KEY_FRAME)
    hall.turn(budget=0.05)
    assert len(hall.awake()) == 5
    hall.rank[9] = 1
    hall.wakes.ask(9, 6.0, WakeCause.KEY_FRAME)
    woken, _, cut, _ = hall.turn(0.2, budget=0.05)
    assert 9 in woken and len(cut) == 1 and len(hall.awake()) == 5


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 9), st.sampled_from([1.0, 6.0, 20.0]), st.floats(0.01, 3.0)), max_size=60),
    st.floats(0, 0.1),
)
def test_gates_and_wishes_agree(script: list[tuple[int, float, float]], budget: float) -> None:
    hall = Hall()
    for row, hold_s, step_s in script:
        hall.wakes.ask(row, hold_s, WakeCause.KEY_FRAME)
        hall.turn(step_s, budget)
        is_open = {row for row, until_s in hall.until_s.items() if until_s > hall.clock.now_s() + 1e-6}
        assert is_open <= set(hall.awake()), "a gate that is open is accounted for"
        assert len(hall.awake()) <= budget / 0.01 + 1 + 1e-9
        assert hall.wakes.awake_cores <= budget + 0.01 + 1e-9
    for _ in range(600):
        hall.turn(1.0, budget)
    assert not hall.awake() and not hall.wakes.waiting(), "everything ends"
