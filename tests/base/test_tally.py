"""Repeated errors: the first at once, then one line a second with a count and the last of them."""

import logging

import pytest

from base import SimulatedClock, Tally

logger = logging.getLogger("tests.tally")


def test_a_flood_becomes_one_line_a_second(caplog: pytest.LogCaptureFixture) -> None:
    clock = SimulatedClock()
    tally = Tally(logger, clock)
    with caplog.at_level(logging.WARNING, "tests.tally"):
        for number in range(3001):
            tally.warn("c0417", f"lost packet {number}")
            clock.advance(0.001)
    messages = [record.getMessage() for record in caplog.records]
    assert messages[0] == "c0417: lost packet 0"
    assert len(messages) in (3, 4), "three seconds"
    assert messages[1].startswith("c0417: lost packet 100")
    assert messages[1].endswith("(and 999 more like it)") or messages[1].endswith("(and 1000 more like it)")


def test_every_message_is_either_logged_or_counted(caplog: pytest.LogCaptureFixture) -> None:
    clock = SimulatedClock()
    tally = Tally(logger, clock, every_s=2.0)
    with caplog.at_level(logging.WARNING, "tests.tally"):
        for _ in range(7):
            tally.warn("a", "x")
        assert tally.silent("a") == 6
        clock.advance(2.0)
        tally.warn("a", "y")
    assert [record.getMessage() for record in caplog.records] == ["a: x", "a: y (and 6 more like it)"]
    assert tally.silent("a") == 0


def test_keys_do_not_silence_each_other(caplog: pytest.LogCaptureFixture) -> None:
    tally = Tally(logger, SimulatedClock())
    with caplog.at_level(logging.WARNING, "tests.tally"):
        tally.warn("a", "x")
        tally.warn("b", "x")
    assert len(caplog.records) == 2
    assert tally.silent("c") == 0


def test_a_step_of_the_wall_clock_neither_floods_nor_silences(caplog: pytest.LogCaptureFixture) -> None:
    clock = SimulatedClock()
    tally = Tally(logger, clock)
    with caplog.at_level(logging.WARNING, "tests.tally"):
        tally.warn("a", "x")
        clock.step_wall(3600)
        tally.warn("a", "x")
        clock.step_wall(-7200)
        clock.advance(1.0)
        tally.warn("a", "x")
    assert len(caplog.records) == 2
