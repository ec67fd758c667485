"""Fuzz targets of what carries pictures: RTP and RTCP, H.264 and H.265, parameter sets, media time."""

import math
import struct
from contextlib import suppress

import numpy as np

from base import ProtocolError
from ingest.clip_box import pack_clip, unpack_clip
from ingest.rtsp import h264, h265
from ingest.rtsp.calm import Calm, Stretch
from ingest.rtsp.glances import SLACK_BYTES, Levels, Sights, scan
from ingest.rtsp.h264 import H264Depacketizer
from ingest.rtsp.h265 import H265Depacketizer
from ingest.rtsp.jpeg import JpegDepacketizer
from ingest.rtsp.nal import MAX_SIDE_PX, MIN_SIDE_PX, START_CODE, AccessUnit, Depacketizer, Parameters
from ingest.rtsp.rtp import PayloadReader, RtpReceiver, read_rtcp
from ingest.source import CodecChanged
from ingest.timeline import Timeline
from tests.fuzz.pieces import pieces

NOW_S = 1_700_000_000.0
_CALM_AT = 99, 1000, 77  # sequence number, timestamp, SSRC of the picture before
_SETS_264 = (bytes.fromhex("6742c01ed9005005bb0110000003001000000303c0f162e480"), bytes.fromhex("68cb83cb20"))
_SETS_265 = (
    bytes.fromhex("40010c01ffff01600000030090000003000003003f959809"),
    bytes.fromhex("42010101600000030090000003000003003fa00502016965959a4932b9a020000003002000000301e1"),
    bytes.fromhex("4401c172b46240"),
)


def fuzz_rtp(data: bytes) -> None:
    """Each piece is one RTP packet, and RTCP: documented errors only; the same alone and interleaved, whatever lies around it."""
    packets = pieces(data)
    result = _received(packets, b"", b"")
    assert result == _received(packets, b"\x80\x60before", b"after")
    assert result == _received_framed(packets)
    _check_units(result[0], packets)
    for packet in packets:
        news = read_rtcp(packet, 0, len(packet))
        assert news == read_rtcp(b"\x80\xcb" + packet + b"\0\0", 2, 2 + len(packet))
        assert news.sender_s is None or math.isfinite(news.sender_s)


Received = tuple[list[AccessUnit], int, int]
"""Access units; packets taken and lost."""


def _received(packets: list[bytes], before: bytes, after: bytes) -> Received:
    receiver, out = RtpReceiver(96, H264Depacketizer()), list[AccessUnit]()
    with suppress(ProtocolError, CodecChanged):
        for packet in packets:
            receiver.receive(before + packet + after, len(before), len(before) + len(packet), out)
    assert receiver.packets <= len(packets) and 0 <= receiver.lost <= 0x8000 * len(packets)
    return out, receiver.packets, receiver.lost


def _received_framed(packets: list[bytes]) -> Received:
    """As `RtspSession` does over TCP: in runs as long as they may be, and one by one what interrupts them."""
    receiver, out = RtpReceiver(96, H264Depacketizer()), list[AccessUnit]()
    framed = b"".join(b"$\2" + len(packet).to_bytes(2) + packet for packet in packets)
    with suppress(ProtocolError, CodecChanged):
        while framed := framed[receiver.receive_run(framed, 2, 0, out) :]:
            end = 4 + int.from_bytes(framed[2:4])
            receiver.receive(framed, 4, end, out)
            framed = framed[end:]
    return out, receiver.packets, receiver.lost


def fuzz_calm(data: bytes) -> None:
    """What is taken at a glance is what reading everything takes: the same pictures, counted alike, and read on alike, whatever
    lies beside it.

    Odd first bytes mean H.265. Pieces are frames as they come, or payloads: those begin with flags, marker (1) and report (2).
    """
    receiver = _receiver_at_rest(data[:1])
    calm, neighbour = receiver.calm(0, 1), _receiver_at_rest(b"").calm(0, 1)
    assert calm is not None and neighbour is not None
    came, beside = _as_frames(pieces(data[1:])), _as_frames([b"\1\x61\x9aabcdefgh"])
    sights = _glance([beside, came, beside], [neighbour, calm, neighbour])
    assert sights.plain[0] and sights.plain[2] and {0: 1, 2: 1}.items() <= dict(enumerate(sights.pictures.tolist())).items()
    if not sights.plain[1]:
        return
    taken = int(sights.end[1]) - len(beside)
    out, packets, reports, rest = list[AccessUnit](), receiver.packets, list[bytes](), came[:taken]
    while rest := rest[receiver.receive_run(rest, 0, 0, out) :]:
        end = 4 + int.from_bytes(rest[2:4])
        assert rest[:2] == b"$\1" and not read_rtcp(rest, 4, end).goodbye
        reports.append(rest[4:end])
        rest = rest[end:]
    mine = sights.camera == 1
    stamps = [unit.rtp_timestamp for unit in out]
    assert list(calm.units(came[:taken])) == out and stamps == list(sights.stamp[mine])
    assert stamps == [stamp for _, stamp in calm.ends(came[:taken])] and sights.pictures[1] == len(out)
    assert (stamps[0], stamps[-1]) == (sights.first[1], sights.last[1])
    assert sights.spacing[1] == stamps[-1] - [_CALM_AT[1], *stamps][-2]
    assert [len(unit.data) for unit in out] == list(sights.size[mine]) and not any(unit.lost for unit in out)
    assert [unit.is_key for unit in out] == list(sights.is_key[mine]) and [one for _, one in sights.reports] == reports
    assert receiver.packets == packets + sights.rtp_packets[1] and receiver.lost == 0 and receiver.calm(0, 1) is calm
    key = [at for at, unit in enumerate(out) if unit.is_key]
    run = Stretch(calm, "c1", 7, [(came[:taken], 0.5)], len(out), (stamps[0], stamps[-1]), size=list(sights.size[mine]), key=key)
    assert (
        list(run)
        == [run.packet(at) for at in range(len(run))]
        == [packet for at in range(len(run)) for packet in run.part(at, at + 1)]
    )


def _glance(came: list[bytes], calms: list[Calm]) -> Sights:
    """Of cameras that are all where `_receiver_at_rest` is."""
    arena = np.frombuffer(b"".join(came) + bytes(SLACK_BYTES), np.uint8)
    end = np.cumsum([len(data) for data in came])
    level, (sequence, stamp, ssrc) = Levels.zeros(len(came)), _CALM_AT
    level.word[:], level.base[:], level.sequence[:], level.stamp[:], level.ssrc[:] = 0x2400, 0x8060_0000, sequence, stamp, ssrc
    for at, calm in enumerate(calms):
        level.report_word[at], level.prefix_bytes[at] = calm.report_word, calm.prefix_bytes
        level.header_bytes[at] = calm.reader.layout.header_bytes
    return scan(arena, np.concatenate(([0], end[:-1])), end, level, calms)


def _receiver_at_rest(choice: bytes) -> RtpReceiver:
    """One that has read a picture and knows its parameter sets."""
    is_265 = bool(choice and choice[0] & 1)
    reader = H265Depacketizer() if is_265 else H264Depacketizer()
    for nal in _SETS_265 if is_265 else _SETS_264:
        reader.take_parameter_set(nal)
    receiver, (sequence, stamp, ssrc), out = RtpReceiver(96, reader), _CALM_AT, list[AccessUnit]()
    key = b"\x26\x01\xaf\x01" if is_265 else b"\x65\x88\x01"
    packet = struct.pack(">BBHII", 0x80, 0xE0, sequence, stamp, ssrc) + key
    receiver.receive(packet, 0, len(packet), out)
    assert len(out) == 1
    return receiver


def _as_frames(parts: list[bytes]) -> bytes:
    """Payloads get the headers that make them follow each other; what begins with "$" stays as it is."""
    sequence, stamp, ssrc = _CALM_AT
    out, is_new = b"", True
    for part in parts:
        if not part or part[:1] == b"$":
            out += part
            continue
        flags, payload = part[0], part[1:60_000]
        if flags & 2:
            out += b"$\1" + len(payload).to_bytes(2) + payload
            continue
        sequence, stamp = sequence + 1, stamp + 6000 * is_new
        is_new = bool(flags & 1)
        header = struct.pack(">BBHII", 0x80, is_new << 7 | 96, sequence & 0xFFFF, stamp & 0xFFFF_FFFF, ssrc)
        out += b"$\0" + (12 + len(payload)).to_bytes(2) + header + payload
    return out


def fuzz_h264(data: bytes) -> None:
    """Payloads of H.264."""
    _depacketize(data, H264Depacketizer, 0x1F, h264.SPS, h264.PPS)


def fuzz_h265(data: bytes) -> None:
    """Payloads of H.265."""
    _depacketize(data, H265Depacketizer, 0x7E, h265.SPS << 1, h265.PPS << 1)


def _depacketize(data: bytes, kind: type[Depacketizer], mask: int, sps: int, pps: int) -> None:
    """Documented errors only, whole access units, key frames that decode alone."""
    depacketizer, out, payloads = kind(), list[AccessUnit](), pieces(data)
    with suppress(ProtocolError, CodecChanged):
        _push(depacketizer, payloads, out)
        depacketizer.complete(out)
    _check_units(out, payloads)
    for unit in out:
        if unit.is_key:
            kinds = {nal[0] & mask for nal in unit.data.split(START_CODE) if nal}
            assert sps in kinds and pps in kinds
    if depacketizer.parameters is not None:
        _check_size(depacketizer.parameters)


def fuzz_jpeg(data: bytes) -> None:
    """Payloads of JPEG: ProtocolErrors only, whole files."""
    depacketizer, out, payloads = JpegDepacketizer(), list[AccessUnit](), pieces(data)
    with suppress(ProtocolError, CodecChanged):
        _push(depacketizer, payloads, out)
    assert len(out) <= len(payloads) and (not out or out[0].is_key)
    for unit in out:
        assert unit.data.startswith(b"\xff\xd8") and unit.data.endswith(b"\xff\xd9")
        assert len(unit.data) <= len(data) + 700 and unit.lost >= 0
    if depacketizer.parameters is not None:
        _check_size(depacketizer.parameters)


def _push(reader: PayloadReader, payloads: list[bytes], out: list[AccessUnit]) -> None:
    """Each piece is a byte of flags (marker, next timestamp, packets lost) and a payload. What surrounds one must not be read."""
    timestamp = 0
    for piece in payloads:
        flags, payload = (piece or b"\0")[0], piece[1:]
        timestamp = timestamp + 6000 * (flags >> 1 & 1) & 0xFFFF_FFFF
        reader.push(b"?" + payload + b"!", 1, 1 + len(payload), timestamp, bool(flags & 1), flags >> 2 & 3, out)


def _check_units(units: list[AccessUnit], packets: list[bytes]) -> None:
    largest = sum(map(len, packets))
    for unit in units:
        assert unit.data.startswith(START_CODE) and unit.lost >= 0 and 0 <= unit.rtp_timestamp < 2**32
        assert len(unit.data) <= 5 * largest + 16 * len(START_CODE)  # a start code is more than the size before a NAL unit
    assert len(units) <= len(packets) + 1


def fuzz_parameter_sets(data: bytes) -> None:
    """Either a picture of sane size or ProtocolError, for H.264 and H.265 alike."""
    for parse in (h264.parse_sps, h265.parse_sps):
        try:
            parameters = parse(data)
        except ProtocolError:
            continue
        _check_size(parameters)
        assert parameters == parse(data)
    for depacketizer in (H264Depacketizer(), H265Depacketizer()):
        for nal in pieces(data):
            with suppress(ProtocolError):
                if nal:
                    depacketizer.take_parameter_set(nal)


def _check_size(parameters: Parameters) -> None:
    assert MIN_SIDE_PX <= parameters.width_px <= MAX_SIDE_PX and MIN_SIDE_PX <= parameters.height_px <= MAX_SIDE_PX
    assert len(parameters.profile) < 40 and parameters.profile.isprintable()


def fuzz_timeline(data: bytes) -> None:
    """Sweeps of timestamps: never in the future, and newer frames never earlier, unless our own clock was set back."""
    if not data:
        return
    timeline, now_s, ahead_s = Timeline((90_000, 90_000, 8000, 1)[data[0] & 3]), NOW_S, 1e-3
    newest, newest_s, timestamps = -math.inf, -math.inf, list[int]()
    for flags, timestamp in struct.iter_unpack(">BI", data[1 : 1 + 5 * ((len(data) - 1) // 5)]):
        timestamps.append(timestamp)
        if flags & 0x80 and len(timestamps) < 40:
            continue  # more frames of the same sweep
        now_s += (flags & 0x3F) / 15
        if flags & 0x40:
            now_s, ahead_s, newest_s = now_s - 20.0, 5.0, -math.inf
        placed = timeline.place(timestamps, now_s)
        assert len(placed) == len(timestamps)
        for pts, time_s in placed:
            assert time_s <= now_s + ahead_s and math.isfinite(time_s)
            if pts >= newest:
                assert time_s >= newest_s - 1e-6
                newest, newest_s = pts, time_s
        timestamps = []


def fuzz_clip_facts(data: bytes) -> None:
    """A clip or ValueError; one that was read names no file outside of its folder, and can be written and read again."""
    try:
        clip = unpack_clip(data)
    except ValueError:
        return
    assert "/" not in clip.event and "." not in clip.event
    assert pack_clip(unpack_clip(pack_clip(clip))) == pack_clip(clip)
