"""RTP and RTCP packets (RFC 3550) of one track: checked, counted, and handed to its depacketizer."""

import struct
from dataclasses import dataclass
from typing import Protocol

from base.errors import ProtocolError
from base.records import Codec
from ingest.rtsp.calm import Calm
from ingest.rtsp.nal import AccessUnit, Depacketizer, Parameters
from ingest.source import CodecChanged

__all__ = ["PayloadReader", "RtcpNews", "RtpReceiver", "payload_of", "read_rtcp"]

_HEADER = struct.Struct(">BBHII")
_INTERLEAVED = struct.Struct(">HHIII")  # "$" and channel, length; then RTP: flags, payload type and sequence, timestamp, SSRC
_MARKER = 0x80_0000  # in the first 32 bits of an RTP packet
_NTP_TO_UNIX_S = 2_208_988_800  # 1900 to 1970
_PROBATION = 3  # consecutive RTP packets of another SSRC or sequence before we believe it
_OTHERS, _OTHERS_ALONE = 12, 90_000  # RTP packets of another payload type, and RTP time, with none of ours in between
_ALONE = 36_000  # RTP time that another SSRC must have to itself: some cameras mix an old session's packets into a new one


class PayloadReader(Protocol):
    """Makes pictures of the RTP payloads of one track: `Depacketizer` for H.264 and H.265, or `JpegDepacketizer`."""

    codec: Codec
    parameters: Parameters | None
    timestamp: int  # of the RTP packet that came last, -1 before the first
    changes: int  # of parameter sets, since the session last set it to 0

    def push(self, data: bytes, start: int, end: int, timestamp: int, marker: bool, lost: int, out: list[AccessUnit]) -> None:
        """Take the payload `data[start:end]` of the next RTP packet; append to `out` what became complete. Raises ProtocolError.

        `lost` counts the RTP packets missing just before this one.
        """


class RtpReceiver:
    """Sequence and SSRC of one track. Owned by the reader thread."""

    def __init__(self, payload_type: int, depacketizer: PayloadReader) -> None:
        self.depacketizer = depacketizer
        self.ssrc = -1
        self.announced_ssrc = -1  # by the camera, before PLAY; some announce another than they use
        self.packets = self.lost = 0
        self.payload_type = payload_type
        self._expected = -1
        self._strange = (-1, -1)  # SSRC and sequence number that a stranger's next RTP packet would have
        self._strange_count = self._strange_from = self._strange_at = 0
        self._other_count = self._other_from = self._other_at = 0
        self._calm: Calm | None = None  # of the parameter sets when it was last asked for

    @property
    def position(self) -> str:
        """SSRC and sequence number of the newest RTP packet, once there is one."""
        return f"SSRC 0x{self.ssrc:08x}, sequence {self._expected - 1 & 0xFFFF}"

    @property
    def newest(self) -> int:
        """Sequence number of the newest RTP packet, extended by how often it wrapped (RFC 3550 §6.4.1), 32 bits."""
        count = self.packets + self.lost
        return (self._expected - count & 0xFFFF) + count - 1 & 0xFFFF_FFFF

    def receive(self, data: bytes, start: int, end: int, out: list[AccessUnit]) -> None:
        """Take the RTP packet `data[start:end]`; append to `out` what that completed. Raises ProtocolError, CodecChanged."""
        if end - start < 12:
            raise ProtocolError(f"an RTP packet of {end - start} bytes; expected at least 12")
        first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(data, start)
        if second & 0x7F != self.payload_type:
            self._other(second & 0x7F, timestamp)
            return
        lost = 0
        if sequence != self._expected or ssrc != self.ssrc:
            lost = self._gap(sequence, ssrc, timestamp)
            if lost < 0:
                return
        self._expected = sequence + 1 & 0xFFFF
        self.packets += 1
        try:
            if first == 0x80:
                start += 12
            else:
                start, end = payload_of(data, start, end)
            self.depacketizer.push(data, start, end, timestamp, second >= 0x80, lost, out)
        except (ProtocolError, CodecChanged) as error:
            raise type(error)(f"{error} (SSRC 0x{ssrc:08x}, sequence {sequence})") from None

    def calm(self, channel: int, report_channel: int) -> Calm | None:
        """What to read on with at a glance; None while that is not possible."""
        reader = self.depacketizer
        if not isinstance(reader, Depacketizer) or not reader.is_calm:
            return None
        if self._calm is None or self._calm.reader.sets is not reader.sets:
            self._calm = Calm.of(reader, report_channel if report_channel != channel else -1)
        return self._calm

    @property
    def sequence(self) -> int:
        """Of the newest RTP packet."""
        return self._expected - 1 & 0xFFFF

    def take(self, rtp_packets: int, timestamp: int) -> None:
        """Go on behind `rtp_packets` that were read at a glance, the last with this `timestamp`."""
        self._expected = self._expected + rtp_packets & 0xFFFF
        self.packets += rtp_packets
        self.depacketizer.timestamp = timestamp

    def receive_run(self, data: bytes, channel: int, offset: int, out: list[AccessUnit]) -> int:
        """Take the interleaved frames at the beginning of `data` (RFC 2326 §10.12); the position behind the last one taken.

        Ends at the first that is not whole, not on `channel`, or not simply the next RTP packet of this track, without padding,
        CSRC or extension: these are left to `receive`, which would do with all others just what is done here. Nearly every byte
        of a camera passes through this loop. `offset` is that of `data` in the connection, for the ProtocolError it may raise.
        """
        first_word, ssrc = 0x2400 | channel, self.ssrc
        expected = before = 0x8000_0000 | self.payload_type << 16 | self._expected
        push, unpack = self.depacketizer.push, _INTERLEAVED.unpack_from
        position, size = 0, len(data)
        start = 16  # of the payload
        try:
            while start <= size:
                word, length, head, timestamp, source = unpack(data, position)
                end = position + 4 + length
                if head | _MARKER != expected | _MARKER or source != ssrc or word != first_word or not start <= end <= size:
                    break
                expected += 1  # from sequence number 65535 to a head that no RTP packet of ours has: `receive` goes on from there
                push(data, start, end, timestamp, head & _MARKER != 0, 0, out)
                position, start = end, end + 16
        except (ProtocolError, CodecChanged) as error:
            where = f"SSRC 0x{ssrc:08x}, sequence {expected - 1 & 0xFFFF}"
            raise type(error)(f"byte {offset + position + 4}: {error} ({where})") from None
        finally:
            self.packets += expected - before
            self._expected = expected & 0xFFFF if expected != before else self._expected
        return position

    def _other(self, payload_type: int, timestamp: int) -> None:
        """An RTP packet of another payload type. Some cameras mix data of their own in; one that goes on with nothing else has
        changed its codec without telling, and is asked anew: raises CodecChanged.
        """
        if self._other_at != self.packets:  # one of ours came in between
            self._other_count, self._other_from, self._other_at = 0, timestamp, self.packets
        self._other_count += 1
        if self._other_count >= _OTHERS and (timestamp - self._other_from & 0xFFFF_FFFF) > _OTHERS_ALONE:
            raise CodecChanged(f"the camera changed payload type {self.payload_type} to {payload_type} without telling")

    def _gap(self, sequence: int, ssrc: int, timestamp: int) -> int:
        """RTP packets missing before this one; -1 if it is late, doubled or a stranger's and must be ignored (RFC 3550 A.1)."""
        if self.ssrc < 0:
            self.ssrc = ssrc
            return 0
        gap = sequence - self._expected & 0xFFFF
        if ssrc == self.ssrc and gap < 0x8000:
            self._strange_count = 0
            self.lost += gap
            return gap
        if ssrc == self.ssrc or ssrc != self.announced_ssrc:
            if self._strange != (ssrc, sequence) or self._strange_at != self.packets:  # one of ours came in between
                self._strange_count, self._strange_from, self._strange_at = 0, timestamp, self.packets
            self._strange_count += 1
            self._strange = ssrc, sequence + 1 & 0xFFFF
            alone = 0 if ssrc == self.ssrc else _ALONE
            if self._strange_count < _PROBATION or (timestamp - self._strange_from & 0xFFFF_FFFF) < alone:
                return -1
        self.ssrc, self._strange_count = ssrc, 0  # the camera started anew without telling
        self.lost += 1
        return 1


def payload_of(data: bytes, start: int, end: int) -> tuple[int, int]:
    """Where the payload of the RTP packet `data[start:end]`, of at least 12 bytes, lies behind CSRCs and extension and before
    padding (RFC 3550 §5.1). Raises ProtocolError if they do not fit into it.
    """
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
    """What an RTCP packet told: the sender's clock (UTC, s) of its sender report, and which SSRCs say goodbye."""

    sender_s: float | None = None
    goodbye: tuple[int, ...] = ()


def read_rtcp(data: bytes, start: int, end: int) -> RtcpNews:
    """Read a compound RTCP packet (RFC 3550 §6); what is malformed ends the reading, for nothing depends on it."""
    sender_s, goodbye = None, tuple[int, ...]()
    while end - start >= 8 and data[start] >> 6 == 2:
        kind = data[start + 1]
        following = start + 4 + 4 * (data[start + 2] << 8 | data[start + 3])
        if following > end:
            break
        if kind == 200 and following - start >= 28:
            seconds, fraction = struct.unpack_from(">II", data, start + 8)
            if seconds:  # 0 means the camera has no clock
                sender_s = seconds - _NTP_TO_UNIX_S + fraction / 2**32
        elif kind == 203:
            goodbye += struct.unpack_from(f">{min(data[start] & 31, (following - start) // 4 - 1)}I", data, start + 4)
        start = following
    return RtcpNews(sender_s, goodbye)
