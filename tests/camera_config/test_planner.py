"""Where the next camera goes: cases one sees at a glance, and what greedy choice promises."""

import pytest

from camera_config.coverage import Coverage
from camera_config.planner import LENSES, Lens, Spot, propose_cameras, spots_along_buildings, spots_on_poles
from camera_config.site import Gate, Name, Pole
from tests.camera_config.coverage_site import camera_at, lonlat, site_with, square

PLAIN = (Lens("plain", 90.0, (1920, 1080)),)


def test_it_looks_where_nobody_looks_yet() -> None:
    coverage = Coverage(site_with([camera_at("one", 0, 0, 0.0)]))
    spots = [Spot("north", 0, 0, 1.0, 0.0), Spot("south", 0, 0, 1.0, 180.0)]
    (found,) = propose_cameras(coverage, coverage.with_states({}), spots, 1, PLAIN)
    assert found.spot.id == "south"
    assert 120 <= found.camera.azimuth_deg <= 240
    assert found.gain_m2 == pytest.approx(coverage.look(found.camera).area)
    assert found.gain == found.total == pytest.approx(found.gain_m2)
    assert found.camera.compound == "yard"


def test_what_fails_may_be_planned_around() -> None:
    coverage = Coverage(site_with([camera_at("one", 0, 0, 0.0)]))
    spots = [Spot("north", 0, 0, 1.0, 0.0)]
    sideways = propose_cameras(coverage, coverage.with_states({}), spots, 1, PLAIN)
    again = propose_cameras(coverage, coverage.with_states({"one": "offline"}), spots, 1, PLAIN)
    assert again[0].gain_m2 == pytest.approx(coverage.look(again[0].camera).area)
    assert sideways[0].gain_m2 < again[0].gain_m2


def test_it_does_not_look_at_walls() -> None:
    houses = [square(-60, 5, 60, 15)]
    coverage = Coverage(site_with([], houses))
    (found,) = propose_cameras(coverage, coverage.with_states({}), [Spot("pole", 0, 0, 1.0)], 1, PLAIN)
    assert 120 <= found.camera.azimuth_deg <= 240
    assert found.gain_m2 == pytest.approx(coverage.look(found.camera).area)


def test_a_gate_outweighs_plain_ground() -> None:
    spots = [Spot("at-the-gate", -50, 0, 1.0, 0.0), Spot("elsewhere", 50, 0, 1.0, 0.0)]
    gate = Gate("gate-1", Name("门", "Gate"), *lonlat(-50, 20))
    coverage = Coverage(site_with([], gates=(gate,)))
    first, second = propose_cameras(coverage, coverage.with_states({}), spots, 2, PLAIN)
    assert (first.spot.id, second.spot.id) == ("at-the-gate", "elsewhere")
    assert first.gain > 1.3 * first.gain_m2
    assert second.total == pytest.approx(first.gain + second.gain)


def test_gains_fall_and_are_what_the_coverage_gains() -> None:
    houses = [square(-70, -40, -30, -28), square(20, 10, 70, 25), square(-60, 40, -20, 52)]
    poles = (Pole("pole-1", *lonlat(0, 0), 5.0), Pole("pole-2", *lonlat(80, -60), 5.0))
    site = site_with([camera_at("one", -90, -90, 45.0)], houses, poles=poles)
    coverage = Coverage(site)
    spots = spots_along_buildings(coverage.terrain) + spots_on_poles(coverage.terrain, poles)
    found = propose_cameras(coverage, coverage.with_states({}), spots, 4, LENSES, place="yard")
    assert len(found) == 4
    gains = [each.gain for each in found]
    assert gains == sorted(gains, reverse=True)
    covered_m2 = coverage.with_states({}).figures["yard"].covered_m2
    for each in found:
        coverage = coverage.with_camera(each.camera)
        after_m2 = coverage.with_states({}).figures["yard"].covered_m2
        assert after_m2 - covered_m2 == pytest.approx(each.gain_m2, abs=1)
        covered_m2 = after_m2


def test_spots_hang_outside_of_houses_and_look_away_from_them() -> None:
    coverage = Coverage(site_with([], [square(-10, -5, 10, 5), square(-10, 5, 10, 15)]))
    spots = spots_along_buildings(coverage.terrain)
    assert len(spots) == 6, "the wall between the two houses is none"
    for spot in spots:
        seen = coverage.look(camera_at("new", spot.x, spot.y, spot.facing_deg or 0.0))
        assert seen.area == pytest.approx(38.4**2, rel=0.05)


def test_nothing_to_gain_is_nothing_proposed() -> None:
    coverage = Coverage(site_with([]))
    covered = coverage.with_states({})
    assert propose_cameras(coverage, covered, [], 3) == ()
    assert propose_cameras(coverage, covered, [Spot("far", 5000, 5000, 4.0)], 3) == ()
    assert propose_cameras(coverage, covered, [Spot("pole", 0, 0, 1.0)], 3, place="nowhere") == ()
