"""What cameras write into their session descriptions, one test each. Who does it: docs/ref/rtsp-quirks.md."""

import base64

import pytest

from base import ProtocolError
from ingest.rtsp.h264 import H264Depacketizer, parse_sps
from ingest.rtsp.nal import START_CODE
from ingest.rtsp.sdp import Track, parse_sdp
from ingest.rtsp.session import RtspSession
from tests.ingest.conftest import HEIGHT, WIDTH, Clip
from tests.ingest.test_session import begun, reply

VIDEO = "m=video 0 RTP/AVP 96\r\n"
H264 = "a=rtpmap:96 H264/90000\r\n"


def video(*lines: str, head: str = "v=0\r\ns=x\r\n") -> Track:
    track = parse_sdp((head + "".join(lines)).encode()).video()
    assert track is not None
    return track


def sets_of(clip: Clip) -> list[bytes]:
    return [nal for nal in clip[0] if nal[0] & 31 in (7, 8)]


def coded(nal: bytes) -> str:
    return base64.b64encode(nal).decode()


def described(sdp: str) -> RtspSession:
    session = begun()
    session.receive(reply(1), 0.0)
    session.receive(reply(2, body=sdp.encode()), 0.0)
    return session


# Lines


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\r\n\r\n"])
def test_any_line_end_and_none_at_the_last(end: str) -> None:
    track = video((VIDEO + H264 + "a=control:t1").replace("\r\n", end))
    assert (track.encoding, track.control) == ("H264", "t1")


def test_no_head_at_all() -> None:
    assert video(VIDEO, H264, "a=control:trackID=0\r\n", head="").control == "trackID=0"


@pytest.mark.parametrize(
    "head",
    [
        "v=0\r\no=- -8959200248001175080 1 IN IP4 0.0.0.0\r\ns=\r\n",  # a negative number, an empty name
        "v=0\r\no=- 1001 1 IN\r\nc=IN\r\ns=VCP IPC\r\n",  # half of the line
        "v=0\r\ns=first\r\ns=second\r\nt=0 0\r\nt=0 0\r\n",
        "\r\nv=0\r\n\xe5\x85\xa5\xe5\x8f\xa3\r\n=\r\na\r\na=\r\na=:\r\n",
    ],
)
def test_a_head_that_breaks_the_grammar(head: str) -> None:
    assert video(VIDEO, H264, head=head).encoding == "H264"


def test_a_direction_glued_to_the_next_track() -> None:
    body = f"v=0\r\n{VIDEO}{H264}a=sendonlym=audio 0 RTP/AVP 8\r\na=control:track9\r\n"
    assert [track.kind for track in parse_sdp(body.encode()).tracks] == ["video", "audio"]
    assert video(body).control == ""


def test_spaces_in_the_rtpmap() -> None:
    track = video(VIDEO, "a=rtpmap: 96  h264/90000/1 \r\n", "a=control: t1 \r\n")
    assert (track.encoding, track.clock_hz, track.control) == ("H264", 90_000, "t1")


# Tracks


def test_audio_and_metadata_tracks_before_the_video() -> None:
    audio = "m=audio 0 RTP/AVP 0\r\na=control:track1\r\n"
    metadata = "m=application 0 RTP/AVP 107\r\na=rtpmap:107 vnd.onvif.metadata/90000\r\na=control:track3\r\n"
    assert video(audio, metadata, VIDEO, H264, "a=control:track2\r\n").control == "track2"


def test_a_track_without_payload_type_is_passed_over() -> None:
    odd = "m=application/TP-LINK 0 RTP/AVP smart/1/90000\r\na=control:track3\r\nm=video 0 RTP/AVP\r\nm=\r\n"
    assert video(odd, VIDEO, H264, "a=control:track1\r\n").control == "track1"


def test_the_first_of_several_video_tracks_that_we_can_read() -> None:
    jpeg, second = (
        "m=video 0 RTP/AVP 26\r\na=control:j\r\n",
        "m=video 0 RTP/AVP 98\r\na=rtpmap:98 H264/90000\r\na=control:sub\r\n",
    )
    assert video(jpeg, VIDEO, H264, "a=control:main\r\n", second).control == "main"


def test_two_payload_types_in_one_track() -> None:
    track = video("m=video 0 RTP/AVP 98 96\r\n", "a=rtpmap:98 JPEG/90000\r\n", H264, "a=fmtp:96 packetization-mode=1\r\n")
    assert (track.payload_type, track.encoding, track.parameters) == (96, "H264", {"packetization-mode": "1"})


def test_a_payload_type_outside_the_dynamic_range() -> None:
    assert video("m=video 0 RTP/AVP 35\r\n", "a=rtpmap:35 H264/90000\r\n").payload_type == 35


@pytest.mark.parametrize(
    ("fmtp", "encoding"),
    [
        ("packetization-mode=1;profile-level-id=420029", "H264"),
        ("sprop-parameter-sets=Z2QAHg==,aO4=", "H264"),
        ("sprop-vps=QAE=;sprop-sps=QgE=;sprop-pps=RAE=", "H265"),
        ("", ""),
    ],
)
def test_a_missing_rtpmap(fmtp: str, encoding: str) -> None:
    assert video(VIDEO, f"a=fmtp:96 {fmtp}\r\n").encoding == encoding


def test_h264_announced_as_h265() -> None:
    named = "a=rtpmap:96 H265/90000\r\n"
    assert (
        video(VIDEO, named, "a=fmtp:96 profile-level-id=420029; packetization-mode=1; sprop-parameter-sets=\r\n").encoding
        == "H264"
    )
    assert video(VIDEO, named, "a=fmtp:96 sprop-vps=QAE=;profile-level-id=1;packetization-mode=1\r\n").encoding == "H265"
    assert video(VIDEO, named).encoding == "H265"


# Parameters


@pytest.mark.parametrize("fmtp", ["", "a=fmtp:96\r\n", "a=fmtp:96 \r\n", "a=fmtp:96 ;;=;x\r\n", "a=fmtp:\r\n"])
def test_an_empty_fmtp(fmtp: str) -> None:
    track = video(VIDEO, H264, fmtp)
    assert track.encoding == "H264" and track.parameter_sets() == []


def test_no_packetization_mode() -> None:
    assert len(video(VIDEO, H264, "a=fmtp:96 sprop-parameter-sets=Z2QAHg==,aO4=\r\n").parameter_sets()) == 2


def test_an_fmtp_on_another_track() -> None:
    audio = "m=audio 0 RTP/AVP 8\r\na=fmtp:96 sprop-parameter-sets=Z2QAHg==,aO4=\r\n"
    assert len(video(VIDEO, H264, audio).parameter_sets()) == 2


def test_an_fmtp_of_another_number() -> None:
    assert len(video(VIDEO, H264, "a=fmtp:97 sprop-parameter-sets=Z2QAHg==,aO4=\r\n").parameter_sets()) == 2


@pytest.mark.parametrize(
    "written",
    [
        "{sps},{pps}",
        "{sps},{pps};",
        " {sps} , {pps} ",
        '"{sps},{pps}"',
        "{sps},{pps},",
        "{sps},{pps}%00garbage",  # what follows the base64
        "{bare_sps},{bare_pps}",  # without padding
        "{sps},{pps}A===",
    ],
)
def test_parameter_sets_with_garbage_or_without_padding(clip: Clip, written: str) -> None:
    sps, pps = sets_of(clip)
    text = written.format(sps=coded(sps), pps=coded(pps), bare_sps=coded(sps).rstrip("="), bare_pps=coded(pps).rstrip("="))
    track = video(VIDEO, H264, f"a=fmtp:96 sprop-parameter-sets={text}\r\n")
    found = track.parameter_sets()
    assert found[0] == sps and found[1].startswith(pps) and parse_sps(found[0]).width_px == WIDTH


def test_parameter_sets_with_start_codes(clip: Clip) -> None:
    sps, pps = sets_of(clip)
    together = video(VIDEO, H264, f"a=fmtp:96 sprop-parameter-sets={coded(START_CODE + sps + START_CODE + pps)}\r\n")
    each = video(VIDEO, H264, f"a=fmtp:96 sprop-parameter-sets={coded(START_CODE + sps)},{coded(START_CODE + pps)}\r\n")
    assert together.parameter_sets() == each.parameter_sets() == [sps, pps]


@pytest.mark.parametrize("sprop", ["{sps},", "{sps}", ",", ",{pps}", "Z2Q=,aO4=", "AAAA,AAAA", "6QAA"])
def test_parameter_sets_that_are_missing_or_no_such_thing(clip: Clip, sprop: str) -> None:
    sps, pps = sets_of(clip)
    session = described(f"v=0\r\n{VIDEO}{H264}a=fmtp:96 sprop-parameter-sets={sprop.format(sps=coded(sps), pps=coded(pps))}\r\n")
    assert b"SETUP" in session.take_output() and session.receiver is not None  # those in band will do
    depacketizer = session.receiver.depacketizer
    assert isinstance(depacketizer, H264Depacketizer)
    assert all(depacketizer.take_parameter_set(nal) for nal in (sps, pps))
    assert depacketizer.parameters is not None and depacketizer.parameters.height_px == HEIGHT


def test_bytes_after_the_sps_do_not_matter(clip: Clip) -> None:
    sps, _ = sets_of(clip)
    for rest in (b"\0", b"\0\0\0", b"\x04", b"\xff" * 8, b"\0\0\0\1"):
        assert parse_sps(sps + rest) == parse_sps(sps)
        depacketizer = H264Depacketizer()
        assert depacketizer.take_parameter_set(sps + rest) and depacketizer.parameters == parse_sps(sps)


def test_an_endless_description_is_refused() -> None:
    with pytest.raises(ProtocolError, match="lines; expected at most 500"):
        parse_sdp(b"v=0\n" + b"m=video 0 RTP/AVP 96 96 96\n" * 30_000 + b"\n")
