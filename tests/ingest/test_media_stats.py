"""Rates, GOPs and what is usual, of packets that arrive when the test says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from base import Packet
from ingest.media_stats import MediaStats


def minute(stats: MediaStats, began_s: float, fps: int, gop: int = 30, lost: int = 0, size: int = 1000) -> float:
    """A minute of media at `fps`, told once a second; when it ends."""
    for second in range(60):
        now_s = began_s + second
        frames = [
            Packet("c", 0.0, round((now_s + index / fps) * 90_000), (second * fps + index) % gop == 0, b"x" * size, lost=lost)
            for index in range(fps)
        ]
        stats.add(frames, now_s + 1)
        stats.bytes += fps * size
        stats.refresh(now_s + 1)
    return began_s + 60


def test_rates_are_of_the_last_minute_whatever_was_before() -> None:
    stats = MediaStats()
    at_s = minute(stats, 0.0, 25)
    assert stats.frames_per_s == pytest.approx(25, rel=0.03) and stats.kbit_per_s == pytest.approx(200, rel=0.03)
    minute(stats, minute(stats, at_s, 10), 10)
    assert stats.frames_per_s == pytest.approx(10, rel=0.03) and stats.gop_s == stats.gop_most_s == pytest.approx(3.0)


def test_what_is_usual_rises_at_once_and_falls_in_hours() -> None:
    stats, at_s = MediaStats(), 0.0
    at_s = minute(stats, minute(stats, at_s, 10), 20)
    at_s = minute(stats, at_s, 20)
    assert stats.usual_per_s == pytest.approx(20, rel=0.03)
    for _ in range(60):
        at_s = minute(stats, at_s, 10)
    assert 18 < stats.usual_per_s < 19.5
    for _ in range(15 * 60):
        at_s = minute(stats, at_s, 10)
    assert stats.usual_per_s < 11.1


def test_one_odd_gop_is_the_longest_but_not_the_typical_one() -> None:
    stats = MediaStats()
    for index, seconds in enumerate((0, 2, 4, 6, 15, 17, 19)):
        stats.add([Packet("c", 0.0, seconds * 90_000, True, b"x")], index)
    stats.refresh(7)
    assert (stats.gop_s, stats.gop_most_s, stats.keys) == (2.0, 9.0, 7)


def test_a_new_connection_starts_over_and_remembers_what_is_usual() -> None:
    stats = MediaStats()
    at_s = minute(stats, 0.0, 15, lost=1)
    assert stats.loss == pytest.approx(0.5, abs=0.02)
    stats.interrupt()
    assert (stats.frames_per_s, stats.kbit_per_s, stats.loss) == (0, 0, 0) and stats.usual_per_s == pytest.approx(15, rel=0.03)
    stats.add([Packet("c", 0.0, 5, True, b"x")], at_s)
    stats.refresh(at_s + 0.5)
    assert stats.frames_per_s == 0, "half a second says nothing"


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 3), st.floats(0.1, 30)), min_size=1, max_size=60))
def test_nothing_is_negative_and_everything_is_counted(arrivals: list[tuple[int, int, float]]) -> None:
    stats, now_s, pts, count, lost = MediaStats(), 100.0, 0, 0, 0
    for frames, missing, pause_s in arrivals:
        now_s += pause_s
        packets = [Packet("c", now_s, pts + 6000 * index, index % 7 == 0, b"xy", lost=missing) for index in range(1, frames + 1)]
        if packets:
            pts = packets[-1].pts_90k
            stats.add(packets, now_s)
        stats.refresh(now_s)
        count, lost = count + frames, lost + frames * missing
        assert (stats.packets, stats.lost) == (count, lost)
        assert min(stats.frames_per_s, stats.kbit_per_s, stats.usual_per_s, stats.gop_s) >= 0 and 0 <= stats.loss <= 1
        assert stats.gop_s <= stats.gop_most_s
