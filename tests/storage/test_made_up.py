"""A missed checkpoint visited after all: its incident closes by itself, or whoever has it is told."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from base import SimulatedClock
from camera_config.round_rules import OpensIncident
from camera_config.site import Site
from camera_config.time_limits import Category
from patrol import SYSTEM, Happening, Incident, Origin, Report, Step, Verdict, Work
from patrol.made_up import LAPSED_CAUSE
from patrol.rounds import Act
from patrol.visits import RoundNow
from storage import RoundFilter, Store
from storage.database import Database
from storage.integrity import check_integrity
from tests.patrol.round_site import asks, inspection, round_site, route
from tests.patrol.small_site import LI, NOON_S, WANG, command

HOUR = 3600.0


@pytest.fixture
def site() -> Site:
    """Every missed checkpoint opens an incident; k5 and k6 are key nodes with one of their own."""
    asked = round_site(route(), inspections=(inspection(),))
    return replace(asked, rounds=replace(asked.rounds, incidents=OpensIncident.ALWAYS))


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(NOON_S - HOUR)


def missed(store: Store, clock: SimulatedClock, checkpoint: str) -> tuple[RoundNow, Incident]:
    """The round of a checkpoint that nobody visited in time, and the incident of that."""
    store.rounds.plan(at_once=True)
    clock.advance(8 * HOUR if checkpoint in ("k5", "k6") else 2 * HOUR)
    store.rounds.keep()
    for walk in store.rounds.rounds(RoundFilter()):
        for entry in walk.entries:
            if entry.act is Act.MISSED and entry.checkpoint == checkpoint:
                incident = store.incident(entry.incident)
                assert incident is not None
                return walk, incident
    raise AssertionError(f"{checkpoint} was not missed")


def visit(store: Store, clock: SimulatedClock, walk: RoundNow, checkpoint: str) -> RoundNow:
    return store.rounds.check_in(asks(walk.planned, checkpoint, by=LI, at_s=clock.now_s()))


def test_a_stop_made_up_late_closes_its_incident_that_nobody_has(store: Store, clock: SimulatedClock, url: str) -> None:
    walk, incident = missed(store, clock, "k5")
    clock.advance(600)
    now = visit(store, clock, walk, "k5")
    [lapsed] = now.incidents
    assert lapsed == store.incident(incident.id)
    assert (lapsed.work, lapsed.verdict, lapsed.cause) == (Work.CLOSED, Verdict.TRUE, LAPSED_CAUSE)
    assert (lapsed.owner, lapsed.due, lapsed.since_s) == (SYSTEM, None, clock.now_s())
    *_, line = store.history(incident.id)
    assert (line.step, line.verdict, line.cause, line.by) == (Happening.LAPSED, Verdict.TRUE, LAPSED_CAUSE, SYSTEM)
    assert "Made up: " in line.text
    store.rounds.keep()
    assert store.rounds.keep().incidents == ()
    store.close()
    database = Database(url)
    with database.reader.connect() as connection:
        assert check_integrity(connection).differences == ()
    database.close()


def test_whoever_has_the_incident_is_told_and_keeps_it(store: Store, clock: SimulatedClock) -> None:
    walk, incident = missed(store, clock, "k5")
    owned = store.apply(command(incident, Step.ACKNOWLEDGE, at_s=clock.now_s()))
    clock.advance(10)
    [told] = visit(store, clock, walk, "k5").incidents
    assert (told.work, told.owner, told.decided, told.version) == (Work.ACKNOWLEDGED, LI, owned.decided, owned.version + 1)
    assert store.history(incident.id)[-1].step is Happening.MADE_UP
    store.apply(command(owned, Step.CLOSE, at_s=clock.now_s()))  # what they were about to do is not stale


def test_an_incident_of_several_stops_waits_for_the_last(store: Store, clock: SimulatedClock) -> None:
    walk, incident = missed(store, clock, "k1")
    names = [entry.checkpoint for entry in walk.entries if entry.act is Act.MISSED]
    for name in names[:-1]:
        [told] = visit(store, clock, walk, name).incidents
        assert told.is_open
    [lapsed] = visit(store, clock, walk, names[-1]).incidents
    assert (lapsed.id, lapsed.is_open) == (incident.id, False)
    steps = [entry.step for entry in store.history(incident.id) if entry.step in (Happening.MADE_UP, Happening.LAPSED)]
    assert steps == [Happening.MADE_UP] * (len(names) - 1) + [Happening.LAPSED]


def test_a_stop_missed_after_that_is_another_matter(store: Store, clock: SimulatedClock) -> None:
    store.rounds.plan(at_once=True)
    walk = store.rounds.rounds(RoundFilter(source="r1"))[-1]
    first, *_, last = walk.planned.stops
    clock.advance(first.until_s + 1 - clock.now_s())
    [incident] = store.rounds.keep().incidents
    visit(store, clock, walk, first.checkpoint)
    clock.advance(last.until_s + 1 - clock.now_s())
    opened = {each.id for each in store.rounds.keep().incidents}
    assert len(opened) == 1
    assert incident.id not in opened


def test_what_was_merged_into_it_stays_open(store: Store, clock: SimulatedClock) -> None:
    walk, incident = missed(store, clock, "k5")
    call = Report("call", Origin.HOTLINE, Category.HELP, 3, WANG, clock.now_s(), "门没锁", grid_cell=incident.grid_cell)
    other = store.report(call)
    store.merge(command(other, Step.MERGE, WANG, clock.now_s(), other=incident.id))
    [told] = visit(store, clock, walk, "k5").incidents
    assert (told.id, told.work) == (incident.id, Work.NEW)


def test_the_incident_it_was_merged_into_is_told(open_store: Callable[[], Store], clock: SimulatedClock) -> None:
    store = open_store()
    walk, incident = missed(store, clock, "k5")
    other = store.report(Report("r", Origin.HOTLINE, Category.HELP, 3, WANG, clock.now_s(), "来电", grid_cell="g1"))
    store.merge(command(incident, Step.MERGE, at_s=clock.now_s(), other=other.id))
    [told] = visit(store, clock, walk, "k5").incidents
    assert (told.id, told.is_open) == (other.id, True)
