"""Backup and restore: one file that holds the database, the site folder without its secrets, and a manifest of both.

The file is a plain tar (pax, POSIX.1-2001): `manifest.json`, `manifest.sha256`, the files of the site, the database. That is
an SQLite file or what `pg_dump` writes, either as of one moment. Nobody's session or phone code is in it: whoever was signed
out after the backup must not be signed in again by a restore.
"""

import os
import tempfile
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import inspect, text
from sqlalchemy.exc import SQLAlchemyError

from base import StorageError
from camera_config.load import FILES
from camera_config.sealed import SEALED_FILE
from storage import postgresql_tools, sqlite_copy
from storage.archive import FORMAT, POSTGRESQL, SITE, SQLITE, Archive, Manifest, part_of, write_archive
from storage.database import Database
from storage.integrity import Integrity, check_integrity, count_rows
from storage.schema import downgrade, revisions, schema_state, upgrade

__all__ = ["SECRETS", "RestoreDrill", "back_up", "drill_restore", "restore"]

SECRETS = "secrets.toml"
_LOGINS = (SECRETS, SEALED_FILE)
"""The file of a site that is not in its backup: a backup travels, and who finds one must not get into the cameras."""

_EMPTIED = ("sessions", "team_codes")


@dataclass(frozen=True, slots=True)
class RestoreDrill:
    """What a restore into a temporary place showed. `rows_differ` has, by table, the rows by manifest and those restored."""

    manifest: Manifest
    rows_differ: Mapping[str, tuple[int, int]]
    integrity: Integrity

    @property
    def is_sound(self) -> bool:
        return not self.rows_differ and self.integrity.is_sound


def back_up(url: str, folder: Path, site: str, to: Path, version: str, now_s: float) -> Manifest:
    """Back up the database at `url` and the site `folder` into the new file `to`, whether Gridpatrol runs or not.

    Raises StorageError, and leaves no file, if `to` exists, another backup is being written to it, the disk is full, or the
    database cannot be read whole. Needs twice the room of the backup for a while.
    """
    state = schema_state(url)
    if not state.current:
        raise StorageError(f"{Database(url).name} holds nothing of Gridpatrol yet; there is nothing to back up")
    files = {f"{SITE}{name}": folder / name for name in FILES if name not in _LOGINS and (folder / name).is_file()}
    with write_archive(to) as archive, closing(Database(url)) as database:
        if database.is_sqlite:
            copy = archive.folder / SQLITE
            rows = sqlite_copy.copy(database, copy, _EMPTIED)
        else:
            copy = archive.folder / POSTGRESQL
            rows = postgresql_tools.dump(database, copy, _EMPTIED)
        files[copy.name] = copy
        made_at = datetime.fromtimestamp(now_s, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        parts = {name: part_of(path) for name, path in files.items()}
        manifest = Manifest(FORMAT, version, made_at, site, state.current, rows, parts)
        archive.finish(manifest, files)
    return manifest


def restore(file: Path, folder: Path, url: str) -> Manifest:
    """Put the backup `file` into the site `folder` and the database at `url`, neither of which may hold anything.

    Raises StorageError, and leaves nothing there, if either does, or if the file is damaged or of a newer Gridpatrol.
    """
    with Archive.open(file) as archive, closing(Database(url)) as database:
        manifest = archive.manifest
        if manifest.schema not in revisions():
            raise StorageError(
                f"{file} was made by a newer Gridpatrol ({manifest.version}, tables {manifest.schema}; this one knows up to "
                f"{revisions()[-1]}); restore it with that version"
            )
        if folder.exists() and any(folder.iterdir()):
            raise StorageError(f"the folder {folder} is not empty; a restore overwrites nothing")
        _ensure_empty(database, manifest)
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".gridpatrol-restore-", dir=folder.parent) as place:
            archive.extract(Path(place))
            made = Path(place) / manifest.database
            if database.is_sqlite:
                sqlite_copy.put(database, made)
            else:
                postgresql_tools.put(database, made)
            if folder.exists():
                folder.rmdir()
            os.rename(Path(place) / SITE, folder)
    return manifest


def drill_restore(file: Path, url: str = "") -> RestoreDrill:
    """Restore `file` into a temporary place, look at everything, and take it away again.

    The database goes into a temporary file, or into the empty one at `url`, which a backup of PostgreSQL needs. Raises
    StorageError as `restore` does.
    """
    with tempfile.TemporaryDirectory(prefix="gridpatrol-drill-") as name:
        where = url or f"sqlite:///{name}/gridpatrol.db"
        manifest = restore(file, Path(name) / "site", where)
        with closing(Database(where)) as database:
            try:
                rows, found = _look(database, keep=not url)
            except SQLAlchemyError as error:
                raise database.error(error) from error
    pairs = {table: (manifest.rows.get(table, 0), rows.get(table, 0)) for table in sorted({*manifest.rows, *rows})}
    return RestoreDrill(manifest, {table: pair for table, pair in pairs.items() if pair[0] != pair[1]}, found)


def _look(database: Database, keep: bool) -> tuple[dict[str, int], Integrity]:
    """Rows as restored; what is wrong with them once the tables are up to date. Not `keep`: the database is empty again."""
    with closing(database.connect_writer()) as connection:
        with connection.begin():
            rows = count_rows(connection)
            upgrade(connection)
        with connection.begin():
            found = check_integrity(connection)
        if not keep:
            with connection.begin():
                downgrade(connection, "base")
                connection.execute(text("DROP TABLE alembic_version"))
    return rows, found


def _ensure_empty(database: Database, manifest: Manifest) -> None:
    if database.is_sqlite != (manifest.database == SQLITE):
        kind, other = ("SQLite", "PostgreSQL") if manifest.database == SQLITE else ("PostgreSQL", "SQLite")
        raise StorageError(f"this is a backup of {kind}, {database.name} is {other}; name a database of the same kind")
    if database.is_sqlite:
        there = [path for path in (database.path, Path(f"{database.path}-wal")) if path.exists()]
        if there:
            raise StorageError(f"{there[0]} exists already; a restore overwrites nothing. Stop Gridpatrol and move it away first")
        return
    try:
        with database.reader.connect() as connection:
            tables = inspect(connection).get_table_names()
    except SQLAlchemyError as error:
        raise database.error(error) from error
    if tables:
        raise StorageError(f"{database.name} is not empty ({tables[0]} …); a restore overwrites nothing. Name an empty database")
