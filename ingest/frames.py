"""Decoded frames on their way from the decode thread to the pipeline."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from base.records import FrameBatch, Picture

__all__ = ["LatestFrames", "LumaFrame"]

_GATHER_S, _ENOUGH = 0.04, 16  # a batch waits for company so long, or until it has so much: each call costs 1 ms by itself
_STEP_S = 5.0  # a camera's time that falls further than this follows our own clock being set back


@dataclass(frozen=True, slots=True)
class LumaFrame:
    """One decoded frame of the camera in `row`; `luma` is u8, reduced."""

    row: int
    time_s: float
    luma: NDArray[np.uint8]
    is_key: bool
    awake: bool
    picture: Picture


class LatestFrames:
    """Hand-over from decode threads (`put`, `has_room`) to the pipeline thread (`take`).

    Quiet frames: the newest of a camera wins. Awake frames: all, in order. Bounded: `has_room` says no at `most` frames in all
    or `most_per_camera` of one camera, and the decoder then waits, so that what waits is encoded. A frame that is not newer
    than the last one of its camera is ignored, but waking goes back before the key frame that was its reason: an awake frame
    need only be newer than the last awake one.
    """

    def __init__(self, rows: int, most: int, most_per_camera: int, taken: Callable[[], None]) -> None:
        self.rows = rows
        self.replaced = 0  # quiet frames that a newer one replaced
        self._most, self._most_per_camera = most, most_per_camera
        self._taken = taken
        self._ready = threading.Condition()
        self._waiting: dict[int, deque[LumaFrame]] = {}
        self._count = 0
        self._last_s = np.full(rows, -np.inf)  # the newest frame of each row ...
        self._awake_s = np.full(rows, -np.inf)  # ... and its newest awake one

    def forget(self, row: int) -> None:
        """This row is another camera from now on: its waiting frames go, and times begin anew."""
        with self._ready:
            self._count -= len(self._waiting.pop(row, ()))
            self._last_s[row] = self._awake_s[row] = -np.inf

    def has_room(self, row: int, awake: bool) -> bool:
        """Whether a frame of this camera may be put. Quiet frames leave a quarter of the room to awake ones."""
        with self._ready:
            waiting = self._waiting.get(row)
            if awake:
                return self._count < self._most and (waiting is None or len(waiting) < self._most_per_camera)
            return self._count < self._most - self._most // 4 or (waiting is not None and not waiting[-1].awake)

    def put(self, frame: LumaFrame) -> bool:
        """Hand a frame on; whether it was new."""
        with self._ready:
            last_s = self._last_s[frame.row]
            before_s = self._awake_s[frame.row] if frame.awake else last_s
            if before_s - _STEP_S < frame.time_s <= before_s or frame.time_s == last_s:
                return False
            if frame.awake:
                self._awake_s[frame.row] = frame.time_s
            if not last_s - _STEP_S < frame.time_s < last_s:
                self._last_s[frame.row] = frame.time_s
            waiting = self._waiting.setdefault(frame.row, deque())
            if not frame.awake and waiting and not waiting[-1].awake:
                waiting.pop()
                self._count -= 1
                self.replaced += 1
            waiting.append(frame)
            self._count += 1
            if self._count == 1 or self._is_worth_taking():
                self._ready.notify()
            return True

    def take(self, timeout_s: float) -> FrameBatch | None:
        """The oldest waiting frame of every camera that has one; None if there is none within `timeout_s`.

        The first waits up to 40 ms for others, unless it is from a camera that has more.
        """
        with self._ready:
            if not self._count:
                self._ready.wait(timeout_s)
            if self._count:
                self._ready.wait_for(self._is_worth_taking, min(timeout_s, _GATHER_S))
            frames = [waiting.popleft() for waiting in self._waiting.values()]
            self._waiting = {row: waiting for row, waiting in self._waiting.items() if waiting}
            self._count -= len(frames)
        if not frames:
            return None
        self._taken()
        return FrameBatch(
            camera=np.array([frame.row for frame in frames], np.int32),
            time_s=np.array([frame.time_s for frame in frames], np.float64),
            luma=np.stack([frame.luma for frame in frames]),
            is_key=np.array([frame.is_key for frame in frames], np.bool_),
            awake=np.array([frame.awake for frame in frames], np.bool_),
            picture=tuple(frame.picture for frame in frames),
        )

    def _is_worth_taking(self) -> bool:
        return self._count >= _ENOUGH or self._count > len(self._waiting)
