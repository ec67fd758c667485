"""A drawn scene played for one loop: the backdrop, then actors and moving trees from far to near, then the sensor."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from ingest.simulate.backdrop import SUPERSAMPLE, Foliage
from ingest.simulate.clip import SceneSpec, TruthBox
from ingest.simulate.figure import Figure, Part, Stand
from ingest.simulate.paint import Painter, Window
from ingest.simulate.places import Barrier, Place, build_place
from ingest.simulate.script import Actor, write_script
from ingest.simulate.view import Array

__all__ = ["Scene"]

_RAIN_TILE = 720
_WIND_PX = {"day": 0.7, "night": 0.5, "rain": 1.3}


class Scene:
    """One scene, laid out and scripted in the constructor (about a second). `frames` may be called again and gives the same."""

    def __init__(self, spec: SceneSpec) -> None:
        self.spec = spec
        self.place = build_place(spec.scene, spec.light, spec.variant)
        self.actors = write_script(spec, self.place.ways)
        rng = np.random.default_rng([11, sum(spec.name.encode()), spec.variant])
        self._painter = Painter(self.place.ways.view, self.place.light, self.place.picture)
        self._crowns = [_Crown.of(self.place, leaves) for leaves in self.place.crowns]
        self._noise = self.place.light.noise_tile(rng, self.place.ways.view.height, self.place.ways.view.width)
        self._rain = _rain_tile(rng, self.place.ways.view.width) if self.place.light.wet else None
        self._inside = [self.place.ways.margin(actor.track.xy) > 0 for actor in self.actors]
        self._title = f"{spec.scene.upper().replace('_', ' ')} {spec.variant + 1:02d}"

    def frames(self) -> Iterator[tuple[NDArray[np.uint8], list[TruthBox]]]:
        """Every picture of the loop, BGR u8 (360, 640, 3), with what moves in it."""
        rng = np.random.default_rng([13, sum(self.spec.name.encode())])
        for frame in range(self.spec.frame_count):
            yield self.picture(frame, rng)

    def picture(self, frame: int, rng: np.random.Generator) -> tuple[NDArray[np.uint8], list[TruthBox]]:
        """One picture; `rng` gives the sensor's noise."""
        image = self.place.picture.bgr.copy()
        phase = frame / self.spec.frame_count
        truth: list[TruthBox] = []
        for depth_m, thing, stand in self._order(frame):
            if isinstance(thing, _Crown):
                thing.paint(image, phase, _WIND_PX[self.spec.light])
                continue
            if isinstance(thing, Barrier):
                self._painter.actor(image, self._arm(thing, frame), depth_m, *_arm_place(thing))
                continue
            assert stand is not None
            foot = np.array([stand.x_m, stand.y_m], np.float32)
            window = self._painter.actor(image, thing.figure(frame).placed(stand), depth_m, foot, thing.contact(stand))
            if thing.lights:
                self._headlamps(image, thing, stand)
            if window is not None:
                inside = bool(self._inside[thing.number][frame - thing.track.first])
                truth.append(TruthBox(thing.label, self._box(window), inside, thing.number))
        truth.sort(key=lambda box: box.actor)
        return self._sensor(image, phase, rng), truth

    def _order(self, frame: int) -> list[tuple[float, "Actor | _Crown | Barrier", Stand | None]]:
        """Everything that may move, farthest first."""
        things: list[tuple[float, Actor | _Crown | Barrier, Stand | None]] = [
            (crown.depth_m, crown, None) for crown in self._crowns
        ]
        depth = self.place.ways.view.depth
        things += [(float(depth(np.array([*barrier.post, 1.0], np.float32))), barrier, None) for barrier in self.place.barriers]
        for actor in self.actors:
            stand = actor.stand(frame)
            if stand is not None:
                depth_m = float(depth(np.array([stand.x_m, stand.y_m, 0.8], np.float32)))
                if depth_m > 1.5:
                    things.append((depth_m, actor, stand))
        return sorted(things, key=lambda thing: -thing[0])

    def _box(self, window: Window) -> tuple[float, float, float, float]:
        w, h = self.place.ways.view.width, self.place.ways.view.height
        return window.x0 / w, window.y0 / h, window.x1 / w, window.y1 / h

    def _arm(self, barrier: Barrier, frame: int) -> Figure:
        """The arm of a barrier, red and white; it lifts before a waiting car goes on and comes down behind it."""
        lift = 0.0
        for actor in self.actors:
            if actor.route == barrier.route:
                for _, go in actor.track.held:
                    since_s = (frame - go) / self.spec.fps
                    lift = max(lift, min(1.0, since_s + 1.6, 5.6 - since_s))
        angle = max(0.0, lift) * 1.4
        post = np.array([*barrier.post, 0.95], np.float32)
        way = np.array([*barrier.tip, 0.95], np.float32) - post
        up = np.array([0, 0, float(np.linalg.norm(way))], np.float32)
        points = [post + (way * np.cos(angle) + up * np.sin(angle)) * share for share in np.linspace(0, 1, 7)]
        radius = np.array([0.05, 0.05], np.float32)
        tones = ((40.0, 40.0, 200.0), (224.0, 226.0, 228.0))
        pairs = enumerate(pairwise(points))
        return Figure.of([Part(np.array([a, b], np.float32), radius, tones[index % 2]) for index, (a, b) in pairs])

    def _headlamps(self, image: NDArray[np.uint8], car: Actor, stand: Stand) -> None:
        assert car.car is not None
        dark = self.place.light.infrared
        front = car.car.length_m / 2
        turns = np.linspace(0, 2 * np.pi, 13)[:-1]
        pool = np.column_stack([front + 4.2 + np.cos(turns) * 3.6, np.sin(turns) * 1.5, np.zeros(12)]).astype(np.float32)
        self._painter.pool(image, stand.world(pool)[:, :2], 58.0 if dark else 12.0)
        away_m = float(np.hypot(stand.x_m, stand.y_m)) + 1e-6
        towards = -(np.cos(stand.heading_rad) * stand.x_m + np.sin(stand.heading_rad) * stand.y_m) / away_m
        if towards > 0:  # dazzling from ahead, hardly from the side
            for side in (0.6, -0.6):
                at = stand.world(np.array([[front + 0.05, side * car.car.width_m / 2, 0.66]], np.float32))[0]
                self._painter.glow(image, at, 0.2 + 0.25 * towards, (190.0 if dark else 120.0) * towards**0.7)

    def _sensor(self, image: NDArray[np.uint8], phase: float, rng: np.random.Generator) -> NDArray[np.uint8]:
        """Rain before the lens, the exposure's slow drift, noise, and the camera's name, which stands still."""
        height, width = image.shape[:2]
        if self._rain is not None:
            y, x = int(rng.integers(_RAIN_TILE - height)), int(rng.integers(64))
            cv2.add(image, self._rain[y : y + height, x : x + width], dst=image)
        y, x = (int(part) for part in rng.integers(0, 128, 2))
        noise = self._noise[y : y + height, x : x + width]
        cv2.addWeighted(image, self.place.light.gain(phase), noise, 1.0, -64.0, dst=image)
        for colour, weight in (((20, 20, 20), 3), ((236, 236, 236), 1)):
            cv2.putText(image, self._title, (14, height - 14), cv2.FONT_HERSHEY_SIMPLEX, 0.5, colour, weight, cv2.LINE_AA)
        return image


def _arm_place(barrier: Barrier) -> tuple[Array, Array]:
    """Where an arm stands, and the ground it darkens: none."""
    post = np.array(barrier.post, np.float32)
    return post, post + np.array([(0, 0), (0.05, 0), (0.05, 0.05)], np.float32)


@dataclass(frozen=True, eq=False)
class _Crown:
    """The crown of a tree as a sprite that leans with the wind: premultiplied BGR and alpha, float32 (H, W, 4), 0–255."""

    sprite: Array
    x: int
    y: int
    depth_m: float
    sway: float  # its own share and moment of the wind

    @classmethod
    def of(cls, place: Place, leaves: Foliage) -> "_Crown":
        view, scale = place.ways.view, SUPERSAMPLE
        depth = view.depth(leaves.point)
        centre, radius = view.project(leaves.point), leaves.radius * view.focal_px / depth
        low = np.floor((centre - radius[:, None]).min(axis=0)).astype(int) - 4
        high = np.ceil((centre + radius[:, None]).max(axis=0)).astype(int) + 4
        size = high - low
        lit = place.light.lit(leaves.colour, leaves.normal)
        shade = np.clip(place.light.grade(lit, leaves.point[:, :2], depth), 0, 255)
        large = np.zeros((size[1] * scale, size[0] * scale, 4), np.float32)
        for index in np.argsort(-depth):
            at = np.round((centre[index] - low) * scale * 16).astype(int).tolist()
            spot = max(12, round(float(radius[index]) * scale * 16))
            cv2.circle(large, at, spot, [*shade[index].tolist(), 255.0], cv2.FILLED, cv2.LINE_8, 4)
        sprite = cv2.resize(large, (int(size[0]), int(size[1])), interpolation=cv2.INTER_AREA).astype(np.float32)
        return cls(sprite, int(low[0]), int(low[1]), float(depth.mean()), float(leaves.point[0, 0] * 1.7 % 1))

    def paint(self, image: NDArray[np.uint8], phase: float, wind_px: float) -> None:
        """Blend it in, its top moved by the wind of this moment; the wind comes back to where it began."""
        height, width = self.sprite.shape[:2]
        turn = 2 * np.pi * (phase + self.sway)
        push = wind_px * (0.6 * np.sin(9 * turn) + 0.4 * np.sin(23 * turn + 1) + 0.3 * np.sin(41 * turn))
        lean = np.array([[1, -push / height, push], [0, 1, 0.15 * push]], np.float32)
        sprite = cv2.warpAffine(self.sprite, lean, (width, height), flags=cv2.INTER_LINEAR)
        x0, y0, x1, y1 = max(0, self.x), max(0, self.y), min(image.shape[1], self.x + width), min(image.shape[0], self.y + height)
        if x1 <= x0 or y1 <= y0:
            return
        part = sprite[y0 - self.y : y1 - self.y, x0 - self.x : x1 - self.x]
        under = image[y0:y1, x0:x1]
        under[:] = under * (1 - part[..., 3:] / 255) + part[..., :3]


def _rain_tile(rng: np.random.Generator, width: int) -> NDArray[np.uint8]:
    """Streaks of rain to add to a picture, u8 (tile, width + 64, 3)."""
    tile = np.zeros((_RAIN_TILE, width + 64), np.uint8)
    for _ in range(1150):
        x, y = int(rng.integers(width + 64)), int(rng.integers(_RAIN_TILE))
        near = float(rng.uniform(0.3, 1.0)) ** 2
        long = int(8 + 26 * near)
        cv2.line(tile, (x, y), (x - long // 9, y + long), int(10 + 30 * near), 1, cv2.LINE_AA)
    return cv2.merge([tile, tile, tile]).astype(np.uint8, copy=False)
