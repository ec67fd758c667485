"""Clocks: the real one tells the real time, the simulated one moves only when told."""

import threading
import time

import pytest

from base import SimulatedClock, SystemClock


def test_the_system_clock_tells_the_machine_s_time() -> None:
    clock = SystemClock()
    before = time.time()
    assert before <= clock.now_s() <= time.time()
    first = clock.monotonic_s()
    clock.sleep(-1)
    clock.sleep(0)
    assert clock.monotonic_s() >= first


def test_the_system_clock_waits_no_longer_than_told_and_wakes_early() -> None:
    clock, event = SystemClock(), threading.Event()
    assert not clock.wait(event, -5)
    assert not clock.wait(event, 0.001)
    event.set()
    began = clock.monotonic_s()
    assert clock.wait(event, 60)
    assert clock.monotonic_s() - began < 30


def test_simulated_time_moves_only_when_told() -> None:
    clock = SimulatedClock(1000.0)
    assert (clock.now_s(), clock.monotonic_s()) == (1000.0, 0.0)
    clock.advance(2.5)
    clock.sleep(1.5)
    clock.sleep(-3)
    assert (clock.now_s(), clock.monotonic_s()) == (1004.0, 4.0)


def test_a_step_of_the_wall_clock_leaves_timers_alone() -> None:
    clock = SimulatedClock(1000.0)
    clock.step_wall(-3600)
    assert (clock.now_s(), clock.monotonic_s()) == (-2600.0, 0.0)
    with pytest.raises(ValueError, match="cannot run backwards"):
        clock.advance(-1)


def test_waiting_on_the_simulated_clock_passes_its_time_at_once() -> None:
    clock, event = SimulatedClock(), threading.Event()
    assert not clock.wait(event, 30)
    assert clock.monotonic_s() == 30
    event.set()
    assert clock.wait(event, 30)
    assert clock.monotonic_s() == 30, "an event that is set costs no time"


def test_many_threads_may_move_the_simulated_clock() -> None:
    clock = SimulatedClock(0.0)

    def push() -> None:
        for _ in range(400):
            clock.advance(0.25)

    threads = [threading.Thread(target=push, name=f"push-{n}") for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert clock.monotonic_s() == 400.0
