"""Reading at a glance what nearly all bytes of nearly all cameras are: whole pictures, one after the other, nothing amiss.

To make an access unit of every picture costs many times what it takes to see that one could, and of a quiet camera nobody wants
more than its key frames. So `Calm.scan` looks at headers only: the interleaved frames of RFC 2326 §10.12, RTP, and the first two
or three bytes of each payload. It notes where pictures end and leaves the bytes as they came; a `Stretch` makes packets of them
if somebody asks, by the very depacketizer that would have done so at once. Nothing is decided here twice: bytes in which anything
is unusual are not taken at all (a lost or foreign RTP packet, an RTSP message, a report, another channel, a parameter set that is
new, a picture that is not whole, a timestamp that does not rise), and go byte for byte to `RtpReceiver.receive`.

What the next RTP packet must look like follows from the header of the last one, so those 16 bytes are all that must be known of a
camera between two glances. That is what makes it fast: between two sweeps other work has emptied the processor's caches, and to
fetch a camera's state anew takes longer than to compute with it.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from base.records import Packet
from ingest.rtsp.nal import START_CODE, AccessUnit, Depacketizer, Shape
from ingest.timeline import MEDIA_HZ, Placing

__all__ = ["Calm", "Stretch", "frame_header"]

_MOST_STEP = 5 * MEDIA_HZ  # of RTP time between two pictures that simply follow each other
_MARKER = 0x80_0000  # in the first 32 bits of an RTP packet
_START = 16  # of the payload within an interleaved frame
_LEAST_LENGTH = 15  # RTP header and three bytes: shorter payloads are a matter for the depacketizer
_HEADER = struct.Struct(">HHIII")  # "$" and channel, length; RTP: flags, payload type and sequence, timestamp, SSRC
_FRAME = struct.Struct(">HHIIIB")  # ... and the first byte of the payload
_WHOLE, _KEY, _KEPT, _SET, _FRAGMENT = (shape.value for shape in (Shape.WHOLE, Shape.KEY, Shape.KEPT, Shape.SET, Shape.FRAGMENT))


def frame_header(channel: int, payload_type: int, sequence: int, timestamp: int, ssrc: int) -> bytes:
    """The first 16 bytes of an interleaved frame with a plain RTP packet, its length left out."""
    return _HEADER.pack(0x2400 | channel, 0, 0x8000_0000 | payload_type << 16 | sequence, timestamp, ssrc)


class Stretch:
    """Pictures of one camera that followed each other, still in their RTP packets: a `Run` that makes packets when asked.

    Columns of equal length: `end` is where a picture ends in `data`, `stamp` its RTP timestamp, `size` how many bytes its access
    unit has. `key` are the places of key frames, `rtp_packets` counts what they came in, `header` is the last one's.

    Who took it tells when it arrived (`utc_s`, and monotonic `now_s`), and later, by `place`, what its timestamps mean. From then
    on any thread may read it.
    """

    __slots__ = (
        "_calm",
        "_camera",
        "_offset_s",
        "_shift",
        "_times_s",
        "bytes",
        "data",
        "end",
        "header",
        "key",
        "now_s",
        "rtp_packets",
        "size",
        "stamp",
        "utc_s",
    )
    utc_s: float
    now_s: float
    rtp_packets: int
    header: bytes
    lost, told = 0, True

    def __init__(
        self, calm: "Calm", data: bytes, end: tuple[int, ...], stamp: tuple[int, ...], size: tuple[int, ...], key: tuple[int, ...]
    ) -> None:
        self._calm, self.data, self.end, self.stamp, self.size, self.key = calm, data, end, stamp, size, key
        self.bytes = len(data)

    def place(self, camera: str, placing: Placing) -> None:
        self._camera, (self._shift, self._offset_s, self._times_s) = camera, placing

    def compact(self) -> None:
        """Forget all columns but the first and last `stamp`: what is kept long is then few objects, and quickly let go of."""
        self.stamp, self.end, self.size = (self.stamp[0], self.stamp[-1]), (), ()

    def __len__(self) -> int:
        return len(self.end)

    def __iter__(self) -> Iterator[Packet]:
        codec = self._calm.reader.codec
        for at, unit in enumerate(self.units()):
            pts = unit.rtp_timestamp + self._shift
            yield Packet(self._camera, self._time_s(at, pts), pts, unit.is_key, unit.data, codec)

    def units(self) -> list[AccessUnit]:
        """What the depacketizer makes of it."""
        return self._calm.units(self.data)

    def packet(self, at: int) -> Packet:
        (one,) = self.part(at, at + 1)
        return one

    def pts_90k(self, at: int) -> int:
        return self.stamp[at] + self._shift

    @property
    def newest_s(self) -> float:
        return self._time_s(-1, self.pts_90k(-1))

    def _time_s(self, at: int, pts_90k: int) -> float:
        return self._times_s[at] if self._times_s else pts_90k / MEDIA_HZ + self._offset_s

    def part(self, begin: int, end: int) -> "Stretch":
        """Those from `begin` to `end`, with a copy of their bytes, so that the others may be forgotten."""
        start = self.end[begin - 1] if begin else 0
        ends = tuple([at - start for at in self.end[begin:end]])
        key = tuple([at - begin for at in self.key if begin <= at < end])
        data = self.data[start : self.end[end - 1]]
        part = Stretch(self._calm, data, ends, self.stamp[begin:end], self.size[begin:end], key)
        part.place(self._camera, Placing(self._shift, self._offset_s, self._times_s[begin:end]))
        return part


@dataclass(frozen=True, slots=True)
class Calm:
    """What must be known of a track to read it at a glance. Good for as long as its parameter sets do not change."""

    reader: Depacketizer  # a twin of the one that reads the track, without anything half done; never pushed to
    known: frozenset[bytes]  # parameter sets that bring nothing new
    prefix_bytes: int  # of all parameter sets in front of a key frame; -1 while key frames cannot be decoded

    @classmethod
    def of(cls, reader: Depacketizer) -> "Calm":
        sets = reader.sets.values()
        known = frozenset(nal for nal in sets if b"\0\0\1" not in nal)
        size = sum(len(START_CODE) + len(nal) for nal in sets) if reader.is_decodable else -1
        return cls(reader.twin(), known, size)

    def scan(self, data: bytes, header: bytes) -> Stretch | None:
        """The pictures in `data`, if it is nothing else and goes on where the frame with this `header` ended."""
        begin, _, head, stamp, ssrc = _HEADER.unpack(header)
        shape, unpack = self.reader.layout.shape, _FRAME.unpack_from
        ends, stamps, sizes, keys = list[int](), list[int](), list[int](), list[int]()
        head = first_head = (head | _MARKER) + 1
        position, at, whole = 0, 0, len(data)
        if (head - 1 & 0xFFFF) + whole // _START >= 0xFFFF:  # sequence numbers may wrap, heads do not
            return None
        try:
            while position < whole:
                word, length, this, timestamp, source, first = unpack(data, position)
                if not 0 < timestamp - stamp <= _MOST_STEP:
                    return None
                if (
                    this == head
                    and shape[first] == _WHOLE  # nearly all: a picture in one RTP packet
                    and source == ssrc
                    and word == begin
                    and length >= _LEAST_LENGTH
                ):
                    at = position
                    position += length + 4
                    head += 1
                    sizes.append(length - 8)  # RTP header out, start code in
                elif picture := self._picture(data, position, begin, head ^ _MARKER, ssrc):
                    at, position, head, size, is_key = picture
                    if is_key:
                        keys.append(len(sizes))
                    sizes.append(size)
                else:
                    return None
                stamp = timestamp
                stamps.append(stamp)
                ends.append(position)
        except struct.error:  # cut within a header
            return None
        if position != whole:
            return None
        found = Stretch(self, data, tuple(ends), tuple(stamps), tuple(sizes), tuple(keys))
        found.rtp_packets, found.header = head - first_head, data[at : at + _START]
        return found

    def _picture(self, data: bytes, position: int, begin: int, head: int, ssrc: int) -> tuple[int, int, int, int, bool] | None:
        """The picture at `position`, of any number of RTP packets: where the last of them begins and ends, the head that must
        follow (with marker), its size and whether it is key. None unless it is whole and plain. Raises struct.error if it is cut
        within a header.
        """
        layout, whole, unpack = self.reader.layout, len(data), _FRAME.unpack_from
        shape, inner, nal_header = layout.shape, layout.inner, layout.header_bytes
        stamp = int.from_bytes(data[position + 8 : position + 12])
        is_open = has_slice = is_key = False
        at = size = marker = 0
        while not marker:
            at = position
            word, length, this, timestamp, source, first = unpack(data, at)
            start, position, marker = at + _START, at + 4 + length, this - head
            if word != begin or source != ssrc or timestamp != stamp or length < _LEAST_LENGTH or position > whole:
                return None
            if marker and marker != _MARKER:
                return None
            kind = shape[first]
            if kind == _FRAGMENT:
                fragment = data[start + nal_header]
                if length < 14 + nal_header:
                    return None
                if is_open:
                    size += length - 13 - nal_header
                    is_open = not fragment & 0x40
                    if fragment & 0x80:
                        return None
                else:
                    kind = inner[fragment]
                    size += length - 9
                    if not kind or not (has_slice or data[start + nal_header + 1] & 0x80):
                        return None
                    is_open = has_slice = True
                    is_key |= kind == _KEY
            elif is_open or (marker and kind > _KEPT):
                return None
            elif kind == _SET:
                if data[start:position] not in self.known:
                    return None
            elif kind == _KEPT:
                size += length - 8
            elif not kind:
                return None
            elif kind <= _KEY:
                size += length - 8
                if not (has_slice or data[start + nal_header] & 0x80) or not (first or data[start + 1]):
                    return None
                has_slice = True
                is_key |= kind == _KEY
            head += 1
        if is_open or not has_slice or (is_key and self.prefix_bytes < 0):
            return None
        return at, position, head | _MARKER, size + self.prefix_bytes * is_key, is_key

    def units(self, data: bytes) -> list[AccessUnit]:
        """Access units of whole pictures that `scan` took. Any thread."""
        reader, out, position = self.reader.twin(), list[AccessUnit](), 0
        while position < len(data):
            _, length, head, timestamp, _ = _HEADER.unpack_from(data, position)
            end = position + 4 + length
            reader.push(data, position + _START, end, timestamp, head & _MARKER != 0, 0, out)
            position = end
        return out
