"""One camera's packets on their way to its viewers: a tap that reads them once, and a track for each viewer.

Everything here belongs to the event-loop thread.
"""

import asyncio
import logging
from collections import deque
from fractions import Fraction
from typing import Protocol

import av
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from av.stream import Stream

from base import Clock, Packet, SourceError, StreamName
from dashboard.fleet_view import FleetView

__all__ = ["CLOSE_S", "QUEUE_PACKETS", "Tap", "Track"]

logger = logging.getLogger(__name__)

CLOSE_S = 1.0
"""How long a tap or a viewer may take to close before it is left to itself."""

QUEUE_PACKETS = 150
"""Packets waiting for one viewer, beyond its cached GOP: 10 s at 15 frames/s. Beyond that it skips to the next key frame."""

GOP_PACKETS = 1_500
GOP_BYTES = 16_000_000
"""Beyond these a GOP is not cached and viewers wait for a key frame: encoders with minutes between key frames."""

CATCH_UP = 32
"""How much faster than life the cached GOP is stamped. A browser would otherwise play it at its own speed and stay behind."""

BURST_BYTES, BURST_PAUSE_S = 32_768, 0.004
"""The cached GOP goes out at 65 Mbit/s: at once it would overrun a receiver's socket buffer (212,992 bytes on Linux)."""

_TIME_BASE = Fraction(1, 90_000)


class Source(Protocol):
    """Where a track begins: gives it the cached GOP, and every packet after it."""

    def join(self, track: "Track") -> None: ...


class Track(MediaStreamTrack):
    """One viewer's packets, pulled by aiortc once the viewer is connected."""

    kind = "video"

    def __init__(self, source: Source, clock: Clock) -> None:
        super().__init__()
        self._source = source
        self._clock = clock
        self._packets: deque[Packet] = deque()
        self._arrived = asyncio.Event()
        self._limit = QUEUE_PACKETS
        self._joined_s: float | None = None  # UTC when the cached GOP was taken
        self._last_pts: int | None = None
        self._burst_bytes = 0
        self._needs_key = True
        self.dropped = 0
        self.is_lost = False

    async def recv(self) -> "av.Packet[Stream]":
        """The next packet as Annex B with a 90 kHz time stamp; raises MediaStreamError when the tap is lost."""
        if self._joined_s is None:
            self._joined_s = self._clock.now_s()
            self._source.join(self)
        while not self._packets:
            if self.is_lost:
                self.stop()
                raise MediaStreamError
            self._arrived.clear()
            await self._arrived.wait()
        packet = self._packets.popleft()
        await self._pace(packet)
        out = av.Packet(packet.data)
        out.pts = self._stamp(packet)
        out.time_base = _TIME_BASE
        return out

    def begin(self, gop: list[Packet]) -> None:
        """Start with the cached GOP, which may be empty."""
        self._limit = QUEUE_PACKETS + len(gop)
        for packet in gop:
            self.offer(packet)

    def offer(self, packet: Packet) -> None:
        """Queue `packet`; a viewer that is too slow loses what waits and goes on at the next key frame."""
        if len(self._packets) >= self._limit:
            self.dropped += len(self._packets)
            self._packets.clear()
            self._needs_key = True
        if self._needs_key and not packet.is_key:
            self.dropped += 1
            return
        self._needs_key = False
        self._packets.append(packet)
        self._arrived.set()

    def lose(self) -> None:
        """End the track after what waits has been sent."""
        self.is_lost = True
        self._arrived.set()

    def _stamp(self, packet: Packet) -> int:
        """The packet's media time, with the cached part squeezed so that it ends now; strictly rising."""
        assert self._joined_s is not None
        age_s = max(0.0, self._joined_s - packet.time_s)
        pts = packet.pts_90k + round(90_000 * age_s * (1 - 1 / CATCH_UP))
        if self._last_pts is not None:
            pts = max(pts, self._last_pts + 1)
        self._last_pts = pts
        return pts

    async def _pace(self, packet: Packet) -> None:
        assert self._joined_s is not None
        if packet.time_s >= self._joined_s:
            return
        self._burst_bytes += len(packet.data)
        if self._burst_bytes >= BURST_BYTES:
            self._burst_bytes = 0
            await asyncio.sleep(BURST_PAUSE_S)


class Tap:
    """One camera's packets, read once and given to all its viewers, with the newest GOP kept for those who come."""

    def __init__(self, camera: str, fleet: FleetView, stream: StreamName = StreamName.SUB) -> None:
        self.camera = camera
        self.stream = stream
        self.users = 0  # views that hold it, connected or not yet
        self.first: asyncio.Future[Packet] = asyncio.get_running_loop().create_future()
        self.lost = asyncio.Event()
        self._fleet = fleet
        self._tracks: set[Track] = set()
        self._gop: list[Packet] = []
        self._gop_bytes = 0
        self._task = asyncio.create_task(self._run(), name=f"tap-{camera}-{stream}")

    def join(self, track: Track) -> None:
        """Give `track` the cached GOP now, and every packet from now on."""
        track.begin(self._gop)
        self._tracks.add(track)
        if self.lost.is_set():
            track.lose()

    def leave(self, track: Track) -> None:
        """Give `track` nothing more; harmless when repeated."""
        self._tracks.discard(track)

    async def close(self) -> None:
        """Stop reading; returns when the fleet has let go, or after `CLOSE_S`."""
        self._task.cancel()
        _, unfinished = await asyncio.wait((self._task,), timeout=CLOSE_S)
        if unfinished:
            logger.warning("the tap of camera %s did not close within %.0f s", self.camera, CLOSE_S)

    async def _run(self) -> None:
        problem = SourceError(f"camera {self.camera} stopped sending before its first packet")
        try:
            async with self._fleet.packets(self.camera, self.stream) as packets:
                async for packet in packets:
                    self._spread(packet)
        except SourceError as error:
            problem = error
            logger.info("the tap of camera %s is lost: %s", self.camera, error)
        except Exception:
            logger.exception("the tap of camera %s failed", self.camera)
        finally:
            self.lost.set()
            if not self.first.done():
                self.first.set_exception(problem)
                self.first.exception()  # whoever waited may be gone; it is logged above
            for track in self._tracks:
                track.lose()

    def _spread(self, packet: Packet) -> None:
        if not self.first.done():
            self.first.set_result(packet)
        if packet.is_key:
            self._gop, self._gop_bytes = [packet], len(packet.data)
        elif self._gop:
            self._gop.append(packet)
            self._gop_bytes += len(packet.data)
            if len(self._gop) > GOP_PACKETS or self._gop_bytes > GOP_BYTES:
                self._gop = []
        for track in self._tracks:
            track.offer(packet)
