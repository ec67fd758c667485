"""How the system does: read every few seconds, kept as samples in the database, and what follows from them in words.

Processor time and memory are those of this process and all it started (workers, backups), as the operating system counts them.
"""

import asyncio
import logging
import math
import shutil
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean

import psutil

from base import Clock, GridpatrolError, Health
from dashboard.fleet_view import FleetView
from storage import Store, SystemSample

__all__ = ["SAMPLE_S", "Machine", "Vitals", "thinned"]

logger = logging.getLogger(__name__)

LOOK_S = 15.0
"""How often counters are read; what a page shows as now is a mean over about a minute of them."""

SAMPLE_S = 300.0
"""How often a sample goes into the database."""

_NOW_LOOKS = 5

_PEAKS = frozenset({"outbox", "clips_waiting", "notices_waiting", "notices_dead"})
"""Of these a picture must not lose the highest; of all others it shows the mean."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What there is. `disk_bytes` is None where nobody said which folder the data is in."""

    cores: int
    memory_bytes: int
    disk_bytes: int | None


@dataclass(frozen=True, slots=True)
class _Counters:
    """What only ever grows, by process or by worker."""

    monotonic_s: float
    cpu_s: Mapping[str, float]
    not_watched_s: Mapping[str, float]
    over_budget_s: Mapping[str, float]


class Vitals:
    """Reads and keeps how the system does. `run` is one task of the event loop; the rest may be called from any thread."""

    def __init__(self, store: Store, fleet: FleetView, clock: Clock, data: Path | None) -> None:
        self._store = store
        self._fleet = fleet
        self._clock = clock
        self._data = data
        self._process = psutil.Process()
        self._looks: deque[_Counters] = deque(maxlen=_NOW_LOOKS)
        self._kept: _Counters | None = None  # at the newest sample in the database
        self.machine = Machine(
            cores=psutil.cpu_count() or 1,
            memory_bytes=psutil.virtual_memory().total,
            disk_bytes=None if data is None else shutil.disk_usage(data).total,
        )

    async def run(self) -> None:
        """Look, and keep a sample whenever it is time; runs until cancelled."""
        while True:
            try:
                await asyncio.to_thread(self.look)
            except GridpatrolError as error:  # the database is away: the next turn keeps a sample
                logger.warning("how the system does could not be written down: %s", error)
            except Exception:
                logger.exception("how the system does could not be read")
            await asyncio.sleep(LOOK_S)

    def look(self) -> None:
        """Read the counters once, and keep a sample if the last one is old enough. Raises StorageError if it cannot be kept."""
        counters = self._counters()
        self._looks.append(counters)
        if self._kept is None:
            self._kept = counters
        if counters.monotonic_s - self._kept.monotonic_s >= SAMPLE_S:
            before, self._kept = self._kept, counters
            self._store.system.add(self._sample(before, counters))

    def now(self) -> SystemSample:
        """How it is now; rates over the last minute or so, None right after a start."""
        looks = tuple(self._looks)
        return self._sample(looks[0] if looks else None, self._counters())

    def _counters(self) -> _Counters:
        stats = self._fleet.stats()
        return _Counters(
            self._clock.monotonic_s(),
            {str(process.pid): _cpu_s(process) for process in self._processes()},
            {name: each.not_watched_s for name, each in stats.items()},
            {name: each.watched_budget_s for name, each in stats.items()},
        )

    def _processes(self) -> list[psutil.Process]:
        return [self._process, *self._process.children(recursive=True)]

    def _sample(self, before: _Counters | None, after: _Counters) -> SystemSample:
        stats = tuple(self._fleet.stats().values())
        statuses = tuple(self._fleet.statuses().values())
        outgoing = self._store.outgoing.counts()
        sample = SystemSample(
            at_s=self._clock.now_s(),
            rss_bytes=float(sum(_rss_bytes(process) for process in self._processes())),
            memory_free_bytes=float(psutil.virtual_memory().available),
            disk_free_bytes=None if self._data is None else float(shutil.disk_usage(self._data).free),
            database_bytes=float(self._store.system.database_bytes()),
            cameras=float(len(statuses)),
            online=float(sum(status.health is Health.ONLINE for status in statuses)),
            awake_cores=sum(each.awake_cores for each in stats),
            budget_cores=sum(each.budget_cores for each in stats),
            outbox=float(sum(each.outbox_depth for each in stats)),
            clips_waiting=float(sum(each.clips_waiting for each in stats)),
            notices_waiting=float(sum(count.waiting for count in outgoing)),
            notices_dead=float(sum(count.dead for count in outgoing)),
        )
        seconds = 0.0 if before is None else after.monotonic_s - before.monotonic_s
        if before is None or seconds < 1.0:
            return sample
        return replace(
            sample,
            cores=_grown(before.cpu_s, after.cpu_s) / seconds,
            not_watched=_grown(before.not_watched_s, after.not_watched_s) / seconds,
            over_budget=_grown(before.over_budget_s, after.over_budget_s) / seconds,
        )


def thinned(samples: Sequence[SystemSample], from_s: float, to_s: float, points: int) -> list[tuple[float, SystemSample | None]]:
    """`points` stretches of [from_s, to_s), each with its middle and what its samples say together; None without any.

    Means, but of what waits the highest; of what nobody knew in some of them the mean of the others.
    """
    step_s = (to_s - from_s) / points
    found: list[list[SystemSample]] = [[] for _ in range(points)]
    for sample in samples:
        if from_s <= sample.at_s < to_s:
            found[min(int((sample.at_s - from_s) / step_s), points - 1)].append(sample)
    middles = [from_s + step_s * (number + 0.5) for number in range(points)]
    return [(at_s, _together(at_s, each) if each else None) for at_s, each in zip(middles, found, strict=True)]


def _together(at_s: float, samples: Sequence[SystemSample]) -> SystemSample:
    values: dict[str, float | None] = {}
    for name in SystemSample.__dataclass_fields__:
        known = [value for sample in samples if (value := getattr(sample, name)) is not None]
        values[name] = None if not known else max(known) if name in _PEAKS else fmean(known)
    return SystemSample(**(values | {"at_s": at_s}))  # type: ignore[arg-type]  # None only where a sample had it


def _grown(before: Mapping[str, float], after: Mapping[str, float]) -> float:
    """By how much counters grew together; one that is new or began anew, as after a restart, counts from zero."""
    return math.fsum(value - before[name] if name in before and value >= before[name] else value for name, value in after.items())


def _cpu_s(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.Error:  # it has just ended
        return 0.0
    return float(times.user + times.system)


def _rss_bytes(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0
