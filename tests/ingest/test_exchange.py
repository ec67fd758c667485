"""A camera is exchanged, added and dropped while others are read: not one packet of theirs is missing."""

import itertools
import threading
import time
from collections.abc import Callable

import pytest

from base import Packet, SourceError, SystemClock
from ingest import Feed, Feeds
from ingest.simulate import SimCamera
from tests.simulate.stage import FPS, serving

STEP_90K = 90_000 // FPS
WAIT_S = 20.0


def until(is_so: Callable[[], object], what: str) -> None:
    pause, ends_s = threading.Event(), time.monotonic() + WAIT_S
    while not is_so():
        assert time.monotonic() < ends_s, what
        pause.wait(0.02)


def test_who_is_not_exchanged_loses_no_packet() -> None:
    came: dict[str, list[Packet]] = {}

    def note(packet: Packet) -> None:
        came.setdefault(packet.camera, []).append(packet)

    with serving(SimCamera("c1"), SimCamera("c2"), SimCamera("c3"), SimCamera("c4")) as simulator:
        rows = [Feed("c1", simulator.url("c1")), Feed("c2", simulator.url("c2")), Feed("", "")]
        feeds = Feeds(rows, SystemClock(), on_packet=note)
        for camera in ("c1", "c2"):
            feeds.watch(camera, True)
        feeds.start()
        try:
            until(lambda: len(came.get("c1", ())) > FPS and len(came.get("c2", ())) > FPS, "both are seen")
            old = len(came["c1"])
            mask = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
            assert feeds.exchange(0, Feed("c1", simulator.url("c3"), masks=(mask,))).wait(WAIT_S)  # who looks goes on looking
            assert feeds.exchange(2, Feed("c4", simulator.url("c4"))).wait(WAIT_S)
            feeds.watch("c4", True)
            until(lambda: len(came["c1"]) > old + FPS and len(came.get("c4", ())) > FPS, "the new ones are seen")
            until(lambda: (batch := feeds.next_batch(0.1)) is not None and 0 in batch.camera, "frames of the new one")
            assert feeds.snapshot("c1") and {status.camera for status in feeds.statuses()} == {"c1", "c2", "c4"}
            assert feeds.exchange(0, Feed("", "")).wait(WAIT_S)
            dropped = len(came["c1"])
            with pytest.raises(SourceError):
                feeds.snapshot("c1")
            feeds.wake("c1", SystemClock().now_s() + 5)  # nobody is there: nothing happens
            assert not feeds.awake("c1") and feeds.packets("c1") == () and feeds.gop("c1") == ()
            kept = len(came["c2"])
            until(lambda: len(came["c2"]) > kept + FPS, "the other goes on")
            assert len(came["c1"]) == dropped
        finally:
            feeds.stop()
        steps = {later.pts_90k - earlier.pts_90k for earlier, later in itertools.pairwise(came["c2"])}
        assert max(steps) <= STEP_90K + 90 and min(steps) > 0
        assert not any(packet.lost for packet in came["c2"])
        gaps = feeds.gaps()
        assert {gap.camera for gap in gaps} == {"c1", "c2", "c4"}
        assert len([gap for gap in gaps if gap.camera == "c2"]) == 1  # that before its first picture
        assert all(gap.ended_s is not None for gap in gaps)
        lives = {status.camera: status for status in feeds.statuses()}
        assert lives["c2"].reconnects == 0
