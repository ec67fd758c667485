"""Cameras that cover a compound of the demo sub-district completely: two look along each open strip, from its ends.

A camera of 3840 pixels shows 25 pixels per metre at the far end of a strip of `L` metres if tan(hfov/2) = 3840 / (50·L). Half-way
it then sees 38 m to both sides, whatever `L` is, and the dead zone and the corners beside one camera are in view of the other.
"""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import shapely
from shapely import affinity
from shapely.geometry import LineString

from camera_config.demo_layout import BlockPlan
from camera_config.site import CompoundKind, Size

__all__ = ["Sight", "sights"]

RECORDED_PX: Size = (3840, 2160)

_PPM = 25.0
_LONGEST_M = 290.0  # of one pair's strip; longer ones are cut
_INSET_M = 2.6  # of a camera from the fence
_BACK_M = 0.8  # beyond the end of its strip, so that two back to back see each other's feet
_EDGE_M = 4.4  # of the strips along the fence
_ASIDE_M = 2.0  # of the middle of a strip, where the border of two cells may run
_HEIGHT_M = 6.0
_TARGET_M = 1.0
_ROAD_PARTS = 4
_DEEP_M = 20.0  # houses from which on the ground between two of them needs cameras of its own
_FENCE_M = 18.0  # as far from the fence the cameras along it see into every gap
_LANE_M = 12.0  # half of what counts as the lane in the middle


@dataclass(frozen=True, slots=True)
class Sight:
    """One camera along a strip: where it hangs and looks on the plan, and its optics."""

    scene: str
    x: float
    y: float
    dx: float
    dy: float
    height_m: float
    tilt_deg: float
    hfov_deg: float


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of houses as boxes (west, south, east, north), west to east."""

    bottom: float
    top: float
    houses: list[tuple[float, float, float, float]]


def sights(block: BlockPlan) -> list[Sight]:
    """The cameras for a compound: along its rows of houses, its fence and the lane in its middle; or along a road."""
    if block.kind is CompoundKind.ROAD:
        return [sight for part in _road(block) for sight in _pair("street", part)]
    lines = [("gate", _lane(block)), *_edges(block), *_strips(block)]
    along = [sight for scene, line in lines for part in _cut(line) for sight in _pair(scene, part)]
    return along + [next(_pair("courtyard", gap)) for gap in _gaps(block)]


def _pair(scene: str, strip: LineString) -> Iterator[Sight]:
    """A camera at each end of a strip, looking at the other."""
    (x0, y0), (x1, y1) = strip.coords[0], strip.coords[-1]
    length = math.hypot(x1 - x0, y1 - y0)
    half = min(RECORDED_PX[0] / (2 * _PPM * length), math.tan(math.radians(50)))
    up = math.atan(half * RECORDED_PX[1] / RECORDED_PX[0])
    tilt = up + 0.8 * math.atan((_HEIGHT_M - _TARGET_M) / length)
    tilt_deg, hfov_deg = round(math.degrees(tilt), 1), math.floor(20 * math.degrees(math.atan(half))) / 10
    dx, dy = (x1 - x0) / length, (y1 - y0) / length
    for x, y, ahead in ((x0, y0, 1), (x1, y1, -1)):
        back = ahead * _BACK_M
        place = round(x - dx * back, 2), round(y - dy * back, 2)
        yield Sight(scene, *place, ahead * dx, ahead * dy, _HEIGHT_M, tilt_deg, hfov_deg)


def _cut(line: LineString) -> list[LineString]:
    """A strip in parts no longer than one pair of cameras reaches."""
    count = max(1, math.ceil(line.length / _LONGEST_M))
    points = [line.interpolate(part / count, normalized=True) for part in range(count + 1)]
    return [LineString([one, other]) for one, other in itertools.pairwise(points)]


def _road(block: BlockPlan) -> list[LineString]:
    west, south, east, north = block.outline.buffer(-_INSET_M).bounds
    middle_x, middle_y = (west + east) / 2, (south + north) / 2
    lies = east - west > north - south
    line = LineString([(west, middle_y), (east, middle_y)] if lies else [(middle_x, south), (middle_x, north)])
    points = [line.interpolate(part / _ROAD_PARTS, normalized=True) for part in range(_ROAD_PARTS + 1)]
    return [LineString([one, other]) for one, other in itertools.pairwise(points)]


def _lane(block: BlockPlan) -> LineString:
    """From one end of the lane through the middle to the other."""
    return _inside(block, LineString([gate[:2] for gate in block.gates[:2]]))


def _edges(block: BlockPlan) -> list[tuple[str, LineString]]:
    """Along the fence; cars are parked in the south and in the north."""
    west, south, east, north = block.outline.buffer(-_EDGE_M).bounds
    upright = [("street", LineString([(x, south), (x, north)])) for x in (west, east)]
    level = [("car_park", LineString([(west, y), (east, y)])) for y in (south, north)]
    return [(scene, _inside(block, line)) for scene, line in upright + level]


def _strips(block: BlockPlan) -> list[tuple[str, LineString]]:
    """Between the rows of houses."""
    west, _, east, _ = block.outline.bounds
    lines = []
    for below, above in itertools.pairwise(_rows(block)):
        y = (below.top + above.bottom) / 2 + _ASIDE_M
        straight = LineString([(west - 50, y), (east + 50, y)])
        lines.append(("courtyard", _inside(block, affinity.rotate(straight, block.turn_deg, origin=_middle(block)))))
    return lines


def _gaps(block: BlockPlan) -> list[LineString]:
    """Beside deep houses, where nobody in the strips looks; the lane in the middle is seen from its ends."""
    middle, lines = _middle(block), []
    west, _, east, _ = block.outline.bounds
    for row in _rows(block):
        sides = [west + _FENCE_M, *(side for house in row.houses for side in (house[0], house[2])), east - _FENCE_M]
        for left, right in zip(sides[::2], sides[1::2], strict=True) if row.top - row.bottom >= _DEEP_M else ():
            x = (left + right) / 2
            if abs(x - middle[0]) > _LANE_M and right - left > 2 * _INSET_M:
                straight = LineString([(x, row.bottom), (x, row.top)])
                lines.append(affinity.rotate(straight, block.turn_deg, origin=middle))
    return lines


def _rows(block: BlockPlan) -> list[_Row]:
    """The rows of houses from south to north, turned back to lie level."""
    origin = _middle(block)
    level = (affinity.rotate(house, -block.turn_deg, origin=origin).bounds for house in block.built)
    boxes = sorted(level, key=lambda box: box[1])
    rows: list[list[tuple[float, float, float, float]]] = []
    for box in boxes:
        if rows and box[1] < rows[-1][0][3]:
            rows[-1].append(box)
        else:
            rows.append([box])
    return [_Row(min(box[1] for box in row), max(box[3] for box in row), sorted(row)) for row in rows]


def _middle(block: BlockPlan) -> tuple[float, float]:
    west, south, east, north = block.outline.bounds
    return (west + east) / 2, (south + north) / 2


def _inside(block: BlockPlan, line: LineString) -> LineString:
    """The part of a straight line that lies clear of the fence."""
    parts = shapely.get_parts(line.intersection(block.outline.buffer(-_INSET_M))).tolist()
    return max((part for part in parts if isinstance(part, LineString)), key=lambda part: part.length)
