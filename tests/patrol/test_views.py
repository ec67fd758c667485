"""Which cameras see a place, and how large; which cameras see the same."""

import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_config.site import Camera
from patrol import Views, ground_point, pixels_per_metre
from patrol.travel import EARTH_RADIUS_M, distance_m
from tests.patrol.small_site import small_site

SITE = small_site()
CAMERA = dataclasses.replace(SITE.cameras[0], height_m=1.0, tilt_deg=0.0, azimuth_deg=0.0, hfov_deg=90.0)
METRE_DEG = math.degrees(1 / EARTH_RADIUS_M)


def at_offset(camera: Camera, east_m: float, north_m: float) -> tuple[float, float]:
    return camera.lon + east_m * METRE_DEG / math.cos(math.radians(camera.lat)), camera.lat + north_m * METRE_DEG


def camera(name: str, east_m: float, north_m: float, azimuth_deg: float, **changes: object) -> Camera:
    lon, lat = at_offset(CAMERA, east_m, north_m)
    return dataclasses.replace(CAMERA, id=name, lon=lon, lat=lat, azimuth_deg=azimuth_deg, **changes)  # type: ignore[arg-type]


# (metres east and north of a camera that looks north from eye level, width, pixels per metre)
DENSITIES = [
    (0.0, 10.0, 640, 32.0),  # 640 / (2 · 10 · tan 45°)
    (0.0, 10.0, 1920, 96.0),
    (0.0, 20.0, 640, 16.0),
    (9.9, 10.0, 640, 32.0),  # the same depth, near the edge
    (10.1, 10.0, 640, 0.0),  # just beyond it
    (0.0, -10.0, 640, 0.0),  # behind
]


@pytest.mark.parametrize(("east_m", "north_m", "width_px", "expected"), DENSITIES)
def test_pixels_per_metre(east_m: float, north_m: float, width_px: int, expected: float) -> None:
    assert pixels_per_metre(CAMERA, at_offset(CAMERA, east_m, north_m), width_px) == pytest.approx(expected, abs=0.01)


def test_a_place_below_the_picture_is_not_seen_and_a_tilted_camera_sees_it() -> None:
    high = dataclasses.replace(CAMERA, height_m=6.0)
    near = at_offset(high, 0.0, 4.0)
    assert pixels_per_metre(high, near, 640) == 0.0
    tilted = dataclasses.replace(high, tilt_deg=45.0)
    depth_m = 4.0 * math.cos(math.radians(45)) + 5.0 * math.sin(math.radians(45))
    assert pixels_per_metre(tilted, near, 640) == pytest.approx(640 / (2 * depth_m), rel=1e-3)


@given(azimuth=st.floats(0, 359), tilt=st.floats(10, 60), height=st.floats(2, 10), x=st.floats(0.1, 0.9), y=st.floats(0.6, 1.0))
def test_the_foot_of_a_box_stands_where_the_camera_looks(azimuth: float, tilt: float, height: float, x: float, y: float) -> None:
    one = dataclasses.replace(CAMERA, azimuth_deg=azimuth, tilt_deg=tilt, height_m=height, hfov_deg=80.0)
    place = ground_point(one, (x, 0.0, x, y))
    # Forwards again: a point on the ground is seen at the column and row it came from.
    east = (place[0] - one.lon) / METRE_DEG * math.cos(math.radians(one.lat))
    north = (place[1] - one.lat) / METRE_DEG
    a, t, half = math.radians(azimuth), math.radians(tilt), math.tan(math.radians(40))
    forward, right = east * math.sin(a) + north * math.cos(a), east * math.cos(a) - north * math.sin(a)
    depth = forward * math.cos(t) + height * math.sin(t)
    down = height * math.cos(t) - forward * math.sin(t)
    assert right / depth / half == pytest.approx(2 * x - 1, abs=1e-3)
    assert down / depth / half / (9 / 16) == pytest.approx(2 * y - 1, abs=1e-3)


def test_above_the_horizon_there_is_no_ground() -> None:
    assert ground_point(CAMERA, (0.4, 0.1, 0.6, 0.3)) == (CAMERA.lon, CAMERA.lat)


def test_related_cameras_come_by_pixels_per_metre_and_at_most_fifteen() -> None:
    ring = [camera(f"r{n:02d}", 0.0, -5.0 - n, 0.0) for n in range(25)]
    away = [camera("away", 0.0, -3.0, 180.0), camera("off", 0.0, -2.0, 0.0, enabled=False)]
    views = Views(dataclasses.replace(SITE, cameras=(*ring, *away)))
    place = (CAMERA.lon, CAMERA.lat)
    related = views.related(place, {})
    assert [each.camera for each in related] == [f"r{n:02d}" for n in range(15)]
    assert related[0].pixels_per_metre == pytest.approx(64.0, abs=0.1)
    assert related[0].distance_m == pytest.approx(distance_m(place, (ring[0].lon, ring[0].lat)), abs=0.01)
    wide = views.related(place, {"r10": 3840, "r00": 0})
    assert wide[0].camera == "r10"  # 4K from fifteen metres
    assert Views(dataclasses.replace(SITE, cameras=())).related(place, {}) == ()


def test_cameras_that_look_at_the_same_ground_overlap() -> None:
    facing = [
        camera("a", 0.0, 0.0, 0.0),
        camera("b", 0.0, 20.0, 180.0),
        camera("c", 0.0, 0.0, 180.0),
        camera("d", 500.0, 0.0, 0.0),
    ]
    site = dataclasses.replace(SITE, cameras=tuple(facing))
    views = Views(site)
    assert {each: views.overlapping(each) for each in "abcd"} == {"a": {"b"}, "b": {"a"}, "c": set(), "d": set()}
    assert views.overlapping("nobody") == set()
    walled = dataclasses.replace(site, cameras=(facing[0], dataclasses.replace(facing[1], compound="p2")))
    assert Views(walled).overlapping("a") == set()
    assert all(not Views(SITE).overlapping(each.id) for each in SITE.cameras)
