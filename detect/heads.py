"""What comes out of a public detector's network, turned into boxes: one pure numpy function per kind of head."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Candidates", "Head", "decode", "output_problem", "suppress"]

Array = NDArray[np.float32]

YOLOX_STRIDES = (8, 16, 32)
NANODET_STRIDES = (8, 16, 32)
PICODET_STRIDES = (8, 16, 32, 64)
NANODET_BINS = 8  # distances are a distribution over 0…7 strides (Generalized Focal Loss, Li et al. 2020)
MAX_CANDIDATES = 1000  # kept before suppression, best first: bounds the quadratic part


class Head(StrEnum):
    """How a network's outputs are to be read."""

    CROP = "crop"  # softmax (N, C); not decoded here
    YOLOX = "yolox"  # (1, cells, 5 + C): offsets to the cell, log sizes, objectness and classes already through sigmoid
    NANODET = "nanodet"  # per stride: classes (1, cells, C) through sigmoid, distances (1, cells, 4 x 8) as distributions
    FASTESTDET = "fastestdet"  # (1, 5 + C, rows, columns), one stride
    PICODET = "picodet"  # as nanodet, with a fourth stride and the middle of a cell half a stride on
    DETR = "detr"  # RT-DETR, D-FINE as trained: class logits (1, Q, C), boxes (1, Q, 4) middle and size as fractions
    DETR_SIZED = (
        "detr_sized"  # the same with their last step: labels (1, Q), boxes (1, Q, 4) corners, scores (1, Q), sizes asked for
    )


@dataclass(frozen=True, slots=True)
class Candidates:
    """Boxes before suppression: `box` f32 (N, 4) left, top, right, bottom in pixels of the network's input, `score` f32 (N,),
    `label` int32 (N,)."""

    box: Array
    score: Array
    label: NDArray[np.int32]


def decode(head: Head, output: Sequence[Array], height_px: int, width_px: int, min_score: float) -> Candidates:
    """The candidates of at least `min_score` in a network's outputs for one picture, best first, at most a thousand.

    What is no number is none: an overflow in one cell costs that cell.
    """
    box, score, label = _DECODERS[head](output, height_px, width_px)
    keep = np.flatnonzero((score >= min_score) & np.isfinite(box).all(axis=1))
    keep = keep[np.argsort(-score[keep], kind="stable")][:MAX_CANDIDATES]
    return Candidates(box[keep].astype(np.float32), score[keep].astype(np.float32), label[keep].astype(np.int32))


def suppress(candidates: Candidates, max_overlap: float) -> NDArray[np.int64]:
    """Rows that stay when, within a label, the better box removes every box overlapping it by more than `max_overlap` (IoU)."""
    if not len(candidates.score):
        return np.empty(0, np.int64)
    # Shifting each label to its own place lets one call handle them all.
    span = float(np.abs(candidates.box).max()) * 2 + 1
    corner = candidates.box[:, :2] + (candidates.label * span)[:, None]
    size = candidates.box[:, 2:] - candidates.box[:, :2]
    boxes = np.concatenate([corner, size], axis=1).astype(np.float64)
    kept = cv2.dnn.NMSBoxes(boxes.tolist(), candidates.score.tolist(), 0.0, max_overlap)
    return np.sort(np.asarray(kept, np.int64).reshape(-1))


def output_problem(head: Head, shapes: Sequence[tuple[int, ...]], height_px: int, width_px: int, labels: int) -> str:
    """What is wrong with the shapes of a network's outputs, as the end of a sentence; empty if they fit."""
    queries = next((shape[1] for shape in shapes if len(shape) > 1), 0)
    want = _expected_shapes(head, height_px, width_px, labels, queries)
    if sorted(shapes) == sorted(want):
        return ""
    return f"expected outputs {_listed(want)} for head {head} with {labels} labels, got {_listed(shapes)}"


def _listed(shapes: Sequence[tuple[int, ...]]) -> str:
    return ", ".join("x".join(map(str, shape)) for shape in shapes)


def _expected_shapes(head: Head, height_px: int, width_px: int, labels: int, queries: int) -> list[tuple[int, ...]]:
    def cells(stride: int) -> int:
        return -(-height_px // stride) * -(-width_px // stride)

    if head is Head.CROP:
        return [(1, labels)]
    if head is Head.YOLOX:
        return [(1, sum(map(cells, YOLOX_STRIDES)), 5 + labels)]
    if head in (Head.NANODET, Head.PICODET):
        strides = NANODET_STRIDES if head is Head.NANODET else PICODET_STRIDES
        classes: list[tuple[int, ...]] = [(1, cells(stride), labels) for stride in strides]
        return classes + [(1, cells(stride), 4 * NANODET_BINS) for stride in strides]
    if head is Head.DETR:
        return [(1, queries, labels), (1, queries, 4)]
    if head is Head.DETR_SIZED:
        return [(1, queries), (1, queries, 4), (1, queries)]
    return [(1, 5 + labels, height_px // 16, width_px // 16)]


def _corners(height_px: int, width_px: int, stride: int) -> Array:
    """Column and row of every cell, row by row, f32 (cells, 2)."""
    y, x = np.mgrid[: -(-height_px // stride), : -(-width_px // stride)]
    return np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float32)


def _best(score: Array) -> tuple[Array, NDArray[np.int64]]:
    label = score.argmax(axis=1)
    return score[np.arange(len(score)), label], label


Decoded = tuple[Array, Array, NDArray[np.int64]]


def _decode_yolox(output: Sequence[Array], height_px: int, width_px: int) -> Decoded:
    """YOLOX (Ge et al. 2021) exported without its decoder: middle = (offset + cell) x stride, size = exp(size) x stride."""
    raw = output[0][0]
    corner = np.concatenate([_corners(height_px, width_px, stride) for stride in YOLOX_STRIDES])
    count = [len(_corners(height_px, width_px, stride)) for stride in YOLOX_STRIDES]
    stride = np.repeat(np.asarray(YOLOX_STRIDES, np.float32), count)[:, None]
    middle = (raw[:, :2] + corner) * stride
    half = np.exp(np.minimum(raw[:, 2:4], 10.0)) * stride / 2
    score, label = _best(raw[:, 5:])
    return np.concatenate([middle - half, middle + half], axis=1), score * raw[:, 4], label


def _decode_nanodet(output: Sequence[Array], height_px: int, width_px: int) -> Decoded:
    """NanoDet (2020) exported without its decoder: a cell's middle is that of its first and last pixel."""
    return _decode_distances(output, height_px, width_px, NANODET_STRIDES, lambda stride: (stride - 1) / 2)


def _decode_picodet(output: Sequence[Array], height_px: int, width_px: int) -> Decoded:
    """PP-PicoDet (Yu et al. 2021) exported without its last step: a cell's middle lies half a stride on."""
    return _decode_distances(output, height_px, width_px, PICODET_STRIDES, lambda stride: stride / 2)


def _decode_distances(
    output: Sequence[Array], height_px: int, width_px: int, strides: Sequence[int], middle_of: Callable[[int], float]
) -> Decoded:
    """Distances from the cell's middle to the four sides, each the mean of a distribution. The outputs are recognised by their
    shapes, whatever their order; where there are 32 labels, classes come first."""
    boxes, scores, labels = [], [], []
    for stride in strides:
        corner = _corners(height_px, width_px, stride)
        of_stride = [part[0] for part in output if part.shape[1] == len(corner)]
        last = max(at for at, part in enumerate(of_stride) if part.shape[1] == 4 * NANODET_BINS)
        distance, classes = of_stride[last], of_stride[1 - last]
        bins = distance.reshape(-1, 4, NANODET_BINS)
        weight = np.exp(bins - bins.max(axis=2, keepdims=True))
        side = (weight @ np.arange(NANODET_BINS, dtype=np.float32)) / weight.sum(axis=2) * stride
        middle = corner * stride + middle_of(stride)
        boxes.append(np.concatenate([middle - side[:, :2], middle + side[:, 2:]], axis=1))
        score, label = _best(classes)
        scores.append(score)
        labels.append(label)
    return np.concatenate(boxes), np.concatenate(scores), np.concatenate(labels)


def _decode_detr(output: Sequence[Array], height_px: int, width_px: int) -> Decoded:
    """RT-DETR (Zhao et al. 2023) and D-FINE (Peng et al. 2024) with `logits` and `pred_boxes`, in this order."""
    of_boxes = max(at for at, part in enumerate(output) if part.shape[2] == 4)
    score, label = _best(_sigmoid(output[1 - of_boxes][0]))
    middle, size = output[of_boxes][0, :, :2], output[of_boxes][0, :, 2:]
    box = np.concatenate([middle - size / 2, middle + size / 2], axis=1) * np.array([width_px, height_px] * 2, np.float32)
    return box, score, label


def _decode_detr_sized(output: Sequence[Array], height_px: int, width_px: int) -> Decoded:
    """The same networks exported with their last step: `labels`, `boxes`, `scores`, labels before scores. Boxes are in the pixels
    of the size the network was told, which is that of its input."""
    box = next(part[0] for part in output if part.ndim == 3)
    label, score = (part[0] for part in output if part.ndim == 2)
    return box, score, label.astype(np.int64)


def _decode_fastestdet(output: Sequence[Array], height_px: int, width_px: int) -> Decoded:
    """FastestDet (2022): middle = cell + tanh, size = a share of the picture by sigmoid, score = objectness^0.6 x class^0.4."""
    raw = output[0][0]
    rows, columns = raw.shape[1:]
    flat = raw.reshape(raw.shape[0], -1).T
    y, x = np.mgrid[:rows, :columns]
    middle = (np.tanh(flat[:, 1:3]) + np.stack([x.ravel(), y.ravel()], axis=1)) / (columns, rows) * (width_px, height_px)
    half = _sigmoid(flat[:, 3:5]) * (width_px, height_px) / 2
    score, label = _best(flat[:, 5:])
    score = np.maximum(flat[:, 0], 0) ** 0.6 * np.maximum(score, 0) ** 0.4
    return np.concatenate([middle - half, middle + half], axis=1).astype(np.float32), score.astype(np.float32), label


def _sigmoid(x: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-np.clip(x, -60, 60))), np.float32)


_DECODERS: dict[Head, Callable[[Sequence[Array], int, int], Decoded]] = {
    Head.YOLOX: _decode_yolox,
    Head.NANODET: _decode_nanodet,
    Head.FASTESTDET: _decode_fastestdet,
    Head.PICODET: _decode_picodet,
    Head.DETR: _decode_detr,
    Head.DETR_SIZED: _decode_detr_sized,
}
