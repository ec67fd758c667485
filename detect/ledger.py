"""What was watched and what was not: every second of every camera, by minute, with the reason."""

import threading
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from base import Clock, Watched, WatchRun

__all__ = ["CODE", "WatchLedger"]

_MINUTE_S = 60.0
_STATES = tuple(Watched)
CODE = {state: code for code, state in enumerate(_STATES)}
"""The number of each way of watching, as `turn` takes it."""

_MOST_UNTAKEN = 100_000  # runs; two hours of 727 cameras of which each was watched in several ways in every minute


class WatchLedger:
    """Adds up, per camera and minute, how it was watched. `turn` belongs to one thread, the rest may be called from any.

    Times are UTC where it began and monotonic from there, so that a clock that is set makes no minute longer. A minute in which
    a camera was watched in one way begins a run that lasts until something else is told; one of several ways is told by itself.
    """

    def __init__(self, cameras: Sequence[str], clock: Clock) -> None:
        self._cameras = list(cameras)
        self._used = np.array([bool(camera) for camera in cameras], np.bool_)  # rows that are a camera
        self._clock = clock
        self._last_s = clock.monotonic_s()
        self._utc_s = clock.now_s() - self._last_s  # what monotonic times lack to UTC
        self._began_s = self._last_s + self._utc_s  # of the minute that is being added up, UTC ...
        self._ends_s = (np.floor(self._began_s / _MINUTE_S) + 1) * _MINUTE_S  # ... a whole minute
        self._seconds = np.zeros((len(cameras), len(_STATES)))  # of that minute
        self._since_s = np.full(len(cameras), -np.inf)  # since when a row is this camera, UTC
        self._running = np.full(len(cameras), -1, np.int64)  # the state of the run that lasts
        self._lock = threading.Lock()
        self._total = np.zeros(len(_STATES))
        self._untaken: list[WatchRun] = []
        self._until_s = 0.0

    def turn(self, state: NDArray[np.int8]) -> None:
        """All cameras have been watched as `state` (codes, one per row) says since the last turn."""
        now_s = self._clock.monotonic_s()
        row = np.arange(len(self._cameras))
        while now_s > self._last_s:
            until_s = min(now_s, self._ends_s - self._utc_s)
            self._seconds[row, state] += until_s - self._last_s
            with self._lock:
                self._total += np.bincount(state[self._used], minlength=len(_STATES)) * (until_s - self._last_s)
            self._last_s = until_s
            if until_s < now_s or now_s >= self._ends_s - self._utc_s:
                self._close()

    def exchange(self, row: int, camera: str) -> None:
        """This row is another camera from now on, or, with an empty name, none; what was told of the one before is over."""
        if camera == self._cameras[row]:
            return
        now_s = self._last_s + self._utc_s
        if self._cameras[row] and self._seconds[row].any():
            with self._lock:
                self._untaken.append(self._split(row, now_s))
        self._cameras[row], self._used[row], self._since_s[row] = camera, bool(camera), now_s
        self._seconds[row], self._running[row] = 0, -1

    def take(self) -> tuple[tuple[WatchRun, ...], float]:
        """Runs that began or ended since the last call, and until when (UTC) all cameras are accounted for, 0 before the first
        minute is over."""
        with self._lock:
            runs, self._untaken = tuple(self._untaken), []
            return runs, self._until_s

    def seconds(self, *states: Watched) -> float:
        """Camera-seconds of all cameras together in these states, up to the last turn."""
        with self._lock:
            return float(self._total[[CODE[state] for state in states]].sum())

    def _close(self) -> None:
        """The minute is over."""
        pure = np.count_nonzero(self._seconds, axis=1) == 1
        state = np.where(pure, self._seconds.argmax(axis=1), -1)
        news = np.flatnonzero((~pure | (state != self._running)) & self._used)
        runs = [self._run(int(row), int(state[row])) for row in news]
        with self._lock:
            self._untaken += runs
            del self._untaken[:-_MOST_UNTAKEN]
            self._until_s = self._ends_s
        self._running = state
        self._seconds[:] = 0
        self._began_s, self._ends_s = self._ends_s, self._ends_s + _MINUTE_S

    def _run(self, row: int, code: int) -> WatchRun:
        if code >= 0:
            return WatchRun(self._cameras[row], max(self._began_s, float(self._since_s[row])), None, _STATES[code])
        return self._split(row, self._ends_s)

    def _split(self, row: int, until_s: float) -> WatchRun:
        split = tuple((state, float(s)) for state, s in zip(_STATES, self._seconds[row], strict=True) if s > 0)
        return WatchRun(self._cameras[row], max(self._began_s, float(self._since_s[row])), until_s, None, split)
