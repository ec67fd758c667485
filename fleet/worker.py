"""A worker owns its shard of cameras from socket to event: hops 1–7 of a picture's life happen inside one process."""

import logging
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
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
from fleet.tap import PacketTap
from fleet.watch import Watch
from ingest import DEFAULT_SETTINGS, MAIN, ClipBox, ClipRecorder, Feed, Feeds, IngestSettings, MainLook, MainStreams

__all__ = ["CLIPS", "Worker", "WorkerConfig"]

logger = logging.getLogger(__name__)

CLIPS = "clips"
"""The folder in the outbox where clips wait."""

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


class Worker:
    """Feeds → pipeline → outbox. Built and stopped by its home; `drain` and `snapshot` may be called from one other thread."""

    def __init__(self, config: WorkerConfig, clock: Clock) -> None:
        cameras = tuple(feed.camera for feed in config.feeds)
        self.config = config
        self._clock = clock
        self._outbox = Outbox(config.outbox, clock)
        self._networks = load_networks(config.models, None)
        self._feeds = Feeds(config.feeds, clock, config.ingest, on_packet=self._on_packet)
        self._watch = Watch(cameras, self._feeds, clock, config.watch)
        self._main = MainLook(config.mains, clock)
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
            {camera: max((rule.dwell_s for rule in config.rules if rule.camera == camera), default=0.0) for camera in cameras},
            self._feeds,
            self._clip_box,
            clock,
            {feed.camera: feed.masks for feed in config.feeds},
        )
        feeds = self._feeds
        self._large = MainStreams(config.mains, clock, self._on_packet)
        names = self._large.names.union(cameras)
        self._tap = PacketTap(config.tap_address, names, self._see, feeds.watch_keys, self._gop)
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
        self._large.start()
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

    def stop(self) -> None:
        """Undo `start` in reverse order; events on disk stay for the next start."""
        self._stopping.set()
        if self._started:
            self._thread.join(timeout=_JOIN_S)
            self._clips.stop(_JOIN_S / 2)
            self._opinions.stop()
            self._main.stop(_JOIN_S / 4)
            self._tap.stop()
            self._large.stop(_JOIN_S / 4)
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
        )
        changed = tuple(status for status in statuses if self._told.get(status.camera) != status)
        self._told.update((status.camera, status) for status in changed)
        return changed

    def _see(self, name: str, watched: bool) -> None:
        """Somebody looks at a camera, or at its main stream, or no longer. On the tap's thread."""
        (self._large if name.endswith(MAIN) else self._feeds).watch(name, watched)

    def _gop(self, name: str) -> tuple[Packet, ...]:
        return (self._large if name.endswith(MAIN) else self._feeds).gop(name)

    def _on_packet(self, packet: Packet) -> None:
        self._tap.offer(packet)

    def _analyse(self) -> None:
        """Hops 4–7, batch by batch, until stopped. A batch that fails is logged and passed over; the next is another matter."""
        retry_s = 0.0
        while not self._stopping.is_set():
            self._pulse_s = self._clock.monotonic_s()
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
