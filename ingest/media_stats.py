"""Rates of one stream over the last minute, at a cost that does not show."""

from collections import deque
from collections.abc import Sequence

from base.records import Packet

__all__ = ["MediaStats"]

_SPAN_S = 60.0
_BUCKET_S = 5.0
_MEDIA_HZ = 90_000


class MediaStats:
    """Counts packets of one camera over all its connections. Written by the reader thread, its plain numbers read by any."""

    def __init__(self) -> None:
        self.packets = self.bytes = self.lost = 0
        self.frames_per_s = self.kbit_per_s = self.gop_s = self.loss = 0.0
        self._key_pts: int | None = None
        self._history: deque[tuple[float, int, int, int]] = deque(maxlen=int(_SPAN_S / _BUCKET_S) + 1)

    def add(self, packets: Sequence[Packet], now_s: float) -> int:
        """Count `packets`, which arrived by `now_s` (monotonic); how many bytes they are."""
        size = 0
        for packet in packets:
            size += len(packet.data)
            if packet.lost:
                self.lost += packet.lost
            if packet.is_key:
                if self._key_pts is not None and packet.pts_90k > self._key_pts:
                    self.gop_s = (packet.pts_90k - self._key_pts) / _MEDIA_HZ
                self._key_pts = packet.pts_90k
        if not self._history:
            self._history.append((now_s, self.packets, self.bytes, self.lost))
        self.packets += len(packets)
        self.bytes += size
        return size

    def refresh(self, now_s: float) -> None:
        """Work the rates out; call about once a second."""
        history = self._history
        if not history:
            return
        began_s, packets, size, lost = history[0]
        span_s = now_s - began_s
        if span_s >= 1:
            arrived = self.packets - packets
            self.frames_per_s = arrived / span_s
            self.kbit_per_s = (self.bytes - size) * 8e-3 / span_s
            self.loss = (self.lost - lost) / max(1, arrived + self.lost - lost)
        if now_s - history[-1][0] >= _BUCKET_S:
            history.append((now_s, self.packets, self.bytes, self.lost))

    def interrupt(self) -> None:
        """A connection ended: rates start over with the next."""
        self._history.clear()
        self._key_pts = None
        self.frames_per_s = self.kbit_per_s = self.loss = 0.0
