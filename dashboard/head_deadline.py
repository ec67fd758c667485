"""HTTP/1.1 by uvicorn and h11, with a deadline for what uvicorn waits for without one: the head of a request."""

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["HEAD_S", "HeadDeadlineProtocol"]

HEAD_S = 10.0
"""How long a client may take from the first byte to the end of a head, and from connecting to its first byte.

Browsers open a connection ahead of time and leave it idle; they reconnect without a word when it has gone.
"""


class HeadDeadlineProtocol(H11Protocol):
    """Closes a connection whose next request does not arrive in time, so that a thousand slow clients hold nothing for long."""

    def __init__(self, *arguments: Any, **named: Any) -> None:  # Any: uvicorn's own, handed on
        super().__init__(*arguments, **named)
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn does
        super().connection_made(transport)
        self._deadline = self.loop.call_later(HEAD_S, self._give_up)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        is_in_head = self.conn.their_state is h11.IDLE and bool(self.conn.trailing_data[0])
        if not is_in_head:
            self._forget_deadline()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(HEAD_S, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_deadline()
        super().connection_lost(exc)

    def _give_up(self) -> None:
        self._deadline = None
        if not self.transport.is_closing():
            self.transport.write(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            self.transport.close()

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
