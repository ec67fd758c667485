"""Session descriptions of real cameras, and of cameras that are odd."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from base import ProtocolError
from ingest.rtsp import sdp
from ingest.rtsp.address import resolve_control
from ingest.rtsp.h264 import parse_sps
from ingest.rtsp.h265 import parse_sps as parse_h265_sps
from ingest.rtsp.message import MessageParser, Response
from ingest.rtsp.sdp import parse_sdp


def describe(test_data: Path, name: str) -> Response:
    item = MessageParser().feed((test_data / "protocol/retina_vendor_rtsp" / f"{name}.txt").read_bytes()).items[0]
    assert isinstance(item, Response)
    return item


@pytest.mark.parametrize(
    ("name", "host", "track", "size"),
    [
        # Dahua ends its Content-Base in a query with a slash behind it
        (
            "dahua_describe_h264_aac_onvif",
            "192.168.5.111",
            "rtsp://192.168.5.111:554/cam/realmonitor?channel=1&subtype=1&unicast=true&proto=Onvif/trackID=0",
            (704, 480),
        ),
        # Hikvision gives absolute control URLs
        (
            "hikvision_describe",
            "192.168.5.106",
            "rtsp://192.168.5.106:554/Streaming/Channels/101/trackID=1?transportmode=unicast&profile=Profile_1",
            (1920, 1080),
        ),
        ("reolink_describe", "192.168.5.206", "rtsp://192.168.5.206/h264Preview_01_main/trackID=1", (2560, 1440)),
        ("foscam_describe", "192.168.5.107", "rtsp://192.168.5.107:65534/videoMain/track1", (1280, 720)),
        # Wowza puts the audio track first
        (
            "bunny_describe",
            "wowzaec2demo.streamlock.net",
            "rtsp://wowzaec2demo.streamlock.net/vod/mp4:BigBuckBunny_115k.mov/trackID=2",
            (240, 160),
        ),
    ],
)
def test_the_video_track_of_a_real_camera(test_data: Path, name: str, host: str, track: str, size: tuple[int, int]) -> None:
    reply = describe(test_data, name)
    video = parse_sdp(reply.body).video()
    assert video is not None and video.encoding == "H264" and video.clock_hz == 90_000
    assert resolve_control(reply.get("content-base"), video.control, f"rtsp://{host}/", frozenset({host})) == track
    parameters = parse_sps(video.parameter_sets()[0])
    assert (parameters.width_px, parameters.height_px) == size


def test_tplink_h265_beside_a_track_without_payload_type(test_data: Path) -> None:
    description = parse_sdp((test_data / "protocol/retina_vendor_rtsp/tplink_sdp.txt").read_bytes())
    video = description.video()
    assert video is not None and video.encoding == "H265" and [track.kind for track in description.tracks] == ["video", "audio"]
    sps = video.parameter_sets()[1]
    parameters = parse_h265_sps(sps)
    assert (parameters.width_px, parameters.height_px, parameters.profile) == (2560, 1440, "Main@5.0")


def test_odd_lines_are_skipped() -> None:
    odd = b"a=rtpmap:97 h264/abc\na=fmtp:97 ;;x;sprop-parameter-sets=*,Z0LA=\nm=\nm=video\n"
    track = parse_sdp(b"v=0\nm=video 0 RTP/AVP 97\na=rtpmap:96 H265/90000\n" + odd).video()
    assert track is not None and (track.encoding, track.clock_hz, track.payload_type) == ("H264", 90_000, 97)


def test_the_known_codec_is_preferred_among_video_tracks() -> None:
    text = b"v=0\r\nm=video 0 RTP/AVP 26\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
    track = parse_sdp(text).video()
    assert track is not None and track.payload_type == 96


def test_what_is_no_description_is_refused() -> None:
    with pytest.raises(ProtocolError, match="expected a session description"):
        parse_sdp(b"<html>404</html>")
    with pytest.raises(ProtocolError, match="more than 32 tracks"):
        parse_sdp(b"v=0\n" + b"m=video 0 RTP/AVP 96\n" * 40)


@given(st.binary(max_size=400))
def test_garbage_raises_protocol_errors_only(data: bytes) -> None:
    for text in (data, b"v=0\r\nm=video 0 RTP/AVP 96\r\n" + data):
        try:
            track = parse_sdp(text).video()
        except ProtocolError:
            continue
        if track is not None:
            track.parameter_sets()


@pytest.mark.parametrize("host", ["198.51.100.7", "cam@198.51.100.7", "192.0.2.1@198.51.100.7", "[::1]", "192.0.2.1.evil", ""])
def test_another_host_is_refused(host: str) -> None:
    with pytest.raises(ProtocolError, match=r"refused|that is none"):
        resolve_control("", f"rtsp://{host}/x", "rtsp://192.0.2.1/x", frozenset({"192.0.2.1"}))


def test_a_content_base_without_scheme_or_host_is_completed() -> None:
    hosts = frozenset({"192.0.2.1"})
    assert resolve_control("/live/", "t1", "rtsp://192.0.2.1:8554/x", hosts) == "rtsp://192.0.2.1:8554/live/t1"
    assert resolve_control("192.0.2.1/live", "t1", "rtsp://192.0.2.1/x", hosts) == "rtsp://192.0.2.1/live/t1"
    assert resolve_control("", "/t1", "rtsp://192.0.2.1/x", hosts) == "rtsp://192.0.2.1:554/t1"
    assert resolve_control("", "*", "rtsp://192.0.2.1/x", hosts) == "rtsp://192.0.2.1/x"


def test_every_line_is_read_twice_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    """32 tracks of 16 payload types, each with the parameters of all others, held the reader for 6 s."""
    read = list[int]()
    real = sdp._read_formats

    def counted(lines: list[str], formats: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
        read.append(len(lines))
        return real(lines, formats)

    monkeypatch.setattr(sdp, "_read_formats", counted)
    tracks = ["m=video 0 RTP/AVP " + " ".join(["96"] * 16)] * 32
    lines = ["v=0", *tracks, *["a=fmtp:96 " + "a=;" * 40] * 400]
    assert len(parse_sdp("\r\n".join(lines).encode()).tracks) == 32
    assert sum(read) <= 2 * (len(lines) + 1)
