"""What an actor is made of at one moment, as columns, so that all of it is projected and shaded in a few calls."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingest.simulate.texture import Colour
from ingest.simulate.view import Array

__all__ = ["Figure", "Part", "Stand"]

_TO_LENS = (-0.35, -0.6, 0.55)  # the way a limb faces on the whole: towards the camera, a little up


@dataclass(frozen=True, slots=True)
class Stand:
    """Where a thing stands on the ground and which way it looks, anticlockwise from the x axis."""

    x_m: float
    y_m: float
    heading_rad: float

    def world(self, points: Array) -> Array:
        """Own axes (forward, left, up) to world (x, y, z), (N, 3)."""
        out: Array = points @ self._turn() + np.array([self.x_m, self.y_m, 0], np.float32)
        return out

    def own(self, point: Array) -> Array:
        """A world point (3,) in own axes."""
        out: Array = self._turn() @ (point - np.array([self.x_m, self.y_m, 0], np.float32))
        return out

    def _turn(self) -> Array:
        cos, sin = np.cos(self.heading_rad), np.sin(self.heading_rad)
        return np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]], np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """The convex hull of discs at `point` (N, 3) with `radius` (N,) metres; if `line`, a closed line through them that thick; if
    `flat`, a polygon whose corners run anticlockwise as seen from outside. `layer`: flat parts of a higher one cover a lower."""

    point: Array
    radius: Array
    colour: Colour
    line: bool = False
    flat: bool = False
    glow: bool = False
    layer: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Figure:
    """P parts with N points in all: `point` (N, 3) and `radius` (N,) metres, part i has points start[i]..start[i + 1].

    `colour` (P, 3), unit `normal` (P, 3), `line`, `glow` bool (P,), `layer` int (P,). `flat`: all parts are flat, or none.
    """

    point: Array
    radius: Array
    start: NDArray[np.int64]
    colour: Array
    normal: Array
    line: NDArray[np.bool_]
    glow: NDArray[np.bool_]
    layer: NDArray[np.int64]
    flat: bool

    @classmethod
    def of(cls, parts: Sequence[Part]) -> "Figure":
        flat = parts[0].flat
        start = np.concatenate([[0], np.cumsum([len(part.radius) for part in parts])])
        if flat:
            corners = np.array([part.point[:3] for part in parts], np.float32)
            normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 1])
            normal = normal / (np.linalg.norm(normal, axis=1, keepdims=True) + 1e-9)
        else:
            normal = np.tile(np.array(_TO_LENS, np.float32), (len(parts), 1))
        return cls(
            point=np.concatenate([part.point for part in parts]).astype(np.float32),
            radius=np.concatenate([part.radius for part in parts]).astype(np.float32),
            start=start,
            colour=np.array([part.colour for part in parts], np.float32),
            normal=normal.astype(np.float32),
            line=np.array([part.line for part in parts]),
            glow=np.array([part.glow for part in parts]),
            layer=np.array([part.layer for part in parts]),
            flat=flat,
        )

    def placed(self, stand: Stand) -> "Figure":
        """The same in world axes."""
        point = stand.world(self.point)
        normal = stand.world(self.normal) - stand.world(np.zeros((1, 3), np.float32)) if self.flat else self.normal
        return Figure(point, self.radius, self.start, self.colour, normal, self.line, self.glow, self.layer, self.flat)

    def drawing_order(self, lens: Array) -> NDArray[np.int64]:
        """The parts a lens at (3,) can see, in the order to draw them: far before near, flat ones by layer first."""
        middle = np.add.reduceat(self.point, self.start[:-1]) / np.diff(self.start)[:, None]
        distance = np.linalg.norm(middle - lens, axis=1)
        if not self.flat:
            return np.argsort(-distance, kind="stable")
        seen = ((lens - self.point[self.start[:-1]]) * self.normal).sum(axis=1) > 0
        order = np.lexsort((-distance, self.layer))
        out: NDArray[np.int64] = order[seen[order]]
        return out
