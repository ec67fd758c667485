"""The clocks of incidents, rounds and referrals: what falls due is written down and told to the pages, every second."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from base import StorageError
from dashboard import Updates, announce_incident, announce_round
from storage import Store

__all__ = ["clocks_running"]

logger = logging.getLogger(__name__)

_EVERY_S = 1.0


@asynccontextmanager
async def clocks_running(store: Store, updates: Updates, every_s: float = _EVERY_S) -> AsyncIterator[None]:
    """Within the context, tell what falls due. What fell due before, while nothing ran, is told first.

    A database that refuses is asked again; nothing is lost by that, for what was told is stored with the incident or the round.
    """
    task = asyncio.create_task(_keep_telling(store, updates, every_s), name="clocks")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _keep_telling(store: Store, updates: Updates, every_s: float) -> None:
    failing = False
    while True:
        try:
            while due := await asyncio.to_thread(store.tell_due):
                for incident in due:
                    announce_incident(updates, incident)
            await asyncio.to_thread(store.desks.tell_due)
            told = await asyncio.to_thread(store.rounds.keep)
            for incident in told.incidents:
                announce_incident(updates, incident)
            for each in told.rounds:
                announce_round(updates, each)
            if failing:
                logger.info("clocks go on")
            failing = False
        except StorageError as error:
            if not failing:
                logger.error("clocks stand still: %s", error)
            failing = True
        except Exception:
            logger.exception("clocks: something nobody expected; they go on")
        await asyncio.sleep(every_s)
