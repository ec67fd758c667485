"""Trips along ways against a slow twin on a grid of streets; positions that cannot be true."""

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from camera_config import Point, TravelMode, Way
from patrol import Doubt, Fix, Grid, Travel, distance_m, doubt_of
from patrol.travel import DETOUR, SPEED_M_S
from tests.patrol.small_site import NOON_S, small_site

STEP = 0.001
METRES_EAST, METRES_NORTH = (distance_m((120.0, 30.0), to) for to in ((120.0 + STEP, 30.0), (120.0, 30.0 + STEP)))


def corner(x: int, y: int) -> Point:
    return (120.0 + STEP * x, 30.0 + STEP * y)


def streets(size: int, missing: frozenset[tuple[int, int, int, int]] = frozenset()) -> list[Way]:
    """Streets between the corners of a grid; those in `missing` are closed."""
    pairs = [((x, y), (x + dx, y + dy)) for x, y in itertools.product(range(size), repeat=2) for dx, dy in ((1, 0), (0, 1))]
    inside = [(a, b) for a, b in pairs if max(b) < size and (*a, *b) not in missing]
    return [Way(TravelMode.DRIVE, (corner(*a), corner(*b))) for a, b in inside]


def slow_metres(ways: list[Way], begin: Point, end: Point) -> float:
    """Shortest way by relaxing every edge as often as there are corners (Bellman and Ford)."""
    metres = {begin: 0.0}
    for _ in range(len(ways)):
        for way in ways:
            for a, b in (way.line, way.line[::-1]):
                if a in metres:
                    metres[b] = min(metres.get(b, math.inf), metres[a] + distance_m(a, b))
    return metres.get(end, math.inf)


@settings(max_examples=60, deadline=None)
@given(
    closed=st.frozensets(st.sampled_from([(x, y, x + 1, y) for x in range(3) for y in range(4)]), max_size=8),
    begin=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    end=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    mode=st.sampled_from(list(TravelMode)),
)
def test_trips_agree_with_the_slow_twin(
    closed: frozenset[tuple[int, int, int, int]], begin: tuple[int, int], end: tuple[int, int], mode: TravelMode
) -> None:
    ways = streets(4, closed)
    [trip] = Travel(ways).trips(corner(*end), [(corner(*begin), mode)])
    metres = slow_metres(ways, corner(*begin), corner(*end))
    if trip.by_way:
        assert trip.metres == pytest.approx(metres, rel=2e-3)
        assert trip.time_s == pytest.approx(metres / SPEED_M_S[mode], rel=2e-3)
    else:
        assert metres in (0.0, math.inf), "only where no way leads, or one is there already"


def test_without_ways_a_trip_is_the_straight_line_and_a_detour() -> None:
    [walk, drive] = Travel(()).trips(corner(1, 0), [(corner(0, 0), mode) for mode in TravelMode])
    assert walk.metres == drive.metres == pytest.approx(METRES_EAST)
    assert walk.time_s == pytest.approx(METRES_EAST * DETOUR / 1.3)
    assert drive.time_s == pytest.approx(METRES_EAST * DETOUR / 5.5)


def test_beside_the_ways_everybody_walks() -> None:
    road = Way(TravelMode.DRIVE, (corner(0, 0), corner(3, 0)))
    origin, place = (120.0, 30.0 + STEP / 4), (120.0 + 3 * STEP, 30.0 + STEP / 4)
    [trip] = Travel((road,)).trips(place, [(origin, TravelMode.DRIVE)])
    assert trip.time_s == pytest.approx(METRES_NORTH / 2 / 1.3 + 3 * METRES_EAST / 5.5, rel=2e-3)


def test_both_on_the_same_piece_of_a_way() -> None:
    road = Way(TravelMode.WALK, (corner(0, 0), corner(3, 0)))
    [trip] = Travel((road,)).trips(corner(2, 0), [(corner(1, 0), TravelMode.WALK)])
    assert trip.by_way
    assert trip.metres == pytest.approx(METRES_EAST, rel=2e-3)


def test_a_footpath_is_not_driven_on() -> None:
    path = Way(TravelMode.WALK, (corner(0, 0), corner(0, 1), corner(1, 1), corner(1, 0)))
    [walk, drive] = Travel((path,)).trips(corner(1, 0), [(corner(0, 0), mode) for mode in TravelMode])
    assert (walk.by_way, drive.by_way) == (True, False)
    assert walk.metres == pytest.approx(METRES_EAST + 2 * METRES_NORTH, rel=2e-3)


def test_who_is_nearer_to_the_place_than_to_any_way_goes_straight() -> None:
    road = Way(TravelMode.WALK, (corner(0, 3), corner(3, 3)))
    [trip] = Travel((road,)).trips(corner(1, 0), [(corner(0, 0), TravelMode.WALK)])
    assert not trip.by_way


GRID = Grid(small_site())
HERE = Fix((120.002, 30.002), NOON_S)


@pytest.mark.parametrize(
    ("place", "after_s", "accuracy_m", "doubt"),
    [
        ((120.003, 30.002), 60.0, 0.0, None),
        ((120.05, 30.002), 60.0, 0.0, Doubt.TOO_FAST),  # 4.6 km in a minute
        ((120.05, 30.002), 120.0, 0.0, None),  # 139 km/h
        ((120.0025, 30.002), 0.0, 0.0, Doubt.TOO_FAST),  # 48 m in no time ...
        ((120.0025, 30.002), 0.0, 30.0, None),  # ... which a phone that is 30 m unsure may say
        ((120.05, 30.002), 60.0, 9_999.0, Doubt.TOO_FAST),  # but no phone may be unsure of everything
        ((120.1 + 0.02, 30.002), 9_000.0, 0.0, None),  # 1.9 km outside
        ((120.1 + 0.03, 30.002), 9_000.0, 0.0, Doubt.OUTSIDE),
        ((0.0, 0.0), 9e6, 0.0, Doubt.OUTSIDE),
    ],
)
def test_a_position_that_cannot_be_true_is_doubted(place: Point, after_s: float, accuracy_m: float, doubt: Doubt | None) -> None:
    assert doubt_of(Fix(place, NOON_S + after_s), accuracy_m, HERE, GRID) is doubt


def test_the_first_position_is_believed_if_it_is_near() -> None:
    assert doubt_of(HERE, 0.0, None, GRID) is None
    assert doubt_of(Fix((121.0, 30.0), NOON_S), 0.0, None, GRID) is Doubt.OUTSIDE
