"""What can be seen from a point among straight walls, exactly."""

import math

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

__all__ = ["NOTHING", "Floats", "Shape", "shadows", "visible"]

Floats = NDArray[np.float64]

_SAME_ANGLE = 1e-9  # radians; a ray that narrow misses 0.1 µm at 100 m
_SAME_M = 1e-7  # points nearer than this are one
_MOST_CELLS = 1 << 20  # of one step of the sweep, so that a whole city in view costs time and not memory
NOTHING = shapely.Polygon()
Shape = BaseGeometry


def visible(eye: Floats, frame: Floats, walls: Floats) -> shapely.Polygon:
    """The part of the convex `frame` (N, 2) that `eye` (2,), on its edge or inside, sees past `walls` (W, 2, 2).

    An angular sweep: between the directions of two neighbouring ends of walls the nearest wall stays the same, so it is found
    once and both directions are cut with it; no rays at angles of our choice. Walls may touch but not cross each other.
    """
    hull = frame - eye
    lines = np.concatenate([_clipped(walls - eye, hull), _sides(hull)])
    angle = np.arctan2(lines[:, :, 1], lines[:, :, 0]).ravel()
    angle = np.sort(np.append(angle, (-math.pi, math.pi)))
    apart = np.flatnonzero(angle[1:] - angle[:-1] > _SAME_ANGLE)
    begin, end = angle[apart], angle[apart + 1]
    which = _nearest(_rays((begin + end) / 2), lines)
    # One wall in several neighbouring intervals is one side of the result: what lies behind it leaves no corner on it.
    first = np.flatnonzero(which != which[np.arange(-1, len(which) - 1)])
    last = np.append(first[1:], first[:1]) - 1  # around: before the first comes the end of the last
    ray = np.empty((len(first), 2, 2))
    ray[:, 0], ray[:, 1] = _rays(begin[first]), _rays(end[last])
    points = _met(ray, lines[which[first]], which[first] >= 0).reshape(-1, 2)
    points = points[np.abs(points - points[np.arange(-1, len(points) - 1)]).max(axis=1) > _SAME_M]
    return shapely.polygons(points + eye) if len(points) > 2 else NOTHING


def shadows(eye: Floats, walls: Floats, reach: Floats) -> Floats:
    """The ground hidden behind walls one can see over: (W, 4, 2), a quadrilateral for each of `walls` (W, 2, 2).

    `reach` (W,) says how many times as far as the wall its shadow ends: (eye - target) / (eye - top), all heights.
    """
    near = walls - eye
    far = near * reach[:, None, None]
    return np.concatenate([near, far[:, ::-1]], axis=1) + eye


def _rays(angle: Floats) -> Floats:
    """Directions of length one (K, 2)."""
    rays = np.empty((len(angle), 2))
    rays[:, 0], rays[:, 1] = np.cos(angle), np.sin(angle)
    return rays


def _sides(hull: Floats) -> Floats:
    """The sides of a polygon (N, 2) as lines (N, 2, 2)."""
    sides = np.empty((len(hull), 2, 2))
    sides[:, 0], sides[:-1, 1], sides[-1, 1] = hull, hull[1:], hull[0]
    return sides


def _clipped(walls: Floats, hull: Floats) -> Floats:
    """The parts of the walls inside a convex polygon (Cyrus-Beck)."""
    first, along = walls[:, 0], walls[:, 1] - walls[:, 0]
    sides = _sides(hull)
    side = sides[:, 1] - sides[:, 0]
    side *= np.sign(_cross(sides[:, 0], sides[:, 1]).sum())  # inside is to the left
    inside, change = _cross(side[:, None], first - hull[:, None]), _cross(side[:, None], along)
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = -inside / change
    low = np.where(change > 0, crossing, 0.0).max(axis=0, initial=0.0)
    high = np.where(change < 0, crossing, np.where((change == 0) & (inside <= 0), -1.0, 1.0)).min(axis=0, initial=1.0)
    kept = high > low
    ends = np.stack([low[kept], high[kept]], axis=1)[:, :, None]
    clipped: Floats = first[kept, None] + along[kept, None] * ends
    return clipped


def _nearest(ray: Floats, lines: Floats) -> NDArray[np.intp]:
    """The line each ray (K, 2) meets first, -1 for none."""
    first, along = lines[:, 0], lines[:, 1] - lines[:, 0]
    second = lines[:, 1]
    reach = _cross(first, along)
    found = np.empty(len(ray), np.intp)
    rows = max(1, _MOST_CELLS // len(lines))
    for begin in range(0, len(ray), rows):
        x, y = ray[begin : begin + rows, 0, None], ray[begin : begin + rows, 1, None]
        sides = (x * first[:, 1] - y * first[:, 0]) * (x * second[:, 1] - y * second[:, 0])
        across = x * along[:, 1] - y * along[:, 0]
        with np.errstate(divide="ignore", invalid="ignore"):
            far = np.where(sides < 0, reach / across, np.inf)
        far[~(far > 0)] = np.inf
        nearest = far.argmin(axis=1)
        found[begin : begin + rows] = np.where(np.isfinite(far[np.arange(len(far)), nearest]), nearest, -1)
    return found


def _met(ray: Floats, line: Floats, meets: NDArray[np.bool_]) -> Floats:
    """Where the two rays (K, 2, 2) beside each interval meet its line (K, 2, 2); the eye itself where it has none."""
    first, along = line[:, 0], line[:, 1] - line[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        far = _cross(first, along)[:, None] / _cross(ray, along[:, None])
    most = np.hypot(line[:, :, 0], line[:, :, 1]).max(axis=1, keepdims=True)  # rounding, where a wall is grazed
    far = np.where(meets[:, None] & ~np.isnan(far), np.clip(far, 0.0, most), 0.0)
    met: Floats = ray * far[:, :, None]
    return met


def _cross(one: Floats, other: Floats) -> Floats:
    result: Floats = one[..., 0] * other[..., 1] - one[..., 1] * other[..., 0]
    return result
