"""Limits that change while clocks run: what they have passed is told, dated by the change, and what was undone is told again."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from base import SimulatedClock
from camera_config.desks import Desk, DeskKind
from camera_config.live_site import LiveSite
from camera_config.site import Name, Site
from camera_config.time_limits import Limit, LimitedStep, TimeLimits
from patrol import Happening, Incident, Step
from patrol.referral import ReferralCommand, ReferralStep
from storage import Store
from storage.database import Database
from storage.integrity import check_integrity
from tests.patrol.small_site import LI, NOON_S, command, intrusion, small_site

EVERY_MARK = [Happening.WARNED, Happening.BREACHED, *[Happening.ESCALATED] * 3]


@pytest.fixture
def site() -> LiveSite:
    desk = Desk("mediation", Name("调解", "Mediation"), DeskKind.MEDIATION, receipt_min=30, feedback_min=120)
    return LiveSite.of(replace(small_site(), desks=(desk,), time_limits=acknowledged_within(1800)))


def acknowledged_within(limit_s: float, **more: tuple[float, ...]) -> TimeLimits:
    limits = (Limit((2,), (), {LimitedStep.ACKNOWLEDGE: limit_s, LimitedStep.DISPATCH: 86_400}),)
    return TimeLimits(limits=limits, **more)  # type: ignore[arg-type]  # of shares


def change(site: LiveSite, store: Store, **changes: object) -> None:
    """As a follower does with what an administrator saved."""
    site.take(replace(plain(site), **changes))  # type: ignore[arg-type]  # any field
    store.retime()
    store.desks.retime()


def plain(site: Site) -> Site:
    return Site(**{name: getattr(site, name) for name in Site.__dataclass_fields__})


def marks(store: Store, incident: Incident) -> list[tuple[object, float]]:
    return [(line.step, line.at_s - NOON_S) for line in store.history(incident.id) if line.step in EVERY_MARK]


def test_a_mistyped_limit_can_be_undone(open_store: Callable[[], Store], site: LiveSite, clock: SimulatedClock, url: str) -> None:
    store = open_store()
    [opened] = store.record_events([intrusion(at_s=NOON_S)])
    clock.advance(600)
    change(site, store, time_limits=acknowledged_within(30))
    assert marks(store, opened) == [(step, 600) for step in EVERY_MARK]
    clock.advance(60)
    change(site, store, time_limits=acknowledged_within(1800))
    undone = store.incident(opened.id)
    assert undone is not None and undone.due is not None
    assert (undone.told, undone.due.at_s) == (0, NOON_S + 1800)
    clock.advance(1140)
    store.tell_due()
    assert marks(store, opened)[5:] == [(Happening.WARNED, 1440), (Happening.BREACHED, 1800)]
    clock.step_wall(-900)
    store.close()
    again = open_store()  # which works out all limits anew, and these are the same
    assert again.tell_due() == []
    found = again.incident(opened.id)
    assert found is not None and found.told == 2
    again.close()
    database = Database(url)
    with database.reader.connect() as connection:
        assert check_integrity(connection).differences == ()
    database.close()


def test_escalations_come_when_only_their_shares_were_mistyped(
    open_store: Callable[[], Store], site: LiveSite, clock: SimulatedClock
) -> None:
    store = open_store()
    [opened] = store.record_events([intrusion(at_s=NOON_S)])
    clock.advance(1900)
    store.tell_due()
    change(site, store, time_limits=acknowledged_within(1800, escalate_after=(0.01, 0.02, 0.03)))
    assert marks(store, opened)[2:] == [(Happening.ESCALATED, 1900)] * 3
    change(site, store, time_limits=acknowledged_within(1800))
    clock.advance(86_400)
    store.tell_due()
    assert marks(store, opened)[5:] == [(Happening.ESCALATED, share * 1800) for share in (1.5, 2, 3)]


def test_a_mistyped_limit_of_a_desk_can_be_undone(open_store: Callable[[], Store], site: LiveSite, clock: SimulatedClock) -> None:
    store, desk = open_store(), site.desks[0]
    [opened] = store.record_events([intrusion(at_s=NOON_S)])
    owned = store.apply(command(opened, Step.ACKNOWLEDGE))
    step = ReferralCommand("refer-1", ReferralStep.REFER, LI, "邻里纠纷", incident=owned.id, desk=desk.id)
    sent = store.desks.take(step)
    clock.advance(600)
    change(site, store, desks=(replace(desk, receipt_min=1),))
    told = [(line.step, line.at_s - NOON_S) for line in store.desks.history(sent.id)][1:]
    assert told == [(step, 600) for step in EVERY_MARK]
    change(site, store, desks=(desk,))
    undone = store.desks.referral(sent.id)
    assert undone is not None
    assert (undone.told, undone.due_s) == (0, NOON_S + 1800)
    clock.advance(1200)
    store.desks.tell_due()
    again = [(line.step, line.at_s - NOON_S) for line in store.desks.history(sent.id)][6:]
    assert again == [(Happening.WARNED, 1440), (Happening.BREACHED, 1800)]
