"""How long a team takes to a place: along the site's ways where there are any, else as the crow flies and then some."""

import heapq
import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from camera_config.site import Point, TravelMode, Way

__all__ = ["DETOUR", "SPEED_M_S", "Travel", "Trip", "distance_m"]

EARTH_RADIUS_M = 6_371_008.8
"""Mean radius, IUGG 1980."""

SPEED_M_S = {TravelMode.WALK: 1.3, TravelMode.DRIVE: 5.5}
"""4.7 km/h on foot with equipment; 20 km/h on wheels through compounds and side streets. Our own choice, on the slow side."""

DETOUR = 1.3
"""How much longer the way is than the straight line where no ways are drawn; a usual figure for towns."""


ALL_PAIRS = 1_000
"""Points of a network up to which all distances are worked out beforehand, within a second: 8 MB, and a trip is looked up."""


@dataclass(frozen=True, slots=True)
class Trip:
    """A way to a place. `metres` is the straight line, unless `by_way`."""

    time_s: float
    metres: float
    by_way: bool = False


@dataclass(frozen=True, slots=True)
class _Access:
    """Where points meet a network: the edge of each, how far along it, and how far the point is from it."""

    edge: NDArray[np.int64]
    along_m: NDArray[np.float64]
    off_m: NDArray[np.float64]


class Travel:
    """The ways of one site. Immutable, so safe from any thread."""

    def __init__(self, ways: Sequence[Way]) -> None:
        drivable = [way for way in ways if way.mode is TravelMode.DRIVE]
        self._network = {TravelMode.WALK: _Network(ways) if ways else None, TravelMode.DRIVE: None}
        if drivable:
            self._network[TravelMode.DRIVE] = _Network(drivable)

    def trips(self, place: Point, origins: Sequence[tuple[Point, TravelMode]]) -> list[Trip]:
        """The trip to `place` from each of `origins`, in their order."""
        found: list[Trip | None] = [None] * len(origins)
        for mode, network in self._network.items():
            index = [n for n, (_, travels) in enumerate(origins) if travels is mode]
            points = [origins[n][0] for n in index]
            lengths = network.ways_to(place, points) if network is not None and points else [None] * len(points)
            for n, point, length in zip(index, points, lengths, strict=True):
                found[n] = _trip(place, point, mode, length)
        return [trip for trip in found if trip is not None]

    def length_m(self, origin: Point, place: Point, mode: TravelMode) -> float:
        """The shortest way that is known: along the ways of the site, else the straight line."""
        return self.trips(place, [(origin, mode)])[0].metres


class _Network:
    """Edges between points in metres east and north of a middle; both directions are open."""

    def __init__(self, ways: Sequence[Way]) -> None:
        points = list(dict.fromkeys(point for way in ways for point in way.line))
        number = {point: n for n, point in enumerate(points)}
        self._middle = points[0]
        self._xy = self._metres(points)
        pairs = {
            (min(a, b), max(a, b))
            for way in ways
            for a, b in zip(map(number.__getitem__, way.line), map(number.__getitem__, way.line[1:]), strict=False)
            if a != b
        }
        self._ends = np.array(sorted(pairs), dtype=np.int64)
        from_xy, to_xy = self._xy[self._ends[:, 0]], self._xy[self._ends[:, 1]]
        self._length_m = np.hypot(*(to_xy - from_xy).T)
        self._tree = shapely.STRtree([shapely.LineString(ends) for ends in np.stack([from_xy, to_xy], axis=1)])
        self._next: dict[int, list[tuple[int, float]]] = defaultdict(list)
        for (a, b), length_m in zip(self._ends.tolist(), self._length_m.tolist(), strict=True):
            self._next[a].append((b, length_m))
            self._next[b].append((a, length_m))
        self._all_m = self._all_pairs(len(points)) if len(points) <= ALL_PAIRS else None

    def ways_to(self, place: Point, origins: Sequence[Point]) -> list[tuple[float, float] | None]:
        """For each origin, metres beside the ways and metres along them; None where no way leads, or none is worth taking."""
        access = self._access([place, *origins])
        from_a, from_b = self._end_distances(access)
        edge, along_m, off_m = access.edge[1:], access.along_m[1:], access.off_m[1:]
        on_ways_m = np.minimum(from_a + along_m, from_b + self._length_m[edge] - along_m)
        same = edge == access.edge[0]
        on_ways_m = np.where(same, np.minimum(on_ways_m, np.abs(along_m - access.along_m[0])), on_ways_m)
        beside_m = off_m + access.off_m[0]
        straight_m = np.hypot(*(self._metres(origins) - self._metres([place])).T)
        useful = np.isfinite(on_ways_m) & (straight_m > beside_m)
        return [
            (float(beside), float(along)) if fits else None
            for beside, along, fits in zip(beside_m, on_ways_m, useful, strict=True)
        ]

    def _all_pairs(self, count: int) -> NDArray[np.float64]:
        """Metres along the ways from each end of an edge to each other: Floyd (1962)."""
        metres = np.full((count, count), math.inf)
        np.fill_diagonal(metres, 0.0)
        a, b = self._ends.T
        metres[a, b] = metres[b, a] = self._length_m
        for middle in range(count):
            np.minimum(metres, metres[:, middle, None] + metres[None, middle, :], out=metres)
        return metres

    def _end_distances(self, access: _Access) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Metres along the ways from the first point to both ends of the edges of the others: looked up, or Dijkstra (1959)."""
        first, start_m = int(access.edge[0]), float(access.along_m[0])
        a, b = self._ends[first].tolist()
        if self._all_m is not None:
            by_end = np.minimum(self._all_m[a] + start_m, self._all_m[b] + (self._length_m[first] - start_m))
            return by_end[self._ends[access.edge[1:], 0]], by_end[self._ends[access.edge[1:], 1]]
        open_ends = set(self._ends[access.edge[1:]].ravel().tolist())
        reached_m: dict[int, float] = {}
        queue = [(start_m, a), (float(self._length_m[first]) - start_m, b)]
        heapq.heapify(queue)
        while queue and open_ends:
            at_m, here = heapq.heappop(queue)
            if here in reached_m:
                continue
            reached_m[here] = at_m
            open_ends.discard(here)
            for there, length_m in self._next[here]:
                if there not in reached_m:
                    heapq.heappush(queue, (at_m + length_m, there))
        ends = self._ends[access.edge[1:]]
        metres = np.array([[reached_m.get(end, math.inf) for end in pair] for pair in ends.tolist()]).reshape(-1, 2)
        return metres[:, 0], metres[:, 1]

    def _access(self, points: Sequence[Point]) -> _Access:
        xy = self._metres(points)
        edge = np.asarray(self._tree.nearest(shapely.points(xy)), dtype=np.int64)
        from_xy, to_xy = self._xy[self._ends[edge, 0]], self._xy[self._ends[edge, 1]]
        along = (to_xy - from_xy) / self._length_m[edge, None]
        along_m = np.clip(((xy - from_xy) * along).sum(axis=1), 0.0, self._length_m[edge])
        off_m = np.hypot(*(from_xy + along * along_m[:, None] - xy).T)
        return _Access(edge, along_m, off_m)

    def _metres(self, points: Sequence[Point]) -> NDArray[np.float64]:
        """Longitude and latitude as metres on a plane; true to a thousandth within 20 km."""
        scale = math.radians(1) * EARTH_RADIUS_M
        lonlat = np.array(points, dtype=np.float64).reshape(-1, 2) - np.array(self._middle)
        metres: NDArray[np.float64] = lonlat * np.array((scale * math.cos(math.radians(self._middle[1])), scale))
        return metres


def distance_m(a: Point, b: Point) -> float:
    """Great-circle distance of two points (longitude, latitude in degrees) by the haversine formula."""
    lon_a, lat_a, lon_b, lat_b = map(math.radians, (*a, *b))
    h = math.sin((lat_b - lat_a) / 2) ** 2 + math.cos(lat_a) * math.cos(lat_b) * math.sin((lon_b - lon_a) / 2) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(math.sqrt(min(1.0, h)))


def _trip(place: Point, origin: Point, mode: TravelMode, on_ways: tuple[float, float] | None) -> Trip:
    """Beside the ways everybody walks."""
    if on_ways is not None:
        beside_m, along_m = on_ways
        return Trip(beside_m / SPEED_M_S[TravelMode.WALK] + along_m / SPEED_M_S[mode], beside_m + along_m, by_way=True)
    straight_m = distance_m(origin, place)
    return Trip(straight_m * DETOUR / SPEED_M_S[mode], straight_m)
