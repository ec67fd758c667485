"""The ground in view, against closed forms worked out by hand for each lens."""

import math

import numpy as np
import pytest

from camera_config.coverage_rules import Band, CoverageRules, Layer, Light, Stream
from camera_config.view import depth_m, footprint, hfov_deg
from tests.camera_config.coverage_site import camera_at

RULES = CoverageRules()

# Focal length and sensor width in mm, width in pixels, band -> angle in degrees, and the distance in metres without any angle:
# width · focal / (ppm · sensor). Sensors of 1/2.8, 1/2.7 and 1/1.8 inch.
LENSES = [
    (2.8, 5.37, 1920, Band.MONITOR, 87.60, 80.09),
    (2.8, 5.37, 1920, Band.DETECT, 87.60, 40.04),
    (2.8, 5.37, 640, Band.DETECT, 87.60, 13.35),
    (4.0, 5.37, 1920, Band.DETECT, 67.74, 57.21),
    (4.0, 5.37, 1920, Band.OBSERVE, 67.74, 22.88),
    (4.0, 5.37, 704, Band.MONITOR, 67.74, 41.95),
    (6.0, 5.37, 1920, Band.RECOGNISE, 48.22, 17.16),
    (6.0, 5.37, 2560, Band.IDENTIFY, 48.22, 11.44),
    (8.0, 5.37, 2560, Band.OBSERVE, 37.11, 61.02),
    (12.0, 5.37, 2560, Band.DETECT, 25.22, 228.83),
    (2.8, 5.18, 2688, Band.DETECT, 85.54, 58.12),
    (3.6, 5.18, 2688, Band.DETECT, 71.47, 74.72),
    (6.0, 5.18, 3072, Band.OBSERVE, 46.70, 56.93),
    (2.8, 7.18, 3840, Band.DETECT, 104.10, 59.90),
    (4.0, 7.18, 3840, Band.DETECT, 83.82, 85.57),
    (6.0, 7.18, 3840, Band.RECOGNISE, 61.79, 25.67),
    (8.0, 7.18, 3840, Band.IDENTIFY, 48.34, 17.11),
    (25.0, 7.18, 3840, Band.RECOGNISE, 16.34, 106.96),
    (2.1, 5.37, 640, Band.MONITOR, 103.94, 20.02),
    (1.6, 5.12, 1280, Band.DETECT, 115.99, 16.00),
]


@pytest.mark.parametrize(("focal_mm", "sensor_mm", "width", "band", "angle", "distance"), LENSES)
def test_a_lens_reaches_as_far_as_the_formula_says(
    focal_mm: float, sensor_mm: float, width: int, band: Band, angle: float, distance: float
) -> None:
    hfov = hfov_deg(focal_mm, sensor_mm)
    assert hfov == pytest.approx(angle, abs=0.006)
    assert depth_m(hfov, width, RULES.ppm(band)) == pytest.approx(distance, rel=0.002)
    # What stands in the map is the same: a level camera at the height of what it looks at sees a triangle of that depth.
    camera = camera_at("one", 0, 0, hfov_deg=hfov, recorded_px=(width, width * 9 // 16))
    seen = footprint(camera, Layer(Stream.RECORDED, band), RULES)
    assert seen[:, 1].max() == pytest.approx(distance, rel=0.002)
    assert np.ptp(seen[2:, 0]) == pytest.approx(width / RULES.ppm(band), rel=1e-9), "so many metres are as wide as the picture"


def test_the_picture_and_the_evidence_differ() -> None:
    camera = camera_at("one", 0, 0, analysed_px=(640, 360), recorded_px=(1920, 1080))
    machine, evidence = (footprint(camera, Layer(stream, Band.DETECT), RULES) for stream in Stream)
    assert evidence.max() == pytest.approx(3 * machine.max())


def test_bands_nest() -> None:
    camera = camera_at("one", 0, 0, height_m=5.0, tilt_deg=20.0)
    ends = [footprint(camera, Layer(Stream.RECORDED, band), RULES)[2, 1] for band in (Band.MONITOR, Band.DETECT, Band.OBSERVE)]
    assert ends == sorted(ends, reverse=True)
    assert len(set(ends)) == 3


def test_the_dead_zone_begins_where_the_lower_edge_of_the_picture_meets_the_ground() -> None:
    # Square picture, 90° both ways, looking 45° down from 6 m over what is 1 m up: from straight below to the horizon.
    below = footprint(camera_at("one", 0, 0, height_m=6.0, tilt_deg=45.0, recorded_px=(1000, 1000)), RULES.layer, RULES)
    assert below[0, 1] == pytest.approx(0.0, abs=1e-9)
    # 20° less, and it begins at 5 m / tan(70°)... 5 / tan(25° + 45°).
    ahead = footprint(camera_at("one", 0, 0, height_m=6.0, tilt_deg=25.0, recorded_px=(1000, 1000)), RULES.layer, RULES)
    assert ahead[0, 1] == pytest.approx(5.0 / math.tan(math.radians(70.0)))
    # 70° down, and the far edge is that of the picture: 5 / tan(70° - 45°).
    down = footprint(camera_at("one", 0, 0, height_m=6.0, tilt_deg=70.0, recorded_px=(1000, 1000)), RULES.layer, RULES)
    assert down[2, 1] == pytest.approx(5.0 / math.tan(math.radians(25.0)))
    assert down[0, 1] < 0, "and it sees what is behind its own foot"


def test_straight_down_is_a_rectangle() -> None:
    seen = footprint(camera_at("one", 0, 0, height_m=6.0, tilt_deg=90.0, recorded_px=(1600, 800)), RULES.layer, RULES)
    assert np.ptp(seen[:, 0]) == pytest.approx(10.0)
    assert np.ptp(seen[:, 1]) == pytest.approx(5.0)


def test_nothing_is_seen_above_the_horizon_or_from_too_high() -> None:
    assert not len(footprint(camera_at("one", 0, 0, height_m=5.0, tilt_deg=-40.0), RULES.layer, RULES))
    assert not len(footprint(camera_at("one", 0, 0, height_m=300.0, tilt_deg=90.0), RULES.layer, RULES))
    assert not len(footprint(camera_at("one", 0, 0, height_m=60.0, tilt_deg=60.0), RULES.layer, RULES))


def test_a_turned_camera_sees_the_same_elsewhere() -> None:
    north = footprint(camera_at("one", 0, 0, height_m=5.0, tilt_deg=15.0), RULES.layer, RULES)
    east = footprint(camera_at("one", 0, 0, 90.0, height_m=5.0, tilt_deg=15.0), RULES.layer, RULES)
    assert east == pytest.approx(np.stack([north[:, 1], -north[:, 0]], axis=1))


def test_night_ends_where_the_lamp_does() -> None:
    layer = Layer(Stream.RECORDED, Band.DETECT, Light.NIGHT)
    assert footprint(camera_at("one", 0, 0), layer, RULES)[:, 1].max() == pytest.approx(30.0)
    assert footprint(camera_at("one", 0, 0, night_range_m=12.0), layer, RULES)[:, 1].max() == pytest.approx(12.0)
    assert footprint(camera_at("one", 0, 0, night_range_m=80.0), layer, RULES)[:, 1].max() == pytest.approx(38.4)
    assert not len(footprint(camera_at("one", 0, 0, night_range_m=0.0), layer, RULES))
