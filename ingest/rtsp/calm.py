"""Reading at a glance what nearly all bytes of nearly all cameras are: whole pictures, one after the other, nothing amiss.

To make an access unit of every picture costs many times what it takes to see that one could, and of a quiet camera nobody wants
more than its key frames. So `Calm.scan` looks at headers only: the interleaved frames of RFC 2326 §10.12, RTP, and the first two
or three bytes of each payload. It leaves the bytes as they came; a `Stretch` makes packets of them if somebody asks, by the very
depacketizer that would have done so at once. Nothing is decided here twice: bytes in which anything is unusual are not taken at
all (a lost or foreign RTP packet, an RTSP message, a goodbye, another channel, a parameter set that is new, a picture that lacks
something, a timestamp that does not rise), and go byte for byte to `RtpReceiver.receive`. A picture whose end has not come yet
is left for the next look; sender reports between pictures are set aside for the session.

What the next RTP packet must look like follows from the header of the last one, so those 16 bytes are all that must be known of a
camera between two glances. That is what makes it fast: between two sweeps other work has emptied the processor's caches, and to
fetch a camera's state anew takes longer than to compute with it.
"""

import struct
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from base.records import Packet
from ingest.rtsp.nal import START_CODE, AccessUnit, Depacketizer, Shape
from ingest.timeline import MEDIA_HZ, Placing

__all__ = ["Calm", "Sight", "Stretch", "frame_header"]

_MOST_STEP = 5 * MEDIA_HZ  # of RTP time between two pictures that simply follow each other
_MARKER = 0x80_0000  # in the first 32 bits of an RTP packet
_START = 16  # of the payload within an interleaved frame
_LEAST_LENGTH = 15  # RTP header and three bytes: shorter payloads are a matter for the depacketizer
_GOODBYE = 203  # type of an RTCP packet that ends the stream; a report with such a byte anywhere is looked at more closely
_HEADER = struct.Struct(">HHIII")  # "$" and channel, length; RTP: flags, payload type and sequence, timestamp, SSRC
_FRAME = struct.Struct(">HHIIIB")  # ... and the first byte of the payload
_NOTHING = array("I")  # never written to
_WHOLE, _KEY, _KEPT, _SET, _FRAGMENT = (shape.value for shape in (Shape.WHOLE, Shape.KEY, Shape.KEPT, Shape.SET, Shape.FRAGMENT))


def frame_header(channel: int, payload_type: int, sequence: int, timestamp: int, ssrc: int) -> bytes:
    """The first 16 bytes of an interleaved frame with a plain RTP packet, its length left out."""
    return _HEADER.pack(0x2400 | channel, 0, 0x8000_0000 | payload_type << 16 | sequence, timestamp, ssrc)


class _Cut(Exception):
    """The end of a picture has not come yet."""


class Sight:
    """What one read brought, where nothing about it was unusual: whole pictures, and perhaps reports between them.

    `data` has the pictures, still in `rtp_packets`, of which the last has this `header`; `stamp` their RTP timestamps, `size` how
    many bytes their access units have, `key` the places of key frames. `taken` counts the bytes of pictures and reports; what
    follows them is a picture that has not come to its end.

    Who took it tells when it arrived (`utc_s`, and monotonic `now_s`), and how many bytes `came` then.
    """

    __slots__ = ("came", "data", "header", "key", "now_s", "reports", "rtp_packets", "size", "stamp", "taken", "utc_s")
    utc_s: float
    now_s: float
    came: int

    def __init__(
        self,
        data: bytes,
        header: bytes,
        stamp: "array[int]" = _NOTHING,
        size: Sequence[int] = (),
        key: Sequence[int] = (),
        rtp_packets: int = 0,
        reports: Sequence[bytes] = (),
        taken: int = 0,
    ) -> None:
        self.data, self.header, self.stamp, self.size, self.key = data, header, stamp, size, key
        self.rtp_packets, self.reports, self.taken = rtp_packets, reports, taken


class Stretch:
    """Pictures of one camera that followed each other, still in their RTP packets: a `Run` that makes packets when asked.

    Made of what several reads brought, or of one that has key frames; only of that one `size` is kept. What its timestamps mean
    is told by `place`; from then on any thread may read it.
    """

    __slots__ = ("_calm", "_camera", "_data", "_shift", "_times_s", "bytes", "key", "sights", "size", "stamp")
    lost, told = 0, True

    def __init__(self, calm: "Calm", sights: Sequence[Sight]) -> None:
        self._calm, self.sights = calm, sights
        self._data = [sight.data for sight in sights]
        self.bytes = sum(map(len, self._data))
        last = sights[-1]
        self.size, self.key, self.stamp = last.size, last.key, last.stamp
        if len(sights) > 1:
            self.size, self.stamp = (), array("I", b"".join([sight.stamp for sight in sights]))

    def place(self, camera: str, placing: Placing) -> None:
        self._camera, (self._shift, self._times_s) = camera, placing

    def compact(self) -> None:
        """Forget what is known of each picture but its time: what is kept long is then few objects, and quickly let go of."""
        self.stamp, self.size, self.sights = array("I", (self.stamp[0], self.stamp[-1])), (), ()

    @property
    def utc_s(self) -> float:
        return self.sights[0].utc_s

    @property
    def now_s(self) -> float:
        return self.sights[0].now_s

    @property
    def until_s(self) -> float:
        return self.sights[-1].now_s

    def __len__(self) -> int:
        return len(self._times_s)

    def __iter__(self) -> Iterator[Packet]:
        codec = self._calm.reader.codec
        for unit, time_s in zip(self._calm.units(self._data), self._times_s, strict=True):
            yield Packet(self._camera, time_s, unit.rtp_timestamp + self._shift, unit.is_key, unit.data, codec)

    def packet(self, at: int) -> Packet:
        (one,) = self.part(at, at + 1)
        return one

    def pts_90k(self, at: int) -> int:
        return self.stamp[at] + self._shift

    @property
    def newest_s(self) -> float:
        return self._times_s[-1]

    def part(self, begin: int, end: int) -> "Stretch":
        """Those from `begin` to `end`, with a copy of their bytes, so that the others may be forgotten."""
        data = b"".join(self._data)
        edges = [0, *_ends(data)]
        key = [at - begin for at in self.key if begin <= at < end]
        sight = Sight(data[edges[begin] : edges[end]], b"", self.stamp[begin:end], self.size[begin:end], key)
        part = Stretch(self._calm, (sight,))
        part.place(self._camera, Placing(self._shift, self._times_s[begin:end]))
        return part


def _ends(data: bytes) -> Iterator[int]:
    """Where in `data` pictures end."""
    position = 0
    while position < len(data):
        _, length, head, _, _ = _HEADER.unpack_from(data, position)
        position += 4 + length
        if head & _MARKER:
            yield position


@dataclass(frozen=True, slots=True)
class Calm:
    """What must be known of a track to read it at a glance. Good for as long as its parameter sets do not change."""

    reader: Depacketizer  # a twin of the one that reads the track, without anything half done; never pushed to
    known: frozenset[bytes]  # parameter sets that bring nothing new
    prefix_bytes: int  # of all parameter sets in front of a key frame; -1 while key frames cannot be decoded
    report_word: int  # first 16 bits of an interleaved frame with a report; -1: there are none

    @classmethod
    def of(cls, reader: Depacketizer, report_channel: int) -> "Calm":
        sets = reader.sets.values()
        known = frozenset(nal for nal in sets if b"\0\0\1" not in nal)
        size = sum(len(START_CODE) + len(nal) for nal in sets) if reader.is_decodable else -1
        return cls(reader.twin(), known, size, 0x2400 | report_channel if 0 <= report_channel <= 255 else -1)

    def scan(self, data: bytes, header: bytes) -> Sight | None:
        """The pictures in `data`, if it is nothing else, goes on where the frame with this `header` ended, and has one at all."""
        begin, _, head, stamp, ssrc = _HEADER.unpack(header)
        shape, unpack = self.reader.layout.shape, _FRAME.unpack_from
        stamps, sizes, keys = list[int](), list[int](), list[int]()
        reports = list[tuple[int, int]]()
        head = first_head = (head | _MARKER) + 1
        position, at, start, whole = 0, 0, 0, len(data)
        if (head - 1 & 0xFFFF) + whole // _START >= 0xFFFF:  # sequence numbers may wrap, heads do not
            return None
        try:
            while position < whole:
                word, length, this, timestamp, source, first = unpack(data, position)
                if (
                    this == head
                    and shape[first] == _WHOLE  # nearly all: a picture in one RTP packet
                    and source == ssrc
                    and word == begin
                    and length >= _LEAST_LENGTH
                    and 0 < timestamp - stamp <= _MOST_STEP
                ):
                    following = position + length + 4
                    if following > whole:
                        break
                    at, position = position, following
                    head += 1
                    sizes.append(length - 8)  # RTP header out, start code in
                elif word == self.report_word:
                    following = position + length + 4
                    if following > whole:
                        break
                    if _GOODBYE in data[position + 4 : following]:
                        return None
                    reports.append((position, following))
                    position = start = following
                    continue
                elif not 0 < timestamp - stamp <= _MOST_STEP:
                    return None
                elif picture := self._picture(data, position, begin, head ^ _MARKER, ssrc):
                    at, position, head, size, is_key = picture
                    if is_key:
                        keys.append(len(sizes))
                    sizes.append(size)
                else:
                    return None
                stamp = timestamp
                stamps.append(stamp)
                start = position
        except _Cut:
            pass
        except struct.error:  # within a header
            return None
        if not sizes:
            return None
        sight = Sight(data[:start], data[at : at + _START], array("I", stamps), sizes, keys, head - first_head, (), start)
        if reports:
            edges = [0, *(edge for report in reports for edge in report), start]
            sight.data = b"".join(data[begin:end] for begin, end in zip(edges[::2], edges[1::2], strict=True))
            sight.reports = [data[begin + 4 : end] for begin, end in reports]
        return sight

    def _picture(self, data: bytes, position: int, begin: int, head: int, ssrc: int) -> tuple[int, int, int, int, bool] | None:
        """The picture at `position`, of any number of RTP packets: where the last of them begins and ends, the head that must
        follow (with marker), its size and whether it is key. None unless it is plain. Raises _Cut if its end is missing,
        struct.error if that begins within a header.
        """
        layout, whole, unpack = self.reader.layout, len(data), _FRAME.unpack_from
        shape, inner, nal_header = layout.shape, layout.inner, layout.header_bytes
        stamp = int.from_bytes(data[position + 8 : position + 12])
        is_open = has_slice = is_key = False
        at = size = marker = 0
        while not marker:
            at = position
            if at == whole:
                raise _Cut
            word, length, this, timestamp, source, first = unpack(data, at)
            start, position, marker = at + _START, at + 4 + length, this - head
            if word != begin or source != ssrc or timestamp != stamp or length < _LEAST_LENGTH or (marker and marker != _MARKER):
                return None
            if position > whole:
                raise _Cut
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

    def units(self, reads: Sequence[bytes]) -> Iterator[AccessUnit]:
        """Access units of whole pictures that `scan` took. Any thread."""
        reader = self.reader.twin()
        for data in reads:
            out, position = list[AccessUnit](), 0
            while position < len(data):
                _, length, head, timestamp, _ = _HEADER.unpack_from(data, position)
                end = position + 4 + length
                reader.push(data, position + _START, end, timestamp, head & _MARKER != 0, 0, out)
                position = end
            yield from out
