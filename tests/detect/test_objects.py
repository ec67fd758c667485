"""Judging regions: the crop network first, a detector where it is in doubt."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from base import Box
from detect import Detections, Regions
from detect.objects import Judge, Scores
from tests.detect.stage import LABELS, U8, ByShape, Pair, ShapeCard, Still, scene, walker, with_thing


@dataclass(slots=True)
class DarkFinder:
    """A detector that finds each dark thing of a picture and calls it what it is told; remembers what it was shown."""

    label: str = "person"
    score: float = 0.8
    latency_ms: float = 10.0
    shown: list[tuple[int, ...]] = field(default_factory=list)

    def detect_all(self, pictures: Sequence[U8]) -> list[Detections]:
        return [self._find(picture) for picture in pictures]

    def _find(self, bgr: U8) -> Detections:
        self.shown.append(bgr.shape)
        height, width = bgr.shape[:2]
        _, _, stats, _ = cv2.connectedComponentsWithStats((bgr[:, :, 0] < 60).astype(np.uint8))
        box = [(x / width, y / height, (x + w) / width, (y + h) / height) for x, y, w, h, _ in stats[1:].tolist()]
        n = len(box)
        return Detections(
            np.array(box, np.float32).reshape(n, 4), np.full(n, self.score, np.float32), np.zeros(n, np.int32), (self.label,)
        )


@dataclass(frozen=True, slots=True)
class Everybody:
    """A judge who takes everything for a person, so surely."""

    sure: float
    card: ShapeCard = field(default_factory=ShapeCard)
    labels: tuple[str, ...] = LABELS

    def classify(self, crops: U8) -> NDArray[np.float32]:
        score = np.full((len(crops), 3), (1 - self.sure) / 2, np.float32)
        score[:, 0] = self.sure
        return score


def regions(*boxes: Box, row: list[int] | None = None) -> Regions:
    box = np.array(boxes, np.float32).reshape(-1, 4)
    area = (box[:, 2] - box[:, 0]) * (box[:, 3] - box[:, 1])
    return Regions(np.array(row or [0] * len(boxes), np.int32), box, area)


def judge(sure: float, detector: DarkFinder | None, looks: int = 2) -> Judge:
    return Judge(Pair(ByShape(sure), detector), (0.35, 0.75), looks)


PICTURE = Still(with_thing(scene(0, 360, 640), walker(0.5)))
AWAKE, ASLEEP = np.ones(1, np.bool_), np.zeros(1, np.bool_)
CAMERA = np.zeros(1, np.int32)


def test_crops_of_all_pictures_are_judged_in_one_run() -> None:
    flat = Still(with_thing(scene(1), (0.2, 0.5, 0.5, 0.6)))
    one = judge(0.9, None)
    scores = one.judge(
        regions(walker(0.5), (0.2, 0.5, 0.5, 0.6), row=[0, 1]),
        [PICTURE, flat],
        np.ones(2, np.bool_),
        np.arange(2, dtype=np.int32),
    )
    assert scores.score.argmax(axis=1).tolist() == [0, 1]
    assert (one.crops, one.inferences, one.network) == (2, 1, "by_shape")


def test_nothing_to_judge_runs_nothing() -> None:
    one = judge(0.9, None)
    assert one.judge(regions(), [], np.zeros(0, np.bool_), np.zeros(0, np.int32)).score.shape == (0, 3)
    assert one.inferences == 0


def test_a_sure_crop_gets_no_second_look() -> None:
    detector = DarkFinder()
    judge(0.9, detector).judge(regions(walker(0.5)), [PICTURE], AWAKE, CAMERA)
    assert detector.shown == []


@pytest.mark.parametrize(
    ("detector", "person"),
    [
        (DarkFinder("person", 0.8), (0.6 + 0.8) / 2),  # both agree
        (DarkFinder("vehicle", 0.8), 0.6 / 2),  # they disagree
        (DarkFinder("dog", 0.8), 0.6 / 2),  # something neither rule nor network asks for
    ],
)
def test_an_uncertain_crop_is_settled_by_the_detector(detector: DarkFinder, person: float) -> None:
    one = judge(0.6, detector)
    scores = one.judge(regions(walker(0.5)), [PICTURE], AWAKE, CAMERA)
    assert scores.score[0, 0] == pytest.approx(person, abs=1e-5)
    assert scores.score.sum() == pytest.approx(1, abs=1e-5)
    assert one.inferences == 2


def test_the_second_look_is_a_cut_at_native_scale() -> None:
    detector = DarkFinder()
    judge(0.6, detector).judge(regions(walker(0.5)), [PICTURE], AWAKE, CAMERA)
    # The region is 130 pixels tall; with half of it around: 260 pixels.
    assert detector.shown == [(260, 260, 3)]
    tiny = walker(0.05, foot=0.1, tall=0.06, wide=0.015)
    judge(0.6, detector).judge(regions(tiny), [Still(with_thing(scene(0, 360, 640), tiny))], AWAKE, CAMERA)
    height, width, _ = detector.shown[-1]
    assert 80 <= height <= 160  # cut off at the corner of the picture
    assert 80 <= width <= 160


def test_quiet_cameras_get_no_second_look() -> None:
    detector = DarkFinder()
    judge(0.6, detector).judge(regions(walker(0.5)), [PICTURE], ASLEEP, CAMERA)
    assert detector.shown == []


def crowd(people: int) -> tuple[Regions, Still]:
    """A wide picture with so many people apart from each other."""
    boxes = [walker(0.02 + 0.96 * number / people, tall=0.3, wide=0.02) for number in range(people)]
    picture = scene(0, 360, 2400)
    for box in boxes:
        picture = with_thing(picture, box)
    return regions(*boxes), Still(picture)


# Regions in doubt, pictures shown to a detector that may be shown two, and how many regions get a look
MANY = [(2, 2, 2), (3, 1, 3), (8, 2, 8), (9, 1, 9), (16, 2, 16), (20, 2, 18)]


@pytest.mark.parametrize(("people", "shown", "looked"), MANY)
def test_many_uncertain_crops_share_mosaics(people: int, shown: int, looked: int) -> None:
    detector = DarkFinder()
    here, picture = crowd(people)
    one = judge(0.6, detector)
    score = one.judge(here, [picture], AWAKE, CAMERA).score[:, 0]
    assert len(detector.shown) == shown and one.inferences == 1 + shown
    assert np.isclose(score, (0.6 + 0.8) / 2, atol=1e-5).sum() == looked
    assert np.isclose(score, 0.6, atol=1e-5).sum() == people - looked


def test_what_lies_in_another_tile_says_nothing_about_a_region() -> None:
    detector = DarkFinder()
    here, picture = crowd(4)
    gone = Still(scene(0, 360, 2400))  # the fourth stands in another camera's picture, where the detector sees nobody
    both = regions(*here.box[:3].tolist(), here.box[3].tolist(), row=[0, 0, 0, 1])
    pale = Pair(Everybody(0.6), detector)
    score = Judge(pale, (0.35, 0.75), 1).judge(both, [picture, gone], np.ones(2, np.bool_), np.arange(2, dtype=np.int32)).score
    assert len(detector.shown) == 1
    np.testing.assert_allclose(score[:, 0], [0.7, 0.7, 0.7, 0.3], atol=1e-5)


def test_a_slow_detector_is_asked_less() -> None:
    detector = DarkFinder(latency_ms=40.0)
    here, picture = crowd(4)
    judge(0.6, detector).judge(here, [picture], AWAKE, CAMERA)
    assert len(detector.shown) == 1


def test_who_waited_longest_is_looked_at_first() -> None:
    slow = DarkFinder(latency_ms=60.0)
    one = judge(0.6, slow, looks=1)
    large, full = crowd(9)
    small = walker(0.5, tall=0.2, wide=0.02)
    pictures = [full, Still(with_thing(scene(1, 360, 640), small))]
    area = np.concatenate([large.area, [0.001]]).astype(np.float32)
    both = replace(regions(*large.box.tolist(), small, row=[0] * 9 + [1]), area=area)
    numbers, awake = np.array([5, 7], np.int32), np.ones(2, np.bool_)
    first = one.judge(both, pictures, awake, numbers).score
    second = one.judge(both, pictures, awake, numbers).score
    assert first[9, 0] == pytest.approx(0.6)  # nine larger ones fill the only mosaic
    assert second[9, 0] == pytest.approx(0.7, abs=1e-5)  # now camera 7 has waited


def test_the_best_of_the_wanted_labels() -> None:
    scores = Scores(LABELS, np.array([[0.1, 0.7, 0.2], [0.5, 0.3, 0.2]], np.float32))
    assert scores.best_of(("person", "vehicle")).tolist() == pytest.approx([0.7, 0.5])
    assert scores.best_of(("cyclist",)).tolist() == [0.0, 0.0]
    assert scores.best_of(()).tolist() == [1.0, 1.0]
