"""Hops 1-3 together: from a real socket to frames of the pipeline."""

import itertools
import threading
import time

import cv2
import numpy as np
import pytest

from base import Codec, FrameBatch, Health, Packet, SourceError, SystemClock
from ingest import Feed, Feeds
from tests.ingest.conftest import GOP, HEIGHT, WIDTH, Clip, Until
from tests.servers.rtsp import RtspServer, Script

USER, PASSWORD = "operator", "s3cret:word"


def started(server: RtspServer, count: int, on_packet: list[Packet] | None = None) -> Feeds:
    feeds = [Feed(f"c{row}", server.url(f"c{row}/sub"), USER, PASSWORD) for row in range(count)]
    running = Feeds(feeds, SystemClock(), on_packet=on_packet.append if on_packet is not None else None)
    running.start()
    return running


def collect(feeds: Feeds, seconds: float) -> list[FrameBatch]:
    until_s, batches = time.monotonic() + seconds, []
    while (left_s := until_s - time.monotonic()) > 0:
        if (batch := feeds.next_batch(left_s)) is not None:
            batches.append(batch)
    return batches


def test_key_frames_while_quiet_and_everything_while_awake(clip: Clip) -> None:
    with RtspServer(clip, Script(auth="MD5")) as server:
        feeds = started(server, 3)
        try:
            quiet = collect(feeds, 1.5)
            assert {int(row) for batch in quiet for row in batch.camera} == {0, 1, 2}
            assert all(batch.is_key.all() and not batch.awake.any() for batch in quiet)
            now_s = SystemClock().now_s()
            feeds.wake("c1", now_s + 1.2)
            assert feeds.awake("c1") and not feeds.awake("c0")
            busy = collect(feeds, 1.8)
        finally:
            feeds.stop()
    times: dict[tuple[int, bool], list[float]] = {}
    shown: list[float] = []
    for batch in quiet + busy:
        assert len(set(batch.camera.tolist())) == len(batch) and batch.luma.shape[1:] == (90, 160)
        for row, time_s, awake in zip(batch.camera, batch.time_s, batch.awake, strict=True):
            times.setdefault((int(row), bool(awake)), []).append(float(time_s))
            if awake:
                assert row == 1
                shown.append(float(time_s))
    assert all(later > earlier for own in times.values() for earlier, later in itertools.pairwise(own))
    # Begins with what led to the alarm, then every other of 15 frames a second; a key frame that was shown is not shown again.
    assert len(shown) >= 8 and shown[0] < now_s + 0.1
    assert max(np.diff(shown)) < 0.4 and shown[-1] >= now_s + 0.9


def test_stop_is_quick_and_ends_both_threads(clip: Clip) -> None:
    with RtspServer(clip) as server:
        feeds = started(server, 5)
        assert collect(feeds, 1.0)
        began_s = time.monotonic()
        feeds.stop()
        assert time.monotonic() - began_s < 2.0
        assert not {"read", "decode"} & {thread.name for thread in threading.enumerate()}
        feeds.stop()


def test_packets_of_watched_cameras_only(clip: Clip, until: Until) -> None:
    seen: list[Packet] = []
    with RtspServer(clip) as server:
        feeds = started(server, 2, seen)
        try:
            assert until(lambda: len(feeds.gop("c0")) > 0 and len(feeds.gop("c1")) > 0, 10)
            assert seen == []
            feeds.watch("c1", True)
            assert until(lambda: len(seen) >= 2 * GOP, 10)
            assert {packet.camera for packet in seen} == {"c1"}
            assert feeds.gop("c1")[0].is_key and not any(packet.is_key for packet in feeds.gop("c1")[1:])
            feeds.watch("c1", False)
        finally:
            feeds.stop()


def test_snapshot_status_and_counters(clip: Clip, until: Until) -> None:
    with RtspServer(clip) as server:
        feeds = started(server, 2)
        try:
            with pytest.raises(SourceError, match="c0: no picture yet"):
                feeds.snapshot("c0")
            assert until(lambda: all(status.health is Health.ONLINE and status.gop_s for status in feeds.statuses()), 10)
            picture = cv2.imdecode(np.frombuffer(feeds.snapshot("c0"), np.uint8), cv2.IMREAD_COLOR)
            assert picture is not None and picture.shape == (HEIGHT, WIDTH, 3) and picture.max() > 200
            first, _ = feeds.statuses()
            assert (first.camera, first.codec, first.width_px) == ("c0", Codec.H264, WIDTH) and first.last_frame_s is not None
            assert abs(first.last_frame_s - SystemClock().now_s()) < 2
            stats = feeds.stats()
            assert stats.packets > 0 and stats.cameras_online == 2 and stats.ring_bytes > 0 and stats.lost == 0
        finally:
            feeds.stop()


def test_a_slow_pipeline_loses_encoded_packets_not_memory(clip: Clip, until: Until) -> None:
    with RtspServer(clip) as server:
        feeds = started(server, 2)
        try:
            assert until(lambda: feeds.stats().frames_dropped >= 2, 15)  # nobody takes anything
            batch = feeds.next_batch(0)
            assert batch is not None and len(batch) == 2
        finally:
            feeds.stop()


def test_a_camera_twice_is_our_own_mistake() -> None:
    with pytest.raises(ValueError, match="every camera once"):
        Feeds([Feed("c1", "rtsp://192.0.2.1/"), Feed("c1", "rtsp://192.0.2.2/")], SystemClock())
