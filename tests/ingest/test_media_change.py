"""A camera that changes size or codec in mid-stream, read through all of hops 1-3: at most one GOP is lost."""

import itertools
import time

import pytest

from base import FrameBatch, SystemClock
from ingest import Feed, Feeds
from ingest.simulate import Fault as SimFault
from ingest.simulate import FaultKind, SimCamera
from tests.ingest.conftest import Clip, Until
from tests.servers.rtsp import Fault, RtspServer, Script
from tests.simulate.stage import FPS, GOP, serving


def test_flapping_sizes_lose_no_frame_and_are_told(until: Until) -> None:
    flaps = tuple(SimFault(FaultKind.RESOLUTION, 1.5 + 1.2 * number, 0.6, width_px=96, height_px=64) for number in range(4))
    shown: list[FrameBatch] = []
    sizes: set[tuple[int, int]] = set()
    with serving(SimCamera("c1", faults=flaps)) as simulator:
        feeds = Feeds([Feed("c1", simulator.url("c1"))], SystemClock())
        feeds.start()
        try:
            assert until(lambda: bool(feeds.gop("c1")), 10)
            feeds.wake("c1", SystemClock().now_s() + 7)
            until_s = time.monotonic() + 7
            while time.monotonic() < until_s:
                if (batch := feeds.next_batch(0.1)) is not None:
                    shown.append(batch)
                status = feeds.statuses()[0]
                sizes.add((status.width_px, status.height_px))
            stats = feeds.stats()
        finally:
            feeds.stop()
    assert sizes >= {(160, 96), (96, 64)}
    times = [float(batch.time_s[0]) for batch in shown if batch.awake[0]]
    assert len(times) > 1.5 * FPS and max(b - a for a, b in itertools.pairwise(times)) <= GOP / FPS + 1 / FPS
    assert stats.reconnects == 0 and stats.decode_errors == 0 and all(batch.luma.shape == (1, 90, 160) for batch in shown)


@pytest.mark.parametrize(
    ("fault", "says"),
    [(Fault.OTHER_PAYLOAD, "payload type 96 to 97 without telling"), (Fault.OTHER_CODEC, "H.264 to H.265 without telling")],
)
def test_another_codec_without_notice_is_asked_for_anew_at_once(
    clip: Clip, until: Until, caplog: pytest.LogCaptureFixture, fault: Fault, says: str
) -> None:
    with RtspServer(clip, Script(fault, after_frames=20)) as server:
        feeds = Feeds([Feed("c1", server.url())], SystemClock())
        feeds.start()
        try:
            assert until(lambda: says in caplog.text, 10)
            assert until(lambda: server.seen.connections == 2 and feeds.statuses()[0].error == "", 10)
        finally:
            feeds.stop()
    first = next(line for line in caplog.messages if says in line)
    assert first.endswith("next try in 0 s")
