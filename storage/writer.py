"""The one writer: a thread that owns the only writing connection and commits what is queued in groups."""

import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from base import Clock, StorageError
from storage.database import Database

__all__ = ["Writer"]

logger = logging.getLogger(__name__)
T = TypeVar("T")

GROUP = 64
"""Jobs that share one commit at most. A commit costs one flush of the disk (about 1–10 ms), a job some 0.3 ms."""

QUEUE = 1024
"""Jobs waiting at most; who comes then waits for a place. Callers wait for their answer, so there is one job per thread."""

WRITE_BACK_S = 1.0
"""How often the journal is written back, when nobody waits: within a commit it would take that one 10–100 ms longer."""

DEADLINE_S = 60.0
SLOW_S = 1.0


@dataclass(frozen=True, slots=True)
class _Job:
    work: Callable[[Connection], Any]  # its result goes to its own future, whose type the caller knows
    done: "Future[Any]"


class Writer:
    """Carries out jobs one after another on one connection, in one thread of its own (`store-writer`).

    A job is a function of a Connection that may raise. Jobs that wait at the same time share a transaction, each in its own
    savepoint; every one of them is answered only after the commit. If the shared transaction fails, each is tried once
    more by itself, so that one job's failure is nobody else's.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._connection: Connection | None = None  # opened by the first job, and again after it was lost
        self._queue: queue.Queue[_Job | None] = queue.Queue(QUEUE)
        self._gate = threading.Lock()  # guards _closed against a job queued behind the last one
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def run(self, work: Callable[[Connection], T]) -> T:
        """The result of `work`, after its commit. Any thread but the writer's own.

        Raises what `work` raised (nothing is changed then), or StorageError if the database refused.
        """
        done: Future[T] = Future()
        with self._gate:
            if self._closed:
                raise StorageError(f"{self._database.name} is closed")
            try:
                self._queue.put(_Job(work, done), timeout=DEADLINE_S)
            except queue.Full:
                raise StorageError(f"{self._database.name} is too slow: {QUEUE} changes are waiting") from None
        try:
            return done.result(timeout=DEADLINE_S)
        except FutureTimeoutError:
            raise StorageError(
                f"{self._database.name} gave no answer within {DEADLINE_S:.0f} s; the change may be stored or not: repeat it"
            ) from None

    @property
    def waiting(self) -> int:
        """About how many jobs wait."""
        return self._queue.qsize()

    def close(self) -> None:
        """Finish what is queued, then end the thread. Safe to repeat."""
        with self._gate:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._thread.join(DEADLINE_S)

    def _run(self) -> None:
        running, written_back_s = True, self._clock.monotonic_s()
        while running:
            group, running = self._take()
            if group:
                started_s = self._clock.monotonic_s()
                try:
                    self._carry_out(group)
                except Exception as error:  # a fault of ours must not leave callers waiting
                    logger.exception("%s: the writer failed", self._database.name)
                    for job in group:
                        _answer(job, StorageError(f"{self._database.name}: internal fault: {error!r}"))
                    self._let_go()
                took_s = self._clock.monotonic_s() - started_s
                if took_s > SLOW_S:
                    logger.warning("%s took %.1f s for %d changes", self._database.name, took_s, len(group))
                if self._queue.empty() and started_s >= written_back_s + WRITE_BACK_S:
                    self._write_back()
                    written_back_s = started_s
        self._let_go()

    def _take(self) -> tuple[list[_Job], bool]:
        """What waits now, at least one job; and whether to go on afterwards."""
        job = self._queue.get()
        group: list[_Job] = []
        while job is not None:
            group.append(job)
            if len(group) == GROUP:
                return group, True
            try:
                job = self._queue.get_nowait()
            except queue.Empty:
                return group, True
        return group, False

    def _carry_out(self, group: list[_Job]) -> None:
        """Answer every job of the group, whatever happens."""
        try:
            outcomes = self._transaction(group)
        except StorageError as error:
            outcomes = [error] * len(group)
        except SQLAlchemyError as error:
            lost = isinstance(error, DBAPIError) and error.connection_invalidated
            self._roll_back(lost)
            if len(group) > 1 and not lost:
                for job in group:
                    self._carry_out([job])
                return
            outcomes = [self._database.error(error)] * len(group)
        for job, outcome in zip(group, outcomes, strict=True):
            _answer(job, outcome)

    def _transaction(self, group: list[_Job]) -> list[Any]:
        """One commit for the group: each job's result or what it raised. Raises SQLAlchemyError if the database refused."""
        if self._connection is None:
            self._connection = self._database.connect_writer()
        if len(group) == 1:
            # No savepoint: a full disk makes SQLite drop the whole transaction, and going back to it would hide the reason.
            try:
                with self._connection.begin():
                    return [group[0].work(self._connection)]
            except SQLAlchemyError:
                raise
            except Exception as error:  # whatever a job raises belongs to whoever queued it
                return [error]
        outcomes: list[Any] = []
        with self._connection.begin():
            for job in group:
                try:
                    with self._connection.begin_nested():
                        outcomes.append(job.work(self._connection))
                except SQLAlchemyError:
                    raise
                except Exception as error:  # as above
                    outcomes.append(error)
        return outcomes

    def _write_back(self) -> None:
        if self._connection is not None:
            try:
                self._database.write_back(self._connection)
            except StorageError as error:
                logger.warning("%s; its journal grows until it can be written back", error)

    def _roll_back(self, lost: bool) -> None:
        """Leave no transaction behind; a connection that cannot even do that is replaced at the next job."""
        assert self._connection is not None
        try:
            self._connection.rollback()
        except SQLAlchemyError:
            lost = True
        if lost:
            logger.warning("%s: connection lost, connecting again at the next change", self._database.name)
            self._let_go()

    def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            connection.close()
        except SQLAlchemyError:
            connection.invalidate()


def _answer(job: _Job, outcome: Any) -> None:
    try:
        if isinstance(outcome, BaseException):
            job.done.set_exception(outcome)
        else:
            job.done.set_result(outcome)
    except InvalidStateError:
        logger.debug("the caller of a change no longer waits for its answer")
