"""Forced samples: random looks at quiet cameras, which tell how much the quiet tiers miss."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["SampleCounts", "Samples"]

_SETTLE_S = 9.0  # what began at a sample's end may be found by the first key frame of a still camera that is looked at again
_SEEN = 0.5  # of a sample, at least, that pictures must come in

Floats = NDArray[np.float64]


@dataclass(slots=True)
class SampleCounts:
    """`taken` were seen to their end; `active` of them showed something relevant; `missed` of those no quiet tier had found."""

    taken: int = 0
    cut: int = 0
    active: int = 0
    missed: int = 0


@dataclass(frozen=True, slots=True)
class _Sample:
    began_s: float
    ends_s: float
    found_before: bool  # by a quiet tier: it was awake, or waited to be, when the sample began


class Samples:
    """When each camera is looked at whatever the quiet tiers think, and what came of it. One thread.

    One sample per camera and period of `every_s` (UTC), at a moment that the seed, the camera and the period decide, uniform over
    the period: independent of what happens there, hence without bias. All other times are monotonic.
    """

    def __init__(self, cameras: Sequence[str], length_s: float, every_s: float, seed: int) -> None:
        self.counts = SampleCounts()
        self._cameras = list(cameras)
        self._length_s, self._every_s, self._seed = length_s, every_s, seed
        self._period: int | None = None
        self._due_s = np.zeros(len(cameras))
        self._looked_s: float | None = None
        self._running: dict[int, _Sample] = {}

    def due(self, utc_s: float) -> list[int]:
        """Rows whose moment has come since the last call."""
        last_s, self._looked_s = self._looked_s, utc_s
        if last_s is None or not 0 < utc_s - last_s < self._every_s:  # just begun, or our clock was set
            self._plan(utc_s)
            return []
        rows: list[int] = np.flatnonzero((self._due_s > last_s) & (self._due_s <= utc_s)).tolist()
        if int(utc_s // self._every_s) != self._period:
            self._plan(utc_s)
            rows += np.flatnonzero(self._due_s <= utc_s).tolist()
        return rows

    def begin(self, row: int, now_s: float, found_before: bool) -> None:
        """A sample of a camera with an armed rule begins."""
        self._running.setdefault(row, _Sample(now_s, now_s + self._length_s, found_before))

    def exchange(self, row: int, camera: str) -> None:
        """This row is another camera from now on; its first moment comes with the next period."""
        self._cameras[row] = camera
        self.cut(row)

    def cut(self, row: int) -> None:
        """The camera had to go back to sleep, or was never woken: what its sample shows does not count."""
        if self._running.pop(row, None) is not None:
            self.counts.cut += 1

    def settle(self, now_s: float, relevant_s: Floats, found_s: Floats, frame_s: Floats) -> None:
        """Count the samples that are over. Per row, the last moment something relevant was seen by an awake look, a quiet tier
        woke the camera or would have, and a frame of it was analysed while awake."""
        over = [row for row, sample in self._running.items() if now_s >= sample.ends_s + _SETTLE_S]
        for row in over:
            sample = self._running.pop(row)
            if frame_s[row] < sample.began_s + _SEEN * self._length_s:
                self.counts.cut += 1
                continue
            active = sample.began_s <= relevant_s[row]
            self.counts.taken += 1
            self.counts.active += bool(active)
            self.counts.missed += bool(active and not sample.found_before and found_s[row] < sample.began_s)

    def _plan(self, utc_s: float) -> None:
        self._period = int(utc_s // self._every_s)
        begins_s, room_s = self._period * self._every_s, max(0.0, self._every_s - self._length_s)
        for row, camera in enumerate(self._cameras):
            self._due_s[row] = begins_s + random.Random(f"{self._seed} {camera} {self._period}").random() * room_s
