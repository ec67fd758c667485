"""`paths.geojson`: the ways one can walk or drive, as lines."""

from pathlib import Path

from base import ConfigError
from camera_config.entry import Entry, Found, Problems, shown
from camera_config.read_places import WORLD, read_features
from camera_config.site import Point, TravelMode, Way

__all__ = ["WAY_KEYS", "read_paths"]

WAY_KEYS = ("mode",)


def read_paths(path: Path, problems: Problems) -> tuple[Found[Way], ...]:
    """Read the file, noting what is wrong; a missing file means no ways."""
    if not path.exists():
        return ()
    try:
        features = read_features(path, problems)
    except ConfigError as error:
        problems.add_error(path, error)
        return ()
    return tuple(_way(entry, geometry) for entry, geometry in features or ())


def _way(entry: Entry, geometry: object) -> Found[Way]:
    entry.only(WAY_KEYS)
    mode, line = entry.choice("mode", TravelMode), _line(entry, geometry)
    return Found(entry, "", Way(mode, line) if entry.ok else None)


def _line(entry: Entry, geometry: object) -> tuple[Point, ...]:
    kind, coordinates = (geometry.get("type"), geometry.get("coordinates")) if isinstance(geometry, dict) else (None, None)
    if kind != "LineString":
        entry.refuse("geometry", f"expected a LineString, got {shown(kind)}")
        return ()
    line = entry.points("geometry", coordinates, *WORLD)
    if entry.ok and len(set(line)) < 2:
        entry.refuse("geometry", f"expected a line of at least two different points, got {shown(coordinates)}")
    return line
