"""The crops to learn from: real ones, pasted ones, drawn ones, each with where it came from."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from detect.crops import CROP_CONTEXT, CROP_PX, cut_crops
from fleet.training.cutouts import Cutout, cut_out, paste, vary_person, vary_vehicle
from fleet.training.figures import draw_figure
from fleet.training.regions import OTHER, name_regions, regions_of, shown
from fleet.training.teacher import PERSON, VEHICLE, LabelledClip, overlap
from fleet.training.textures import draw_clutter, draw_ground, draw_light

__all__ = ["LABELS", "OTHER", "Crops", "Scene", "collect", "empty_boxes", "jittered", "join"]

logger = logging.getLogger(__name__)

LABELS = ("person", "vehicle", "other")
FRAMES_PER_S = 25.0  # of the clips, near enough for motion
SURE = 0.45  # teacher's score from which a box counts as what it says
SMALLEST_PX = 12  # of a box's longer side in the clip's own pixels
SMALLEST_DRAWN_PX = 22  # high; less is often the sliver of somebody behind a hedge, of which the truth knows only the outline
OTHER_AGAIN = 4
CUTOUTS = {PERSON: 150, VEHICLE: 60}  # taken from one clip
Grey = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Crops:
    """Columns of equal length N: `crop` u8 (N, 64, 64), `label` int64 (N,) into LABELS, `source` as text, one for each crop."""

    crop: Grey
    label: NDArray[np.int64]
    source: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.crop.shape != (len(self.label), CROP_PX, CROP_PX) or len(self.source) != len(self.label):
            raise ValueError(f"Crops: expected {len(self.label)} rows, got crop {self.crop.shape}, source {len(self.source)}")

    def counted(self) -> dict[str, int]:
        """How many crops there are of each source and label."""
        keys = [f"{source} {LABELS[label]}" for source, label in zip(self.source, self.label, strict=True)]
        return {key: keys.count(key) for key in sorted(set(keys))}


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture of a drawn scene: `grey` u8 (h, w), `box` f32 (M, 4) fractions of what is there, `label` int64 (M,), `region`
    f32 (R, 4) what motion found, `name` of the kind of scene."""

    grey: Grey
    box: NDArray[np.float32]
    label: NDArray[np.int64]
    region: NDArray[np.float32]
    name: str


def join(parts: Sequence[Crops]) -> Crops:
    """All crops of `parts`, in order."""
    crop = np.concatenate([part.crop for part in parts])
    label = np.concatenate([part.label for part in parts])
    return Crops(crop, label, tuple(text for part in parts for text in part.source))


def collect(clips: Sequence[LabelledClip], scenes: Sequence[Scene], pasted: int, seed: int) -> Crops:
    """Everything to learn from: `pasted` crops of each kind of paste, real crops of every clip, drawn scenes if any."""
    rng = np.random.default_rng(seed)
    things = [thing for clip in clips for label in (PERSON, VEHICLE) for thing in _cutouts_of(clip, label, rng)]
    people = [thing for thing in things if thing.label == PERSON]
    vehicles = [thing for thing in things if thing.label == VEHICLE]
    logger.info("%d people and %d vehicles cut out", len(people), len(vehicles))
    makers: dict[str, tuple[int, Callable[[], Grey], int]] = {
        "pasted": (PERSON, lambda: _pasted(_pick(people, rng), clips, rng), pasted * 2 // 5),
        "groups": (PERSON, lambda: _group(people, clips, rng), pasted // 5),
        "figures": (PERSON, lambda: _pasted(draw_figure(rng), clips, rng), pasted * 2 // 5),
        "pasted vehicles": (VEHICLE, lambda: _pasted(_pick(vehicles, rng), clips, rng), pasted * 2 // 5),
        "grounds": (OTHER, lambda: _at_size(_ground(clips, _side(rng), rng), rng), pasted * 3 // 5),
        "clutter": (OTHER, lambda: _at_size(draw_clutter(_ground(clips, _side(rng), rng), rng), rng), pasted * 2 // 5),
        "lights": (OTHER, lambda: _at_size(draw_light(_ground(clips, _side(rng), rng), rng), rng), pasted // 4),
        "fragments": (
            OTHER,
            lambda: _fragment(_pick(people if rng.random() < 0.7 else vehicles, rng), clips, rng),
            pasted * 3 // 10,
        ),
    }
    parts = [_real(clip, rng) for clip in clips] + [_drawn(scenes, rng)]
    for name, (label, make, count) in makers.items():
        crop = np.stack([make() for _ in range(count)])
        parts.append(Crops(crop, np.full(count, label, np.int64), (name,) * count))
    return join([part for part in parts if len(part.label)])


def jittered(box: NDArray[np.float32], width_px: int, height_px: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Boxes (N, 4) as a motion detector would have found them: moved and scaled, small ones more."""
    size = box[:, 2:] - box[:, :2]
    middle = (box[:, 2:] + box[:, :2]) / 2
    slack = np.asarray([2.0 / width_px, 2.0 / height_px])  # half a cell of motion
    middle = middle + rng.normal(0, 1, middle.shape) * (0.06 * size + slack)
    size = size * np.exp(rng.normal(0.05, 0.15, size.shape)) + np.abs(rng.normal(0, 1, size.shape)) * slack
    return np.concatenate([middle - size / 2, middle + size / 2], axis=1).astype(np.float32)


def _cutouts_of(clip: LabelledClip, label: int, rng: np.random.Generator) -> list[Cutout]:
    return [thing for thing in cut_out(clip, sum(CUTOUTS.values()), rng) if thing.label == label][: CUTOUTS[label]]


def _pick(things: Sequence[Cutout], rng: np.random.Generator) -> Cutout:
    return things[int(rng.integers(len(things)))]


def _real(clip: LabelledClip, rng: np.random.Generator) -> Crops:
    """Crops of what the teacher is sure of, a second jitter of each person, and of places where it saw nothing at all."""
    h, w = clip.still.shape
    longer = ((clip.box[:, 2:] - clip.box[:, :2]) * (w, h)).max(axis=1)
    known = (clip.label == VEHICLE) | ((clip.label == PERSON) & clip.clip.people) | (clip.clip.moving != "")
    sure = np.flatnonzero((clip.score >= SURE) & (longer >= SMALLEST_PX) & known)
    pick = rng.permutation(sure)[:700]
    pick = np.concatenate([pick, pick[clip.label[pick] == PERSON], pick[clip.label[pick] == PERSON]])
    crops, labels = _moving(clip, rng)
    for frame in np.unique(clip.frame[pick]):
        rows = pick[clip.frame[pick] == frame]
        crops.append(cut_crops(clip.grey[frame], jittered(clip.box[rows], w, h, rng)))
        labels.append(np.where(clip.label[rows] < 0, OTHER, clip.label[rows]))
        empty = empty_boxes(_places(8, w, h, rng), clip.box[clip.frame == frame], w, h)
        crops.append(cut_crops(clip.grey[frame], empty))
        labels.append(np.full(len(empty), OTHER))
    label = np.concatenate(labels).astype(np.int64) if labels else np.empty(0, np.int64)
    crop = np.concatenate(crops) if crops else np.empty((0, CROP_PX, CROP_PX), np.uint8)
    return Crops(crop, label, (clip.clip.name,) * len(label))


def _moving(clip: LabelledClip, rng: np.random.Generator, at_most: int = 500) -> tuple[list[Grey], list[NDArray[np.int64]]]:
    """Crops of what motion finds where the teacher agrees; strong motion without a box may be anything and is left out."""
    h, w = clip.still.shape
    crops: list[Grey] = []
    labels: list[NDArray[np.int64]] = []
    moving = regions_of(list(clip.grey), clip.clip.step / FRAMES_PER_S)
    for frame in rng.permutation(len(moving)):
        row = np.flatnonzero((clip.frame == frame) & (clip.score >= SURE) & (clip.label >= 0))
        if sum(map(len, labels)) >= at_most or (len(row) and not clip.clip.people and (clip.label[row] == PERSON).any()):
            continue
        named = name_regions(moving[frame], clip.box[row], clip.label[row].astype(np.int64), w, h)
        if clip.clip.moving != "other":
            named[named == OTHER] = -1
        crops.append(cut_crops(clip.grey[frame], moving[frame][named >= 0]))
        labels.append(named[named >= 0])
    return crops, labels


def empty_boxes(
    box: NDArray[np.float32], taken: NDArray[np.float32], width_px: int, height_px: int, touch: float = 0.02
) -> NDArray[np.float32]:
    """Those of `box` (N, 4) whose whole crop, context included, shows less than `touch` of its area of any in `taken` (M, 4), and
    of each of these less than a quarter."""
    seen = shown(box, width_px, height_px)
    free = (overlap(seen, taken).max(axis=1, initial=0) < touch) & (overlap(taken, seen).max(axis=0, initial=0) < 0.25)
    return np.asarray(box[free], np.float32)


def _places(count: int, width_px: int, height_px: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Boxes anywhere in a picture, from a sixteenth to half of its height."""
    size = np.exp(rng.uniform(np.log(0.06), np.log(0.5), (count, 1))) * np.exp(rng.normal(0, 0.3, (count, 2)))
    size = size * (height_px / width_px, 1)
    middle = rng.uniform(0.05, 0.95, (count, 2))
    return np.concatenate([middle - size / 2, middle + size / 2], axis=1).astype(np.float32)


def _side(rng: np.random.Generator) -> int:
    """Pixels the crop had in its camera's picture: small things are blurred, large ones are sharp."""
    return round(float(np.exp(rng.uniform(np.log(24), np.log(200)))))


def _at_size(ground: Grey, rng: np.random.Generator) -> Grey:
    """A square as the camera's encoder and our crop would show it."""
    side = len(ground)
    if rng.random() < 0.5:
        quality = int(rng.integers(15, 70))
        ok, data = cv2.imencode(".jpg", ground, [cv2.IMWRITE_JPEG_QUALITY, quality])
        assert ok
        ground = np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)
    how = cv2.INTER_AREA if side >= CROP_PX else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(ground, (CROP_PX, CROP_PX), interpolation=how), np.uint8)


def _ground(clips: Sequence[LabelledClip], side: int, rng: np.random.Generator) -> Grey:
    """An empty square of `side` pixels: half from a clip's background where nothing was ever suspected, half drawn."""
    if rng.random() < 0.5:
        return draw_ground(side, rng)
    for _ in range(8):
        clip = clips[int(rng.integers(len(clips)))]
        h, w = clip.still.shape
        span = min(h, w, round(side * float(np.exp(rng.uniform(-0.7, 0.7)))))
        x, y = int(rng.integers(0, w - span + 1)), int(rng.integers(0, h - span + 1))
        box = np.array([[x / w, y / h, (x + span) / w, (y + span) / h]], np.float32)
        often = clip.score > SURE
        if overlap(box, clip.box[often]).max(initial=0) < 0.02 or clip.clip.moving:
            patch = clip.still[y : y + span, x : x + span]
            patch = patch[:, ::-1] if rng.random() < 0.5 else patch
            how = cv2.INTER_AREA if span > side else cv2.INTER_LINEAR
            return np.array(cv2.resize(patch, (side, side), interpolation=how), np.uint8)
    return draw_ground(side, rng)


def _pasted(thing: Cutout, clips: Sequence[LabelledClip], rng: np.random.Generator) -> Grey:
    """A thing before another background, roughly in the middle, sometimes with others beside it or with its lower part hidden."""
    side = _side(rng)
    ground = _ground(clips, side, rng)
    vary = vary_person if thing.label == PERSON else vary_vehicle
    longer = side / CROP_CONTEXT * float(np.exp(rng.normal(-0.05, 0.15)))
    x, y = side * (0.5 + rng.normal(0, 0.06, 2))
    clear = ground.copy()
    for _ in range(int(rng.choice((0, 1, 2), p=(0.65, 0.2, 0.15)))):
        paste(ground, vary(thing, rng), x + side * rng.normal(0, 0.3), y, longer * rng.uniform(0.7, 1.1), rng)
    _, top, _, bottom = paste(ground, vary(thing, rng), x, y, longer, rng)
    if rng.random() < 0.12:
        line = round(bottom - (bottom - top) * rng.uniform(0.15, 0.45))
        ground[max(line, 0) :] = np.roll(clear, int(rng.integers(side)), axis=1)[max(line, 0) :]
    return _at_size(ground, rng)


def _group(people: Sequence[Cutout], clips: Sequence[LabelledClip], rng: np.random.Generator) -> Grey:
    """Several people side by side, wider than tall, as motion joins them into one box."""
    side = _side(rng)
    ground = _ground(clips, side, rng)
    count = int(rng.integers(2, 5))
    height = side / CROP_CONTEXT * float(rng.uniform(0.5, 0.95))
    foot = side / 2 + height / 2 + side * rng.normal(0, 0.05)
    for place in rng.permutation(np.linspace(-0.5, 0.5, count)):
        tall = height * rng.uniform(0.8, 1.1)
        one = draw_figure(rng) if rng.random() < 0.4 else _pick(people, rng)
        x = side * (0.5 + place * rng.uniform(0.5, 0.8) + rng.normal(0, 0.04))
        paste(ground, vary_person(one, rng), x, foot - tall / 2 + side * rng.normal(0, 0.02), tall, rng)
    return _at_size(ground, rng)


def _fragment(thing: Cutout, clips: Sequence[LabelledClip], rng: np.random.Generator) -> Grey:
    """A small part of a thing seen from close by: an arm, a shoe, a wheel. Too little to call anybody."""
    side = _side(rng)
    ground = _ground(clips, side, rng)
    vary = vary_person if thing.label == PERSON else vary_vehicle
    longer = side * rng.uniform(3.5, 7.0)
    shown = vary(thing, rng)
    h, w = shown.grey.shape
    scale = longer / max(h, w)
    # Somewhere near the outline, not at the head.
    y = side / 2 - (rng.uniform(0.3, 1.0) - 0.5) * h * scale
    x = side / 2 - rng.choice([-0.5, 0.5]) * w * scale * rng.uniform(0.6, 1.1)
    paste(ground, shown, x, y, longer, rng)
    return _at_size(ground, rng)


def _drawn(scenes: Sequence[Scene], rng: np.random.Generator) -> Crops:
    """Crops of what motion finds in drawn scenes, and of the things themselves, which motion may have missed."""
    parts: list[Crops] = []
    for scene in scenes:
        h, w = scene.grey.shape
        whole = (scene.box[:, 3] - scene.box[:, 1]) * h >= SMALLEST_DRAWN_PX
        named = name_regions(scene.region, scene.box, scene.label, w, h)
        # Little else moves in drawn scenes, so what does counts more often
        rows = np.concatenate([np.flatnonzero(named >= 0), np.repeat(np.flatnonzero(named == OTHER), OTHER_AGAIN)])
        box = np.concatenate([scene.region[rows], jittered(scene.box[whole], w, h, rng)])
        label = np.concatenate([named[rows], scene.label[whole]])
        parts.append(Crops(cut_crops(scene.grey, box), label, (f"drawn {scene.name}",) * len(label)))
    return join(parts) if parts else Crops(np.empty((0, CROP_PX, CROP_PX), np.uint8), np.empty(0, np.int64), ())
