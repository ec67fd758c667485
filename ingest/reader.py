"""One loop over all sockets: the sweep reader."""

import logging
import queue
import random
import resource
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from base.clock import Clock
from base.errors import SourceError
from base.records import Lane, Transport
from ingest.connects import ConnectQueue
from ingest.gaps import GapLog
from ingest.glances import Glances
from ingest.libav_source import LibavSource
from ingest.life import CameraLife, SourceFactory
from ingest.rtsp.auth import Offers
from ingest.rtsp.glances import Ints
from ingest.rtsp_source import Resolver, RtspSource
from ingest.run import Run
from ingest.second_look import LookFactory, look_at
from ingest.settings import IngestSettings
from ingest.source import Feed, PacketSource

__all__ = ["ReaderStats", "SweepReader", "choose_source"]

logger = logging.getLogger(__name__)

_OTHER_FILES = 512  # of this process, besides the sockets of media; second looks are at most 250 of them

_JUDGED_S = 1.0  # about as often every camera is judged
_CALM_JUDGED_S = 2.5  # ... a calm one with its key frames, or then
_TOGETHER = 1000  # quiet cameras are read in one turn, for the more there are the less each costs

Deliver = Callable[[int, Run], None]
"""Takes the packets of the camera in a row, on the reader thread."""

Note = Callable[[Ints, Ints, Ints, Ints], None]
"""Hears of packets that were delivered just now or will be before long, 2.5 s at most: `PacketStats.note_many`."""


def choose_source(feed: Feed, clock: Clock, resolver: Resolver, offers: Offers | None = None) -> PacketSource:
    """Our own client for RTSP, FFmpeg for all else. A stream that our client does not read is never handed to FFmpeg."""
    if feed.url.lower().startswith(("rtsp://", "rtsps://")):
        return RtspSource(feed, clock, resolver, offers)
    return LibavSource(feed, clock)


@dataclass(slots=True)
class ReaderStats:
    """Written by the reader thread, read by any. `busy_s` is time spent sweeping, waiting left out; `late` counts turns that
    began a whole turn too late.
    """

    sweeps: int = 0
    busy_s: float = 0.0
    late: int = 0
    fast: int = 0


@dataclass(frozen=True, slots=True)
class Exchange:
    """A row that shall be another camera."""

    row: int
    feed: Feed
    swapped: Callable[[], None]
    done: threading.Event


class SweepReader:
    """Reads all cameras from one thread, in two lanes.

    Quiet cameras are read every `sweep_s`, up to a thousand in one turn; connecting, watched, awake and busy ones are swept at
    every turn, each `fast_sweep_s`. Reading three frames with one recv instead of waking for each is what makes
    it cheap, and that calm cameras are looked at together (`Glances`); only who shows anything unusual is swept by itself. Busy
    is who would half fill the kernel's buffer of its socket between two quiet sweeps, so that nothing is lost or held up there. A
    camera that is closed waits in a queue and costs nothing until its next try.
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
        look: LookFactory | None = None,
        note: Note = lambda row, count, size, key: None,
    ) -> None:
        self.stats = ReaderStats()
        self.gaps = GapLog()
        self._clock, self._settings = clock, settings
        self.pulse_s = clock.monotonic_s()  # when the loop last came round
        self._deliver, self._note, self._is_awake, self._restarted = deliver, note, is_awake, restarted
        self._resolver = Resolver()
        offers = {feed.camera: Offers() for feed in feeds}  # until Gridpatrol is started anew
        self._make_source = make_source or (
            lambda feed: choose_source(feed, clock, self._resolver, offers.setdefault(feed.camera, Offers()))
        )
        self._look = look or (lambda feed: look_at(feed, clock, self._resolver))
        self._rng = rng or random.Random()
        utc_s, now_s = clock.now_s(), clock.monotonic_s()
        self.lives = [self._life(row, feed, utc_s, now_s) for row, feed in enumerate(feeds)]
        self._exchanges: queue.SimpleQueue[Exchange] = queue.SimpleQueue()
        self._closed = ConnectQueue(feeds, settings, now_s)
        self._watched: set[int] = set()  # replaced as a whole, so that any thread may
        self._slots: list[dict[int, CameraLife]] = [{} for _ in range(max(1, round(settings.sweep_s / settings.fast_sweep_s)))]
        self._fast: dict[int, CameraLife] = {}
        self._glances = Glances(len(feeds))
        self._slot, self._groups = 0, min(len(self._slots), -(-len(feeds) // _TOGETHER) or 1)
        self._judged_s = [now_s] * len(feeds)
        self._turn, self._turns = 0, max(1, round(len(self._slots) / settings.sweep_s))  # in a second

    def run(self, stop: threading.Event) -> None:
        """Sweep until `stop` is set, then close every camera."""
        _allow_files(_OTHER_FILES + sum(3 if life.feed.transport is Transport.UDP else 1 for life in self.lives))
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
            self.stats.late += now_s > due_s + 2 * turn_s
            due_s = max(due_s + turn_s, now_s)
            self._clock.wait(stop, due_s - now_s)
            due_s = max(due_s, self._clock.monotonic_s())
        self.close()

    def run_once(self) -> None:
        """One turn: judge a few, try those whose time has come, sweep the fast lane and read one slot of the quiet one."""
        utc_s, now_s = self._clock.now_s(), self._clock.monotonic_s()
        while not self._exchanges.empty():
            self._exchange(self._exchanges.get(), utc_s, now_s)
        for life in self.lives[self._turn :: self._turns]:
            if not (self._glances.holds(life.row) and now_s - self._judged_s[life.row] < _CALM_JUDGED_S):
                self._judge(life, utc_s, now_s)
        self._turn = (self._turn + 1) % self._turns
        self._open_due(utc_s, now_s)
        for life in list(self._fast.values()):
            self._sweep(life, utc_s, now_s)
            if not self._belongs_in_fast(life, now_s):
                self._calm(life)
        slot = self._slots[self._slot]
        self._slot = (self._slot + 1) % len(self._slots)
        wanted = set(filter(self._wanted, slot))
        for look in self._glances.look([row for row in slot if row not in wanted], utc_s, now_s):
            for row in look.keyed:  # somebody waits for these
                settle = self._judge if now_s - self._judged_s[row] >= _JUDGED_S else self._settle
                settle(self.lives[row], utc_s, now_s)
            for row in look.left:
                self._sweep_quiet(row, utc_s, now_s)
            self._note(look.row, look.count, look.size, look.key)
        for row in wanted:
            self._sweep_quiet(row, utc_s, now_s)
        self.stats.sweeps += 1
        self.stats.fast = len(self._fast)

    def exchange(self, row: int, feed: Feed, swapped: Callable[[], None]) -> threading.Event:
        """Close the camera in `row` at the next turn, and read that of `feed` from then on; all others go on as they are.

        `swapped` is called on the reader thread between the two. Any thread; the event is set when it is done.
        """
        asked = Exchange(row, feed, swapped, threading.Event())
        self._exchanges.put(asked)
        return asked.done

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

    def _life(self, row: int, feed: Feed, utc_s: float, now_s: float) -> CameraLife:
        gaps = self.gaps if feed.camera else GapLog()  # nobody misses nobody
        return CameraLife(row, feed, self._settings, self._make_source, self._look, gaps, self._rng, utc_s, now_s)

    def _exchange(self, asked: Exchange, utc_s: float, now_s: float) -> None:
        row = asked.row
        life = self.lives[row]
        try:
            self._settle(life, utc_s, now_s)
            life.retire(now_s)
            self._glances.release(row)
            self._fast.pop(row, None)
            self._slot_of(row).pop(row, None)
            if asked.feed.camera != life.feed.camera:
                self.watch(row, False)  # who looked at the camera that was here does not look at the one that comes
            asked.swapped()
            self.lives[row] = self._life(row, asked.feed, utc_s, now_s)
            self._closed.exchange(row, asked.feed, now_s)
        except Exception:
            logger.exception("%s: exchanging it", life.feed.camera)
        asked.done.set()

    def _settle(self, life: CameraLife, utc_s: float, now_s: float) -> None:
        """Count and deliver what was read at a glance."""
        try:
            self._take(life)
        except Exception as error:
            self._over(life, error, utc_s, now_s)

    def _take(self, life: CameraLife) -> None:
        if (brought := self._glances.take(life.row)) is not None:
            for run in life.take(brought):
                self._deliver(life.row, run)

    def _sweep(self, life: CameraLife, utc_s: float, now_s: float) -> None:
        try:
            self._take(life)
            self._glances.release(life.row)
            run = life.sweep(utc_s, now_s)
            if run is not None:
                self._deliver(life.row, run)
        except Exception as error:
            self._over(life, error, utc_s, now_s)

    def _sweep_quiet(self, row: int, utc_s: float, now_s: float) -> None:
        """One of the quiet lane, by itself."""
        life = self.lives[row]
        self._sweep(life, utc_s, now_s)
        if not life.connected:
            return
        if self._belongs_in_fast(life, now_s):
            del self._slot_of(row)[row]
            self._hasten(life)
        elif (standing := life.calm()) is not None:
            self._glances.hold(row, standing)

    def _over(self, life: CameraLife, error: Exception, utc_s: float, now_s: float) -> None:
        if not isinstance(error, SourceError):  # our own mistake costs one camera, not the turn of all behind it
            logger.error("%s: reading", life.feed.camera, exc_info=error)
            error = SourceError(f"{life.feed.where}: {type(error).__name__}")
        life.fail(error, utc_s, now_s)
        self._glances.release(life.row)
        self._fast.pop(life.row, None)
        self._slot_of(life.row).pop(life.row, None)
        self._closed.put(life.row, life.retry_at_s)

    def _open_due(self, utc_s: float, now_s: float) -> None:
        """Open closed cameras whose time has come, as many as may connect now."""
        for row in self._closed.take(now_s):
            life = self.lives[row]
            self._restarted(row)
            self._hasten(life)
            try:
                life.open(now_s)
            except Exception as error:
                self._over(life, error, utc_s, now_s)

    def _belongs_in_fast(self, life: CameraLife, now_s: float) -> bool:
        return not life.streaming or now_s < life.busy_until_s or self._wanted(life.row)

    def _wanted(self, row: int) -> bool:
        return row in self._watched or self._is_awake(row)

    def _hasten(self, life: CameraLife) -> None:
        """Into the fast lane."""
        self._fast[life.row] = life
        life.lane = Lane.FAST

    def _slot_of(self, row: int) -> dict[int, CameraLife]:
        return self._slots[row % self._groups * (len(self._slots) // self._groups)]

    def _calm(self, life: CameraLife) -> None:
        """From the fast lane into its slot of the quiet one."""
        del self._fast[life.row]
        self._slot_of(life.row)[life.row] = life
        life.lane = Lane.QUIET

    def _judge(self, life: CameraLife, utc_s: float, now_s: float) -> None:
        """Once a second for each camera: health, and whether somebody should look a second time."""
        self._settle(life, utc_s, now_s)
        self._judged_s[life.row] = now_s
        try:
            life.refresh(utc_s, now_s)
            if life.wants_look(now_s) and self._closed.allow(life.row, now_s):
                life.look(now_s)
        except Exception:
            logger.exception("%s: judging", life.feed.camera)


def _allow_files(count: int) -> None:
    """Raise this process's soft limit of open files to what the cameras need, as far as the hard limit goes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= count:
        return
    allowed = count if hard == resource.RLIM_INFINITY else min(count, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, allowed), hard))
    if allowed < count:
        logger.warning(
            "only %d open files are allowed, %d are needed for all cameras; raise the limit (ulimit -n)", allowed, count
        )
