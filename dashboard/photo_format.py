"""What a picture says it is before anything decodes it: JPEG, PNG or WebP, its size, and that nothing else is in the file.

A file that is two things at once, or a few bytes that become gigabytes, must not reach a decoder or another person's browser.
Sources: ITU-T T.81 annex B (JPEG), the PNG specification (W3C, third edition) §5, the WebP container (RFC 9649 §2).
"""

import struct
from dataclasses import dataclass

from base import ConfigError

__all__ = ["MOST_PIXELS", "Measure", "measure"]

MOST_PIXELS = 25_000_000
"""Decoded, such a picture takes 75 MB; telephones' cameras take 12 to 16 million pixels, and the page sends 2 million."""

_PNG = b"\x89PNG\r\n\x1a\n"
_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # SOF0–SOF15, but for DHT, JPG and DAC among them
_BARE = frozenset({0x01, *range(0xD0, 0xD9)})  # TEM, RST0–7, SOI: no length follows
_MOVING = 0x02  # of the flags of VP8X


@dataclass(frozen=True, slots=True)
class Measure:
    """The media type and the size in pixels, as the file's head says."""

    media_type: str
    width_px: int
    height_px: int


def measure(body: bytes) -> Measure:
    """What picture `body` is. Raises ConfigError, a sentence for people, if it is none, too large, moving, or not alone."""
    if body.startswith(b"\xff\xd8"):
        kind, size, end = "image/jpeg", *_jpeg(body)
    elif body.startswith(_PNG):
        kind, size, end = "image/png", *_png(body)
    elif body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        kind, size, end = "image/webp", *_webp(body)
    else:
        raise ConfigError("This is no JPEG, PNG or WebP picture.")
    width_px, height_px = size
    if not width_px or not height_px:
        raise _damaged(kind)
    if width_px * height_px > MOST_PIXELS:
        raise ConfigError(f"The picture is larger than {MOST_PIXELS // 1_000_000} million pixels; send a smaller one.")
    if end != len(body):
        raise ConfigError("There is something behind the end of the picture; send the picture alone.")
    return Measure(kind, width_px, height_px)


def _jpeg(body: bytes) -> tuple[tuple[int, int], int]:
    """Size and end: every segment, and past the entropy-coded data to the marker of the end."""
    size, at = (0, 0), 2
    while True:
        at = _next_marker(body, at)
        marker = body[at + 1]
        at += 2
        if marker == 0xD9:
            return size, at
        if marker in _BARE:
            continue
        length = int.from_bytes(_bytes(body, at, 2, "image/jpeg"))
        if length < 2:
            raise _damaged("image/jpeg")
        if marker in _SIZES:
            height, width = struct.unpack(">HH", _bytes(body, at + 3, 4, "image/jpeg"))
            size = (width, height)
        at += length


def _next_marker(body: bytes, at: int) -> int:
    """Where the next marker begins: FF and neither 0, which stands for FF in data, nor FF, which fills."""
    while True:
        at = body.find(b"\xff", at)
        if at < 0 or at + 1 >= len(body):
            raise _damaged("image/jpeg")
        if body[at + 1] not in (0x00, 0xFF):
            return at
        at += 1 if body[at + 1] == 0xFF else 2


def _png(body: bytes) -> tuple[tuple[int, int], int]:
    width, height = struct.unpack(">II", _bytes(body, 16, 8, "image/png"))
    if body[12:16] != b"IHDR":
        raise _damaged("image/png")
    at = len(_PNG)
    while True:
        length, name = struct.unpack(">I4s", _bytes(body, at, 8, "image/png"))
        if name == b"acTL":
            raise _is_moving()
        at += 12 + length  # with the checksum
        if name == b"IEND":
            return (width, height), at


def _webp(body: bytes) -> tuple[tuple[int, int], int]:
    (length,) = struct.unpack("<I", _bytes(body, 4, 4, "image/webp"))
    name, data = body[12:16], _bytes(body, 20, 10, "image/webp")
    if name == b"VP8X":
        if data[0] & _MOVING:
            raise _is_moving()
        size = (1 + int.from_bytes(data[4:7], "little"), 1 + int.from_bytes(data[7:10], "little"))
    elif name == b"VP8L" and data[0] == 0x2F:
        bits = int.from_bytes(data[1:5], "little")
        size = (1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF))
    elif name == b"VP8 " and data[3:6] == b"\x9d\x01\x2a":
        width, height = struct.unpack("<HH", data[6:10])
        size = (width & 0x3FFF, height & 0x3FFF)
    else:
        raise _damaged("image/webp")
    return size, 8 + length + length % 2


def _bytes(body: bytes, at: int, count: int, kind: str) -> bytes:
    found = body[at : at + count]
    if len(found) < count:
        raise _damaged(kind)
    return found


def _damaged(kind: str) -> ConfigError:
    return ConfigError(f"The picture is damaged: it begins as {kind}, but does not go on as one.")


def _is_moving() -> ConfigError:
    return ConfigError("This is a moving picture; send a still one.")
