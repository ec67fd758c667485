"""H.265 over RTP (RFC 7798, without DONL) into access units, and its sequence parameter set."""

from base.errors import ProtocolError
from base.records import Codec
from ingest.rtsp.nal import (
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

__all__ = ["H265Depacketizer", "parse_sps"]

VPS, SPS, PPS, DELIMITER, FILLER, SEI, AP, FU = 32, 33, 34, 35, 38, 39, 48, 49
_FIRST_IRAP, _LAST_IRAP, _LAST_SLICE = 16, 21, 31
_H264_PROFILES = frozenset({66, 77, 88, 100, 110, 122, 244})
_PROFILES = {1: "Main", 2: "Main 10", 3: "Main Still Picture", 4: "Range Extensions"}

_SLICES = {
    0: Shape.SLICE,  # its first byte is 0, too
    **dict.fromkeys(range(1, 10), Shape.WHOLE),
    **dict.fromkeys(range(_FIRST_IRAP, _LAST_IRAP + 1), Shape.KEY),
}
_OTHERS = {**dict.fromkeys((VPS, SPS, PPS), Shape.SET), DELIMITER: Shape.DROPPED, SEI: Shape.KEPT, FU: Shape.FRAGMENT}
_LAYOUT = Layout.make(
    2,
    {kind << 1: shape for kind, shape in {**_SLICES, **_OTHERS}.items()},
    {0x80 | kind: shape for kind, shape in _SLICES.items()},
)


class H265Depacketizer(Depacketizer):
    """Single NAL units, aggregation packets and fragmentation units."""

    codec = Codec.H265
    picture_set = PPS
    layout = _LAYOUT

    def push(self, data: bytes, start: int, end: int, timestamp: int, marker: bool, lost: int, out: list[AccessUnit]) -> None:
        if lost:
            self._lose(lost)
        if timestamp != self.timestamp:
            if self._parts:
                self.complete(out)
            self.timestamp = timestamp
        elif not self._parts and not lost and self._is_continued(data, start, end):
            self._distrust_markers()
        if data[start : start + 1] != b"\x62" and _is_h264(data, start, end):  # FU, of layer 0: the most of all
            raise CodecChanged("the camera changed H.265 to H.264 without telling, under the same payload type")
        if end - start < 3:
            raise ProtocolError(f"an RTP packet with {end - start} bytes of H.265; expected at least 3")
        kind = data[start] >> 1 & 63
        if kind == FU:
            self._fragment(data, start, end)
        elif self._fragment_open:
            self._damaged, self._fragment_open = True, False
        elif kind == AP:
            self._aggregate(data, start + 2, end)
        elif kind < AP:
            self._unit(data[start:end])
        else:
            raise ProtocolError(f"H.265 NAL unit type {kind}; expected a NAL unit, AP (48) or FU (49)")
        if marker and not self._markers_lie and not self._fragment_open:
            self.complete(out)

    def take_parameter_set(self, nal: bytes) -> bool:
        kind = nal[0] >> 1 & 63
        if kind not in (VPS, SPS, PPS):
            return False
        nal = nal.rstrip(b"\0")
        if len(nal) < 3:
            raise UnreadableParameters(f"an H.265 parameter set of {len(nal)} bytes")
        if kind == SPS and self.sets.get((SPS, 0)) != nal:
            self.parameters = parse_sps(nal)
        self._keep_set(kind, Bits(nal[2:10]).golomb() if kind == PPS else 0, nal)
        return True

    def _unit(self, nal: bytes) -> None:
        kind = nal[0] >> 1 & 63
        if nal[:2] == b"\0\0" or VPS <= kind <= PPS:
            units = [unit for unit in split_units(nal) if unit[:2] != b"\0\0"]
            if units != [nal]:
                for unit in units:
                    self._unit(unit)
                return
        if kind in (DELIMITER, FILLER) or self.take_parameter_set(nal):
            return
        self._append(START_CODE, nal)
        self._note(kind)

    def _note(self, kind: int) -> None:
        self._has_slice |= kind <= _LAST_SLICE
        self._is_key |= _FIRST_IRAP <= kind <= _LAST_IRAP

    def _aggregate(self, data: bytes, position: int, end: int) -> None:
        """AP, RFC 7798 §4.4.2."""
        while position < end:
            following = position + 2 + (data[position] << 8 | data[position + 1]) if position + 2 <= end else end + 1
            if end - position < 4 or following == position + 2:
                return  # padding
            if following > end or following < position + 4:
                raise ProtocolError(f"an aggregation packet whose NAL unit ends {following - end} bytes behind its RTP packet")
            self._unit(data[position + 2 : following])
            position = following

    def _is_continued(self, data: bytes, start: int, end: int) -> bool:
        if end - start < 4 or not data[start + 1]:  # too short, or a start code
            return False
        kind, first = data[start] >> 1 & 63, data[start + 2]
        if kind == FU:
            kind, first = first & 63 if first & 0x80 else VPS, data[start + 3]
        return kind <= _LAST_SLICE and first < 0x80  # its first_slice_segment_in_pic_flag is 0

    def _fragment(self, data: bytes, start: int, end: int) -> None:
        """FU, RFC 7798 §4.4.3."""
        if end - start < 4:
            raise ProtocolError(f"a fragmentation unit of {end - start} bytes; expected at least 4")
        header = data[start + 2]
        if header & 0x80:
            if self._fragment_open:
                self._damaged = True
            kind = header & 63
            self._aside = -1 if kind <= _LAST_SLICE else len(self._parts)
            self._append(START_CODE, bytes((data[start] & 0x81 | kind << 1, data[start + 1])), data[start + 3 : end])
            self._note(kind)
            self._fragment_open = True
        elif self._fragment_open:
            self._append(data[start + 3 : end])
        else:  # its beginning was lost
            self._damaged = True
            self._append(b"")
        if header & 0x40 and self._fragment_open:
            self._end_fragments()


def _is_h264(data: bytes, start: int, end: int) -> bool:
    """Whether a picture of H.264 begins here: a delimiter or SPS, alone or in a STAP-A; in H.265 of a layer that nobody uses."""
    if end - start > 4 and data[start] & 0x9F == 24:
        start += 3
    elif end - start < 2:
        return False
    return data[start] == 9 or (data[start] & 0x9F == 7 and data[start + 1] in _H264_PROFILES)


def parse_sps(nal: bytes) -> Parameters:
    """Size and profile from a sequence parameter set (ITU-T H.265 §7.3.2.2); raises ProtocolError if unreadable or absurd."""
    bits = Bits(unescape(nal)[2:])
    bits.read(4)
    sub_layers = bits.read(3)
    bits.read(1)
    bits.read(3)  # profile space, tier
    profile = bits.read(5)
    bits.read(32 + 48)
    level = bits.read(8)
    present = [(bits.read(1), bits.read(1)) for _ in range(sub_layers)]
    if sub_layers:
        bits.read(2 * (8 - sub_layers))
    for has_profile, has_level in present:
        bits.read(88 * has_profile + 8 * has_level)
    bits.golomb()
    chroma_format = bits.golomb()
    if chroma_format == 3:
        bits.read(1)
    width, height = bits.golomb(), bits.golomb()
    if bits.read(1):  # conformance_window_flag
        step_x, step_y = 2 if chroma_format in (1, 2) else 1, 2 if chroma_format == 1 else 1
        left, right, top, bottom = (bits.golomb() for _ in range(4))
        width, height = width - step_x * (left + right), height - step_y * (top + bottom)
    check_size(width, height)
    return Parameters(width, height, f"{_PROFILES.get(profile, f'profile {profile}')}@{level / 30:.1f}")
