"""One camera's packets on their way to its viewers: a tap that reads them once, and a track for each viewer.

Everything here belongs to the event-loop thread.
"""

import asyncio
import logging
from fractions import Fraction
from typing import Protocol

import av
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from av.stream import Stream

from base import Clock, Packet, SourceError, StreamName
from dashboard.fleet_view import FleetView
from dashboard.live_relay import CLOSE_S, Backlog, Relay, Sink

__all__ = ["Tap", "Track"]

logger = logging.getLogger(__name__)

CATCH_UP = 32
"""How much faster than life the cached GOP is stamped. A browser would otherwise play it at its own speed and stay behind."""

BURST_BYTES, BURST_PAUSE_S = 32_768, 0.004
"""The cached GOP goes out at 65 Mbit/s: at once it would overrun a receiver's socket buffer (212,992 bytes on Linux)."""

_TIME_BASE = Fraction(1, 90_000)


class Source(Protocol):
    """Where a track begins: gives it the cached GOP, and every packet after it."""

    def join(self, sink: Sink) -> None: ...


class Track(MediaStreamTrack):
    """One viewer's packets, pulled by aiortc once the viewer is connected."""

    kind = "video"

    def __init__(self, source: Source, clock: Clock) -> None:
        super().__init__()
        self._source = source
        self._clock = clock
        self._backlog = Backlog()
        self._joined_s: float | None = None  # UTC when the cached GOP was taken
        self._last_pts: int | None = None
        self._burst_bytes = 0

    @property
    def dropped(self) -> int:
        """Packets that were not sent because the viewer was too slow."""
        return self._backlog.dropped

    async def recv(self) -> "av.Packet[Stream]":
        """The next packet as Annex B with a 90 kHz time stamp; raises MediaStreamError when the tap is lost."""
        if self._joined_s is None:
            self._joined_s = self._clock.now_s()
            self._source.join(self)
        packet = await self._backlog.take()
        if packet is None:
            self.stop()
            raise MediaStreamError
        await self._pace(packet)
        out = av.Packet(packet.data)
        out.pts = self._stamp(packet)
        out.time_base = _TIME_BASE
        return out

    def begin(self, gop: list[Packet]) -> None:
        self._backlog.begin(gop)

    def offer(self, packet: Packet) -> None:
        self._backlog.offer(packet)

    def lose(self) -> None:
        """End the track after what waits has been sent."""
        self._backlog.lose()

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


class Tap(Relay):
    """One camera's packets, read once and given to all its viewers."""

    def __init__(self, camera: str, fleet: FleetView, stream: StreamName = StreamName.SUB) -> None:
        super().__init__(camera, stream)
        self._fleet = fleet
        self._task = asyncio.create_task(self._run(), name=f"tap-{camera}-{stream}")

    async def close(self) -> None:
        self._task.cancel()
        _, unfinished = await asyncio.wait((self._task,), timeout=CLOSE_S)
        if unfinished:
            logger.warning("the tap of camera %s did not close within %.0f s", self.camera, CLOSE_S)

    async def _run(self) -> None:
        problem = SourceError(f"camera {self.camera} stopped sending before its first packet")
        try:
            async with self._fleet.packets(self.camera, self.stream) as packets:
                async for packet in packets:
                    self._check_codec(packet)
                    self._spread(packet)
        except SourceError as error:
            problem = error
            logger.info("the tap of camera %s is lost: %s", self.camera, error)
        except Exception:
            logger.exception("the tap of camera %s failed", self.camera)
        finally:
            self._end(problem)

    def _check_codec(self, packet: Packet) -> None:
        """Whoever watches was promised one coding; with another one they begin anew."""
        if self.first.done() and packet.codec is not (before := self.first.result().codec):
            raise SourceError(f"camera {self.camera} sends {packet.codec} now, and no longer {before}")
