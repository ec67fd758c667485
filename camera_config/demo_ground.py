"""What else stands on the ground of the demo sub-district: fences with their gates, playgrounds, lamp posts, and its switches."""

import itertools
import math
from collections import Counter
from collections.abc import Iterator

import shapely
from shapely.geometry import Polygon

from camera_config.demo_layout import BlockPlan
from camera_config.demo_places import NamedPlan
from camera_config.site import CompoundKind, Gate, Name, PlayArea, Pole, Wall

__all__ = ["Uplinks", "make_gates", "make_play_areas", "make_poles", "make_walls"]

_FENCE_INSET_M, _FENCE_M = 1.0, 2.2
_OPENING_M = 5.0  # half the width of a gate
_BEND_M = 40.0  # between two points of a fence, so that it bends with the street
_PLAY_M = (18.0, 11.0)
_PLAYED = (CompoundKind.RESIDENTIAL, CompoundKind.SCHOOL)
_POLE_EVERY_M, _POLE_M = 45.0, 5.0
_POLE_ASIDE_M = 3.0
_PORTS = 16  # of a switch


class Uplinks:
    """Gives each camera a switch of its compound, `_PORTS` cameras to one, in the order in which they are asked for."""

    def __init__(self) -> None:
        self._taken: Counter[str] = Counter()

    def next(self, compound: str) -> str:
        """The switch of the next camera of a compound."""
        number = self._taken[compound] // _PORTS + 1
        self._taken[compound] += 1
        return f"switch-{compound.removeprefix('compound-')}-{number}"


def make_walls(plan: NamedPlan) -> tuple[Wall, ...]:
    """A fence of brick around each compound but the roads, open at its gates."""
    walls = []
    for block in plan.drawn.blocks:
        if block.gates:
            openings = shapely.union_all([shapely.Point(gate[:2]).buffer(_OPENING_M) for gate in block.gates])
            for part in shapely.get_parts(block.outline.buffer(-_FENCE_INSET_M).exterior.difference(openings)):
                points = shapely.get_coordinates(shapely.segmentize(part, _BEND_M))
                walls.append(Wall(tuple(plan.drawn.plan.lonlat(x, y) for x, y in points), _FENCE_M))
    return tuple(walls)


def make_gates(plan: NamedPlan) -> tuple[Gate, ...]:
    """Every gate; the first of a compound is its main gate."""
    gates = []
    for compound, name, block in _compounds(plan):
        for number, (x, y, _, _) in enumerate(block.gates, 1):
            called = Name(f"{name.zh}{number}号门", f"{name.en}, gate {number}")
            gates.append(Gate(f"gate-{compound}-{number}", called, *plan.drawn.plan.lonlat(x, y)))
    return tuple(gates)


def make_play_areas(plan: NamedPlan) -> tuple[PlayArea, ...]:
    """One in each compound of homes and each school, on open ground as near to its middle as there is any."""
    areas = []
    for compound, name, block in _compounds(plan):
        ground = _free(block) if block.kind in _PLAYED else None
        if ground is not None:
            called = Name(f"{name.zh}儿童活动区", f"{name.en}, playground")
            areas.append(PlayArea(f"play-{compound}", called, plan.drawn.plan.ring(ground)))
    return tuple(areas)


def _free(block: BlockPlan) -> Polygon | None:
    middle, houses = block.outline.centroid, shapely.union_all(block.built).buffer(1.0)
    width, depth = _PLAY_M
    steps = sorted(itertools.product(range(-60, 61, 6), repeat=2), key=lambda step: math.hypot(*step))
    places = (shapely.box(middle.x + x, middle.y + y, middle.x + x + width, middle.y + y + depth) for x, y in steps)
    return next((place for place in places if block.outline.contains(place) and not place.intersects(houses)), None)


def make_poles(plan: NamedPlan) -> tuple[Pole, ...]:
    """Lamp posts beside the lane of each compound, and in the middle of the roads."""
    poles = []
    for compound, _, block in _compounds(plan):
        houses = shapely.union_all(block.built)
        for number, (x, y) in enumerate(_beside(block), 1):
            if not houses.intersects(shapely.Point(x, y)):
                poles.append(Pole(f"pole-{compound}-{number}", *plan.drawn.plan.lonlat(x, y), _POLE_M))
    return tuple(poles)


def _beside(block: BlockPlan) -> Iterator[tuple[float, float]]:
    if block.gates:
        (x0, y0), (x1, y1) = block.gates[0][:2], block.gates[1][:2]
    else:
        west, south, east, north = block.outline.bounds
        lies, x, y = east - west > north - south, (west + east) / 2, (south + north) / 2
        (x0, y0), (x1, y1) = ((west, y), (east, y)) if lies else ((x, south), (x, north))
    length = math.hypot(x1 - x0, y1 - y0)
    dx, dy = (x1 - x0) / length, (y1 - y0) / length
    for number in range(1, int(length / _POLE_EVERY_M)):
        along, aside = number * _POLE_EVERY_M, _POLE_ASIDE_M if number % 2 else -_POLE_ASIDE_M
        yield x0 + dx * along - dy * aside, y0 + dy * along + dx * aside


def _compounds(plan: NamedPlan) -> Iterator[tuple[str, Name, BlockPlan]]:
    """Each compound's number, name and ground plan."""
    for compound, name, block in zip(plan.compound_id, plan.compound_name, plan.drawn.blocks, strict=True):
        yield compound.removeprefix("compound-"), name, block
