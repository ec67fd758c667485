"""Deleting what is older than a site wants to keep it, a little at a time, except for what a legal hold is on.

What may go is found by a reader; the writer looks once more and deletes it, so that each commit stays short.
"""

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, delete, func, insert, select, tuple_, update

from base import Clock
from camera_config.retention_rules import Kept, RetentionRules
from patrol import SYSTEM, Actor
from storage import holds
from storage.accounts import add_audit
from storage.areas import Area
from storage.clip_tables import clips
from storage.coverage_tables import patrol_proposals, switched_off
from storage.desk_tables import handovers
from storage.holds import Hold
from storage.photo_tables import photo_jpegs, photos
from storage.reader import Reader
from storage.tables import (
    audit,
    code_attempts,
    draws,
    drills,
    events,
    gaps,
    health,
    incidents,
    messages,
    metadata,
    notices,
    retention,
    round_entries,
    rounds,
    snapshots,
    temporary_stops,
    watch_runs,
)
from storage.writer import Writer

__all__ = ["Retention"]

logger = logging.getLogger(__name__)
Condition = ColumnElement[bool]

BATCH = 50
"""Rows deleted in one transaction. An incident takes some dozen rows of other tables with it, so a batch takes about 20 ms."""

OLDEST = 20_000
"""Rows that are looked at in tables without an index by time; they are in the order in which they were written."""

DAY_S = 86_400.0

LEAP_S = DAY_S
"""How far the time that decides what is old may move from one run to the next. Runs are an hour apart: after a stop of a month it
has caught up a day later; a clock that jumps ahead by years deletes a day's data in an hour, and the log says so each time."""


@dataclass(frozen=True, slots=True)
class _Old:
    """Rows of one table that go when they are as old as their kind may become. `but_for` says which ones stay all the same."""

    kept: Kept
    table: Table
    since: ColumnElement[float]
    but_for: Callable[[float], Sequence[Condition]] = lambda now_s: ()

    def conditions(self, rules: RetentionRules, now_s: float) -> list[Condition]:
        return [self.since < now_s - rules.of(self.kept).max_days * DAY_S, *self.but_for(now_s)]


class Retention:
    """Deletes by the rules of a site, and keeps legal holds. A run is `begin`, `delete_some` until it is False, `end`.

    Holds are safe from any thread, a run belongs to one thread at a time. Everything raises StorageError as the store does.
    """

    def __init__(self, writer: Writer, read: Reader, clock: Clock, rules: RetentionRules) -> None:
        self._writer = writer
        self._read = read
        self._clock = clock
        self._rules = rules
        self._now_s = 0.0  # of this run
        self._excess_bytes = 0.0  # of pictures, beyond what they may take
        self._excess_clip_bytes = 0.0

    def begin(self) -> None:
        """Begin a run: decide what time it is, and how much the pictures take."""
        now_s = self._clock.now_s()
        self._now_s = self._writer.run(lambda connection: _reach(connection, now_s))
        if now_s - self._now_s > DAY_S:
            ahead = (now_s - self._now_s) / DAY_S
            logger.warning("retention lags %.0f days behind the clock and follows by a day in each run: did it jump?", ahead)
        self._excess_bytes = self._read(_picture_bytes) - self._rules.pictures_max_gb * 1e9
        taken = select(func.coalesce(func.sum(clips.c.bytes), 0))
        taken_bytes = self._read(lambda connection: connection.execute(taken).scalar_one())
        self._excess_clip_bytes = taken_bytes - self._rules.clips_max_gb * 1e9

    def delete_some(self) -> bool:
        """Delete one batch; False if there was nothing left to delete."""
        for old in _OLD:
            rows = _Rows(old.table, (*old.conditions(self._rules, self._now_s),), (old.since,))
            if self._delete(rows, self._find(rows), _delete_rows):
                return True
        return self._delete_old_pictures() or self._delete_excess() or self._delete_excess_clips()

    def end(self) -> Mapping[str, int]:
        """End a run: what was deleted goes into the audit trail, by table; so does what a run deleted that did not end."""
        if not self._read(lambda connection: connection.scalar(select(retention.c.deleted))):
            return {}
        now_s = self._clock.now_s()
        return self._writer.run(lambda connection: _account(connection, now_s))

    def add_hold(self, hold: Hold, by: Actor) -> Hold:
        """Put a hold on an incident, once by its id. Raises CommandError; TransitionError if there is no such incident."""
        return self._writer.run(lambda connection: holds.add_hold(connection, hold, by))

    def lift_hold(self, hold: str, by: Actor) -> Hold | None:
        """Lift a hold; as it is now, None if there is none."""
        now_s = self._clock.now_s()
        return self._writer.run(lambda connection: holds.lift_hold(connection, hold, by, now_s))

    def holds(self, incident: str | None = None, area: Area | None = None) -> list[Hold]:
        """The holds on one incident, or all that are in force, of one area or everywhere; newest first."""
        now_s = self._clock.now_s()
        return self._read(lambda connection: holds.read_holds(connection, incident, now_s, area))

    def hold(self, hold: str) -> Hold | None:
        """One hold by its id."""
        return self._read(lambda connection: holds.read_hold(connection, hold))

    def _delete_old_pictures(self) -> bool:
        before_s = self._now_s - self._rules.pictures.max_days * DAY_S
        for severity in (4, 3, 2, 1):  # so that the index of pictures is used, which holds no event without one
            conditions = (events.c.severity == severity, events.c.raised_s < before_s, *_pictured(self._now_s))
            rows = _Rows(events, conditions, (events.c.raised_s,))
            if self._delete(rows, self._find(rows), _delete_pictures):
                return True
        rows = _Rows(photos, (photos.c.at_s < before_s, *_photographed(self._now_s)), (photos.c.at_s,))
        return self._delete(rows, self._find(rows), _delete_pictures)

    def _delete_excess(self) -> bool:
        """Pictures of the lowest severity first, of those the oldest, photos last; none that must still be kept."""
        if self._excess_bytes <= 0:
            return False
        before_s = self._now_s - self._rules.pictures.min_days * DAY_S
        conditions = (events.c.raised_s < before_s, *_pictured(self._now_s))
        rows = _Rows(events, conditions, (events.c.severity.desc(), events.c.raised_s))
        sizes = self._find(rows, events.c.picture_bytes)
        if not sizes:
            rows = _Rows(photos, (photos.c.at_s < before_s, *_photographed(self._now_s)), (photos.c.at_s,))
            sizes = self._find(rows, photos.c.picture_bytes)
        if not sizes:
            logger.warning("pictures take %.1f GB more than they should, but must not be deleted yet", self._excess_bytes / 1e9)
            return False
        chosen = []
        for name, size in sizes:
            if self._excess_bytes > 0:
                chosen.append((name,))
                self._excess_bytes -= size
        return self._delete(rows, chosen, _delete_pictures)

    def _delete_excess_clips(self) -> bool:
        """As with pictures: the lowest severity first, of those the oldest. The files go after their rows."""
        if self._excess_clip_bytes <= 0:
            return False
        before_s = self._now_s - self._rules.pictures.min_days * DAY_S
        severity = select(events.c.severity).where(events.c.id == clips.c.event).scalar_subquery()
        rows = _Rows(clips, (clips.c.began_s < before_s, _of_event_over(self._now_s)), (severity.desc(), clips.c.began_s))
        sizes = self._find(rows, clips.c.bytes)
        if not sizes:
            excess_gb = self._excess_clip_bytes / 1e9
            logger.warning("clips take %.1f GB more than they should, but must not be deleted yet", excess_gb)
            return False
        chosen = []
        for name, size in sizes:
            if self._excess_clip_bytes > 0:
                chosen.append((name,))
                self._excess_clip_bytes -= size
        return self._delete(rows, chosen, _delete_rows)

    def _find(self, rows: "_Rows", *more: ColumnElement[Any]) -> list[tuple[Any, ...]]:
        """The keys of one batch, those that come first; with `more` columns of each."""
        query = select(*rows.table.primary_key.columns, *more).where(*rows.conditions).order_by(*rows.order).limit(BATCH)
        return self._read(lambda connection: [tuple(row) for row in connection.execute(query)])

    def _delete(self, rows: "_Rows", found: list[tuple[Any, ...]], do: "_Do") -> bool:
        """Delete those of the rows found that may still go; False if none were found."""
        if found:
            self._writer.run(lambda connection: _delete_still(connection, rows, found, do))
        return bool(found)


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows of one table that may go, and in which order."""

    table: Table
    conditions: tuple[Condition, ...]
    order: tuple[ColumnElement[Any], ...]

    def among(self, keys: list[tuple[Any, ...]]) -> Condition:
        columns = list(self.table.primary_key.columns)
        return columns[0].in_([key[0] for key in keys]) if len(columns) == 1 else tuple_(*columns).in_(keys)


_Do = Callable[[Connection, Table, Condition, Counter[str]], None]


def _delete_still(connection: Connection, rows: _Rows, found: list[tuple[Any, ...]], do: _Do) -> None:
    """A hold may have come after they were found, or somebody may have reopened an incident."""
    query = select(*rows.table.primary_key.columns).where(rows.among(found), *rows.conditions)
    still = [tuple(row) for row in connection.execute(query)]
    if not still:
        return
    deleted = Counter[str](connection.scalar(select(retention.c.deleted)))
    connection.execute(update(retention).values(deleting=True))
    do(connection, rows.table, rows.among(still), deleted)
    connection.execute(update(retention).values(deleting=False, deleted=dict(deleted)))


def _delete_rows(connection: Connection, table: Table, which: Condition, deleted: Counter[str]) -> None:
    """Delete rows, before them what belongs to them in any other table."""
    for other in metadata.sorted_tables:
        for key in other.foreign_keys:
            if key.column.table is table:
                _delete_rows(connection, other, key.parent.in_(select(key.column).where(which)), deleted)
    count = connection.execute(delete(table).where(which)).rowcount
    if count:
        deleted[table.name] += count


def _delete_pictures(connection: Connection, table: Table, which: Condition, deleted: Counter[str]) -> None:
    """Delete the pictures of events or photos; what is known of these stays."""
    pictures, owner = _PICTURES[table]
    mine = owner.in_(select(table.c.id).where(which))
    deleted[pictures.name] += connection.execute(delete(pictures).where(mine)).rowcount
    connection.execute(update(table).where(which).values(picture_bytes=None))


def _picture_bytes(connection: Connection) -> int:
    """What the pictures of events and the photos take together."""
    sums = [
        select(func.coalesce(func.sum(each.c.picture_bytes), 0)).where(each.c.picture_bytes.is_not(None)) for each in _PICTURES
    ]
    return sum(int(connection.execute(query).scalar_one()) for query in sums)


def _reach(connection: Connection, now_s: float) -> float:
    """What a run takes for now; see LEAP_S."""
    reached_s: float | None = connection.scalar(select(retention.c.reached_s))
    if reached_s is None:
        connection.execute(insert(retention).values(reached_s=now_s, deleting=False, deleted={}))
        return now_s
    reached_s = min(now_s, reached_s + LEAP_S)
    connection.execute(update(retention).values(reached_s=reached_s))
    return reached_s


def _account(connection: Connection, now_s: float) -> Mapping[str, int]:
    deleted: Mapping[str, int] = connection.execute(select(retention.c.deleted)).scalar_one()
    detail = ", ".join(f"{count} {table}" for table, count in sorted(deleted.items()))
    add_audit(connection, SYSTEM, "delete_old", "retention", detail, now_s)
    connection.execute(update(retention).values(deleted={}))
    return deleted


def _is_over(now_s: float) -> Condition:
    """An incident that nobody works on and nobody wants kept."""
    return (incidents.c.work == "closed") & ~holds.is_held(incidents, now_s)


def _of_incident_over(now_s: float) -> Condition:
    return select(incidents.c.id).where(incidents.c.id == events.c.incident, _is_over(now_s)).exists()


def _of_event_over(now_s: float) -> Condition:
    mine = select(events.c.id).join(incidents, incidents.c.id == events.c.incident)
    return mine.where(events.c.id == clips.c.event, _is_over(now_s)).exists()


def _pictured(now_s: float) -> tuple[Condition, ...]:
    return events.c.picture_bytes.is_not(None), _of_incident_over(now_s)


def _photographed(now_s: float) -> tuple[Condition, ...]:
    over = select(incidents.c.id).where(incidents.c.id == photos.c.incident, _is_over(now_s)).exists()
    return photos.c.picture_bytes.is_not(None), over


def _incident_may_go(now_s: float) -> Sequence[Condition]:
    """The newest stays: the numbers of those to come are counted from it."""
    newest = select(func.max(incidents.c.number)).scalar_subquery()
    return _is_over(now_s), incidents.c.number < newest


def _round_may_go(now_s: float) -> Sequence[Condition]:
    mine = select(round_entries.c.id).where(round_entries.c.round == rounds.c.id)
    held = mine.join(incidents, incidents.c.id == round_entries.c.incident).where(holds.is_held(incidents, now_s))
    return rounds.c.look_s.is_(None), ~held.exists()


def _has_no_round(_: float) -> Sequence[Condition]:
    return (~select(rounds.c.id).where(rounds.c.draw == draws.c.id).exists(),)


def _oldest(table: Table) -> Condition:
    number = next(iter(table.primary_key.columns))
    return number < select(func.min(number)).scalar_subquery() + OLDEST


def _audit_may_go(now_s: float) -> Sequence[Condition]:
    return _oldest(audit), ~holds.is_audit_held(audit, now_s)


def _has_later(table: Table, order: str) -> Condition:
    """Not the newest of its camera: that one says how things are."""
    other = table.alias()
    return select(other.c.camera).where(other.c.camera == table.c.camera, other.c[order] > table.c[order]).exists()


_PICTURES: dict[Table, tuple[Table, ColumnElement[str]]] = {
    events: (snapshots, snapshots.c.event),
    photos: (photo_jpegs, photo_jpegs.c.photo),
}
"""Tables of which each row may have a picture, and where that is."""

_OLD = (
    _Old(Kept.INCIDENTS, incidents, incidents.c.since_s, _incident_may_go),
    _Old(Kept.EVENTS, events, events.c.raised_s, lambda now_s: (_of_incident_over(now_s),)),
    _Old(Kept.PICTURES, clips, clips.c.began_s, lambda now_s: (_of_event_over(now_s),)),
    _Old(Kept.ROUNDS, rounds, rounds.c.due_s, _round_may_go),
    _Old(Kept.ROUNDS, draws, draws.c.announced_s, _has_no_round),
    _Old(Kept.ROUNDS, temporary_stops, temporary_stops.c.until_s),
    _Old(Kept.ROUNDS, notices, notices.c.at_s, lambda _: (notices.c.incident.is_(None), notices.c.done_s.is_not(None))),
    _Old(Kept.AUDIT, audit, audit.c.at_s, _audit_may_go),
    _Old(Kept.AUDIT, handovers, handovers.c.made_s),
    _Old(Kept.HEALTH, health, health.c.recorded_s, lambda _: (_oldest(health), _has_later(health, "number"))),
    _Old(Kept.HEALTH, gaps, gaps.c.ended_s, lambda _: (_has_later(gaps, "began_s"),)),
    _Old(Kept.HEALTH, watch_runs, watch_runs.c.ended_s),
    _Old(Kept.HEALTH, switched_off, switched_off.c.ended_s),
    _Old(Kept.ROUNDS, patrol_proposals, patrol_proposals.c.withdrawn_s),
    _Old(Kept.HEALTH, code_attempts, code_attempts.c.at_s, lambda _: (_oldest(code_attempts),)),
    _Old(Kept.HEALTH, messages, messages.c.made_s, lambda _: (_oldest(messages), messages.c.state != "waiting")),
    _Old(Kept.HEALTH, drills, drills.c.ended_s),
)
"""Everything that grows old, but for pictures."""
