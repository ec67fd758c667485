"""The camera's UDP sockets for a client that wants its pictures so."""

import contextlib
import socket

__all__ = ["Datagrams"]

_FRAMING_BYTES = 4  # "$", channel and length, in front of every RTP packet of a stamped frame
_TRIES = 64


class Datagrams:
    """RTP from an even port to one port of the client, RTCP from the next to another. Owned by the server's thread.

    Nothing is queued: what the kernel does not take at once is lost, as on the wire. What the client sends is never read.
    """

    def __init__(self, ip: str, client_ip: str, client_ports: tuple[int, int]) -> None:
        """Bind at `ip`. Raises OSError."""
        self._rtp, self._rtcp = _bound_pair(ip)
        self._rtp.connect((client_ip, client_ports[0]))
        self._rtcp.connect((client_ip, client_ports[1]))

    @property
    def port(self) -> int:
        return int(self._rtp.getsockname()[1])

    def send(self, data: bytes | bytearray, start: tuple[int, ...]) -> None:
        """A stamped frame, whose RTP packets begin at `start` with their framing; each becomes a datagram."""
        view = memoryview(data)
        for begin, end in zip(start, (*start[1:], len(data)), strict=True):
            with contextlib.suppress(OSError):  # no room, or nobody listens any more
                self._rtp.send(view[begin + _FRAMING_BYTES : end])

    def report(self, data: bytes) -> None:
        """A sender report with its framing."""
        with contextlib.suppress(OSError):
            self._rtcp.send(data[_FRAMING_BYTES:])

    def close(self) -> None:
        self._rtp.close()
        self._rtcp.close()


def _bound_pair(ip: str) -> tuple[socket.socket, socket.socket]:
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    for _ in range(_TRIES):
        pair = socket.socket(family, socket.SOCK_DGRAM), socket.socket(family, socket.SOCK_DGRAM)
        for sock in pair:
            sock.setblocking(False)
        with contextlib.suppress(OSError):
            pair[0].bind((ip, 0))
            port = pair[0].getsockname()[1]
            if port % 2 == 0:
                pair[1].bind((ip, port + 1))
                return pair
        for sock in pair:
            sock.close()
    raise OSError(f"{ip}: no two neighbouring UDP ports are free")
