"""The task that tells what falls due: it announces, survives a database that is away, and ends when asked."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from base import SimulatedClock, StorageError
from camera_config.desks import Desk, DeskKind
from camera_config.site import Name
from dashboard import Updates
from dashboard.updates import Audience
from fleet.clocks import clocks_running
from patrol import Incident, Step
from patrol.referral import ReferralCommand, ReferralStep
from storage import Store
from tests.patrol.small_site import LI, NOON_S, command, intrusion, small_site


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


def test_a_late_desk_reaches_the_pages_that_may_see_the_incident(tmp_path: Path) -> None:
    clock = SimulatedClock(NOON_S)
    desk = Desk("mediation", Name("调解", "Mediation"), DeskKind.MEDIATION, receipt_min=30)
    store = Store.open(f"sqlite:///{tmp_path}/gridpatrol.db", clock, replace(small_site(), desks=(desk,)))
    [incident] = store.record_events([intrusion("c1")])
    store.apply(command(incident, Step.ACKNOWLEDGE))
    asked = ReferralCommand(
        "0199a3c2-7b1e-7c3a-9d52-3f6b1a2c4d5e", ReferralStep.REFER, LI, "x", incident=incident.id, desk="mediation"
    )
    sent = store.desks.take(asked)
    clock.advance(1800)

    async def watch() -> tuple[list[Any], list[str]]:  # Any: JSON of updates
        updates = Updates()
        areas = (None, store.area(("g1",)), store.area(("g2",)))
        whole, near, far = (updates.subscribe(Audience(area=area), "s")[0] for area in areas)
        async with clocks_running(store, updates, every_s=0.01):
            told = []
            for page in (whole, near):
                while (message := json.loads(await asyncio.wait_for(page.queue.get(), 20)))["type"] != "referral":
                    pass
                told.append(message["referral"])
        return told, [far.queue.get_nowait() for _ in range(far.queue.qsize())]

    told, elsewhere = asyncio.run(watch())
    assert [(each["id"], each["told"], each["state"]) for each in told] == [(sent.id, 2, "sent")] * 2
    assert elsewhere == []
    store.close()
