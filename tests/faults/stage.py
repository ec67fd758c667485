"""Plays the faults of one run on simulated cameras beside others without fault, and writes down what we made of them."""

import bisect
import contextlib
import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from base import CameraStatus, Clock, SystemClock
from ingest import DEFAULT_SETTINGS, IngestSettings, SweepReader
from ingest.life import CameraLife
from ingest.rtsp.glances import Ints
from ingest.run import Run
from ingest.simulate.player import due_s
from tests.faults.cases import FaultCase
from tests.faults.cast import Cast, cast_for

__all__ = ["QUICK", "Others", "Outcome", "Pace", "play"]

_ALL_PLAY_S = 60.0
_TURN_S = 0.02  # how often statuses are looked at, and so the precision of every time
_LOOK_S = 3e-4  # of each camera that is watched, so that looking at many takes no more than a tenth of a core
_BEFORE_END_S = 0.1  # the state during a fault is taken so long before it ends


@dataclass(frozen=True)
class Pace:
    """How long everything takes. `gop` in frames; it must divide the clip."""

    settings: IngestSettings
    others: int
    gop: int
    before_s: float
    fault_s: float
    recover_s: float  # at most


QUICK = Pace(
    replace(
        DEFAULT_SETTINGS,
        connect_s=3.0,
        describe_s=3.0,
        first_key_s=4.0,
        stall_s=3.0,
        backoff_floor_s=1.0,
        backoff_after_stall_s=1.0,
        backoff_cap_s=4.0,  # so that nobody is refused five times, after which the next try is five minutes away
        busy_s=1.0,
        host_connects_per_s=DEFAULT_SETTINGS.connects_per_s,
    ),
    others=8,
    gop=6,
    before_s=2.5,
    fault_s=9.0,
    recover_s=40.0,
)


@dataclass(frozen=True)
class Outcome:
    """What became of one case. Times in seconds: `detected_s` after the fault began, `recovered_s` after it ended.

    Both are None if it did not happen. `status` is as of just before the end of the fault, `errors` are all that were shown.
    """

    status: CameraStatus
    detected_s: float | None
    recovered_s: float | None
    reconnects: int
    errors: tuple[str, ...]


@dataclass(frozen=True)
class Others:
    """The cameras without fault: how late their frames reached us, p99 in ms before and during the faults, and what they lost."""

    before_ms: float
    during_ms: float
    frames: int
    lost: int  # RTP packets
    missing: int  # frames
    reconnects: int


def play(cases: Sequence[FaultCase], pace: Pace) -> tuple[dict[str, Outcome], Others]:
    """One run. Raises AssertionError if the cameras do not even play before the faults begin."""
    clock = SystemClock()
    with (
        cast_for(cases, pace.others, pace.gop, pace.before_s, pace.fault_s) as cast,
        _reading(cast, pace.settings, clock) as (reader, witness),
    ):
        witness.wait_for_all(clock)
        began_s = cast.release() + pace.before_s
        over_s = began_s + pace.fault_s
        clock.sleep(began_s - clock.now_s())
        watches = [_Watch(case, row, reader.lives[row]) for row, case in enumerate(cast.victims)]
        cast.begin()
        _watch_until(clock, over_s - _BEFORE_END_S, watches)
        for watch in watches:
            watch.keep_status()
        _watch_until(clock, over_s, watches)
        cast.end()
        while clock.now_s() < over_s + pace.recover_s and any(w.back_s(witness, over_s) is None for w in watches):
            _watch_until(clock, clock.now_s() + _TURN_S, watches)
        ended_s = clock.now_s()
    others = witness.others(cast, reader, (began_s - pace.before_s, began_s, ended_s))
    return {case.name: _outcome(case, watches, witness, began_s, over_s) for case in cases}, others


class _Witness:
    """Writes down which frames arrived when. Written by the reader thread."""

    def __init__(self, cameras: int, clock: Clock) -> None:
        self._clock = clock
        self._arrived: list[list[tuple[float, int]]] = [[] for _ in range(cameras)]  # UTC, media time
        self._noted_s: list[list[float]] = [[] for _ in range(cameras)]  # UTC, of frames that will be delivered
        self._unnoted = [0] * cameras  # that were delivered in the turn in which they came, and are noted at its end
        self._lost = [0] * cameras

    def deliver(self, row: int, run: Run) -> None:
        noted_s = self._noted_s[row][: len(run) * run.told]
        del self._noted_s[row][: len(noted_s)]
        new = len(run) - len(noted_s)
        self._unnoted[row] += new * run.told
        arrived_s = noted_s + [self._clock.now_s()] * new
        self._arrived[row] += [(time_s, packet.pts_90k) for time_s, packet in zip(arrived_s, run, strict=True)]
        self._lost[row] += run.lost

    def note(self, row: Ints, count: Ints, size: Ints, key: Ints) -> None:
        """Frames that were read at a glance are delivered later."""
        for one, frames in zip(row.tolist(), count.tolist(), strict=True):
            known = min(frames, self._unnoted[one])
            self._unnoted[one] -= known
            self._noted_s[one] += [self._clock.now_s()] * (frames - known)

    def wait_for_all(self, clock: Clock) -> None:
        until_s = clock.monotonic_s() + _ALL_PLAY_S
        while not all(self._arrived):
            silent = [row for row, arrived in enumerate(self._arrived) if not arrived]
            assert clock.monotonic_s() < until_s, f"cameras {silent} gave no picture within {_ALL_PLAY_S:g} s"
            clock.sleep(_TURN_S)

    def first_after(self, row: int, after_s: float) -> float | None:
        """UTC of the first arrival from a moment on."""
        arrived = self._arrived[row]
        index = bisect.bisect_left(arrived, (after_s, 0))
        return arrived[index][0] if index < len(arrived) else None

    def others(self, cast: Cast, reader: SweepReader, bounds: tuple[float, float, float]) -> Others:
        """How the cameras without fault fared before and after the middle one of three moments."""
        late: tuple[list[float], list[float]] = [], []
        frames = lost = missing = 0
        rows = range(len(cast.victims), len(cast.cameras))
        for row in rows:
            camera, arrived = cast.cameras[row], self._arrived[row]
            for arrived_s, pts in arrived:
                if bounds[0] <= arrived_s < bounds[2]:
                    late[arrived_s >= bounds[1]].append(arrived_s - due_s(camera, cast.started_s, pts))
            frames += len(arrived)
            lost += self._lost[row]
            missing += cast.frames_between(arrived[0][1], arrived[-1][1]) - len(arrived)
        before_ms, during_ms = (round(1000 * float(np.quantile(values, 0.99)), 1) if values else 0.0 for values in late)
        return Others(before_ms, during_ms, frames, lost, missing, sum(reader.lives[row].reconnects for row in rows))


class _Watch:
    """What the status of one camera showed over time. Used by the thread that plays the run."""

    def __init__(self, case: FaultCase, row: int, life: CameraLife) -> None:
        self.case, self.row = case, row
        self.status = life.status(0.0, False)
        self.noticed_s: float | None = None  # UTC
        self.errors: list[str] = []
        self._life = life
        self._reconnects = life.reconnects

    @property
    def reconnects(self) -> int:
        """Since the watch began."""
        return self._life.reconnects - self._reconnects

    def look(self, now_s: float) -> None:
        status = self._life.status(0.0, False)
        if status.error and status.error not in self.errors[-1:]:
            self.errors.append(status.error)
        if self.noticed_s is None and self._shows_it(status):
            self.noticed_s = now_s

    def keep_status(self) -> None:
        self.status = self._life.status(0.0, False)

    def _shows_it(self, status: CameraStatus) -> bool:
        if self.case.error:
            return re.search(self.case.error, status.error) is not None
        return self.case.sign is not None and self.case.sign(status)

    def back_s(self, witness: _Witness, over_s: float) -> float | None:
        """UTC of the first frame after the fault was over and noticed; None until then."""
        if self.noticed_s is None and self.case.error:
            return None
        return witness.first_after(self.row, max(over_s, self.noticed_s or over_s))


def _watch_until(clock: Clock, until_s: float, watches: Sequence[_Watch]) -> None:
    """Look at every status until a moment, UTC; at least once."""
    while True:
        now_s = clock.now_s()
        for watch in watches:
            watch.look(now_s)
        if now_s >= until_s:
            return
        clock.sleep(min(max(_TURN_S, _LOOK_S * len(watches)), until_s - now_s))


def _outcome(case: FaultCase, watches: Sequence[_Watch], witness: _Witness, began_s: float, over_s: float) -> Outcome:
    """Of all cameras the case happened to, the slowest counts."""
    ours = [watch for watch in watches if watch.case is case]
    end_s = began_s if case.is_moment else over_s
    noticed = [watch.noticed_s for watch in ours]
    back = [watch.back_s(witness, end_s) for watch in ours]
    return Outcome(
        status=ours[0].status,
        detected_s=None if None in noticed else max(at_s or 0.0 for at_s in noticed) - began_s,
        recovered_s=None if None in back else max(at_s or 0.0 for at_s in back) - end_s,
        reconnects=max(watch.reconnects for watch in ours),
        errors=tuple(error for watch in ours for error in watch.errors),
    )


@contextlib.contextmanager
def _reading(cast: Cast, settings: IngestSettings, clock: Clock) -> Iterator[tuple[SweepReader, _Witness]]:
    """The product's reader on all cameras, in a thread of its own."""
    witness = _Witness(len(cast.cameras), clock)
    reader = SweepReader(cast.feeds, clock, settings, witness.deliver, note=witness.note)
    stop = threading.Event()
    thread = threading.Thread(target=reader.run, args=(stop,), name="read", daemon=True)
    thread.start()
    try:
        yield reader, witness
    finally:
        stop.set()
        thread.join(10)
