"""What one camera could see of flat open ground: closed-form optics, no walls."""

import math

import numpy as np
from numpy.typing import NDArray

from camera_config.coverage_rules import CoverageRules, Layer, Light, Stream
from camera_config.site import Camera, Size

__all__ = ["WIDEST_DEG", "depth_m", "footprint", "hfov_deg", "picture_px"]

WIDEST_DEG = 170.0
"""A picture without distortion cannot be wider; a wider lens counts as one of this angle."""


def hfov_deg(focal_mm: float, sensor_mm: float) -> float:
    """Horizontal field of view of a lens without distortion before a sensor of this width: 2·atan(sensor / (2·focal))."""
    return math.degrees(2 * math.atan(sensor_mm / (2 * focal_mm)))


def depth_m(hfov_deg: float, width_px: int, ppm: float) -> float:
    """How far along its axis a camera shows `ppm` pixels per metre: width / (2·ppm·tan(hfov/2)), IEC 62676-4:2014."""
    return width_px / (2 * ppm * math.tan(math.radians(min(hfov_deg, WIDEST_DEG)) / 2))


def picture_px(camera: Camera, stream: Stream) -> Size:
    """Width and height of the picture of a stream."""
    return camera.analysed_px if stream is Stream.ANALYSED else camera.recorded_px


def footprint(camera: Camera, layer: Layer, rules: CoverageRules) -> NDArray[np.float64]:
    """The ground in view, metres east and north of the camera, (4, 2): near left, near right, far right, far left; or (0, 2).

    It is where the frustum meets the plane `rules.target_m` above the ground, as far as the pixels per metre of the layer's band
    reach, and the day or night range along the axis. At `f` metres ahead the depth along the axis is
    z = f·cos(tilt) + d·sin(tilt), with d the height above that plane; the picture is 2·z·tan(hfov/2) wide there. So all edges are
    straight: near and far ones where the rays of the picture's lower and upper edge meet the plane, at d / tan(tilt ± vfov/2).
    Pixels are taken to be square.
    """
    width, height = picture_px(camera, layer.stream)
    half = math.tan(math.radians(min(camera.hfov_deg, WIDEST_DEG)) / 2)
    tilt, down = math.radians(camera.tilt_deg), max(0.0, camera.height_m - rules.target_m)
    half_up = math.atan(half * height / width)
    if tilt + half_up <= 0:  # all above the horizon
        return np.empty((0, 2))
    near = _at(down, tilt + half_up)
    far = _at(down, tilt - half_up) if tilt > half_up else math.inf
    reach = min(depth_m(camera.hfov_deg, width, rules.ppm(layer.band)), _range_m(camera, layer.light, rules))
    if math.cos(tilt) > 1e-9:
        far = min(far, (reach - down * math.sin(tilt)) / math.cos(tilt))
    elif down > reach:  # straight down, from too high
        return np.empty((0, 2))
    if far <= near:
        return np.empty((0, 2))
    near_side, far_side = (half * (f * math.cos(tilt) + down * math.sin(tilt)) for f in (near, far))
    sin, cos = math.sin(math.radians(camera.azimuth_deg)), math.cos(math.radians(camera.azimuth_deg))
    corners = ((near, -near_side), (near, near_side), (far, far_side), (far, -far_side))
    return np.array([(ahead * sin + right * cos, ahead * cos - right * sin) for ahead, right in corners])


def _at(down_m: float, angle: float) -> float:
    """How far ahead a ray that points down by `angle` (0 to π) meets the ground; behind the camera beyond a right angle."""
    return down_m * math.cos(angle) / math.sin(angle)


def _range_m(camera: Camera, light: Light, rules: CoverageRules) -> float:
    if light is Light.DAY:
        return rules.day_range_m
    own = rules.night_range_m if camera.night_range_m is None else camera.night_range_m
    return min(own, rules.day_range_m)
