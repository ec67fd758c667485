"""The cameras of one run: simulators in processes of their own, and relays before those whose line is at fault."""

import contextlib
import multiprocessing
import os
import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from multiprocessing.connection import Connection as Pipe

import numpy as np

from base import SystemClock, Transport
from ingest import Feed
from ingest.simulate import Clip, SimCamera, SimPlan, Simulator, encode
from tests.faults.cases import Act, FaultCase
from tests.servers.relay import Link, Relay

__all__ = ["FPS", "PASSWORD", "USER", "Cast", "cast_for"]

USER, PASSWORD = "operator", "see-saw"

FPS, _FRAMES, _WIDTH, _HEIGHT = 15, 60, 320, 192
_ANSWER_S = 60.0
_STEP_90K = 90_000 // FPS


@dataclass
class _Process:
    """A simulator in a child process."""

    process: "multiprocessing.process.BaseProcess"
    pipe: "Pipe[str, float]"
    port: int
    started_s: float  # UTC

    def release(self) -> float:
        """Let the faults count from now on; the UTC of now."""
        self.pipe.send("release")
        return _answer(self.pipe)


@dataclass
class Cast:
    """`cameras` are first those of `victims`, one each, then the others. `started_s` is the others' simulator's."""

    victims: tuple[FaultCase, ...]
    cameras: tuple[SimCamera, ...]
    feeds: tuple[Feed, ...]
    started_s: float
    _main: _Process
    _apart: _Process | None  # the one that is stopped
    _relays: dict[int, Relay] = field(default_factory=dict)  # by row

    def release(self) -> float:
        """Let time run towards the faults; UTC of when they count from."""
        return self._main.release()

    def begin(self) -> None:
        """The faults that are not the simulator's: of the lines and of the process."""
        for row, relay in self._relays.items():
            case = self.victims[row]
            relay.link = case.link or Link()
            if case.act is Act.RESET_LINE:
                relay.reset()
        self._signal(signal.SIGSTOP)

    def end(self) -> None:
        for relay in self._relays.values():
            relay.link = Link()
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._apart is not None and self._apart.process.pid is not None:
            os.kill(self._apart.process.pid, number)

    @staticmethod
    def frames_between(first_90k: int, last_90k: int) -> int:
        """How many frames a camera makes from one to another, both counted."""
        return round((last_90k - first_90k) / _STEP_90K) + 1


@contextlib.contextmanager
def cast_for(cases: Sequence[FaultCase], others: int, gop: int, at_s: float, for_s: float) -> Iterator[Cast]:
    """Cameras for these cases, whose faults begin `at_s` after `release`, and others without fault."""
    everybody = [case for case in cases if case.is_for_all]
    victims = tuple(everybody[:1] * others) or tuple(cases)
    cameras = [
        SimCamera(f"v{row:03d}", offset_s=row * 0.0713, faults=case.inject(at_s, for_s) if case.inject else ())
        for row, case in enumerate(victims)
    ]
    if not everybody:
        cameras += [SimCamera(f"o{row:03d}", offset_s=row * 0.0713) for row in range(others)]
    with contextlib.ExitStack() as stack:
        main = stack.enter_context(_simulating(cameras, gop))
        stopped = any(case.act is Act.STOP_PROCESS for case in victims)
        apart = stack.enter_context(_simulating(cameras, gop)) if stopped else None
        relays, feeds = {}, []
        for row, camera in enumerate(cameras):
            case = victims[row] if row < len(victims) else None
            process = apart if case is not None and case.act is Act.STOP_PROCESS and apart is not None else main
            port = process.port
            if case is not None and (case.link is not None or case.act is Act.RESET_LINE):
                relays[row] = stack.enter_context(Relay(port, udp=case.transport is Transport.UDP, seed=row))
                port = relays[row].port
            transport = case.transport if case is not None else Transport.TCP
            feeds.append(Feed(camera.id, f"rtsp://127.0.0.1:{port}/{camera.id}/sub", USER, PASSWORD, transport=transport))
        cast = Cast(victims, tuple(cameras), tuple(feeds), main.started_s, main, apart, relays)
        stack.callback(cast._signal, signal.SIGCONT)  # a stopped process could not end
        yield cast


@contextlib.contextmanager
def _simulating(cameras: Sequence[SimCamera], gop: int) -> Iterator[_Process]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_simulate, args=(theirs, tuple(cameras), gop), name="cameras", daemon=True)
    process.start()
    theirs.close()
    try:
        port, started_s = int(_answer(ours)), _answer(ours)
        yield _Process(process, ours, port, started_s)
    finally:
        ours.close()
        process.join(10)
        if process.is_alive():
            process.kill()
            process.join(10)


def _answer(pipe: "Pipe[str, float]") -> float:
    assert pipe.poll(_ANSWER_S), f"the simulator said nothing within {_ANSWER_S:g} s"
    return pipe.recv()


def _simulate(pipe: "Pipe[float, str]", cameras: tuple[SimCamera, ...], gop: int) -> None:
    """The child: tells port and start, then waits for the word to let faults begin, and for the end of the pipe."""
    plan = SimPlan(cameras, fps=FPS, user=USER, password=PASSWORD)
    clip = _clip(gop)
    simulator = Simulator(plan, {plan.clip_name(camera): clip for camera in cameras}, SystemClock(), hold_faults=True)
    simulator.start()
    pipe.send(simulator.port)
    pipe.send(simulator.started_s)
    with contextlib.suppress(EOFError):
        while pipe.recv():
            pipe.send(simulator.release_faults())
    simulator.stop()


@cache
def _clip(gop: int) -> Clip:
    """A square that moves over noise: large key frames, small others."""
    rng = np.random.default_rng(4)
    still = rng.integers(0, 255, (_HEIGHT, _WIDTH, 3), dtype=np.uint8)
    pictures = []
    for index in range(_FRAMES):
        picture = still.copy()
        picture[20:60, 4 * index : 4 * index + 40] = 255
        pictures.append(picture)
    return Clip("square", _WIDTH, _HEIGHT, FPS, encode(pictures, FPS, gop, 30))
