"""The crops to learn from: real ones, pasted ones, drawn ones, each with where it came from."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detect.crops import CROP_PX, cut_crops
from fleet.training.cutouts import Cutout, cut_out
from fleet.training.figures import draw_figure
from fleet.training.markings import draw_marking
from fleet.training.pastes import at_size, empty_ground, fragment, group, pasted, pick, side_px
from fleet.training.regions import OTHER, name_regions, regions_of, shown
from fleet.training.teacher import PERSON, VEHICLE, LabelledClip, overlap
from fleet.training.textures import draw_clutter, draw_ground, draw_light
from fleet.training.things import draw_animal, draw_thing
from fleet.training.vehicles import draw_vehicle

__all__ = ["LABELS", "OTHER", "Crops", "collect", "empty_boxes", "jittered", "join", "no_crops"]

logger = logging.getLogger(__name__)

LABELS = ("person", "vehicle", "other")
FRAMES_PER_S = 25.0  # of the clips, near enough for motion
SURE = 0.45  # teacher's score from which a box counts as what it says
SMALLEST_PX = 12  # of a box's longer side in the clip's own pixels
PART_OF_PX = 70  # longer side of a thing large enough that its parts may be found alone
PARTS_SHARE = 0.35  # of the large things also give a part
EMPTY_PLACES = 500  # looked at in a clip, two to eight a frame: much of a wall or road teaches little
STIRRING_LEVEL, STIRRING_SHARE = 30, 0.04  # grey levels from the background, share of a place: something is there
CUTOUTS = {PERSON: 400, VEHICLE: 80}  # taken from one clip
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


def join(parts: Sequence[Crops]) -> Crops:
    """All crops of `parts`, in order."""
    crop = np.concatenate([part.crop for part in parts])
    label = np.concatenate([part.label for part in parts])
    return Crops(crop, label, tuple(text for part in parts for text in part.source))


def no_crops() -> Crops:
    return Crops(np.empty((0, CROP_PX, CROP_PX), np.uint8), np.empty(0, np.int64), ())


def collect(clips: Sequence[LabelledClip], drawn: Crops, made: int, seed: int) -> Crops:
    """Everything to learn from: real crops of every clip, those of `drawn` scenes, and nearly five times `made` that are made."""
    rng = np.random.default_rng(seed)
    things = [thing for clip in clips for label in (PERSON, VEHICLE) for thing in _cutouts_of(clip, label, rng)]
    people = [thing for thing in things if thing.label == PERSON]
    vehicles = [thing for thing in things if thing.label == VEHICLE]
    logger.info("%d people and %d vehicles cut out", len(people), len(vehicles))
    makers = _makers(clips, people, vehicles, made, rng)
    parts = [_real(clip, rng) for clip in clips] + [drawn]
    for name, (label, make, count) in makers.items():
        crop = np.stack([make() for _ in range(count)])
        parts.append(Crops(crop, np.full(count, label, np.int64), (name,) * count))
    return join([part for part in parts if len(part.label)])


def _makers(
    clips: Sequence[LabelledClip], people: Sequence[Cutout], vehicles: Sequence[Cutout], count: int, rng: np.random.Generator
) -> dict[str, tuple[int, Callable[[], Grey], int]]:
    """Label, maker and number of each kind of made crop; `count` is shared out between a label's kinds."""

    def empty() -> Grey:
        return empty_ground(clips, side_px(rng), rng)

    return {
        "pasted": (PERSON, lambda: pasted(pick(people, rng), clips, rng), count * 2 // 5),
        "groups": (PERSON, lambda: group(people, clips, rng), count // 5),
        "figures": (PERSON, lambda: pasted(draw_figure(rng), clips, rng), count * 2 // 5),
        "pasted vehicles": (VEHICLE, lambda: pasted(pick(vehicles, rng), clips, rng), count * 2 // 5),
        "drawn vehicles": (VEHICLE, lambda: pasted(draw_vehicle(rng), clips, rng), count // 2),
        "grounds": (OTHER, lambda: at_size(empty(), rng), count // 2),
        "rooms": (OTHER, lambda: at_size(draw_ground(side_px(rng), rng, room=True), rng), count * 2 // 5),
        "markings": (OTHER, lambda: at_size(draw_marking(empty(), rng), rng), count * 3 // 10),
        "clutter": (OTHER, lambda: at_size(draw_clutter(empty(), rng), rng), count // 4),
        "lights": (OTHER, lambda: at_size(draw_light(empty(), rng), rng), count // 4),
        "animals": (OTHER, lambda: pasted(draw_animal(rng), clips, rng), count // 4),
        "things": (OTHER, lambda: pasted(draw_thing(rng), clips, rng), count // 4),
        "fragments": (OTHER, lambda: fragment(pick(people if rng.random() < 0.7 else vehicles, rng), clips, rng), count // 4),
    }


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


def _real(clip: LabelledClip, rng: np.random.Generator) -> Crops:
    """Crops of what the teacher is sure of, a second jitter of each person, and of places where it saw nothing at all."""
    h, w = clip.still.shape
    longer = ((clip.box[:, 2:] - clip.box[:, :2]) * (w, h)).max(axis=1)
    known = (clip.label == VEHICLE) | ((clip.label == PERSON) & clip.clip.people) | (clip.clip.moving != "")
    sure = np.flatnonzero((clip.score >= SURE) & (longer >= SMALLEST_PX) & known)
    pick = rng.permutation(sure)[:700]
    pick = np.concatenate([pick, pick[clip.label[pick] == PERSON], pick[clip.label[pick] == PERSON]])
    crops, labels = _moving(clip, rng)
    places = int(np.clip(EMPTY_PLACES // len(clip.grey), 2, 8))
    for frame in np.unique(clip.frame[pick]):
        rows = pick[clip.frame[pick] == frame]
        crops.append(cut_crops(clip.grey[frame], jittered(clip.box[rows], w, h, rng)))
        labels.append(np.where(clip.label[rows] < 0, OTHER, clip.label[rows]))
        empty = empty_boxes(_places(places, w, h, rng), clip.box[clip.frame == frame], w, h)
        if not clip.clip.moving:
            empty = empty[~_stirs(clip, int(frame), empty)]
        part = _parts(clip.box[rows], clip.label[rows], w, h, rng)
        crops.append(cut_crops(clip.grey[frame], np.concatenate([empty, part])))
        labels.append(np.full(len(empty) + len(part), OTHER))
    label = np.concatenate(labels).astype(np.int64) if labels else np.empty(0, np.int64)
    crop = np.concatenate(crops) if crops else np.empty((0, CROP_PX, CROP_PX), np.uint8)
    return Crops(crop, label, (clip.clip.name,) * len(label))


def _stirs(clip: LabelledClip, frame: int, box: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Whether something moves in each box (N, 4) that the teacher said nothing about: it may be anything."""
    h, w = clip.still.shape
    edge = (np.clip(box, 0, 1) * (w, h, w, h)).astype(int)
    away = np.abs(clip.grey[frame].astype(np.int16) - clip.still) > STIRRING_LEVEL
    share = [float(away[y0 : y1 + 1, x0 : x1 + 1].mean()) for x0, y0, x1, y1 in edge.tolist()]
    return np.asarray(np.array(share) > STIRRING_SHARE, np.bool_).reshape(len(box))


def _parts(
    box: NDArray[np.float32], label: NDArray[np.int32], width_px: int, height_px: int, rng: np.random.Generator
) -> NDArray[np.float32]:
    """A small part of each large thing, f32 (N, 4): a wheel, a bumper, a shoe, a hand; never a head and shoulders."""
    size = (box[:, 2:] - box[:, :2]) * (width_px, height_px)
    large = (size.max(axis=1) >= PART_OF_PX) & (label >= 0) & (rng.random(len(box)) < PARTS_SHARE)
    of, size, is_person = box[large], size[large], label[large] == PERSON
    side = size.max(axis=1) * rng.uniform(0.12, 0.3, len(of))
    place = rng.uniform(0, 1, (len(of), 2))
    place[is_person, 1] = rng.uniform(0.5, 1, int(is_person.sum()))
    middle = of[:, :2] + place * (of[:, 2:] - of[:, :2])
    half = (side[:, None] / 2) / (width_px, height_px)
    return np.concatenate([middle - half, middle + half], axis=1).astype(np.float32)


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
