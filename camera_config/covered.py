"""What is covered while some cameras do not work: figures by place, blind spots, what each cause costs."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

import shapely

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


@dataclass(frozen=True, slots=True)
class _Rest:
    """What of a patch some cameras do not see, in pieces, and how much they do see of it and of its important ground."""

    parts: tuple[shapely.Polygon, ...]
    covered_m2: float
    important_m2: float


@dataclass(slots=True)
class PatchCoverage:
    """What the cameras see of one patch, each, and what they leave; the latter is kept by who is missing.

    What one camera more or less changes is found from its own piece alone; only where many are missing all are united anew.
    """

    patch: Patch
    piece: Mapping[str, Shape]
    _rest: dict[frozenset[str], _Rest] = field(default_factory=dict)
    _spot: dict[shapely.Polygon, BlindSpot] = field(default_factory=dict)

    def without(self, camera: str) -> "PatchCoverage":
        """As this, without a camera."""
        kept = {_NOBODY: self.rest(frozenset({camera}))} if _NOBODY in self._rest else {}
        return PatchCoverage(self.patch, {name: piece for name, piece in self.piece.items() if name != camera}, kept, self._spot)

    def with_piece(self, camera: str, piece: Shape) -> "PatchCoverage":
        """As this, with one more camera."""
        known = self._rest.get(_NOBODY)
        kept = {} if known is None else {_NOBODY: self._covered_by(known, piece)}
        return PatchCoverage(self.patch, {**self.piece, camera: piece}, kept, self._spot)

    def rest(self, lost: frozenset[str]) -> _Rest:
        """What those leave that are not in `lost`."""
        missing = frozenset(lost & self.piece.keys())
        known = self._rest.get(missing)
        if known is None:
            whole = self._rest.get(_NOBODY)
            if whole is None or len(missing) > _FEW:
                shape = shapely.union_all([piece for name, piece in self.piece.items() if name not in missing])
                known = self._of(polygon_parts(shapely.difference(self.patch.open, shape, grid_size=_CLEAN_M)))
            else:
                known, gone = whole, set[str]()
                for camera in sorted(missing):
                    gone.add(camera)
                    known = self._uncovered(known, self.alone(camera, gone))
            _keep(self._rest, missing, known)
        return known

    def alone(self, camera: str, missing: Set[str]) -> Shape:
        """What a camera sees that none of the others does, but for those missing."""
        own = self.piece[camera]
        for name, piece in self.piece.items():
            if name != camera and name not in missing and not own.is_empty and piece.intersects(own):
                own = polygons(shapely.difference(own, piece))
        return own

    def blind(self, lost: frozenset[str], terrain: Terrain) -> Iterator[BlindSpot]:
        """The blind spots while those in `lost` do not work, in no order."""
        for part in self.rest(lost).parts:
            if part.area >= terrain.rules.blind_min_m2:
                if part not in self._spot:
                    _keep(self._spot, part, _blind_spot(terrain, self.patch, part))
                yield self._spot[part]

    def _uncovered(self, rest: _Rest, shape: Shape) -> _Rest:
        """As `rest`, with some ground more."""
        if shape.is_empty:
            return rest
        near = shapely.dwithin(list(rest.parts), shape, _CLEAN_M) if rest.parts else ()
        touched = [part for part, is_near in zip(rest.parts, near, strict=True) if is_near]
        others = [part for part, is_near in zip(rest.parts, near, strict=True) if not is_near]
        return self._of((*others, *polygon_parts(shapely.union_all([*touched, shape], grid_size=_CLEAN_M))))

    def _covered_by(self, rest: _Rest, piece: Shape) -> _Rest:
        """As `rest`, less what a camera sees."""
        shapely.prepare(piece)
        parts = []
        for part in rest.parts:
            parts += polygon_parts(shapely.difference(part, piece, grid_size=_CLEAN_M)) if piece.intersects(part) else [part]
        return self._of(parts)

    def _of(self, parts: Iterable[shapely.Polygon]) -> _Rest:
        known = tuple(parts)
        ground_m2, important_m2 = self.patch.ground_m2, self.patch.important_m2
        if known:
            ground_m2 -= float(shapely.area(known).sum())
            if self.patch.important:
                important_m2 -= float(shapely.area(shapely.intersection(known, self.patch.matters)).sum())
        return _Rest(known, max(0.0, ground_m2), max(0.0, important_m2))


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
        found = dict.fromkeys(self._terrain.above, Figure())
        for known in self._patches:
            figure = _figure(known.patch, known.rest(self._missing))
            for place in known.patch.place.values():
                found[place] += figure
        hung = Counter(
            place
            for camera in self._cameras.values()
            if camera.id not in self.lost
            for place in {*self._terrain.above.get(camera.compound, ()), *self._terrain.above.get(camera.grid_cell, ())}
        )
        return {place: figure + Figure(cameras=hung[place]) for place, figure in found.items()}

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
            now_m2 = known.rest(self._missing).covered_m2
            for reason in {self.lost[camera] for camera in self._missing & known.piece.keys()}:
                rest = frozenset(camera for camera in self._missing if self.lost[camera] != reason)
                gain_m2 = known.rest(rest).covered_m2 - now_m2
                for place in known.patch.place.values():
                    found[reason][place] += max(0.0, gain_m2)  # type: ignore[assignment]  # Counters count floats, too
        return found

    @cached_property
    def uncovered(self) -> tuple[shapely.MultiPolygon, ...]:
        """The open ground nobody sees, metres, in the order of the terrain's patches."""
        return tuple(shapely.MultiPolygon(known.rest(self._missing).parts) for known in self._patches)

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


def _figure(patch: Patch, rest: _Rest) -> Figure:
    return Figure(patch.ground_m2, rest.covered_m2, patch.important_m2, rest.important_m2)


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
    touches = {_touch(feature.matter, feature.id) for feature in patch.features if feature.shape.intersects(part)}
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
