"""The four places: what stands where, and which ways lead through. Metres; x right, y away from the camera."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from ingest.simulate.backdrop import Backdrop, Face, Foliage, Patch, Picture
from ingest.simulate.furniture import (
    Spot,
    add_block,
    add_building,
    add_hedge,
    add_kerb,
    add_lamp,
    add_parked,
    add_railing,
    add_sign,
    add_wall,
    lane,
    plain,
    stripes,
)
from ingest.simulate.light import Light, light_named
from ingest.simulate.plants import crown, trunk
from ingest.simulate.texture import Facade, hoarding, roller_door
from ingest.simulate.view import Array
from ingest.simulate.ways import Ways, ways_of

__all__ = ["Barrier", "Place", "build_place"]

ASPHALT, ROAD_OLD, PAVING, CONCRETE = (84, 85, 86), (98, 99, 99), (146, 150, 154), (150, 154, 156)
GRASS, EARTH, WHITE, YELLOW, CREAM = (58, 104, 82), (96, 124, 148), (206, 208, 208), (60, 176, 214), (186, 200, 206)
_LOOKS = (
    Facade((176, 196, 206), (196, 204, 208)),
    Facade((158, 176, 196), (206, 210, 212)),
    Facade((184, 188, 190), (150, 158, 166)),
    Facade((150, 168, 198), (204, 208, 208)),
    Facade((170, 184, 178), (200, 204, 204)),
)
_LAMPS: Mapping[str, tuple[Spot, ...]] = {
    "street": ((-1.2, 15.0), (-1.2, 31.0)),
    "courtyard": ((3.6, 17.0), (-4.8, 25.0)),
    "gate": ((-7.4, 15.0), (3.6, 20.0)),
    "car_park": ((-5.0, 17.8), (5.0, 17.8)),
}


@dataclass(frozen=True, slots=True)
class Barrier:
    """A barrier whose arm lifts while a car passes on `route` (its number among the place's routes)."""

    post: Spot
    tip: Spot
    route: int


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """A finished place. `crowns` are drawn later, moving in the wind."""

    ways: Ways
    light: Light
    picture: Picture
    crowns: tuple[Foliage, ...]
    barriers: tuple[Barrier, ...]


@dataclass(eq=False)
class _Plan:
    """A place while it is laid out."""

    backdrop: Backdrop
    zone: Array
    rng: np.random.Generator
    crowns: list[Foliage] = field(default_factory=list)
    barriers: list[Barrier] = field(default_factory=list)

    def look(self) -> Facade:
        return _LOOKS[int(self.rng.integers(len(_LOOKS)))]

    def tree(self, at: Spot, height_m: float, wide_m: float) -> None:
        """A tree with a still trunk and a crown that moves."""
        x, y = at[0] + float(self.rng.normal(0, 0.15)), at[1] + float(self.rng.normal(0, 0.3))
        self.backdrop.things.append(trunk((x, y), height_m - wide_m * 0.5, 0.22))
        tint = self.rng.normal(1, 0.07, 3)
        colour = (44 * float(tint[0]), 96 * float(tint[1]), 66 * float(tint[2]))
        leaves = crown(self.rng, (x, y, height_m), (wide_m, wide_m * 0.86), colour)
        self.crowns.append(leaves)
        for start in range(0, len(leaves.point), 6):  # dappled shadow: small groups of leaves
            group = leaves.point[start : start + 1] + self.rng.normal(0, 0.22, (5, 3)).astype(np.float32)
            self.backdrop.shades.append(group)


def build_place(scene: str, light: str, variant: int) -> Place:
    """One of the four places in one light; `variant` changes colours, houses, parked cars and trees, not the layout."""
    layout: dict[str, Callable[[_Plan], None]] = {
        "street": _street,
        "courtyard": _courtyard,
        "gate": _gate,
        "car_park": _car_park,
    }
    # a stable seed: hash() differs between processes
    rng = np.random.default_rng([sum(scene.encode()), variant])
    ways = ways_of(scene)
    lit = light_named(light, float(rng.choice([-125.0, -100.0, 105.0, 140.0])) + float(rng.uniform(-8, 8)), _LAMPS[scene])
    plan = _Plan(Backdrop(ways.view, lit, rng), ways.zone, rng)
    layout[scene](plan)
    picture = plan.backdrop.draw()
    return Place(ways, lit, picture, tuple(plan.crowns), tuple(plan.barriers))


def _mark_zone(plan: _Plan, surface: str, colour: tuple[float, float, float], hatch: bool, grow: float = 1.06) -> None:
    """Make the forbidden zone look like one: its own surface and, if `hatch`, yellow hatching inside a yellow border."""
    ground = plan.backdrop.ground
    middle = plan.zone.mean(axis=0)

    def spots(factor: float) -> tuple[Spot, ...]:
        return tuple((float(x), float(y)) for x, y in middle + (plan.zone - middle) * factor)

    ground.append(Patch(spots(grow), surface, colour))
    if not hatch:
        return
    ground.append(Patch(spots(grow), "paint", YELLOW, 0.62))
    ground.append(Patch(spots(grow - 0.05), surface, colour))
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = middle + (plan.zone - middle) * (grow - 0.05)
    for t in np.arange(0.06, 1.0, 0.17):
        s = t + 0.035
        left = ((ax + (dx - ax) * t, ay + (dy - ay) * t), (ax + (dx - ax) * s, ay + (dy - ay) * s))
        u, v = min(1.0, t + 0.3), min(1.0, s + 0.3)
        right = ((bx + (cx - bx) * v, by + (cy - by) * v), (bx + (cx - bx) * u, by + (cy - by) * u))
        ground.append(Patch((*left, *right), "paint", YELLOW, 0.5))


def _street(plan: _Plan) -> None:
    b, rng, ground = plan.backdrop, plan.rng, plan.backdrop.ground
    ground.append(Patch(lane(-90, 90), "slabs", ROAD_OLD))
    ground.append(Patch(lane(-13.2, 2.3), "paving", PAVING))
    ground.append(Patch(lane(-9.5, -0.6), "asphalt", ASPHALT))
    ground.append(Patch(lane(-90, 90, 37, 46), "asphalt", ASPHALT))
    ground.append(Patch(lane(2.3, 40, 3, 15), "earth", EARTH))
    _mark_zone(plan, "earth", (104, 132, 154), hatch=False, grow=1.1)
    add_kerb(b, (-9.5, 37), (-9.5, 0.5))
    add_kerb(b, (-0.6, 0.5), (-0.6, 37))
    stripes(
        b,
        [(-4.08, -3.94, y, y + 2.2) for y in np.arange(4.5, 15, 5.0)]
        + [(-4.08, -3.94, y, y + 2.2) for y in np.arange(22, 36, 5.0)],
        YELLOW,
    )
    stripes(b, [(x, x + 0.5, 16.4, 19.4) for x in np.arange(-9.2, -0.9, 1.05)])
    stripes(b, [(-7.45, -7.33, 5, 15), (-7.45, -7.33, 21, 36)], WHITE, 0.6)
    # houses: shops on the left, flats behind the site, a row across the end
    shops = Facade((168, 180, 190), (176, 184, 190), 3.4, 4.2, balconies=False, shops=True)
    add_building(b, -40, -13.2, 1.0, 35.0, 17.0, shops)
    add_building(b, 3.4, 40, 26.0, 36.0, 18.0, plan.look())
    add_building(b, -60, 60, 54.0, 60.0, 24.0, plan.look())
    # the building site on the right
    add_wall(b, (2.4, 15.0), (30, 15.0), 2.1, hoarding(27.6, 2.1))
    add_railing(b, (2.35, 5.2), (3.0, 14.6), 0.85, warning=True)
    add_block(b, (9.4, 13.4, 0), (11.2, 14.3, 0.8), (70, 88, 150))
    add_block(b, (5.2, 14.0, 0), (6.8, 14.7, 0.45), (120, 150, 176))
    add_sign(b, (2.5, 13.2))
    for spot in ((-10.4, 12.0), (-10.4, 21.0), (-10.4, 30.0), (1.2, 20.0), (1.3, 28.5)):
        plan.tree(spot, 4.6 + float(rng.uniform(-0.3, 0.4)), 1.55)
    for spot in _LAMPS["street"]:
        add_lamp(b, (0.2, spot[1]), 7.2, -1.8)
    add_block(b, (0.5, 11.6, 0), (0.95, 12.0, 0.95), (70, 110, 60))
    for y in (9.0, 14.6, 22.5, 28.0, 33.0):
        if rng.random() < 0.8:
            add_parked(b, (-8.5, y), 90.0 if rng.random() < 0.2 else -90.0)


def _courtyard(plan: _Plan) -> None:
    b, rng, ground = plan.backdrop, plan.rng, plan.backdrop.ground
    ground.append(Patch(lane(-90, 90), "grass", GRASS))
    ground.append(Patch(lane(-1.4, 4.0), "paving", PAVING))
    ground.append(Patch(lane(-90, 90, 25.0, 33.5), "asphalt", ROAD_OLD))
    ground.append(Patch(lane(-0.9, 3.4, 0.5, 27), "asphalt", ROAD_OLD))
    ground.append(Patch(((-22, 6.2), (-1.6, 6.2), (-3.2, 14.4), (-22, 14.4)), "slabs", CONCRETE))
    _mark_zone(plan, "slabs", (156, 158, 158), hatch=True)
    add_kerb(b, (-1.15, 25), (-1.15, 0.5))
    add_kerb(b, (3.65, 0.5), (3.65, 25))
    add_kerb(b, (3.65, 25), (60, 25))
    stripes(b, [(x, x + 0.1, 30.0, 33.4) for x in np.arange(-16, 22, 2.6)], WHITE, 0.7)
    add_building(b, -50, 50, 40.0, 52.0, 22.0, plan.look())
    look = plan.look()
    add_building(b, 15.5, 40, 7.0, 24.0, 20.0, Facade(look.wall, look.trim, balconies=False))
    # the pump house on the left
    add_building(b, -12.5, -5.6, 15.2, 19.5, 3.1, Facade((172, 178, 178), (130, 136, 140), 9.0, 3.2, balconies=False), roof=True)
    add_wall(b, (-9.9, 15.15), (-7.9, 15.15), 2.3, plain((92, 118, 84), 2.0, 2.3, rng))
    add_sign(b, (-5.2, 14.2))
    add_railing(b, (-3.65, 13.6), (-1.75, 6.2), 0.6, warning=True)
    add_hedge(b, (-5.0, 16.6), (-5.0, 24.0), (0.9, 0.9))
    add_hedge(b, (-4.6, 24.2), (-1.6, 24.2), (0.8, 0.8))
    add_hedge(b, (4.3, 8.0), (4.3, 24.0), (0.7, 0.75))
    add_hedge(b, (4.6, 24.0), (14.0, 24.0), (0.8, 0.8))
    for spot in ((7.5, 13.0), (9.6, 20.0), (12.5, 16.5), (-8.5, 22.5), (-14.5, 24.0)):
        plan.tree(spot, 4.0 + float(rng.uniform(-0.3, 0.5)), 1.6)
    for x, y in _LAMPS["courtyard"]:
        add_lamp(b, (x, y), 3.6)
    add_block(b, (4.4, 6.6, 0), (5.0, 7.1, 0.95), (80, 120, 60))
    for x in np.arange(-14.6, 20, 2.6):
        if rng.random() < 0.62 and abs(x - 1.0) > 2:
            add_parked(b, (float(x), 31.6), -90.0 if rng.random() < 0.7 else 90.0)


def _gate(plan: _Plan) -> None:
    b, rng, ground = plan.backdrop, plan.rng, plan.backdrop.ground
    ground.append(Patch(lane(-90, 90), "slabs", CONCRETE))
    ground.append(Patch(lane(-90, 90, 23.5, 33.5), "asphalt", ASPHALT))
    ground.append(Patch(lane(-6.8, 1.0, 0.5, 24), "asphalt", ROAD_OLD))
    ground.append(Patch(lane(-12.0, -6.8, 0.5, 23), "paving", PAVING))
    ground.append(Patch(lane(-90, 90, 33.5, 36.5), "paving", PAVING))
    _mark_zone(plan, "slabs", (158, 160, 160), hatch=True, grow=1.04)
    add_kerb(b, (-6.8, 23), (-6.8, 0.5))
    add_kerb(b, (1.05, 0.5), (1.05, 19))
    stripes(b, [(-2.96, -2.84, 4, 14.2), (-6.4, -3.2, 16.0, 16.35), (-2.6, 0.7, 13.6, 13.95)], WHITE)
    stripes(b, [(x, x + 2.4, 28.35, 28.5) for x in np.arange(-40, 40, 5.0)], YELLOW)
    add_building(b, -60, 60, 36.5, 48.0, 20.0, Facade((170, 182, 190), (176, 184, 190), 3.4, 4.2, balconies=True, shops=True))
    # wall, pillars and the beam with the name of the compound
    stone = plain((168, 182, 196), 30, 2.3, rng)
    add_wall(b, (4.4, 20.0), (34.4, 20.0), 2.3, stone)
    add_wall(b, (-38.0, 20.0), (-8.9, 20.0), 2.3, stone)
    add_block(b, (-7.9, 19.6, 0), (-7.0, 20.5, 4.6), (140, 158, 178))
    add_block(b, (3.5, 19.6, 0), (4.4, 20.5, 4.6), (140, 158, 178))
    add_block(b, (-8.3, 19.5, 4.6), (4.8, 20.6, 5.3), (58, 62, 70))
    # guard booth on its island
    add_block(b, (1.3, 15.4, 0), (3.4, 17.8, 0.9), (190, 196, 198))
    add_block(b, (1.36, 15.46, 0.9), (3.34, 17.74, 2.1), (74, 66, 56))
    add_block(b, (1.1, 15.2, 2.1), (3.6, 18.0, 2.42), (196, 200, 200))
    for x, y in ((1.2, 14.6), (-6.7, 17.0)):
        add_block(b, (x - 0.17, y - 0.17, 0), (x + 0.17, y + 0.17, 1.05), (40, 130, 220))
    add_railing(b, (1.35, 6.0), (4.1, 14.6), 0.7, warning=True)
    add_sign(b, (4.3, 14.9))
    add_hedge(b, (5.2, 18.9), (16.0, 18.9), (0.9, 0.8))
    add_hedge(b, (-12.6, 8.0), (-12.6, 19.0), (0.9, 0.9))
    for spot in ((-11.0, 22.0), (9.0, 17.6), (14.5, 17.9), (-14.6, 14.5)):
        plan.tree(spot, 4.1 + float(rng.uniform(-0.3, 0.4)), 1.5)
    for x, y in _LAMPS["gate"]:
        add_lamp(b, (x, y), 4.4)
    for x in (-20.0, -13.5, 10.0, 17.0, 24.0):
        if rng.random() < 0.7:
            add_parked(b, (x, 32.6), 180.0)
    plan.barriers += [Barrier((1.2, 14.6), (-2.7, 14.6), 0), Barrier((-6.7, 17.0), (-3.1, 17.0), 1)]


def _car_park(plan: _Plan) -> None:
    b, rng, ground = plan.backdrop, plan.rng, plan.backdrop.ground
    ground.append(Patch(lane(-90, 90), "asphalt", ROAD_OLD))
    ground.append(Patch(lane(-90, 90, 10.6, 17.6), "slabs", CONCRETE))
    ground.append(Patch(lane(-4.6, 4.6, 9.9, 40), "slabs", (142, 146, 148)))
    _mark_zone(plan, "slabs", (148, 150, 150), hatch=True, grow=1.03)
    bays = [*np.arange(-19.6, -4.4, 2.6), *np.arange(6.6, 22.0, 2.6)]
    stripes(b, [(x - 0.05, x + 0.05, 10.8, 15.6) for x in bays], WHITE, 0.8)
    stripes(b, [(-2.6, -1.2, 7.35, 7.5), (2.0, 3.4, 7.35, 7.5), (-7.4, -6.0, 7.35, 7.5), (6.6, 8.0, 7.35, 7.5)], WHITE, 0.7)
    add_building(b, -60, 60, 40.0, 52.0, 22.0, plan.look())
    wall = (174, 184, 190)
    for left, right in ((-26.0, -4.8), (4.8, 26.0)):
        front = roller_door(21.2, 3.2, wall, 6)
        add_wall(b, (left, 18.2), (right, 18.2), 3.2, front)
        inner = right if right < 0 else left
        side = plain(wall, 11.0, 3.2, rng)
        add_wall(b, (inner, 18.2), (inner, 29.2), 3.2, side)
        b.shades.append(np.array([(x, y, z) for x in (left, right) for y in (18.2, 29.2) for z in (0.0, 3.2)], np.float32))
        roof = np.array([(left, 18.2, 3.2), (right, 18.2, 3.2), (right, 29.2, 3.2), (left, 29.2, 3.2)], np.float32)
        b.things.append([Face(roof, (126, 126, 124))])
    add_wall(b, (-30.0, 33.0), (30.0, 33.0), 2.4, plain((160, 172, 182), 60, 2.4, rng))
    for x in (-4.4, 4.4):
        add_block(b, (x - 0.15, 15.9, 0), (x + 0.15, 16.2, 0.8), (40, 170, 220))
    add_sign(b, (-4.75, 15.4))
    for spot in ((-14.0, 35.5), (-4.0, 35.8), (6.0, 35.4), (15.0, 35.6)):
        plan.tree(spot, 3.9 + float(rng.uniform(-0.3, 0.4)), 1.8)
    for x, y in _LAMPS["car_park"]:
        add_lamp(b, (x, y), 5.2, 0.0)
    for x in (-18.3, -15.7, -13.1, -10.5, -7.9, 7.9, 10.5, 13.1, 15.7, 18.3):
        if rng.random() < 0.75:
            add_parked(b, (x, 13.2), -90.0 if rng.random() < 0.6 else 90.0)
