"""Records: ids that sort by time, and values that refuse what cannot be."""

import uuid

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from base import Event, EventKind, FrameBatch, Tier, uuid7

_LAST_S = ((1 << 48) - 1) / 1000  # of 48 bits of milliseconds: the year 10889


@given(st.floats(0, _LAST_S - 1))
def test_uuid7_is_a_uuid_of_version_7(now_s: float) -> None:
    text = uuid7(now_s)
    parsed = uuid.UUID(text)
    assert str(parsed) == text
    assert parsed.version == 7
    assert parsed.variant == uuid.RFC_4122
    assert parsed.int >> 80 == int(now_s * 1000)


@given(st.lists(st.integers(0, 1 << 47), min_size=2, max_size=20, unique=True))
def test_uuid7_sorts_by_time(moments_ms: list[int]) -> None:
    ids = [uuid7((moment + 0.5) / 1000) for moment in moments_ms]
    assert [uuid.UUID(text).int >> 80 for text in sorted(ids)] == sorted(moments_ms)


def test_uuid7_of_one_moment_are_all_different() -> None:
    ids = {uuid7(1_700_000_000.0) for _ in range(20_000)}
    assert len(ids) == 20_000
    bits = np.array([[uuid.UUID(text).int >> bit & 1 for bit in range(128)] for text in list(ids)[:2000]]).mean(axis=0)
    fixed = {*range(80, 128), *range(76, 80), 62, 63}
    assert all(0.4 < bits[bit] < 0.6 for bit in range(128) if bit not in fixed), "every other bit is random"


def event(severity: int) -> Event:
    return Event(
        id=uuid7(0.0),
        camera="c0001",
        kind=EventKind.INTRUSION,
        label="person",
        rule="no-entry",
        zone="yard",
        severity=severity,
        began_s=1.0,
        raised_s=2.0,
        ended_s=None,
        score=0.9,
        box=(0.1, 0.2, 0.3, 0.4),
        seen_by=Tier.AWAKE,
        snapshot_jpeg=b"many bytes",
    )


@pytest.mark.parametrize("severity", [1, 2, 3, 4])
def test_severities_are_1_to_4(severity: int) -> None:
    assert event(severity).severity == severity
    assert "many bytes" not in repr(event(severity))


@pytest.mark.parametrize("severity", [0, 5, -1])
def test_other_severities_are_refused(severity: int) -> None:
    with pytest.raises(ValueError, match=f"expected 1 \\(highest\\) to 4, got {severity}"):
        event(severity)


def batch(rows: int, luma: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> FrameBatch:
    return FrameBatch(
        camera=np.arange(rows, dtype=np.int32),
        time_s=np.zeros(rows),
        luma=luma,
        is_key=np.ones(rows, bool),
        awake=np.zeros(rows, bool),
        picture=(),
    )


def test_a_batch_of_unequal_columns_is_refused() -> None:
    with pytest.raises(ValueError, match=r"FrameBatch\.luma: expected 2 rows as in camera, got 3"):
        batch(2, np.zeros((3, 90, 160), np.uint8))
    with pytest.raises(ValueError, match=r"FrameBatch\.picture: expected 2 rows"):
        batch(2, np.zeros((2, 90, 160), np.uint8))


def test_a_batch_of_another_shape_or_type_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected u8 \(B, H, W\)"):
        batch(0, np.zeros((0, 90), np.uint8))
    with pytest.raises(ValueError, match=r"expected u8 \(B, H, W\), got float64"):
        batch(0, np.zeros((0, 90, 160)))  # type: ignore[arg-type]  # the wrong type is what is tested
    assert len(batch(0, np.zeros((0, 90, 160), np.uint8))) == 0
