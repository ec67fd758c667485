"""What no camera has reason to bring: closed with a sentence; what a fast one brings: never."""

import pytest

from base import SystemClock
from ingest import Feed, Feeds
from ingest.governor import FRAMES_PER_S, PICTURES_PER_S, Governor
from ingest.source import Flood
from tests.ingest.conftest import Clip, Until
from tests.servers.rtsp import RtspServer

SWEEP_S = 0.2


def swept(governor: Governor, seconds: float, pictures: float, frames: float, messages: float) -> None:
    for sweep in range(1, round(seconds / SWEEP_S) + 1):
        came = [round(rate * SWEEP_S) for rate in (pictures, frames, messages)]
        governor.count(came[0], came[1], came[2], sweep * SWEEP_S)


def test_a_stream_of_50_mbit_per_s_at_120_pictures_per_s_goes_on() -> None:
    swept(Governor(0.0), 600, 120, 50e6 / 8 / 1400, 1)
    swept(Governor(0.0), 600, 120, 50e6 / 8 / 700, 1)
    swept(Governor(0.0), 600, PICTURES_PER_S, FRAMES_PER_S, 50)


def test_a_stored_gop_and_what_piled_up_while_the_line_stood_still_are_no_flood() -> None:
    governor = Governor(0.0)
    governor.count(900, 20_000, 4, 0.025)  # 30 s of 30 pictures a second
    for sweep in range(1, 100):
        governor.count(6, 200, 0, 0.025 + sweep * SWEEP_S)
    governor.count(2000, 60_000, 4, 120.0)  # we ourselves stood still


@pytest.mark.parametrize(
    ("pictures", "frames", "messages", "says"),
    [
        (100_000, 100_000, 0, r"brings 100,000 pictures a second \(20,000 in 0.2 s\); at most 240 a second"),
        (0, 300_000, 0, r"brings 300,000 RTP packets a second .*; at most 10,000 a second"),
        (0, 0, 2000, r"brings 2,000 messages a second .*; at most 50 a second"),
        (300, 300, 0, r"brings 300 pictures a second"),
    ],
)
def test_more_than_any_camera_has_reason_to_bring(pictures: int, frames: int, messages: int, says: str) -> None:
    with pytest.raises(Flood, match=says):
        swept(Governor(0.0), 60, pictures, frames, messages)


def test_a_camera_that_floods_is_closed_and_its_neighbour_goes_on(
    clip: Clip, until: Until, caplog: pytest.LogCaptureFixture
) -> None:
    tiny = [clip[0], *[[b"\x41\x9a\x01"]] * 500]
    with RtspServer(tiny, frames_per_s=3000) as flood, RtspServer(clip) as server:
        feeds = Feeds([Feed("c1", flood.url()), Feed("c2", server.url())], SystemClock())
        feeds.start()
        try:
            assert until(lambda: "pictures a second" in feeds.statuses()[0].error, 20)
            assert until(lambda: feeds.statuses()[1].frames_per_s > 0, 10)
            assert feeds.statuses()[1].reconnects == 0
        finally:
            feeds.stop()
    assert "c1: 127.0.0.1:" in caplog.text and "at most 240 a second are plausible" in caplog.text
