"""What the gate lets through, in which order, and what it gives up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from base import Packet, SimulatedClock
from ingest.gate import Gate
from ingest.ring import Ring

ANY = float("inf")


def packet(index: int, key: bool | None = None, row: int = 0) -> Packet:
    """Frame `index`, a key frame every ten."""
    return Packet(f"c{row}", float(index), index, index % 10 == 0 if key is None else key, b"x" * 10)


def gate(rows: int = 2, most: int = 60) -> tuple[Gate, SimulatedClock]:
    clock = SimulatedClock()
    return Gate(Ring(rows, 3, 10_000, 100_000), clock, most), clock


def drain(one: Gate, row: int | None = None) -> list[tuple[int, bool]]:
    """(frame, awake) of all work, of one camera or any."""
    out = []
    while (work := one.next_work(lambda at, _: row is None or at == row)) is not None:
        out.append((work.packet.pts_90k, work.awake))
    return out


def test_quiet_cameras_get_key_frames_only_and_the_newest_wins() -> None:
    one, _ = gate()
    one.admit(0, [packet(index) for index in range(15)])
    assert one.work_ready.is_set() and drain(one) == [(10, False)]
    one.admit(0, [packet(20)])
    one.admit(0, [packet(30)])
    assert drain(one) == [(30, False)] and one.stats().dropped == 2  # frame 0 and frame 20


def test_waking_decodes_from_the_last_key_frame_and_onwards() -> None:
    one, clock = gate()
    one.admit(0, [packet(index) for index in range(15)])
    drain(one)
    one.wake(0, clock.now_s() + 5)
    assert one.awake(0) and not one.awake(1)
    one.admit(0, [packet(index) for index in range(15, 22)])
    assert drain(one) == [(index, True) for index in range(10, 22)]
    assert not one.rest(0)
    clock.advance(6)
    one.admit(0, [packet(index) for index in range(22, 31)])
    assert drain(one) == [(30, False)] and one.rest(0)


def test_waking_goes_back_before_the_key_frame_that_was_its_reason_but_never_twice() -> None:
    def soon(index: int) -> Packet:
        return packet(index)._replace(time_s=index / 5)

    one, clock = gate()
    one.admit(0, [soon(index) for index in range(22)])
    drain(one)
    one.wake(0, clock.now_s() + 1)
    assert drain(one) == [(index, True) for index in range(10, 22)]
    clock.advance(2)
    one.admit(0, [soon(index) for index in range(22, 32)])
    assert drain(one) == [(30, False)]
    one.wake(0, clock.now_s() + 1)
    assert drain(one) == [(30, True), (31, True)], "what lies before 22 was decoded"
    clock.advance(2)
    one.admit(0, [soon(index) for index in range(32, 52)])
    one.wake(0, clock.now_s() + 1)
    assert drain(one) == [(index, True) for index in range(40, 52)]


def test_waking_is_extended_never_shortened() -> None:
    one, clock = gate()
    one.admit(0, [packet(0)])
    one.wake(0, clock.now_s() + 5)
    one.wake(0, clock.now_s() + 20)
    one.wake(0, clock.now_s() + 1)
    assert drain(one) == [(0, True)]
    clock.advance(19)
    assert one.awake(0)
    clock.advance(2)
    assert not one.awake(0)


def test_a_camera_put_to_sleep_gives_up_what_waits_and_may_be_woken_again() -> None:
    one, clock = gate()
    one.admit(0, [packet(index) for index in range(15)])
    drain(one)
    before = one.stats().dropped
    one.wake(0, clock.now_s() + 50)
    one.sleep(0)
    one.sleep(1)  # never was awake
    assert not one.awake(0) and one.rest(0) and drain(one) == [] and one.stats().dropped - before == 5
    one.admit(0, [packet(index) for index in range(15, 22)])
    assert drain(one) == [(20, False)], "key frames go on"
    one.wake(0, clock.now_s() + 5)
    assert drain(one) == [(20, True), (21, True)]


@pytest.mark.parametrize("step_s", [-3600.0, 3600.0])
def test_a_step_of_the_wall_clock_neither_closes_a_gate_nor_holds_it_open(step_s: float) -> None:
    one, clock = gate()
    one.admit(0, [packet(0)])
    one.wake(0, clock.now_s() + 10)
    clock.step_wall(step_s)
    clock.advance(9)
    assert one.awake(0) and one.stats().awake == 1
    one.wake(0, clock.now_s() + 5)  # extends by the new time
    clock.advance(4)
    assert one.awake(0)
    clock.advance(2)
    assert not one.awake(0) and one.stats().awake == 0


def test_one_call_opens_a_gate_for_two_minutes_at_most() -> None:
    one, clock = gate()
    one.wake(0, clock.now_s() + 1e6)
    clock.advance(119)
    assert one.awake(0)
    clock.advance(2)
    assert not one.awake(0)


def test_waking_again_later_starts_from_the_ring_again() -> None:
    one, clock = gate()
    one.admit(0, [packet(0), packet(1)])
    one.wake(0, clock.now_s() + 1)
    drain(one)
    clock.advance(2)
    one.admit(0, [packet(2)])
    one.rest(0)
    one.wake(0, clock.now_s() + 1)
    assert drain(one) == [(0, True), (1, True), (2, True)]


def test_key_frames_after_the_end_keep_their_place_behind_what_waits() -> None:
    one, clock = gate()
    one.admit(0, [packet(0), packet(1)])
    one.wake(0, clock.now_s() + 1)
    clock.advance(2)
    one.admit(0, [packet(2), packet(10)])
    assert drain(one) == [(0, True), (1, True), (10, True)]


def test_what_is_far_behind_when_the_time_is_over_gives_way_to_key_frames() -> None:
    one, clock = gate()
    one.admit(0, [packet(0)])
    one.wake(0, clock.now_s() + 5)
    one.admit(0, [packet(index) for index in range(1, 14)])
    clock.advance(6)
    before = one.stats().dropped
    one.admit(0, [packet(index) for index in range(14, 21)])
    assert drain(one) == [(20, False)] and one.stats().dropped == before + 14 and one.rest(0)


def test_a_decoder_that_falls_behind_loses_whole_gops() -> None:
    one, clock = gate(most=12)
    one.wake(0, clock.now_s() + 100)
    one.admit(0, [packet(index) for index in range(14)])
    assert drain(one) == [(index, True) for index in range(10, 14)] and one.stats().dropped == 10


def test_a_gop_longer_than_the_queue_waits_for_the_next_key_frame() -> None:
    one, clock = gate(most=5)
    one.wake(0, clock.now_s() + 100)
    one.admit(0, [packet(index) for index in range(6)])
    one.admit(0, [packet(7), packet(8)])
    assert drain(one) == [] and one.stats().dropped == 8
    one.admit(0, [packet(10), packet(11)])
    assert drain(one) == [(10, True), (11, True)]


def test_after_a_reconnect_the_awake_decoder_waits_for_a_key_frame() -> None:
    one, clock = gate()
    one.admit(0, [packet(0), packet(1)])
    one.wake(0, clock.now_s() + 100)
    one.restart(0)
    one.admit(0, [packet(2), packet(3)])
    one.admit(0, [packet(10)])
    assert drain(one) == [(0, True), (1, True), (10, True)]


def test_quiet_and_awake_work_take_turns() -> None:
    one, clock = gate(rows=4)
    for row in (0, 1, 2):
        one.admit(row, [packet(0, row=row)])
    one.wake(3, clock.now_s() + 10)
    one.admit(3, [packet(index) for index in range(4)])
    kinds = [awake for _, awake in drain(one)]
    assert sorted(kinds[:6]) == [False] * 3 + [True] * 3


def test_no_room_no_work() -> None:
    one, clock = gate()
    one.admit(0, [packet(0)])
    one.wake(1, clock.now_s() + 10)
    one.admit(1, [packet(0)])
    assert one.next_work(lambda row, awake: False) is None
    work = one.next_work(lambda row, awake: awake)
    assert work is not None and work.row == 1


step = st.one_of(
    st.tuples(st.just("packets"), st.integers(1, 15)),
    st.tuples(st.just("wake"), st.integers(1, 10)),
    st.tuples(st.just("pass"), st.integers(1, 6)),
    st.tuples(st.just("work"), st.integers(1, 20)),
    st.tuples(st.just("restart"), st.just(0)),
)


@given(st.lists(step, max_size=60))
def test_whatever_happens_awake_packets_follow_a_key_frame_without_gap(steps: list[tuple[str, int]]) -> None:
    """The awake decoder sees key frames, and packets whose predecessor it has seen; never anything else."""
    one, clock = gate(rows=1, most=12)
    index, last_awake = 0, -5
    for what, number in steps:
        if what == "packets":
            one.admit(0, [packet(at) for at in range(index, index + number)])
            index += number
        elif what == "wake":
            one.wake(0, clock.now_s() + number)
        elif what == "pass":
            clock.advance(number)
        elif what == "restart":
            one.restart(0)
            index += 1  # a frame was missed in between
        else:
            for _ in range(number):
                work = one.next_work(lambda row, awake: True)
                if work is None:
                    break
                if work.awake:
                    assert work.packet.is_key or work.packet.pts_90k == last_awake + 1
                    last_awake = work.packet.pts_90k
                else:
                    assert work.packet.is_key


def test_what_waits_for_a_decoder_is_bounded_by_bytes_too() -> None:
    clock = SimulatedClock()
    one = Gate(Ring(1, gops=3, camera_bytes=2**22, total_bytes=2**22), clock, 300)
    one.wake(0, clock.now_s() + 60)
    for index in range(100):
        one.admit(0, [Packet("c", 0.0, index, True, bytes(2**20))])
    waiting = [index for index, _ in drain(one)]
    assert waiting == list(range(68, 100)) and one.stats().dropped == 68


def test_what_a_wake_begins_with_is_no_backlog_until_it_stays_undone() -> None:
    one, clock = gate()
    one.admit(0, [packet(index) for index in range(9)])
    one.wake(0, clock.now_s() + 60)
    assert one.backlog_s() == 0.0
    clock.advance(3)
    assert one.backlog_s() == 3.0, "three seconds later it is"
    clock.advance(30)
    assert one.backlog_s() == 8.0, "never more than what waits"
    drain(one)
    assert one.backlog_s() == 0.0
