"""What is deleted when, what is never deleted, and that deleting is accounted for and stays out of everybody's way."""

import dataclasses
import logging
from collections.abc import Callable

import pytest
from sqlalchemy import text

from base import CameraStatus, Gap, GapCause, Health, Quality, SimulatedClock, StorageError
from camera_config.retention_rules import Keep, RetentionRules
from camera_config.site import Site
from patrol import CommandError, Incident, Step
from storage import Hold, Store
from storage.database import Database
from storage.integrity import check_integrity
from tests.patrol.small_site import LI, command, intrusion, small_site

DAY_S = 86_400.0
RULES = RetentionRules(
    pictures=Keep(2, 10),
    events=Keep(5, 20),
    incidents=Keep(10, 40),
    rounds=Keep(10, 40),
    audit=Keep(10, 60),
    health=Keep(5, 30),
    pictures_max_gb=1.0,
)


@pytest.fixture
def site() -> Site:
    return dataclasses.replace(small_site(), retention=RULES)


def matter(store: Store, clock: SimulatedClock, closed: bool = True, **changes: object) -> Incident:
    """An incident of one event with a picture, of a camera in turn so that they do not join."""
    clock.advance(600.0)
    [incident] = store.record_events([intrusion("c1", clock.now_s(), **changes)])
    return store.apply(command(incident, Step.CLOSE, LI, clock.now_s())) if closed else incident


def run(store: Store, clock: SimulatedClock, days: float = 0.0) -> dict[str, int]:
    """Let `days` go by with a run on each, as they happen; what all of them deleted, by table."""
    total: dict[str, int] = {}
    for each in [*[1.0] * int(days), days - int(days)]:
        clock.advance(each * DAY_S)
        store.retention.begin()
        while store.retention.delete_some():
            pass
        for table, count in store.retention.end().items():
            total[table] = total.get(table, 0) + count
    return total


def has_picture(store: Store, incident: Incident) -> bool:
    return store.snapshot(incident.best_event) is not None


def test_pictures_go_before_events_and_events_before_incidents(store: Store, clock: SimulatedClock) -> None:
    incident, last = matter(store, clock), matter(store, clock)
    run(store, clock)
    assert run(store, clock, 9.5) == {}
    assert has_picture(store, incident)
    assert run(store, clock, 1) == {"snapshots": 2}
    assert store.snapshot(incident.best_event) is None
    assert [event.id for event in store.events(incident.id)] == [incident.best_event]
    assert run(store, clock, 10) == {"events": 2}
    assert store.events(incident.id) == []
    assert [entry.step for entry in store.history(incident.id)] == ["opened", "close"]
    gone = run(store, clock, 20)
    assert gone["incidents"] == 1
    assert gone["history"] == 2
    assert store.incident(incident.id) is None
    assert store.history(incident.id) == []
    assert store.incident(last.id) is not None, "the newest stays: numbers are counted from it"
    assert matter(store, clock).number == last.number + 1


def test_an_incident_that_is_deleted_takes_everything_with_it(store: Store, clock: SimulatedClock, url: str) -> None:
    incident = matter(store, clock, closed=False)
    incident = store.apply(command(incident, Step.ACKNOWLEDGE, LI, clock.now_s()))
    clock.advance(10 * DAY_S)
    store.tell_due()  # breaches, with notices
    incident = store.incident(incident.id) or incident
    store.apply(command(incident, Step.CLOSE, LI, clock.now_s()))
    matter(store, clock)
    gone = run(store, clock, 45)
    assert {"incidents", "events", "snapshots", "history", "commands", "notices"} <= gone.keys()
    database = Database(url)
    with database.reader.connect() as reader:
        found = check_integrity(reader)
        assert found.is_sound, found
        assert reader.execute(text("SELECT deleting FROM retention")).scalar() in (False, 0)
    database.close()


def test_open_incidents_stay_whole_however_old(store: Store, clock: SimulatedClock) -> None:
    incident = matter(store, clock, closed=False)
    matter(store, clock)
    run(store, clock, 100)
    assert has_picture(store, incident)
    assert len(store.events(incident.id)) == 1


def test_a_legal_hold_keeps_all_that_belongs_to_an_incident(store: Store, clock: SimulatedClock) -> None:
    held, other, _ = matter(store, clock), matter(store, clock), matter(store, clock)
    hold = Hold("h" * 36, held.id, "case 2026-117", LI.name, clock.now_s())
    assert store.retention.add_hold(hold, LI) == hold
    assert store.retention.add_hold(hold, LI) == hold, "the same id again changes nothing"
    assert run(store, clock, 100)["incidents"] == 1
    assert store.incident(other.id) is None
    assert has_picture(store, held)
    assert [entry.step for entry in store.history(held.id)] == ["opened", "close"]
    about = [row.action for row in store.audit_rows(1000) if row.resource == f"incident/{held.id}"]
    assert about == ["hold", "close"], "its audit stays, too"
    assert store.retention.holds() == [hold]
    lifted = store.retention.lift_hold(hold.id, LI)
    assert lifted is not None
    assert lifted.lifted_by == LI.name
    assert store.retention.lift_hold(hold.id, LI) == lifted
    assert store.retention.holds() == []
    assert run(store, clock, 1)["incidents"] == 1
    assert store.incident(held.id) is None
    assert store.retention.lift_hold("x" * 36, LI) is None


def test_a_hold_ends_by_itself(store: Store, clock: SimulatedClock) -> None:
    held, _ = matter(store, clock), matter(store, clock)
    store.retention.add_hold(Hold("h" * 36, held.id, "case", LI.name, clock.now_s(), clock.now_s() + 50 * DAY_S), LI)
    run(store, clock, 49)
    assert has_picture(store, held)
    run(store, clock, 2)
    assert store.incident(held.id) is None


def test_what_a_hold_must_not_be(store: Store, clock: SimulatedClock) -> None:
    incident = matter(store, clock)
    hold = Hold("h" * 36, incident.id, "case", LI.name, clock.now_s())
    store.retention.add_hold(hold, LI)
    for wrong, sentence in (
        (dataclasses.replace(hold, reason="another"), "already used for another hold"),
        (dataclasses.replace(hold, id="i" * 36, reason=" "), "a hold needs one"),
        (dataclasses.replace(hold, id="i" * 36, reason="x" * 501), "at most 500"),
        (dataclasses.replace(hold, id="i" * 36, until_s=clock.now_s()), "expected a time to come"),
    ):
        with pytest.raises(CommandError, match=sentence):
            store.retention.add_hold(wrong, LI)
    with pytest.raises(Exception, match="there is no incident"):
        store.retention.add_hold(dataclasses.replace(hold, id="i" * 36, incident="z" * 36), LI)


def test_an_incident_merged_into_a_held_one_is_held_with_it(store: Store, clock: SimulatedClock) -> None:
    target, source = matter(store, clock, closed=False), matter(store, clock, closed=False)
    grown = store.merge(command(source, Step.MERGE, LI, clock.now_s(), other=target.id))
    store.apply(command(grown, Step.CLOSE, LI, clock.now_s()))
    matter(store, clock)
    store.retention.add_hold(Hold("h" * 36, target.id, "case", LI.name, clock.now_s()), LI)
    run(store, clock, 100)
    assert [entry.step for entry in store.history(source.id)] == ["opened", "merge"]
    assert len(store.events(target.id)) == 2


def test_too_many_pictures_go_by_severity_then_age_but_not_before_their_time(
    url: str, clock: SimulatedClock, site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    store = Store.open(url, clock, dataclasses.replace(site, retention=dataclasses.replace(RULES, pictures_max_gb=0.002)))
    picture = b"x" * 1_000_000
    matters = [matter(store, clock, severity=severity, snapshot_jpeg=picture) for severity in (1, 4, 3, 4)]
    clock.advance(1800.0)
    with caplog.at_level(logging.WARNING):
        assert run(store, clock) == {}
    assert "must not be deleted yet" in caplog.text
    assert all(has_picture(store, each) for each in matters)
    assert run(store, clock, 3) == {"snapshots": 2}
    assert [has_picture(store, each) for each in matters] == [True, False, True, False]
    store.close()


def test_health_audit_and_gaps_grow_old_but_the_newest_of_each_camera_stays(store: Store, clock: SimulatedClock) -> None:
    for health in (Health.ONLINE, Health.OFFLINE, Health.ONLINE):
        clock.advance(60)
        store.record_statuses([CameraStatus(name, health, Quality.EXCELLENT, clock.now_s(), None) for name in ("c1", "c2")])
        began_s = clock.now_s()
        store.record_gaps([Gap(name, began_s, began_s + 10, GapCause.SITE_STOPPED) for name in ("c1", "c2")])
    store.audit(LI, "look", "somewhere")
    gone = run(store, clock, 70)
    assert (gone["health"], gone["gaps"]) == (4, 4)
    assert [change.health for change in store.health_changes("c1")] == [Health.ONLINE]
    assert len(store.gaps("c2", 0.0)) == 1
    assert {row.action for row in store.audit_rows()} == {"delete_old"}, "that it was deleted is still known"


def test_what_was_deleted_is_in_the_audit_even_if_the_run_did_not_end(
    open_store: Callable[[], Store], clock: SimulatedClock
) -> None:
    store = open_store()
    matter(store, clock)
    run(store, clock)
    for _ in range(11):
        clock.advance(DAY_S)
        store.retention.begin()
    assert store.retention.delete_some()
    store.close()  # killed, as it were
    store = open_store()
    assert run(store, clock) == {"snapshots": 1}
    assert [row.detail for row in store.audit_rows() if row.action == "delete_old"] == ["1 snapshots"]


def test_a_clock_that_jumps_ahead_does_not_delete_everything(
    store: Store, clock: SimulatedClock, caplog: pytest.LogCaptureFixture
) -> None:
    incident = matter(store, clock)
    run(store, clock)
    clock.advance(3650 * DAY_S)
    with caplog.at_level(logging.WARNING):
        assert run(store, clock) == {}
    assert "lags 3649 days behind the clock" in caplog.text
    clock.step_wall(-3650 * DAY_S)
    assert run(store, clock, 9) == {}
    assert has_picture(store, incident)


def test_nobody_else_can_delete_what_is_only_added_to(store: Store, clock: SimulatedClock, url: str) -> None:
    matter(store, clock)
    run(store, clock, 1)
    database = Database(url)
    for table in ("history", "audit", "round_entries", "referral_entries", "code_attempts", "handovers"):
        with database.writer.connect() as connection, pytest.raises(Exception, match="append-only"):
            if connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 0:
                raise StorageError("append-only, as far as an empty table can show it")
            connection.execute(text(f"DELETE FROM {table}"))
    database.close()
