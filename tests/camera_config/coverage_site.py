"""Small sites for the coverage tests: a square district of 400 m, houses where the test wants them."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from camera_config import Camera, CompoundKind, Name, Place, PlaceKind, Point, Site
from camera_config.ground import Ground

__all__ = ["GROUND", "ORIGIN", "camera_at", "lonlat", "place", "site_with"]

ORIGIN: Point = (121.9, 30.6)
GROUND = Ground(ORIGIN)

Corners = Sequence[tuple[float, float]]


def lonlat(x: float, y: float) -> Point:
    """Metres east and north of the middle as degrees."""
    lon, lat = GROUND.degrees(np.array([x, y])).tolist()
    return lon, lat


def place(name: str, kind: PlaceKind, parent: str, corners: Corners) -> Place:
    ring = tuple(lonlat(x, y) for x, y in (*corners, corners[0]))
    compound = CompoundKind.RESIDENTIAL if kind is PlaceKind.COMPOUND else None
    return Place(name, kind, Name(name, name), parent, ring, compound)


def square(west: float, south: float, east: float, north: float) -> Corners:
    return ((west, south), (east, south), (east, north), (west, north))


def camera_at(name: str, x: float, y: float, azimuth_deg: float = 0.0, **changes: object) -> Camera:
    """A camera 1 m up, where it sees from its own foot on, level, 90° wide: it shows 25 pixels per metre 38.4 m ahead."""
    lon, lat = lonlat(x, y)
    camera = Camera(name, Name(name, name), "yard", "cell-1", lon, lat, 1.0, azimuth_deg, 0.0, 90.0, "rtsp://10.0.0.1/sub")
    return replace(camera, **changes)  # type: ignore[arg-type]  # named in the tests


def site_with(cameras: Iterable[Camera], houses: Iterable[Corners] = (), **changes: object) -> Site:
    """A district with one community, one compound `yard` of 200 m and in it the cells `cell-1` (west) and `cell-2` (east)."""
    places = [
        place("top", PlaceKind.SUB_DISTRICT, "", square(-200, -200, 200, 200)),
        place("west", PlaceKind.COMMUNITY, "top", square(-200, -200, 200, 200)),
        place("yard", PlaceKind.COMPOUND, "west", square(-100, -100, 100, 100)),
        place("cell-1", PlaceKind.GRID_CELL, "yard", square(-100, -100, 0, 100)),
        place("cell-2", PlaceKind.GRID_CELL, "yard", square(0, -100, 100, 100)),
        *(place(f"house-{number}", PlaceKind.BUILDING, "yard", corners) for number, corners in enumerate(houses, 1)),
    ]
    site = Site(Path(), "small", Name("小", "Small"), "UTC", tuple(cameras), tuple(places), (), (), ())
    return replace(site, **changes)  # type: ignore[arg-type]  # named in the tests
