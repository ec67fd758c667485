"""Frames as the bytes that go down an RTSP connection, prepared once per clip: RFC 6184 payloads in RFC 2326 §10.12 framing."""

import struct
from dataclasses import dataclass

from ingest.simulate.clip import Clip, ClipFrame, nal_units

__all__ = ["PackedClip", "PackedFrame", "fragments", "pack", "pack_clip", "pack_frame", "payloads", "sender_report", "stamp"]

PAYLOAD_TYPE = 96
RTP_HZ = 90_000
_MOST_PAYLOAD_BYTES = 1400  # what fits an Ethernet frame with every header; cameras cut there over TCP too
_FU_A = 28
_NTP_EPOCH_S = 2_208_988_800  # 1970 in seconds since 1900, RFC 5905
_HEADER = struct.Struct(">cBHBBHII")  # "$", channel, length; then RTP: V/P/X/CC, M/PT, sequence, timestamp, SSRC
_CHANGING = struct.Struct(">HII")  # sequence, timestamp, SSRC: all that differs between clients
_CHANGING_AT = 6


@dataclass(frozen=True, slots=True)
class PackedFrame:
    """One frame as interleaved RTP packets on channel 0, sequence, timestamp and SSRC zero; `start` of each packet in `data`."""

    data: bytes
    start: tuple[int, ...]
    is_key: bool


@dataclass(frozen=True, slots=True)
class PackedClip:
    """A clip ready to send, shared by every camera that shows it."""

    fps: float
    frames: tuple[PackedFrame, ...]
    parameter_sets: tuple[bytes, bytes]


def pack_clip(clip: Clip) -> PackedClip:
    return PackedClip(clip.fps, tuple(pack_frame(frame) for frame in clip.frames), clip.parameter_sets)


def pack_frame(frame: ClipFrame) -> PackedFrame:
    """Every NAL unit in a packet of its own, large ones cut into FU-A (RFC 6184 §5.8); marker on the last packet."""
    parts: list[bytes] = []
    for unit in nal_units(frame.data):
        parts += [unit] if len(unit) <= _MOST_PAYLOAD_BYTES else fragments(unit)
    return pack(parts, frame.is_key)


def pack(parts: list[bytes], is_key: bool) -> PackedFrame:
    """A frame from its RTP payloads."""
    out, start = bytearray(), []
    for index, payload in enumerate(parts):
        marker = 0x80 if index == len(parts) - 1 else 0
        start.append(len(out))
        out += _HEADER.pack(b"$", 0, 12 + len(payload), 0x80, marker | PAYLOAD_TYPE, 0, 0, 0) + payload
    return PackedFrame(bytes(out), tuple(start), is_key)


def payloads(frame: PackedFrame) -> list[bytes]:
    """The RTP payloads of a frame again."""
    ends = (*frame.start[1:], len(frame.data))
    return [frame.data[start + _HEADER.size : end] for start, end in zip(frame.start, ends, strict=True)]


def fragments(unit: bytes) -> list[bytes]:
    """A NAL unit cut into FU-A payloads."""
    indicator, kind = unit[0] & 0xE0 | _FU_A, unit[0] & 0x1F
    size = _MOST_PAYLOAD_BYTES - 2
    parts = [unit[at : at + size] for at in range(1, len(unit), size)]
    last = len(parts) - 1
    return [bytes((indicator, kind | (index == 0) << 7 | (index == last) << 6)) + part for index, part in enumerate(parts)]


def stamp(frame: PackedFrame, channel: int, sequence: int, timestamp: int, ssrc: int) -> bytearray:
    """The frame's bytes for one client; its packets take `len(frame.start)` sequence numbers from `sequence` on."""
    data = bytearray(frame.data)
    for at in frame.start:
        _CHANGING.pack_into(data, at + _CHANGING_AT, sequence & 0xFFFF, timestamp, ssrc)
        sequence += 1
    if channel:
        for at in frame.start:
            data[at + 1] = channel
    return data


def sender_report(channel: int, ssrc: int, utc_s: float, timestamp: int, packets: int, octets: int) -> bytes:
    """An interleaved RTCP sender report with its CNAME (RFC 3550 §6.4.1, §6.5): `timestamp` is what was shown at `utc_s`."""
    ntp = int((utc_s + _NTP_EPOCH_S) * 2**32) & (2**64 - 1)
    report = struct.pack(">BBHIQIII", 0x80, 200, 6, ssrc, ntp, timestamp, packets & 0xFFFFFFFF, octets & 0xFFFFFFFF)
    cname = struct.pack(">BBHIBB", 0x81, 202, 4, ssrc, 1, 6) + b"camera" + b"\0\0\0\0"
    return struct.pack(">cBH", b"$", channel, len(report) + len(cname)) + report + cname
