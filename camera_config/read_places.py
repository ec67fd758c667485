"""`places.geojson`: the sub-district and everything in it as polygons, checkpoints as points."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, partial
from pathlib import Path
from typing import Never

from base import ConfigError
from base.settings import read_text
from camera_config.entry import Entry, Found, Problems, shown
from camera_config.shapes import ring_problem
from camera_config.site import Checkpoint, CompoundKind, Place, PlaceKind, Point

__all__ = [
    "CHECKPOINT_KEYS",
    "PLACE_KEYS",
    "WORLD",
    "FeatureKind",
    "PlacesFile",
    "read_features",
    "read_line",
    "read_outline",
    "read_places",
    "read_point",
]

PLACE_KEYS = ("id", "kind", "name_zh", "name_en", "parent", "compound_kind", "responsible", "households")
CHECKPOINT_KEYS = ("id", "kind", "name_zh", "name_en", "grid_cell", "key_node")

_COLLECTION_KEYS = ("type", "name", "crs", "bbox", "features")
_FEATURE_KEYS = ("type", "id", "bbox", "properties", "geometry")
_WGS84 = ("CRS84", "EPSG::4326", "EPSG:4326")
WORLD: tuple[Point, Point] = ((-180.0, -90.0), (180.0, 90.0))
_ID = re.compile(r'"id"\s*:\s*"((?:[^"\\]|\\.)*)"')
_FEATURE = re.compile(r'"type"\s*:\s*"Feature"')


class FeatureKind(StrEnum):
    """What a feature of the file can be: the kinds of place, and checkpoint."""

    SUB_DISTRICT = "sub_district"
    COMMUNITY = "community"
    COMPOUND = "compound"
    GRID_CELL = "grid_cell"
    BUILDING = "building"
    CHECKPOINT = "checkpoint"


@dataclass(frozen=True, slots=True)
class PlacesFile:
    """Everything found in `places.geojson`; `readable` is false if the file as a whole is broken."""

    places: tuple[Found[Place], ...] = ()
    checkpoints: tuple[Found[Checkpoint], ...] = ()
    readable: bool = False


def read_places(path: Path, problems: Problems) -> PlacesFile:
    """Read the file, noting what is wrong."""
    try:
        features = read_features(path, problems)
    except ConfigError as error:
        problems.add_error(path, error)
        return PlacesFile()
    if features is None:
        return PlacesFile()
    places: list[Found[Place]] = []
    checkpoints: list[Found[Checkpoint]] = []
    for entry, geometry in features:
        kind = entry.choice("kind", FeatureKind)
        if kind is FeatureKind.CHECKPOINT:
            checkpoints.append(_checkpoint(entry, geometry))
        elif entry.ok:
            places.append(_place(entry, PlaceKind(kind), geometry))
        else:
            places.append(Found(entry, entry.id(), None))  # a place all the same, so that nobody is told it does not exist
    return PlacesFile(tuple(places), tuple(checkpoints), True)


def read_features(path: Path, problems: Problems) -> list[tuple[Entry, object]] | None:
    """The properties and the geometry of each feature of a GeoJSON file in WGS-84; None if it is no such file, which is noted.

    Raises ConfigError if it cannot be read at all.
    """
    text = read_text(path)
    data = _parse(path, text)
    lines = _Lines(text)
    top = Entry(problems, path, data, lines.of_key)
    top.only(_COLLECTION_KEYS)
    features = data.get("features")
    if data.get("type") != "FeatureCollection" or not isinstance(features, list):
        top.refuse("type", f"expected a FeatureCollection with a list 'features', got {shown(data.get('type'))}")
        return None
    if data.get("crs") is not None and not any(name in str(data["crs"]) for name in _WGS84):
        top.refuse("crs", f"expected longitude and latitude in WGS-84 (EPSG:4326), got {shown(data['crs'])}")
        return None
    return list(_features(path, features, lines, problems))


def _features(path: Path, features: Sequence[object], lines: "_Lines", problems: Problems) -> Iterator[tuple[Entry, object]]:
    """The properties of each feature, and its geometry."""
    times_seen: Counter[str] = Counter()
    for number, feature in enumerate(features):
        properties = feature.get("properties") if isinstance(feature, dict) else None
        if not isinstance(feature, dict) or not isinstance(properties, dict) or feature.get("type") != "Feature":
            expected = f"features[{number}]: expected a Feature with properties and a geometry, got {shown(feature)}"
            problems.add(path, partial(lines.of_feature, number), expected)
            continue
        given = properties.get("id")
        feature_id = given if isinstance(given, str) else ""
        line_of = partial(lines.of_property, number, feature_id, times_seen[feature_id])
        times_seen[feature_id] += 1
        entry = Entry(problems, path, properties, line_of, f"{shown(feature_id)[1:-1]}: " if feature_id else "")
        Entry(problems, path, feature, line_of, entry.prefix).only(_FEATURE_KEYS)
        yield entry, feature.get("geometry")


def _place(entry: Entry, kind: PlaceKind, geometry: object) -> Found[Place]:
    entry.only(PLACE_KEYS)
    place_id = entry.id()
    for key, where in (
        ("compound_kind", PlaceKind.COMPOUND),
        ("responsible", PlaceKind.GRID_CELL),
        ("households", PlaceKind.GRID_CELL),
    ):
        if kind is not where and entry.value(key) is not None:
            entry.refuse(key, f"expected only on a {where}, this is a {kind}")
    if kind is PlaceKind.SUB_DISTRICT and entry.value("parent") not in (None, ""):
        entry.refuse("parent", "expected none: a sub_district is the top")
    place = Place(
        id=place_id,
        kind=kind,
        name=entry.name(),
        parent="" if kind is PlaceKind.SUB_DISTRICT else entry.id("parent"),
        outline=read_outline(entry, geometry),
        compound_kind=entry.choice("compound_kind", CompoundKind) if kind is PlaceKind.COMPOUND else None,
        responsible=entry.text("responsible", "", 200),
        households=entry.whole("households", 0, 100_000, 0) if entry.value("households") is not None else None,
    )
    return Found(entry, place_id, place if entry.ok else None)


def _checkpoint(entry: Entry, geometry: object) -> Found[Checkpoint]:
    entry.only(CHECKPOINT_KEYS)
    checkpoint_id = entry.id()
    lon, lat = read_point(entry, geometry)
    checkpoint = Checkpoint(checkpoint_id, entry.name(), entry.id("grid_cell"), lon, lat, entry.truth("key_node", False))
    return Found(entry, checkpoint_id, checkpoint if entry.ok else None)


def read_outline(entry: Entry, geometry: object) -> tuple[Point, ...]:
    """The outer ring of a Polygon, or of a MultiPolygon that holds only one, as drawing programs like to write."""
    kind, coordinates = _geometry(geometry)
    if kind == "MultiPolygon" and isinstance(coordinates, list) and len(coordinates) == 1:
        kind, coordinates = "Polygon", coordinates[0]
    if kind != "Polygon" or not isinstance(coordinates, list) or not coordinates:
        entry.refuse("geometry", f"expected one Polygon, got {shown(kind)} with {shown(coordinates)}")
        return ()
    if len(coordinates) > 1:
        entry.refuse("geometry", f"expected an outline without holes, got {len(coordinates) - 1} holes")
        return ()
    ring = entry.points("geometry", coordinates[0], *WORLD)
    if ring and (problem := ring_problem(ring)):
        entry.refuse("geometry", problem)
    return ring


def read_line(entry: Entry, geometry: object) -> tuple[Point, ...]:
    """The points of a LineString; () with what is wrong noted."""
    kind, coordinates = _geometry(geometry)
    if kind != "LineString":
        entry.refuse("geometry", f"expected a LineString, got {shown(kind)}")
        return ()
    line = entry.points("geometry", coordinates, *WORLD)
    if entry.ok and len(set(line)) < 2:
        entry.refuse("geometry", f"expected a line of at least two different points, got {shown(coordinates)}")
    return line


def read_point(entry: Entry, geometry: object) -> Point:
    """The coordinates of a Point; with what is wrong noted, any."""
    kind, coordinates = _geometry(geometry)
    if kind != "Point":
        entry.refuse("geometry", f"expected a Point, got {shown(kind)}")
        return WORLD[0]
    points = entry.points("geometry", [coordinates], *WORLD)
    return points[0] if points else WORLD[0]


def _geometry(geometry: object) -> tuple[object, object]:
    return (geometry.get("type"), geometry.get("coordinates")) if isinstance(geometry, dict) else (geometry, None)


def _parse(path: Path, text: str) -> Mapping[str, object]:
    def refuse_constant(name: str) -> Never:
        found = re.search(rf"(?:^|[\s\[:,]){name}\b", text)
        line = text.count("\n", 0, found.end()) + 1 if found else 1
        raise ConfigError(f"{path}:{line}: expected numbers, found {name}, which is not valid JSON")

    try:
        data = json.loads(text, parse_constant=refuse_constant)
    except json.JSONDecodeError as error:
        raise ConfigError(f"{path}:{error.lineno}: not valid JSON: {error.msg} at column {error.colno}") from None
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else "a number with too many digits"
        raise ConfigError(f"{path}: not valid JSON: {reason}") from None
    if not isinstance(data, dict):
        raise ConfigError(f"{path}:1: expected a GeoJSON FeatureCollection, got {shown(data)}")
    return data


class _Lines:
    """Where things stand in the text of a GeoJSON file; indexed only once something is wrong."""

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def _ids(self) -> dict[str, list[int]]:
        places: dict[str, list[int]] = defaultdict(list)
        for found in _ID.finditer(self._text):
            places[found[1]].append(found.start())
        return places

    @cached_property
    def _features(self) -> list[int]:
        return [found.start() for found in _FEATURE.finditer(self._text)]

    def of_key(self, key: str) -> int:
        """The line of a key of the collection itself."""
        found = re.search(rf'"{re.escape(key)}"\s*:', self._text)
        return self._line(found.start() if found else 0)

    def of_feature(self, number: int, feature_id: str = "", times_seen: int = 0) -> int:
        """The line of a feature's id, which had been there `times_seen` times before; without id, of the feature itself."""
        starts, which = (self._ids[feature_id], times_seen) if self._ids.get(feature_id) else (self._features, number)
        return self._line(starts[min(which, len(starts) - 1)] if starts else 0)

    def of_property(self, number: int, feature_id: str, times_seen: int, _key: str) -> int:
        """The properties of a feature are all said to stand where its id does."""
        return self.of_feature(number, feature_id, times_seen)

    def _line(self, offset: int) -> int:
        return self._text.count("\n", 0, offset) + 1
