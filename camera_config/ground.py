"""Metres on the ground in place of degrees, for everything that measures areas and distances."""

import math

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from camera_config.site import Point, Site

__all__ = ["Ground", "ground_of"]

Floats = NDArray[np.float64]

_AXIS_M = 6_378_137.0  # semi-major axis of the WGS-84 ellipsoid
_ECCENTRICITY_2 = 6.694379990141e-3  # its first eccentricity, squared


class Ground:
    """A flat map of a few kilometres around `middle` (longitude, latitude): x metres east, y metres north of it.

    Scaled by the two radii of curvature of WGS-84 at the middle, so that 5 km away a metre is wrong by less than a millimetre.
    Immutable.
    """

    def __init__(self, middle: Point) -> None:
        lon, lat = middle
        curve = 1 - _ECCENTRICITY_2 * math.sin(math.radians(lat)) ** 2
        east_m = math.radians(1) * _AXIS_M / math.sqrt(curve) * math.cos(math.radians(lat))
        north_m = math.radians(1) * _AXIS_M * (1 - _ECCENTRICITY_2) / curve**1.5
        self._middle, self._scale = np.array([lon, lat]), np.array([east_m, north_m])

    def metres(self, lonlat: Floats) -> Floats:
        """Degrees (…, 2) as metres (…, 2)."""
        flat: Floats = (lonlat - self._middle) * self._scale
        return flat

    def degrees(self, metres: Floats) -> Floats:
        """Metres (…, 2) as degrees (…, 2)."""
        lonlat: Floats = metres / self._scale + self._middle
        return lonlat

    def plan(self, shape: BaseGeometry) -> BaseGeometry:
        """A shape in degrees as one in metres."""
        flat: BaseGeometry = shapely.transform(shape, self.metres)
        return flat

    def lonlat(self, shape: BaseGeometry) -> BaseGeometry:
        """A shape in metres as one in degrees WGS-84."""
        round_earth: BaseGeometry = shapely.transform(shape, self.degrees)
        return round_earth


def ground_of(site: Site) -> Ground:
    """The ground of a site, around the middle of everything it has."""
    points = np.array([point for place in site.places for point in place.outline] or [(0.0, 0.0)])
    lon, lat = (points.min(axis=0) + points.max(axis=0)) / 2
    return Ground((float(lon), float(lat)))
