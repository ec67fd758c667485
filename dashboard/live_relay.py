"""One stream of packets for many: what a tap and a transcode have in common, and what waits for whoever is slow.

Everything here belongs to the event-loop thread.
"""

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from typing import Protocol

from base import GridpatrolError, Packet, StreamName

__all__ = ["CLOSE_S", "QUEUE_PACKETS", "Backlog", "Relay", "Sink"]

CLOSE_S = 1.0
"""How long a tap or a viewer may take to close before it is left to itself."""

QUEUE_PACKETS = 150
"""Packets that may wait, beyond the cached GOP: 10 s at 15 frames/s. Beyond that it goes on at the next key frame."""

GOP_PACKETS = 1_500
GOP_BYTES = 16_000_000
"""Beyond these a GOP is not cached and viewers wait for a key frame: encoders with minutes between key frames."""


class Sink(Protocol):
    """Who is given a relay's packets, in order."""

    def begin(self, gop: list[Packet]) -> None:
        """The cached GOP, which may be empty."""
        ...

    def offer(self, packet: Packet) -> None:
        """One packet more; never waits."""
        ...

    def lose(self) -> None:
        """There will be no more."""
        ...


class Backlog:
    """A sink whose packets wait to be taken, always from a key frame on; what is too much is let go until the next one."""

    def __init__(self) -> None:
        self.dropped = 0
        self.is_over = False
        self._waiting: deque[Packet] = deque()
        self._changed = asyncio.Event()
        self._limit = QUEUE_PACKETS
        self._needs_key = True

    def begin(self, gop: list[Packet]) -> None:
        """Start with the cached GOP, which may be empty."""
        self._limit = QUEUE_PACKETS + len(gop)
        for packet in gop:
            self.offer(packet)

    def offer(self, packet: Packet) -> None:
        """Let `packet` wait; if too many do, all of them are lost, and so is what cannot be decoded without them. Nothing is
        taken once nothing more is to come."""
        if self.is_over:
            return
        if len(self._waiting) >= self._limit:
            self.dropped += len(self._waiting)
            self._waiting.clear()
            self._needs_key = True
        if self._needs_key and not packet.is_key:
            self.dropped += 1
            return
        self._needs_key = False
        self._waiting.append(packet)
        self._changed.set()

    def shed(self, most: int) -> None:
        """Let go of what waits if it is more than `most`: the next packet is a key frame, and makes it unnecessary."""
        if len(self._waiting) > most:
            self.dropped += len(self._waiting)
            self._waiting.clear()

    def lose(self) -> None:
        """Nothing more will come."""
        self.is_over = True
        self._changed.set()

    async def take(self) -> Packet | None:
        """The next packet; None when all are taken and no more will come."""
        while not self._waiting:
            if self.is_over:
                return None
            self._changed.clear()
            await self._changed.wait()
        return self._waiting.popleft()

    def end(self) -> None:
        """Nothing more is to be taken, not even what waits."""
        self.lose()
        self.shed(0)

    def take_now(self, most: int) -> list[Packet]:
        """As many as wait, at most so many."""
        return [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]

    @property
    def newest(self) -> Packet | None:
        """What was put last, if it still waits."""
        return self._waiting[-1] if self._waiting else None


class Relay(ABC):
    """One stream's packets, given to all who joined, with the newest GOP kept for those who come.

    `first` is the first packet, or why there is none; `lost` is set when no more will come; `users` counts who holds it.
    """

    def __init__(self, camera: str, stream: StreamName) -> None:
        self.camera = camera
        self.stream = stream
        self.users = 0
        self.first: asyncio.Future[Packet] = asyncio.get_running_loop().create_future()
        self.lost = asyncio.Event()
        self._sinks: set[Sink] = set()
        self._gop: list[Packet] = []
        self._gop_bytes = 0

    def join(self, sink: Sink) -> None:
        """Give `sink` the cached GOP now, and every packet from now on."""
        sink.begin(self._gop)
        self._sinks.add(sink)
        if self.lost.is_set():
            sink.lose()

    def leave(self, sink: Sink) -> None:
        """Give `sink` nothing more; harmless when repeated."""
        self._sinks.discard(sink)

    @abstractmethod
    async def close(self) -> None:
        """Stop; returns when all is let go, or after `CLOSE_S`."""

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
        for sink in self._sinks:
            sink.offer(packet)

    def _end(self, problem: GridpatrolError) -> None:
        """No more will come; who waits for the first packet is told `problem`."""
        self.lost.set()
        if not self.first.done():
            self.first.set_exception(problem)
            self.first.exception()  # whoever waited may be gone
        for sink in self._sinks:
            sink.lose()
