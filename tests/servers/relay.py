"""A line between a camera and us, in user space: slow, narrow, dead in either direction, refused or reset. One thread, seeded."""

import contextlib
import heapq
import random
import re
import socket
import struct
import threading
import time
from collections import deque
from dataclasses import dataclass, field

_CHUNK_BYTES = 16_384
_MOST_QUEUED_BYTES = 256 * 1024  # of one direction; beyond that the sender meets a full window, as on a real line
_TURN_S = 0.005
_LATE_S = 0.02
_OUR_PORTS = re.compile(rb"client_port=(\d+)-(\d+)")
_THEIR_PORTS = re.compile(rb"server_port=(\d+)-(\d+)")


@dataclass(frozen=True)
class Link:
    """How the line behaves. `up` is from the client to the camera; a direction that is dead neither forwards nor closes."""

    delay_s: float = 0.0
    jitter_s: float = 0.0  # up to so much more, drawn for every piece; the order stays, as TCP keeps it
    bytes_per_s: float = 0.0  # of each direction of each connection; 0: no limit
    loss: float = 0.0  # share of datagrams that vanish; this and the next two for UDP only
    twice: float = 0.0  # share that comes twice
    late: float = 0.0  # share that comes 20 ms later, behind others
    up: bool = True
    down: bool = True
    accepting: bool = True  # False: connections are refused, as by a host that is up without its service


@dataclass(eq=False)
class _Way:
    """One direction of one connection. `queue` holds what is under way: when it arrives, and what; empty bytes are the end."""

    source: socket.socket
    sink: socket.socket
    is_up: bool
    queue: deque[tuple[float, bytes]] = field(default_factory=deque)
    queued_bytes: int = 0
    arrives_s: float = 0.0  # of the newest piece
    ended: bool = False
    datagrams: "_Datagrams | None" = None  # set iff the relay carries UDP

    def move(self, link: Link, rng: random.Random, now_s: float) -> bool:
        """Take a piece, hand on what has arrived; False once the end has. Raises OSError."""
        if not (link.up if self.is_up else link.down):
            return True
        if not self.ended and self.queued_bytes < _MOST_QUEUED_BYTES:
            with contextlib.suppress(BlockingIOError):
                self._take(self.source.recv(_CHUNK_BYTES), link, rng, now_s)
        with contextlib.suppress(BlockingIOError):
            while self.queue and self.queue[0][0] <= now_s:
                arrives_s, data = self.queue[0]
                if not data:
                    return False
                sent = self.sink.send(data)
                self.queued_bytes -= sent
                self.queue.popleft()
                if sent < len(data):
                    self.queue.appendleft((arrives_s, data[sent:]))
        return True

    def _take(self, data: bytes, link: Link, rng: random.Random, now_s: float) -> None:
        self.ended = not data
        if self.datagrams is not None:
            data = self.datagrams.rewrite(data, self.is_up)
        lasts_s = len(data) / link.bytes_per_s if link.bytes_per_s else 0.0
        behind_s = max(self.arrives_s, now_s) + lasts_s
        self.arrives_s = max(behind_s, now_s + link.delay_s + rng.uniform(0, link.jitter_s))
        self.queue.append((self.arrives_s, data))
        self.queued_bytes += len(data)


class _Datagrams:
    """Carries RTP and RTCP of one client between its ports and the camera's, each by a socket of its own."""

    def __init__(self) -> None:
        self._sockets = [_udp_socket(), _udp_socket()]
        while self.port % 2 or not self._bind_next():
            self._sockets[0].close()
            self._sockets[0] = _udp_socket()
        self._client = self._camera = (0, 0)
        self._queue: list[tuple[float, int, socket.socket, bytes, int]] = []  # when, serial, from where, what, to which port
        self._serial = 0

    @property
    def port(self) -> int:
        return int(self._sockets[0].getsockname()[1])

    def rewrite(self, data: bytes, is_up: bool) -> bytes:
        """SETUP and its answer name our ports instead; the others' are kept."""
        pattern = _OUR_PORTS if is_up else _THEIR_PORTS
        found = pattern.search(data)
        if found is None:
            return data
        ports = int(found[1]), int(found[2])
        if is_up:
            self._client = ports
        else:
            self._camera = ports
            data = _OUR_PORTS.sub(b"client_port=%d-%d" % self._client, data)
        name = b"client_port" if is_up else b"server_port"
        return pattern.sub(b"%b=%d-%d" % (name, self.port, self.port + 1), data)

    def move(self, link: Link, rng: random.Random, now_s: float) -> None:
        for index, sock in enumerate(self._sockets):
            with contextlib.suppress(OSError):
                while True:
                    data, (_, port) = sock.recvfrom(65536)
                    is_up = port == self._client[index]
                    if not (link.up if is_up else link.down) or rng.random() < link.loss:
                        continue
                    to = self._camera[index] if is_up else self._client[index]
                    for _ in range(1 + (rng.random() < link.twice)):
                        after_s = link.delay_s + rng.uniform(0, link.jitter_s) + _LATE_S * (rng.random() < link.late)
                        self._serial += 1
                        heapq.heappush(self._queue, (now_s + after_s, self._serial, sock, data, to))
        while self._queue and self._queue[0][0] <= now_s:
            _, _, sock, data, to = heapq.heappop(self._queue)
            with contextlib.suppress(OSError):
                sock.sendto(data, ("127.0.0.1", to))

    def close(self) -> None:
        for sock in self._sockets:
            sock.close()

    def _bind_next(self) -> bool:
        with contextlib.suppress(OSError):
            self._sockets[1].close()
            self._sockets[1] = _udp_socket(self.port + 1)
            return True
        return False


def _udp_socket(port: int = 0) -> socket.socket:
    new = socket.socket(type=socket.SOCK_DGRAM)
    new.setblocking(False)
    try:
        new.bind(("127.0.0.1", port))
    except OSError:
        new.close()
        raise
    return new


class Relay:
    """Listens at `port` of 127.0.0.1 and forwards to port `target`. `link` may be replaced at any time, from any thread.

    With `udp`, RTP by UDP takes the same way: SETUP and its answer are rewritten so that both sides send to us.
    """

    def __init__(self, target: int, *, udp: bool = False, seed: int = 1) -> None:
        self.link = Link()
        self._udp = udp
        self._target, self._rng = target, random.Random(seed)
        self._ways: list[_Way] = []
        self._listener: socket.socket | None = None
        self.port = 0
        self._listen()
        self._stop, self._cut = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="test-relay", daemon=True)

    def __enter__(self) -> "Relay":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(5)
        for way in tuple(self._ways):
            self._end(way)
        if self._listener is not None:
            self._listener.close()

    def reset(self) -> None:
        """End every connection with RST, on both sides. Any thread."""
        self._cut.set()

    def _run(self) -> None:
        while not self._stop.wait(_TURN_S):
            if self._cut.is_set():
                self._cut.clear()
                for way in tuple(self._ways):
                    self._end(way, reset=True)
            self._accept()
            now_s = time.monotonic()
            for way in tuple(self._ways):
                if way.is_up and way.datagrams is not None:
                    way.datagrams.move(self.link, self._rng, now_s)
                try:
                    alive = way.move(self.link, self._rng, now_s)
                except OSError:
                    alive = False
                if not alive:
                    self._end(way)

    def _listen(self) -> None:
        """On the same port as before."""
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=64)
        self._listener.setblocking(False)
        self.port = self._listener.getsockname()[1]

    def _accept(self) -> None:
        if not self.link.accepting:
            if self._listener is not None:
                self._listener.close()
                self._listener = None
            return
        with contextlib.suppress(OSError):
            if self._listener is None:
                self._listen()
            assert self._listener is not None
            client, _ = self._listener.accept()
            try:
                camera = socket.create_connection(("127.0.0.1", self._target), 5)
            except OSError:
                client.close()
                return
            for sock in (client, camera):
                sock.setblocking(False)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            datagrams = _Datagrams() if self._udp else None
            self._ways += [_Way(client, camera, True, datagrams=datagrams), _Way(camera, client, False, datagrams=datagrams)]

    def _end(self, way: _Way, reset: bool = False) -> None:
        for sock in (way.source, way.sink):
            if reset and sock.fileno() >= 0:  # linger of zero seconds makes close() send RST
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.close()
        if way.datagrams is not None:
            way.datagrams.close()
        self._ways = [other for other in self._ways if other.source.fileno() >= 0]
