"""JPEG over RTP (RFC 2435): cameras that send single pictures. The headers that RTP leaves out are put back."""

import functools

from base.errors import ProtocolError
from base.records import Codec
from ingest.rtsp.nal import MAX_ACCESS_UNIT_BYTES, PART_BYTES, AccessUnit, Parameters, check_size

__all__ = ["JpegDepacketizer"]

_KEY_EVERY = 90_000  # RTP time, a second
# Tables of ITU-T T.81 in the order in which they stand in a file: K.1 and K.2 (luminance, chrominance), K.3 to K.6.
_LUMA_QUANTA = bytes.fromhex(
    "100b0c0e0c0a100e0d0e1211101318281a181616183123251d283a333d3c3933"
    "383740485c4e404457453738506d51575f626768673e4d71797064785c656763"
)
_CHROMA_QUANTA = bytes.fromhex("1112121815182f1a1a2f63423842") + b"\x63" * 50
_LUMA_DC = "00010501010101010100000000000000 000102030405060708090a0b"
_LUMA_AC = (
    "0002010303020403050504040000017d 01020300041105122131410613516107227114328191a1082342b1c11552d1f02433627"
    "282090a161718191a25262728292a3435363738393a434445464748494a535455565758595a636465666768696a7374757677787"
    "97a838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d"
    "8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9fa"
)
_CHROMA_DC = "00030101010101010101010000000000 000102030405060708090a0b"
_CHROMA_AC = (
    "00020102040403040705040400010277 000102031104052131061241510761711322328108144291a1b1c109233352f0156272d"
    "10a162434e125f11718191a262728292a35363738393a434445464748494a535455565758595a636465666768696a73747576777"
    "8797a82838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d"
    "6d7d8d9dae2e3e4e5e6e7e8e9eaf2f3f4f5f6f7f8f9fa"
)


def _segment(marker: int, content: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(content) + 2).to_bytes(2) + content


_HUFFMAN = {0x00: _LUMA_DC, 0x10: _LUMA_AC, 0x01: _CHROMA_DC, 0x11: _CHROMA_AC}  # by class and number
_CODES = b"".join(_segment(0xC4, bytes((number,)) + bytes.fromhex(table)) for number, table in _HUFFMAN.items())
_SCAN = _segment(0xDA, bytes((3, 1, 0x00, 2, 0x11, 3, 0x11, 0, 63, 0)))


class JpegDepacketizer:
    """RTP payloads of one track in, whole JPEG files out. Owned by the reader thread.

    Each picture decodes alone. One a second is called a key frame, as if the GOP were a second long: quiet cameras are looked at
    by key frames, and the ring counts GOPs. So is the one after a loss. A picture that lost a part of itself is dropped.
    """

    codec = Codec.MJPEG

    def __init__(self) -> None:
        self.parameters: Parameters | None = None
        self.changes = 0  # it has no parameter sets
        self._tables: dict[int, bytes] = {}  # Q -> quantization tables that the camera sent
        self._parts: list[bytes] = []  # headers, then what came of the scan
        self._size = 0  # bytes of the scan
        self.timestamp = self._key_timestamp = -1
        self._lost = 0

    def push(self, data: bytes, start: int, end: int, timestamp: int, marker: bool, lost: int, out: list[AccessUnit]) -> None:
        """Take the payload `data[start:end]` of the next RTP packet, as `PayloadReader` says. Raises ProtocolError."""
        if end - start < 8:
            raise ProtocolError(f"a JPEG payload of {end - start} bytes; expected at least 8")
        offset = int.from_bytes(data[start + 1 : start + 4])
        if self._parts and (lost or (offset and offset != self._size)):
            self._drop()
        self._lost += lost
        if not offset:
            if self._parts:  # nothing is missing, so this camera sets no markers
                self._complete(out)
            start = self._begin(data, start, end, timestamp)
        elif self._parts:
            start += 12 if data[start + 4] & 64 else 8
        else:
            return  # of a picture whose beginning is missing
        self._parts.append(data[start:end])
        self._size += max(0, end - start)
        if self._size + PART_BYTES * len(self._parts) > MAX_ACCESS_UNIT_BYTES:
            raise ProtocolError(f"a JPEG picture of more than {MAX_ACCESS_UNIT_BYTES} bytes")
        if marker:
            self._complete(out)

    def _begin(self, data: bytes, start: int, end: int, timestamp: int) -> int:
        """Read the headers of a picture's first packet; where its scan begins (RFC 2435 §3.1)."""
        kind, quality, width, height = data[start + 4], data[start + 5], data[start + 6] * 8, data[start + 7] * 8
        if kind & ~65:
            raise ProtocolError(f"JPEG of type {kind}; expected 0, 1, 64 or 65")
        check_size(width, height)
        start += 8
        restart = b""
        if kind & 64:
            restart = _segment(0xDD, data[start : start + 2])
            start += 4
        if quality >= 128:
            start = self._take_tables(data, start, end, quality)
        if start > end:
            raise ProtocolError("JPEG headers that are longer than their RTP packet")
        if self.parameters is None or (self.parameters.width_px, self.parameters.height_px) != (width, height):
            self.parameters = Parameters(width, height, "baseline")
        self.timestamp = timestamp
        self._parts = [_headers(kind & 1, self._quanta(quality), width, height, restart)]
        self._size = 0
        return start

    def _take_tables(self, data: bytes, start: int, end: int, quality: int) -> int:
        """Keep the tables of a quantization table header, if it has any; where it ends (§3.1.8)."""
        size = int.from_bytes(data[start + 2 : start + 4])
        if end - start < 4 + size:
            raise ProtocolError("JPEG quantization tables that are longer than their RTP packet")
        if size:
            if data[start + 1] or size not in (64, 128):
                raise ProtocolError(f"JPEG quantization tables of {size} bytes, precision {data[start + 1]}; expected 128, 0")
            self._tables[quality] = data[start + 4 : start + 4 + size]
        return start + 4 + size

    def _quanta(self, quality: int) -> bytes:
        if quality >= 128:
            if quality not in self._tables:
                raise ProtocolError(f"JPEG with Q {quality} and no quantization tables")
            return self._tables[quality]
        if not 1 <= quality <= 99:
            raise ProtocolError(f"JPEG with Q {quality}; expected 1 to 99, or 128 to 255")
        return _scaled_quanta(quality)

    def _complete(self, out: list[AccessUnit]) -> None:
        if not self._parts[-1].endswith(b"\xff\xd9"):
            self._parts.append(b"\xff\xd9")
        is_key = self._lost > 0 or self._key_timestamp < 0 or self.timestamp - self._key_timestamp & 0xFFFF_FFFF >= _KEY_EVERY
        if is_key:
            self._key_timestamp = self.timestamp
        out.append(AccessUnit(self.timestamp, is_key, b"".join(self._parts), self._lost))
        self._parts, self._lost = [], 0

    def _drop(self) -> None:
        self._parts = []


@functools.cache
def _scaled_quanta(quality: int) -> bytes:
    """Tables of Q 1 to 99 (§4.2)."""
    percent = 5000 // quality if quality < 50 else 200 - 2 * quality
    return bytes(min(255, max(1, (value * percent + 50) // 100)) for value in _LUMA_QUANTA + _CHROMA_QUANTA)


def _headers(subsampling: int, quanta: bytes, width: int, height: int, restart: bytes) -> bytes:
    """A JPEG file up to its scan: baseline, three components, luma twice as wide (0) or twice as wide and high (1)."""
    tables = _segment(0xDB, b"\0" + quanta[:64]) + _segment(0xDB, b"\1" + quanta[-64:])
    size = height.to_bytes(2) + width.to_bytes(2)
    frame = _segment(0xC0, b"\x08" + size + bytes((3, 1, 0x22 if subsampling else 0x21, 0, 2, 0x11, 1, 3, 0x11, 1)))
    return b"\xff\xd8" + tables + restart + frame + _CODES + _SCAN
