"""RTP over UDP (RFC 3550): packets come late, twice or not at all; here they are put in order again."""

from base.errors import ProtocolError
from ingest.rtsp.nal import AccessUnit
from ingest.rtsp.rtp import RtpReceiver, payload_of

__all__ = ["ReorderWindow"]

_ALONE_S = 0.4  # without a packet of ours, before another SSRC is looked at: anybody can forge where a datagram comes from
_LATE = 512  # RTP packets behind the newest, half a second of 10 Mbit/s; further back the camera has begun anew


class ReorderWindow:
    """Hands the RTP packets of one track to its receiver by their sequence numbers. Owned by the reader thread.

    What lies behind a gap waits until the gap is filled, but never longer than `wait_s` and never more than `most` packets; then
    the gap is a loss, which the receiver counts. What comes later still, or twice, is dropped. A packet of another
    SSRC (once ours are silent) or from far behind goes straight to the receiver, which decides whether the camera has begun anew.
    """

    def __init__(self, receiver: RtpReceiver, most: int = 64, wait_s: float = 0.1) -> None:
        self._receiver = receiver
        self._most, self._wait_s = most, wait_s
        self._ssrc = -1
        self._own_s = float("-inf")  # monotonic, of the newest packet with it
        self._next = 0  # sequence number
        self._waiting: dict[int, tuple[float, bytes]] = {}  # sequence number -> arrival, packet; the longest waiting first

    def receive(self, data: bytes, now_s: float, out: list[AccessUnit]) -> None:
        """Take one datagram; `now_s` is monotonic. Appends to `out` what became complete. Raises ProtocolError."""
        if not _is_rtp(data):
            return
        sequence, ssrc = data[2] << 8 | data[3], int.from_bytes(data[8:12])
        if self._ssrc < 0:  # an earlier one may yet come
            self._ssrc, self._next = ssrc, sequence - self._most & 0xFFFF
        if ssrc == self._ssrc:
            self._own_s = now_s
        elif now_s - self._own_s < _ALONE_S and ssrc != self._receiver.announced_ssrc:
            return
        ahead = sequence - self._next & 0xFFFF
        if ssrc != self._ssrc or 0x8000 <= ahead < 0x10000 - _LATE:
            self._stranger(data, sequence, ssrc, out)
        elif ahead == 0:
            self._hand_on(data, out)
        elif ahead < 0x8000 and sequence not in self._waiting:  # neither late nor doubled
            self._waiting[sequence] = now_s, data
            if len(self._waiting) > self._most:
                self._skip(out)

    def advance(self, now_s: float, out: list[AccessUnit]) -> None:
        """Give up what has been waited for too long."""
        while self._waiting and now_s - next(iter(self._waiting.values()))[0] >= self._wait_s:
            self._skip(out)

    def _skip(self, out: list[AccessUnit]) -> None:
        """Take the gap in front for lost."""
        self._next = min(self._waiting, key=lambda sequence: sequence - self._next & 0xFFFF)
        self._hand_on(self._waiting.pop(self._next)[1], out)

    def _hand_on(self, data: bytes, out: list[AccessUnit]) -> None:
        """The next packet, and those that waited for it."""
        while True:
            self._next = self._next + 1 & 0xFFFF
            self._receiver.receive(data, 0, len(data), out)
            if self._next not in self._waiting:
                return
            data = self._waiting.pop(self._next)[1]

    def _stranger(self, data: bytes, sequence: int, ssrc: int, out: list[AccessUnit]) -> None:
        before = self._receiver.packets
        self._receiver.receive(data, 0, len(data), out)
        if self._receiver.packets > before:  # believed
            self._waiting.clear()
            self._ssrc, self._next = ssrc, sequence + 1 & 0xFFFF


def _is_rtp(data: bytes) -> bool:
    """False for STUN, a port scan, or what anybody sends to end our session: a datagram proves nothing of the camera."""
    if len(data) < 12:
        return False
    try:
        payload_of(data, 0, len(data))
    except ProtocolError:
        return False
    return True
