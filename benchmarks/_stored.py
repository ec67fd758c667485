"""A database that has been in use for years: millions of events in closed incidents, made by the database itself."""

import time
from typing import Any

from sqlalchemy import Connection, Table, text

from base import StorageError
from storage.database import Database
from storage.tables import audit, events, history, incidents

__all__ = ["PER_INCIDENT", "fill"]

PER_INCIDENT = 5
"""Events of one incident, which also has a line of history for each, one for its end, and a row of audit."""

AT_ONCE = 50_000  # incidents in one transaction
SPACING_S = 60.0

_FIRST = "(SELECT id FROM incidents WHERE number = 1)"


def fill(url: str, count: int, newest_s: float) -> tuple[int, float]:
    """Add `count` events to a database whose incident number 1 is closed; how many it has then, and how many seconds that took.

    All rows are those of incident 1 with other ids, numbers, cameras, cells, severities, causes and times, one incident a minute
    until `newest_s`. Raises StorageError.
    """
    began_s = time.monotonic()
    database = Database(url)
    with database.writer.connect() as connection:
        if database.is_sqlite:
            driver: Any = connection.connection.driver_connection  # outside of a transaction, as pragmas must be
            for pragma in ("synchronous=OFF", "cache_size=-400000"):
                driver.execute(f"PRAGMA {pragma}")
        with connection.begin():
            above = int(connection.execute(text("SELECT max(number) FROM incidents")).scalar_one()) + 1
        end = above + count // PER_INCIDENT
        for first in range(above, end, AT_ONCE):
            with connection.begin():
                if not database.is_sqlite:
                    connection.execute(text("SET LOCAL statement_timeout = 0"))
                _add(connection, first, min(first + AT_ONCE, end) - 1, newest_s - SPACING_S * end)
        if not database.is_sqlite:  # where autovacuum would have done so long ago
            with connection.begin():
                connection.execute(text("SET LOCAL statement_timeout = 0"))
                connection.execute(text("ANALYZE"))
        with connection.begin():
            stored: int = connection.execute(text("SELECT count(*) FROM events")).scalar_one()
    database.close()
    if stored < count:
        raise StorageError(f"the database has {stored} events, not {count}")
    return stored, time.monotonic() - began_s


def _add(connection: Connection, first: int, last: int, from_s: float) -> None:
    """The incidents `first` to `last` with all that belongs to them; `n` is the number of one, `k` that of its event."""
    series = (
        f"WITH RECURSIVE s(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM s WHERE n < {last}), "
        f"e(k) AS (SELECT 0 UNION ALL SELECT k + 1 FROM e WHERE k < {PER_INCIDENT - 1})"
    )
    is_sqlite = connection.dialect.name == "sqlite"

    def padded(number: str, width: int) -> str:
        return f"printf('%0{width}d', {number})" if is_sqlite else f"lpad(({number})::text, {width}, '0')"

    incident = f"'01000001-0000-7000-8000-' || {padded('n', 12)}"
    event = f"'01000002-0000-7000-8000-' || {padded(f'n * {PER_INCIDENT} + k', 12)}"
    camera = f"'c' || {padded('1 + (n * 79) % 727', 4)}"
    at_s = f"{from_s} + {SPACING_S} * n"
    of_incident = {
        "id": incident,
        "number": "n",
        "camera": camera,
        "grid_cell": f"'grid-' || {padded('1 + n % 20', 2)}",
        "severity": "1 + n % 4",
        "owner_name": f"'operator ' || {padded('n % 12', 2)}",
        "cause": f"CASE n % 5 WHEN 0 THEN 'rain' WHEN 1 THEN 'light' ELSE 'case ' || {padded('(n * 31) % 999983', 6)} END",
        "began_s": at_s,
        "opened_s": at_s,
        "last_event_s": f"{at_s} + 9",
        "since_s": f"{at_s} + 600",
        "event_count": str(PER_INCIDENT),
        "best_event": f"'01000002-0000-7000-8000-' || {padded(f'n * {PER_INCIDENT}', 12)}",
        "version": str(PER_INCIDENT + 1),
    }
    of_event = {
        "id": event,
        "incident": incident,
        "camera": camera,
        "began_s": f"{at_s} + k",
        "raised_s": f"{at_s} + k + 1",
        "recorded_s": f"{at_s} + k + 1.5",
        "severity": "1 + n % 4",
        "picture_bytes": "NULL",
    }
    joined = {"incident": incident, "version": "k + 1", "at_s": f"{at_s} + k", "recorded_s": f"{at_s} + k", "event": event}
    closed_s = f"{at_s} + 600"
    closed = {"incident": incident, "version": str(PER_INCIDENT + 1), "at_s": closed_s, "recorded_s": closed_s, "event": "''"}
    audited = {"number": "n + 100000", "at_s": closed_s, "resource": f"'incident/' || {incident}"}
    for table, values, of, which in (
        (incidents, of_incident, "s", "number = 1"),
        (events, of_event, "s, e", f"id = (SELECT min(id) FROM events WHERE incident = {_FIRST})"),
        (history, joined, "s, e", f"version = 1 AND incident = {_FIRST}"),
        (history, closed, "s", f"step = 'close' AND incident = {_FIRST}"),
        (audit, audited, "s", "number = (SELECT min(number) FROM audit WHERE action = 'close')"),
    ):
        _copy(connection, table, values, series, f"{of}, (SELECT * FROM {table.name} WHERE {which}) AS o")


def _copy(connection: Connection, table: Table, values: dict[str, str], series: str, origin: str) -> None:
    """Insert rows that are `o` but for `values`."""
    columns = ", ".join(f'"{column.name}"' for column in table.columns)
    wanted = ", ".join(values.get(column.name, f'o."{column.name}"') for column in table.columns)
    statement = f"{series} INSERT INTO {table.name} ({columns}) SELECT {wanted} FROM {origin}"
    if connection.dialect.name != "sqlite":  # whose driver takes a single % for a placeholder
        statement = statement.replace("%", "%%")
    connection.exec_driver_sql(statement)
