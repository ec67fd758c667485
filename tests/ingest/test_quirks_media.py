"""What cameras do to RTP, H.264 and H.265, one test each. Who does it: docs/ref/rtsp-quirks.md."""

import struct
from collections.abc import Sequence
from fractions import Fraction

import av
import pytest
from av.video.codeccontext import VideoCodecContext

from base import Codec, Packet
from ingest.decode import AwakeDecoder, decode_key
from ingest.rtsp.h264 import H264Depacketizer
from ingest.rtsp.h265 import H265Depacketizer
from ingest.rtsp.nal import START_CODE, AccessUnit
from ingest.rtsp.rtp import RtpReceiver
from tests.ingest.conftest import GOP, HEIGHT, WIDTH, Clip, picture, split
from tests.ingest.test_h264 import receive, rtp, rtp_of
from tests.servers.rtsp import packetize

FRAMES = 24
OTHER_SSRC = b"\0\0\0\2"


def encode(codec: str, parameters: str) -> Clip:
    """The moving disc by libx264 or libx265, as lists of NAL units."""
    encoder = av.CodecContext.create(codec, "w")
    assert isinstance(encoder, VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = WIDTH, HEIGHT, "yuv420p", Fraction(1, 15)
    encoder.options = {
        "preset": "ultrafast",
        "tune": "zerolatency",
        f"{codec[3:]}-params": f"keyint={GOP}:scenecut=0:{parameters}",
    }
    packets = []
    for index in range(FRAMES):
        frame = av.VideoFrame.from_ndarray(picture(index), format="bgr24")
        frame.pts = index
        packets += encoder.encode(frame)
    return [split(bytes(packet)) for packet in [*packets, *encoder.encode(None)]]


@pytest.fixture(scope="module")
def sliced() -> Clip:
    """Four slices a picture."""
    return encode("libx264", "slices=4:bframes=0:threads=1")


@pytest.fixture(scope="module")
def h265() -> Clip:
    return encode("libx265", "bframes=0:pools=1:frame-threads=1:slices=2:log-level=none")


def fragments_of_h265(nal: bytes, size: int = 700) -> list[bytes]:
    if len(nal) <= size:
        return [nal]
    pieces = [nal[at : at + size] for at in range(2, len(nal), size)]
    last = len(pieces) - 1
    head = bytes((nal[0] & 0x81 | 49 << 1, nal[1]))
    return [head + bytes((0x80 * (at == 0) | 0x40 * (at == last) | nal[0] >> 1 & 63,)) + piece for at, piece in enumerate(pieces)]


def payloads_of(unit: Sequence[bytes], codec: Codec) -> list[bytes]:
    return packetize(unit) if codec is Codec.H264 else [piece for nal in unit for piece in fragments_of_h265(nal)]


def sent(pictures: Sequence[Sequence[bytes]], markers: str = "last") -> list[bytes]:
    """RTP of payloads; the marker on the "last" of each picture, on "none", on "all", or at the end of each "nal" unit."""
    packets: list[bytes] = []
    for index, payloads in enumerate(pictures):
        for at, payload in enumerate(payloads):
            is_last = at == len(payloads) - 1
            ends = payload[0] & 31 != 28 or bool(payload[1] & 0x40)  # H.264: not in the middle of an FU-A
            marker = {"last": is_last, "none": False, "all": True, "nal": ends}[markers]
            packets.append(rtp(payload, len(packets), index * 6000, marker))
    return packets


def units_of(pictures: Sequence[Sequence[bytes]], markers: str = "last") -> list[AccessUnit]:
    return receive(sent(pictures, markers))[0]


def decoded(units: Sequence[AccessUnit], codec: Codec = Codec.H264) -> int:
    """How many of these access units FFmpeg shows, each in the right size."""
    decoder, shown = AwakeDecoder(), 0
    first = next(at for at, unit in enumerate(units) if unit.is_key)
    for index, unit in enumerate(units[first:]):
        packet = Packet("c1", index / 15, unit.rtp_timestamp, unit.is_key, unit.data, codec)
        for _, _, frame in decoder.decode(packet):
            shown += frame.luma.shape == (HEIGHT, WIDTH)
    return shown


# Where a picture ends


@pytest.mark.parametrize("codec", [Codec.H264, Codec.H265])
def test_no_marker_at_all(sliced: Clip, h265: Clip, codec: Codec) -> None:
    clip = sliced if codec is Codec.H264 else h265
    pictures = [payloads_of(unit, codec) for unit in clip]
    units, _ = receive(sent(pictures, "none"), H264Depacketizer() if codec is Codec.H264 else H265Depacketizer())
    assert len(units) == FRAMES - 1  # the last one may go on
    assert decoded(units, codec) == FRAMES - 1


@pytest.mark.parametrize("markers", ["all", "nal"])
def test_a_marker_on_every_slice(sliced: Clip, markers: str) -> None:
    units = units_of([packetize(unit) for unit in sliced], markers)
    whole = [unit for unit in units if len([nal for nal in split(unit.data) if nal[0] & 31 in (1, 5)]) == 4]
    assert len(whole) >= FRAMES - 2 and len(units) <= FRAMES  # learnt at the first picture; the last one may go on
    assert decoded(whole) >= FRAMES - GOP - 1


def test_a_marker_on_every_slice_of_h265(h265: Clip) -> None:
    pictures = [payloads_of(unit, Codec.H265) for unit in h265]
    units, receiver = receive(sent(pictures, "all"), H265Depacketizer())
    whole = [unit for unit in units if len([nal for nal in split(unit.data) if nal[0] >> 1 & 63 < 32]) == 2]
    assert len(whole) >= FRAMES - 2 and decoded(whole, Codec.H265) >= FRAMES - GOP - 1 and receiver.lost == 0


def test_a_marker_on_every_rtp_packet_of_one_slice(clip: Clip) -> None:
    units = units_of([packetize(unit) for unit in clip], "all")
    assert len(units) == FRAMES and decoded(units) == FRAMES


def test_parameter_sets_and_sei_with_a_marker_of_their_own(clip: Clip) -> None:
    pictures = [[[nal] for nal in unit if nal[0] & 31 != 6] for unit in clip]
    packets: list[bytes] = []
    for index, picture_ in enumerate(pictures):
        for nal in [[b"\x06\x05\x01\x00\x80"], *picture_]:
            pieces = packetize(nal)
            early = nal[0][0] & 31 in (7, 8) and index  # with the timestamp of the picture before
            for at, piece in enumerate(pieces):
                packets.append(rtp(piece, len(packets), (index - early) * 6000, at == len(pieces) - 1))
    units, _ = receive(packets)
    assert len(units) == FRAMES and decoded(units) == FRAMES


def test_pictures_of_nothing_but_a_delimiter(clip: Clip) -> None:
    pictures = [payloads for unit in clip for payloads in ([b"\x09\xf0"], packetize([b"\x09\xf0", *unit]))]
    units = units_of(pictures)
    assert len(units) == FRAMES and decoded(units) == FRAMES and b"\x09\xf0" not in units[0].data


# Fragments and aggregates


def test_a_fragment_that_is_the_whole_nal_unit(clip: Clip) -> None:
    pictures = [packetize(unit) for unit in clip]
    pictures = [
        [
            bytes((payload[0] & 0xE0 | 28, 0xC0 | payload[0] & 31)) + payload[1:] if payload[0] & 31 == 1 else payload
            for payload in one
        ]
        for one in pictures
    ]
    units = units_of(pictures)
    assert len(units) == FRAMES and decoded(units) == FRAMES


def test_a_fragment_of_h265_that_is_the_whole_nal_unit(h265: Clip) -> None:
    single = [[bytes((nal[0] & 0x81 | 49 << 1, nal[1], 0xC0 | nal[0] >> 1 & 63)) + nal[2:] for nal in unit] for unit in h265]
    units, _ = receive(sent(single), H265Depacketizer())
    assert len(units) == FRAMES and decoded(units, Codec.H265) == FRAMES


def test_fragments_without_an_end(clip: Clip) -> None:
    pictures = [packetize(unit) for unit in clip]
    endless = [
        [payload[:1] + bytes((payload[1] & ~0x40,)) + payload[2:] if payload[0] & 31 == 28 else payload for payload in one]
        for one in pictures
    ]
    assert any(payload[0] & 31 == 28 for payload in endless[0])
    units = units_of(endless)
    assert len(units) >= FRAMES - 1 and decoded(units) >= FRAMES - 1


@pytest.mark.parametrize("padding", [b"\0", b"\0\0", b"\0\0\0", b"\0\0\0\0\0"])
def test_an_aggregate_with_padding(clip: Clip, padding: bytes) -> None:
    sets = [nal for nal in clip[0] if nal[0] & 31 in (7, 8)]
    aggregate = b"\x18" + b"".join(struct.pack(">H", len(nal)) + nal for nal in sets) + padding
    units = units_of([[aggregate, *packetize(clip[0][-1:])], *[packetize(unit) for unit in clip[1:]]])
    assert len(units) == FRAMES and decoded(units) == FRAMES


def test_an_aggregate_of_h265_with_padding(h265: Clip) -> None:
    sets = [nal for nal in h265[0] if 32 <= nal[0] >> 1 & 63 <= 34]
    rest = [nal for nal in h265[0] if nal[0] >> 1 & 63 < 32]
    aggregate = bytes((48 << 1, 1)) + b"".join(struct.pack(">H", len(nal)) + nal for nal in sets) + b"\0"
    pictures = [[aggregate, *payloads_of(rest, Codec.H265)], *[payloads_of(unit, Codec.H265) for unit in h265[1:]]]
    units, _ = receive(sent(pictures), H265Depacketizer())
    assert len(units) == FRAMES and decoded(units, Codec.H265) == FRAMES


def test_start_codes_within_a_fragmented_key_frame(clip: Clip) -> None:
    pictures = []
    for unit in clip:
        if not any(nal[0] & 31 == 5 for nal in unit):
            pictures.append(packetize(unit))
            continue
        nals = [nal for nal in unit if nal[0] & 31 in (5, 7, 8)]
        pictures.append(packetize([START_CODE.join(nals)]))  # all fragments say that they are of an SPS
        assert pictures[-1][0][0] & 31 == 28 and pictures[-1][0][1] & 31 == 7
    units = units_of(pictures)
    assert len(units) == FRAMES and [unit.is_key for unit in units] == [index % GOP == 0 for index in range(FRAMES)]
    assert [nal[0] & 31 for nal in split(units[GOP].data)] == [7, 8, 5] and decoded(units) == FRAMES


def test_start_codes_within_a_fragmented_key_frame_of_h265(h265: Clip) -> None:
    pictures = [payloads_of([START_CODE.join(nal for nal in unit if nal[0] >> 1 & 63 != 39)], Codec.H265) for unit in h265]
    keys_only, _ = receive(sent(pictures[::GOP]), H265Depacketizer())
    assert len(keys_only) == FRAMES // GOP and all(unit.is_key for unit in keys_only)
    for unit in keys_only:
        assert decode_key(Packet("c1", 0.0, 0, True, unit.data, Codec.H265)).luma.shape == (HEIGHT, WIDTH)


def test_a_start_code_in_front_of_every_nal_unit(clip: Clip) -> None:
    units = units_of([[START_CODE + nal for nal in unit] for unit in clip])
    assert len(units) == FRAMES and decoded(units) == FRAMES


def test_a_start_code_in_front_of_every_nal_unit_of_h265(h265: Clip) -> None:
    units, _ = receive(sent([[START_CODE + nal for nal in unit] for unit in h265]), H265Depacketizer())
    assert len(units) == FRAMES and decoded(units, Codec.H265) == FRAMES


@pytest.mark.parametrize("rest", [b"\0", b"\0\0\0", b"\x04", b"\xff\xff"])
def test_bytes_after_the_sps_do_not_disturb_the_decoder(clip: Clip, rest: bytes) -> None:
    units = units_of([packetize([nal + rest if nal[0] & 31 == 7 else nal for nal in unit]) for unit in clip])
    assert decoded(units) == FRAMES


# RTP


def test_padding_of_no_bytes_and_a_vendor_extension(clip: Clip) -> None:
    packets = [bytes((0x90,)) + packet[1:12] + b"\xab\xad\0\1vend" + packet[12:] for packet in rtp_of(clip, FRAMES)]
    padded = [bytes((packet[0] | 0x20,)) + packet[1:] + b"\0\0\0\4" for packet in packets]
    assert decoded(receive(padded)[0]) == FRAMES


def test_other_payload_types_on_the_channel_are_ignored(clip: Clip) -> None:
    packets = [one for packet in rtp_of(clip, FRAMES) for one in (packet, rtp(b"vendor", 9, 9, False, kind=112, ssrc=1))]
    units, receiver = receive(packets)
    assert len(units) == FRAMES and receiver.lost == 0


def strangers(packets: list[bytes]) -> list[bytes]:
    return [packet[:2] + struct.pack(">H", 7 + at) + packet[4:8] + OTHER_SSRC + packet[12:] for at, packet in enumerate(packets)]


def mixed(clip: Clip) -> list[bytes]:
    """Two sessions on one channel, picture by picture; the older one speaks first."""
    ours = [[packet for packet in rtp_of(clip, FRAMES) if packet[4:8] == struct.pack(">I", 6000 * at)] for at in range(FRAMES)]
    old = [
        [packet for packet in strangers(rtp_of(clip, FRAMES)) if packet[4:8] == struct.pack(">I", 6000 * at)]
        for at in range(FRAMES)
    ]
    return [packet for at in range(FRAMES) for packet in [*old[at], *ours[at]]]


def test_the_packets_of_an_older_session_mixed_in(clip: Clip) -> None:
    units, receiver = receive(mixed(clip))
    assert len(units) == FRAMES and decoded(units) == FRAMES and receiver.lost == 0  # one of them, not both


def test_the_announced_ssrc_is_preferred_to_an_older_session(clip: Clip) -> None:
    receiver = RtpReceiver(96, H264Depacketizer())
    receiver.announced_ssrc = 77
    units: list[AccessUnit] = []
    for packet in mixed(clip):
        receiver.receive(packet, 0, len(packet), units)
    assert receiver.ssrc == 77 and receiver.packets >= len(rtp_of(clip, FRAMES)) and decoded(units) >= FRAMES - 1
