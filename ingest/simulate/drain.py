"""A client that connects to every camera by real RTSP, counts RTP frames and throws the bytes away. Runs in its own process."""

import re
import select
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import md5
from multiprocessing.connection import Connection as Pipe

from base import Clock, ProtocolError, SystemClock

__all__ = ["Drained", "drain", "drain_process"]

_SWEEP_S = 0.1  # reads are collected: waking for every frame would cost more than reading it
_ANSWER_S = 20.0


@dataclass(frozen=True, slots=True)
class Drained:
    """What all cameras together delivered: whole frames (RTP markers), RTP packets, holes in their sequence, bytes."""

    clients: int
    frames: int
    packets: int
    lost: int
    bytes: int
    ended: int  # connections the cameras closed


@dataclass(slots=True)
class _Client:
    sock: socket.socket
    rest: bytearray = field(default_factory=bytearray)
    frames: int = 0
    packets: int = 0
    lost: int = 0
    bytes: int = 0
    expected: int = -1
    ended: bool = False


def drain_process(pipe: Pipe, urls: Sequence[str], user: str, password: str) -> None:
    """Entry of the child process: says "playing" when every camera plays, then answers each message with a Drained until the
    pipe closes or "stop" comes."""
    clock = SystemClock()
    clients = [_connect(url, user, password) for url in urls]
    pipe.send("playing")
    while True:
        _sweep(clients)
        if pipe.poll(0):
            message = pipe.recv()
            pipe.send(_sum(clients))
            if message == "stop":
                return
        clock.sleep(_SWEEP_S)


def drain(urls: Sequence[str], user: str, password: str, seconds: float, clock: Clock) -> Drained:
    """The same in this process, for `seconds`; for small numbers of cameras. Raises ProtocolError if a camera refuses."""
    clients = [_connect(url, user, password) for url in urls]
    until_s = clock.monotonic_s() + seconds
    while clock.monotonic_s() < until_s:
        _sweep(clients)
        clock.sleep(_SWEEP_S)
    for client in clients:
        client.sock.close()
    return _sum(clients)


def _sum(clients: Sequence[_Client]) -> Drained:
    return Drained(
        clients=len(clients),
        frames=sum(client.frames for client in clients),
        packets=sum(client.packets for client in clients),
        lost=sum(client.lost for client in clients),
        bytes=sum(client.bytes for client in clients),
        ended=sum(client.ended for client in clients),
    )


def _sweep(clients: Sequence[_Client]) -> None:
    """Whatever arrived at any client."""
    for client in clients:
        if client.ended:
            continue
        try:
            data = client.sock.recv(1 << 20)
        except BlockingIOError:
            continue
        except OSError:
            data = b""
        if not data:
            client.ended = True
            continue
        client.bytes += len(data)
        _count(client, client.rest + data if client.rest else data)


def _count(client: _Client, data: bytes | bytearray) -> None:
    at, end = 0, len(data)
    while at + 8 <= end:
        if data[at] != 0x24:
            raise ProtocolError(f"expected an interleaved frame, got byte {data[at]:#x} after {client.packets} RTP packets")
        size = (data[at + 2] << 8 | data[at + 3]) + 4
        if at + size > end:
            break
        if data[at + 1] == 0:
            sequence = data[at + 6] << 8 | data[at + 7]
            if client.expected >= 0 and sequence != client.expected:
                client.lost += (sequence - client.expected) & 0xFFFF
            client.expected = (sequence + 1) & 0xFFFF
            client.packets += 1
            client.frames += data[at + 5] >> 7
        at += size
    client.rest = bytearray(data[at:])


def _connect(url: str, user: str, password: str) -> _Client:
    """DESCRIBE, SETUP, PLAY, blocking; then a client that reads without blocking."""
    found = re.match(r"rtsp://\[?([^/\]]+?)\]?:(\d+)/", url)
    if found is None:
        raise ProtocolError(f"expected rtsp://host:port/..., got {url}")
    sock = socket.create_connection((found[1], int(found[2])), _ANSWER_S)
    client = _Client(sock)
    _, challenge = _ask(client, "DESCRIBE", url, 1)
    proof = _proof(challenge, user, password)
    if proof:
        _ask(client, "DESCRIBE", url, 2, proof("DESCRIBE", url), must=True)
    track = f"{url}/trackID=1"
    setup = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n" + (proof("SETUP", track) if proof else "")
    head, _ = _ask(client, "SETUP", track, 3, setup, must=True)
    session = re.search(r"(?im)^session:\s*([^;\s]+)", head)
    play = f"Session: {session[1] if session else ''}\r\n" + (proof("PLAY", url) if proof else "")
    _ask(client, "PLAY", url, 4, play, must=True)
    sock.setblocking(False)
    return client


def _ask(client: _Client, method: str, url: str, cseq: int, headers: str = "", *, must: bool = False) -> tuple[str, str]:
    """The head of the reply, and its Digest challenge if any; bytes behind the reply stay in `client.rest`."""
    client.sock.sendall(f"{method} {url} RTSP/1.0\r\nCSeq: {cseq}\r\n{headers}\r\n".encode())
    while (end := client.rest.find(b"\r\n\r\n")) < 0:
        if not select.select([client.sock], [], [], _ANSWER_S)[0] or not (data := client.sock.recv(65536)):
            raise ProtocolError(f"{url}: no answer to {method}")
        client.rest += data
    head = client.rest[:end].decode()
    length = re.search(r"(?im)^content-length:\s*(\d+)", head)
    size = end + 4 + (int(length[1]) if length else 0)
    while len(client.rest) < size:
        client.rest += client.sock.recv(65536)
    del client.rest[:size]
    if must and not head.startswith("RTSP/1.0 200"):
        raise ProtocolError(f"{url}: {method}: {head.splitlines()[0]}")
    challenge = re.search(r"(?im)^www-authenticate:\s*digest (.*)$", head)
    return head, challenge[1] if challenge else ""


def _proof(challenge: str, user: str, password: str) -> Callable[[str, str], str] | None:
    """Makes the Authorization header of a method and URL, RFC 2617; None if the camera asks for no password."""
    if not challenge:
        return None
    given = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
    realm, nonce = given.get("realm", ""), given.get("nonce", "")
    secret = _md5(f"{user}:{realm}:{password}")

    def header(method: str, url: str) -> str:
        asked = _md5(f"{method}:{url}")
        response = _md5(f"{secret}:{nonce}:{asked}")
        who = f'username="{user}", realm="{realm}", nonce="{nonce}"'
        return f'Authorization: Digest {who}, uri="{url}", response="{response}"\r\n'

    return header


def _md5(text: str) -> str:
    return md5(text.encode(), usedforsecurity=False).hexdigest()
