"""What the database has refused so far, and what comes after it: stored in the order it came, once the database takes it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Generic, TypeVar

from base import Clock, GridpatrolError

__all__ = ["Unstored"]

logger = logging.getLogger(__name__)

_RETRY_S = 1.0

T = TypeVar("T")


class Unstored(Generic[T]):
    """A bounded list between control and the database. Of more than `most` the oldest are given up, with an error in the log."""

    def __init__(self, what: str, store: Callable[[Sequence[T]], Awaitable[None]], most: int, clock: Clock) -> None:
        self._what, self._store, self._most, self._clock = what, store, most, clock
        self._waiting: list[T] = []
        self._retry_at_s = 0.0  # monotonic
        self._storing = asyncio.Lock()  # one at a time, so that the newest is stored last

    async def add(self, items: Iterable[T]) -> None:
        """Store these after everything that waits; nothing is lost should that fail. At most one try a second then."""
        self._waiting += items
        if len(self._waiting) > self._most:
            logger.error("%d %s given up: the database has refused them too long", len(self._waiting) - self._most, self._what)
            del self._waiting[: -self._most]
        if not self._waiting or self._clock.monotonic_s() < self._retry_at_s:
            return
        async with self._storing:
            storing = tuple(self._waiting)
            self._retry_at_s = self._clock.monotonic_s() + _RETRY_S
            try:
                await self._store(storing)
            except GridpatrolError as error:
                logger.error("%d %s could not be recorded yet: %s", len(storing), self._what, error)
            except Exception:
                logger.exception("%s could not be recorded", self._what)
            else:
                del self._waiting[: len(storing)]
                self._retry_at_s = 0.0
