"""The sub-district's statistics, and the figures of the demo sub-district, which come out by geometry alone."""

from dataclasses import replace

import pytest

from camera_config import CompoundKind
from camera_config.coverage import Coverage
from camera_config.coverage_report import INSTITUTIONS, Statistics, statistics
from camera_config.coverage_rules import Band, CoverageRules, Layer, Stream
from camera_config.covered import Covered
from camera_config.district import District, make_district
from tests.camera_config.coverage_site import camera_at, site_with


@pytest.fixture(scope="module")
def demo() -> District:
    return make_district(727, password="for-the-test")


@pytest.fixture(scope="module")
def covered(demo: District) -> Covered:
    return Coverage(demo.site).with_states({})


@pytest.fixture(scope="module")
def report(demo: District, covered: Covered) -> Statistics:
    return statistics(demo.site, covered)


def test_the_demo_comes_out_at_its_figures(report: Statistics) -> None:
    assert (report.cameras, report.working) == (727, 727)
    assert (report.institutions, report.institutions_rate) == (11, 1.0)
    assert (report.compounds, report.compounds_some, report.compounds_full) == (44, 44, 22)
    assert report.compounds_rate == pytest.approx(0.60, abs=0.005)


def test_the_lines_of_the_report_add_up(report: Statistics) -> None:
    assert len(report.cells) == 65
    by_compound = {line.place: line.figure for line in report.compound_lines}
    for compound, figure in by_compound.items():
        cells = [line.figure for line in report.cells if line.parent == compound]
        assert sum(cell.ground_m2 for cell in cells) == pytest.approx(figure.ground_m2, rel=0.001)
        assert sum(cell.covered_m2 for cell in cells) == pytest.approx(figure.covered_m2, rel=0.001)
        assert sum(cell.cameras for cell in cells) == figure.cameras
    assert sum(line.figure.cameras for line in report.communities) == 727
    assert sum(line.figure.ground_m2 for line in report.communities) == pytest.approx(report.district.ground_m2, rel=0.001)
    for kind in CompoundKind:
        mine = [line.figure for line in report.compound_lines if line.compound_kind is kind]
        assert sum(figure.covered_m2 for figure in mine) == pytest.approx(report.by_kind[kind].covered_m2)
    assert all(report.by_kind[kind].rate >= 0.95 for kind in INSTITUTIONS)


def test_a_switch_that_fails_shows_in_the_report(demo: District, covered: Covered, report: Statistics) -> None:
    switches = {camera.uplink for camera in demo.site.cameras}
    assert len(switches) >= 44
    fed = [camera.id for camera in demo.site.cameras if camera.uplink == "switch-17-1"]
    assert len(fed) == 16
    dark = Coverage(demo.site).with_states(dict.fromkeys(fed, "switch-17-1"))
    after = statistics(demo.site, dark)
    assert (after.working, after.compounds_full) == (711, 21)
    assert after.institutions_rate == pytest.approx(10 / 11)
    lost_m2 = covered.figures["compound-17"].covered_m2 - dark.figures["compound-17"].covered_m2
    assert dark.lost_m2["switch-17-1"]["compound-17"] == pytest.approx(lost_m2, abs=1)
    assert after.lost == dict.fromkeys(fed, "switch-17-1")
    assert report.lost == {}


def test_what_is_covered_is_for_the_site_to_say() -> None:
    site = site_with([camera_at("one", -50, -50), camera_at("off", 50, 50, enabled=False)])
    seen = Coverage(site).with_states({})
    usual = statistics(site, seen)
    assert (usual.cameras, usual.compounds_some, usual.compounds_full) == (1, 1, 0)
    assert usual.compounds_rate == pytest.approx(38.4**2 / 40_000, rel=1e-3)
    assert usual.institutions_rate == 0.0, "there is none"
    mild = replace(site, coverage=CoverageRules(some_share=0.03, complete_share=0.035))
    assert statistics(mild, seen).compounds_full == 1
    strict = replace(site, coverage=CoverageRules(some_share=0.2))
    assert statistics(strict, seen).compounds_some == 0
    machine = replace(site, coverage=CoverageRules(stream=Stream.ANALYSED, band=Band.DETECT))
    coverage = Coverage(machine)
    assert coverage.with_states({}).figures["yard"].covered_m2 == pytest.approx(12.8**2, abs=0.1)
    asked = coverage.with_states({}, Layer(Stream.RECORDED, Band.DETECT))
    assert asked.figures["yard"].covered_m2 == pytest.approx(38.4**2, abs=0.1)
