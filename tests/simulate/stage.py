"""What these tests play with: small clips without drawing, a running simulator, and a client that sees every byte."""

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from hashlib import md5

import numpy as np

from base import SystemClock
from ingest.simulate import Clip, SimCamera, SimPlan, Simulator, encode

FPS, GOP, FRAMES = 15, 6, 30
DEADLINE_S = 10.0


@cache
def small_clip(name: str = "street-day-0", width: int = 160, height: int = 96) -> Clip:
    """Two seconds of a square that moves over noise; a key frame every 0.4 s, larger than one RTP packet."""
    rng = np.random.default_rng(4)
    still = rng.integers(0, 255, (height, width, 3), dtype=np.uint8)
    pictures = []
    for index in range(FRAMES):
        picture = still.copy()
        picture[20:40, 2 * index : 2 * index + 20] = 255
        pictures.append(picture)
    return Clip(name, width, height, FPS, encode(pictures, FPS, GOP, 27))


@contextmanager
def serving(*cameras: SimCamera, user: str = "", password: str = "") -> Iterator[Simulator]:
    """A simulator in which every camera shows the small clip."""
    plan = SimPlan(cameras, fps=FPS, user=user, password=password)
    simulator = Simulator(plan, {plan.clip_name(camera): small_clip() for camera in cameras}, SystemClock())
    simulator.start()
    try:
        yield simulator
    finally:
        simulator.stop()


@dataclass
class RawClient:
    """RTSP by hand over one socket, with a deadline on every read."""

    port: int
    sock: socket.socket = field(init=False)
    rest: bytearray = field(default_factory=bytearray)
    cseq: int = 0
    session: str = ""

    def __post_init__(self) -> None:
        self.sock = socket.create_connection(("127.0.0.1", self.port), DEADLINE_S)

    def __enter__(self) -> "RawClient":
        return self

    def __exit__(self, *error: object) -> None:
        self.sock.close()

    def ask(self, method: str, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
        """One request and its reply; interleaved frames in between are thrown away."""
        self.cseq += 1
        lines = [f"{method} rtsp://127.0.0.1:{self.port}{path} RTSP/1.0", f"CSeq: {self.cseq}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.sock.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        while True:
            self.need(1)
            if self.rest[0] == 0x24:
                self.frame()
                continue
            while b"\r\n\r\n" not in self.rest:
                self.more()
            head, _, _ = bytes(self.rest).partition(b"\r\n\r\n")
            del self.rest[: len(head) + 4]
            rows = head.decode().split("\r\n")
            found = {name.lower(): value.strip() for name, _, value in (row.partition(":") for row in rows[1:])}
            body = self.take(int(found.get("content-length", "0")))
            assert found["cseq"] == str(self.cseq)
            return int(rows[0].split()[1]), found, body

    def play(self, camera: str, channels: str = "0-1") -> dict[str, str]:
        """SETUP and PLAY; the headers of the reply to PLAY."""
        code, headers, _ = self.ask("SETUP", f"/{camera}/sub/trackID=1", Transport=f"RTP/AVP/TCP;unicast;interleaved={channels}")
        assert code == 200
        self.session = headers["session"].partition(";")[0]
        code, headers, _ = self.ask("PLAY", f"/{camera}/sub", Session=self.session)
        assert code == 200
        return headers

    def frame(self) -> tuple[int, bytes]:
        """Channel and bytes of the next interleaved frame; AssertionError if something else comes."""
        head = self.take(4)
        assert head[0] == 0x24, f"expected an interleaved frame, got {head!r}"
        return head[1], self.take(int.from_bytes(head[2:]))

    def rtp(self) -> "Rtp":
        """The next RTP packet of the media channel."""
        while True:
            channel, data = self.frame()
            if channel % 2 == 0:
                return Rtp.read(data)

    def take(self, count: int) -> bytes:
        self.need(count)
        data = bytes(self.rest[:count])
        del self.rest[:count]
        return data

    def need(self, count: int) -> None:
        while len(self.rest) < count:
            self.more()

    def more(self) -> None:
        """EOFError when the camera closes, ConnectionResetError when it resets, TimeoutError when it says nothing."""
        data = self.sock.recv(65536)
        if not data:
            raise EOFError
        self.rest += data


@dataclass(frozen=True)
class Rtp:
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes

    @classmethod
    def read(cls, data: bytes) -> "Rtp":
        sequence, timestamp, ssrc = (int.from_bytes(data[a:b]) for a, b in ((2, 4), (4, 8), (8, 12)))
        return cls(bool(data[1] & 0x80), sequence, timestamp, ssrc, data[12:])

    @property
    def kind(self) -> int:
        """NAL unit type; of the unit that is cut up, for fragments."""
        kind = self.payload[0] & 31
        return self.payload[1] & 31 if kind == 28 else kind


def digest(challenge: str, user: str, password: str, method: str, uri: str) -> str:
    """An Authorization header by RFC 2617 without qop, written independently of the product."""
    realm, nonce = (re.search(rf'{name}="([^"]*)"', challenge)[1] for name in ("realm", "nonce"))  # type: ignore[index]
    first = md5(f"{user}:{realm}:{password}".encode()).hexdigest()
    second = md5(f"{method}:{uri}".encode()).hexdigest()
    answer = md5(f"{first}:{nonce}:{second}".encode()).hexdigest()
    return f'Digest username="{user}", realm="{realm}", nonce="{nonce}", uri="{uri}", response="{answer}"'
