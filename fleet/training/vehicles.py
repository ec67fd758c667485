"""Drawn vehicles, from straight above, from the side, from the front or back: views of which the clips have one each at most."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from fleet.training.cutouts import Cutout
from fleet.training.figures import HEIGHT_PX, Canvas
from fleet.training.teacher import VEHICLE

__all__ = ["draw_vehicle"]

Corners = NDArray[np.float64]
UNIT = HEIGHT_PX / 2  # half the length of a car seen from above or from the side


def draw_vehicle(rng: np.random.Generator) -> Cutout:
    """A car, van, lorry or bus without its surroundings, tight around it."""
    canvas = Canvas(rng)
    kind = rng.random()
    draw = _draw_from_above if kind < 0.5 else _draw_from_the_side if kind < 0.75 else _draw_from_the_front
    draw(canvas, rng)
    return canvas.cutout(VEHICLE, "vehicles")


class _Pen:
    """Draws polygons given in a vehicle's own measures, turned and foreshortened as the camera sees them."""

    def __init__(self, canvas: Canvas, turn: float, squeeze: float) -> None:
        self._canvas = canvas
        self._turn = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        self._squeeze = np.array([1.0, squeeze])

    def shape(self, corners: list[tuple[float, float]], tone: float) -> None:
        self._canvas.shape(self._placed(np.array(corners)), tone)

    def disc(self, x: float, y: float, radius: float, tone: float) -> None:
        place = self._placed(np.array([[x, y]]))[0]
        self._canvas.disc((float(place[0]), float(place[1])), radius * UNIT, radius * UNIT, 0, tone)

    def _placed(self, corners: Corners) -> Corners:
        placed: Corners = (corners @ self._turn) * self._squeeze * UNIT + HEIGHT_PX
        return placed


def _tones(rng: np.random.Generator) -> tuple[float, float, float]:
    """Of paint, glass and lamps."""
    paint = float(rng.choice([rng.uniform(10, 70), rng.uniform(70, 170), rng.uniform(170, 250)]))
    glass = float(rng.uniform(10, 90) if rng.random() < 0.85 else rng.uniform(120, 220))
    return paint, glass, float(rng.uniform(150, 255))


def _other(tone: float, rng: np.random.Generator) -> float:
    return float(np.clip(tone + rng.normal(0, 22), 0, 255))


def _draw_from_above(canvas: Canvas, rng: np.random.Generator) -> None:
    """Body with rounded ends, glass before and behind the roof and along it; at any angle, from steeply above."""
    paint, glass, lamp = _tones(rng)
    pen = _Pen(canvas, float(rng.uniform(0, 2 * np.pi)), float(rng.uniform(0.7, 1.0)))
    w, cut = rng.uniform(0.38, 0.52), rng.uniform(0.05, 0.2)
    pen.shape(
        [(-1, -w + cut), (-1 + cut, -w), (1 - cut, -w), (1, -w + cut), (1, w - cut), (1 - cut, w), (-1 + cut, w), (-1, w - cut)],
        paint,
    )
    if rng.random() < 0.2:  # a lorry or bus: cabin and a long box
        split, box = rng.uniform(0.3, 0.75), float(rng.uniform(20, 245))
        pen.shape([(-1, -w), (split, -w), (split, w), (-1, w)], box)
        pen.shape([(0.86, -w * 0.9), (0.95, -w * 0.8), (0.95, w * 0.8), (0.86, w * 0.9)], glass)
        return
    front, back = rng.uniform(0.15, 0.5), -rng.uniform(0.35, 0.9)
    inner, rake = w * rng.uniform(0.72, 0.88), rng.uniform(0.1, 0.28)
    pen.shape([(back, -w * 0.93), (front, -w * 0.93), (front, w * 0.93), (back, w * 0.93)], glass)
    roof = _other(paint, rng)
    pen.shape([(back + rake, -inner), (front - rake, -inner), (front - rake, inner), (back + rake, inner)], roof)
    for sign in (-1, 1):
        pen.shape([(0.9, sign * w * 0.5), (1.0, sign * w * 0.55), (0.96, sign * w * 0.9), (0.86, sign * w * 0.9)], lamp)
        pen.shape(
            [
                (front - 0.05, sign * w),
                (front - 0.05, sign * (w + 0.09)),
                (front - 0.13, sign * (w + 0.09)),
                (front - 0.13, sign * w),
            ],
            paint,
        )
    if rng.random() < 0.5:
        seam = _other(paint, rng)
        pen.shape([(front + 0.02, -w * 0.8), (front + 0.05, -w * 0.8), (front + 0.05, w * 0.8), (front + 0.02, w * 0.8)], seam)


def _draw_from_the_side(canvas: Canvas, rng: np.random.Generator) -> None:
    """Sill, cabin with windows, wheels."""
    paint, glass, lamp = _tones(rng)
    pen = _Pen(canvas, float(rng.normal(0, 0.12)), 1.0)
    high, roof = rng.uniform(0.22, 0.4), rng.uniform(0.25, 0.5)
    front, back = rng.uniform(0.3, 0.85), -rng.uniform(0.5, 0.98)
    rake = rng.uniform(0.05, 0.35)
    pen.shape(
        [(back, -high), (back + rake * 0.6, -high - roof), (front - rake, -high - roof), (front, -high)], _other(paint, rng)
    )
    left, right = back + rake * 0.6 + 0.05, front - rake - 0.02
    if rng.random() < 0.85:
        panes = np.linspace(left, right, int(rng.integers(2, 5)))
        for a, b in pairwise(panes.tolist()):
            pen.shape(
                [(a + 0.02, -high), (a + 0.04, -high - roof * 0.8), (b - 0.04, -high - roof * 0.8), (b - 0.02, -high)], glass
            )
    pen.shape([(-1, -high * 0.8), (-0.95, -high), (0.9, -high), (1, -high * 0.6), (1, 0.05), (-1, 0.05)], paint)
    pen.shape([(0.92, -high * 0.75), (1, -high * 0.65), (1, -high * 0.35), (0.92, -high * 0.4)], lamp)
    radius = rng.uniform(0.13, 0.2)
    for x in (-rng.uniform(0.55, 0.7), rng.uniform(0.5, 0.7)):
        pen.disc(x, 0.06, radius, float(rng.uniform(5, 45)))
        pen.disc(x, 0.06, radius * 0.6, float(rng.uniform(60, 220)))


def _draw_from_the_front(canvas: Canvas, rng: np.random.Generator) -> None:
    """Front or back, leaning a little to one side: body, screen, lamps, plate, wheels; a lorry or bus is higher than wide."""
    paint, glass, lamp = _tones(rng)
    pen = _Pen(canvas, float(rng.normal(0, 0.06)), 1.0)
    high, roof = rng.uniform(0.35, 0.5), rng.uniform(0.25, 0.45) if rng.random() < 0.7 else rng.uniform(0.5, 1.0)
    w, narrow = rng.uniform(0.45, 0.6), rng.uniform(0.75, 0.98)
    lean = float(rng.normal(0, 0.06))
    for sign in (-1, 1):
        x = sign * w * 0.8
        pen.shape([(x - 0.09, 0.15), (x + 0.09, 0.15), (x + 0.09, -0.1), (x - 0.09, -0.1)], float(rng.uniform(5, 45)))
    top = w * narrow
    pen.shape([(-w, -high), (-top + lean, -high - roof), (top + lean, -high - roof), (w, -high)], _other(paint, rng))
    inside = 0.86
    pen.shape(
        [
            (-w * inside, -high),
            (-top * inside + lean, -high - roof * 0.85),
            (top * inside + lean, -high - roof * 0.85),
            (w * inside, -high),
        ],
        glass,
    )
    pen.shape([(-w, -high), (w, -high), (w * 1.03, -0.05), (w, 0.05), (-w, 0.05), (-w * 1.03, -0.05)], paint)
    for sign in (-1, 1):
        pen.disc(sign * w * 0.78, -high * rng.uniform(0.5, 0.75), rng.uniform(0.05, 0.1), lamp)
    plate = -high * rng.uniform(0.15, 0.45)
    pen.shape([(-0.16, plate), (0.16, plate), (0.16, plate - 0.08), (-0.16, plate - 0.08)], float(rng.uniform(120, 255)))
    if rng.random() < 0.6:
        grille = _other(paint, rng)
        pen.shape([(-w * 0.6, -high * 0.75), (w * 0.6, -high * 0.75), (w * 0.55, -high * 0.5), (-w * 0.55, -high * 0.5)], grille)
