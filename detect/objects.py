"""Hop 5: what moved is cut out at full size and judged: first by the crop network, in doubt by a public detector, in mosaics."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from base import Box, Picture
from detect.crops import cut_crops
from detect.motion import Regions
from detect.networks import Detections

__all__ = ["CropClassifier", "Judge", "Judges", "Named", "PictureDetector", "Scores", "seen_at"]

DEADLINE_MS = 50.0  # second looks of one batch take no longer than this by the detector's card
_MOSAIC_PX = 416  # side of a mosaic: what most detectors eat
_LARGEST_GRID = 3  # nine cuts in a mosaic; more would be too small to tell anything
_GREY = 114  # between the cuts of a mosaic, as YOLOX pads
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
    """Finds things in colour pictures u8 (h, w, 3) of any size, each about `latency_ms`. Called from the pipeline thread."""

    @property
    def latency_ms(self) -> float: ...

    def detect_all(self, pictures: Sequence[NDArray[np.uint8]]) -> list[Detections]: ...


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


@dataclass(frozen=True, slots=True)
class _Cut:
    """A piece of a picture for the detector: `bgr` u8 (h, w, 3), and where in it the region lies, in fractions."""

    bgr: NDArray[np.uint8]
    region: NDArray[np.float64]


class Judge:
    """Regions → scores. Owned by the pipeline thread.

    `crops` and `inferences` count crops judged and runs of a network since the start.
    """

    def __init__(self, networks: Judges, uncertain: tuple[float, float], second_looks: int) -> None:
        """Crops whose best known label has a score within `uncertain` are looked at again, in at most `second_looks` pictures a
        batch."""
        self._networks = networks
        self._low, self._high = uncertain
        self._second_looks = second_looks
        self._waited: dict[int, int] = {}  # batches in which a camera's doubt went without a look
        self.crops = 0
        self.inferences = 0

    @property
    def labels(self) -> tuple[str, ...]:
        return self._networks.crop.labels

    @property
    def network(self) -> str:
        """Name of the crop network's card."""
        return self._networks.crop.card.name

    def judge(self, regions: Regions, picture: Sequence[Picture], awake: NDArray[np.bool_], camera: NDArray[np.int32]) -> Scores:
        """Scores of `regions`; `picture`, `awake` and `camera` are the batch's columns. Only awake rows may get a second look."""
        if not len(regions):
            return Scores(self.labels, np.empty((0, len(self.labels)), np.float32))
        parts = [cut_crops(picture[row].luma, regions.box[regions.row == row]) for row in dict.fromkeys(regions.row.tolist())]
        crops = np.concatenate(parts)
        score = self._networks.crop.classify(crops)
        self.crops += len(crops)
        self.inferences += 1
        if self._networks.detector is not None:
            self._look_again(self._networks.detector, regions, score, picture, awake, camera)
        return Scores(self.labels, score)

    def _look_again(
        self,
        detector: PictureDetector,
        regions: Regions,
        score: NDArray[np.float32],
        picture: Sequence[Picture],
        awake: NDArray[np.bool_],
        camera: NDArray[np.int32],
    ) -> None:
        """Fuse the scores of uncertain regions with what the detector sees there; in place.

        As many as fit, first those of the camera that has waited longest, then the largest. How many fit follows from the card
        and the settings, not from the clock, so that a clip gives the same events each time.
        """
        looks = (
            min(self._second_looks, max(1, int(DEADLINE_MS / detector.latency_ms))) if detector.latency_ms else self._second_looks
        )
        known = [i for i, label in enumerate(self.labels) if label != _OTHER]
        best = score[:, known].max(axis=1)
        whose = camera[regions.row]
        doubtful = np.flatnonzero((best >= self._low) & (best <= self._high) & awake[regions.row])
        waited = np.array([self._waited.get(int(one), 0) for one in whose[doubtful]], np.int64)
        doubtful = doubtful[np.lexsort((-regions.area[doubtful], -waited))]
        grid = _grid_for(len(doubtful), looks)
        chosen = doubtful[: looks * grid * grid]
        self._remember(whose, camera, doubtful, chosen)
        if not len(chosen):
            return
        colour = {row: picture[row].bgr() for row in set(regions.row[chosen].tolist())}
        cuts = [_cut_out(colour[int(regions.row[at])], regions.box[at]) for at in chosen.tolist()]
        sheets = [cuts[at : at + grid * grid] for at in range(0, len(cuts), grid * grid)]
        found = detector.detect_all([_mosaic(sheet, grid) for sheet in sheets])
        self.inferences += len(sheets)
        seen = [
            _seen(cut, place, grid, there) for sheet, there in zip(sheets, found, strict=True) for place, cut in enumerate(sheet)
        ]
        for at, names in zip(chosen.tolist(), seen, strict=True):
            score[at] = _fused(score[at], self.labels, names)

    def _remember(
        self, whose: NDArray[np.int32], camera: NDArray[np.int32], doubtful: NDArray[np.int64], chosen: NDArray[np.int64]
    ) -> None:
        """Count the wait of every camera of the batch that was in doubt and got no look; the others wait no more."""
        left_out = set(whose[doubtful].tolist()) - set(whose[chosen].tolist())
        for one in camera.tolist():
            if one in left_out:
                self._waited[one] = self._waited.get(one, 0) + 1
            else:
                self._waited.pop(one, None)


def seen_at(detector: PictureDetector, bgr: NDArray[np.uint8], box: Box) -> dict[str, float]:
    """Score by label of what the detector finds where `box` of the colour picture u8 (h, w, 3) is, at native scale."""
    cut = _cut_out(bgr, np.array(box, np.float32))
    [found] = detector.detect_all([cut.bgr])
    return _seen(cut, 0, 1, found)


def _grid_for(count: int, looks: int) -> int:
    """Cuts a side of a mosaic, the fewer the larger: 1 is a picture of its own."""
    return next((grid for grid in range(1, _LARGEST_GRID) if count <= looks * grid * grid), _LARGEST_GRID)


def _cut_out(bgr: NDArray[np.uint8], box: NDArray[np.float32]) -> _Cut:
    """The picture around `box` at native scale, with surroundings."""
    height, width = bgr.shape[:2]
    edge = box.astype(np.float64) * (width, height, width, height)
    middle, size = (edge[:2] + edge[2:]) / 2, float(max(edge[2] - edge[0], edge[3] - edge[1]))
    side = max(size * (1 + 2 * _LOOK_CONTEXT), _LOOK_MIN_PX)
    x0, y0 = np.clip(np.floor(middle - side / 2), 0, (width - 1, height - 1)).astype(int).tolist()
    x1, y1 = np.clip(np.ceil(middle + side / 2), (x0 + 1, y0 + 1), (width, height)).astype(int).tolist()
    return _Cut(bgr[y0:y1, x0:x1], (edge - (x0, y0, x0, y0)) / (x1 - x0, y1 - y0, x1 - x0, y1 - y0))


def _mosaic(cuts: Sequence[_Cut], grid: int) -> NDArray[np.uint8]:
    """`cuts` side by side, `grid` in a row, each at the upper left of its tile; one alone as it is."""
    if grid == 1:
        return cuts[0].bgr
    tile = _MOSAIC_PX // grid
    sheet = np.full((tile * grid, tile * grid, 3), _GREY, np.uint8)
    for place, cut in enumerate(cuts):
        y, x = divmod(place, grid)
        height, width = _in_tile(cut, grid)
        how = cv2.INTER_AREA if height < len(cut.bgr) else cv2.INTER_LINEAR
        sheet[y * tile : y * tile + height, x * tile : x * tile + width] = cv2.resize(cut.bgr, (width, height), interpolation=how)
    return sheet


def _in_tile(cut: _Cut, grid: int) -> tuple[int, int]:
    """Height and width of a cut in its tile."""
    height, width = cut.bgr.shape[:2]
    scale = _MOSAIC_PX // grid / max(height, width)
    return max(1, round(height * scale)), max(1, round(width * scale))


def _seen(cut: _Cut, place: int, grid: int, found: Detections) -> dict[str, float]:
    """Score by label of what the detector found where the region of `cut` is, whose tile is number `place`."""
    box = found.box.astype(np.float64)
    if grid > 1:
        tile = _MOSAIC_PX // grid
        y, x = divmod(place, grid)
        height, width = _in_tile(cut, grid)
        box = (box * (tile * grid) - (x * tile, y * tile, x * tile, y * tile)) / (width, height, width, height)
    seen: dict[str, float] = {}
    for overlap, score, label in zip(_overlap(cut.region, box), found.score.tolist(), found.label.tolist(), strict=True):
        if overlap >= _OVERLAP_MIN:
            name = found.labels[label]
            seen[name] = max(seen.get(name, 0.0), score)
    return seen


def _overlap(box: NDArray[np.float64], others: NDArray[np.float64]) -> list[float]:
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
