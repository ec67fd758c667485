"""`ground.geojson`: walls, gates, play areas and poles; and what of it, and of buildings and cameras, cannot be."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
import shapely

from base import ConfigError
from camera_config.entry import Entry, Found, Problems, shown
from camera_config.ground import Ground
from camera_config.read_places import PlacesFile, read_features, read_line, read_outline, read_point
from camera_config.shapes import district_problem
from camera_config.site import Camera, Gate, PlaceKind, PlayArea, Pole, Wall
from camera_config.terrain import WALL_M

__all__ = ["GROUND_KEYS", "GroundFile", "GroundKind", "check_ground", "read_ground"]

_MOST_POINTS = 200_000  # of buildings, walls and play areas together: a city of 100,000 people has half as many
_NEAR_DEG = 0.01  # about 1 km: walls and play areas further from the sub-district are misplaced


class GroundKind(StrEnum):
    """What a feature of the file can be."""

    WALL = "wall"
    GATE = "gate"
    PLAY_AREA = "play_area"
    POLE = "pole"


GROUND_KEYS = {
    GroundKind.WALL: ("kind", "height_m"),
    GroundKind.GATE: ("id", "kind", "name_zh", "name_en"),
    GroundKind.PLAY_AREA: ("id", "kind", "name_zh", "name_en"),
    GroundKind.POLE: ("id", "kind", "height_m"),
}


@dataclass(frozen=True, slots=True)
class GroundFile:
    """Everything found in `ground.geojson`."""

    walls: tuple[Found[Wall], ...] = ()
    gates: tuple[Found[Gate], ...] = ()
    play_areas: tuple[Found[PlayArea], ...] = ()
    poles: tuple[Found[Pole], ...] = ()


def read_ground(path: Path, problems: Problems) -> GroundFile:
    """Read the file, noting what is wrong; a missing file means none of it."""
    if not path.exists():
        return GroundFile()
    try:
        features = read_features(path, problems) or []
    except ConfigError as error:
        problems.add_error(path, error)
        return GroundFile()
    walls: list[Found[Wall]] = []
    gates: list[Found[Gate]] = []
    play_areas: list[Found[PlayArea]] = []
    poles: list[Found[Pole]] = []
    for entry, geometry in features:
        kind = entry.choice("kind", GroundKind)
        if not entry.ok:
            continue
        entry.only(GROUND_KEYS[kind])
        if kind is GroundKind.WALL:
            walls.append(_wall(entry, geometry))
        elif kind is GroundKind.GATE:
            gate = Gate(entry.id(), entry.name(), *read_point(entry, geometry))
            gates.append(Found(entry, gate.id, gate if entry.ok else None))
        elif kind is GroundKind.PLAY_AREA:
            area = PlayArea(entry.id(), entry.name(), read_outline(entry, geometry))
            play_areas.append(Found(entry, area.id, area if entry.ok else None))
        else:
            pole = Pole(entry.id(), *read_point(entry, geometry), entry.number("height_m", 0.5, 300))
            poles.append(Found(entry, pole.id, pole if entry.ok else None))
    return GroundFile(tuple(walls), tuple(gates), tuple(play_areas), tuple(poles))


def _wall(entry: Entry, geometry: object) -> Found[Wall]:
    line = read_line(entry, geometry)
    height_m = None if entry.value("height_m") is None else entry.number("height_m", 0.1, 300)
    return Found(entry, "", Wall(line, height_m) if entry.ok else None)


def check_ground(ground: GroundFile, places: PlacesFile, cameras: Sequence[Found[Camera]]) -> None:
    """Note what lies outside of the sub-district, is there twice or too large, and cameras inside of buildings."""
    for group in (ground.gates, ground.play_areas, ground.poles):
        seen: set[str] = set()
        for found in group:
            if found.id and found.id in seen:
                found.entry.refuse("id", f"expected each id once, got {shown(found.id)} again")
            seen.add(found.id)
    _check_size(ground, places)
    districts = [found.value.outline for found in places.places if found.value and found.value.kind is PlaceKind.SUB_DISTRICT]
    if districts:
        _check_positions(ground, shapely.Polygon(districts[0]))
    _check_cameras(places, cameras)


def _check_size(ground: GroundFile, places: PlacesFile) -> None:
    """Too many points are refused where their number is first exceeded."""
    points = 0
    for entry, count in _sizes(ground, places):
        if points <= _MOST_POINTS < points + count:
            entry.refuse(
                "geometry", f"expected buildings, walls and play areas of at most {_MOST_POINTS} points together, got more"
            )
        points += count


def _sizes(ground: GroundFile, places: PlacesFile) -> Iterator[tuple[Entry, int]]:
    for place in places.places:
        if place.value and place.value.kind is PlaceKind.BUILDING:
            yield place.entry, len(place.value.outline)
    yield from ((wall.entry, len(wall.value.line)) for wall in ground.walls if wall.value)
    yield from ((area.entry, len(area.value.outline)) for area in ground.play_areas if area.value)


def _check_positions(ground: GroundFile, district: shapely.Polygon) -> None:
    shapely.prepare(district)
    points = [(gate.entry, gate.value.lon, gate.value.lat) for gate in ground.gates if gate.value]
    for entry, lon, lat in [*points, *((pole.entry, pole.value.lon, pole.value.lat) for pole in ground.poles if pole.value)]:
        if problem := district_problem(district, lon, lat):
            entry.refuse("geometry", problem)
    reach = district.buffer(_NEAR_DEG)
    shapely.prepare(reach)
    lines = [(wall.entry, wall.value.line) for wall in ground.walls if wall.value]
    for entry, line in [*lines, *((area.entry, area.value.outline) for area in ground.play_areas if area.value)]:
        points_there = np.array(line)
        outside = points_there[~shapely.intersects_xy(reach, points_there)]
        if len(outside):
            entry.refuse("geometry", district_problem(district, *outside[0].tolist()))


def _check_cameras(places: PlacesFile, cameras: Sequence[Found[Camera]]) -> None:
    """A camera further inside a building than a map is wrong sees nothing of the ground; where it is meant to hang is unknown."""
    buildings = [found.value for found in places.places if found.value and found.value.kind is PlaceKind.BUILDING]
    hung = [(found.entry, found.value) for found in cameras if found.value]
    if not buildings or not hung:
        return
    ground = Ground(buildings[0].outline[0])
    shapes = [ground.plan(shapely.Polygon(building.outline)) for building in buildings]
    points = [shapely.Point(x, y) for x, y in ground.metres(np.array([(camera.lon, camera.lat) for _, camera in hung]))]
    for at, index in shapely.STRtree(shapes).query(points, predicate="within").T.tolist():
        depth_m = float(shapely.distance(shapes[index].boundary, points[at]))
        if depth_m > WALL_M:
            entry, camera = hung[at]
            expected = f"expected a place outside of buildings, or at most {WALL_M:g} m inside of one, on its wall"
            found = f"got {camera.lon}, {camera.lat}, {depth_m:.1f} m inside of {buildings[index].id}"
            entry.refuse("lon", f"{expected}; {found}")
