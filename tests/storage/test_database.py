"""Wrong addresses, damaged files, full disks, second writers, lost connections: each one sentence, and life goes on."""

import contextlib
import multiprocessing
import os
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from base import CameraStatus, Health, Quality, SimulatedClock, StorageError
from camera_config.site import Site
from patrol import Step
from storage import Store
from storage.database import Database
from storage.writer import Writer
from tests.patrol.small_site import NOON_S, command, intrusion
from tests.storage.recording import record_forever

# (address, what the sentence says)
WRONG = [
    ("", "not understood: expected sqlite:///path"),
    ("sqlite://", "got sqlite://"),
    ("sqlite:///:memory:", "not understood"),
    ("mysql://root:secret@host/db", "not understood"),
    ("postgresql+asyncpg://user:secret@host/db", "not understood"),  # a driver that we do not install
    ("postgresql+psycopg://user:secret@host", r"got postgresql\+psycopg://user:\*\*\*@host"),
]


@pytest.mark.parametrize(("wrong", "sentence"), WRONG)
def test_a_wrong_address_is_a_sentence_without_the_password(wrong: str, sentence: str, site: Site) -> None:
    with pytest.raises(StorageError, match=sentence) as caught:
        Store.open(wrong, SimulatedClock(), site)
    assert "secret" not in str(caught.value)


def test_an_unreachable_postgresql_is_a_sentence_without_the_password(site: Site, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"PostgreSQL database grid on .* cannot be reached") as caught:
        Store.open(f"postgresql+psycopg://user:secret@/grid?host={tmp_path}", SimulatedClock(), site)
    assert "secret" not in str(caught.value)


def test_an_unwritable_place_is_a_sentence(site: Site, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be opened"):
        Store.open(f"sqlite:///{tmp_path}/file/gridpatrol.db", SimulatedClock(), site)
    (tmp_path / "folder.db").mkdir()
    with pytest.raises(StorageError, match="cannot be opened"):
        Store.open(f"sqlite:///{tmp_path}/folder.db", SimulatedClock(), site)


def test_a_file_that_is_no_database_is_a_sentence_and_stays_as_it_is(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "gridpatrol.db"
    path.write_bytes(b"This is a letter to my aunt. " * 1000)
    with pytest.raises(StorageError, match=r"gridpatrol\.db: the file is not an SQLite database; restore it from a backup"):
        Store.open(f"sqlite:///{path}", SimulatedClock(), site)
    assert path.read_bytes() == b"This is a letter to my aunt. " * 1000


def test_a_damaged_database_is_a_sentence(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "gridpatrol.db"
    store = Store.open(f"sqlite:///{path}", SimulatedClock(NOON_S), site)
    store.record_events([intrusion(snapshot_jpeg=os.urandom(200_000)) for _ in range(5)])
    store.close()
    data = bytearray(path.read_bytes())
    data[4096 : len(data) - 4096] = b"\xa5" * (len(data) - 8192)  # all pages but the first and the last
    path.write_bytes(data)
    with pytest.raises(StorageError, match="the file is damaged; restore it from a backup"):
        Store.open(f"sqlite:///{path}", SimulatedClock(NOON_S), site).record_events([intrusion()])


def test_sqlite_is_opened_for_durability_and_only_the_writer_checkpoints(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/gridpatrol.db")
    pragmas = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout", "wal_autocheckpoint", "query_only")
    seen = []
    for engine in (database.writer, database.reader):
        with engine.connect() as connection:
            seen.append([connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in pragmas])
    database.close()
    assert seen == [["wal", 2, 1, 5000, 16000, 0], ["wal", 2, 1, 5000, 0, 1]]


def test_the_journal_is_written_back_between_commits(tmp_path: Path, clock: SimulatedClock, site: Site) -> None:
    path = tmp_path / "gridpatrol.db"
    store = Store.open(f"sqlite:///{path}", clock, site)
    store.record_events([intrusion(snapshot_jpeg=os.urandom(100_000))])
    clock.advance(2)
    before = path.stat().st_size
    store.record_events([intrusion(snapshot_jpeg=os.urandom(500_000))])
    deadline_s = time.monotonic() + 20
    while path.stat().st_size < before + 500_000:
        assert time.monotonic() < deadline_s, "the journal was not written back"
        time.sleep(0.01)
    store.close()


def test_a_second_gridpatrol_is_refused_and_may_start_after_the_first(
    open_store: Callable[[], Store], url: str, clock: SimulatedClock, site: Site
) -> None:
    first = open_store()
    with pytest.raises(StorageError, match=r"is in use: .* already writes to it; stop that"):
        Store.open(url, clock, site)
    first.record_events([intrusion()])
    first.close()
    second = open_store()
    assert len(second.incidents()) == 1


def test_the_refusal_names_the_process(tmp_path: Path, clock: SimulatedClock, site: Site) -> None:
    url = f"sqlite:///{tmp_path}/new/folder/gridpatrol.db"
    first = Store.open(url, clock, site)
    with pytest.raises(StorageError, match=f"process {os.getpid()} already writes to it"):
        Store.open(url, clock, site)
    first.close()


@contextlib.contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A file system of its own of `size`; skips where mounting is not permitted."""
    folder.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], capture_output=True, check=False)
    if mount.returncode:
        pytest.skip(f"mounting a small disk is not permitted here: {mount.stderr.decode(errors='replace').strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_loses_nothing_acknowledged_and_heals(tmp_path: Path, clock: SimulatedClock, site: Site) -> None:
    with small_disk(tmp_path / "disk", "8m") as disk:
        ballast = disk / "ballast"
        ballast.write_bytes(bytes(4_000_000))
        store = Store.open(f"sqlite:///{disk}/gridpatrol.db", clock, site)
        acknowledged = []
        with pytest.raises(StorageError, match=r"gridpatrol\.db: the disk is full; free some space"):
            for n in range(1000):
                event = intrusion(at_s=NOON_S + 300 * n, snapshot_jpeg=os.urandom(50_000))
                store.record_events([event])
                acknowledged.append(event.id)
        assert acknowledged
        with pytest.raises(StorageError, match="the disk is full"):
            store.record_events([intrusion(at_s=NOON_S - 500, snapshot_jpeg=os.urandom(2_000_000))])
        assert len(store.incidents("all", 1000)) == len(acknowledged)
        ballast.unlink()
        store.record_events([intrusion(at_s=NOON_S - 500, snapshot_jpeg=os.urandom(50_000))])
        numbers = [incident.number for incident in store.incidents("all", 1000)]
        assert numbers == list(range(len(acknowledged) + 1, 0, -1))
        assert all(store.snapshot(event) for event in acknowledged)
        store.close()


def test_a_locked_database_is_a_sentence_and_heals(tmp_path: Path, clock: SimulatedClock, site: Site) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/gridpatrol.db", clock, site)
    store.record_events([intrusion()])
    other = sqlite3.connect(tmp_path / "gridpatrol.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError, match="another program keeps it locked"):
        store.record_events([intrusion("c2")])
    assert len(store.incidents()) == 1  # reading goes on
    other.execute("ROLLBACK")
    other.close()
    assert len(store.record_events([intrusion("c2")])) == 1
    store.close()


def _status(camera: str, health: Health, error: str = "", since_s: float = NOON_S) -> CameraStatus:
    return CameraStatus(camera, health, Quality.EXCELLENT, since_s, None, error=error)


@pytest.fixture
def hold_up(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Another program's connection to the database, which can lock it."""
    other = sqlite3.connect(tmp_path / "gridpatrol.db", isolation_level=None)
    yield other
    other.close()


def test_a_health_that_did_not_change_asks_nothing_of_the_writer_and_one_not_written_comes_again(
    tmp_path: Path, clock: SimulatedClock, site: Site, hold_up: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.database.BUSY_S", 0.05)
    url = f"sqlite:///{tmp_path}/gridpatrol.db"
    up, down = _status("c1", Health.ONLINE), _status("c1", Health.OFFLINE, "no answer")
    store = Store.open(url, clock, site)
    assert store.record_statuses([up]) == [up]
    store.close()
    store = Store.open(url, clock, site)
    hold_up.execute("BEGIN IMMEDIATE")
    assert store.record_statuses([up, up]) == []  # known from before, and nothing can be written
    with pytest.raises(StorageError, match="another program keeps it locked"):
        store.record_statuses([down])
    hold_up.execute("ROLLBACK")
    assert store.record_statuses([]) == [down]  # though nobody reports it again
    assert store.record_statuses([down]) == []
    assert [change.health for change in store.health_changes("c1")] == ["offline", "online"]
    store.close()


def test_what_was_stored_though_the_answer_was_late_is_told_and_not_stored_again(
    tmp_path: Path, clock: SimulatedClock, site: Site, hold_up: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/gridpatrol.db", clock, site)
    up, down, event = _status("c1", Health.ONLINE), _status("c1", Health.OFFLINE), intrusion()
    assert store.record_statuses([up]) == [up]
    with monkeypatch.context() as impatient:
        impatient.setattr("storage.writer.DEADLINE_S", 0.05)
        hold_up.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageError, match="may be stored or not"):
            store.record_statuses([down])
        with pytest.raises(StorageError, match="may be stored or not"):
            store.record_events([event])
    hold_up.execute("ROLLBACK")
    [incident] = store.record_events([event])
    assert (incident.number, incident.version, incident.event_count) == (1, 1, 1)
    assert len(store.history(incident.id)) == 1
    assert store.record_statuses([up]) == [up]  # the change between, of which we were told that it failed, counts
    assert [change.health for change in store.health_changes("c1")] == ["online", "offline", "online"]
    store.close()


def test_a_status_no_database_can_hold_is_repaired(tmp_path: Path, clock: SimulatedClock, site: Site) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/gridpatrol.db", clock, site)
    bad = _status("c1", Health.OFFLINE, "no\x00answer", float("nan"))
    assert store.record_statuses([bad]) == [bad]
    [change] = store.health_changes("c1")
    assert (change.cause, change.since_s) == ("noanswer", NOON_S)
    store.close()


@pytest.mark.peer
def test_a_lost_postgresql_connection_is_a_sentence_and_heals(postgresql_url: str, clock: SimulatedClock, site: Site) -> None:
    store = Store.open(postgresql_url, clock, site)
    store.record_events([intrusion()])
    assert len(store.incidents()) == 1
    with psycopg.connect(postgresql_url.replace("+psycopg", ""), autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'gridpatrol'")
    event = intrusion("c2")
    with pytest.raises(StorageError, match="cannot be reached"):
        store.record_events([event])
    assert len(store.record_events([event])) == 1
    assert len(store.incidents()) == 2
    with pytest.raises(StorageError, match="is in use"):  # the lock came back with the new connection
        Store.open(postgresql_url, clock, site)
    store.close()


@pytest.fixture
def writer(url: str, clock: SimulatedClock) -> Iterator[Writer]:
    database = Database(url)
    writer = Writer(database, clock)
    writer.run(lambda connection: connection.execute(text("CREATE TABLE things (name TEXT PRIMARY KEY)")))
    yield writer
    writer.close()
    database.close()


def test_jobs_that_wait_share_a_commit_and_one_failure_is_nobody_elses(writer: Writer, url: str) -> None:
    blocked, release = threading.Event(), threading.Event()

    def hold(_: object) -> None:
        blocked.set()
        release.wait(10)

    def add(name: str) -> Callable[[], object]:
        insert = text("INSERT INTO things VALUES (:name)")
        return lambda: writer.run(lambda connection: connection.execute(insert, {"name": name}).rowcount)

    def bug() -> object:
        return writer.run(lambda _: 1 / 0)

    answers: dict[int, object] = {}

    def ask(number: int, question: Callable[[], object]) -> None:
        try:
            answers[number] = question()
        except (StorageError, ZeroDivisionError) as error:
            answers[number] = error

    holder = threading.Thread(target=lambda: writer.run(hold))
    holder.start()
    assert blocked.wait(10)
    questions = [add("a"), add("b"), bug, add("a"), add("c")]  # the second "a" violates the primary key
    threads = [threading.Thread(target=ask, args=(n, question)) for n, question in enumerate(questions)]
    for thread in threads:
        thread.start()
    while writer.waiting < len(questions):
        threading.Event().wait(0.001)
    release.set()
    for thread in (holder, *threads):
        thread.join(20)
    outcomes = [answers[n] for n in range(len(questions))]
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["StorageError", "ZeroDivisionError", "int", "int", "int"]
    names = writer.run(lambda connection: list(connection.scalars(text("SELECT name FROM things ORDER BY name"))))
    assert names == ["a", "b", "c"]


def test_history_and_audit_can_only_be_added_to(store: Store, url: str) -> None:
    [incident] = store.record_events([intrusion()])
    store.apply(command(incident, Step.ACKNOWLEDGE))
    store.close()
    database = Database(url)
    for statement in (
        "UPDATE history SET by_name = 'x'",
        "DELETE FROM history",
        "UPDATE audit SET detail = ''",
        "DELETE FROM audit",
    ):
        with database.connect_writer() as connection, pytest.raises(Exception, match="is append-only"):
            connection.execute(text(statement))
    database.close()


@pytest.mark.kill
def test_kill_9_loses_and_doubles_nothing_acknowledged(tmp_path: Path, clock: SimulatedClock, site: Site) -> None:
    url = f"sqlite:///{tmp_path}/gridpatrol.db"
    context = multiprocessing.get_context("forkserver")  # imports once for all turns
    context.set_forkserver_preload(["tests.storage.recording"])
    acknowledged: list[str] = []
    for turn in range(10):
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=record_forever, args=(url, turn, theirs))
        process.start()
        theirs.close()
        acknowledged += [ours.recv() for _ in range(3 + 7 * turn)]
        process.kill()
        with contextlib.suppress(EOFError):
            while True:
                acknowledged.append(ours.recv())
        process.join(30)
        ours.close()
    store = Store.open(url, clock, site)
    incidents = store.incidents("all", 1_000_000)
    stored = [event.id for incident in incidents for event in store.events(incident.id)]
    assert len(acknowledged) >= 3 * 10 + 7 * 45
    assert len(stored) == len(set(stored))
    assert set(acknowledged) <= set(stored)
    assert len(stored) <= len(acknowledged) + 10  # at most the one in flight at each kill
    assert [incident.number for incident in incidents] == list(range(len(incidents), 0, -1))
    assert sum(incident.event_count for incident in incidents) == len(stored)
    store.close()
