"""A whole simulation: clips, server and, when it is to be measured, a client of every camera in a process of its own."""

import multiprocessing
import threading
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

import psutil

from base import Clock, SourceError
from ingest.simulate.cache import ClipCache
from ingest.simulate.drain import Drained, drain_process
from ingest.simulate.plan import SimPlan
from ingest.simulate.server import SimStats, Simulator

__all__ = ["run_simulation"]

_READY_S = 120.0
_SETTLE_S = 2.5  # clients begin with the next key frame: after one GOP all of them get frames


def run_simulation(
    plan: SimPlan,
    seconds: float,
    clock: Clock,
    *,
    clips: ClipCache | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    stop: threading.Event | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    on_ready: Callable[[Simulator], None] | None = None,
) -> SimStats:
    """Serve the cameras of `plan`; blocks. With `seconds` 0 until `stop` is set, for whatever clients come.

    Otherwise for `seconds` with one client per camera in a child process, and the figures are of just that time: `frames_per_s`
    handed to those clients, `cores` and `rss_mb` of this whole process without them, `late` and `dropped` of that time. Raises
    SourceError if what the clients received is not what was sent.
    """
    cache = clips if clips is not None else ClipCache(Path.home() / ".cache" / "gridpatrol" / "clips")
    specs = plan.specs()
    cache.prepare(specs.values(), progress=on_progress)
    simulator = Simulator(plan, {name: cache.get(spec) for name, spec in specs.items()}, clock, host, port)
    simulator.start()
    try:
        if on_ready is not None:
            on_ready(simulator)
        if seconds > 0:
            return _measure(simulator, plan, seconds, clock)
        stop = stop if stop is not None else threading.Event()
        while not clock.wait(stop, 3600.0):
            pass
        return simulator.stats()
    finally:
        simulator.stop()


def _measure(simulator: Simulator, plan: SimPlan, seconds: float, clock: Clock) -> SimStats:
    """The figures of `seconds` with every camera playing."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    urls = [simulator.url(camera.id) for camera in plan.cameras]
    child = context.Process(target=drain_process, args=(theirs, urls, plan.user, plan.password), name="drain", daemon=True)
    child.start()
    theirs.close()
    try:
        if not ours.poll(_READY_S) or ours.recv() != "playing":
            raise SourceError(f"expected every camera to play within {_READY_S:g} s")
        clock.sleep(_SETTLE_S)
        process = psutil.Process()
        received = _ask(ours, "count")
        before, cpu_s, began_s = simulator.stats(), sum(process.cpu_times()[:2]), clock.monotonic_s()
        clock.sleep(seconds)
        after, cpu_s, lasted_s = simulator.stats(), sum(process.cpu_times()[:2]) - cpu_s, clock.monotonic_s() - began_s
        total = _ask(ours, "stop")
    except EOFError:
        raise SourceError("the client process of the measurement ended early") from None
    finally:
        ours.close()
        child.join(5.0)
        if child.is_alive():
            child.kill()
    frames = after.frames - before.frames
    _compare(frames, received, total, plan.fps * len(plan.cameras))
    return replace(
        after,
        frames=frames,
        frames_per_s=round(frames / lasted_s, 1),
        cores=round(cpu_s / lasted_s, 3),
        late=after.late - before.late,
        dropped=after.dropped - before.dropped,
    )


def _ask(pipe: "Pipe[str, Drained | str]", message: str) -> Drained:
    pipe.send(message)
    answer = pipe.recv()
    if not isinstance(answer, Drained):
        raise SourceError(f"the client process of the measurement said {answer!r}")
    return answer


def _compare(sent: int, before: Drained, after: Drained, frames_per_s: float) -> None:
    """The two counts are taken up to half a second apart, no more."""
    received = after.frames - before.frames
    if abs(received - sent) > frames_per_s * 0.5 + 1:
        raise SourceError(f"{sent} frames were sent, but {received} received")
