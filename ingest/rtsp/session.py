"""One RTSP 1.0 session (RFC 2326) over TCP without I/O: bytes in, access units and requests out."""

import re
from dataclasses import dataclass

from base.errors import AuthError, ConnectError, ProtocolError, SourceError, StreamEnded
from ingest.rtsp.address import Address, pinned, resolve_control
from ingest.rtsp.auth import Authenticator
from ingest.rtsp.h264 import H264Depacketizer
from ingest.rtsp.h265 import H265Depacketizer
from ingest.rtsp.message import MessageParser, Request, Response
from ingest.rtsp.nal import AccessUnit, Depacketizer
from ingest.rtsp.rtp import RtpReceiver, read_rtcp
from ingest.rtsp.sdp import parse_sdp
from ingest.source import Phase, UnsupportedStream

__all__ = ["RtspSession"]

_DEPACKETIZERS: dict[str, type[Depacketizer]] = {"H264": H264Depacketizer, "H265": H265Depacketizer}
_DEFAULT_TIMEOUT_S = 60  # RFC 2326 §12.37
_MAX_REDIRECTS = 3
_MAX_OUTPUT_BYTES = 64 * 1024  # a dialogue is under 2 kB; more means that the camera asks and does not read
_MAX_ANSWERS = 20  # to the camera's own requests, a minute; a sign of life comes every few seconds at most
_STATIC = {26: "JPEG", 31: "H261", 32: "MPEG", 34: "H263"}  # video that needs no rtpmap, RFC 3551 §6
_ADVICE = "which our RTSP client does not read; set it to H.264 or H.265 at the camera, or configure its http:// address"
_KEEP_ALIVE = ("GET_PARAMETER", "OPTIONS", "SET_PARAMETER")  # in the order in which we prefer what the camera offers
_INTERLEAVED = re.compile(r"interleaved\s*=\s*(\d{1,3})(?:-(\d{1,3}))?", re.IGNORECASE)
_TIMEOUT = re.compile(r"timeout\s*=\s*(\d{1,5})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Asked:
    """The request that awaits its answer."""

    method: str
    url: str
    headers: tuple[str, ...] = ()


class RtspSession:
    """OPTIONS, DESCRIBE, SETUP of the video track, PLAY, keep-alive, TEARDOWN. Owned by the reader thread.

    Call `start`, then give `receive` what the camera sends and send what `take_output` returns. Only the first video track is
    set up; RTP on other channels is ignored. Requests go out one at a time.
    """

    def __init__(self, url: str, user: str, password: str, peer: str, user_agent: str = "Gridpatrol") -> None:
        self.phase = Phase.DESCRIBING
        self.receiver: RtpReceiver | None = None
        self.skew_s: float | None = None
        self.clock_hz = 90_000
        self._url, self._base = url, url
        self._peer, self._user_agent = peer, user_agent
        self._hosts = frozenset({Address.parse(url).host, peer.rpartition(":")[0].strip("[]").lower()})
        self._auth = Authenticator(user, password)
        self._parser = MessageParser()
        self._output = bytearray()
        self._asked: _Asked | None = None
        self._sequence = 0
        self._session_id = ""
        self._keep_alive_method, self._keep_alive_s = "OPTIONS", _DEFAULT_TIMEOUT_S / 2
        self._keep_alive_due_s: float | None = None
        self._channel = -1  # of RTP; RTCP has its own
        self._rtcp_channel = -1
        self._redirects = 0
        self._answers = 0  # to requests of the camera, since `_answers_from_s`
        self._answers_from_s = float("-inf")  # monotonic
        self._track_url = ""

    def start(self) -> None:
        """Ask the first question."""
        self._ask("OPTIONS", self._url)

    @property
    def has_output(self) -> bool:
        return bool(self._output)

    def take_output(self) -> bytes:
        """What is to be sent now."""
        output, self._output = bytes(self._output), bytearray()
        return output

    def receive(self, data: bytes, now_s: float) -> list[AccessUnit]:
        """Access units that `data` completed. `now_s` is our UTC clock, for the skew. Raises SourceError with peer and offset."""
        units: list[AccessUnit] = []
        chunk = self._parser.feed(data)
        buffer, channel, receiver = chunk.data, self._channel, self.receiver
        for item in chunk.items:
            try:
                if type(item) is tuple:
                    if item[0] == channel and receiver is not None:
                        receiver.receive(buffer, item[1], item[2], units)
                    elif item[0] == self._rtcp_channel:
                        self._rtcp(buffer, item[1], item[2], now_s)
                elif isinstance(item, Response):
                    self._answered(item)
                    channel, receiver = self._channel, self.receiver
                elif isinstance(item, Request):
                    self._requested(item)
                if len(self._output) > _MAX_OUTPUT_BYTES:
                    raise ProtocolError(f"{len(self._output)} bytes wait to be sent; expected at most {_MAX_OUTPUT_BYTES}")
            except SourceError as error:
                offset = item.offset if isinstance(item, Response | Request) else chunk.offset + item[1]
                raise type(error)(f"{self._peer}: byte {offset}: {error}") from None
        if self._parser.error is not None:
            raise ProtocolError(f"{self._peer}: {self._parser.error}")
        if units and self.phase is Phase.STARTING and any(unit.is_key for unit in units):
            self.phase = Phase.STREAMING
        return units

    def tick(self, now_s: float) -> None:
        """Keep the session alive when half its time-out has passed; `now_s` is monotonic. Asks once, never piles up questions."""
        if now_s >= self._answers_from_s + 60:
            self._answers, self._answers_from_s = 0, now_s
        if not self.playing:
            return
        if self._keep_alive_due_s is None:
            self._keep_alive_due_s = now_s + self._keep_alive_s
        elif now_s >= self._keep_alive_due_s:
            self._keep_alive_due_s = now_s + self._keep_alive_s
            self._ask(self._keep_alive_method, self._base)

    @property
    def playing(self) -> bool:
        return self.phase in (Phase.STARTING, Phase.STREAMING)

    def teardown(self) -> None:
        """Say goodbye, if there is a session to end."""
        if self._session_id:
            self._ask("TEARDOWN", self._base)

    # Requests

    def _ask(self, method: str, url: str, *headers: str) -> None:
        self._asked = _Asked(method, url, headers)
        self._sequence += 1
        lines = [f"{method} {url} RTSP/1.0", f"CSeq: {self._sequence}", f"User-Agent: {self._user_agent}"]
        if self._session_id:
            lines.append(f"Session: {self._session_id}")
        if authorization := self._auth.header(method, url):
            lines.append(f"Authorization: {authorization}")
        self._output += "\r\n".join([*lines, *headers, "", ""]).encode("utf-8")

    def _requested(self, request: Request) -> None:
        """Cameras rarely ask; they get an honest no, or a yes to a sign of life. Those that ask too often get no answer."""
        self._answers += 1
        if self._answers > _MAX_ANSWERS:
            return
        status = "200 OK" if request.method in ("OPTIONS", "GET_PARAMETER", "SET_PARAMETER") else "501 Not Implemented"
        number = re.sub(r"[^0-9]", "", request.get("cseq"))[:10]
        self._output += f"RTSP/1.0 {status}\r\nCSeq: {number}\r\n\r\n".encode()

    # Answers

    def _answered(self, response: Response) -> None:
        asked, self._asked = self._asked, None
        if asked is None:
            return  # to nothing we asked; some cameras answer a keep-alive twice
        if response.status == 401:
            self._auth.challenged(response.all("www-authenticate"))
            self._ask(asked.method, asked.url, *asked.headers)
            return
        self._auth.accepted()
        if self.playing:
            self._kept_alive(asked, response)
        elif asked.method == "OPTIONS":
            self._offered(response)
        elif 300 <= response.status < 400:
            self._redirected(response)
        elif response.status != 200:
            raise _refusal(asked.method, response)
        elif asked.method == "DESCRIBE":
            self._described(response)
        elif asked.method == "SETUP":
            self._set_up(response)
        elif asked.method == "PLAY":
            self.phase = Phase.STARTING

    def _offered(self, response: Response) -> None:
        """OPTIONS only tells how to keep alive; a camera that does not know it is asked on."""
        public = {word.strip().upper() for word in response.get("public").split(",")}
        self._keep_alive_method = next((method for method in _KEEP_ALIVE if method in public), "OPTIONS")
        self._describe()

    def _describe(self) -> None:
        self._ask("DESCRIBE", self._url, "Accept: application/sdp")

    def _redirected(self, response: Response) -> None:
        """Followed on the same connection or not at all: another host or port was not vetted."""
        location = response.get("location")
        if not location:
            raise ProtocolError(f"{response.status} without a Location")
        target, here = Address.parse(pinned(location, self._url, self._hosts)), Address.parse(self._url)
        self._redirects += 1
        if target.port != here.port or target.scheme != here.scheme or self._redirects > _MAX_REDIRECTS:
            raise ProtocolError(f"the camera redirects to {target.authority}; only {here.authority} was configured, refused")
        self._url = pinned(location, self._url, self._hosts)
        self._describe()

    def _described(self, response: Response) -> None:
        description = parse_sdp(response.body)
        track = description.video()
        if track is None:
            raise UnsupportedStream("the camera describes no video track")
        if track.encoding not in _DEPACKETIZERS:
            encoding = track.encoding or _STATIC.get(track.payload_type, f"payload type {track.payload_type}")
            raise UnsupportedStream(f"the camera sends a video track of {encoding[:40]}, {_ADVICE}")
        base = response.get("content-base") or response.get("content-location")
        self._base = resolve_control(base, description.control, self._url, self._hosts)
        self._track_url = resolve_control(base, track.control, self._url, self._hosts)
        depacketizer = _DEPACKETIZERS[track.encoding]()
        for nal in track.parameter_sets():
            depacketizer.take_parameter_set(nal)
        self.receiver, self.clock_hz = RtpReceiver(track.payload_type, depacketizer), track.clock_hz
        self._ask("SETUP", self._track_url, "Transport: RTP/AVP/TCP;unicast;interleaved=0-1")

    def _set_up(self, response: Response) -> None:
        session, _, rest = response.get("session").partition(";")
        if not session.strip():
            raise ProtocolError("an answer to SETUP without a Session")
        self._session_id = session.strip()
        transport = response.get("transport")
        if transport and "TCP" not in transport.upper():
            raise UnsupportedStream(f"the camera answers SETUP with {transport[:60]!r}, not with RTP over TCP")
        channels = _INTERLEAVED.search(transport)
        self._channel = int(channels[1]) if channels else 0
        self._rtcp_channel = int(channels[2]) if channels and channels[2] else self._channel + 1
        if timeout := _TIMEOUT.search(rest):
            self._keep_alive_s = max(1.0, int(timeout[1]) / 2)
        self._ask("PLAY", self._base, "Range: npt=0.000-")

    def _kept_alive(self, asked: _Asked, response: Response) -> None:
        if response.status == 454:
            raise StreamEnded("the camera has forgotten the session (454)")
        if response.status in (405, 501, 551) and asked.method != "OPTIONS":
            self._keep_alive_method = "OPTIONS"

    def _rtcp(self, data: bytes, start: int, end: int, now_s: float) -> None:
        news = read_rtcp(data, start, end)
        if news.sender_s is not None:
            self.skew_s = round(news.sender_s - now_s, 3)
        if news.goodbye:
            raise StreamEnded("the camera said goodbye (RTCP BYE)")


def _refusal(method: str, response: Response) -> SourceError:
    text = f"the camera answers {method} with {response.status} {response.reason[:60]}".rstrip()
    if response.status == 403:
        return AuthError(text)
    if response.status in (404, 453, 503) or response.status >= 500:
        return ConnectError(text)
    return ProtocolError(text)
