"""Lines, ways and speed: walked on hand-made tracks, and checked against what must hold for every walk."""

import itertools
from collections.abc import Callable, Iterable
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from base import EventKind
from camera_config import Direction, Rule
from detect.rules import CameraRules, Finding, Scene
from detect.rules.geometry import crossings
from detect.track import Track
from tests.detect.stage import LABELS, rule, scene

SCENE = Scene(scene(), scene)
PERSON, VEHICLE = (0.9, 0.05, 0.05), (0.05, 0.9, 0.05)
DOWN_THE_MIDDLE = ((0.5, 0.1), (0.5, 0.9))
Point = tuple[float, float]


def walk(
    one: Rule,
    way: Callable[[float], Point],
    times: Iterable[float],
    vote: tuple[float, ...] = PERSON,
    tall: float = 0.3,
    numbers: Callable[[float], int] = lambda _: 0,
) -> list[tuple[float, Finding]]:
    """What a rule finds on somebody whose foot is at `way(t)`; `numbers` gives his track's number."""
    rules, found, tracks = CameraRules([one], ZoneInfo("UTC"), LABELS), [], dict[int, Track]()
    for time_s in times:
        x, y = way(time_s)
        number, box = numbers(time_s), (x - 0.03, y - tall, x + 0.03, y)
        if number not in tracks:
            tracks[number] = Track(number, box, time_s, time_s, np.array(vote, np.float32), confirmed=True)
        track = tracks[number]
        track.box, track.seen_s = box, time_s
        track.extend_path()
        found += [(time_s, finding) for finding in rules.update(time_s, [track], SCENE)]
    return found


def frames(seconds: float, per_s: float = 15.0) -> list[float]:
    return [number / per_s for number in range(round(seconds * per_s) + 1)]


def to_right(time_s: float) -> Point:
    return 0.2 + 0.1 * time_s, 0.6


def line_rule(direction: Direction = Direction.ANY, line: tuple[Point, ...] = DOWN_THE_MIDDLE, dwell_s: float = 0.0) -> Rule:
    return rule(kind=EventKind.LINE_CROSSING, zone=(), line=line, direction=direction, dwell_s=dwell_s, dead_time_s=0.0)


def test_a_line_is_crossed_once_shortly_after_the_foot_is_beyond_it() -> None:
    ((time_s, finding),) = walk(line_rule(), to_right, frames(6))
    # At 3 s the foot is on the line; 0.3 of its height beyond it, 0.05 of the width, it is clear of it.
    assert time_s == pytest.approx(3.5, abs=0.08)
    assert finding.path[0] == (0.0, 0.2, 0.6)
    assert finding.path[-1][0] == time_s


@pytest.mark.parametrize(
    ("direction", "way", "count"),
    [
        # The line goes down; who looks along it has the left edge of the picture at his right hand.
        (Direction.LEFT, to_right, 1),
        (Direction.RIGHT, to_right, 0),
        (Direction.RIGHT, lambda t: (0.8 - 0.1 * t, 0.6), 1),
        (Direction.LEFT, lambda t: (0.8 - 0.1 * t, 0.6), 0),
    ],
)
def test_direction_is_that_of_somebody_who_looks_along_the_line(
    direction: Direction, way: Callable[[float], Point], count: int
) -> None:
    assert len(walk(line_rule(direction), way, frames(6))) == count


def test_who_stands_on_the_line_does_not_cross_it() -> None:
    wobble = np.random.default_rng(1).normal(0, 0.01, 1000)
    assert walk(line_rule(), lambda t: (0.5 + wobble[round(t * 15)], 0.6), frames(60)) == []


def test_who_goes_around_its_end_does_not_cross_it() -> None:
    assert walk(line_rule(line=((0.5, 0.5), (0.5, 0.9))), lambda t: (0.2 + 0.1 * t, 0.4), frames(6)) == []


def test_there_and_back_are_two_crossings() -> None:
    there_and_back = walk(line_rule(), lambda t: (0.5 - 0.2 * np.cos(t), 0.6), frames(2 * np.pi))
    assert len(there_and_back) == 2
    one_way = walk(line_rule(Direction.LEFT), lambda t: (0.5 - 0.2 * np.cos(t), 0.6), frames(2 * np.pi))
    assert len(one_way) == 1


def test_a_track_that_breaks_on_the_line_has_crossed_it() -> None:
    """Number 0 ends at 2.9 s, just before the line; number 1 begins half a second later, just beyond it."""
    times = [t for t in frames(6) if not 2.9 < t < 3.4]
    assert len(walk(line_rule(), to_right, times, numbers=lambda t: int(t > 3))) == 1


def test_others_than_asked_for_may_cross() -> None:
    assert walk(line_rule(), to_right, frames(6), vote=VEHICLE) == []


unit = st.floats(0.02, 0.98)
points = st.tuples(unit, unit)


@settings(deadline=None)
@given(st.lists(points, min_size=2, max_size=5, unique=True), points, points, st.lists(st.floats(0, 1), max_size=12))
def test_a_straight_walk_crosses_as_often_however_it_is_sampled(
    line: list[Point], start: Point, end: Point, stops: list[float]
) -> None:
    """Net crossings of the whole step are those of its parts, whatever the parts are."""
    assume(shapely.LineString(line).is_simple)
    line_at, a, b = np.array(line), np.array(start), np.array(end)
    way = [a + (b - a) * at for at in sorted({0.0, *stops, 1.0})]
    # A part that ends within rounding of the line may fall on either side of it.
    assume(all(shapely.LineString(line).distance(shapely.Point(point)) > 1e-6 for point in way))
    assume(all(shapely.LineString([start, end]).distance(shapely.Point(point)) > 1e-6 for point in line))
    parts = sum(crossings(line_at, one, two) for one, two in itertools.pairwise(way))
    assert parts == crossings(line_at, a, b)


@settings(deadline=None)
@given(st.data())
def test_subsampling_changes_no_crossing(data: st.DataObject) -> None:
    times = frames(6)
    kept = sorted(data.draw(st.sets(st.sampled_from(times[1:-1]), max_size=40)) | {times[0], times[-1]})
    assume(max(np.diff(kept)) < 3.0)  # unseen for longer, nothing is known of the way
    assert len(walk(line_rule(Direction.LEFT), to_right, kept)) == 1


def wrong_way(dwell_s: float = 1.0) -> Rule:
    """One may go to the right only."""
    return rule(kind=EventKind.WRONG_WAY, line=((0.1, 0.5), (0.9, 0.5)), labels=("vehicle",), dwell_s=dwell_s)


def test_against_the_way_is_found_and_with_it_is_not() -> None:
    assert walk(wrong_way(), to_right, frames(6), vote=VEHICLE) == []
    ((time_s, _),) = walk(wrong_way(), lambda t: (0.8 - 0.1 * t, 0.6), frames(6), vote=VEHICLE)
    assert time_s == pytest.approx(1.0, abs=0.1)


def test_across_the_way_and_standing_are_not_wrong() -> None:
    assert walk(wrong_way(), lambda t: (0.5 - 0.01 * t, 0.3 + 0.1 * t), frames(6), vote=VEHICLE) == []
    wobble = np.random.default_rng(2).normal(0, 0.01, 2000)
    assert walk(wrong_way(), lambda t: (0.5 + wobble[round(t * 15)], 0.6), frames(100), vote=VEHICLE) == []


def test_turning_round_is_wrong_from_there_on() -> None:
    ((time_s, _),) = walk(wrong_way(), lambda t: (0.5 + 0.3 * np.sin(t), 0.6), frames(4.5), vote=VEHICLE)
    assert np.pi / 2 < time_s < np.pi


def fast(speed: float = 2.0) -> Rule:
    return rule(kind=EventKind.FAST_MOTION, speed=speed, dwell_s=0.5)


# A width of the picture is 16/9 heights, that is 5.9 bodies of 0.3: 0.1 widths a second are 0.59 body heights.
@pytest.mark.parametrize(("widths_per_s", "found"), [(0.15, 0), (0.3, 0), (0.4, 1), (0.6, 1)])
def test_running_is_told_from_walking_in_body_heights(widths_per_s: float, found: int) -> None:
    assert len(walk(fast(), lambda t: (widths_per_s * t, 0.6), frames(1 / widths_per_s))) == found


def test_the_same_way_is_fast_for_a_small_one_and_not_for_a_tall_one() -> None:
    assert len(walk(fast(), lambda t: (0.2 * t, 0.6), frames(4), tall=0.15)) == 1
    assert walk(fast(), lambda t: (0.2 * t, 0.6), frames(4), tall=0.3) == []


def test_a_box_that_jumps_is_not_fast() -> None:
    assert walk(fast(), lambda t: (0.3 if t < 3 else 0.55, 0.6), frames(6)) == []
    assert walk(fast(), lambda t: (0.3 + 0.3 * (int(t) % 2), 0.6), frames(20)) == []
