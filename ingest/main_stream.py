"""Main streams: read while somebody looks at a camera large or an alarm of it is near, and only then."""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from base.clock import Clock
from base.errors import DecodeError, SourceError
from base.records import Packet
from base.tally import Tally
from ingest.decode import decode_key
from ingest.reader import choose_source
from ingest.rtsp_source import Resolver
from ingest.source import Feed, PacketSource

__all__ = ["MAIN", "MainStreams"]

logger = logging.getLogger(__name__)

MAIN = "/main"
"""What the name of a camera ends with where its main stream is meant; no id has a slash."""

_MOST_WATCHED = _MOST_PREPARED = 4  # of a worker's cameras: they are 5 to 20 times as large as sub streams
_GOP_BYTES = 16_000_000  # a longer one is not kept, and viewers wait for a key frame
_SWEEP_S, _IDLE_S = 0.025, 0.25
_AGAIN_S = 3.0  # somebody waits for it
_AGAIN_UNSEEN_S = 60.0  # nobody does: the second opinion has the analysed stream
_HOLD_S = 8.0  # one that no alarm asked for again is closed after this
_WAIT_S = 0.1  # of the half second that an event waits at most: a key frame comes every other second
_NEAR_S = 3.0  # a key frame this far from the event still shows what it is about


@dataclass(slots=True)
class _Stream:
    """One open main stream; `gop` is the newest from its key frame on, empty where that is too long to be kept."""

    feed: Feed
    source: PacketSource
    key: Packet | None = None
    gop: list[Packet] = field(default_factory=list)
    gop_bytes: int = 0

    def keep(self, packet: Packet) -> None:
        if packet.is_key:
            self.key, self.gop, self.gop_bytes = packet, [packet], len(packet.data)
        elif self.gop:
            self.gop.append(packet)
            self.gop_bytes += len(packet.data)
            if self.gop_bytes > _GOP_BYTES:
                self.gop = []


class MainStreams:
    """Reads main streams on a thread of its own: at most four for viewers and four for alarms at a time, each camera's once.

    `on_packet` is called on the thread of this object, in order for each camera that is watched; packets carry the camera's name
    with `MAIN` behind it. A stream that fails is tried again after three seconds while somebody looks, else after a minute. All
    else but `turn` belongs to any thread.
    """

    def __init__(
        self,
        feeds: Sequence[Feed],
        clock: Clock,
        on_packet: Callable[[Packet], None],
        make_source: Callable[[Feed], PacketSource] | None = None,
    ) -> None:
        """`feeds` are the main streams of those cameras that have one, with their privacy masks."""
        self._feeds = {feed.camera: feed for feed in feeds}
        self._clock = clock
        self._on_packet = on_packet
        self._resolver = Resolver()
        self._make_source = make_source or (lambda feed: choose_source(feed, clock, self._resolver))
        self._changed = threading.Condition()  # guards the three below; told of every new key frame
        self._watched: list[str] = []  # who came first is served first
        self._prepared: dict[str, float] = {}  # until when (monotonic)
        self._streams: dict[str, _Stream] = {}
        self._failed_s: dict[str, float] = {}  # when (monotonic)
        self._tally = Tally(logger, clock, every_s=10.0)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="main-streams", daemon=True)

    @property
    def names(self) -> frozenset[str]:
        """Those that can be watched."""
        return frozenset(camera + MAIN for camera in self._feeds)

    def start(self) -> None:
        self._thread.start()

    def exchange(self, camera: str, feed: Feed | None) -> None:
        """The main stream of a camera is another one from now on, or there is none."""
        with self._changed:
            if self._feeds.get(camera) == feed:
                return  # something else of the camera was changed
            others = {name: other for name, other in self._feeds.items() if name != camera}
            self._feeds = others if feed is None else {**others, camera: feed}
            self._prepared.pop(camera, None)
            self._failed_s.pop(camera, None)

    def stop(self, within_s: float) -> None:
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(within_s)

    def watch(self, name: str, watched: bool) -> None:
        """Read the main stream called `name` from now on, or no longer. Does not block."""
        camera = name.removesuffix(MAIN)
        with self._changed:
            if watched != (camera in self._watched):
                self._watched = [*self._watched, camera] if watched else [other for other in self._watched if other != camera]

    def prepare(self, camera: str) -> None:
        """An alarm of this camera may come soon: have its main stream open then, if it has one. Does not block."""
        if camera in self._feeds:
            with self._changed:
                self._prepared[camera] = self._clock.monotonic_s() + _HOLD_S

    def gop(self, name: str) -> tuple[Packet, ...]:
        """The newest GOP from its key frame on; empty if there is none."""
        with self._changed:
            stream = self._streams.get(name.removesuffix(MAIN))
            return tuple(stream.gop) if stream is not None else ()

    def picture(self, camera: str, around_s: float) -> tuple[float, NDArray[np.uint8]] | None:
        """Time (UTC) and colour picture u8 (h, w, 3) of a key frame about `around_s`, masks black; None if there is none and
        none comes within 0.1 s. Blocks."""
        with self._changed:
            if camera not in self._streams:
                return None
            self._changed.wait_for(lambda: self._near(camera, around_s) is not None, _WAIT_S)
            key, feed = self._near(camera, around_s), self._feeds.get(camera)
        if key is None or feed is None:
            return None
        try:
            return key.time_s, decode_key(key, feed.masks).bgr()
        except DecodeError as error:
            self._tally.warn("main", f"main stream: {error}")
            return None

    def turn(self) -> bool:
        """Open, read and close what is due; whether any stream is open. Owned by the thread of this object."""
        now_s = self._clock.monotonic_s()
        with self._changed:
            feeds = self._feeds
            self._prepared = {camera: until_s for camera, until_s in self._prepared.items() if until_s > now_s}
            watched = [camera for camera in self._watched if camera in feeds][:_MOST_WATCHED]
            prepared = [
                camera
                for camera in self._prepared
                if camera in feeds
                and camera not in watched
                and (camera in self._streams or self._may_open(camera, now_s, _AGAIN_UNSEEN_S))
            ][:_MOST_PREPARED]
            over = [
                camera
                for camera, stream in self._streams.items()
                if camera not in (*watched, *prepared) or stream.feed is not feeds[camera]
            ]
        for camera in over:
            self._close(camera)
        for camera in (*watched, *prepared):
            if camera not in self._streams and self._may_open(camera, now_s, _AGAIN_S if camera in watched else _AGAIN_UNSEEN_S):
                self._open(feeds[camera])
        for camera, stream in list(self._streams.items()):
            self._sweep(camera, stream, camera in watched)
        return bool(self._streams)

    def _run(self) -> None:
        is_open = False
        while not self._clock.wait(self._stopping, _SWEEP_S if is_open else _IDLE_S):
            try:
                is_open = self.turn()
            except Exception:
                logger.exception("main streams")
        for camera in list(self._streams):
            self._close(camera)
        self._resolver.close()

    def _may_open(self, camera: str, now_s: float, again_s: float) -> bool:
        return now_s - self._failed_s.get(camera, -np.inf) >= again_s

    def _open(self, feed: Feed) -> None:
        camera, stream = feed.camera, _Stream(feed, self._make_source(feed))
        with self._changed:
            self._streams[camera] = stream
        try:
            stream.source.open()
        except Exception as error:
            self._fail(camera, error)

    def _sweep(self, camera: str, stream: _Stream, watched: bool) -> None:
        try:
            packets = stream.source.sweep(self._clock.now_s())
        except Exception as error:
            self._fail(camera, error)
            return
        for packet in packets:
            named = packet._replace(camera=camera + MAIN)
            with self._changed:
                stream.keep(named)
                if named.is_key:
                    self._changed.notify_all()
            if watched:
                self._on_packet(named)

    def _fail(self, camera: str, error: Exception) -> None:
        self._failed_s[camera] = self._clock.monotonic_s()
        if not isinstance(error, SourceError):
            logger.error("%s: main stream", camera, exc_info=error)  # a mistake of ours: it costs this stream, not the others
        self._tally.warn("main", f"{camera}: no main stream for who looks at it large and for second opinions: {error}")
        self._close(camera)

    def _close(self, camera: str) -> None:
        with self._changed:
            stream = self._streams.pop(camera, None)
            self._changed.notify_all()
        if stream is not None:
            stream.source.close()

    def _near(self, camera: str, around_s: float) -> Packet | None:
        """A key frame of the stream that the camera has now, with the masks it has now. Called with the lock held."""
        stream = self._streams.get(camera)
        key = stream.key if stream is not None and stream.feed is self._feeds.get(camera) else None
        return key if key is not None and abs(key.time_s - around_s) <= _NEAR_S else None
