"""How good a crop network is on crops it was not trained on: recall and false alarms by class and height."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detect.cards import Accuracy
from detect.crops import cut_crops
from fleet.training.dataset import LABELS
from fleet.training.known import UNSEEN, KnownCrops, crops_of, unseen_pictures
from fleet.training.regions import name_regions
from fleet.training.scenes import Scene
from fleet.training.teacher import PERSON, VEHICLE

__all__ = ["SCORE", "measure", "scene_crops", "table", "unseen_crops"]

SCORE = 0.5  # probability from which a crop counts as what it is called
HEIGHTS_PX = ((0, 24), (24, 48), (48, 96), (96, 1000))
Classify = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


def unseen_crops(data: Path) -> list[KnownCrops]:
    """The crops of every clip kept for measuring; raises FileNotFoundError where one is missing."""
    return [crops_of(name, unseen_pictures(name, data)) for name in UNSEEN]


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
