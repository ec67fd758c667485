"""A camera's life on a simulated clock: deadlines, back-off, lanes, health. No sockets."""

import itertools
import random
import threading
from dataclasses import dataclass, field

import pytest

from base import AuthError, Codec, ConnectError, Health, Packet, Quality, SimulatedClock, SourceError, StreamEnded
from ingest import DEFAULT_SETTINGS, Feed, PacketSource, Phase, StreamFacts, UnsupportedStream
from ingest.reader import SweepReader


@dataclass
class Camera:
    """What the scripted camera does now; shared by all its connections."""

    phase: Phase = Phase.STREAMING
    error: SourceError | None = None
    frames: int = 1  # per sweep
    size: int = 100
    lost: int = 0
    stuck: bool = False
    gop: int = 10
    opened_s: list[float] = field(default_factory=list)
    closed: int = 0
    sweeps: int = 0
    pts: int = 0


class ScriptedSource:
    """A `PacketSource` that does what its camera says."""

    def __init__(self, camera: Camera, name: str, clock: SimulatedClock) -> None:
        self._camera, self._name, self._clock = camera, name, clock
        self._facts = StreamFacts(peer="192.0.2.1:554")

    @property
    def facts(self) -> StreamFacts:
        return self._facts

    def open(self) -> None:
        self._camera.opened_s.append(self._clock.monotonic_s())

    def sweep(self, now_s: float) -> list[Packet]:
        camera = self._camera
        camera.sweeps += 1
        if camera.error is not None:
            raise camera.error
        if self._facts.phase is not camera.phase:
            self._facts = StreamFacts(camera.phase, Codec.H264, 640, 360, peer="192.0.2.1:554")
        if camera.phase is not Phase.STREAMING:
            return []
        packets = []
        for _ in range(camera.frames):
            camera.pts += 0 if camera.stuck else 1
            key = camera.pts % camera.gop == 0
            packets.append(Packet(self._name, now_s, camera.pts * 18_000, key, b"x" * camera.size, lost=camera.lost))
        return packets

    def close(self) -> None:
        self._camera.closed += 1


class Street:
    """Some scripted cameras under one reader."""

    def __init__(self, count: int = 1) -> None:
        self.clock = SimulatedClock()
        self.cameras = [Camera() for _ in range(count)]
        feeds = [Feed(f"c{row}", f"rtsp://192.0.2.1/{row}") for row in range(count)]
        self.awake: set[int] = set()
        self.delivered = [0] * count
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
        )

    def _deliver(self, row: int, packets: list[Packet]) -> None:
        self.delivered[row] += len(packets)

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.025)):
            self.reader.run_once()
            self.clock.advance(0.025)

    def status(self, row: int = 0) -> tuple[Health, Quality, str]:
        status = self.reader.lives[row].status(0.0, False)
        return status.health, status.quality, status.error


def test_a_quiet_camera_is_swept_five_times_a_second_and_a_watched_one_forty_times() -> None:
    street = Street(3)
    street.run(1)
    before = [camera.sweeps for camera in street.cameras]
    street.reader.watch(1, True)
    street.awake.add(2)
    street.run(10)
    quiet, watched, awake = (camera.sweeps - earlier for camera, earlier in zip(street.cameras, before, strict=True))
    assert quiet == 50 and 390 <= watched <= 400 and 390 <= awake <= 400
    street.reader.watch(1, False)
    street.run(1)
    earlier = street.cameras[1].sweeps
    street.run(10)
    assert street.cameras[1].sweeps - earlier == 50


def test_a_camera_that_brings_much_is_swept_often() -> None:
    street = Street(1)
    street.cameras[0].size = 200_000
    street.run(2)
    assert street.reader.stats.fast == 1
    street.cameras[0].size = 100
    street.run(6)
    assert street.reader.stats.fast == 0


@pytest.mark.parametrize(
    ("phase", "after_s", "says"),
    [
        (Phase.CONNECTING, 5, "no connection within 5 s"),
        (Phase.DESCRIBING, 10, "no answer that leads to media within 10 s"),
        (Phase.STARTING, 15, "no decodable key frame within 15 s"),
    ],
)
def test_every_phase_has_a_deadline(phase: Phase, after_s: float, says: str) -> None:
    street = Street()
    street.cameras[0].phase = phase
    street.run(after_s - 0.5)
    assert street.cameras[0].closed == 0
    street.run(1.0)
    assert street.cameras[0].closed == 1 and street.status()[2] == f"192.0.2.1:554: {says}"


@pytest.mark.parametrize("how", ["silent", "one timestamp for ever"])
def test_a_stall_is_seen_by_media_progress_and_waits_five_seconds(how: str) -> None:
    street = Street()
    street.run(3)
    camera = street.cameras[0]
    if how == "silent":
        camera.frames = 0
    else:
        camera.stuck = True
    street.run(9)
    assert camera.closed == 0
    street.run(2)
    assert camera.closed == 1 and "no media for 10 s" in street.status()[2]
    street.run(3)
    assert len(camera.opened_s) == 1  # floor 5 s, jitter 30 %
    street.run(5)
    assert len(camera.opened_s) == 2


def test_delays_grow_to_their_cap_and_are_spread() -> None:
    street = Street()
    street.cameras[0].error = ConnectError("192.0.2.1:554: Connection refused")
    street.run(1500)
    opened = street.cameras[0].opened_s
    delays = [later - earlier for earlier, later in itertools.pairwise(opened)]
    assert 0.7 <= delays[0] <= 1.4 and delays[3] > 4 and max(delays) <= 120 * 1.3 + 0.1 and len(set(delays)) == len(delays)
    assert street.status()[:2] == (Health.OFFLINE, Quality.UNUSABLE)


def test_brief_success_does_not_forgive_and_a_minute_does() -> None:
    street = Street()
    camera = street.cameras[0]
    for good_s, expected in ((5, [0, 1, 2, 3]), (70, [3, 1, 1])):
        for attempts in expected:
            life = street.reader.lives[0]
            assert life._backoff.attempts >= min(attempts, 1)
            camera.error = None
            while not life.streaming:
                street.run(1)
            street.run(good_s)
            camera.error = StreamEnded("192.0.2.1:554: closed")
            street.run(0.5)
        camera.error = None
        assert street.reader.lives[0]._backoff.attempts == (4 if good_s == 5 else 1)


def test_at_most_five_tries_in_five_minutes_after_401() -> None:
    street = Street()
    street.cameras[0].error = AuthError("192.0.2.1:554: refused (401)")
    street.run(900)
    opened = street.cameras[0].opened_s
    for start in opened:
        assert sum(start <= moment < start + 299 for moment in opened) <= 5
    assert street.status() == (Health.OFFLINE, Quality.UNUSABLE, "192.0.2.1:554: refused (401)")


def test_a_401_after_good_media_is_not_called_a_wrong_password() -> None:
    street = Street()
    street.run(3)
    street.cameras[0].error = AuthError("192.0.2.1:554: refused (401)")
    street.run(1)
    assert "too many connections" in street.status()[2]


def test_at_most_fifty_connects_a_second() -> None:
    street = Street(200)
    street.run(1)
    assert 40 <= sum(len(camera.opened_s) for camera in street.cameras) <= 56
    street.run(4)
    assert all(camera.opened_s for camera in street.cameras) and street.reader.stats.connected >= 195


def test_a_stream_our_client_does_not_read_is_told_and_tried_again() -> None:
    street = Street()
    street.cameras[0].error = UnsupportedStream("192.0.2.1:554: a video track of JPEG")
    street.run(0.025)
    assert street.status()[2] == "192.0.2.1:554: a video track of JPEG" and len(street.cameras[0].opened_s) == 1
    street.cameras[0].error = None
    street.run(3)
    assert len(street.cameras[0].opened_s) == 2 and street.status()[0] is Health.ONLINE


def test_one_camera_that_breaks_us_does_not_break_the_others(caplog: pytest.LogCaptureFixture) -> None:
    street = Street(2)
    street.run(2)
    street.cameras[0].error = ZeroDivisionError("our own mistake")  # type: ignore[assignment]  # not a SourceError on purpose
    before = street.delivered[1]
    street.run(2)
    assert street.delivered[1] > before + 8 and "ZeroDivisionError" in caplog.text
    assert street.status(0)[2].endswith("ZeroDivisionError")


def test_health_and_quality_follow_the_media() -> None:
    street = Street()
    street.run(3)
    assert street.status() == (Health.ONLINE, Quality.EXCELLENT, "")
    street.cameras[0].lost = 1
    street.run(3)
    assert street.status()[:2] == (Health.DEGRADED, Quality.POOR)
    street.cameras[0].error = StreamEnded("192.0.2.1:554: closed")
    street.run(3)
    assert street.status() == (Health.DEGRADED, Quality.UNUSABLE, "192.0.2.1:554: closed")
    street.run(60)
    assert street.status()[0] is Health.OFFLINE


def test_rates_are_of_the_last_minute() -> None:
    street = Street()
    street.run(30)
    status = street.reader.lives[0].status(1.5, True)
    assert status.frames_per_s == pytest.approx(5, rel=0.05) and status.kbit_per_s == pytest.approx(4, rel=0.05)
    assert status.gop_s == pytest.approx(2.0) and (status.width_px, status.codec) == (640, Codec.H264)
    assert status.awake and status.ring_s == 1.5


def test_a_smart_codec_is_named_with_advice() -> None:
    street = Street()
    street.cameras[0].gop = 60
    street.run(40)
    health, _, text = street.status()
    assert health is Health.DEGRADED and "every 12 s" in text and "set the interval to 2 s" in text


def test_a_closed_camera_costs_no_sweep_and_each_connection_is_announced() -> None:
    street = Street()
    street.cameras[0].error = ConnectError("refused")
    street.run(100)
    camera = street.cameras[0]
    assert camera.sweeps == len(camera.opened_s) == len(street.restarts) <= 12


def test_run_stops_on_request_and_closes_all() -> None:
    street, stop = Street(2), threading.Event()
    street.run(2)
    stop.set()
    street.reader.run(stop)
    assert [camera.closed for camera in street.cameras] == [1, 1]
