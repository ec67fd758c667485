"""Versions of the site: once for each content, in order, with everything the files held."""

from collections.abc import Callable

import pytest
from sqlalchemy import text

from base import SimulatedClock, StorageError
from camera_config.site_files import digest_of
from patrol.incident import SYSTEM
from storage import CameraChanges, SiteVersion, Store, VersionKind, read_versions
from storage.database import Database
from tests.patrol.small_site import LI

FIRST = {"cameras.csv": b"id\nc1\n", "rules.toml": b""}
SECOND = {"cameras.csv": b"id\nc2\n", "rules.toml": b""}


def record(store: Store, files: dict[str, bytes], changed: str = "c1") -> SiteVersion:
    changes = CameraChanges(changed=(changed,))
    return store.site_versions.record(files, digest_of(files), VersionKind.CAMERA_CHANGED, LI, changes)


def test_versions_are_numbered_and_hold_their_files(open_store: Callable[[], Store], clock: SimulatedClock, url: str) -> None:
    store = open_store()
    assert store.site_versions.newest() is None and read_versions(url, 5) == []
    first = record(store, FIRST)
    assert record(store, FIRST) == first  # the same again is none
    clock.advance(60.0)
    second = record(store, SECOND, "c2")
    back = store.site_versions.record(FIRST, digest_of(FIRST), VersionKind.RESTORE, SYSTEM, CameraChanges(), restored=1)
    assert [first.version, second.version, back.version] == [1, 2, 3]
    assert store.site_versions.page(10) == [back, second, first] == read_versions(url, 10)
    assert store.site_versions.page(1, before=3) == [second]
    assert store.site_versions.files(second) == SECOND and store.site_versions.files(back) == FIRST
    assert (back.restored, back.digest, second.changes.changed) == (1, first.digest, ("c2",))
    assert [row.action for row in store.audit_rows(3)] == ["site_restore", "site_camera_changed", "site_camera_changed"]
    assert store.site_versions.version(9) is None


def test_a_damaged_version_is_said_to_be(open_store: Callable[[], Store], url: str) -> None:
    store = open_store()
    first = record(store, FIRST)
    store.close()
    database = Database(url)
    with database.connect_writer() as connection:
        connection.execute(text("DELETE FROM site_files WHERE sha256 = :digest"), {"digest": first.files["cameras.csv"]})
        connection.commit()
    database.close()
    with pytest.raises(StorageError, match=r"version 1 of the site is damaged: cameras\.csv"):
        open_store().site_versions.files(first)
