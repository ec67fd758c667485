"""H.264 over RTP (RFC 6184, packetization modes 0 and 1) into access units, and its sequence parameter set."""

from base.errors import ProtocolError
from base.records import Codec
from ingest.rtsp.nal import (
    MAX_ACCESS_UNIT_BYTES,
    PART_BYTES,
    START_CODE,
    AccessUnit,
    Bits,
    Depacketizer,
    Layout,
    Parameters,
    Shape,
    UnreadableParameters,
    check_size,
    split_units,
    unescape,
)
from ingest.source import CodecChanged

__all__ = ["H264Depacketizer", "parse_sps"]

SLICE, IDR, SEI, SPS, PPS, DELIMITER, FILLER, STAP_A, FU_A = 1, 5, 6, 7, 8, 9, 12, 24, 28
_UNUSED = frozenset({0, 2, 3, 4})  # NAL types; 2 to 4 are partitions of slices, of the Extended profile
_PROFILES = {66: "Baseline", 77: "Main", 88: "Extended", 100: "High", 110: "High 10", 122: "High 4:2:2", 244: "High 4:4:4"}
_WITH_CHROMA_FORMAT = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})

_SHAPES = {SLICE: Shape.WHOLE, IDR: Shape.KEY, SEI: Shape.KEPT, SPS: Shape.SET, PPS: Shape.SET, DELIMITER: Shape.DROPPED}
_LAYOUT = Layout.make(
    1,
    {byte: shape for byte in range(256) if (shape := {**_SHAPES, FU_A: Shape.FRAGMENT}.get(byte & 31))},
    {0x80 | SLICE: Shape.WHOLE, 0x80 | IDR: Shape.KEY},
)


class H264Depacketizer(Depacketizer):
    """Single NAL units, STAP-A and FU-A."""

    codec = Codec.H264
    picture_set = PPS
    layout = _LAYOUT

    def push(self, data: bytes, start: int, end: int, timestamp: int, marker: bool, lost: int, out: list[AccessUnit]) -> None:
        if (
            marker  # most packets: a picture in one RTP packet
            and timestamp != self.timestamp
            and not self._parts
            and start < end
            and data[start] & 31 == SLICE
            and not (lost or self._sets_changed or self._markers_lie)
        ):
            self.timestamp = timestamp
            out.append(AccessUnit(timestamp, False, START_CODE + data[start:end], self._lost))
            self._lost = 0
            return
        if lost:
            self._lose(lost)
        elif (
            self._fragment_open  # the middle of a large picture
            and end - start > 2
            and data[start] & 31 == FU_A
            and not data[start + 1] & 0xC0
            and timestamp == self.timestamp
        ):
            self._parts.append(data[start + 2 : end])
            self._size += end - start + PART_BYTES
            if self._size > MAX_ACCESS_UNIT_BYTES:
                self._grow(0)
            return
        if timestamp != self.timestamp:
            if self._parts:
                self.complete(out)  # a camera that sets no marker
            self.timestamp = timestamp
        elif not self._parts and not lost and self._is_continued(data, start, end):
            self._distrust_markers()
        if start >= end:
            raise ProtocolError("an RTP packet without payload")
        kind = data[start] & 31
        if kind == FU_A:
            self._fragment(data, start, end)
        elif self._fragment_open:
            self._damaged, self._fragment_open = True, False
        elif kind == STAP_A:
            self._aggregate(data, start + 1, end)
        elif kind in _UNUSED and data[start + 1 : start + 2] == b"\1":  # in H.265 a parameter set or picture, of layer 0
            raise CodecChanged("the camera changed H.264 to H.265 without telling, under the same payload type")
        elif kind <= 23 and (kind or b"\0\0\1" in data[start : start + 4]):
            self._unit(data[start:end])
        else:
            raise ProtocolError(f"NAL unit type {kind}; expected a single NAL unit, STAP-A (24) or FU-A (28)")
        if marker and not self._markers_lie and not self._fragment_open:
            self.complete(out)

    def take_parameter_set(self, nal: bytes) -> bool:
        kind = nal[0] & 31
        if kind not in (SPS, PPS):
            return False
        nal = nal.rstrip(b"\0")  # some cameras pad; a NAL unit never ends in zero
        if kind == SPS:
            if self.sets.get((SPS, 0)) != nal:
                self.parameters = parse_sps(nal)
                self._keep_set(SPS, 0, nal)
        elif len(nal) > 1:
            self._keep_set(PPS, Bits(nal[1:9]).golomb(), nal)
        return True

    def _unit(self, nal: bytes) -> None:
        kind = nal[0] & 31
        if kind in (0, SPS, PPS):
            units = [unit for unit in split_units(nal) if unit[0] & 31]
            if units != [nal]:
                for unit in units:
                    self._unit(unit)
                return
        if kind in (DELIMITER, FILLER) or self.take_parameter_set(nal):
            return
        self._append(START_CODE, nal)
        self._has_slice |= 1 <= kind <= IDR
        self._is_key |= kind == IDR

    def _aggregate(self, data: bytes, position: int, end: int) -> None:
        """STAP-A, RFC 6184 §5.7.1: sizes of 16 bits, each followed by a NAL unit."""
        while position < end:
            following = position + 2 + (data[position] << 8 | data[position + 1]) if position + 2 <= end else end + 1
            if end - position < 3 or following == position + 2:
                return  # padding
            if following > end:
                raise ProtocolError(f"a STAP-A whose NAL unit ends {following - end} bytes behind its RTP packet")
            self._unit(data[position + 2 : following])
            position = following

    def _is_continued(self, data: bytes, start: int, end: int) -> bool:
        if end - start < 3:
            return False
        kind, first = data[start] & 31, data[start + 1]
        if kind == FU_A:
            kind, first = first & 31 if first & 0x80 else 0, data[start + 2]
        return kind in (SLICE, IDR) and first < 0x80  # its first_mb_in_slice is not 0

    def _fragment(self, data: bytes, start: int, end: int) -> None:
        """FU-A, RFC 6184 §5.8."""
        if end - start < 3:
            raise ProtocolError(f"an FU-A of {end - start} bytes; expected at least 3")
        header = data[start + 1]
        if header & 0x80:
            if self._fragment_open:
                self._damaged = True
            kind = header & 31
            self._aside = -1 if 1 <= kind <= IDR else len(self._parts)
            self._append(START_CODE, bytes((data[start] & 0xE0 | kind,)), data[start + 2 : end])
            self._has_slice |= 1 <= kind <= IDR
            self._is_key |= kind == IDR
            self._fragment_open = True
        elif self._fragment_open:
            self._append(data[start + 2 : end])
        else:  # its beginning was lost
            self._damaged = True
            self._append(b"")
        if header & 0x40 and self._fragment_open:
            self._end_fragments()


def parse_sps(nal: bytes) -> Parameters:
    """Size and profile from a sequence parameter set (ISO/IEC 14496-10 §7.3.2.1.1); raises ProtocolError if that is absurd."""
    rbsp = unescape(nal)
    if len(rbsp) < 5 or rbsp[0] & 31 != SPS:
        raise UnreadableParameters(f"a sequence parameter set of {len(nal)} bytes")
    bits = Bits(rbsp[4:])
    bits.golomb()
    chroma_format, separate = 1, 0
    if rbsp[1] in _WITH_CHROMA_FORMAT:
        chroma_format, separate = _chroma(bits)
    bits.golomb()  # log2_max_frame_num
    order_type = bits.golomb()
    if order_type == 0:
        bits.golomb()
    elif order_type == 1:
        bits.read(1)
        bits.golomb()
        bits.golomb()
        for _ in range(min(bits.golomb(), 255)):
            bits.golomb()
    bits.golomb()  # max_num_ref_frames
    bits.read(1)
    width, height = 16 * (bits.golomb() + 1), 16 * (bits.golomb() + 1)
    frames_only = bits.read(1)
    height *= 2 - frames_only
    if not frames_only:
        bits.read(1)
    bits.read(1)
    if bits.read(1):  # frame_cropping_flag
        step_x = 2 if chroma_format in (1, 2) and not separate else 1
        step_y = (2 if chroma_format == 1 and not separate else 1) * (2 - frames_only)
        left, right, top, bottom = (bits.golomb() for _ in range(4))
        width, height = width - step_x * (left + right), height - step_y * (top + bottom)
    check_size(width, height)
    profile = _PROFILES.get(rbsp[1], f"profile {rbsp[1]}")
    return Parameters(width, height, f"{profile}@{rbsp[3] // 10}.{rbsp[3] % 10}")


def _chroma(bits: Bits) -> tuple[int, int]:
    """chroma_format_idc and separate_colour_plane_flag of the high profiles; skips bit depths and scaling lists."""
    chroma_format = bits.golomb()
    separate = bits.read(1) if chroma_format == 3 else 0
    bits.golomb()
    bits.golomb()
    bits.read(1)
    if bits.read(1):  # seq_scaling_matrix_present_flag
        for index in range(8 if chroma_format != 3 else 12):
            if bits.read(1):
                last = following = 8
                for _ in range(16 if index < 6 else 64):
                    if following:
                        following = (last + bits.signed_golomb()) % 256
                    last = following or last
    return chroma_format, separate
