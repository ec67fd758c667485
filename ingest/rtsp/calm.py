"""Pictures that were read at a glance: still in their RTP packets, until somebody asks for them.

To make an access unit of every picture costs many times what it takes to see that one could (`glances.scan`), and of a quiet
camera nobody wants more than its key frames. A `Stretch` makes packets of the bytes as they came by the very depacketizer that
would have done so at once, so nothing is decided twice.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from base.records import Packet
from ingest.rtsp.nal import START_CODE, AccessUnit, Depacketizer
from ingest.timeline import MEDIA_HZ

__all__ = ["Calm", "Read", "Stretch"]

_MARKER = 0x80_0000  # in the first 32 bits of an RTP packet
_FRAME = struct.Struct(">HH")  # "$" and channel, length
_HEADER = struct.Struct(">II")  # RTP: flags, payload type and sequence, timestamp
_HEADER_BYTES = 12  # of RTP


Read = tuple[bytes, float]
"""What one read brought, and what the media time 0 then was in UTC."""


class Stretch:
    """Pictures of one camera that followed each other, still in their RTP packets: a `Run` that makes packets when asked.

    `reads` are the bytes as they came, each with what a time of `MEDIA_HZ` then was in UTC. Any thread may read it.
    """

    __slots__ = (
        "_calm",
        "_camera",
        "_count",
        "_first",
        "_last",
        "_reads",
        "_shift",
        "bytes",
        "key",
        "now_s",
        "size",
        "until_s",
        "utc_s",
    )
    lost, told = 0, True

    def __init__(
        self,
        calm: "Calm",
        camera: str,
        shift: int,
        reads: "Sequence[Read]",
        count: int,
        stamps: tuple[int, int],
        arrival: tuple[float, float, float] = (0.0, 0.0, 0.0),
        size: Sequence[int] = (),
        key: Sequence[int] = (),
    ) -> None:
        self._calm, self._camera, self._shift, self._reads, self._count = calm, camera, shift, reads, count
        self._first, self._last = stamps
        self.utc_s, self.now_s, self.until_s = arrival
        self.size, self.key = size, key
        self.bytes = sum([len(read[0]) for read in reads])

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Packet]:
        codec = self._calm.reader.codec
        for data, offset_s in self._reads:
            for unit in self._calm.units(data):
                pts = unit.rtp_timestamp + self._shift
                yield Packet(self._camera, pts / MEDIA_HZ + offset_s, pts, unit.is_key, unit.data, codec)

    def packet(self, at: int) -> Packet:
        return next(islice(self, at, None))

    def pts_90k(self, at: int) -> int:
        at %= self._count
        if at and at < self._count - 1:
            return self.packet(at).pts_90k
        return (self._last if at else self._first) + self._shift

    @property
    def newest_s(self) -> float:
        return (self._last + self._shift) / MEDIA_HZ + self._reads[-1][1]

    def part(self, begin: int, end: int) -> "Stretch":
        """Those from `begin` to `end`, with a copy of their bytes, so that the others may be forgotten."""
        reads, at, stamps = list[Read](), 0, list[int]()
        for data, offset_s in self._reads:
            edges = [0]
            for edge, stamp in self._calm.ends(data):
                edges.append(edge)
                if begin <= at + len(edges) - 2 < end:
                    stamps.append(stamp)
            first, last = max(0, begin - at), min(len(edges) - 1, end - at)
            if first < last:
                reads.append((data[edges[first] : edges[last]], offset_s))
            at += len(edges) - 1
        key = [place - begin for place in self.key if begin <= place < end]
        arrival = (self.utc_s, self.now_s, self.until_s)
        size = self.size[begin:end] if key else ()
        return Stretch(self._calm, self._camera, self._shift, reads, end - begin, (stamps[0], stamps[-1]), arrival, size, key)


@dataclass(frozen=True, slots=True)
class Calm:
    """What must be known of a track to read it at a glance and to make its pictures. Good until its parameter sets change."""

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

    def ends(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Where in `data` pictures end, and their RTP timestamps."""
        for start, end in self._packets(data):
            head, timestamp = _HEADER.unpack_from(data, start)
            if head & _MARKER:
                yield end, timestamp

    def units(self, data: bytes) -> Iterator[AccessUnit]:
        """Access units of whole pictures. Any thread."""
        push, out = self.reader.twin().push, list[AccessUnit]()
        for start, end in self._packets(data):
            head, timestamp = _HEADER.unpack_from(data, start)
            push(data, start + _HEADER_BYTES, end, timestamp, head & _MARKER != 0, 0, out)
            if out:
                yield out.pop()

    def _packets(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Where RTP packets begin and end."""
        position = 0
        while position < len(data):
            word, length = _FRAME.unpack_from(data, position)
            start = position + _FRAME.size
            position = start + length
            if word != self.report_word:
                yield start, position
