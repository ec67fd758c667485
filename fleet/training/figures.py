"""Drawn people: jointed figures with clothes, walking, standing, bending, riding, from above: poses that the clips lack."""

import cv2
import numpy as np
from numpy.typing import NDArray

from fleet.training.cutouts import Cutout
from fleet.training.teacher import PERSON

__all__ = ["HEIGHT_PX", "Canvas", "Point", "at", "draw_cycle", "draw_figure"]

HEIGHT_PX = 200  # figures are drawn at this height and pasted smaller
Point = tuple[float, float]


def draw_figure(rng: np.random.Generator) -> Cutout:
    """One figure, tight around it; a quarter ride a bicycle or scooter, a tenth are seen from steeply above."""
    canvas = Canvas(rng)
    hip = (HEIGHT_PX * 1.0, HEIGHT_PX * 1.0)
    kind = rng.random()
    if kind < 0.1:
        _draw_from_above(canvas, hip, rng)
        return canvas.cutout(PERSON, "figures")
    rides = kind > 0.8
    if rides:
        draw_cycle(canvas, hip, rng)
    _draw_body(canvas, hip, rides, rng)
    if 0.72 < kind <= 0.8:
        _draw_front_wheel(canvas, hip, rng)
    return canvas.cutout(PERSON, "figures")


class Canvas:
    """Grey and alpha that are drawn together, twice `HEIGHT_PX` each way."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._grey = np.zeros((HEIGHT_PX * 2, HEIGHT_PX * 2), np.float32)
        self._alpha = np.zeros_like(self._grey)
        self._rng = rng

    def cutout(self, label: int, name: str, uneven: float = 18) -> Cutout:
        """What was drawn, tight around it, with folds, hair and light on it of up to `uneven` grey levels."""
        rng, shape = self._rng, self._grey.shape
        grain = [rng.normal(0, 1, (n, n)).astype(np.float32) for n in (40, 12)]
        fine, coarse = (cv2.resize(part, shape, interpolation=cv2.INTER_CUBIC) for part in grain)
        cloth = cv2.GaussianBlur(self._grey, (0, 0), 1.0) + (fine + coarse) * rng.uniform(0, uneven)
        grey = np.asarray(cloth + rng.normal(0, 4, shape), np.float32)
        rows, columns = np.flatnonzero(self._alpha.any(axis=1)), np.flatnonzero(self._alpha.any(axis=0))
        window = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        soft = cv2.GaussianBlur(self._alpha, (0, 0), 1.0)[window]
        return Cutout(np.clip(grey[window], 0, 255).astype(np.uint8), np.ascontiguousarray(soft, np.float32), label, name)

    def limb(self, a: Point, b: Point, wide_a: float, wide_b: float, tone: float) -> None:
        """A tapering limb with round ends, a little lighter or darker along one side."""
        along = np.subtract(b, a)
        across = np.array([-along[1], along[0]]) / max(float(np.hypot(*along)), 1e-3)
        corners = np.array([a + across * wide_a / 2, b + across * wide_b / 2, b - across * wide_b / 2, a - across * wide_a / 2])
        self._fill(corners, tone)
        self.disc(a, wide_a / 2, wide_a / 2, 0, tone)
        self.disc(b, wide_b / 2, wide_b / 2, 0, tone)
        lit = np.array([corners[0], corners[1], b, a])
        cv2.fillPoly(self._grey, [lit.astype(np.int32)], float(np.clip(tone + self._rng.normal(0, 14), 0, 255)))

    def disc(self, middle: Point, radius_x: float, radius_y: float, turn_deg: float, tone: float) -> None:
        place, axes = (round(middle[0]), round(middle[1])), (max(1, round(radius_x)), max(1, round(radius_y)))
        cv2.ellipse(self._grey, place, axes, turn_deg, 0, 360, tone, cv2.FILLED)
        cv2.ellipse(self._alpha, place, axes, turn_deg, 0, 360, 1.0, cv2.FILLED)

    def ring(self, middle: Point, radius: float, wide: int, tone: float) -> None:
        place = (round(middle[0]), round(middle[1]))
        cv2.circle(self._grey, place, round(radius), tone, wide)
        cv2.circle(self._alpha, place, round(radius), 1.0, wide)

    def block(self, left: float, top: float, right: float, bottom: float, tone: float) -> None:
        self._fill(np.array([[left, top], [right, top], [right, bottom], [left, bottom]]), tone)

    def shape(self, corners: NDArray[np.float64], tone: float) -> None:
        """A filled polygon, corners f64 (N, 2)."""
        self._fill(corners, tone)

    def _fill(self, corners: NDArray[np.float64], tone: float) -> None:
        cv2.fillPoly(self._grey, [corners.astype(np.int32)], tone)
        cv2.fillPoly(self._alpha, [corners.astype(np.int32)], 1.0)


def at(origin: Point, length: float, angle: float) -> Point:
    """The end of a limb that hangs down at angle 0 and swings forwards with it."""
    return (origin[0] + length * np.sin(angle), origin[1] + length * np.cos(angle))


def _draw_from_above(canvas: Canvas, middle: Point, rng: np.random.Generator) -> None:
    """Shoulders around a head, legs and an arm or two showing to one side, as a camera on a mast sees people under it."""
    unit = HEIGHT_PX / 5
    top, skin, hair, shoe = (float(rng.uniform(10, 240)) for _ in range(4))
    tilt = rng.uniform(0.2, 1.2)  # how far the legs show below the shoulders
    turn_deg = float(rng.normal(0, 25))
    for sign in (-1, 1):
        foot = (middle[0] + sign * unit * rng.uniform(0.1, 0.5), middle[1] + unit * tilt * rng.uniform(0.8, 1.6))
        canvas.limb(middle, foot, unit * 0.5, unit * 0.35, float(rng.uniform(10, 200)))
        canvas.limb(foot, (foot[0] + sign * 3, foot[1] + unit * 0.2), unit * 0.28, unit * 0.24, shoe)
    for sign in (-1, 1):
        shoulder = (middle[0] + sign * unit * 0.65, middle[1])
        hand = (shoulder[0] + sign * unit * rng.uniform(0, 0.4), middle[1] + unit * rng.uniform(-0.5, 0.9))
        canvas.limb(shoulder, hand, unit * 0.38, unit * 0.24, top)
        canvas.disc(hand, unit * 0.13, unit * 0.13, 0, skin)
    canvas.disc(middle, unit * rng.uniform(0.75, 0.95), unit * rng.uniform(0.35, 0.55), turn_deg, top)
    head = (middle[0] + unit * rng.normal(0, 0.06), middle[1] - unit * rng.uniform(0.0, 0.35))
    canvas.disc(head, unit * 0.36, unit * 0.42, turn_deg, skin)
    canvas.disc((head[0], head[1] - unit * 0.08), unit * 0.36, unit * 0.36, turn_deg, hair)


def _draw_body(canvas: Canvas, hip: Point, rides: bool, rng: np.random.Generator) -> None:
    """Legs, far arm, trunk, head, near arm, and what is carried: back to front."""
    unit = HEIGHT_PX / 8  # an adult is about eight heads tall, a child fewer
    side_view = rides or rng.random() < 0.6
    trousers, top, skin, hair = (float(rng.uniform(10, 240)) for _ in range(4))
    build = rng.uniform(0.8, 1.35)
    stride = rng.uniform(0.1, 0.65) if side_view else rng.uniform(0, 0.12)
    lean = rng.normal(0.35, 0.15) if rides else rng.normal(0.05, 0.08) + (rng.uniform(0.3, 0.9) if rng.random() < 0.08 else 0)
    spread = 0 if side_view else unit * 0.45 * build
    shoe = float(rng.uniform(5, 230))
    for sign in (-1, 1):
        thigh = (rng.uniform(0.5, 1.3) if rides else sign * stride) + (0 if side_view else rng.normal(0, 0.05))
        knee_bend = (
            rng.uniform(0.5, 1.2) if rides else abs(rng.normal(0, 0.15)) + (stride * rng.uniform(0, 0.9) if sign < 0 else 0)
        )
        start = (hip[0] + sign * spread, hip[1])
        knee = at(start, unit * 1.9, thigh)
        foot = at(knee, unit * 1.9, thigh - knee_bend)
        canvas.limb(start, knee, unit * 0.75 * build, unit * 0.5 * build, trousers)
        canvas.limb(knee, foot, unit * 0.5 * build, unit * 0.34 * build, trousers if rng.random() < 0.85 else skin)
        canvas.limb(
            foot, (foot[0] + (unit * 0.5 if side_view else sign * 4), foot[1] + unit * 0.12), unit * 0.3, unit * 0.26, shoe
        )
    neck = at(hip, unit * 2.9, np.pi + lean * -1)
    wide = unit * (1.15 if side_view else 1.75) * build
    arms = [float(np.clip(top + rng.normal(0, 18), 0, 255))] * 2
    _draw_arm(canvas, neck, wide, -1, side_view, rides, arms[0], skin, unit, rng)
    canvas.limb(hip, (neck[0], neck[1] + unit * 0.4), wide * rng.uniform(0.75, 1.0), wide, top)
    if rng.random() < 0.25:  # a coat or skirt down over the thighs
        canvas.limb(hip, (hip[0], hip[1] + unit * rng.uniform(0.6, 1.8)), wide, wide * rng.uniform(0.9, 1.4), top)
    if rng.random() < 0.2:  # a bag on the back
        canvas.disc((neck[0] - wide * 0.7, neck[1] + unit * 1.2), wide * 0.4, unit * 0.9, 0, float(rng.uniform(5, 240)))
    head = (neck[0] + unit * (0.25 if side_view else 0.0) + np.sin(lean) * unit * 0.3, neck[1] - unit * 0.55)
    canvas.limb(neck, head, unit * 0.4, unit * 0.4, skin)
    canvas.disc(head, unit * 0.42, unit * 0.55, 0, skin)
    canvas.disc((head[0] - unit * 0.08 * side_view, head[1] - unit * 0.2), unit * 0.44, unit * 0.38, 0, hair)
    _draw_arm(canvas, neck, wide, 1, side_view, rides, arms[1], skin, unit, rng)


def _draw_arm(
    canvas: Canvas, neck: Point, wide: float, sign: int, side_view: bool, rides: bool, tone: float, skin: float, unit: float,
    rng: np.random.Generator,
) -> None:  # fmt: skip
    shoulder = (neck[0] + (0 if side_view else sign * wide * 0.45), neck[1] + unit * 0.35)
    swing = rng.uniform(0.7, 1.3) if rides else (sign * rng.uniform(0, 0.6) if side_view else sign * rng.uniform(0, 0.3))
    elbow = at(shoulder, unit * 1.35, swing)
    hand = at(elbow, unit * 1.3, swing + rng.uniform(0, 0.8 if side_view else 0.2))
    canvas.limb(shoulder, elbow, unit * 0.5, unit * 0.4, tone)
    canvas.limb(elbow, hand, unit * 0.38, unit * 0.28, tone)
    canvas.disc(hand, unit * 0.18, unit * 0.18, 0, skin)
    if rng.random() < 0.12:  # a bag in the hand
        canvas.disc((hand[0], hand[1] + unit * 0.6), unit * 0.45, unit * 0.55, 0, float(rng.uniform(5, 240)))


def _draw_front_wheel(canvas: Canvas, hip: Point, rng: np.random.Generator) -> None:
    """What of a two-wheeler shows before or behind its rider: one wheel on edge, a bar, a lamp, a mudguard or box."""
    unit, tone = HEIGHT_PX / 8, float(rng.uniform(5, 220))
    wide, ground = unit * rng.uniform(0.25, 0.5), hip[1] + unit * rng.uniform(3.9, 4.5)
    canvas.limb((hip[0], hip[1] + unit * rng.uniform(1.2, 2.4)), (hip[0], ground), wide, wide, float(rng.uniform(5, 60)))
    bar = hip[1] - unit * rng.uniform(-0.4, 0.9)
    reach = unit * rng.uniform(0.9, 1.6)
    canvas.limb((hip[0] - reach, bar), (hip[0] + reach, bar), unit * 0.18, unit * 0.18, tone)
    if rng.random() < 0.7:
        canvas.limb((hip[0], bar), (hip[0], hip[1] + unit * 2), unit * rng.uniform(0.6, 1.6), unit * rng.uniform(0.4, 1.2), tone)
    canvas.disc((hip[0], bar + unit * 0.5), unit * 0.3, unit * 0.3, 0, float(rng.uniform(120, 255)))


def draw_cycle(canvas: Canvas, hip: Point, rng: np.random.Generator) -> None:
    """Two wheels and a frame under the saddle at `hip`, seen from the side."""
    unit, tone = HEIGHT_PX / 8, float(rng.uniform(5, 220))
    radius = unit * rng.uniform(0.8, 1.5)
    back, front = ((hip[0] + dx * unit, hip[1] + unit * 2.6) for dx in (-1.4, 2.1))
    wide = max(2, round(unit * rng.uniform(0.12, 0.35)))
    for wheel in (back, front):
        canvas.ring(wheel, radius, wide, tone)
    frame = float(rng.uniform(5, 240))
    crank, bar = (hip[0] + 0.3 * unit, hip[1] + unit * 2.4), (hip[0] + 1.6 * unit, hip[1] - unit * 0.4)
    for a, b in ((back, hip), (back, crank), (crank, bar), (hip, crank), (bar, front)):
        canvas.limb(a, b, wide, wide, frame)
    if rng.random() < 0.4:  # a scooter's body
        canvas.limb(back, crank, unit * 0.9, unit * 0.5, frame)
