"""Squares made for training: people, vehicles and things pasted before other grounds, groups of people, parts, plain grounds."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from detect.crops import CROP_CONTEXT, CROP_PX
from fleet.training.cutouts import Cutout, paste, vary_person, vary_vehicle
from fleet.training.figures import draw_figure
from fleet.training.infrared import lit_by_infrared, under_infrared
from fleet.training.rooms import draw_before
from fleet.training.teacher import PERSON, VEHICLE, LabelledClip, overlap
from fleet.training.textures import draw_ground

__all__ = ["at_size", "empty_ground", "fragment", "group", "pasted", "pick", "side_px"]

Grey = NDArray[np.uint8]
SUSPECT = 0.45  # teacher's score from which a place has been somebody's


def side_px(rng: np.random.Generator) -> int:
    """Pixels the crop had in its camera's picture: small things are blurred, large ones are sharp."""
    return round(float(np.exp(rng.uniform(np.log(24), np.log(200)))))


def at_size(ground: Grey, rng: np.random.Generator) -> Grey:
    """A square as the camera's encoder and our crop would show it; one in ten as an infrared camera sees it, and one in ten
    behind a branch, pole or fence."""
    side = len(ground)
    if rng.random() < 0.1:
        ground = draw_before(ground, rng)
    if rng.random() < 0.1:
        ground = under_infrared(ground, rng)
    if rng.random() < 0.5:
        quality = int(rng.integers(15, 70))
        ok, data = cv2.imencode(".jpg", ground, [cv2.IMWRITE_JPEG_QUALITY, quality])
        assert ok
        ground = np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)
    how = cv2.INTER_AREA if side >= CROP_PX else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(ground, (CROP_PX, CROP_PX), interpolation=how), np.uint8)


def empty_ground(clips: Sequence[LabelledClip], side: int, rng: np.random.Generator) -> Grey:
    """An empty square of `side` pixels: half from a clip's background where nothing was ever suspected, half drawn."""
    if rng.random() < 0.5:
        return draw_ground(side, rng)
    for _ in range(8):
        clip = clips[int(rng.integers(len(clips)))]
        h, w = clip.still.shape
        span = min(h, w, round(side * float(np.exp(rng.uniform(-0.7, 0.7)))))
        x, y = int(rng.integers(0, w - span + 1)), int(rng.integers(0, h - span + 1))
        box = np.array([[x / w, y / h, (x + span) / w, (y + span) / h]], np.float32)
        often = clip.score > SUSPECT
        if overlap(box, clip.box[often]).max(initial=0) < 0.02 or clip.clip.moving:
            patch = clip.still[y : y + span, x : x + span]
            patch = patch[:, ::-1] if rng.random() < 0.5 else patch
            patch = _leaned(patch, rng) if rng.random() < 0.4 else patch
            how = cv2.INTER_AREA if span > side else cv2.INTER_LINEAR
            return np.array(cv2.resize(patch, (side, side), interpolation=how), np.uint8)
    return draw_ground(side, rng)


def _leaned(patch: Grey, rng: np.random.Generator) -> Grey:
    """The same place from another stand: its corners pulled apart, what is missing mirrored in."""
    h, w = patch.shape
    corner = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32)
    moved = corner + (rng.uniform(-0.3, 0.3, (4, 2)) * (w, h)).astype(np.float32)
    matrix = cv2.getPerspectiveTransform(corner, np.asarray(moved, np.float32))
    return np.asarray(cv2.warpPerspective(patch, matrix, (w, h), borderMode=cv2.BORDER_REFLECT), np.uint8)


def pasted(thing: Cutout, clips: Sequence[LabelledClip], rng: np.random.Generator) -> Grey:
    """A thing before another background, roughly in the middle, sometimes with others beside it or with its lower part hidden."""
    side = side_px(rng)
    ground = empty_ground(clips, side, rng)
    vary = vary_person if thing.label == PERSON else vary_vehicle
    longer = side / CROP_CONTEXT * float(np.exp(rng.normal(-0.05, 0.15)))
    x, y = side * (0.5 + rng.normal(0, 0.06, 2))
    if thing.label == PERSON and rng.random() < 0.1:  # from close by: head and trunk fill the crop
        longer *= float(rng.uniform(1.3, 1.8))
        y = side * rng.uniform(0.05, 0.2) + longer / 2
    clear = ground.copy()
    for _ in range(int(rng.choice((0, 1, 2), p=(0.5, 0.3, 0.2)))):
        paste(ground, vary(thing, rng), x + side * rng.normal(0, 0.3), y, longer * rng.uniform(0.7, 1.1), rng)
    shown = vary(thing, rng)
    if rng.random() < 0.15:
        shown = lit_by_infrared(shown, rng)
        ground[:] = under_infrared(ground, rng)
    if thing.label == VEHICLE and rng.random() < 0.08:
        return at_size(_entering(ground, shown, rng), rng)
    _, top, _, bottom = paste(ground, shown, x, y, longer, rng)
    if thing.label == VEHICLE and rng.random() < 0.12:  # long enough to be seen on both sides of a pole
        ground = draw_before(ground, rng)
    if rng.random() < 0.12:
        line = round(bottom - (bottom - top) * rng.uniform(0.15, 0.45))
        ground[max(line, 0) :] = np.roll(clear, int(rng.integers(side)), axis=1)[max(line, 0) :]
    return at_size(ground, rng)


def _entering(ground: Grey, thing: Cutout, rng: np.random.Generator) -> Grey:
    """A thing that the picture's border cuts off: what shows of it fills the crop, which repeats the outermost pixels beyond."""
    side = len(ground)
    h, w = thing.grey.shape
    hidden = float(rng.uniform(0.15, 0.6))
    across = rng.random() < 0.5  # left or right border, else upper or lower
    ahead, beside = (w, h) if across else (h, w)
    scale = side / CROP_CONTEXT / max(ahead * (1 - hidden), beside)
    border = side / 2 + ahead * (1 - hidden) * scale / 2
    middle = border + ahead * (hidden - 0.5) * scale
    x, y = (middle, side / 2) if across else (side / 2, middle)
    if flipped := rng.random() < 0.5:
        x, y = (side - x, y) if across else (x, side - y)
    paste(ground, thing, x, y, max(h, w) * scale, rng)
    turned = ground if across else ground.T
    turned = turned[:, ::-1] if flipped else turned
    last = min(round(border), side)
    turned[:, last:] = turned[:, last - 1 : last]
    return ground


def group(people: Sequence[Cutout], clips: Sequence[LabelledClip], rng: np.random.Generator) -> Grey:
    """Several people side by side, wider than tall, as motion joins them into one box."""
    side = side_px(rng)
    ground = empty_ground(clips, side, rng)
    count = int(rng.integers(2, 5))
    height = side / CROP_CONTEXT * float(rng.uniform(0.5, 0.95))
    foot = side / 2 + height / 2 + side * rng.normal(0, 0.05)
    for place in rng.permutation(np.linspace(-0.5, 0.5, count)):
        tall = height * rng.uniform(0.8, 1.1)
        one = draw_figure(rng) if rng.random() < 0.4 else pick(people, rng)
        x = side * (0.5 + place * rng.uniform(0.25, 0.8) + rng.normal(0, 0.04))
        paste(ground, vary_person(one, rng), x, foot - tall / 2 + side * rng.normal(0, 0.02), tall, rng)
    return at_size(ground, rng)


def fragment(thing: Cutout, clips: Sequence[LabelledClip], rng: np.random.Generator) -> Grey:
    """A small part of a thing seen from close by: an arm, a shoe, a wheel. Too little to call anybody."""
    side = side_px(rng)
    ground = empty_ground(clips, side, rng)
    vary = vary_person if thing.label == PERSON else vary_vehicle
    longer = side * rng.uniform(3.5, 7.0)
    shown = vary(thing, rng)
    h, w = shown.grey.shape
    scale = longer / max(h, w)
    # Somewhere near the outline, not at the head.
    y = side / 2 - (rng.uniform(0.3, 1.0) - 0.5) * h * scale
    x = side / 2 - rng.choice([-0.5, 0.5]) * w * scale * rng.uniform(0.6, 1.1)
    paste(ground, shown, x, y, longer, rng)
    return at_size(ground, rng)


def pick(things: Sequence[Cutout], rng: np.random.Generator) -> Cutout:
    """One of `things`, each as likely."""
    return things[int(rng.integers(len(things)))]
