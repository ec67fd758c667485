"""Referrals in the database: each step with its history, notices and the incident's clock, in one transaction."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, insert, select, update

from base import TransitionError
from patrol import Actor, ActorKind, CommandError, Flag, Happening, HistoryEntry, Incident, Level
from patrol.referral import (
    DeskClocks,
    Referral,
    ReferralCommand,
    ReferralEntry,
    ReferralState,
    ReferralStep,
    go_on,
    refer,
    stand_still,
    take_referral_step,
)
from storage.accounts import add_audit
from storage.areas import Area, incidents_of
from storage.desk_tables import referral_entries, referrals
from storage.history import add_history
from storage.incidents import read_incident, write_incidents
from storage.site_rules import SiteRules
from storage.tables import incidents, notices

__all__ = [
    "any_referral_due",
    "ensure_not_referred",
    "read_open_referrals",
    "read_referral",
    "read_referral_history",
    "read_referrals_of",
    "referral_entry_of",
    "referral_of",
    "retime_referrals",
    "take",
    "tell_referrals",
]

AT_ONCE = 500
"""Referrals told of in one transaction; after a long stop the next call goes on."""

Row = Mapping[Any, Any]  # Any: columns of different types
Values = dict[str, Any]  # likewise

_OF_ACTOR = ("kind", "id", "name")
_PLAIN = (
    "id",
    "incident",
    "number",
    "desk",
    "reason",
    "version",
    "sent_s",
    "since_s",
    "accepted_s",
    "ended_s",
    "stopped_s",
    "told",
    "due_s",
    "look_s",
)


def take(connection: Connection, command: ReferralCommand, rules: SiteRules, now_s: float) -> Referral:
    """Carry out one step once; the referral after it. See `Store.take_referral_step`. The caller commits."""
    said = _fingerprint(command)
    if (repeated := _repeated(connection, command.id, said)) is not None:
        return repeated
    clocks = DeskClocks(rules.grid.site, rules.clocks)
    if command.step is ReferralStep.REFER:
        return _refer(connection, command, rules, clocks, said, now_s)
    before = read_referral(connection, command.referral)
    if before is None:
        raise TransitionError(f"there is no referral {command.referral}")
    incident = _incident(connection, before.incident)
    desk = rules.grid.site.desk_by_id.get(before.desk)
    told, marks = clocks.tell(before, incident, now_s, now_s)  # what fell due before this step is told before it
    after, entry = take_referral_step(told, incident, desk, command, now_s)
    after = _with_incident_clock(connection, incident, before, after, entry, rules)
    _write(connection, clocks.timed(after), (*marks, entry), said)
    _add_notices(connection, after, incident, (*marks, entry))
    _audit(connection, command, after, f"{before.state} → {after.state}", now_s)
    return clocks.timed(after)


def tell_referrals(connection: Connection, rules: SiteRules, now_s: float) -> list[Referral]:
    """Tell every mark that fell due by `now_s`, each once; the referrals it concerns. The caller commits."""
    clocks = DeskClocks(rules.grid.site, rules.clocks)
    query = select(referrals).where(referrals.c.look_s <= now_s).order_by(referrals.c.look_s, referrals.c.id).limit(AT_ONCE)
    changed = []
    for row in connection.execute(query).mappings().all():
        before = referral_of(row)
        incident = _incident(connection, before.incident)
        after, marks = clocks.tell(before, incident, now_s, now_s)
        _write(connection, after, marks, "")
        _add_notices(connection, after, incident, marks)
        changed.append(after)
    return changed


def any_referral_due(connection: Connection, now_s: float) -> bool:
    """Whether `tell_referrals` would find something; costs one look into an index."""
    return connection.execute(select(referrals.c.id).where(referrals.c.look_s <= now_s).limit(1)).first() is not None


def retime_referrals(connection: Connection, rules: SiteRules) -> None:
    """Work out anew when open referrals are due: the site's desks may have changed while nobody looked. The caller commits."""
    clocks = DeskClocks(rules.grid.site, rules.clocks)
    for before in read_open_referrals(connection):
        after = clocks.timed(before)
        if after != before:
            _update(connection, after)


def ensure_not_referred(connection: Connection, incident: Incident) -> None:
    """Return if no desk has the incident; raises TransitionError naming those that have it."""
    desks = [each.desk for each in read_referrals_of(connection, incident.id) if each.is_open]
    if desks:
        raise TransitionError(
            f"incident {incident.number} is referred to {', '.join(desks)}; wait for the result or withdraw the referral first"
        )


def read_referral(connection: Connection, referral: str) -> Referral | None:
    """One referral by its id."""
    row = connection.execute(select(referrals).where(referrals.c.id == referral)).mappings().first()
    return referral_of(row) if row else None


def read_referrals_of(connection: Connection, incident: str) -> list[Referral]:
    """The referrals of one incident, oldest first."""
    query = select(referrals).where(referrals.c.incident == incident).order_by(referrals.c.sent_s, referrals.c.id)
    return [referral_of(row) for row in connection.execute(query).mappings()]


def read_open_referrals(connection: Connection, desk: str = "", area: Area | None = None) -> list[Referral]:
    """What desks have, or have been asked to take, oldest first; of one desk or of all, of one area or everywhere."""
    query = select(referrals).where(referrals.c.ended_s.is_(None)).order_by(referrals.c.sent_s, referrals.c.id)
    if area is not None:
        query = query.join(incidents, incidents.c.id == referrals.c.incident).where(*incidents_of(area))
    if desk:
        query = query.where(referrals.c.desk == desk)
    return [referral_of(row) for row in connection.execute(query).mappings()]


def read_referral_history(connection: Connection, referral: str) -> list[ReferralEntry]:
    """The history of one referral, oldest first."""
    query = select(referral_entries).where(referral_entries.c.referral == referral).order_by(referral_entries.c.version)
    return [referral_entry_of(row) for row in connection.execute(query).mappings()]


def referral_of(row: Row) -> Referral:
    """The referral of a row of `referrals`."""
    by = Actor(ActorKind(row["by_kind"]), row["by_id"], row["by_name"])
    return Referral(**{name: row[name] for name in _PLAIN}, state=ReferralState(row["state"]), by=by)


def _refer(
    connection: Connection, command: ReferralCommand, rules: SiteRules, clocks: DeskClocks, said: str, now_s: float
) -> Referral:
    desk = rules.grid.site.desk_by_id.get(command.desk)
    if desk is None:
        raise CommandError(f"desk: there is no desk {command.desk} on this site")
    incident = _incident(connection, command.incident)
    if any(each.desk == desk.id and each.is_open for each in read_referrals_of(connection, incident.id)):
        raise TransitionError(f"incident {incident.number} is referred to the desk {desk.id} already")
    referral, entry = refer(incident, desk, command, now_s)
    referral = clocks.timed(referral)
    connection.execute(insert(referrals), _row(referral))
    connection.execute(insert(referral_entries), [_entry_row(entry, said)])
    _add_notices(connection, referral, incident, (entry,))
    _audit(connection, command, referral, f"incident {incident.number} → {desk.id}", now_s)
    return referral


def _with_incident_clock(
    connection: Connection, incident: Incident, before: Referral, after: Referral, entry: ReferralEntry, rules: SiteRules
) -> Referral:
    """Let the incident's clock stand still once a desk answers for it, and go on once none does; `after`, knowing of it."""
    told, marks = rules.clocks.tell(incident, entry.at_s, entry.recorded_s)
    moved: tuple[Incident, HistoryEntry] | None = None
    if after.desk_answers and not before.desk_answers:
        moved = stand_still(told, after.desk, entry)
        after = replace(after, stopped_s=moved[0].paused_since_s if moved else None)
    elif before.desk_answers and not after.desk_answers:
        others = (each for each in read_referrals_of(connection, incident.id) if each.desk_answers and each.id != after.id)
        heir = next(others, None)
        if heir is None:
            moved = go_on(told, before, entry)
        elif before.stopped_s is not None:  # another desk still answers: it is that one the clock waits for now
            _update(connection, replace(heir, stopped_s=before.stopped_s))
        after = replace(after, stopped_s=None)
    if moved is None:
        return after
    changed, line = moved
    write_incidents(connection, [rules.clocks.timed(changed)])
    add_history(connection, changed, (*marks, line))
    return after


def _incident(connection: Connection, incident: str) -> Incident:
    found = read_incident(connection, incident)
    if found is None:
        raise TransitionError(f"there is no incident {incident}")
    return found


def _repeated(connection: Connection, command: str, said: str) -> Referral | None:
    """The referral as it is now, if this command was carried out before. Raises CommandError if its id meant something else."""
    done = connection.execute(select(referral_entries).where(referral_entries.c.command == command)).mappings().first()
    if done is None:
        return None
    if done["fingerprint"] != said:
        raise CommandError(f"the command id {command} was already used for something else; every command needs an id of its own")
    return read_referral(connection, done["referral"])


def _write(connection: Connection, after: Referral, entries: tuple[ReferralEntry, ...], said: str) -> None:
    _update(connection, after)
    if entries:
        rows = [_entry_row(entry, said if entry.command else "") for entry in entries]
        connection.execute(insert(referral_entries), rows)


def _update(connection: Connection, after: Referral) -> None:
    connection.execute(update(referrals).where(referrals.c.id == after.id).values(_row(after)))


def _add_notices(connection: Connection, after: Referral, incident: Incident, entries: tuple[ReferralEntry, ...]) -> None:
    """Tell the desk what comes to it, the owner what comes back, and people further up what is late."""
    quiet = {ReferralStep.RECEIVE}
    rows = [
        {
            "at_s": entry.at_s,
            "kind": f"referral_{entry.step.value}",
            "incident": incident.id,
            "level": entry.level.value if entry.level else None,
            "payload": {
                "number": incident.number,
                "severity": incident.severity,
                "category": incident.category.value,
                "grid_cell": incident.grid_cell,
                "referral": after.id,
                "version": entry.version,
                "desk": after.desk,
                "clock": entry.clock.value if entry.clock else None,
                "place": entry.place,
                "drill": incident.drill,
            },
            "done_s": None,
        }
        for entry in entries
        if entry.step not in quiet
    ]
    if rows:
        connection.execute(insert(notices), rows)


def _audit(connection: Connection, command: ReferralCommand, after: Referral, detail: str, now_s: float) -> None:
    add_audit(connection, command.by, f"referral_{command.step}", f"referral/{after.id}", detail, now_s)


def _fingerprint(command: ReferralCommand) -> str:
    by = command.by
    said = [command.step.value, by.kind.value, by.id, command.referral, command.incident, command.desk, command.text]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def _row(referral: Referral) -> Values:
    by = {f"by_{part}": str(getattr(referral.by, part)) for part in _OF_ACTOR}
    return {name: getattr(referral, name) for name in _PLAIN} | by | {"state": referral.state.value}


def _entry_row(entry: ReferralEntry, said: str) -> Values:
    by = {f"by_{part}": str(getattr(entry.by, part)) for part in _OF_ACTOR}
    return by | {
        "referral": entry.referral,
        "version": entry.version,
        "step": entry.step.value,
        "state": entry.state.value,
        "at_s": entry.at_s,
        "recorded_s": entry.recorded_s,
        "text": entry.text,
        "command": entry.command,
        "flags": [flag.value for flag in entry.flags],
        "clock": entry.clock.value if entry.clock else None,
        "level": entry.level.value if entry.level else None,
        "place": entry.place,
        "fingerprint": said,
    }


def referral_entry_of(row: Row) -> ReferralEntry:
    step = row["step"]
    return ReferralEntry(
        referral=row["referral"],
        version=row["version"],
        step=Happening(step) if step in set(Happening) else ReferralStep(step),
        state=ReferralState(row["state"]),
        at_s=row["at_s"],
        recorded_s=row["recorded_s"],
        by=Actor(ActorKind(row["by_kind"]), row["by_id"], row["by_name"]),
        text=row["text"],
        command=row["command"],
        flags=tuple(Flag(flag) for flag in row["flags"]),
        clock=ReferralStep(row["clock"]) if row["clock"] else None,
        level=Level(row["level"]) if row["level"] else None,
        place=row["place"],
    )
