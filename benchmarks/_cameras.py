"""Simulated cameras in processes of their own, so that their cost is not counted with their readers'."""

import math
import multiprocessing
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Self

from base import SystemClock
from ingest.simulate import Clip, ClipCache, SimCamera, SimPlan, Simulator

__all__ = ["CLIPS", "Cameras", "Sent", "busy_plan"]

CLIPS = Path.home() / ".cache" / "gridpatrol" / "clips"
_PER_PROCESS = 1000  # simulated cameras; half a core at 15 frames/s
_READY_S = 120.0
_QUIET = (("street", "day"), ("courtyard", "night"), ("gate", "day"), ("car_park", "night"))  # 0.1-0.2 Mbit/s
_BUSY = (("street", "rain"), ("gate", "rain"))  # 0.7 Mbit/s: something moves in every part of the picture


@dataclass(frozen=True, slots=True)
class Sent:
    """Since the start (UTC): frames handed whole to a socket, and frames given up because a reader did not take them in time."""

    frames: int
    dropped: int
    started_s: float = 0.0


def busy_plan(cameras: int, fps: int) -> SimPlan:
    """`cameras` drawn ones at 640x360, a key frame every 2 s, every tenth of them busy; each at its own moment of the loop."""
    plan = []
    for index in range(cameras):
        scene, light = _BUSY[index // 10 % 2] if index % 10 == 9 else _QUIET[index % 4]
        plan.append(SimCamera(f"c{index:04d}", scene, light, offset_s=index * 0.6180339887 % 1 * 60))
    return SimPlan(tuple(plan), fps=fps)


class Cameras:
    """The cameras of a plan while the context is open. One owner; `urls` has one per camera, in the plan's order.

    `clips_of` gives what they show, each process anew; without it, clips are drawn or taken from files, and cached.
    """

    def __init__(self, plan: SimPlan, clips_of: Callable[[SimPlan], dict[str, Clip]] | None = None) -> None:
        if clips_of is None:
            ClipCache(CLIPS).prepare(plan.specs().values())
        context = multiprocessing.get_context("spawn")
        self.urls: list[str] = []
        self._pipes: list[Connection[str, list[str] | Sent]] = []
        self._processes = []
        share = math.ceil(len(plan.cameras) / math.ceil(len(plan.cameras) / _PER_PROCESS))
        for start in range(0, len(plan.cameras), share):
            part = SimPlan(plan.cameras[start : start + share], fps=plan.fps)
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs, part, clips_of or _cached), name="simulate", daemon=True)
            process.start()
            theirs.close()
            self._pipes.append(ours)
            self._processes.append(process)

    def __enter__(self) -> Self:
        for pipe in self._pipes:
            if not pipe.poll(_READY_S):
                raise TimeoutError(f"expected the simulated cameras to be ready within {_READY_S:g} s")
            urls = pipe.recv()
            assert isinstance(urls, list)
            self.urls += urls
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for pipe in self._pipes:
            pipe.close()
        for process in self._processes:
            process.join(5.0)
            if process.is_alive():
                process.kill()

    def sent(self) -> Sent:
        return self._ask("count")

    def stop(self) -> Sent:
        """Close every connection; what was sent in all."""
        return self._ask("stop")

    def _ask(self, word: str) -> Sent:
        for pipe in self._pipes:
            pipe.send(word)
        answers = [answer for pipe in self._pipes if isinstance(answer := pipe.recv(), Sent)]
        started_s = min(one.started_s for one in answers)
        return Sent(sum(one.frames for one in answers), sum(one.dropped for one in answers), started_s)


def _cached(plan: SimPlan) -> dict[str, Clip]:
    cache = ClipCache(CLIPS)
    return {name: cache.get(spec) for name, spec in plan.specs().items()}


def _serve(pipe: "Connection[list[str] | Sent, str]", plan: SimPlan, clips_of: Callable[[SimPlan], dict[str, Clip]]) -> None:
    """The child: tells its URLs, then answers until the pipe closes."""
    simulator = Simulator(plan, clips_of(plan), SystemClock())
    simulator.start()
    pipe.send([simulator.url(camera.id) for camera in plan.cameras])
    try:
        while True:
            if pipe.recv() == "stop":
                simulator.stop()
            stats = simulator.stats()
            pipe.send(Sent(stats.frames, stats.dropped, simulator.started_s))
    except EOFError:
        simulator.stop()
