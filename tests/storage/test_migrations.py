"""Migrations with data: from the first tables to the newest and back, and nothing is lost that the older tables can hold."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, text

from base import SimulatedClock
from camera_config.site import Site
from camera_config.time_limits import Category
from patrol import SYSTEM, Origin, Report, Step, Verdict
from storage import Hold, Store, schema_state
from storage.database import Database
from storage.integrity import check_integrity, count_rows
from storage.schema import downgrade, revisions, upgrade
from tests.patrol.small_site import LI, command, intrusion, team_actor
from tests.storage.test_integrity import lived

Rows = dict[str, list[dict[str, Any]]]  # Any: columns of different types

FIRST_TABLES = ("incidents", "events", "snapshots", "history", "commands", "positions", "health", "users", "secrets", "audit")

WORKS = {"new", "acknowledged", "dispatched", "accepted", "en_route", "on_scene", "reported", "closed"}
STEPS = {
    "opened",
    "joined",
    "acknowledge",
    "take_over",
    "dispatch",
    "accept",
    "refuse",
    "depart",
    "arrive",
    "report",
    "note",
    "close",
}
"""What the program that goes with the first tables knows."""


@pytest.fixture
def connection(url: str) -> Iterator[Connection]:
    database = Database(url)
    connection = database.connect_writer()
    yield connection
    connection.close()
    database.close()


def first_rows() -> Rows:
    """Rows as the first version wrote them: a closed incident and an open one, with all that belongs to them."""
    incident: dict[str, Any] = {
        "id": "i" * 36, "number": 1, "kind": "intrusion", "label": "person", "severity": 2, "camera": "c1", "compound": "p1",
        "grid_cell": "g1", "community": "m1", "lon": 120.002, "lat": 30.002, "condition": "normal", "work": "closed",
        "owner_kind": "user", "owner_id": "u-li", "owner_name": "李伟", "team": "t1", "version": 8, "decided": 8,
        "began_s": 1.6e9, "opened_s": 1.6e9 + 1, "last_event_s": 1.6e9, "event_count": 1, "best_event": "e" * 36,
        "box": [0.1, 0.2, 0.3, 0.4],
        "score": 0.8, "since_s": 1.6e9 + 700, "stages": {"new": 1.6e9 + 1, "closed": 1.6e9 + 700}, "refused": ["t2"],
        "verdict": "true", "cause": "trespass", "proposal": None, "due_step": None, "due_s": None,
    }  # fmt: skip
    opened = incident | {
        "id": "j" * 36, "number": 2, "kind": "wrong_way", "camera": "c2", "work": "dispatched", "condition": "acknowledged",
        "verdict": None, "cause": "", "best_event": "f" * 36, "team": "t3", "version": 3, "decided": 3, "refused": [],
        "stages": {"new": 1.6e9 + 1, "acknowledged": 1.6e9 + 2, "dispatched": 1.6e9 + 3}, "since_s": 1.6e9 + 3,
        "due_step": "accept", "due_s": 1.6e9 + 90,
        "proposal": {"team": "t3", "reason": {"zh": "本网格", "en": "own cell"}, "shortfall": None, "escalate_to": "",
                     "alternatives": [{"team": "t4", "reason": {"zh": "近", "en": "near"}}]},
    }  # fmt: skip
    event = {
        "id": "e" * 36, "incident": "i" * 36, "camera": "c1", "kind": "intrusion", "label": "person", "rule": "night",
        "zone": "yard", "severity": 2, "began_s": 1.6e9, "raised_s": 1.6e9 + 0.123456, "ended_s": None,
        "score": 0.8, "box": [0.1, 0.2, 0.3, 0.4],
        "seen_by": "key_frame", "network": "crop", "recorded_s": 1.6e9 + 1,
    }  # fmt: skip
    line = {
        "incident": "i" * 36, "version": 1, "step": "opened", "work": "new", "at_s": 1.6e9, "recorded_s": 1.6e9 + 1,
        "by_kind": "system", "by_id": "gridpatrol", "by_name": "Gridpatrol", "team": "", "text": "", "verdict": None, "cause": "",
        "event": "e" * 36, "command": "", "flags": [],
    }  # fmt: skip
    steps = ("acknowledge", "dispatch", "accept", "depart", "arrive", "report", "close")
    works = ("acknowledged", "dispatched", "accepted", "en_route", "on_scene", "reported", "closed")
    by_li = {"by_kind": "user", "by_id": "u-li", "by_name": "李伟", "event": "", "flags": ["on_behalf"]}
    lines = [line] + [
        line
        | by_li
        | {"version": number, "step": step, "work": work, "command": f"c{number}", "team": "t1", "text": "两人已离开"}
        for number, (step, work) in enumerate(zip(steps, works, strict=True), 2)
    ]
    lines[-1] |= {"verdict": "true", "cause": "trespass"}
    lines += [line | {"incident": "j" * 36, "event": "f" * 36}]
    lines += [line | by_li | {"incident": "j" * 36, "version": n, "step": steps[n - 2], "work": works[n - 2]} for n in (2, 3)]
    return {
        "incidents": [incident, opened],
        "events": [event, event | {"id": "f" * 36, "incident": "j" * 36, "camera": "c2", "kind": "wrong_way"}],
        "snapshots": [{"event": "e" * 36, "jpeg": b"\xff\xd8\x00picture\xff\xd9"}],
        "history": lines,
        "commands": [
            {"id": "c8", "incident": "i" * 36, "fingerprint": "0" * 64, "recorded_s": 1.6e9 + 700, "result": incident},
        ],
        "positions": [{"team": "t1", "lon": 120.001, "lat": 30.001, "at_s": 1.6e9 + 5}],
        "health": [
            {"number": 900001, "camera": "c1", "health": "online", "quality": "good", "since_s": 1.6e9, "recorded_s": 2e9,
             "cause": ""}
        ],
        "users": [{"id": "u" * 36, "name": "李伟", "role": "operator", "password_hash": "argon2", "created_s": 1.6e9}],
        "secrets": [{"name": "setup", "hash": "0" * 64}],
        "audit": [
            {"number": 900001, "at_s": 1.6e9, "actor_kind": "user", "actor_id": "u-li", "actor_name": "李伟", "action": "close",
             "resource": f"incident/{'i' * 36}", "detail": "reported → closed"},
        ],
    }  # fmt: skip


def write(connection: Connection, rows: Rows) -> None:
    for table in FIRST_TABLES:
        for row in rows[table]:
            columns = ", ".join(row)
            values = ", ".join(f":{name}" for name in row)
            plain = {name: json.dumps(value) if isinstance(value, list | dict) else value for name, value in row.items()}
            connection.execute(text(f"INSERT INTO {table} ({columns}) VALUES ({values})"), plain)


def read(connection: Connection, rows: Rows) -> Rows:
    """The same tables and columns as they are now."""
    found: Rows = {}
    for table in FIRST_TABLES:
        columns = list(rows[table][0])
        key = ", ".join(columns[:2])
        stored = connection.execute(text(f"SELECT {', '.join(columns)} FROM {table} ORDER BY {key}")).mappings()
        found[table] = [{name: _plain(value) for name, value in row.items()} for row in stored]
    return found


def _plain(value: Any) -> Any:
    """JSON is text in SQLite."""
    if isinstance(value, memoryview):
        return bytes(value)
    return json.loads(value) if isinstance(value, str) and value[:1] in ("{", "[") else value


def in_order(rows: Rows) -> Rows:
    return {table: sorted(rows[table], key=lambda row: tuple(map(str, list(row.values())[:2]))) for table in FIRST_TABLES}


def migrate(connection: Connection, revision: str, up: bool) -> None:
    with connection.begin():
        upgrade(connection, revision) if up else downgrade(connection, revision)


def test_the_first_tables_with_data_come_back_as_they_were(
    connection: Connection, url: str, clock: SimulatedClock, site: Site
) -> None:
    rows = first_rows()
    migrate(connection, revisions()[0], up=True)
    with connection.begin():
        write(connection, rows)
    for _ in range(2):
        migrate(connection, "head", up=True)
        with connection.begin():
            found = check_integrity(connection)
        assert found.orphans == {}
        assert found.damage == ()
        migrate(connection, revisions()[0], up=False)
        with connection.begin():
            assert in_order(read(connection, rows)) == in_order(rows)
    migrate(connection, "head", up=True)
    connection.detach()  # really closed, so that it lets go of its lock
    connection.close()
    store = Store.open(url, clock, site)
    closed, opened = store.incident("i" * 36), store.incident("j" * 36)
    assert closed is not None
    assert opened is not None
    assert (closed.work, closed.verdict, closed.cause, closed.cameras) == ("closed", "true", "trespass", ("c1",))
    assert (opened.category, opened.origin, opened.team) == ("traffic", "event", "t3")
    assert [entry.step for entry in store.history(opened.id)] == ["opened", "acknowledge", "dispatch"]
    assert store.snapshot("e" * 36) == rows["snapshots"][0]["jpeg"]
    accepted = store.apply(command(opened, Step.ACCEPT, team_actor("t3"), clock.now_s()))
    assert accepted.work == "accepted"
    store.close()


@pytest.mark.parametrize("revision", revisions()[:-1])
def test_every_older_version_with_data_comes_up(connection: Connection, revision: str) -> None:
    rows = first_rows()
    migrate(connection, revisions()[0], up=True)
    with connection.begin():
        write(connection, rows)
    migrate(connection, revision, up=True)
    migrate(connection, "head", up=True)
    migrate(connection, revision, up=False)
    migrate(connection, "head", up=True)
    with connection.begin():
        kept = read(connection, rows)
    for table in ("events", "snapshots", "positions", "users", "audit", "commands"):
        assert in_order(kept | {})[table] == in_order(rows)[table]
    assert len(kept["history"]) == len(rows["history"])


def test_what_the_newest_version_wrote_goes_down_and_up_again(
    open_store: Callable[[], Store], clock: SimulatedClock, url: str
) -> None:
    """Down to the first tables, everything of theirs is still there; what they cannot say is told in words they know."""
    store = open_store()
    lived(store, clock)
    now_s = clock.now_s
    reported = store.report(Report("r" * 36, Origin.HOTLINE, Category.FACILITY, 3, LI, now_s(), "lamp", grid_cell="g2"))
    shelved = store.apply(command(reported, Step.SHELVE, LI, now_s()))
    [other] = store.record_events([intrusion("c2", now_s())])
    [third] = store.record_events([intrusion("c3", now_s())])
    store.merge(command(other, Step.MERGE, LI, now_s(), other=third.id))
    clock.advance(30_000.0)
    store.tell_due()
    store.retention.add_hold(Hold("h" * 36, third.id, "case", LI.name, now_s()), LI)
    store.audit(SYSTEM, "look", "somewhere")
    store.close()
    database = Database(url)
    with database.connect_writer() as connection:
        with connection.begin():
            before = count_rows(connection)
        migrate(connection, revisions()[0], up=False)
        with connection.begin():
            after = count_rows(connection)
            works = set(connection.execute(text("SELECT work FROM incidents")).scalars())
            steps = set(connection.execute(text("SELECT step FROM history")).scalars())
            said = " ".join(connection.execute(text("SELECT text FROM history")).scalars())
        assert {table: after[table] for table in FIRST_TABLES if table != "secrets"} == {
            table: before[table] for table in FIRST_TABLES if table != "secrets"
        }
        assert works <= WORKS
        assert steps <= STEPS
        assert "merge" in said
        assert "escalated" in said
        migrate(connection, "head", up=True)
    database.close()
    again = open_store()
    assert schema_state(url).is_current
    assert shelved.id in {incident.id for incident in again.incidents("all")}
    closed = again.incidents("closed")
    assert {incident.verdict for incident in closed} == {Verdict.TRUE, Verdict.DUPLICATE}
