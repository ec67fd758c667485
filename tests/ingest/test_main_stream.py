"""Main streams: read while somebody looks or an alarm is near, and only then; the newest key frame is had, masks black."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import cast

import pytest

from base import Packet, SystemClock
from ingest import MAIN, Feed, MainStreams
from ingest.reader import choose_source
from ingest.rtsp_source import Resolver
from ingest.source import PacketSource
from tests.ingest.conftest import HEIGHT, WIDTH, Clip, Until
from tests.servers.rtsp import Fault, RtspServer, Script

MASK = ((0.4, 0.4), (0.6, 0.4), (0.6, 0.6), (0.4, 0.6))


@contextmanager
def streams(got: list[Packet], *feeds: Feed) -> Iterator[MainStreams]:
    found = MainStreams(feeds, SystemClock(), got.append)
    found.start()
    yield found
    found.stop(2.0)
    assert not any(thread.name == "main-streams" for thread in threading.enumerate())


def test_its_packets_come_while_somebody_looks_with_the_gop_kept_for_the_next(clip: Clip, until: Until) -> None:
    got: list[Packet] = []
    with RtspServer(clip) as server, streams(got, Feed("c1", server.url("c1")), Feed("c2", server.url("c2"))) as main:
        assert main.names == {"c1" + MAIN, "c2" + MAIN}
        assert main.gop("c1" + MAIN) == ()
        main.watch("c1" + MAIN, True)
        assert until(lambda: len(main.gop("c1" + MAIN)) >= 2, 10)
        gop = main.gop("c1" + MAIN)
        assert gop[0].is_key and not any(packet.is_key for packet in gop[1:])
        assert {packet.camera for packet in got} == {"c1" + MAIN}
        main.watch("c1" + MAIN, False)
        assert until(lambda: main.gop("c1" + MAIN) == (), 10)
        assert until(lambda: not main.turn(), 10)


def test_one_that_fails_is_tried_again_later_and_said_so(clip: Clip, until: Until, caplog: pytest.LogCaptureFixture) -> None:
    got: list[Packet] = []
    with RtspServer(clip, Script(Fault.NOT_FOUND)) as server, streams(got, Feed("c1", server.url("c1"))) as main:
        main.watch("c1" + MAIN, True)
        assert until(lambda: "no main stream for who looks at it" in caplog.text, 10)
        assert main.gop("c1" + MAIN) == () and not got


def test_another_address_takes_the_place_of_the_one_that_is_read(clip: Clip, until: Until) -> None:
    got: list[Packet] = []
    with RtspServer(clip) as before, RtspServer(clip) as after, streams(got, Feed("c1", before.url())) as main:
        main.watch("c1" + MAIN, True)
        assert until(lambda: main.gop("c1" + MAIN) != (), 10)
        main.exchange("c1", Feed("c1", after.url()))
        assert until(lambda: after.seen.connections == 1 and main.gop("c1" + MAIN) != (), 10)
        main.exchange("c1", None)
        assert main.names == frozenset() and until(lambda: main.gop("c1" + MAIN) == (), 10)


def test_one_connection_serves_who_looks_and_the_second_opinion(clip: Clip, until: Until) -> None:
    got: list[Packet] = []
    with RtspServer(clip) as server, streams(got, Feed("c1", server.url("c1"))) as main:
        main.prepare("c1")
        assert until(lambda: main.picture("c1", time.time()) is not None, 10)
        assert not got, "an alarm is near, but nobody looks"
        main.watch("c1" + MAIN, True)
        assert main.gop("c1" + MAIN)[0].is_key, "who comes now need not wait for a key frame"
        assert until(lambda: len(got) > 0, 10)
        assert main.picture("c1", time.time()) is not None and server.seen.connections == 1


def test_a_picture_is_had_only_of_a_camera_that_was_prepared(clip: Clip, until: Until) -> None:
    with RtspServer(clip) as server, streams([], Feed("c1", server.url("c1"), masks=(MASK,))) as main:
        assert main.picture("c1", time.time()) is None and main.picture("nobody", time.time()) is None
        main.prepare("nobody")
        main.prepare("c1")
        assert until(lambda: main.picture("c1", time.time()) is not None, 10)
        found = main.picture("c1", time.time())
        assert found is not None
        time_s, bgr = found
        assert abs(time.time() - time_s) < 3 and bgr.shape == (HEIGHT, WIDTH, 3)
        assert bgr[int(0.45 * HEIGHT) : int(0.55 * HEIGHT), int(0.45 * WIDTH) : int(0.55 * WIDTH)].max() == 0
        assert main.picture("c1", time.time() - 60) is None, "too far from the event"


def test_a_picture_of_before_an_exchange_is_not_shown_with_the_masks_of_after_it(clip: Clip, until: Until) -> None:
    with RtspServer(clip) as server:
        url = server.url("c1")
        main = MainStreams([Feed("c1", url, masks=(MASK,))], SystemClock(), lambda packet: None)  # its thread is ours
        main.prepare("c1")
        assert until(lambda: main.turn() and main.picture("c1", time.time()) is not None, 10)
        main.exchange("c1", Feed("c1", url))
        assert main.picture("c1", time.time()) is None
        main.exchange("c1", None)
        assert main.picture("c1", time.time()) is None and not main.turn()


def test_one_that_nobody_looks_at_is_left_alone_once_it_failed(
    clip: Clip, until: Until, caplog: pytest.LogCaptureFixture
) -> None:
    with RtspServer(clip, Script(Fault.NOT_FOUND)) as server, streams([], Feed("c1", server.url("c1"))) as main:
        main.prepare("c1")
        assert until(lambda: "no main stream" in caplog.text, 10)
        assert main.picture("c1", time.time()) is None


class _Broken:
    """A source with a mistake of ours in it."""

    def open(self) -> None: ...

    def sweep(self, now_s: float) -> list[Packet]:
        raise ValueError(f"at {now_s}")

    def close(self) -> None: ...


def test_a_mistake_in_one_stream_does_not_stop_the_others(clip: Clip, until: Until, caplog: pytest.LogCaptureFixture) -> None:
    got: list[Packet] = []
    clock = SystemClock()
    with RtspServer(clip) as server:
        feeds = [Feed("c1", "rtsp://192.0.2.1/"), Feed("c2", server.url("c2"))]

        def made(feed: Feed) -> PacketSource:
            return cast("PacketSource", _Broken()) if feed.camera == "c1" else choose_source(feed, clock, Resolver())

        main = MainStreams(feeds, clock, got.append, made)  # its thread is ours
        main.watch("c1" + MAIN, True)
        main.watch("c2" + MAIN, True)
        assert until(lambda: main.turn() and len(got) > 1, 10)
        assert {packet.camera for packet in got} == {"c2" + MAIN} and caplog.text.count("Traceback") == 1
        main.exchange("c2", replace(feeds[1]))
        before = len(got)
        assert until(lambda: main.turn() and len(got) > before, 10)
        assert server.seen.connections == 1, "what stays the same is not opened anew"
        main.watch("c2" + MAIN, False)
        main.turn()
