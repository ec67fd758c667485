"""H.264 over RTP: what comes out decodes, what was lost is told, garbage only raises ProtocolError."""

import itertools
import re
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
from ingest.source import CodecChanged
from tests.ingest.conftest import HEIGHT, WIDTH, Clip, encode, split
from tests.servers.rtsp import HUGE_SPS, packetize

SPS = bytes.fromhex("6742c01ed9005005bb0110000003001000000303c0f162e480")  # 640x360
PPS = bytes.fromhex("68cb83cb20")


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
    units, _ = receive(rtp_of(bare, 10))
    assert len(units) == 8 and not any(unit.is_key for unit in units)


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
    assert len(units) == 11 and receiver.lost == 1
    assert [unit.lost for unit in units] == [int(index == broken) for index in range(11)]


def test_the_beginning_or_end_of_a_fragmented_picture_missing(clip: Clip) -> None:
    for missing in (0x80, 0x40):
        packets = rtp_of(clip, 12)
        at = next(at for at, packet in enumerate(packets) if at > 4 and packet[12] & 31 == 28 and packet[13] & missing)
        del packets[at]
        units, receiver = receive(packets)
        assert len(units) == 11 and sum(unit.lost for unit in units) == receiver.lost == 1, missing


@pytest.mark.parametrize(
    "payload", [b"\x40\x01\x0c\x01\xff", b"\x60\x01\0\x04\x40\x01\x0c\x01", b"\x62\x01\x93\xaf", b"\x02\x01\xd0"]
)
def test_h265_in_a_track_of_h264_is_known_at_once(clip: Clip, payload: bytes) -> None:
    packets = rtp_of(clip, 4)
    with pytest.raises(CodecChanged, match=r"H.264 to H.265 .*sequence \d+"):
        receive([*packets, rtp(payload, len(packets), 4 * 6000, True)])


@pytest.mark.parametrize("payload", [b"\x67\x42\xc0\x1e\xd9", b"\x27\x64\0\x1e", b"\x09\x10", b"\x78\0\x04\x67\x4d\0\x1f"])
def test_h264_in_a_track_of_h265_is_known_at_once(payload: bytes) -> None:
    receiver, packet = RtpReceiver(96, H265Depacketizer()), rtp(payload, 7, 0, True)
    with pytest.raises(CodecChanged, match=r"H.265 to H.264 .*sequence 7"):
        receiver.receive(packet, 0, len(packet), [])


def test_late_and_doubled_rtp_packets_are_ignored(clip: Clip) -> None:
    packets = rtp_of(clip, 12)
    units, receiver = receive(packets[:6] + packets[3:5] + packets[6:])
    assert len(units) == 12 and receiver.lost == 0


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
def test_garbage_raises_documented_errors_only(payloads: list[tuple[bytes, bool, int]], h265: bool) -> None:
    receiver = RtpReceiver(96, H265Depacketizer() if h265 else H264Depacketizer())
    out: list[AccessUnit] = []
    for at, (payload, marker, step) in enumerate(payloads):
        try:
            packet = rtp(payload, at * step, at // 2, marker)
            receiver.receive(packet, 0, len(packet), out)
        except (ProtocolError, CodecChanged):
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


def interleaved(packets: list[bytes], channel: int = 0) -> bytes:
    return b"".join(b"$" + bytes((channel,)) + len(packet).to_bytes(2) + packet for packet in packets)


def one_by_one(packets: list[bytes], receiver: RtpReceiver) -> tuple[list[AccessUnit], str]:
    out: list[AccessUnit] = []
    try:
        for packet in packets:
            receiver.receive(packet, 0, len(packet), out)
    except (ProtocolError, CodecChanged) as error:
        return out, str(error)
    return out, ""


def in_runs(packets: list[bytes], receiver: RtpReceiver, cuts: list[int]) -> tuple[list[AccessUnit], str]:
    """Through `receive_run` where it takes them, with the byte stream cut anywhere; the others one by one."""
    stream, out, rest = interleaved(packets), list[AccessUnit](), b""
    edges = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    try:
        for start, end in itertools.pairwise(edges):
            rest += stream[start:end]
            while True:
                rest = rest[receiver.receive_run(rest, 0, 0, out) :]
                size = 4 + int.from_bytes(rest[2:4])
                if len(rest) < 4 or len(rest) < size:
                    break
                receiver.receive(rest, 4, size, out)
                rest = rest[size:]
    except (ProtocolError, CodecChanged) as error:
        return out, re.sub(r"^byte \d+: ", "", str(error))
    return out, ""


rtp_packet = st.tuples(
    st.sampled_from(
        [b"\x61abc", b"\x65key", b"\x7c\x85a", b"\x7c\x05b", b"\x7c\x45c", b"\x18\0\x02\x61x", b"\x1f", b"", SPS, PPS]
    ),
    st.integers(0, 1),  # step of the timestamp
    st.booleans(),  # marker
    st.sampled_from([1, 1, 1, 1, 1, 0, 2]),  # step of the sequence number
    st.sampled_from([0x80, 0x80, 0x80, 0x80, 0x90, 0xA0, 0x40]),
    st.sampled_from([77, 77, 77, 77, 78]),  # SSRC
    st.sampled_from([96, 96, 96, 96, 97]),
)


@settings(max_examples=400)
@given(st.lists(rtp_packet, max_size=40), st.lists(st.integers(0, 600), max_size=8), st.integers(65_500, 65_535), st.booleans())
def test_runs_give_the_same_as_one_packet_after_the_other(
    steps: list[tuple[bytes, int, bool, int, int, int, int]], cuts: list[int], sequence: int, h265: bool
) -> None:
    packets, timestamp = [], 0
    for payload, later, marker, step, first, ssrc, kind in steps:
        sequence, timestamp = sequence + step, timestamp + 6000 * later
        packets.append(rtp(payload, sequence, timestamp, marker, first, kind, ssrc))
    plain, fast = (RtpReceiver(96, H265Depacketizer() if h265 else H264Depacketizer()) for _ in range(2))
    assert in_runs(packets, fast, cuts) == one_by_one(packets, plain)
    assert (fast.packets, fast.lost, fast.ssrc, fast.newest) == (plain.packets, plain.lost, plain.ssrc, plain.newest)


def test_a_real_clip_in_runs_cut_anywhere(clip: Clip) -> None:
    packets = rtp_of(clip, 24)
    whole = one_by_one(packets, RtpReceiver(96, H264Depacketizer()))
    stream = interleaved(packets)
    for step in (1, 7, 100, 1460, 5000, len(stream)):
        assert in_runs(packets, RtpReceiver(96, H264Depacketizer()), list(range(0, len(stream), step))) == whole


def test_a_run_ends_at_another_channel() -> None:
    receiver, out = RtpReceiver(96, H264Depacketizer()), list[AccessUnit]()
    first, second, third = (rtp(b"\x61abc", number, 6000 * number, True) for number in range(1, 4))
    receiver.receive(first, 0, len(first), out)
    stream = interleaved([second]) + interleaved([third], channel=2)
    assert receiver.receive_run(stream, 0, 0, out) == len(interleaved([second])) and len(out) == 2
