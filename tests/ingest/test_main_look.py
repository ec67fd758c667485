"""The main stream is read only while an alarm is near, and its newest key frame is had at once, masks black."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from base import SystemClock
from ingest import Feed
from ingest.main_look import MainLook
from tests.ingest.conftest import HEIGHT, WIDTH, Clip, Until
from tests.servers.rtsp import Fault, RtspServer, Script

MASK = ((0.4, 0.4), (0.6, 0.4), (0.6, 0.6), (0.4, 0.6))


@contextmanager
def looking(*feeds: Feed) -> Iterator[MainLook]:
    look = MainLook(feeds, SystemClock())
    look.start()
    yield look
    look.stop(2.0)
    assert not any(thread.name == "main-look" for thread in threading.enumerate())


def test_a_picture_is_had_only_of_a_camera_that_was_prepared(clip: Clip, until: Until) -> None:
    with RtspServer(clip) as server, looking(Feed("c1", server.url("c1"), masks=(MASK,))) as look:
        assert look.picture("c1", time.time()) is None and look.picture("nobody", time.time()) is None
        look.prepare("nobody")
        look.prepare("c1")
        assert until(lambda: look.picture("c1", time.time()) is not None, 10)
        found = look.picture("c1", time.time())
        assert found is not None
        time_s, bgr = found
        assert abs(time.time() - time_s) < 3 and bgr.shape == (HEIGHT, WIDTH, 3)
        assert bgr[int(0.45 * HEIGHT) : int(0.55 * HEIGHT), int(0.45 * WIDTH) : int(0.55 * WIDTH)].max() == 0
        assert look.picture("c1", time.time() - 60) is None, "too far from the event"


def test_a_picture_of_before_an_exchange_is_not_shown_with_the_masks_of_after_it(clip: Clip, until: Until) -> None:
    with RtspServer(clip) as server:
        url = server.url("c1")
        look = MainLook([Feed("c1", url, masks=(MASK,))], SystemClock())  # its thread is ours
        look.prepare("c1")
        assert until(lambda: look.turn() and look.picture("c1", time.time()) is not None, 10)
        look.exchange("c1", Feed("c1", url))
        assert look.picture("c1", time.time()) is None
        look.exchange("c1", None)
        assert look.picture("c1", time.time()) is None and not look.turn()


def test_a_stream_that_fails_is_left_alone(clip: Clip, until: Until, caplog: pytest.LogCaptureFixture) -> None:
    with RtspServer(clip, Script(Fault.NOT_FOUND)) as server, looking(Feed("c1", server.url("c1"))) as look:
        look.prepare("c1")
        assert until(lambda: "no main stream" in caplog.text, 10)
        assert look.picture("c1", time.time()) is None
