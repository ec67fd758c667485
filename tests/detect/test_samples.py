"""Forced samples: at random moments, each camera once an hour; and what counts as missed."""

import numpy as np
import pytest

from detect.samples import Samples

NAMES = tuple(f"c{number}" for number in range(200))
HOUR_S = 1_700_002_800.0  # a whole hour, UTC
assert HOUR_S % 3600 == 0
NEVER = np.full(1, -np.inf)


def test_each_camera_is_sampled_once_an_hour_at_a_moment_of_its_own() -> None:
    samples, again = Samples(NAMES, 10, 3600, seed=1), Samples(NAMES, 10, 3600, seed=1)
    moments = np.zeros((3, len(NAMES)))
    samples.due(HOUR_S), again.due(HOUR_S)
    for second in range(1, 3 * 3600):
        rows = samples.due(HOUR_S + second)
        assert rows == again.due(HOUR_S + second), "the same seed gives the same moments"
        for row in rows:
            assert moments[second // 3600, row] == 0
            moments[second // 3600, row] = second % 3600
    assert (moments > 0).sum() >= 3 * len(NAMES) - 2
    assert moments.max() <= 3590 + 1
    assert abs(moments.mean() - 1795) < 120 and abs(np.corrcoef(moments[0], moments[1]).ravel()[1]) < 0.2, (
        "uniform, each hour anew"
    )
    other = Samples(NAMES, 10, 3600, seed=2)
    other.due(HOUR_S)
    assert [other.due(HOUR_S + second) for second in range(1, 99)] != [again.due(HOUR_S + second) for second in range(1, 99)]


@pytest.mark.parametrize("step_s", [-7200.0, 7200.0])
def test_a_clock_that_is_set_starts_no_crowd_of_samples(step_s: float) -> None:
    samples = Samples(NAMES, 10, 3600, seed=1)
    samples.due(HOUR_S)
    assert samples.due(HOUR_S + step_s) == []


@pytest.mark.parametrize(
    ("relevant_s", "found_s", "found_before", "active", "missed"),
    [
        (-np.inf, -np.inf, False, 0, 0),  # nothing there
        (104.0, -np.inf, False, 1, 1),  # nobody else saw it
        (104.0, 106.0, False, 1, 0),  # a key frame of the sample would have done
        (109.0, 114.0, False, 1, 0),  # it came at the end, and the next key frame showed it
        (104.0, 60.0, False, 1, 1),  # a key frame long before is about something else
        (104.0, -np.inf, True, 1, 0),  # it was awake for this
        (60.0, -np.inf, False, 0, 0),  # relevant, but before the sample
    ],
)
def test_what_counts_as_missed(relevant_s: float, found_s: float, found_before: bool, active: int, missed: int) -> None:
    samples = Samples(("c0",), 10, 3600, seed=0)
    samples.begin(0, 100.0, found_before)
    relevant, found, frame = np.array([relevant_s]), np.array([found_s]), np.array([109.9])
    samples.settle(118.0, relevant, found, frame)
    assert samples.counts.taken == 0, "what began at its end may still be found"
    samples.settle(119.0, relevant, found, frame)
    counts = samples.counts
    assert (counts.taken, counts.active, counts.missed, counts.cut) == (1, active, missed, 0)


def test_samples_without_pictures_or_taken_back_do_not_count() -> None:
    samples = Samples(("c0",), 10, 3600, seed=0)
    samples.begin(0, 100.0, found_before=False)
    samples.settle(120.0, NEVER, NEVER, np.array([101.0]))
    samples.begin(0, 200.0, found_before=False)
    samples.cut(0)
    samples.cut(0)
    samples.settle(300.0, NEVER, NEVER, np.array([250.0]))
    assert (samples.counts.taken, samples.counts.cut) == (0, 2)
