"""Who is awake in a worker, by which tier events are seen, and what the ledger says of it: real pipeline, simulated gates."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from numpy.typing import NDArray

from base import Event, GapCause, PacketSense, SimulatedClock, Tier, Watched
from detect import Pipeline, WakeCause, WatchSettings
from fleet.watch import Watch
from ingest import PacketLevels
from tests.detect.stage import ByShape, Pair, batch, noisy, rule, scene, walker, with_thing

MINUTE_S = 1_700_000_040.0  # a whole one
GOP_S = 2.0
RATE_HZ = 5.0
CAMERAS = ("c0", "c1")


class SimulatedGates:
    """Cameras that send five frames a second and a key frame every two seconds; no socket, no decoder."""

    def __init__(self, clock: SimulatedClock) -> None:
        self.clock = clock
        self.until_s: dict[str, float] = {}
        self.cause: list[GapCause | None] = [None] * len(CAMERAS)
        self.peak = np.full(len(CAMERAS), -np.inf)
        self.decode_s = np.zeros((2, len(CAMERAS)))
        self.behind_s = 0.0

    def wake(self, camera: str, until_s: float) -> None:
        self.until_s[camera] = until_s

    def sleep(self, camera: str) -> None:
        self.until_s.pop(camera)

    def awake(self, camera: str) -> bool:
        return self.until_s.get(camera, 0.0) > self.clock.now_s()

    def backlog_s(self) -> float:
        return self.behind_s

    def gap_causes(self) -> Sequence[GapCause | None]:
        return self.cause

    def packet_levels(self, quantile: float, octaves: float) -> PacketLevels:
        yes = np.ones(len(CAMERAS), np.bool_)
        return PacketLevels(np.full(len(CAMERAS), 10.0), yes, yes)

    def take_packet_peaks(self) -> NDArray[np.float64]:
        peak, self.peak = self.peak, np.full(len(CAMERAS), -np.inf)
        return peak


class Room:
    """Two cameras; on c0 persons are looked for, on c1 nothing is."""

    def __init__(self, settings: WatchSettings | None = None) -> None:
        self.clock = SimulatedClock(MINUTE_S)
        self.gates = SimulatedGates(self.clock)
        self.watch = Watch(CAMERAS, self.gates, self.clock, settings or WatchSettings())
        self.pipeline = Pipeline(
            CAMERAS, [rule(camera="c0")], ZoneInfo("UTC"), Pair(ByShape()), self.watch.wake, clock=self.clock
        )
        self.frames = 0
        self.events: list[Event] = []

    def play(self, seconds: float, walks: bool = False) -> None:
        for _ in range(round(seconds * RATE_HZ)):
            self.clock.advance(1 / RATE_HZ)
            self.frames += 1
            is_key = self.frames % round(GOP_S * RATE_HZ) == 0
            for row, camera in enumerate(CAMERAS):
                awake = self.gates.awake(camera)
                if self.gates.cause[row] is None and (awake or is_key):
                    picture = scene(row)
                    if walks and row == 0 and not is_key:  # gone whenever a key frame is taken
                        picture = with_thing(picture, walker(0.3 + self.frames % 50 / 100))
                    one = batch([noisy(picture, self.frames)], self.clock.now_s(), awake, camera=[row])
                    one.is_key[:] = is_key
                    self.events += self.pipeline.process(one)
                    self.watch.count(one, 0.001)
            self.watch.turn(self.pipeline)

    def learned(self) -> "Room":
        self.play(20)
        assert not self.gates.awake("c0"), "it knows its background and went back to sleep"
        return self


def test_packets_wake_a_camera_and_its_event_says_so() -> None:
    room = Room().learned()
    room.gates.peak[0] = room.gates.peak[1] = 11.0
    room.play(8, walks=True)
    assert [event.seen_by for event in room.events] == [Tier.PACKET]
    assert not room.gates.until_s.get("c1"), "nothing is looked for there"
    stats = room.watch.stats()
    assert (stats.packet_wakes, stats.packet_wakes_vain) == (1, 0)
    room.play(30)
    assert not room.gates.awake("c0") and room.watch.stats().packet_wakes_vain == 0


def test_packets_that_wake_in_vain_are_not_listened_to_any_more() -> None:
    room = Room().learned()
    for _ in range(9):
        room.gates.peak[0] = 11.0
        room.play(6)
    stats = room.watch.stats()
    assert stats.packet_wakes == stats.packet_wakes_vain == WatchSettings().packet_most_vain
    assert room.watch.senses() == [PacketSense.SILENT, PacketSense.TELLING] and stats.cameras_packets_silent == 1


def test_what_only_a_forced_sample_shows_is_counted_as_missed() -> None:
    room = Room(WatchSettings(sample_s=10.0, sample_every_s=60.0)).learned()
    room.play(50)
    before = room.watch.stats()
    assert (before.samples_active, before.samples_missed) == (0, 0)
    for _ in range(6):
        room.play(60, walks=True)
    assert room.events and {event.seen_by for event in room.events} == {Tier.FORCED}
    stats = room.watch.stats()
    assert 1 <= stats.samples_missed <= stats.samples_active and stats.samples > before.samples
    room.play(30)


def test_a_camera_that_found_its_motion_itself_is_woken_for_it() -> None:
    room = Room().learned()
    room.watch.wake("c1", room.clock.now_s() + 7, WakeCause.CAMERA)
    room.play(1)
    assert room.gates.awake("c1") and room.watch.stats().awake_cores > 0
    room.play(8)
    assert not room.gates.awake("c1")


def test_what_a_camera_says_wakes_it_if_a_rule_is_armed_and_it_is_news() -> None:
    room = Room().learned()
    for camera in CAMERAS:
        room.watch.camera_says(camera, room.clock.now_s() - 60)
    room.play(1)
    assert not any(map(room.gates.awake, CAMERAS)), "told too late"
    for camera in CAMERAS:
        room.watch.camera_says(camera, room.clock.now_s() - 1)
    room.play(1)
    assert [room.gates.awake(camera) for camera in CAMERAS] == [True, False], "nothing is looked for on the other"
    room.play(8, walks=True)
    assert [event.seen_by for event in room.events] == [Tier.AWAKE]


def test_a_camera_that_says_motion_for_ever_is_believed_a_few_times() -> None:
    room = Room().learned()
    for _ in range(60):
        room.watch.camera_says("c0", room.clock.now_s())
        room.play(1)
    stats = room.watch.stats()
    assert stats.own_motion_wakes == stats.own_motion_wakes_vain == WatchSettings().packet_most_vain and stats.packet_wakes == 0
    assert stats.cameras_own_motion_silent == 1 and not room.gates.awake("c0")
    room.watch.exchange(0, "c0")
    assert room.watch.stats().cameras_own_motion_silent == 0, "another camera has done nothing yet"


@pytest.mark.parametrize("cause", [GapCause.STALL, GapCause.CREDENTIALS])
def test_the_ledger_says_what_was_watched_and_why_not(cause: GapCause) -> None:
    room = Room()
    room.play(60)
    room.gates.cause[1] = cause
    room.watch.wake("c0", room.clock.now_s() + 20, WakeCause.CAMERA)
    room.play(60)
    room.gates.cause[1] = None
    room.play(60.2)
    runs, until_s = room.watch.take_runs()
    assert until_s == MINUTE_S + 180
    c0 = {run.began_s - MINUTE_S: dict(run.seconds) or run.state for run in runs if run.camera == "c0"}
    assert isinstance(c0[60], dict) and c0[60][Watched.FULL] == pytest.approx(20, abs=0.5)
    assert isinstance(c0[60], dict) and c0[60][Watched.QUIET] == pytest.approx(40, abs=0.5)
    assert c0[120] is Watched.QUIET
    c1: dict[Watched, float] = {}
    for run in runs:
        if run.camera == "c1":
            for state, seconds in run.seconds or ((run.state or Watched.FULL, 60.0),):
                c1[state] = c1.get(state, 0.0) + seconds
    assert c1[Watched(cause.value)] == pytest.approx(60, abs=1.5)
    assert sum(c1.values()) == pytest.approx(180)
    stats = room.watch.stats()
    told_s = stats.watched_full_s + stats.watched_quiet_s + stats.watched_budget_s + stats.not_watched_s
    assert told_s == pytest.approx(2 * 180.2, abs=2.1)


def test_what_the_budget_has_no_room_for_is_in_the_ledger() -> None:
    room = Room(WatchSettings(budget_cores=1e-6)).learned()
    for camera in CAMERAS:
        room.watch.wake(camera, room.clock.now_s() + 60, WakeCause.CAMERA)
    room.play(3)
    assert sum(map(room.gates.awake, CAMERAS)) == 1 and room.watch.stats().cameras_wanting == 1
    room.play(20)
    stats = room.watch.stats()
    assert stats.watched_budget_s == pytest.approx(23, abs=1) and stats.wakes_cut >= 4, "they take turns, one always waits"


def test_a_budget_that_the_machine_does_not_give_shrinks_and_comes_back() -> None:
    room = Room().learned()
    whole = room.watch.stats().budget_cores
    room.gates.behind_s = 3.0
    room.play(10)
    assert 0 < room.watch.stats().budget_cores < 0.2 * whole
    room.gates.behind_s = 0.0
    room.play(60)
    assert room.watch.stats().budget_cores == pytest.approx(whole, rel=0.02)


def test_a_camera_whose_frames_are_never_analysed_is_not_called_watched() -> None:
    room = Room()
    for _ in range(180):
        room.clock.advance(1)
        room.watch.turn(room.pipeline)
    runs, _ = room.watch.take_runs()
    assert {run.state for run in runs if run.began_s >= MINUTE_S + 120} == {Watched.NO_FRAME}
