"""How the system did: a sample every few minutes, kept for a month, so that a page can draw it and a trend can be seen."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from sqlalchemy import JSON, Column, Connection, Double, Table, delete, insert, select, text

from storage.reader import Reader
from storage.tables import metadata
from storage.writer import Writer

__all__ = ["KEPT_S", "SystemSample", "SystemSamples", "system_samples"]

KEPT_S = 31 * 86_400.0
"""How long a sample is kept. One in five minutes makes 9,000 rows of half a kilobyte."""

system_samples = Table(
    "system_samples",
    metadata,
    Column("at_s", Double, primary_key=True),
    Column("figures", JSON(none_as_null=True), nullable=False),
)


@dataclass(frozen=True, slots=True)
class SystemSample:
    """How the system did at `at_s`, UTC. Rates are means since the sample before; None where there was none, or nobody knows.

    `cores` and `rss_bytes` are of all of Gridpatrol's processes, workers included.
    """

    at_s: float
    cores: float | None = None
    rss_bytes: float = 0.0
    memory_free_bytes: float | None = None  # of the machine: what programs could still have
    disk_free_bytes: float | None = None  # where the data folder is
    database_bytes: float = 0.0
    cameras: float = 0.0
    online: float = 0.0
    not_watched: float | None = None  # cameras of which nothing was analysed, on average
    over_budget: float | None = None  # cameras that were worth more decoding than there was room for, on average
    awake_cores: float = 0.0
    budget_cores: float = 0.0
    outbox: float = 0.0  # events that the database has not taken yet
    clips_waiting: float = 0.0
    notices_waiting: float = 0.0
    notices_dead: float = 0.0


_NAMES = tuple(each.name for each in fields(SystemSample))


class SystemSamples:
    """The samples of one site. As the `Store` it belongs to: any thread, returns after the commit."""

    def __init__(self, writer: Writer, read: Reader) -> None:
        self._writer = writer
        self._read = read

    def add(self, sample: SystemSample) -> None:
        """Keep a sample, and forget those that are too old, or later: then the clock was wrong and has been put back."""

        def work(connection: Connection) -> None:
            is_over = (system_samples.c.at_s < sample.at_s - KEPT_S) | (system_samples.c.at_s >= sample.at_s)
            connection.execute(delete(system_samples).where(is_over))
            figures = {name: value for name, value in asdict(sample).items() if name != "at_s"}
            connection.execute(insert(system_samples).values(at_s=sample.at_s, figures=figures))

        self._writer.run(work)

    def between(self, from_s: float, to_s: float) -> list[SystemSample]:
        """Samples of [from_s, to_s), oldest first."""
        inside = (system_samples.c.at_s >= from_s, system_samples.c.at_s < to_s)
        query = select(system_samples).where(*inside).order_by(system_samples.c.at_s)
        return self._read(lambda connection: [_sample(row.at_s, row.figures) for row in connection.execute(query)])

    def database_bytes(self) -> int:
        """What the database takes on its disk, without its journal."""
        return self._read(_database_bytes)


def _database_bytes(connection: Connection) -> int:
    sqlite = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
    is_sqlite = connection.dialect.name == "sqlite"
    found: int = connection.execute(text(sqlite if is_sqlite else "SELECT pg_database_size(current_database())")).scalar_one()
    return found


def _sample(at_s: float, figures: Mapping[str, Any]) -> SystemSample:  # Any: JSON, written above or by another version
    return SystemSample(at_s, **{name: value for name, value in figures.items() if name in _NAMES})
