"""Bringing a database's tables up to date, and saying how up to date they are."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from io import StringIO

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from base import StorageError
from storage.database import Database

__all__ = ["SchemaState", "downgrade", "revisions", "schema_state", "upgrade"]


@dataclass(frozen=True, slots=True)
class SchemaState:
    """Which version of the tables a database has, and the newest this program knows. `current` is empty for an empty one."""

    current: str
    newest: str

    @property
    def is_current(self) -> bool:
        return self.current == self.newest


def schema_state(url: str) -> SchemaState:
    """The state of the database at `url`, read only; raises StorageError if it cannot be read."""
    database = Database(url)
    try:
        with database.reader.connect() as connection:
            return _state(connection)
    except SQLAlchemyError as error:
        raise database.error(error) from error
    finally:
        database.close()


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Run the missing migrations up to `revision`, all or none. The caller commits. Raises StorageError."""
    state = _state(connection)
    if state.current and state.current not in revisions():
        raise StorageError(
            f"the database was written by a newer Gridpatrol (tables {state.current}, this one knows up to {state.newest}); "
            "start that version, or restore a backup made by this one"
        )
    if state.is_current and revision == "head":
        return
    command.upgrade(_config(connection), revision)


def downgrade(connection: Connection, revision: str) -> None:
    """Undo migrations down to `revision` (`base`: all of them), all or none. The caller commits."""
    try:
        command.downgrade(_config(connection), revision)
    except CommandError as error:
        raise StorageError(f"the tables cannot go back to {revision}: {error}") from error


@cache
def revisions() -> tuple[str, ...]:
    """The ids of all migrations, oldest first."""
    scripts = ScriptDirectory.from_config(_config(None))
    return tuple(script.revision for script in reversed(list(scripts.walk_revisions())))


def _state(connection: Connection) -> SchemaState:
    current = MigrationContext.configure(connection).get_current_revision()
    return SchemaState(current or "", revisions()[-1])


def _config(connection: Connection | None) -> Config:
    config = Config(stdout=StringIO())
    # Alembic expands % in values, and a folder may be called so.
    config.set_main_option("script_location", str(files("storage") / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
