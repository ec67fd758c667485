"""The overview of all cameras: the newest key frame of every tile that a page shows, and all packets of a few that stir.

Nothing is decoded here. One tap serves all pages; it is read ten times a second, and what a page may have then goes out as one
message. A page that reads slowly, or whose share of the network is used up, gets fewer pictures, always the newest. Everything
belongs to the event-loop thread.
"""

import asyncio
import logging
import struct
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from base import CameraStatus, Clock, Codec, Health, Packet
from dashboard.fleet_view import FleetView, ManyTap
from storage import Area

__all__ = ["PROMOTED", "WHOLE", "Overview", "OverviewPage", "record"]

logger = logging.getLogger(__name__)

TURN_S = 0.1
REVIEW_S = 1.0
"""How often it is looked which cameras stir, and for workers that have been started anew."""

PAGE_BYTES_S = 4_000_000
ALL_BYTES_S = 20_000_000
"""What one page may take, and all together: 727 key frames of 10 kB in 2 s are 3.6 MB/s, a gigabit line carries 110 MB/s."""

BURST_S = 0.5
"""For how long a page that took nothing may take twice: the first pictures of a screen come faster than life."""

MOVING_SHARE = 0.5
"""Of what a page may take, at most this goes to tiles that move: the others have to be of now, too."""

PROMOTED = 8
"""Tiles of a page that move at a time; each costs its browser about 5 % of a core."""

WHOLE_PACKETS = 64
"""Packets of a moving tile that may wait: 4 s at 15 frames/s. Beyond that it goes on at its next key frame."""

_RECORD = struct.Struct("<BBBBHII")  # flags, codec, health, bytes of the id, GOP in 0.1 s, age in ms, bytes of the picture
_KEY, WHOLE, _AWAKE = 1, 2, 4
_CODECS, _HEALTHS = tuple(Codec), tuple(Health)


@dataclass(eq=False, slots=True)
class OverviewPage:
    """One open page. `ended` is set when its session is over; `messages` holds what its connection sends next."""

    session: str
    area: Area | None
    messages: asyncio.Queue[bytes] = field(default_factory=lambda: asyncio.Queue(1))
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    shown: tuple[str, ...] = ()  # its visible tiles, in the order of the page
    codecs: frozenset[Codec] = frozenset()  # what it can decode; of others it is told that there is a newer picture
    due: dict[str, None] = field(default_factory=dict)  # tiles with a newer picture, those that wait longest first
    moving: dict[str, list[Packet]] = field(default_factory=dict)  # by promoted camera: what waits
    halted: set[str] = field(default_factory=set)  # promoted cameras of which only a key frame is of use
    allowance_bytes: float = 0.0
    moving_bytes: float = 0.0  # of these, what tiles that move may take

    def show(self, cameras: Iterable[str], codecs: Collection[Codec]) -> None:
        """From now on these tiles are visible, as far as the page may know of them; of those that were not, pictures are due."""
        before = {camera for camera in self.shown if camera not in self.due}
        self.shown = tuple(dict.fromkeys(each for each in cameras if self.area is None or each in self.area.cameras))
        self.codecs = frozenset(codecs)
        self.moving = {camera: waiting for camera, waiting in self.moving.items() if camera in self.shown}
        self.due = dict.fromkeys(camera for camera in self.shown if camera not in before)

    def promote(self, stirring: Collection[str]) -> None:
        """Let up to `PROMOTED` of the visible tiles that stir move; who moves goes on while it stirs."""
        kept = {camera: waiting for camera, waiting in self.moving.items() if camera in stirring}
        for camera in self.shown:
            if len(kept) < PROMOTED and camera in stirring and camera not in kept:
                kept[camera] = []
                self.halted.add(camera)
        self.moving = kept

    def decodable(self, packet: Packet) -> bytes:
        """What is sent of a picture: nothing if the page cannot decode it."""
        return packet.data if packet.codec in self.codecs else b""

    def offer(self, packet: Packet) -> None:
        """Remember what came of a visible camera."""
        waiting = self.moving.get(packet.camera)
        if waiting is None:
            if packet.is_key:
                self.due[packet.camera] = None
        elif packet.is_key:
            self.halted.discard(packet.camera)
            self.due.pop(packet.camera, None)
            waiting[:] = [packet]  # what was not sent until now never will be
        elif len(waiting) >= WHOLE_PACKETS:
            waiting.clear()
            self.halted.add(packet.camera)
        elif packet.camera not in self.halted:
            waiting.append(packet)


class Overview:
    """Every page that shows the overview, and the one tap that serves them."""

    def __init__(self, fleet: FleetView, clock: Clock) -> None:
        self._fleet = fleet
        self._clock = clock
        self._pages: set[OverviewPage] = set()
        self._newest: dict[str, Packet] = {}  # the newest key frame of each camera that some page shows
        self._whole: dict[
            str, tuple[float, int]
        ] = {}  # of cameras of which all packets are tapped: time and media time of the newest
        self._task: asyncio.Task[None] | None = None
        self._is_changed = False
        self.pictures = 0

    def join(self, session: str, area: Area | None) -> OverviewPage:
        """A page that shows nothing yet; `leave` when it goes."""
        page = OverviewPage(session, area)
        self._pages.add(page)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="overview")
        return page

    def leave(self, page: OverviewPage) -> None:
        """Forget the page; harmless when repeated. With the last one the tap closes."""
        self._pages.discard(page)
        self._is_changed = True

    def show(self, page: OverviewPage, cameras: Iterable[str], codecs: Collection[Codec]) -> None:
        """See `OverviewPage.show`."""
        page.show(cameras, codecs)
        self._is_changed = True

    def revoke(self, session: str) -> None:
        """Tell every page of this session that it has ended."""
        for page in self._pages:
            if page.session == session:
                page.ended.set()

    def sessions(self) -> frozenset[str]:
        """The sessions that have the overview open."""
        return frozenset(page.session for page in self._pages)

    def pages(self, session: str) -> int:
        """How many overviews this session has open."""
        return sum(page.session == session for page in self._pages)

    async def stop(self) -> None:
        """Close the tap."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        """Turn until the last page has left."""
        tap, loop = self._fleet.many(), asyncio.get_running_loop()
        review_s = due_s = loop.time()
        try:
            while self._pages:
                try:
                    if self._is_changed or loop.time() >= review_s:
                        review_s = loop.time() + REVIEW_S
                        self._review(tap)
                    self._turn(tap)
                except Exception:
                    logger.exception("a turn of the overview failed")
                due_s = max(due_s + TURN_S, loop.time())
                await asyncio.sleep(due_s - loop.time())
        finally:
            tap.close()
            self._newest.clear()
            self._whole.clear()

    def _review(self, tap: ManyTap) -> None:
        """Who stirs is promoted; want what is shown, and forget the rest."""
        self._is_changed = False
        statuses = self._fleet.statuses()
        shown = {camera for page in self._pages for camera in page.shown}
        stirring = {camera for camera in shown if camera in statuses and statuses[camera].awake}
        for page in self._pages:
            page.promote([camera for camera in stirring if statuses[camera].codec in page.codecs])
        whole = {camera for page in self._pages for camera in page.moving}
        self._whole = {camera: self._whole.get(camera, (0.0, 0)) for camera in whole}
        self._newest = {camera: packet for camera, packet in self._newest.items() if camera in shown}
        tap.want(shown - whole, whole)

    def _turn(self, tap: ManyTap) -> None:
        watching: dict[str, list[OverviewPage]] = {}
        for page in self._pages:
            for camera in page.shown:
                watching.setdefault(camera, []).append(page)
        for packet in tap.take():
            if self._is_news(packet):
                for page in watching.get(packet.camera, ()):
                    page.offer(packet)
        share = min(PAGE_BYTES_S, ALL_BYTES_S / len(self._pages)) if self._pages else 0.0
        statuses, now_s = self._fleet.statuses(), self._clock.now_s()
        for page in self._pages:
            page.allowance_bytes = min(page.allowance_bytes + share * TURN_S, share * BURST_S)
            page.moving_bytes = min(page.moving_bytes + MOVING_SHARE * share * TURN_S, MOVING_SHARE * share * BURST_S)
            if page.messages.empty():
                message = self._message(page, statuses, now_s)
                if message:
                    page.messages.put_nowait(message)

    def _is_news(self, packet: Packet) -> bool:
        """Whether it is newer than what came of its camera: a tap's cached GOP reaches those who had it, too."""
        if packet.camera in self._whole:
            since = packet.time_s, packet.pts_90k  # pictures that were held up and come together may share a time
            if since <= self._whole[packet.camera]:
                return False
            self._whole[packet.camera] = since
        if not packet.is_key:
            return True
        known = self._newest.get(packet.camera)
        if known is not None and packet.time_s < known.time_s:
            return False
        self._newest[packet.camera] = packet
        return True

    def _message(self, page: OverviewPage, statuses: Mapping[str, CameraStatus], now_s: float) -> bytes:
        """What goes to `page` now: tiles that move, as far as their share goes, then those that stir, then the others in turn."""
        parts: list[bytes] = []
        for camera, waiting in page.moving.items():
            for packet in waiting:
                if page.moving_bytes <= 0:
                    # Pictures build on each other: where one is left out it goes on at a key frame, and stands until then.
                    page.halted.add(camera)
                    page.due[camera] = None
                    break
                parts.append(record(packet, page.decodable(packet), statuses.get(camera), now_s, WHOLE))
                page.moving_bytes -= len(parts[-1])
                page.allowance_bytes -= len(parts[-1])
            waiting.clear()
        for camera in sorted(page.due, key=lambda camera: camera not in statuses or not statuses[camera].awake):
            if page.allowance_bytes <= 0:
                break
            newest = self._newest.get(camera)
            del page.due[camera]
            if newest is not None:
                parts.append(record(newest, page.decodable(newest), statuses.get(camera), now_s, 0))
                page.allowance_bytes -= len(parts[-1])
        self.pictures += len(parts)
        return b"".join(parts)


def record(packet: Packet, data: bytes, status: CameraStatus | None, now_s: float, flags: int) -> bytes:
    """One picture as docs/ref/api.md describes it; `data` is its own, or nothing."""
    health, gop_s = (status.health, status.gop_s) if status else (Health.OFFLINE, 0.0)
    flags |= (_KEY if packet.is_key else 0) | (_AWAKE if status is not None and status.awake else 0)
    name = packet.camera.encode("ascii")
    head = _RECORD.pack(
        flags,
        _CODECS.index(packet.codec),
        _HEALTHS.index(health),
        len(name),
        min(0xFFFF, round(10 * gop_s)),
        min(0xFFFFFFFF, max(0, round(1000 * (now_s - packet.time_s)))),
        len(data),
    )
    return head + name + data
