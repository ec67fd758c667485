"""The background of retention: once an hour, what is too old is deleted a little at a time, so that nobody waits for it."""

import asyncio
import logging
from contextlib import AbstractAsyncContextManager

from base import StorageError
from fleet.background import in_background
from storage import Store

__all__ = ["retention_running"]

logger = logging.getLogger(__name__)

_FIRST_S = 60.0
_EVERY_S = 3600.0
_PAUSE_S = 0.1
"""Between two batches: events and steps go first."""


def retention_running(store: Store, first_s: float = _FIRST_S, every_s: float = _EVERY_S) -> AbstractAsyncContextManager[None]:
    """Within the context, delete what is older than the site wants it kept: `first_s` after the start, then every `every_s`.

    A database that refuses is asked again at the next run; what was deleted until then stays deleted and is accounted for then.
    """
    return in_background(_keep_deleting(store, first_s, every_s), "retention")


async def _keep_deleting(store: Store, first_s: float, every_s: float) -> None:
    await asyncio.sleep(first_s)
    while True:
        try:
            await asyncio.to_thread(store.retention.begin)
            while await asyncio.to_thread(store.retention.delete_some):  # noqa: ASYNC110  it does something each time
                await asyncio.sleep(_PAUSE_S)
            deleted = await asyncio.to_thread(store.retention.end)
            if deleted:
                logger.info("too old, deleted: %s", ", ".join(f"{count} {table}" for table, count in sorted(deleted.items())))
            await asyncio.to_thread(store.clips.clear_away)
        except StorageError as error:
            logger.error("retention stands still until its next run: %s", error)
        except Exception:
            logger.exception("retention: something nobody expected; it goes on with its next run")
        await asyncio.sleep(every_s)
