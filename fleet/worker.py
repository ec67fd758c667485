"""A worker owns its shard of cameras from socket to event: hops 1–7 of a picture's life happen inside one process."""

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from zoneinfo import ZoneInfo

import psutil

from base import (
    CameraStatus,
    Clock,
    Event,
    FrameBatch,
    GridpatrolError,
    Packet,
    PacketSense,
    Report,
    StorageError,
    Tally,
    WorkerStats,
)
from camera_config import Outline, Rule
from detect import DEFAULT_WATCH, DetectSettings, LookAside, Outbox, Pipeline, WatchSettings, load_networks
from fleet.setups import CameraSetup
from fleet.tap import PacketTap
from fleet.watch import Watch
from ingest import DEFAULT_SETTINGS, MAIN, ClipBox, ClipRecorder, Feed, Feeds, IngestSettings, MainStreams
from ingest.onvif import AskedCamera, MotionNotices

__all__ = ["CLIPS", "Worker", "WorkerConfig"]

logger = logging.getLogger(__name__)

CLIPS = "clips"
"""The folder in the outbox where clips wait."""

NOBODY = Feed("", "")
"""What is read of a row that is kept for a camera yet to come."""

_CHANGE_S = 4.0  # of the five that control waits for an answer
_DRAIN_EVENTS = 64  # events in one report: at most some MB with their snapshots
_DRAIN_CLIPS = 4  # clips in one report: each is a file of some MB that control reads
_HELD_EVENTS = 1000  # events that may wait in memory while the disk refuses them
_RETRY_S = 1.0
_JOIN_S = 1.0
_STATUS_EVERY_S = 1.0
_LISTEN_EVERY_S = 5.0  # asking 700 cameras costs some milliseconds
_HUNG_S = 15.0  # one batch takes tens of milliseconds; a network's or decoder's call that takes this long will not return


@dataclass(frozen=True, slots=True)
class WorkerConfig:
    """Plain values, so that a worker can be built in any process."""

    name: str
    feeds: tuple[Feed, ...]
    rules: tuple[Rule, ...]
    timezone: str
    outbox: Path
    models: tuple[Path, ...]
    tap_address: str
    log_level: str = "INFO"
    ingest: IngestSettings = DEFAULT_SETTINGS
    watch: WatchSettings = DEFAULT_WATCH
    mains: tuple[Feed, ...] = ()  # the main streams of cameras that have one, for second opinions
    ignored: Mapping[str, Sequence[Outline]] = field(default_factory=dict)  # by camera: where motion means nothing
    notices: tuple[AskedCamera, ...] = ()  # the cameras whose own motion events are asked for
    rows: int = 0  # cameras there is room for, if more than there are at the start

    def with_changes(self, setups: Sequence[CameraSetup]) -> "WorkerConfig":
        """As a worker would be started that has these changes already; cameras it does not have come last."""
        changed = {setup.camera: setup for setup in setups}
        now = [setup for setup in setups if setup.feed is not None]
        mains = [setup.main for setup in now if setup.main is not None]
        notices = [setup.notices for setup in now if setup.notices is not None]
        new = {setup.camera: setup.feed for setup in now}
        feeds = [new.pop(feed.camera, None) if feed.camera in changed else feed for feed in self.feeds]
        return replace(
            self,
            feeds=tuple(feed for feed in (*feeds, *new.values()) if feed is not None),
            mains=(*(feed for feed in self.mains if feed.camera not in changed), *mains),
            notices=(*(one for one in self.notices if one.camera not in changed), *notices),
            rules=(*(rule for rule in self.rules if rule.camera not in changed), *(rule for one in now for rule in one.rules)),
            ignored={camera: known for camera, known in self.ignored.items() if camera not in changed}
            | {setup.camera: setup.ignored for setup in now if setup.ignored},
        )


class Worker:
    """Feeds → pipeline → outbox. Built and stopped by its home; everything else may be called from one other thread.

    Every camera has a row in all that follows. Some rows are kept for cameras that are added while it runs: a camera is changed
    by exchanging its row, and no other row notices.
    """

    def __init__(self, config: WorkerConfig, clock: Clock) -> None:
        feeds = (*config.feeds, *(NOBODY,) * max(0, config.rows - len(config.feeds)))
        cameras = tuple(feed.camera for feed in feeds)
        self.config = config
        self._clock = clock
        self._outbox = Outbox(config.outbox, clock)
        self._networks = load_networks(config.models, None)
        self._row_of = {camera: row for row, camera in enumerate(cameras) if camera}
        self._streams = list(feeds)  # by row
        self._free = [row for row, camera in enumerate(cameras) if not camera]
        self._changes: queue.SimpleQueue[tuple[Sequence[CameraSetup], Future[None]]] = queue.SimpleQueue()
        self._feeds = Feeds(feeds, clock, config.ingest, on_packet=self._on_packet)
        self._watch = Watch(cameras, self._feeds, clock, config.watch)
        self._notices = MotionNotices(config.notices, self._watch.camera_says, clock)
        self._main = MainStreams(config.mains, clock, self._on_packet)
        self._opinions = LookAside(self._networks, self._main)
        self._pipeline = Pipeline(
            cameras,
            config.rules,
            ZoneInfo(config.timezone),
            self._networks,
            self._watch.wake,
            clock=clock,
            settings=DetectSettings(report_ends=True),
            ignored=config.ignored,
            opinions=self._opinions,
        )
        self._clip_box = ClipBox(config.outbox / CLIPS)
        self._clips = ClipRecorder(
            {camera: _longest_s(rule for rule in config.rules if rule.camera == camera) for camera in self._row_of},
            self._feeds,
            self._clip_box,
            clock,
            {feed.camera: feed.masks for feed in config.feeds},
        )
        self._tap = PacketTap(config.tap_address, self._names(), self._see, self._feeds.watch_keys, self._gop)
        self._held: deque[Event] = deque()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._analyse, name=f"analyse-{config.name}", daemon=True)
        self._told: dict[str, CameraStatus] = {}
        self._tell_s = 0.0
        self._listen_s = 0.0
        self._pulse_s = clock.monotonic_s()
        self._tally = Tally(logger, clock, every_s=10.0)
        self._process = psutil.Process()
        self._started = False

    def start(self) -> None:
        """Begin connecting and analysing; returns at once."""
        self._feeds.start()
        self._tap.start()
        self._thread.start()
        self._clips.start()
        self._main.start()
        self._notices.start()
        self._started = True

    def drain(self, acknowledged: int, clips: Sequence[str] = ()) -> Report:
        """Forget events up to number `acknowledged` and the `clips` of these events, and report what is new since.

        Also the worker's sign of life.
        """
        self._check_pulse()
        self._clip_box.forget(clips)
        if acknowledged:
            try:
                self._outbox.acknowledge(acknowledged)
            except StorageError as error:  # it will be told again, and stored once: the database knows its id
                self._tally.warn("outbox", str(error))
        number, events = self._outbox.pending(_DRAIN_EVENTS)
        watched, until_s = self._watch.take_runs()
        return Report(
            self.config.name,
            number,
            events,
            self._changed(),
            self._feeds.gaps(),
            self._stats(),
            watched,
            until_s,
            self._clip_box.pending(_DRAIN_CLIPS),
        )

    def snapshot(self, camera: str) -> bytes:
        """The newest key frame of `camera` as JPEG; raises SourceError when there is none."""
        return self._feeds.snapshot(camera)

    def change(self, setups: Sequence[CameraSetup]) -> None:
        """Have these cameras changed, added or gone; all others lose no packet and no track. Returns when it is so.

        Raises GridpatrolError if that takes too long, as when the worker hangs, or if there is no row for one more camera.
        """
        done = Future[None]()
        self._changes.put((setups, done))
        try:
            done.result(_CHANGE_S)
        except TimeoutError:
            raise GridpatrolError(f"{self.config.name}: cameras could not be changed within {_CHANGE_S:g} s") from None

    def stop(self) -> None:
        """Undo `start` in reverse order; events on disk stay for the next start."""
        self._stopping.set()
        if self._started:
            self._thread.join(timeout=_JOIN_S)
            self._clips.stop(_JOIN_S / 2)
            self._notices.stop(_JOIN_S / 4)
            self._opinions.stop()
            self._tap.stop()
            self._main.stop(_JOIN_S / 4)
            self._feeds.stop()
        if self._thread.is_alive():  # it may still append: the outbox closes with the process
            logger.error("%s: its analysis did not stop within %.0f s", self.config.name, _JOIN_S)
            return
        if self._held and not self._put():
            logger.error("%s: %d events could not be put into the outbox before stopping", self.config.name, len(self._held))
        self._outbox.close()

    def _check_pulse(self) -> None:
        """Raise if a thread of this worker has died or hangs: better a restart than cameras that only look watched."""
        if not self._started or self._stopping.is_set():
            return
        if not self._thread.is_alive():
            raise GridpatrolError(f"{self.config.name}: its analysis thread has ended")
        for what, silent_s in (
            ("analysis", self._clock.monotonic_s() - self._pulse_s),
            ("reading or decoding", self._feeds.silent_s()),
            ("packet tap", 0.0 if self._tap.is_alive else float("inf")),
        ):
            if silent_s > _HUNG_S:
                raise GridpatrolError(f"{self.config.name}: its {what} has been silent for {silent_s:.0f} s")

    def _changed(self) -> tuple[CameraStatus, ...]:
        """Statuses that differ from what was last told; looked at once a second, since rates change with every packet."""
        if self._clock.monotonic_s() < self._tell_s:
            return ()
        self._tell_s = self._clock.monotonic_s() + _STATUS_EVERY_S
        senses = self._watch.senses()
        statuses = (
            status if sense is PacketSense.LEARNING else replace(status, packets=sense)
            for status, sense in zip(self._feeds.statuses(), senses, strict=True)
            if status.camera
        )
        changed = tuple(status for status in statuses if self._told.get(status.camera) != status)
        self._told.update((status.camera, status) for status in changed)
        return changed

    def _names(self) -> frozenset[str]:
        """What may be looked at: cameras, and main streams."""
        return self._main.names.union(self._row_of)

    def _see(self, name: str, watched: bool) -> None:
        """Somebody looks at a camera, or at its main stream, or no longer. On the tap's thread."""
        (self._main if name.endswith(MAIN) else self._feeds).watch(name, watched)

    def _gop(self, name: str) -> tuple[Packet, ...]:
        return (self._main if name.endswith(MAIN) else self._feeds).gop(name)

    def _on_packet(self, packet: Packet) -> None:
        self._tap.offer(packet)

    def _analyse(self) -> None:
        """Hops 4–7, batch by batch, until stopped. A batch that fails is logged and passed over; the next is another matter."""
        retry_s = 0.0
        while not self._stopping.is_set():
            self._pulse_s = self._clock.monotonic_s()
            self._take_changes()
            batch, began_s = self._feeds.next_batch(0.1), time.thread_time()
            if batch is not None:
                self._held.extend(self._events(batch))
                self._watch.count(batch, time.thread_time() - began_s)
            else:
                self._held.extend(self._settled())
            self._turn()
            self._held.extend(self._silent())
            if self._held and self._clock.monotonic_s() >= retry_s and not self._put():
                retry_s = self._clock.monotonic_s() + _RETRY_S

    def _take_changes(self) -> None:
        """Change cameras between two batches, when nobody is in the middle of one."""
        while not self._changes.empty():
            setups, done = self._changes.get()
            try:
                self._exchange(setups)
            except Exception as error:
                logger.exception("%s: cameras could not be changed", self.config.name)
                done.set_exception(GridpatrolError(f"{self.config.name}: {error}"))
            else:
                done.set_result(None)

    def _exchange(self, setups: Sequence[CameraSetup]) -> None:
        """From now on the rows of these cameras are what `setups` say; one that is gone leaves its row free."""
        rows = {setup.camera: row for setup in setups if (row := self._row_for(setup)) is not None}
        mine = [setup for setup in setups if setup.camera in rows]
        # Whoever looks for a camera by name finds the new one first; a stream that stays the same is not touched.
        swaps = [
            self._feeds.exchange(rows[setup.camera], setup.feed or NOBODY)
            for setup in mine
            if self._streams[rows[setup.camera]] != (setup.feed or NOBODY)
        ]
        ends_s = self._clock.monotonic_s() + _CHANGE_S / 2
        if not all(swap.wait(max(0.0, ends_s - self._clock.monotonic_s())) for swap in swaps):
            raise GridpatrolError("reading hangs")
        for setup in mine:
            self._take_over(rows[setup.camera], setup)
        self._tap.offer_only(self._names())

    def _row_for(self, setup: CameraSetup) -> int | None:
        """The row that a camera has, or gets now; None for one that is gone anyway."""
        row = self._row_of.get(setup.camera)
        if row is None and setup.feed is not None:
            if not self._free:
                raise GridpatrolError(f"there is no room for camera {setup.camera}")
            row = self._row_of[setup.camera] = self._free.pop()
        return row

    def _take_over(self, row: int, setup: CameraSetup) -> None:
        camera, feed = setup.camera, setup.feed
        name, stream = camera if feed is not None else "", feed or NOBODY
        is_another = self._streams[row] != stream
        self._streams[row] = stream
        self._clips.exchange(camera, None if feed is None else _longest_s(setup.rules), stream.masks, is_another)
        self._main.exchange(camera, setup.main)
        self._notices.exchange(camera, setup.notices)
        self._held.extend(self._pipeline.exchange(row, name, setup.rules, setup.ignored))
        self._watch.exchange(row, name)
        if feed is None:
            del self._row_of[camera]
            self._free.append(row)
            self._told.pop(camera, None)
        logger.info(
            "%s: camera %s is %s", self.config.name, camera, "watched as configured now" if feed else "not watched any more"
        )

    def _events(self, batch: FrameBatch) -> list[Event]:
        try:
            return self._pipeline.process(batch)
        except Exception:
            logger.exception("%s: a batch of %d frames could not be analysed", self.config.name, len(batch))
            return []

    def _settled(self) -> list[Event]:
        """Events that waited for a second opinion, while no frame comes."""
        try:
            return self._pipeline.settle()
        except Exception:
            logger.exception("%s: second opinions could not be taken in", self.config.name)
            return []

    def _silent(self) -> list[Event]:
        """Events of cameras that send no video; looked for every few seconds."""
        if self._clock.monotonic_s() < self._listen_s:
            return []
        self._listen_s = self._clock.monotonic_s() + _LISTEN_EVERY_S
        try:
            return self._pipeline.listen(self._feeds.statuses())
        except Exception:
            logger.exception("%s: silent cameras could not be looked for", self.config.name)
            return []

    def _turn(self) -> None:
        try:
            self._watch.turn(self._pipeline)
        except Exception:
            logger.exception("%s: it could not be decided who is awake", self.config.name)

    def _put(self) -> bool:
        """Move what is held into the outbox; whether the disk took it. Only then is an event acknowledged."""
        events = tuple(self._held)
        try:
            self._outbox.append(events)
        except StorageError as error:
            logger.error("%s: %d events wait in memory: %s", self.config.name, len(events), error)
            while len(self._held) > _HELD_EVENTS:
                lost = self._held.popleft()
                logger.error("%s: event %s given up: the outbox has refused it too long", self.config.name, lost.id)
            return False
        self._held.clear()
        for event in events:
            if event.ended_s is not None:
                self._clips.end(event.id, event.ended_s)
                continue
            self._clips.begin(event)
            logger.info("event acknowledged", extra={"event_id": event.id, "camera": event.camera, "kind": event.kind.value})
        return True

    def _stats(self) -> WorkerStats:
        ingest, detect, clips = self._feeds.stats(), self._pipeline.stats(), self._clips.stats()
        times = self._process.cpu_times()
        return replace(
            self._watch.stats(),
            packets=ingest.packets,
            bytes=ingest.bytes,
            key_frames_decoded=ingest.key_frames_decoded,
            key_frames_still=ingest.key_frames_still,
            frames_decoded=ingest.frames_decoded,
            frames_dropped=ingest.frames_dropped,
            crops=detect.crops,
            inferences=detect.inferences,
            events=detect.events,
            outbox_depth=self._outbox.depth,
            second_opinions=detect.second_opinions,
            second_opinions_late=detect.second_opinions_late,
            events_doubted=detect.events_doubted,
            events_held_back=detect.events_held_back,
            clips=clips.made,
            clips_reencoded=clips.reencoded,
            clips_refused=clips.refused,
            clips_waiting=self._clip_box.depth,
            sweeps=ingest.sweeps,
            sweep_s=ingest.sweep_s,
            sweeps_late=ingest.sweeps_late,
            cpu_s=times.user + times.system,
            rss_bytes=self._process.memory_info().rss,
        )


def _longest_s(rules: Iterable[Rule]) -> float:
    """The longest that one of these rules asks something to last."""
    return max((rule.dwell_s for rule in rules), default=0.0)
