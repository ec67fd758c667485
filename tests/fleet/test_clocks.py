"""The task that tells what falls due: it announces, survives a database that is away, and ends when asked."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from base import SimulatedClock, StorageError
from dashboard import Updates
from dashboard.updates import Audience
from fleet.clocks import clocks_running
from patrol import Incident
from storage import Store
from tests.patrol.small_site import NOON_S, intrusion, small_site


class ShakyStore(Store):
    """A real store whose database is away for the first two questions."""

    refusals = 2

    def tell_due(self) -> list[Incident]:
        if self.refusals:
            self.refusals -= 1
            raise StorageError("the disk is full; free some space")
        return super().tell_due()


def test_breaches_reach_the_pages_once_though_the_database_was_away(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    clock = SimulatedClock(NOON_S)
    store = ShakyStore.open(f"sqlite:///{tmp_path}/gridpatrol.db", clock, small_site())
    [incident] = store.record_events([intrusion()])
    clock.advance(100)

    async def watch() -> list[Any]:  # Any: JSON of updates
        updates = Updates()
        page, _ = updates.subscribe(Audience(), "s")
        async with clocks_running(store, updates, every_s=0.01):
            first = json.loads(await asyncio.wait_for(page.queue.get(), 20))["incident"]
            clock.advance(1000)
            second = json.loads(await asyncio.wait_for(page.queue.get(), 20))["incident"]
            async with asyncio.timeout(20):
                while "clocks go on" not in caplog.text:
                    await asyncio.sleep(0.01)
        return [first, second, page.queue.qsize()]

    with caplog.at_level("INFO"):
        told, more, left = asyncio.run(watch())
    assert (told["id"], told["told"], more["told"], left) == (incident.id, 2, 5, 0)
    said = [record.getMessage() for record in caplog.records if record.name == "fleet.clocks"]
    assert said == ["clocks stand still: the disk is full; free some space", "clocks go on"]
    store.close()
