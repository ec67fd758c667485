"""Packet taps: the encoded packets of a camera somebody is watching, from its worker to whoever asked.

A worker binds one ZeroMQ XPUB socket on a file-system address that only its own user may open. Subscribing to a camera is the
request to watch it: the worker moves the camera to the fast lane, sends the GOP in its ring marked as cached, and
then every packet as it arrives. When the last subscriber leaves, the camera goes back to the slow lane.
"""

import asyncio
import logging
import queue
import struct
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import zmq
import zmq.asyncio

from base import Codec, Packet, StreamTimeout

__all__ = ["PacketTap", "subscribe"]

logger = logging.getLogger(__name__)

_HEADER = struct.Struct("<dqBBI")  # time_s, pts_90k, is_key, codec, lost
_CODECS = tuple(Codec)
_WAITING = 512  # packets that may wait for the socket: two seconds of 16 busy cameras
_SILENCE_S = 10.0  # no packet of a watched camera for this long ends the tap, as ingest gives a stream up then


class PacketTap:
    """The worker's end. `offer` may be called from the reader thread; everything else happens on the tap's own thread."""

    def __init__(
        self,
        address: str,
        cameras: frozenset[str],
        watch: Callable[[str, bool], None],
        gop: Callable[[str], tuple[Packet, ...]],
    ) -> None:
        self._cameras = cameras
        self._watch = watch
        self._gop = gop
        self._offered: queue.Queue[Packet] = queue.Queue(_WAITING)
        self._stopping = threading.Event()
        self._watched: set[str] = set()
        self.refused = 0
        self._socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.XPUB)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.SNDHWM, 1000)
        self._socket.setsockopt(zmq.XPUB_VERBOSER, 1)
        self._socket.bind(address)
        self._counts: dict[str, int] = {}
        self._thread = threading.Thread(target=self._run, name="tap", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def offer(self, packet: Packet) -> None:
        """Hand over one packet; when nobody takes them away the newest is refused and counted, never the reader held up."""
        try:
            self._offered.put_nowait(packet)
        except queue.Full:
            self.refused += 1

    def offer_only(self, cameras: frozenset[str]) -> None:
        """The cameras that may be asked for from now on. Any thread."""
        self._cameras = cameras

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(timeout=2)

    @property
    def is_alive(self) -> bool:
        """Whether its thread still runs."""
        return self._thread.is_alive()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._turn()
            except Exception:
                logger.exception("a turn of the packet tap failed; viewers may miss packets")
                self._stopping.wait(0.1)
        self._socket.close()

    def _turn(self) -> None:
        """Whoever came or went, then one packet."""
        if self._socket.poll(0 if self._watched else 100):
            self._hear(self._socket.recv())
        try:
            packet = self._offered.get(timeout=0.02) if self._watched else self._offered.get_nowait()
        except queue.Empty:
            return
        self._send(packet)

    def _hear(self, message: bytes) -> None:
        """One subscription (1) or its end (0), as XPUB reports it: a byte, then the topic."""
        camera = message[1:].decode("ascii", "replace").rstrip("|")
        if camera not in self._cameras:
            return
        count = self._counts.get(camera, 0) + (1 if message[0] else -1)
        self._counts[camera] = max(0, count)
        if message[0]:
            self._watched.add(camera)
            self._watch(camera, True)
            for packet in self._gop(camera):
                self._send(packet)
        elif count <= 0:
            self._watched.discard(camera)
            self._watch(camera, False)

    def _send(self, packet: Packet) -> None:
        header = _HEADER.pack(packet.time_s, packet.pts_90k, packet.is_key, _CODECS.index(packet.codec), packet.lost)
        self._socket.send_multipart((_topic(packet.camera), header, packet.data))


@asynccontextmanager
async def subscribe(address: str, camera: str) -> AsyncIterator[AsyncIterator[Packet]]:
    """The packets of `camera`, the cached GOP first; raises StreamTimeout from the iterator when they stop coming."""
    context = zmq.asyncio.Context.instance()
    socket = context.socket(zmq.SUB)
    socket.setsockopt(zmq.LINGER, 0)
    socket.setsockopt(zmq.RCVHWM, 1000)
    try:
        socket.connect(address)
        socket.setsockopt(zmq.SUBSCRIBE, _topic(camera))
        yield _packets(socket, camera)
    finally:
        socket.close()


async def _packets(socket: "zmq.asyncio.Socket", camera: str) -> AsyncIterator[Packet]:
    newest_s = float("-inf")
    while True:
        try:
            _, header, data = await asyncio.wait_for(socket.recv_multipart(), _SILENCE_S)
        except TimeoutError:
            raise StreamTimeout(f"{camera}: no packet for {_SILENCE_S:.0f} s while watched") from None
        time_s, pts_90k, is_key, codec, lost = _HEADER.unpack(header)
        # Another viewer's burst of the cached GOP reaches this one too; by our clock, which unlike a camera's own never starts
        # over when it reconnects, what was seen is passed over.
        if time_s <= newest_s:
            continue
        newest_s = time_s
        yield Packet(camera, time_s, pts_90k, bool(is_key), data, _CODECS[codec], lost)


def _topic(camera: str) -> bytes:
    return camera.encode("ascii") + b"|"  # closed, because a subscription matches by prefix
