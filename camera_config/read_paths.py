"""`paths.geojson`: the ways one can walk or drive, as lines."""

from pathlib import Path

from base import ConfigError
from camera_config.entry import Entry, Found, Problems
from camera_config.read_places import read_features, read_line
from camera_config.site import TravelMode, Way

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
    mode, line = entry.choice("mode", TravelMode), read_line(entry, geometry)
    return Found(entry, "", Way(mode, line) if entry.ok else None)
