"""Our client against VLC's RTSP output, which knows nothing of us, and pictures over UDP only."""

import itertools
from fractions import Fraction
from pathlib import Path

import av
import pytest

from base import Codec, Packet, SystemClock, Transport
from ingest import Feed, Phase, survey
from ingest.decode import AwakeDecoder
from ingest.rtsp_source import Resolver, RtspSource
from tests.ingest.conftest import HEIGHT, WIDTH, Until, picture
from tests.servers.vlc import vlc

pytestmark = pytest.mark.peer

FRAMES, GOP, FRAME = 150, 15, 6000  # FRAME: 90 kHz from one to the next


@pytest.fixture(scope="module", params=["libx264", "libx265"])
def clip(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten seconds of the moving disc, as an MP4 file."""
    codec = str(request.param)
    path = tmp_path_factory.mktemp("vlc") / f"{codec}.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=15)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt, stream.time_base = WIDTH, HEIGHT, "yuv420p", Fraction(1, 15)
        parameters = f"keyint={GOP}:min-keyint={GOP}:scenecut=0:bframes=0"
        stream.options = {"preset": "ultrafast", f"{codec[3:]}-params": parameters + ":log-level=none" * (codec == "libx265")}
        for index in range(FRAMES):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture(index), format="bgr24")))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("transport", list(Transport))
def test_every_frame_of_vlc_decodes(clip: Path, transport: Transport, until: Until) -> None:
    clock, packets = SystemClock(), list[Packet]()
    with vlc(clip) as url:
        source = RtspSource(Feed("c1", url, transport=transport), clock, Resolver())
        source.open()

        def enough() -> bool:
            packets.extend(source.sweep(clock.now_s()))
            return sum(packet.is_key for packet in packets) >= 3

        assert until(enough, 20), source.facts
        facts = source.facts
        source.close()
    assert facts.phase is Phase.STREAMING and facts.codec is (Codec.H264 if "x264" in clip.name else Codec.H265)
    assert (facts.width_px, facts.height_px, facts.transport) == (WIDTH, HEIGHT, "udp")  # TCP is answered with 461
    assert sum(packet.lost for packet in packets) == 0
    first = next(at for at, packet in enumerate(packets) if packet.is_key)
    keys = [at for at, packet in enumerate(packets) if packet.is_key]
    assert {later - earlier for earlier, later in itertools.pairwise(keys)} == {GOP}
    steps = [later.pts_90k - earlier.pts_90k for earlier, later in itertools.pairwise(packets[first:])]
    assert all(abs(step - FRAME) <= 1 for step in steps), steps
    decoder = AwakeDecoder()
    frames = [shown for packet in packets[first:] for shown in decoder.decode(packet)]
    assert len(frames) >= len(packets[first:]) - 3 and frames[-1][2].luma.shape == (HEIGHT, WIDTH)
    assert frames[-1][2].luma.max() > 200  # the disc


def test_a_password_at_vlc(clip: Path) -> None:
    with vlc(clip, "--sout-rtsp-user", "operator", "--sout-rtsp-pwd", "s3cret") as url:
        (right,) = survey([Feed("c1", url, "operator", "s3cret")], SystemClock(), 10)
        (wrong,) = survey([Feed("c1", url, "operator", "no")], SystemClock(), 10)
    assert right.error == "" and right.gop_s == pytest.approx(1, abs=0.01) and right.transport == "udp"
    assert "refuses the password of user 'operator'" in wrong.error
