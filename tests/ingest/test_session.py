"""The RTSP dialogue without I/O, by recorded replies and by scripts."""

import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from base import AuthError, ConnectError, ProtocolError, SourceError, StreamEnded
from ingest import Phase, UnsupportedStream
from ingest.rtsp.session import RtspSession
from tests.ingest.conftest import Clip
from tests.ingest.test_h264 import rtp_of

URL = "rtsp://192.0.2.1/live"
SDP = b"v=0\r\na=control:*\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:track1\r\n"


def reply(number: int, *headers: str, status: str = "200 OK", body: bytes = b"") -> bytes:
    lines = [f"RTSP/1.0 {status}", f"CSeq: {number}", *headers, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


DIALOGUE = [
    reply(1, "Public: OPTIONS, DESCRIBE, SET_PARAMETER, GET_PARAMETER"),
    reply(2, body=SDP),
    reply(3, "Session: 12; timeout=20", "Transport: RTP/AVP/TCP;unicast;interleaved=2-3;ssrc= 4D"),
    reply(4),
]


def begun(user: str = "", password: str = "") -> RtspSession:
    session = RtspSession(URL, user, password, "192.0.2.1:554")
    session.start()
    return session


def request_line(session: RtspSession) -> str:
    return session.take_output().decode().split("\r\n")[0]


def playing() -> RtspSession:
    session = begun()
    session.receive(b"".join(DIALOGUE), 0.0)
    session.take_output()
    return session


def test_the_dialogue_up_to_media(clip: Clip) -> None:
    session = begun()
    asked = [request_line(session)]
    for answer in DIALOGUE:
        session.receive(answer, 0.0)
        asked.append(request_line(session))
    assert asked == [
        f"OPTIONS {URL} RTSP/1.0",
        f"DESCRIBE {URL} RTSP/1.0",
        f"SETUP {URL}/track1 RTSP/1.0",
        f"PLAY {URL} RTSP/1.0",
        "",
    ]
    assert session.playing
    framed = b"".join(b"$\x02" + len(packet).to_bytes(2) + packet for packet in rtp_of(clip, 10))
    units = session.receive(b"$\x00\x00\x04junk" + framed, 0.0)  # channel 0 is not ours
    assert len(units) == 10 and session.phase is Phase.STREAMING


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_split_gives_the_same_units_and_requests(clip: Clip, data: st.DataObject) -> None:
    framed = b"".join(b"$\x02" + len(packet).to_bytes(2) + packet for packet in rtp_of(clip, 9))
    stream = b"".join(DIALOGUE) + framed
    whole = begun()
    expected, asked = whole.receive(stream, 0.0), whole.take_output()
    cuts = sorted(data.draw(st.sets(st.integers(1, len(stream) - 1), max_size=20)))
    session, units, output = begun(), [], b""
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        units += session.receive(stream[start:end], 0.0)
        output += session.take_output()
    assert units == expected and output == asked and len(units) == 9


@settings(max_examples=120, deadline=None)
@given(position=st.integers(0, 3000), noise=st.binary(min_size=1, max_size=30), cut=st.integers(1, 2000))
def test_noise_raises_source_errors_only(clip: Clip, position: int, noise: bytes, cut: int) -> None:
    framed = b"".join(b"$\x02" + len(packet).to_bytes(2) + packet for packet in rtp_of(clip, 4))
    stream = b"".join(DIALOGUE) + framed
    stream = stream[:position] + noise + stream[position + len(noise) :]
    session = begun("u", "p")
    try:
        for chunk in (stream[:cut], stream[cut:]):
            session.receive(chunk, 0.0)
    except SourceError as error:
        assert str(error).startswith("192.0.2.1:554: ")


@pytest.mark.parametrize(
    ("answers", "error", "says"),
    [
        ([reply(1), reply(2, status="404 Not Found")], ConnectError, "DESCRIBE with 404"),
        ([reply(1), reply(2, status="403 Forbidden")], AuthError, "DESCRIBE with 403"),
        (
            [reply(1), reply(2, "Location: rtsp://198.51.100.7/x", status="301 Moved")],
            ProtocolError,
            "another host, 198.51.100.7",
        ),
        ([reply(1), reply(2, "Location: rtsp://192.0.2.1:555/x", status="302 Found")], ProtocolError, "redirects to"),
        ([reply(1), reply(2, "Content-Base: rtsp://198.51.100.7/", body=SDP)], ProtocolError, "another host"),
        ([reply(1), reply(2, body=SDP.replace(b"track1", b"rtsp://198.51.100.7/t"))], ProtocolError, "another host"),
        ([reply(1), reply(2, body=SDP.replace(b"H264", b"VP8"))], UnsupportedStream, "VP8"),
        ([reply(1), reply(2, body=b"v=0\r\n")], UnsupportedStream, "no video track"),
        ([reply(1), reply(2, body=SDP), reply(3, "Session: 1", "Transport: RTP/AVP;unicast")], UnsupportedStream, "over TCP"),
        ([reply(1), reply(2, body=SDP), reply(3, status="503 Busy")], ConnectError, "503"),
        ([reply(1, 'WWW-Authenticate: Basic realm="x"', status="401 Unauthorized")], AuthError, "none is configured"),
    ],
)
def test_refusals(answers: list[bytes], error: type[SourceError], says: str) -> None:
    session = begun()
    with pytest.raises(error, match=says):
        for answer in answers:
            session.receive(answer, 0.0)


def test_a_redirect_on_the_same_host_is_followed() -> None:
    session = begun()
    session.receive(reply(1) + reply(2, "Location: rtsp://192.0.2.1/other", status="302 Found"), 0.0)
    assert "DESCRIBE rtsp://192.0.2.1/other RTSP/1.0" in session.take_output().decode()


def test_a_request_is_repeated_with_credentials() -> None:
    session = begun("op", "geheim")
    session.take_output()
    session.receive(reply(1, 'WWW-Authenticate: Digest realm="x", nonce="n"', status="401 Unauthorized"), 0.0)
    output = session.take_output().decode()
    assert output.startswith("OPTIONS") and 'username="op"' in output and "geheim" not in output


def test_keep_alive_asks_what_the_camera_offers_at_half_the_timeout() -> None:
    session = playing()
    session.tick(100.0)
    session.tick(109.9)
    assert not session.has_output
    session.tick(110.0)
    assert request_line(session) == f"GET_PARAMETER {URL} RTSP/1.0"
    session.receive(reply(5, status="501 Not Implemented"), 0.0)
    session.tick(120.0)
    assert request_line(session) == f"OPTIONS {URL} RTSP/1.0"
    with pytest.raises(StreamEnded, match="forgotten the session"):
        session.receive(reply(6, status="454 Session Not Found"), 0.0)


def test_over_tcp_a_report_goes_with_the_keep_alive_but_not_with_every_one(clip: Clip) -> None:
    session = playing()
    session.receive(b"".join(b"$\x02" + len(packet).to_bytes(2) + packet for packet in rtp_of(clip, 2)), 0.0)
    told = []
    for now_s in range(100, 165, 5):
        session.tick(float(now_s))
        output = session.take_output()
        told.append((b"GET_PARAMETER" in output, b"$\x03" in output))
        session.receive(reply(5), 0.0)
    assert told == [(now_s > 100 and now_s % 10 == 0, now_s in (120, 140, 160)) for now_s in range(100, 165, 5)]


def test_the_camera_may_ask_questions() -> None:
    session = playing()
    session.receive(b"SET_PARAMETER * RTSP/1.0\r\nCSeq: 8\r\n\r\nANNOUNCE * RTSP/1.0\r\nCSeq: 9\r\n\r\n", 0.0)
    output = session.take_output()
    assert b"200 OK\r\nCSeq: 8" in output and b"501 Not Implemented\r\nCSeq: 9" in output


def test_requests_of_the_camera_are_answered_twenty_times_a_minute() -> None:
    session = playing()
    flood = b"OPTIONS * RTSP/1.0\r\nCSeq: 8\r\n\r\n" * 3000
    session.tick(100.0)
    session.receive(flood, 0.0)
    assert session.take_output().count(b"200 OK") == 20
    session.tick(101.0)
    session.receive(flood, 0.0)
    assert not session.has_output
    session.tick(160.5)
    assert request_line(session).startswith("GET_PARAMETER")  # ours
    session.receive(flood, 0.0)
    assert session.take_output().count(b"200 OK") == 20


def test_a_camera_that_calls_every_nonce_stale_gets_four_answers() -> None:
    session = begun("op", "geheim")
    asks = 'WWW-Authenticate: Digest realm="x", nonce="{}", stale=true'
    flood = b"".join(reply(1, asks.format(number), status="401 Unauthorized") for number in range(1000))
    with pytest.raises(AuthError, match=r"192.0.2.1:554: byte \d+: the camera refuses the password of user 'op'"):
        session.receive(flood, 0.0)
    assert session.take_output().count(b"Authorization: Digest") == 4


def test_the_camera_may_say_goodbye_and_nobody_else(clip: Clip) -> None:
    session = playing()
    (first,) = rtp_of(clip, 1)[:1]
    session.receive(b"$\2" + len(first).to_bytes(2) + first, 0.0)
    for ssrc in (0, 78):
        session.receive(b"$\x03\x00\x08\x81\xcb\x00\x01" + ssrc.to_bytes(4), 0.0)
    with pytest.raises(StreamEnded, match="goodbye"):
        session.receive(b"$\x03\x00\x0c\x82\xcb\x00\x02" + bytes(4) + first[8:12], 0.0)


def test_parameter_sets_that_change_all_the_time_end_the_session() -> None:
    """To look at one takes 0.1 ms: a megabyte of them held the reader, and so all cameras, for 2 s."""
    session = playing()
    sets = [bytes.fromhex("68ce3880") + bytes((1 + number,)) for number in range(100)]
    packets = [struct.pack(">BBHII", 0x80, 96, number, 0, 7) + nal for number, nal in enumerate(sets)]
    with pytest.raises(ProtocolError, match="parameter sets that change more than 64 times at once"):
        session.receive(b"".join(b"$\2" + len(packet).to_bytes(2) + packet for packet in packets), 0.0)


def test_an_error_says_peer_and_byte(clip: Clip) -> None:
    session = playing()
    with pytest.raises(ProtocolError, match=r"192.0.2.1:554: byte \d+: an RTP packet of 3 bytes"):
        session.receive(b"$\x02\x00\x03abc", 0.0)


def test_teardown_only_ends_what_was_set_up() -> None:
    session = begun()
    session.take_output()
    session.teardown()
    assert not session.has_output
    session = playing()
    session.teardown()
    assert "TEARDOWN" in request_line(session)


def test_hikvision_answers_lead_to_play(test_data: Path) -> None:
    folder = test_data / "protocol/retina_vendor_rtsp"
    session = RtspSession("rtsp://192.168.5.106:554/Streaming/Channels/101/", "", "", "192.168.5.106:554")
    session.start()
    session.receive(reply(1), 0.0)
    for name in ("describe", "setup", "play"):
        session.receive((folder / f"hikvision_{name}.txt").read_bytes(), 0.0)
    output = session.take_output().decode()
    assert "Session: 708345999\r\n" in output and session.phase is Phase.STARTING
    assert "PLAY rtsp://192.168.5.106:554/Streaming/Channels/101/?transportmode=unicast&profile=Profile_1 RTSP/1.0" in output


def test_dahua_changes_its_session_id_and_names_an_ssrc(test_data: Path) -> None:
    folder = test_data / "protocol/retina_vendor_rtsp"
    session = RtspSession("rtsp://192.168.5.111:554/cam/realmonitor?channel=1&subtype=1", "", "", "192.168.5.111:554")
    session.start()
    for name in ("options", "describe_h264_aac_onvif", "setup", "play"):
        session.receive((folder / f"dahua_{name}.txt").read_bytes(), 0.0)
    assert session.phase is Phase.STARTING and "Session: 634214675641\r\n" in session.take_output().decode()
