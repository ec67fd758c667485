"""Drills: times in which everything that opens is an exercise, and single incidents marked as one."""

from dataclasses import dataclass, replace

from sqlalchemy import Connection, insert, select, update

from base import Clock, TransitionError, uuid7
from camera_config.notification_rules import NoticeKind
from patrol import Actor, Happening, HistoryEntry, Incident
from patrol.notify import Notice
from storage.accounts import add_audit
from storage.incidents import read_incident, write_incidents
from storage.notices import queue_notices
from storage.reader import Reader
from storage.rows import entry_row
from storage.tables import drills, history
from storage.writer import Writer

__all__ = ["LONGEST_S", "Drill", "Drills", "begin_drill", "end_drill", "is_drill", "mark_incident", "read_drill"]

LONGEST_S = 12 * 3600.0
"""A drill ends by itself: what is real must not be taken for an exercise because somebody forgot to end it."""


@dataclass(frozen=True, slots=True)
class Drill:
    """A time in which everything that opens at this site is an exercise."""

    id: str
    began_s: float
    until_s: float
    reason: str
    by_name: str


class Drills:
    """The drills of one store. Methods block, may come from any thread, and raise StorageError, as those of Store."""

    def __init__(self, writer: Writer, read: Reader, clock: Clock) -> None:
        self._writer = writer
        self._read = read
        self._clock = clock

    def now(self) -> Drill | None:
        """The drill of the whole site that goes on now, if one does."""
        now_s = self._clock.now_s()
        return self._read(lambda connection: read_drill(connection, now_s))

    def begin(self, until_s: float, reason: str, by: Actor) -> Drill:
        """Begin a drill of the whole site. Raises TransitionError if one goes on, or if its end is too far away or past."""
        now_s = self._clock.now_s()
        return self._writer.run(lambda connection: begin_drill(connection, until_s, reason, by, now_s))

    def end(self, by: Actor) -> bool:
        """End the drill of the whole site; whether one went on."""
        now_s = self._clock.now_s()
        return self._writer.run(lambda connection: end_drill(connection, by, now_s))

    def mark(self, incident: str, drill: bool, reason: str, by: Actor) -> Incident:
        """Say that an incident is an exercise, or that it is none. Raises TransitionError if there is no such incident."""
        now_s = self._clock.now_s()
        return self._writer.run(lambda connection: mark_incident(connection, incident, drill, reason, by, now_s))


def read_drill(connection: Connection, now_s: float) -> Drill | None:
    """The drill of the whole site that goes on now, if one does."""
    going_on = (drills.c.ended_s.is_(None), drills.c.until_s > now_s)
    row = connection.execute(select(drills).where(*going_on).order_by(drills.c.until_s.desc()).limit(1)).first()
    return None if row is None else Drill(row.id, row.began_s, row.until_s, row.reason, row.by_name)


def is_drill(connection: Connection, now_s: float) -> bool:
    """Whether what opens now is an exercise."""
    return read_drill(connection, now_s) is not None


def begin_drill(connection: Connection, until_s: float, reason: str, by: Actor, now_s: float) -> Drill:
    """Begin a drill of the whole site. Raises TransitionError if one goes on, or if its end is too far away or past."""
    if read_drill(connection, now_s) is not None:
        raise TransitionError("a drill goes on already; end that one first")
    if not now_s < until_s <= now_s + LONGEST_S:
        raise TransitionError(f"a drill ends within {LONGEST_S / 3600:.0f} hours from now")
    drill = Drill(uuid7(now_s), now_s, until_s, reason, by.name)
    row = {"id": drill.id, "began_s": now_s, "until_s": until_s, "reason": reason, "by_name": by.name, "ended_s": None}
    connection.execute(insert(drills), row)
    queue_notices(connection, [Notice(0, NoticeKind.DRILL_BEGAN, now_s, drill=True, summary=reason)])
    add_audit(connection, by, "begin_drill", f"drill/{drill.id}", reason, now_s)
    return drill


def end_drill(connection: Connection, by: Actor, now_s: float) -> bool:
    """End the drill of the whole site; whether one went on."""
    drill = read_drill(connection, now_s)
    if drill is None:
        return False
    connection.execute(update(drills).where(drills.c.id == drill.id).values(ended_s=now_s))
    queue_notices(connection, [Notice(0, NoticeKind.DRILL_ENDED, now_s, drill=True, summary=drill.reason)])
    add_audit(connection, by, "end_drill", f"drill/{drill.id}", "", now_s)
    return True


def mark_incident(connection: Connection, incident: str, drill: bool, reason: str, by: Actor, now_s: float) -> Incident:
    """Say that an incident is an exercise, or that it is none; nothing changes if that was known. Raises TransitionError."""
    found = read_incident(connection, incident)
    if found is None:
        raise TransitionError(f"there is no incident {incident}")
    if found.drill == drill:
        return found
    marked = replace(found, drill=drill, version=found.version + 1)
    entry = HistoryEntry(
        incident=incident,
        version=marked.version,
        step=Happening.MARKED_DRILL if drill else Happening.MARKED_REAL,
        work=marked.work,
        at_s=now_s,
        recorded_s=now_s,
        by=by,
        text=reason,
    )
    write_incidents(connection, [marked])
    connection.execute(insert(history), entry_row(entry))
    add_audit(connection, by, entry.step.value, f"incident/{incident}", reason, now_s)
    return marked
