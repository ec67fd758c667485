"""The RTSP message parser: real replies, any chunking, every bound."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.rtsp import message
from ingest.rtsp.message import MAX_HEADER_BYTES, MessageParser, Request, Response

REPLY = b"RTSP/1.0 200 OK\r\nCSeq: 3\r\nSession:   708345999;timeout=60\r\nContent-Length: 4\r\n\r\nbody"
FRAME = b"$\x00\x00\x05hello"
QUESTION = b"OPTIONS * RTSP/1.0\r\nCSeq: 9\r\n\r\n"


def parse(chunks: list[bytes]) -> tuple[list[object], str]:
    """Everything that came out, frames as (channel, payload), and the error."""
    parser = MessageParser()
    out: list[object] = []
    for data in chunks:
        chunk = parser.feed(data)
        out += [(item[0], chunk.data[item[1] : item[2]]) if isinstance(item, tuple) else item for item in chunk.items]
    return out, str(parser.error)


def test_replies_and_frames_come_out_in_order() -> None:
    items, _ = parse([REPLY + FRAME + b"\r\n" + QUESTION + FRAME])
    reply, frame, question, last = items
    assert isinstance(reply, Response) and (reply.status, reply.body) == (200, b"body")
    assert reply.get("session") == "708345999;timeout=60"
    assert isinstance(question, Request) and question.method == "OPTIONS" and question.offset == len(REPLY + FRAME) + 2
    assert frame == last == (0, b"hello")


CAMERAS = ("dahua_describe_h264_aac_onvif", "hikvision_describe", "reolink_describe", "foscam_describe", "bunny_describe")


@pytest.mark.parametrize("name", CAMERAS)
def test_a_real_camera_describes_itself(test_data: Path, name: str) -> None:
    data = (test_data / "protocol/retina_vendor_rtsp" / f"{name}.txt").read_bytes()
    (reply,), error = parse([data])
    assert isinstance(reply, Response) and error == "None"
    assert reply.status == 200 and reply.body.startswith(b"v=0") and len(reply.body) == int(reply.get("content-length"))


def test_every_recorded_reply_parses(test_data: Path) -> None:
    replies = sorted((test_data / "protocol/retina_vendor_rtsp").glob("*.txt"))
    replies = [path for path in replies if path.read_bytes().startswith(b"RTSP/")]
    assert len(replies) >= 14
    for path in replies:
        items, error = parse([path.read_bytes()])
        assert error == "None" and isinstance(items[0], Response) and items[0].status == 200, path.name


@given(cuts=st.lists(st.integers(0, 400), max_size=12))
def test_chunking_changes_nothing(cuts: list[int]) -> None:
    stream = REPLY + FRAME + b"\r\n\r\n" + QUESTION + FRAME * 3 + REPLY + b"?garbage" + FRAME
    edges = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    assert parse([stream[a:b] for a, b in pairwise(edges)]) == parse([stream])


@settings(max_examples=200)
@given(data=st.binary(max_size=300), at=st.integers(0, 200), cut=st.integers(0, 300))
def test_garbage_raises_nothing_and_any_split_agrees(data: bytes, at: int, cut: int) -> None:
    stream = (REPLY + FRAME + QUESTION)[:at] + data
    assert parse([stream[:cut], stream[cut:]]) == parse([stream])


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"\x80garbage", "byte 0: expected '$'"),
        (FRAME + b"\x00", "byte 9: expected '$'"),  # the offset is that of the connection
        (b"HTTP/1.1 200 OK\r\n\r\n", "expected an RTSP/1.0 message"),
        (b"RTSP/1.0 200 OK\r\nContent-Length: -5\r\n\r\n", "expected a number as Content-Length"),
        (b"RTSP/1.0 200 OK\r\nContent-Length: 99999999\r\n\r\n", "more than"),
        (b"RTSP/1.0 200 OK\r\n" + b"X: y\r\n" * 4000, "header longer than"),
    ],
)
def test_what_no_camera_may_say(data: bytes, says: str) -> None:
    assert says in parse([data])[1]


def test_a_slow_loris_is_bounded() -> None:
    parser = MessageParser()
    for _ in range(MAX_HEADER_BYTES // 16 + 1):
        parser.feed(b"A" * 16)
    assert parser.error is not None
    assert parser.feed(FRAME).items == []


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_any_line_end(end: str) -> None:
    (reply, frame), error = parse([REPLY.replace(b"\r\n", end.encode()) + FRAME])
    assert isinstance(reply, Response) and (reply.body, frame, error) == (b"body", (0, b"hello"), "None")
    assert reply.get("session") == "708345999;timeout=60"


def test_lines_that_are_no_headers_are_passed_over() -> None:
    (reply, _), error = parse([REPLY.replace(b"CSeq: 3", b"garbage\r\n: x\r\nCSeq: 3") + FRAME])
    assert isinstance(reply, Response) and (reply.body, reply.get("cseq"), error) == (b"body", "3", "None")


def test_header_values_in_utf_8_and_in_no_known_encoding() -> None:
    text = "Server: 入口"  # holds byte 0x85, a line end in Latin-1
    for line in (text.encode(), text.encode("gbk"), b"Server: \x85\x0b\x1c"):
        (reply, frame), error = parse([REPLY.replace(b"CSeq: 3", line + b"\r\nCSeq: 3") + FRAME])
        assert isinstance(reply, Response) and (reply.get("cseq"), error, frame) == ("3", "None", (0, b"hello"))


def test_the_rest_of_a_body_is_passed_over_up_to_the_next_message() -> None:
    for rest in (b"a=x\r\n", b"Z0LA,aO4=\r\n\r\na=control:*\r\n", b"RTS\nOPTIONS\n", b"\r\n\r\n"):
        items, error = parse([REPLY + rest + QUESTION + FRAME])
        assert error == "None" and isinstance(items[1], Request) and items[2] == (0, b"hello"), rest
    assert "expected '$'" in parse([REPLY + FRAME + b"a=x\r\n" + FRAME])[1]  # only behind a body


def test_a_body_that_ends_before_its_length() -> None:
    parser = MessageParser()
    assert parser.feed(REPLY[:-1]).items == [] and parser.lacks_body
    parser.end_body()
    (reply,) = parser.feed(b"").items
    assert isinstance(reply, Response) and reply.body == b"bod" and not parser.lacks_body
    assert parser.feed(FRAME).items == [(0, 4, 9)]


def test_folded_headers_are_joined() -> None:
    (reply,), _ = parse([b"RTSP/1.0 200 OK\r\nPublic: OPTIONS,\r\n DESCRIBE\r\n\r\n"])
    assert isinstance(reply, Response) and reply.get("public") == "OPTIONS, DESCRIBE"


def test_a_header_is_not_read_again_for_every_byte_of_its_body(monkeypatch: pytest.MonkeyPatch) -> None:
    read = list[int]()
    real = message._headers

    def counted(lines: list[str]) -> tuple[tuple[str, str], ...]:
        read.append(len(lines))
        return real(lines)

    monkeypatch.setattr(message, "_headers", counted)
    parser, items = MessageParser(), list[object]()
    for byte in b"RTSP/1.0 200 OK\r\nContent-Length: 500\r\n\r\n" + b"x" * 500 + b"$\0\0\1y":
        items += parser.feed(bytes((byte,))).items
    assert len(items) == 2 and len(read) == 2
