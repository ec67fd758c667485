"""Rates of one stream over the last minute, at a cost that does not show."""

from collections import deque

from ingest.run import Packets, as_run
from ingest.timeline import MEDIA_HZ

__all__ = ["LONG_GOP_S", "MediaStats"]

LONG_GOP_S = 8.0  # "smart codec": key frames come too rarely to watch by them
_SPAN_S = 60.0
_BUCKET_S = 5.0
_GOPS = 9  # enough that one odd GOP is not taken for the typical one
_SETTLED_S = 30.0  # a rate over less says nothing about what is usual
_FORGET_S = 6 * 3600.0  # a camera that sends less from now on is used to it after about a working shift


class MediaStats:
    """Counts packets of one camera over all its connections. Written by the reader thread, its plain numbers read by any.

    `bytes` is all that came, filler and framing included; who sweeps the source adds to it. `key_bytes` is the newest key frame.

    `gop_s` is the typical distance of key frames, `gop_most_s` the longest of late, in media time. `usual_per_s` is the frame
    rate this camera is used to send: it follows a higher rate at once and a lower one in hours, so that a camera that has
    fallen to half its rate is seen to have. 0 where nothing is known yet.
    """

    def __init__(self) -> None:
        self.packets = self.bytes = self.lost = self.keys = self.key_bytes = 0
        self.frames_per_s = self.kbit_per_s = self.gop_s = self.gop_most_s = self.loss = self.usual_per_s = 0.0
        self._pts = 0
        self._key_pts: int | None = None
        self._gops: deque[float] = deque(maxlen=_GOPS)
        self._history: deque[tuple[float, int, int, int, int]] = deque(maxlen=int(_SPAN_S / _BUCKET_S) + 1)
        self._refreshed_s = 0.0

    def add(self, packets: Packets, now_s: float) -> None:
        """Count `packets`, which arrived by `now_s` (monotonic)."""
        run = as_run(packets)
        self.lost += run.lost
        for at in run.key:
            self._key(run.pts_90k(at))
            self.key_bytes = run.size[at]
        if not self._history:
            self._history.append((now_s, self.packets, self.bytes, self.lost, run.pts_90k(0)))
        self._pts = run.pts_90k(-1)
        self.packets += len(run)

    def refresh(self, now_s: float) -> None:
        """Work the rates out; call every second or so."""
        history, elapsed_s = self._history, now_s - self._refreshed_s
        self._refreshed_s = now_s
        if not history:
            return
        began_s, packets, size, lost, pts = history[0]
        # Media time counts where it is longer: some servers begin with seconds of stored frames at once.
        span_s = max(now_s - began_s, (self._pts - pts) / MEDIA_HZ)
        if span_s >= 1:
            arrived = self.packets - packets
            self.frames_per_s = arrived / span_s
            self.kbit_per_s = (self.bytes - size) * 8e-3 / span_s
            self.loss = (self.lost - lost) / max(1, arrived + self.lost - lost)
        if span_s >= _SETTLED_S:
            fallen = (self.usual_per_s - self.frames_per_s) * min(1.0, elapsed_s / _FORGET_S)
            self.usual_per_s = max(self.frames_per_s, self.usual_per_s - fallen)
        if now_s - history[-1][0] >= _BUCKET_S:
            history.append((now_s, self.packets, self.bytes, self.lost, self._pts))
        self._judge_gops()

    def interrupt(self) -> None:
        """A connection ended: rates start over with the next."""
        self._history.clear()
        self._gops.clear()
        self._key_pts = None
        self.frames_per_s = self.kbit_per_s = self.loss = 0.0

    def _key(self, pts: int) -> None:
        self.keys += 1
        if self._key_pts is not None and pts > self._key_pts:
            self._gops.append((pts - self._key_pts) / MEDIA_HZ)
        self._key_pts = pts

    def _judge_gops(self) -> None:
        """The GOP that is not over yet counts once it is long enough to tell."""
        if self._key_pts is None:
            return
        lengths = sorted(self._gops)
        open_s = (self._pts - self._key_pts) / MEDIA_HZ
        if open_s > (lengths[-1] if lengths else LONG_GOP_S):
            lengths.append(open_s)
        if lengths:
            self.gop_s, self.gop_most_s = lengths[(len(lengths) - 1) // 2], lengths[-1]
