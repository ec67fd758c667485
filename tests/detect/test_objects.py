"""Judging regions: the crop network first, a detector where it is in doubt."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from base import Box
from detect import Detections, Regions
from detect.objects import Judge, Scores
from tests.detect.stage import LABELS, U8, ByShape, Pair, Still, scene, walker, with_thing


@dataclass(slots=True)
class DarkFinder:
    """A detector that finds the dark thing of a picture and calls it what it is told; remembers what it was shown."""

    label: str = "person"
    score: float = 0.8
    shown: list[tuple[int, ...]] = field(default_factory=list)

    def detect(self, bgr: U8) -> Detections:
        self.shown.append(bgr.shape)
        y, x = np.nonzero(bgr[:, :, 0] < 60)
        if not len(y):
            return Detections(np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty(0, np.int32), (self.label,))
        height, width = bgr.shape[:2]
        box = [[x.min() / width, y.min() / height, (x.max() + 1) / width, (y.max() + 1) / height]]
        return Detections(np.array(box, np.float32), np.array([self.score], np.float32), np.zeros(1, np.int32), (self.label,))


def regions(*boxes: Box, row: list[int] | None = None) -> Regions:
    box = np.array(boxes, np.float32).reshape(-1, 4)
    area = (box[:, 2] - box[:, 0]) * (box[:, 3] - box[:, 1])
    return Regions(np.array(row or [0] * len(boxes), np.int32), box, area)


def judge(sure: float, detector: DarkFinder | None, looks: int = 2) -> Judge:
    return Judge(Pair(ByShape(sure), detector), (0.35, 0.75), looks)


PICTURE = Still(with_thing(scene(0, 360, 640), walker(0.5)))
AWAKE, ASLEEP = np.ones(1, np.bool_), np.zeros(1, np.bool_)


def test_crops_of_all_pictures_are_judged_in_one_run() -> None:
    flat = Still(with_thing(scene(1), (0.2, 0.5, 0.5, 0.6)))
    one = judge(0.9, None)
    scores = one.judge(regions(walker(0.5), (0.2, 0.5, 0.5, 0.6), row=[0, 1]), [PICTURE, flat], np.ones(2, np.bool_))
    assert scores.score.argmax(axis=1).tolist() == [0, 1]
    assert (one.crops, one.inferences, one.network) == (2, 1, "by_shape")


def test_nothing_to_judge_runs_nothing() -> None:
    one = judge(0.9, None)
    assert one.judge(regions(), [], np.zeros(0, np.bool_)).score.shape == (0, 3)
    assert one.inferences == 0


def test_a_sure_crop_gets_no_second_look() -> None:
    detector = DarkFinder()
    judge(0.9, detector).judge(regions(walker(0.5)), [PICTURE], AWAKE)
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
    scores = one.judge(regions(walker(0.5)), [PICTURE], AWAKE)
    assert scores.score[0, 0] == pytest.approx(person, abs=1e-5)
    assert scores.score.sum() == pytest.approx(1, abs=1e-5)
    assert one.inferences == 2


def test_the_second_look_is_a_cut_at_native_scale() -> None:
    detector = DarkFinder()
    judge(0.6, detector).judge(regions(walker(0.5)), [PICTURE], AWAKE)
    # The region is 130 pixels tall; with half of it around: 260 pixels.
    assert detector.shown == [(260, 260, 3)]
    tiny = walker(0.05, foot=0.1, tall=0.06, wide=0.015)
    judge(0.6, detector).judge(regions(tiny), [Still(with_thing(scene(0, 360, 640), tiny))], AWAKE)
    height, width, _ = detector.shown[-1]
    assert 80 <= height <= 160  # cut off at the corner of the picture
    assert 80 <= width <= 160


def test_quiet_cameras_get_no_second_look_and_awake_ones_a_few() -> None:
    detector = DarkFinder()
    many = regions(*[walker(0.1 + 0.15 * number) for number in range(5)])
    judge(0.6, detector).judge(many, [PICTURE], ASLEEP)
    assert detector.shown == []
    judge(0.6, detector, looks=2).judge(many, [PICTURE], AWAKE)
    assert len(detector.shown) == 2


def test_the_best_of_the_wanted_labels() -> None:
    scores = Scores(LABELS, np.array([[0.1, 0.7, 0.2], [0.5, 0.3, 0.2]], np.float32))
    assert scores.best_of(("person", "vehicle")).tolist() == pytest.approx([0.7, 0.5])
    assert scores.best_of(("cyclist",)).tolist() == [0.0, 0.0]
    assert scores.best_of(()).tolist() == [1.0, 1.0]
