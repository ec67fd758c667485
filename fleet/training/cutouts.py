"""People and vehicles cut out of their clips, to be pasted before other backgrounds, and what is done to them on the way."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fleet.training.teacher import PERSON, VEHICLE, LabelledClip, overlap

__all__ = ["Cutout", "cut_out", "paste", "vary_person", "vary_vehicle"]

DIFFERENCE_LEVEL = 18  # grey levels from the background that make a pixel part of the thing
MIN_SCORE = 0.6
MIN_PX = 24
LARGEST_PX = 160


@dataclass(frozen=True, slots=True)
class Cutout:
    """A thing without its surroundings: `grey` u8 (h, w), `alpha` f32 (h, w) 0–1, tight around the thing."""

    grey: NDArray[np.uint8]
    alpha: NDArray[np.float32]
    label: int
    clip: str


def cut_out(labelled: LabelledClip, at_most: int, rng: np.random.Generator) -> list[Cutout]:
    """Things of this clip that stand free: found by the teacher, different from the background, not overlapping others."""
    is_thing = (labelled.score >= MIN_SCORE) & (labelled.label >= 0)
    found: list[Cutout] = []
    for index in rng.permutation(np.flatnonzero(is_thing)):
        same = np.flatnonzero((labelled.frame == labelled.frame[index]) & (np.arange(len(labelled.frame)) != index))
        box = labelled.box[index]
        if len(same) and overlap(box[None], labelled.box[same[labelled.score[same] > 0.3]]).max(initial=0) > 0.15:
            continue
        thing = _cut(labelled, int(labelled.frame[index]), box, int(labelled.label[index]))
        if thing is not None:
            found.append(thing)
        if len(found) == at_most:
            break
    return found


def _cut(labelled: LabelledClip, frame: int, box: NDArray[np.float32], label: int) -> Cutout | None:
    """The pixels in `box` that differ from the background; None where they make no whole thing."""
    height_px, width_px = labelled.still.shape
    grow = (box[2:] - box[:2]) * 0.06
    x0, y0 = np.maximum((box[:2] - grow) * (width_px, height_px), 0).astype(int)
    x1, y1 = np.minimum((box[2:] + grow) * (width_px, height_px), (width_px, height_px)).astype(int)
    if min(x1 - x0, y1 - y0) < MIN_PX // 2 or max(x1 - x0, y1 - y0) < MIN_PX:
        return None
    grey, still = labelled.grey[frame, y0:y1, x0:x1], labelled.still[y0:y1, x0:x1]
    away = cv2.GaussianBlur(cv2.absdiff(grey, still), (3, 3), 0) > DIFFERENCE_LEVEL
    k = max(3, min(grey.shape) // 12 | 1)
    solid = cv2.morphologyEx(
        away.astype(np.uint8), cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * k + 1, 2 * k + 1))
    )
    count, part, stats, _ = cv2.connectedComponentsWithStats(solid)
    if count < 2:
        return None
    largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    outline, _ = cv2.findContours((part == largest).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    mask = cv2.drawContours(np.zeros_like(grey), outline, -1, 1, cv2.FILLED)
    filled = float(mask.mean())
    low, high = (0.25, 0.8) if label == PERSON else (0.45, 0.95)
    rows = np.flatnonzero(mask.any(axis=1))
    if not low <= filled <= high or (rows[-1] - rows[0]) < 0.8 * len(mask):
        return None
    alpha = cv2.GaussianBlur(cv2.erode(mask, np.ones((3, 3), np.uint8)).astype(np.float32), (3, 3), 0)
    columns = np.flatnonzero(mask.any(axis=0))
    window = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return _small(Cutout(grey[window].copy(), np.asarray(alpha[window], np.float32), label, labelled.clip.name))


def _small(thing: Cutout) -> Cutout:
    """At most `LARGEST_PX` long: more is never seen of it in a crop, and each variation of it would cost."""
    scale = LARGEST_PX / max(thing.grey.shape)
    if scale >= 1:
        return thing
    grey, alpha = (
        cv2.resize(plane, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) for plane in (thing.grey, thing.alpha)
    )
    return Cutout(np.asarray(grey, np.uint8), np.asarray(alpha, np.float32), thing.label, thing.clip)


def vary_person(thing: Cutout, rng: np.random.Generator) -> Cutout:
    """Another person from the same outline: other clothes (upper and lower part, some patterned), stance, build and lean;
    mirrored half the time."""
    grey = thing.grey.astype(np.float32)
    h = len(grey)
    waist = round(h * rng.uniform(0.42, 0.58))
    head = round(h * rng.uniform(0.10, 0.16))
    brightest = 75 if rng.random() < 0.35 else 230  # many people are in dark clothes from neck to foot
    for part in (np.s_[head:waist], np.s_[waist:]):
        if rng.random() < 0.7 or brightest < 100:
            middle, spread = grey[part].mean(), rng.uniform(0.5, 1.2)
            grey[part] = (grey[part] - middle) * spread + rng.uniform(20, brightest)
        if rng.random() < 0.12:
            grey[part] += _woven(grey[part].shape, h, rng)
    if rng.random() < 0.5:
        grey = np.asarray(cv2.GaussianBlur(grey, (1, 5), 0), np.float32)
    stretch, lean = rng.uniform(0.8, 1.3), rng.normal(0, 0.06)
    other = _warped(grey, thing, stretch, lean, rng)
    return _in_stride(other, rng) if rng.random() < 0.6 else other


def _woven(shape: tuple[int, ...], height_px: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Stripes or checks, in grey levels to add."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32) / height_px
    waves = float(rng.uniform(10, 40)) * 2 * np.pi
    across, down = np.sin(x * waves), np.sin(y * waves)
    kind = int(rng.integers(3))
    pattern = np.sign(across * down) if kind == 0 else np.sign(across) if kind == 1 else np.sign(down)
    return np.asarray(pattern * rng.uniform(10, 60), np.float32)


def _in_stride(thing: Cutout, rng: np.random.Generator) -> Cutout:
    """The same person in another stance: legs apart or crossed, and every outline bent a little, smoothly."""
    room = thing.grey.shape[1] // 3 + 1
    grey = cv2.copyMakeBorder(thing.grey, 0, 0, room, room, cv2.BORDER_REPLICATE)
    alpha = cv2.copyMakeBorder(thing.alpha, 0, 0, room, room, cv2.BORDER_CONSTANT, value=0.0)
    h, w = alpha.shape
    y, x = np.mgrid[:h, :w].astype(np.float32)
    below = np.clip(y / h - rng.uniform(0.45, 0.6), 0, None)
    apart = rng.uniform(-0.15, 0.55) * h * below * np.tanh((x - w / 2) / (0.08 * h))
    bent = cv2.resize(rng.normal(0, 0.02 * h, (5, 3, 2)).astype(np.float32), (w, h), interpolation=cv2.INTER_CUBIC)
    # The way back: what is shown at (x, y) is taken from nearer the middle, where legs stand apart
    from_x = np.asarray(x - apart + bent[..., 0], np.float32)
    from_y = np.asarray(y + bent[..., 1] * 0.5, np.float32)
    moved = cv2.remap(grey, from_x, from_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    shown = cv2.remap(alpha, from_x, from_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0.0)
    return Cutout(np.asarray(moved, np.uint8), np.asarray(shown, np.float32), thing.label, thing.clip)


def vary_vehicle(thing: Cutout, rng: np.random.Generator) -> Cutout:
    """Another vehicle from the same outline: other paint, slightly other shape; mirrored half the time."""
    grey = thing.grey.astype(np.float32)
    if rng.random() < 0.6:
        grey = (grey - grey.mean()) * rng.uniform(0.6, 1.3) + rng.uniform(40, 210)
    return _warped(grey, thing, rng.uniform(0.85, 1.2), rng.normal(0, 0.05), rng)


def _warped(grey: NDArray[np.float32], thing: Cutout, stretch: float, lean: float, rng: np.random.Generator) -> Cutout:
    h, w = grey.shape
    wide = max(4, round(w * stretch + abs(lean) * h))
    matrix = np.array([[stretch, -lean, max(lean, 0) * h], [0, 1, 0]], np.float32)
    moved = cv2.warpAffine(np.clip(grey, 0, 255), matrix, (wide, h), borderMode=cv2.BORDER_REPLICATE)
    alpha = cv2.warpAffine(thing.alpha, matrix, (wide, h))
    if rng.random() < 0.5:
        moved, alpha = moved[:, ::-1], alpha[:, ::-1]
    return Cutout(moved.astype(np.uint8), np.ascontiguousarray(alpha, np.float32), thing.label, thing.clip)


def paste(
    ground: NDArray[np.uint8], thing: Cutout, middle_x: float, middle_y: float, longer_px: float, rng: np.random.Generator
) -> tuple[float, float, float, float]:
    """Put `thing` on `ground` (in place) with its longer side `longer_px` long; left, top, right, bottom in pixels, unclipped.

    Half the time with a soft shadow on the ground. Its brightness keeps clear of the ground's, for what moves unseen is no
    motion either.
    """
    scale = longer_px / max(thing.grey.shape)
    w, h = max(3, round(thing.grey.shape[1] * scale)), max(3, round(thing.grey.shape[0] * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    grey = cv2.resize(thing.grey, (w, h), interpolation=how).astype(np.float32)
    alpha = cv2.resize(thing.alpha, (w, h), interpolation=how)
    left, top = round(middle_x - w / 2), round(middle_y - h / 2)
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + w, ground.shape[1]), min(top + h, ground.shape[0])
    if x1 <= x0 or y1 <= y0:
        return left, top, left + w, top + h
    view = ground[y0:y1, x0:x1]
    window = np.s_[y0 - top : y1 - top, x0 - left : x1 - left]
    grey, alpha = grey[window], alpha[window]
    if thing.label == VEHICLE or rng.random() < 0.5:
        _shade(ground, (left + w / 2, top + h * 0.98), w, rng)
    gap = float((grey * alpha).sum() / max(alpha.sum(), 1e-3) - view.mean())
    if abs(gap) < 18:
        grey = grey + (rng.uniform(18, 60) * (1 if gap >= 0 else -1) - gap)
    view[:] = np.clip(grey * alpha + view * (1 - alpha), 0, 255).astype(np.uint8)
    return left, top, left + w, top + h


def _shade(ground: NDArray[np.uint8], foot: tuple[float, float], width_px: int, rng: np.random.Generator) -> None:
    """Darken an ellipse at the feet."""
    shade = np.zeros(ground.shape, np.float32)
    axes = (max(1, round(width_px * rng.uniform(0.4, 0.9))), max(1, round(width_px * rng.uniform(0.06, 0.2))))
    middle = (round(foot[0] + rng.normal(0, 0.2) * width_px), round(foot[1]))
    cv2.ellipse(shade, middle, axes, rng.normal(0, 6), 0, 360, float(rng.uniform(0.2, 0.6)), cv2.FILLED)
    soft = cv2.GaussianBlur(shade, (0, 0), max(0.8, width_px * 0.05))
    ground[:] = (ground * (1 - soft)).astype(np.uint8)
