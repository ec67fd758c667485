"""The ground of a site in metres: what blocks the view, which ground is open, whose it is, and which of it matters more."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from camera_config.coverage_rules import CoverageRules
from camera_config.ground import ground_of
from camera_config.site import Camera, PlaceKind, Site
from camera_config.visibility import NOTHING, Floats, Shape, shadows, visible

__all__ = ["WALL_M", "Feature", "Matter", "Patch", "Terrain", "polygon_parts", "polygons"]

GATE_RADIUS_M = 8.0
KEY_NODE_RADIUS_M = 12.0
LANE_WIDTH_M = 4.0
WALL_M = 1.0
"""How far inside a building's outline a camera may stand to be taken for hanging on its wall: the error of a good map."""

_OFF_WALL_M = 0.05  # where the lens of a camera on a wall is
_LEAST_M2 = 1.0  # smaller pieces between outlines are what drawing leaves over
_LEVELS = (PlaceKind.SUB_DISTRICT, PlaceKind.COMMUNITY, PlaceKind.COMPOUND, PlaceKind.GRID_CELL)
_Part = tuple[dict[PlaceKind, str], Shape]
Matter = str
"""A kind of important ground: `gate`, `lane`, `play_area` or `key_node`."""


@dataclass(frozen=True, slots=True)
class Feature:
    """One piece of important ground; `id` is empty for a lane."""

    matter: Matter
    id: str
    shape: Shape


@dataclass(frozen=True, slots=True)
class Patch:
    """Ground that lies in the same places on every level: the grid cell, or what is left of a compound or a community.

    `outline` includes the buildings, `open` does not; `important` is open ground by what makes it so, `matters` all of it.
    """

    place: Mapping[PlaceKind, str]
    outline: Shape
    open: Shape
    ground_m2: float
    important: Mapping[Matter, Shape]
    matters: Shape
    important_m2: float
    features: tuple[Feature, ...]


class Terrain:
    """Everything of a site that does not depend on its cameras. Immutable, safe from any thread."""

    def __init__(self, site: Site) -> None:
        self.rules: CoverageRules = site.coverage
        self.ground = ground_of(site)
        # Most touch no other, which costs nothing to unite.
        self.buildings = shapely.disjoint_subset_union_all(self._shapes(site, PlaceKind.BUILDING))
        shapely.prepare(self.buildings)
        self._built_tree = shapely.STRtree(polygon_parts(self.buildings))
        tall, low, top_m = self._walls(site)
        self._tall, self._tall_tree = tall, _tree(tall)
        self._low, self._low_tree, self._top_m = low, _tree(low), top_m
        self._features = tuple(self._find_features(site))
        near = shapely.STRtree([feature.shape for feature in self._features])
        self.patches = tuple(self._patch(place, shape, near) for place, shape in self._split(site))
        self.tree = shapely.STRtree([patch.outline for patch in self.patches])
        self.above = _above(site)
        self.compound_kind = {place.id: place.compound_kind for place in site.places if place.compound_kind is not None}

    @property
    def building_edges(self) -> Floats:
        """The straight edges of all buildings (E, 2, 2)."""
        return _edges(shapely.boundary(self.buildings))

    @property
    def edges(self) -> int:
        """How many straight edges block the view."""
        return len(self._tall) + len(self._low)

    def edges_near(self, shape: Shape) -> tuple[Floats, Floats]:
        """The edges that meet a shape (E, 2, 2), and the height of each, infinite for what nobody sees over (E,)."""
        tall, low = (tree.query(shape, predicate="intersects") for tree in (self._tall_tree, self._low_tree))
        top_m = np.concatenate([np.full(len(tall), np.inf), self._top_m[low]])
        return np.concatenate([self._tall[tall], self._low[low]]), top_m

    def weight(self, matter: Matter) -> float:
        """For how many square metres more a square metre of it counts."""
        return float(getattr(self.rules, f"{matter}_weight"))

    def importance(self, patch: Patch, shape: Shape) -> float:
        """Square metres of a shape of open ground of a patch, those that matter more weighted."""
        found = float(shapely.area(shape))
        for matter, ground in patch.important.items():
            found += self.weight(matter) * float(shapely.area(shapely.intersection(shape, ground)))
        return found

    def place_of(self, camera: Camera) -> Floats:
        """Where a camera is, in metres (2,)."""
        return self.ground.metres(np.array([camera.lon, camera.lat]))

    def seen(self, camera: Camera, footprint: Floats) -> Shape:
        """What of its `footprint` (4, 2), metres from the camera, it sees past buildings and walls; empty if it is walled in."""
        eye = self._eye(camera)
        if eye is None or not len(footprint):
            return NOTHING
        corners = footprint + self.place_of(camera)
        view, frame = shapely.Polygon(corners), shapely.convex_hull(shapely.linestrings(np.append(corners, eye[None], axis=0)))
        low = self._low_tree.query(frame, predicate="intersects")
        over = self._top_m[low] < camera.height_m
        walls = np.concatenate([self._tall[self._tall_tree.query(frame, predicate="intersects")], self._low[low[~over]]])
        star = visible(eye, shapely.get_coordinates(frame)[:-1], walls)
        sound = polygons(star if star.is_valid else shapely.make_valid(star))
        seen = polygons(shapely.intersection(sound, view))
        return polygons(shapely.difference(seen, self._shadows(camera, eye, sound))) if over.any() else seen

    def _shadows(self, camera: Camera, eye: Floats, star: Shape) -> Shape:
        """The ground hidden behind walls the camera sees over, those inside of what it sees past the high ones."""
        low = self._low_tree.query(star, predicate="intersects")
        low = low[(self._top_m[low] < camera.height_m) & (self._top_m[low] > self.rules.target_m)]
        reach = (camera.height_m - self.rules.target_m) / (camera.height_m - self._top_m[low])
        strips = np.asarray(shapely.polygons(shadows(eye, self._low[low], reach)), dtype=object)
        return shapely.union_all(strips[shapely.is_valid(strips)])  # a wall that points at the camera hides nothing

    def _eye(self, camera: Camera) -> Floats | None:
        """Where its lens is: before the wall for a camera on one; None inside a building."""
        at = self.place_of(camera)
        is_inside = bool(shapely.intersects_xy(self.buildings, *at))
        point = shapely.Point(at)
        if not len(self._tall):
            return at
        near = self._tall_tree.query_nearest(point, max_distance=WALL_M if is_inside else _OFF_WALL_M, all_matches=False)
        if not len(near):
            return None if is_inside else at
        first, second = self._tall[near[0]]
        length_m = math.dist(first, second)
        along = (second - first) / length_m
        foot = first + along * min(max(float((at - first) @ along), 0.0), length_m)
        turn, out = math.radians(camera.azimuth_deg), np.array([-along[1], along[0]]) * _OFF_WALL_M
        if out[0] * math.sin(turn) + out[1] * math.cos(turn) < 0:
            out = -out
        sides: list[Floats] = [foot + out, foot - out]  # the side it looks to first
        return next((side for side in sides if not shapely.intersects_xy(self.buildings, *side)), None)

    def _shapes(self, site: Site, kind: PlaceKind) -> list[Shape]:
        rings = [place.outline for place in site.places if place.kind is kind]
        points = self.ground.metres(np.array([point for ring in rings for point in ring]).reshape(-1, 2))
        which = np.repeat(np.arange(len(rings)), [len(ring) for ring in rings])
        lines = np.asarray(shapely.linearrings(points, indices=which), dtype=object) if rings else ()
        return [shapely.Polygon(line) for line in lines]

    def _walls(self, site: Site) -> tuple[Floats, Floats, Floats]:
        """The edges of buildings and walls (W, 2, 2): those too high to see over, the others, and the height of the others."""
        tall, low, top_m = [_edges(shapely.boundary(self.buildings))], [np.empty((0, 2, 2))], [np.empty(0)]
        by_height: dict[float | None, list[Shape]] = {}
        for wall in site.walls:
            by_height.setdefault(wall.height_m, []).append(self.ground.plan(shapely.LineString(wall.line)))
        for height_m, lines in by_height.items():
            edges = _edges(shapely.difference(shapely.union_all(lines), self.buildings))  # the union cuts them where they cross
            if height_m is None:
                tall.append(edges)
            else:
                low.append(edges)
                top_m.append(np.full(len(edges), height_m))
        return np.concatenate(tall), np.concatenate(low), np.concatenate(top_m)

    def _find_features(self, site: Site) -> Iterator[Feature]:
        for gate in site.gates:
            yield Feature("gate", gate.id, self._disc(gate.lon, gate.lat, GATE_RADIUS_M))
        for way in site.ways:
            line = self.ground.plan(shapely.LineString(way.line))
            yield Feature("lane", "", shapely.buffer(line, LANE_WIDTH_M / 2, quad_segs=2))
        for area in site.play_areas:
            yield Feature("play_area", area.id, self.ground.plan(shapely.Polygon(area.outline)))
        for point in site.checkpoints:
            if point.key_node:
                yield Feature("key_node", point.id, self._disc(point.lon, point.lat, KEY_NODE_RADIUS_M))

    def _disc(self, lon: float, lat: float, radius_m: float) -> Shape:
        return shapely.Point(self.ground.metres(np.array([lon, lat]))).buffer(radius_m)

    def _split(self, site: Site) -> list[_Part]:
        """All ground of the site, cut by the outlines of every level; of places of a level that overlap the first counts."""
        shapes = {kind: self._shapes(site, kind) for kind in _LEVELS}
        parts: list[_Part] = [({}, shapely.union_all([shape for kind in _LEVELS for shape in shapes[kind]]))]
        for kind in _LEVELS:
            ids = [place.id for place in site.places if place.kind is kind]
            tree = shapely.STRtree(shapes[kind])
            parts = [part for place, shape in parts for part in _cut(place, shape, kind, ids, shapes[kind], tree)]
        return parts

    def _patch(self, place: Mapping[PlaceKind, str], outline: Shape, tree: shapely.STRtree) -> Patch:
        built = self._built_tree.geometries[self._built_tree.query(outline, predicate="intersects")]
        ground = polygons(shapely.difference(outline, shapely.MultiPolygon(list(built))))
        near = tuple(self._features[index] for index in sorted(tree.query(ground, predicate="intersects").tolist()))
        important = {}
        for matter in dict.fromkeys(feature.matter for feature in near):
            shape = shapely.union_all([feature.shape for feature in near if feature.matter == matter])
            important[matter] = polygons(shapely.intersection(shape, ground))
        matters = shapely.union_all(list(important.values()))
        return Patch(place, outline, ground, ground.area, important, matters, matters.area, near)


def polygons(shape: shapely.Geometry) -> Shape:
    """The areas of what an operation on areas left, without the lines and points where they only touch."""
    if isinstance(shape, shapely.Polygon | shapely.MultiPolygon):
        return shape
    parts = [part for part in shapely.get_parts(shape) if isinstance(part, shapely.Polygon | shapely.MultiPolygon)]
    return shapely.union_all(parts) if parts else NOTHING


def _cut(
    place: dict[PlaceKind, str],
    shape: Shape,
    kind: PlaceKind,
    ids: Sequence[str],
    outlines: Sequence[Shape],
    tree: shapely.STRtree,
) -> Iterator[_Part]:
    """A part of the ground by the places of a level it lies in, and what lies in none."""
    for index in sorted(tree.query(shape, predicate="intersects").tolist()):
        inside = polygons(shapely.intersection(shape, outlines[index]))
        if inside.area > _LEAST_M2:
            yield {**place, kind: ids[index]}, inside
            shape = polygons(shapely.difference(shape, outlines[index]))
    if shape.area > _LEAST_M2:
        yield place, shape


def polygon_parts(shape: shapely.Geometry) -> list[shapely.Polygon]:
    """The areas of a shape, each in one piece."""
    return [part for part in shapely.get_parts(polygons(shape)) if not part.is_empty]


def _tree(edges: Floats) -> shapely.STRtree:
    return shapely.STRtree(np.asarray(shapely.linestrings(edges), dtype=object))


def _above(site: Site) -> dict[str, tuple[str, ...]]:
    """Each place down to the grid cells, with its own id and those of the places it belongs to."""
    places = {place.id: place for place in site.places if place.kind in _LEVELS}
    found = {}
    for name in places:
        chain = [name]
        while (parent := places[chain[-1]].parent) in places and parent not in chain:
            chain.append(parent)
        found[name] = tuple(chain)
    return found


def _edges(shape: Shape) -> Floats:
    """The straight edges of lines (E, 2, 2)."""
    found = [np.empty((0, 2, 2))]
    for line in shapely.get_parts(shape):
        points = shapely.get_coordinates(line)
        found.append(np.stack([points[:-1], points[1:]], axis=1))
    return np.concatenate(found)
