"""A larger picture when it matters: the newest key frame of a camera's main stream, read only while an alarm is near."""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

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

__all__ = ["MainLook"]

logger = logging.getLogger(__name__)

_HOLD_S = 8.0  # a stream that nobody asked for again is closed after this
_MOST_OPEN = 4  # of a worker's cameras: alarms are few, and main streams are large
_WAIT_S = 0.1  # of the half second that an event waits at most: a key frame comes every other second
_NEAR_S = 3.0  # a key frame this far from the event still shows what it is about
_FAILED_S = 60.0  # a stream that failed is left alone for this long
_SWEEP_S = 0.05
_IDLE_S = 0.5


@dataclass(slots=True)
class _Stream:
    """One open main stream, which one that is, and its newest key frame."""

    feed: Feed
    source: PacketSource
    key: Packet | None = None


class MainLook:
    """Reads main streams on a thread of its own, at most four at a time. `prepare` and `picture` belong to any."""

    def __init__(self, feeds: Sequence[Feed], clock: Clock, make_source: Callable[[Feed], PacketSource] | None = None) -> None:
        """`feeds` are the main streams of those cameras that have one, with their privacy masks."""
        self._feeds = {feed.camera: feed for feed in feeds}
        self._clock = clock
        self._resolver = Resolver()
        self._make_source = make_source or (lambda feed: choose_source(feed, clock, self._resolver))
        self._changed = threading.Condition()  # guards the three below; told of every new key frame
        self._wanted: dict[str, float] = {}  # until when (monotonic)
        self._streams: dict[str, _Stream] = {}
        self._failed_s: dict[str, float] = {}  # when (monotonic)
        self._stale: set[str] = set()  # whose stream is another one now
        self._tally = Tally(logger, clock, every_s=10.0)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="main-look", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def exchange(self, camera: str, feed: Feed | None) -> None:
        """The main stream of a camera is another one from now on, or there is none. Any thread."""
        with self._changed:
            others = {name: other for name, other in self._feeds.items() if name != camera}
            self._feeds = others if feed is None else {**others, camera: feed}
            self._wanted.pop(camera, None)
            self._failed_s.pop(camera, None)
            self._stale.add(camera)

    def stop(self, within_s: float) -> None:
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(within_s)

    def prepare(self, camera: str) -> None:
        """An alarm of this camera may come soon: have its main stream open then, if it has one. Does not block."""
        if camera in self._feeds:
            with self._changed:
                self._wanted[camera] = self._clock.monotonic_s() + _HOLD_S

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
            self._wanted = {camera: until_s for camera, until_s in self._wanted.items() if until_s > now_s}
            wanted = [camera for camera in self._wanted if camera not in self._streams]
            over = [camera for camera in self._streams if camera not in self._wanted or camera in self._stale]
            self._stale.clear()
            wanted = [camera for camera in wanted if camera in self._feeds]
        for camera in over:
            self._close(camera)
        for camera in wanted[: max(0, _MOST_OPEN - len(self._streams))]:
            if now_s - self._failed_s.get(camera, -np.inf) > _FAILED_S:
                self._open(camera)
        for camera, stream in list(self._streams.items()):
            self._sweep(camera, stream)
        return bool(self._streams)

    def _run(self) -> None:
        is_open = False
        while not self._clock.wait(self._stopping, _SWEEP_S if is_open else _IDLE_S / 2):
            try:
                is_open = self.turn()
            except Exception:
                logger.exception("main streams")
        for camera in list(self._streams):
            self._close(camera)
        self._resolver.close()

    def _open(self, camera: str) -> None:
        feed = self._feeds.get(camera)
        if feed is None:
            return
        source = self._make_source(feed)
        with self._changed:
            self._streams[camera] = _Stream(feed, source)
        try:
            source.open()
        except SourceError as error:
            self._fail(camera, error)

    def _sweep(self, camera: str, stream: _Stream) -> None:
        try:
            packets = stream.source.sweep(self._clock.now_s())
        except SourceError as error:
            self._fail(camera, error)
            return
        keys = [packet for packet in packets if packet.is_key]
        if keys:
            with self._changed:
                stream.key = keys[-1]
                self._changed.notify_all()

    def _fail(self, camera: str, error: SourceError) -> None:
        self._failed_s[camera] = self._clock.monotonic_s()
        self._tally.warn("main", f"{camera}: no main stream, the second opinion looks at the analysed one: {error}")
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
