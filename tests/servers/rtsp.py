"""A scriptable RTSP server on real sockets: plays a clip to any number of clients from one thread, and misbehaves on request."""

import base64
import hashlib
import re
import selectors
import socket
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
    SAME_TIMESTAMP = "repeats one timestamp for ever"
    NO_PARAMETER_SETS = "sends neither SPS nor PPS, in SDP or in band"
    HUGE_SPS = "announces a picture of 16384x16384"
    LOSE_EVERY_TENTH = "leaves out every tenth RTP packet"
    REDIRECT = "answers DESCRIBE with 302 to another host"
    CONTROL_ELSEWHERE = "gives a control URL on another host"
    NOT_FOUND = "answers DESCRIBE with 404"
    FORGETS_SESSION = "answers keep-alive with 454"
    MOTION_JPEG = "describes MJPEG"


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


@dataclass
class Seen:
    """What clients did, for assertions."""

    connections: int = 0
    authorized: int = 0
    refused: int = 0
    methods: list[str] = field(default_factory=list)
    teardowns: int = 0


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

    def __init__(self, clip: Sequence[Sequence[bytes]], script: Script | None = None, frames_per_s: float = 15.0) -> None:
        self.script = script or Script()
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
        return f"rtsp://127.0.0.1:{self.port}/{path}"

    def __enter__(self) -> "RtspServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(5)
        for client in self._clients.values():
            client.sock.close()
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
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client = Client(sock, sequence=self.script.first_sequence, timestamp=self.script.first_timestamp)
        self._clients[sock.fileno()] = client
        selector.register(sock, selectors.EVENT_READ, client)
        self.seen.connections += 1

    def _close(self, selector: selectors.BaseSelector, client: Client) -> None:
        if self._clients.pop(client.sock.fileno(), None) is not None:
            selector.unregister(client.sock)
            client.sock.close()

    def _read(self, selector: selectors.BaseSelector, client: Client) -> None:
        try:
            data = client.sock.recv(65536)
        except OSError:
            data = b""
        if not data:
            return self._close(selector, client)
        client.received += data
        while b"\r\n\r\n" in client.received:
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
        if method == "OPTIONS":
            self._send(client, "200 OK", cseq, "Public: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN")
        elif method == "DESCRIBE" and fault is Fault.REDIRECT:
            self._send(client, "302 Moved Temporarily", cseq, "Location: rtsp://198.51.100.7/elsewhere")
        elif method == "DESCRIBE" and fault is Fault.NOT_FOUND:
            self._send(client, "404 Not Found", cseq)
        elif method == "DESCRIBE":
            self._send(client, "200 OK", cseq, f"Content-Base: {url}/", "Content-Type: application/sdp", body=self._sdp())
        elif method == "SETUP":
            channels = f"{self.script.channel}-{self.script.channel + 1}"
            session = f"Session:   4711;timeout={self.script.session_timeout_s}"
            self._send(client, "200 OK", cseq, session, f"Transport: RTP/AVP/TCP;unicast;interleaved={channels};ssrc= 1234ABCD")
        elif method == "PLAY":
            client.playing, client.due_s = True, time.monotonic()
            self._send(client, "200 OK", cseq, "Session: 4711", "RTP-Info: url=wrong;seq=1;rtptime=1")
        elif method == "TEARDOWN":
            self.seen.teardowns += 1
            client.playing = False
            self._send(client, "200 OK", cseq)
        elif fault is Fault.FORGETS_SESSION:
            self._send(client, "454 Session Not Found", cseq)
        else:
            self._send(client, "200 OK", cseq)
        return None

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
        if fault is Fault.MOTION_JPEG:
            media = "m=video 0 RTP/AVP 26\r\n"
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
        try:
            if client.unsent:
                client.unsent = client.unsent[client.sock.send(client.unsent) :]
        except BlockingIOError:
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
        for index, payload in enumerate(payloads):
            marker = index == len(payloads) - 1
            cut = 2 if fault is Fault.TRUNCATED_FU and payload[0] & 31 == 28 else len(payload)
            client.rtp_packets += 1
            if not (fault is Fault.LOSE_EVERY_TENTH and client.rtp_packets % 10 == 0):
                header = struct.pack(">BBHII", 0x80, 0x80 * marker | 96, client.sequence, client.timestamp, client.ssrc)
                length = cut + 12 + (7 if fault is Fault.WRONG_LENGTH else 0)
                self._write(client, struct.pack(">BBH", 0x24, self.script.channel, length) + header + payload[:cut])
            client.sequence = client.sequence + 1 & 0xFFFF
        client.frames += 1
        if not (self.script.fast_start and client.frames < self._gop):
            client.due_s += 1 / self.frames_per_s
        if fault is not Fault.SAME_TIMESTAMP:
            client.timestamp = client.timestamp + round(90_000 / self.frames_per_s) & 0xFFFF_FFFF

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
