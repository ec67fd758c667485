"""RTCP receiver reports (RFC 3550 §6.4.2): they tell a camera that somebody watches, and how much was lost on the way."""

import secrets
import struct

from ingest.rtsp.rtp import RtpReceiver

__all__ = ["ReceiverReports", "hole_punch"]

_REPORT = struct.Struct(">BBHIIIIIII")
_SOURCE = struct.Struct(">BBHIBB")
_MOST_LOST = 0x7FFFFF


class ReceiverReports:
    """What we report of one track. Owned by the reader thread.

    Jitter and the times for measuring a round trip are reported as 0, as before a first sender report: nothing of ours measures
    them, and cameras look at loss at most.
    """

    def __init__(self) -> None:
        self._ssrc = secrets.randbits(32)
        self._name = secrets.token_hex(8).encode()  # CNAME: random, for it need not tell who we are (RFC 7022)
        self._expected = self._lost = 0  # RTP packets up to the last report

    def write(self, receiver: RtpReceiver) -> bytes:
        """A compound packet: the report on `receiver`, and our name, without which no compound is complete (§6.1)."""
        expected, lost = receiver.packets + receiver.lost, receiver.lost
        news, gone = expected - self._expected, lost - self._lost
        self._expected, self._lost = expected, lost
        loss = (min(255, gone * 256 // news) if news > 0 else 0) << 24 | min(lost, _MOST_LOST)
        report = _REPORT.pack(0x81, 201, 7, self._ssrc, max(receiver.ssrc, 0), loss, receiver.newest, 0, 0, 0)
        return report + self._source()

    def _source(self) -> bytes:
        """SDES with a CNAME (§6.5), ended by a zero and filled up to whole words."""
        size = -(-(10 + len(self._name) + 1) // 4) * 4
        head = _SOURCE.pack(0x81, 202, size // 4 - 1, self._ssrc, 1, len(self._name))
        return (head + self._name).ljust(size, b"\0")


def hole_punch(payload_type: int) -> bytes:
    """An RTP packet without payload, for a camera to ignore and a firewall to remember."""
    return struct.pack(">BBHII", 0x80, payload_type, 0, 0, 0)
