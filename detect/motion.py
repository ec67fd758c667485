"""Foreground → regions: what moved, as boxes worth cutting out."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Regions", "find_regions", "merge_boxes"]

Ints = NDArray[np.int32]

_GROW = cv2.getStructuringElement(cv2.MORPH_RECT, (3, 5))  # joins limbs to bodies; people are upright
_GROW_X, _GROW_Y = 1, 2  # what dilating by _GROW adds on each side
_GAP_PX = 2  # boxes closer than this are one thing
_STACK_GAP = 0.5  # of the greater height: head, trunk and legs that coding noise has parted
_STACK_OVERLAP = 0.5  # of the narrower width
_LOW = 0.4  # of the tallest column: what is lower at the sides of a thing is not part of its body
_FLAT = 1.5  # width over height from which on that is taken for a shadow
_WORTH_CUTTING = 0.8  # of the width: where more than this is left, there was no shadow to speak of
_MAX_FRAGMENTS = 64  # the largest; more is weather


@dataclass(frozen=True, slots=True)
class Regions:
    """What moved in the frames of one batch: columns of equal length R.

    `row` int32 (R,) is the row of the batch, ascending. `box` f32 (R, 4) as fractions. `area` f32 (R,): moving pixels as a
    fraction of the picture, so at most the area of the box.
    """

    row: Ints
    box: NDArray[np.float32]
    area: NDArray[np.float32]

    def __post_init__(self) -> None:
        n = len(self.row)
        if self.box.shape != (n, 4) or self.area.shape != (n,):
            raise ValueError(f"Regions: expected {n} rows as in row, got box {self.box.shape}, area {self.area.shape}")

    def __len__(self) -> int:
        return len(self.row)

    def pick(self, which: NDArray[np.bool_]) -> "Regions":
        """The regions where `which`, bool (R,), is True."""
        return Regions(self.row[which], self.box[which], self.area[which])


def find_regions(moving: NDArray[np.bool_], min_area: float, max_regions: int) -> Regions:
    """Regions of foreground bool (B, H, W): cleaned of single pixels, fragments of one thing merged, specks left out.

    `min_area` is the fraction of the picture below which moving pixels are noise; at most `max_regions` a frame, the largest.
    Frames without enough foreground cost a count and nothing else.
    """
    height, width = moving.shape[1:]
    least = max(1.0, min_area * height * width)
    rows, boxes, areas = [], [], []
    for row, mask in enumerate(moving):
        if np.count_nonzero(mask) < least:
            continue
        box, area = _regions_of(mask, least)
        largest = np.sort(np.argsort(-area, kind="stable")[:max_regions])
        rows.append(np.full(len(largest), row, np.int32))
        boxes.append(box[largest])
        areas.append(area[largest])
    if not rows:
        return Regions(np.empty(0, np.int32), np.empty((0, 4), np.float32), np.empty(0, np.float32))
    fraction = (np.concatenate(boxes) / (width, height, width, height)).astype(np.float32)
    return Regions(np.concatenate(rows), fraction, (np.concatenate(areas) / (height * width)).astype(np.float32))


def _regions_of(mask: NDArray[np.bool_], least: float) -> tuple[Ints, Ints]:
    """Boxes in pixels (R, 4), right and bottom exclusive, and moving pixels (R,) of one frame."""
    clean = np.asarray(cv2.medianBlur(mask.view(np.uint8), 3), np.uint8)
    contours, _ = cv2.findContours(cv2.dilate(clean, _GROW), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if len(contours) > _MAX_FRAGMENTS:
        contours = sorted(contours, key=cv2.contourArea, reverse=True)[:_MAX_FRAGMENTS]
    merged = merge_boxes(_shrunk([cv2.boundingRect(contour) for contour in contours], mask.shape))
    box = np.array([_without_shadow(clean, one) for one in merged.tolist()], np.int32).reshape(-1, 4)
    area = np.array([np.count_nonzero(clean[top:bottom, left:right]) for left, top, right, bottom in box.tolist()], np.int32)
    large = area >= least
    return box[large], area[large]


def _shrunk(grown: Sequence[Sequence[int]], shape: tuple[int, ...]) -> Ints:
    """Boxes left, top, right, bottom (R, 4) without what dilating added, from x, y, w, h."""
    box = np.array(grown, np.int32).reshape(-1, 4)
    box[:, 2:] += box[:, :2]
    height, width = shape
    # At the border dilating had nowhere to grow; what is that near is taken to reach it.
    box[:, 0] += np.where(box[:, 0] > 0, _GROW_X, 0)
    box[:, 1] += np.where(box[:, 1] > 0, _GROW_Y, 0)
    box[:, 2] -= np.where(box[:, 2] < width, _GROW_X, 0)
    box[:, 3] -= np.where(box[:, 3] < height, _GROW_Y, 0)
    return box


def _without_shadow(clean: NDArray[np.uint8], box: list[int]) -> list[int]:
    """`box` without what is low and flat at its sides: the shadow a low sun throws beside a walker.

    With it, the box of a person is as wide as a car's, and its foot is not his.
    """
    left, top, right, bottom = box
    height = np.count_nonzero(clean[top:bottom, left:right], axis=0)
    tall = np.flatnonzero(height >= _LOW * height.max(initial=1))
    if not len(tall):
        return box
    first, last = int(tall[0]), int(tall[-1]) + 1
    # A low side that is not flat is a smaller thing, or a bonnet: it stays.
    first = first if _is_flat(height[:first]) else 0
    last = last if _is_flat(height[last:]) else len(height)
    if last - first > _WORTH_CUTTING * len(height):
        return box
    rows = np.flatnonzero(clean[top:bottom, left + first : left + last].any(axis=1))
    return [left + first, top + int(rows[0]), left + last, top + int(rows[-1]) + 1]


def _is_flat(height: NDArray[np.int64]) -> bool:
    """Whether columns of these heights together are clearly wider than tall."""
    return bool(np.count_nonzero(height) >= _FLAT * int(height.max(initial=1)))


def merge_boxes(box: Ints) -> Ints:
    """Boxes in pixels (R, 4) with those that belong together made one, until nothing more belongs together.

    Two belong together that touch or nearly do, or that stand above one another with a gap smaller than a body.
    """
    while len(box) > 1:
        together = _together(box)
        first = int(together.any(axis=1).argmax())
        if not together[first].any():
            break
        group = together[first] | (np.arange(len(box)) == first)
        union = np.concatenate([box[group, :2].min(axis=0), box[group, 2:].max(axis=0)])[None]
        box = np.concatenate([union, box[~group]])
    return box


def _together(box: Ints) -> NDArray[np.bool_]:
    """Which pairs are one thing, bool (R, R), False on the diagonal."""
    left, top, right, bottom = (box[:, i] for i in range(4))
    gap_x = np.maximum(left[:, None], left) - np.minimum(right[:, None], right)
    gap_y = np.maximum(top[:, None], top) - np.minimum(bottom[:, None], bottom)
    near = (gap_x <= _GAP_PX) & (gap_y <= _GAP_PX)
    width, height = right - left, bottom - top
    over = -gap_x >= _STACK_OVERLAP * np.minimum(width[:, None], width)
    close = gap_y <= _STACK_GAP * np.maximum(height[:, None], height)
    # Only what is upright together: cars behind one another stay apart.
    tall = np.maximum(bottom[:, None], bottom) - np.minimum(top[:, None], top)
    wide = np.maximum(right[:, None], right) - np.minimum(left[:, None], left)
    pairs: NDArray[np.bool_] = near | (over & close & (tall > wide))
    np.fill_diagonal(pairs, False)
    return pairs
