"""One loop over all sockets: the sweep reader."""

import heapq
import logging
import random
import resource
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from base.clock import Clock
from base.errors import SourceError
from base.records import Packet
from ingest.libav_source import LibavSource
from ingest.life import CameraLife, SourceFactory
from ingest.rtsp_source import Resolver, RtspSource
from ingest.settings import IngestSettings
from ingest.source import Feed, PacketSource

__all__ = ["ReaderStats", "SweepReader", "choose_source"]

logger = logging.getLogger(__name__)

_OTHER_FILES = 256  # of this process, besides one socket a camera

Deliver = Callable[[int, list[Packet]], None]
"""Takes the packets of the camera in a row, on the reader thread."""


def choose_source(feed: Feed, clock: Clock, resolver: Resolver) -> PacketSource:
    """Our own client for RTSP, FFmpeg for all else. A stream that our client does not read is never handed to FFmpeg."""
    if feed.url.lower().startswith("rtsp://"):
        return RtspSource(feed, clock, resolver)
    return LibavSource(feed, clock)


@dataclass(slots=True)
class ReaderStats:
    """Written by the reader thread, read by any. `busy_s` is time spent sweeping, waiting left out."""

    sweeps: int = 0
    busy_s: float = 0.0
    fast: int = 0
    connected: int = 0


class SweepReader:
    """Reads all cameras from one thread, in two lanes.

    Quiet cameras are swept every `sweep_s`, each in its own slot of that interval; connecting, watched, awake and busy ones at
    every turn, each `fast_sweep_s`. Reading three frames with one recv instead of waking for each is what makes it cheap. A
    camera that is closed waits in a heap and costs nothing until its next try.
    """

    def __init__(
        self,
        feeds: Sequence[Feed],
        clock: Clock,
        settings: IngestSettings,
        deliver: Deliver,
        is_awake: Callable[[int], bool] = lambda row: False,
        make_source: SourceFactory | None = None,
        restarted: Callable[[int], None] = lambda row: None,
        rng: random.Random | None = None,
    ) -> None:
        self.stats = ReaderStats()
        self._clock, self._settings = clock, settings
        self.pulse_s = clock.monotonic_s()  # when the loop last came round
        self._deliver, self._is_awake, self._restarted = deliver, is_awake, restarted
        self._resolver = Resolver()
        make_source = make_source or (lambda feed: choose_source(feed, clock, self._resolver))
        rng = rng or random.Random()
        self.lives = [CameraLife(row, feed, settings, make_source, rng) for row, feed in enumerate(feeds)]
        self._watched: set[int] = set()  # replaced as a whole, so that any thread may
        self._slots: list[dict[int, CameraLife]] = [{} for _ in range(max(1, round(settings.sweep_s / settings.fast_sweep_s)))]
        self._fast: dict[int, CameraLife] = {}
        self._closed = [(0.0, life.row) for life in self.lives]
        self._slot = 0
        self._connect_allowance = 1.0
        self._allowed_at_s = self._refreshed_at_s = float("-inf")

    def run(self, stop: threading.Event) -> None:
        """Sweep until `stop` is set, then close every camera."""
        _allow_files(len(self.lives) + _OTHER_FILES)
        turn_s = self._settings.sweep_s / len(self._slots)
        due_s = self._clock.monotonic_s()
        while not stop.is_set():
            self.pulse_s = self._clock.monotonic_s()
            try:
                self.run_once()
            except Exception:
                logger.exception("sweeping")
            now_s = self._clock.monotonic_s()
            self.stats.busy_s += max(0.0, now_s - due_s)
            due_s = max(due_s + turn_s, now_s)
            self._clock.wait(stop, due_s - now_s)
            due_s = max(due_s, self._clock.monotonic_s())
        self.close()

    def run_once(self) -> None:
        """One turn: try those whose time has come, sweep the fast lane and one slot of the quiet one."""
        utc_s, now_s = self._clock.now_s(), self._clock.monotonic_s()
        self._open_due(now_s)
        for life in list(self._fast.values()):
            self._sweep(life, utc_s, now_s)
            if not self._belongs_in_fast(life, now_s):
                self._move(life)
        slot = self._slots[self._slot]
        self._slot = (self._slot + 1) % len(self._slots)
        for life in list(slot.values()):
            self._sweep(life, utc_s, now_s)
            if life.connected and self._belongs_in_fast(life, now_s):
                del slot[life.row]
                self._fast[life.row] = life
        self.stats.sweeps += 1
        self.stats.fast = len(self._fast)
        if now_s - self._refreshed_at_s >= 1.0:
            self._refresh(utc_s, now_s)

    def watch(self, row: int, watched: bool) -> None:
        """Sweep a camera often because somebody looks at it. Any thread."""
        self._watched = self._watched | {row} if watched else self._watched - {row}

    def watched(self, row: int) -> bool:
        return row in self._watched

    def close(self) -> None:
        """Close every camera. Reader thread, or after it has ended."""
        for life in self.lives:
            life.close()
        self._fast.clear()
        for slot in self._slots:
            slot.clear()
        self._resolver.close()

    def _sweep(self, life: CameraLife, utc_s: float, now_s: float) -> None:
        try:
            packets = life.sweep(utc_s, now_s)
            if packets:
                self._deliver(life.row, packets)
        except SourceError as error:
            self._over(life, error, now_s)
        except Exception as error:  # our own mistake costs one camera, not the turn of all behind it
            logger.exception("%s: reading", life.feed.camera)
            self._over(life, SourceError(f"{life.feed.where}: {type(error).__name__}"), now_s)

    def _over(self, life: CameraLife, error: SourceError, now_s: float) -> None:
        life.fail(error, now_s)
        self._fast.pop(life.row, None)
        self._slots[life.row % len(self._slots)].pop(life.row, None)
        heapq.heappush(self._closed, (life.retry_at_s, life.row))

    def _open_due(self, now_s: float) -> None:
        """Open closed cameras whose time has come, at most `connects_per_s`."""
        rate = self._settings.connects_per_s
        elapsed_s = min(1.0, now_s - self._allowed_at_s)
        self._connect_allowance = min(max(1.0, rate / 10), self._connect_allowance + elapsed_s * rate)
        self._allowed_at_s = now_s
        while self._closed and self._closed[0][0] <= now_s and self._connect_allowance >= 1:
            self._connect_allowance -= 1
            life = self.lives[heapq.heappop(self._closed)[1]]
            self._restarted(life.row)
            life.open(now_s)
            if life.connected:
                self._fast[life.row] = life
            else:
                heapq.heappush(self._closed, (life.retry_at_s, life.row))

    def _belongs_in_fast(self, life: CameraLife, now_s: float) -> bool:
        return not life.streaming or life.row in self._watched or now_s < life.busy_until_s or self._is_awake(life.row)

    def _move(self, life: CameraLife) -> None:
        """From the fast lane into its slot of the quiet one."""
        del self._fast[life.row]
        self._slots[life.row % len(self._slots)][life.row] = life

    def _refresh(self, utc_s: float, now_s: float) -> None:
        self._refreshed_at_s = now_s
        for life in self.lives:
            life.refresh(utc_s, now_s)
        self.stats.connected = sum(life.streaming for life in self.lives)


def _allow_files(count: int) -> None:
    """Raise this process's soft limit of open files to what the cameras need, as far as the hard limit goes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= count:
        return
    allowed = count if hard == resource.RLIM_INFINITY else min(count, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, allowed), hard))
    if allowed < count:
        logger.warning(
            "only %d open files are allowed for %d cameras; raise the limit (ulimit -n)", allowed, count - _OTHER_FILES
        )
