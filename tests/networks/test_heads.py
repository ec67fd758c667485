"""Heads against slow twins, and on the real exported files where they are here."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from detect.cards import check, list_cards
from detect.heads import Candidates, Head, decode, suppress
from detect.networks import Detector
from tests.networks.material import clip_or_skip, weights_or_skip


def slow_yolox(raw: NDArray[np.float32], side: int, min_score: float) -> list[tuple[float, ...]]:
    """Score, label, box of every cell, one after another."""
    rows: list[tuple[float, ...]] = []
    index = 0
    for stride in (8, 16, 32):
        for y in range(side // stride):
            for x in range(side // stride):
                dx, dy, w, h, objectness, *classes = raw[index].tolist()
                index += 1
                score = objectness * max(classes)
                if score >= min_score:
                    half_w, half_h = np.exp(w) * stride / 2, np.exp(h) * stride / 2
                    middle_x, middle_y = (x + dx) * stride, (y + dy) * stride
                    box = (middle_x - half_w, middle_y - half_h, middle_x + half_w, middle_y + half_h)
                    rows.append((score, classes.index(max(classes)), *box))
    return sorted(rows, key=lambda row: -row[0])


def test_yolox_agrees_with_a_slow_twin() -> None:
    rng = np.random.default_rng(1)
    raw = rng.normal(0, 1, (1, 84, 8)).astype(np.float32)
    raw[..., 4:] = rng.random((1, 84, 4))
    found = decode(Head.YOLOX, [raw], 64, 64, 0.4)
    want = slow_yolox(raw[0], 64, 0.4)
    assert len(want) > 10
    np.testing.assert_allclose(found.score, [row[0] for row in want], rtol=1e-5)
    assert found.label.tolist() == [row[1] for row in want]
    np.testing.assert_allclose(found.box, [row[2:] for row in want], rtol=1e-4, atol=1e-3)


def test_nanodet_reads_distances_as_the_mean_of_a_distribution() -> None:
    classes = [np.zeros((1, cells, 2), np.float32) for cells in (64, 16, 4)]
    distances = [np.full((1, cells, 32), -30, np.float32) for cells in (64, 16, 4)]
    classes[1][0, 5, 1] = 0.8  # column 1, row 1 of stride 16: its middle is at 23.5, 23.5
    bins = distances[1].reshape(1, 16, 4, 8)
    for side, place in enumerate((1, 0, 1, 2)):  # left, top, right, bottom in strides
        bins[0, 5, side, place] = 30
    bins[0, 5, 3, 1] = 30  # half at one, half at two strides: 1.5
    found = decode(Head.NANODET, [*distances, *classes], 64, 64, 0.5)
    assert found.label.tolist() == [1] and found.score[0] == pytest.approx(0.8)
    np.testing.assert_allclose(found.box[0], [23.5 - 16, 23.5, 23.5 + 16, 23.5 + 24], atol=1e-3)


def test_fastestdet_reads_its_cell_sizes_and_score() -> None:
    raw = np.zeros((1, 7, 4, 4), np.float32)
    raw[0, :, 2, 1] = (0.9, 0.0, np.arctanh(0.5), 0.0, -np.log(3.0), 0.1, 0.8)  # column 1, row 2
    found = decode(Head.FASTESTDET, [raw], 64, 64, 0.5)
    assert found.label.tolist() == [1] and found.score[0] == pytest.approx(0.9**0.6 * 0.8**0.4)
    np.testing.assert_allclose(found.box[0], [16 - 16, 40 - 8, 16 + 16, 40 + 8], atol=1e-3)  # half as wide, a quarter as high


def slow_suppress(box: NDArray[np.float32], label: NDArray[np.int32], most: float) -> list[int]:
    """Rows kept, best first, each compared with each."""
    kept: list[int] = []
    for row in range(len(box)):
        for better in kept:
            low, high = np.maximum(box[row, :2], box[better, :2]), np.minimum(box[row, 2:], box[better, 2:])
            both = np.clip(high - low, 0, None).prod()
            areas = [np.prod(box[index, 2:] - box[index, :2]) for index in (row, better)]
            if label[row] == label[better] and both / (sum(areas) - both) > most:
                break
        else:
            kept.append(row)
    return kept


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 40), st.integers(1, 3), st.integers(0, 2**31))
def test_suppression_agrees_with_a_slow_twin(count: int, labels: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    corner = rng.uniform(-20, 60, (count, 2))
    box = np.concatenate([corner, corner + rng.uniform(5, 60, (count, 2))], axis=1).astype(np.float32)
    score = np.sort(rng.uniform(0.1, 1, count).astype(np.float32))[::-1]
    label = rng.integers(0, labels, count).astype(np.int32)
    candidates = Candidates(box, np.ascontiguousarray(score), label)
    assert suppress(candidates, 0.45).tolist() == slow_suppress(box, label, 0.45)


# Card, least precision and recall of persons over every fifth frame of both TUD clips at IoU 0.5 (measured a little higher)
FLOORS = [
    ("yolox_nano_416", 0.90, 0.78),
    ("yolox_nano_person_192", 0.93, 0.76),
    ("nanodet_m_416", 0.78, 0.72),
    ("fastestdet_352", 0.82, 0.72),
]


@pytest.mark.parametrize(("name", "precision", "recall"), FLOORS, ids=[row[0] for row in FLOORS])
def test_a_public_detector_finds_the_people_of_tud(name: str, precision: float, recall: float) -> None:
    card = next(card for card in list_cards() if card.name == name)
    detector = Detector(card, check(card, weights_or_skip(card.file)))
    hits = seen = there = 0
    for clip in ("TUD-Campus", "TUD-Stadtmitte"):
        truth = np.loadtxt(clip_or_skip(f"mot/{clip}/gt.txt"), delimiter=",")
        capture = cv2.VideoCapture(str(clip_or_skip(f"mot/{clip}/input.mp4")))
        number = 0
        while capture.grab():
            number += 1
            if number % 9 != 0:
                continue
            _, frame = capture.retrieve()
            row = truth[truth[:, 0] == number]
            want = np.stack([row[:, 2], row[:, 3], row[:, 2] + row[:, 4], row[:, 3] + row[:, 5]], axis=1) / (640, 480, 640, 480)
            found = detector.detect(np.asarray(frame, np.uint8))
            people = found.box[found.label == found.labels.index("person")]
            hits += matched(people, want)
            seen += len(people)
            there += len(want)
    assert there > 120
    assert hits / seen >= precision and hits / there >= recall


def matched(found: NDArray[np.float32], want: NDArray[np.float64]) -> int:
    """How many of the found boxes, best first, meet a wanted one not yet met at IoU 0.5."""
    left = list(range(len(want)))
    hits = 0
    for box in found:
        low, high = np.maximum(box[:2], want[left, :2]), np.minimum(box[2:], want[left, 2:])
        both = np.clip(high - low, 0, None).prod(axis=1)
        area = (box[2:] - box[:2]).prod() + (want[left, 2:] - want[left, :2]).prod(axis=1) - both
        if left and (both / area).max() >= 0.5:
            left.pop(int((both / area).argmax()))
            hits += 1
    return hits
