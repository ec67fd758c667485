"""Where a point of the drawn world falls in the picture, and back: a pinhole camera on a pole."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Array", "View"]

Array = NDArray[np.floating[Any]]
"""float32 per pixel; positions may be float64."""

_NEAR_M = 0.5  # nothing nearer to the lens is drawn


@dataclass(frozen=True)
class View:
    """World axes in metres: x right, y away from the camera along the ground, z up; the camera stands above the origin.

    Pixels are of a picture `width` x `height`. Depth is metres along the optical axis.
    """

    height_m: float = 5.5
    tilt_deg: float = 20.0
    hfov_deg: float = 78.0
    width: int = 640
    height: int = 360

    @cached_property
    def focal_px(self) -> float:
        return self.width / 2 / math.tan(math.radians(self.hfov_deg) / 2)

    @cached_property
    def _axes(self) -> tuple[float, float]:
        return math.sin(math.radians(self.tilt_deg)), math.cos(math.radians(self.tilt_deg))

    def scaled(self, factor: int) -> "View":
        """The same view in a picture `factor` times as large."""
        return View(self.height_m, self.tilt_deg, self.hfov_deg, self.width * factor, self.height * factor)

    def depth(self, points: Array) -> Array:
        """(..., 3) metres to depth (...)."""
        sin, cos = self._axes
        out: Array = points[..., 1] * cos + (self.height_m - points[..., 2]) * sin
        return out

    def project(self, points: Array) -> Array:
        """(..., 3) metres to pixels (..., 2); points behind the lens give nonsense, clip them first."""
        sin, cos = self._axes
        depth = np.maximum(self.depth(points), _NEAR_M / 4)
        up = points[..., 1] * sin + (points[..., 2] - self.height_m) * cos
        x = self.width / 2 + self.focal_px * points[..., 0] / depth
        y = self.height / 2 - self.focal_px * up / depth
        return np.stack([x, y], axis=-1).astype(np.float32)

    def ground(self, pixels: Array) -> Array:
        """Pixels (N, 2) below the horizon to the point of the ground seen there, (N, 2) metres."""
        rays = self.rays(pixels)
        points: Array = rays[..., :2] * (self.height_m / -rays[..., 2:])
        return points

    def rays(self, pixels: Array) -> Array:
        """Pixels (..., 2) to world directions (..., 3) that are one metre deep."""
        sin, cos = self._axes
        x = (pixels[..., 0] - self.width / 2) / self.focal_px
        up = (self.height / 2 - pixels[..., 1]) / self.focal_px
        return np.stack([x, cos + up * sin, -sin + up * cos], axis=-1).astype(np.float32)

    def outline(self, polygon: Array) -> Array:
        """A planar polygon (N, 3) as pixels (M, 2), cut off where it comes too near the lens; M is 0 if nothing is left."""
        depth = self.depth(polygon)
        if (depth >= _NEAR_M).all():
            return self.project(polygon)
        kept: list[Array] = []
        for index in range(len(polygon)):
            a, b = polygon[index - 1], polygon[index]
            da, db = float(depth[index - 1]), float(depth[index])
            if (da >= _NEAR_M) != (db >= _NEAR_M):
                kept.append(a + (b - a) * ((_NEAR_M - da) / (db - da)))
            if db >= _NEAR_M:
                kept.append(b)
        return self.project(np.array(kept, np.float32)) if kept else np.zeros((0, 2), np.float32)
