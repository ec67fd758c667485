"""Does a database hold together: no row without what it belongs to, and every incident as its history says."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, inspect, select, text

from base import Event
from patrol import HistoryEntry, Incident
from patrol.rebuild import differences
from storage.photos import altered_photos
from storage.rows import entry_of, event_of, incident_of
from storage.tables import events, history, incidents, metadata

__all__ = ["Integrity", "check_integrity", "count_rows"]

MOST_SHOWN = 50

PAGE = 400
"""Incidents looked at together; SQLite allows 999 parameters in its oldest builds."""


@dataclass(frozen=True, slots=True)
class Integrity:
    """What was found. `differing` counts incidents that are not as their history says, and photos; `orphans` rows by the
    foreign key that leads nowhere; `damage` is what SQLite itself says.
    """

    incidents: int
    differing: int
    differences: tuple[str, ...]  # the first of them, as sentences
    orphans: dict[str, int]
    damage: tuple[str, ...]

    @property
    def is_sound(self) -> bool:
        return not (self.differing or self.orphans or self.damage)


def check_integrity(connection: Connection) -> Integrity:
    """Look at everything. Reads only; takes about a minute for a hundred thousand incidents."""
    looked = differing = 0
    told: list[str] = []
    for incident, entries, known in _with_past(connection):
        looked += 1
        found = differences(incident, entries, known)
        differing += bool(found)
        told += found[: MOST_SHOWN - len(told)]
    altered = altered_photos(connection)
    told += altered[: MOST_SHOWN - len(told)]
    return Integrity(looked, differing + len(altered), tuple(told), _orphans(connection), _damage(connection))


def count_rows(connection: Connection) -> dict[str, int]:
    """How many rows each table has, also those that this program does not know."""
    quote = connection.dialect.identifier_preparer.quote
    names = sorted(inspect(connection).get_table_names())
    return {name: connection.execute(text(f"SELECT count(*) FROM {quote(name)}")).scalar_one() for name in names}  # noqa: S608


def _with_past(connection: Connection) -> Iterator[tuple[Incident, list[HistoryEntry], dict[str, Event]]]:
    """Every incident with its history and all events that it names, wherever they are now."""
    numbers = connection.scalars(select(incidents.c.id).order_by(incidents.c.number)).all()
    for start in range(0, len(numbers), PAGE):
        ids = numbers[start : start + PAGE]
        past: dict[str, list[HistoryEntry]] = {name: [] for name in ids}
        lines = select(history).where(history.c.incident.in_(ids)).order_by(history.c.incident, history.c.version)
        for row in connection.execute(lines).mappings():
            past[row["incident"]].append(entry_of(row))
        named = {name for entries in past.values() for entry in entries for name in (entry.event, *(entry.events or ())) if name}
        known = _events(connection, sorted(named))
        for row in connection.execute(select(incidents).where(incidents.c.id.in_(ids)).order_by(incidents.c.number)).mappings():
            yield incident_of(row), past[row["id"]], known


def _events(connection: Connection, ids: Sequence[str]) -> dict[str, Event]:
    found = {}
    for start in range(0, len(ids), PAGE):
        for row in connection.execute(select(events).where(events.c.id.in_(ids[start : start + PAGE]))).mappings():
            found[row["id"]] = event_of(row)
    return found


def _orphans(connection: Connection) -> dict[str, int]:
    found = {}
    for table in metadata.sorted_tables:
        for key in table.foreign_keys:
            parent = key.column.table.alias("parent")
            mine = select(func.count()).select_from(table.outerjoin(parent, key.parent == parent.c[key.column.name]))
            lost: int = connection.execute(mine.where(key.parent.is_not(None), parent.c[key.column.name].is_(None))).scalar_one()
            if lost:
                found[f"{table.name}.{key.parent.name}"] = lost
    return found


def _damage(connection: Connection) -> tuple[str, ...]:
    if connection.dialect.name != "sqlite":
        return ()  # PostgreSQL has no such question; its restore would have failed
    said = connection.execute(text("PRAGMA integrity_check(50)")).scalars().all()
    return () if said == ["ok"] else tuple(said)
