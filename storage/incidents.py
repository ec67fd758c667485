"""Incidents in the database: one step at a time for people, lists for the page."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from sqlalchemy import Connection, bindparam, insert, select, update

from base import Event, StorageError, TransitionError
from patrol import (
    Command,
    CommandError,
    Flag,
    Grid,
    HistoryEntry,
    Incident,
    Proposal,
    Step,
    Work,
    advance,
    ensure_free,
    propose,
)
from storage.accounts import add_audit
from storage.rows import entry_of, entry_row, event_of, incident_of, incident_row
from storage.tables import commands, events, history, incidents, snapshots
from storage.teams import team_states

__all__ = [
    "IncidentState",
    "apply",
    "fresh_proposal",
    "read_event",
    "read_events",
    "read_history",
    "read_incident",
    "read_incident_of_event",
    "read_incidents",
    "read_snapshot",
    "write_incidents",
]

IncidentState = Literal["open", "closed", "all"]

_NEEDS_PROPOSAL = frozenset({Step.ACKNOWLEDGE, Step.TAKE_OVER, Step.REFUSE})
"""After these somebody is about to dispatch, and what was proposed when the incident opened may be busy by now."""


def apply(connection: Connection, command: Command, grid: Grid, now_s: float) -> Incident:
    """Carry out one step once; see `Store.apply`. The caller commits."""
    repeated = _repeated(connection, command)
    if repeated is not None:
        return repeated
    incident = read_incident(connection, command.incident)
    if incident is None:
        raise TransitionError(f"there is no incident {command.incident}")
    changed, entry = advance(incident, command, now_s)
    if command.step is Step.DISPATCH:
        states = team_states(connection, grid.site, now_s)
        ensure_free(command.team, incident.id, states)
        if not states[command.team].on_shift:
            entry = replace(entry, flags=(*entry.flags, Flag.OFF_SHIFT))
    if command.step in _NEEDS_PROPOSAL and changed.work is Work.ACKNOWLEDGED:
        changed = replace(changed, proposal=fresh_proposal(connection, changed, grid, now_s))
    write_incidents(connection, [changed])
    connection.execute(insert(history), entry_row(entry))
    row = {"id": command.id, "incident": changed.id, "fingerprint": _fingerprint(command), "recorded_s": now_s}
    connection.execute(insert(commands), row | {"result": incident_row(changed)})
    detail = f"{incident.work} → {changed.work}" + (f", team {entry.team}" if entry.team else "")
    add_audit(connection, command.by, command.step.value, f"incident/{changed.id}", detail, now_s)
    return changed


def fresh_proposal(connection: Connection, incident: Incident, grid: Grid, now_s: float) -> Proposal:
    """A proposal from what the teams do now; those that refused this incident stay out."""
    return propose(incident, grid, team_states(connection, grid.site, now_s), now_s, frozenset(incident.refused))


def write_incidents(connection: Connection, changed: Sequence[Incident]) -> None:
    """Replace stored incidents by later versions; raises StorageError if one is not older: somebody else writes, too."""
    if not changed:
        return
    by_id = update(incidents).where(incidents.c.id == bindparam("this_id"), incidents.c.version < bindparam("this_version"))
    rows = [incident_row(each) | {"this_id": each.id, "this_version": each.version} for each in changed]
    if connection.execute(by_id, rows).rowcount != len(rows):
        raise StorageError("an incident was changed by another program that writes to the same database; stop that program")


def read_incident(connection: Connection, incident: str) -> Incident | None:
    row = connection.execute(select(incidents).where(incidents.c.id == incident)).mappings().first()
    return incident_of(row) if row else None


def read_incidents(connection: Connection, state: IncidentState, limit: int, before: str | None) -> list[Incident]:
    """Newest number first, from below the incident `before`; nothing if that is unknown."""
    query = select(incidents).order_by(incidents.c.number.desc()).limit(limit)
    if state == "open":
        query = query.where(incidents.c.work != Work.CLOSED.value)
    elif state == "closed":
        query = query.where(incidents.c.work == Work.CLOSED.value)
    if before is not None:
        query = query.where(incidents.c.number < select(incidents.c.number).where(incidents.c.id == before).scalar_subquery())
    return [incident_of(row) for row in connection.execute(query).mappings()]


def read_history(connection: Connection, incident: str) -> list[HistoryEntry]:
    query = select(history).where(history.c.incident == incident).order_by(history.c.version)
    return [entry_of(row) for row in connection.execute(query).mappings()]


def read_events(connection: Connection, incident: str) -> list[Event]:
    query = select(events).where(events.c.incident == incident).order_by(events.c.raised_s, events.c.id)
    return [event_of(row) for row in connection.execute(query).mappings()]


def read_event(connection: Connection, event: str) -> Event | None:
    row = connection.execute(select(events).where(events.c.id == event)).mappings().first()
    return event_of(row) if row else None


def read_incident_of_event(connection: Connection, event: str) -> Incident | None:
    query = select(incidents).join(events, events.c.incident == incidents.c.id).where(events.c.id == event)
    row = connection.execute(query).mappings().first()
    return incident_of(row) if row else None


def read_snapshot(connection: Connection, event: str) -> bytes | None:
    jpeg = connection.execute(select(snapshots.c.jpeg).where(snapshots.c.event == event)).scalar()
    return None if jpeg is None else bytes(jpeg)


def _repeated(connection: Connection, command: Command) -> Incident | None:
    """What this command led to the first time; None if it is new. Raises TransitionError if the id meant something else."""
    done = connection.execute(select(commands).where(commands.c.id == command.id)).first()
    if done is None:
        return None
    if done.fingerprint != _fingerprint(command):
        raise CommandError(f"the command id {command.id} was already used for another step; every step needs an id of its own")
    return incident_of(done.result)


def _fingerprint(command: Command) -> str:
    """What a repetition must have in common with the first time. Not the time: a server stamps each arrival anew."""
    verdict = command.verdict.value if command.verdict else ""
    said = (command.incident, command.step.value, command.version, command.team, command.text, verdict, command.cause)
    return hashlib.sha256(json.dumps([command.by.kind.value, command.by.id, *said]).encode()).hexdigest()
