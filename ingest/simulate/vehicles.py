"""Cars as flat faces in their own axes: forward, left, up; metres."""

from dataclasses import dataclass

import numpy as np

from ingest.simulate.backdrop import Face
from ingest.simulate.figure import Figure, Part, Stand
from ingest.simulate.texture import Colour
from ingest.simulate.view import Array

__all__ = ["CAR_COLOURS", "CarShape", "car_figure", "car_footprint", "car_shapes"]

CAR_COLOURS: tuple[Colour, ...] = (
    (226, 228, 228),
    (206, 208, 208),
    (36, 36, 38),
    (58, 56, 54),
    (128, 126, 122),
    (168, 168, 166),
    (40, 36, 128),
    (112, 66, 34),
    (62, 82, 104),
    (196, 214, 220),
)
_GLASS: Colour = (54, 48, 42)
_TYRE: Colour = (26, 26, 26)
_HUB: Colour = (150, 152, 152)
_LAMP: Colour = (232, 236, 236)
_TAIL: Colour = (34, 30, 170)
_PLATE: Colour = (150, 84, 24)  # BGR: blue plates
_GREEN_PLATE: Colour = (150, 190, 120)


@dataclass(frozen=True, slots=True)
class CarShape:
    """Side view of a car, front to the right: (along, height) of the body's edge and of the glass house on it; metres."""

    length_m: float
    width_m: float
    body: tuple[tuple[float, float], ...]  # from rear bottom over the top to front bottom
    house: tuple[tuple[float, float], ...]  # rear foot, rear top, front top, front foot
    wheel_m: float = 0.33


def car_shapes() -> tuple[CarShape, ...]:
    """Saloon, SUV, small van."""
    return (
        CarShape(
            4.6,
            1.8,
            ((-2.3, 0.3), (-2.3, 0.72), (-2.15, 0.95), (-1.3, 1.0), (0.95, 0.98), (2.0, 0.84), (2.28, 0.68), (2.3, 0.3)),
            ((-1.75, 0.98), (-0.95, 1.46), (0.25, 1.46), (1.15, 0.96)),
        ),
        CarShape(
            4.5,
            1.86,
            ((-2.2, 0.36), (-2.22, 0.85), (-2.1, 1.08), (-1.2, 1.1), (0.85, 1.08), (1.95, 0.98), (2.22, 0.8), (2.25, 0.36)),
            ((-2.05, 1.08), (-1.7, 1.68), (0.2, 1.7), (1.05, 1.06)),
            0.37,
        ),
        CarShape(
            4.2,
            1.66,
            ((-2.1, 0.34), (-2.12, 0.9), (-2.08, 1.1), (-1.0, 1.12), (1.2, 1.1), (1.9, 0.96), (2.08, 0.72), (2.1, 0.34)),
            ((-2.08, 1.1), (-1.98, 1.86), (0.85, 1.88), (1.62, 1.04)),
            0.31,
        ),
    )


def car_footprint(shape: CarShape, stand: Stand) -> Array:
    """Corners of the ground under a car, (4, 2)."""
    x, y = shape.length_m / 2, shape.width_m / 2
    return stand.world(np.array([(-x, -y, 0), (x, -y, 0), (x, y, 0), (-x, y, 0)], np.float32))[:, :2]


def car_figure(shape: CarShape, colour: Colour, lights: bool = False) -> Figure:
    """A car in its own axes; its layers are body, trim (wheels, lamps, plates) and glass house."""
    green = sum(colour) % 3 < 1  # some are electric
    groups = _body(shape, colour), _trim(shape, _GREEN_PLATE if green else _PLATE, lights), _house(shape, colour)
    parts = []
    for layer, faces in enumerate(groups):
        for index, face in enumerate(faces):
            # trim and windows lie one on another in the order given, so each piece is a layer of its own
            level = layer * 1000 + (index if layer else 0)
            parts.append(
                Part(face.corners, np.zeros(len(face.corners), np.float32), face.colour, flat=True, glow=face.glow, layer=level)
            )
    return Figure.of(parts)


def _body(shape: CarShape, colour: Colour) -> list[Face]:
    half = shape.width_m / 2
    faces = []
    for (f0, z0), (f1, z1) in zip(shape.body[:-1], shape.body[1:], strict=True):
        faces.append(Face(np.array([(f0, half, z0), (f0, -half, z0), (f1, -half, z1), (f1, half, z1)], np.float32), colour))
    profile = np.array(shape.body, np.float32)
    for side in (1, -1):
        points = profile[::-1] if side > 0 else profile
        # front to rear over the top, seen from the left side, runs anticlockwise
        corners = np.column_stack([points[:, 0], np.full(len(points), side * half), points[:, 1]]).astype(np.float32)
        faces.append(Face(corners[::-1].copy(), colour))
    return faces


def _trim(shape: CarShape, plate: Colour, lights: bool) -> list[Face]:
    """Sills, wheels, lamps, grille, plates: on top of the body, so slightly outside it."""
    half, front, rear = shape.width_m / 2 + 0.01, shape.body[-1][0] + 0.02, shape.body[0][0] - 0.02
    axle = shape.length_m * 0.3
    faces = []
    turns = np.linspace(0, 2 * np.pi, 17)[:-1]
    for side in (1, -1):
        for at in (-axle, axle):
            for radius, colour, out in (
                (shape.wheel_m + 0.06, (20.0, 20.0, 20.0), 0.0),
                (shape.wheel_m, _TYRE, 0.01),
                (0.2, _HUB, 0.02),
            ):
                f, z = at + np.cos(turns) * radius, np.maximum(shape.wheel_m + np.sin(turns) * radius, 0)
                ring = np.column_stack([f, np.full(16, side * (half + out)), z]).astype(np.float32)
                faces.append(Face(ring if side < 0 else ring[::-1].copy(), colour))
        sill = _upright(shape.body[0][0] + 0.15, shape.body[-1][0] - 0.15, side * (half + 0.005), 0.24, 0.36, side)
        faces.insert(0, Face(sill, (34.0, 34.0, 34.0)))
        line = _upright(-shape.length_m * 0.42, shape.length_m * 0.4, side * half, 0.64, 0.67, side)
        faces.insert(0, Face(line, (48.0, 48.0, 48.0)))
    for y in (0.62, -0.62):
        faces.append(Face(_across(front, y * half, 0.2, 0.6, 0.74, 1), _LAMP, lights))
        faces.append(Face(_across(rear, y * half * 1.12, 0.17, 0.68, 0.86, -1), _TAIL, lights))
    faces.append(Face(_across(front, 0, 0.36, 0.42, 0.6, 1), (30.0, 30.0, 30.0)))
    faces.append(Face(_across(front + 0.01, 0, 0.24, 0.4, 0.5, 1), plate))
    faces.append(Face(_across(rear - 0.01, 0, 0.24, 0.5, 0.62, -1), plate))
    return faces


def _upright(f0: float, f1: float, y: float, z0: float, z1: float, side: int) -> Array:
    """A rectangle along the car's side."""
    corners = np.array([(f0, y, z0), (f1, y, z0), (f1, y, z1), (f0, y, z1)], np.float32)
    return corners if side < 0 else corners[::-1].copy()


def _across(f: float, y: float, half: float, z0: float, z1: float, way: int) -> Array:
    """A rectangle across the car's front (way 1) or rear (-1)."""
    corners = np.array([(f, y - half, z0), (f, y + half, z0), (f, y + half, z1), (f, y - half, z1)], np.float32)
    return corners if way > 0 else corners[::-1].copy()


def _house(shape: CarShape, colour: Colour) -> list[Face]:
    """Windscreens, side windows between posts, and the roof; narrower at the top."""
    low, high = shape.width_m / 2 - 0.06, shape.width_m / 2 - 0.26
    (rf, rz), (rtf, rtz), (ftf, ftz), (ff, fz) = shape.house
    faces = [
        Face(np.array([(rf, low, rz), (rf, -low, rz), (rtf, -high, rtz), (rtf, high, rtz)], np.float32), _GLASS),
        Face(np.array([(ff, -low, fz), (ff, low, fz), (ftf, high, ftz), (ftf, -high, ftz)], np.float32), (70.0, 62.0, 54.0)),
        Face(np.array([(rtf, high, rtz), (rtf, -high, rtz), (ftf, -high, ftz), (ftf, high, ftz)], np.float32), colour),
    ]
    for side in (1, -1):
        outer = np.array(
            [(rf, side * low, rz), (ff, side * low, fz), (ftf, side * high, ftz), (rtf, side * high, rtz)], np.float32
        )
        faces.append(Face(outer if side < 0 else outer[::-1].copy(), colour))
        for start, end in ((0.08, 0.48), (0.53, 0.92)):
            foot = [outer[0] + (outer[1] - outer[0]) * share for share in (start, end)]
            top = [outer[3] + (outer[2] - outer[3]) * share for share in (end, start)]
            pane = np.array([*foot, *top], np.float32)
            pane[:, 2] += np.array([0.05, 0.05, -0.08, -0.08], np.float32)
            pane[:, 1] += side * 0.012
            faces.append(Face(pane if side < 0 else pane[::-1].copy(), _GLASS))
    return faces
