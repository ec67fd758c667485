"""People on foot and on two wheels, built of rounded limbs that swing with the distance gone; own axes: forward, left, up."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ingest.simulate.figure import Figure, Part
from ingest.simulate.texture import Colour
from ingest.simulate.view import Array

__all__ = ["Bike", "Person", "bicycle", "dress", "scooter", "walker"]

_POSES = 32  # of one stride: finer than the eye can tell at 15 frames/s
_SKIN: tuple[Colour, ...] = ((142, 172, 208), (128, 158, 196), (150, 182, 214))
_HAIR: Colour = (34, 32, 34)
_TOPS: tuple[Colour, ...] = (
    (60, 56, 168),
    (170, 110, 46),
    (58, 58, 60),
    (206, 208, 210),
    (60, 110, 66),
    (140, 140, 138),
    (104, 66, 110),
    (50, 150, 196),
    (92, 58, 40),
    (180, 168, 196),
)
_TROUSERS: tuple[Colour, ...] = ((44, 40, 38), (88, 62, 44), (70, 70, 72), (98, 112, 126), (36, 36, 40))
_SHOES: tuple[Colour, ...] = ((40, 38, 38), (198, 198, 200), (60, 60, 120))


@dataclass(frozen=True, slots=True)
class Person:
    """How somebody looks. `height_m` also sets the stride."""

    height_m: float
    build: float
    skin: Colour
    top: Colour
    trousers: Colour
    shoes: Colour
    long_coat: bool = False
    bag: str = ""  # "", hand, back
    hat: Colour | None = None
    vest: Colour | None = None
    umbrella: Colour | None = None


@dataclass(frozen=True, slots=True)
class Bike:
    """Two wheels: a bicycle, or an electric scooter if `scooter`, with a courier's box if `box`."""

    frame: Colour
    scooter: bool = False
    box: Colour | None = None


def dress(rng: np.random.Generator, rain: bool = False, guard: bool = False) -> Person:
    """Somebody at random; a guard wears the uniform of the property company."""
    umbrella: Colour | None = None
    if rain and rng.random() < 0.75 and not guard:
        shades: tuple[Colour, ...] = ((60, 50, 170), (150, 90, 40), (50, 50, 52), (70, 130, 70), (150, 120, 190))
        umbrella = _pick(rng, shades)
    return Person(
        height_m=float(rng.uniform(1.56, 1.80)),
        build=float(rng.uniform(0.92, 1.14)),
        skin=_pick(rng, _SKIN),
        top=(92, 58, 40) if guard else _pick(rng, _TOPS),
        trousers=(58, 42, 34) if guard else _pick(rng, _TROUSERS),
        shoes=_pick(rng, _SHOES),
        long_coat=not guard and bool(rng.random() < 0.25),
        bag="" if guard else ("", "", "hand", "back")[int(rng.integers(4))],
        hat=(60, 40, 30) if guard else None,
        vest=(60, 235, 215) if guard else None,
        umbrella=umbrella,
    )


def _pick(rng: np.random.Generator, options: tuple[Colour, ...]) -> Colour:
    return options[int(rng.integers(len(options)))]


def _rod(a: Array, b: Array, ra: float, rb: float, colour: Colour) -> Part:
    return Part(np.array([a, b], np.float32), np.array([ra, rb], np.float32), colour)


def _ball(at: Array, radius: float, colour: Colour) -> Part:
    return Part(np.array([at], np.float32), np.array([radius], np.float32), colour)


def _polar(angle: float, length: float) -> Array:
    """A step from a joint: `angle` from straight down, forwards positive."""
    return np.array([np.sin(angle) * length, 0.0, -np.cos(angle) * length], np.float32)


def walker(person: Person, gone_m: float, speed_m_s: float) -> Figure:
    """Somebody walking, `gone_m` metres into the way; standing when `speed_m_s` is 0. Steps repeat, so they are kept."""
    stride_m = 0.83 * person.height_m
    return _step(person, round(gone_m / stride_m * _POSES) % _POSES, round(speed_m_s, 1))


@lru_cache(2048)
def _step(person: Person, pose: int, speed_m_s: float) -> Figure:
    h = person.height_m
    phase = 2 * np.pi * pose / _POSES
    swing = 0.46 * min(1.25, speed_m_s / 1.3)
    hip = 0.51 * h
    legs, low = [], 0.0
    for side, turn in ((0.085, 0.0), (-0.085, np.pi)):
        angle = swing * np.sin(phase + turn)
        bend = 0.06 + min(1.0, speed_m_s) * 0.85 * max(0.0, np.cos(phase + turn)) ** 1.5
        top = np.array([0, side * person.build, hip], np.float32)
        knee = top + _polar(float(angle), 0.245 * h)
        ankle = knee + _polar(float(angle - bend), 0.235 * h)
        legs.append((top, knee, ankle, float(angle - bend)))
        low = min(low, float(ankle[2]) - 0.045) if low else float(ankle[2]) - 0.045
    parts = []
    b = person.build
    for top, knee, ankle, angle in legs:
        parts.append(_rod(top, knee, 0.088 * b, 0.062 * b, person.trousers))
        parts.append(_rod(knee, ankle, 0.062 * b, 0.045 * b, person.trousers))
        toe = ankle + np.array([0.15 * np.cos(angle * 0.6), 0, 0.15 * np.sin(angle * 0.6) - 0.02], np.float32)
        parts.append(_rod(ankle + np.array([-0.03, 0, -0.02], np.float32), toe, 0.045, 0.035, person.shoes))
    parts += _trunk(person, hip, float(0.05 * min(1.0, speed_m_s)))
    parts += _arms(person, float(-0.75 * swing * np.sin(phase)), speed_m_s)
    figure = Figure.of(parts)
    figure.point[:, 2] -= low  # the lower foot stands on the ground
    return figure


def _trunk(person: Person, hip: float, lean: float) -> list[Part]:
    """Hips to head, leaning forwards by `lean` metres at the shoulders."""
    h, b = person.height_m, person.build
    shoulder, side = 0.80 * h, 0.155 * b
    hem = hip - (0.16 * h if person.long_coat else 0.02)
    corners = np.array([(lean, side, shoulder), (lean, -side, shoulder), (0, 0.10 * b, hem), (0, -0.10 * b, hem)], np.float32)
    radius = np.array([0.075, 0.075, 0.085, 0.085], np.float32) * b
    parts = [Part(corners, radius, person.top)]
    if person.vest is not None:
        parts.append(Part(corners, radius * 1.04, person.vest))
        belt = (hip + shoulder) / 2
        band = np.array([(0.02, side * 0.95, belt), (0.02, -side * 0.95, belt)], np.float32)
        parts.append(Part(band, np.array([0.045, 0.045], np.float32), (235, 240, 240)))
    neck = np.array([lean, 0, 0.845 * h], np.float32)
    head = np.array([lean + 0.02, 0, 0.925 * h], np.float32)
    parts.append(_rod(neck, head, 0.05, 0.05, person.skin))
    parts.append(
        _rod(head - np.array([0, 0, 0.025], np.float32), head + np.array([0.0, 0, 0.02], np.float32), 0.082, 0.09, person.skin)
    )
    parts.append(
        _rod(head + np.array([-0.045, 0, 0.0], np.float32), head + np.array([-0.008, 0, 0.05], np.float32), 0.088, 0.09, _HAIR)
    )
    if person.hat is not None:
        parts.append(
            _rod(
                head + np.array([-0.02, 0, 0.07], np.float32),
                head + np.array([0.1, 0, 0.05], np.float32),
                0.085,
                0.05,
                person.hat,
            )
        )
    if person.bag == "back":
        at = np.array([-0.2 + lean, 0, 0.68 * h], np.float32)
        parts.append(_rod(at, at + np.array([0, 0, 0.16], np.float32), 0.13, 0.11, (60, 50, 46)))
    return parts


def _arms(person: Person, swing: float, speed_m_s: float) -> list[Part]:
    h, b = person.height_m, person.build
    parts: list[Part] = []
    for side, sign in ((1, 1.0), (-1, -1.0)):
        shoulder = np.array([0.04, side * 0.185 * b, 0.795 * h], np.float32)
        if person.umbrella is not None and side < 0:
            hand = np.array([0.26, -0.1, 0.72 * h], np.float32)
            elbow: Array = np.array([0.1, -0.26 * b, 0.62 * h], np.float32)
            parts += [_rod(shoulder, elbow, 0.055 * b, 0.045, person.top), _rod(elbow, hand, 0.045, 0.038, person.top)]
            parts += _umbrella(hand, h, person.umbrella)
            continue
        elbow = shoulder + _polar(sign * swing, 0.17 * h) + np.array([0, side * 0.03, 0], np.float32)
        wrist = elbow + _polar(sign * swing + 0.22 + 0.12 * min(1.0, speed_m_s), 0.155 * h)
        parts += [_rod(shoulder, elbow, 0.055 * b, 0.045 * b, person.top), _rod(elbow, wrist, 0.045 * b, 0.034, person.top)]
        parts.append(_ball(wrist + _polar(sign * swing + 0.25, 0.05), 0.042, person.skin))
        if person.bag == "hand" and side > 0:
            low = wrist + np.array([0, 0, -0.26], np.float32)
            parts.append(_rod(low, low + np.array([0.08, 0, 0.1], np.float32), 0.12, 0.06, (170, 176, 186)))
    return parts


def _umbrella(hand: Array, h: float, colour: Colour) -> list[Part]:
    turns = np.linspace(0, 2 * np.pi, 11)[:-1]
    rim = np.column_stack([0.08 + np.cos(turns) * 0.52, np.sin(turns) * 0.52, np.full(10, h + 0.12)])
    top = np.array([0.08, 0, h + 0.34], np.float32)
    dome = np.column_stack([0.08 + np.cos(turns) * 0.33, np.sin(turns) * 0.33, np.full(10, h + 0.28)])
    cloth = np.vstack([rim, dome, top]).astype(np.float32)
    stick = _rod(hand, np.array([0.08, 0, h + 0.36], np.float32), 0.012, 0.012, (60, 60, 60))
    return [stick, Part(cloth, np.full(len(cloth), 0.01, np.float32), colour)]


def bicycle(person: Person, bike: Bike, gone_m: float) -> Figure:
    """Somebody on a bicycle; the pedals turn with the way, once in six metres."""
    return _pedal(person, bike, round(gone_m / 6.0 * _POSES) % _POSES)


@lru_cache(2048)
def _pedal(person: Person, bike: Bike, pose: int) -> Figure:
    turn = 2 * np.pi * pose / _POSES
    crank = np.array([0.05, 0, 0.29], np.float32)
    saddle = np.array([-0.16, 0, 0.86], np.float32)
    bar = np.array([0.48, 0, 0.98], np.float32)
    parts = _wheels(0.53, 0.32)
    for a, b in (
        (crank, saddle),
        (crank, bar),
        (saddle - np.array([-0.02, 0, 0.1], np.float32), bar - np.array([0.05, 0, 0.2], np.float32)),
    ):
        parts.append(_rod(a, b, 0.025, 0.025, bike.frame))
    parts.append(_rod(np.array([-0.53, 0, 0.32], np.float32), crank, 0.02, 0.02, bike.frame))
    parts.append(_rod(np.array([-0.53, 0, 0.32], np.float32), saddle, 0.018, 0.018, bike.frame))
    parts.append(_rod(np.array([0.53, 0, 0.32], np.float32), bar, 0.022, 0.022, bike.frame))
    parts.append(
        _rod(bar + np.array([0, 0.25, 0], np.float32), bar + np.array([0, -0.25, 0], np.float32), 0.018, 0.018, (70, 70, 70))
    )
    parts.append(
        _rod(
            saddle + np.array([-0.1, 0, 0.02], np.float32),
            saddle + np.array([0.1, 0, 0.02], np.float32),
            0.06,
            0.03,
            (30, 30, 30),
        )
    )
    for side, ahead in ((1, 0.0), (-1, np.pi)):
        pedal = crank + np.array([np.sin(turn + ahead) * 0.17, side * 0.12, np.cos(turn + ahead) * 0.17], np.float32)
        parts += _leg(person, saddle + np.array([0.02, side * 0.09, 0.03], np.float32), pedal)
    return _seated(person, parts, saddle, bar, lean=0.26)


@lru_cache(64)
def scooter(person: Person, bike: Bike) -> Figure:
    """Somebody on an electric scooter, feet on its board."""
    saddle = np.array([-0.25, 0, 0.74], np.float32)
    bar = np.array([0.38, 0, 0.98], np.float32)
    parts = _wheels(0.58, 0.22, tyre=0.05)
    body = np.array([(-0.62, 0, 0.42), (-0.58, 0, 0.66), (-0.02, 0, 0.66), (0.0, 0, 0.36), (-0.3, 0, 0.3)], np.float32)
    parts.append(Part(body, np.full(5, 0.11, np.float32), bike.frame))
    parts.append(_rod(np.array([0.0, 0, 0.28], np.float32), np.array([0.36, 0, 0.28], np.float32), 0.08, 0.08, bike.frame))
    parts.append(_rod(np.array([0.42, 0, 0.34], np.float32), np.array([0.42, 0, 0.9], np.float32), 0.13, 0.08, bike.frame))
    parts.append(_rod(np.array([0.58, 0, 0.24], np.float32), bar, 0.03, 0.03, (60, 60, 60)))
    parts.append(
        _rod(
            saddle + np.array([-0.25, 0, 0.0], np.float32), saddle + np.array([0.2, 0, 0.0], np.float32), 0.09, 0.07, (28, 28, 28)
        )
    )
    parts.append(
        _rod(bar + np.array([0, 0.3, 0], np.float32), bar + np.array([0, -0.3, 0], np.float32), 0.02, 0.02, (40, 40, 40))
    )
    if bike.box is not None:
        for z in (0.86, 1.0, 1.14):
            box = np.array([(-0.8, 0.2, z), (-0.8, -0.2, z), (-0.42, 0.2, z), (-0.42, -0.2, z)], np.float32)
            parts.append(Part(box, np.full(4, 0.05, np.float32), bike.box))
    for side in (1, -1):
        parts += _leg(
            person, saddle + np.array([0.05, side * 0.11, 0.06], np.float32), np.array([0.2, side * 0.13, 0.36], np.float32)
        )
    return _seated(person, parts, saddle, bar, lean=0.08)


def _wheels(axle_m: float, radius_m: float, tyre: float = 0.022) -> list[Part]:
    turns = np.linspace(0, 2 * np.pi, 19)[:-1]
    parts = []
    for at in (-axle_m, axle_m):
        ring = np.column_stack(
            [at + np.cos(turns) * (radius_m - tyre), np.zeros(18), radius_m + np.sin(turns) * (radius_m - tyre)]
        )
        parts.append(Part(ring.astype(np.float32), np.full(18, tyre, np.float32), (30, 30, 30), line=True))
        parts.append(_ball(np.array([at, 0, radius_m], np.float32), 0.05, (120, 120, 120)))
    return parts


def _leg(person: Person, hip: Array, foot: Array) -> list[Part]:
    """Thigh and shin from a hip to a foot, the knee where both fit, forwards."""
    long = 0.245 * person.height_m
    line = foot - hip
    reach = min(float(np.linalg.norm(line)), 2 * long * 0.99)
    middle = (hip + foot) / 2
    out = np.array([line[2], 0, -line[0]], np.float32) / (float(np.hypot(line[0], line[2])) + 1e-6)
    out = out if out[0] > 0 else -out
    knee = middle + out * float(np.sqrt(max(0.0, long**2 - (reach / 2) ** 2)))
    b = person.build
    return [
        _rod(hip, knee, 0.085 * b, 0.06 * b, person.trousers),
        _rod(knee, foot, 0.058 * b, 0.043 * b, person.trousers),
        _rod(
            foot + np.array([-0.05, 0, -0.03], np.float32),
            foot + np.array([0.13, 0, -0.03], np.float32),
            0.042,
            0.035,
            person.shoes,
        ),
    ]


def _seated(person: Person, parts: list[Part], saddle: Array, bar: Array, lean: float) -> Figure:
    """The vehicle's parts with a rider's trunk, arms and head."""
    h, b = person.height_m, person.build
    hip = saddle + np.array([0, 0, 0.06], np.float32)
    neck = hip + np.array([lean, 0, 0.30 * h], np.float32)
    at_neck, at_hip = np.array([0, 0.15 * b, 0], np.float32), np.array([0, 0.1 * b, 0], np.float32)
    corners = np.array([neck + at_neck, neck - at_neck, hip + at_hip, hip - at_hip], np.float32)
    parts.append(Part(corners, np.array([0.075, 0.075, 0.095, 0.095], np.float32) * b, person.top))
    for side in (1, -1):
        shoulder = neck + np.array([0.02, side * 0.18 * b, -0.01], np.float32)
        grip = bar + np.array([0, side * 0.24, 0.02], np.float32)
        elbow = (shoulder + grip) / 2 + np.array([-0.04, side * 0.05, -0.08], np.float32)
        parts += [_rod(shoulder, elbow, 0.053 * b, 0.043 * b, person.top), _rod(elbow, grip, 0.043 * b, 0.035, person.top)]
    head = neck + np.array([0.06, 0, 0.13 * h], np.float32)
    parts.append(_rod(neck, head, 0.05, 0.05, person.skin))
    parts.append(_ball(head, 0.095, person.skin))
    cover = person.hat if person.hat is not None else _HAIR
    parts.append(
        _rod(head + np.array([-0.04, 0, 0.0], np.float32), head + np.array([-0.005, 0, 0.045], np.float32), 0.095, 0.1, cover)
    )
    return Figure.of(parts)
