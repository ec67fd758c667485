"""Drawn things that move or are moved and are nobody: animals, two-wheelers without a rider, wheels, loads."""

import numpy as np

from fleet.training.cutouts import Cutout
from fleet.training.figures import HEIGHT_PX, Canvas, Point, at, draw_cycle
from fleet.training.regions import OTHER

__all__ = ["draw_animal", "draw_thing"]

MIDDLE = (float(HEIGHT_PX), float(HEIGHT_PX))


def draw_animal(rng: np.random.Generator) -> Cutout:
    """A dog, cat or bird, tight around it: from the side, from the front, or lying."""
    canvas = Canvas(rng)
    kind = rng.random()
    if kind < 0.62:
        _draw_from_the_side(canvas, rng)
    elif kind < 0.88:
        _draw_from_the_front(canvas, rng)
    else:
        _draw_bird(canvas, rng)
    return canvas.cutout(OTHER, "animals")


def draw_thing(rng: np.random.Generator) -> Cutout:
    """A thing without anybody, tight around it: a parked two-wheeler, a wheel, a box, bag, trolley, umbrella, sign, banner."""
    canvas = Canvas(rng)
    kind = int(rng.integers(6))
    if kind == 0:
        draw_cycle(canvas, MIDDLE, rng)
    elif kind == 1:
        _draw_wheel(canvas, rng)
    elif kind == 2:
        _draw_load(canvas, rng)
    elif kind == 3:
        _draw_umbrella(canvas, rng)
    elif kind == 4:
        _draw_sign(canvas, rng)
    else:
        _draw_cloth(canvas, rng)
    return canvas.cutout(OTHER, "things")


def _tone(rng: np.random.Generator) -> float:
    return float(rng.uniform(5, 245))


def _draw_from_the_side(canvas: Canvas, rng: np.random.Generator) -> None:
    """Trunk, four jointed legs, neck, head with muzzle and ear, tail; a fifth of them lie or sit low."""
    unit, coat = HEIGHT_PX / 5, _tone(rng)
    long, deep = unit * rng.uniform(1.6, 2.6), unit * rng.uniform(0.55, 1.0)
    legs = unit * (rng.uniform(0.1, 0.35) if rng.random() < 0.2 else rng.uniform(0.6, 1.35))
    rump, chest = MIDDLE, (MIDDLE[0] + long, MIDDLE[1] - unit * rng.uniform(-0.15, 0.25))
    stride = rng.uniform(0, 0.7)
    far = float(np.clip(coat - rng.uniform(10, 45), 0, 255))
    for hip, sign, tone in ((rump, 1, far), (chest, -1, far), (rump, -1, coat), (chest, 1, coat)):
        knee = at((hip[0], hip[1] + deep * 0.3), legs * 0.6, sign * stride * rng.uniform(0.5, 1))
        foot = at(knee, legs * 0.6, sign * stride * rng.uniform(-0.6, 0.6))
        canvas.limb((hip[0], hip[1] + deep * 0.2), knee, deep * 0.45, deep * 0.25, tone)
        canvas.limb(knee, foot, deep * 0.24, deep * 0.18, tone)
    canvas.limb(rump, chest, deep * rng.uniform(0.75, 1.0), deep, coat)
    neck = at(chest, unit * rng.uniform(0.4, 0.9), np.pi - rng.uniform(-0.1, 1.5))
    canvas.limb(chest, neck, deep * 0.7, deep * 0.5, coat)
    _draw_head(canvas, neck, deep * rng.uniform(0.3, 0.45), rng.uniform(0.9, 1.9), coat, rng)
    tail = at(rump, unit * rng.uniform(0.5, 1.3), -rng.uniform(0.3, 2.6))
    canvas.limb(rump, tail, deep * rng.uniform(0.12, 0.35), deep * 0.1, coat)
    if rng.random() < 0.35:  # a patch of another colour, or a harness
        place = rump[0] + long * rng.uniform(0.2, 0.9)
        canvas.disc((place, rump[1]), deep * rng.uniform(0.15, 0.45), deep * 0.42, 0, _tone(rng))


def _draw_head(canvas: Canvas, place: Point, size: float, facing: float, coat: float, rng: np.random.Generator) -> None:
    canvas.disc(place, size, size * 0.9, 0, coat)
    muzzle = at(place, size * rng.uniform(0.9, 1.9), facing)
    canvas.limb(place, muzzle, size * 1.1, size * 0.6, coat)
    ear = at(
        place, size * rng.uniform(0.9, 1.6), np.pi + rng.uniform(-0.6, 0.9) if rng.random() < 0.6 else rng.uniform(-0.5, 0.3)
    )
    canvas.limb(place, ear, size * 0.7, size * 0.25, float(np.clip(coat + rng.normal(0, 30), 0, 255)))


def _draw_from_the_front(canvas: Canvas, rng: np.random.Generator) -> None:
    """Coming or going: a round trunk on two or four short legs, the head before it, low or high."""
    unit, coat = HEIGHT_PX / 5, _tone(rng)
    wide, high = unit * rng.uniform(0.5, 0.85), unit * rng.uniform(0.6, 1.0)
    legs = unit * rng.uniform(0.5, 1.3)
    far = float(np.clip(coat - rng.uniform(10, 45), 0, 255))
    for sign, tone, short in ((-0.7, far, 0.85), (0.7, far, 0.85), (-0.55, coat, 1.0), (0.55, coat, 1.0)):
        hip = (MIDDLE[0] + sign * wide, MIDDLE[1] + high * 0.4)
        foot = at(hip, legs * short, rng.normal(0, 0.12))
        canvas.limb(hip, foot, wide * 0.5, wide * 0.3, tone)
    canvas.disc(MIDDLE, wide, high, float(rng.normal(0, 8)), coat)
    head = (MIDDLE[0] + wide * rng.normal(0, 0.4), MIDDLE[1] - high * rng.uniform(-0.2, 1.2))
    size = wide * rng.uniform(0.5, 0.75)
    for sign in (-1, 1):
        ear = (head[0] + sign * size * rng.uniform(0.7, 1.2), head[1] - size * rng.uniform(-0.5, 1.2))
        canvas.limb((head[0] + sign * size * 0.5, head[1] - size * 0.3), ear, size * 0.6, size * 0.3, far)
    canvas.disc(head, size, size * 1.05, 0, coat)
    canvas.disc((head[0], head[1] + size * 0.5), size * 0.45, size * 0.5, 0, float(np.clip(coat + rng.normal(0, 40), 0, 255)))


def _draw_bird(canvas: Canvas, rng: np.random.Generator) -> None:
    """Walking, or with wings spread."""
    unit, tone = HEIGHT_PX / 6, _tone(rng)
    tail = at(MIDDLE, unit * rng.uniform(1.0, 2.0), -rng.uniform(0.9, 1.6))
    canvas.limb(MIDDLE, tail, unit * 0.8, unit * 0.3, tone)
    canvas.disc(MIDDLE, unit * rng.uniform(0.7, 1.1), unit * 0.6, float(rng.uniform(-30, 30)), tone)
    head = at(MIDDLE, unit * 1.1, rng.uniform(1.6, 2.6))
    canvas.disc(head, unit * 0.35, unit * 0.33, 0, tone)
    if rng.random() < 0.5:
        for turn in (rng.uniform(-2.8, -1.8), rng.uniform(1.8, 2.9)):
            canvas.limb(MIDDLE, at(MIDDLE, unit * rng.uniform(1.5, 3), turn), unit * 0.9, unit * 0.2, tone)
    else:
        for dx in (-0.2, 0.2):
            foot = (MIDDLE[0] + dx * unit, MIDDLE[1] + unit * 1.2)
            canvas.limb((MIDDLE[0] + dx * unit, MIDDLE[1]), foot, unit * 0.12, unit * 0.1, _tone(rng))


def _draw_wheel(canvas: Canvas, rng: np.random.Generator) -> None:
    """A car's wheel under the edge of its mudguard: what is left of a vehicle that motion found in pieces."""
    radius, paint = HEIGHT_PX * rng.uniform(0.2, 0.3), _tone(rng)
    if rng.random() < 0.7:
        edge = MIDDLE[1] - radius * rng.uniform(0.2, 0.6)
        reach = radius * rng.uniform(1.2, 2.0)
        canvas.limb((MIDDLE[0] - reach, edge), (MIDDLE[0] + reach, edge), radius * 1.1, radius * rng.uniform(0.8, 1.2), paint)
    squeeze = rng.uniform(0.55, 1.0)
    canvas.disc(MIDDLE, radius * squeeze, radius, 0, float(rng.uniform(5, 50)))
    canvas.disc(MIDDLE, radius * squeeze * 0.65, radius * 0.65, 0, float(rng.uniform(60, 220)))
    for turn in np.linspace(0, 2 * np.pi, int(rng.integers(3, 8)), endpoint=False):
        canvas.limb(MIDDLE, at(MIDDLE, radius * 0.6 * squeeze, turn), radius * 0.12, radius * 0.1, float(rng.uniform(20, 200)))


def _draw_load(canvas: Canvas, rng: np.random.Generator) -> None:
    """Boxes stacked, a suitcase, a bin, a trolley."""
    unit = HEIGHT_PX / 5
    foot = MIDDLE[1]
    for _ in range(int(rng.integers(1, 4))):
        wide, high = unit * rng.uniform(0.5, 1.8), unit * rng.uniform(0.4, 1.6)
        x = MIDDLE[0] + unit * rng.normal(0, 0.15)
        canvas.block(x - wide / 2, foot - high, x + wide / 2, foot, _tone(rng))
        foot -= high
    if rng.random() < 0.5:
        for dx in (-0.4, 0.4):
            canvas.disc((MIDDLE[0] + dx * unit, MIDDLE[1] + unit * 0.1), unit * 0.14, unit * 0.14, 0, _tone(rng))
    if rng.random() < 0.4:
        canvas.limb((MIDDLE[0] + unit * 0.5, MIDDLE[1]), at(MIDDLE, unit * 2.2, np.pi - 0.5), unit * 0.1, unit * 0.1, _tone(rng))


def _draw_umbrella(canvas: Canvas, rng: np.random.Generator) -> None:
    """Left standing or blown along, open or closed."""
    unit = HEIGHT_PX / 5
    top = at(MIDDLE, unit * rng.uniform(1.2, 2.4), np.pi + rng.normal(0, 0.3))
    canvas.limb(MIDDLE, top, unit * 0.08, unit * 0.08, _tone(rng))
    flat = rng.uniform(0.25, 0.6)
    canvas.disc(top, unit * rng.uniform(0.9, 1.6), unit * flat, float(rng.normal(0, 15)), _tone(rng))


def _draw_sign(canvas: Canvas, rng: np.random.Generator) -> None:
    """A post with a round or square head, a bollard, a barrier: upright like somebody, but nobody."""
    unit = HEIGHT_PX / 5
    wide = unit * rng.uniform(0.08, 0.5)
    top = at(MIDDLE, unit * rng.uniform(1.5, 3.5), np.pi + rng.normal(0, 0.05))
    canvas.limb(MIDDLE, top, wide, wide * rng.uniform(0.6, 1.0), _tone(rng))
    kind = rng.random()
    size = unit * rng.uniform(0.3, 0.7)
    if kind < 0.35:
        canvas.disc(top, size, size, 0, _tone(rng))
    elif kind < 0.7:
        canvas.block(top[0] - size, top[1] - size * rng.uniform(0.4, 1), top[0] + size, top[1] + size * 0.5, _tone(rng))
    elif kind < 0.85:
        canvas.limb(top, at(top, unit * 3, np.pi / 2 + rng.normal(0, 0.2)), wide, wide, _tone(rng))


def _draw_cloth(canvas: Canvas, rng: np.random.Generator) -> None:
    """A plastic bag, a tarpaulin, a banner in the wind: a crumpled patch of several greys."""
    unit, tone = HEIGHT_PX / 5, _tone(rng)
    place = MIDDLE
    for _ in range(int(rng.integers(2, 7))):
        nxt = (place[0] + unit * rng.normal(0, 0.6), place[1] + unit * rng.normal(0, 0.6))
        wide = unit * rng.uniform(0.3, 1.1)
        canvas.limb(place, nxt, wide, wide * rng.uniform(0.5, 1.2), float(np.clip(tone + rng.normal(0, 25), 0, 255)))
        place = nxt
