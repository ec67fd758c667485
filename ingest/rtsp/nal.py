"""What H.264 and H.265 over RTP have in common: NAL units gathered into access units, and bits read from parameter sets."""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple, Self

from base.errors import ProtocolError
from base.records import Codec

__all__ = [
    "MAX_PIXELS",
    "START_CODE",
    "AccessUnit",
    "Bits",
    "Depacketizer",
    "Layout",
    "Parameters",
    "Shape",
    "UnreadableParameters",
    "check_size",
    "split_units",
    "unescape",
]

START_CODE = b"\0\0\0\1"
MAX_ACCESS_UNIT_BYTES = 4 * 2**20  # a 4K key frame at 50 Mbit/s is 1-2 MB
MAX_SIDE_PX = 4096
MIN_SIDE_PX = 16
MAX_PIXELS = MAX_SIDE_PX**2  # for FFmpeg's option max_pixels, which knows no sides
MAX_PARAMETER_SETS = 16
MAX_CHANGES = 64  # of parameter sets between two ticks; to look at one takes 0.1 ms, so a flood of them would hold all cameras up
MAX_PARAMETER_SET_BYTES = 2048  # real ones stay below 300; all of them go in front of every key frame
PART_BYTES = 64  # what a part of an access unit costs besides its bytes, so that a million tiny ones are too many
_START_CODES = re.compile(rb"\x00{2,}\x01")


class UnreadableParameters(ProtocolError):
    """A parameter set that makes no sense; one in a session description is done without, as others come with the pictures."""


class AccessUnit(NamedTuple):
    """One encoded picture in Annex B. `lost` RTP packets are missing just before it. A named tuple: made for every frame."""

    rtp_timestamp: int
    is_key: bool
    data: bytes
    lost: int


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a sequence parameter set says about the picture."""

    width_px: int
    height_px: int
    profile: str


class Shape(IntEnum):
    """What an RTP payload is by its first byte; 0 is what only a closer look tells."""

    WHOLE = 1  # a slice of a picture predicted from others
    SLICE = 2  # another, of which the second byte must be looked at, too
    KEY = 3  # a slice of a key frame
    KEPT = 4  # what comes with a picture, such as SEI
    DROPPED = 5  # delimiter or filler
    SET = 6  # a parameter set
    FRAGMENT = 7  # of a NAL unit


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a codec's RTP payloads tell what they are. `shape` has the `Shape` of every first byte, `inner` that of every header
    of a fragment that begins a slice, and 0 for all others. A slice is the first of its picture if the bit behind the NAL unit's
    header is set, in both codecs.
    """

    header_bytes: int  # of a NAL unit
    shape: bytes
    inner: bytes

    @classmethod
    def make(cls, header_bytes: int, shape: Mapping[int, Shape], inner: Mapping[int, Shape]) -> "Layout":
        shapes, inners = (bytes(table.get(byte, 0) for byte in range(256)) for table in (shape, inner))
        return cls(header_bytes, shapes, inners)


class Depacketizer(ABC):
    """RTP payloads of one track in, access units out. Owned by the reader thread.

    Parameter sets are kept aside and put in front of every key frame, so that it decodes alone. An access unit that lost a part
    of itself is dropped; its missing RTP packets are told with the next one.
    """

    codec: Codec
    picture_set: int  # NAL type of a picture parameter set
    layout: Layout

    def __init__(self) -> None:
        self.parameters: Parameters | None = None
        self.sets: Mapping[tuple[int, int], bytes] = {}  # (NAL type, id) -> NAL unit; replaced as a whole
        self.changes = 0  # of parameter sets since the session's last tick
        self._sets_changed = False
        self._parts: list[bytes] = []
        self._size = 0
        self.timestamp = -1
        self._has_slice = self._is_key = self._damaged = self._fragment_open = False
        self._aside = -1  # where in `_parts` the open fragment of something other than a picture began
        self._markers_lie = False  # set within pictures, too: then only timestamps tell where one ends
        self._lost = 0

    @abstractmethod
    def push(self, data: bytes, start: int, end: int, timestamp: int, marker: bool, lost: int, out: list[AccessUnit]) -> None:
        """Take the payload `data[start:end]` of the next RTP packet; append to `out` what became complete. Raises ProtocolError.

        `lost` counts the RTP packets missing just before this one.
        """

    @abstractmethod
    def take_parameter_set(self, nal: bytes) -> bool:
        """Keep `nal` if it is a parameter set; whether it was one. Raises ProtocolError if it is unreadable or absurd."""

    @property
    def is_calm(self) -> bool:
        """Whether nothing is half done and nothing odd was seen, so that the next picture may be read by itself."""
        return not (
            self._parts
            or self._has_slice
            or self._is_key
            or self._damaged
            or self._fragment_open
            or self._lost
            or self._sets_changed
            or self._markers_lie
        )

    def twin(self) -> Self:
        """Another one with the same parameter sets, at the beginning of a picture."""
        twin = type(self)()
        twin.sets, twin.parameters = self.sets, self.parameters
        return twin

    def complete(self, out: list[AccessUnit]) -> None:
        """The access unit so far is all of it. Raises ProtocolError, like `take_parameter_set`."""
        if self._fragment_open:  # nothing was lost, so this camera does not tell the last fragment
            self._end_fragments()
        if self._parts:
            is_whole = not self._damaged and (not self._is_key or self.is_decodable)
            if is_whole and self._has_slice:
                if self._is_key or self._sets_changed:
                    self._parts[:0] = [part for nal in self.sets.values() for part in (START_CODE, nal)]
                    self._sets_changed = False
                out.append(AccessUnit(self.timestamp, self._is_key, b"".join(self._parts), self._lost))
                self._lost = 0
            self._parts, self._aside = [], -1
            self._size = 0
        self._has_slice = self._is_key = self._damaged = self._fragment_open = False

    @abstractmethod
    def _unit(self, nal: bytes) -> None:
        """One whole NAL unit."""

    @abstractmethod
    def _is_continued(self, data: bytes, start: int, end: int) -> bool:
        """Whether this RTP payload begins a slice other than the first of its picture."""

    def _lose(self, lost: int) -> None:
        """RTP packets are missing here: whatever is half done is worthless."""
        self._lost += lost
        if self._parts:
            self._damaged = True
        self._fragment_open = False

    def _distrust_markers(self) -> None:
        """A marker was set in the middle of this picture: it is lost, all others will be whole."""
        self._markers_lie = self._damaged = True
        self._append(b"")

    def _end_fragments(self) -> None:
        """The last fragment of a NAL unit has come; what is not a picture is looked at as a whole."""
        self._fragment_open = False
        if self._aside >= 0:
            at, self._aside = self._aside, -1
            nal = b"".join(self._parts[at + 1 :])  # all but its start code
            del self._parts[at:]
            self._unit(nal)

    def _append(self, *parts: bytes) -> None:
        self._parts += parts
        self._grow(sum(map(len, parts)) + PART_BYTES * len(parts))

    def _grow(self, size: int) -> None:
        self._size += size
        if self._size > MAX_ACCESS_UNIT_BYTES:
            raise ProtocolError(f"an access unit of more than {MAX_ACCESS_UNIT_BYTES} bytes")

    def _keep_set(self, kind: int, number: int, nal: bytes) -> None:
        if self.sets.get((kind, number)) != nal:
            if len(nal) > MAX_PARAMETER_SET_BYTES:
                raise UnreadableParameters(f"a parameter set of {len(nal)} bytes; expected at most {MAX_PARAMETER_SET_BYTES}")
            if len(self.sets) >= MAX_PARAMETER_SETS and (kind, number) not in self.sets:
                raise ProtocolError(f"more than {MAX_PARAMETER_SETS} parameter sets")
            self.changes += 1
            if self.changes > MAX_CHANGES:
                raise ProtocolError(f"parameter sets that change more than {MAX_CHANGES} times at once")
            sets = {**self.sets, (kind, number): nal}
            self.sets = dict(sorted(sets.items()))  # video, sequence, picture: the order in which a decoder needs them
            self._sets_changed = True

    @property
    def is_decodable(self) -> bool:
        """Whether a sequence and a picture parameter set are known."""
        return self.parameters is not None and any(kind == self.picture_set for kind, _ in self.sets)


class Bits:
    """Bits of a parameter set, first to last; raises ProtocolError past the end."""

    def __init__(self, rbsp: bytes) -> None:
        self._value = int.from_bytes(rbsp)
        self._left = len(rbsp) * 8

    def read(self, count: int) -> int:
        self._left -= count
        if self._left < 0:
            raise UnreadableParameters("a parameter set ends before its last field")
        return (self._value >> self._left) & ((1 << count) - 1)

    def golomb(self) -> int:
        """ue(v), ISO/IEC 14496-10 §9.1."""
        zeros = 0
        while not self.read(1):
            zeros += 1
            if zeros > 32:
                raise UnreadableParameters("an Exp-Golomb code of more than 32 leading zeros in a parameter set")
        return (1 << zeros) - 1 + self.read(zeros)

    def signed_golomb(self) -> int:
        """se(v)."""
        code = self.golomb()
        return (code + 1) // 2 if code & 1 else -(code // 2)


def split_units(nal: bytes) -> list[bytes]:
    """The NAL units of one in which a camera left start codes; a NAL unit proper cannot contain them."""
    return [unit for unit in _START_CODES.split(nal) if unit] if b"\0\0\1" in nal else [nal]


def unescape(nal: bytes, most: int = 512) -> bytes:
    """The first `most` bytes of a NAL unit without its emulation prevention bytes."""
    return nal[:most].replace(b"\0\0\3", b"\0\0")


def check_size(width: int, height: int) -> None:
    """Raises ProtocolError for a picture no camera of ours has: a decoder would reserve memory for it."""
    if not (MIN_SIDE_PX <= width <= MAX_SIDE_PX and MIN_SIDE_PX <= height <= MAX_SIDE_PX):
        raise ProtocolError(f"a picture of {width}x{height}; expected {MIN_SIDE_PX} to {MAX_SIDE_PX} pixels a side")
