"""Where a worker lives: in this process, or in a child of its own. Supervision sees no difference."""

import contextlib
import ctypes
import logging
import multiprocessing
import pickle
import signal
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Any, Protocol, TypeVar

import cv2
import zmq

from base import Clock, GridpatrolError, Packet, Report, SourceError, SystemClock
from fleet.logs import configure, hide
from fleet.setups import CameraSetup
from fleet.tap import subscribe
from fleet.worker import Worker, WorkerConfig

__all__ = ["InProcessHome", "SubprocessHome", "WorkerHandle", "WorkerLost"]

logger = logging.getLogger(__name__)

A = TypeVar("A")

_START_S = 30.0  # the first one waits for the imports of OpenCV, ONNX Runtime and FFmpeg: 2.6 s alone, more on busy cores
_REPLY_S = 5.0  # a worker that does not answer for this long is hung
_STOP_S = 2.5
_HURRY_S = 0.5
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # mallopt(3)
_LARGE_BYTES = 128 * 1024  # a frame of any size is larger, a packet of a sub stream smaller


class WorkerLost(GridpatrolError):
    """The worker died, hung, or never came up; its outbox still holds what was not acknowledged."""


class WorkerHandle(Protocol):
    """One worker, wherever it lives. Calls block; they may come from different threads."""

    config: WorkerConfig

    def start(self) -> None:
        """Bring it up; raises WorkerLost with the reason."""
        ...

    def drain(self, acknowledged: int, clips: Sequence[str] = ()) -> Report:
        """See `Worker.drain`; raises WorkerLost."""
        ...

    def snapshot(self, camera: str) -> bytes:
        """JPEG of the newest key frame; raises SourceError or WorkerLost."""
        ...

    def change(self, setups: Sequence[CameraSetup]) -> None:
        """See `Worker.change`; the next start knows it in any case. Raises WorkerLost."""
        ...

    def tap(self, camera: str) -> AbstractAsyncContextManager[AsyncIterator[Packet]]:
        """Encoded packets from the cached GOP on, for as long as the context is open."""
        ...

    def stop(self) -> None:
        """Bring it down; safe to call twice, and after it died."""
        ...


class InProcessHome:
    """A worker in this process: for small sites, tests and debugging."""

    def __init__(self, config: WorkerConfig, clock: Clock) -> None:
        self.config = config
        self._clock = clock
        self._worker: Worker | None = None

    def start(self) -> None:
        try:
            self._worker = Worker(self.config, self._clock)
            self._worker.start()
        except (GridpatrolError, zmq.ZMQError) as error:
            raise WorkerLost(f"{self.config.name}: did not start: {error}") from None

    def drain(self, acknowledged: int, clips: Sequence[str] = ()) -> Report:
        if self._worker is None:
            raise WorkerLost(f"{self.config.name}: not started")
        try:
            return self._worker.drain(acknowledged, clips)
        except GridpatrolError as error:
            raise WorkerLost(f"{self.config.name}: {error}") from None

    def snapshot(self, camera: str) -> bytes:
        if self._worker is None:
            raise WorkerLost(f"{self.config.name}: not started")
        return self._worker.snapshot(camera)

    def change(self, setups: Sequence[CameraSetup]) -> None:
        self.config = self.config.with_changes(setups)
        if self._worker is None:
            raise WorkerLost(f"{self.config.name}: not started")
        try:
            self._worker.change(setups)
        except GridpatrolError as error:
            self.stop()  # it must not go on with the masks of before; the next one begins with what is asked for
            raise WorkerLost(f"{self.config.name}: {error}") from None

    def tap(self, camera: str) -> AbstractAsyncContextManager[AsyncIterator[Packet]]:
        return subscribe(self.config.tap_address, camera)

    def stop(self) -> None:
        if self._worker is not None:
            self._worker.stop()
            self._worker = None


class SubprocessHome:
    """A worker in a child of its own, spoken to over one pipe, a question and its answer at a time.

    Children are forked from one small server process that has imported what a worker needs and nothing else: no thread, socket or
    secret of this process is in them, and a lost worker is back without the 2 s that those imports take. The configuration
    travels through the pipe, never on the command line or in the environment. When this process dies, however it dies, the pipe
    closes and the child stops by itself.
    """

    def __init__(self, config: WorkerConfig) -> None:
        self.config = config
        self._context = multiprocessing.get_context("forkserver")
        # A child imports the main module again; imported before, that costs it nothing.
        self._context.set_forkserver_preload([__name__, "fleet.cli"])
        self._process: multiprocessing.process.BaseProcess | None = None
        self._pipe: Connection | None = None
        self._lock = threading.Lock()  # one question at a time on the pipe
        self._generation = 0

    @property
    def pid(self) -> int | None:
        """The child's process id; None while it is not running."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        self._generation += 1
        # Every generation binds an address of its own: a killed child leaves its socket file behind.
        self.config = replace(self.config, tap_address=f"{self.config.tap_address.split('#')[0]}#{self._generation}")
        ours, theirs = self._context.Pipe()
        self._process = self._context.Process(target=_child, args=(theirs,), name=self.config.name, daemon=True)
        try:
            self._process.start()
            theirs.close()
            ours.send(self.config)
            ready = _receive(ours, _START_S)
        except (_Silence, OSError) as error:
            ours.close()
            raise WorkerLost(f"{self.config.name}: did not start: {error}") from None
        if ready is not None:
            ours.close()
            raise WorkerLost(f"{self.config.name}: did not start: {ready}")
        # Published last: until here nobody else may ask on this pipe.
        self._pipe = ours

    def drain(self, acknowledged: int, clips: Sequence[str] = ()) -> Report:
        return self._ask(Report, "drain", (acknowledged, tuple(clips)))

    def snapshot(self, camera: str) -> bytes:
        return self._ask(bytes, "snapshot", camera)

    def change(self, setups: Sequence[CameraSetup]) -> None:
        self.config = self.config.with_changes(setups)  # first: should it be lost now, the next one begins with it
        self._ask(bool, "change", tuple(setups))

    def tap(self, camera: str) -> AbstractAsyncContextManager[AsyncIterator[Packet]]:
        return subscribe(self.config.tap_address, camera)

    def stop(self) -> None:
        process, self._process = self._process, None
        asked = self._lock.acquire(timeout=_HURRY_S)  # whoever holds it longer waits for a worker that hangs
        try:
            pipe, self._pipe = self._pipe, None
            if pipe is not None and asked:
                with contextlib.suppress(OSError):
                    pipe.send(("stop", 0))
        finally:
            if asked:
                self._lock.release()
        if process is None:
            return
        if process.pid is not None:
            if pipe is not None and asked:  # a lost or hung worker gets no time
                process.join(_STOP_S)
            if process.is_alive():
                logger.warning("%s: did not stop by itself and is killed", self.config.name)
                process.kill()
            process.join(_HURRY_S)
        if pipe is not None:
            pipe.close()

    def _ask(self, kind: type[A], question: str, argument: object) -> A:
        """One question and its answer of type `kind`; a pipe on which anything went wrong is never used again."""
        if not self._lock.acquire(timeout=_REPLY_S):
            raise WorkerLost(f"{self.config.name}: busy for {_REPLY_S:.0f} s")
        try:
            pipe = self._pipe
            if pipe is None:
                raise WorkerLost(f"{self.config.name}: not running")
            try:
                pipe.send((question, argument))
                answer = _receive(pipe, _REPLY_S)
            except (_Silence, OSError) as error:
                self._pipe = None
                pipe.close()
                raise WorkerLost(f"{self.config.name}: {error}") from None
        finally:
            self._lock.release()
        if isinstance(answer, SourceError):
            raise answer
        if not isinstance(answer, kind):
            raise WorkerLost(f"{self.config.name}: {question}: {answer}")
        return answer


class _Silence(Exception):
    """No answer, for a reason."""


def _receive(pipe: Connection, within_s: float) -> object:
    try:
        if not pipe.poll(within_s):
            raise _Silence(f"no answer within {within_s:.0f} s")
        return pipe.recv()
    except EOFError:
        raise _Silence("its process ended") from None
    except (OSError, pickle.UnpicklingError, ValueError) as error:
        raise _Silence(f"its answer is unreadable: {error}") from None


def _child(pipe: Connection) -> None:
    """The whole life of a worker's own process: build, answer until told to stop or the parent is gone, tear down."""
    # Ctrl-C reaches the whole terminal group; only the parent decides when a worker stops.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        config: WorkerConfig = pipe.recv()
    except EOFError:
        return
    configure(config.log_level, [feed.password for feed in config.feeds])
    _give_memory_back()
    cv2.setNumThreads(1)  # one worker per core: a pool of OpenCV's threads in each would only get in each other's way
    worker = None
    try:
        worker = Worker(config, SystemClock())
        worker.start()
        pipe.send(None)
        _answer_all(worker, pipe)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        logger.info("%s: control is gone, stopping", config.name)
    except (GridpatrolError, zmq.ZMQError) as error:
        with contextlib.suppress(OSError):
            pipe.send(str(error))
    finally:
        if worker is not None:
            worker.stop()


def _give_memory_back() -> None:
    """Have glibc return the frames of decoders that are gone, which else lie between packets that stay.

    Left alone it learns from the first large block freed to keep such blocks, in an arena for each thread: 364 cameras that
    learned their backgrounds one after another took 940 MB, and kept them.
    """
    with contextlib.suppress(OSError, AttributeError):  # another C library has no mallopt
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
        mallopt(_M_TRIM_THRESHOLD, _LARGE_BYTES)
        mallopt(_M_ARENA_MAX, 2)


def _answer(worker: Worker, question: str, argument: Any) -> object:  # Any: each question has its own
    if question == "change":
        hide(setup.feed.password for setup in argument if setup.feed is not None)
        worker.change(argument)
        return True
    return worker.drain(*argument) if question == "drain" else worker.snapshot(argument)


def _answer_all(worker: Worker, pipe: Connection) -> None:
    while True:
        question, argument = pipe.recv()
        if question == "stop":
            return
        try:
            answer = _answer(worker, question, argument)
        except SourceError as error:
            answer = error
        pipe.send(answer)
