"""Main streams for somebody's eyes: read while a camera is looked at large, and only then."""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from base.clock import Clock
from base.errors import SourceError
from base.records import Packet
from base.tally import Tally
from ingest.reader import choose_source
from ingest.rtsp_source import Resolver
from ingest.source import Feed, PacketSource

__all__ = ["MAIN", "MainStreams"]

logger = logging.getLogger(__name__)

MAIN = "/main"
"""What the name of a camera ends with where its main stream is meant; no id has a slash."""

_MOST_OPEN = 4  # of a worker's cameras: they are 5 to 20 times as large as sub streams
_GOP_BYTES = 16_000_000  # a longer one is not kept, and viewers wait for a key frame
_SWEEP_S, _IDLE_S = 0.025, 0.25
_AGAIN_S = 3.0


@dataclass(slots=True)
class _Stream:
    """One open main stream; `gop` is the newest, from its key frame on."""

    feed: Feed
    source: PacketSource
    gop: list[Packet] = field(default_factory=list)
    gop_bytes: int = 0


class MainStreams:
    """Reads main streams on a thread of its own, at most four at a time. `watch` and `gop` belong to any thread.

    `on_packet` is called on the thread of this object, in order for each camera; packets carry the camera's name with `MAIN`
    behind it. A stream that fails is tried again every three seconds while somebody looks.
    """

    def __init__(
        self,
        feeds: Sequence[Feed],
        clock: Clock,
        on_packet: Callable[[Packet], None],
        make_source: Callable[[Feed], PacketSource] | None = None,
    ) -> None:
        self._feeds = {feed.camera: feed for feed in feeds}
        self._clock = clock
        self._on_packet = on_packet
        self._resolver = Resolver()
        self._make_source = make_source or (lambda feed: choose_source(feed, clock, self._resolver))
        self._lock = threading.Lock()  # guards the two below
        self._wanted: list[str] = []  # who came first is served first
        self._streams: dict[str, _Stream] = {}
        self._again_s: dict[str, float] = {}  # when a failed one is tried again (monotonic)
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
        """The main stream of a camera is another one from now on, or there is none. Any thread."""
        with self._lock:
            others = {name: other for name, other in self._feeds.items() if name != camera}
            self._feeds = others if feed is None else {**others, camera: feed}

    def stop(self, within_s: float) -> None:
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(within_s)

    def watch(self, name: str, watched: bool) -> None:
        """Read the main stream called `name` from now on, or no longer. Does not block."""
        camera = name.removesuffix(MAIN)
        with self._lock:
            self._wanted = [other for other in self._wanted if other != camera] + ([camera] if watched else [])

    def gop(self, name: str) -> tuple[Packet, ...]:
        """The newest GOP from its key frame on; empty if there is none."""
        with self._lock:
            stream = self._streams.get(name.removesuffix(MAIN))
            return tuple(stream.gop) if stream is not None else ()

    def turn(self) -> bool:
        """Open, read and close what is due; whether any stream is open. Owned by the thread of this object."""
        now_s = self._clock.monotonic_s()
        with self._lock:
            feeds = self._feeds
            wanted = [camera for camera in self._wanted if camera in feeds][:_MOST_OPEN]
            open_now = {camera: stream for camera, stream in self._streams.items() if stream.feed is feeds.get(camera)}
            over = self._streams.keys() - (open_now.keys() & set(wanted))
        for camera in over:
            self._close(camera)
        for camera in wanted:
            if camera in open_now:
                self._sweep(camera, open_now[camera])
            elif now_s >= self._again_s.get(camera, now_s):
                self._open(feeds[camera])
        return bool(wanted)

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

    def _open(self, feed: Feed) -> None:
        camera, stream = feed.camera, _Stream(feed, self._make_source(feed))
        with self._lock:
            self._streams[camera] = stream
        try:
            stream.source.open()
        except SourceError as error:
            self._fail(camera, error)

    def _sweep(self, camera: str, stream: _Stream) -> None:
        try:
            packets = stream.source.sweep(self._clock.now_s())
        except SourceError as error:
            self._fail(camera, error)
            return
        for packet in packets:
            named = packet._replace(camera=camera + MAIN)
            with self._lock:
                _keep(stream, named)
            self._on_packet(named)

    def _fail(self, camera: str, error: SourceError) -> None:
        self._again_s[camera] = self._clock.monotonic_s() + _AGAIN_S
        self._tally.warn("main", f"{camera}: no main stream for who looks at it: {error}")
        self._close(camera)

    def _close(self, camera: str) -> None:
        with self._lock:
            stream = self._streams.pop(camera, None)
        if stream is not None:
            stream.source.close()


def _keep(stream: _Stream, packet: Packet) -> None:
    if packet.is_key:
        stream.gop, stream.gop_bytes = [packet], len(packet.data)
    elif stream.gop:
        stream.gop.append(packet)
        stream.gop_bytes += len(packet.data)
        if stream.gop_bytes > _GOP_BYTES:
            stream.gop = []
