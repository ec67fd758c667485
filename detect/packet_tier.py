"""Tier T0: a camera whose packets are much larger than usual is worth a look, until such looks have been in vain too often."""

import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from base import PacketSense

__all__ = ["PacketTier"]

logger = logging.getLogger(__name__)

_HOUR_S = 3600.0
_MOST_SILENT_S = 24 * _HOUR_S

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(slots=True)
class _Vain:
    """Wakes of one camera that found nothing."""

    at_s: deque[float] = field(default_factory=deque)  # within the last hour
    silent_s: float = _HOUR_S  # how long it falls silent the next time


class PacketTier:
    """Which cameras packets would wake, and what these wakes were good for. One thread; times are monotonic.

    A camera that was woken in vain `most_vain` times within an hour is silent for an hour, the next time for two, up to a day; a
    wake that finds something forgives all that.
    """

    def __init__(self, cameras: Sequence[str], most_vain: int) -> None:
        self.wakes = self.vain = 0
        self._cameras = list(cameras)
        self._most_vain = most_vain
        self._informative = np.zeros(len(cameras), np.bool_)
        self._known = np.zeros(len(cameras), np.bool_)
        self._level = np.full(len(cameras), np.inf)
        self._silent_until_s = np.full(len(cameras), -np.inf)
        self._vain: dict[int, _Vain] = {}
        self._looks: dict[int, float] = {}  # rows that packets woke, and when

    def set_levels(self, level: Floats, known: Bools, informative: Bools) -> None:
        """Above which log2 size each row's packets are unusual, whether enough is known to say, and whether it means much."""
        self._level, self._known, self._informative = level, known, informative

    def hits(self, peak: Floats, may: Bools, now_s: float) -> list[int]:
        """Rows, among those in `may`, whose largest packets since the last call (log2 size) ask for a wake."""
        hit = (peak > self._level) & self._informative & may & (now_s >= self._silent_until_s)
        return [int(row) for row in np.flatnonzero(hit)]

    def woke(self, row: int, now_s: float) -> None:
        """A camera is awake because of its packets."""
        self.wakes += 1
        self._looks[row] = now_s

    def ended(self, row: int, relevant_s: float, now_s: float) -> None:
        """A camera has gone back to sleep; when something relevant was last seen there."""
        began_s = self._looks.pop(row, None)
        if began_s is None:
            return
        if relevant_s >= began_s:
            self._vain.pop(row, None)
            return
        self.vain += 1
        vain = self._vain.setdefault(row, _Vain())
        vain.at_s.append(now_s)
        while vain.at_s[0] <= now_s - _HOUR_S:
            vain.at_s.popleft()
        if len(vain.at_s) >= self._most_vain:
            logger.info(
                "%s: %d wakes by packet size in an hour found nothing; it is not woken by them for %.0f h",
                self._cameras[row],
                len(vain.at_s),
                vain.silent_s / _HOUR_S,
            )
            self._silent_until_s[row] = now_s + vain.silent_s
            vain.at_s.clear()
            vain.silent_s = min(2 * vain.silent_s, _MOST_SILENT_S)

    def exchange(self, row: int, camera: str) -> None:
        """This row is another camera from now on."""
        self._cameras[row] = camera
        self._silent_until_s[row] = -np.inf
        self._vain.pop(row, None)
        self._looks.pop(row, None)

    def forget(self, row: int) -> None:
        """A camera was put back to sleep before its look was over: that says nothing."""
        self._looks.pop(row, None)

    def silent(self, now_s: float) -> int:
        """How many rows' packets tell nothing. Any thread."""
        return int(np.count_nonzero(self._known & ~(self._informative & (now_s >= self._silent_until_s))))

    def senses(self, now_s: float) -> list[PacketSense]:
        """What the packets of each row tell. Any thread."""
        tells = self._informative & (now_s >= self._silent_until_s)
        known = zip(self._known.tolist(), tells.tolist(), strict=True)
        return [
            PacketSense.LEARNING if not is_known else PacketSense.TELLING if tell else PacketSense.SILENT
            for is_known, tell in known
        ]
