"""Drawn marks on grounds and walls: rings, bays, arrows, letters, covers, signs. Outlines like a vehicle's, but flat."""

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["draw_marking"]

Grey = NDArray[np.uint8]
Canvas = NDArray[np.float32]
LETTERS = tuple("ABCEHKMPRSTUXZ0123456789<>^=-")


def draw_marking(ground: Grey, rng: np.random.Generator) -> Grey:
    """`ground` u8 (side, side) with something painted on it or fixed to it, lying flat as the ground does or upright."""
    side_px = len(ground)
    paint = np.zeros((side_px, side_px), np.float32)
    kind = int(rng.integers(5))
    draw = (_rings, _bars, _letters, _cover, _sign)[kind]
    draw(paint, rng)
    if kind < 4:
        paint = _laid_flat(paint, rng)
    soft = cv2.GaussianBlur(paint, (0, 0), float(rng.uniform(0.3, 0.8)) + side_px * float(rng.uniform(0, 0.008)))
    strength = rng.uniform(30, 150) * (1 if rng.random() < 0.75 else -1)
    worn = cv2.resize(rng.uniform(0.4, 1.2, (6, 6)).astype(np.float32), (side_px, side_px), interpolation=cv2.INTER_CUBIC)
    return np.clip(ground + soft * worn * strength, 0, 255).astype(np.uint8)


def _laid_flat(paint: Canvas, rng: np.random.Generator) -> Canvas:
    """As on a pavement that runs away from the camera: turned, squeezed, narrower where it is farther."""
    side_px = len(paint)
    turn = rng.uniform(0, 2 * np.pi)
    corner = (np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * rng.uniform(0.5, 1.3)) @ np.array(
        [[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]
    )
    corner *= (1, rng.uniform(0.15, 1.0))
    corner[:, 0] *= 1 + corner[:, 1] * rng.uniform(0, 0.4)
    moved = (corner * 0.5 + 0.5 + rng.normal(0, 0.12, 2)) * side_px
    whole = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * side_px
    matrix = cv2.getPerspectiveTransform(whole.astype(np.float32), moved.astype(np.float32))
    return np.asarray(cv2.warpPerspective(paint, matrix, (side_px, side_px)), np.float32)


def _rings(paint: Canvas, rng: np.random.Generator) -> None:
    """One to four rings around one another, or arcs of them: a roundel, a drain, tracks of tyres that turned."""
    side_px = len(paint)
    start_deg, length_deg = rng.uniform(0, 360), 360.0 if rng.random() < 0.6 else rng.uniform(60, 300)
    for radius in rng.uniform(0.08, 0.48, int(rng.integers(1, 5))) * side_px:
        place, axes = (side_px // 2, side_px // 2), (max(1, round(radius)), max(1, round(radius * rng.uniform(0.9, 1.1))))
        cv2.ellipse(paint, place, axes, 0, start_deg, start_deg + length_deg, 1.0, _stroke(side_px, rng))


def _bars(paint: Canvas, rng: np.random.Generator) -> None:
    """A crossing, bays, dashes, a rail with its posts."""
    side_px = len(paint)
    pitch = side_px * rng.uniform(0.1, 0.4)
    thick, long = pitch * rng.uniform(0.1, 0.6), side_px * rng.uniform(0.2, 1.0)
    top = rng.uniform(0, side_px - long + 1)
    for x in np.arange(rng.uniform(0, pitch), side_px, pitch):
        cv2.rectangle(paint, (round(x), round(top)), (round(x + thick), round(top + long)), 1.0, cv2.FILLED)
    if rng.random() < 0.5:
        for y in (top, top + long):
            cv2.line(paint, (0, round(y)), (side_px, round(y)), 1.0, _stroke(side_px, rng))


def _letters(paint: Canvas, rng: np.random.Generator) -> None:
    """A word, a number, an arrow."""
    side_px = len(paint)
    text = "".join(str(letter) for letter in rng.choice(LETTERS, int(rng.integers(1, 6))))
    thick = _stroke(side_px, rng)
    (wide, high), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 1.0, thick)
    scale = side_px * rng.uniform(0.4, 0.9) / max(wide, high)
    place = (round((side_px - wide * scale) / 2), round((side_px + high * scale) / 2))
    _write(paint, text, place, scale, 1.0, thick)


def _cover(paint: Canvas, rng: np.random.Generator) -> None:
    """A manhole's cover or a grating: a rim, with bars or studs inside."""
    side_px = len(paint)
    low, high = round(side_px * rng.uniform(0.15, 0.35)), round(side_px * rng.uniform(0.65, 0.85))
    pitch = max(2, round(side_px * rng.uniform(0.03, 0.12)))
    paint[low:high:pitch, low:high] = 1.0
    if rng.random() < 0.5:
        paint[low:high, low:high:pitch] = 1.0
    middle, radius = (side_px // 2, side_px // 2), max(1, (high - low) // 2)
    if rng.random() < 0.5:
        y, x = np.mgrid[:side_px, :side_px] - side_px // 2
        paint[x * x + y * y > radius * radius] = 0.0
        cv2.circle(paint, middle, radius, 1.0, _stroke(side_px, rng))
    else:
        cv2.rectangle(paint, (low, low), (high, high), 1.0, _stroke(side_px, rng))


def _sign(paint: Canvas, rng: np.random.Generator) -> None:
    """A plate or a screen on a wall or post: a field with a rim, an oval, a word or lines on it."""
    side_px = len(paint)
    wide, high = side_px * rng.uniform(0.3, 0.9), side_px * rng.uniform(0.15, 0.6)
    x0, y0 = (side_px - wide) / 2, (side_px - high) / 2 + side_px * rng.normal(0, 0.08)
    low, far = (round(x0), round(y0)), (round(x0 + wide), round(y0 + high))
    cv2.rectangle(paint, low, far, float(rng.uniform(0.2, 1.0)), cv2.FILLED)
    if rng.random() < 0.5:
        cv2.rectangle(paint, low, far, -0.6, _stroke(side_px, rng))
    inner = float(rng.uniform(-1.2, -0.2))
    middle = (side_px // 2, round(y0 + high / 2))
    kind = int(rng.integers(3))
    if kind == 0:
        axes = (max(1, round(wide * rng.uniform(0.15, 0.4))), max(1, round(high * rng.uniform(0.15, 0.4))))
        cv2.ellipse(paint, middle, axes, 0, 0, 360, inner, cv2.FILLED if rng.random() < 0.5 else _stroke(side_px, rng))
    elif kind == 1:
        for y in np.linspace(y0 + high * 0.25, y0 + high * 0.75, int(rng.integers(1, 4))):
            reach = wide * rng.uniform(0.2, 0.4)
            cv2.line(
                paint, (round(middle[0] - reach), round(y)), (round(middle[0] + reach), round(y)), inner, _stroke(side_px, rng)
            )
    else:
        text = "".join(str(letter) for letter in rng.choice(LETTERS, int(rng.integers(2, 6))))
        scale = high / 60
        _write(paint, text, (round(x0 + wide * 0.1), middle[1]), scale, inner, _stroke(side_px, rng))


def _write(paint: Canvas, text: str, place: tuple[int, int], scale: float, tone: float, thick: int) -> None:
    ink = np.zeros(paint.shape, np.uint8)
    cv2.putText(ink, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, 255, thick)
    paint[ink > 127] = tone


def _stroke(side_px: int, rng: np.random.Generator) -> int:
    return max(1, round(side_px * float(np.exp(rng.uniform(np.log(0.01), np.log(0.06))))))
