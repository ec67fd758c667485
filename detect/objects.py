"""Hop 5: what moved is cut out at full size and judged: first by the crop network, in doubt by a public detector."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from base import Box, Picture
from detect.crops import cut_crops
from detect.motion import Regions
from detect.networks import Detections

__all__ = ["CropClassifier", "Judge", "Judges", "Named", "PictureDetector", "Scores"]

_LOOK_CONTEXT = 0.5  # of the region's longer side, added all around: a detector wants surroundings
_LOOK_MIN_PX = 160  # a smaller cut would be blown up beyond what the detector was trained on
_OVERLAP_MIN = 0.3  # intersection over union below which a detection is about something else
_OTHER = "other"


class Named(Protocol):
    """A network's card, as far as events name it."""

    @property
    def name(self) -> str: ...


class CropClassifier(Protocol):
    """Judges crops u8 (N, 64, 64): probability of each label, f32 (N, C), rows sum to 1. Called from the pipeline thread."""

    @property
    def card(self) -> Named: ...

    @property
    def labels(self) -> tuple[str, ...]: ...

    def classify(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]: ...


class PictureDetector(Protocol):
    """Finds things in a colour picture u8 (h, w, 3) of any size. Called from the pipeline thread."""

    def detect(self, bgr: NDArray[np.uint8]) -> Detections: ...


class Judges(Protocol):
    """The networks of a worker; `detect.networks.Networks` is one."""

    @property
    def crop(self) -> CropClassifier: ...

    @property
    def detector(self) -> PictureDetector | None: ...


@dataclass(frozen=True, slots=True)
class Scores:
    """Probability f32 (R, C) of each of `labels` for each region; rows sum to 1."""

    labels: tuple[str, ...]
    score: NDArray[np.float32]

    def best_of(self, wanted: Sequence[str]) -> NDArray[np.float32]:
        """The highest score among `wanted` labels of each region, f32 (R,); of anything that moves where `wanted` is empty."""
        if not wanted:
            return np.ones(len(self.score), np.float32)
        column = [i for i, label in enumerate(self.labels) if label in wanted]
        if not column:
            return np.zeros(len(self.score), np.float32)
        best: NDArray[np.float32] = self.score[:, column].max(axis=1)
        return best


class Judge:
    """Regions → scores. Owned by the pipeline thread.

    `crops` and `inferences` count crops judged and runs of a network since the start.
    """

    def __init__(self, networks: Judges, uncertain: tuple[float, float], second_looks: int) -> None:
        self._networks = networks
        self._low, self._high = uncertain
        self._second_looks = second_looks
        self.crops = 0
        self.inferences = 0

    @property
    def labels(self) -> tuple[str, ...]:
        return self._networks.crop.labels

    @property
    def network(self) -> str:
        """Name of the crop network's card."""
        return self._networks.crop.card.name

    def judge(self, regions: Regions, picture: Sequence[Picture], awake: NDArray[np.bool_]) -> Scores:
        """Scores of `regions`; `picture` and `awake` are the batch's columns. Only awake rows may get a second look."""
        if not len(regions):
            return Scores(self.labels, np.empty((0, len(self.labels)), np.float32))
        parts = [cut_crops(picture[row].luma, regions.box[regions.row == row]) for row in dict.fromkeys(regions.row.tolist())]
        crops = np.concatenate(parts)
        score = self._networks.crop.classify(crops)
        self.crops += len(crops)
        self.inferences += 1
        self._look_again(regions, score, picture, awake)
        return Scores(self.labels, score)

    def _look_again(
        self, regions: Regions, score: NDArray[np.float32], picture: Sequence[Picture], awake: NDArray[np.bool_]
    ) -> None:
        """Replace the scores of the least certain regions by what the detector sees there; in place, the largest first."""
        detector = self._networks.detector
        if detector is None:
            return
        known = [i for i, label in enumerate(self.labels) if label != _OTHER]
        best = score[:, known].max(axis=1)
        doubtful = np.flatnonzero((best >= self._low) & (best <= self._high) & awake[regions.row])
        for at in doubtful[np.argsort(-regions.area[doubtful], kind="stable")][: self._second_looks].tolist():
            left, top, right, bottom = regions.box[at].tolist()
            score[at] = _fused(score[at], self.labels, _seen(detector, picture[int(regions.row[at])], (left, top, right, bottom)))
            self.inferences += 1


def _seen(detector: PictureDetector, picture: Picture, box: Box) -> dict[str, float]:
    """Score by label of what the detector finds where `box` is, at native scale."""
    bgr = picture.bgr()
    height, width = bgr.shape[:2]
    edge = np.array(box) * (width, height, width, height)
    middle, size = (edge[:2] + edge[2:]) / 2, float(max(edge[2] - edge[0], edge[3] - edge[1]))
    side = max(size * (1 + 2 * _LOOK_CONTEXT), _LOOK_MIN_PX)
    x0, y0 = np.clip(np.floor(middle - side / 2), 0, (width - 1, height - 1)).astype(int).tolist()
    x1, y1 = np.clip(np.ceil(middle + side / 2), (x0 + 1, y0 + 1), (width, height)).astype(int).tolist()
    found = detector.detect(bgr[y0:y1, x0:x1])
    there = (edge - (x0, y0, x0, y0)) / (x1 - x0, y1 - y0, x1 - x0, y1 - y0)
    seen: dict[str, float] = {}
    for overlap, score, label in zip(_overlap(there, found.box), found.score.tolist(), found.label.tolist(), strict=True):
        if overlap >= _OVERLAP_MIN:
            name = found.labels[label]
            seen[name] = max(seen.get(name, 0.0), score)
    return seen


def _overlap(box: NDArray[np.float64], others: NDArray[np.float32]) -> list[float]:
    """Intersection over union of `box` (4,) with each of `others` (N, 4)."""
    size = np.clip(np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2]), 0, None)
    common = size[:, 0] * size[:, 1]
    area = np.prod(box[2:] - box[:2]) + np.prod(others[:, 2:] - others[:, :2], axis=1)
    share: list[float] = (common / np.maximum(area - common, 1e-9)).tolist()
    return share


def _fused(score: NDArray[np.float32], labels: Sequence[str], seen: dict[str, float]) -> NDArray[np.float32]:
    """Half of each opinion: the crop network's `score` (C,), and the detector's, whose rest goes to "other"."""
    second = np.array([seen.get(label, 0.0) for label in labels], np.float32)
    total = float(second.sum())
    if total > 1:
        second /= total
    elif _OTHER in labels:
        second[labels.index(_OTHER)] += 1 - total
    else:
        second += (1 - total) / len(labels)
    fused: NDArray[np.float32] = (score + second) / np.float32(2)
    return fused
