"""What fuzzing found, each as the smallest case; the inputs themselves lie in `corpus/<target>/found-…`."""

from pathlib import Path

import pytest

from base import ProtocolError, SourceError
from camera_config import SiteError, load_site
from detect.outbox import unpack_event
from ingest.rtsp.address import Address, resolve_control
from ingest.rtsp.auth import Authenticator, parse_challenges
from ingest.rtsp.h264 import H264Depacketizer
from ingest.rtsp.h265 import H265Depacketizer
from ingest.rtsp.jpeg import JpegDepacketizer
from ingest.rtsp.message import MessageParser, Response
from ingest.rtsp.nal import Depacketizer
from ingest.rtsp.rtp import PayloadReader
from ingest.simulate import rtsp as simulator
from tests.camera_config.small_site import write_small_site

URL, HOSTS = "rtsp://192.0.2.1/live", frozenset({"192.0.2.1"})


@pytest.mark.parametrize("offer", ['Digest nonce="n", algorithm=BASIC', 'Digest realm="x", algorithm=basic'])
def test_a_digest_whose_algorithm_is_called_basic_is_no_way_to_sign_in(offer: str) -> None:
    authenticator = Authenticator("op", "geheim")
    with pytest.raises(SourceError, match="offers neither Basic nor Digest"):
        authenticator.challenged([offer])


def test_a_parameter_begins_where_a_word_does() -> None:
    (challenge,) = parse_challenges(['Digest x-nonce="a", nonce = "b" realm=c'])
    assert challenge.parameters == {"x-nonce": "a", "nonce": "b", "realm": "c"}


@pytest.mark.parametrize(
    ("control", "target"),
    [
        ("track 1", f"{URL}/track%201"),
        ("/a\tb\x0bc", "rtsp://192.0.2.1:554/a%09b%0Bc"),
        (f"{URL}/spur 一\u2028", f"{URL}/spur%20一%E2%80%A8"),
    ],
)
def test_white_space_in_a_control_url_is_written_out_in_requests(control: str, target: str) -> None:
    assert resolve_control("", control, URL, HOSTS) == target


@pytest.mark.parametrize("url", ["rtsp://[", "rtsps://]/x", "rtsp://[]:554/", "rtsp://a[b/"])
def test_brackets_alone_are_no_host(url: str) -> None:
    with pytest.raises(SourceError, match="expected rtsp://host"):
        Address.parse(url)


def test_a_camera_cannot_write_to_a_terminal_by_an_error() -> None:
    assert str(ProtocolError("got \x1b[31mred\u202e 门")) == "got \\x1b[31mred\\u202e 门"


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("cameras.csv", "azimuth_deg", "a\x1b[31m"),
        ("rules.toml", "zone_zh", '"a\\u001b[31m"'),
        ("teams.toml", "kind", '"\\u202e"'),
    ],
)
def test_a_key_of_a_site_file_cannot_write_to_a_terminal(tmp_path: Path, name: str, old: str, new: str) -> None:
    folder = write_small_site(tmp_path)
    path = folder / name
    path.write_text(path.read_text("utf-8").replace(old, new, 1), "utf-8")
    with pytest.raises(SiteError, match=r"unknown key") as caught:
        load_site(folder, {})
    assert all(line.isprintable() for line in str(caught.value).split("\n"))


def test_a_stored_event_nested_too_deeply_is_none() -> None:
    with pytest.raises(ValueError, match="expected a stored event"):
        unpack_event((100_000).to_bytes(4, "little") + b"[" * 100_000)


def test_the_simulator_survives_odd_credentials_and_urls() -> None:
    answer = 'Digest username="op", realm="IP Camera", nonce="n", response="é"'
    assert not simulator.authorised(simulator.Request("OPTIONS", URL, {"authorization": answer}), "n", "op", "geheim")
    assert simulator.stream_path("rtsp://127.]0.0.1/c0001/sub") == ("", "")


def test_a_header_repeated_in_requests_holds_no_line_break() -> None:
    reply = b"RTSP/1.0 200 OK\r\nSession: 1\r2\x00\x1b3\x0b;timeout=20\r\n\r\n"
    (message,) = MessageParser().feed(reply).items
    assert isinstance(message, Response) and message.get("session") == "1 2  3 ;timeout=20"


@pytest.mark.parametrize(("reader", "fragment"), [(H264Depacketizer(), b"\x7c\x05x"), (H265Depacketizer(), b"\x62\x01\x13x")])
def test_fragments_without_beginning_or_end_are_bounded(reader: PayloadReader, fragment: bytes) -> None:
    with pytest.raises(ProtocolError, match="an access unit of more than"):
        for _ in range(100_000):
            reader.push(fragment, 0, len(fragment), 6000, False, 0, [])


def test_a_picture_of_empty_jpeg_payloads_is_bounded() -> None:
    reader, head = JpegDepacketizer(), bytes((1, 60, 8, 6))
    reader.push(b"\0" * 4 + head + b"scan", 0, 12, 6000, False, 0, [])
    following = b"\0\0\0\4" + head
    with pytest.raises(ProtocolError, match="a JPEG picture of more than"):
        for _ in range(100_000):
            reader.push(following, 0, 8, 6000, False, 0, [])


@pytest.mark.parametrize(("reader", "head"), [(H264Depacketizer(), b"\x68\xce"), (H265Depacketizer(), b"\x44\x01\xc1")])
def test_parameter_sets_that_would_swell_every_key_frame_are_refused(reader: Depacketizer, head: bytes) -> None:
    with pytest.raises(ProtocolError, match="a parameter set of 30000 bytes; expected at most 2048"):
        reader.take_parameter_set(head + b"\1" * (30_000 - len(head)))
