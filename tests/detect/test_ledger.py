"""The ledger: every second of every camera is in it, once."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from base import GapCause, SimulatedClock, Watched, WatchRun
from detect.ledger import CODE, WatchLedger

NAMES = ("c0", "c1", "c2")
STATES = tuple(Watched)
Step = tuple[float, tuple[int, ...]]
steps = st.lists(
    st.tuples(st.floats(0.001, 150), st.tuples(*[st.integers(0, len(STATES) - 1)] * len(NAMES))), min_size=1, max_size=40
)


def split(run: WatchRun, until_s: float) -> dict[Watched, float]:
    ended_s = until_s if run.ended_s is None else run.ended_s
    return dict(run.seconds) if run.state is None else {run.state: ended_s - run.began_s}


def joined(runs: list[WatchRun], until_s: float) -> list[WatchRun]:
    """The runs of one camera, each ended by the next."""
    ends = [run.began_s for run in runs[1:]] + [until_s]
    return [
        run if run.ended_s is not None else WatchRun(run.camera, run.began_s, end, run.state)
        for run, end in zip(runs, ends, strict=True)
    ]


def test_every_cause_of_a_gap_is_a_way_of_not_watching() -> None:
    assert {cause.value for cause in GapCause} <= {state.value for state in Watched}


@settings(max_examples=150, deadline=None)
@given(steps, st.floats(0, 60))
def test_sums_equal_cameras_times_time(script: list[Step], offset_s: float) -> None:
    clock = SimulatedClock(1_700_000_000.0 + offset_s)
    ledger = WatchLedger(NAMES, clock)
    began_s = clock.now_s()
    told: list[WatchRun] = []
    truth = {name: dict.fromkeys(STATES, 0.0) for name in NAMES}
    until_s = 0.0
    for number, (step_s, state) in enumerate(script):
        clock.advance(step_s)
        if number % 5 == 3:
            clock.step_wall(7.0)  # changes nothing: nobody was watched for longer
        ledger.turn(np.array(state, np.int8))
        for name, code in zip(NAMES, state, strict=True):
            truth[name][STATES[code]] += step_s
        if number % 3 == 0:
            runs, until_s = ledger.take()
            told += runs
    elapsed_s = sum(step_s for step_s, _ in script)
    assert ledger.seconds(*STATES) == pytest.approx(elapsed_s * len(NAMES), abs=1e-3)
    runs, until_s = ledger.take()
    told += runs
    assert (until_s == 0.0) == (began_s + elapsed_s < (began_s // 60 + 1) * 60)
    for name in NAMES if until_s else ():
        own = joined([run for run in told if run.camera == name], until_s)
        assert own[0].began_s == pytest.approx(began_s, abs=1e-5)
        assert all(before.ended_s == after.began_s for before, after in itertools.pairwise(own)), "no gap, no overlap"
        assert own[-1].ended_s == until_s and until_s % 60 == 0
        sums = dict.fromkeys(STATES, 0.0)
        for run in own:
            parts = split(run, until_s)
            assert sum(parts.values()) == pytest.approx((run.ended_s or 0) - run.began_s, abs=1e-5)
            for way, seconds in parts.items():
                sums[way] += seconds
        assert sum(sums.values()) == pytest.approx(until_s - began_s, abs=1e-4)
        assert all(sums[way] <= truth[name][way] + 1e-4 for way in STATES), "the last, unfinished minute is not told yet"


def test_a_camera_that_stays_quiet_for_a_day_is_one_run() -> None:
    clock = SimulatedClock(1_700_000_000.0)
    ledger = WatchLedger(("c0",), clock)
    runs: list[WatchRun] = []
    for _ in range(24 * 60):
        clock.advance(60)
        ledger.turn(np.array([CODE[Watched.QUIET]], np.int8))
        runs += ledger.take()[0]
    assert runs == [WatchRun("c0", 1_700_000_000.0, None, Watched.QUIET)]


def test_a_minute_of_several_ways_is_told_by_itself() -> None:
    clock = SimulatedClock(1_700_000_040.0)  # a whole minute
    ledger = WatchLedger(("c0",), clock)
    for step_s, state in (
        (60, Watched.QUIET),
        (20, Watched.QUIET),
        (10, Watched.FULL),
        (30, Watched.QUIET),
        (60, Watched.BUDGET),
    ):
        clock.advance(step_s)
        ledger.turn(np.array([CODE[state]], np.int8))
    runs, until_s = ledger.take()
    assert until_s == 1_700_000_220.0
    assert runs == (
        WatchRun("c0", 1_700_000_040.0, None, Watched.QUIET),
        WatchRun("c0", 1_700_000_100.0, 1_700_000_160.0, None, ((Watched.FULL, 10.0), (Watched.QUIET, 50.0))),
        WatchRun("c0", 1_700_000_160.0, None, Watched.BUDGET),
    )
