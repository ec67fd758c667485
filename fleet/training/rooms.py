"""Drawn places with depth: the corner of a room or yard and what stands there, a smooth road, things before the lens."""

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["draw_before", "draw_road", "draw_room"]

Grey = NDArray[np.uint8]
Canvas = NDArray[np.float32]


def draw_room(texture: tuple[Canvas, Canvas, Canvas], rng: np.random.Generator) -> Canvas:
    """Floor and two walls that meet in a corner, f32 (side, side) like each of `texture`, and furniture before them: doors,
    boxes, bins, screens, lamps. What motion finds indoors when a light or the exposure changes, and what people stand before."""
    floor, left, right = texture
    side_px = len(floor)
    y, x = np.mgrid[:side_px, :side_px].astype(np.float32) / side_px
    corner_x, corner_y = rng.uniform(-0.3, 1.3), rng.uniform(0.1, 0.9)
    slope_left, slope_right = -rng.uniform(-0.1, 0.7), rng.uniform(-0.1, 0.7)
    wall = np.where(x < corner_x, _calmer(left, rng), _calmer(right, rng))
    edge = corner_y + np.where(x < corner_x, slope_left, slope_right) * (x - corner_x)
    room = np.where(y < edge, wall, _calmer(floor, rng)).astype(np.float32)
    if rng.random() < 0.6:  # a skirting board or kerb
        room[np.abs(y - edge) < rng.uniform(0.005, 0.03)] = float(rng.uniform(5, 245))
    for _ in range(int(rng.integers(0, 7))):
        _draw_furniture(room, rng)
    return np.asarray(cv2.GaussianBlur(room, (0, 0), float(rng.uniform(0.3, 1.2))), np.float32)


def _calmer(texture: Canvas, rng: np.random.Generator) -> Canvas:
    """A texture with less of its contrast, for walls are mostly plain, and light falling along it."""
    side_px = len(texture)
    plain = (texture - texture.mean()) * rng.uniform(0, 1) ** 2 + rng.uniform(15, 245)
    light = np.linspace(-1, 1, side_px, dtype=np.float32) * float(rng.normal(0, 25))
    return np.asarray(plain + (light[:, None] if rng.random() < 0.5 else light[None]), np.float32)


def _draw_furniture(room: Canvas, rng: np.random.Generator) -> None:
    """One thing of straight or round outline, in place."""
    side_px = len(room)
    x, foot = rng.uniform(-0.1, 1.1) * side_px, rng.uniform(0.2, 1.1) * side_px
    wide, high = (side_px * float(np.exp(rng.uniform(np.log(0.06), np.log(0.6)))) for _ in range(2))
    tone, other = float(rng.uniform(5, 250)), float(rng.uniform(5, 250))
    kind = int(rng.integers(5))
    lean = rng.normal(0, 0.12) * high
    front = np.array([[x, foot], [x + wide, foot + lean], [x + wide, foot - high + lean * 0.5], [x, foot - high]])
    if kind == 0:  # a door, a cabinet, a poster: a frame, and parts of it
        _fill(room, front, tone)
        for inner in np.linspace(0, 1, int(rng.integers(2, 6)))[:-1]:
            part = front.mean(axis=0) + (front - front.mean(axis=0)) * [0.85, 0.85 / 4]
            _fill(room, part + np.array([0, (inner - 0.4) * high]), float(np.clip(tone + rng.normal(0, 30), 0, 255)))
    elif kind == 1:  # a box: two faces and a top
        deep = np.array([wide * rng.uniform(0.2, 0.8), -high * rng.uniform(0.05, 0.4)])
        _fill(room, front, tone)
        _fill(room, np.array([front[1], front[1] + deep, front[2] + deep, front[2]]), other)
        _fill(room, np.array([front[3], front[2], front[2] + deep, front[3] + deep]), (tone + other) / 2 + 20)
    elif kind == 2:  # a bin, a planter, a column: round, lighter along one side, open at the top
        for share in np.linspace(0, 1, 9)[:-1]:
            strip = front + np.array([share * wide, 0])
            strip[1:3, 0] = strip[0, 0] + wide / 7
            _fill(room, strip, float(np.clip(tone + 60 * np.sin(np.pi * (share + 0.2)), 0, 255)))
        middle = (round(x + wide / 2), round(foot - high))
        cv2.ellipse(room, middle, (max(1, round(wide / 2)), max(1, round(wide / 8))), 0, 0, 360, other, cv2.FILLED)
    elif kind == 3:  # a screen or window: bright in a dark frame, or dark in a bright one
        _fill(room, front, tone)
        _fill(room, front.mean(axis=0) + (front - front.mean(axis=0)) * rng.uniform(0.6, 0.9), 255 - tone)
    else:  # a lamp, a pipe, a rail, a cable
        end = (round(x + side_px * rng.normal(0, 0.5)), round(foot + side_px * rng.normal(0, 0.3)))
        cv2.line(room, (round(x), round(foot)), end, tone, max(1, round(side_px * rng.uniform(0.005, 0.05))))


def draw_road(side_px: int, rng: np.random.Generator) -> Canvas:
    """Something smooth with little on it, f32 (side, side): soft bars of shadow, a crack, a worn marking. Standardised, a crop of
    it is all noise and faint marks."""
    road = np.full((side_px, side_px), float(rng.uniform(40, 210)), np.float32)
    marks = np.zeros_like(road)
    for _ in range(int(rng.integers(0, 4))):
        at, turn = rng.uniform(0, 1, 2) * side_px, rng.uniform(0, np.pi)
        reach = np.array([np.cos(turn), np.sin(turn)]) * side_px * rng.uniform(0.1, 1.5)
        start, end = (tuple(int(v) for v in at + reach * sign) for sign in (-1, 1))
        wide = max(1, round(side_px * float(np.exp(rng.uniform(np.log(0.01), np.log(0.35))))))
        cv2.line(marks, start, end, float(rng.normal(0, 1)), wide)
    marks = np.asarray(cv2.GaussianBlur(marks, (0, 0), 0.5 + side_px * float(rng.uniform(0, 0.06))), np.float32)
    coarse = rng.normal(0, 1, (5, 5)).astype(np.float32)
    uneven = cv2.resize(coarse, (side_px, side_px), interpolation=cv2.INTER_CUBIC)
    grain = cv2.GaussianBlur(rng.normal(0, 1, road.shape).astype(np.float32), (0, 0), float(rng.uniform(0.4, 2.0)))
    contrast = float(np.exp(rng.uniform(np.log(3), np.log(40))))
    return np.asarray(road + marks * contrast + uneven * rng.uniform(0, 6) + grain * rng.uniform(0, 5), np.float32)


def draw_before(picture: Grey, rng: np.random.Generator) -> Grey:
    """`picture` behind something thin and near: branches, poles, the bars of a fence, a cable."""
    seen = picture.copy()
    side_px = len(seen)
    tone = float(rng.uniform(0, 80) if rng.random() < 0.7 else rng.uniform(150, 250))
    kind = int(rng.integers(3))
    if kind == 0:  # branches from one corner, thinner as they go
        for _ in range(int(rng.integers(2, 9))):
            x, y, turn = rng.uniform(-0.2, 1.2) * side_px, rng.uniform(-0.3, 0.6) * side_px, rng.normal(1.2, 0.8)
            for wide in np.linspace(rng.uniform(0.01, 0.05), 0.005, 5) * side_px:
                turn += rng.normal(0, 0.4)
                end = (x + np.cos(turn) * side_px * 0.18, y + np.sin(turn) * side_px * 0.18)
                cv2.line(seen, (round(x), round(y)), (round(end[0]), round(end[1])), tone, max(1, round(wide)))
                x, y = end
    elif kind == 1:  # one pole or trunk beside the middle
        x = side_px * (0.5 + rng.choice([-1, 1]) * rng.uniform(0.08, 0.4))
        wide = max(1, round(side_px * rng.uniform(0.01, 0.1)))
        cv2.line(seen, (round(x), 0), (round(x + side_px * rng.normal(0, 0.06)), side_px), tone, wide)
    else:
        pitch = max(4, round(side_px * rng.uniform(0.08, 0.3)))
        for x in range(int(rng.integers(0, pitch)), side_px, pitch):
            cv2.line(seen, (x, 0), (x, side_px), tone, max(1, round(side_px * rng.uniform(0.005, 0.02))))
    return seen


def _fill(room: Canvas, corners: NDArray[np.float64], tone: float) -> None:
    cv2.fillPoly(room, [np.rint(corners).astype(np.int32)], float(np.clip(tone, 0, 255)))
