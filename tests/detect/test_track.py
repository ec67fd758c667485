"""Tracks: one thing stays one thing, at any pace, through gaps and past others."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from base import Box
from detect import DetectSettings
from detect.track import Track, Tracker
from tests.detect.stage import walker

PERSON, CAR = (0.9, 0.05, 0.05), (0.05, 0.9, 0.05)


def feed(tracker: Tracker, time_s: float, *boxes: Box, score: tuple[float, ...] = PERSON) -> list[int]:
    """Show boxes; the numbers of the tracks that ended."""
    box = np.array(boxes, np.float32).reshape(-1, 4)
    ended = tracker.update(time_s, box, np.tile(np.array(score, np.float32), (len(boxes), 1)))
    return [track.number for track in ended]


def test_a_walker_is_one_track_confirmed_after_a_while() -> None:
    tracker, confirmed = Tracker(DetectSettings()), []
    for number in range(15):
        feed(tracker, number / 15, walker(0.2 + 0.02 * number))
        confirmed.append(tracker.tracks[0].confirmed)
    (track,) = tracker.tracks
    # 0.3 s at 15 frames/s: the sixth frame is the first at least 0.3 s after the first.
    assert confirmed == [False] * 5 + [True] * 10
    assert (track.began_s, track.hits) == (0.0, 15)
    assert track.velocity[0] == pytest.approx(0.3, abs=0.02)
    assert track.foot == pytest.approx((0.48, 0.8), abs=1e-6)


@pytest.mark.parametrize("frames_per_s", [2, 5, 15, 30])
def test_two_who_pass_each_other_keep_their_numbers(frames_per_s: int) -> None:
    tracker = Tracker(DetectSettings())
    for number in range(4 * frames_per_s):
        x = 0.1 + 0.2 * number / frames_per_s
        feed(tracker, number / frames_per_s, walker(x, foot=0.9), walker(1 - x, foot=0.5))
    first, second = tracker.tracks
    assert (first.hits, second.hits) == (4 * frames_per_s, 4 * frames_per_s)
    assert first.foot[0] > 0.6 > 0.4 > second.foot[0]


def test_a_track_coasts_over_a_gap_and_ends_after_it() -> None:
    tracker = Tracker(DetectSettings(coast_s=2.0))
    for number in range(15):
        feed(tracker, number / 15, walker(0.2 + 0.02 * number))
    assert feed(tracker, 1.5) == []
    assert not tracker.tracks[0].matched
    feed(tracker, 2.0, walker(0.2 + 0.3 * 2.0))  # seen again where it was heading
    assert [track.number for track in tracker.tracks] == [0]
    assert feed(tracker, 3.9) == []
    assert feed(tracker, 4.1) == [0]
    assert tracker.tracks == []


def test_what_flashes_up_once_is_forgotten_soon() -> None:
    tracker = Tracker(DetectSettings())
    feed(tracker, 0.0, walker(0.5))
    assert feed(tracker, 0.5) == []
    assert feed(tracker, 0.7) == [0]


def test_labels_are_voted_over_the_track() -> None:
    tracker = Tracker(DetectSettings())
    for number in range(20):
        # Every fourth crop looks like a car.
        feed(tracker, number / 15, walker(0.3), score=CAR if number % 4 == 3 else PERSON)
    (track,) = tracker.tracks
    assert track.vote.argmax() == 0
    assert 0.6 < track.vote[0] < 0.75
    assert track.vote.sum() == pytest.approx(1, abs=1e-5)


def test_a_dog_does_not_become_a_lorry() -> None:
    tracker = Tracker(DetectSettings())
    feed(tracker, 0.0, (0.5, 0.5, 0.53, 0.53))
    feed(tracker, 0.1, (0.3, 0.2, 0.9, 0.9))
    assert len(tracker.tracks) == 2


def test_frames_seen_again_are_passed_over() -> None:
    tracker = Tracker(DetectSettings())
    for time_s in (1.0, 1.1, 1.2, 0.5, 1.0, 1.2):
        feed(tracker, time_s, walker(0.5))
    assert tracker.tracks[0].hits == 3


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([0.0, 0.04, 0.5, 3.0]),
            st.lists(st.tuples(st.floats(0.1, 0.9), st.floats(0.4, 1.0)), max_size=5),
        ),
        max_size=20,
    )
)
def test_a_tracker_keeps_its_promises_whatever_comes(frames: list[tuple[float, list[tuple[float, float]]]]) -> None:
    settings = DetectSettings()
    tracker, time_s, gone = Tracker(settings), 0.0, set[int]()
    for step_s, feet in frames:
        time_s += step_s
        before = {track.number for track in tracker.tracks}
        ended = set(feed(tracker, time_s, *[walker(x, foot) for x, foot in feet]))
        now = {track.number for track in tracker.tracks}
        assert not now & (gone | ended)  # what ended never returns
        assert ended <= before | now  # only what lived can end
        gone |= ended
        matched = [track for track in tracker.tracks if track.matched and track.seen_s == time_s]
        assert len({track.region for track in matched}) == len(matched)  # no region counts twice
        if step_s > 0:
            assert len(matched) == len(feet)  # every region belongs to a track
        for track in tracker.tracks:
            assert track.began_s <= track.seen_s <= time_s
            assert time_s - track.seen_s <= settings.coast_s


def test_the_path_of_a_track_is_bounded_and_keeps_its_ends() -> None:
    one = Track(0, (0.0, 0.0, 0.1, 0.2), 0.0, 0.0, np.zeros(3, np.float32))
    for number in range(1000):
        one.seen_s, one.box = number / 10, (number / 2000, 0.0, number / 2000 + 0.1, 0.2)
        one.extend_path()
        assert len(one.path) <= 64
        assert one.path[0] == (0.0, 0.05, 0.2)
        assert one.path[-1] == (number / 10, round(number / 2000 + 0.05, 4), 0.2)
        assert [at_s for at_s, _, _ in one.path] == sorted({at_s for at_s, _, _ in one.path})
