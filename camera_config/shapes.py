"""Outlines of places: is a ring a proper polygon, does a point lie inside. Degrees count as plain numbers."""

import math
from collections.abc import Sequence

import shapely
from shapely.geometry import Polygon

from camera_config.gcj02 import wgs84_from_gcj02
from camera_config.site import Point

__all__ = ["district_problem", "gcj02_hint", "ring_problem"]

_NEAR_DEG = 1e-6  # 0.1 m: a camera drawn on the border counts as inside


def ring_problem(ring: Sequence[Point]) -> str:
    """What is wrong with a closed ring (first point = last), empty if nothing."""
    if len(ring) < 4:
        return f"expected an outline of at least 3 different points and the first again at the end, got {len(ring)} in all"
    if ring[0] != ring[-1]:
        return f"expected a closed outline (last point = first point {list(ring[0])}), got {list(ring[-1])} at the end"
    polygon = Polygon(ring)
    if not polygon.is_valid:
        where = shapely.is_valid_reason(polygon)
        return f"expected an outline that does not cross or touch itself, found: {where}"
    if polygon.area <= 0 or not math.isfinite(polygon.area):
        return "expected an outline with an area, got an empty one"
    return ""


def district_problem(district: Polygon, lon: float, lat: float) -> str:
    """Why a point cannot belong to the district, empty if it lies inside or on its border."""
    if shapely.intersects_xy(district, lon, lat) or district.distance(shapely.Point(lon, lat)) <= _NEAR_DEG:
        return ""
    west, south, east, north = district.bounds
    outside = f"expected a point inside the sub-district ({west:.5f} to {east:.5f}, {south:.5f} to {north:.5f}), got {lon}, {lat}"
    if shapely.intersects_xy(district, lat, lon):
        return f"{outside}; longitude and latitude look swapped"
    shifted = wgs84_from_gcj02(lon, lat)
    if shapely.intersects_xy(district, *shifted):
        return f"{outside}; {gcj02_hint(*shifted)}"
    return outside


def gcj02_hint(lon: float, lat: float) -> str:
    """A sentence for a coordinate that makes sense only as GCJ-02; `lon`, `lat` are what it would be in WGS-84."""
    return f"if it is GCJ-02, copied from a Chinese web map, it is {lon:.6f}, {lat:.6f} in WGS-84"
