"""More is worth watching than there is processor for: what has to be seen is, and the ledger says of the rest that it was not."""

from collections.abc import Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from numpy.typing import NDArray

from base import Event, GapCause, SimulatedClock, Watched
from detect import Pipeline, WatchSettings
from fleet.watch import Watch
from ingest import PacketLevels
from tests.detect.stage import ByShape, Pair, batch, noisy, rule, scene, walker, with_thing

MINUTE_S = 1_700_000_040.0
CAMERAS = tuple(f"c{row}" for row in range(10))
SEVERE = (3, 8)  # rows whose rule is of severity 1, among others of 3
STEP_S, GOP_STEPS = 0.25, 8
COST_S = 0.01  # processor time of a frame: 0.04 cores for an awake camera
SOME = 0.2  # cores: a third goes to key frames, a tenth of the rest by turn; so two or three may be awake


class Gates:
    """Cameras that send four frames a second, a key frame every two seconds; what is decoded costs processor time."""

    def __init__(self, clock: SimulatedClock) -> None:
        self.clock = clock
        self.until_s: dict[str, float] = {}
        self.decode_s = np.zeros((2, len(CAMERAS)))

    def wake(self, camera: str, until_s: float) -> None:
        self.until_s[camera] = until_s

    def sleep(self, camera: str) -> None:
        self.until_s.pop(camera)

    def awake(self, camera: str) -> bool:
        return self.until_s.get(camera, 0.0) > self.clock.now_s()

    def gap_causes(self) -> Sequence[GapCause | None]:
        return [None] * len(CAMERAS)

    def backlog_s(self) -> float:
        return 0.0

    def packet_levels(self, quantile: float, octaves: float) -> PacketLevels:
        no = np.zeros(len(CAMERAS), np.bool_)
        return PacketLevels(np.zeros(len(CAMERAS)), no, no)

    def take_packet_peaks(self) -> NDArray[np.float64]:
        return np.full(len(CAMERAS), -np.inf)


class Street:
    """Somebody walks on every camera, for eight of every twelve seconds."""

    def __init__(self, budget_cores: float) -> None:
        self.clock = SimulatedClock(MINUTE_S)
        self.gates = Gates(self.clock)
        settings = WatchSettings(budget_cores=budget_cores, sample_every_s=1e6)
        self.watch = Watch(CAMERAS, self.gates, self.clock, settings)
        rules = [
            replace(rule(camera=name, dead_time_s=0.0), severity=1 if row in SEVERE else 3) for row, name in enumerate(CAMERAS)
        ]
        self.pipeline = Pipeline(CAMERAS, rules, ZoneInfo("UTC"), Pair(ByShape()), self.watch.wake, clock=self.clock)
        self.step = 0
        self.events: list[Event] = []

    def play(self, seconds: float, walks: bool) -> None:
        for _ in range(round(seconds / STEP_S)):
            self.clock.advance(STEP_S)
            self.step += 1
            is_key = self.step % GOP_STEPS == 0
            for row, name in enumerate(CAMERAS):
                awake = self.gates.awake(name)
                if not (awake or is_key):
                    continue
                picture = scene(row)
                at = self.step * STEP_S % 12
                if walks and at < 8:
                    picture = with_thing(picture, walker(0.1 + at / 10))
                self.gates.decode_s[int(awake), row] += COST_S
                one = batch([noisy(picture, self.step)], self.clock.now_s(), awake, camera=[row])
                one.is_key[:] = is_key
                self.events += self.pipeline.process(one)
                self.watch.count(one, 0.0)
            self.watch.turn(self.pipeline)

    def share(self, row: int) -> float:
        """Of the four walks that a camera saw, how many became events."""
        return len({int(event.raised_s - MINUTE_S) // 12 for event in self.events if event.camera == CAMERAS[row]}) / 4


@pytest.mark.parametrize("budget_cores", [SOME, 10.0])
def test_beyond_the_budget_severity_1_misses_nothing_and_the_ledger_tells_the_rest(budget_cores: float) -> None:
    street = Street(budget_cores)
    street.play(60, walks=False)
    before = street.watch.stats()
    street.play(48, walks=True)
    after = street.watch.stats()
    assert [street.share(row) for row in SEVERE] == [1.0, 1.0]
    others = [street.share(row) for row in range(len(CAMERAS)) if row not in SEVERE]
    waited_s = after.watched_budget_s - before.watched_budget_s
    if budget_cores > 1:
        assert min(others) == 1.0 and waited_s == 0
        return
    assert np.mean(others) < 0.8 and waited_s > 0.3 * 48 * len(CAMERAS), "it has been too much, and says so"
    told_s = after.watched_full_s + after.watched_quiet_s + after.watched_budget_s + after.not_watched_s
    assert told_s == pytest.approx(len(CAMERAS) * 108, abs=len(CAMERAS) * 1.1)
    street.play(60, walks=False)
    runs, _ = street.watch.take_runs()
    told = dict.fromkeys(CAMERAS, 0.0)
    for run in runs:
        told[run.camera] += sum(seconds for state, seconds in run.seconds if state is Watched.BUDGET)
        told[run.camera] += 60.0 * (run.state is Watched.BUDGET)
    assert all(told[CAMERAS[row]] < 5 for row in SEVERE)
    assert sum(told.values()) >= waited_s - 1, "camera by camera, minute by minute"
