"""The demo's cameras: the simulator in a process of its own, as real cameras are not in ours either."""

import contextlib
import multiprocessing
import threading
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from base import ConfigError, GridpatrolError, SourceError, SystemClock
from fleet.logs import configure
from ingest.simulate import Appearance, ClipCache, SimPlan, Simulator, run_simulation

__all__ = ["DemoCameras"]

_START_S = 180.0
_ANSWER_S = 5.0


@dataclass(frozen=True, slots=True)
class _Failed:
    """How the child says why it could not go on."""

    text: str


class DemoCameras:
    """Simulated cameras, as a context: entered they play, left they are gone. Questions may come from any thread."""

    def __init__(self, plan: SimPlan, clips: Path, port: int) -> None:
        self.plan, self.clips, self.port = plan, clips, port
        self._lock = threading.Lock()
        context = multiprocessing.get_context("spawn")
        self._pipe, self._theirs = context.Pipe()
        self._process = context.Process(target=_play, args=(self._theirs,), name="simulate")

    def prepare(self, progress: Callable[[int, int], None]) -> None:
        """Draw the clips that are not on disk yet; `progress(done, of)` after each."""
        ClipCache(self.clips).prepare(self.plan.specs().values(), progress=progress)

    def __enter__(self) -> "DemoCameras":
        self._process.start()
        self._theirs.close()
        self._pipe.send((self.plan, self.clips, self.port))
        answer = self._receive(_START_S)
        if not isinstance(answer, int):
            raise SourceError(f"expected the port of the simulated cameras, got {answer!r}")
        self.port = answer
        return self

    def __exit__(self, *_: object) -> None:
        self._pipe.close()  # the child takes this for the end
        self._process.join(3)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def appearances(self, camera: str, from_s: float, to_s: float) -> tuple[Appearance, ...]:
        """What is drawn on `camera` between two UTC times; see `Simulator.appearances`."""
        with self._lock:
            self._pipe.send((camera, from_s, to_s))
            answer = self._receive(_ANSWER_S)
        assert isinstance(answer, tuple)
        return answer

    def _receive(self, within_s: float) -> object:
        try:
            if not self._pipe.poll(within_s):
                raise SourceError(f"the simulated cameras did not answer within {within_s:.0f} s")
            answer = self._pipe.recv()
        except EOFError:
            raise SourceError("the process of the simulated cameras ended; the reason stands above") from None
        if isinstance(answer, _Failed):
            raise ConfigError(answer.text)
        return answer


def _play(pipe: Connection) -> None:
    """The child: play until the pipe closes, answering questions about the truth."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    plan, clips, port = pipe.recv()
    configure("WARNING", [plan.password])
    stop = threading.Event()

    def on_ready(simulator: Simulator) -> None:
        pipe.send(simulator.port)
        threading.Thread(target=_answer, args=(pipe, simulator, stop), name="answer", daemon=True).start()

    try:
        run_simulation(plan, 0.0, SystemClock(), clips=ClipCache(clips), port=port, stop=stop, on_ready=on_ready)
    except GridpatrolError as error:
        with contextlib.suppress(OSError):
            pipe.send(_Failed(str(error)))


def _answer(pipe: Connection, simulator: Simulator, stop: threading.Event) -> None:
    with contextlib.suppress(EOFError, OSError):
        while True:
            camera, from_s, to_s = pipe.recv()
            pipe.send(simulator.appearances(camera, from_s, to_s))
    stop.set()
