"""What stands about in places: buildings, walls, posts, kerbs, parked cars; each added to a backdrop with its shadow."""

from dataclasses import replace
from itertools import pairwise

import numpy as np

from ingest.simulate.backdrop import Backdrop, Face, Patch, Wall
from ingest.simulate.figure import Stand
from ingest.simulate.plants import hedge, trunk
from ingest.simulate.texture import PX_PER_M, Colour, Facade, facade, fractal
from ingest.simulate.vehicles import CAR_COLOURS, car_figure, car_footprint, car_shapes
from ingest.simulate.view import Array

__all__ = [
    "Spot",
    "add_block",
    "add_building",
    "add_hedge",
    "add_kerb",
    "add_lamp",
    "add_parked",
    "add_railing",
    "add_sign",
    "add_wall",
    "lane",
    "plain",
    "stripes",
]

Spot = tuple[float, float]
_STEEL: Colour = (150, 152, 152)


def plain(colour: Colour, width_m: float, height_m: float, rng: np.random.Generator) -> Array:
    """A rendered wall, a little stained."""
    h, w = max(2, round(height_m * PX_PER_M)), max(2, round(width_m * PX_PER_M))
    noise = fractal(rng, 256, 3)
    spots = noise[(np.arange(h) * 256 // max(h, 256)) % 256][:, (np.arange(w) // 6) % 256]
    image: Array = (np.asarray(colour) * (1 + 0.05 * spots[..., None])).astype(np.float32)
    image[: max(1, PX_PER_M // 8)] *= 0.8
    foot = PX_PER_M // 2
    image[-foot:] *= np.linspace(1, 0.72, foot, dtype=np.float32)[:, None, None]
    return image


def add_building(
    backdrop: Backdrop, left: float, right: float, front: float, back: float, height_m: float, look: Facade, roof: bool = False
) -> None:
    """A house with its front at y = `front` and side walls towards the middle of the picture."""
    rng = backdrop.rng
    flank = replace(look, wall=_dim(look.wall, 0.96), balconies=False)
    if right < 0:  # its right side can be seen
        backdrop.walls.append(Wall((right, front), (right, back), 0, height_m, facade(rng, back - front, height_m, flank)))
    if left > 0:
        backdrop.walls.append(Wall((left, back), (left, front), 0, height_m, facade(rng, back - front, height_m, flank)))
    backdrop.walls.append(Wall((left, front), (right, front), 0, height_m, facade(rng, right - left, height_m, look)))
    corners = [(x, y, z) for x in (left, right) for y in (front, back) for z in (0.0, height_m)]
    backdrop.shades.append(np.array(corners, np.float32))
    if roof:
        top = np.array(
            [(left, front, height_m), (right, front, height_m), (right, back, height_m), (left, back, height_m)], np.float32
        )
        backdrop.things.append([Face(top, (118, 118, 116))])


def _dim(colour: Colour, by: float) -> Colour:
    return colour[0] * by, colour[1] * by, colour[2] * by


def add_wall(backdrop: Backdrop, first: Spot, last: Spot, height_m: float, texture: Array, bottom_m: float = 0.0) -> None:
    """A free-standing wall with a coping."""
    backdrop.walls.append(Wall(first, last, bottom_m, height_m, texture))
    ends = [(*end, z) for end in (first, last) for z in (bottom_m, height_m)]
    backdrop.shades.append(np.array(ends, np.float32))
    backdrop.contacts.append(_strip(first, last, 0.35))


def add_block(backdrop: Backdrop, low: tuple[float, float, float], high: tuple[float, float, float], colour: Colour) -> None:
    """A box between two corners: booth, bin, stack of bricks."""
    (x0, y0, z0), (x1, y1, z1) = low, high
    faces = [Face(np.array([(x0, y0, z1), (x1, y0, z1), (x1, y1, z1), (x0, y1, z1)], np.float32), _dim(colour, 1.04))]
    if x0 > 0:
        faces.append(Face(np.array([(x0, y1, z0), (x0, y0, z0), (x0, y0, z1), (x0, y1, z1)], np.float32), colour))
    if x1 < 0:
        faces.append(Face(np.array([(x1, y0, z0), (x1, y1, z0), (x1, y1, z1), (x1, y0, z1)], np.float32), colour))
    faces.append(Face(np.array([(x0, y0, z0), (x1, y0, z0), (x1, y0, z1), (x0, y0, z1)], np.float32), colour))
    backdrop.things.append(faces)
    backdrop.shades.append(np.array([(x, y, z) for x in (x0, x1) for y in (y0, y1) for z in (z0, z1)], np.float32))
    if z0 < 0.1:
        backdrop.contacts.append(np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], np.float32))


def add_parked(backdrop: Backdrop, at: Spot, heading_deg: float) -> None:
    """A parked car of a random shape and colour."""
    rng = backdrop.rng
    shapes = car_shapes()
    shape, colour = shapes[int(rng.integers(len(shapes)))], CAR_COLOURS[int(rng.integers(len(CAR_COLOURS)))]
    shift = rng.normal(0, 0.08, 2)
    stand = Stand(at[0] + float(shift[0]), at[1] + float(shift[1]), float(np.radians(heading_deg + rng.normal(0, 1.2))))
    lens = np.array([0, 0, backdrop.view.height_m], np.float32)
    car = car_figure(shape, colour).placed(stand)
    order = car.drawing_order(lens)
    backdrop.things.append([Face(car.point[car.start[part] : car.start[part + 1]], _colour(car.colour[part])) for part in order])
    foot = car_footprint(shape, stand)
    backdrop.contacts.append(foot)
    backdrop.shades.append(np.vstack([np.column_stack([foot, np.full(4, z)]) for z in (0.2, 1.0)]).astype(np.float32))
    cabin = foot * 0.62 + foot.mean(axis=0) * 0.38
    backdrop.shades.append(np.column_stack([cabin, np.full(4, shape.house[1][1])]).astype(np.float32))


def _colour(row: Array) -> Colour:
    return float(row[0]), float(row[1]), float(row[2])


def add_hedge(backdrop: Backdrop, first: Spot, last: Spot, size_m: tuple[float, float], colour: Colour = (46, 92, 58)) -> None:
    backdrop.things.append(hedge(backdrop.rng, first, last, size_m, colour))
    strip = _strip(first, last, size_m[0])
    backdrop.contacts.append(strip)
    backdrop.shades.append(np.vstack([np.column_stack([strip, np.full(4, z)]) for z in (0.0, size_m[1])]).astype(np.float32))


def add_lamp(backdrop: Backdrop, at: Spot, height_m: float = 5.0, arm_m: float = 0.0) -> None:
    """A lamp post, with an arm to the side if `arm_m`."""
    post = trunk(at, height_m, 0.13, (96, 100, 98))
    x, y = at
    if arm_m:
        a, b = sorted((x, x + arm_m))
        post.append(_plate((a, y, height_m - 0.1), (b, y, height_m), (96, 100, 98)))
        head = x + arm_m
        post.append(_plate((head - 0.35, y, height_m - 0.16), (head + 0.35, y, height_m - 0.04), (206, 210, 210)))
    else:
        post.append(_plate((x - 0.2, y, height_m), (x + 0.2, y, height_m + 0.35), (214, 218, 218)))
    backdrop.things.append(post)
    backdrop.shades.append(np.array([(x - 0.06, y, 0), (x + 0.06, y, 0), (x + 0.05, y, height_m)], np.float32))


def add_railing(backdrop: Backdrop, first: Spot, last: Spot, height_m: float = 0.9, warning: bool = False) -> None:
    """A low railing one sees through: posts and two rails, red and white if `warning`."""
    length = float(np.hypot(last[0] - first[0], last[1] - first[1]))
    count = max(2, round(length / 1.5) + 1)
    spots = [(first[0] + (last[0] - first[0]) * t, first[1] + (last[1] - first[1]) * t) for t in np.linspace(0, 1, count)]
    for index, (a, b) in enumerate(pairwise(spots)):
        faces = trunk(a, height_m, 0.07, (190, 192, 192) if warning else _STEEL)
        colour: Colour = ((48, 44, 196) if index % 2 else (222, 224, 226)) if warning else _STEEL
        for z in (height_m * 0.48, height_m * 0.9):
            faces.append(Face(np.array([(*a, z), (*b, z), (*b, z + 0.09), (*a, z + 0.09)], np.float32), colour))
            flat = _strip(a, b, 0.08)  # the rail's upper side, seen where it runs towards the camera
            faces.append(Face(np.column_stack([flat, np.full(4, z + 0.09)]).astype(np.float32), colour))
        backdrop.things.append(faces)
        backdrop.shades.append(np.array([(*a, height_m * 0.9), (*b, height_m * 0.9), (*b, height_m), (*a, height_m)], np.float32))


def add_sign(backdrop: Backdrop, at: Spot, colour: Colour = (40, 36, 190), height_m: float = 1.9) -> None:
    """A round sign on a post."""
    post = trunk(at, height_m, 0.06, _STEEL)
    turns = np.linspace(0, 2 * np.pi, 17)[:-1]
    for radius, tone in ((0.32, colour), (0.22, (228, 230, 230))):
        ring = np.column_stack([at[0] + np.cos(turns) * radius, np.full(16, at[1] - 0.05), height_m + np.sin(turns) * radius])
        post.append(Face(ring.astype(np.float32), tone))
    bar = (at[0] - 0.2, at[1] - 0.06, height_m - 0.05), (at[0] + 0.2, at[1] - 0.06, height_m + 0.05)
    post.append(_plate(*bar, colour))
    backdrop.things.append(post)


def _plate(low: tuple[float, float, float], high: tuple[float, float, float], colour: Colour) -> Face:
    (x0, y, z0), (x1, _, z1) = low, high
    return Face(np.array([(x0, y, z0), (x1, y, z0), (x1, y, z1), (x0, y, z1)], np.float32), colour)


def add_kerb(backdrop: Backdrop, first: Spot, last: Spot, colour: Colour = (168, 170, 170)) -> None:
    """A kerb stone: light top, dark step towards the road; flat, since it is lower than a pixel far away."""
    backdrop.ground.append(Patch(_spots(_strip(first, last, 0.22)), "slabs", colour))
    across = np.asarray(last) - np.asarray(first)
    across = np.array([across[1], -across[0]]) / np.hypot(*across) * 0.16
    a, b = np.asarray(first) + across, np.asarray(last) + across
    backdrop.ground.append(Patch(_spots(_strip((a[0], a[1]), (b[0], b[1]), 0.10)), "paint", _dim(colour, 0.55), 0.8))


def lane(left: float, right: float, near: float = 0.5, far: float = 90.0) -> tuple[Spot, ...]:
    """The outline of a straight strip of ground."""
    return (left, near), (right, near), (right, far), (left, far)


def stripes(
    backdrop: Backdrop, boxes: list[tuple[float, float, float, float]], colour: Colour = (206, 208, 208), cover: float = 0.85
) -> None:
    """Painted rectangles (left, right, near, far), a little worn."""
    for left, right, near, far in boxes:
        backdrop.ground.append(Patch(lane(left, right, near, far), "paint", colour, cover))


def _strip(first: Spot, last: Spot, width_m: float) -> Array:
    a, b = np.asarray(first, np.float32), np.asarray(last, np.float32)
    way = (b - a) / (np.hypot(*(b - a)) + 1e-9)
    side = np.array([-way[1], way[0]], np.float32) * width_m / 2
    return np.array([a - side, b - side, b + side, a + side], np.float32)


def _spots(corners: Array) -> tuple[Spot, ...]:
    return tuple((float(x), float(y)) for x, y in corners)
