"""Our own RTSP client: the sockets of one camera around its session, which knows nothing of sockets."""

import contextlib
import ipaddress
import socket
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

from base.clock import Clock
from base.errors import ConnectError, ProtocolError, SourceError
from base.records import Packet
from ingest.connection import READ_BYTES, Connection, TlsConnection
from ingest.governor import Governor
from ingest.rtsp.address import Address
from ingest.rtsp.auth import Offers
from ingest.rtsp.nal import AccessUnit, Parameters
from ingest.rtsp.session import RtspSession
from ingest.run import Settled
from ingest.source import Feed, Flood, Phase, StreamFacts
from ingest.standing import Brought, Standing
from ingest.timeline import Timeline
from ingest.udp import UdpPair

__all__ = ["Resolver", "RtspSource"]

_MOST_UNSENT_BYTES = 64 * 1024
_MUCH_BYTES = READ_BYTES * 3 // 4  # in one read: perhaps the camera must be swept more often
_MOST_READS, _MOST_READ_S = 16, 0.01  # a sweep, so that a flood from one camera cannot hold up the others


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
    """RTSP 1.0 over TCP or TLS; media interleaved, or by UDP. Owned by the reader thread.

    `offers` is shared by the sources that follow each other for one camera; see `RtspSession`.
    """

    def __init__(self, feed: Feed, clock: Clock, resolver: Resolver, offers: Offers | None = None) -> None:
        self._offers = offers
        self._governor = Governor(clock.monotonic_s())
        self._frames = self._messages = 0  # of the session, when last looked at
        self._feed, self._clock, self._resolver = feed, clock, resolver
        self.facts = StreamFacts()
        self.received_bytes = 0
        self._address = Address("rtsp", "", 0)
        self._looking_up: Future[str] | None = None
        self._connection: Connection | None = None
        self._udp: UdpPair | None = None
        self._session: RtspSession | None = None
        self._timeline = Timeline()
        self._unsent = b""
        self._parameters: Parameters | None = None
        self._unread = b""  # came when glanced at: a picture without its end, or a matter for `sweep`
        self._refused_bytes = 0  # of it, by the last glance
        self._broken: Exception | None = None  # what it met instead

    @property
    def buffer_bytes(self) -> int:
        if self._udp is not None:
            return self._udp.buffer_bytes
        return 0 if self._connection is None else min(self._connection.buffer_bytes, _MOST_READS * READ_BYTES)

    @property
    def position(self) -> str:
        return self._session.position if self._session is not None else ""

    def open(self) -> None:
        self._address = Address.parse(self._feed.url)
        self.facts = StreamFacts(Phase.CONNECTING, peer=f"{self._address.host}:{self._address.port}")
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
        monotonic_s = self._clock.monotonic_s()
        units = self._read(session, now_s, monotonic_s)
        if session.over_udp:
            units += self._read_udp(session, now_s, monotonic_s)
        self._govern(session, len(units), monotonic_s)
        session.tick(monotonic_s)
        if session.has_output or self._unsent:
            self._send(session)
        if session.phase is not self.facts.phase or session.skew_s != self.facts.skew_s:
            self._learn(session)
        if units and session.receiver is not None and session.receiver.depacketizer.parameters is not self._parameters:
            self._learn(session)
        return self._placed(units, now_s)

    def calm(self) -> Standing | None:
        session, connection = self._session, self._connection
        if session is None or connection is None or self._unsent or (calm := session.calm()) is None:
            return None
        receiver, since_s = session.receiver, self._governor.calm_s
        assert receiver is not None
        stamp = receiver.depacketizer.timestamp
        placing = self._timeline.calm(stamp)
        if placing is None or since_s is None:
            return None
        return Standing(
            connection,
            self._refuse,
            calm,
            0x2400 | session.channel,
            0x8000_0000 | receiver.payload_type << 16,
            receiver.sequence,
            stamp,
            receiver.ssrc,
            placing,
            since_s,
            session.due_s,
            min(_MUCH_BYTES, self.buffer_bytes * 3 // 4),
        )

    def take(self, brought: Brought) -> Sequence[Settled]:
        self._governor.go_on(brought.since_s)
        if not brought.pictures:
            return ()
        session = self._session
        assert session is not None
        self.received_bytes += brought.came_bytes
        session.take(brought.rtp_packets, brought.last, brought.taken_bytes, brought.reports)
        self._frames = session.frames
        if session.skew_s != self.facts.skew_s:
            self._learn(session)
        self._timeline.go_on(brought.last, brought.spacing, brought.placing, brought.utc_s)
        return brought.stretches(self._feed.camera)

    def _refuse(self, data: bytes, came: int, broken: Exception | None) -> None:
        """What a glance saw is a matter for `sweep`: `data`, of which so many bytes came last, and perhaps an error behind it."""
        self._unread, self._refused_bytes, self._broken = data, came, broken

    def _placed(self, units: list[AccessUnit], now_s: float) -> list[Packet]:
        if not units:
            return []
        camera, codec = self._feed.camera, self.facts.codec
        placed = self._timeline.place([unit.rtp_timestamp for unit in units], now_s)
        return [
            Packet(camera, time_s, pts, is_key, data, codec, lost)
            for (_, is_key, data, lost), (pts, time_s) in zip(units, placed, strict=True)
        ]

    def close(self) -> None:
        if self._looking_up is not None:
            self._looking_up.cancel()
            self._looking_up = None
        if self._connection is not None:
            if self._session is not None:
                self._session.teardown()
                with contextlib.suppress(SourceError):  # gone already or deaf, nothing to say goodbye to
                    self._send(self._session)
            self._connection.close()
            self._connection = None
        if self._udp is not None:
            self._udp.close()
            self._udp = None
        self.facts = replace(self.facts, phase=Phase.CLOSED)

    def _connect(self, ip: str) -> None:
        address = self._address
        if address.scheme == "rtsps":
            self._connection = TlsConnection(ip, address.port, address.host, self._feed.certificate_sha256)
        else:
            self._connection = Connection(ip, address.port)
        self.facts = replace(self.facts, peer=self._connection.peer)

    def _is_connected(self) -> bool:
        """Whether the connection stands; advances name look-up, connecting and the TLS handshake."""
        if self._looking_up is not None:
            if not self._looking_up.done():
                return False
            try:
                ip = self._looking_up.result()
            except OSError as error:
                raise ConnectError(f"{self._address.host}: cannot be looked up: {error.strerror}") from None
            self._looking_up = None
            self._connect(ip)
        assert self._connection is not None
        return self._connection.is_ready()

    def _begin(self) -> RtspSession:
        feed = self._feed
        self._session = RtspSession(feed.url, feed.user, feed.password, self.facts.peer, feed.transport, offers=self._offers)
        self._session.start()
        return self._session

    def _govern(self, session: RtspSession, pictures: int, monotonic_s: float) -> None:
        frames, messages = session.frames - self._frames, session.messages - self._messages
        self._frames, self._messages = session.frames, session.messages
        self._limit(pictures, frames, messages, monotonic_s)

    def _limit(self, pictures: int, frames: int, messages: int, monotonic_s: float) -> None:
        try:
            self._governor.count(pictures, frames, messages, monotonic_s)
        except Flood as error:
            raise Flood(f"{self.facts.peer}: {error}") from None

    def _read(self, session: RtspSession, now_s: float, monotonic_s: float) -> list[AccessUnit]:
        """What a glance left, and what lies in the kernel's buffer, usually with a single recv."""
        connection, units, reads = self._connection, list[AccessUnit](), 1
        assert connection is not None
        data, came, broken = self._unread, self._refused_bytes, self._broken
        self._unread, self._refused_bytes, self._broken = b"", 0, None
        if not came and broken is None:
            try:
                new = connection.read()
                data, came = data + new, len(new)
            except SourceError as error:
                broken = error
        while True:
            self.received_bytes += came
            if data:
                units += session.receive(data, now_s)
            if broken is not None:
                raise broken
            if not connection.has_more or reads == _MOST_READS or self._clock.monotonic_s() - monotonic_s > _MOST_READ_S:
                return units
            data = connection.read()
            came = len(data)
            reads += 1

    def _read_udp(self, session: RtspSession, now_s: float, monotonic_s: float) -> list[AccessUnit]:
        """Opens our ports once the session wants them; then what came there, and the reports that go back."""
        if self._udp is None:
            assert self._connection is not None
            self._udp = UdpPair(self._connection.local_ip, self._connection.ip)
            session.use_port(self._udp.port)
            return []
        if session.server_ports is not None and not self._udp.is_aimed:
            self._udp.aim(*session.server_ports)
            self._udp.punch(session.hole_punch)
        if not session.playing:
            return []  # what comes early stays in the kernel
        rtp, rtcp = self._udp.read()
        self.received_bytes += sum(map(len, rtp))
        units = session.receive_datagrams(rtp, rtcp, now_s, monotonic_s)
        if report := session.take_report():
            self._udp.send_rtcp(report)
        return units

    def _send(self, session: RtspSession) -> None:
        assert self._connection is not None
        self._unsent += session.take_output()
        self._unsent = self._unsent[self._connection.send(self._unsent) :]
        if len(self._unsent) > _MOST_UNSENT_BYTES:
            raise ProtocolError(
                f"{self.facts.peer}: the camera does not read: {len(self._unsent)} bytes unsent; at most {_MOST_UNSENT_BYTES}"
            )

    def _learn(self, session: RtspSession) -> None:
        """Facts changed."""
        receiver = session.receiver
        if receiver is None:
            self.facts = replace(self.facts, phase=session.phase)
            return
        if self.facts.phase is Phase.DESCRIBING and session.playing:
            self._timeline = Timeline(session.clock_hz)
        self._parameters = receiver.depacketizer.parameters
        known = self._parameters or Parameters(0, 0, "")
        carrier = "udp" if session.over_udp else "tls" if self._address.scheme == "rtsps" else "tcp"
        self.facts = StreamFacts(
            session.phase,
            receiver.depacketizer.codec,
            known.width_px,
            known.height_px,
            known.profile,
            self.facts.peer,
            session.skew_s,
            carrier,
        )
