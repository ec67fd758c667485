"""Crops against a slow twin that looks up every pixel."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from detect.crops import CROP_PX, cut_crops, squares


def slow_crop(luma: NDArray[np.uint8], box: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The same crop by looking up the nearest pixel of the picture for every pixel of the square."""
    h, w = luma.shape
    left, top, right, bottom = np.clip(box.astype(np.float64), 0, 1) * (w, h, w, h)
    side = max(8, int(np.rint(max(abs(right - left), abs(bottom - top)) * 1.25)))
    x0, y0 = int(np.rint((left + right - side) / 2)), int(np.rint((top + bottom - side) / 2))
    square = np.empty((side, side), np.uint8)
    for y in range(side):
        for x in range(side):
            square[y, x] = luma[min(max(y0 + y, 0), h - 1), min(max(x0 + x, 0), w - 1)]
    while len(square) // 2 >= 64:
        half = len(square) // 2
        four = square[: 2 * half, : 2 * half].reshape(half, 2, half, 2).astype(np.int64)
        square = ((four.sum(axis=(1, 3)) + 2) // 4).astype(np.uint8)
    how = cv2.INTER_AREA if side >= 64 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(square, (64, 64), interpolation=how), np.uint8)


fraction = st.floats(-0.25, 1.25, width=32)


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 90), st.integers(1, 120), st.tuples(fraction, fraction, fraction, fraction), st.integers(0, 2**31))
def test_crops_agree_with_a_slow_twin(h: int, w: int, corners: tuple[float, float, float, float], seed: int) -> None:
    luma = np.random.default_rng(seed).integers(0, 256, (h, w), np.uint8)
    box = np.array([corners], np.float32)
    np.testing.assert_array_equal(cut_crops(luma, box)[0], slow_crop(luma, box[0]))


def test_a_box_in_the_middle_gets_its_context_and_nothing_is_stretched() -> None:
    luma = np.zeros((360, 640), np.uint8)
    luma[100:200, 300:340] = 255  # 40 x 100 px
    crop = cut_crops(luma, np.array([[300 / 640, 100 / 360, 340 / 640, 200 / 360]], np.float32))[0]
    rows, columns = np.flatnonzero((crop > 127).any(axis=1)), np.flatnonzero((crop > 127).any(axis=0))
    assert len(rows) == pytest.approx(64 / 1.25, abs=1.5)
    assert len(columns) == pytest.approx(64 / 1.25 * 0.4, abs=1.5)
    assert rows.mean() == pytest.approx(31.5, abs=1) and columns.mean() == pytest.approx(31.5, abs=1)


def test_beyond_the_border_the_outermost_pixels_are_repeated() -> None:
    luma = np.repeat(np.arange(100, dtype=np.uint8)[None], 100, axis=0)  # grey = column
    crop = cut_crops(luma, np.array([[0.0, 0.2, 0.2, 1.0]], np.float32))[0]
    assert (crop[:, 0] == 0).all() and (crop[:, 10] == 0).all() and (crop[:, -1] > 40).all()


def test_a_view_with_padded_rows_gives_the_same_crops() -> None:
    padded = np.random.default_rng(0).integers(0, 256, (90, 256), np.uint8)
    box = np.array([[0.1, 0.1, 0.6, 0.9], [0.8, 0.0, 1.0, 0.3]], np.float32)
    np.testing.assert_array_equal(cut_crops(padded[:, :160], box), cut_crops(padded[:, :160].copy(), box))


def test_no_boxes_give_no_crops() -> None:
    assert cut_crops(np.zeros((90, 160), np.uint8), np.empty((0, 4), np.float32)).shape == (0, CROP_PX, CROP_PX)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_box_that_is_not_finite_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        cut_crops(np.zeros((90, 160), np.uint8), np.array([[0, 0, bad, 1]], np.float32))


def test_a_colour_picture_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected u8 \(h, w\)"):
        cut_crops(np.zeros((90, 160, 3), np.uint8), np.zeros((1, 4), np.float32))


def test_squares_are_never_smaller_than_eight_pixels() -> None:
    assert squares(np.array([[0.5, 0.5, 0.5, 0.5]], np.float32), 360, 640).tolist() == [[316, 176, 8]]
