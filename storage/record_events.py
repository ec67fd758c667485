"""Events into incidents: the transaction after which a worker may forget its events."""

import logging
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from sqlalchemy import Connection, insert, select, update

from base import Event, EventKind, uuid7
from patrol import HistoryEntry, Incident, busy_with, join, joins, open_incident, propose_or_dispatch
from storage.drills import is_drill
from storage.incidents import next_number, write_incidents
from storage.notices import notices_of_history, queue_notices
from storage.outages import suppressed_under
from storage.rows import entry_row, event_row, incident_of, incident_row
from storage.site_rules import SiteRules
from storage.tables import events as events_table
from storage.tables import history, incidents, is_open, snapshots
from storage.teams import team_states

logger = logging.getLogger(__name__)
T = TypeVar("T")

__all__ = ["DEAD_TIME_S", "record_events"]

DEAD_TIME_S = 120.0
"""For an event whose rule the site does not have (any more); the rules' own default."""

CHUNK = 400
"""Values in one IN list; SQLite allows 999 parameters in its oldest builds."""


@dataclass(slots=True)
class _Changes:
    """What one transaction is about to write."""

    opened: dict[str, Incident] = field(default_factory=dict)
    joined: dict[str, Incident] = field(default_factory=dict)
    entries: list[HistoryEntry] = field(default_factory=list)
    incident_of_event: dict[str, str] = field(default_factory=dict)

    def keep(self, event: Event, incident: Incident, entries: Sequence[HistoryEntry]) -> None:
        target = self.opened if incident.version == 1 or incident.id in self.opened else self.joined
        target[incident.id] = incident
        self.entries += entries
        self.incident_of_event[event.id] = incident.id

    def incident(self, incident: str) -> Incident:
        """As it is about to be written."""
        return self.opened.get(incident) or self.joined[incident]


def record_events(connection: Connection, events: Sequence[Event], rules: SiteRules, now_s: float) -> list[Incident]:
    """Store what is new among `events`, and when those ended that come again with their end; the incidents of all of them, by
    number. The caller commits.

    Those of events that were stored before are returned as they are now: the call that stored them may have been told that it
    failed, and then nobody has heard of them.
    """
    fresh, told_before = _fresh(connection, events)
    _end(connection, events, told_before)
    found = _incidents_of(connection, told_before)
    if fresh:
        found |= _record(connection, fresh, rules, now_s)
    return sorted(found.values(), key=lambda incident: incident.number)


def _record(connection: Connection, fresh: list[Event], rules: SiteRules, now_s: float) -> dict[str, Incident]:
    """Store `fresh`; the incidents opened or changed, by id."""
    changes = _sort_into_incidents(connection, fresh, rules, now_s)
    if changes.opened:
        states = dict(team_states(connection, rules.grid, now_s))
        for incident in changes.opened.values():
            opened, by_rule = propose_or_dispatch(incident, rules.grid, states, now_s)
            changes.opened[incident.id] = opened
            if by_rule is not None:  # the team is busy for those that follow
                states[opened.team] = busy_with(states[opened.team], opened)
                changes.entries.append(by_rule)
    for changed in (changes.opened, changes.joined):
        for incident in changed.values():
            changed[incident.id] = rules.clocks.timed(incident)
    _write(connection, fresh, changes, now_s)
    return changes.opened | changes.joined


def _fresh(connection: Connection, events: Sequence[Event]) -> tuple[list[Event], list[str]]:
    """Events that are not stored yet, each once, in the order in which they were raised; and the ids of those that are."""
    stored: list[str] = []
    by_id: dict[str, Event] = {}
    for event in map(_storable, events):
        known = by_id.get(event.id)  # what comes again brings its end, and no picture
        by_id[event.id] = event if known is None else replace(known, ended_s=event.ended_s)
    for ids in _chunks(list(by_id)):
        for name in connection.scalars(select(events_table.c.id).where(events_table.c.id.in_(ids))):
            del by_id[name]
            stored.append(name)
    return sorted(by_id.values(), key=lambda event: (event.raised_s, event.id)), stored


def _end(connection: Connection, events: Sequence[Event], stored: Sequence[str]) -> None:
    """Write down when stored events ended, once."""
    ended = {event.id: event.ended_s for event in map(_storable, events) if event.ended_s is not None}
    for name in stored:
        if name in ended:
            mine = (events_table.c.id == name) & events_table.c.ended_s.is_(None)
            connection.execute(update(events_table).where(mine).values(ended_s=ended[name]))


def _incidents_of(connection: Connection, stored: list[str]) -> dict[str, Incident]:
    """The incidents of stored events, by id."""
    found: dict[str, Incident] = {}
    for ids in _chunks(stored):
        mine = select(events_table.c.incident).where(events_table.c.id.in_(ids))
        for row in connection.execute(select(incidents).where(incidents.c.id.in_(mine))).mappings():
            incident = incident_of(row)
            found[incident.id] = incident
    return found


def _storable(event: Event) -> Event:
    """`event` without what no database holds (NaN, NUL): one such event must not hold up all that follow it."""
    changes: dict[str, Any] = {}
    for name in ("began_s", "raised_s", "ended_s", "score", "delay_s", "look_s"):
        value = getattr(event, name)
        if value is not None and not math.isfinite(value):
            changes[name] = None if name == "ended_s" else 0.0
    if not all(map(math.isfinite, event.box)):
        changes["box"] = (0.0, 0.0, 1.0, 1.0)
    if not all(math.isfinite(value) for point in event.path for value in point):
        changes["path"] = ()
    for name in ("camera", "label", "rule", "zone", "network"):
        if "\x00" in getattr(event, name):
            changes[name] = getattr(event, name).replace("\x00", "")
    if not changes:
        return event
    logger.error(
        "event %s of camera %s carried values that cannot be stored: %s replaced", event.id, event.camera, ", ".join(changes)
    )
    return replace(event, **changes)


def _sort_into_incidents(connection: Connection, fresh: list[Event], rules: SiteRules, now_s: float) -> _Changes:
    """Join each event to an open incident, or open one with the next number."""
    changes = _Changes()
    dead_time_s = {(rule.camera, rule.name): rule.dead_time_s for rule in rules.grid.site.rules}
    # Twice: the rule itself is silent for one dead time, so what goes on comes again just after it.
    limits_s = [2 * dead_time_s.get((event.camera, event.rule), DEAD_TIME_S) for event in fresh]
    candidates = _open_incidents(connection, fresh, rules, max(limits_s))
    parents = suppressed_under(connection, fresh)
    for parent in parents.values():
        candidates.keep(parent)
    number = next_number(connection)
    drill = is_drill(connection, now_s)
    for event, limit_s in zip(fresh, limits_s, strict=True):
        overlapping = rules.views.overlapping(event.camera)
        # What is real never disappears in an exercise.
        near = [each for each in candidates.near((event.camera, *overlapping), event.kind) if each.drill == drill]
        fitting = [incident for incident in near if joins(event, incident, limit_s, overlapping)]
        if event.id in parents:  # its switch is down: the one incident about that has all of it
            fitting = [candidates.incidents[parents[event.id].id]]
        if fitting:
            newest = max(fitting, key=lambda incident: (incident.last_event_s, incident.number))
            joined, entry = join(event, newest, now_s)
            incident, warning = rules.clocks.tell_raised(newest, joined, now_s)
        else:
            incident, entry = open_incident(event, uuid7(now_s), number, rules.grid.locate(event.camera), now_s)
            incident, warning = replace(incident, drill=drill), ()
            number += 1
        candidates.keep(incident)
        changes.keep(event, incident, (entry, *warning))
    return changes


@dataclass(slots=True)
class _Candidates:
    """Open incidents that an event may join, found by any of their cameras."""

    incidents: dict[str, Incident] = field(default_factory=dict)
    ids: dict[tuple[str, EventKind], set[str]] = field(default_factory=dict)

    def keep(self, incident: Incident) -> None:
        self.incidents[incident.id] = incident
        for camera in incident.cameras:
            if incident.kind is not None:
                self.ids.setdefault((camera, incident.kind), set()).add(incident.id)

    def near(self, cameras: Iterable[str], kind: EventKind) -> list[Incident]:
        found = {incident for camera in cameras for incident in self.ids.get((camera, kind), ())}
        return [self.incidents[incident] for incident in found]


def _open_incidents(connection: Connection, fresh: list[Event], rules: SiteRules, longest_s: float) -> _Candidates:
    """Those of the cameras of `fresh` and of the ones that see the same; and all that hold events of several cameras.

    Only those that had an event within `longest_s`: thousands may be open that nothing joins any more.
    """
    found = _Candidates()
    is_near = (
        incidents.c.last_event_s >= min(event.raised_s for event in fresh) - longest_s,
        incidents.c.began_s <= max(event.raised_s for event in fresh) + longest_s,
    )
    cameras = {camera for event in fresh for camera in (event.camera, *rules.views.overlapping(event.camera))}
    of_kind = incidents.c.kind.in_({event.kind.value for event in fresh})
    # One question after another, each with an index of its own; one with OR would read every incident there is.
    meant = [incidents.c.camera.in_(chunk) for chunk in _chunks(sorted(cameras))]
    for each in (*meant, incidents.c.camera_count > 1):
        for row in connection.execute(select(incidents).where(is_open, of_kind, each, *is_near)).mappings():
            found.keep(incident_of(row))
    return found


def _write(connection: Connection, fresh: list[Event], changes: _Changes, now_s: float) -> None:
    if changes.opened:
        connection.execute(insert(incidents), [incident_row(incident) for incident in changes.opened.values()])
    write_incidents(connection, list(changes.joined.values()))
    connection.execute(insert(events_table), [event_row(each, changes.incident_of_event[each.id], now_s) for each in fresh])
    pictures = [{"event": event.id, "jpeg": event.snapshot_jpeg} for event in fresh if event.snapshot_jpeg]
    if pictures:
        connection.execute(insert(snapshots), pictures)
    connection.execute(insert(history), [entry_row(entry) for entry in changes.entries])
    told = [notice for entry in changes.entries for notice in notices_of_history(changes.incident(entry.incident), [entry])]
    queue_notices(connection, told)


def _chunks(values: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]
