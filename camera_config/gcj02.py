"""GCJ-02, the shifted coordinates of Chinese web maps, to and from WGS-84.

The shift has no official description; this is the widely published approximation, whose inverse, found by iteration, is good to
centimetres. It serves to *recognise* a coordinate pasted from such a map, and to display; everything stored is WGS-84.
"""

import math

from camera_config.site import Point

__all__ = ["gcj02_from_wgs84", "wgs84_from_gcj02"]

_AXIS_M = 6378245.0  # semi-major axis of the Krasovsky 1940 ellipsoid
_ECCENTRICITY_2 = 0.00669342162296594323  # its first eccentricity, squared
_ORIGIN = (105.0, 35.0)  # of the polynomial of the shift


def gcj02_from_wgs84(lon: float, lat: float) -> Point:
    """The point as Chinese web maps show it."""
    x, y = lon - _ORIGIN[0], lat - _ORIGIN[1]
    root = math.sqrt(abs(x))
    ripple = (20 * math.sin(6 * x * math.pi) + 20 * math.sin(2 * x * math.pi)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + ripple
    east += (20 * math.sin(x * math.pi) + 40 * math.sin(x / 3 * math.pi)) * 2 / 3
    east += (150 * math.sin(x / 12 * math.pi) + 300 * math.sin(x / 30 * math.pi)) * 2 / 3
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + ripple
    north += (20 * math.sin(y * math.pi) + 40 * math.sin(y / 3 * math.pi)) * 2 / 3
    north += (160 * math.sin(y / 12 * math.pi) + 320 * math.sin(y / 30 * math.pi)) * 2 / 3
    curve = 1 - _ECCENTRICITY_2 * math.sin(math.radians(lat)) ** 2
    metres_per_lon = math.radians(_AXIS_M / math.sqrt(curve) * math.cos(math.radians(lat)))
    metres_per_lat = math.radians(_AXIS_M * (1 - _ECCENTRICITY_2) / curve**1.5)
    return lon + east / metres_per_lon, lat + north / metres_per_lat


def wgs84_from_gcj02(lon: float, lat: float) -> Point:
    """The point whose GCJ-02 coordinates are `lon`, `lat`."""
    guess = (lon, lat)
    for _ in range(4):  # each round shrinks the error a thousandfold
        seen = gcj02_from_wgs84(*guess)
        guess = (guess[0] + lon - seen[0], guess[1] + lat - seen[1])
    return guess
