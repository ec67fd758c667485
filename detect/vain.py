"""Who wakes cameras in vain too often is not listened to for a while."""

import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["VainWakes"]

logger = logging.getLogger(__name__)

_HOUR_S = 3600.0
_MOST_SILENT_S = 24 * _HOUR_S


@dataclass(slots=True)
class _Vain:
    """Wakes of one camera that found nothing."""

    at_s: deque[float] = field(default_factory=deque)  # within the last hour
    silent_s: float = _HOUR_S  # how long it falls silent the next time


class VainWakes:
    """What the wakes by one kind of hint were good for, by row. One thread; times are monotonic.

    A camera that was woken in vain `most_vain` times within an hour is silent for an hour, the next time for two, up to a day; a
    wake that finds something forgives all that.
    """

    def __init__(self, cameras: Sequence[str], most_vain: int, hint: str) -> None:
        """`hint` is what wakes, for the log."""
        self.wakes = self.vain = 0
        self._cameras, self._most_vain, self._hint = list(cameras), most_vain, hint
        self._silent_until_s = np.full(len(cameras), -np.inf)
        self._vain: dict[int, _Vain] = {}
        self._looks: dict[int, float] = {}  # rows that a hint woke, and when

    def heard(self, now_s: float) -> NDArray[np.bool_]:
        """Whose hints are listened to, by row. Any thread."""
        return now_s >= self._silent_until_s

    def woke(self, row: int, now_s: float) -> None:
        """A camera is awake because of a hint."""
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
                "%s: %d wakes by %s in an hour found nothing; it is not woken by them for %.0f h",
                self._cameras[row],
                len(vain.at_s),
                self._hint,
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
