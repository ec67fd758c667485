"""Tier T3, the second opinion: before an alarm of severity 1 or 2, a network with better eyes looks once more where it happened.

What it says may lower a score or change a label, and hold back only what it clearly contradicts: it sees something else there,
and nothing of what the rule asks for. Not finding anything is no contradiction: the small and the dark are often missed. An event
of severity 1 is never held back. Who has not answered in half a second is not waited for.
"""

import logging
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from base import Box, Event, Opinion, Path
from detect.crops import cut_crops
from detect.objects import Judges, seen_at

__all__ = ["ASK_SEVERITY", "DEADLINE_S", "CloserLook", "LookAside", "LookNow", "Opinions", "Question", "Seen", "weigh"]

logger = logging.getLogger(__name__)

DEADLINE_S = 0.5
"""An event waits no longer than this for a second opinion."""

ASK_SEVERITY = 2
"""Events of this severity and higher ones (1 is the highest) are looked at twice."""

_CONFIRMS = 0.5  # what is asked for is there
_ABSENT = 0.15  # … is not
_OTHER_CLEAR = 0.6  # something else is there, clearly
_MOST_WAITING = 4  # questions before one that is asked now: each takes 20 to 60 ms
_KNOWS_NOTHING = "other"

Picture = NDArray[np.uint8]
Seen = Mapping[str, float]
"""Score by label of what is where the question asks, empty if nothing."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is in `box` of the colour picture `bgr` u8 (h, w, 3) of a camera? `path` is the way of the thing until then."""

    camera: str
    bgr: Picture
    box: Box
    path: Path
    raised_s: float


class Opinions(Protocol):
    """Whoever looks a second time. Called from the pipeline thread; does not block longer than a look takes."""

    def expect(self, camera: str) -> None:
        """A question about this camera may come soon; told again and again."""
        ...

    def ask(self, question: Question) -> Future[Seen | None]:
        """Begin to look; the future has None where nobody could."""
        ...


class CloserLook(Protocol):
    """The main streams of cameras, from which a larger picture may be had. Any thread."""

    def prepare(self, camera: str) -> None:
        """A picture of this camera may be asked for soon. Does not block."""
        ...

    def picture(self, camera: str, around_s: float) -> tuple[float, Picture] | None:
        """Time (UTC) and colour picture of a key frame about then; None if none is there, or comes within a moment. Blocks."""
        ...


def weigh(event: Event, wanted: tuple[str, ...], seen: Seen | None) -> Event:
    """`event` as it is after the second opinion; `wanted` are the labels that its rule asks for.

    `Opinion.CONTRADICTED` means held back, unless its severity is 1.
    """
    if seen is None:
        return event
    label, score = max(((label, seen.get(label, 0.0)) for label in wanted), key=lambda each: each[1])
    other = max((score for label, score in seen.items() if label not in wanted and label != _KNOWS_NOTHING), default=0.0)
    if score >= _CONFIRMS:
        return replace(event, opinion=Opinion.CONFIRMED, label=label)
    doubted = round((event.score + score) / 2, 4)
    if score < _ABSENT and other >= _OTHER_CLEAR:
        return replace(event, opinion=Opinion.CONTRADICTED, score=doubted)
    return replace(event, opinion=Opinion.DOUBTED, score=doubted)


class LookNow:
    """Looks with the detector while the caller waits: for replay, where the same clip has to give the same events."""

    def __init__(self, networks: Judges) -> None:
        self._networks = networks

    def expect(self, camera: str) -> None:
        """Nothing to prepare: there is the clip and nothing else."""

    def ask(self, question: Question) -> Future[Seen | None]:
        answer: Future[Seen | None] = Future()
        answer.set_result(_look(self._networks, question.bgr, question.box, larger=False))
        return answer


class LookAside:
    """Looks on a thread of its own, at the camera's main stream if there is a picture of it. Called from the pipeline thread.

    Networks are asked from this thread while the pipeline's asks them, too: ONNX Runtime allows that, and nothing else in them
    changes.
    """

    def __init__(self, networks: Judges, closer: CloserLook) -> None:
        self._networks, self._closer = networks, closer
        self._thread = ThreadPoolExecutor(1, "second-opinion")
        self._waiting: list[Future[Seen | None]] = []
        self._no_larger: set[str] = set()  # cameras whose main stream shows no more than the analysed one

    def expect(self, camera: str) -> None:
        if camera not in self._no_larger:
            self._closer.prepare(camera)

    def ask(self, question: Question) -> Future[Seen | None]:
        self._waiting = [one for one in self._waiting if not one.done()]
        if len(self._waiting) >= _MOST_WAITING:
            return Future()  # which nobody answers: late
        answer = self._thread.submit(self._answer, question)
        self._waiting.append(answer)
        return answer

    def stop(self) -> None:
        """Answer nothing more; returns at once."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _answer(self, question: Question) -> Seen | None:
        try:
            found = None if question.camera in self._no_larger else self._closer.picture(question.camera, question.raised_s)
            if found is not None and found[1].shape[1] <= question.bgr.shape[1]:
                self._no_larger.add(question.camera)
                found = None
            if found is None:
                return _look(self._networks, question.bgr, question.box, larger=False)
            time_s, bgr = found
            return _look(self._networks, bgr, _box_at(question, time_s), larger=True)
        except Exception:
            logger.exception("%s: no second opinion", question.camera)
            return None


def _look(networks: Judges, bgr: Picture, box: Box, larger: bool) -> Seen | None:
    """By the detector; without one by the crop network, if the picture is larger than the one that it has judged already."""
    if networks.detector is not None:
        return seen_at(networks.detector, bgr, box)
    if not larger:
        return None
    luma = np.ascontiguousarray(bgr @ np.array((0.114, 0.587, 0.299)), np.uint8)  # ITU-R BT.601
    [score] = networks.crop.classify(cut_crops(luma, np.array([box], np.float32)))
    return {label: float(one) for label, one in zip(networks.crop.labels, score, strict=True)}


def _box_at(question: Question, time_s: float) -> Box:
    """Where the thing was at `time_s`: its box, moved by the way that its foot went since."""
    if len(question.path) < 2:
        return question.box
    time, x, y = np.array(question.path, np.float64).T
    foot = (question.box[0] + question.box[2]) / 2, question.box[3]
    dx, dy = float(np.interp(time_s, time, x)) - foot[0], float(np.interp(time_s, time, y)) - foot[1]
    left, top, right, bottom = question.box
    return min(max(left + dx, 0.0), 0.99), min(max(top + dy, 0.0), 0.99), min(right + dx, 1.0), min(bottom + dy, 1.0)
