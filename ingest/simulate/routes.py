"""Ways through a scene and how they are gone: smooth paths, speeds with acceleration, stops."""

from dataclasses import dataclass, field

import numpy as np

from ingest.simulate.view import Array

__all__ = ["Route", "Track", "follow"]

_STEP_M = 0.05


@dataclass(frozen=True, slots=True)
class Route:
    """A way somebody may take: corner points on the ground (metres), who takes it, how fast, and stops on it.

    `kind` is walk, ride or car. `stops` are (after how many metres, for how many seconds). Ways begin and end out of sight.
    """

    kind: str
    points: tuple[tuple[float, float], ...]
    speed_m_s: tuple[float, float]
    stops: tuple[tuple[float, float], ...] = ()
    spread_m: float = 0.3  # sideways, at random
    guard: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """Where something is at each frame from `first` on: `xy` (N, 2), `heading` rad, metres `gone`, `speed` m/s, all (N,)."""

    first: int
    xy: Array
    heading: Array
    gone: Array
    speed: Array
    held: tuple[tuple[int, int], ...] = field(default=())  # frames of each stop, from and to

    def __len__(self) -> int:
        return len(self.gone)

    @property
    def end(self) -> int:
        return self.first + len(self)


def follow(route: Route, rng: np.random.Generator, start_s: float, fps: int) -> Track:
    """The route gone once, from `start_s`, at a speed and with a sideways shift drawn from `rng`."""
    path = _smooth(_shifted(np.array(route.points, np.float64), float(rng.uniform(-1, 1)) * route.spread_m))
    legs = np.hypot(*np.diff(path, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(legs)])
    cruise = float(rng.uniform(*route.speed_m_s))
    pick_up, brake = (1.6, 2.2) if route.kind == "car" else (1.0, 1.2) if route.kind == "ride" else (1.6, 2.0)
    gone, speed, held = _progress(float(along[-1]), cruise, (pick_up, brake), list(route.stops), fps)
    xy = np.stack([np.interp(gone, along, path[:, 0]), np.interp(gone, along, path[:, 1])], axis=-1)
    ahead = np.minimum(gone + 0.15, along[-1])
    behind = np.maximum(gone - 0.15, 0)
    dx = np.interp(ahead, along, path[:, 0]) - np.interp(behind, along, path[:, 0])
    dy = np.interp(ahead, along, path[:, 1]) - np.interp(behind, along, path[:, 1])
    first = round(start_s * fps)
    stops = tuple((first + a, first + b) for a, b in held)
    return Track(first, xy.astype(np.float32), np.arctan2(dy, dx).astype(np.float32), gone, speed, stops)


def _progress(
    length: float, cruise: float, rates: tuple[float, float], stops: list[tuple[float, float]], fps: int
) -> tuple[Array, Array, list[tuple[int, int]]]:
    """Metres gone and speed at each frame, and the frames of each stop: speeds up, brakes for stops, waits."""
    pick_up, brake = rates
    gone, speed, at, v, waited = [0.0], [cruise], 0.0, cruise, 0.0
    held: list[tuple[int, int]] = []
    while at < length and len(gone) < 10_000:
        limit = cruise
        if stops:
            left = stops[0][0] - at
            limit = min(cruise, float(np.sqrt(2 * brake * max(left, 0.0))))
            if left < 0.01:
                limit, waited = 0.0, waited + 1 / fps
                if waited >= stops[0][1]:
                    held.append((len(gone) - round(waited * fps), len(gone)))
                    stops, waited = stops[1:], 0.0
        v = min(v + pick_up / fps, limit)
        if v < 0.05 and limit > 0:
            v = min(0.05, max(limit, 0.02))
        at += v / fps
        gone.append(at)
        speed.append(v)
    return np.array(gone, np.float32), np.array(speed, np.float32), held


def _shifted(points: Array, by_m: float) -> Array:
    """The way moved sideways, to its left."""
    way = np.gradient(points, axis=0)
    way = way / (np.hypot(way[:, 0], way[:, 1])[:, None] + 1e-9)
    out: Array = points + np.stack([-way[:, 1], way[:, 0]], axis=-1) * by_m
    return out


def _smooth(points: Array) -> Array:
    """A curve through all points (centripetal Catmull-Rom in two dimensions), sampled every few centimetres."""
    padded = np.vstack([2 * points[0] - points[1], points, 2 * points[-1] - points[-2]])
    pieces = []
    for index in range(len(points) - 1):
        p0, p1, p2, p3 = padded[index : index + 4]
        t0, t1 = 0.0, float(np.hypot(*(p1 - p0))) ** 0.5
        t2 = t1 + float(np.hypot(*(p2 - p1))) ** 0.5
        t3 = t2 + float(np.hypot(*(p3 - p2))) ** 0.5
        count = max(2, int(np.hypot(*(p2 - p1)) / _STEP_M))
        t = np.linspace(t1, t2, count, endpoint=False)[:, None]
        a1 = (t1 - t) / (t1 - t0) * p0 + (t - t0) / (t1 - t0) * p1
        a2 = (t2 - t) / (t2 - t1) * p1 + (t - t1) / (t2 - t1) * p2
        a3 = (t3 - t) / (t3 - t2) * p2 + (t - t2) / (t3 - t2) * p3
        b1 = (t2 - t) / (t2 - t0) * a1 + (t - t0) / (t2 - t0) * a2
        b2 = (t3 - t) / (t3 - t1) * a2 + (t - t1) / (t3 - t1) * a3
        pieces.append((t2 - t) / (t2 - t1) * b1 + (t - t1) / (t2 - t1) * b2)
    out: Array = np.vstack([*pieces, points[-1:]])
    return out
