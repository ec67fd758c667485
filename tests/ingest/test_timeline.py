"""Media time unwrapped, and our own clock on every frame."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.timeline import Timeline

STEP = 6000  # 15 frames/s at 90 kHz
NOW = 1_700_000_000.0


def test_timeline_wraps_at_32_bits() -> None:
    timeline = Timeline()
    raw = [(2**32 - 3 * STEP + index * STEP) % 2**32 for index in range(10)]
    placed = [timeline.place([value], NOW + index / 15)[0] for index, value in enumerate(raw)]
    assert [pts - placed[0][0] for pts, _ in placed] == [index * STEP for index in range(10)]
    assert [time_s - placed[0][1] for _, time_s in placed] == pytest.approx([index / 15 for index in range(10)], abs=1e-3)


def test_a_sweep_of_three_frames_is_spaced_backwards_from_now() -> None:
    placed = Timeline().place([0, STEP, 2 * STEP], NOW)
    assert [time_s - NOW for _, time_s in placed] == pytest.approx([-2 / 15, -1 / 15, 0], abs=1e-5)


def test_the_least_delayed_frame_anchors() -> None:
    timeline = Timeline()
    timeline.place([0], NOW + 0.2)  # swept late
    timeline.place([STEP], NOW + 1 / 15 + 0.01)
    (_, soon_s), *_ = timeline.place([2 * STEP], NOW + 2 / 15 + 0.2)
    assert soon_s == pytest.approx(NOW + 0.202, abs=1e-3)  # later than its true time, because times never fall
    (_, time_s), *_ = timeline.place([5 * STEP], NOW + 5 / 15 + 0.2)
    assert time_s == pytest.approx(NOW + 5 / 15 + 0.01, abs=1e-3)


def test_a_backlog_after_a_stall_keeps_its_own_times() -> None:
    timeline = Timeline()
    timeline.place([0], NOW)
    placed = timeline.place([index * STEP for index in range(1, 61)], NOW + 4.0)
    assert placed[0][1] == pytest.approx(NOW + 1 / 15, abs=0.01) and placed[-1][1] == pytest.approx(NOW + 4.0, abs=0.01)


def test_one_wild_timestamp_is_placed_after_the_last() -> None:
    timeline = Timeline()
    timeline.place([0], NOW)
    timeline.place([STEP], NOW + 1 / 15)
    (wild, wild_s), *_ = timeline.place([123_456_789], NOW + 2 / 15)
    (after, after_s), *_ = timeline.place([3 * STEP], NOW + 3 / 15)
    assert (wild, after) == (2 * STEP, 3 * STEP) and NOW < wild_s < after_s <= NOW + 3 / 15


def test_a_new_sequence_is_believed_after_three_frames() -> None:
    timeline = Timeline()
    for index in range(5):
        timeline.place([index * STEP], NOW + index / 15)
    placed = [timeline.place([900_000_000 + index * STEP], NOW + (5 + index) / 15)[0] for index in range(6)]
    assert [pts for pts, _ in placed] == [(5 + index) * STEP for index in range(6)]
    assert placed[-1][1] == pytest.approx(NOW + 10 / 15, abs=0.01)


def test_a_real_gap_is_no_jump() -> None:
    timeline = Timeline()
    timeline.place([0], NOW)
    (pts, time_s), *_ = timeline.place([20 * 90_000], NOW + 20.0)
    assert pts == 20 * 90_000 and time_s == pytest.approx(NOW + 20.0)


def test_b_frames_come_in_decoding_order() -> None:
    placed = Timeline().place([0, 3 * STEP, STEP, 2 * STEP], NOW)
    assert [pts for pts, _ in placed] == [0, 3 * STEP, STEP, 2 * STEP]
    assert [NOW - time_s for _, time_s in placed] == pytest.approx([3 / 15, 0, 2 / 15, 1 / 15], abs=1e-5)


def test_our_clock_set_back_an_hour_is_followed_at_once() -> None:
    timeline = Timeline()
    timeline.place([0], NOW)
    (_, time_s), *_ = timeline.place([STEP], NOW - 3600)
    assert time_s == pytest.approx(NOW - 3600)


def test_our_clock_set_on_an_hour_is_followed_within_three_sweeps() -> None:
    timeline = Timeline()
    timeline.place([0], NOW)
    last_s = [timeline.place([index * STEP], NOW + 3600 + index / 15)[0][1] for index in range(1, 5)][-1]
    assert last_s == pytest.approx(NOW + 3600 + 4 / 15, abs=0.01)


def test_a_drifting_camera_clock_is_followed() -> None:
    timeline, error_s = Timeline(), 0.0
    for index in range(0, 3600 * 5, 5):  # an hour, a frame a second suffices; the crystal is 100 ppm slow
        now_s = NOW + index * (1 + 1e-4)
        error_s = now_s - timeline.place([index * 90_000 % 2**32], now_s)[0][1]
    assert 0 <= error_s < 0.01


def test_another_clock_rate_is_scaled() -> None:
    timeline = Timeline(clock_hz=1000)
    placed = timeline.place([0, 500], NOW)
    assert placed[1][0] - placed[0][0] == 45_000


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.floats(0, 20)), min_size=1, max_size=60))
def test_times_never_lie_in_the_future_and_never_fall(arrivals: list[tuple[int, float]]) -> None:
    timeline, now_s, last_s, newest = Timeline(), NOW, float("-inf"), -1
    for raw, pause_s in arrivals:
        now_s += pause_s
        (pts, time_s), *_ = timeline.place([raw], now_s)
        assert time_s <= now_s + 1e-6
        if pts >= newest:
            assert time_s >= last_s
            newest, last_s = pts, time_s


def test_timestamps_that_run_ahead_of_our_clock_make_no_time_fall() -> None:
    """Found by fuzzing: two jumps of 2.8 s in one sweep put its first frame 5 s before the one of the sweep before."""
    timeline = Timeline()
    timeline.place([0, STEP, 2 * STEP], NOW + 0.2)
    placed = timeline.place([3 * STEP, 269_761, 521_522], NOW + 0.667)
    times = [time_s for _, time_s in placed]
    assert times == sorted(times) and times[0] >= NOW + 0.2 and times[-1] <= NOW + 0.667
