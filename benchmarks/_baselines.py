"""Two motion detectors of other recorders, written from their descriptions, with the event logic that they are used with.

*MOG2*: OpenCV's mixture of Gaussians with its defaults, shadows left out, opened by 3x3, blobs by contour. *Running average*:
grey, resized, exponentially weighted mean, absolute difference, threshold, dilated, contours, least area. Neither knows what it
is that moves.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks._live import Raised
from camera_config import Rule
from detect import DetectSettings
from detect.rules import inside

__all__ = ["BASELINES", "Detector", "MixtureOfGaussians", "RunningAverage", "alarms"]

U8 = NDArray[np.uint8]
Boxes = NDArray[np.float32]

_SHADOW = 127  # what MOG2 calls a shadow; foreground is 255
_MIXTURE_LEARN_S = 2.0
_HEIGHT = 100  # of the running average's picture
_WEIGHT = 0.04  # of a frame at 5 frames/s: the mean follows within five seconds
_RATE_HZ = 5.0
_THRESHOLD = 30  # grey levels
_LEAST_AREA = 10  # of the dilated contour, in pixels at a height of 100
_CONFIRM_FRAMES, _CONFIRM_S = 3, 0.3  # as ours: less is noise
_OFF_DELAY_S = 2.0


class Detector(Protocol):
    """Motion in the frames of one camera, in order."""

    def boxes(self, time_s: float, luma: U8) -> Boxes:
        """Boxes (R, 4) as fractions of what moves in a frame; `luma` u8 (h, w)."""
        ...


class MixtureOfGaussians:
    """OpenCV's MOG2 on the reduced picture."""

    def __init__(self) -> None:
        self._model = cv2.createBackgroundSubtractorMOG2()
        self._least = DetectSettings().min_area
        self._began_s: float | None = None

    def boxes(self, time_s: float, luma: U8) -> Boxes:
        self._began_s = time_s if self._began_s is None else self._began_s
        mask = (np.asarray(self._model.apply(luma), np.uint8) > _SHADOW).astype(np.uint8)
        if time_s - self._began_s < _MIXTURE_LEARN_S:
            return np.empty((0, 4), np.float32)
        opened = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)), np.uint8)
        return _blobs(opened, self._least * opened.size)


class RunningAverage:
    """A weighted mean of grey pictures, and what differs from it."""

    def __init__(self) -> None:
        self._mean: NDArray[np.float32] | None = None
        self._last_s = 0.0
        self._frames = 0

    def boxes(self, time_s: float, luma: U8) -> Boxes:
        size = _HEIGHT * luma.shape[1] // luma.shape[0], _HEIGHT
        small = np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_LINEAR), np.uint8)
        if self._mean is None:
            self._mean, self._last_s = small.astype(np.float32), time_s
        difference = cv2.absdiff(small, cv2.convertScaleAbs(self._mean))
        weight = 1 - (1 - _WEIGHT) ** max(0.0, (time_s - self._last_s) * _RATE_HZ)
        cv2.accumulateWeighted(small, self._mean, weight)
        self._last_s, self._frames = time_s, self._frames + 1
        if self._frames < _CONFIRM_FRAMES:
            return np.empty((0, 4), np.float32)
        moving = cv2.threshold(difference, _THRESHOLD, 1, cv2.THRESH_BINARY)[1]
        return _blobs(np.asarray(cv2.dilate(moving, None, iterations=2), np.uint8), _LEAST_AREA)  # type: ignore[call-overload]  # None is 3x3


BASELINES: dict[str, Callable[[], Detector]] = {"mog2": MixtureOfGaussians, "running_average": RunningAverage}


def alarms(rule: Rule, frames: Sequence[tuple[float, Boxes]], key_frames: bool = False) -> Iterator[Raised]:
    """Events of a rule's zone: motion with its foot in it that lasts for the dwell time, until it has been gone for 2 s.

    With `key_frames`, one every 2 s, a single one has to do.
    """
    least, dwell_s = (1, 0.0) if key_frames else (_CONFIRM_FRAMES, max(_CONFIRM_S, rule.dwell_s))
    zone = np.array(rule.zone, np.float64)
    began_s, last_s, count, raised = 0.0, -np.inf, 0, False
    for time_s, box in frames:
        foot = np.clip(np.stack([(box[:, 0] + box[:, 2]) / 2, box[:, 3]], axis=1), 1e-3, 1 - 1e-3).astype(np.float64)
        there = np.flatnonzero(inside(zone, foot))
        if not len(there):
            continue
        if time_s - last_s > _OFF_DELAY_S + (_OFF_DELAY_S if key_frames else 0.0):
            began_s, count, raised = time_s, 0, False
        last_s, count = time_s, count + 1
        if not raised and count >= least and time_s - began_s >= dwell_s:
            raised = True
            left, top, right, bottom = box[there[0]].tolist()
            yield Raised(began_s, time_s, time_s, rule.name, (left, top, right, bottom))


def _blobs(mask: U8, least: float) -> Boxes:
    """Boxes of the contours in a mask with at least `least` pixels."""
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    rows = [(x, y, x + w, y + h) for x, y, w, h in (cv2.boundingRect(one) for one in contours if cv2.contourArea(one) >= least)]
    height, width = mask.shape
    return (np.array(rows, np.float32).reshape(-1, 4) / (width, height, width, height)).astype(np.float32)
