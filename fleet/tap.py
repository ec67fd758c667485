"""Packet taps: the encoded packets of a camera somebody is watching, from its worker to whoever asked.

A worker binds one ZeroMQ XPUB socket on a file-system address that only its own user may open. Subscribing to a camera is the
request to watch it: the worker moves the camera to the fast lane, sends the GOP in its ring marked as cached, and
then every packet as it arrives. When the last subscriber leaves, the camera goes back to the slow lane.

Who looks at many cameras at a time subscribes to their key frames only, which changes nothing in how they are read.
"""

import asyncio
import logging
import queue
import struct
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager

import zmq
import zmq.asyncio

from base import Codec, Packet, StreamTimeout

__all__ = ["ManyTap", "PacketTap", "subscribe"]

logger = logging.getLogger(__name__)

_HEADER = struct.Struct("<dqBBI")  # time_s, pts_90k, is_key, codec, lost
_CODECS = tuple(Codec)
_WAITING = 512  # packets that may wait for the socket: two seconds of 16 busy cameras
_TAKEN = 1000  # packets that one look at a worker takes: the key frames of 727 cameras, and some
_SILENCE_S = 10.0  # no packet of a watched camera for this long ends the tap, as ingest gives a stream up then


class PacketTap:
    """The worker's end. `offer` may be called from the reader thread; everything else happens on the tap's own thread."""

    def __init__(
        self,
        address: str,
        cameras: frozenset[str],
        watch: Callable[[str, bool], None],
        watch_keys: Callable[[str, bool], None],
        gop: Callable[[str], tuple[Packet, ...]],
    ) -> None:
        self._cameras = cameras
        self._watch, self._watch_keys = watch, watch_keys
        self._gop = gop
        self._offered: queue.Queue[Packet] = queue.Queue(_WAITING)
        self._stopping = threading.Event()
        self._watched: set[str] = set()
        self._keyed: set[str] = set()
        self.refused = 0
        self._socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.XPUB)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.SNDHWM, 1000)
        self._socket.setsockopt(zmq.XPUB_VERBOSER, 1)
        self._socket.bind(address)
        self._counts: Counter[bytes] = Counter()  # subscriptions of a topic
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
        is_wanted = bool(self._watched or self._keyed)
        if self._socket.poll(0 if is_wanted else 100):
            self._hear(self._socket.recv())
        try:
            packet = self._offered.get(timeout=0.02) if is_wanted else self._offered.get_nowait()
        except queue.Empty:
            return
        if packet.camera in self._watched:
            self._send(_topic(packet.camera), packet)
        if packet.is_key and packet.camera in self._keyed:
            self._send(_key_topic(packet.camera), packet)

    def _hear(self, message: bytes) -> None:
        """One subscription (1) or its end (0), as XPUB reports it: a byte, then the topic."""
        began, topic = bool(message[0]), message[1:]
        camera, of_keys = topic.decode("ascii", "replace").strip("|"), topic.startswith(b"|")
        if camera not in self._cameras:
            return
        self._counts[topic] += 1 if began else -1
        wanted, watch = (self._keyed, self._watch_keys) if of_keys else (self._watched, self._watch)
        if began:
            wanted.add(camera)
            watch(camera, True)
            for packet in self._gop(camera)[: 1 if of_keys else None]:
                self._send(topic, packet)
        elif self._counts[topic] <= 0:
            del self._counts[topic]
            wanted.discard(camera)
            watch(camera, False)

    def _send(self, topic: bytes, packet: Packet) -> None:
        header = _HEADER.pack(packet.time_s, packet.pts_90k, packet.is_key, _CODECS.index(packet.codec), packet.lost)
        self._socket.send_multipart((topic, header, packet.data))


class ManyTap:
    """Key frames of many cameras, and all packets of a few. Belongs to the event-loop thread; nothing in it waits.

    Whoever takes too seldom loses what came meanwhile, never holds a worker up: its next key frame puts a camera right.
    """

    def __init__(self, address: Callable[[str], str | None]) -> None:
        """`address` tells where a camera's worker is now, None if it has none; another one after a restart."""
        self._address = address
        self._sockets: dict[str, zmq.Socket[bytes]] = {}
        self._topics: dict[str, set[bytes]] = {}  # subscribed, by address

    def want(self, keys: Iterable[str], whole: Iterable[str]) -> None:
        """From now on the key frames of `keys`, the newest at once, and all packets of `whole`, from the cached GOP on.

        To be repeated every second or so: so it finds workers that have been started anew.
        """
        wanted: dict[str, set[bytes]] = {}
        for cameras, topic_of in ((keys, _key_topic), (whole, _topic)):
            for camera in cameras:
                address = self._address(camera)
                if address is not None:
                    wanted.setdefault(address, set()).add(topic_of(camera))
        for address in self._sockets.keys() - wanted.keys():
            self._sockets.pop(address).close()
            del self._topics[address]
        for address, topics in wanted.items():
            if address not in self._sockets:
                self._sockets[address], self._topics[address] = _connected(address), set()
            for topic in topics - self._topics[address]:
                self._sockets[address].setsockopt(zmq.SUBSCRIBE, topic)
            for topic in self._topics[address] - topics:
                self._sockets[address].setsockopt(zmq.UNSUBSCRIBE, topic)
            self._topics[address] = topics

    def take(self) -> list[Packet]:
        """What came since the last call, in order for each camera; at most `_TAKEN` of a worker."""
        packets: list[Packet] = []
        for socket in self._sockets.values():
            for _ in range(_TAKEN):
                try:
                    packets.append(_unpacked(socket.recv_multipart(zmq.DONTWAIT)))
                except zmq.Again:
                    break
        return packets

    def close(self) -> None:
        """Want nothing more. May be called twice."""
        self.want((), ())


def _connected(address: str) -> "zmq.Socket[bytes]":
    socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.SUB)
    socket.setsockopt(zmq.LINGER, 0)
    socket.setsockopt(zmq.RCVHWM, 2 * _TAKEN)
    socket.connect(address)
    return socket


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
    newest = float("-inf"), 0
    while True:
        try:
            parts = await asyncio.wait_for(socket.recv_multipart(), _SILENCE_S)
        except TimeoutError:
            raise StreamTimeout(f"{camera}: no packet for {_SILENCE_S:.0f} s while watched") from None
        packet = _unpacked(parts)
        # Another viewer's burst of the cached GOP reaches this one too; by our clock, which unlike a camera's own never starts
        # over when it reconnects, what was seen is passed over. Pictures that were held up and come together may share a time.
        if (packet.time_s, packet.pts_90k) > newest:
            newest = packet.time_s, packet.pts_90k
            yield packet


def _unpacked(parts: Sequence[bytes]) -> Packet:
    topic, header, data = parts
    time_s, pts_90k, is_key, codec, lost = _HEADER.unpack(header)
    return Packet(topic.decode("ascii").strip("|"), time_s, pts_90k, bool(is_key), data, _CODECS[codec], lost)


def _topic(camera: str) -> bytes:
    return camera.encode("ascii") + b"|"  # closed, because a subscription matches by prefix


def _key_topic(camera: str) -> bytes:
    return b"|" + _topic(camera)  # no camera's name begins so
