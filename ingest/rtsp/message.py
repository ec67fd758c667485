"""Bytes of an RTSP connection in, messages and interleaved frames out (RFC 2326). Bounded; any chunking gives the same."""

import re
from dataclasses import dataclass

from base.errors import ProtocolError

__all__ = ["Chunk", "Frame", "Message", "MessageParser", "Request", "Response"]

MAX_HEADER_BYTES = 16 * 1024  # the longest real header seen was 1.1 kB
MAX_BODY_BYTES = 256 * 1024  # an SDP of several tracks is 1-4 kB

Frame = tuple[int, int, int]
"""Channel, start and end of one interleaved frame's payload within `Chunk.data`. A plain tuple: made for every RTP packet."""

_HEADER_END = re.compile(rb"\r?\n\r?\n")
_STATUS_LINE = re.compile(r"RTSP/1\.\d +(\d{3})(?: +(.*))?")
_REQUEST_LINE = re.compile(r"([A-Z_]{1,20}) +(\S+) +RTSP/1\.\d")


@dataclass(frozen=True, slots=True)
class Message:
    """Headers and body of a response or request; `offset` is where in the byte stream it began."""

    headers: tuple[tuple[str, str], ...]
    body: bytes
    offset: int

    def all(self, name: str) -> list[str]:
        """Values of every header called `name` (lower case)."""
        return [value for key, value in self.headers if key == name]

    def get(self, name: str) -> str:
        """The first header called `name` (lower case), or an empty text."""
        return next((value for key, value in self.headers if key == name), "")


@dataclass(frozen=True, slots=True)
class Response(Message):
    status: int
    reason: str


@dataclass(frozen=True, slots=True)
class Request(Message):
    method: str
    url: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """What became complete. Frames point into `data`, whose first byte is byte `offset` of the connection."""

    data: bytes
    offset: int
    items: list[Frame | Response | Request]


class MessageParser:
    """Incremental parser of one connection. Owned by one thread.

    A violation does not raise out of `feed`, so that whatever came before it is not lost: it is kept in `error`, and nothing more
    is parsed. Memory is bounded by the largest legal message.
    """

    def __init__(self) -> None:
        self.error: ProtocolError | None = None
        self._tail = b""
        self._offset = 0

    def feed(self, data: bytes) -> Chunk:
        """Everything that `data` completed."""
        if self._tail:
            data = self._tail + data
        chunk = Chunk(data, self._offset, [])
        if self.error is None:
            try:
                position = self._walk(data, chunk.items)
            except ProtocolError as error:
                self.error, position = error, len(data)
            self._tail = data[position:]
            self._offset += position
        return chunk

    def _walk(self, data: bytes, items: list[Frame | Response | Request]) -> int:
        """Fill `items`; the position up to which `data` is used up."""
        position, size = 0, len(data)
        while position < size:
            first = data[position]
            if first == 0x24:  # "$", RFC 2326 §10.12: channel, 16 bits of length, payload
                if size - position < 4:
                    break
                end = position + 4 + (data[position + 2] << 8 | data[position + 3])
                if end > size:
                    break
                items.append((data[position + 1], position + 4, end))
                position = end
            elif first in b"\r\n":  # some cameras pad between messages
                position += 1
            else:
                end = self._message(data, position, items)
                if not end:
                    break
                position = end
        return position

    def _message(self, data: bytes, start: int, items: list[Frame | Response | Request]) -> int:
        """The end of the message at `start`, appended to `items`; 0 while it is incomplete."""
        offset = self._offset + start
        if not 0x41 <= data[start] <= 0x5A:
            raise ProtocolError(f"byte {offset}: expected '$' or an RTSP message, got 0x{data[start]:02x}")
        match = _HEADER_END.search(data, start, start + MAX_HEADER_BYTES)
        if match is None:
            if len(data) - start >= MAX_HEADER_BYTES:
                raise ProtocolError(f"byte {offset}: RTSP header longer than {MAX_HEADER_BYTES} bytes")
            return 0
        lines = data[start : match.start()].decode("latin-1").splitlines()
        headers = _headers(lines[1:], offset)
        length = _content_length(headers, offset)
        end = match.end() + length
        if end > len(data):
            return 0
        body = data[match.end() : end]
        if status := _STATUS_LINE.fullmatch(lines[0].rstrip()):
            items.append(Response(headers, body, offset, int(status[1]), status[2] or ""))
        elif request := _REQUEST_LINE.fullmatch(lines[0].rstrip()):
            items.append(Request(headers, body, offset, request[1], request[2]))
        else:
            raise ProtocolError(f"byte {offset}: expected an RTSP/1.0 message, got {lines[0][:60]!r}")
        return end


def _headers(lines: list[str], offset: int) -> tuple[tuple[str, str], ...]:
    headers: list[tuple[str, str]] = []
    for line in lines:
        if line[:1] in (" ", "\t") and headers:  # folded header, RFC 2326 §4.2
            name, value = headers[-1]
            headers[-1] = (name, f"{value} {line.strip()}")
            continue
        name, colon, value = line.partition(":")
        if not colon:
            raise ProtocolError(f"byte {offset}: expected 'Name: value' in an RTSP header, got {line[:60]!r}")
        headers.append((name.strip().lower(), value.strip()))
    return tuple(headers)


def _content_length(headers: tuple[tuple[str, str], ...], offset: int) -> int:
    for name, value in headers:
        if name == "content-length":
            if not (value.isascii() and value.isdigit() and len(value) <= 9):
                raise ProtocolError(f"byte {offset}: expected a number as Content-Length, got {value[:30]!r}")
            if int(value) > MAX_BODY_BYTES:
                raise ProtocolError(f"byte {offset}: Content-Length {value} is more than {MAX_BODY_BYTES} bytes")
            return int(value)
    return 0
