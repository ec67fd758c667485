"""Bytes of an RTSP connection in, messages and interleaved frames out (RFC 2326). Bounded; any chunking gives the same."""

import re
from dataclasses import dataclass
from typing import NamedTuple

from base.errors import ProtocolError

__all__ = ["Chunk", "Frame", "Message", "MessageParser", "Request", "Response"]

MAX_HEADER_BYTES = 16 * 1024  # the longest real header seen was 1.1 kB
MAX_GARBAGE_BYTES = 32 * 1024  # between two frames
MAX_BODY_BYTES = 64 * 1024  # an SDP of several tracks is 1-4 kB

Frame = tuple[int, int, int]
"""Channel, start and end of one interleaved frame's payload within `Chunk.data`. A plain tuple: made for every RTP packet."""

_HEADER_END = re.compile(rb"\r?\n\r?\n")
_LINE_END = re.compile(r"\r?\n")
_PADDING = re.compile(rb"[\r\n]+")
_CONTROL = re.compile(r"\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")  # what a header may not hold, and we may have to repeat
_MESSAGE_START = re.compile(rb"RTSP/1\.|[A-Z_]{1,20} +\S+ +RTSP/1\.")
_MESSAGE_LIKE = re.compile(rb"[A-Z_]{1,20}(?:[ /]|\Z)")  # what may still become a message
_CHANNELS = re.compile(r"interleaved\s*=\s*(\d{1,3})-(\d{1,3})", re.IGNORECASE)
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


class Chunk(NamedTuple):
    """What became complete. Frames point into `data`, whose first byte is byte `offset` of the connection."""

    data: bytes
    offset: int
    items: list[Frame | Response | Request]


class MessageParser:
    """Incremental parser of one connection. Owned by one thread.

    A violation does not raise out of `feed`, so that whatever came before it is not lost: it is kept in `error`, and nothing more
    is parsed. Once an answer named the channels of RTP and RTCP, garbage is passed over if they go on behind it; while that is
    not known, `lost` says what was found. Memory is bounded by the largest legal message.

    `lacks_body` is true while a header is complete and its body is not. A camera that announces a longer body than it sends would
    be waited for in vain: after `end_body` the next `feed` takes what is there for the whole body.
    """

    def __init__(self) -> None:
        self.error: ProtocolError | None = None
        self.lost: ProtocolError | None = None
        self.lacks_body = False
        self._frame: re.Pattern[bytes] | None = None  # the beginning of one with RTP or RTCP in it
        self._ends_here = False
        self._tail = b""
        self._offset = 0
        self._whole_at = 0  # offset behind the body that is lacking
        self._text_at = -1  # offset behind a body, and behind each line there that begins no message

    @property
    def offset(self) -> int:
        """The first byte of the connection that is not used up yet."""
        return self._offset

    @property
    def is_between_frames(self) -> bool:
        """Whether everything is used up, and nothing was wrong with it."""
        return not self._tail and self.lost is None and self.error is None

    def end_body(self) -> None:
        """There will be no more of the body that is lacking."""
        self._ends_here = True

    def feed(self, data: bytes) -> Chunk:
        """Everything that `data` completed."""
        return self.parse(self.join(data), 0)

    def join(self, data: bytes) -> bytes:
        """What is not used up yet and `data` behind it, for `parse`; its first byte is byte `offset` of the connection."""
        return self._tail + data if self._tail else data

    def skip(self, count: int) -> None:
        """All that came from `join`, `count` bytes, was read by somebody else."""
        self._tail = b""
        self._offset += count

    def parse(self, data: bytes, start: int) -> Chunk:
        """Everything that `data`, which came from `join`, completed from `start` on; what is before was read by somebody else."""
        chunk = Chunk(data, self._offset, [])
        if self.lacks_body and not self._ends_here and self._offset + len(data) < self._whole_at:
            self._tail = data
        elif self.error is None:
            try:
                position = self._walk(data, start, chunk.items)
            except ProtocolError as error:
                self.error, position = error, len(data)
            self._tail, self._ends_here = data[position:], False
            self._offset += position
        return chunk

    def _walk(self, data: bytes, position: int, items: list[Frame | Response | Request]) -> int:
        """Fill `items` from `position` on; the position up to which `data` is used up."""
        size = len(data)
        while position < size:
            if self.lost is not None:
                position = self._recover(data, position)
                if self.lost is not None:
                    break
            first = data[position]
            if first == 0x24:  # "$", RFC 2326 §10.12: channel, 16 bits of length, payload
                if size - position < 4:
                    break
                end = position + 4 + (data[position + 2] << 8 | data[position + 3])
                if end > size:
                    break
                items.append((data[position + 1], position + 4, end))
                position = end
            elif padding := _PADDING.match(data, position):  # some cameras pad between messages
                if self._text_at == self._offset + position:
                    self._text_at = self._offset + padding.end()
                position = padding.end()
            elif self._offset + position == self._text_at and not _MESSAGE_START.match(data, position):
                end = data.find(b"\n", position) + 1  # the rest of a body that is longer than was said
                if not end and size - position < MAX_HEADER_BYTES:
                    break
                position = end or size
                self._text_at = self._offset + position
            else:
                try:
                    end = self._message(data, position, items)
                except ProtocolError as error:
                    if self._frame is None:
                        raise
                    self.lost = error
                    continue
                if not end:
                    break
                position = end
        return position

    def _recover(self, data: bytes, position: int) -> int:
        """Where frames go on behind the garbage at `position`, two in a row; `position` while that is not known.

        Raises what made us lose the way if they do not.
        """
        assert self.lost is not None and self._frame is not None
        for match in self._frame.finditer(data, position, position + MAX_GARBAGE_BYTES):
            following = match.start() + 4 + int.from_bytes(match[1])
            if following + 5 > len(data):
                return position
            if self._frame.match(data, following):
                self.lost = None
                return match.start()
        if len(data) - position >= MAX_GARBAGE_BYTES:
            raise self.lost
        return position

    def _message(self, data: bytes, start: int, items: list[Frame | Response | Request]) -> int:
        """The end of the message at `start`, appended to `items`; 0 while it is incomplete."""
        offset = self._offset + start
        if not _MESSAGE_LIKE.match(data, start):
            raise ProtocolError(f"byte {offset}: expected '$' or an RTSP message, got 0x{data[start]:02x}")
        match = _HEADER_END.search(data, start, start + MAX_HEADER_BYTES)
        if match is None:
            if len(data) - start >= MAX_HEADER_BYTES:
                raise ProtocolError(f"byte {offset}: RTSP header longer than {MAX_HEADER_BYTES} bytes")
            return 0
        lines = _LINE_END.split(_text(data[start : match.start()]))
        headers = _headers(lines[1:])
        length = _content_length(headers, offset)
        end = match.end() + length
        self.lacks_body = end > len(data) and not self._ends_here
        if self.lacks_body:
            self._whole_at = self._offset + end
            return 0
        end = min(end, len(data))
        body = data[match.end() : end]
        if body:
            self._text_at = self._offset + end
        if status := _STATUS_LINE.fullmatch(lines[0].rstrip()):
            response = Response(headers, body, offset, int(status[1]), status[2] or "")
            if named := _CHANNELS.search(response.get("transport")):
                channels = re.escape(bytes(int(number) & 255 for number in named.groups()))
                self._frame = re.compile(rb"\$(?=[" + channels + rb"](..)[\x80-\xbf])", re.DOTALL)
            items.append(response)
        elif request := _REQUEST_LINE.fullmatch(lines[0].rstrip()):
            items.append(Request(headers, body, offset, request[1], request[2]))
        else:
            raise ProtocolError(f"byte {offset}: expected an RTSP/1.0 message, got {lines[0][:60]!r}")
        return end


def _text(data: bytes) -> str:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return _CONTROL.sub(" ", text)


def _headers(lines: list[str]) -> tuple[tuple[str, str], ...]:
    headers: list[tuple[str, str]] = []
    for line in lines:
        if line[:1] in (" ", "\t") and headers:  # folded header, RFC 2326 §4.2
            name, value = headers[-1]
            headers[-1] = (name, f"{value} {line.strip()}")
            continue
        name, colon, value = line.partition(":")
        if colon:  # what is no header does not matter
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
