"""Fuzz targets of the RTSP dialogue: messages, session, SDP, 401, addresses, and the simulator's half of it."""

import re

from base import AuthError, ProtocolError, SourceError, Transport
from ingest.rtsp.address import Address, resolve_control
from ingest.rtsp.auth import Authenticator
from ingest.rtsp.message import MAX_HEADER_BYTES, MessageParser, Request, Response
from ingest.rtsp.nal import AccessUnit
from ingest.rtsp.sdp import MAX_TRACKS, parse_sdp
from ingest.rtsp.session import RtspSession
from ingest.simulate import rtsp as simulator
from tests.fuzz.pieces import chunks, pieces

URL = "rtsp://192.0.2.1/live"
HOSTS = frozenset({"192.0.2.1"})
PASSWORD = "geheim-word"
MOST_OUTPUT_BYTES = 96 * 1024  # what the session lets wait, and one request longer than that

_OURS = {"cseq", "user-agent", "session", "authorization", "accept", "transport", "range"}


# Messages


def fuzz_message(data: bytes) -> None:
    """Any chunking gives the same; what was read can be written and read again; frames lie within their chunk."""
    items, error = _parse([data])
    assert (items, error) == _parse(chunks(data))
    for item in items:
        if isinstance(item, Response | Request):
            _check_round_trip(item)


def _parse(parts: list[bytes]) -> tuple[list[object], str]:
    parser, items, seen, last = MessageParser(), list[object](), 0, -1
    for part in parts:
        chunk = parser.feed(part)
        seen += len(part)
        assert len(chunk.data) <= 300_000 + len(part)
        for item in chunk.items:
            if isinstance(item, tuple):
                channel, start, end = item
                assert 0 <= channel <= 255 and 4 <= start <= end <= len(chunk.data)
                items.append((channel, chunk.data[start:end]))
            else:
                assert last < item.offset < seen
                last = item.offset
                items.append(item)
    return items, str(parser.error)


def _check_round_trip(message: Response | Request) -> None:
    if isinstance(message, Response):
        assert 0 <= message.status <= 999
        first = f"RTSP/1.0 {message.status:03d} {message.reason}"
    else:
        first = f"{message.method} {message.url} RTSP/1.0"
    head = "\r\n".join([first, *(f"{name}: {value}" for name, value in message.headers), "", ""]).encode()
    if len(head) >= MAX_HEADER_BYTES:
        return  # written out in full it is longer than it came
    (again,) = MessageParser().feed(head + message.body).items
    assert isinstance(again, Response | Request)
    headers = tuple((name, value.strip()) for name, value in message.headers)  # joined lines may end in a blank one
    assert (again.headers, again.body) == (headers, message.body)


# Session


def fuzz_session(data: bytes) -> None:
    """SourceErrors only, bounded output, nobody else is asked, the password stays; any chunking gives the same."""
    units, asked, error = _converse([data])
    units_by_chunk, asked_by_chunk, error_by_chunk = _converse(chunks(data))
    assert error == error_by_chunk
    assert units == units_by_chunk or error  # those that came with the mistake are lost with it
    assert asked == asked_by_chunk or error
    assert sum(len(unit.data) for unit in units) <= 70 * len(data) + 4096  # parameter sets are repeated before key frames


def _converse(parts: list[bytes]) -> tuple[list[AccessUnit], str, str]:
    """Access units, what we said (but for client nonces), and the error that ended it."""
    session, units, error = RtspSession(URL, "op", PASSWORD, "192.0.2.1:554"), list[AccessUnit](), ""
    session.start()
    session.tick(100.0)
    try:
        for part in parts:
            units += session.receive(part, 1_700_000_000.0)
        session.tick(190.0)
        session.teardown()
    except SourceError as problem:
        error = str(problem)
        assert error.startswith("192.0.2.1:554: ") and PASSWORD not in error and error.isprintable()
    return units, _said(session), error


def _said(session: RtspSession) -> str:
    """What the session wants to send, without what is random in it.

    Only requests to our camera, answers and reports, with headers of ours: nothing the camera sent became a line of its own.
    """
    output, parser = session.take_output(), MessageParser()
    assert len(output) <= MOST_OUTPUT_BYTES
    said, end = [], 0
    for item in parser.feed(output).items:
        if isinstance(item, tuple):
            assert output[item[1] : item[1] + 2] == b"\x81\xc9"  # a receiver report, RFC 3550 §6.4.2
            end = item[2]
            continue
        end = output.index(b"\r\n\r\n", item.offset) + 4
        names = {name for name, _ in item.headers}
        if isinstance(item, Request):
            assert Address.parse(item.url).host in HOSTS, item.url
            assert names <= _OURS, names
        else:
            assert item.status in (200, 501) and names == {"cseq"}
        said.append(output[item.offset : end].decode("utf-8"))
    text = "".join(said)
    assert not re.search(r"\r(?!\n)|(?<!\r)\n", text)
    assert parser.error is None and end == len(output) and PASSWORD not in text
    return re.sub(r'(cnonce|response)="[^"]*"', "", text)


def fuzz_datagrams(data: bytes) -> None:
    """Over UDP: a dialogue, then pieces of a byte of flags and a datagram each: SourceErrors only, and bounded reports."""
    dialogue, *datagrams = pieces(data)
    session = RtspSession(URL, "op", PASSWORD, "192.0.2.1:554", Transport.UDP)
    session.start()
    units, now_s, asked = list[AccessUnit](), 100.0, False
    try:
        for part in dialogue.split(b"\r\n\r\n"):
            units += session.receive(part + b"\r\n\r\n", 1_700_000_000.0)
            if session.over_udp and not asked:
                asked = True
                session.use_port(50_000)
        for datagram in datagrams:
            flags = (datagram or b"\0")[0]
            now_s += (flags >> 1 & 7) * 0.04 + (flags >> 4)
            came = [datagram[1:]]
            units += session.receive_datagrams(*(([], came) if flags & 1 else (came, [])), 1_700_000_000.0, now_s)
            session.tick(now_s)
            report = session.take_report()
            assert not report or (report.startswith(b"\x81\xc9") and len(report) <= 100)
    except SourceError as problem:
        assert str(problem).startswith("192.0.2.1:554: ") and str(problem).isprintable()
    if ports := session.server_ports:
        assert all(0 < port <= 65535 for port in ports)
    if session.over_udp:
        assert len(session.hole_punch) == 12
    _said(session)
    assert sum(len(unit.data) for unit in units) <= 70 * len(data) + 4096


# Parts of it


def fuzz_sdp(data: bytes) -> None:
    """ProtocolError only; bounded; line endings and unknown lines make no difference."""
    try:
        found = parse_sdp(data)
    except ProtocolError as error:
        assert str(error).isprintable()
        return
    assert len(found.tracks) <= MAX_TRACKS
    for track in found.tracks:
        assert 0 <= track.payload_type <= 127 and 0 < track.clock_hz <= 10_000_000
        assert all(track.parameter_sets())
    video = found.video()
    assert (video is None) == (not any(track.kind == "video" for track in found.tracks))
    assert parse_sdp(data.replace(b"\r\n", b"\n")) == found
    assert parse_sdp(data + b"\r\na=x-unknown:1\r\n") == found


def fuzz_challenge(data: bytes) -> None:
    """Each piece is the WWW-Authenticate lines of one 401: AuthErrors only, and a header in one line without the password."""
    authenticator = Authenticator("op", PASSWORD, nonce=lambda: "cnonce")
    for piece in pieces(data):
        try:
            authenticator.challenged(piece.decode("latin-1").splitlines())
        except AuthError as error:
            assert PASSWORD not in str(error)
            return
        header = authenticator.header("DESCRIBE", URL)
        assert header.startswith(("Basic ", "Digest username=")) and PASSWORD not in header
        assert len(header.splitlines()) == 1 and len(header) <= len(data) + 500
        if piece.startswith(b"!"):
            authenticator.accepted()


def fuzz_address(data: bytes) -> None:
    """Base and control of a track, and any URL: whatever the camera says, the host stays the vetted one."""
    base, control, url = (*data.decode("utf-8", "replace").split("\n"), "", "")[:3]
    try:
        target = resolve_control(base, control, URL, HOSTS)
    except ProtocolError:
        pass
    else:
        assert Address.parse(target).host in HOSTS and len(target.splitlines()) == 1, target
        assert not re.search(r"\s", target), target
        assert resolve_control(target, "", URL, HOSTS) == target
    try:
        address = Address.parse(url)
    except SourceError as error:
        assert len(str(error)) < 400
        return
    assert Address.parse(address.authority) == address and 0 <= address.port <= 65535


def fuzz_simulator(data: bytes) -> None:
    """The camera's half: ValueError or requests, however they are cut, and answers whose headers are ours."""
    asked, error = _requests([data])
    assert (asked, error) == _requests(chunks(data))
    for request in asked:
        simulator.authorised(request, "nonce", "op", PASSWORD)
        simulator.wanted_channels(request.headers.get("transport", ""))
        simulator.stream_path(request.url)
        head = simulator.reply(request, 200).decode()
        assert head.endswith("\r\n\r\n") and head.count("\r\n") == 3


def _requests(parts: list[bytes]) -> tuple[list[simulator.Request], bool]:
    """What was asked, and whether it ended in nonsense."""
    buffer, found = bytearray(), list[simulator.Request]()
    for part in parts:
        buffer += part
        try:
            while (request := simulator.parse(buffer)) is not None:
                found.append(request)
        except ValueError:
            return found, True
        assert len(buffer) <= 66_000 + 2 * 16_384
    return found, False
