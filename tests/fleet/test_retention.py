"""The hourly deletion runs beside everything else, and a database that refuses does not end it."""

import asyncio
import logging
from collections.abc import Callable
from typing import cast

import pytest

from base import StorageError
from fleet.retention import retention_running
from storage import Store


class Refusing:
    """Stands in for a store whose first run fails, and whose second one has three batches to delete."""

    def __init__(self) -> None:
        self.retention = self.clips = self
        self.runs = self.batches = self.cleared = 0

    def begin(self) -> None:
        self.runs += 1
        if self.runs == 1:
            raise StorageError("the disk is full; free some space")

    def delete_some(self) -> bool:
        self.batches += 1
        return self.batches <= 3

    def end(self) -> dict[str, int]:
        return {"snapshots": 3}

    def clear_away(self) -> None:
        self.cleared += 1


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


def test_it_goes_on_after_a_refusal_and_says_what_it_deleted(caplog: pytest.LogCaptureFixture) -> None:
    store = Refusing()

    async def run() -> None:
        async with retention_running(cast(Store, store), first_s=0.0, every_s=0.01):
            await until(lambda: store.runs >= 3)

    with caplog.at_level(logging.INFO, "fleet.retention"):
        asyncio.run(run())
    said = [record.message for record in caplog.records]
    assert said[:2] == [
        "retention stands still until its next run: the disk is full; free some space",
        "too old, deleted: 3 snapshots",
    ]
    assert store.batches >= 4 and store.cleared >= 1
