"""Where to put the next cameras: from places and lenses to choose from, those that cover most of what nobody sees yet.

Lazy greedy (Minoux 1978): what a spot can add only shrinks as others are chosen, so a spot is looked at again only while its last
known gain is the highest. Greedy choice comes to at least 63 % of the best choice of as many cameras (Nemhauser et al. 1978).
Spots are compared on a raster; the one that looks best is looked at exactly before it is chosen.
"""

import heapq
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import shapely

from camera_config.coverage import Coverage
from camera_config.coverage_rules import Stream
from camera_config.covered import Covered
from camera_config.planner_raster import BlindRaster
from camera_config.site import ANALYSED_PX, Camera, Name, PlaceKind, Pole, Size
from camera_config.terrain import Terrain, polygons
from camera_config.view import depth_m, footprint
from camera_config.visibility import Shape

__all__ = ["LENSES", "Lens", "ProposedCamera", "Spot", "propose_cameras", "spots_along_buildings", "spots_on_poles"]

_SPOT_EVERY_M = 24.0  # along a wall
_SHORTEST_M = 4.0  # of a wall worth a spot
_OFF_WALL_M = 0.3
_WALL_HEIGHT_M = 4.5
_AZIMUTHS = 12
_SIDEWAYS_DEG = 80.0  # from straight ahead, of a camera on a wall
_LEAST = 5.0  # weighted m²; less is not worth a camera
_AT_ONCE = 100  # spots, which is memory
_SLANT = 1.35  # the corners of a view are so much further away than its middle


@dataclass(frozen=True, slots=True)
class Lens:
    """A kind of camera that can be bought."""

    name: str
    hfov_deg: float
    recorded_px: Size
    analysed_px: Size = ANALYSED_PX
    night_range_m: float | None = None


LENSES = (
    Lens("2.8 mm, 4 MP", 98.0, (2560, 1440)),
    Lens("4 mm, 4 MP", 79.0, (2560, 1440)),
    Lens("6 mm, 4 MP", 51.0, (2560, 1440)),
    Lens("8 mm, 8 MP", 39.0, (3840, 2160), night_range_m=60.0),
)
"""What most makers sell; hfov as on the data sheets of 1/2.7 to 1/1.8 inch sensors."""


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a camera could be put up, metres. On a wall it looks within 80° of `facing_deg`, on a pole (None) anywhere."""

    id: str
    x: float
    y: float
    height_m: float
    facing_deg: float | None = None


@dataclass(frozen=True, slots=True)
class ProposedCamera:
    """One camera to put up, and what it adds to those before it: square metres, plain and weighted; `total` is the sum so far."""

    camera: Camera
    lens: Lens
    spot: Spot
    gain_m2: float
    gain: float
    total: float


def spots_on_poles(terrain: Terrain, poles: Sequence[Pole]) -> tuple[Spot, ...]:
    """The given poles as spots."""
    at = terrain.ground.metres(np.array([(pole.lon, pole.lat) for pole in poles]).reshape(-1, 2))
    return tuple(Spot(pole.id, float(x), float(y), pole.height_m) for pole, (x, y) in zip(poles, at, strict=True))


def spots_along_buildings(terrain: Terrain) -> tuple[Spot, ...]:
    """Spots on the walls of all buildings, about every 24 m and at least one on each long side, facing away from it."""
    spots: list[Spot] = []
    for first, second in terrain.building_edges:
        length = math.hypot(*(second - first))
        count = max(1, round(length / _SPOT_EVERY_M)) if length >= _SHORTEST_M else 0
        for number in range(count):
            x, y = first + (second - first) * (number + 0.5) / count
            out = np.array([second[1] - first[1], first[0] - second[0]]) / length
            if shapely.intersects_xy(terrain.buildings, x + out[0] * _OFF_WALL_M, y + out[1] * _OFF_WALL_M):
                out = -out
            facing_deg = math.degrees(math.atan2(out[0], out[1])) % 360
            x, y = x + out[0] * _OFF_WALL_M, y + out[1] * _OFF_WALL_M
            spots.append(Spot(f"wall-{len(spots) + 1:04d}", float(x), float(y), _WALL_HEIGHT_M, facing_deg))
    return tuple(spots)


def propose_cameras(
    coverage: Coverage,
    covered: Covered,
    spots: Sequence[Spot],
    count: int,
    lenses: Sequence[Lens] = LENSES,
    place: str = "",
) -> tuple[ProposedCamera, ...]:
    """At most `count` cameras, best first; fewer where nothing is left to gain. With `place`, only ground of that place counts.

    `covered` says what is seen already, so that cameras that do not work may be planned around; the layer is that of the rules.
    """
    rest = {
        index: shape
        for index, (patch, shape) in enumerate(zip(coverage.terrain.patches, covered.uncovered, strict=True))
        if not shape.is_empty and (not place or place in patch.place.values())
    }
    if not rest or not spots:
        return ()
    plan = _Plan(coverage, rest, spots, lenses)
    found: list[ProposedCamera] = []
    # Each entry: minus the gain, for how many chosen cameras it holds, whether it is exact, the spot.
    queue = [(-gain, 0, False, spot) for spot, gain in enumerate(plan.best(range(len(spots)))) if gain > _LEAST]
    heapq.heapify(queue)
    while queue and len(found) < count:
        _, looked_at, is_exact, spot = heapq.heappop(queue)
        if looked_at < len(found):
            (gain,) = plan.best([spot])
        elif not is_exact:
            gain = plan.gain(spot)
        else:
            found.append(plan.take(spot, f"new-{len(found) + 1}", found[-1].total if found else 0.0))
            (gain,) = plan.best([spot])  # a second camera may hang there
        is_known = looked_at == len(found) and not is_exact
        if gain > _LEAST:
            heapq.heappush(queue, (-gain, len(found), is_known, spot))
    return tuple(found)


class _Plan:
    """What is still uncovered while cameras are chosen; owned by one call of `propose_cameras`."""

    def __init__(self, coverage: Coverage, rest: Mapping[int, Shape], spots: Sequence[Spot], lenses: Sequence[Lens]) -> None:
        """`rest`: uncovered ground by the index of its patch."""
        self._coverage, self._terrain = coverage, coverage.terrain
        self._spots, self._lenses = spots, lenses
        self._rest = dict(rest)
        self._raster = BlindRaster(list(self._weighted()), self._terrain.buildings)
        self._at = np.array([(spot.x, spot.y) for spot in spots]).reshape(-1, 2)
        self._choice: dict[int, tuple[Lens, float]] = {}  # of each spot, at its last look
        self._promise: dict[int, float] = {}  # what the raster said then
        self._truth = np.ones(len(spots))  # the exact gain at the last exact look, as a share of what the raster said

    def _weighted(self) -> Iterator[tuple[Shape, float]]:
        for index, shape in self._rest.items():
            yield shape, 1.0
            for matter, ground in self._terrain.patches[index].important.items():
                inside = polygons(shapely.intersection(shape, ground))
                if not inside.is_empty:
                    yield inside, self._terrain.weight(matter)

    def best(self, spots: Sequence[int]) -> list[float]:
        """The gain of the best lens and direction at each spot, and remembers which that is."""
        gains = []
        for begin in range(0, len(spots), _AT_ONCE):
            some = spots[begin : begin + _AT_ONCE]
            gains += self._best_of(some)
        return gains

    def _best_of(self, spots: Sequence[int]) -> list[float]:
        lines = {lens: _line(self._coverage, lens) for lens in self._lenses}
        around = self._raster.gains(self._at[list(spots)], max(far for _, far in lines.values()) * _SLANT)
        most, choice = np.zeros(len(spots)), [(self._lenses[0], 0.0)] * len(spots)
        facing = np.array([np.nan if (turn := self._spots[spot].facing_deg) is None else turn for spot in spots])
        for lens, (near, far) in lines.items():
            for number in range(_AZIMUTHS):
                azimuth_deg = 360.0 * number / _AZIMUTHS
                away = np.abs((azimuth_deg - facing + 180) % 360 - 180)
                gain = np.where(away > _SIDEWAYS_DEG, 0.0, self._raster.in_view(around, azimuth_deg, lens.hfov_deg, near, far))
                for index in np.flatnonzero(gain > most).tolist():
                    most[index], choice[index] = gain[index], (lens, azimuth_deg)
        self._choice |= dict(zip(spots, choice, strict=True))
        self._promise |= dict(zip(spots, most.tolist(), strict=True))
        return [float(gain) for gain in most * self._truth[list(spots)]]

    def gain(self, index: int) -> float:
        """The exact gain of the choice at a spot."""
        gain = sum(self._terrain.importance(self._terrain.patches[patch], new) for patch, new in self._new(self._view(index)))
        self._truth[index] = min(1.0, gain / self._promise[index])
        return gain

    def take(self, index: int, name: str, total: float) -> ProposedCamera:
        """The camera chosen at a spot; what it sees is covered from now on."""
        view, gain, gain_m2 = self._view(index), 0.0, 0.0
        for patch, new in self._new(view):
            gain, gain_m2 = gain + self._terrain.importance(self._terrain.patches[patch], new), gain_m2 + new.area
            self._rest[patch] = polygons(shapely.difference(self._rest[patch], view))
        self._raster.take(view)
        return ProposedCamera(self._camera(index, name), self._choice[index][0], self._spots[index], gain_m2, gain, total + gain)

    def _view(self, index: int) -> Shape:
        return self._coverage.look(self._camera(index, ""))

    def _new(self, view: Shape) -> list[tuple[int, Shape]]:
        """What of a view nobody sees yet, by patch."""
        touched = self._terrain.tree.query(view, predicate="intersects").tolist()
        return [(patch, polygons(shapely.intersection(view, self._rest[patch]))) for patch in touched if patch in self._rest]

    def _camera(self, index: int, name: str) -> Camera:
        spot, (lens, azimuth_deg) = self._spots[index], self._choice[index]
        lon, lat = self._terrain.ground.degrees(np.array([spot.x, spot.y])).tolist()
        at = self._terrain.tree.query(shapely.Point(spot.x, spot.y), predicate="intersects").tolist()
        place = self._terrain.patches[at[0]].place if at else {}
        return Camera(
            id=name,
            name=Name(name, name),
            compound=place.get(PlaceKind.COMPOUND, ""),
            grid_cell=place.get(PlaceKind.GRID_CELL, ""),
            lon=lon,
            lat=lat,
            height_m=spot.height_m,
            azimuth_deg=azimuth_deg,
            tilt_deg=_tilt_deg(self._coverage, lens, spot.height_m),
            hfov_deg=lens.hfov_deg,
            url_sub="",
            analysed_px=lens.analysed_px,
            recorded_px=lens.recorded_px,
            night_range_m=lens.night_range_m,
        )


def _tilt_deg(coverage: Coverage, lens: Lens, height_m: float) -> float:
    """Down until the upper edge of the picture meets the ground where the band ends, so that no row of it is wasted."""
    rules = coverage.rules
    width, height = lens.recorded_px if rules.stream is Stream.RECORDED else lens.analysed_px
    reach_m = min(depth_m(lens.hfov_deg, width, rules.ppm(rules.band)), rules.day_range_m)
    up = math.atan(math.tan(math.radians(lens.hfov_deg) / 2) * height / width)
    return math.floor(10 * math.degrees(up + math.atan(max(0.0, height_m - rules.target_m) / reach_m))) / 10


def _line(coverage: Coverage, lens: Lens) -> tuple[float, float]:
    """From where to where along its axis a camera with this lens sees, at the usual height."""
    tilt_deg = _tilt_deg(coverage, lens, _WALL_HEIGHT_M)
    camera = Camera("", Name("", ""), "", "", 0.0, 0.0, _WALL_HEIGHT_M, 0.0, tilt_deg, lens.hfov_deg, "")
    camera = replace(camera, analysed_px=lens.analysed_px, recorded_px=lens.recorded_px)
    corners = footprint(camera, coverage.rules.layer, coverage.rules)
    return (max(0.0, float(corners[0, 1])), float(corners[2, 1])) if len(corners) else (0.0, 0.0)
