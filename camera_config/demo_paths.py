"""The ways of the demo sub-district: streets to drive on, and lanes from gate to gate to walk along."""

import shapely
from shapely.geometry import LineString, MultiLineString
from shapely.geometry.base import BaseGeometry

from camera_config.demo_layout import BlockPlan
from camera_config.demo_places import NamedPlan
from camera_config.site import TravelMode, Way

__all__ = ["make_ways"]

_SHORTEST_M = 0.5  # shorter pieces are what cutting lines leaves over
_LONGEST_M = 60.0  # between two points of a way, so that it bends with the street
_SNAP_M = 0.05  # points nearer than this are one


def make_ways(plan: NamedPlan) -> tuple[Way, ...]:
    """Streets between the compounds, the way in at each gate, and the lane through each compound; they meet at common points."""
    gated = [block for block in plan.drawn.blocks if block.gates]
    streets = shapely.unary_union(plan.drawn.streets)
    entrances = [shapely.shortest_line(shapely.Point(gate[:2]), streets) for block in gated for gate in block.gates]
    drivable = shapely.unary_union([streets, *entrances])
    pieces = _pieces(shapely.unary_union([drivable, *(lane for block in gated for lane in _lanes(block))]))
    ways = []
    for piece in pieces:
        on_wheels = drivable.distance(piece.interpolate(0.5, normalized=True)) < _SNAP_M
        line = tuple(plan.drawn.plan.lonlat(x, y) for x, y in shapely.segmentize(piece, _LONGEST_M).coords)
        ways.append(Way(TravelMode.DRIVE if on_wheels else TravelMode.WALK, line))
    return tuple(ways)


def _lanes(block: BlockPlan) -> list[LineString]:
    """From the first gate to the second; a third one joins it in the middle."""
    first, second, *others = [gate[:2] for gate in block.gates]
    lane = LineString([first, second])
    middle = lane.interpolate(0.5, normalized=True)
    halves = [LineString([first, middle.coords[0]]), LineString([middle.coords[0], second])]
    return [*halves, *(LineString([gate, middle.coords[0]]) for gate in others)]


def _pieces(drawn: BaseGeometry) -> list[LineString]:
    """The lines between crossings, from west to east and south to north, so that the same plan gives the same file."""
    snapped = shapely.set_precision(drawn, _SNAP_M)
    merged = shapely.line_merge(snapped)
    parts = list(merged.geoms) if isinstance(merged, MultiLineString) else [merged]
    lines = [part for part in parts if isinstance(part, LineString) and part.length > _SHORTEST_M]
    return sorted(lines, key=lambda line: tuple(line.coords))
