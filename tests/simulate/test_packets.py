"""Bytes on the wire: RTP packets put together again give the very access units, for frames of any size."""

import random

import pytest

from ingest.simulate import ClipFrame
from ingest.simulate.clip import nal_units
from ingest.simulate.packets import pack_frame, sender_report, stamp
from tests.simulate.stage import Rtp, small_clip


def unpacked(data: bytes) -> list[tuple[int, Rtp]]:
    """(channel, packet) of interleaved bytes."""
    found, at = [], 0
    while at < len(data):
        assert data[at] == 0x24
        size = int.from_bytes(data[at + 2 : at + 4])
        part = data[at + 4 : at + 4 + size]
        found.append((data[at + 1], Rtp.read(part)))
        at += 4 + size
    return found


def units_of(packets: list[Rtp]) -> list[bytes]:
    """NAL units again, by RFC 6184 §5.6 and §5.8."""
    units: list[bytes] = []
    for packet in packets:
        if packet.payload[0] & 31 != 28:
            units.append(packet.payload)
        elif packet.payload[1] & 0x80:
            units.append(bytes([packet.payload[0] & 0xE0 | packet.payload[1] & 31]) + packet.payload[2:])
        else:
            units[-1] += packet.payload[2:]
    return units


@pytest.mark.parametrize("size", [1, 2, 1399, 1400, 1401, 2798, 2799, 2800, 70_000])
def test_a_frame_of_any_size_survives(size: int) -> None:
    body = bytes(random.Random(size).choices(range(1, 256), k=size - 1))
    unit = b"\x65" + body
    packed = pack_frame(ClipFrame(b"\0\0\0\1\x67abc\0\0\0\1\x68d\0\0\0\1" + unit, True))
    data = bytes(stamp(packed, 4, 65_534, 77, 0xABCDEF01))
    found = unpacked(data)
    assert units_of([packet for _, packet in found]) == [b"\x67abc", b"\x68d", unit]
    assert [packet.marker for _, packet in found] == [False] * (len(found) - 1) + [True]
    assert [packet.sequence for _, packet in found] == [(65_534 + index) & 0xFFFF for index in range(len(found))]
    assert {(channel, packet.timestamp, packet.ssrc) for channel, packet in found} == {(4, 77, 0xABCDEF01)}
    assert all(len(packet.payload) <= 1400 for _, packet in found)


def test_every_frame_of_an_encoded_clip_survives() -> None:
    for frame in small_clip().frames:
        packets = [packet for _, packet in unpacked(bytes(stamp(pack_frame(frame), 0, 0, 0, 0)))]
        assert units_of(packets) == nal_units(frame.data)


def test_a_sender_report_couples_both_clocks() -> None:
    report = sender_report(1, 7, 1_700_000_000.5, 90_000, 12, 3456)
    assert report[:2] == b"$\1"
    assert len(report) == 4 + int.from_bytes(report[2:4])
    assert (report[5], int.from_bytes(report[8:12])) == (200, 7)
    seconds = int.from_bytes(report[12:16]) - 2_208_988_800 + int.from_bytes(report[16:20]) / 2**32
    assert seconds == pytest.approx(1_700_000_000.5)
    assert [int.from_bytes(report[at : at + 4]) for at in (20, 24, 28)] == [90_000, 12, 3456]
    assert (report[33], report[32] & 31) == (202, 1)  # a source description follows
