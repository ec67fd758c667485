"""What is covered while some cameras do not work: figures by place, blind spots, what each cause costs."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

import numpy as np
import shapely
from numpy.typing import NDArray

from camera_config.site import Camera, CompoundKind, PlaceKind
from camera_config.terrain import Matter, Patch, Terrain, polygon_parts, polygons
from camera_config.visibility import Shape

__all__ = ["BlindSpot", "Covered", "Figure", "PatchCoverage"]

K = TypeVar("K")
T = TypeVar("T")

_CLEAN_M = 0.001  # what is left of ground between a wall and a view that ends at it
_MOST_KEPT = 200  # of one patch: cameras come and go, and then the same is asked for again
_FEW = 4  # missing cameras that are cheaper taken out one by one
_NOBODY: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Figure:
    """How much of some open ground is covered. `important_…`: of gates, lanes, play areas, key nodes; `cameras`: working ones."""

    ground_m2: float = 0.0
    covered_m2: float = 0.0
    important_m2: float = 0.0
    important_covered_m2: float = 0.0
    cameras: int = 0

    @property
    def rate(self) -> float:
        """The covered share, 0 to 1; 0 where there is no open ground."""
        return min(1.0, self.covered_m2 / self.ground_m2) if self.ground_m2 else 0.0

    @property
    def important_rate(self) -> float:
        """As `rate`, of the important ground alone."""
        return min(1.0, self.important_covered_m2 / self.important_m2) if self.important_m2 else 0.0

    def __add__(self, other: "Figure") -> "Figure":
        return Figure(
            self.ground_m2 + other.ground_m2,
            self.covered_m2 + other.covered_m2,
            self.important_m2 + other.important_m2,
            self.important_covered_m2 + other.important_covered_m2,
            self.cameras + other.cameras,
        )


@dataclass(frozen=True, slots=True)
class BlindSpot:
    """Open ground nobody sees, in one piece; the ids of the places it lies in are empty where there is none.

    `importance` is its area with the site's weights, m². `touches` names the important ground in it: `lane`, `gate:…`,
    `play_area:…`, `key_node:…`. `lon`, `lat` is a point on what of it matters most, where somebody could be sent.
    """

    grid_cell: str
    compound: str
    community: str
    outline: shapely.Polygon
    area_m2: float
    importance: float
    touches: tuple[str, ...]
    lon: float
    lat: float

    @property
    def place(self) -> str:
        """The smallest place it lies in."""
        return self.grid_cell or self.compound or self.community


@dataclass(slots=True)
class _Part:
    """One piece of ground that some cameras do not see; what is None is filled in when somebody asks for it."""

    outline: shapely.Polygon
    area_m2: float
    important_m2: float | None = None
    spot: BlindSpot | None = None


_Rest = tuple[_Part, ...]
"""What of a patch some cameras do not see."""


@dataclass(slots=True)
class PatchCoverage:
    """What the cameras see of one patch, each, and what they leave; the latter is kept by who is missing.

    What one camera more or less changes is found from its own piece alone; only where many are missing all are united anew.
    """

    patch: Patch
    piece: Mapping[str, Shape]
    _rest: dict[frozenset[str], _Rest] = field(default_factory=dict)

    def without(self, camera: str) -> "PatchCoverage":
        """As this, without a camera."""
        kept = {_NOBODY: self.rest(frozenset({camera}))} if _NOBODY in self._rest else {}
        return PatchCoverage(self.patch, {name: piece for name, piece in self.piece.items() if name != camera}, kept)

    def with_piece(self, camera: str, piece: Shape) -> "PatchCoverage":
        """As this, with one more camera."""
        known = self._rest.get(_NOBODY)
        kept = {} if known is None else {_NOBODY: _covered_by(known, piece)}
        return PatchCoverage(self.patch, {**self.piece, camera: piece}, kept)

    def rest(self, lost: frozenset[str]) -> _Rest:
        """What those leave that are not in `lost`."""
        missing = frozenset(lost & self.piece.keys())
        known = self._rest.get(missing)
        if known is None:
            whole = self._rest.get(_NOBODY)
            if whole is None or len(missing) > _FEW:
                shape = shapely.union_all([piece for name, piece in self.piece.items() if name not in missing])
                known = _parts(shapely.difference(self.patch.open, shape, grid_size=_CLEAN_M))
            else:
                known, gone = whole, set[str]()
                for camera in sorted(missing):
                    gone.add(camera)
                    known = _uncovered(known, self.alone(camera, gone))
            _keep(self._rest, missing, known)
        return known

    def alone(self, camera: str, missing: Set[str]) -> Shape:
        """What a camera sees that none of the others does, but for those missing."""
        own = self.piece[camera]
        others = np.array([piece for name, piece in self.piece.items() if name != camera and name not in missing], dtype=object)
        for piece in others[shapely.intersects(own, others)]:
            own = polygons(shapely.difference(own, piece))
        return own

    def covered_m2(self, lost: frozenset[str]) -> float:
        """Ground that those see who are not in `lost`."""
        return max(0.0, self.patch.ground_m2 - sum(part.area_m2 for part in self.rest(lost)))

    def important_covered_m2(self, lost: frozenset[str]) -> float:
        """As `covered_m2`, of the important ground alone."""
        rest = self.rest(lost)
        unknown = [part for part in rest if part.important_m2 is None]
        inside = shapely.intersection(_outlines(unknown), self.patch.matters)
        for part, area_m2 in zip(unknown, shapely.area(inside).tolist(), strict=True):
            part.important_m2 = area_m2
        return max(0.0, self.patch.important_m2 - sum(part.important_m2 or 0.0 for part in rest))

    def blind(self, lost: frozenset[str], terrain: Terrain) -> Iterator[BlindSpot]:
        """The blind spots while those in `lost` do not work, in no order."""
        for part in self.rest(lost):
            if part.area_m2 >= terrain.rules.blind_min_m2:
                if part.spot is None:
                    part.spot = _blind_spot(terrain, self.patch, part.outline)
                yield part.spot


def _uncovered(rest: _Rest, shape: Shape) -> _Rest:
    """As `rest`, with some ground more."""
    if shape.is_empty:
        return rest
    others, touched = _split(rest, shapely.dwithin(_outlines(rest), shape, _CLEAN_M))
    return *others, *_parts(shapely.union_all([*touched, shape], grid_size=_CLEAN_M))


def _covered_by(rest: _Rest, piece: Shape) -> _Rest:
    """As `rest`, less what a camera sees."""
    shapely.prepare(piece)
    others, touched = _split(rest, shapely.intersects(piece, _outlines(rest)))
    return *others, *_parts(*(shapely.difference(part, piece, grid_size=_CLEAN_M) for part in touched))


def _parts(*shapes: Shape) -> _Rest:
    """What shapes consist of."""
    outlines = [part for shape in shapes for part in polygon_parts(shape)]
    return tuple(_Part(outline, outline.area) for outline in outlines)


def _outlines(rest: Sequence[_Part]) -> NDArray[np.object_]:
    return np.array([part.outline for part in rest], dtype=object)


def _split(rest: _Rest, touched: NDArray[np.bool_]) -> tuple[list[_Part], list[shapely.Polygon]]:
    """The parts that are not touched, and the outlines of those that are."""
    known = list(zip(rest, touched.tolist(), strict=True))
    return [part for part, is_touched in known if not is_touched], [part.outline for part, is_touched in known if is_touched]


class Covered:
    """One layer of a site's coverage while the cameras in `lost` do not count. Immutable from outside, safe from any thread."""

    def __init__(
        self, terrain: Terrain, cameras: Mapping[str, Camera], patches: Sequence[PatchCoverage], lost: Mapping[str, str]
    ) -> None:
        self._terrain, self._cameras, self._patches = terrain, cameras, patches
        self.lost = lost
        self._missing = frozenset(lost)

    @cached_property
    def figures(self) -> Mapping[str, Figure]:
        """By the id of each sub-district, community, compound and grid cell."""
        found = dict.fromkeys(self._terrain.above, (0.0, 0.0, 0.0, 0.0))
        for known in self._patches:
            now_m2, important_now_m2 = known.covered_m2(self._missing), known.important_covered_m2(self._missing)
            for place in known.patch.place.values():
                ground_m2, covered_m2, important_m2, important_covered_m2 = found[place]
                found[place] = (
                    ground_m2 + known.patch.ground_m2,
                    covered_m2 + now_m2,
                    important_m2 + known.patch.important_m2,
                    important_covered_m2 + important_now_m2,
                )
        hung = self._hung()
        return {place: Figure(*numbers, hung[place]) for place, numbers in found.items()}

    def _hung(self) -> Counter[str]:
        """How many working cameras hang in each place."""
        found = Counter[str]()
        homes = Counter((camera.compound, camera.grid_cell) for camera in self._cameras.values() if camera.id not in self.lost)
        for (compound, cell), cameras in homes.items():
            for place in {*self._terrain.above.get(compound, ()), *self._terrain.above.get(cell, ())}:
                found[place] += cameras
        return found

    @cached_property
    def by_kind(self) -> Mapping[CompoundKind, Figure]:
        """The compounds of each kind together; kinds the site has none of are missing."""
        found: dict[CompoundKind, Figure] = {}
        for compound, kind in self._terrain.compound_kind.items():
            found[kind] = found.get(kind, Figure()) + self.figures[compound]
        return found

    @cached_property
    def blind_spots(self) -> tuple[BlindSpot, ...]:
        """Those of at least `blind_min_m2`, the most important first."""
        found = [spot for known in self._patches for spot in known.blind(self._missing, self._terrain)]
        return tuple(sorted(found, key=lambda spot: (-spot.importance, spot.lon, spot.lat)))

    @cached_property
    def lost_m2(self) -> Mapping[str, Mapping[str, float]]:
        """Reason -> place -> ground that would be covered if the cameras of that reason worked and the others stayed so."""
        found: dict[str, Counter[str]] = {reason: Counter() for reason in self.lost.values()}
        for known in self._patches:
            now_m2 = known.covered_m2(self._missing)
            for reason in {self.lost[camera] for camera in self._missing & known.piece.keys()}:
                rest = frozenset(camera for camera in self._missing if self.lost[camera] != reason)
                gain_m2 = known.covered_m2(rest) - now_m2
                for place in known.patch.place.values():
                    found[reason][place] += max(0.0, gain_m2)  # type: ignore[assignment]  # Counters count floats, too
        return found

    @cached_property
    def uncovered(self) -> tuple[shapely.MultiPolygon, ...]:
        """The open ground nobody sees, metres, in the order of the terrain's patches."""
        return tuple(shapely.MultiPolygon([part.outline for part in known.rest(self._missing)]) for known in self._patches)

    def covered(self, place: str) -> Shape:
        """The covered ground of a place, metres; empty if there is no such place."""
        return _united([shapely.difference(patch.open, rest) for patch, rest in self._of(place)])

    def blind(self, place: str) -> Shape:
        """The open ground of a place that is not covered, metres, down to the smallest corner."""
        return _united([rest for _, rest in self._of(place)])

    def overlap(self, place: str) -> Shape:
        """The ground of a place that two or more working cameras see, metres."""
        alone = [
            known.alone(camera, self._missing)
            for known in self._patches
            if place in known.patch.place.values()
            for camera in known.piece.keys() - self._missing
        ]
        return polygons(shapely.difference(self.covered(place), shapely.union_all(alone)))

    def alone(self, camera: str) -> Shape:
        """What only this working camera covers, metres: blind if it fails."""
        seeing = [known for known in self._patches if camera in known.piece and camera not in self._missing]
        return _united([known.alone(camera, self._missing) for known in seeing])

    def _of(self, place: str) -> list[tuple[Patch, Shape]]:
        together = zip(self._patches, self.uncovered, strict=True)
        return [(known.patch, rest) for known, rest in together if place in known.patch.place.values()]


def _united(shapes: Sequence[shapely.Geometry]) -> Shape:
    return polygons(shapely.union_all(shapes))


def _blind_spot(terrain: Terrain, patch: Patch, part: shapely.Polygon) -> BlindSpot:
    best, most = part, 0.0
    importance = part.area
    for matter, ground in patch.important.items():
        inside = polygons(shapely.intersection(part, ground))
        gain = terrain.weight(matter) * inside.area
        importance += gain
        for piece in shapely.get_parts(inside) if gain > most else ():
            if terrain.weight(matter) * piece.area > most:
                best, most = piece, terrain.weight(matter) * piece.area
    meets = shapely.intersects(np.array([feature.shape for feature in patch.features], dtype=object), part).tolist()
    touches = {_touch(feature.matter, feature.id) for feature, does in zip(patch.features, meets, strict=True) if does}
    point = shapely.get_coordinates(shapely.point_on_surface(best))[0]
    lon, lat = terrain.ground.degrees(point).tolist()
    return BlindSpot(
        grid_cell=patch.place.get(PlaceKind.GRID_CELL, ""),
        compound=patch.place.get(PlaceKind.COMPOUND, ""),
        community=patch.place.get(PlaceKind.COMMUNITY, ""),
        outline=part,
        area_m2=part.area,
        importance=importance,
        touches=tuple(sorted(touches)),
        lon=lon,
        lat=lat,
    )


def _touch(matter: Matter, name: str) -> str:
    return f"{matter}:{name}" if name else matter


def _keep(cache: dict[K, T], key: K, value: T) -> None:
    """Remember a value, forgetting the oldest of too many, but never the one for nobody missing."""
    cache[key] = value
    for old in [each for each in list(cache) if each != _NOBODY][: max(0, len(cache) - _MOST_KEPT)]:
        cache.pop(old, None)
