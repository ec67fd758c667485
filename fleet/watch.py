"""Who of a worker's cameras is awake, and what was watched: joins the packets and gates of ingest with what detection wants."""

from collections import deque
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from base import Clock, FrameBatch, GapCause, PacketSense, Watched, WatchRun, WorkerStats
from detect import (
    CODE,
    NOT_ARMED,
    TIER_OF,
    Costs,
    PacketTier,
    Pipeline,
    Samples,
    Turn,
    VainWakes,
    WakeCause,
    Wakes,
    WatchLedger,
    WatchSettings,
)
from ingest import PacketLevels

__all__ = ["Gates", "Watch"]

_TURN_S = 1.0
_PACKETS_S = 0.2  # one sweep of the sockets
_LEVELS_S = 60.0
_MOST_BACKLOG_S = 1.0  # a mean over all awake cameras; a sweep brings 40 ms, a picture in turn takes little more
_LESS, _MORE = 0.8, 1.05  # of the budget, a second, while decoding is further behind than that, and while it is not
_LEAST_USABLE = 0.05  # of the budget
_LEAST_SHARE = 0.25  # of the budget that awake cameras may have even if key frames alone exceed it
_STALE_S = 10.0  # the ring reaches no further back
_NO_FRAME_S = 60.0  # a GOP longer than this leaves nothing to call watching
_BEHIND_S = 5.0  # an awake camera without a frame for so long is not watched fully: decoding fell behind

_UNFOUND = frozenset({WakeCause.LEARN, WakeCause.FORCED})  # awake, but not because a quiet tier found something
_DARK = {cause: CODE[Watched(cause.value)] for cause in GapCause}


class Gates(Protocol):
    """What this needs of `ingest.Feeds`."""

    def wake(self, camera: str, until_s: float) -> None: ...
    def sleep(self, camera: str) -> None: ...
    def gap_causes(self) -> Sequence[GapCause | None]: ...
    def packet_levels(self, quantile: float, octaves: float) -> PacketLevels: ...
    def take_packet_peaks(self) -> NDArray[np.float64]: ...
    def backlog_s(self) -> float: ...
    @property
    def decode_s(self) -> NDArray[np.float64]: ...


class Watch:
    """Takes wakes from every tier, lets in whom the decode budget allows, and writes the ledger. `count` and `turn` belong to the
    pipeline thread; everything else may be called from any. Times are monotonic unless said otherwise."""

    def __init__(self, cameras: Sequence[str], gates: Gates, clock: Clock, settings: WatchSettings) -> None:
        self._cameras, self._gates, self._clock, self._settings = tuple(cameras), gates, clock, settings
        rows, now_s = len(self._cameras), clock.monotonic_s()
        self._rows = {camera: row for row, camera in enumerate(self._cameras) if camera}
        self._wakes = Wakes(
            rows,
            lambda row, until_s: gates.wake(self._cameras[row], until_s),
            lambda row: gates.sleep(self._cameras[row]),
            clock,
        )
        self._costs = Costs(rows)
        self._usable = 1.0  # share of the budget that the machine really gives
        self._packets = PacketTier(self._cameras, settings.packet_most_vain)
        self._own_motion = VainWakes(self._cameras, settings.packet_most_vain, "its own motion events")
        self._samples = Samples(self._cameras, settings.sample_s, settings.sample_every_s, settings.sample_seed)
        self._said: deque[int] = deque()  # rows of cameras that told of motion
        self._ledger = WatchLedger(self._cameras, clock)
        self._analysis_s = np.zeros((2, rows))  # processor seconds for quiet and for awake frames, by row
        self._frame_s = np.full((2, rows), now_s)  # when a quiet and an awake frame of each row was last analysed
        self._rank = np.full(rows, float(NOT_ARMED))
        self._dark = np.full(rows, CODE[Watched.STARTING], np.int8)  # why each row is not seen, -1 where it is
        self._state = self._dark.copy()
        self._awake_throughout = np.zeros(rows, np.bool_)  # the second that runs
        self._second_s = self._sweep_s = self._levels_s = now_s

    def wake(self, camera: str, until_s: float, cause: WakeCause) -> None:
        """Somebody wants `camera` watched fully until `until_s` (UTC), or for as long from when the budget allows. Extendable."""
        self._wakes.ask(self._rows[camera], max(0.0, until_s - self._clock.now_s()), cause)

    def camera_says(self, camera: str, at_s: float) -> None:
        """The camera itself has told of motion, at `at_s` (UTC by our clock). Told late, or without an armed rule, it means
        nothing. Any thread."""
        row = self._rows.get(camera)  # one that was taken away a moment ago may still say something
        if row is not None and abs(self._clock.now_s() - at_s) <= _STALE_S:
            self._said.append(row)

    def exchange(self, row: int, camera: str) -> None:
        """This row is another camera from now on; with an empty name, none. Pipeline thread."""
        known = {name: at for name, at in self._rows.items() if at != row}
        self._rows = {**known, camera: row} if camera else known
        self._cameras = (*self._cameras[:row], camera, *self._cameras[row + 1 :])
        self._wakes.forget(row)
        self._packets.exchange(row, camera)
        self._own_motion.exchange(row, camera)
        self._samples.exchange(row, camera)
        self._ledger.exchange(row, camera)
        self._frame_s[:, row] = self._clock.monotonic_s()
        self._rank[row], self._dark[row] = NOT_ARMED, CODE[Watched.STARTING]
        self._state[row] = self._dark[row]

    def count(self, batch: FrameBatch, cpu_s: float) -> None:
        """A batch has been analysed for `cpu_s` of processor time."""
        now_s, awake = self._clock.monotonic_s(), batch.awake.astype(np.intp)
        self._analysis_s[awake, batch.camera] += cpu_s / len(batch)
        self._frame_s[awake, batch.camera] = now_s

    def turn(self, pipeline: Pipeline) -> None:
        """Once for every batch, or every 100 ms while none comes."""
        now_s = self._clock.monotonic_s()
        if now_s >= self._second_s:
            self._second_s = now_s + _TURN_S
            self._look_around(pipeline, now_s)
        if now_s >= self._sweep_s:
            self._sweep_s = now_s + _PACKETS_S
            self._look_at_packets(pipeline, now_s)
        self._listen_to_cameras(pipeline, now_s)
        turn = self._wakes.turn(self._budget(), self._costs, self._rank)
        if turn != Turn():
            self._follow(turn, pipeline, now_s)
            self._account(now_s)

    def take_runs(self) -> tuple[tuple[WatchRun, ...], float]:
        """The ledger's news since the last call, and until when (UTC) all cameras are accounted for, 0 in the first minute."""
        return self._ledger.take()

    def senses(self) -> list[PacketSense]:
        """What packets tell, by row."""
        return self._packets.senses(self._clock.monotonic_s())

    def stats(self) -> WorkerStats:
        """Only the counters of what is in here."""
        ledger, counts = self._ledger, self._samples.counts
        return WorkerStats(
            watched_full_s=ledger.seconds(Watched.FULL),
            watched_quiet_s=ledger.seconds(Watched.QUIET),
            watched_budget_s=ledger.seconds(Watched.BUDGET),
            not_watched_s=ledger.seconds(Watched.NO_FRAME, *(Watched(cause.value) for cause in GapCause)),
            cameras_wanting=self._wakes.wanting,
            budget_cores=self._budget(),
            awake_cores=self._wakes.awake_cores,
            wakes_refused=self._wakes.refused,
            wakes_cut=self._wakes.cut,
            packet_wakes=self._packets.wakes,
            packet_wakes_vain=self._packets.vain,
            cameras_packets_silent=self._packets.silent(self._clock.monotonic_s()),
            own_motion_wakes=self._own_motion.wakes,
            own_motion_wakes_vain=self._own_motion.vain,
            cameras_own_motion_silent=int(np.count_nonzero(~self._own_motion.heard(self._clock.monotonic_s()))),
            samples=counts.taken,
            samples_cut=counts.cut,
            samples_active=counts.active,
            samples_missed=counts.missed,
        )

    def _budget(self) -> float:
        """Cores for awake cameras: what key frames, which all cameras get, leave of the setting, if the machine has that."""
        budget = max(self._settings.budget_cores - self._costs.quiet_cores, self._settings.budget_cores * _LEAST_SHARE)
        return budget * self._usable

    def _look_around(self, pipeline: Pipeline, now_s: float) -> None:
        """What may change by itself, once a second."""
        utc_s = self._clock.now_s()
        used_s = self._gates.decode_s + self._analysis_s
        self._costs.measure(now_s, used_s[0], used_s[1], self._awake_throughout)
        change = _LESS if self._gates.backlog_s() > _MOST_BACKLOG_S else _MORE
        self._usable = min(1.0, max(_LEAST_USABLE, self._usable * change))
        self._dark = np.array([-1 if cause is None else _DARK[cause] for cause in self._gates.gap_causes()], np.int8)
        self._account(now_s)
        self._awake_throughout = self._state == CODE[Watched.FULL]
        self._rank = pipeline.rank(utc_s)
        for row in self._samples.due(utc_s):
            self._sample(row, now_s)
        self._samples.settle(now_s, pipeline.relevant_s, pipeline.found_s, self._frame_s[1])
        if now_s >= self._levels_s:
            self._levels_s = now_s + _LEVELS_S
            levels = self._gates.packet_levels(self._settings.packet_quantile, self._settings.packet_octaves)
            self._packets.set_levels(levels.log2, levels.known, levels.informative)

    def _sample(self, row: int, now_s: float) -> None:
        """A camera's random moment has come. Without an armed rule, or without pictures, there is nothing to miss."""
        if self._rank[row] == NOT_ARMED or self._dark[row] >= 0:
            return
        if self._wakes.wants(row):
            self._samples.begin(row, now_s, found_before=self._wakes.cause(row) not in _UNFOUND)
        self._wakes.ask(row, self._settings.sample_s, WakeCause.FORCED)

    def _look_at_packets(self, pipeline: Pipeline, now_s: float) -> None:
        """Tier T0. A camera that is awake already is not woken, but it counts as found."""
        for row in self._packets.hits(self._gates.take_packet_peaks(), self._rank < NOT_ARMED, now_s):
            pipeline.found_s[row] = now_s
            if not self._wakes.wants(row):
                self._wakes.ask(row, self._settings.packet_hold_s, WakeCause.PACKET)

    def _listen_to_cameras(self, pipeline: Pipeline, now_s: float) -> None:
        """A camera's own motion event; as with packets, one that is awake already counts as found, and one that was woken in
        vain too often is not listened to."""
        heard = self._own_motion.heard(now_s)
        while self._said:
            row = self._said.popleft()
            if self._rank[row] < NOT_ARMED and heard[row]:
                pipeline.found_s[row] = now_s
                if not self._wakes.wants(row):
                    self._wakes.ask(row, self._settings.packet_hold_s, WakeCause.CAMERA)

    def _follow(self, turn: Turn, pipeline: Pipeline, now_s: float) -> None:
        """Tell everyone whom the turn concerns."""
        for row, cause in turn.woken:
            if cause is WakeCause.PACKET:
                self._packets.woke(row, now_s)
                pipeline.woken(row, TIER_OF[cause], now_s + self._settings.packet_hold_s)
            elif cause is WakeCause.CAMERA:
                self._own_motion.woke(row, now_s)
            elif cause is WakeCause.FORCED:
                self._samples.begin(row, now_s, found_before=False)
                pipeline.woken(row, TIER_OF[cause], now_s + self._settings.sample_s)
        for row in turn.ended:
            for hints in (self._packets, self._own_motion):
                hints.ended(row, float(pipeline.relevant_s[row]), now_s)
        for row in turn.cut:
            for hints in (self._packets, self._own_motion):
                hints.forget(row)
        for row in turn.cut + turn.refused:
            self._samples.cut(row)

    def _account(self, now_s: float) -> None:
        """Write down how all have been watched so far, and how they are now."""
        self._ledger.turn(self._state)
        quiet, awake = self._frame_s
        state = np.where(now_s - np.maximum(quiet, awake) > _NO_FRAME_S, CODE[Watched.NO_FRAME], CODE[Watched.QUIET])
        waiting = self._wakes.waiting()
        state[waiting] = np.where(state[waiting] == CODE[Watched.QUIET], CODE[Watched.BUDGET], state[waiting])
        for row, since_s in self._wakes.awake_since():
            is_behind = now_s - max(since_s, awake[row]) > _BEHIND_S
            state[row] = CODE[Watched.BUDGET if is_behind else Watched.FULL]
        state = np.where(self._dark >= 0, self._dark, state)
        self._awake_throughout &= state == CODE[Watched.FULL]
        self._state = state.astype(np.int8)
