"""Outages of switches, proposed stops and lost time, on both databases."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import text

from base import CameraStatus, EventKind, Gap, GapCause, Health, Quality, SimulatedClock, TransitionError, Watched, WatchRun
from base.records import Advice
from camera_config.site import Site
from patrol import SYSTEM, Step
from patrol.coverage_causes import SwitchLost
from patrol.coverage_history import LossInterval
from patrol.coverage_patrol import PatrolSpot
from storage import ProposalState, Store
from storage.database import Database
from storage.integrity import check_integrity
from storage.schema import downgrade, upgrade
from tests.patrol.small_site import LI, NOON_S, command, intrusion, small_site

SWITCH = SwitchLost("switch-1", ("c1", "c2", "c3"), NOON_S)
SPOT = PatrolSpot("g1", (120.002, 30.002), 44.0, ("gate:g", "lane"))


@pytest.fixture
def site() -> Site:
    return small_site()


def lost(camera: str, at_s: float = NOON_S) -> dict[str, object]:
    return {"camera": camera, "at_s": at_s, "kind": EventKind.VIDEO_LOSS, "severity": 3, "label": "", "rule": "lost"}


def sound(url: str) -> bool:
    database = Database(url)
    with database.reader.connect() as connection:
        found = check_integrity(connection)
    database.close()
    assert found.differences == ()
    return found.is_sound


def test_every_incident_of_an_outage_follows_from_its_history(store: Store, clock: SimulatedClock, url: str) -> None:
    [early] = store.record_events([intrusion(**lost("c1"))])  # type: ignore[arg-type]  # as named there
    [parent, merged] = store.coverage.begin_outage(SWITCH)
    assert (merged.id, merged.duplicate_of) == (early.id, parent.id) and parent.event_count == 1
    assert store.coverage.begin_outage(SWITCH) == [], "known already"
    clock.advance(61)
    [late, other] = store.record_events([intrusion(**lost("c2", clock.now_s())), intrusion("c2", clock.now_s())])  # type: ignore[arg-type]
    assert late.id == parent.id and other.id != parent.id, "only what is about the camera itself is suppressed"
    assert sound(url)
    clock.advance(60)
    [ended] = store.coverage.end_outage("switch-1")
    assert (ended.is_open, ended.cause) == (False, "recovered") and store.coverage.end_outage("switch-1") == []
    [alone] = store.record_events([intrusion(**lost("c3", clock.now_s()))])  # type: ignore[arg-type]
    assert alone.id != parent.id
    assert sound(url)


def test_an_incident_of_a_switch_that_somebody_closed_suppresses_nothing_more(store: Store, clock: SimulatedClock) -> None:
    [parent] = store.coverage.begin_outage(SWITCH)
    store.apply(command(parent, Step.CLOSE, LI, clock.now_s()))
    [apart] = store.record_events([intrusion(**lost("c1"))])  # type: ignore[arg-type]
    assert apart.id != parent.id
    assert store.coverage.end_outage("switch-1") == [], "it stays closed as it was"


def test_one_proposal_for_a_cell_until_it_is_withdrawn(store: Store, clock: SimulatedClock) -> None:
    store.coverage.propose([SPOT])
    store.coverage.propose([replace(SPOT, important_m2=99.0), replace(SPOT, grid_cell="g2", place=(120.007, 30.002))])
    first, second = store.coverage.proposals()
    assert [first.grid_cell, second.grid_cell] == ["g1", "g2"] and "44 m²" in first.why
    made = store.coverage.accept(first.id, LI)
    assert made is not None and made.stop
    store.coverage.withdraw(["g1", "g2"])
    assert store.coverage.proposals() == []
    called_off = store.rounds.temporary_stop(made.stop)
    assert called_off is not None and called_off.withdrawn_by == SYSTEM.name
    gone = store.coverage.proposal(second.id)
    assert gone is not None and (gone.state, gone.withdrawn_s) == (ProposalState.WITHDRAWN, clock.now_s())
    with pytest.raises(TransitionError, match="see this place again"):
        store.coverage.accept(second.id, LI)
    assert store.coverage.accept("0" * 36, LI) is None
    store.coverage.propose([SPOT])
    assert [each.grid_cell for each in store.coverage.proposals()] == ["g1"], "lost again, proposed again"


def test_lost_time_comes_from_every_ledger_and_each_second_counts_once(store: Store, clock: SimulatedClock) -> None:
    store.coverage.switch_off(["c4"])
    store.record_gaps([Gap("c1", NOON_S + 10, NOON_S + 40, GapCause.STALL), Gap("c2", NOON_S, NOON_S + 20, GapCause.WORKER)])
    store.record_watch_runs([WatchRun("c1", NOON_S, None, Watched.BUDGET), WatchRun("c1", NOON_S + 60, None, Watched.QUIET)])
    states = ((Health.ONLINE, 0, ()), (Health.DEGRADED, 30, (Advice.PACKET_LOSS,)), (Health.ONLINE, 50, ()))
    for health, after_s, advice in states:
        status = CameraStatus("c2", health, Quality.POOR, NOON_S + after_s, NOON_S, advice=advice)
        store.record_statuses([status])
    [turned] = store.record_events([intrusion("c3", NOON_S + 30, kind=EventKind.SCENE_CHANGED, began_s=NOON_S + 30)])
    assert {camera: loss.value for camera, loss in store.coverage.troubles().items()} == {"c3": "unverified"}
    clock.advance(70)
    store.apply(command(turned, Step.CLOSE, LI, clock.now_s()))
    store.coverage.switch_off([])
    assert store.coverage.troubles() == {}
    clock.advance(30)

    def lasted(camera: str, cause: str, began_s: float, ended_s: float) -> LossInterval:
        return LossInterval(camera, cause, NOON_S + began_s, NOON_S + ended_s)

    assert store.coverage.losses(NOON_S + 5, NOON_S + 1000) == [
        lasted("c1", "budget", 5, 10),
        lasted("c1", "offline", 10, 40),
        lasted("c1", "budget", 40, 60),
        lasted("c2", "not_watched", 5, 20),
        lasted("c2", "degraded", 30, 50),
        lasted("c3", "unverified", 30, 70),
        lasted("c4", "disabled", 5, 70),
    ]
    assert store.coverage.losses(NOON_S + 80, NOON_S + 90) == []


def test_a_gap_is_its_switchs_for_as_long_as_that_was_down(store: Store, clock: SimulatedClock) -> None:
    store.coverage.begin_outage(SWITCH)
    store.record_gaps([Gap("c1", NOON_S, None, GapCause.STALL), Gap("c4", NOON_S, None, GapCause.STALL)])
    clock.advance(100)
    store.coverage.end_outage("switch-1")
    clock.advance(50)
    found = [(each.camera, each.cause, each.seconds) for each in store.coverage.losses(NOON_S, NOON_S + 1e6)]
    assert found == [("c1", "uplink:switch-1", 100), ("c1", "offline", 50), ("c4", "offline", 150)]


def test_the_tables_go_down_and_up_with_data(open_store: Callable[[], Store], url: str) -> None:
    store = open_store()
    [parent] = store.coverage.begin_outage(SWITCH)
    store.coverage.propose([SPOT])
    store.coverage.switch_off(["c4"])
    store.close()
    database = Database(url)
    with database.connect_writer() as connection:
        with connection.begin():
            downgrade(connection, "0013")
        with connection.begin():
            assert connection.execute(text("SELECT count(*) FROM incidents")).scalar() == 1
        with connection.begin():
            upgrade(connection)
    database.close()
    again = open_store()
    assert again.incident(parent.id) == parent
    assert (again.coverage.outages(), again.coverage.proposals()) == ([], [])
