"""How the pipeline benchmark counts: what was found, what was missed, what was false."""

import numpy as np
import pytest

from benchmarks._reference import Found, Happening, as_found, compare


def happening(camera: str, began_s: float, raised_s: float, ended_s: float, severity: int = 2) -> Happening:
    return Happening(camera, began_s, raised_s, ended_s, severity, (0.0, 0.0, 1.0, 1.0))


def test_each_event_stands_for_one_happening_and_as_many_are_paired_as_can_be() -> None:
    expected = [happening("c1", 10, 12, 30, severity=1), happening("c1", 11, 12, 13), happening("c2", 10, 11.5, 11.6)]
    found = [Found("c1", 12.5, 13.0), Found("c1", 28.0, 28.4), Found("c1", 90.0, 90.5), Found("c2", 40.0, 40.1)]
    result = compare(expected, found, 0, 100)
    assert (result.happenings, result.found, result.lasting, result.found_lasting) == (3, 2, 2, 2)
    assert (result.severe, result.severe_found, result.unmatched) == (1, 1, 2)
    assert sorted(result.latency_s) == pytest.approx([1.0, 16.4]), "the short one can only be the first event"
    assert result.missed == (expected[2],)
    assert (result.recall_all, result.recall_lasting, result.recall_severe) == (0.6667, 1.0, 1.0)


def test_only_what_was_raised_in_the_window_counts() -> None:
    expected = [happening("c1", 1, 2, 9), happening("c1", 60, 62, 70)]
    result = compare(expected, [Found("c1", 2.0, 2.1), Found("c1", 62.0, 62.3)], 50, 100)
    assert (result.happenings, result.found, result.unmatched) == (1, 1, 0)
    nothing = compare([], [], 0, 10)
    assert nothing.recall_all is None and nothing.recall_severe is None


def test_an_event_tells_of_everything_that_stood_where_its_thing_was_and_of_nothing_else() -> None:
    def stood(x: float, began_s: float, ended_s: float) -> Happening:
        times = np.arange(began_s, ended_s, 0.1)
        way = np.column_stack([times, np.tile((x - 0.05, 0.4, x + 0.05, 0.7), (len(times), 1))])
        return Happening("c1", began_s, began_s + 1, ended_s, 2, (x - 0.05, 0.4, x + 0.05, 0.7), way)

    one, parted, elsewhere = stood(0.2, 10, 20), stood(0.23, 10.5, 20), stood(0.8, 10, 20)
    path = tuple((10 + step / 10, 0.21, 0.69) for step in range(15))
    result = compare([one, parted, elsewhere], [Found("c1", 11.5, 11.6, path)], 0, 100)
    assert (result.found, result.told, result.told_lasting) == (1, 2, 2)
    assert result.untold == (elsewhere,) and result.told_share == 0.6667 == result.told_share_lasting
    assert result.told_latency_s == pytest.approx([0.6, 0.1])
    late = compare([stood(0.2, 10, 20)], [Found("c1", 30.0, 30.1, path)], 0, 100)
    assert late.told == 0, "that one had gone three seconds before"
    nowhere = compare([stood(0.2, 10, 20)], [Found("c1", 11.5, 11.6)], 0, 100)
    assert (nowhere.found, nowhere.told) == (1, 0), "without a path nobody knows where it was"


def test_of_two_events_the_one_in_the_same_place_is_its_pair_though_the_other_is_closer_in_time() -> None:
    times = np.arange(10, 20, 0.1)
    way = np.column_stack([times, np.tile((0.1, 0.4, 0.2, 0.7), (len(times), 1))])
    one = Happening("c1", 10, 11, 20, 2, (0.1, 0.4, 0.2, 0.7), way)
    here, there = (tuple((10 + step / 10, x, 0.69) for step in range(40)) for x in (0.15, 0.8))
    result = compare([one], [Found("c1", 11.0, 11.1, there), Found("c1", 13.0, 13.2, here)], 0, 100)
    assert (result.found, result.unmatched) == (1, 1) and result.latency_s == pytest.approx([2.2])


def test_a_reference_finds_all_of_its_own_events_at_once() -> None:
    times = np.arange(10, 20, 0.1)
    way = np.column_stack([times, np.tile((0.1, 0.4, 0.2, 0.7), (len(times), 1))])
    one = Happening("c1", 10, 11, 20, 2, (0.1, 0.4, 0.2, 0.7), way)
    (found,) = as_found([one])
    assert found.path[0] == pytest.approx((10, 0.15, 0.7)) and found.path[-1][0] == pytest.approx(11), (
        "its way until it was raised"
    )
    result = compare([one], [found], 0, 100)
    assert (result.recall_all, result.told_share) == (1.0, 1.0) and result.told_latency_s == (0.0,)
