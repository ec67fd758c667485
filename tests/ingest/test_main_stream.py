"""A main stream is read while somebody looks at it, and only then."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from base import Packet, SystemClock
from ingest import MAIN, Feed, MainStreams
from tests.ingest.conftest import Clip, Until
from tests.servers.rtsp import Fault, RtspServer, Script


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
