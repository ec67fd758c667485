"""Backups of a database that is written to, what is refused, and that no damaged byte gets through."""

import fcntl
import hashlib
import io
import json
import os
import random
import shutil
import sqlite3
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from base import SimulatedClock, StorageError
from camera_config import write_site
from fleet.cli import app
from patrol import Incident
from storage import Store
from storage.archive import Archive, Manifest
from storage.backup import back_up, drill_restore, restore
from tests.fleet.small_site import small_site
from tests.patrol.small_site import intrusion
from tests.patrol.small_site import small_site as patrol_site
from tests.storage.test_database import small_disk
from tests.storage.test_integrity import lived

CANARY = "Canary-9f3b71d2"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A site folder with a camera login."""
    site = small_site(tmp_path / "site", {"c1": "rtsp://192.0.2.1/sub"}, login=("admin", CANARY))
    write_site(site, tmp_path / "site")
    return tmp_path / "site"


@pytest.fixture
def other_url(url: str, tmp_path: Path) -> Iterator[str]:
    """The address of another empty database of the same kind."""
    if url.startswith("sqlite"):
        yield f"sqlite:///{tmp_path}/other/gridpatrol.db"
        return
    sockets = url.partition("host=")[2]
    with psycopg.connect(host=sockets, user="postgres", dbname="postgres", autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS other WITH (FORCE)")
        connection.execute("CREATE DATABASE other TEMPLATE template0")
        yield f"postgresql+psycopg://postgres@/other?host={sockets}"
        connection.execute("DROP DATABASE other WITH (FORCE)")


def back_up_now(url: str, folder: Path, to: Path) -> Manifest:
    return back_up(url, folder, "small", to, "1.2.3", 1_700_000_000.0)


def test_a_backup_made_while_events_pour_in_is_sound_and_holds_what_was_acknowledged_before_it(
    store: Store, clock: SimulatedClock, url: str, folder: Path, tmp_path: Path, other_url: str
) -> None:
    lived(store, clock)
    before = store.record_events([intrusion("c2", clock.now_s())])
    stop, recorded = threading.Event(), list[Incident]()

    def pour() -> None:
        while not stop.is_set():
            recorded.extend(store.record_events([intrusion("c3", clock.now_s() + 500.0 * len(recorded))]))

    pouring = threading.Thread(target=pour)
    pouring.start()
    try:
        manifest = back_up_now(url, folder, tmp_path / "backup.tar")
    finally:
        stop.set()
        pouring.join()
    assert manifest.rows["incidents"] >= len(before) + 1
    assert recorded
    if not url.startswith("sqlite"):
        found = drill_restore(tmp_path / "backup.tar", other_url)
        assert found.is_sound
        assert drill_restore(tmp_path / "backup.tar", other_url) == found, "a drill leaves the database as empty as it was"
        return
    found = drill_restore(tmp_path / "backup.tar")
    assert found.is_sound, found
    assert found.integrity.incidents == manifest.rows["incidents"]


def test_what_is_restored_is_what_was_backed_up(
    store: Store, clock: SimulatedClock, url: str, folder: Path, tmp_path: Path, other_url: str
) -> None:
    incident = store.incident(lived(store, clock))
    assert incident is not None
    store.add_session("0" * 64, "user", "u1", clock.now_s() + 1e6)
    store.add_user("li", "hash", "operator")
    back_up_now(url, folder, tmp_path / "backup.tar")
    (tmp_path / "other").mkdir()
    restore(tmp_path / "backup.tar", tmp_path / "again", other_url)
    again = Store.open(other_url, clock, patrol_site())
    try:
        assert again.incident(incident.id) == incident
        assert again.history(incident.id) == store.history(incident.id)
        assert again.snapshot(incident.best_event) == store.snapshot(incident.best_event)
        assert [user.name for user in again.users()] == ["li"]
        assert again.session("0" * 64) is None, "whoever is signed out later must not be signed in again"
    finally:
        again.close()
    names = {path.name for path in folder.iterdir()} - {"secrets.toml"}
    assert {path.name for path in (tmp_path / "again").iterdir()} == names
    assert all((tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes() for name in names)


def test_camera_logins_are_not_in_a_backup_and_only_the_owner_can_read_it(
    store: Store, url: str, folder: Path, tmp_path: Path
) -> None:
    assert CANARY in (folder / "secrets.toml").read_text()
    back_up_now(url, folder, tmp_path / "backup.tar")
    assert CANARY.encode() not in (tmp_path / "backup.tar").read_bytes()
    assert (tmp_path / "backup.tar").stat().st_mode & 0o077 == 0


@pytest.fixture
def file(clock: SimulatedClock, folder: Path, tmp_path: Path) -> Path:
    """A backup of an SQLite database that nobody has open."""
    url = f"sqlite:///{tmp_path}/gridpatrol.db"
    store = Store.open(url, clock, patrol_site())
    lived(store, clock)
    store.close()
    back_up_now(url, folder, tmp_path / "backup.tar")
    return tmp_path / "backup.tar"


def left_behind(tmp_path: Path) -> list[str]:
    return [path.name for path in tmp_path.iterdir() if path.name.startswith(".")]


def restore_there(file: Path, tmp_path: Path) -> Manifest:
    return restore(file, tmp_path / "again", f"sqlite:///{tmp_path}/again.db")


def test_a_restore_overwrites_nothing(file: Path, tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()
    (tmp_path / "again" / "mine").touch()
    with pytest.raises(StorageError, match="again is not empty; a restore overwrites nothing"):
        restore_there(file, tmp_path)
    (tmp_path / "again" / "mine").unlink()
    for name in ("again.db-wal", "again.db"):
        (tmp_path / name).touch()
        with pytest.raises(StorageError, match="exists already; a restore overwrites nothing"):
            restore_there(file, tmp_path)
        (tmp_path / name).unlink()
    restore_there(file, tmp_path)
    with pytest.raises(StorageError, match="overwrites nothing"):
        restore_there(file, tmp_path)


@pytest.mark.peer
def test_a_postgresql_database_that_holds_something_is_not_overwritten(file: Path, postgresql_url: str, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="this is a backup of SQLite, the PostgreSQL database"):
        restore(file, tmp_path / "again", postgresql_url)


def test_a_truncated_file_is_refused_wherever_it_ends(file: Path, tmp_path: Path) -> None:
    whole = file.read_bytes()
    rng = random.Random(7)
    for length in (0, 1, 511, 512, 2000, *(rng.randrange(len(whole) - 20_000) for _ in range(12))):
        file.write_bytes(whole[:length])
        with pytest.raises(StorageError, match=r"is no backup, or damaged|is damaged|no backup"):
            restore_there(file, tmp_path)
        assert not (tmp_path / "again").exists()
        assert not (tmp_path / "again.db").exists()
    assert left_behind(tmp_path) == []


def test_one_flipped_bit_is_found_or_changes_nothing(file: Path, tmp_path: Path) -> None:
    """Outside of the parts there are times, modes and padding, which nobody reads."""
    whole = file.read_bytes()
    with Archive.open(file) as archive:
        manifest = archive.manifest
    with tarfile.open(file) as tar:
        parts = [(member.offset_data, member.size) for member in tar.getmembers()]
    rng = random.Random(8)
    places = [start + rng.randrange(size) for start, size in parts for _ in range(3)]
    places += [rng.randrange(len(whole)) for _ in range(20)] + [max(0, start - rng.randrange(512)) for start, _ in parts]
    found = 0
    for place in places:
        damaged = bytearray(whole)
        damaged[place] ^= 1 << rng.randrange(8)
        file.write_bytes(damaged)
        try:
            assert restore_there(file, tmp_path) == manifest
        except StorageError as error:
            assert "damaged" in str(error) or "no backup" in str(error)
            assert not (tmp_path / "again.db").exists()
            assert not (tmp_path / "again").exists()
            found += 1
        else:
            assert not any(start <= place < start + size for start, size in parts), f"a changed bit at {place} was not found"
            (tmp_path / "again.db").unlink()
            shutil.rmtree(tmp_path / "again")
    assert found >= 3 * len(parts)


def test_a_newer_backup_is_refused(clock: SimulatedClock, folder: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/gridpatrol.db"
    Store.open(url, clock, patrol_site()).close()
    with sqlite3.connect(tmp_path / "gridpatrol.db") as outside:
        outside.execute("UPDATE alembic_version SET version_num = '9999'")
    outside.close()
    back_up_now(url, folder, tmp_path / "backup.tar")
    with pytest.raises(StorageError, match=r"was made by a newer Gridpatrol .1\.2\.3, tables 9999; this one knows up to"):
        restore_there(tmp_path / "backup.tar", tmp_path)
    assert not (tmp_path / "again").exists()


def packed(to: Path, manifest: dict[str, object], *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    """A file that somebody made by hand, with a manifest whose hash is right."""
    text = json.dumps(manifest).encode()
    with tarfile.open(to, "w") as tar:
        for name, content in (("manifest.json", text), ("manifest.sha256", hashlib.sha256(text).hexdigest().encode())):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        for member, content in members:
            tar.addfile(member, io.BytesIO(content))
    return to


HEAD: dict[str, object] = {"format": 1, "version": "1", "made_at": "", "site": "s", "schema": "0001", "rows": {}}
EMPTY = {"bytes": 0, "sha256": hashlib.sha256(b"").hexdigest()}


@pytest.mark.parametrize("name", ["../escaped", "/etc/escaped", "site/../../escaped", "site/.ssh/authorized_keys", "site/x.py"])
def test_names_that_lead_elsewhere_are_refused(name: str, tmp_path: Path) -> None:
    file = packed(tmp_path / "b.tar", HEAD | {"parts": {"database.sqlite": EMPTY, name: EMPTY}}, (tarfile.TarInfo(name), b""))
    with pytest.raises(StorageError, match="is no backup: it holds"):
        restore_there(file, tmp_path)


def test_links_and_wrong_sizes_are_refused(tmp_path: Path) -> None:
    link = tarfile.TarInfo("database.sqlite")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    for manifest, member in (
        ({"database.sqlite": EMPTY}, (link, b"")),
        ({"database.sqlite": EMPTY | {"bytes": 10**15}}, (tarfile.TarInfo("database.sqlite"), b"")),
    ):
        file = packed(tmp_path / "b.tar", HEAD | {"parts": manifest}, member)
        with pytest.raises(StorageError, match=r"database\.sqlite is not what was written"):
            restore_there(file, tmp_path)


@pytest.mark.parametrize("wrong", [{"format": 2}, {"parts": 7}, {"format": "x", "parts": {}}, {"parts": {"database.sqlite": {}}}])
def test_manifests_of_others_are_refused(wrong: dict[str, object], tmp_path: Path) -> None:
    file = packed(tmp_path / "b.tar", HEAD | wrong)
    with pytest.raises(StorageError, match=r"manifest cannot be understood|made by a newer Gridpatrol"):
        restore_there(file, tmp_path)


def test_a_full_disk_ends_a_backup_and_leaves_nothing(clock: SimulatedClock, folder: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/gridpatrol.db"
    store = Store.open(url, clock, patrol_site())
    for n in range(20):
        store.record_events([intrusion("c1", clock.now_s() + 500 * n, snapshot_jpeg=os.urandom(50_000))])
    store.close()
    # Room for nothing, for the copy but not for the file, for both.
    for size, fits in (("512k", False), ("2m", False), ("8m", True)):
        with small_disk(tmp_path / f"disk-{size}", size) as disk:
            if fits:
                back_up_now(url, folder, disk / "backup.tar")
                continue
            with pytest.raises(StorageError, match=r"the disk is full|No space left on device"):
                back_up_now(url, folder, disk / "backup.tar")
            assert list(disk.iterdir()) == []


def test_a_restore_onto_a_full_disk_leaves_nothing(file: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "64k") as disk:
        with pytest.raises(StorageError, match="No space left on device"):
            restore(file, disk / "site", f"sqlite:///{disk}/gridpatrol.db")
        assert [path.name for path in disk.iterdir() if not path.name.endswith(".lock")] == []


def test_two_backups_into_one_file_do_not_mix(file: Path, folder: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/gridpatrol.db"
    with pytest.raises(StorageError, match=r"backup\.tar exists already"):
        back_up_now(url, folder, file)
    with (tmp_path / ".second.tar.part").open("wb") as other:
        other.write(b"left by one that was killed")
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(StorageError, match=r"another backup is being written to .*second\.tar"):
            back_up_now(url, folder, tmp_path / "second.tar")
    back_up_now(url, folder, tmp_path / "second.tar")
    assert drill_restore(tmp_path / "second.tar").is_sound


def test_two_backups_at_once_are_both_sound(store: Store, clock: SimulatedClock, folder: Path, tmp_path: Path, url: str) -> None:
    lived(store, clock)
    made: list[Manifest] = []
    threads = [
        threading.Thread(target=lambda n=n: made.append(back_up_now(url, folder, tmp_path / f"{n}.tar"))) for n in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made[0].rows == made[1].rows
    if url.startswith("sqlite"):
        assert all(drill_restore(tmp_path / f"{n}.tar").is_sound for n in range(2))


def test_a_damaged_database_is_not_backed_up(file: Path, folder: Path, tmp_path: Path) -> None:
    database = tmp_path / "gridpatrol.db"
    whole = bytearray(database.read_bytes())
    for start in range(8192, len(whole), 4096):
        whole[start : start + 64] = os.urandom(64)
    database.write_bytes(whole)
    with pytest.raises(StorageError, match=r"gridpatrol\.db"):
        back_up_now(f"sqlite:///{database}", folder, tmp_path / "second.tar")
    assert not (tmp_path / "second.tar").exists()
    assert left_behind(tmp_path) == []


def test_an_empty_database_is_not_a_backup(folder: Path, tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "empty.db").close()
    with pytest.raises(StorageError, match="there is nothing to back up"):
        back_up_now(f"sqlite:///{tmp_path}/empty.db", folder, tmp_path / "backup.tar")
    with pytest.raises(StorageError, match="cannot be opened"):
        back_up_now(f"sqlite:///{tmp_path}/no/such.db", folder, tmp_path / "backup.tar")


@pytest.mark.peer
def test_without_its_programs_postgresql_says_what_to_install(
    postgresql_url: str, clock: SimulatedClock, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Store.open(postgresql_url, clock, patrol_site()).close()
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(Path, "glob", lambda *_: iter(()))
    with pytest.raises(StorageError, match="pg_dump was not found; install PostgreSQL's client programs"):
        back_up_now(postgresql_url, folder, tmp_path / "backup.tar")
    assert left_behind(tmp_path) == []


def test_the_commands(clock: SimulatedClock, folder: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    store = Store.open(f"sqlite:///{data}/gridpatrol.db", clock, patrol_site())
    lived(store, clock)
    store.close()
    runner = CliRunner()

    def run(*arguments: object) -> str:
        done = runner.invoke(app, [str(each) for each in arguments], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    file = tmp_path / "backup.tar"
    said = run("backup", folder, "--data", data, "--to", file)
    assert "1 incidents, 5 events, 5 pictures" in said
    assert "Not in it: secrets.toml" in said
    report = json.loads(run("restore", file, "--drill", "--json"))
    assert (report["sound"], report["incidents_rebuilt"], report["incidents_differing"]) == (True, 1, 0)
    assert "is sound: 1 incidents follow" in run("restore", file, "--drill")
    assert "Put secrets.toml" in run("restore", file, tmp_path / "again", "--data", tmp_path / "other")
    manifest = json.loads(run("backup", tmp_path / "again", "--data", tmp_path / "other", "--to", tmp_path / "2.tar", "--json"))
    assert manifest["rows"]["events"] == 5
    with sqlite3.connect(tmp_path / "other" / "gridpatrol.db") as outside:
        outside.execute("UPDATE incidents SET verdict = 'false_alarm'")
    outside.close()
    run("backup", tmp_path / "again", "--data", tmp_path / "other", "--to", tmp_path / "3.tar")
    done = runner.invoke(app, ["backup", str(folder), "--data", str(data), "--to", str(file)])
    assert done.exit_code == 1
    assert "exists already" in (data / "backup-failed.txt").read_text(), "whoever runs on this folder tells people"
    done = runner.invoke(app, ["restore", str(tmp_path / "3.tar"), "--drill", "--json"])
    assert done.exit_code == 1
    report = json.loads(done.output)
    assert (report["sound"], report["incidents_differing"]) == (False, 1)
    assert "verdict is stored as" in report["differences"][0]
