"""How the pipeline benchmark counts: what was found, what was missed, what was false."""

import pytest

from benchmarks._reference import Found, Happening, compare


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
