"""What cameras see of the ground: which of them overlap, and which see a place best.

A picture of `w` pixels shows, at depth `z` metres along the axis of a camera of horizontal angle `hfov`, a width of
2·z·tan(hfov/2) metres, so that a metre there is w / (2·z·tan(hfov/2)) pixels wide (IEC 62676-4:2014).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import shapely

from base import Box
from camera_config.site import Camera, Point, Site
from patrol.travel import EARTH_RADIUS_M

__all__ = ["RELATED_MOST", "RelatedCamera", "Views", "ground_point", "pixels_per_metre"]

RELATED_MOST = 15

MONITOR_PPM = 12.5
"""Pixels per metre below which one cannot tell whether somebody is there: band "monitor" of IEC 62676-4."""

ASSUMED_WIDTH_PX = 640
"""Of a camera that has not sent a picture yet: the analysed streams this is made for."""

ASPECT = 9 / 16
TARGET_M = 1.0
"""Height of what is looked at: the middle of a person."""

OVERLAP_SHARE = 0.25
"""Share of the smaller view that two cameras must both see, to be taken for looking at the same thing."""

_ARC = 8  # chords of a view's far edge


@dataclass(frozen=True, slots=True)
class RelatedCamera:
    """A camera that sees a place: how large a metre is there, and how far away it is."""

    camera: str
    pixels_per_metre: float
    distance_m: float


class Views:
    """The views of one site's cameras on flat ground, computed once for as long as the cameras are the same. Any thread.

    Walls and trees are not known: a camera is only taken to overlap another one of the same compound.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._known = site.cameras, _overlapping([camera for camera in site.cameras if camera.enabled])

    def overlapping(self, camera: str) -> frozenset[str]:
        """The other cameras that see the same ground; empty for an unknown camera."""
        cameras, overlapping = self._known
        if cameras is not self._site.cameras:  # the site has changed
            cameras = self._site.cameras
            overlapping = _overlapping([each for each in cameras if each.enabled])
            self._known = cameras, overlapping
        return overlapping.get(camera, frozenset())

    def related(self, place: Point, width_px: Mapping[str, int]) -> tuple[RelatedCamera, ...]:
        """At most RELATED_MOST cameras that see `place`, the one with most pixels per metre first.

        `width_px` is the width of each camera's picture; where it is missing or 0, ASSUMED_WIDTH_PX counts.
        """
        found = []
        for camera in self._site.cameras:
            width = width_px.get(camera.id) or ASSUMED_WIDTH_PX
            density = pixels_per_metre(camera, place, width) if camera.enabled else 0.0
            if density >= MONITOR_PPM:
                found.append(RelatedCamera(camera.id, density, math.hypot(*_offset_m(camera, place))))
        return tuple(sorted(found, key=lambda each: (-each.pixels_per_metre, each.camera))[:RELATED_MOST])


def pixels_per_metre(camera: Camera, place: Point, width_px: int) -> float:
    """How many pixels wide a metre at `place` is, one metre above flat ground; 0 where the camera does not look.

    Depth along the axis is z = d·cos(tilt)·cos(turn) + (height - 1)·sin(tilt), with d the distance on the ground and turn the
    angle between the camera's azimuth and the place. The picture is taken to be 16:9.
    """
    east_m, north_m = _offset_m(camera, place)
    d_m, drop_m = math.hypot(east_m, north_m), max(0.0, camera.height_m - TARGET_M)
    turn = math.radians((math.degrees(math.atan2(east_m, north_m)) - camera.azimuth_deg + 180) % 360 - 180)
    tilt, half = math.radians(camera.tilt_deg), math.tan(math.radians(min(camera.hfov_deg, 170.0)) / 2)
    # The place in the camera's own axes: right, up, and along the axis.
    forward_m = d_m * math.cos(turn)
    z_m = forward_m * math.cos(tilt) + drop_m * math.sin(tilt)
    up_m = forward_m * math.sin(tilt) - drop_m * math.cos(tilt)
    if z_m <= 0 or abs(d_m * math.sin(turn)) > z_m * half or abs(up_m) > z_m * half * ASPECT:
        return 0.0
    return width_px / (2 * z_m * half)


def ground_point(camera: Camera, box: Box) -> Point:
    """Where on flat ground the foot of a box in the picture stands; the camera's own place if it is above the horizon."""
    left, _, right, bottom = box
    half = math.tan(math.radians(min(camera.hfov_deg, 170.0)) / 2)
    x, y = ((left + right) - 1) * half, (2 * bottom - 1) * half * ASPECT  # at depth 1: to the right, downwards
    tilt, azimuth = math.radians(camera.tilt_deg), math.radians(camera.azimuth_deg)
    down, forward = math.sin(tilt) + y * math.cos(tilt), math.cos(tilt) - y * math.sin(tilt)
    if down <= 0.01:
        return camera.lon, camera.lat
    scale_m = camera.height_m / down
    forward_m, right_m = forward * scale_m, x * scale_m
    east_m = forward_m * math.sin(azimuth) + right_m * math.cos(azimuth)
    north_m = forward_m * math.cos(azimuth) - right_m * math.sin(azimuth)
    metre_deg = math.degrees(1 / EARTH_RADIUS_M)
    return camera.lon + east_m * metre_deg / math.cos(math.radians(camera.lat)), camera.lat + north_m * metre_deg


def _offset_m(camera: Camera, place: Point) -> tuple[float, float]:
    """How far east and north of the camera a place is; flat, exact to a centimetre at the range of a camera."""
    east = math.radians(place[0] - camera.lon) * math.cos(math.radians(camera.lat))
    return east * EARTH_RADIUS_M, math.radians(place[1] - camera.lat) * EARTH_RADIUS_M


def _overlapping(cameras: list[Camera]) -> Mapping[str, frozenset[str]]:
    origin = (cameras[0].lon, cameras[0].lat) if cameras else (0.0, 0.0)
    views = [_view(camera, origin) for camera in cameras]
    tree = shapely.STRtree(views)
    pairs = tree.query(views, predicate="intersects").T.tolist() if views else []
    overlapping: dict[str, set[str]] = {camera.id: set() for camera in cameras}
    for one, other in pairs:
        same = cameras[one].compound == cameras[other].compound
        if one != other and same and _share(views[one], views[other]) >= OVERLAP_SHARE:
            overlapping[cameras[one].id].add(cameras[other].id)
    return {camera: frozenset(others) for camera, others in overlapping.items()}


def _share(one: shapely.Polygon, other: shapely.Polygon) -> float:
    shared: float = one.intersection(other).area
    return shared / min(one.area, other.area)


def _view(camera: Camera, origin: Point) -> shapely.Polygon:
    """The ground that a camera sees well enough, as a wedge in metres east and north of `origin`."""
    angle_deg = min(camera.hfov_deg, 170.0)
    range_m = ASSUMED_WIDTH_PX / (2 * MONITOR_PPM * math.tan(math.radians(angle_deg) / 2))
    east = math.radians(camera.lon - origin[0]) * math.cos(math.radians(origin[1])) * EARTH_RADIUS_M
    north = math.radians(camera.lat - origin[1]) * EARTH_RADIUS_M
    edge = []
    for step in range(_ARC + 1):
        azimuth = math.radians(camera.azimuth_deg - angle_deg / 2 + angle_deg * step / _ARC)
        edge.append((east + range_m * math.sin(azimuth), north + range_m * math.cos(azimuth)))
    return shapely.Polygon([(east, north), *edge])
