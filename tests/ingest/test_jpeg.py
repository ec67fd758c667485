"""JPEG over RTP: pictures of another encoder, taken apart as cameras do, come out as files that decode to the same pixels."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from base import Codec, Packet, ProtocolError
from ingest.decode import AwakeDecoder, KeyDecoders, decode_key
from ingest.rtsp.jpeg import JpegDepacketizer
from ingest.rtsp.nal import AccessUnit
from ingest.rtsp.session import RtspSession
from tests.ingest.conftest import picture
from tests.ingest.test_session import URL, reply

HALF, QUARTER = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420


def jpeg(
    index: int = 0, quality: int = 75, sampling: int = QUARTER, restart: int = 0, width: int = 320, height: int = 184
) -> bytes:
    options = [
        cv2.IMWRITE_JPEG_QUALITY,
        quality,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
        sampling,
        cv2.IMWRITE_JPEG_RST_INTERVAL,
        restart,
    ]
    done, data = cv2.imencode(".jpg", picture(index, width, height), options)
    assert done
    return data.tobytes()


def payloads(data: bytes, q: int, mtu: int = 1000) -> list[bytes]:
    """RFC 2435 payloads of a JPEG file; `q` from 128 on sends its tables along."""
    segments: dict[int, list[bytes]] = {}
    at = 2
    while 0xDA not in segments:
        size = int.from_bytes(data[at + 2 : at + 4])
        segments.setdefault(data[at + 1], []).append(data[at + 4 : at + 2 + size])
        at += 2 + size
    frame, scan = segments[0xC0][0], data[at:]
    restart = segments[0xDD][0] if 0xDD in segments else b""
    kind = (frame[7] == 0x22) + (64 if restart else 0)
    quanta = b"".join(segment[1:] for segment in segments[0xDB])
    tables = b"\0\0" + len(quanta).to_bytes(2) + quanta if q >= 128 else b""
    result = []
    for offset in range(0, len(scan), mtu):
        head = b"\0" + offset.to_bytes(3) + bytes((kind, q, frame[4] // 8 + 32 * frame[3], frame[2] // 8 + 32 * frame[1]))
        head += restart + b"\xff\xff" if restart else b""
        result.append(head + (tables if not offset else b"") + scan[offset : offset + mtu])
    return result


class Rig:
    def __init__(self) -> None:
        self.reader = JpegDepacketizer()
        self.out: list[AccessUnit] = []

    def send(self, pieces: list[bytes], timestamp: int = 0, lost: int = 0, marker: bool = True) -> None:
        for number, piece in enumerate(pieces):
            last = marker and number == len(pieces) - 1
            self.reader.push(b"head" + piece, 4, 4 + len(piece), timestamp, last, lost if not number else 0, self.out)

    def decoded(self, at: int = -1) -> NDArray[np.uint8]:
        return decode_key(Packet("c1", 0.0, 0, True, self.out[at].data, Codec.MJPEG)).bgr()


@pytest.mark.parametrize("sampling", [HALF, QUARTER])
@pytest.mark.parametrize("restart", [0, 4])
@pytest.mark.parametrize(("quality", "q"), [(10, 10), (50, 50), (85, 85), (99, 99), (75, 255), (30, 128)])
def test_the_pixels_are_those_of_the_file(sampling: int, restart: int, quality: int, q: int) -> None:
    data = jpeg(quality=quality, sampling=sampling, restart=restart)
    rig = Rig()
    rig.send(payloads(data, q))
    expected = decode_key(Packet("c1", 0.0, 0, True, data, Codec.MJPEG))
    assert np.array_equal(rig.decoded(), expected.bgr())
    parameters = rig.reader.parameters
    assert parameters is not None and (parameters.width_px, parameters.height_px) == (320, 184)


def test_a_key_frame_a_second() -> None:
    rig = Rig()
    for number in range(12):
        rig.send(payloads(jpeg(number), 75), 2**32 - 20_000 + number * 18_000 & 0xFFFF_FFFF)
    assert [unit.is_key for unit in rig.out] == [number % 5 == 0 for number in range(12)]
    decoder, packets = (
        AwakeDecoder(),
        [Packet("c1", 0.0, at, unit.is_key, unit.data, Codec.MJPEG) for at, unit in enumerate(rig.out)],
    )
    assert sum(len(decoder.decode(packet)) for packet in packets) == 12
    assert KeyDecoders().decode(packets[3]).luma.shape == (184, 320)


@pytest.mark.parametrize("missing", [0, 1, -1])
def test_a_picture_that_lost_a_part_is_dropped_and_the_next_is_a_key(missing: int) -> None:
    rig, pieces = Rig(), payloads(jpeg(quality=95), 95)
    assert len(pieces) > 3
    rig.send(pieces)
    del pieces[missing]
    for number, piece in enumerate(pieces):
        gone = number == missing and missing >= 0
        rig.reader.push(piece, 0, len(piece), 3000, number == len(pieces) - 1 and missing >= 0, int(gone), rig.out)
    rig.send(payloads(jpeg(2), 75), 6000, lost=int(missing < 0))
    assert [(unit.rtp_timestamp, unit.is_key, unit.lost) for unit in rig.out] == [(0, True, 0), (6000, True, 1)]


def test_a_camera_without_markers() -> None:
    rig = Rig()
    rig.send(payloads(jpeg(0), 75), 0, marker=False)
    rig.send(payloads(jpeg(1), 75), 6000, marker=False)
    assert [unit.rtp_timestamp for unit in rig.out] == [0] and rig.decoded().shape == (184, 320, 3)


def test_tables_that_were_sent_once_are_remembered() -> None:
    rig, data = Rig(), jpeg(quality=30)
    rig.send(payloads(data, 200))
    again = payloads(data, 50)
    rig.send(
        [piece[:5] + b"\xc8" + piece[6:8] + (b"\0\0\0\0" if not at else b"") + piece[8:] for at, piece in enumerate(again)], 6000
    )
    assert rig.out[0].data == rig.out[1].data


BAD = [
    (b"\0" * 7, "a JPEG payload of 7 bytes"),
    (b"\0\0\0\0\x02\x4b\x28\x17", "JPEG of type 2"),
    (b"\0\0\0\0\0\x4b\0\0", "a picture of 0x0"),
    (b"\0\0\0\0\0\0\x28\x17", "JPEG with Q 0"),
    (b"\0\0\0\0\0\x70\x28\x17", "JPEG with Q 112"),
    (b"\0\0\0\0\0\xff\x28\x17", "longer than their RTP packet"),
    (b"\0\0\0\0\0\xff\x28\x17\0\0\0\0", "JPEG with Q 255 and no quantization tables"),
    (b"\0\0\0\0\0\xff\x28\x17\0\1\0\x80" + bytes(128), "of 128 bytes, precision 1"),
    (b"\0\0\0\0\0\xff\x28\x17\0\0\0\x05" + bytes(5), "of 5 bytes, precision 0"),
    (b"\0\0\0\0\x40\x4b\x28\x17\0\0", "JPEG headers that are longer"),
]


@pytest.mark.parametrize(("payload", "says"), BAD)
def test_what_no_camera_may_send(payload: bytes, says: str) -> None:
    with pytest.raises(ProtocolError, match=says):
        Rig().send([payload])


def test_a_picture_without_end_is_refused() -> None:
    rig = Rig()
    rig.send([b"\0\0\0\0\0\x4b\x28\x17"], marker=False)
    with pytest.raises(ProtocolError, match="more than 4194304 bytes"):
        for at in range(0, 2**23, 65_000):
            rig.send([b"\0" + at.to_bytes(3) + b"\0\x4b\x28\x17" + bytes(65_000)], marker=False)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.binary(max_size=40), st.booleans(), st.integers(0, 2)), max_size=12), st.integers(0, 2000))
def test_noise_raises_protocol_errors_only(noise: list[tuple[bytes, bool, int]], cut: int) -> None:
    rig, pieces = Rig(), payloads(jpeg(), 255)
    try:
        for piece, marker, lost in [(pieces[0][:cut], False, 0), *noise, (pieces[0], True, 0)]:
            rig.send([piece], marker=marker, lost=lost)
    except ProtocolError:
        pass
    assert all(unit.data.startswith(b"\xff\xd8") and unit.data.endswith(b"\xff\xd9") for unit in rig.out)


@pytest.mark.parametrize("media", ["m=video 0 RTP/AVP 26", "m=video 0 RTP/AVP 96\r\na=rtpmap:96 JPEG/90000"])
def test_a_camera_of_jpeg_is_set_up(media: str) -> None:
    session = RtspSession(URL, "", "", "192.0.2.1:554")
    session.start()
    sdp = f"v=0\r\na=control:*\r\n{media}\r\na=control:track1\r\n".encode()
    session.receive(
        reply(1) + reply(2, body=sdp) + reply(3, "Session: 12", "Transport: RTP/AVP/TCP;interleaved=0-1") + reply(4), 0.0
    )
    kind = 26 if "96" not in media else 96
    units = []
    for number, piece in enumerate(pieces := payloads(jpeg(), 75)):
        marker = 0x80 if number == len(pieces) - 1 else 0
        packet = bytes((0x80, marker | kind)) + number.to_bytes(2) + bytes(8) + piece
        units += session.receive(b"$\0" + len(packet).to_bytes(2) + packet, 0.0)
    assert len(units) == 1 and session.receiver is not None and session.receiver.depacketizer.codec is Codec.MJPEG
