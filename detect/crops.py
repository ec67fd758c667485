"""Square grey crops around boxes, as the crop network wants them."""

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["CROP_CONTEXT", "CROP_PX", "cut_crops"]

CROP_PX = 64  # the crop network's input, models/crop_v1.toml
CROP_CONTEXT = 1.25  # side of the crop over the longer side of the box: some ground and surroundings help to tell things apart
MIN_SIDE_PX = 8  # smaller than this is noise; the crop then shows more surroundings


def cut_crops(luma: NDArray[np.uint8], box: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A square around each box with some context, u8 (N, 64, 64).

    `luma` u8 (h, w) at full decoded size, may be a view with padded rows; `box` (N, 4) left, top, right, bottom as fractions of
    the picture. The square is 1.25 times the longer side in pixels, around the middle of the box; beyond the border of the
    picture its outermost pixels are repeated. Area-averaged when it shrinks, after as many halvings as fit; linear when it grows.
    About 20 µs a crop. Raises ValueError for a box that is not finite or a picture that is not u8 (h, w).
    """
    if luma.ndim != 2 or luma.dtype != np.uint8 or not luma.size:
        raise ValueError(f"luma: expected u8 (h, w), got {luma.dtype} {luma.shape}")
    square = squares(box, luma.shape[0], luma.shape[1])
    crop = np.empty((len(square), CROP_PX, CROP_PX), np.uint8)
    for row, (left, top, side) in enumerate(square.tolist()):
        _cut(luma, left, top, side, crop[row])
    return crop


def squares(box: NDArray[np.float32], height_px: int, width_px: int) -> NDArray[np.int64]:
    """Left, top and side in whole pixels of the square cut for each box, int64 (N, 3); may reach beyond the picture."""
    if box.ndim != 2 or box.shape[1] != 4 or not np.isfinite(box).all():
        raise ValueError(f"box: expected finite fractions (N, 4), got shape {box.shape}")
    edge = np.clip(box.astype(np.float64), 0.0, 1.0) * (width_px, height_px, width_px, height_px)
    longer = np.maximum(np.abs(edge[:, 2] - edge[:, 0]), np.abs(edge[:, 3] - edge[:, 1]))
    side = np.maximum(np.rint(longer * CROP_CONTEXT), MIN_SIDE_PX)
    left = np.rint((edge[:, 0] + edge[:, 2] - side) / 2)
    top = np.rint((edge[:, 1] + edge[:, 3] - side) / 2)
    return np.stack([left, top, side], axis=1).astype(np.int64)


def _cut(luma: NDArray[np.uint8], left: int, top: int, side: int, out: NDArray[np.uint8]) -> None:
    """Fill `out` with the square, repeating the picture's border where the square reaches beyond it."""
    height_px, width_px = luma.shape
    # The middle of a box is inside the picture, so at least one row and column of the square is too, but for rounding.
    x0, y0 = min(max(left, 0), width_px - 1), min(max(top, 0), height_px - 1)
    x1, y1 = max(min(left + side, width_px), x0 + 1), max(min(top + side, height_px), y0 + 1)
    part = luma[y0:y1, x0:x1]
    if part.shape != (side, side):
        before, above = x0 - left, y0 - top
        part = cv2.copyMakeBorder(  # type: ignore[assignment]  # OpenCV's stubs forget the element type
            part, above, side - above - (y1 - y0), before, side - before - (x1 - x0), cv2.BORDER_REPLICATE
        )
    # Halves first: OpenCV has a quick way for exactly that. A square of 300 pixels takes 27 µs so, 150 µs in one step.
    while (half := len(part) // 2) >= CROP_PX:
        part = cv2.resize(part[: 2 * half, : 2 * half], (half, half), interpolation=cv2.INTER_AREA)  # type: ignore[assignment]  # as above
    how = cv2.INTER_AREA if side >= CROP_PX else cv2.INTER_LINEAR
    cv2.resize(part, (CROP_PX, CROP_PX), dst=out, interpolation=how)
