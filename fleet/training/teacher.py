"""Labels for the training clips: what YOLOX-nano sees, whole and in tiles, kept on disk because it takes minutes."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from detect.cards import Card, check, list_cards
from detect.heads import Candidates, suppress
from detect.networks import Detector
from fleet.training.clips import TrainingClip, background_of, read_frames

__all__ = ["PERSON", "VEHICLE", "LabelledClip", "label_clip", "load_teacher", "overlap"]

TEACHER = "yolox_nano_416"
LOW_SCORE = 0.1  # kept for saying "here may be something": such places give no negatives
PERSON, VEHICLE = 0, 1
MOVING_LEVEL = 24  # grey levels from the background
MOVING_SHARE = (
    0.01  # smallest area, of the picture, taken for a thing where everything that moves is one: less may be camera shake
)
LARGEST_SHARE = 0.6  # more is another light, not a thing


@dataclass(frozen=True, slots=True)
class LabelledClip:
    """Used frames of a clip with what is known of them.

    `grey` u8 (N, h, w), `still` u8 (h, w) its background. `frame` int32 (M,) is each box's frame; `box` f32 (M, 4) fractions;
    `score` f32 (M,); `label` int32 (M,): PERSON, VEHICLE, or -1 for whatever else.
    """

    clip: TrainingClip
    grey: NDArray[np.uint8]
    still: NDArray[np.uint8]
    frame: NDArray[np.int32]
    box: NDArray[np.float32]
    score: NDArray[np.float32]
    label: NDArray[np.int32]


def load_teacher(weights: Path) -> Detector:
    """The teacher from the mirror of network files; raises ModelError if it is not there or not the one its card names."""
    card = next(card for card in list_cards() if card.name == TEACHER)
    lower = {name: getattr(card, name) for name in Card.__dataclass_fields__} | {"min_score": LOW_SCORE}
    return Detector(Card(**lower), check(card, weights))


def label_clip(clip: TrainingClip, data: Path, teacher: Detector, cache: Path | None) -> LabelledClip:
    """The clip's frames with their labels, from `cache` if they were made before."""
    colour = list(read_frames(data / clip.path, clip.step))
    grey = np.stack([np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), np.uint8) for frame in colour])
    still = background_of(grey)
    kept = cache / f"{clip.name}-{clip.step}-{clip.tiles}-{clip.moving}.npz" if cache else None
    if kept and kept.is_file():
        with np.load(kept) as file:
            return LabelledClip(clip, grey, still, file["frame"], file["box"], file["score"], file["label"])
    rows: list[tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int32]]] = []
    for index, frame in enumerate(colour):
        rows.append(_moving_boxes(grey[index], still, clip.moving) if clip.moving else _see(teacher, frame, clip.tiles))
    number = np.repeat(np.arange(len(rows), dtype=np.int32), [len(row[1]) for row in rows])
    box, score, label = (np.concatenate(column) for column in zip(*rows, strict=True))
    if kept:
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.savez(kept, frame=number, box=box, score=score, label=label)
    return LabelledClip(clip, grey, still, number, box, score, label)


def _see(
    teacher: Detector, frame: NDArray[np.uint8], tiles: int
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int32]]:
    """Boxes of the whole frame and of overlapping tiles, doubles removed."""
    name = {"person": PERSON, "vehicle": VEHICLE}
    of_label = np.array([name.get(label, -1) for label in teacher.labels], np.int32)
    boxes, scores, labels = [], [], []
    windows = [(0.0, 0.0, 1.0)]
    if tiles > 1:
        side = 1.2 / tiles
        places = np.linspace(0, 1 - side, tiles)
        windows += [(float(x), float(y), side) for y in places for x in places]
    height_px, width_px = frame.shape[:2]
    for left, top, side in windows:
        x0, y0, x1, y1 = (
            round(v) for v in (left * width_px, top * height_px, (left + side) * width_px, (top + side) * height_px)
        )
        seen = teacher.detect(np.ascontiguousarray(frame[y0:y1, x0:x1]))
        boxes.append(seen.box * side + np.array([left, top, left, top], np.float32))
        scores.append(seen.score)
        labels.append(of_label[seen.label])
    box, score, label = np.concatenate(boxes), np.concatenate(scores), np.concatenate(labels)
    order = np.argsort(-score, kind="stable")
    box, score, label = box[order].astype(np.float32), score[order], label[order]
    keep = suppress(Candidates(box, score, label - label.min(initial=0)), 0.5)
    return box[keep], score[keep], label[keep]


def _moving_boxes(
    grey: NDArray[np.uint8], still: NDArray[np.uint8], what: str
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int32]]:
    """Boxes of everything that differs from the background, all called `what`."""
    change = grey.astype(np.int16) - still
    away = np.abs(cv2.GaussianBlur(change - np.int16(np.median(change)), (9, 9), 0)) > MOVING_LEVEL
    solid = cv2.morphologyEx(away.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((21, 21), np.uint8))
    count, _, stats, _ = cv2.connectedComponentsWithStats(solid)
    height_px, width_px = grey.shape
    box = [
        (x / width_px, y / height_px, (x + w) / width_px, (y + h) / height_px)
        for x, y, w, h, area in stats[1:count].tolist()
        if MOVING_SHARE <= area / grey.size <= LARGEST_SHARE
    ]
    label = {"person": PERSON, "vehicle": VEHICLE}.get(what, -1)
    return (
        np.array(box, np.float32).reshape(-1, 4),
        np.ones(len(box), np.float32),
        np.full(len(box), label, np.int32),
    )


def overlap(box: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    """Share of each box (N, 4) that each of `others` (M, 4) covers, f32 (N, M)."""
    low = np.maximum(box[:, None, :2], others[None, :, :2])
    high = np.minimum(box[:, None, 2:], others[None, :, 2:])
    area = np.clip(box[:, 2:] - box[:, :2], 1e-6, None).prod(axis=1)
    return np.asarray(np.clip(high - low, 0, None).prod(axis=2) / area[:, None], np.float32)
