"""Pictures not learned from, with what is known of them: people of TUD and SBI, vehicles of CDnet and SBI highways, a dog.

Boxes are jittered as a motion detector's are; "other" boxes are empty places of the same pictures and sizes. Nothing here is used
in training, except that a training clip's teacher labels serve for a network that was trained without that clip.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from zipfile import ZipFile

import cv2
import numpy as np
from numpy.typing import NDArray

from detect.crops import CROP_PX, cut_crops
from fleet.training.clips import read_frames
from fleet.training.dataset import OTHER, empty_boxes, jittered
from fleet.training.dataset import _stirs as stirs
from fleet.training.regions import shown
from fleet.training.teacher import PERSON, VEHICLE, LabelledClip

__all__ = ["UNSEEN", "KnownCrops", "KnownPicture", "clip_pictures", "crops_of", "unseen_pictures"]

Boxes = NDArray[np.float32]
SMALLEST_PART_PX = 150  # area of a mask's part that counts as a thing
SHADOW = 50  # value in CDnet's masks; shadows are empty places
PLACES = 16  # looked at in a picture for empty ones
TEACHER_SURE = 0.6  # score from which the teacher's word is taken for truth
DOG_EVERY = 4


@dataclass(frozen=True, slots=True)
class KnownPicture:
    """`bgr` u8 (h, w, 3); `box` f32 (N, 4) fractions, as motion might find it; `label` int64 (N,); `height_px` f32 (N,)."""

    bgr: NDArray[np.uint8]
    box: Boxes
    label: NDArray[np.int64]
    height_px: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class KnownCrops:
    """Crops of known things: `crop` u8 (N, 64, 64), `label` int64 (N,), `height_px` f32 (N,) in the clip's pixels."""

    data: str
    crop: NDArray[np.uint8]
    label: NDArray[np.int64]
    height_px: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Truth:
    """A picture, the things in it, and which of some boxes (N, 4) lie clear of everything: bool (N,)."""

    bgr: NDArray[np.uint8]
    box: Boxes
    label: int
    clear: Callable[[Boxes], NDArray[np.bool_]]


def unseen_pictures(name: str, data: Path) -> Iterator[KnownPicture]:
    """The pictures of one of `UNSEEN`; raises FileNotFoundError where its clip is missing."""
    return _with_places(UNSEEN[name](data))


def clip_pictures(clip: LabelledClip, colour: Iterable[NDArray[np.uint8]]) -> Iterator[KnownPicture]:
    """A training clip's frames with the vehicles its teacher is sure of: truth only for a network trained without that clip."""
    return _with_places(_taught(clip, colour))


def crops_of(name: str, pictures: Iterable[KnownPicture]) -> KnownCrops:
    """What the crop network is shown of `pictures`."""
    crops, labels, heights = [np.empty((0, CROP_PX, CROP_PX), np.uint8)], [np.empty(0, np.int64)], [np.empty(0, np.float32)]
    for picture in pictures:
        grey = np.asarray(cv2.cvtColor(picture.bgr, cv2.COLOR_BGR2GRAY), np.uint8)
        crops.append(cut_crops(grey, picture.box))
        labels.append(picture.label)
        heights.append(picture.height_px)
    return KnownCrops(name, np.concatenate(crops), np.concatenate(labels), np.concatenate(heights))


def _with_places(truths: Iterable[_Truth]) -> Iterator[KnownPicture]:
    """Each truth's boxes jittered, and empty places of the sizes seen so far."""
    rng = np.random.default_rng(7)
    sizes = np.empty((0, 2), np.float32)
    for truth in truths:
        h, w = truth.bgr.shape[:2]
        sizes = np.concatenate([sizes, truth.box[:, 2:] - truth.box[:, :2]])[-400:]
        empty = np.empty((0, 4), np.float32)
        if len(sizes):
            size = sizes[rng.integers(0, len(sizes), PLACES)] * np.exp(rng.normal(0, 0.3, (PLACES, 1)))
            middle = rng.uniform(size / 2, np.maximum(1 - size / 2, size / 2 + 1e-3))
            empty = np.concatenate([middle - size / 2, middle + size / 2], axis=1).astype(np.float32)
            empty = empty[truth.clear(empty)]
        box = np.concatenate([jittered(truth.box, w, h, rng), empty])
        label = np.concatenate([np.full(len(truth.box), truth.label), np.full(len(empty), OTHER)]).astype(np.int64)
        height = np.concatenate([truth.box, empty])[:, [1, 3]] @ np.array([-h, h], np.float32)
        yield KnownPicture(truth.bgr, box, label, height.astype(np.float32))


def _tud(clip: str, shrink: float, data: Path) -> Iterator[_Truth]:
    """People of a TUD clip against its ground truth, every third frame; `shrink` makes the picture smaller first."""
    folder = data / "mot" / clip
    truth = np.loadtxt(folder / "gt.txt", delimiter=",")
    for number, frame in enumerate(read_frames(folder / "input.mp4", 1), 1):
        if number % 3 == 0:
            row = truth[truth[:, 0] == number]
            h, w = frame.shape[:2]
            box = np.stack([row[:, 2], row[:, 3], row[:, 2] + row[:, 4], row[:, 3] + row[:, 5]], axis=1) / (w, h, w, h)
            small = frame if shrink == 1 else cv2.resize(frame, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
            taken: Boxes = np.clip(box, 0, 1).astype(np.float32)
            clear = partial(_clear_of_boxes, taken, small.shape[1], small.shape[0])
            yield _Truth(np.asarray(small, np.uint8), taken, PERSON, clear)


def _clear_of_boxes(taken: Boxes, width_px: int, height_px: int, box: Boxes) -> NDArray[np.bool_]:
    free = empty_boxes(box, taken, width_px, height_px)
    return np.asarray((box[:, None] == free[None]).all(axis=2).any(axis=1), np.bool_)


def _masked(clip: str, label: int, step: int, data: Path) -> Iterator[_Truth]:
    """What moves in a clip by its masks; what touches the border is left out."""
    folder = data / "motion" / clip
    with ZipFile(folder / "groundtruth.zip") as archive:
        names = sorted(name for name in archive.namelist() if name.lower().endswith((".png", ".jpg", ".bmp")))
        for number, frame in enumerate(read_frames(folder / "input.mp4", 1)):
            if number % step == 0 and number < len(names):
                mask = cv2.imdecode(np.frombuffer(archive.read(names[number]), np.uint8), cv2.IMREAD_GRAYSCALE)
                if mask is None or (mask == 85).mean() > 0.9:  # CDnet: outside the time that has truth
                    continue
                known = np.asarray(mask, np.uint8)
                slim = 4.5 if label == PERSON else 3.5
                yield _Truth(frame, _parts_of(known, slim), label, partial(_clear_of_mask, known))


def _parts_of(mask: NDArray[np.uint8], slim: float) -> Boxes:
    """Boxes of the moving things in a mask, at most `slim` times as long as wide, that do not touch the picture's border."""
    h, w = mask.shape
    whole = cv2.morphologyEx((mask > 200).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    _, _, stats, _ = cv2.connectedComponentsWithStats(whole)
    rows = [
        (x / w, y / h, (x + dx) / w, (y + dy) / h)
        for x, y, dx, dy, area in stats[1:].tolist()
        if area >= SMALLEST_PART_PX and x > 0 and y > 0 and x + dx < w and y + dy < h and max(dx, dy) < slim * min(dx, dy)
    ]
    return np.array(rows, np.float32).reshape(-1, 4)


def _clear_of_mask(mask: NDArray[np.uint8], box: Boxes) -> NDArray[np.bool_]:
    """Whether all that a box's crop shows is known to be still, or shadow."""
    h, w = mask.shape
    still = (mask == 0) | (mask == SHADOW)
    edge = (np.clip(shown(box, w, h), 0, 1) * (w, h, w, h)).astype(int)
    return np.array([bool(still[y0 : y1 + 1, x0 : x1 + 1].all()) for x0, y0, x1, y1 in edge.tolist()], np.bool_).reshape(len(box))


def _dog(data: Path) -> Iterator[_Truth]:
    """A dog that comes closer, filmed by hand: it fills the middle of the picture. Other, never a person."""
    for number, frame in enumerate(read_frames(data / "codecs" / "dlstreamer_dog_1080p.h265", 1)):
        if number % DOG_EVERY == 0:
            # By eye: at the left of its course first, then before the camera, growing
            grown = min(number / 35, 1.0)
            box = np.array([[0.45 - 0.1 * grown, 0.2 - 0.2 * grown, 0.72 + 0.1 * grown, 1.0]], np.float32)
            yield _Truth(frame, box, OTHER, lambda box: np.zeros(len(box), np.bool_))


def _taught(clip: LabelledClip, colour: Iterable[NDArray[np.uint8]]) -> Iterator[_Truth]:
    for number, frame in enumerate(colour):
        here = clip.frame == number
        sure = here & (clip.label == VEHICLE) & (clip.score >= TEACHER_SURE)
        yield _Truth(frame, clip.box[sure], VEHICLE, partial(_clear_of_all, clip, number, clip.box[here]))


def _clear_of_all(clip: LabelledClip, frame: int, taken: Boxes, box: Boxes) -> NDArray[np.bool_]:
    """Clear of what the teacher suspects, and of what moves though the teacher said nothing of it."""
    h, w = clip.still.shape
    return _clear_of_boxes(taken, w, h, box) & ~stirs(clip, frame, shown(box, w, h))


UNSEEN: dict[str, Callable[[Path], Iterator[_Truth]]] = {
    "TUD-Campus": partial(_tud, "TUD-Campus", 1.0),
    "TUD-Stadtmitte": partial(_tud, "TUD-Stadtmitte", 1.0),
    "TUD-Stadtmitte at 0.5": partial(_tud, "TUD-Stadtmitte", 0.5),
    "TUD-Stadtmitte at 0.25": partial(_tud, "TUD-Stadtmitte", 0.25),
    "sbi_HallAndMonitor": partial(_masked, "sbi_HallAndMonitor", PERSON, 4),
    "sbi_IBMtest2": partial(_masked, "sbi_IBMtest2", PERSON, 2),
    "cdnet_highway": partial(_masked, "cdnet_highway", VEHICLE, 12),
    "sbi_HighwayI": partial(_masked, "sbi_HighwayI", VEHICLE, 6),
    "dog": _dog,
}
