"""How good a crop network is on pictures it was not trained on: TUD for people, CDnet and SBI highways for vehicles.

Boxes are jittered as a motion detector's are; "other" crops are empty places of the same pictures and sizes. Nothing here is used
in training.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

import cv2
import numpy as np
from numpy.typing import NDArray

from detect.cards import Accuracy
from detect.crops import CROP_PX, cut_crops
from fleet.training.clips import read_frames
from fleet.training.dataset import LABELS, OTHER, Scene, empty_boxes, jittered
from fleet.training.regions import name_regions
from fleet.training.teacher import PERSON, VEHICLE

__all__ = ["SCORE", "KnownCrops", "highway_crops", "measure", "scene_crops", "table", "tud_crops"]

SCORE = 0.5  # probability from which a crop counts as what it is called
HEIGHTS_PX = ((0, 24), (24, 48), (48, 96), (96, 1000))
SMALLEST_VEHICLE_PX = 150  # area of a mask's part that counts as a vehicle
Classify = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class KnownCrops:
    """Crops of known things: `crop` u8 (N, 64, 64), `label` int64 (N,), `height_px` f32 (N,) in the clip's pixels."""

    data: str
    crop: NDArray[np.uint8]
    label: NDArray[np.int64]
    height_px: NDArray[np.float32]


Labelled = Iterator[tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.int64]]]


def tud_crops(data: Path, clip: str, shrink: float = 1.0) -> KnownCrops:
    """People of a TUD clip against its ground truth, every third frame; `shrink` makes the picture smaller first."""
    folder = data / "mot" / clip
    truth = np.loadtxt(folder / "gt.txt", delimiter=",")

    def frames() -> Labelled:
        for number, frame in enumerate(read_frames(folder / "input.mp4", 1), 1):
            if number % 3 == 0:
                grey = _shrunk(frame, shrink)
                row = truth[truth[:, 0] == number]
                h, w = frame.shape[:2]
                box = np.stack([row[:, 2], row[:, 3], row[:, 2] + row[:, 4], row[:, 3] + row[:, 5]], axis=1) / (w, h, w, h)
                yield grey, np.clip(box, 0, 1).astype(np.float32), np.full(len(row), PERSON, np.int64)

    name = clip if shrink == 1.0 else f"{clip} at {shrink:.2g}"
    return _gather(name, frames(), masked=False)


def highway_crops(data: Path, clip: str, step: int = 12) -> KnownCrops:
    """Vehicles of a highway clip by its masks; whatever moves there and has a size is one."""
    folder = data / "motion" / clip

    def frames() -> Labelled:
        with ZipFile(folder / "groundtruth.zip") as archive:
            names = sorted(name for name in archive.namelist() if name.lower().endswith((".png", ".jpg", ".bmp")))
            for number, frame in enumerate(read_frames(folder / "input.mp4", 1)):
                if number % step == 0 and number < len(names):
                    mask = cv2.imdecode(np.frombuffer(archive.read(names[number]), np.uint8), cv2.IMREAD_GRAYSCALE)
                    if mask is None or (mask == 85).mean() > 0.9:  # CDnet: outside the time that has truth
                        continue
                    box = _parts_of(np.asarray(mask, np.uint8))
                    yield _shrunk(frame, 1.0), box, np.full(len(box), VEHICLE, np.int64)

    return _gather(clip, frames(), masked=True)


def scene_crops(name: str, scenes: list[Scene]) -> KnownCrops:
    """What motion finds in drawn scenes that were kept out of training."""
    crops, labels, heights = [], [], []
    for scene in scenes:
        h, w = scene.grey.shape
        named = name_regions(scene.region, scene.box, scene.label, w, h)
        crops.append(cut_crops(scene.grey, scene.region[named >= 0]))
        labels.append(named[named >= 0])
        heights.append((scene.region[named >= 0, 3] - scene.region[named >= 0, 1]) * h)
    return KnownCrops(name, np.concatenate(crops), np.concatenate(labels), np.concatenate(heights))


def _shrunk(frame: NDArray[np.uint8], shrink: float) -> NDArray[np.uint8]:
    grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
    if shrink != 1.0:
        grey = cv2.resize(grey, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    return np.asarray(grey, np.uint8)


def _parts_of(mask: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Boxes of the separate moving things in a mask that do not touch the picture's border."""
    h, w = mask.shape
    _, _, stats, _ = cv2.connectedComponentsWithStats((mask > 200).astype(np.uint8))
    rows = [
        (x / w, y / h, (x + dx) / w, (y + dy) / h)
        for x, y, dx, dy, area in stats[1:].tolist()
        if area >= SMALLEST_VEHICLE_PX and x > 0 and y > 0 and x + dx < w and y + dy < h and max(dx, dy) < 3.5 * min(dx, dy)
    ]
    return np.array(rows, np.float32).reshape(-1, 4)


def _gather(name: str, frames: Labelled, masked: bool) -> KnownCrops:
    """Crops of every box, and of as many empty places of the sizes seen so far."""
    rng = np.random.default_rng(7)
    crops: list[NDArray[np.uint8]] = []
    labels: list[NDArray[np.int64]] = []
    heights: list[NDArray[np.float32]] = []
    sizes = np.empty((0, 2), np.float32)
    for grey, box, label in frames:
        h, w = grey.shape
        height = (box[:, 3] - box[:, 1]) * h
        sizes = np.concatenate([sizes, box[:, 2:] - box[:, :2]])[-400:]
        empty = np.empty((0, 4), np.float32)
        if len(sizes):
            size = sizes[rng.integers(0, len(sizes), 16)] * np.exp(rng.normal(0, 0.3, (16, 1)))
            middle = rng.uniform(size / 2, np.maximum(1 - size / 2, size / 2 + 1e-3))
            empty = np.concatenate([middle - size / 2, middle + size / 2], axis=1).astype(np.float32)
            # Masks leave out what is far away or at the border, so keep well clear of their boxes.
            grown = box + (np.array([-1, -1, 1, 1], np.float32) * (0.05 if masked else 0.0))
            empty = empty_boxes(empty, grown, w, h)
        crops.append(cut_crops(grey, np.concatenate([jittered(box, w, h, rng), empty])))
        labels.append(np.concatenate([label, np.full(len(empty), OTHER)]))
        heights.append(np.concatenate([height, (empty[:, 3] - empty[:, 1]) * h]).astype(np.float32))
    if not crops:
        return KnownCrops(name, np.empty((0, CROP_PX, CROP_PX), np.uint8), np.empty(0, np.int64), np.empty(0, np.float32))
    return KnownCrops(name, np.concatenate(crops), np.concatenate(labels).astype(np.int64), np.concatenate(heights))


def measure(classify: Classify, test: KnownCrops) -> tuple[Accuracy, ...]:
    """Recall of each class by height, and how many of the other things are taken for it, at a probability of 0.5."""
    probability = classify(test.crop)
    rows = []
    for label in (PERSON, VEHICLE):
        is_it = test.label == label
        if not is_it.any():
            continue
        called = probability[:, label] >= SCORE
        for low, high in ((0, 1000), *HEIGHTS_PX):
            sized = (test.height_px >= low) & (test.height_px < high)
            count = int((is_it & sized).sum())
            rest = ~is_it & sized
            if count >= 20:
                height = "all" if (low, high) == (0, 1000) else f"{low}-{high}" if high < 1000 else f"{low}-"
                recall = float(called[is_it & sized].mean())
                false = float(called[rest].mean()) if rest.any() else 0.0
                rows.append(Accuracy(test.data, LABELS[label], height, round(recall, 3), round(false, 3), count))
    return tuple(rows)


def table(rows: tuple[Accuracy, ...]) -> str:
    """The rows as aligned text."""
    lines = [f"{'data':28} {'label':8} {'height':>7} {'recall':>7} {'false':>7} {'n':>6}"]
    lines += [f"{row.data:28} {row.label:8} {row.height:>7} {row.recall:7.3f} {row.false:7.3f} {row.count:6d}" for row in rows]
    return "\n".join(lines)
