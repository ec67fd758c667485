"""Scripted cameras under a real reader, on a simulated clock. No sockets."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from base import Advice, Codec, Health, Packet, Quality, SimulatedClock, SourceError
from ingest import DEFAULT_SETTINGS, Feed, PacketSource, Phase, StreamFacts, SweepReader
from ingest.run import Run, Settled
from ingest.standing import Brought

__all__ = ["Camera", "Street"]


@dataclass
class Camera:
    """What the scripted camera does now; shared by all its connections."""

    phase: Phase = Phase.STREAMING
    error: SourceError | None = None
    fps: float = 5.0
    size: int = 100
    lost: int = 0
    stuck: bool = False
    gop: int = 10
    buffer_bytes: int = 200_000
    key_size: int = 0  # of key frames, where they are larger
    transport: str = ""
    filler: int = 0  # bytes that come beside each packet and are no part of it
    position: str = ""
    skew_s: float | None = None
    answers: bool | None = False
    looks_s: list[float] = field(default_factory=list)
    looks_closed: int = 0
    opened_s: list[float] = field(default_factory=list)
    closed: int = 0
    sweeps: int = 0
    sent: int = 0
    due_s: float = 0.0  # monotonic; of the next frame
    overflows: int = 0

    def send(self, name: str, utc_s: float, now_s: float) -> list[Packet]:
        """The frames since the last sweep; what does not fit into the kernel's buffer meanwhile is lost."""
        packets: list[Packet] = []
        room = self.buffer_bytes
        while self.fps and self.due_s <= now_s:
            pts = 0 if self.stuck else round(self.due_s * 90_000)
            self.sent, self.due_s = self.sent + 1, self.due_s + 1 / self.fps
            is_key = self.sent % self.gop == 1
            size = max(self.size, self.key_size) if is_key else self.size
            room -= size
            self.overflows += room < 0
            packets.append(Packet(name, utc_s, pts, is_key, b"x" * size, lost=self.lost))
        if not self.fps:
            self.due_s = now_s
        return packets


class ScriptedSource:
    """A `PacketSource` that does what its camera says."""

    def __init__(self, camera: Camera, name: str, clock: SimulatedClock) -> None:
        self._camera, self._name, self._clock = camera, name, clock
        self._facts = StreamFacts(peer="192.0.2.1:554")
        self.received_bytes = 0

    @property
    def facts(self) -> StreamFacts:
        return self._facts

    def open(self) -> None:
        self._camera.opened_s.append(self._clock.monotonic_s())
        self._camera.due_s = self._clock.monotonic_s()

    def sweep(self, now_s: float) -> list[Packet]:
        camera = self._camera
        camera.sweeps += 1
        if camera.error is not None:
            raise camera.error
        if (self._facts.phase, self._facts.skew_s) != (camera.phase, camera.skew_s):
            self._facts = StreamFacts(
                camera.phase, Codec.H264, 640, 360, "Main@3.1", "192.0.2.1:554", camera.skew_s, camera.transport
            )
        if camera.phase is not Phase.STREAMING:
            return []
        packets = camera.send(self._name, now_s, self._clock.monotonic_s())
        self.received_bytes += sum(len(packet.data) + camera.filler for packet in packets)
        return packets

    def calm(self) -> None:
        return None

    def take(self, brought: Brought) -> Sequence[Settled]:
        return ()

    def close(self) -> None:
        self._camera.closed += 1

    @property
    def buffer_bytes(self) -> int:
        return self._camera.buffer_bytes

    @property
    def position(self) -> str:
        return self._camera.position


class ScriptedLook:
    """A second look that finds what its camera says."""

    def __init__(self, camera: Camera, clock: SimulatedClock) -> None:
        self._camera = camera
        camera.looks_s.append(clock.monotonic_s())

    def poll(self) -> bool | None:
        return self._camera.answers

    def close(self) -> None:
        self._camera.looks_closed += 1


class Street:
    """Some scripted cameras under one reader."""

    def __init__(self, count: int = 1, per_host: int = 1) -> None:
        self.clock = SimulatedClock(1e6)  # near enough to 0 that adding up 25 ms stays exact
        self.cameras = [Camera() for _ in range(count)]
        feeds = [Feed(f"c{row}", f"rtsp://192.0.2.{1 + row // per_host}/{row}") for row in range(count)]
        self.awake: set[int] = set()
        self.delivered = [0] * count
        self.arrivals: list[tuple[float, int]] = []  # (monotonic, media time of the newest) of every delivery
        self.restarts: list[int] = []

        def make(feed: Feed) -> PacketSource:
            return ScriptedSource(self.cameras[int(feed.camera[1:])], feed.camera, self.clock)

        self.reader = SweepReader(
            feeds,
            self.clock,
            DEFAULT_SETTINGS,
            self._deliver,
            self.awake.__contains__,
            make,
            self.restarts.append,
            random.Random(3),
            lambda feed: ScriptedLook(self.cameras[int(feed.camera[1:])], self.clock),
        )

    def _deliver(self, row: int, run: Run) -> None:
        self.delivered[row] += len(run)
        self.arrivals.append((self.clock.monotonic_s(), run.pts_90k(-1)))

    def advice(self, row: int = 0) -> tuple[Advice, ...]:
        return self.reader.lives[row].status(0.0, False).advice

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.025)):
            self.reader.run_once()
            self.clock.advance(0.025)

    def status(self, row: int = 0) -> tuple[Health, Quality, str]:
        status = self.reader.lives[row].status(0.0, False)
        return status.health, status.quality, status.error
