"""RTP by UDP: against a server that loses, doubles and shuffles datagrams, and the dialogue that leads there."""

import itertools
import socket
import struct

import pytest

from base import Packet, ProtocolError, SourceError, StreamTimeout, SystemClock, Transport
from ingest import Feed, Phase, RtspSource, UnsupportedStream
from ingest.rtsp.h264 import H264Depacketizer
from ingest.rtsp.reports import ReceiverReports
from ingest.rtsp.rtp import RtpReceiver
from ingest.rtsp.session import RtspSession
from ingest.rtsp_source import Resolver
from ingest.udp import UdpPair
from tests.ingest import test_session
from tests.ingest.conftest import GOP, Clip, Until
from tests.ingest.test_h264 import rtp_of
from tests.ingest.test_reader import PASSWORD, USER
from tests.ingest.test_session import SDP, URL, reply, request_line
from tests.servers.rtsp import Fault, RtspServer, Script

UDP = Transport.UDP


class Rig:
    """One camera, swept by the test."""

    def __init__(self, server: RtspServer, transport: Transport = UDP) -> None:
        self.clock = SystemClock()
        self.source = RtspSource(Feed("c1", server.url(), USER, PASSWORD, transport), self.clock, Resolver())
        self.source.open()
        self.packets: list[Packet] = []

    def __enter__(self) -> "Rig":
        return self

    def __exit__(self, *_: object) -> None:
        self.source.close()

    def has(self, count: int) -> bool:
        self.packets += self.source.sweep(self.clock.now_s())
        return len(self.packets) >= count


@pytest.mark.parametrize("script", [Script(), Script(auth="MD5", with_audio=True), Script(tells_ports=False)])
def test_media_arrives_by_udp(clip: Clip, until: Until, script: Script) -> None:
    with RtspServer(clip, script, frames_per_s=60) as server, Rig(server) as rig:
        assert until(lambda: rig.has(4 * GOP), 10)
        assert [packet.is_key for packet in rig.packets] == [at % GOP == 0 for at in range(len(rig.packets))]
        assert all(packet.pts_90k - before.pts_90k == 1500 for before, packet in itertools.pairwise(rig.packets))
        assert sum(packet.lost for packet in rig.packets) == 0 and rig.source.facts.transport == "udp"
        assert "SSRC 0x1234abcd, sequence" in rig.source.position and rig.source.buffer_bytes > 50_000
        if script.tells_ports:
            assert until(lambda: rig.has(0) and server.seen.punches == 1 and len(server.seen.reports) == 1, 5)
        rig.source.close()
        assert until(lambda: server.seen.teardowns == 1, 5)


def test_a_camera_that_refuses_tcp_is_asked_for_udp(clip: Clip, until: Until) -> None:
    with RtspServer(clip, Script(refuses=("tcp",)), frames_per_s=60) as server, Rig(server, Transport.TCP) as rig:
        assert until(lambda: rig.has(GOP), 10)
        assert ["TCP" in asked for asked in server.seen.transports] == [True, False]
        assert server.seen.connections == 1


@pytest.mark.parametrize(
    ("refuses", "transport", "says"),
    [
        (("udp",), UDP, "the camera answers SETUP over UDP with 461; set its transport to tcp"),
        (("tcp", "udp"), Transport.TCP, "the camera answers SETUP with 461, over TCP and over UDP"),
    ],
)
def test_a_camera_that_refuses_what_is_left(
    clip: Clip, until: Until, refuses: tuple[str, ...], transport: Transport, says: str
) -> None:
    with (
        RtspServer(clip, Script(refuses=refuses)) as server,
        Rig(server, transport) as rig,
        pytest.raises(UnsupportedStream, match=says),
    ):
        until(lambda: rig.has(1), 5)


@pytest.mark.parametrize("fault", [Fault.SHUFFLE, Fault.DOUBLE, Fault.GARBAGE_DATAGRAMS])
def test_disorder_on_the_way_costs_nothing(clip: Clip, until: Until, fault: Fault) -> None:
    with RtspServer(clip, Script(fault), frames_per_s=60) as server, Rig(server) as rig:
        assert until(lambda: rig.has(5 * GOP), 10)
        assert all(packet.pts_90k - before.pts_90k == 1500 for before, packet in itertools.pairwise(rig.packets))
        assert sum(packet.lost for packet in rig.packets) == 0


def test_lost_datagrams_are_counted_and_their_pictures_dropped(clip: Clip, until: Until) -> None:
    with RtspServer(clip, Script(Fault.LOSE_EVERY_TENTH), frames_per_s=60) as server, Rig(server) as rig:
        assert until(lambda: rig.has(0) and sum(packet.lost for packet in rig.packets) >= 5, 15)
        assert all(packet.pts_90k > before.pts_90k for before, packet in itertools.pairwise(rig.packets))


@pytest.mark.parametrize("fault", [Fault.OTHER_SSRC, Fault.CLOSE, Fault.TRUNCATED_FU])
def test_what_ends_or_goes_on(clip: Clip, until: Until, fault: Fault) -> None:
    with RtspServer(clip, Script(fault, after_frames=6), frames_per_s=60) as server, Rig(server) as rig:
        if fault is Fault.OTHER_SSRC:
            assert until(lambda: rig.has(15 * GOP), 10)
            return
        with pytest.raises(SourceError) as caught:
            until(lambda: rig.has(1000), 10)
        says = {
            Fault.CLOSE: "the camera closed the connection",
            Fault.TRUNCATED_FU: "an FU-A of 2 bytes; expected at least 3 (SSRC 0x1234abcd, sequence",
        }[fault]
        assert says in str(caught.value) and str(caught.value).startswith(f"127.0.0.1:{server.port}: ")


def described(transport: Transport) -> RtspSession:
    session = RtspSession(URL, "", "", "192.0.2.1:554", transport)
    session.start()
    session.receive(reply(1) + reply(2, body=SDP), 0.0)
    session.take_output()
    return session


def playing(transport: Transport = UDP) -> RtspSession:
    session = described(transport)
    if transport is Transport.TCP:
        session.receive(reply(3, status="461 Unsupported Transport"), 0.0)
    session.use_port(5000)
    transport_line = "Transport: RTP/AVP;unicast;client_port=5000-5001;server_port=6970-6971;source=198.51.100.7"
    session.receive(reply(4, "Session: 12", transport_line) + reply(5), 0.0)
    session.take_output()
    return session


def test_the_dialogue_waits_for_our_port() -> None:
    session = described(UDP)
    assert session.over_udp and not session.has_output and session.server_ports is None
    session.use_port(5000)
    asked = session.take_output().decode()
    assert asked.startswith(f"SETUP {URL}/track1") and "Transport: RTP/AVP;unicast;client_port=5000-5001\r\n" in asked
    session.receive(reply(3, "Session: 12", "Transport: RTP/AVP/UDP;unicast;server_port=6970"), 0.0)
    assert session.server_ports == (6970, 6971) and request_line(session).startswith("PLAY")


@pytest.mark.parametrize("answer", ["RTP/AVP/TCP;interleaved=0-1", "RTP/AVP;multicast;destination=239.0.0.1;port=5000-5001"])
def test_an_answer_with_another_transport_is_refused(answer: str) -> None:
    session = described(UDP)
    session.use_port(5000)
    with pytest.raises(UnsupportedStream, match="not with RTP over unicast UDP"):
        session.receive(reply(3, "Session: 12", f"Transport: {answer}"), 0.0)


@pytest.mark.parametrize("ports", ["server_port=0-1", "server_port=99999", "server_port=x", ""])
def test_ports_that_are_none_count_as_not_told(ports: str) -> None:
    session = described(UDP)
    session.use_port(5000)
    session.receive(reply(3, "Session: 12", f"Transport: RTP/AVP;unicast;{ports}"), 0.0)
    assert session.server_ports is None


@pytest.mark.parametrize(("transport", "advice"), [(UDP, "set the camera's transport to tcp"), (Transport.TCP, "refuses TCP")])
def test_silence_by_udp_has_a_sentence_of_its_own(clip: Clip, transport: Transport, advice: str) -> None:
    session = playing(transport)
    assert session.receive_datagrams([], [], 0.0, 100.0) == []
    session.receive_datagrams(rtp_of(clip, 1), [], 0.0, 107.0)
    session.receive_datagrams([], [], 0.0, 115.0)
    with pytest.raises(StreamTimeout, match=f"192.0.2.1:554: nothing came by UDP to port 5000 for 8 s.*firewall.*{advice}"):
        session.receive_datagrams([], [], 0.0, 115.1)


def test_pictures_and_sender_reports_by_udp(clip: Clip) -> None:
    session = playing()
    units = session.receive_datagrams(rtp_of(clip, 10), [], 0.0, 100.0) + session.receive_datagrams([], [], 0.0, 100.2)
    assert len(units) == 10 and session.phase is Phase.STREAMING
    sent_s = 1_700_000_000
    sender_report = struct.pack(">BBHIIIIII", 0x80, 200, 6, 1, sent_s + 2_208_988_800, 0, 0, 0, 0)
    session.receive_datagrams([], [sender_report, b"junk"], sent_s - 2.0, 100.3)
    assert session.skew_s == 2.0
    with pytest.raises(SourceError, match=r"192.0.2.1:554: UDP to port 5000: the camera said goodbye"):
        session.receive_datagrams([], [b"\x81\xcb\x00\x01" + rtp_of(clip, 1)[0][8:12]], 0.0, 100.3)


def test_an_error_by_udp_says_ssrc_and_sequence(clip: Clip) -> None:
    session = playing()
    packets = rtp_of(clip, 1)
    session.receive_datagrams([packets[0], packets[1][:12] + b"\x1c\x05"], [], 0.0, 100.0)
    with pytest.raises(ProtocolError, match=r"UDP to port 5000: an FU-A of 2 bytes; expected .* \(SSRC 0x\w{8}, sequence \d+\)"):
        session.receive_datagrams([], [], 0.0, 100.2)


def test_reports_are_due_every_five_seconds(clip: Clip) -> None:
    session = playing()
    session.tick(100.0)
    assert session.take_report() != b""
    session.tick(104.9)
    assert session.take_report() == b""
    session.tick(105.0)
    assert session.take_report() != b"" and not session.has_output


def test_a_report_says_what_was_lost(clip: Clip) -> None:
    packets = rtp_of(clip, 10)
    session = playing()
    session.receive_datagrams(packets[:8] + packets[10:], [], 0.0, 100.0)
    session.receive_datagrams([], [], 0.0, 100.2)
    session.tick(101.0)
    report = session.take_report()
    kind, words, _, ssrc, loss, newest = struct.unpack_from(">xBHIIII", report)
    assert (kind, words, ssrc) == (201, 7, int.from_bytes(packets[0][8:12]))
    assert loss & 0xFFFFFF == 2 and loss >> 24 == 2 * 256 // len(packets)
    assert newest == int.from_bytes(packets[0][2:4]) + len(packets) - 1  # wraps are counted
    names = report[32:]
    assert names[1] == 202 and len(report) % 4 == 0 and len(names) == 4 + 4 * int.from_bytes(names[2:4])
    session.tick(106.0)
    assert struct.unpack_from(">I", session.take_report(), 12)[0] == 2  # none lost since, two in all


def test_a_report_on_nothing_yet() -> None:
    report = ReceiverReports().write(RtpReceiver(96, H264Depacketizer()))
    assert len(report) % 4 == 0 and report[12:16] == bytes(4)


def test_over_tcp_reports_go_between_the_requests(clip: Clip) -> None:
    session = test_session.playing()
    session.tick(100.0)
    session.receive(b"".join(b"$\x02" + len(packet).to_bytes(2) + packet for packet in rtp_of(clip, 10)), 0.0)
    session.tick(110.0)
    assert request_line(session).startswith("GET_PARAMETER")
    session.tick(120.0)
    output = session.take_output()
    start = output.index(b"$\x03")
    assert output[:start].endswith(b"\r\n\r\n") and output[start + 4 : start + 6] == b"\x81\xc9"
    assert len(output) == start + 4 + int.from_bytes(output[start + 2 : start + 4])


def test_ports_are_a_pair_and_hear_the_camera_only() -> None:
    pair = UdpPair("127.0.0.1", "127.0.0.1")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as camera, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        camera.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.2", 0))
        assert pair.port % 2 == 0
        for port in (pair.port, pair.port + 1):
            other.sendto(b"not ours", ("127.0.0.1", port))
            camera.sendto(b"ours", ("127.0.0.1", port))
        assert pair.read() == ([b"ours"], [b"ours"])
        other.sendto(b"early", ("127.0.0.1", pair.port))
        pair.aim(camera.getsockname()[1], camera.getsockname()[1])
        other.sendto(b"not ours", ("127.0.0.1", pair.port))
        camera.sendto(b"ours", ("127.0.0.1", pair.port))
        assert pair.read() == ([b"ours"], [])
        pair.punch(b"hello")
        assert camera.recv(100) == b"hello"
    pair.send_rtcp(b"to nobody")
    pair.send_rtcp(b"to nobody")  # refused by now, which does not matter
    assert pair.read() == ([], [])
    pair.close()
