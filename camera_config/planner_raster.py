"""Uncovered ground as a raster, and what of it a camera at a spot would see, near enough to compare thousands of spots.

Along a fan of rays from the spot each cell's weight counts with the width of the fan there; a ray ends at the first building.
Exact views are for what is chosen: a ray every 3° and cells of 3 m are wrong by a few per cent.
"""

import math
from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

from camera_config.visibility import Floats, Shape

__all__ = ["BlindRaster"]

_CELL_M = 3.0
_RAY = math.radians(3.0)
_RAYS = round(2 * math.pi / _RAY)
_FREE_M = 4.5  # ahead of a spot no building counts: a cell of its own wall reaches so far
_MOST_SAMPLES = 1 << 21  # at a time


class BlindRaster:
    """Weight of the uncovered ground by cell; owned by one plan, which takes from it what it covers."""

    def __init__(self, ground: Sequence[tuple[Shape, float]], buildings: Shape) -> None:
        """`ground`: shapes in metres and the weight of each square metre in them; weights of shapes that overlap add up."""
        west, south, east, north = shapely.union_all([shapely.box(*shape.bounds) for shape, _ in ground]).bounds
        self._origin = np.array([west, south]) - _CELL_M
        self._shape = math.ceil((east - west) / _CELL_M) + 3, math.ceil((north - south) / _CELL_M) + 3
        self._weight = np.zeros(self._shape)
        for shape, weight in ground:
            cells, inside = self._cells_in(shape)
            self._weight[cells] += weight * inside
        cells, inside = self._cells_in(shapely.box(west, south, east, north), buildings)
        self._is_built = np.zeros(self._shape, bool)
        self._is_built[cells] = inside

    def take(self, shape: Shape) -> None:
        """Ground that is covered now weighs nothing any more."""
        cells, inside = self._cells_in(shape)
        self._weight[cells] *= ~inside

    def gains(self, at: Floats, reach_m: float) -> Floats:
        """What lies around each spot (S, 2) in sight, m²: (S, rays, steps), summed up along each ray.

        Ray `r` looks `r`·3° clockwise from north; step `k` ends `k` cells away.
        """
        steps = math.ceil(reach_m / _CELL_M)
        away_m = (np.arange(steps) + 0.5) * _CELL_M
        angle = np.arange(_RAYS) * _RAY
        way = np.stack([np.sin(angle), np.cos(angle)], axis=1)[:, None] * away_m[:, None]
        strip_m2 = away_m * _CELL_M * _RAY
        found = np.empty((len(at), _RAYS, steps + 1))
        rows = max(1, _MOST_SAMPLES // (_RAYS * steps))
        for begin in range(0, len(at), rows):
            cell = np.floor((at[begin : begin + rows, None, None] + way - self._origin) / _CELL_M).astype(np.intp)
            x, y = (np.clip(cell[..., axis], 0, self._shape[axis] - 1) for axis in (0, 1))
            open_yet = ~np.logical_or.accumulate(self._is_built[x, y] & (away_m > _FREE_M), axis=2)
            found[begin : begin + rows, :, 0] = 0.0
            np.cumsum(self._weight[x, y] * open_yet * strip_m2, axis=2, out=found[begin : begin + rows, :, 1:])
        return found

    @staticmethod
    def in_view(gains: Floats, azimuth_deg: float, hfov_deg: float, near_m: float, far_m: float) -> Floats:
        """Of `gains` (S, rays, steps), what a camera of this direction and lens would see (S,); near and far along its axis."""
        half = min(hfov_deg / 2, 85.0)
        turn = (np.arange(_RAYS) * math.degrees(_RAY) - azimuth_deg + 180) % 360 - 180
        rays = np.flatnonzero(np.abs(turn) <= half)
        slant = 1 / np.cos(np.radians(turn[rays]))
        last = gains.shape[2] - 1
        near, far = (np.clip(np.rint(m * slant / _CELL_M), 0, last).astype(np.intp) for m in (near_m, far_m))
        seen: Floats = (gains[:, rays, far] - gains[:, rays, near]).sum(axis=1)
        return seen

    def _cells_in(self, shape: Shape, other: Shape | None = None) -> tuple[tuple[slice, slice], NDArray[np.bool_]]:
        """The cells around a shape, and which of their middles lie in it, or in `other`."""
        west, south, east, north = shape.bounds
        low = np.clip(np.floor((np.array([west, south]) - self._origin) / _CELL_M).astype(int), 0, self._shape)
        high = np.clip(np.ceil((np.array([east, north]) - self._origin) / _CELL_M).astype(int), 0, self._shape)
        x, y = (self._origin[axis] + (np.arange(low[axis], high[axis]) + 0.5) * _CELL_M for axis in (0, 1))
        asked = shape if other is None else other
        shapely.prepare(asked)
        inside = np.asarray(shapely.contains_xy(asked, *np.meshgrid(x, y, indexing="ij")))
        return (slice(low[0], high[0]), slice(low[1], high[1])), inside
