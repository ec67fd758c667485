"""Points, boxes, lines and polygons in picture fractions."""

import cv2
import numpy as np
from numpy.typing import NDArray

from base import Box

__all__ = [
    "ASPECT",
    "GRID",
    "apart",
    "clip_foot",
    "covered",
    "crossings",
    "distance_to_line",
    "inside",
    "overlap",
    "rasterise",
    "surroundings",
    "touches",
]

Bool = NDArray[np.bool_]
Floats = NDArray[np.float64]

GRID = (90, 160)  # raster of a zone and its surroundings: the reduced picture
ASPECT = 16 / 9  # width over height of a camera's picture, near enough: a length is in heights of the picture
_REACH = 0.12  # of the picture's width around a zone: a walker's way between two key frames
_BORDER = 1e-3  # a foot on the picture's edge is inside a zone drawn to that edge


def inside(polygon: Floats, point: Floats) -> Bool:
    """Which of the points (P, 2) lie in the polygon (V, 2), by the even-odd rule, bool (P,). The ring closes itself."""
    x, y = point[:, 0, None], point[:, 1, None]
    x0, y0 = polygon.T
    x1, y1 = np.concatenate((polygon[1:], polygon[:1])).T
    spans = (y0 > y) != (y1 > y)
    # Level edges divide by zero, and nearly level ones overflow; neither kind spans the point, so the result is not used.
    with np.errstate(all="ignore"):
        crossing = x0 + (y - y0) * (x1 - x0) / (y1 - y0)
    result: Bool = np.bitwise_xor.reduce(spans & (x < crossing), axis=1)
    return result


def clip_foot(foot: tuple[float, float]) -> tuple[float, float]:
    """A foot point that lies within the picture."""
    return min(max(foot[0], _BORDER), 1 - _BORDER), min(max(foot[1], _BORDER), 1 - _BORDER)


def crossings(line: Floats, before: Floats, after: Floats) -> int:
    """How often the step `before` → `after`, (2,) each, crosses the polyline (V, 2): to its right minus to its left.

    A step that ends on the line is on the right of it, so that steps and corners are counted once.
    """
    start, end = line[:-1], line[1:]
    was, now = _side(start, end, before), _side(start, end, after)
    # The ends of each segment against the step: the same point gives the same answer in both segments it belongs to.
    spans = (_side(before[None], after[None], start) >= 0) != (_side(before[None], after[None], end) >= 0)
    return int(np.count_nonzero((was < 0) & (now >= 0) & spans)) - int(np.count_nonzero((was >= 0) & (now < 0) & spans))


def _side(start: Floats, end: Floats, point: Floats) -> Floats:
    """Positive right of start → end, y pointing down."""
    way, off = end - start, point - start
    result: Floats = way[:, 0] * off[:, 1] - way[:, 1] * off[:, 0]
    return result


def distance_to_line(line: Floats, point: Floats) -> float:
    """Of a point (2,) from a polyline (V, 2), in heights of the picture."""
    scale = np.array([ASPECT, 1.0])
    start, way, off = line[:-1] * scale, np.diff(line, axis=0) * scale, (point - line[:-1]) * scale
    at = np.clip((off * way).sum(axis=1) / (way * way).sum(axis=1), 0, 1)
    return float(np.linalg.norm(point * scale - start - at[:, None] * way, axis=1).min())


def apart(one: tuple[float, float], two: tuple[float, float]) -> float:
    """Distance of two points in heights of the picture."""
    return float(np.hypot((one[0] - two[0]) * ASPECT, one[1] - two[1]))


def overlap(one: Box, two: Box) -> float:
    """Intersection over union."""
    width = min(one[2], two[2]) - max(one[0], two[0])
    height = min(one[3], two[3]) - max(one[1], two[1])
    if width <= 0 or height <= 0:
        return 0.0
    common = width * height
    return common / ((one[2] - one[0]) * (one[3] - one[1]) + (two[2] - two[0]) * (two[3] - two[1]) - common)


def rasterise(polygon: Floats) -> Bool:
    """Cells of a zone, bool (90, 160)."""
    mask = np.zeros(GRID, np.uint8)
    cv2.fillPoly(mask, [_cells(polygon)], 1)
    return mask.view(np.bool_)


def surroundings(polygon: Floats, line: Floats) -> Bool:
    """Cells of the zone or the line, where there is one, and of what is within _REACH of them, bool (90, 160)."""
    mask = np.zeros(GRID, np.uint8)
    if len(polygon):
        cv2.fillPoly(mask, [_cells(polygon)], 1)
    else:
        cv2.polylines(mask, [_cells(line)], False, 1)
    reach = round(_REACH * GRID[1])
    grown = cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1)))
    return np.asarray(grown, np.bool_)


def covered(raster: Bool, box: Box) -> tuple[float, float]:
    """Which share of the cells that are set lies in `box`, and which share of the cells of `box` is set."""
    height, width = GRID
    left, top, right, bottom = np.rint(np.clip(box, 0, 1) * np.tile(GRID[::-1], 2)).astype(int).tolist()
    left, top = min(left, width - 1), min(top, height - 1)
    part = raster[top : max(top + 1, bottom), left : max(left + 1, right)]
    common = int(np.count_nonzero(part))
    return common / max(1, int(np.count_nonzero(raster))), common / part.size


def touches(raster: Bool, box: Box) -> bool:
    """Whether any cell of `box` is set."""
    height, width = GRID
    left, right = max(0, int(box[0] * width)), max(1, int(np.ceil(box[2] * width)))
    top, bottom = max(0, int(box[1] * height)), max(1, int(np.ceil(box[3] * height)))
    return bool(raster[min(top, height - 1) : bottom, min(left, width - 1) : right].any())


def _cells(points: Floats) -> NDArray[np.int32]:
    return np.rint(points * (GRID[1] - 1, GRID[0] - 1)).astype(np.int32)
