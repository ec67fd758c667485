"""The second, independent look at a camera that gives no media: does anybody answer there at all?"""

import errno
import ipaddress
import os
import socket
import urllib.parse
from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol

from base.clock import Clock
from ingest.rtsp_source import Resolver
from ingest.source import Feed

__all__ = ["LookFactory", "SecondLook", "TcpLook", "look_at"]

_DEADLINE_S = 5.0
_NOT_YET = frozenset({errno.EAGAIN, errno.ENOTCONN, errno.EINPROGRESS})
_PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443, "rtmp": 1935}


class SecondLook(Protocol):
    """One attempt to get any answer out of a camera. Owned by the reader thread; never blocks."""

    def poll(self) -> bool | None:
        """Whether the camera answers; None while that is open. Ask about once a second."""
        ...

    def close(self) -> None: ...


LookFactory = Callable[[Feed], SecondLook | None]
"""A look at the camera of a feed; None where there is no host to look at."""


def look_at(feed: Feed, clock: Clock, resolver: Resolver) -> SecondLook | None:
    """A look at the host and port of a feed; None for a file or what is no address."""
    try:
        parts = urllib.parse.urlsplit(feed.url)
        host, port = parts.hostname, parts.port or _PORTS.get(parts.scheme.lower())
    except ValueError:
        return None
    return TcpLook(host, port, parts.scheme.lower() == "rtsp", clock, resolver) if host and port else None


class TcpLook:
    """A connection of its own. RTSP counts as answering when OPTIONS brings any RTSP answer, all else when TCP connects.

    What the media connection is told (refused, no such stream) does not matter here: this one asks without a path and without
    a password.
    """

    def __init__(self, host: str, port: int, rtsp: bool, clock: Clock, resolver: Resolver) -> None:
        self._host, self._port, self._rtsp = host, port, rtsp
        self._clock, self._until_s = clock, clock.monotonic_s() + _DEADLINE_S
        self._socket: socket.socket | None = None
        self._looking_up: Future[str] | None = None
        self._asked = False
        self._answer: bool | None = None
        try:
            ipaddress.ip_address(host)
        except ValueError:
            self._looking_up = resolver.look_up(host, port)
        else:
            self._connect(host)

    def poll(self) -> bool | None:
        if self._answer is None:
            late = self._clock.monotonic_s() > self._until_s
            try:
                answer = self._advance()
                self._answer = answer if self._answer is None else self._answer
            except OSError as error:
                if late or error.errno not in _NOT_YET:
                    self._answer = False
            if late and self._answer is None:
                self._answer = False
        return self._answer

    def close(self) -> None:
        if self._looking_up is not None:
            self._looking_up.cancel()
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _advance(self) -> bool | None:
        """One step: look up, connect, ask, read. Raises OSError when nobody answers, or (`_NOT_YET`) when it takes longer."""
        if self._looking_up is not None:
            if not self._looking_up.done():
                return None
            ip, self._looking_up = self._looking_up.result(), None
            self._connect(ip)
        if self._socket is None:
            return None
        if not self._asked:
            if code := self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                raise OSError(code, os.strerror(code))
            self._socket.getpeername()
            if not self._rtsp:
                return True
            host = f"[{self._host}]" if ":" in self._host else self._host
            self._socket.send(f"OPTIONS rtsp://{host}:{self._port}/ RTSP/1.0\r\nCSeq: 1\r\n\r\n".encode())
            self._asked = True
        return self._socket.recv(64).startswith(b"RTSP/")

    def _connect(self, ip: str) -> None:
        self._socket = socket.socket(socket.AF_INET6 if ":" in ip else socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setblocking(False)
        code = self._socket.connect_ex((ip, self._port))
        if code not in (0, errno.EINPROGRESS):
            self._socket.close()
            self._socket, self._answer = None, False
