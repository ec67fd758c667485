"""Our client against GStreamer's RTSP server, which knows nothing of us."""

from pathlib import Path

import pytest

from base import Codec, Packet, SystemClock
from ingest import Feed, Feeds, Phase, probe
from ingest.decode import AwakeDecoder
from ingest.rtsp_source import Resolver, RtspSource
from tests.ingest.conftest import Until
from tests.servers.gstreamer import PASSWORD, USER, gstreamer

pytestmark = pytest.mark.peer


@pytest.mark.parametrize(("codec", "auth"), [("h264", "none"), ("h264", "basic"), ("h264", "digest"), ("h265", "none")])
def test_every_frame_of_gstreamer_decodes(codec: str, auth: str, until: Until) -> None:
    clock, packets = SystemClock(), list[Packet]()
    with gstreamer("--codec", codec, "--auth", auth, "--audio") as url:
        source = RtspSource(Feed("c1", f"{url}/cam", USER, PASSWORD), clock, Resolver())
        source.open()

        def enough() -> bool:
            packets.extend(source.sweep(clock.now_s()))
            wants_skew = auth == "none" and codec == "h264"
            return sum(packet.is_key for packet in packets) >= 2 and (not wants_skew or source.facts.skew_s is not None)

        assert until(enough, 20)
        facts = source.facts
        source.close()
    assert facts.phase is Phase.STREAMING and facts.codec is (Codec.H264 if codec == "h264" else Codec.H265)
    assert (facts.width_px, facts.height_px) == (640, 360) and abs(facts.skew_s or 0.0) < 2.0
    first = next(at for at, packet in enumerate(packets) if packet.is_key)
    decoder = AwakeDecoder()
    frames = [shown for packet in packets[first:] for shown in decoder.decode(packet)]
    assert len(frames) >= len(packets[first:]) - 3 and sum(packet.lost for packet in packets) == 0
    assert frames[-1][2].luma.shape == (360, 640) and frames[-1][2].luma.max() > 150  # the ball


def test_a_wrong_password_at_gstreamer() -> None:
    with gstreamer("--auth", "digest") as url:
        assert "refuses the password of user 'operator'" in probe(Feed("c1", f"{url}/cam", USER, "no"), SystemClock(), 10).error
        assert probe(Feed("c1", f"{url}/nothing", USER, PASSWORD), SystemClock(), 10).error


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
