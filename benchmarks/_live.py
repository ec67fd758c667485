"""One camera of a worker in one thread and simulated time: the same gate, decoders, tiers and pipeline, each time the same.

What differs from a running worker: no sockets, no sweep (at most 0.2 s), and time stands still while something is computed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from base import Box, Event, GapCause, Packet, SimulatedClock
from camera_config import Rule
from detect import DEFAULT_WATCH, Pipeline, WakeCause
from detect.objects import Judges
from detect.replay import stable_id
from fleet.watch import Watch
from ingest import DEFAULT_SETTINGS, PacketLevels
from ingest.decode import DecodeLoop
from ingest.frames import LatestFrames
from ingest.gate import Gate
from ingest.packet_stats import PacketStats
from ingest.ring import Ring

__all__ = ["CAMERA", "START_S", "Live", "Raised", "Shown"]

START_S = 1_767_571_200.0  # 2026-01-05 00:00 UTC; times of packets count from here
CAMERA = "c0"
_AWAKE_S = 10.0


@dataclass(frozen=True, slots=True)
class Raised:
    """An event, times from START_S, and when it left the pipeline: later than `raised_s` where the ring was decoded backwards."""

    began_s: float
    raised_s: float
    left_s: float
    rule: str
    box: Box


@dataclass(frozen=True, slots=True)
class Shown:
    """A confirmed track in a frame. `vote` is by label, as the crop network orders them."""

    time_s: float
    number: int
    box: Box
    vote: tuple[float, ...]


class Live:
    """Hops 2–7 of one camera. With `gated` False every frame is decoded, which is what the gate is measured against."""

    def __init__(self, rules: Sequence[Rule], networks: Judges, gated: bool = True) -> None:
        self._clock, ingest = SimulatedClock(START_S), DEFAULT_SETTINGS
        ring = Ring(1, ingest.ring_gops, ingest.ring_camera_bytes, ingest.ring_bytes)
        self._sizes = PacketStats(1, self._clock)
        self._gate = Gate(ring, self._clock, ingest.awake_packets, self._sizes.stillness if gated else None)
        self._frames = LatestFrames(1, ingest.pending_frames, ingest.pending_frames_per_camera, self._gate.work_ready.set)
        self._decode = DecodeLoop(self._gate, self._frames, self._clock)
        self._watch = Watch([CAMERA], _Gates(self._gate, self._sizes), self._clock, DEFAULT_WATCH) if gated else None
        wake = self._watch.wake if self._watch is not None else _open_anyway
        self._pipeline = Pipeline([CAMERA], rules, ZoneInfo("UTC"), networks, wake, clock=self._clock, make_id=stable_id)
        self.packets = 0
        self.shown: list[Shown] = []
        self.looked_s: list[float] = []  # times of the frames that were analysed, which is not every one that was decoded

    @property
    def decoded(self) -> int:
        """Frames decoded since the start."""
        return self._decode.stats.key_frames + self._decode.stats.frames

    def play(self, packets: Sequence[Packet]) -> Iterator[Raised]:
        """What is raised while the camera sends `packets`."""
        for packet in packets:
            self._clock.advance(max(0.0, packet.time_s - self._clock.now_s()))
            self.packets += 1
            if self._watch is None:
                self._gate.wake(0, self._clock.now_s() + _AWAKE_S)
            self._gate.admit(0, [packet])
            yield from self._work()
            if self._watch is not None:
                self._sizes.add(0, [packet])
                self._watch.turn(self._pipeline)
                yield from self._work()  # what has just been woken

    def _work(self) -> Iterator[Raised]:
        while self._decode.run_once():
            while (batch := self._frames.take(0.0)) is not None:
                for event in self._pipeline.process(batch):
                    yield _from_start(event, self._clock.now_s())
                self._remember(float(batch.time_s[0]) - START_S)
                if self._watch is not None:
                    self._watch.count(batch, 0.0)

    def _remember(self, time_s: float) -> None:
        self.looked_s.append(time_s)
        for track in self._pipeline.tracks(0):
            if track.matched and track.confirmed:
                self.shown.append(Shown(time_s, track.number, track.box, tuple(track.vote.tolist())))


class _Gates:
    """What `Watch` needs of a worker's feeds."""

    def __init__(self, gate: Gate, sizes: PacketStats) -> None:
        self._gate, self._sizes = gate, sizes
        self.decode_s: NDArray[np.float64] = np.zeros((2, 1))  # nobody else wants the processor

    def wake(self, camera: str, until_s: float) -> None:
        del camera
        self._gate.wake(0, until_s)

    def sleep(self, camera: str) -> None:
        del camera
        self._gate.sleep(0)

    def gap_causes(self) -> Sequence[GapCause | None]:
        return (None,)

    def packet_levels(self, quantile: float, octaves: float) -> PacketLevels:
        return self._sizes.levels(quantile, octaves)

    def backlog_s(self) -> float:
        return 0.0

    def take_packet_peaks(self) -> NDArray[np.float64]:
        return self._sizes.take_peaks()


def _open_anyway(_camera: str, _until_s: float, _cause: WakeCause) -> None:
    """A gate that needs no opening."""


def _from_start(event: Event, now_s: float) -> Raised:
    return Raised(event.began_s - START_S, event.raised_s - START_S, now_s - START_S, event.rule, event.box)
