"""`pg_dump` and `pg_restore`: a PostgreSQL database into a file while it is written to, and back into an empty one."""

import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from base import StorageError
from storage.database import Database
from storage.integrity import count_rows

__all__ = ["dump", "put"]


def dump(database: Database, to: Path, without: Iterable[str]) -> dict[str, int]:
    """Dump the database into the new file `to`, without the rows of some tables; how many rows each other table has.

    The dump and the counts are of the same moment. Raises StorageError, also if there is no `pg_dump`.
    """
    program = _program("pg_dump")
    try:
        with database.reader.connect().execution_options(isolation_level="REPEATABLE READ") as connection, connection.begin():
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            snapshot = connection.execute(text("SELECT pg_export_snapshot()")).scalar_one()
            rows = count_rows(connection)
            emptied = [f"--exclude-table-data={table}" for table in without]
            _run(database, program, "--format=custom", f"--snapshot={snapshot}", f"--file={to}", *emptied)
    except SQLAlchemyError as error:
        raise database.error(error) from error
    return {table: 0 if table in without else count for table, count in rows.items()}


def put(database: Database, made: Path) -> None:
    """Fill the empty database from the file `made`, all or nothing; raises StorageError."""
    program = _program("pg_restore")
    _run(
        database, program, "--exit-on-error", "--single-transaction", f"--dbname={database.environment['PGDATABASE']}", str(made)
    )


def _program(name: str) -> str:
    """Where a program of PostgreSQL is; raises StorageError with what to install."""
    found = shutil.which(name)
    if found is None:  # Debian keeps them by version
        folders = Path("/usr/lib/postgresql").glob(f"*/bin/{name}")
        found = max(map(str, folders), default=None, key=lambda path: int(Path(path).parts[4]))
    if found is None:
        raise StorageError(f"{name} was not found; install PostgreSQL's client programs of the server's version")
    return found


def _run(database: Database, program: str, *arguments: str) -> None:
    # The password goes by environment: the command line of a process is there for everybody to read.
    environment = os.environ | database.environment
    options = ("--no-owner", "--no-privileges")
    done = subprocess.run(  # noqa: S603  a program of PostgreSQL, found by its name
        [program, *options, *arguments], env=environment, capture_output=True, stdin=subprocess.DEVNULL, check=False
    )
    if done.returncode:
        said = " ".join(done.stderr.decode("utf-8", "replace").split())
        raise StorageError(f"{Path(program).name} of {database.name} failed: {said[:500] or f'exit status {done.returncode}'}")
