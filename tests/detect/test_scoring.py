"""The scoring of the accuracy benchmark, by examples that can be counted by hand."""

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks._films import Truth
from benchmarks._live import Raised
from benchmarks._score import average_precision, score, track_score

SQUARE = np.array([[0.0, 0.0, 10.0, 10.0]])


def raised(at_s: float, rule: str = "intrusion", left_s: float | None = None) -> Raised:
    return Raised(at_s - 1, at_s, at_s if left_s is None else left_s, rule, (0, 0, 1, 1))


def test_events_are_found_false_repeated_or_not_known() -> None:
    truths = [Truth("intrusion", 10, 20, once=True), Truth("intrusion", 40, 50), Truth("motion", 10, 20)]
    events = [raised(5), raised(12, left_s=13.5), raised(15), raised(30), raised(41), raised(44), raised(60)]
    result = score(events, truths, known_s=8, seconds=3608)
    assert (result.truths, result.found, result.true, result.false, result.repeats) == (3, 2, 4, 2, 1)
    assert (result.recall, result.precision) == (0.667, 0.667)
    assert result.false_per_hour == 2.0
    assert sorted(result.latency_s) == [1, 3.5]


def test_one_event_does_not_find_two_things() -> None:
    both = [Truth("intrusion", 10, 20, once=True), Truth("intrusion", 11, 21, once=True)]
    assert score([raised(12)], both, 0, 3600).found == 1
    assert score([raised(12), raised(14)], both, 0, 3600).found == 2


def people(*frames: NDArray[np.float64]) -> dict[int, tuple[NDArray[np.int64], NDArray[np.float64]]]:
    return {at: (np.arange(len(box)), box) for at, box in enumerate(frames)}


def test_average_precision_is_the_area_under_the_curve() -> None:
    truth = people(SQUARE, np.concatenate([SQUARE, SQUARE + 100]))
    perfect = [(0, 0.9, SQUARE), (1, 0.8, SQUARE), (1, 0.7, SQUARE + 100)]
    assert average_precision(perfect, truth)[0] == 1.0
    # A false one in between: precision 1 up to recall 1/3, then 2/3 and 3/4, of which the envelope takes 3/4.
    assert average_precision([perfect[0], (0, 0.85, SQUARE + 50), *perfect[1:]], truth)[0] == pytest.approx(
        1 / 3 + 2 / 3 * 3 / 4, abs=1e-3
    )
    # The same person twice counts once.
    assert average_precision([perfect[0], (0, 0.85, SQUARE), *perfect[1:]], truth)[0] < 1.0


def test_a_track_that_changes_its_number_is_a_switch() -> None:
    truth = [people(*[SQUARE] * 4)]
    kept = track_score([(frame, 7, SQUARE) for frame in range(4)], truth)
    assert (kept.mota, kept.idf1, kept.switches) == (1.0, 1.0, 0)
    changed = track_score([(frame, 7 if frame < 2 else 8, SQUARE) for frame in range(4)], truth)
    assert (changed.mota, changed.switches) == (0.75, 1)
    assert changed.idf1 == 0.5
