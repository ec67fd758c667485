"""Foreground → regions: what moved, as boxes worth cutting out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from camera_config import Outline

__all__ = ["Ignored", "Regions", "find_regions", "merge_boxes"]

Ints = NDArray[np.int32]
PixelBox = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels, the last two exclusive."""

_GROW = cv2.getStructuringElement(cv2.MORPH_RECT, (3, 5))  # joins limbs to bodies; people are upright
_GROW_X, _GROW_Y = 1, 2  # what dilating by _GROW adds on each side
_GAP_PX = 2  # boxes closer than this are one thing
_STACK_GAP = 0.5  # of the greater height: head, trunk and legs that coding noise has parted
_STACK_OVERLAP = 0.5  # of the narrower width
_LOW = 0.4  # of the tallest column: what is lower at the sides of a thing is not part of its body
_FLAT = 1.5  # width over height from which on that is taken for a shadow
_WORTH_CUTTING = 0.8  # of the width: where more than this is left, there was no shadow to speak of
_WIDE = 0.67  # width over height from which on a box may hold two people side by side
_DIP = 0.7  # of the lower of two crests: a silhouette that dips deeper between them is two; a car's does not
_CREST = 0.4  # of the box's height: less is a leg or a shadow
_UPRIGHT = 0.9  # height over width of at least one of the two
_AS_TALL = 0.5  # of the box: each of the two; an arm, a bag or a bonnet is less
_DIP_PX = 5  # columns averaged into one
_LEAST_PX = 3  # width of a part
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


class Ignored:
    """Where motion means nothing, by row of the batches."""

    def __init__(self, cameras: Sequence[str], ignored: Mapping[str, Sequence[Outline]]) -> None:
        self._outlines = {row: ignored[camera] for row, camera in enumerate(cameras) if ignored.get(camera)}

    def exchange(self, row: int, outlines: Sequence[Outline]) -> None:
        """What is ignored in a row is this from now on."""
        self._outlines[row] = outlines

    def clear(self, camera: NDArray[np.int32], moving: NDArray[np.bool_]) -> None:
        """Take what is ignored out of foreground bool (B, H, W), in place; every pixel that an outline touches."""
        if not self._outlines:
            return
        size = np.array((moving.shape[2], moving.shape[1]))
        for at, row in enumerate(camera.tolist()):
            for outline in self._outlines.get(row, ()):
                cv2.fillPoly(moving[at].view(np.uint8), [np.rint(np.array(outline) * size).astype(np.int32)], (0,))


def find_regions(moving: NDArray[np.bool_], min_area: float, max_regions: int) -> Regions:
    """Regions of foreground bool (B, H, W): cleaned of single pixels, fragments of one thing merged, specks left out.

    `min_area` is the fraction of the picture below which moving pixels are noise; at most `max_regions` a frame, the largest.
    Frames without enough foreground cost a count and nothing else.
    """
    height, width = moving.shape[1:]
    least = max(1.0, min_area * height * width)
    rows, boxes, areas = [], [], []
    for row, mask in enumerate(moving):
        if cv2.countNonZero(mask.view(np.uint8)) < least:
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
    """Boxes in pixels (R, 4), right and bottom exclusive, and moving pixels (R,) of one frame.

    Boxes are plain tuples until the end: a frame has two or three, for which numpy costs ten times what it does.
    """
    clean = np.asarray(cv2.medianBlur(mask.view(np.uint8), 3), np.uint8)
    contours, _ = cv2.findContours(cv2.dilate(clean, _GROW), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if len(contours) > _MAX_FRAGMENTS:
        contours = sorted(contours, key=cv2.contourArea, reverse=True)[:_MAX_FRAGMENTS]
    height, width = mask.shape
    boxes, areas = [], []
    for merged in merge_boxes([_shrunk(cv2.boundingRect(contour), width, height) for contour in contours]):
        for left, top, right, bottom in _side_by_side(clean, _without_shadow(clean, merged)):
            area = cv2.countNonZero(clean[top:bottom, left:right])
            if area >= least:
                boxes.append((left, top, right, bottom))
                areas.append(area)
    return np.array(boxes, np.int32).reshape(-1, 4), np.array(areas, np.int32)


def _shrunk(grown: Sequence[int], width: int, height: int) -> PixelBox:
    """The box of x, y, w, h without what dilating added."""
    x, y, w, h = grown
    right, bottom = x + w, y + h
    # At the border dilating had nowhere to grow; what is that near is taken to reach it.
    return (
        x + _GROW_X if x > 0 else 0,
        y + _GROW_Y if y > 0 else 0,
        right - _GROW_X if right < width else width,
        bottom - _GROW_Y if bottom < height else height,
    )


def _without_shadow(clean: NDArray[np.uint8], box: PixelBox) -> PixelBox:
    """`box` without what is low and flat at its sides: the shadow a low sun throws beside a walker.

    With it, the box of a person is as wide as a car's, and its foot is not his.
    """
    left, top, right, bottom = box
    height = cv2.reduce(clean[top:bottom, left:right], 0, cv2.REDUCE_SUM, dtype=cv2.CV_32S)[0].tolist()
    tallest = max(height)
    tall = [column for column, pixels in enumerate(height) if pixels >= _LOW * tallest]
    # A low side that is not flat is a smaller thing, or a bonnet: it stays.
    first = tall[0] if _is_flat(height[: tall[0]]) else 0
    last = tall[-1] + 1 if _is_flat(height[tall[-1] + 1 :]) else len(height)
    if not tallest or last - first > _WORTH_CUTTING * len(height):
        return box
    rows = np.flatnonzero(clean[top:bottom, left + first : left + last].any(axis=1))
    return left + first, top + int(rows[0]), left + last, top + int(rows[-1]) + 1


def _side_by_side(clean: NDArray[np.uint8], box: PixelBox) -> list[PixelBox]:
    """`box` cut between people whose motion touches, as that of those who walk together does; else `box` alone.

    Without it a group is one wide thing, which no network calls a person. Measured on TUD-Campus: boxes that fit one of the
    people (IoU 0.5) from 36 to 50 of 100; on the two highways none more or less.
    """
    left, top, right, bottom = box
    if right - left < max(_WIDE * (bottom - top), 2 * _LEAST_PX):
        return [box]
    at = _deepest_dip(clean[top:bottom, left:right])
    if at is None:
        return [box]
    parts = _trimmed(clean, (left, top, left + at, bottom)), _trimmed(clean, (left + at, top, right, bottom))
    if all(y1 - y0 < _UPRIGHT * (x1 - x0) for x0, y0, x1, y1 in parts):
        return [box]
    if any(y1 - y0 < _AS_TALL * (bottom - top) for _, y0, _, y1 in parts):
        return [box]
    return [one for part in parts for one in _side_by_side(clean, part)]


def _deepest_dip(part: NDArray[np.uint8]) -> int | None:
    """The column at which the silhouette in `part` (h, w) dips deepest between two crests; None if it is of one piece.

    A silhouette is the mean of how high a column reaches and how much of it moves: the first tells heads apart, the second legs.
    """
    height = len(part)
    reach = np.where(part.any(axis=0), height - part.argmax(axis=0), 0)
    outline = cv2.blur(((reach + part.sum(axis=0)) / 2)[None], (_DIP_PX, 1), borderType=cv2.BORDER_REPLICATE)[0]
    crest = np.minimum(np.maximum.accumulate(outline), np.maximum.accumulate(outline[::-1])[::-1])
    depth = np.where(crest >= _CREST * height, outline / np.maximum(crest, 1), 1.0)[_LEAST_PX:-_LEAST_PX]
    at = int(depth.argmin()) if len(depth) else 0
    return at + _LEAST_PX if len(depth) and depth[at] < _DIP else None


def _trimmed(clean: NDArray[np.uint8], box: PixelBox) -> PixelBox:
    """`box` without empty rows and columns at its sides; as it is if all of it is empty."""
    left, top, right, bottom = box
    x, y, w, h = cv2.boundingRect(clean[top:bottom, left:right])
    return (left + x, top + y, left + x + w, top + y + h) if w else box


def _is_flat(height: list[int]) -> bool:
    """Whether columns of these heights together are clearly wider than tall."""
    return bool(height) and sum(map(bool, height)) >= _FLAT * max(1, *height)


def merge_boxes(boxes: Sequence[PixelBox]) -> list[PixelBox]:
    """`boxes` with those that belong together made one, until nothing more belongs together."""
    apart: list[PixelBox] = []
    waiting = list(reversed(boxes))
    while waiting:
        one = waiting.pop()
        partner = next((at for at, other in enumerate(apart) if _belong_together(one, other)), None)
        if partner is None:
            apart.append(one)
        else:
            other = apart.pop(partner)
            waiting.append((min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3])))
    return apart


def _belong_together(a: PixelBox, b: PixelBox) -> bool:
    """Whether two boxes are one thing: they touch or nearly do, or stand above one another with a gap smaller than a body."""
    a_left, a_top, a_right, a_bottom = a
    b_left, b_top, b_right, b_bottom = b
    gap_x, gap_y = max(a_left, b_left) - min(a_right, b_right), max(a_top, b_top) - min(a_bottom, b_bottom)
    if gap_x <= _GAP_PX and gap_y <= _GAP_PX:
        return True
    if -gap_x < _STACK_OVERLAP * min(a_right - a_left, b_right - b_left):
        return False
    if gap_y > _STACK_GAP * max(a_bottom - a_top, b_bottom - b_top):
        return False
    # Only what is upright together: cars behind one another stay apart.
    return max(a_bottom, b_bottom) - min(a_top, b_top) > max(a_right, b_right) - min(a_left, b_left)
