"""RTP and RTCP packets (RFC 3550) of one track: checked, counted, and handed to its depacketizer."""

import struct
from dataclasses import dataclass

from base.errors import ProtocolError
from ingest.rtsp.nal import AccessUnit, Depacketizer

__all__ = ["RtcpNews", "RtpReceiver", "read_rtcp"]

_HEADER = struct.Struct(">BBHII")
_NTP_TO_UNIX_S = 2_208_988_800  # 1900 to 1970
_PROBATION = 3  # consecutive RTP packets of another SSRC or sequence before we believe it


class RtpReceiver:
    """Sequence and SSRC of one track. Owned by the reader thread."""

    def __init__(self, payload_type: int, depacketizer: Depacketizer) -> None:
        self.depacketizer = depacketizer
        self.ssrc = -1
        self.packets = self.lost = self.ignored = 0
        self._payload_type = payload_type
        self._expected = -1
        self._strange = (-1, -1)  # SSRC and sequence number that a stranger's next RTP packet would have
        self._strange_count = 0

    def receive(self, data: bytes, start: int, end: int, out: list[AccessUnit]) -> None:
        """Take the RTP packet `data[start:end]`; append to `out` what that completed. Raises ProtocolError."""
        if end - start < 12:
            raise ProtocolError(f"an RTP packet of {end - start} bytes; expected at least 12")
        first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(data, start)
        if second & 0x7F != self._payload_type:
            self.ignored += 1
            return
        lost = 0
        if sequence != self._expected or ssrc != self.ssrc:
            lost = self._gap(sequence, ssrc)
            if lost < 0:
                self.ignored += 1
                return
        self._expected = sequence + 1 & 0xFFFF
        self.packets += 1
        try:
            if first == 0x80:
                start += 12
            else:
                start, end = _payload(data, start, end)
            self.depacketizer.push(data, start, end, timestamp, second >= 0x80, lost, out)
        except ProtocolError as error:
            raise ProtocolError(f"{error} (SSRC 0x{ssrc:08x}, sequence {sequence})") from None

    def _gap(self, sequence: int, ssrc: int) -> int:
        """RTP packets missing before this one; -1 if it is late, doubled or a stranger's and must be ignored (RFC 3550 A.1)."""
        if self.ssrc < 0:
            self.ssrc = ssrc
            return 0
        gap = sequence - self._expected & 0xFFFF
        if ssrc == self.ssrc and gap < 0x8000:
            self._strange_count = 0
            self.lost += gap
            return gap
        self._strange_count = self._strange_count + 1 if self._strange == (ssrc, sequence) else 1
        self._strange = ssrc, sequence + 1 & 0xFFFF
        if self._strange_count < _PROBATION:
            return -1
        self.ssrc, self._strange_count = ssrc, 0  # the camera started anew without telling
        self.lost += 1
        return 1


def _payload(data: bytes, start: int, end: int) -> tuple[int, int]:
    """Where the payload of an RTP packet with padding, CSRCs or an extension lies."""
    first = data[start]
    if first >> 6 != 2:
        raise ProtocolError(f"RTP version {first >> 6}; expected 2")
    position = start + 12 + 4 * (first & 15)
    if first & 0x10:
        if position + 4 > end:
            raise ProtocolError("an RTP header extension behind the end of its RTP packet")
        position += 4 + 4 * (data[position + 2] << 8 | data[position + 3])
    if first & 0x20:
        end -= data[end - 1]
    if position > end:
        raise ProtocolError("an RTP header or padding longer than its RTP packet")
    return position, end


@dataclass(frozen=True, slots=True)
class RtcpNews:
    """What an RTCP packet told: the sender's clock (UTC, s) of its sender report, and whether it said goodbye."""

    sender_s: float | None = None
    goodbye: bool = False


def read_rtcp(data: bytes, start: int, end: int) -> RtcpNews:
    """Read a compound RTCP packet (RFC 3550 §6); what is malformed ends the reading, for nothing depends on it."""
    sender_s, goodbye = None, False
    while end - start >= 8 and data[start] >> 6 == 2:
        kind = data[start + 1]
        following = start + 4 + 4 * (data[start + 2] << 8 | data[start + 3])
        if following > end:
            break
        if kind == 200 and following - start >= 28:
            seconds, fraction = struct.unpack_from(">II", data, start + 8)
            if seconds:  # 0 means the camera has no clock
                sender_s = seconds - _NTP_TO_UNIX_S + fraction / 2**32
        goodbye |= kind == 203
        start = following
    return RtcpNews(sender_s, goodbye)
