"""Our client against GStreamer's RTSP server, which knows nothing of us."""

import itertools
from dataclasses import replace
from pathlib import Path

import pytest

from base import CameraStatus, Codec, Packet, SystemClock, Transport
from ingest import Feed, Feeds, Phase, survey
from ingest.decode import AwakeDecoder
from ingest.rtsp_source import Resolver, RtspSource
from ingest.source import StreamFacts
from tests.ingest.conftest import Until
from tests.ingest.test_tls import Certificate, self_signed
from tests.servers.gstreamer import PASSWORD, USER, gstreamer

pytestmark = pytest.mark.peer

GOP, FRAME = 15, 6000  # of tests/servers/gst_rtsp.py: frames, and 90 kHz from one to the next


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return self_signed(tmp_path_factory.mktemp("gst"), "127.0.0.1")


def watch(feed: Feed, until: Until, keys: int = 3) -> tuple[list[Packet], StreamFacts]:
    """Packets up to the third key frame, and what was known by then."""
    clock, packets = SystemClock(), list[Packet]()
    source = RtspSource(feed, clock, Resolver())
    source.open()

    def enough() -> bool:
        packets.extend(source.sweep(clock.now_s()))
        return sum(packet.is_key for packet in packets) >= keys

    assert until(enough, 20), f"{len(packets)} packets, {source.facts}"
    facts = source.facts
    source.close()
    return packets, facts


@pytest.mark.parametrize("codec", ["h264", "h265"])
@pytest.mark.parametrize("carrier", ["tcp", "udp", "tls"])
@pytest.mark.parametrize("auth", ["none", "digest"])
def test_every_frame_of_gstreamer_decodes(codec: str, carrier: str, auth: str, certificate: Certificate, until: Until) -> None:
    tls = ("--tls", str(certificate.path)) if carrier == "tls" else ("--protocol", carrier)
    with gstreamer("--codec", codec, "--auth", auth, "--audio", *tls) as url:
        feed = Feed("c1", f"{url}/cam", USER, PASSWORD)
        if carrier == "udp":
            feed = replace(feed, transport=Transport.UDP)
        elif carrier == "tls":
            feed = replace(feed, certificate_sha256=certificate.sha256)
        packets, facts = watch(feed, until)
    assert facts.phase is Phase.STREAMING and facts.codec is (Codec.H264 if codec == "h264" else Codec.H265)
    assert (facts.width_px, facts.height_px, facts.transport) == (640, 360, carrier)
    assert sum(packet.lost for packet in packets) == 0
    first = next(at for at, packet in enumerate(packets) if packet.is_key)
    keys = [at for at, packet in enumerate(packets) if packet.is_key]
    assert {later - earlier for earlier, later in itertools.pairwise(keys[1:])} <= {GOP}
    steps = [later.pts_90k - earlier.pts_90k for earlier, later in itertools.pairwise(packets[first:])]
    assert all(abs(step - FRAME) <= 1 for step in steps), steps
    decoder = AwakeDecoder()
    frames = [shown for packet in packets[first:] for shown in decoder.decode(packet)]
    assert len(frames) >= len(packets[first:]) - 3
    assert frames[-1][2].luma.shape == (360, 640) and frames[-1][2].luma.max() > 150  # the ball


def test_basic_beside_sender_reports(until: Until) -> None:
    clock = SystemClock()
    with gstreamer("--auth", "basic", "--audio") as url:
        source = RtspSource(Feed("c1", f"{url}/cam", USER, PASSWORD), clock, Resolver())
        source.open()
        assert until(lambda: source.sweep(clock.now_s()) is not None and source.facts.skew_s is not None, 20)
        assert abs(source.facts.skew_s or 9.0) < 2.0
        source.close()


def test_a_server_without_tcp_is_watched_over_udp(until: Until) -> None:
    with gstreamer("--protocol", "udp") as url:
        packets, facts = watch(Feed("c1", f"{url}/cam"), until)
    assert facts.transport == "udp" and sum(packet.lost for packet in packets) == 0


def look(feed: Feed, seconds: float = 10) -> CameraStatus:
    (status,) = survey([feed], SystemClock(), seconds)
    return status


def test_what_is_measured_of_gstreamer() -> None:
    with gstreamer("--auth", "digest", "--audio") as url:
        status = look(Feed("c1", f"{url}/cam", USER, PASSWORD), 20)
    assert (status.error, status.codec, status.width_px, status.height_px, status.lost) == ("", Codec.H264, 640, 360, 0)
    assert status.gop_s == pytest.approx(1, abs=0.01)


def test_encrypted_media_of_gstreamer_is_named() -> None:
    with gstreamer("--srtp") as url:
        assert "encrypted by SRTP" in look(Feed("c1", f"{url}/cam")).error


def test_an_unknown_certificate_of_gstreamer(certificate: Certificate) -> None:
    with gstreamer("--tls", str(certificate.path)) as url:
        assert certificate.sha256 in look(Feed("c1", f"{url}/cam")).error


def test_a_wrong_password_at_gstreamer() -> None:
    with gstreamer("--auth", "digest") as url:
        assert "refuses the password of user 'operator'" in look(Feed("c1", f"{url}/cam", USER, "no")).error
        assert look(Feed("c1", f"{url}/nothing", USER, PASSWORD)).error


def test_real_surveillance_video_served_by_gstreamer(test_data: Path) -> None:
    clips = sorted(test_data.rglob("*.mp4"), key=lambda path: path.stat().st_size)
    if not clips:
        pytest.skip("no MP4 in the test data")
    with gstreamer("--file", str(clips[0])) as url:
        feeds = Feeds([Feed("c1", f"{url}/0")], SystemClock())
        feeds.start()
        try:
            batch = feeds.next_batch(20)
            assert batch is not None and batch.luma.std() > 5 and batch.picture[0].luma.shape == (360, 640)
            assert feeds.snapshot("c1").startswith(b"\xff\xd8")
        finally:
            feeds.stop()
