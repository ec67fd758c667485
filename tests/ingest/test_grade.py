"""The four grades, bound by bound."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from base import Quality
from ingest.grade import grade

ORDER = [Quality.UNUSABLE, Quality.POOR, Quality.FAIR, Quality.EXCELLENT]


@pytest.mark.parametrize(
    ("measures", "expected"),
    [
        ((0, 5, 0.9, 0.001), Quality.EXCELLENT),
        ((1, 0, 1.0, 0.0), Quality.FAIR),
        ((0, 6, 1.0, 0.0), Quality.FAIR),
        ((0, 0, 0.89, 0.0), Quality.FAIR),
        ((0, 0, 1.0, 0.002), Quality.FAIR),
        ((2, 20, 0.6, 0.01), Quality.FAIR),
        ((3, 0, 1.0, 0.0), Quality.POOR),
        ((0, 21, 1.0, 0.0), Quality.POOR),
        ((0, 0, 0.59, 0.0), Quality.POOR),
        ((0, 0, 1.0, 0.011), Quality.POOR),
        ((11, 0, 1.0, 0.0), Quality.UNUSABLE),
        ((0, 101, 1.0, 0.0), Quality.UNUSABLE),
        ((0, 0, 0.09, 0.0), Quality.UNUSABLE),
        ((0, 0, 1.0, 0.21), Quality.UNUSABLE),
    ],
)
def test_every_bound(measures: tuple[int, int, float, float], expected: Quality) -> None:
    assert grade(*measures) is expected


@given(st.tuples(st.integers(0, 20), st.integers(0, 150), st.floats(0, 2), st.floats(0, 1)), st.integers(0, 3), st.floats(0, 20))
def test_what_gets_worse_is_never_graded_better(measures: tuple[int, int, float, float], which: int, more: float) -> None:
    worse = list(measures)
    worse[which] += -more if which == 2 else int(more) if which < 2 else more
    before, after = grade(*measures), grade(int(worse[0]), int(worse[1]), worse[2], worse[3])
    assert ORDER.index(after) <= ORDER.index(before)
    assert set(ORDER) == set(Quality)
