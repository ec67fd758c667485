"""A scriptable RTSP server on real sockets: plays a clip to any number of clients from one thread, and misbehaves on request."""

import base64
import contextlib
import hashlib
import random
import re
import selectors
import socket
import ssl
import struct
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

MTU = 1400


class Fault(StrEnum):
    """What goes wrong, once `Script.after_frames` frames were sent (or in the dialogue before)."""

    NONE = ""
    SILENT = "accepts the connection and never answers"
    SLOW_LORIS = "answers one byte at a time and never finishes"
    STALL = "keeps the connection and sends no more media"
    CLOSE = "closes the connection"
    GARBAGE = "sends random bytes instead of RTSP"
    WRONG_LENGTH = "announces interleaved frames longer than they are"
    TRUNCATED_FU = "sends FU-A packets cut to two bytes"
    OTHER_SSRC = "changes SSRC, sequence and timestamp"
    OTHER_PAYLOAD = "goes on with another payload type, as if its codec had been changed"
    OTHER_CODEC = "goes on with H.265 under the payload type of H.264"
    SAME_TIMESTAMP = "repeats one timestamp for ever"
    NO_PARAMETER_SETS = "sends neither SPS nor PPS, in SDP or in band"
    HUGE_SPS = "announces a picture of 16384x16384"
    LOSE_EVERY_TENTH = "leaves out every tenth RTP packet"
    REDIRECT = "answers DESCRIBE with 302 to another host"
    CONTROL_ELSEWHERE = "gives a control URL on another host"
    NOT_FOUND = "answers DESCRIBE with 404"
    FORGETS_SESSION = "answers keep-alive with 454"
    SHUFFLE = "sends RTP packets in groups of eight, each group in any order"
    DOUBLE = "sends every RTP packet twice"
    NO_DATAGRAMS = "answers well, but nothing comes by UDP"
    GARBAGE_DATAGRAMS = "mixes datagrams that are no RTP into the stream"


@dataclass(frozen=True)
class Script:
    fault: Fault = Fault.NONE
    after_frames: int = 0
    auth: str = ""  # "", "Basic", "MD5", "SHA-256"
    user: str = "operator"
    password: str = "s3cret:word"
    stale_after_requests: int = 0  # the nonce is renewed with stale=true after that many requests
    first_sequence: int = 65_000
    first_timestamp: int = 2**32 - 45_000  # wraps after half a second
    channel: int = 0
    refuses: tuple[str, ...] = ()  # transports answered with 461: "tcp", "udp"
    tells_ports: bool = True
    session_timeout_s: int = 60
    fast_start: bool = False  # sends the first GOP at once, as servers with a GOP cache do
    with_audio: bool = False
    sets_in_band: bool = True


@dataclass
class Client:
    """One connection. `due_s` is when its next frame is to be sent."""

    sock: socket.socket
    received: bytes = b""
    unsent: bytes = b""
    playing: bool = False
    due_s: float = 0.0
    frames: int = 0
    rtp_packets: int = 0
    sequence: int = 0
    timestamp: int = 0
    ssrc: int = 0x1234ABCD
    requests: int = 0
    nonce: str = "nonce-0"
    hold: bytes = b""  # slow loris: still to be sent, byte by byte
    media: "DatagramPair | None" = None
    group: list[bytes] = field(default_factory=list)  # RTP packets that wait to be shuffled


class DatagramPair:
    """The server's two UDP sockets of a client: RTP and RTCP."""

    def __init__(self, client_port: int) -> None:
        self.rtp, self.rtcp = self._bound(), self._bound()
        self.client_port = client_port

    @staticmethod
    def _bound() -> socket.socket:
        new = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        new.bind(("127.0.0.1", 0))
        new.setblocking(False)
        return new

    def close(self) -> None:
        self.rtp.close()
        self.rtcp.close()


@dataclass
class Seen:
    """What clients did, for assertions."""

    connections: int = 0
    authorized: int = 0
    refused: int = 0
    methods: list[str] = field(default_factory=list)
    teardowns: int = 0
    reports: list[bytes] = field(default_factory=list)  # RTCP
    punches: int = 0
    transports: list[str] = field(default_factory=list)


def packetize(access_unit: Sequence[bytes]) -> list[bytes]:
    """NAL units as RTP payloads: single, or FU-A beyond the MTU."""
    payloads = []
    for nal in access_unit:
        if len(nal) <= MTU:
            payloads.append(nal)
            continue
        pieces = [nal[at : at + MTU - 2] for at in range(1, len(nal), MTU - 2)]
        for index, piece in enumerate(pieces):
            flags = (0x80 if index == 0 else 0) | (0x40 if index == len(pieces) - 1 else 0)
            payloads.append(bytes((nal[0] & 0xE0 | 28, flags | nal[0] & 31)) + piece)
    return payloads


class RtspServer:
    """Serves `rtsp://127.0.0.1:port/<anything>`; `clip` is access units as lists of NAL units. One thread named `test-rtsp`."""

    def __init__(
        self,
        clip: Sequence[Sequence[bytes]],
        script: Script | None = None,
        frames_per_s: float = 15.0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.script = script or Script()
        self._tls = tls
        self._rng = random.Random(5)
        self.seen = Seen()
        self.frames_per_s = frames_per_s
        self._sets = [nal for nal in clip[0] if nal[0] & 31 in (7, 8)]
        drop = not self.script.sets_in_band or self.script.fault is Fault.NO_PARAMETER_SETS
        self._clip = [packetize([nal for nal in unit if not (drop and nal[0] & 31 in (7, 8))]) for unit in clip]
        self._gop = next((i for i, unit in enumerate(clip) if i and unit[-1][0] & 31 == 5), len(clip))
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._listener.setblocking(False)
        self.port = self._listener.getsockname()[1]
        self._stop = threading.Event()
        self._clients: dict[int, Client] = {}
        self._thread = threading.Thread(target=self._run, name="test-rtsp", daemon=True)

    def url(self, path: str = "c0001/sub") -> str:
        return f"rtsp{'s' if self._tls else ''}://127.0.0.1:{self.port}/{path}"

    def __enter__(self) -> "RtspServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(5)
        for client in self._clients.values():
            client.sock.close()
            if client.media is not None:
                client.media.close()
        self._listener.close()

    def drop_all(self) -> None:
        """Reset every connection, as a rebooting switch does."""
        for client in list(self._clients.values()):
            client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.sock.shutdown(socket.SHUT_RDWR)

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            while not self._stop.is_set():
                for key, _ in selector.select(0.005):
                    if key.fileobj is self._listener:
                        self._accept(selector)
                    else:
                        self._read(selector, key.data)
                now_s = time.monotonic()
                for client in list(self._clients.values()):
                    self._play(selector, client, now_s)

    def _accept(self, selector: selectors.BaseSelector) -> None:
        sock, _ = self._listener.accept()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.seen.connections += 1
        if self._tls is not None:
            sock.settimeout(5)
            try:
                sock = self._tls.wrap_socket(sock, server_side=True)
            except OSError:  # the client does not trust us
                return sock.close()
        sock.setblocking(False)
        client = Client(sock, sequence=self.script.first_sequence, timestamp=self.script.first_timestamp)
        self._clients[sock.fileno()] = client
        selector.register(sock, selectors.EVENT_READ, client)
        return None

    def _close(self, selector: selectors.BaseSelector, client: Client) -> None:
        if self._clients.pop(client.sock.fileno(), None) is not None:
            selector.unregister(client.sock)
            client.sock.close()
            if client.media is not None:
                client.media.close()

    def _read(self, selector: selectors.BaseSelector, client: Client) -> None:
        try:
            data = client.sock.recv(65536)
        except ssl.SSLWantReadError:
            return None
        except OSError:
            data = b""
        if not data:
            return self._close(selector, client)
        client.received += data
        while client.received[:1] == b"$" or b"\r\n\r\n" in client.received:
            if client.received[:1] == b"$":
                end = 4 + int.from_bytes(client.received[2:4])
                if len(client.received) < end:
                    return None
                self.seen.reports.append(client.received[4:end])
                client.received = client.received[end:]
                continue
            head, _, client.received = client.received.partition(b"\r\n\r\n")
            if self.script.fault is not Fault.SILENT:
                self._answer(client, head.decode())
        return None

    def _answer(self, client: Client, head: str) -> None:
        lines = head.split("\r\n")
        method, url, _ = lines[0].split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        self.seen.methods.append(method)
        client.requests += 1
        cseq = headers["cseq"]
        if self.script.auth and not self._is_authorized(client, method, headers.get("authorization", "")):
            return self._send(client, "401 Unauthorized", cseq, self._challenge(client))
        fault = self.script.fault
        if fault is Fault.FORGETS_SESSION and client.playing and method != "TEARDOWN":
            self._send(client, "454 Session Not Found", cseq)
        elif method == "OPTIONS":
            self._send(client, "200 OK", cseq, "Public: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN")
        elif method == "DESCRIBE" and fault is Fault.REDIRECT:
            self._send(client, "302 Moved Temporarily", cseq, "Location: rtsp://198.51.100.7/elsewhere")
        elif method == "DESCRIBE" and fault is Fault.NOT_FOUND:
            self._send(client, "404 Not Found", cseq)
        elif method == "DESCRIBE":
            self._send(client, "200 OK", cseq, f"Content-Base: {url}/", "Content-Type: application/sdp", body=self._sdp())
        elif method == "SETUP":
            self._set_up(client, cseq, headers["transport"])
        elif method == "PLAY":
            client.playing, client.due_s = True, time.monotonic()
            self._send(client, "200 OK", cseq, "Session: 4711", "RTP-Info: url=wrong;seq=1;rtptime=1")
        elif method == "TEARDOWN":
            self.seen.teardowns += 1
            client.playing = False
            self._send(client, "200 OK", cseq)
        else:
            self._send(client, "200 OK", cseq)
        return None

    def _set_up(self, client: Client, cseq: str, asked: str) -> None:
        self.seen.transports.append(asked)
        wants = "tcp" if "TCP" in asked else "udp"
        if wants in self.script.refuses:
            return self._send(client, "461 Unsupported Transport", cseq)
        given = f"RTP/AVP/TCP;unicast;interleaved={self.script.channel}-{self.script.channel + 1};ssrc= 1234ABCD"
        if wants == "udp":
            ports = re.search(r"client_port=(\d+)-(\d+)", asked)
            assert ports is not None and int(ports[1]) % 2 == 0 and int(ports[2]) == int(ports[1]) + 1
            client.media = DatagramPair(int(ports[1]))
            told = ""
            if self.script.tells_ports:
                told = f";server_port={client.media.rtp.getsockname()[1]}-{client.media.rtcp.getsockname()[1]}"
            given = f"RTP/AVP;unicast;client_port={ports[0][12:]};source=198.51.100.7{told}"
        session = f"Session:   4711;timeout={self.script.session_timeout_s}"
        return self._send(client, "200 OK", cseq, session, f"Transport: {given}")

    def _send(self, client: Client, status: str, cseq: str, *headers: str, body: str = "") -> None:
        lines = [f"RTSP/1.0 {status}", f"CSeq: {cseq}", *headers]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        data = ("\r\n".join(lines) + "\r\n\r\n" + body).encode()
        if self.script.fault is Fault.SLOW_LORIS:
            client.hold = data
        else:
            self._write(client, data)

    def _sdp(self) -> str:
        fault = self.script.fault
        sets = self._sets if fault is not Fault.HUGE_SPS else [HUGE_SPS, self._sets[-1]]
        sprop = ",".join(base64.b64encode(nal).decode() for nal in sets)
        fmtp = "" if fault is Fault.NO_PARAMETER_SETS else f"a=fmtp:96 packetization-mode=1;sprop-parameter-sets={sprop}\r\n"
        control = "rtsp://198.51.100.7/track1" if fault is Fault.CONTROL_ELSEWHERE else "track1"
        media = "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n" + fmtp
        audio = "m=audio 0 RTP/AVP 8\r\na=control:track9\r\n" if self.script.with_audio else ""
        return f"v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=test\r\nt=0 0\r\na=control:*\r\n{audio}{media}a=control:{control}\r\n"

    def _challenge(self, client: Client) -> str:
        self.seen.refused += 1
        if self.script.auth == "Basic":
            return 'WWW-Authenticate: Basic realm="test"'
        stale = ", stale=true" if client.nonce != "nonce-0" else ""
        return f'WWW-Authenticate: Digest realm="test", nonce="{client.nonce}", algorithm={self.script.auth}, qop="auth"{stale}'

    def _is_authorized(self, client: Client, method: str, authorization: str) -> bool:
        script = self.script
        if script.auth == "Basic":
            good = authorization == "Basic " + base64.b64encode(f"{script.user}:{script.password}".encode()).decode()
        else:
            given = {name: quoted or plain for name, quoted, plain in re.findall(r'(\w+)=(?:"([^"]*)"|([^\s,]+))', authorization)}
            hashed = hashlib.md5 if script.auth == "MD5" else hashlib.sha256
            secret = hashed(f"{script.user}:test:{script.password}".encode()).hexdigest()
            request = hashed(f"{method}:{given.get('uri')}".encode()).hexdigest()
            parts = [secret, client.nonce, given.get("nc", ""), given.get("cnonce", ""), "auth", request]
            good = bool(given) and given.get("response") == hashed(":".join(parts).encode()).hexdigest()
            if good and script.stale_after_requests and client.requests >= script.stale_after_requests:
                client.requests, client.nonce, good = 0, f"nonce-{client.sequence}-{client.requests}", False
        self.seen.authorized += good
        return good

    def _play(self, selector: selectors.BaseSelector, client: Client, now_s: float) -> None:
        if client.hold:
            client.unsent, client.hold = client.unsent + client.hold[:1], client.hold[1:] or client.hold[:1]
        while client.playing and client.due_s <= now_s:
            self._frame(client)
            if client.sock.fileno() in self._clients and not client.playing and self.script.fault is Fault.CLOSE:
                return self._close(selector, client)
        self._listen(client)
        try:
            if client.unsent:
                client.unsent = client.unsent[client.sock.send(client.unsent) :]
        except (BlockingIOError, ssl.SSLWantWriteError):
            pass
        except OSError:
            self._close(selector, client)
        return None

    def _frame(self, client: Client) -> None:
        fault = self.script.fault if client.frames >= self.script.after_frames else Fault.NONE
        if fault in (Fault.STALL, Fault.CLOSE):
            client.playing = False
            return
        if fault is Fault.GARBAGE:
            self._write(client, bytes(range(1, 200)))
            client.playing = False
            return
        if fault is Fault.OTHER_SSRC and client.ssrc == 0x1234ABCD:
            client.ssrc, client.sequence, client.timestamp = 0x5555AAAA, 7, 90_000
        payloads = self._clip[client.frames % len(self._clip)]
        if fault is Fault.OTHER_CODEC:
            payloads = OTHER_CODEC
        kind = 97 if fault is Fault.OTHER_PAYLOAD else 96
        for index, payload in enumerate(payloads):
            marker = index == len(payloads) - 1
            cut = 2 if fault is Fault.TRUNCATED_FU and payload[0] & 31 == 28 else len(payload)
            client.rtp_packets += 1
            if not (fault is Fault.LOSE_EVERY_TENTH and client.rtp_packets % 10 == 0):
                header = struct.pack(">BBHII", 0x80, 0x80 * marker | kind, client.sequence, client.timestamp, client.ssrc)
                length = cut + 12 + (7 if fault is Fault.WRONG_LENGTH else 0)
                if client.media is not None:
                    self._write_datagram(client, client.media, header + payload[:cut], fault)
                else:
                    self._write(client, struct.pack(">BBH", 0x24, self.script.channel, length) + header + payload[:cut])
            client.sequence = client.sequence + 1 & 0xFFFF
        client.frames += 1
        if not (self.script.fast_start and client.frames < self._gop):
            client.due_s += 1 / self.frames_per_s
        if fault is not Fault.SAME_TIMESTAMP:
            client.timestamp = client.timestamp + round(90_000 / self.frames_per_s) & 0xFFFF_FFFF

    def _write_datagram(self, client: Client, media: DatagramPair, packet: bytes, fault: Fault) -> None:
        if fault is Fault.NO_DATAGRAMS:
            return
        client.group += [packet, packet] if fault is Fault.DOUBLE else [packet]
        if fault is Fault.GARBAGE_DATAGRAMS:
            client.group += [b"", b"junk", b"\x00\x01" + bytes(40)]
        if fault is Fault.SHUFFLE:
            if len(client.group) < 8:
                return
            self._rng.shuffle(client.group)
        for datagram in client.group:
            with contextlib.suppress(OSError):
                media.rtp.sendto(datagram, ("127.0.0.1", media.client_port))
        client.group.clear()

    def _listen(self, client: Client) -> None:
        """Take what the client sends by UDP."""
        if client.media is None:
            return
        with contextlib.suppress(OSError):
            while True:
                self.seen.punches += bool(client.media.rtp.recv(2048))
        with contextlib.suppress(OSError):
            while True:
                self.seen.reports.append(client.media.rtcp.recv(2048))

    def _write(self, client: Client, data: bytes) -> None:
        client.unsent += data


def _huge_sps() -> bytes:
    """A baseline SPS of 16384x16384: profile 66, level 40, then the fields of ISO/IEC 14496-10 §7.3.2.1.1 as Exp-Golomb codes."""

    def ue(value: int) -> str:
        code = f"{value + 1:b}"
        return "0" * (len(code) - 1) + code

    bits = ue(0) + ue(0) + ue(2) + ue(1) + "0" + ue(1023) + ue(1023) + "1" + "0" + "0" + "0" + "1"
    bits += "0" * (-len(bits) % 8)
    return bytes((0x67, 66, 0, 40)) + int(bits, 2).to_bytes(len(bits) // 8)


HUGE_SPS = _huge_sps()
OTHER_CODEC = [b"\x40\x01\x0c\x01", b"\x42\x01\x01\x01", b"\x44\x01\xc1", b"\x26\x01\xaf" + bytes(50)]  # VPS, SPS, PPS, IDR
