"""One RTSP 1.0 session (RFC 2326) without I/O: bytes and datagrams in, access units, requests and reports out."""

import contextlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from base.errors import AuthError, ConnectError, ProtocolError, SourceError, StreamEnded, StreamTimeout
from base.records import Transport
from ingest.rtsp.address import Address, pinned, resolve_control
from ingest.rtsp.auth import Authenticator, Offers
from ingest.rtsp.calm import Calm
from ingest.rtsp.h264 import H264Depacketizer
from ingest.rtsp.h265 import H265Depacketizer
from ingest.rtsp.jpeg import JpegDepacketizer
from ingest.rtsp.message import MessageParser, Request, Response
from ingest.rtsp.nal import AccessUnit, Depacketizer, UnreadableParameters
from ingest.rtsp.reorder import ReorderWindow
from ingest.rtsp.reports import ReceiverReports, hole_punch
from ingest.rtsp.rtp import PayloadReader, RtpReceiver, read_rtcp
from ingest.rtsp.sdp import Track, parse_sdp
from ingest.rtsp.transport import INTERLEAVED, read_channels, read_server_ports, read_ssrc, udp_to
from ingest.source import Phase, UnsupportedStream

__all__ = ["RtspSession"]

_DEPACKETIZERS: dict[str, type[Depacketizer]] = {"H264": H264Depacketizer, "H265": H265Depacketizer}
_DEFAULT_TIMEOUT_S = 60  # RFC 2326 §12.37
_MOST_TIMEOUT_S = 120  # believed; some cameras claim 10⁹ s
_GARBAGE_PATIENCE_S = 0.5  # before garbage on the connection ends it
_BODY_PATIENCE_S = 2.0  # without a byte, before a body is taken to be shorter than announced
_MAX_REDIRECTS = 3
_MAX_ANSWERS = 20  # to the camera's own requests, a minute; a sign of life comes every few seconds at most
_STATIC = {26: "JPEG", 31: "H261", 32: "MPEG", 34: "H263"}  # video that needs no rtpmap, RFC 3551 §6
_ADVICE = "which our RTSP client does not read; set it to H.264 or H.265 at the camera, or configure its http:// address"
_REPORT_UDP_S, _REPORT_TCP_S = 5.0, 20.0  # RFC 3550 §6.2 asks for 5 s; over TCP they only say that we live
_UDP_SILENCE_S = 8.0  # less than the stall of `IngestSettings`, whose sentence knows nothing of UDP
_KEEP_ALIVE = ("GET_PARAMETER", "OPTIONS", "SET_PARAMETER")  # in the order in which we prefer what the camera offers
_TIMEOUT = re.compile(r"timeout\s*=\s*(\d{1,20})", re.IGNORECASE)


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

    Over UDP (asked for, or because the camera refuses TCP with 461) `over_udp` turns true and the dialogue waits for `use_port`;
    from then on call `receive_datagrams` at every sweep, and send what `take_report` returns to the camera's RTCP port.
    """

    def __init__(
        self,
        url: str,
        user: str,
        password: str,
        peer: str,
        transport: Transport = Transport.TCP,
        user_agent: str = "Gridpatrol",
        offers: Offers | None = None,
    ) -> None:
        """`offers` is shared by the connections to one camera, so that none of them tells its password in plain text."""
        self.phase = Phase.DESCRIBING
        self.receiver: RtpReceiver | None = None
        self.skew_s: float | None = None
        self.clock_hz = 90_000
        self.frames = self.messages = 0  # that came: interleaved frames or datagrams, requests and answers
        self._url, self._base = url, url
        self._peer, self._user_agent = peer, user_agent
        self._hosts = frozenset({Address.parse(url).host, peer.rpartition(":")[0].strip("[]").lower()})
        self._auth = Authenticator(user, password, None if url.lower().startswith("rtsps:") else offers)  # TLS hides it anyway
        self._parser = MessageParser()
        self._output = bytearray()
        self._asked: _Asked | None = None
        self._sequence = 0
        self._session_id = ""
        self._keep_alive_method, self._keep_alive_s = "OPTIONS", _DEFAULT_TIMEOUT_S / 2
        self._keep_alive_due_s: float | None = None
        self._report_due_s = self._due_s = float("-inf")  # `_due_s`: before then `tick` has nothing to do
        self.over_udp = False
        self.server_ports: tuple[int, int] | None = None  # of RTP and RTCP over UDP, if the camera told them
        self._transport = transport
        self._port = 0  # ours, of RTP over UDP
        self._order: ReorderWindow | None = None  # over UDP, from DESCRIBE on
        self._heard_s: float | None = None  # monotonic, last datagram of RTP
        self._reports = ReceiverReports()
        self._report = b""
        self.channel = -1  # of RTP; RTCP has its own
        self._rtcp_channel = -1
        self._redirects = 0
        self._answers = 0  # to requests of the camera, since `_answers_from_s`
        self._answers_from_s = float("-inf")  # monotonic
        self._received = self._received_before = 0  # bytes; before: at the last tick while there was no description
        self._body_due_s = self._lost_due_s = float("inf")
        self._lost: ProtocolError | None = None  # of the parser, when last looked at
        self._track: Track | None = None
        self._track_url = ""

    @property
    def position(self) -> str:
        """Byte offset of the connection, SSRC and sequence number of the newest RTP packet; for a capture."""
        where = f"UDP port {self._port}" if self.over_udp else f"byte {self._parser.offset}"
        return where if self.receiver is None or self.receiver.ssrc < 0 else f"{where}, {self.receiver.position}"

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

    def calm(self) -> Calm | None:
        """What to read on with at a glance; None while that is not possible.

        What was read so must be told by `take` before anything else is called.
        """
        if self.phase is not Phase.STREAMING or self.receiver is None or self.over_udp or not self._parser.is_between_frames:
            return None
        return None if self._output else self.receiver.calm(self.channel, self._rtcp_channel)

    @property
    def due_s(self) -> float:
        """Monotonic; before then `tick` has nothing to do that matters."""
        return self._due_s

    def take(self, rtp_packets: int, timestamp: int, size: int, reports: Sequence[tuple[float, bytes]]) -> None:
        """Go on behind `size` bytes that were read at a glance: RTP packets, the last with this timestamp, and reports, each
        with the UTC of its arrival.
        """
        assert self.receiver is not None
        self.receiver.take(rtp_packets, timestamp)
        self.frames += rtp_packets + len(reports)
        self._parser.skip(size)
        for utc_s, report in reports:
            self._rtcp(report, 0, len(report), utc_s)

    def receive(self, data: bytes, now_s: float) -> list[AccessUnit]:
        """Access units that `data` completed. `now_s` is our UTC clock, for the skew. Raises SourceError with peer and offset."""
        units: list[AccessUnit] = []
        self._received += len(data)
        buffer, start = self._parser.join(data), 0
        if self.receiver is not None:
            before = self.receiver.packets
            try:
                start = self.receiver.receive_run(buffer, self.channel, self._parser.offset, units)
            except SourceError as error:
                raise type(error)(f"{self._peer}: {error}") from None
            self.frames += self.receiver.packets - before
        if start == len(buffer):  # nothing but pictures, as nearly always
            self._parser.skip(len(buffer))
        else:
            self._receive_rest(buffer, start, now_s, units)
        if self.phase is Phase.STARTING and units:
            self._started(units)
        return units

    def _receive_rest(self, buffer: bytes, start: int, now_s: float, units: list[AccessUnit]) -> None:
        """What is in `buffer` from `start` on, whatever it is."""
        channel, receiver = self.channel, self.receiver
        chunk = self._parser.parse(buffer, start)
        self.frames += len(chunk.items)
        for item in chunk.items:
            try:
                if type(item) is tuple:
                    if item[0] == channel and receiver is not None:
                        receiver.receive(buffer, item[1], item[2], units)
                    elif item[0] == self._rtcp_channel:
                        self._rtcp(buffer, item[1], item[2], now_s)
                elif isinstance(item, Response):
                    self.messages += 1
                    self._answered(item)
                    channel, receiver = self.channel, self.receiver
                elif isinstance(item, Request):
                    self.messages += 1
                    self._requested(item)
            except SourceError as error:
                offset = item.offset if isinstance(item, Response | Request) else chunk.offset + item[1]
                raise type(error)(f"{self._peer}: byte {offset}: {error}") from None
        if self._parser.error is not None:
            raise ProtocolError(f"{self._peer}: {self._parser.error}")

    def use_port(self, port: int) -> None:
        """RTP may come to our UDP port `port`, RTCP to the next: asks the camera to send there."""
        self._port = port
        self._ask("SETUP", self._track_url, udp_to(port))

    def receive_datagrams(self, rtp: list[bytes], rtcp: list[bytes], utc_s: float, now_s: float) -> list[AccessUnit]:
        """Access units that datagrams from the camera completed; call it without any, too, for time moves on (`now_s` monotonic).

        Raises SourceError with peer, SSRC and sequence number.
        """
        units: list[AccessUnit] = []
        self.frames += len(rtp) + len(rtcp)
        if self._order is None or not self.playing:
            return units
        if rtp or self._heard_s is None:
            self._heard_s = now_s
        elif now_s - self._heard_s > _UDP_SILENCE_S:
            raise StreamTimeout(f"{self._peer}: {self._silence()}")
        try:
            for datagram in rtp:
                self._order.receive(datagram, now_s, units)
            self._order.advance(now_s, units)
            for datagram in rtcp:
                self._rtcp(datagram, 0, len(datagram), utc_s)
        except SourceError as error:
            raise type(error)(f"{self._peer}: UDP to port {self._port}: {error}") from None
        if units and self.phase is Phase.STARTING:
            self._started(units)
        return units

    def take_report(self) -> bytes:
        """The RTCP report that is to be sent by UDP now, if any."""
        report, self._report = self._report, b""
        return report

    @property
    def hole_punch(self) -> bytes:
        """What to send to the camera's RTP port before it plays."""
        assert self._track is not None
        return hole_punch(self._track.payload_type)

    def tick(self, now_s: float) -> None:
        """Keep the session alive when half its time-out has passed, and report; `now_s` is monotonic.

        Asks once, never piles up questions. Raises ProtocolError if garbage came and nothing that we understand behind it.
        """
        if self.receiver is not None:
            self.receiver.depacketizer.changes = 0
        if self._parser.lost is not None:
            self._await_frames(self._parser.lost, now_s)
        if now_s < self._due_s:
            return
        if now_s >= self._answers_from_s + 60:
            self._answers, self._answers_from_s = 0, now_s
        if not self.playing:
            self._await_body(now_s)
            return
        if self._keep_alive_due_s is None:
            self._keep_alive_due_s = now_s + self._keep_alive_s
            self._report_due_s = now_s if self.over_udp else now_s + _REPORT_TCP_S
        elif now_s >= self._keep_alive_due_s:
            self._keep_alive_due_s = now_s + self._keep_alive_s
            self._ask(self._keep_alive_method, self._base)
        self._due_s = self._keep_alive_due_s
        if now_s >= self._report_due_s and (self.over_udp or self._output):  # over TCP with the question: interruptions are dear
            self._report_due_s = now_s + (_REPORT_UDP_S if self.over_udp else _REPORT_TCP_S)
            self._write_report()
        if self.over_udp:
            self._due_s = min(self._due_s, self._report_due_s)
        if self._answers:
            self._due_s = min(self._due_s, self._answers_from_s + 60)

    def _await_frames(self, lost: ProtocolError, now_s: float) -> None:
        """Pictures may go on behind garbage; if they do not, raises what it was."""
        if lost is not self._lost:
            self._lost, self._lost_due_s = lost, now_s + _GARBAGE_PATIENCE_S
        elif now_s >= self._lost_due_s:
            raise ProtocolError(f"{self._peer}: {lost}")

    def _await_body(self, now_s: float) -> None:
        """Some cameras announce a longer description than they send."""
        if not self._parser.lacks_body or self._received != self._received_before:
            self._received_before, self._body_due_s = self._received, now_s + _BODY_PATIENCE_S
        elif now_s >= self._body_due_s:
            self._parser.end_body()
            self.receive(b"", 0.0)

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
        if response.status < 200:
            return  # the answer proper follows
        asked, self._asked = self._asked, None
        if asked is None:
            return  # to nothing we asked; some cameras answer a keep-alive twice
        if response.status == 401:
            self._challenged(asked, response)
            return
        self._auth.accepted()
        if self.playing:
            self._kept_alive(asked, response)
        elif asked.method == "OPTIONS":
            self._offered(response)
        elif 300 <= response.status < 400:
            self._redirected(response)
        elif response.status == 461 and asked.method == "SETUP":
            self._other_transport()
        elif response.status >= 300:
            raise _refusal(asked.method, response)
        elif asked.method == "DESCRIBE":
            self._described(response)
        elif asked.method == "SETUP":
            self._set_up(response)
        elif asked.method == "PLAY":
            self._session_id = self._session_id or response.get("session").partition(";")[0].strip()
            self.phase = Phase.STARTING

    def _challenged(self, asked: _Asked, response: Response) -> None:
        """Asked again with credentials. A camera that refuses them for keep-alive only is not left for it while it plays."""
        try:
            self._auth.challenged(response.all("www-authenticate"))
        except AuthError:
            if not self.playing:
                raise
            self._keep_alive_method = "OPTIONS"
        else:
            self._ask(asked.method, asked.url, *asked.headers)

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
        base = response.get("content-base") or response.get("content-location")
        self._base = resolve_control(base, description.control, self._url, self._hosts)
        self._track_url = resolve_control(base, track.control, self._url, self._hosts)
        self.receiver, self.clock_hz = RtpReceiver(track.payload_type, _reader(track)), track.clock_hz
        self._track = track
        if self._transport is Transport.UDP:
            self._wait_for_port()
        else:
            self._ask("SETUP", self._track_url, INTERLEAVED)

    def _wait_for_port(self) -> None:
        if self._url.lower().startswith("rtsps:"):
            raise UnsupportedStream("over UDP the pictures of an rtsps:// address would not be encrypted, refused")
        assert self.receiver is not None
        self.over_udp, self._order = True, ReorderWindow(self.receiver)

    def _other_transport(self) -> None:
        """461: over UDP, if TCP was what the camera does not do."""
        if self.over_udp and self._transport is Transport.UDP:
            raise UnsupportedStream("the camera answers SETUP over UDP with 461; set its transport to tcp")
        if self.over_udp:
            raise UnsupportedStream("the camera answers SETUP with 461, over TCP and over UDP")
        self._wait_for_port()

    def _set_up(self, response: Response) -> None:
        session, _, rest = response.get("session").partition(";")
        self._session_id = session.strip()  # empty: some cameras name it with PLAY, or never
        transport = response.get("transport")
        if self.over_udp:
            self.server_ports = read_server_ports(transport)
        else:
            self.channel, self._rtcp_channel = read_channels(transport)
        if self.receiver is not None:
            self.receiver.announced_ssrc = read_ssrc(transport)
        if timeout := _TIMEOUT.search(rest):
            timeout_s = int(timeout[1]) or _DEFAULT_TIMEOUT_S
            self._keep_alive_s = max(1.0, min(timeout_s, _MOST_TIMEOUT_S) / 2)
        self._ask("PLAY", self._base, "Range: npt=0.000-")

    def _kept_alive(self, asked: _Asked, response: Response) -> None:
        if response.status < 400:
            return
        if asked.method != "OPTIONS":  # offered, and refused all the same
            self._keep_alive_method = "OPTIONS"
            if response.status == 454:
                self._ask("OPTIONS", asked.url)
        elif response.status == 454:
            raise StreamEnded("the camera has forgotten the session (454)")

    def _started(self, units: list[AccessUnit]) -> None:
        if any(unit.is_key for unit in units):
            self.phase = Phase.STREAMING

    def _silence(self) -> str:
        advice = "set the camera's transport to tcp" if self._transport is Transport.UDP else "the camera refuses TCP"
        return (
            f"nothing came by UDP to port {self._port} for {_UDP_SILENCE_S:g} s, though the RTSP connection stands;"
            f" a firewall may be in the way: {advice}"
        )

    def _write_report(self) -> None:
        """By UDP it must reach the camera, over TCP it goes between the requests (RFC 2326 §10.12)."""
        if self.receiver is None or self._rtcp_channel > 255:
            return
        report = self._reports.write(self.receiver)
        if self.over_udp:
            self._report = report
        elif self.receiver.packets:
            self._output += b"$" + bytes((self._rtcp_channel,)) + len(report).to_bytes(2) + report

    def _rtcp(self, data: bytes, start: int, end: int, now_s: float) -> None:
        news = read_rtcp(data, start, end)
        if news.sender_s is not None:
            self.skew_s = round(news.sender_s - now_s, 3)
        if self.receiver is not None and self.receiver.ssrc in news.goodbye:
            raise StreamEnded("the camera said goodbye (RTCP BYE)")


def _reader(track: Track) -> PayloadReader:
    encoding = track.encoding or _STATIC.get(track.payload_type, f"payload type {track.payload_type}")
    if encoding == "JPEG":
        return JpegDepacketizer()
    if encoding not in _DEPACKETIZERS:
        raise UnsupportedStream(f"the camera sends a video track of {encoding[:40]}, {_ADVICE}")
    depacketizer = _DEPACKETIZERS[encoding]()
    for nal in track.parameter_sets():
        with contextlib.suppress(UnreadableParameters):
            depacketizer.take_parameter_set(nal)
    return depacketizer


def _refusal(method: str, response: Response) -> SourceError:
    text = f"the camera answers {method} with {response.status} {response.reason[:60]}".rstrip()
    if response.status == 403:
        return AuthError(text)
    if response.status in (404, 453, 503) or response.status >= 500:
        return ConnectError(text)
    return ProtocolError(text)
