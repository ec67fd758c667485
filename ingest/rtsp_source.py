"""A non-blocking TCP socket around an RTSP session."""

import contextlib
import errno
import ipaddress
import os
import socket
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

from base.clock import Clock
from base.errors import ConnectError, ProtocolError, SourceError, StreamEnded
from base.records import Packet
from ingest.rtsp.address import Address
from ingest.rtsp.nal import AccessUnit, Parameters
from ingest.rtsp.session import RtspSession
from ingest.source import Feed, Phase, StreamFacts
from ingest.timeline import Timeline

__all__ = ["Resolver", "RtspSource"]

_READ_BYTES = 64 * 1024  # 200 ms of a stream of 2.6 Mbit/s; more would make malloc map and unmap pages for every read
_MOST_UNSENT_BYTES = 64 * 1024
_MOST_READS = 16  # a sweep, so that a flood from one camera cannot hold up the others


class Resolver:
    """Looks host names up without blocking the reader: two threads, started at the first name that is no IP address."""

    def __init__(self) -> None:
        self._threads: ThreadPoolExecutor | None = None

    def look_up(self, host: str, port: int) -> "Future[str]":
        """The first TCP address of `host`, as text; the future raises OSError."""
        if self._threads is None:
            self._threads = ThreadPoolExecutor(2, thread_name_prefix="resolve")
        return self._threads.submit(self._first, host, port)

    def close(self) -> None:
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)

    @staticmethod
    def _first(host: str, port: int) -> str:
        return str(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][4][0])


class RtspSource:
    """RTSP 1.0 over one TCP connection, media interleaved. Owned by the reader thread."""

    def __init__(self, feed: Feed, clock: Clock, resolver: Resolver) -> None:
        self._feed, self._clock, self._resolver = feed, clock, resolver
        self._facts = StreamFacts()
        self._address = Address("rtsp", "", 0)
        self._looking_up: Future[str] | None = None
        self._socket: socket.socket | None = None
        self._session: RtspSession | None = None
        self._timeline = Timeline()
        self._unsent = b""
        self._parameters: Parameters | None = None

    @property
    def facts(self) -> StreamFacts:
        return self._facts

    def open(self) -> None:
        self._address = Address.parse(self._feed.url)
        self._facts = StreamFacts(Phase.CONNECTING, peer=f"{self._address.host}:{self._address.port}")
        try:
            ipaddress.ip_address(self._address.host)
        except ValueError:
            self._looking_up = self._resolver.look_up(self._address.host, self._address.port)
        else:
            self._connect(self._address.host)

    def sweep(self, now_s: float) -> list[Packet]:
        session = self._session
        if session is None:
            if not self._is_connected():
                return []
            session = self._begin()
        units = self._read(session, now_s)
        session.tick(self._clock.monotonic_s())
        if session.has_output or self._unsent:
            self._send(session)
        if session.phase is not self._facts.phase or session.skew_s != self._facts.skew_s:
            self._learn(session)
        if not units:
            return []
        if session.receiver is not None and session.receiver.depacketizer.parameters is not self._parameters:
            self._learn(session)
        camera, codec = self._feed.camera, self._facts.codec
        placed = self._timeline.place([unit.rtp_timestamp for unit in units], now_s)
        return [
            Packet(camera, time_s, pts, unit.is_key, unit.data, codec, unit.lost)
            for unit, (pts, time_s) in zip(units, placed, strict=True)
        ]

    def close(self) -> None:
        if self._looking_up is not None:
            self._looking_up.cancel()
            self._looking_up = None
        if self._socket is not None:
            if self._session is not None:
                self._session.teardown()
                with contextlib.suppress(SourceError):  # gone already or deaf, nothing to say goodbye to
                    self._send(self._session)
            self._socket.close()
            self._socket = None
        self._facts = replace(self._facts, phase=Phase.CLOSED)

    def _connect(self, ip: str) -> None:
        family = socket.AF_INET6 if ":" in ip else socket.AF_INET
        self._facts = replace(self._facts, peer=f"[{ip}]:{self._address.port}" if ":" in ip else f"{ip}:{self._address.port}")
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        code = self._socket.connect_ex((ip, self._address.port))
        if code not in (0, errno.EINPROGRESS):
            raise ConnectError(f"{self._facts.peer}: {os.strerror(code)}")

    def _is_connected(self) -> bool:
        """Whether the connection stands; advances name look-up and connecting."""
        if self._looking_up is not None:
            if not self._looking_up.done():
                return False
            try:
                ip = self._looking_up.result()
            except OSError as error:
                raise ConnectError(f"{self._address.host}: cannot be looked up: {error.strerror}") from None
            self._looking_up = None
            self._connect(ip)
        assert self._socket is not None
        code = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise ConnectError(f"{self._facts.peer}: {os.strerror(code)}")
        try:
            self._socket.getpeername()
        except OSError:
            return False  # not yet
        return True

    def _begin(self) -> RtspSession:
        self._session = RtspSession(self._feed.url, self._feed.user, self._feed.password, self._facts.peer)
        self._session.start()
        return self._session

    def _read(self, session: RtspSession, now_s: float) -> list[AccessUnit]:
        """What lies in the kernel's buffer, usually with a single recv."""
        assert self._socket is not None
        units: list[AccessUnit] = []
        for _ in range(_MOST_READS):
            try:
                data = self._socket.recv(_READ_BYTES)
            except BlockingIOError:
                break
            except OSError as error:
                raise StreamEnded(f"{self._facts.peer}: {error.strerror}") from None
            if not data:
                raise StreamEnded(f"{self._facts.peer}: the camera closed the connection")
            received = session.receive(data, now_s)
            units = units + received if units else received
            if len(data) < _READ_BYTES:
                break
        return units

    def _send(self, session: RtspSession) -> None:
        assert self._socket is not None
        self._unsent += session.take_output()
        try:
            sent = self._socket.send(self._unsent)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            raise StreamEnded(f"{self._facts.peer}: {error.strerror}") from None
        self._unsent = self._unsent[sent:]
        if len(self._unsent) > _MOST_UNSENT_BYTES:
            raise ProtocolError(
                f"{self._facts.peer}: the camera does not read: {len(self._unsent)} bytes unsent; at most {_MOST_UNSENT_BYTES}"
            )

    def _learn(self, session: RtspSession) -> None:
        """Facts changed."""
        receiver = session.receiver
        if receiver is None:
            self._facts = replace(self._facts, phase=session.phase)
            return
        if self._facts.phase is Phase.DESCRIBING and session.playing:
            self._timeline = Timeline(session.clock_hz)
        self._parameters = receiver.depacketizer.parameters
        known = self._parameters or Parameters(0, 0, "")
        self._facts = StreamFacts(
            session.phase,
            receiver.depacketizer.codec,
            known.width_px,
            known.height_px,
            known.profile,
            self._facts.peer,
            session.skew_s,
        )
