"""Coverage: exact where it can be worked out by hand, and the same as obvious slow twins everywhere else."""

import math
from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import affinity

from camera_config import Checkpoint, CompoundKind, Name
from camera_config.coverage import Coverage
from camera_config.coverage_rules import Band, CoverageRules, Layer, Stream
from camera_config.site import Gate, PlayArea, Wall, Way
from camera_config.site import TravelMode as Mode
from camera_config.visibility import visible
from tests.camera_config.coverage_site import camera_at, lonlat, site_with, square

REACH_M = 38.4  # of camera_at
AREA_M2 = REACH_M**2  # of its triangle, 90° wide

houses = st.lists(
    st.tuples(st.floats(-60, 60), st.floats(-60, 60), st.floats(2, 25), st.floats(2, 25), st.floats(0, 90)), max_size=8
)


def shapes(boxes: list[tuple[float, float, float, float, float]]) -> shapely.Geometry:
    """Houses anywhere but on the camera, which stands in the middle."""
    drawn = [affinity.rotate(shapely.box(x, y, x + width, y + depth), turn) for x, y, width, depth, turn in boxes]
    return shapely.union_all([house for house in drawn if house.distance(shapely.Point(0, 0)) > 0.5])


def edges_of(shape: shapely.Geometry) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    lines = [shapely.get_coordinates(ring) for part in shapely.get_parts(shape) for ring in (part.exterior, *part.interiors)]
    return np.concatenate([np.empty((0, 2, 2)), *(np.stack([line[:-1], line[1:]], axis=1) for line in lines)])


FRAMES = {
    "from a corner": [(0, 0), (50, -30), (50, 40)],
    "the other way round": [(0, 0), (50, 40), (50, -30)],
    "from an edge": [(-20, 0), (30, 0), (40, 50), (-40, 50)],
    "from inside": [(-50, -40), (60, -50), (50, 45), (-30, 60)],
}


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
@settings(max_examples=25, deadline=None)
@given(boxes=houses, seed=st.integers(0, 2**32 - 1))
def test_a_point_is_seen_if_no_house_cuts_the_line_to_it(
    frame: list[tuple[float, float]], boxes: list[tuple[float, float, float, float, float]], seed: int
) -> None:
    built, area = shapes(boxes), shapely.Polygon(frame)
    seen = visible(np.zeros(2), np.array(frame, float), edges_of(built))
    assert seen.is_valid
    points = np.random.default_rng(seed).uniform(-60, 60, (200, 2))
    inside = points[shapely.contains_xy(area.buffer(-1e-6), points)]
    sights = shapely.linestrings(np.stack([np.zeros_like(inside), inside], axis=1))
    clear = ~np.asarray(shapely.intersects(sights, built))
    assert shapely.contains_xy(seen, inside).tolist() == clear.tolist()


@settings(max_examples=30, deadline=None)
@given(boxes=houses, turn=st.floats(0, 360), east=st.floats(-500, 500), north=st.floats(-500, 500))
def test_a_view_turns_and_moves_with_everything_around_it(
    boxes: list[tuple[float, float, float, float, float]], turn: float, east: float, north: float
) -> None:
    built, frame = shapes(boxes), shapely.Polygon(FRAMES["from a corner"])
    before = visible(np.zeros(2), np.array(FRAMES["from a corner"], float), edges_of(built))

    def moved(shape: shapely.Geometry) -> shapely.Geometry:
        return affinity.translate(affinity.rotate(shape, turn, origin=(0, 0)), east, north)

    corners = shapely.get_coordinates(moved(frame))[:-1]
    after = visible(np.array([east, north]), corners, edges_of(moved(built)))
    assert after.symmetric_difference(moved(before)).area < 1e-5


@settings(max_examples=30, deadline=None)
@given(boxes=houses, more=houses)
def test_more_houses_never_show_more(
    boxes: list[tuple[float, float, float, float, float]], more: list[tuple[float, float, float, float, float]]
) -> None:
    frame = np.array(FRAMES["from inside"], float)
    few = visible(np.zeros(2), frame, edges_of(shapes(boxes)))
    many = visible(np.zeros(2), frame, edges_of(shapes(boxes + more)))
    assert many.difference(few).area < 1e-6


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.floats(-90, 90), st.floats(-90, 90), st.floats(0, 360)), min_size=1, max_size=6))
def test_together_cameras_cover_at_most_the_sum_and_at_least_the_best(hung: list[tuple[float, float, float]]) -> None:
    coverage = Coverage(site_with([camera_at(f"c{n}", *each) for n, each in enumerate(hung)], [square(10, 10, 30, 25)]))
    yard = shapely.union_all([patch.outline for patch in coverage.terrain.patches if "yard" in patch.place.values()])
    alone = [coverage.view(camera).intersection(yard).area for camera in coverage.cameras]
    together = coverage.with_states({}).figures["yard"].covered_m2
    assert max(alone) - 0.1 <= together <= sum(alone) + 0.1


def test_one_camera_on_open_ground_covers_its_triangle() -> None:
    covered = Coverage(site_with([camera_at("one", -60, -50)])).with_states({})
    cell, other, yard = (covered.figures[place] for place in ("cell-1", "cell-2", "yard"))
    assert cell.covered_m2 == pytest.approx(AREA_M2, abs=0.1)
    assert cell.rate == pytest.approx(AREA_M2 / 20_000, rel=1e-4)
    assert other.covered_m2 == pytest.approx(0, abs=0.1)
    assert yard.ground_m2 == pytest.approx(40_000, rel=1e-6)
    assert (cell.cameras, other.cameras, yard.cameras, covered.figures["top"].cameras) == (1, 0, 1, 1)
    assert covered.by_kind == {CompoundKind.RESIDENTIAL: yard}


def test_a_house_in_the_way_hides_what_is_behind_it() -> None:
    # 10 m ahead and 10 m wide, 5 m deep: from there on a band that widens to 38.4 m is lost.
    covered = Coverage(site_with([camera_at("one", -50, -50)], [square(-55, -40, -45, -35)])).with_states({})
    hidden = (10 + REACH_M) / 2 * (REACH_M - 10)
    assert covered.figures["cell-1"].covered_m2 == pytest.approx(AREA_M2 - hidden, abs=0.1)
    assert covered.figures["cell-1"].ground_m2 == pytest.approx(20_000 - 50, abs=0.1), "roofs are no ground"


def test_a_low_wall_hides_a_strip_and_a_high_one_all() -> None:
    # Seen from 5 m up, 2.2 m high and 20 m ahead, it hides what is 1 m up as far as 20 · 4 / 2.8 = 28.57 m.
    camera = camera_at("one", -50, -80, height_m=5.0, tilt_deg=0.0, recorded_px=(1920, 1920))
    line = (lonlat(-99, -60), lonlat(-1, -60))
    open_m2, low_m2, high_m2 = (
        Coverage(site_with([camera], walls=walls)).view("one").area for walls in ((), (Wall(line, 2.2),), (Wall(line),))
    )
    far = 20 * 4 / 2.8
    assert open_m2 - low_m2 == pytest.approx(far**2 - 20**2, abs=0.1)
    assert open_m2 - high_m2 == pytest.approx(REACH_M**2 - 20**2, abs=0.1)
    assert Coverage(site_with([camera], walls=(Wall(line, 0.9),))).view("one").area == pytest.approx(open_m2)


@pytest.mark.parametrize("inside_m", [0.0, 0.02, 0.6, -0.03])
def test_a_camera_on_a_wall_looks_away_from_it(inside_m: float) -> None:
    house = square(-60, -60, -40, -50)
    seen = Coverage(site_with([camera_at("one", -50, -50 - inside_m)], [house])).view("one")
    assert seen.area == pytest.approx(AREA_M2, rel=0.05)


def test_a_camera_deep_inside_a_house_sees_nothing() -> None:
    covered = Coverage(site_with([camera_at("one", -50, -55)], [square(-60, -60, -40, -50)])).with_states({})
    assert covered.figures["top"].covered_m2 == pytest.approx(0, abs=1e-3)


def test_what_does_not_work_does_not_cover() -> None:
    # Two that see the same, and one elsewhere.
    cameras = [camera_at("one", -50, -50), camera_at("two", -50, -50), camera_at("far", 50, -50, grid_cell="cell-2")]
    coverage = Coverage(site_with(cameras))
    full = coverage.with_states({})
    assert full.alone("one").area == pytest.approx(0, abs=0.01)
    assert full.alone("far").area == pytest.approx(AREA_M2, abs=0.1)
    assert full.overlap("yard").area == pytest.approx(AREA_M2, abs=0.1)
    assert full.overlap("cell-2").area == pytest.approx(0, abs=0.1)
    one = coverage.with_states({"one": "offline", "nobody": "gone"})
    assert one.lost == {"one": "offline"}
    assert one.figures["cell-1"].covered_m2 == pytest.approx(AREA_M2, abs=0.1)
    assert one.figures["cell-1"].cameras == 1
    assert one.lost_m2["offline"]["cell-1"] == pytest.approx(0, abs=0.01)
    assert one.alone("two").area == pytest.approx(AREA_M2, abs=0.1)
    both = coverage.with_states({"one": "switch-1", "two": "switch-1", "far": "covered"})
    assert both.figures["top"].covered_m2 == pytest.approx(0, abs=0.1)
    assert both.lost_m2["switch-1"]["cell-1"] == pytest.approx(AREA_M2, abs=0.1)
    assert both.lost_m2["covered"]["yard"] == pytest.approx(AREA_M2, abs=0.1)
    assert "cell-1" not in both.lost_m2["covered"]
    assert both.alone("one").is_empty
    apart = coverage.with_states({"one": "covered", "two": "offline"})
    assert all(apart.lost_m2[reason]["cell-1"] == pytest.approx(AREA_M2, abs=0.1) for reason in ("covered", "offline"))


def test_one_change_comes_to_the_same_as_starting_over() -> None:
    rng = np.random.default_rng(5)
    houses = [square(-80, -20, -30, -10), square(20, 30, 70, 45)]
    cameras = [camera_at(f"c{n}", *rng.uniform((-70, -70, 0), (70, 70, 360)).tolist()) for n in range(12)]
    coverage, layer = Coverage(site_with(cameras, houses)), Layer(Stream.ANALYSED, Band.MONITOR)
    for asked in (None, layer):
        _ = coverage.with_states({}, asked).blind_spots
    for turn in range(20):
        index = turn % len(cameras)
        cameras[index] = replace(cameras[index], azimuth_deg=float(rng.uniform(0, 360)), enabled=turn % 5 != 4)
        coverage = coverage.with_camera(cameras[index])
    coverage, cameras = coverage.without_camera("c3"), [camera for camera in cameras if camera.id != "c3"]
    fresh = Coverage(site_with(cameras, houses))
    assert coverage.cameras.keys() == fresh.cameras.keys()
    for asked in (None, layer):
        for lost in ({}, {"c1": "offline"}, {f"c{n}": "power" for n in range(9)}):
            kept, made = coverage.with_states(lost, asked), fresh.with_states(lost, asked)
            for place, figure in made.figures.items():
                assert kept.figures[place].covered_m2 == pytest.approx(figure.covered_m2, abs=0.5), place
                assert kept.figures[place].cameras == figure.cameras
            for one, other in zip(kept.uncovered, made.uncovered, strict=True):
                assert one.symmetric_difference(other).area < 0.5
            listed = [sum(spot.area_m2 for spot in each.blind_spots) for each in (kept, made)]
            assert listed[0] == pytest.approx(listed[1], abs=25), "a spot that hangs by a thread may count as two"


def test_states_taken_out_one_by_one_come_to_the_same_as_united_anew() -> None:
    cameras = [camera_at(f"c{n}", -60 + 6 * n, -50, 20.0 * n) for n in range(12)]
    coverage, fresh = Coverage(site_with(cameras)), Coverage(site_with(cameras))
    _ = coverage.with_states({}).figures  # so that the next question starts from the answer
    lost = {f"c{n}": "offline" for n in (2, 5, 7)}
    for place, figure in fresh.with_states(lost).figures.items():
        assert coverage.with_states(lost).figures[place].covered_m2 == pytest.approx(figure.covered_m2, abs=0.2)


def test_blind_spots_come_in_the_order_of_what_matters() -> None:
    def at(x: float, y: float) -> tuple[float, float]:
        return lonlat(x, y)

    gate = Gate("gate-1", Name("门", "Gate"), *at(50, 90))
    area = PlayArea("play-1", Name("场", "Swings"), tuple(at(*corner) for corner in (*square(30, 10, 40, 20), (30, 10))))
    node = Checkpoint("school", Name("校", "School"), "cell-2", *at(80, -20), key_node=True)
    lane = Way(Mode.WALK, (at(10, 50), at(90, 50)))
    site = site_with([camera_at("one", -50, -50)], gates=(gate,), play_areas=(area,), ways=(lane,), checkpoints=(node,))
    covered = Coverage(site).with_states({})
    first, second = (next(spot for spot in covered.blind_spots if spot.place == cell) for cell in ("cell-2", "cell-1"))
    assert covered.blind_spots.index(first) < covered.blind_spots.index(second)
    assert first.touches == ("gate:gate-1", "key_node:school", "lane", "play_area:play-1")
    half_disc, disc = math.pi * 8**2, math.pi * 12**2
    weighted = 20_000 + 5 * half_disc + 8 * disc + 3 * 100 + 2 * 80 * 4
    assert first.importance == pytest.approx(weighted, rel=0.01)
    assert (first.community, first.compound, first.grid_cell) == ("west", "yard", "cell-2")
    stand = shapely.Point(covered_point := (first.lon, first.lat))
    assert shapely.Point(at(80, -20)).distance(stand) < 12 / 90_000, f"somebody is sent to the school, not {covered_point}"
    figure = covered.figures["cell-2"]
    assert figure.important_m2 == pytest.approx(half_disc + disc + 100 + 80 * 4, rel=0.01)
    assert figure.important_rate == pytest.approx(0, abs=1e-4)
    seen = Coverage(replace(site, cameras=(camera_at("one", 50, 60, recorded_px=(3840, 2160)),))).with_states({})
    assert seen.figures["cell-2"].important_covered_m2 == pytest.approx(half_disc, rel=0.01)


def test_small_blind_spots_are_not_listed_but_counted() -> None:
    rules = CoverageRules(blind_min_m2=1e6)
    covered = Coverage(site_with([camera_at("one", -50, -50)], coverage=rules)).with_states({})
    assert covered.blind_spots == ()
    assert covered.blind("cell-2").area == pytest.approx(20_000, abs=1)
    assert covered.covered("cell-1").area == pytest.approx(AREA_M2, abs=0.5)
    assert covered.covered("nowhere").is_empty


def test_bands_nest_and_the_machine_sees_less() -> None:
    camera = camera_at("one", -50, -50, height_m=4.0, tilt_deg=15.0)
    coverage = Coverage(site_with([camera]))
    evidence, machine = (coverage.bands(camera, stream) for stream in (Stream.RECORDED, Stream.ANALYSED))
    for finer, band in zip(list(Band)[1:], list(Band)[:-1], strict=True):
        assert evidence[finer].difference(evidence[band]).area < 1e-6
    assert all(machine[band].area < evidence[band].area for band in (Band.MONITOR, Band.DETECT))
    small = replace(camera, recorded_px=(704, 396))
    assert coverage.look(small).area < coverage.view("one").area, "a stream that shrinks loses ground"
