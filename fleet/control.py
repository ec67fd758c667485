"""Control: keeps the workers alive and carries what they report to the database, the page and back as an acknowledgement."""

import asyncio
import logging
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import ParamSpec, TypeVar

from base import (
    Backoff,
    CameraStatus,
    Clip,
    Clock,
    Event,
    Gap,
    GapCause,
    GridpatrolError,
    Health,
    Packet,
    Quality,
    Report,
    SourceError,
    StorageError,
    StreamEnded,
    StreamName,
    StreamTimeout,
    Watched,
    WatchRun,
    WorkerStats,
)
from dashboard import WorkerState
from fleet.clips import ClipsToStore
from fleet.gap_ledger import GapLedger
from fleet.homes import WorkerHandle, WorkerLost
from fleet.setups import CameraSetup
from fleet.tap import ManyTap
from fleet.unstored import Unstored
from ingest import MAIN

__all__ = ["Control", "Sink"]

logger = logging.getLogger(__name__)

_DRAIN_EVERY_S = 0.2
_CRASHES_ALLOWED = 5  # restarts within _CRASH_WINDOW_S before control says aloud that this worker cannot live
_CRASH_WINDOW_S = 120.0
_STORE_RETRY_S = 1.0
_HELD = 50_000  # gaps or watch runs that may wait while the database refuses them: 727 cameras failing for an hour
_GOOD_LIFE_S = 6.0  # a worker that lived this long is started again at once; one that did not waits longer each time
_LOOK_S = 2.0  # how long a snapshot may wait for those before it

P = ParamSpec("P")
T = TypeVar("T")


class Sink:
    """What control does with what workers report. All but `statuses` come back when what they are given is stored."""

    def __init__(
        self,
        record: Callable[[Sequence[Event]], Awaitable[None]],
        statuses: Callable[[Sequence[CameraStatus]], Awaitable[None]],
        gaps: Callable[[Sequence[Gap]], Awaitable[None]],
        watched: Callable[[Sequence[WatchRun]], Awaitable[None]],
        clip: Callable[[Clip], Awaitable[None]],
    ) -> None:
        self.record = record
        self.statuses = statuses
        self.gaps = gaps
        self.watched = watched
        self.clip = clip


class Control:
    """Owns the worker handles. All methods but those of the handles run on one asyncio loop."""

    def __init__(self, handles: Sequence[WorkerHandle], sink: Sink, clock: Clock) -> None:
        self.handles = tuple(handles)
        self._sink = sink
        self._clock = clock
        self._home_of = {feed.camera: handle for handle in handles for feed in handle.config.feeds}
        self._statuses: dict[str, CameraStatus] = {camera: _not_connected(camera, clock.now_s()) for camera in self._home_of}
        self._stats: dict[str, WorkerStats] = {}
        self._ledger = GapLedger()
        self._gaps = Unstored[Gap]("gaps", self._store_gaps, _HELD, clock)
        self._runs = Unstored[WatchRun]("watch runs", self._store_runs, _HELD, clock)
        self._accounted_s: dict[str, float] = {}  # until when a worker has told how it watched its cameras
        self._heard_s = {handle.config.name: clock.now_s() for handle in handles}
        # Threads of control's own: a hung worker must not take those the API and the other workers need.
        self._threads = ThreadPoolExecutor(2 * max(1, len(self.handles)), "control")
        self._looking = {handle.config.name: asyncio.Semaphore(1) for handle in handles}
        self.restarts: dict[str, int] = {handle.config.name: 0 for handle in handles}

    def deliver_to(self, sink: Sink, not_watched: Sequence[Gap] = ()) -> None:
        """Say where reports go, and which gaps of the time before this run are open; before `run`."""
        self._sink = sink
        self._ledger.expect(not_watched)

    # What the dashboard may ask (dashboard.FleetView)

    def statuses(self) -> Mapping[str, CameraStatus]:
        return self._statuses

    def stats(self) -> Mapping[str, WorkerStats]:
        return self._stats

    def open_gaps(self) -> Mapping[str, Gap]:
        return self._ledger.open

    def ended_gaps_s(self) -> Mapping[GapCause, float]:
        return self._ledger.ended_s

    def workers(self) -> Sequence[WorkerState]:
        cameras = Counter(home.config.name for home in self._home_of.values())
        names = [handle.config.name for handle in self.handles]
        return [WorkerState(name, cameras[name], self.restarts[name], self._heard_s[name]) for name in names]

    async def snapshot(self, camera: str) -> bytes:
        handle = self._home(camera)
        looking = self._looking[handle.config.name]
        try:
            async with asyncio.timeout(_LOOK_S):
                await looking.acquire()
        except TimeoutError:
            raise StreamTimeout(f"{camera}: its worker has too many pictures to make; try again") from None
        try:
            return await self._call(handle.snapshot, camera)
        except WorkerLost as error:
            raise StreamEnded(f"{camera}: its worker is being restarted ({error})") from None
        finally:
            looking.release()

    def packets(self, camera: str, stream: StreamName = StreamName.SUB) -> AbstractAsyncContextManager[AsyncIterator[Packet]]:
        home = self._home(camera)
        if stream is StreamName.SUB:
            return home.tap(camera)
        if all(feed.camera != camera for feed in home.config.mains):
            raise SourceError(f"{camera}: it has no main stream on this site")
        return home.tap(camera + MAIN)

    def many(self) -> ManyTap:
        return ManyTap(lambda camera: self._home_of[camera].config.tap_address if camera in self._home_of else None)

    # Changing cameras while they are watched

    async def change(self, setups: Sequence[CameraSetup]) -> dict[str, str]:
        """Have workers change, add or drop these cameras, each its own; which of them could not be, and why, a sentence.

        A camera that is new goes to the worker that has fewest and room. Owned by one task at a time.
        """
        refused: dict[str, str] = {}
        mine: dict[str, list[CameraSetup]] = {}
        for setup in setups:
            handle = self._home_of.get(setup.camera) or (None if setup.feed is None else self._roomiest(mine))
            if handle is not None:
                mine.setdefault(handle.config.name, []).append(setup)
            elif setup.feed is not None:
                refused[setup.camera] = "no worker has room for one more camera while it runs"
        for handle in self.handles:
            if changed := mine.get(handle.config.name):
                await self._change(handle, changed)
        return refused

    async def _change(self, handle: WorkerHandle, setups: Sequence[CameraSetup]) -> None:
        now_s = self._clock.now_s()
        for setup in setups:
            if setup.feed is not None and setup.camera not in self._home_of:
                self._home_of[setup.camera] = handle
                self._statuses[setup.camera] = _not_connected(setup.camera, now_s)
            elif setup.feed is None:
                self._home_of.pop(setup.camera, None)
        try:
            await self._call(handle.change, setups)
        except WorkerLost as error:  # it is started anew, with what is asked for
            logger.warning("%s: cameras change with its next start: %s", handle.config.name, error)
        for setup in setups:
            if setup.feed is None:
                self._statuses.pop(setup.camera, None)
                gap = self._ledger.open.get(setup.camera)
                if gap is not None:
                    await self._gaps.add(self._ledger.report([replace(gap, ended_s=self._clock.now_s())]))

    def _roomiest(self, mine: Mapping[str, Sequence[CameraSetup]]) -> WorkerHandle | None:
        """The worker with fewest cameras, among those that have room for one more beside what they are to get now."""

        def cameras(handle: WorkerHandle) -> int:
            here = sum(home is handle for home in self._home_of.values())
            new = mine.get(handle.config.name, ())
            return here + sum(setup.camera not in self._home_of for setup in new)

        roomy = [handle for handle in self.handles if cameras(handle) < handle.config.rows]
        return min(roomy, key=cameras, default=None)

    # Keeping workers alive

    async def run(self) -> None:
        """Start every worker and keep all of them going until cancelled."""
        async with asyncio.TaskGroup() as group:
            for handle in self.handles:
                group.create_task(self._keep(handle), name=f"keep-{handle.config.name}")

    async def stop(self) -> None:
        """Stop all workers side by side; ≤ 4 s."""
        # The loop's own threads: control's may all be waiting for workers that hang.
        await asyncio.gather(*(asyncio.to_thread(handle.stop) for handle in self.handles))
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _call(self, function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """Run a blocking call of a handle on control's own threads."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, lambda: function(*arguments, **named))

    async def _keep(self, handle: WorkerHandle) -> None:
        """Forever: bring the worker up, drain it until it is lost, bring it up again, at once if it had lived a while."""
        name, backoff, rng = handle.config.name, Backoff(floor_s=0.5, cap_s=30.0, good_after_s=_GOOD_LIFE_S), random.Random()
        crashes: list[float] = []
        while True:
            started_s = self._clock.monotonic_s()
            try:
                await self._call(handle.start)
                logger.info("%s: watching %d cameras", name, len(handle.config.feeds))
                await self._drain(handle)
            except WorkerLost as error:
                logger.error("worker lost: %s", error)
            except Exception:
                logger.exception("%s: something nobody expected; it is started again", name)
            now_s = self._clock.monotonic_s()
            try:
                await self._call(handle.stop)
                await self._mark_lost(handle)
            except Exception:
                logger.exception("%s: could not be put away cleanly", name)
            self.restarts[name] += 1
            crashes = [at_s for at_s in crashes if now_s - at_s < _CRASH_WINDOW_S] + [now_s]
            lived_s = now_s - started_s
            backoff.succeeded(lived_s)
            if len(crashes) > _CRASHES_ALLOWED:
                logger.critical("%s: %d crashes in %.0f s; its cameras are not watched", name, len(crashes), _CRASH_WINDOW_S)
            if lived_s < _GOOD_LIFE_S:
                await asyncio.sleep(backoff.next_delay_s(rng))

    async def _drain(self, handle: WorkerHandle) -> None:
        """Carry reports until the worker is lost. Events and clips are acknowledged only after they are stored."""
        clips = ClipsToStore(self._sink.clip, self._clock)
        try:
            await self._drain_into(handle, clips)
        finally:
            await clips.close()

    async def _drain_into(self, handle: WorkerHandle, clips: ClipsToStore) -> None:
        acknowledged = 0
        while True:
            report = await self._call(handle.drain, acknowledged, clips.take_stored())
            self._heard_s[report.worker] = self._clock.now_s()
            self._stats[report.worker] = report.stats
            await self._tell(report.statuses)
            await self._gaps.add(self._ledger.report(report.gaps))
            await self._runs.add(report.watched)
            if report.watched_until_s:
                self._accounted_s[report.worker] = report.watched_until_s
            if report.events and not await self._record(report):
                await asyncio.sleep(_STORE_RETRY_S)
                continue
            clips.offer(report.clips)  # after the events that they belong to
            # The same events again: the worker could not write down that they were acknowledged, and will say so.
            is_new = report.outbox_number > acknowledged
            acknowledged = report.outbox_number
            if not report.events or not is_new:
                await asyncio.sleep(_DRAIN_EVERY_S)

    async def _record(self, report: Report) -> bool:
        """Store the events of one report; whether the database took them. They stay in the outbox until it does."""
        try:
            await self._sink.record(report.events)
        except StorageError as error:
            logger.error("%s: %d events wait in the outbox: %s", report.worker, len(report.events), error)
            return False
        except Exception:
            logger.exception("%s: %d events wait in the outbox", report.worker, len(report.events))
            return False
        return True

    async def _tell(self, told: Sequence[CameraStatus]) -> None:
        statuses = [status for status in told if status.camera in self._home_of]  # not of one that was dropped meanwhile
        self._statuses.update((status.camera, status) for status in statuses)
        if statuses:
            try:
                await self._sink.statuses(statuses)
            except GridpatrolError as error:
                logger.error("camera states could not be recorded: %s", error)
            except Exception:
                logger.exception("camera states could not be recorded")

    async def _store_gaps(self, gaps: Sequence[Gap]) -> None:
        await self._sink.gaps(gaps)

    async def _store_runs(self, runs: Sequence[WatchRun]) -> None:
        await self._sink.watched(runs)

    async def _mark_lost(self, handle: WorkerHandle) -> None:
        """Say openly that nobody watches these cameras until the worker is back."""
        now_s = self._clock.now_s()
        cameras = [feed.camera for feed in handle.config.feeds]
        await self._gaps.add(self._ledger.lose(cameras, self._heard_s[handle.config.name]))
        since_s = self._accounted_s.pop(handle.config.name, None)  # None: it has told nothing, so the run before it lasts
        if since_s is not None:
            await self._runs.add(WatchRun(camera, since_s, None, Watched.WORKER) for camera in cameras)
        await self._tell(
            tuple(
                CameraStatus(feed.camera, Health.OFFLINE, Quality.UNUSABLE, now_s, self._statuses[feed.camera].last_frame_s,
                             error="its worker is being restarted")
                for feed in handle.config.feeds
                if feed.camera in self._statuses
            )
        )  # fmt: skip

    def _home(self, camera: str) -> WorkerHandle:
        if camera not in self._home_of:
            raise SourceError(f"{camera}: no such camera, or it is switched off")
        return self._home_of[camera]


def _not_connected(camera: str, now_s: float) -> CameraStatus:
    return CameraStatus(camera, Health.OFFLINE, Quality.UNUSABLE, now_s, None, error="not connected yet")
