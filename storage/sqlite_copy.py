"""An SQLite file copied while it is written to, and put in its place."""

import os
import shutil
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from base import StorageError
from storage.database import Database, sqlite_error

__all__ = ["copy", "put"]


def copy(database: Database, to: Path, without: Iterable[str]) -> dict[str, int]:
    """Copy the file to the new file `to`, without the rows of some tables; how many rows each table has there.

    VACUUM INTO reads one moment of a file that others write to, leaves out pages of deleted rows, and fails on a damaged one.
    Raises StorageError.
    """
    address = f"file:{quote(str(database.path.absolute()))}?mode=ro"
    try:
        with closing(sqlite3.connect(address, uri=True, isolation_level=None)) as source:
            source.execute("VACUUM INTO ?", (str(to),))
    except sqlite3.Error as error:
        raise _error(database, to, error) from error
    try:
        with closing(sqlite3.connect(to, isolation_level=None)) as made:
            made.execute("PRAGMA secure_delete=ON")
            for table in without:
                made.execute(f"DELETE FROM {table}")  # noqa: S608  names of ours
            damage = made.execute("PRAGMA quick_check(1)").fetchone()[0]
            if damage != "ok":
                raise StorageError(f"{database.name} is damaged, so it was not backed up: {damage}")
            names = made.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")
            tables = [row[0] for row in names.fetchall()]
            return {name: made.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in tables}  # noqa: S608
    except sqlite3.Error as error:
        raise _error(database, to, error) from error


def put(database: Database, made: Path) -> None:
    """Make the file `made` the database, where there must be none; raises StorageError."""
    path = database.path
    new = path.with_name(f"{path.name}.restoring")
    try:
        database.lock()
        shutil.copyfile(made, new)
        os.chmod(new, 0o600)
        with new.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(new, path)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise StorageError(f"{database.name} cannot be written: {error.strerror or error}") from None


def _error(database: Database, to: Path, error: sqlite3.Error) -> StorageError:
    if getattr(error, "sqlite_errorname", "").startswith("SQLITE_FULL"):
        return StorageError(f"the disk is full: no room for a copy of the database in {to.parent.parent}")
    return sqlite_error(database.name, error)
