"""Drawn grounds and drawn clutter that is neither person nor vehicle: foliage, noise, rain, light, shadows, poles, shapes."""

import cv2
import numpy as np
from numpy.typing import NDArray

from fleet.training.rooms import draw_road, draw_room

__all__ = ["draw_clutter", "draw_ground", "draw_light"]

Grey = NDArray[np.uint8]


def draw_ground(side_px: int, rng: np.random.Generator, room: bool = False) -> Grey:
    """A square of something that is no object, u8 (side, side): one texture, one above another as a wall above a pavement, or a
    room or yard with what stands there, always one where `room` says so."""
    kind = 0.0 if room else rng.random()
    if kind < 0.35:
        ground = draw_room((_texture(side_px, rng), _texture(side_px, rng), _texture(side_px, rng)), rng)
    elif kind < 0.45:
        ground = draw_road(side_px, rng)
    else:
        ground = _tilted(_texture(side_px, rng), rng)
    if kind > 0.45 and rng.random() < 0.5:
        above = _tilted(_texture(side_px, rng), rng)
        line, slope = side_px * rng.uniform(0.1, 0.9), rng.normal(0, 0.15)
        y, x = np.mgrid[:side_px, :side_px].astype(np.float32)
        ground = np.where(y < line + slope * (x - side_px / 2), above, ground)
    shade = np.linspace(-1, 1, side_px, dtype=np.float32) * float(rng.normal(0, 15))
    ground = ground + (shade[:, None] if rng.random() < 0.5 else shade[None])
    if rng.random() < 0.15:
        ground = _rain(ground, rng)
    return np.clip(ground, 0, 255).astype(np.uint8)


def _tilted(texture: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Half the time as a floor or wall that runs away from the camera."""
    if rng.random() < 0.5:
        return texture
    side_px = len(texture)
    corner = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32) * side_px
    moved = corner + rng.uniform(-0.45, 0.45, (4, 2)).astype(np.float32) * side_px
    matrix = cv2.getPerspectiveTransform(corner, np.asarray(moved, np.float32))
    return np.asarray(cv2.warpPerspective(texture, matrix, (side_px, side_px), borderMode=cv2.BORDER_REFLECT), np.float32)


def _texture(side_px: int, rng: np.random.Generator) -> NDArray[np.float32]:
    kind = rng.integers(8)
    if kind == 7:
        return _checkered(side_px, rng)
    if kind == 6:
        return _thicket(side_px, rng)
    if kind == 0:
        return _cloud(side_px, rng, octaves=int(rng.integers(2, 6)))
    if kind == 1:
        return _foliage(side_px, rng)
    if kind == 2:
        return _bricks(side_px, rng)
    if kind == 3:
        return _planes(side_px, rng)
    if kind == 4:
        return _facade(side_px, rng)
    return np.full((side_px, side_px), float(rng.uniform(10, 240)), np.float32)


def _thicket(side_px: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Trees from afar: dark, with light between the leaves, bright specks of every size, out of focus or not."""
    total = np.zeros((side_px, side_px), np.float32)
    for cells in (3, 6, 12, 24, 48):
        coarse = rng.normal(0, 1, (min(cells, side_px), min(cells, side_px))).astype(np.float32)
        total += cv2.resize(coarse, (side_px, side_px), interpolation=cv2.INTER_CUBIC) * float(rng.uniform(0.2, 1.0))
    bright = np.exp(total * rng.uniform(0.25, 0.7)) * rng.uniform(15, 60)
    return np.asarray(np.clip(cv2.GaussianBlur(bright, (0, 0), float(rng.uniform(0.3, 2.0))), 0, 255), np.float32)


def _checkered(side_px: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Tiles of a few greys, regular or not."""
    cells = int(rng.integers(2, 9))
    tones = rng.uniform(10, 245, int(rng.integers(2, 4)))
    tile = tones[rng.integers(0, len(tones), (cells, cells))]
    if rng.random() < 0.6:
        y, x = np.mgrid[:cells, :cells]
        tile = tones[(y + x) % 2]
    return np.asarray(cv2.resize(tile.astype(np.float32), (side_px, side_px), interpolation=cv2.INTER_NEAREST), np.float32)


def _facade(side_px: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Windows, shelves, blinds: rows of rectangles of many greys, some with bright lamps."""
    ground = _cloud(side_px, rng, 2)
    rows, columns = int(rng.integers(1, 7)), int(rng.integers(1, 7))
    edges_y = np.sort(rng.uniform(-0.2, 1.2, 2 * rows)) * side_px
    edges_x = np.sort(rng.uniform(-0.2, 1.2, 2 * columns)) * side_px
    base, spread = rng.uniform(10, 220), rng.uniform(5, 90)
    for y0, y1 in edges_y.reshape(-1, 2).astype(int):
        for x0, x1 in edges_x.reshape(-1, 2).astype(int):
            tone = float(np.clip(base + rng.normal(0, spread), 0, 255))
            cv2.rectangle(ground, (int(x0), int(y0)), (int(x1), int(y1)), tone, cv2.FILLED)
    for _ in range(int(rng.integers(0, 5))):
        y, x0 = round(rng.uniform(0, side_px)), round(rng.uniform(-0.3, 0.9) * side_px)
        end = (x0 + round(rng.uniform(0.1, 1.0) * side_px), y)
        cv2.line(ground, (x0, y), end, float(rng.uniform(150, 255)), max(1, round(side_px * rng.uniform(0.005, 0.04))))
    return ground


def _cloud(side_px: int, rng: np.random.Generator, octaves: int) -> NDArray[np.float32]:
    """Noise whose coarse parts are strongest."""
    total = np.zeros((side_px, side_px), np.float32)
    for octave in range(octaves):
        cells = max(2, min(side_px, 2 ** (octave + 1)))
        coarse = rng.normal(0, 1, (cells, cells)).astype(np.float32)
        total += cv2.resize(coarse, (side_px, side_px), interpolation=cv2.INTER_CUBIC) * 0.65**octave
    return np.asarray(total * rng.uniform(6, 35) + rng.uniform(30, 210), np.float32)


def _foliage(side_px: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Leaves: many small ellipses of two greys, sometimes a trunk."""
    ground = np.full((side_px, side_px), float(rng.uniform(20, 110)), np.float32)
    size = max(1, round(side_px * rng.uniform(0.015, 0.06)))
    for _ in range(int(rng.integers(60, 260))):
        place = tuple(int(v) for v in rng.integers(0, side_px, 2))
        axes = (size + int(rng.integers(0, size + 1)), max(1, size // 2))
        cv2.ellipse(ground, place, axes, float(rng.uniform(0, 180)), 0, 360, float(rng.uniform(15, 190)), cv2.FILLED)
    if rng.random() < 0.4:
        x = int(rng.integers(0, side_px))
        cv2.line(
            ground, (x, 0), (x + round(rng.normal(0, side_px * 0.1)), side_px), float(rng.uniform(10, 90)), max(1, side_px // 12)
        )
    return cv2.GaussianBlur(ground, (0, 0), float(rng.uniform(0.3, 1.2)))  # type: ignore[return-value]  # OpenCV's stubs forget the element type


def _bricks(side_px: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """A grid: paving, fence, facade, tiles."""
    ground = _cloud(side_px, rng, 2)
    pitch_x, pitch_y = (max(3, round(side_px * rng.uniform(0.06, 0.4))) for _ in range(2))
    grey, width = float(rng.uniform(10, 240)), max(1, round(side_px * rng.uniform(0.01, 0.04)))
    if rng.random() < 0.8:
        for x in range(int(rng.integers(0, pitch_x)), side_px, pitch_x):
            cv2.line(ground, (x, 0), (x, side_px), grey, width)
    if rng.random() < 0.8:
        for y in range(int(rng.integers(0, pitch_y)), side_px, pitch_y):
            cv2.line(ground, (0, y), (side_px, y), grey, width)
    return ground


def _planes(side_px: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Straight edges: walls, kerbs, doors, road markings."""
    ground = np.full((side_px, side_px), float(rng.uniform(30, 220)), np.float32)
    for _ in range(int(rng.integers(1, 6))):
        corners = rng.uniform(-0.5, 1.5, (4, 2)) * side_px
        cv2.fillConvexPoly(ground, cv2.convexHull(corners.astype(np.int32)), float(rng.uniform(10, 245)))
    return ground


def _rain(ground: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    side_px = len(ground)
    streaks = np.zeros_like(ground)
    lean = rng.normal(0, 0.2)
    for _ in range(int(rng.integers(3, 25))):
        x, y = (int(v) for v in rng.integers(0, side_px, 2))
        long = side_px * rng.uniform(0.05, 0.4)
        cv2.line(streaks, (x, y), (round(x + lean * long), round(y + long)), float(rng.uniform(15, 70)), 1)
    return np.asarray(ground + streaks, np.float32)


def draw_light(ground: Grey, rng: np.random.Generator) -> Grey:
    """The same place with another light: a lamp, headlights, the sun's edge, a tree's shadow, a flash."""
    side_px = len(ground)
    light = np.zeros(ground.shape, np.float32)
    kind = rng.integers(5)
    if kind >= 3:
        return _shadowed(ground, rng)
    if kind == 0:
        for _ in range(int(rng.integers(1, 4))):
            place = tuple(int(v) for v in rng.integers(0, side_px, 2))
            axes = tuple(max(1, round(side_px * rng.uniform(0.04, 0.4))) for _ in range(2))
            cv2.ellipse(light, place, axes, float(rng.uniform(0, 180)), 0, 360, float(rng.uniform(60, 255)), cv2.FILLED)
        light = cv2.GaussianBlur(light, (0, 0), side_px * float(rng.uniform(0.02, 0.15)))  # type: ignore[assignment]  # see above
    elif kind == 1:
        corners = (rng.uniform(-0.5, 1.5, (4, 2)) * side_px).astype(np.int32)
        cv2.fillConvexPoly(light, cv2.convexHull(corners), float(rng.uniform(-90, 90)))
        light = cv2.GaussianBlur(light, (0, 0), 1 + side_px * float(rng.uniform(0, 0.05)))  # type: ignore[assignment]  # see above
    else:
        light += float(rng.uniform(-80, 120))
    return np.asarray(np.clip(ground + light, 0, 255), np.uint8)


def _shadowed(ground: Grey, rng: np.random.Generator) -> Grey:
    """`ground` under the shadow of leaves: ragged, longer than wide, soft, never black."""
    side_px = len(ground)
    total = np.zeros((side_px, side_px), np.float32)
    flat = float(rng.uniform(1, 4))
    for cells in (2, 4, 8, 16):
        coarse = rng.normal(0, 1, (max(2, round(cells * flat)), cells)).astype(np.float32)
        total += cv2.resize(coarse, (side_px, side_px), interpolation=cv2.INTER_CUBIC) * float(rng.uniform(0.3, 1.0))
    y, x = np.mgrid[:side_px, :side_px].astype(np.float32) / side_px - 0.5
    total -= ((y / rng.uniform(0.1, 0.5)) ** 2 + (x / rng.uniform(0.25, 1.0)) ** 2) * rng.uniform(0.3, 1.2)
    dark = cv2.GaussianBlur(
        (total > rng.uniform(-0.6, 0.4)).astype(np.float32), (0, 0), 0.5 + side_px * float(rng.uniform(0, 0.03))
    )
    return np.asarray(np.clip(ground * (1 - dark * rng.uniform(0.25, 0.7)), 0, 255), np.uint8)


def draw_clutter(ground: Grey, rng: np.random.Generator) -> Grey:
    """`ground` with something in its middle that is no person: a pole, bag, shape, branch."""
    picture = ground.astype(np.float32)
    side_px = len(picture)
    grey = float(rng.uniform(5, 250))
    if abs(grey - picture.mean()) < 30:
        grey = float((picture.mean() + 90) % 256)
    x, y = (side_px * (0.5 + rng.normal(0, 0.08)) for _ in range(2))
    size = side_px * rng.uniform(0.2, 0.75)
    kind = rng.integers(4)
    if kind == 0:
        wide = max(1, round(size * rng.uniform(0.05, 0.3)))
        tilt = rng.normal(0, 0.15)
        cv2.line(
            picture, (round(x - tilt * size), round(y - size / 2)), (round(x + tilt * size), round(y + size / 2)), grey, wide
        )
    elif kind == 1:
        axes = (max(1, round(size / 2)), max(1, round(size * rng.uniform(0.1, 0.5))))
        cv2.ellipse(picture, (round(x), round(y)), axes, float(rng.uniform(0, 180)), 0, 360, grey, cv2.FILLED)
    elif kind == 2:
        turn = rng.uniform(0, 2 * np.pi) + np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(3, 8))))
        reach = size * rng.uniform(0.2, 0.5, len(turn))
        points = np.stack([x + np.cos(turn) * reach, y + np.sin(turn) * reach], axis=1)
        cv2.fillPoly(picture, [points.astype(np.int32)], grey)
    else:
        for _ in range(int(rng.integers(3, 12))):
            end = (round(x + rng.normal(0, 0.35) * size), round(y + rng.normal(0, 0.35) * size))
            cv2.line(
                picture, (round(x), round(y)), end, float(np.clip(grey + rng.normal(0, 30), 0, 255)), max(1, round(size * 0.04))
            )
    picture += rng.normal(0, 1, picture.shape).astype(np.float32) * float(rng.uniform(0, 8))
    return np.clip(picture, 0, 255).astype(np.uint8)
