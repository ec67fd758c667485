"""From a camera's 32-bit RTP timestamps to unwrapped media time and to our own clock."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["MEDIA_HZ", "Placing", "Timeline", "place_many"]

MEDIA_HZ = 90_000
_JUMP = 5 * MEDIA_HZ  # no camera of ours pauses that long between frames of one sequence
_BELIEVE = 3  # frames of a new sequence in a row before it is taken for the truth
_SLACK_PER_S = 1e-3  # how fast the offset may rise again; crystals drift 1e-4 at worst
_STEP_S = 5.0  # a clock that steps further than this is followed at once
_LEAST_STEP_S = 1e-3  # between frames while the offset falls
_PATIENCE = 3  # sweeps in a row that lag further than `_STEP_S` before the offset is measured anew


class Placing(NamedTuple):
    """Where frames lie whose timestamps rise: `pts_90k` is the RTP timestamp plus `shift`, their time that in seconds plus
    `offset_s`; `shown_s` is the time of the newest.
    """

    shift: int
    offset_s: float
    shown_s: float


class Timeline:
    """Media time of one connection. Owned by the reader thread.

    Arrival anchors, RTP spaces: time shown = media time + offset, where the offset is the smallest (our clock - media time) of
    late, because the frame that was delayed least tells most; it rises by at most 1 ms per second, so that clock drift is
    followed. A time is never in the future and does not fall within the connection, with two exceptions: the frames of
    B-pictures come in decoding order, and when our own clock is set back by more than 5 s the times follow it (by less, they
    wait for it).

    A jump of the timestamps by more than 5 s that our clock does not confirm is first taken for a mistake (the frame is placed
    one frame after the last) and after three frames for the truth; `pts_90k` goes on without the jump.
    """

    def __init__(self, clock_hz: int = MEDIA_HZ) -> None:
        self._clock_hz = clock_hz
        self._last_raw = -1
        self._pts = 0  # of the newest frame, 90 kHz
        self._shift = 0  # pts minus unwrapped raw time
        self._unwrapped = 0
        self._spacing = MEDIA_HZ // 15
        self._pending = 0
        self._pending_raw = 0
        self._offset_s: float | None = None
        self._offset_pts = 0
        self._last_s = float("-inf")
        self._last_now_s = float("-inf")
        self._lagging = 0

    def place(self, timestamps: Sequence[int], now_s: float) -> list[tuple[int, float]]:
        """(`pts_90k`, `time_s`) of frames that arrived together by `now_s`, in decoding order."""
        elapsed = now_s - self._last_now_s
        self._last_now_s = now_s
        pts = self._follow(timestamps) or [self._unwrap(timestamp, elapsed) for timestamp in timestamps]
        self._anchor(max(pts), now_s)
        return list(zip(pts, self._show(pts, now_s), strict=True))

    def calm(self, timestamp: int) -> "Placing | None":
        """Where it stands after a frame with this timestamp, if that was the newest and no doubt is open: then frames whose
        timestamps rise may be placed by `place_many`, and told by `go_on`.
        """
        newest = self._unwrapped + self._shift
        if self._last_raw != timestamp or not self._pts == newest == self._offset_pts or self._clock_hz != MEDIA_HZ:
            return None
        if self._offset_s is None or self._lagging:
            return None
        return Placing(newest - timestamp, self._offset_s, self._last_s)

    def go_on(self, timestamp: int, spacing: int, placing: Placing, now_s: float) -> None:
        """Frames were placed by `place_many`; the newest with this timestamp, at `now_s`."""
        self._unwrapped += timestamp - self._last_raw
        self._last_raw, self._spacing, self._pending, self._lagging = timestamp, spacing, 0, 0
        self._pts = self._offset_pts = timestamp + placing.shift
        self._offset_s, self._last_s, self._last_now_s = placing.offset_s, placing.shown_s, now_s

    def _show(self, pts: Sequence[int], now_s: float) -> list[float]:
        """When frames are shown, none before an earlier one."""
        offset_s, times = self._offset_s or 0.0, []
        for value in pts:
            time_s = value / MEDIA_HZ + offset_s
            if value >= self._pts:
                if time_s <= self._last_s < now_s + _STEP_S:
                    time_s = max(self._last_s, min(now_s, self._last_s + _LEAST_STEP_S))
                self._last_s, self._pts = time_s, value
            times.append(time_s)
        return times

    def _follow(self, timestamps: Sequence[int]) -> list[int]:
        """What `_unwrap` would make of frames that simply follow each other, as nearly all do; empty if these do not."""
        last, step = self._last_raw, 0
        shift = self._unwrapped + self._shift - last
        if last < 0 or self._clock_hz != MEDIA_HZ:
            return []
        for timestamp in timestamps:
            step = timestamp - last
            if not 0 < step <= _JUMP:
                return []
            last = timestamp
        self._unwrapped += last - self._last_raw
        self._pending, self._last_raw, self._spacing = 0, last, step
        return [timestamp + shift for timestamp in timestamps]

    def _anchor(self, newest: int, now_s: float) -> float:
        """The offset, after the newest frame of a sweep was seen at `now_s`."""
        measured = now_s - newest / MEDIA_HZ
        if self._offset_s is None:
            self._offset_s = measured
        else:
            risen_s = _SLACK_PER_S * max(0, newest - self._offset_pts) / MEDIA_HZ
            self._lagging = self._lagging + 1 if measured - self._offset_s > _STEP_S else 0
            lags = self._lagging >= _PATIENCE
            self._offset_s = measured if lags else min(measured, self._offset_s + risen_s)
        self._offset_pts = newest
        return self._offset_s

    def _unwrap(self, timestamp: int, elapsed_s: float) -> int:
        """Media time in 90 kHz of the next frame, jumps smoothed out."""
        if self._last_raw < 0:
            self._last_raw = self._unwrapped = timestamp
            self._pts = self._scaled(timestamp)
            return self._pts
        step = timestamp - self._last_raw
        step = self._signed(step)
        scaled = self._scaled(step)
        if abs(scaled) > _JUMP and abs(scaled / MEDIA_HZ - elapsed_s) > 1.0:
            return self._doubt(timestamp)
        self._pending = 0
        self._last_raw = timestamp
        self._unwrapped += step
        value = self._scaled(self._unwrapped) + self._shift
        if 0 < scaled <= _JUMP:
            self._spacing = scaled
        return value

    def _doubt(self, timestamp: int) -> int:
        """A frame whose timestamp cannot be: believed when enough of its like follow each other."""
        follows = self._pending and abs(self._scaled(self._signed(timestamp - self._pending_raw))) <= _JUMP
        self._pending = self._pending + 1 if follows else 1
        self._pending_raw = timestamp
        value = self._scaled(self._unwrapped) + self._shift + self._spacing * self._pending
        if self._pending >= _BELIEVE:
            self._pending = 0
            self._last_raw = timestamp
            self._shift = value - self._scaled(self._unwrapped)
        return value

    def _scaled(self, raw: int) -> int:
        return raw if self._clock_hz == MEDIA_HZ else raw * MEDIA_HZ // self._clock_hz

    @staticmethod
    def _signed(step: int) -> int:
        """A difference of 32-bit numbers as the nearest signed one."""
        return (step + 0x8000_0000) % 0x1_0000_0000 - 0x8000_0000


def place_many(
    before: NDArray[np.int64],
    first: NDArray[np.int64],
    last: NDArray[np.int64],
    offset_s: NDArray[np.float64],
    shown_s: NDArray[np.float64],
    now_s: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """As `Timeline.place`, of frames of many cameras (n,) that arrived by `now_s`: their new `offset_s` and `shown_s`, and of
    which cameras these hold; all others need a look of their own.

    `before` is the `pts_90k` of each camera's newest frame until then, `first` and `last` are those of what came and rises.
    """
    measured_s = now_s - last / MEDIA_HZ
    placed_s = np.minimum(measured_s, offset_s + _SLACK_PER_S * (last - before) / MEDIA_HZ)
    as_usual = (measured_s - offset_s <= _STEP_S) & (first / MEDIA_HZ + placed_s > shown_s)
    return placed_s, last / MEDIA_HZ + placed_s, as_usual
