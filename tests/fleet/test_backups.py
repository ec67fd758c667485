"""A backup that failed is told of once, by whoever runs on the data folder."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from base import SimulatedClock
from fleet.backups import backups_watched, note_failure
from storage import Store
from storage.database import Database
from storage.tables import notices
from tests.patrol.small_site import NOON_S, small_site


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


def test_a_failure_becomes_one_notice(tmp_path: Path) -> None:
    clock, url = SimulatedClock(NOON_S), f"sqlite:///{tmp_path}/gridpatrol.db"
    store = Store.open(url, clock, small_site())

    async def run() -> None:
        async with backups_watched(tmp_path, store, clock, every_s=0.01):
            note_failure(tmp_path, "/backups/1.tar: the disk is full")
            await until(lambda: not (tmp_path / "backup-failed.txt").exists())
            note_failure(tmp_path, "/backups/2.tar: the disk is full")
            await until(lambda: not (tmp_path / "backup-failed.txt").exists())

    asyncio.run(run())
    store.close()
    database = Database(url)
    with database.reader.connect() as connection:
        found = connection.execute(notices.select().order_by(notices.c.id)).all()
    database.close()
    assert [row.kind for row in found] == ["backup_failed"] * 2
    assert [row.payload["summary"] for row in found] == [f"/backups/{n}.tar: the disk is full" for n in (1, 2)]


def test_a_folder_that_takes_no_word_gets_none(tmp_path: Path) -> None:
    note_failure(tmp_path / "missing", "full")
    assert not (tmp_path / "missing").exists()
