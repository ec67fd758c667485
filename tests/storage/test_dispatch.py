"""A rule that found nobody sends the first team that becomes free or comes on shift, once, and nothing that people put off."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from base import SimulatedClock
from camera_config.dispatch_rules import Automatic, DispatchRules, Matter
from camera_config.schedule import Schedule
from camera_config.site import Site
from patrol import SYSTEM, Incident, Step, Work
from storage import Store
from tests.patrol.small_site import LI, NOON_S, command, intrusion, small_site, team_actor

URGENT = Automatic("urgent", Matter((1, 2)), Schedule.parse("11:00-23:00"))


@pytest.fixture
def site() -> Site:
    """Only t5 works at noon; the others come at one."""
    shifts = dict.fromkeys(("t1", "t2", "t3", "t4"), "13:00-14:00")
    return replace(small_site(shifts), dispatch=DispatchRules(automatic=(URGENT,)))


def opened(store: Store, camera: str = "c1", severity: int = 2, at_s: float = NOON_S) -> Incident:
    [incident] = store.record_events([intrusion(camera, at_s, severity=severity)])
    return incident


def busy(store: Store) -> Incident:
    """t5 is sent to something of its own cell by the rule, as it opens."""
    incident = opened(store, "c4")
    assert (incident.work, incident.team) == (Work.DISPATCHED, "t5")
    return incident


def test_a_team_that_comes_on_shift_is_sent_once(open_store: Callable[[], Store], clock: SimulatedClock) -> None:
    store = open_store()
    busy(store)
    waiting = opened(store)
    assert waiting.work is Work.NEW
    assert store.dispatch.keep() == []
    clock.advance(3600)
    store.tell_due()
    [sent] = store.dispatch.keep()
    assert (sent.id, sent.work, sent.team) == (waiting.id, Work.DISPATCHED, "t1")
    *_, line = store.history(waiting.id)
    assert (line.step, line.by, line.text) == (Step.DISPATCH, SYSTEM, "automatic dispatch by the rule urgent")
    assert store.dispatch.keep() == []
    store.close()
    assert open_store().dispatch.keep() == []


def test_a_team_that_becomes_free_goes_to_the_most_severe_that_waits(store: Store, clock: SimulatedClock) -> None:
    mine = busy(store)
    second, first = opened(store, "c2"), opened(store, "c3", severity=1)
    assert first.proposal is not None
    assert first.proposal.preempts == mine.number  # a person may call it away, a rule does not
    assert store.dispatch.keep() == []
    store.apply(command(mine, Step.REFUSE, team_actor("t5"), clock.now_s(), text="远"))
    [sent] = store.dispatch.keep()
    assert (sent.id, sent.team) == (first.id, "t5")
    store.apply(command(sent, Step.REFUSE, LI, clock.now_s()))
    assert [incident.id for incident in store.dispatch.keep()] == [second.id]  # never again to what it refused
    assert store.dispatch.keep() == []


def test_what_somebody_put_off_or_no_rule_covers_waits_for_people(store: Store, clock: SimulatedClock) -> None:
    busy(store)
    shelved, paused, mild = opened(store, "c1"), opened(store, "c2"), opened(store, "c3", severity=3)
    store.apply(command(shelved, Step.SHELVE, at_s=clock.now_s()))
    owned = store.apply(command(paused, Step.ACKNOWLEDGE, at_s=clock.now_s()))
    paused = store.apply(command(owned, Step.PAUSE, at_s=clock.now_s()))
    clock.advance(3650)
    assert store.dispatch.keep() == []
    now = store.incident(paused.id)
    assert now is not None
    store.apply(command(now, Step.RESUME, at_s=clock.now_s()))
    assert [incident.id for incident in store.dispatch.keep()] == [paused.id]
    store.tell_due()  # the shelf is over
    assert [incident.id for incident in store.dispatch.keep()] == [shelved.id]
    assert store.incident(mild.id) is not None
    assert [incident.id for incident in store.incidents() if incident.work is Work.NEW] == [mild.id]


def test_outside_of_its_hours_a_rule_sends_nobody(store: Store, clock: SimulatedClock) -> None:
    clock.advance(11.5 * 3600)
    late = opened(store, "c4", at_s=clock.now_s())
    assert late.work is Work.NEW
    assert store.dispatch.keep() == []
    clock.advance(12 * 3600)
    assert [incident.id for incident in store.dispatch.keep()] == [late.id]
