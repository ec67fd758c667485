"""Backups that failed: `gridpatrol backup` runs by itself, so it leaves a line here, and the running Gridpatrol tells people."""

import asyncio
import logging
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from base import Clock, StorageError
from camera_config.notification_rules import NoticeKind
from fleet.background import in_background
from patrol.notify import Notice
from storage import Store

__all__ = ["backups_watched", "note_failure"]

logger = logging.getLogger(__name__)

_EVERY_S = 60.0
_LETTERS = 500


def note_failure(data: Path, reason: str) -> None:
    """Leave word that a backup failed, for whoever runs on this data folder; a folder that takes none gets none."""
    try:
        _place(data).write_text(reason, "utf-8")
    except OSError as error:
        logger.warning("nobody can be told that the backup failed: %s: %s", _place(data), error.strerror)


def backups_watched(data: Path, store: Store, clock: Clock, every_s: float = _EVERY_S) -> AbstractAsyncContextManager[None]:
    """Within the context, each failure that was left is queued as a notice, once."""
    return in_background(_keep_telling(data, store, clock, every_s), "backups")


async def _keep_telling(data: Path, store: Store, clock: Clock, every_s: float) -> None:
    while True:
        try:
            await asyncio.to_thread(_tell, data, store, clock.now_s())
        except StorageError as error:
            logger.warning("a failed backup is told of later: %s", error)
        except Exception:
            logger.exception("backups: something nobody expected; it goes on")
        await asyncio.sleep(every_s)


def _tell(data: Path, store: Store, now_s: float) -> None:
    place = _place(data)
    if place.exists():
        reason = place.read_text("utf-8", "replace")[:_LETTERS]
        logger.error("the last backup failed: %s", reason)
        store.outgoing.tell(Notice(0, NoticeKind.BACKUP_FAILED, now_s, summary=reason))
        place.unlink()


def _place(data: Path) -> Path:
    return data / "backup-failed.txt"
