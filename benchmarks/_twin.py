"""A worker in simulated time: the same gate, decoders, watch and pipeline, without sockets and without waiting.

Packets come when a sweep of the sockets would have read them, and work takes no time but is counted. So recall and waiting for
key frames are those of a machine that keeps up, whatever else this one does, and every variation sees the same packets.
"""

import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from zoneinfo import ZoneInfo

import cv2
import numpy as np
from numpy.typing import NDArray

from base import Codec, DecodeError, GapCause, Packet, SimulatedClock, WorkerStats
from benchmarks._reference import Found
from camera_config import Rule
from detect import CropClassifier, DetectSettings, Judges, Pipeline, WakeCause, WatchSettings, load_networks
from detect.objects import Named
from fleet.watch import Watch
from ingest import DEFAULT_SETTINGS, PacketLevels
from ingest.decode import DecodeLoop
from ingest.frames import LatestFrames
from ingest.gate import Gate
from ingest.packet_stats import PacketStats
from ingest.ring import Ring
from ingest.simulate import Clip, SimCamera

__all__ = ["Counted", "Twin", "Variation"]

_TURN_S, _SLOTS = DEFAULT_SETTINGS.fast_sweep_s, round(DEFAULT_SETTINGS.sweep_s / DEFAULT_SETTINGS.fast_sweep_s)
_HELD_S = 60.0
_UNLIMITED = 1e9


@dataclass(frozen=True, slots=True)
class Variation:
    """What is left out of a worker."""

    packets: bool = True  # tier T0
    key_frames: bool = True  # wakes of tier T1
    still: bool = True  # key frames that can show nothing new are not decoded
    batches: bool = True  # crops of all cameras in one run of the network
    tiers: bool = True  # without them everything is decoded


@dataclass(frozen=True, slots=True)
class Counted:
    """Since the start: processor seconds of each part, and what the worker says of itself."""

    gate_s: float
    decode_s: float
    analyse_s: float
    watch_s: float
    stats: WorkerStats

    @property
    def cpu_s(self) -> float:
        return self.gate_s + self.decode_s + self.analyse_s + self.watch_s


class Twin:
    """One worker and its cameras. `run_until` as often as wanted; `found` are its events so far. One thread."""

    def __init__(
        self,
        cameras: Sequence[SimCamera],
        clips: Mapping[Path, Clip],
        rules: Sequence[Rule],
        started_s: float,
        settings: WatchSettings,
        variation: Variation = Variation(),
    ) -> None:
        """The cameras were started at `started_s` (UTC), as a `Simulator` would; so is the worker."""
        cv2.setNumThreads(1)
        self.clock = SimulatedClock(started_s)
        self.found: list[Found] = []
        self._cameras = [_Playing(camera, clips[camera.file], started_s) for camera in cameras if camera.file is not None]
        names = [camera.id for camera in cameras]
        ring = Ring(len(names), DEFAULT_SETTINGS.ring_gops, DEFAULT_SETTINGS.ring_camera_bytes, DEFAULT_SETTINGS.ring_bytes)
        self._gates = _Gates(names, ring, self.clock, variation.still)
        settings = settings if variation.packets else replace(settings, packet_octaves=100.0)
        settings = settings if variation.tiers else replace(settings, budget_cores=_UNLIMITED)
        self._watch = Watch(names, self._gates, self.clock, settings)
        networks: Judges = load_networks([], "none")
        if not variation.batches:
            networks = _Pair(_OneByOne(networks.crop))
        wake = self._watch.wake if variation.key_frames else self._but_for_key_frames
        self._pipeline = Pipeline(
            names, rules, ZoneInfo("UTC"), networks, wake, clock=self.clock, settings=DetectSettings(report_ends=True)
        )
        self._variation, self._names = variation, names
        self._turn = 0
        self._hold_s = started_s
        self._spent = np.zeros(4)  # processor seconds: gate, decode, analyse, watch
        self._packets = 0

    def run_until(self, until_s: float) -> Counted:
        """Play on until a time (UTC)."""
        while self.clock.now_s() < until_s:
            self.clock.advance(_TURN_S)
            if not self._variation.tiers and self.clock.now_s() >= self._hold_s:
                self._hold_s = self.clock.now_s() + _HELD_S
                for name in self._names:
                    self._watch.wake(name, self._hold_s + _HELD_S, WakeCause.CAMERA)
            self._count(0, self._sweep)
            while self._count(1, self._decode):
                self._count(2, self._analyse)
            self._count(3, lambda: self._watch.turn(self._pipeline))
        return self.counted()

    def counted(self) -> Counted:
        decoded, detect = self._gates.decoding.stats, self._pipeline.stats()
        stats = replace(
            self._watch.stats(),
            packets=self._packets,
            key_frames_decoded=decoded.key_frames,
            key_frames_still=self._gates.gate.stats().still,
            frames_decoded=decoded.frames,
            frames_dropped=self._gates.gate.stats().dropped,
            crops=detect.crops,
            inferences=detect.inferences,
            events=detect.events,
        )
        gate_s, decode_s, analyse_s, watch_s = self._spent.tolist()
        return Counted(gate_s, decode_s, analyse_s, watch_s, stats)

    def _count(self, part: int, work: Callable[[], bool | None]) -> bool | None:
        began_s = time.thread_time()
        try:
            return work()
        finally:
            self._spent[part] += time.thread_time() - began_s

    def _sweep(self) -> None:
        """Quiet cameras every 200 ms, each in its slot; awake ones at every turn."""
        self._turn += 1
        now_s, slot = self.clock.now_s(), self._turn % _SLOTS
        for row, camera in enumerate(self._cameras):
            if row % _SLOTS == slot or self._gates.gate.awake(row):
                packets = camera.until(now_s)
                if packets:
                    self._packets += len(packets)
                    self._gates.gate.admit(row, packets)
                    self._gates.sizes.add(row, packets)

    def _decode(self) -> bool:
        """What the frames waiting for the pipeline leave room for; whether there was anything."""
        some = False
        with suppress(DecodeError):
            while self._gates.decoding.run_once():
                some = True
        return some

    def _analyse(self) -> None:
        while (batch := self._gates.frames.take(0)) is not None:
            began_s = time.thread_time()
            events = self._pipeline.process(batch)
            self._watch.count(batch, time.thread_time() - began_s)
            now_s = self.clock.now_s()
            self.found += [Found(event.camera, event.raised_s, now_s, event.path) for event in events if event.ended_s is None]

    def _but_for_key_frames(self, camera: str, until_s: float, cause: WakeCause) -> None:
        if cause is not WakeCause.KEY_FRAME:
            self._watch.wake(camera, until_s, cause)


class _Playing:
    """A camera's endless loop."""

    def __init__(self, camera: SimCamera, clip: Clip, started_s: float) -> None:
        self._camera, self._clip = camera, clip
        self._zero_s = started_s - camera.offset_s
        self._next = int(camera.offset_s * clip.fps) + 1
        self._begun = False

    def until(self, now_s: float) -> list[Packet]:
        """The packets sent since the last call; the first is a key frame."""
        packets = list[Packet]()
        frames = self._clip.frames
        for number in itertools.count(self._next):
            at_s = self._zero_s + number / self._clip.fps
            if at_s > now_s:
                self._next = number
                return packets
            frame = frames[number % len(frames)]
            self._begun |= frame.is_key
            if self._begun:
                packets.append(
                    Packet(self._camera.id, at_s, number * 90_000 // round(self._clip.fps), frame.is_key, frame.data, Codec.H264)
                )
        raise AssertionError


class _Gates:
    """`ingest.Feeds` without its reader and threads."""

    def __init__(self, cameras: Sequence[str], ring: Ring, clock: SimulatedClock, still: bool) -> None:
        self._rows = {camera: row for row, camera in enumerate(cameras)}
        self.sizes = PacketStats(len(cameras), clock)
        self.gate = Gate(ring, clock, DEFAULT_SETTINGS.awake_packets, self.sizes.stillness if still else None)
        self.frames = LatestFrames(
            len(cameras), DEFAULT_SETTINGS.pending_frames, DEFAULT_SETTINGS.pending_frames_per_camera, lambda: None
        )
        self.decoding = DecodeLoop(self.gate, self.frames, clock)

    def wake(self, camera: str, until_s: float) -> None:
        self.gate.wake(self._rows[camera], until_s)

    def sleep(self, camera: str) -> None:
        self.gate.sleep(self._rows[camera])

    def gap_causes(self) -> Sequence[GapCause | None]:
        return [None] * len(self._rows)

    def packet_levels(self, quantile: float, octaves: float) -> PacketLevels:
        return self.sizes.levels(quantile, octaves)

    def backlog_s(self) -> float:
        return self.gate.backlog_s()

    def take_packet_peaks(self) -> NDArray[np.float64]:
        return self.sizes.take_peaks()

    @property
    def decode_s(self) -> NDArray[np.float64]:
        return self.decoding.cpu_s


@dataclass(frozen=True, slots=True)
class _Pair:
    crop: CropClassifier
    detector: None = None


@dataclass(slots=True)
class _OneByOne:
    """A classifier that is asked about one crop at a time."""

    inner: CropClassifier
    labels: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.labels = self.inner.labels

    @property
    def card(self) -> Named:
        return self.inner.card

    def classify(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.concatenate([self.inner.classify(crop[None]) for crop in crops])
