"""uvicorn inside an event loop that is already running: start, stop, and a clear word when the port is taken."""

import asyncio
import contextlib
import errno
import logging
import socket
from collections.abc import Iterator

import uvicorn
from fastapi import FastAPI

from base import ConfigError
from dashboard.head_deadline import HeadDeadlineProtocol

__all__ = ["WebServer"]

logger = logging.getLogger(__name__)

GRACE_S = 1
"""How long requests in progress may take to finish when stopping; pages are told to come back at once."""

START_S = 10.0
CONNECTIONS = 1_000
MESSAGE_BYTES = 16_384
"""A page says which cameras it shows, and nothing more; anything larger closes the WebSocket with 1009."""


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers, which belong to whoever owns the loop."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.is_up.set()


class WebServer:
    """Serves one application on one address. Owned by the event loop in which it is started."""

    def __init__(self, app: FastAPI, host: str, port: int, trusted_proxies: tuple[str, ...] = ()) -> None:
        self._host = host
        self._port = port
        self._config = uvicorn.Config(
            app,
            http=HeadDeadlineProtocol,  # on h11, which bounds the size of a head; httptools does not
            ws="websockets-sansio",
            ws_max_size=MESSAGE_BYTES,
            ws_per_message_deflate=False,  # a LAN has the bytes; 200 pages times one deflate each has not the time
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="on",
            limit_concurrency=CONNECTIONS,
            timeout_keep_alive=15,
            timeout_graceful_shutdown=GRACE_S,
            proxy_headers=bool(trusted_proxies),
            forwarded_allow_ips=list(trusted_proxies),
        )
        self._server: _Server | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """Where it listens; with port 0, known once it has started."""
        return self._port

    async def start(self) -> None:
        """Return when requests are answered. Raises ConfigError if the address cannot be had."""
        listener = _listen(self._host, self._port)
        self._port = listener.getsockname()[1]
        self._server = _Server(self._config)
        self._task = asyncio.create_task(self._run(self._server, listener), name="web-server")
        up = asyncio.create_task(self._server.is_up.wait(), name="web-server-up")
        await asyncio.wait((self._task, up), timeout=START_S, return_when=asyncio.FIRST_COMPLETED)
        up.cancel()
        if not self._server.is_up.is_set():
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            raise ConfigError(f"the web server did not start on {self._host}:{self._port}; the log has the reason")

    async def stop(self) -> None:
        """Close the port, tell open pages to come back later, and return when all is done, within about 3 s. Safe to repeat."""
        if self._server is None or self._task is None:
            return
        self._server.should_exit = True
        done, _ = await asyncio.wait((self._task,), timeout=GRACE_S + 2)
        if not done:
            logger.warning("the web server did not stop in time and was cut off")
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._server = self._task = None

    @staticmethod
    async def _run(server: _Server, listener: socket.socket) -> None:
        try:
            await server.serve(sockets=[listener])
        except SystemExit:  # uvicorn's way to say that the application refused to start; it has logged why
            logger.error("the web application did not start")
        finally:
            listener.close()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio turns Nagle's algorithm off; without, a small answer waits 40 ms for the other side's ACK.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(512)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            sentence = f"port {port} on {host} is in use by another program; stop that one, or choose another port with --port"
        elif error.errno == errno.EACCES:
            sentence = f"port {port} needs rights this program does not have; choose one above 1023 with --port"
        else:
            sentence = f"cannot listen on {host}:{port}: {error.strerror or error}; choose another address with --host and --port"
        raise ConfigError(sentence) from None
    listener.setblocking(False)
    return listener
