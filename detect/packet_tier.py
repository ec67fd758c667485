"""Tier T0: a camera whose packets are much larger than usual is worth a look, until such looks have been in vain too often."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from base import PacketSense
from detect.vain import VainWakes

__all__ = ["PacketTier"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


class PacketTier(VainWakes):
    """Which cameras packets would wake, and what these wakes were good for."""

    def __init__(self, cameras: Sequence[str], most_vain: int) -> None:
        super().__init__(cameras, most_vain, "packet size")
        self._informative = np.zeros(len(cameras), np.bool_)
        self._known = np.zeros(len(cameras), np.bool_)
        self._level = np.full(len(cameras), np.inf)

    def set_levels(self, level: Floats, known: Bools, informative: Bools) -> None:
        """Above which log2 size each row's packets are unusual, whether enough is known to say, and whether it means much."""
        self._level, self._known, self._informative = level, known, informative

    def hits(self, peak: Floats, may: Bools, now_s: float) -> list[int]:
        """Rows, among those in `may`, whose largest packets since the last call (log2 size) ask for a wake."""
        hit = (peak > self._level) & self._informative & may & self.heard(now_s)
        return [int(row) for row in np.flatnonzero(hit)]

    def silent(self, now_s: float) -> int:
        """How many rows' packets tell nothing. Any thread."""
        return int(np.count_nonzero(self._known & ~(self._informative & self.heard(now_s))))

    def senses(self, now_s: float) -> list[PacketSense]:
        """What the packets of each row tell. Any thread."""
        tells = self._informative & self.heard(now_s)
        known = zip(self._known.tolist(), tells.tolist(), strict=True)
        return [
            PacketSense.LEARNING if not is_known else PacketSense.TELLING if tell else PacketSense.SILENT
            for is_known, tell in known
        ]
