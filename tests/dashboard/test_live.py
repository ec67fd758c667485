"""Live view with a real peer: ICE, DTLS and SRTP between two aiortc connections, frames really decoded."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import httpx
import ifaddr
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpReceiver, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av import VideoFrame
from hypothesis import given
from hypothesis import strategies as st

from base import Codec, Health, Packet, SimulatedClock, SourceError
from dashboard.failures import TooManyError
from dashboard.live import PER_SESSION, LiveViews
from dashboard.live_relay import QUEUE_PACKETS, Sink
from dashboard.live_tap import Track
from tests.dashboard.clip import GOP, HEIGHT, WIDTH, ClipFleet
from tests.dashboard.conftest import Staff
from tests.dashboard.room import PASSWORD, Room, small_site, wait_until

NewRoom = Callable[..., Room]

pytestmark = pytest.mark.skipif(
    not [ip for adapter in ifaddr.get_adapters() for ip in adapter.ips if ip.ip not in ("127.0.0.1", ("::1", 0, 0))],
    reason="WebRTC uses no loopback address, and this machine has no other",
)

SDP = {"Content-Type": "application/sdp"}

HALF_AN_OFFER = (  # H.264, but neither ICE nor DTLS
    b"v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 H264/90000\r\n"
    b"a=fmtp:96 packetization-mode=1;profile-level-id=42e01f\r\n"
)


@dataclass
class Viewer:
    """A browser's part: offers to receive video, decodes what comes."""

    client: httpx.Client
    camera: str
    codecs: str = "video/h264"
    stream: str = "sub"
    peer: RTCPeerConnection = field(init=False)
    answer: httpx.Response = field(init=False)  # to our offer
    tracks: list[MediaStreamTrack] = field(default_factory=list)

    async def __aenter__(self) -> "Viewer":
        self.peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        return self

    async def __aexit__(self, *problem: object) -> None:
        await self.peer.close()

    async def offer(self) -> str:
        transceiver = self.peer.addTransceiver("video", direction="recvonly")
        capabilities = RTCRtpReceiver.getCapabilities("video")
        assert capabilities is not None
        transceiver.setCodecPreferences([codec for codec in capabilities.codecs if codec.mimeType.lower() == self.codecs])
        self.peer.on("track", self.tracks.append)
        await self.peer.setLocalDescription(await self.peer.createOffer())
        return str(self.peer.localDescription.sdp)

    async def open(self) -> httpx.Response:
        offer = await self.offer()
        path = f"/api/v1/cameras/{self.camera}/whep?stream={self.stream}"
        self.answer = await asyncio.to_thread(self.client.post, path, content=offer, headers=SDP)
        if self.answer.status_code == 201:
            await self.peer.setRemoteDescription(RTCSessionDescription(self.answer.text, "answer"))
        return self.answer

    async def delete(self, location: str = "") -> httpx.Response:
        return await asyncio.to_thread(self.client.delete, location or self.answer.headers["location"])

    async def frames(self, count: int) -> list[VideoFrame]:
        found: list[VideoFrame] = []
        async with asyncio.timeout(15):
            while len(found) < count:
                frame = await self.tracks[0].recv()
                assert isinstance(frame, VideoFrame)
                found.append(frame)
        return found

    async def until_the_end(self) -> None:
        """Read until the server ends the stream."""
        async with asyncio.timeout(15):
            try:
                while True:
                    await self.tracks[0].recv()
            except MediaStreamError:
                return


def live_of(room: Room) -> LiveViews:
    live = room.app.state.dashboard.live
    assert isinstance(live, LiveViews)
    return live


def test_two_viewers_see_real_pictures_through_one_tap(staff: Staff) -> None:
    room = staff.room
    opened = room.fleet.opened

    async def run() -> None:
        async with Viewer(staff.operator, "c0001") as one, Viewer(staff.dispatcher, "c0001") as two:
            assert (await one.open()).status_code == 201
            assert one.answer.headers["location"].startswith("/api/v1/live/")
            assert one.answer.headers["content-type"].startswith("application/sdp")
            frames = await one.frames(GOP + 10)
            assert {(frame.width, frame.height) for frame in frames} == {(WIDTH, HEIGHT)}
            assert _bar_moves(frames)
            assert (await two.open()).status_code == 201
            await two.frames(10)
            assert room.fleet.opened == opened + 1
            assert len(live_of(room)) == 2

            assert (await one.delete(two.answer.headers["location"])).status_code == 404  # not theirs
            for viewer in (one, two):
                assert (await viewer.delete()).status_code == 204
                await viewer.until_the_end()

    asyncio.run(run())
    wait_until(lambda: room.fleet.open_now == 0, "the tap closes when nobody looks")
    assert len(live_of(room)) == 0
    assert live_of(room).taps == 0


def test_the_main_stream_is_a_stream_of_its_own_where_there_is_one(new_room: NewRoom) -> None:
    room = new_room()
    client = room.set_up()
    room.fleet.mains = frozenset({"c0001"})

    async def run() -> None:
        async with Viewer(client, "c0001") as small, Viewer(client, "c0001", stream="main") as large:
            assert (await small.open()).status_code == 201
            assert (await large.open()).status_code == 201
            await large.frames(3)
            assert live_of(room).taps == 2
        async with Viewer(client, "c0002", stream="main") as none:
            answer = await none.open()
            assert answer.status_code == 503 and "no main stream" in answer.json()["detail"]

    asyncio.run(run())
    wait_until(lambda: room.fleet.open_now == 0, "both taps close when nobody looks")


def _bar_moves(frames: list[VideoFrame]) -> bool:
    """Whether the bright bar of the clip goes to the right from picture to picture, apart from where the clip begins again."""
    columns = [int(frame.to_ndarray(format="gray").mean(axis=0).argmax()) for frame in frames]
    steps = [later - earlier for earlier, later in pairwise(columns)]
    return sum(0 < step < 40 for step in steps) >= len(steps) - 3


class CachedGop:
    """A tap that has `gop` cached: what a track asks of its tap."""

    def __init__(self, gop: list[Packet]) -> None:
        self.gop = gop

    def join(self, sink: Sink) -> None:
        sink.begin(self.gop)


def _packets(count: int, end_s: float) -> list[Packet]:
    """`count` packets at 15 frames/s of which the last is shown at `end_s`; the first is a key frame."""
    begin_s = end_s - (count - 1) / 15
    return [Packet("c1", begin_s + i / 15, 6_000 * i, i == 0, bytes([0, 0, 1, 0x65, i % 256])) for i in range(count)]


async def _stamp(track: Track) -> int:
    pts = (await track.recv()).pts
    assert pts is not None
    return pts


def test_a_cached_gop_is_stamped_as_one_short_burst_that_ends_now() -> None:
    """A browser plays by the stamps: with the camera's own it would stay as far behind as the GOP is long."""

    async def run() -> None:
        clock = SimulatedClock()
        past = _packets(31, clock.now_s())
        track = Track(CachedGop(past[:-1]), clock)
        stamps = [await _stamp(track) for _ in range(30)]
        for later in (past[-1], past[-1]._replace(time_s=clock.now_s() + 1 / 15, pts_90k=past[-1].pts_90k + 6_000)):
            track.offer(later)
            stamps.append(await _stamp(track))
        steps = [later - earlier for earlier, later in pairwise(stamps)]
        assert steps[:29] == pytest.approx([6_000 / 32] * 29, abs=2)  # two seconds in 62 ms
        assert steps[30] == 6_000  # from then on as they come
        assert stamps[-1] == past[-1].pts_90k + 6_000

    asyncio.run(run())


@given(st.lists(st.tuples(st.floats(-5, 5), st.integers(0, 2)), min_size=1, max_size=50))
def test_stamps_rise_whatever_the_clock_does(steps: list[tuple[float, int]]) -> None:
    async def run() -> None:
        clock = SimulatedClock()
        track = Track(CachedGop([]), clock)
        last = None
        for number, (jump_s, frames) in enumerate(steps):
            track.offer(Packet("c1", clock.now_s() + jump_s, 3_000 * (number + frames), True, b"\0\0\1\x65"))
            pts = await _stamp(track)
            assert last is None or pts > last
            last = pts

    asyncio.run(run())


def test_a_viewer_that_is_too_slow_skips_to_a_key_frame() -> None:
    async def run() -> None:
        clock = SimulatedClock()
        track = Track(CachedGop([]), clock)
        live = _packets(QUEUE_PACKETS + 10, clock.now_s() + 60)
        track.offer(live[1])  # nothing to decode it from
        for packet in live:
            track.offer(packet)
        assert track.dropped == 1 + QUEUE_PACKETS + 10
        track.offer(live[0]._replace(pts_90k=5_000_000))
        assert await _stamp(track) == 5_000_000
        assert track.dropped == 1 + QUEUE_PACKETS + 10
        track.lose()
        with pytest.raises(MediaStreamError):
            await track.recv()

    asyncio.run(run())


def test_losing_the_tap_ends_the_view_and_nothing_else(new_room: NewRoom) -> None:
    room = new_room()
    client = room.set_up()

    async def run() -> None:
        async with Viewer(client, "c0001") as viewer:
            assert (await viewer.open()).status_code == 201
            await viewer.frames(3)
            room.call(room.fleet.lost.set)
            await viewer.until_the_end()
        room.call(room.fleet.lost.clear)
        async with Viewer(client, "c0001") as again:  # the worker is back
            assert (await again.open()).status_code == 201
            await again.frames(3)

    asyncio.run(run())
    assert client.get("/healthz").status_code == 200
    wait_until(lambda: len(live_of(room)) == 0, "a viewer that closed its connection is forgotten")


def test_a_viewer_that_never_connects_is_forgotten(new_room: NewRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.live.CONNECT_S", 0.2)
    room = new_room()
    client = room.set_up()

    async def run() -> str:
        async with Viewer(client, "c0001") as viewer:
            return await viewer.offer()

    answer = client.post("/api/v1/cameras/c0001/whep", content=asyncio.run(run()), headers=SDP)
    assert answer.status_code == 201
    wait_until(lambda: len(live_of(room)) == 0 and room.fleet.open_now == 0, "the view and its tap are gone")


def test_signing_out_ends_what_one_watches(staff: Staff) -> None:
    client = staff.room.client()
    client.post("/api/v1/session", json={"name": "wang", "password": PASSWORD})

    async def run() -> None:
        async with Viewer(client, "c0003") as viewer:
            assert (await viewer.open()).status_code == 201
            await viewer.frames(2)
            assert (await viewer.delete("/api/v1/session")).status_code == 204
            await viewer.until_the_end()

    asyncio.run(run())


def test_as_many_watch_as_may(new_room: NewRoom) -> None:
    room = new_room(viewers=1)
    client = room.set_up()

    async def run() -> None:
        async with Viewer(client, "c0001") as one, Viewer(client, "c0002") as two, Viewer(client, "c0003") as three:
            assert (await one.open()).status_code == 201
            refused = await two.open()
            assert refused.status_code == 503
            assert "All 1 live views are in use" in refused.json()["detail"]
            assert "retry-after" in refused.headers
            await one.delete()
            assert (await three.open()).status_code == 201

    asyncio.run(run())


class SilentFleet(ClipFleet):
    """Cameras that never send a packet."""

    async def _play(self, camera: str) -> AsyncGenerator[Packet, None]:
        await self.lost.wait()
        raise SourceError(f"the worker of camera {camera} is gone")
        yield


def test_views_that_are_being_opened_take_room(tmp_path: Path) -> None:
    async def run() -> None:
        clock = SimulatedClock()
        live = LiveViews(SilentFleet(("c0001",), clock), small_site(tmp_path), clock, PER_SESSION + 1, 0)
        offer = HALF_AN_OFFER.decode()
        opening = [asyncio.create_task(live.open("c0001", offer, "mine")) for _ in range(PER_SESSION)]
        await asyncio.sleep(0)  # each runs to its first wait
        with pytest.raises(TooManyError, match=f"You already watch {PER_SESSION}"):
            await live.open("c0001", offer, "mine")
        opening.append(asyncio.create_task(live.open("c0001", offer, "theirs")))
        await asyncio.sleep(0)
        with pytest.raises(TooManyError, match=f"All {PER_SESSION + 1} live views are in use"):
            await live.open("c0001", offer, "a third")
        for task in opening[1:]:
            task.cancel()
        await asyncio.wait(opening[1:], timeout=5)
        again = asyncio.create_task(live.open("c0001", offer, "mine"))  # there is room again
        await asyncio.sleep(0)
        assert not again.done()
        for task in (opening[0], again):
            task.cancel()
        await asyncio.wait((opening[0], again), timeout=5)
        assert live.taps == 0

    asyncio.run(run())


def test_a_view_that_cannot_be_closed_in_order_lets_go_of_its_camera(new_room: NewRoom) -> None:
    room = new_room()
    client = room.set_up()

    async def run() -> None:
        async with Viewer(client, "c0001") as viewer:
            assert (await viewer.open()).status_code == 201
            await viewer.frames(2)
            (view,) = live_of(room)._views.values()
            close = view.peer.close

            async def fail() -> None:
                await close()
                raise OSError("the socket is gone")

            view.peer.close = fail  # type: ignore[method-assign]  # what aiortc may raise
            assert (await viewer.delete()).status_code == 204

    asyncio.run(run())
    wait_until(lambda: room.fleet.open_now == 0, "the tap closes")
    assert live_of(room).taps == 0


def test_what_cannot_be_shown_is_said_in_a_sentence(new_room: NewRoom) -> None:
    room = new_room(transcodes=0)
    client = room.set_up()
    room.fleet.set_health("c0002", Health.OFFLINE)

    async def run() -> None:
        for codec, word in ((Codec.H265, "H.265"), (Codec.MJPEG, "Motion JPEG")):
            room.fleet.set_codec("c0001", codec)
            async with Viewer(client, "c0001") as viewer:
                answer = await viewer.open()
            assert answer.status_code == 503
            assert word in answer.json()["detail"]
        for camera, status, word in (("c0002", 503, "offline"), ("c9999", 404, "no such camera")):
            async with Viewer(client, camera) as viewer:
                answer = await viewer.open()
            assert answer.status_code == status
            assert word in answer.json()["detail"]
        async with Viewer(client, "c0003", codecs="video/vp8") as viewer:
            answer = await viewer.open()
        assert answer.status_code == 422
        assert "H.264" in answer.json()["detail"]

    asyncio.run(run())
    assert client.get("/api/v1/cameras/c0002/snapshot").status_code == 503
    assert room.fleet.open_now == 0


@pytest.mark.parametrize(
    "offer",
    [
        b"",
        b"hello",
        b"v=0\r\n",
        b"\xff\xfe\x00",
        HALF_AN_OFFER,
        b"v=0\r\nm=video nine\r\n",
        b"m=video 9 UDP/TLS/RTP/SAVPF 96\r\n" * 500,
        b"x" * 200_000,
    ],
)
def test_an_offer_that_is_none_is_refused(staff: Staff, offer: bytes) -> None:
    answer = staff.operator.post("/api/v1/cameras/c0001/whep", content=offer, headers=SDP)
    assert answer.status_code == 422, answer.text
    assert answer.json()["detail"]
    wait_until(lambda: staff.room.fleet.open_now == 0, "no tap is left behind")


def test_an_offer_must_be_called_one(staff: Staff) -> None:
    answer = staff.operator.post(
        "/api/v1/cameras/c0001/whep", content=json.dumps({"sdp": ""}), headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 415


def test_the_answer_offers_h264_and_only_our_own_addresses(staff: Staff) -> None:
    """The offer's candidates are not used: a name in it is not looked up, an address in it gets no packet."""

    async def run() -> None:
        async with Viewer(staff.operator, "c0001") as viewer:
            lines = [line for line in (await viewer.offer()).splitlines() if not line.startswith("a=candidate")]
            lines.append("a=candidate:1 1 udp 2113937151 3f6b1a2c-0000-4000-8000-000000000000.local 9 typ host")
            offer = "\r\n".join(lines) + "\r\n"
            answer = await asyncio.to_thread(staff.operator.post, "/api/v1/cameras/c0001/whep", content=offer, headers=SDP)
            assert answer.status_code == 201
            assert "H264/90000" in answer.text
            assert "VP8" not in answer.text
            assert "packetization-mode=1" in answer.text
            assert "typ host" in answer.text
            assert "typ srflx" not in answer.text
            assert "a=sendonly" in answer.text
            await viewer.peer.setRemoteDescription(RTCSessionDescription(answer.text, "answer"))
            await viewer.frames(3)  # the viewer reached us, though we never knew its address
            assert (await viewer.delete(answer.headers["location"])).status_code == 204

    asyncio.run(run())
