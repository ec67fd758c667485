"""What was raised against what happened: recall, precision, latency; boxes and tracks against labelled people."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import motmetrics
import numpy as np
from numpy.typing import NDArray

from benchmarks._films import Truth
from benchmarks._live import Raised

__all__ = ["Boxes", "Score", "TrackScore", "average_precision", "read_people", "score", "track_score"]

_LABELS_S = 1.0  # how exact the labels are
_IOU = 0.5
HEIGHTS_PX = ((0, 100), (100, 200), (200, 1000))  # of a person in a picture of 480 lines

Boxes = NDArray[np.float64]
"""Left, top, right, bottom in pixels, (N, 4)."""


@dataclass(slots=True)
class Score:
    """Counts of one clip, or of several together. A repeat is a second event of one thing; it is neither false nor found."""

    truths: int = 0
    found: int = 0
    true: int = 0
    false: int = 0
    repeats: int = 0
    hours: float = 0.0
    latency_s: list[float] = field(default_factory=list)  # from the onset of what was found to its event

    def add(self, other: "Score") -> None:
        """Take in another clip."""
        for name in ("truths", "found", "true", "false", "repeats"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.hours += other.hours
        self.latency_s += other.latency_s

    @property
    def recall(self) -> float | None:
        return round(self.found / self.truths, 3) if self.truths else None

    @property
    def precision(self) -> float | None:
        return round(self.true / (self.true + self.false), 3) if self.true + self.false else None

    @property
    def false_per_hour(self) -> float:
        return round(self.false / self.hours, 1) if self.hours else 0.0

    def latency(self, share: float) -> float | None:
        return round(float(np.quantile(self.latency_s, share)), 2) if self.latency_s else None


def score(raised: Sequence[Raised], truths: Sequence[Truth], known_s: float, seconds: float) -> Score:
    """Events against truths of one clip. What began before `known_s` counts for nothing."""
    result = Score(truths=len(truths), hours=(seconds - known_s) / 3600)
    left = [one for one in raised if one.raised_s >= known_s]
    taken: set[int] = set()
    for truth in sorted(truths, key=lambda one: one.from_s):
        fits = [at for at, one in enumerate(left) if _fits(one, truth)]
        free = [at for at in fits if not truth.once or at not in taken]
        if not free:
            continue
        first = min(free, key=lambda at: abs(left[at].raised_s - truth.from_s) if truth.once else left[at].left_s)
        taken.update([first] if truth.once else fits)
        result.found += 1
        result.latency_s.append(max(0.0, left[first].left_s - truth.from_s))
    fitting = [any(_fits(one, truth) for truth in truths) for one in left]
    result.true, result.false = sum(fitting), len(left) - sum(fitting)
    result.repeats = sum(fits and at not in taken for at, fits in enumerate(fitting))
    return result


def _fits(one: Raised, truth: Truth) -> bool:
    return one.rule == truth.rule and truth.from_s - _LABELS_S <= one.raised_s <= truth.to_s + _LABELS_S


def read_people(path: Path) -> dict[int, tuple[NDArray[np.int64], Boxes]]:
    """Number and box of the people of each frame, counted from 0, of a MOTChallenge file."""
    rows = np.loadtxt(path, delimiter=",")
    box = np.concatenate([rows[:, 2:4], rows[:, 2:4] + rows[:, 4:6]], axis=1)
    frame = rows[:, 0].astype(int) - 1
    return {int(at): (rows[frame == at, 1].astype(np.int64), box[frame == at]) for at in np.unique(frame)}


def average_precision(
    found: Sequence[tuple[int, float, Boxes]], people: dict[int, tuple[NDArray[np.int64], Boxes]]
) -> tuple[float, dict[str, float]]:
    """Area under precision over recall at IoU 0.5 of (frame, score, box (1, 4)), and recall by height of the person."""
    hit: dict[int, NDArray[np.bool_]] = {frame: np.zeros(len(box), np.bool_) for frame, (_, box) in people.items()}
    right = []
    for frame, _, box in sorted(found, key=lambda one: -one[1]):
        truth = people[frame][1] if frame in people else np.empty((0, 4))
        overlap = np.where(hit[frame], 0.0, _iou(box, truth)[0]) if len(truth) else np.zeros(1)
        best = int(overlap.argmax())
        right.append(bool(overlap[best] >= _IOU))
        if right[-1]:
            hit[frame][best] = True
    total = sum(len(box) for _, box in people.values())
    hits = np.cumsum(right)
    recall = np.concatenate([[0.0], hits / total])
    precision = np.concatenate([[1.0], hits / np.arange(1, len(hits) + 1)])
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    area = float(((recall[1:] - recall[:-1]) * envelope[1:]).sum())
    tall = np.concatenate([box[:, 3] - box[:, 1] for _, box in people.values()])
    seen = np.concatenate([hit[frame] for frame in people])
    by_height = {f"{low}-{high}": (tall >= low) & (tall < high) for low, high in HEIGHTS_PX}
    return round(area, 3), {name: round(float(seen[which].mean()), 3) for name, which in by_height.items() if which.any()}


@dataclass(frozen=True, slots=True)
class TrackScore:
    """By the motmetrics library, IoU 0.5."""

    mota: float
    idf1: float
    switches: int


def track_score(
    shown: Sequence[tuple[int, int, Boxes]], people: Sequence[dict[int, tuple[NDArray[np.int64], Boxes]]]
) -> TrackScore:
    """Tracks (frame, number, box (1, 4)) against people; several clips follow one another, their frames 100,000 apart."""
    frames: dict[int, list[tuple[int, Boxes]]] = {}
    for frame, number, box in shown:
        frames.setdefault(frame, []).append((number, box))
    gathered = motmetrics.MOTAccumulator()
    for clip, known in enumerate(people):
        for at, (numbers, box) in sorted(known.items()):
            ours = frames.get(clip * 100_000 + at, [])
            mine = np.concatenate([one for _, one in ours]) if ours else np.empty((0, 4))
            distance = 1 - _iou(box, mine) if len(mine) else np.empty((len(box), 0))
            distance[distance > 1 - _IOU] = np.nan
            gathered.update(
                (numbers + clip * 1000).tolist(), [one + clip * 1000 for one, _ in ours], distance, frameid=clip * 100_000 + at
            )
    summary = motmetrics.metrics.create().compute(gathered, metrics=["mota", "idf1", "num_switches"])
    return TrackScore(
        round(float(summary["mota"].iloc[0]), 3), round(float(summary["idf1"].iloc[0]), 3), int(summary["num_switches"].iloc[0])
    )


def _iou(one: Boxes, two: Boxes) -> NDArray[np.float64]:
    """Intersection over union (N, M)."""
    a, b = one[:, None], two[None]
    common = np.clip(np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2]), 0, None).prod(axis=2)
    area = (a[..., 2:] - a[..., :2]).prod(axis=2) + (b[..., 2:] - b[..., :2]).prod(axis=2)
    overlap: NDArray[np.float64] = common / np.maximum(area - common, 1e-9)
    return overlap
