"""What cameras do to the RTSP dialogue, one test each. Who does it: docs/ref/rtsp-quirks.md."""

import pytest

from base import AuthError, ProtocolError, StreamEnded
from ingest import Phase, UnsupportedStream
from ingest.rtsp.session import RtspSession
from tests.ingest.conftest import Clip
from tests.ingest.test_h264 import rtp_of
from tests.ingest.test_session import DIALOGUE, SDP, URL, begun, playing, reply, request_line

OPTIONS, DESCRIBE, SETUP, PLAY = DIALOGUE
CHANNELS = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1"


def asked_after(*answers: bytes, session: RtspSession | None = None) -> str:
    """The last request of a session after these answers, one at a time."""
    session = session or begun()
    output = session.take_output()
    for answer in answers:
        session.receive(answer, 0.0)
        output = session.take_output() or output
    return output.decode()


def framed(packets: list[bytes], channel: int = 0) -> bytes:
    return b"".join(b"$" + bytes((channel,)) + len(packet).to_bytes(2) + packet for packet in packets)


def plays(session: RtspSession, clip: Clip, channel: int = 0) -> bool:
    """Whether pictures on `channel` come out."""
    return len(session.receive(framed(rtp_of(clip, 9), channel), 0.0)) == 9 and session.phase is Phase.STREAMING


# Answers


@pytest.mark.parametrize("number", ["", "CSeq: 0", "CSeq: 2", "CSeq: 77", "CSeq: nonsense"])
def test_answers_with_a_wrong_cseq_or_none(clip: Clip, number: str) -> None:
    session = begun()
    for answer in DIALOGUE:
        _, _, rest = answer.partition(b"CSeq: ")
        session.receive(b"RTSP/1.0 200 OK\r\n" + number.encode() + b"\r\n" * bool(number) + rest.partition(b"\r\n")[2], 0.0)
    assert plays(session, clip, channel=2)


def test_header_names_in_any_case() -> None:
    lower = [answer.replace(b"Transport", b"tRaNSPORT").replace(b"Session", b"session") for answer in DIALOGUE]
    assert "Session: 12\r\n" in asked_after(*[line.replace(b"Content-Length", b"content-length") for line in lower])


def test_a_provisional_answer_is_followed_by_the_proper_one() -> None:
    assert asked_after(OPTIONS, reply(2, status="100 Continue"), DESCRIBE).startswith("SETUP")


def test_an_answer_that_is_merely_a_success() -> None:
    assert asked_after(OPTIONS, reply(2, status="250 Low on Storage Space", body=SDP)).startswith("SETUP")


def test_options_that_the_camera_does_not_know(clip: Clip) -> None:
    session = begun()
    for answer in (reply(1, status="501 Not Implemented"), DESCRIBE, SETUP, PLAY):
        session.receive(answer, 0.0)
    assert plays(session, clip, channel=2)


def test_an_answer_in_the_midst_of_interleaved_frames(clip: Clip) -> None:
    session = playing()
    session.tick(0.0)
    session.tick(10.0)
    packets = rtp_of(clip, 9)
    stream = framed(packets[:3], 2) + reply(5) + b"\r\n" + framed(packets[3:], 2)
    units = [unit for at in range(0, len(stream), 100) for unit in session.receive(stream[at : at + 100], 0.0)]
    assert len(units) == 9 and sum(unit.lost for unit in units) == 0


def test_pictures_before_the_answer_to_play(clip: Clip) -> None:
    session = begun()
    for answer in (OPTIONS, DESCRIBE, SETUP):
        session.receive(answer, 0.0)
    packets = rtp_of(clip, 9)
    units = session.receive(framed(packets[:4], 2) + PLAY + framed(packets[4:], 2), 0.0)
    assert len(units) == 9 and session.playing


@pytest.mark.parametrize(
    "garbage", [b"\x8f\x00vendor", b"A\xb7\xc1 corrupted", b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", b"\x01$\x02$\x02\x00", b"$"]
)
def test_garbage_between_the_pictures_is_passed_over(clip: Clip, garbage: bytes) -> None:
    session = playing()
    packets = rtp_of(clip, 16)
    stream = framed(packets[:6], 2) + garbage + framed(packets[6:], 2)
    units = [unit for at in range(0, len(stream), 500) for unit in session.receive(stream[at : at + 500], 0.0)]
    assert session.receiver is not None and len(units) >= 14 and session.receiver.lost <= 2
    session.tick(0.0)
    session.tick(9.0)


def test_a_frame_of_which_a_part_is_missing(clip: Clip) -> None:
    session = playing()
    packets = rtp_of(clip, 16)
    torn = framed(packets[5:6], 2)[:-7]  # a partial write of which the rest was forgotten
    units = session.receive(framed(packets[:5], 2) + torn + framed(packets[6:], 2), 0.0)
    assert session.receiver is not None and session.receiver.lost == 1 and len(units) >= 13


def test_garbage_and_nothing_behind_it_ends_the_connection() -> None:
    says = r"192.0.2.1:554: byte \d+: expected '\$' or an RTSP message, got 0x8f"
    with pytest.raises(ProtocolError, match=says):
        playing().receive(b"\x8f" * 40_000, 0.0)
    session = playing()
    session.receive(b"\x8f" * 100, 0.0)
    session.tick(5.0)
    session.receive(b"\x8f" * 100, 0.0)
    session.tick(5.4)
    with pytest.raises(ProtocolError, match=says):
        session.tick(5.5)


# Content-Length


def test_a_body_shorter_than_announced_is_taken_after_two_seconds() -> None:
    session = begun()
    session.receive(OPTIONS, 0.0)
    session.take_output()
    short = reply(2, body=SDP + b"*" * 9)[:-9]
    session.receive(short[:80], 0.0)
    session.tick(1.0)
    session.receive(short[80:], 0.0)
    session.tick(2.5)  # a byte came since: patience starts again
    session.tick(4.4)
    assert not session.has_output
    session.tick(4.6)
    assert request_line(session).startswith("SETUP")


@pytest.mark.parametrize("missing", [2, 9, 25])
def test_a_body_longer_than_announced(missing: int) -> None:
    body = SDP + b"a=x-vendor:1234567890\r\n\r\na=Z\r\n"
    long = reply(2, body=body).replace(b"Content-Length: %d" % len(body), b"Content-Length: %d" % (len(body) - missing))
    assert asked_after(OPTIONS, long, SETUP).startswith("PLAY")
    assert "PLAY" in asked_after(OPTIONS, long + SETUP)


# Where the track is


def test_no_content_base() -> None:
    assert asked_after(OPTIONS, reply(2, body=SDP)).startswith(f"SETUP {URL}/track1 ")


def test_a_content_base_without_trailing_slash() -> None:
    assert asked_after(OPTIONS, reply(2, f"Content-Base: {URL}", body=SDP)).startswith(f"SETUP {URL}/track1 ")


def test_a_content_base_that_ends_in_a_query() -> None:
    base = f"{URL}/?channel=1&subtype=1/"
    assert asked_after(OPTIONS, reply(2, f"Content-Base: {base}", body=SDP)).startswith(f"SETUP {base}track1 ")


def test_an_absolute_control_url() -> None:
    control = b"rtsp://192.0.2.1:554/other/trackID=1?a=b"
    assert asked_after(OPTIONS, reply(2, body=SDP.replace(b"track1", control))).startswith(f"SETUP {control.decode()} ")


def test_a_track_whose_control_is_a_star_or_missing() -> None:
    for sdp in (SDP.replace(b"track1", b"*"), SDP.replace(b"a=control:track1\r\n", b"")):
        assert asked_after(OPTIONS, reply(2, body=sdp)).startswith(f"SETUP {URL} ")


@pytest.mark.parametrize("base", ["rtsp://rtsp://192.0.2.1/live/", "rtsp://::ffff:192.0.2.1/live/", "rtsp://:554/live/", "?"])
def test_a_content_base_that_is_no_url(base: str) -> None:
    assert asked_after(OPTIONS, reply(2, f"Content-Base: {base}", body=SDP)).startswith(f"SETUP {URL}/track1 ")


# SETUP


def test_session_with_spaces_and_a_timeout() -> None:
    output = asked_after(OPTIONS, DESCRIBE, reply(3, "Session:        708345999;timeout=60", CHANNELS))
    assert output.startswith("PLAY") and "Session: 708345999\r\n" in output


def test_changing_session_ids(clip: Clip) -> None:
    session = begun()
    for number, answer in enumerate((OPTIONS, DESCRIBE, SETUP, PLAY)):
        other = b"RTSP/1.0 200 OK\r\nSession: 9%d;timeout=20" % number
        session.receive(answer if b"Session" in answer else answer.replace(b"RTSP/1.0 200 OK", other), 0.0)
        output = session.take_output().decode()
        assert "Session: 9" not in output  # what SETUP says is the session
    session.tick(0.0)
    session.tick(10.0)
    assert "Session: 12\r\n" in session.take_output().decode() and plays(session, clip, channel=2)


def test_setup_without_a_session(clip: Clip) -> None:
    session = begun()
    output = asked_after(OPTIONS, DESCRIBE, reply(3, CHANNELS), session=session)
    assert output.startswith("PLAY") and "Session" not in output
    session.receive(reply(4, "Session: 5;timeout=60"), 0.0)
    assert plays(session, clip)
    session.teardown()
    assert "Session: 5\r\n" in session.take_output().decode()


def test_setup_without_a_transport(clip: Clip) -> None:
    session = begun()
    asked_after(OPTIONS, DESCRIBE, reply(3, "Session: 1"), PLAY, session=session)
    assert plays(session, clip)


def test_interleaved_channels_other_than_asked(clip: Clip) -> None:
    session = begun()
    transport = 'Transport: RTP/AVP/TCP;unicast;destination=192.0.2.9;interleaved=8-9;mode="play"'
    asked_after(OPTIONS, DESCRIBE, reply(3, "Session: 1", transport), PLAY, session=session)
    assert plays(session, clip, channel=8)


def test_a_transport_that_names_channels_and_not_tcp(clip: Clip) -> None:
    session = begun()
    asked_after(OPTIONS, DESCRIBE, reply(3, "Session: 1", "Transport: RTP/AVP;unicast;interleaved=4-5"), PLAY, session=session)
    assert plays(session, clip, channel=4)


def test_unassigned_channels_are_ignored(clip: Clip) -> None:
    session = playing()
    packets = rtp_of(clip, 9)
    stream = b"".join(framed([b"vendor"], 6) + framed([packet], 2) + framed([packet], 0) for packet in packets)
    assert len(session.receive(stream, 0.0)) == 9


@pytest.mark.parametrize("ssrc", ["ssrc= 4D", 'ssrc=0000004d;mode="PLAY"', "ssrc=", "ssrc=xyz", "ssrc=DEADBEEF"])
def test_an_ssrc_with_spaces_or_a_wrong_one(clip: Clip, ssrc: str) -> None:
    session = begun()
    asked_after(OPTIONS, DESCRIBE, reply(3, "Session: 1", f"{CHANNELS};{ssrc}"), PLAY, session=session)
    assert plays(session, clip)


# PLAY


@pytest.mark.parametrize(
    "info",
    [
        "RTP-Info: url=wrong;seq=1;rtptime=1",
        "RTP-Info: url=trackID=1;seq=-1;rtptime=99999999999999",
        "RTP-Info: seq",
        "RTP-Info:",
        "Range: npt=now-",
    ],
)
def test_a_wrong_rtp_info(clip: Clip, info: str) -> None:
    session = begun()
    asked_after(OPTIONS, DESCRIBE, SETUP, reply(4, info), session=session)
    assert plays(session, clip, channel=2)


def test_vendor_headers() -> None:
    vendor = ("x-Accept-Dynamic-Rate: 1", "x-Dynamic-Rate: 1", "Server: Rtsp Server/3.0", "no colon here", ": nothing")
    assert asked_after(reply(1, *vendor), reply(2, *vendor, body=SDP), SETUP).startswith("PLAY")


# Keeping the session alive


@pytest.mark.parametrize(
    ("timeout", "due_s"),
    [("0", 30.0), ("1", 1.0), ("15", 7.5), ("1000000000", 60.0), ("9" * 19, 60.0), ("-5", 30.0), ("x", 30.0)],
)
def test_absurd_session_timeouts(timeout: str, due_s: float) -> None:
    session = begun()
    asked_after(OPTIONS, DESCRIBE, reply(3, f"Session: 1;timeout={timeout}", CHANNELS), PLAY, session=session)
    session.tick(0.0)
    session.tick(due_s - 0.1)
    assert b"GET_PARAMETER" not in session.take_output()
    session.tick(due_s)
    assert b"GET_PARAMETER" in session.take_output()


@pytest.mark.parametrize("status", ["400 Bad Request", "405 Method Not Allowed", "500 Oops", "501 Not Implemented", "551 No"])
def test_keep_alive_that_was_offered_and_is_refused(status: str) -> None:
    session = playing()
    session.tick(0.0)
    session.tick(10.0)
    assert request_line(session).startswith("GET_PARAMETER")
    session.receive(reply(4, status=status), 0.0)  # with the CSeq of the request before
    for due_s in (20.0, 30.0):
        session.tick(due_s)
        assert request_line(session).startswith("OPTIONS")
        session.receive(reply(6, status=status), 0.0)
    assert session.playing


def test_keep_alive_answered_with_454_is_tried_another_way() -> None:
    session = playing()
    session.tick(0.0)
    session.tick(10.0)
    session.take_output()
    session.receive(reply(5, status="454 Session Not Found"), 0.0)
    assert request_line(session) == f"OPTIONS {URL} RTSP/1.0"
    session.receive(reply(6), 0.0)
    session.tick(20.0)
    assert request_line(session).startswith("OPTIONS")
    with pytest.raises(StreamEnded, match="forgotten the session"):
        session.receive(reply(7, status="454 Session Not Found"), 0.0)


def test_keep_alive_that_is_never_answered(clip: Clip) -> None:
    session = playing()
    session.tick(0.0)
    for due_s in (10.0, 20.0, 30.0):
        session.tick(due_s)
        assert request_line(session).startswith("GET_PARAMETER")
    assert plays(session, clip, channel=2)


def test_keep_alive_answered_twice() -> None:
    session = playing()
    session.tick(0.0)
    session.tick(10.0)
    session.receive(reply(5) + reply(5), 0.0)
    assert session.playing


def signed_in() -> RtspSession:
    """Playing at a camera that asks for a password."""
    session = begun("op", "geheim")
    asked_after(reply(1, 'WWW-Authenticate: Digest realm="x", nonce="a"', status="401 Unauthorized"), *DIALOGUE, session=session)
    session.tick(0.0)
    session.tick(10.0)
    session.take_output()
    return session


def test_keep_alive_answered_with_401_and_a_new_nonce() -> None:
    session = signed_in()
    session.receive(reply(6, 'WWW-Authenticate: Digest realm="x", nonce="b"', status="401 Unauthorized"), 0.0)
    output = session.take_output().decode()
    assert output.startswith("GET_PARAMETER") and 'nonce="b"' in output
    session.receive(reply(7), 0.0)
    session.tick(20.0)
    assert 'nonce="b"' in session.take_output().decode()


def test_keep_alive_that_alone_is_refused_a_password(clip: Clip) -> None:
    session = signed_in()
    for nonce in "bcd":
        session.receive(reply(6, f'WWW-Authenticate: Digest realm="x", nonce="{nonce}"', status="401 Unauthorized"), 0.0)
    session.take_output()
    session.tick(20.0)
    assert request_line(session).startswith("OPTIONS") and plays(session, clip, channel=2)


def test_a_nonce_for_every_request() -> None:
    session, asked = begun("op", "geheim"), list[str]()
    for number, answer in enumerate((reply(1), DESCRIBE, SETUP, PLAY)):
        session.take_output()
        session.receive(reply(number, f'WWW-Authenticate: Digest realm="x", nonce="n{number}"', status="401 No"), 0.0)
        asked.append(session.take_output().decode())
        session.receive(answer, 0.0)
    assert session.playing and [f'nonce="n{number}"' in text for number, text in enumerate(asked)] == [True] * 4
    with pytest.raises(AuthError, match="refuses the password"):
        asked_after(*[reply(1, 'WWW-Authenticate: Basic realm="x"', status="401 No")] * 2, session=begun("op", "wrong"))


# What is refused


def test_srtp_is_named() -> None:
    with pytest.raises(UnsupportedStream, match="H264 encrypted by SRTP"):
        asked_after(OPTIONS, reply(2, body=SDP.replace(b"RTP/AVP", b"RTP/SAVP")))


def test_inside_addresses_of_a_camera_behind_nat_are_refused() -> None:
    with pytest.raises(ProtocolError, match=r"leads to another host, 10\.0\.0\.7; only 192\.0\.2\.1 was configured"):
        asked_after(OPTIONS, reply(2, "Content-Base: rtsp://10.0.0.7/live/", body=SDP))
