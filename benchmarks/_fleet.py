"""A whole Gridpatrol over simulated cameras, in processes of its own, and what it uses."""

import asyncio
import json
import logging
import multiprocessing
import sqlite3
import threading
import time
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from base import SystemClock, WorkerStats
from base.records import Path as EventPath
from camera_config import Site
from fleet.run import Ready, RunOptions, run

__all__ = ["Fleet", "Seen", "Stored", "Used"]

_READY_S = 60.0
_STOP_S = 20.0
_LOOK_S = 0.02  # how often the database is looked at: what "stored" is exact to


@dataclass(frozen=True, slots=True)
class Used:
    """Since the start: processor seconds by process, the newest last. Memory is of now, PSS and RSS of the workers."""

    at_s: float  # monotonic
    control_cpu_s: float
    workers_cpu_s: float
    workers: int
    workers_rss_bytes: int
    workers_pss_bytes: int
    control_rss_bytes: int


@dataclass(frozen=True, slots=True)
class Seen:
    """What the fleet says of itself: the sum over its workers, and since when (UTC) it has media of each camera."""

    stats: WorkerStats
    online_s: dict[str, float]
    restarts: int


@dataclass(frozen=True, slots=True)
class Stored:
    """An event in the database. `at_s` is UTC when another process could first read it there."""

    camera: str
    began_s: float
    raised_s: float
    severity: int
    seen_by: str
    path: EventPath
    at_s: float


class Fleet:
    """A running site while the context is open. One owner."""

    def __init__(self, site: Site, data: Path, workers: int, budget: float) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        options = RunOptions(data=data, port=0, workers=workers, decode_budget=budget, log_level="ERROR")
        # Not a daemon: it has children of its own.
        self._process = context.Process(target=_run, args=(theirs, site, options), name="fleet")
        self._process.start()
        theirs.close()
        self._database = data / "gridpatrol.db"
        self.stored: list[Stored] = []
        self._done = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="stored")

    def __enter__(self) -> Self:
        try:
            if not self._pipe.poll(_READY_S):
                raise TimeoutError(f"expected the fleet to be ready within {_READY_S:g} s")
            self._pipe.recv()
        except (TimeoutError, EOFError):
            self._process.kill()
            raise
        self._watcher.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._done.set()
        self._watcher.join()
        self._pipe.close()
        self._process.join(_STOP_S)
        if self._process.is_alive():
            self._process.kill()

    def seen(self) -> Seen:
        self._pipe.send("stats")
        seen = self._pipe.recv()
        assert isinstance(seen, Seen)
        return seen

    def used(self) -> Used:
        """Of all its processes; every child but the helpers of multiprocessing is a worker."""
        control = psutil.Process(self._process.pid)
        children = control.children(recursive=True)
        # A worker is forked by the server, which itself is a child; the server's helper tracks resources.
        workers = [child for child in children if child.ppid() != control.pid]
        helpers = [child for child in children if child not in workers]
        return Used(
            at_s=time.monotonic(),
            control_cpu_s=sum(_cpu_s(process) for process in [control, *helpers]),
            workers_cpu_s=sum(_cpu_s(worker) for worker in workers),
            workers=len(workers),
            workers_rss_bytes=sum(worker.memory_info().rss for worker in workers),
            workers_pss_bytes=sum(worker.memory_full_info().pss for worker in workers),
            control_rss_bytes=control.memory_info().rss,
        )

    def _watch(self) -> None:
        """Look at the database from here, whose time is not counted, until the context ends."""
        asked = "SELECT rowid, camera, began_s, raised_s, severity, seen_by, path FROM events WHERE rowid > ? ORDER BY rowid"
        clock = SystemClock()
        connection, last = sqlite3.connect(f"file:{self._database}?mode=ro", uri=True), 0
        while not self._done.wait(_LOOK_S):
            for row, camera, began_s, raised_s, severity, seen_by, path in connection.execute(asked, (last,)).fetchall():
                last = row
                self.stored.append(Stored(camera, began_s, raised_s, severity, seen_by, _points(path), clock.now_s()))
        connection.close()


def _points(path: str | None) -> EventPath:
    return tuple((time_s, x, y) for time_s, x, y in json.loads(path or "[]") or [])


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _run(pipe: "Connection[Seen | None, str]", site: Site, options: RunOptions) -> None:
    """The child: a site that runs until the pipe closes."""
    logging.disable(logging.WARNING)

    async def on_ready(ready: Ready) -> None:
        pipe.send(None)
        while True:
            try:
                await asyncio.to_thread(pipe.recv)
            except EOFError:
                return
            control = ready.control
            online_s = {one.camera: one.since_s for one in control.statuses().values() if one.last_frame_s is not None}
            pipe.send(Seen(_total(tuple(control.stats().values())), online_s, sum(control.restarts.values())))

    asyncio.run(run(site, options, on_ready))


def _total(stats: Sequence[WorkerStats]) -> WorkerStats:
    columns = zip(*(astuple(one) for one in stats), strict=True)
    return WorkerStats(**{field.name: sum(column) for field, column in zip(fields(WorkerStats), columns, strict=False)})
