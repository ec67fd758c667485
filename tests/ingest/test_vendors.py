"""Recorded answers of real cameras, played through the whole dialogue: what we ask, what we learn, and that pictures come out."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from ingest import Phase
from ingest.rtsp.message import MessageParser, Request, Response
from ingest.rtsp.nal import Parameters
from ingest.rtsp.session import RtspSession
from tests.ingest.conftest import Clip
from tests.ingest.test_h264 import rtp_of
from tests.ingest.test_session import reply

FOLDER = "protocol/retina_vendor_rtsp"
OPTIONS, SETUP, PLAY = reply(1), reply(3, "Session: 7", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1"), reply(4)


@dataclass(frozen=True)
class Recording:
    """Answers by file name, or ours (bytes) where none was recorded, and what they should lead to."""

    url: str
    answers: tuple[str | bytes, str | bytes, str | bytes, str | bytes]  # to OPTIONS, DESCRIBE, SETUP, PLAY
    setup: str
    play: str
    session: str
    parameters: Parameters
    keep_alive: str = "OPTIONS"
    timeout_s: float = 60.0
    payload_type: int = 96
    ssrc: int = -1


RECORDINGS = {
    "hikvision": Recording(
        "rtsp://192.168.5.106:554/Streaming/Channels/101/?transportmode=unicast&profile=Profile_1",
        (OPTIONS, "hikvision_describe", "hikvision_setup", "hikvision_play"),
        # absolute, with a query behind the track
        setup="rtsp://192.168.5.106:554/Streaming/Channels/101/trackID=1?transportmode=unicast&profile=Profile_1",
        play="rtsp://192.168.5.106:554/Streaming/Channels/101/?transportmode=unicast&profile=Profile_1",
        session="708345999",  # behind eight spaces
        parameters=Parameters(1920, 1080, "Main@4.1"),  # announced as profile-level-id=420029, which is Baseline
        ssrc=0x4CACC3D1,
    ),
    "dahua": Recording(
        "rtsp://192.168.5.111:554/cam/realmonitor?channel=1&subtype=1&unicast=true&proto=Onvif",
        ("dahua_options", "dahua_describe_h264_aac_onvif", "dahua_setup", "dahua_play"),
        # the Content-Base ends in a query and a slash
        setup="rtsp://192.168.5.111:554/cam/realmonitor?channel=1&subtype=1&unicast=true&proto=Onvif/trackID=0",
        play="rtsp://192.168.5.111:554/cam/realmonitor?channel=1&subtype=1&unicast=true&proto=Onvif/",
        session="634214675641",  # OPTIONS and PLAY name others
        parameters=Parameters(704, 480, "High@3.0"),
        keep_alive="GET_PARAMETER",
        ssrc=0x30A98EE7,
    ),
    "reolink": Recording(
        "rtsp://192.168.5.206:554/h264Preview_01_main",
        (OPTIONS, "reolink_describe", "reolink_setup", "reolink_play"),
        setup="rtsp://192.168.5.206/h264Preview_01_main/trackID=1",
        play="rtsp://192.168.5.206/h264Preview_01_main/",
        session="F8F8E425",
        parameters=Parameters(2560, 1440, "High@5.1"),
    ),
    "foscam": Recording(
        "rtsp://192.168.5.107:65534/videoMain",
        (OPTIONS, "foscam_describe", SETUP, PLAY),
        setup="rtsp://192.168.5.107:65534/videoMain/track1",
        play="rtsp://192.168.5.107:65534/videoMain/",
        session="7",
        parameters=Parameters(1280, 720, "Main@3.1"),
    ),
    "live555 (Wowza)": Recording(
        "rtsp://wowzaec2demo.streamlock.net/vod/mp4:BigBuckBunny_115k.mov",
        (OPTIONS, "bunny_describe", "bunny_setup", "bunny_play"),
        setup="rtsp://wowzaec2demo.streamlock.net/vod/mp4:BigBuckBunny_115k.mov/trackID=2",  # audio is the first track
        play="rtsp://wowzaec2demo.streamlock.net/vod/mp4:BigBuckBunny_115k.mov/",
        session="1642021126",  # PLAY names another
        parameters=Parameters(240, 160, "Baseline@3.0"),
        payload_type=97,
    ),
    "tp-link": Recording(
        "rtsp://192.168.2.29/stream1",
        (OPTIONS, "tplink_sdp", SETUP, PLAY),
        setup="rtsp://192.168.2.29/stream1/track1",
        play="rtsp://192.168.2.29/stream1",
        session="7",
        parameters=Parameters(2560, 1440, "Main@5.0"),
    ),
}


def recorded(test_data: Path, name: str) -> bytes:
    path = test_data / FOLDER / f"{name}.txt"
    if not path.exists():
        pytest.skip(f"no recorded answer at {path}")
    data = path.read_bytes()
    return data if data.startswith(b"RTSP/") else reply(2, body=data)  # of TP-Link only the description was kept


@pytest.mark.parametrize("name", RECORDINGS)
def test_a_recorded_camera_is_played(test_data: Path, clip: Clip, name: str) -> None:
    camera = RECORDINGS[name]
    session = RtspSession(camera.url, "", "", "192.0.2.1:554")
    session.start()
    asked = [session.take_output().decode()]
    for answer in camera.answers:
        session.receive(answer if isinstance(answer, bytes) else recorded(test_data, answer), 0.0)
        asked.append(session.take_output().decode())
    assert [text.partition(" RTSP/1.0")[0] for text in asked] == [
        f"OPTIONS {camera.url}",
        f"DESCRIBE {camera.url}",
        f"SETUP {camera.setup}",
        f"PLAY {camera.play}",
        "",
    ]
    assert f"Session: {camera.session}\r\n" in asked[3] and session.playing
    receiver = session.receiver
    assert receiver is not None and receiver.depacketizer.parameters == camera.parameters
    assert receiver.announced_ssrc == camera.ssrc

    session.tick(0.0)
    session.tick(camera.timeout_s / 2 - 1)
    assert camera.keep_alive.encode() not in session.take_output()
    session.tick(camera.timeout_s / 2)
    alive = session.take_output().decode()
    assert f"{camera.keep_alive} {camera.play} " in alive and f"Session: {camera.session}\r\n" in alive

    if receiver.depacketizer.codec == "h264":
        packets = [packet[:1] + bytes((packet[1] & 0x80 | camera.payload_type,)) + packet[2:] for packet in rtp_of(clip, 10)]
        stream = b"".join(b"$\0" + len(packet).to_bytes(2) + packet for packet in packets)
        assert len(session.receive(stream, 0.0)) == 10 and session.phase is Phase.STREAMING


def test_reolink_says_goodbye(test_data: Path) -> None:
    (answer,) = MessageParser().feed(recorded(test_data, "reolink_teardown")).items
    assert isinstance(answer, Response) and answer.status == 200 and answer.headers[0] == ("cseq", "7")


def test_a_recorded_request_and_answer(test_data: Path) -> None:
    path = test_data / FOLDER / "parser_request.txt"
    (request,) = MessageParser().feed(path.read_bytes() if path.exists() else recorded(test_data, "parser_request")).items
    assert isinstance(request, Request) and request.method == "DESCRIBE" and request.get("accept") == "application/sdp"
    (answer,) = MessageParser().feed(recorded(test_data, "parser_response")).items
    assert isinstance(answer, Response) and len(answer.body) == 589 and answer.get("session") == "1642021126;timeout=60"
