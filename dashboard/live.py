"""Live pictures by WebRTC, H.264 passed through untouched, offered as WHEP (RFC 9725).

All viewers of a camera share one tap and, where the camera sends what browsers do not play by WebRTC, one transcode. A viewer
starts with the cached GOP, so that its first picture needs no wait for a key frame. A page that decodes such pictures itself
follows the packets instead. Everything here belongs to the event-loop thread.
"""

import asyncio
import logging
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.sdp import SessionDescription

from base import Clock, Codec, ConfigError, Packet, SourceError, StreamName
from camera_config.site import MaskKind, Site
from dashboard.failures import DetailedError, NotFoundError, TooManyError
from dashboard.fleet_view import FleetView
from dashboard.live_relay import CLOSE_S, Backlog, Relay
from dashboard.live_tap import Tap, Track
from dashboard.live_transcode import DECODERS, Transcode

__all__ = ["LiveViews"]

logger = logging.getLogger(__name__)

FIRST_PACKET_S = 8.0
"""How long a camera may take to its first packet: a GOP of 4 s, twice."""

CONNECT_S = 15.0
"""How long a viewer may take from our answer to its connection; browsers give up after 15–30 s themselves."""

PER_SESSION = 20
"""Moving pictures per person at a time: a wall of 16, and the pictures at the desk."""

_NAMES = {Codec.H265: "H.265", Codec.MJPEG: "Motion JPEG"}


@dataclass(eq=False, slots=True)
class _View:
    """One viewer of one camera. `ended` is set by whoever wants it gone; its own task then takes it down."""

    id: str
    session: str
    source: Relay
    track: Track
    peer: RTCPeerConnection
    connected: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    gone: asyncio.Event = field(default_factory=asyncio.Event)


class LiveViews:
    """Every live view of this server. Owned by the event loop."""

    def __init__(self, fleet: FleetView, site: Site, clock: Clock, limit: int, transcodes: int) -> None:
        self._fleet = fleet
        self._site = site
        self._clock = clock
        self._limit = limit
        self._most_transcodes = transcodes
        self._views: dict[str, _View] = {}
        self._taps: dict[tuple[str, StreamName], Tap] = {}
        self._transcodes: dict[tuple[str, StreamName], Transcode] = {}
        self._followers: dict[Backlog, str] = {}  # whose session it is
        self._opening: Counter[str] = Counter()  # session -> views that are not answered yet
        self._tasks: set[asyncio.Task[None]] = set()
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._views) + len(self._followers)

    @property
    def taps(self) -> int:
        """How many streams are being watched."""
        return len(self._taps)

    @property
    def transcodes(self) -> int:
        """How many of them are transcoded."""
        return len(self._transcodes)

    async def open(
        self,
        camera: str,
        offer: str,
        session: str,
        stream: StreamName = StreamName.SUB,
        decodes: Collection[Codec] = (),
    ) -> tuple[str, str]:
        """Answer a viewer's offer (SDP): the view's id and our answer.

        Raises ConfigError for an offer that does not take H.264, SourceError when the camera gives no pictures that can be shown,
        TooManyError when as many watch, or as many cameras are transcoded, as may, DetailedError where the camera sends one of
        the codings that the viewer `decodes`: it should `follow`.
        """
        offer = _checked(offer)
        async with self._room(session):
            source = await self._take_source(camera, stream, decodes)
            try:
                view = await self._connect(source, offer, session)
            except BaseException:
                await self._release(source)
                raise
        self._views[view.id] = view
        task = asyncio.create_task(self._attend(view), name=f"live-{camera}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return view.id, view.peer.localDescription.sdp

    @asynccontextmanager
    async def follow(self, camera: str, session: str, stream: StreamName) -> AsyncIterator[Backlog]:
        """The camera's packets as it sends them, from the cached GOP on, while the context is open.

        Entering raises SourceError and TooManyError as `open` does. The backlog is lost when the tap is, over with the session.
        """
        async with self._room(session):
            tap = self._take_tap(camera, stream)
            try:
                await _first(tap)
            except BaseException:
                await self._release(tap)
                raise
            backlog = Backlog()
            self._followers[backlog] = session
        try:
            tap.join(backlog)
            yield backlog
        finally:
            del self._followers[backlog]
            tap.leave(backlog)
            self.dropped += backlog.dropped
            await self._release(tap)

    async def close(self, view_id: str, session: str) -> None:
        """End a view; raises NotFoundError unless it is one of this session's."""
        view = self._views.get(view_id)
        if view is None or view.session != session:
            raise NotFoundError("There is no such live view.")
        view.ended.set()
        await view.gone.wait()

    def revoke(self, session: str) -> None:
        """End every view of a session that is over."""
        for view in self._views.values():
            if view.session == session:
                view.ended.set()
        for backlog, whose in self._followers.items():
            if whose == session:
                backlog.end()

    def sessions(self) -> frozenset[str]:
        """The sessions that watch something."""
        return frozenset(self._watching())

    async def stop(self) -> None:
        """End all views; returns when they are gone, at most about `CLOSE_S` later."""
        for view in self._views.values():
            view.ended.set()
        if self._tasks:
            await asyncio.wait(tuple(self._tasks), timeout=2 * CLOSE_S)

    @asynccontextmanager
    async def _room(self, session: str) -> AsyncIterator[None]:
        """Room for one view more while it is opened, so that many at a time find no more than one by one; or TooManyError."""
        if len(self) + self._opening.total() >= self._limit:
            raise TooManyError(f"All {self._limit} live views are in use; close one and try again.", 5.0, status=503)
        if self._watching()[session] + self._opening[session] >= PER_SESSION:
            raise TooManyError(f"You already watch {PER_SESSION} cameras; close one and try again.", 5.0, status=503)
        self._opening[session] += 1
        try:
            yield
        finally:
            self._opening[session] -= 1
            self._opening += Counter()  # forgets sessions that open nothing

    def _watching(self) -> Counter[str]:
        """How many views each session has."""
        return Counter((*(view.session for view in self._views.values()), *self._followers.values()))

    def _take_tap(self, camera: str, stream: StreamName) -> Tap:
        tap = self._taps.get((camera, stream))
        if tap is None or tap.lost.is_set():
            tap = self._taps[camera, stream] = Tap(camera, self._fleet, stream)
        tap.users += 1
        return tap

    async def _take_source(self, camera: str, stream: StreamName, decodes: Collection[Codec]) -> Relay:
        """What gives H.264 of the camera: its tap, or the transcode of it; with its first packet there."""
        tap = self._take_tap(camera, stream)
        try:
            if (codec := (await _first(tap)).codec) is Codec.H264:
                return tap
            if codec in decodes:
                sentence = (
                    f"Camera {camera} sends {_NAMES.get(codec, codec)}, which this browser decodes: it should take the packets."
                )
                raise DetailedError(sentence, 409, {"packets": codec})
            transcode = self._take_transcode(tap, codec)
        except BaseException:
            await self._release(tap)
            raise
        await self._release(tap)  # the transcode holds it
        try:
            await _first(transcode)
        except BaseException:
            await self._release(transcode)
            raise
        return transcode

    def _take_transcode(self, tap: Tap, codec: Codec) -> Transcode:
        """Raises SourceError for what nobody decodes, TooManyError if as many are transcoded as may."""
        key, name = (tap.camera, tap.stream), _NAMES.get(codec, "a coding that is not known")
        transcode = self._transcodes.get(key)
        if transcode is None or transcode.lost.is_set():
            if codec not in DECODERS:
                raise SourceError(f"camera {tap.camera} sends {name}; set this stream to H.264")
            running, most = len(self._transcodes.keys() - {key}), self._most_transcodes
            if running >= most:
                sentence = (
                    f"Camera {tap.camera} sends {name}, which this browser plays only if it is transcoded. At most {most} "
                    f"cameras are transcoded at a time, and {running} are: close one and try again, or set this stream to H.264."
                )
                told = {"transcodes": {"codec": codec, "most": most, "running": running}}
                raise TooManyError(sentence, 5.0, status=503, more=told)
            tap.users += 1
            site, camera = self._site, tap.camera
            transcode = self._transcodes[key] = Transcode(tap, lambda: site.masks_of(camera, MaskKind.PRIVACY))
        transcode.users += 1
        return transcode

    async def _release(self, relay: Relay) -> None:
        """Let go of it; whom nobody holds closes, and lets go of what it holds."""
        relay.users -= 1
        if relay.users > 0:
            return
        open_now: dict[tuple[str, StreamName], Tap] | dict[tuple[str, StreamName], Transcode]
        open_now = self._transcodes if isinstance(relay, Transcode) else self._taps
        if open_now.get((relay.camera, relay.stream)) is relay:
            del open_now[relay.camera, relay.stream]
        await relay.close()
        if isinstance(relay, Transcode):
            await self._release(relay.source)

    async def _connect(self, source: Relay, offer: str, session: str) -> _View:
        peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        track = Track(source, self._clock)
        view = _View(secrets.token_urlsafe(16), session, source, track, peer)
        peer.on("connectionstatechange", _follow(view))
        try:
            await _negotiate(peer, track, offer)
        except BaseException:
            await peer.close()
            raise
        return view

    async def _attend(self, view: _View) -> None:
        """Wait for the end of `view`, then take it down."""
        lost = asyncio.create_task(view.source.lost.wait(), name=f"lost-{view.source.camera}")
        ended = asyncio.create_task(view.ended.wait(), name=f"ended-{view.source.camera}")
        try:
            connected = asyncio.create_task(view.connected.wait(), name=f"connected-{view.source.camera}")
            await asyncio.wait((connected, lost, ended), timeout=CONNECT_S, return_when=asyncio.FIRST_COMPLETED)
            connected.cancel()
            if view.connected.is_set():
                await asyncio.wait((lost, ended), return_when=asyncio.FIRST_COMPLETED)
        finally:
            lost.cancel()
            ended.cancel()
            await self._take_down(view)

    async def _take_down(self, view: _View) -> None:
        del self._views[view.id]
        view.source.leave(view.track)
        self.dropped += view.track.dropped
        try:
            async with asyncio.timeout(CLOSE_S):
                await view.peer.close()
        except TimeoutError:
            logger.warning("a live view of camera %s did not close within %.0f s", view.source.camera, CLOSE_S)
        except Exception:  # aiortc raises whatever the state of the connection leads it into
            logger.exception("a live view of camera %s did not close in order", view.source.camera)
        finally:
            try:
                await self._release(view.source)
            finally:
                view.gone.set()


def _follow(view: _View) -> Callable[[], None]:
    def follow() -> None:
        if view.peer.connectionState == "connected":
            view.connected.set()
        elif view.peer.connectionState in ("failed", "closed"):
            view.ended.set()

    return follow


async def _first(relay: Relay) -> Packet:
    """The first packet; raises SourceError, or what the relay has against it, if none comes."""
    try:
        async with asyncio.timeout(FIRST_PACKET_S):
            return await asyncio.shield(relay.first)
    except TimeoutError:
        what = "no picture that can be decoded" if isinstance(relay, Transcode) else "no packet"
        raise SourceError(f"camera {relay.camera} sent {what} within {FIRST_PACKET_S:.0f} s") from None


def _checked(offer: str) -> str:
    """The offer without its candidates, if it is one we can answer; raises ConfigError.

    The viewer reaches us, not we the viewer: its connection checks tell us its address. So we need not resolve the `.local` names
    that browsers hide their addresses behind, and nobody can make us send to an address of their choice.
    """
    try:
        media = SessionDescription.parse(offer).media
        codecs = [codec for part in media if part.kind == "video" for codec in part.rtp.codecs]
    except Exception as error:  # aiortc's parser raises whatever the text leads it into
        raise ConfigError("The offer is not a session description (SDP) that we understand.") from error
    if not any(
        codec.mimeType.lower() == "video/h264" and str(codec.parameters.get("packetization-mode")) == "1" for codec in codecs
    ):
        raise ConfigError("The offer takes no H.264 video with packetization-mode=1, and the cameras send nothing else.")
    lines = (line for line in offer.splitlines() if not line.startswith(("a=candidate:", "a=end-of-candidates")))
    return "\r\n".join(lines) + "\r\n"


async def _negotiate(peer: RTCPeerConnection, track: Track, offer: str) -> None:
    """Let `peer` answer `offer` with `track` as the only thing it sends; raises ConfigError if they have nothing in common."""
    codecs = [
        codec for codec in RTCRtpSender.getCapabilities("video").codecs if codec.mimeType.lower() in ("video/h264", "video/rtx")
    ]
    peer.addTrack(track)
    transceiver = peer.getTransceivers()[0]
    transceiver.direction = "sendonly"
    transceiver.setCodecPreferences(codecs)
    try:
        await peer.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        await peer.setLocalDescription(await peer.createAnswer())
    except Exception as error:  # likewise: whatever the offer leads aiortc into
        raise ConfigError("The offer cannot be answered: no common H.264 profile, or no usable transport.") from error
