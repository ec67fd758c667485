"""Drawn vehicles: solids of flat faces, seen from any side and height. The clips have one view each."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from fleet.training.cutouts import Cutout
from fleet.training.figures import HEIGHT_PX, Canvas
from fleet.training.teacher import VEHICLE

__all__ = ["draw_vehicle"]

Corners = NDArray[np.float64]
Shapes = list[tuple[Corners, float]]  # corners (N, 3) and tone
AROUND = 14  # corners of a wheel


@dataclass(frozen=True, slots=True)
class _Face:
    """One side of a solid, corners (4, 3), and what lies on it."""

    corners: Corners
    tone: float
    on_it: Shapes


def draw_vehicle(rng: np.random.Generator) -> Cutout:
    """A car, van, lorry or bus without its surroundings, tight around it."""
    canvas = Canvas(rng)
    eye = _Eye(rng)
    sun = rng.normal(0, 1, 3) + np.array([0, 0, 1.5])
    sun /= np.linalg.norm(sun)
    shaded, base = rng.uniform(0.1, 0.6), rng.uniform(0.55, 0.8)
    shapes: Shapes = []
    # What is farther away is drawn first; a roof stands on its body, so it comes after it
    for solid in sorted(_solids(rng), key=lambda solid: (solid.floor, -eye.distance(solid.middle))):
        for face in solid.faces:
            out = _out_of(face.corners, solid.middle)
            if eye.sees(face.corners.mean(axis=0), out):
                lit = base + shaded * float(out @ sun)
                shapes += [(eye.shown(face.corners), float(np.clip(face.tone * lit + 10, 0, 255)))]
                shapes += [(eye.shown(corners), tone) for corners, tone in face.on_it]
    everything = np.concatenate([corners for corners, _ in shapes])
    low, high = everything.min(axis=0), everything.max(axis=0)
    scale = HEIGHT_PX / float((high - low).max())
    for corners, tone in shapes:
        canvas.shape((corners - (low + high) / 2) * scale + HEIGHT_PX, tone)
    return canvas.cutout(VEHICLE, "vehicles", uneven=6)


class _Eye:
    """Where the camera is: around the vehicle at any angle, low or steeply above, near (strong perspective) or far."""

    def __init__(self, rng: np.random.Generator) -> None:
        yaw = rng.uniform(0, 2 * np.pi)
        pitch = np.radians(rng.uniform(60, 90) if rng.random() < 0.35 else rng.uniform(3, 60))
        self._to = np.array([np.cos(pitch) * np.cos(yaw), np.cos(pitch) * np.sin(yaw), np.sin(pitch)])
        self._right = np.array([-np.sin(yaw), np.cos(yaw), 0.0])
        self._up = np.cross(self._to, self._right)
        self._far = float(np.exp(rng.uniform(np.log(3.5), np.log(20))))
        turn = rng.uniform(0, 2 * np.pi) if pitch > 1.2 else rng.normal(0, 0.06)
        self._roll = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])

    def sees(self, place: Corners, out: Corners) -> bool:
        return float((self._to * self._far - place) @ out) > 0

    def distance(self, place: Corners) -> float:
        return float(np.linalg.norm(self._to * self._far - place))

    def shown(self, corners: Corners) -> Corners:
        """Corners (N, 3) on the picture, (N, 2), downwards."""
        nearer = self._far / (self._far - corners @ self._to)
        flat = np.stack([corners @ self._right, -(corners @ self._up)], axis=1) * nearer[:, None]
        return np.asarray(flat @ self._roll, np.float64)


class _Solid:
    """Six faces over a rectangle of `floor` height: x along the vehicle (front is 1), y across, z up; half its length is 1."""

    def __init__(
        self, back: float, front: float, wide: float, floor: float, roof: float, lean: tuple[float, float, float]
    ) -> None:
        """`lean` is how far the roof is drawn in at the back, the front and each side."""
        self.floor = floor
        low = [(back, -wide), (front, -wide), (front, wide), (back, wide)]
        b, f, s = lean
        high = [(back + b, -wide + s), (front - f, -wide + s), (front - f, wide - s), (back + b, wide - s)]
        self._corner = np.array([(x, y, floor) for x, y in low] + [(x, y, roof) for x, y in high])
        self.middle: Corners = self._corner.mean(axis=0)
        self.faces: list[_Face] = []

    def side(self, name: str, tone: float) -> "_Surface":
        """Add a face: `right`, `front`, `left`, `back` or `top`; returned to draw on."""
        rows = {"right": (0, 1, 5, 4), "front": (1, 2, 6, 5), "left": (3, 2, 6, 7), "back": (0, 3, 7, 4), "top": (4, 5, 6, 7)}[
            name
        ]
        face = _Face(self._corner[list(rows)], tone, [])
        self.faces.append(face)
        return _Surface(face)


class _Surface:
    """A face as a square from (0, 0) to (1, 1), y upwards, on which flat things are drawn."""

    def __init__(self, face: _Face) -> None:
        self._face = face

    def block(self, x0: float, y0: float, x1: float, y1: float, tone: float) -> None:
        self.shape(np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]]), tone)

    def shape(self, flat: Corners, tone: float) -> None:
        a, b, c, d = self._face.corners
        x, y = flat[:, :1], flat[:, 1:]
        self._face.on_it.append(((a * (1 - x) + b * x) * (1 - y) + (d * (1 - x) + c * x) * y, tone))


def _out_of(corners: Corners, inside: Corners) -> Corners:
    out = np.cross(corners[1] - corners[0], corners[2] - corners[0])
    out = out / max(float(np.linalg.norm(out)), 1e-9)
    return np.asarray(out if (corners.mean(axis=0) - inside) @ out > 0 else -out, np.float64)


def _solids(rng: np.random.Generator) -> list[_Solid]:
    """Mostly a car, else a van, a lorry or a bus; its middle is near the origin."""
    paint = float(rng.choice([rng.uniform(15, 70), rng.uniform(70, 170), rng.uniform(170, 255)]))
    glass = float(rng.uniform(10, 80) if rng.random() < 0.85 else rng.uniform(120, 210))
    lamp = float(rng.uniform(140, 255))
    kind = rng.random()
    if kind < 0.7:
        return _car(paint, glass, lamp, rng)
    if kind < 0.86:
        return _box_on_wheels(paint, glass, lamp, rng)
    return _lorry(paint, glass, lamp, rng)


def _car(paint: float, glass: float, lamp: float, rng: np.random.Generator) -> list[_Solid]:
    wide, belt = rng.uniform(0.36, 0.46), rng.uniform(0.34, 0.46)
    base = belt / 2
    body = _Solid(-1, 1, wide, -base + 0.08, belt - base, (0.02, rng.uniform(0.02, 0.12), 0.02))
    _sides(body, paint, lamp, (rng.uniform(0.14, 0.22), rng.uniform(0.78, 0.86)), rng)
    body.side("top", paint)
    back, front = -rng.uniform(0.45, 0.97), rng.uniform(0.2, 0.5)
    rake = (rng.uniform(0.08, 0.35), rng.uniform(0.2, 0.45), rng.uniform(0.04, 0.1))
    high = belt - base + rng.uniform(0.24, 0.38)
    cabin = _Solid(back, front, wide * 0.97, belt - base, high, rake)
    _windows(cabin, paint, glass, int(rng.integers(2, 4)))
    return [body, cabin]


def _box_on_wheels(paint: float, glass: float, lamp: float, rng: np.random.Generator) -> list[_Solid]:
    """A van or a bus: one box, blind behind or with windows all along."""
    bus = rng.random() < 0.5
    wide, high = (rng.uniform(0.2, 0.3), rng.uniform(0.5, 0.65)) if bus else (rng.uniform(0.33, 0.42), rng.uniform(0.6, 0.85))
    split = high * rng.uniform(0.4, 0.55)
    body = _Solid(-1, 1, wide, -high / 2 + 0.08, -high / 2 + split, (0.0, 0.02 if bus else 0.12, 0.0))
    _sides(body, paint, lamp, (0.16, 0.82), rng)
    body.side("top", paint)
    cabin = _Solid(-1, 0.98 if bus else 0.84, wide, -high / 2 + split, high / 2, (0.02, rng.uniform(0.03, 0.3), 0.03))
    _windows(cabin, paint, glass, int(rng.integers(4, 9)) if bus else 3, blind=0 if bus else 2)
    return [body, cabin]


def _lorry(paint: float, glass: float, lamp: float, rng: np.random.Generator) -> list[_Solid]:
    """A cabin before a long load."""
    wide, high, split = rng.uniform(0.2, 0.34), rng.uniform(0.6, 0.85), rng.uniform(0.5, 0.72)
    load = float(rng.uniform(20, 250))
    box = _Solid(-1, split - 0.03, wide, -high / 2 + 0.1, high / 2, (0.0, 0.0, 0.0))
    for name in ("right", "left"):
        face = box.side(name, load)
        if rng.random() < 0.5:
            face.block(0.1, rng.uniform(0.3, 0.5), rng.uniform(0.5, 0.9), rng.uniform(0.55, 0.8), float(rng.uniform(10, 250)))
        for at in (0.15, 0.25, 0.8):
            _wheel(face, at, 2 * 0.1 / (split + 1), 0.1 / high, rng)
    doors = box.side("back", load)
    doors.block(0.49, 0.05, 0.51, 0.95, float(np.clip(load - 50, 0, 255)))
    box.side("front", load)
    box.side("top", load)
    tall = high * rng.uniform(0.65, 0.95)
    cab = _Solid(split, 1, wide * 0.97, -high / 2 + 0.1, -high / 2 + tall, (0.0, rng.uniform(0, 0.08), 0.01))
    for name in ("right", "left"):
        face = cab.side(name, paint)
        face.block(0.35, 0.55, 0.85, 0.88, glass)
        _wheel(face, 0.5, 0.3, 0.12, rng)
    front = cab.side("front", paint)
    front.block(0.06, 0.52, 0.94, 0.9, glass)
    for x in (0.06, 0.8):
        front.block(x, 0.1, x + 0.14, 0.2, lamp)
    cab.side("back", paint)
    cab.side("top", paint)
    return [box, cab]


def _sides(body: _Solid, paint: float, lamp: float, axles: tuple[float, float], rng: np.random.Generator) -> None:
    """The lower half: wheels, lamps, plates, a bumper or sill of another tone."""
    trim = float(np.clip(paint - rng.uniform(0, 60), 5, 255))
    for name in ("right", "left"):
        face = body.side(name, paint)
        face.block(0, 0, 1, 0.22, trim)
        for at in axles:
            _wheel(face, at, rng.uniform(0.075, 0.095), 0.42, rng)
    for name in ("front", "back"):
        face = body.side(name, paint)
        face.block(0, 0, 1, 0.3, trim)
        for x in (0.03, 0.75):
            face.block(x, 0.5, x + 0.22, 0.85, lamp if name == "front" else lamp * rng.uniform(0.3, 0.8))
        face.block(0.36, 0.25, 0.64, 0.45, float(rng.uniform(110, 255)))
        if name == "front":
            face.block(0.3, 0.55, 0.7, 0.8, float(np.clip(paint - rng.uniform(20, 90), 5, 255)))


def _windows(cabin: _Solid, paint: float, glass: float, panes: int, blind: int = 0) -> None:
    """The upper half: glass all around but for the roof; of the panes along a side the hindmost `blind` are none."""
    for name in ("right", "left"):
        face = cabin.side(name, paint)
        edges = np.linspace(0.04, 0.96, panes + 1).tolist()
        for x0, x1 in list(pairwise(edges))[blind:]:
            face.block(x0 + 0.015, 0.1, x1 - 0.015, 0.85, glass)
    cabin.side("front", paint).block(0.05, 0.06, 0.95, 0.92, glass)
    back = cabin.side("back", paint)
    if not blind:
        back.block(0.08, 0.12, 0.92, 0.85, glass)
    cabin.side("top", paint)


def _wheel(face: _Surface, x: float, radius_x: float, radius_y: float, rng: np.random.Generator) -> None:
    turn = np.linspace(0, 2 * np.pi, AROUND, endpoint=False)
    rim = np.stack([np.cos(turn) * radius_x, np.sin(turn) * radius_y], axis=1)
    hub = np.array([x, radius_y * 0.35])
    face.shape(hub + rim, float(rng.uniform(5, 45)))
    face.shape(hub + rim * 0.6, float(rng.uniform(50, 220)))
