"""The simulated cameras as clients see them: PyAV, and a client that sees every byte."""

import socket
from itertools import pairwise

import av
import pytest

from base import ConfigError, SystemClock
from ingest.simulate import Clip, ClipFrame, SimCamera, SimPlan, Simulator
from ingest.simulate.drain import drain
from tests.simulate.stage import DEADLINE_S, FPS, FRAMES, GOP, RawClient, Rtp, digest, serving, small_clip

CAMERA = SimCamera("c1", offset_s=1.25)


def access_units(client: RawClient, count: int) -> list[list[Rtp]]:
    """The next `count` frames as their RTP packets."""
    frames: list[list[Rtp]] = []
    while len(frames) < count:
        frame = [client.rtp()]
        while not frame[-1].marker:
            frame.append(client.rtp())
        frames.append(frame)
    return frames


def test_pyav_opens_a_camera_and_decodes_its_gops() -> None:
    with serving(CAMERA) as simulator, av.open(simulator.url("c1"), options={"rtsp_transport": "tcp"}, timeout=10) as stream:
        assert (stream.streams.video[0].width, stream.streams.video[0].height) == (160, 96)
        pictures = []
        for picture in stream.decode(video=0):
            pictures.append(picture)
            if len(pictures) == 2 * GOP + 1:
                break
    keys = [index for index, picture in enumerate(pictures) if picture.key_frame]
    assert keys == [0, GOP, 2 * GOP]
    steps = {b.pts - a.pts for a, b in pairwise(pictures[1:])}  # type: ignore[operator]
    assert steps == {90_000 // FPS}


def test_main_and_sub_show_the_same_moment_to_every_client() -> None:
    with serving(CAMERA) as simulator, RawClient(simulator.port) as one, RawClient(simulator.port) as two:
        one.play("c1")
        first = {frame[0].timestamp: frame for frame in access_units(one, 3)}
        two.play("c1", "6-7")
        second = access_units(two, 1)[0]
        while second[0].timestamp not in first:
            first |= {frame[0].timestamp: frame for frame in access_units(one, 1)}
        same = first[second[0].timestamp]
        assert [packet.payload for packet in same] == [packet.payload for packet in second]
        assert same[0].ssrc != second[0].ssrc


def test_a_client_begins_with_a_key_frame_and_the_loop_joins_without_a_hole() -> None:
    with serving(CAMERA) as simulator, RawClient(simulator.port) as client:
        headers = client.play("c1")
        frames = access_units(client, FRAMES + 3)
    assert [packet.kind for packet in frames[0]][:3] == [7, 8, 5]
    assert f"seq={frames[0][0].sequence};rtptime={frames[0][0].timestamp}" in headers["rtp-info"]
    sequence = [packet.sequence for frame in frames for packet in frame]
    assert all((b - a) & 0xFFFF == 1 for a, b in pairwise(sequence))
    times = [frame[0].timestamp for frame in frames]
    assert {(b - a) & 0xFFFFFFFF for a, b in pairwise(times)} == {90_000 // FPS}
    assert [packet.payload for packet in frames[0]] == [packet.payload for packet in frames[FRAMES]]


def test_the_moment_shown_is_arithmetic_on_start_offset_and_length() -> None:
    """By the camera's own account: its sender report couples RTP timestamps with UTC."""
    with serving(CAMERA) as simulator, RawClient(simulator.port) as client:
        client.play("c1")
        frame = access_units(client, 1)[0]
        channel, report = client.frame()
    assert channel == 1
    reported_s = int.from_bytes(report[8:12]) - 2_208_988_800 + int.from_bytes(report[12:16]) / 2**32
    reported = int.from_bytes(report[16:20])
    shown_s = reported_s + ((frame[0].timestamp - reported + 2**31) % 2**32 - 2**31) / 90_000
    position_s = (shown_s - simulator.started_s + CAMERA.offset_s) % small_clip().length_s
    index = round(position_s * FPS) % FRAMES
    assert position_s * FPS == pytest.approx(round(position_s * FPS), abs=0.02)
    assert b"".join(packet.payload for packet in frame)[-200:] == small_clip().frames[index].data[-200:]


def test_sender_reports_come_on_the_second_channel() -> None:
    with serving(CAMERA) as simulator, RawClient(simulator.port) as client:
        client.play("c1", "2-3")
        while True:
            channel, data = client.frame()
            assert channel in (2, 3)
            if channel == 3:
                break
        utc_s = int.from_bytes(data[8:12]) - 2_208_988_800 + int.from_bytes(data[12:16]) / 2**32
        assert abs(utc_s - simulator.clock.now_s()) < 2.0


REFUSALS = [
    ("FROBNICATE", "/c1/sub", {}, 405),
    ("DESCRIBE", "/nobody/sub", {}, 404),
    ("DESCRIBE", "/c1/third", {}, 404),
    ("SETUP", "/c1/sub/trackID=1", {"Transport": "RTP/AVP;multicast;port=5000-5001"}, 461),
    ("PLAY", "/c1/sub", {"Session": "1"}, 454),
]


@pytest.mark.parametrize(("method", "path", "headers", "code"), REFUSALS)
def test_what_cannot_be_done_gets_its_status(method: str, path: str, headers: dict[str, str], code: int) -> None:
    with serving(CAMERA) as simulator, RawClient(simulator.port) as client:
        assert client.ask(method, path, **headers)[0] == code
        assert client.ask("OPTIONS", "/c1/sub")[0] == 200  # and the connection goes on


def test_over_udp_every_rtp_packet_is_a_datagram() -> None:
    with (
        serving(CAMERA) as simulator,
        RawClient(simulator.port) as client,
        socket.socket(type=socket.SOCK_DGRAM) as rtp,
        socket.socket(type=socket.SOCK_DGRAM) as rtcp,
    ):
        for sock in (rtp, rtcp):
            sock.bind(("127.0.0.1", 0))
            sock.settimeout(DEADLINE_S)
        low, high = sorted((rtp, rtcp), key=lambda sock: int(sock.getsockname()[1]))
        transport = f"RTP/AVP;unicast;client_port={low.getsockname()[1]}-{high.getsockname()[1]}"
        code, headers, _ = client.ask("SETUP", "/c1/sub/trackID=1", Transport=transport)
        assert code == 200
        server_port = int(headers["transport"].rpartition("server_port=")[2].partition("-")[0])
        assert client.ask("PLAY", "/c1/sub", Session=headers["session"].partition(";")[0])[0] == 200
        packets = []
        for _ in range(40):
            data, sender = low.recvfrom(2048)
            assert sender == ("127.0.0.1", server_port)
            packets.append(Rtp.read(data))
        assert packets[0].kind == 7
        assert all((b.sequence - a.sequence) & 0xFFFF == 1 for a, b in pairwise(packets))
        report, sender = high.recvfrom(2048)
        assert (report[1], sender) == (200, ("127.0.0.1", server_port + 1))


def test_teardown_stops_the_media_and_keeps_the_connection() -> None:
    with serving(CAMERA) as simulator, RawClient(simulator.port) as client:
        client.play("c1")
        assert client.ask("PLAY", "/c1/sub", Session=client.session)[0] == 200  # a second one changes nothing
        frames = access_units(client, 4)
        assert {b[0].timestamp - a[0].timestamp for a, b in pairwise(frames)} == {90_000 // FPS}
        assert client.ask("GET_PARAMETER", "/c1/sub", Session=client.session)[0] == 200
        assert client.ask("TEARDOWN", "/c1/sub", Session=client.session)[0] == 200
        client.rest.clear()
        client.sock.settimeout(0.4)
        with pytest.raises(TimeoutError):
            client.frame()


def test_nonsense_closes_the_connection_and_nobody_else_notices() -> None:
    with serving(CAMERA) as simulator, RawClient(simulator.port) as good, RawClient(simulator.port) as bad:
        good.play("c1")
        bad.sock.sendall(b"\xff" * 20_000)
        with pytest.raises((EOFError, ConnectionResetError)):
            bad.take(1)
        assert len(access_units(good, 3)) == 3


def test_digest_is_asked_for_and_checked() -> None:
    with serving(CAMERA, user="admin", password="see-saw") as simulator:
        with RawClient(simulator.port) as client:
            uri = "rtsp://camera/c1/sub"
            code, headers, _ = client.ask("DESCRIBE", "/c1/sub")
            assert code == 401
            challenge = headers["www-authenticate"]
            wrong = digest(challenge, "admin", "saw-see", "DESCRIBE", uri)
            assert client.ask("DESCRIBE", "/c1/sub", Authorization=wrong)[0] == 401
            other = digest(challenge, "admin", "see-saw", "SETUP", uri)  # of another method
            assert client.ask("DESCRIBE", "/c1/sub", Authorization=other)[0] == 401
            right = digest(challenge, "admin", "see-saw", "DESCRIBE", uri)
            code, headers, body = client.ask("DESCRIBE", "/c1/sub", Authorization=right)
            assert code == 200
            assert b"a=rtpmap:96 H264/90000" in body
            assert client.ask("SETUP", "/c1/sub/trackID=1", Transport="RTP/AVP/TCP;interleaved=0-1")[0] == 401
        with RawClient(simulator.port) as client:  # a nonce is good for its own connection only
            assert client.ask("DESCRIBE", "/c1/sub", Authorization=right)[0] == 401
        url = simulator.url("c1").replace("rtsp://", "rtsp://admin:see-saw@")
        with av.open(url, options={"rtsp_transport": "tcp"}, timeout=10) as stream:
            assert next(stream.decode(video=0)).key_frame


def test_a_taken_port_is_one_sentence() -> None:
    with serving(CAMERA) as simulator:
        other = Simulator(SimPlan((CAMERA,)), {"street-day-0": small_clip()}, SystemClock(), port=simulator.port)
        with pytest.raises(ConfigError, match=f"cannot listen on 127.0.0.1 port {simulator.port}"):
            other.start()
        other.stop()


def test_a_missing_clip_is_one_sentence() -> None:
    with pytest.raises(ConfigError, match="the plan needs clip 'street-day-0'"):
        Simulator(SimPlan((CAMERA,)), {}, SystemClock())


def test_a_client_that_does_not_read_loses_frames_and_others_do_not() -> None:
    still = small_clip()
    unit = b"\0\0\0\1\x65" + b"\x55" * 400_000
    heavy = Clip("heavy", 160, 96, FPS, (ClipFrame(still.frames[0].data + unit, True),))  # 6 MB/s
    plan = SimPlan((SimCamera("slow", variant=1), SimCamera("good")))
    simulator = Simulator(plan, {"street-day-1": heavy, "street-day-0": still}, SystemClock())
    simulator.start()
    try:
        with RawClient(simulator.port) as slow, RawClient(simulator.port) as good:
            slow.play("slow")
            good.play("good")
            while simulator.stats().dropped < 5:
                access_units(good, 1)
            before = [packet.sequence for frame in access_units(slow, 2) for packet in frame]
            while (b := slow.rtp().sequence) == (before[-1] + 1) & 0xFFFF:
                before.append(b)
            assert (b - before[-1]) & 0xFFFF > 1  # the hole tells the client what it missed
    finally:
        simulator.stop()


def test_fifty_cameras_deliver_every_frame_they_offer() -> None:
    cameras = tuple(SimCamera(f"c{index}", offset_s=index * 0.0713) for index in range(50))
    with serving(*cameras) as simulator:
        clock = simulator.clock
        before = simulator.stats()
        drained = drain([simulator.url(camera.id) for camera in cameras], "", "", 3.0, clock)
        stats = simulator.stats()
    assert (drained.clients, drained.lost, drained.ended) == (50, 0, 0)
    assert (stats.dropped, stats.cameras) == (0, 50)
    assert 50 * FPS * 2 * 0.8 < drained.frames <= stats.frames - before.frames
    assert stats.frames - drained.frames < 50 * FPS * 0.5  # what was still on its way when the clients went
