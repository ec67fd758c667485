"""Cameras that try to lead us elsewhere, to fill our memory, or to learn the password. Traps are listeners of our own."""

import contextlib
import itertools
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction

import av
import numpy as np
import pytest
from av.video.codeccontext import VideoCodecContext

from base import Codec, DecodeError, Packet, ProtocolError, SimulatedClock, SourceError, SystemClock
from ingest import Feed, LibavSource, RtspSource, rtsp_source, survey
from ingest import libav_source as libav_source_module
from ingest.connection import READ_BYTES, Connection
from ingest.decode import decode_key
from ingest.libav_source import open_container
from ingest.rtsp_source import Resolver
from tests.ingest.conftest import Until
from tests.ingest.test_reader import PASSWORD, USER, Rig

H263_ONLY = b"v=0\r\na=control:*\r\nm=video 0 RTP/AVP 34\r\na=control:track1\r\n"


@dataclass
class Listener:
    """Speaks line by line with whoever connects: `answer` gets the head of a request, its reply is sent."""

    answer: Callable[[bytes], bytes]
    port: int = 0
    connections: int = 0
    heard: list[bytes] = field(default_factory=list)

    def serve(self, listening: socket.socket) -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._talk, args=(connection,), name="test-talk", daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(5)
            pending = b""
            while data := connection.recv(4096):
                pending += data
                while b"\r\n\r\n" in pending:
                    head, _, pending = pending.partition(b"\r\n\r\n")
                    self.heard.append(head)
                    reply = self.answer(head)
                    connection.sendall(reply)
                    if reply.startswith(b"HTTP"):
                        return


@contextlib.contextmanager
def listener(answer: Callable[[bytes], bytes]) -> Iterator[Listener]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        one = Listener(answer, listening.getsockname()[1])
        thread = threading.Thread(target=one.serve, args=(listening,), name="test-listen", daemon=True)
        thread.start()
        yield one
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def rtsp_reply(head: bytes, *headers: str, status: str = "200 OK", body: bytes = b"") -> bytes:
    number = next(line.split(b":")[1].strip().decode() for line in head.split(b"\r\n") if line.lower().startswith(b"cseq"))
    return (
        "\r\n".join([f"RTSP/1.0 {status}", f"CSeq: {number}", *headers, f"Content-Length: {len(body)}", "", ""]).encode() + body
    )


def challenge(head: bytes) -> bytes:
    return rtsp_reply(head, 'WWW-Authenticate: Basic realm="x"', status="401 Unauthorized")


def failure_of(source: LibavSource, until: Until) -> SourceError:
    errors = list[SourceError]()

    def failed() -> bool:
        try:
            source.sweep(0.0)
        except SourceError as error:
            errors.append(error)
        return bool(errors)

    source.open()
    assert until(failed, 10)
    source.close()
    return errors[0]


def test_a_camera_of_another_codec_does_not_lead_the_password_elsewhere(until: Until) -> None:
    with listener(challenge) as trap:

        def camera(head: bytes) -> bytes:
            if head.startswith(b"OPTIONS"):
                return rtsp_reply(head, "Public: OPTIONS, DESCRIBE")
            if b"Gridpatrol" in head:
                return rtsp_reply(head, body=H263_ONLY)
            return rtsp_reply(head, f"Location: rtsp://127.0.0.1:{trap.port}/x", status="302 Found")

        with listener(camera) as hostile, Rig([f"rtsp://127.0.0.1:{hostile.port}/x"]) as rig:
            assert until(rig.swept(lambda: hostile.connections >= 3), 15)
            assert (trap.connections, trap.heard) == (0, [])
            assert until(rig.swept(lambda: rig.error() != ""), 5)
            assert "a video track of H263, which our RTSP client does not read; set it to H.264" in rig.error()
            (checked,) = survey([Feed("c1", f"rtsp://127.0.0.1:{hostile.port}/x", USER, PASSWORD)], SystemClock(), 5)
            assert "H263" in checked.error
        assert trap.connections == 0
        assert all(b"Gridpatrol" in head for head in hostile.heard)


@pytest.mark.parametrize("scheme", ["rtsp", "rtsps"])
def test_ffmpeg_opens_neither_rtsp_nor_rtsps(scheme: str, until: Until) -> None:
    with listener(challenge) as trap:
        for user, password in ((USER, PASSWORD), ("", "")):
            error = failure_of(
                LibavSource(Feed("c1", f"{scheme}://127.0.0.1:{trap.port}/x", user, password), SystemClock()), until
            )
            assert "our own client only" in str(error) and PASSWORD not in str(error)
        assert trap.connections == 0


@pytest.mark.parametrize("how", ["302 Found", "playlist"])
def test_over_http_nobody_leads_us_elsewhere(how: str, until: Until) -> None:
    with listener(lambda head: b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n") as trap:
        elsewhere = f"http://127.0.0.1:{trap.port}/x.ts"
        playlist = f"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{elsewhere}\n#EXT-X-ENDLIST\n".encode()

        def camera(head: bytes) -> bytes:
            if how == "playlist":
                kind = b"application/vnd.apple.mpegurl"
                return b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n%b" % (kind, len(playlist), playlist)
            return f"HTTP/1.1 302 Found\r\nLocation: {elsewhere}\r\nContent-Length: 0\r\n\r\n".encode()

        with listener(camera) as hostile:
            failure_of(LibavSource(Feed("c1", f"http://127.0.0.1:{hostile.port}/x.m3u8", USER, PASSWORD), SystemClock()), until)
            assert hostile.connections >= 1 and trap.connections == 0


class Deaf(Connection):
    """Every send to it would block."""

    def send(self, data: bytes) -> int:
        return 0


def test_a_camera_that_asks_and_never_reads_is_given_up(until: Until, monkeypatch: pytest.MonkeyPatch) -> None:
    """The camera renews its nonce in every 401, so that each costs us a request of 300 bytes."""
    monkeypatch.setattr(rtsp_source, "Connection", Deaf)
    monkeypatch.setattr(rtsp_source, "_MOST_UNSENT_BYTES", 600)
    clock = SimulatedClock()
    with socket.create_server(("127.0.0.1", 0)) as camera:
        source = RtspSource(Feed("c1", f"rtsp://127.0.0.1:{camera.getsockname()[1]}/x", USER, PASSWORD), clock, Resolver())
        source.open()
        with camera.accept()[0] as asking:
            numbers, most = itertools.count(), 0

            def asked() -> bool:
                nonlocal most
                challenge = f'WWW-Authenticate: Digest realm="x", nonce="{next(numbers)}", stale=true'
                asking.sendall(f"RTSP/1.0 401 No\r\nCSeq: 1\r\n{challenge}\r\n\r\n".encode())
                source.sweep(clock.now_s())
                most = max(most, len(source._unsent))
                return False

            with pytest.raises(ProtocolError, match="does not read"):
                until(asked, 20)
            assert 0 < most <= 600
        source.close()


@pytest.fixture(scope="module")
def huge_jpeg() -> bytes:
    encoder = av.CodecContext.create("mjpeg", "w")
    assert isinstance(encoder, VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = 5008, 5008, "yuvj420p", Fraction(1, 25)
    frame = av.VideoFrame.from_ndarray(np.zeros((5008 * 3 // 2, 5008), np.uint8), format="yuvj420p")
    frame.pts = 0
    return b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])


def test_a_huge_picture_is_refused_before_it_is_decoded(huge_jpeg: bytes) -> None:
    with pytest.raises(DecodeError):
        decode_key(Packet("c1", 0.0, 0, True, huge_jpeg, Codec.MJPEG))


def test_a_container_of_huge_pictures_is_not_opened(
    huge_jpeg: bytes, tmp_path_factory: pytest.TempPathFactory, until: Until
) -> None:
    path = tmp_path_factory.mktemp("huge") / "huge.mjpeg"
    path.write_bytes(huge_jpeg * 3)
    with pytest.raises(SourceError, match="a picture of"):
        open_container(Feed("c1", str(path)))
    assert "a picture of" in str(failure_of(LibavSource(Feed("c1", str(path)), SystemClock()), until))


def test_what_waits_is_bounded_by_bytes(until: Until) -> None:
    """Packets of 3 MiB, nobody sweeps: two wait, the third holds the sender up until there is room."""
    source = LibavSource(Feed("c1", "/no/such/file"), SystemClock())
    put = list[int]()

    def demux() -> None:
        for index in range(6):
            source._put_packet(index * 6000, True, bytes(3 * 2**20))
            put.append(index)

    thread = threading.Thread(target=demux, name="test-demux", daemon=True)
    thread.start()
    assert until(lambda: len(put) == 2, 5)
    thread.join(0.5)
    assert len(put) == 2 and source._queue.qsize() == 2
    got = list[Packet]()

    def swept() -> bool:
        got.extend(source.sweep(0.0))
        return len(got) == 6

    assert until(swept, 10)
    thread.join(5)
    with pytest.raises(ProtocolError, match="a packet of"):
        source._put_packet(0, True, bytes(libav_source_module._QUEUE_BYTES + 1))


class SlowClock(SimulatedClock):
    """Four milliseconds pass between two looks at it."""

    def monotonic_s(self) -> float:
        self.advance(0.004)
        return super().monotonic_s()


class Flood(Connection):
    """As much as one likes to read."""

    reads = 0
    has_more = True

    def read(self) -> bytes:
        self.reads += 1
        return (b"$\5\1\xfc" + bytes(508)) * (READ_BYTES // 512)


def test_a_flood_that_is_dear_to_read_waits_for_the_next_sweep(until: Until, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rtsp_source, "Connection", Flood)
    with socket.create_server(("127.0.0.1", 0)) as camera:
        source = RtspSource(Feed("c1", f"rtsp://127.0.0.1:{camera.getsockname()[1]}/x"), SlowClock(), Resolver())
        source.open()
        connection = source._connection
        assert isinstance(connection, Flood)
        assert until(lambda: source.sweep(0.0) == [] and connection.reads > 0, 5)
        assert connection.reads == 3  # after 12 ms
        source.close()
