"""H.264 over RTP: what comes out decodes, what was lost is told, garbage only raises ProtocolError."""

import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from base import Packet, ProtocolError
from ingest.decode import decode_key
from ingest.rtsp.h264 import H264Depacketizer, parse_sps
from ingest.rtsp.h265 import H265Depacketizer
from ingest.rtsp.h265 import parse_sps as parse_h265_sps
from ingest.rtsp.nal import START_CODE, AccessUnit, Depacketizer
from ingest.rtsp.rtp import RtpReceiver, read_rtcp
from tests.ingest.conftest import HEIGHT, WIDTH, Clip, encode, split
from tests.servers.rtsp import HUGE_SPS, packetize


def rtp(payload: bytes, sequence: int, timestamp: int, marker: bool, first: int = 0x80, kind: int = 96, ssrc: int = 77) -> bytes:
    return struct.pack(">BBHII", first, marker << 7 | kind, sequence & 0xFFFF, timestamp & 0xFFFF_FFFF, ssrc) + payload


def rtp_of(clip: Clip, frames: int, sequence: int = 65_530) -> list[bytes]:
    packets: list[bytes] = []
    for index, unit in enumerate(clip[:frames]):
        payloads = packetize(unit)
        for at, payload in enumerate(payloads):
            packets.append(rtp(payload, sequence + len(packets), index * 6000, at == len(payloads) - 1))
    return packets


def receive(packets: list[bytes], depacketizer: Depacketizer | None = None) -> tuple[list[AccessUnit], RtpReceiver]:
    receiver = RtpReceiver(96, depacketizer or H264Depacketizer())
    out: list[AccessUnit] = []
    for packet in packets:
        receiver.receive(b"??" + packet + b"!", 2, 2 + len(packet), out)
    return out, receiver


def slices(unit: AccessUnit) -> list[bytes]:
    return [nal for nal in split(unit.data) if nal[0] & 31 in (1, 5)]


def test_access_units_survive_the_way(clip: Clip) -> None:
    units, receiver = receive(rtp_of(clip, 24))
    assert [slices(unit) for unit in units] == [[nal for nal in unit if nal[0] & 31 in (1, 5)] for unit in clip[:24]]
    assert [unit.is_key for unit in units] == [index % 8 == 0 for index in range(24)]
    assert receiver.lost == 0 and sum(unit.lost for unit in units) == 0
    parameters = receiver.depacketizer.parameters
    assert parameters is not None and (parameters.width_px, parameters.height_px) == (WIDTH, HEIGHT)


def test_a_key_frame_decodes_alone_though_its_sets_came_once(clip: Clip) -> None:
    bare = [[nal for nal in unit if nal[0] & 31 not in (7, 8)] if index else unit for index, unit in enumerate(clip)]
    units, _ = receive(rtp_of(bare, 24))
    picture = decode_key(Packet("c1", 0.0, 0, True, units[16].data))
    assert picture.luma.shape == (HEIGHT, WIDTH) and picture.bgr().shape == (HEIGHT, WIDTH, 3)
    assert [nal[0] & 31 for nal in split(units[16].data)][:2] == [7, 8]


def test_without_parameter_sets_there_is_no_key_frame(clip: Clip) -> None:
    bare = [[nal for nal in unit if nal[0] & 31 not in (7, 8)] for unit in clip]
    units, receiver = receive(rtp_of(bare, 10))
    assert not any(unit.is_key for unit in units) and receiver.depacketizer.dropped == 2


def test_stap_a_and_missing_markers(clip: Clip) -> None:
    first = b"\x18" + b"".join(struct.pack(">H", len(nal)) + nal for nal in clip[0][:-1])
    packets = [rtp(first, 0, 0, False)]
    packets += [rtp(payload, 1 + at, 0, False) for at, payload in enumerate(packetize(clip[0][-1:]))]
    packets.append(rtp(clip[1][-1], len(packets), 6000, False))
    packets.append(rtp(clip[2][-1], len(packets), 12000, True))
    units, _ = receive(packets)
    assert [unit.is_key for unit in units] == [True, False, False] and slices(units[0]) == clip[0][-1:]


def test_a_lost_fragment_costs_its_access_unit_and_is_told_with_the_next(clip: Clip) -> None:
    packets = rtp_of(clip, 12)
    key = next(at for at, packet in enumerate(packets) if at > 4 and packet[12] & 31 == 28 and packet[13] & 0x80)
    broken = int.from_bytes(packets.pop(key + 1)[4:8]) // 6000
    units, receiver = receive(packets)
    assert len(units) == 11 and receiver.lost == 1 and receiver.depacketizer.dropped == 1
    assert [unit.lost for unit in units] == [int(index == broken) for index in range(11)]


def test_the_beginning_or_end_of_a_fragmented_picture_missing(clip: Clip) -> None:
    for missing in (0x80, 0x40):
        packets = rtp_of(clip, 12)
        at = next(at for at, packet in enumerate(packets) if at > 4 and packet[12] & 31 == 28 and packet[13] & missing)
        del packets[at]
        units, receiver = receive(packets)
        assert len(units) == 11 and sum(unit.lost for unit in units) == receiver.lost == 1, missing


def test_late_and_doubled_rtp_packets_are_ignored(clip: Clip) -> None:
    packets = rtp_of(clip, 12)
    units, receiver = receive(packets[:6] + packets[3:5] + packets[6:])
    assert len(units) == 12 and receiver.ignored == 2


def test_a_new_ssrc_is_believed_once_it_was_alone(clip: Clip) -> None:
    packets = rtp_of(clip, 8)
    strange = [
        packet[:2] + struct.pack(">H", at) + packet[4:8] + b"\0\0\0\x05" + packet[12:]
        for at, packet in enumerate(rtp_of(clip, 24))
    ]
    units, receiver = receive(packets + strange[:5])
    assert receiver.ssrc == 77 and len(units) == 8
    units, receiver = receive(packets + strange)
    assert receiver.ssrc == 5 and len(units) > 12


def test_padding_extension_and_csrc_are_cut_off(clip: Clip) -> None:
    nal = clip[1][-1]
    payload = b"\0" * 4 + b"\xbe\xde\x00\x01abcd" + nal + b"\0\0\x03"
    out, _ = receive([rtp(payload, 1, 0, True, first=0x80 | 0x20 | 0x10 | 1)])
    assert out[0].data == START_CODE + nal


@pytest.mark.parametrize(
    ("packet", "says"),
    [
        (b"\x80\x60", "expected at least 12"),
        (rtp(b"", 5, 0, True), "without payload"),
        (rtp(b"\x01", 5, 0, True, first=0x40), "RTP version 1"),
        (rtp(b"\x01\xff", 5, 0, True, first=0xA0), "longer than its RTP packet"),
        (rtp(b"\x01", 5, 0, True, first=0x90), "extension behind the end"),
        (rtp(b"\x1c\x85", 5, 0, True), "FU-A of 2 bytes"),
        (rtp(b"\x18\xff\xff\x01", 5, 0, True), "STAP-A whose NAL unit ends"),
        (rtp(b"\x1f\x00", 5, 0, True), "NAL unit type 31"),
    ],
)
def test_malformed_rtp_says_where_it_was(packet: bytes, says: str) -> None:
    with pytest.raises(ProtocolError, match=says) as caught:
        receive([packet])
    assert len(packet) < 12 or "SSRC 0x0000004d, sequence 5" in str(caught.value)


def test_a_flood_in_one_access_unit_is_bounded() -> None:
    middle = [rtp(b"\x1c\x05" + b"x" * 60_000, at, 0, False) for at in range(1, 100)]
    with pytest.raises(ProtocolError, match="access unit of more than"):
        receive([rtp(b"\x1c\x85" + b"x", 0, 0, False), *middle])


def test_huge_and_broken_parameter_sets_are_refused(clip: Clip) -> None:
    with pytest.raises(ProtocolError, match="16384x16384"):
        parse_sps(HUGE_SPS)
    with pytest.raises(ProtocolError, match="ends before its last field"):
        parse_sps(clip[0][0][:6])


def test_zero_bytes_after_the_sps_do_not_matter(clip: Clip) -> None:
    depacketizer = H264Depacketizer()
    sps = next(nal for nal in clip[0] if nal[0] & 31 == 7)
    assert depacketizer.take_parameter_set(sps + b"\0\0\0") and depacketizer.parameters == parse_sps(sps)


@settings(max_examples=150)
@given(st.lists(st.tuples(st.binary(max_size=40), st.booleans(), st.integers(0, 3)), max_size=12), st.booleans())
def test_garbage_raises_protocol_errors_only(payloads: list[tuple[bytes, bool, int]], h265: bool) -> None:
    receiver = RtpReceiver(96, H265Depacketizer() if h265 else H264Depacketizer())
    out: list[AccessUnit] = []
    for at, (payload, marker, step) in enumerate(payloads):
        try:
            packet = rtp(payload, at * step, at // 2, marker)
            receiver.receive(packet, 0, len(packet), out)
        except ProtocolError:
            continue
    assert all(unit.data.startswith(START_CODE) for unit in out)


@settings(max_examples=200)
@given(st.binary(min_size=1, max_size=60))
def test_any_sps_is_read_or_refused(data: bytes) -> None:
    for parse, head in ((parse_sps, b"\x67"), (parse_h265_sps, b"\x42\x01")):
        try:
            parameters = parse(head + data)
        except ProtocolError:
            continue
        assert 16 <= parameters.width_px <= 4096 and 16 <= parameters.height_px <= 4096


def test_h265_from_a_real_encoder(test_data: Path) -> None:
    path = test_data / "codecs/dlstreamer_dog_1080p.h265"
    if not path.exists():
        pytest.skip("no H.265 clip in the test data")
    nals = split(path.read_bytes())
    packets: list[bytes] = []
    timestamp, seen = 0, False
    for nal in nals:
        kind = nal[0] >> 1 & 63
        starts = kind >= 32 or bool(nal[2] & 0x80)
        if seen and starts:
            timestamp, seen = timestamp + 3000, False
        seen |= kind < 32
        if len(nal) <= 1400:
            packets.append(rtp(nal, len(packets), timestamp, False))
            continue
        pieces = [nal[at : at + 1397] for at in range(2, len(nal), 1397)]
        for index, piece in enumerate(pieces):
            flags = 0x80 * (index == 0) | 0x40 * (index == len(pieces) - 1) | kind
            packets.append(rtp(bytes((nal[0] & 0x81 | 49 << 1, nal[1], flags)) + piece, len(packets), timestamp, False))
    units, receiver = receive(packets, H265Depacketizer())
    parameters = receiver.depacketizer.parameters
    assert parameters is not None and (parameters.width_px, parameters.height_px) == (1920, 1080)
    assert len(units) >= 48 and units[0].is_key
    picture = decode_key(Packet("c1", 0.0, 0, True, units[0].data, receiver.depacketizer.codec))
    assert picture.luma.shape == (1080, 1920)


def test_sizes_that_are_no_multiple_of_16() -> None:
    sps = next(nal for nal in split(encode(frames=1, width=636, height=354)[0]) if nal[0] & 31 == 7)
    parameters = parse_sps(sps)
    assert (parameters.width_px, parameters.height_px) == (636, 354)


def test_sender_reports_tell_the_cameras_clock() -> None:
    report = struct.pack(">BBHIIIIII", 0x80, 200, 6, 77, 2_208_988_800 + 1000, 1 << 31, 0, 1, 1)
    bye = struct.pack(">BBHI", 0x81, 203, 1, 77)
    assert read_rtcp(report + bye, 0, len(report + bye)).sender_s == 1000.5
    assert read_rtcp(report + bye, 0, len(report + bye)).goodbye
    assert read_rtcp(report[:20], 0, 20).sender_s is None


@given(st.binary(max_size=64))
def test_any_rtcp_is_survived(data: bytes) -> None:
    read_rtcp(b"\x80\xc8\x00\x01" + data, 0, len(data) + 4)
