"""The clocks of incidents, rounds and referrals: what falls due is written down and told to the pages, every second."""

import asyncio
import logging
from contextlib import AbstractAsyncContextManager

from base import StorageError
from dashboard import Updates, announce_handover, announce_incident, announce_referral, announce_round
from fleet.background import in_background
from patrol import Incident
from patrol.referral import Referral
from storage import Store

__all__ = ["clocks_running"]

logger = logging.getLogger(__name__)

_EVERY_S = 1.0


def clocks_running(store: Store, updates: Updates, every_s: float = _EVERY_S) -> AbstractAsyncContextManager[None]:
    """Within the context, tell what falls due. What fell due before, while nothing ran, is told first.

    A database that refuses is asked again; nothing is lost by that, for what was told is stored with the incident or the round.
    """
    return in_background(_keep_telling(store, updates, every_s), "clocks")


async def _keep_telling(store: Store, updates: Updates, every_s: float) -> None:
    failing = False
    while True:
        try:
            while due := await asyncio.to_thread(store.tell_due):
                for incident in due:
                    announce_incident(updates, incident)
            for referral, incident in await asyncio.to_thread(_referrals_due, store):
                announce_referral(updates, referral, incident)
            told = await asyncio.to_thread(store.rounds.keep)
            for incident in told.incidents:
                announce_incident(updates, incident)
            for each in told.rounds:
                announce_round(updates, each)
            for incident in await asyncio.to_thread(store.dispatch.keep):
                announce_incident(updates, incident)
            if missing := await asyncio.to_thread(store.handovers.tell_due):
                announce_handover(updates, missing)
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


def _referrals_due(store: Store) -> list[tuple[Referral, Incident]]:
    """What fell due at desks, each with its incident: who may see that may see the referral."""
    found = ((referral, store.incident(referral.incident)) for referral in store.desks.tell_due())
    return [(referral, incident) for referral, incident in found if incident is not None]
