"""A small clip in every coding that cameras send, and a fleet that plays it: the FleetView of these tests."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from fractions import Fraction
from functools import cache

import av
import numpy as np

from base import CameraStatus, Clock, Codec, Gap, GapCause, Health, Packet, Quality, SourceError, StreamName, WorkerStats
from dashboard import WorkerState

FPS = 30
GOP = 15
WIDTH, HEIGHT = 320, 180
CACHED = 10
"""Packets of the newest GOP that are already there when somebody begins to watch."""

JPEG = b"\xff\xd8\xff\xe0 a picture \xff\xd9"


_KEYS = f"keyint={GOP}:min-keyint={GOP}:scenecut=0:repeat-headers=1"
_FAST = {"preset": "ultrafast", "tune": "zerolatency"}
_ENCODERS = {
    Codec.H264: ("libx264", "yuv420p", {**_FAST, "profile": "baseline", "x264-params": _KEYS}),
    Codec.H265: ("libx265", "yuv420p", {**_FAST, "x265-params": f"{_KEYS}:pools=1:frame-threads=1:log-level=none"}),
    Codec.MJPEG: ("mjpeg", "yuvj420p", {}),
}


@cache
def clip(codec: Codec = Codec.H264) -> tuple[tuple[bytes, bool], ...]:
    """Two GOPs of a moving bar, each access unit with its key flag: Annex B, key frames with their parameter sets, or JPEGs."""
    name, pixels, options = _ENCODERS[codec]
    encoder = av.CodecContext.create(name, "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, pixels
    encoder.time_base, encoder.framerate = Fraction(1, FPS), Fraction(FPS, 1)
    encoder.options = options
    units = []
    for number in range(2 * GOP):
        picture = np.full((HEIGHT, WIDTH, 3), 60, np.uint8)
        picture[:, number * 8 : number * 8 + 24] = 220
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=pixels)
        frame.pts = number
        units += [(bytes(packet), packet.is_keyframe) for packet in encoder.encode(frame)]
    units += [(bytes(packet), packet.is_keyframe) for packet in encoder.encode(None)]
    return tuple(units)


class ClipMany:
    """All cameras of `fleet` that are online, playing the clip by its clock. Their GOP is as long as the clip's."""

    def __init__(self, fleet: "ClipFleet") -> None:
        self._fleet = fleet
        self._next: dict[str, int] = {}  # number of the next packet of each camera
        self.keys: frozenset[str] = frozenset()
        self.whole: frozenset[str] = frozenset()

    def want(self, keys: Iterable[str], whole: Iterable[str]) -> None:
        self.keys, self.whole = frozenset(keys), frozenset(whole)

    def take(self) -> list[Packet]:
        units, now_s = clip(), self._fleet.clock.now_s()
        found = []
        for camera in sorted(self.keys | self.whole):
            status = self._fleet.status.get(camera)
            if status is None or status.health is Health.OFFLINE or camera in self._fleet.frozen:
                continue
            present = int((now_s - self._fleet.began_s) * FPS)
            for number in range(self._next.get(camera, present - present % GOP), present + 1):
                data, is_key = units[number % len(units)]
                if is_key or camera in self.whole:
                    time_s = self._fleet.began_s + number / FPS
                    found.append(Packet(camera, time_s, number * 3000, is_key, data, status.codec))
            self._next[camera] = present + 1
        return found

    def close(self) -> None:
        self.want((), ())


class ClipFleet:
    """A fleet of cameras that all play the clip for ever. Used on the server's event loop; `lose` from there, too."""

    def __init__(self, cameras: tuple[str, ...], clock: Clock) -> None:
        self.clock = clock
        self.began_s = clock.now_s()
        self.frozen: set[str] = set()  # their packets come no more, though they say that they are online
        self.taps: list[ClipMany] = []  # of many cameras, in the order in which they were opened
        self.mains: frozenset[str] = frozenset()
        self.opened = 0
        self.open_now = 0
        self.lost = asyncio.Event()
        self.gaps: dict[str, Gap] = {}
        self.status = {
            camera: CameraStatus(camera, Health.ONLINE, Quality.EXCELLENT, clock.now_s(), clock.now_s(), codec=Codec.H264)
            for camera in cameras
        }

    def set_codec(self, camera: str, codec: Codec) -> None:
        self.status[camera] = replace(self.status[camera], codec=codec)

    def set_health(self, camera: str, health: Health) -> None:
        self.status[camera] = replace(self.status[camera], health=health)

    def statuses(self) -> Mapping[str, CameraStatus]:
        return self.status

    def open_gaps(self) -> Mapping[str, Gap]:
        return self.gaps

    def ended_gaps_s(self) -> Mapping[GapCause, float]:
        return {GapCause.STALL: 12.5}

    async def snapshot(self, camera: str) -> bytes:
        if self.status[camera].health is not Health.ONLINE:
            raise SourceError(f"camera {camera} has no picture yet")
        return JPEG

    def packets(self, camera: str, stream: StreamName = StreamName.SUB) -> AbstractAsyncContextManager[AsyncIterator[Packet]]:
        if stream is StreamName.MAIN and camera not in self.mains:
            raise SourceError(f"camera {camera} has no main stream")
        return self._open(camera)

    @asynccontextmanager
    async def _open(self, camera: str) -> AsyncIterator[AsyncIterator[Packet]]:
        if self.status[camera].health is not Health.ONLINE:
            raise SourceError(f"camera {camera} is offline")
        self.opened += 1
        self.open_now += 1
        packets = self._play(camera)
        try:
            yield packets
        finally:
            await packets.aclose()
            self.open_now -= 1

    async def _play(self, camera: str) -> AsyncGenerator[Packet, None]:
        begin_s = self.clock.now_s() - CACHED / FPS
        number = 0
        while True:
            codec = self.status[camera].codec
            units = clip(codec)
            data, is_key = units[number % len(units)]
            if number >= CACHED:
                await self._next_frame(camera)
            yield Packet(camera, begin_s + number / FPS, round(number * 90_000 / FPS), is_key, data, codec)
            number += 1

    async def _next_frame(self, camera: str) -> None:
        """Wait a frame's time, which is what a camera does; raise when the tap is lost."""
        try:
            async with asyncio.timeout(1 / FPS):
                await self.lost.wait()
        except TimeoutError:
            return
        raise SourceError(f"the worker of camera {camera} is gone")

    def many(self) -> ClipMany:
        self.taps.append(ClipMany(self))
        return self.taps[-1]

    def stats(self) -> Mapping[str, WorkerStats]:
        return {"w0": WorkerStats(packets=12, bytes=3_400, outbox_depth=2, cpu_s=1.5, rss_bytes=50_000_000)}

    def workers(self) -> Sequence[WorkerState]:
        return [WorkerState("w0", len(self.status), 1, self.clock.now_s())]
