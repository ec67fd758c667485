"""History is the truth of each incident: what is stored follows from it over random days, and what was tampered with is found."""

import dataclasses
import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import Connection, text

from base import SimulatedClock
from camera_config.site import Site
from patrol import Step, Verdict
from patrol.rebuild import BrokenHistory, rebuild
from storage import Store
from storage.database import Database
from storage.integrity import check_integrity
from tests.patrol.small_site import LI, command, intrusion, team_actor
from tests.storage.test_incident_machine import IncidentMachine

EXAMPLES = int(os.environ.get("GRIDPATROL_EXAMPLES", "12"))


@pytest.fixture
def connection(url: str, store: Store) -> Iterator[Connection]:
    """A second connection that writes; the store is idle while it is used."""
    database = Database(url)
    with database.writer.connect() as connection:
        yield connection
    database.close()


def test_over_random_days_every_incident_follows_from_its_history(
    url: str, open_store: Callable[[], Store], clock: SimulatedClock
) -> None:
    stores = [open_store()]

    def reopen() -> Store:
        stores[-1].close()
        stores.append(open_store())
        return stores[-1]

    class Checked(IncidentMachine):
        def teardown(self) -> None:
            database = Database(url)
            with database.reader.connect() as reader:
                found = check_integrity(reader)
            database.close()
            super().teardown()
            assert found.differences == ()
            assert found.is_sound
            assert found.incidents == len(stores[-1].incidents("all", 1_000_000))

    run_state_machine_as_test(
        lambda: Checked(reopen, clock, stores),  # type: ignore[arg-type]  # it calls what it is given, a class or not
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=50,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def lived(store: Store, clock: SimulatedClock) -> str:
    """The id of an incident that went all the way, after a refusal and with three events."""
    [incident] = store.record_events([intrusion("c1", clock.now_s())])
    for team in ("t1", "t2"):
        if incident.owner is None:
            incident = store.apply(command(incident, Step.ACKNOWLEDGE, at_s=clock.now_s()))
        incident = store.apply(command(incident, Step.DISPATCH, at_s=clock.now_s(), team=team))
        if team == "t1":
            incident = store.apply(command(incident, Step.REFUSE, team_actor("t1"), clock.now_s()))
    for number, step in enumerate((Step.ACCEPT, Step.DEPART, Step.ARRIVE, Step.REPORT)):
        clock.advance(30.0)
        [incident] = store.record_events([intrusion("c1", clock.now_s(), score=0.5 + number / 10)])
        incident = store.apply(command(incident, step, team_actor("t2"), clock.now_s()))
    incident = store.apply(command(incident, Step.VERIFY, LI, clock.now_s()))
    return store.apply(command(incident, Step.CLOSE, LI, clock.now_s(), verdict=Verdict.TRUE, cause="trespass")).id


TAMPERED = {
    "work": ("UPDATE incidents SET work = 'reported'", "work is stored as"),
    "owner": ("UPDATE incidents SET owner_name = 'somebody else'", "owner is stored as"),
    "closing time": ("UPDATE incidents SET since_s = since_s - 60", "since_s is stored as"),
    "verdict": ("UPDATE incidents SET verdict = 'false_alarm'", "verdict is stored as"),
    "severity": ("UPDATE incidents SET severity = 4", "severity is stored as"),
    "an event's score": ("UPDATE events SET score = 0.99 WHERE score = 0.5", "score is stored as"),
    "version": ("UPDATE incidents SET version = version + 1", "version is stored as"),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_what_was_changed_behind_the_program_is_found(
    what: str, store: Store, clock: SimulatedClock, connection: Connection
) -> None:
    lived(store, clock)
    assert check_integrity(connection).is_sound
    connection.rollback()
    statement, sentence = TAMPERED[what]
    with connection.begin():
        connection.execute(text(statement))
    found = check_integrity(connection)
    assert found.differing == 1
    assert any(sentence in each for each in found.differences), found.differences


def test_a_history_with_a_line_missing_or_out_of_order_is_broken(store: Store, clock: SimulatedClock) -> None:
    incident = store.incident(lived(store, clock))
    assert incident is not None
    lines, events = store.history(incident.id), {event.id: event for event in store.events(incident.id)}
    assert rebuild(incident, lines, events)[1]
    with pytest.raises(BrokenHistory, match="has no history"):
        rebuild(incident, [], events)
    with pytest.raises(BrokenHistory, match="line 3 of its history is refuse"):
        rebuild(incident, [*lines[:2], *lines[3:]], events)
    skipped = [dataclasses.replace(line, version=number) for number, line in enumerate([lines[0], *lines[2:]], 1)]
    with pytest.raises(BrokenHistory, match="not legal"):
        rebuild(incident, skipped, events)


def test_rows_without_what_they_belong_to_are_counted(clock: SimulatedClock, site: Site, tmp_path: Path) -> None:
    """Only SQLite can be made to hold such a row."""
    store = Store.open(f"sqlite:///{tmp_path}/gridpatrol.db", clock, site)
    lived(store, clock)
    store.close()
    with sqlite3.connect(tmp_path / "gridpatrol.db") as outside:  # which does not look at foreign keys
        outside.execute("DELETE FROM incidents")
    outside.close()
    database = Database(f"sqlite:///{tmp_path}/gridpatrol.db")
    with database.reader.connect() as reader:
        found = check_integrity(reader)
    database.close()
    assert found.orphans["events.incident"] == 5
    assert not found.is_sound
