"""Clips from a worker to the store, beside the way of the events: one that cannot be stored waits where it lies."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from base import Clip, Clock, GridpatrolError, Tally

__all__ = ["ClipsToStore"]

logger = logging.getLogger(__name__)

_RETRY_S = 5.0


class ClipsToStore:
    """The clips of one worker, stored one after another by a task of its own, so that no event waits for them.

    Event-loop thread only.
    """

    def __init__(self, store: Callable[[Clip], Awaitable[None]], clock: Clock) -> None:
        """`store` comes back when a clip is stored, or is not worth another try; else it raises."""
        self._store, self._clock = store, clock
        self._tally = Tally(logger, clock, every_s=10.0)
        self._stored: list[str] = []  # that the worker has not been told yet
        self._retry_at_s = 0.0  # monotonic
        self._task: asyncio.Task[None] | None = None

    def take_stored(self) -> tuple[str, ...]:
        """The events whose clips the worker may forget."""
        stored, self._stored = tuple(self._stored), []
        return stored

    def offer(self, clips: Sequence[Clip]) -> None:
        """Store what a report brought, unless the clips before are not done; after a failure not before five seconds passed."""
        if not clips or self._stored or self._clock.monotonic_s() < self._retry_at_s:
            return
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._store_all(clips), name="store-clips")

    async def close(self) -> None:
        """Stop storing; what was not stored is told again."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _store_all(self, clips: Sequence[Clip]) -> None:
        for clip in clips:
            try:
                await self._store(clip)
            except GridpatrolError as error:
                self._tally.warn("clips", f"the clip of event {clip.event} waits with its worker: {error}")
            except Exception:
                logger.exception("the clip of event %s waits with its worker", clip.event)
            else:
                self._stored.append(clip.event)
                continue
            self._retry_at_s = self._clock.monotonic_s() + _RETRY_S
