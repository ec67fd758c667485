"""A receiver of webhooks on the loopback that writes down what it gets and misbehaves when asked to."""

import contextlib
import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

__all__ = ["Got", "Receiver", "receiving"]

Answers = Callable[["Got"], "tuple[int, bytes] | str"]
"""Status and body for a request; or 'reset', 'hang', 'drip' or 'redirect'."""


@dataclass(frozen=True)
class Got:
    """One request as it arrived."""

    path: str
    headers: Mapping[str, str]  # names in lower case
    body: bytes

    @property
    def json(self) -> dict[str, object]:
        found = json.loads(self.body)
        assert isinstance(found, dict)
        return found

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


@dataclass
class Receiver:
    """Its address, what it got, and how it answers; `answer` may be exchanged at any time."""

    url: str = ""
    got: list[Got] = field(default_factory=list)
    answer: Answers = lambda _: (200, b"")
    released: threading.Event = field(default_factory=threading.Event)  # lets 'hang' and 'drip' end

    def ids(self) -> list[str]:
        return [each.id for each in list(self.got)]


@contextlib.contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver that answers 200 until told otherwise."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            got = Got(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            answer = receiver.answer(got)
            receiver.got.append(got)
            with contextlib.suppress(OSError):
                self._give(answer)

        def _give(self, answer: tuple[int, bytes] | str) -> None:
            if answer == "reset":
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
                return
            if answer == "hang":
                receiver.released.wait(30)
                return
            status, body = (302, b"") if answer == "redirect" else (200, b"") if isinstance(answer, str) else answer
            self.send_response(status)
            if answer == "redirect":
                self.send_header("Location", receiver.url + "/elsewhere")
            if answer == "drip":
                self.send_header("Content-Length", "100000")
                self.end_headers()
                while not receiver.released.wait(0.05):
                    self.wfile.write(b"x")
                    self.wfile.flush()
                return
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing: what arrived is in `got`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, name="receiver")
    thread.start()
    try:
        yield receiver
    finally:
        receiver.released.set()
        server.shutdown()
        server.server_close()
        thread.join(5)
