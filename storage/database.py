"""Connections to SQLite or PostgreSQL, who may write, and what a database error means to a person."""

import fcntl
import os
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from base import StorageError

__all__ = ["Database", "sqlite_error"]

BUSY_S = 5.0
"""How long to wait for a lock that another program holds on the database."""

HAND_OVER_S = 2.0
"""How long PostgreSQL may need to notice that the writer before us has gone."""

READERS = 8

ADVISORY_LOCK = 0x67726964_70617472
"""PostgreSQL's advisory lock of the writer, `gridpatr` in ASCII; such locks belong to one database."""

_SQLITE_PROBLEMS = {
    "SQLITE_FULL": "the disk is full; free some space, nothing that was acknowledged is lost",
    "SQLITE_BUSY": "another program keeps it locked; close that program",
    "SQLITE_LOCKED": "another program keeps it locked; close that program",
    "SQLITE_NOTADB": "the file is not an SQLite database; restore it from a backup or move it away",
    "SQLITE_CORRUPT": "the file is damaged; restore it from a backup, or move it away to start anew",
    "SQLITE_READONLY": "it cannot be written to; check the owner of the file and of its folder",
    "SQLITE_CANTOPEN": "it cannot be opened; check that the folder exists and who owns it",
    "SQLITE_IOERR": "the disk reports an error; check the disk",
}


class Database:
    """One database by URL, with an engine for the writer and one for readers. Connections are made when first needed."""

    def __init__(self, url: str) -> None:
        self._url = _parsed(url)
        self._lock_fd: int | None = None
        if self.is_sqlite:
            self.reader = self._sqlite_engine(writes=False)
            self.writer = self._sqlite_engine(writes=True)
        else:
            self.reader = self._postgresql_engine(READERS)
            self.writer = self._postgresql_engine(1)

    @property
    def is_sqlite(self) -> bool:
        return self._url.get_backend_name() == "sqlite"

    @property
    def name(self) -> str:
        """What to call it in a sentence; never with a password."""
        if self.is_sqlite:
            return f"the database {self._url.database}"
        return f"the PostgreSQL database {self._url.database} on {self._url.host or 'this machine'}"

    @property
    def path(self) -> Path:
        """The file of an SQLite database."""
        return Path(str(self._url.database))

    @property
    def environment(self) -> dict[str, str]:
        """What PostgreSQL's own programs need to know to connect, as environment variables (libpq)."""
        host = self._url.host or self._url.query.get("host", "")
        values = {
            "PGHOST": host if isinstance(host, str) else ",".join(host),
            "PGPORT": str(self._url.port or ""),
            "PGUSER": self._url.username or "",
            "PGPASSWORD": str(self._url.password or ""),
            "PGDATABASE": str(self._url.database),
            "PGCONNECT_TIMEOUT": "5",
        }
        return {name: value for name, value in values.items() if value}

    def lock(self) -> None:
        """Become the only writer of an SQLite file; raises StorageError naming the process that is one already."""
        if not self.is_sqlite:
            return  # PostgreSQL: connect_writer takes an advisory lock
        path = Path(f"{self._url.database}.lock")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StorageError(f"{self.name} cannot be opened: {error.strerror} ({path})") from None
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.read(fd, 32).decode("ascii", "replace").strip()
            os.close(fd)
            who = f"process {holder}" if holder else "another process"
            raise StorageError(f"{self.name} is in use: {who} already writes to it; stop that Gridpatrol first") from None
        os.ftruncate(fd, 0)
        os.write(fd, f"{os.getpid()}\n".encode())
        self._lock_fd = fd

    def connect_writer(self) -> Connection:
        """A new connection for the one writer; raises StorageError."""
        try:
            connection = self.writer.connect()
        except SQLAlchemyError as error:
            raise self.error(error) from error
        if self.is_sqlite:
            return connection
        try:
            connection.execute(text(f"SET LOCAL lock_timeout = '{HAND_OVER_S:.0f}s'"))
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": ADVISORY_LOCK})
            connection.commit()
        except SQLAlchemyError as error:
            connection.invalidate()
            connection.close()
            if isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", "") == "55P03":  # lock_not_available
                sentence = f"{self.name} is in use: another Gridpatrol already writes to it; stop that one first"
                raise StorageError(sentence) from None
            raise self.error(error) from error
        return connection

    def write_back(self, connection: Connection) -> None:
        """Write what an SQLite writer has committed from its journal into the file, as far as no reader needs it; never waits.

        `connection` is the writer's, outside of a transaction. Raises StorageError; nothing is lost then.
        """
        if self.is_sqlite:
            driver: sqlite3.Connection | None = connection.connection.driver_connection
            assert driver is not None
            try:
                driver.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            except sqlite3.Error as error:
                raise sqlite_error(self.name, error) from error

    def close(self) -> None:
        """Readers first: on SQLite the connection closed last writes the journal back."""
        self.reader.dispose()
        self.writer.dispose()
        if self._lock_fd is not None:
            os.close(self._lock_fd)
            self._lock_fd = None

    def error(self, error: SQLAlchemyError) -> StorageError:
        """The same failure as a sentence a person can act on."""
        cause = error.orig if isinstance(error, DBAPIError) else None
        if isinstance(cause, sqlite3.Error):
            return sqlite_error(self.name, cause)
        if cause is not None:
            said = " ".join(str(cause).split())
            state = getattr(cause, "sqlstate", None)
            if state == "53100":
                return StorageError(f"{self.name}: the disk of the server is full; free some space there ({said})")
            if state is None or state.startswith(("08", "57P")):
                return StorageError(f"{self.name} cannot be reached: {said}")
            return StorageError(f"{self.name} refused: {said} ({state})")
        return StorageError(f"{self.name} refused: {error}")

    def _sqlite_engine(self, writes: bool) -> Engine:
        engine = create_engine(
            self._url,
            pool_size=1 if writes else READERS,
            max_overflow=0,
            pool_timeout=30,
            connect_args={"timeout": BUSY_S, "isolation_level": None, "check_same_thread": False},
        )
        pragmas = ["foreign_keys=ON", "trusted_schema=OFF"]
        if writes:
            # The writer checkpoints by itself while nobody waits (`write_back`); 16,000 pages (64 MB) are for when it never gets
            # to that, and the limit gives the disk back after a storm. 32 MB of pages hold the ends of all indexes of events.
            pragmas += ["journal_mode=WAL", "synchronous=FULL", "wal_autocheckpoint=16000", "journal_size_limit=67108864"]
            pragmas += ["cache_size=-32768"]
        else:
            # Only the writer checkpoints: two connections doing so at once can corrupt the file before SQLite 3.51.3.
            pragmas += ["query_only=ON", "wal_autocheckpoint=0"]

        @event.listens_for(engine, "connect")
        def prepare(connection: Any, _: object) -> None:  # the driver's own connection, which has no common type
            cursor = connection.cursor()
            for pragma in pragmas:
                cursor.execute(f"PRAGMA {pragma}")
            cursor.close()

        @event.listens_for(engine, "begin")
        def begin(connection: Connection) -> None:
            # The driver would begin too late for SAVEPOINT and DDL; a writer takes its lock at once, so that it waits here.
            connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

        return engine

    def _postgresql_engine(self, size: int) -> Engine:
        # Durability is ours to ask for, whatever the server's default; a lock held by somebody else must not hang us for good.
        options = "-c synchronous_commit=on -c lock_timeout=5000 -c statement_timeout=30000 -c timezone=UTC"
        return create_engine(
            self._url,
            pool_size=size,
            max_overflow=0,
            pool_timeout=30,
            pool_pre_ping=True,
            connect_args={"connect_timeout": 5, "options": options, "application_name": "gridpatrol"},
        )


def sqlite_error(database: str, cause: sqlite3.Error) -> StorageError:
    """What an error of SQLite about the database of this name means to a person."""
    code = getattr(cause, "sqlite_errorname", "")
    for name, problem in _SQLITE_PROBLEMS.items():
        if code.startswith(name):
            return StorageError(f"{database}: {problem} ({code}: {cause})")
    return StorageError(f"{database} refused: {cause} ({code or type(cause).__name__})")


def _parsed(url: str) -> URL:
    expected = "expected sqlite:///path/to/file.db or postgresql+psycopg://user:password@host/database"
    try:
        parsed = make_url(url)
        backend, driver = parsed.get_backend_name(), parsed.get_driver_name()
    except (ArgumentError, NoSuchModuleError):
        raise StorageError(f"the address of the database is not understood: {expected}") from None
    if backend == "sqlite" and parsed.database not in (None, "", ":memory:"):
        return parsed
    if (backend, driver) == ("postgresql", "psycopg") and parsed.database:
        return parsed
    raise StorageError(
        f"the address of the database is not understood: {expected}, got {parsed.render_as_string(hide_password=True)}"
    )
