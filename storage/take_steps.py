"""What people do to incidents, each in one transaction: the change, its history, the answer for a repetition, the audit."""

import hashlib
import json
from dataclasses import replace

from sqlalchemy import Connection, insert, select, update

from base import TransitionError, uuid7
from patrol import (
    Actor,
    Command,
    CommandError,
    Flag,
    Grid,
    HistoryEntry,
    Incident,
    Locality,
    Proposal,
    Report,
    Step,
    TeamStatus,
    Work,
    advance,
    busy_with,
    check_report,
    merge,
    open_report,
    propose,
    propose_or_dispatch,
    split,
)
from storage.accounts import add_audit
from storage.areas import Area
from storage.call_away import free_team
from storage.drills import is_drill
from storage.history import add_history
from storage.incidents import next_number, read_events, read_incident, write_incidents
from storage.referrals import ensure_not_referred
from storage.rows import incident_of, incident_row
from storage.site_rules import SiteRules
from storage.tables import commands, events, incidents
from storage.teams import team_states

__all__ = ["fresh_proposal", "merge_incidents", "report_incident", "split_incident", "take_step"]

_NEEDS_PROPOSAL = frozenset({Step.ACKNOWLEDGE, Step.TAKE_OVER, Step.REFUSE, Step.REOPEN})
"""After these somebody is about to dispatch, and what was proposed when the incident opened may be busy by now."""


def take_step(connection: Connection, command: Command, rules: SiteRules, now_s: float) -> Incident:
    """Carry out one step once; see `Store.apply`. The caller commits."""
    said = _said(command)
    repeated = _repeated(connection, command.id, said)
    if repeated is not None:
        return repeated
    incident = _read(connection, command.incident)
    changed, entry = advance(incident, command, now_s)
    if command.step is Step.CLOSE:
        ensure_not_referred(connection, incident)
    # What fell due before this step is told before it, so that nothing is left out when the step starts another clock.
    told, marks = rules.clocks.tell(incident, entry.at_s, now_s)
    if marks:
        changed, entry = advance(told, command, now_s)
    if command.step is Step.DISPATCH:
        states = team_states(connection, rules.grid, now_s)
        free_team(connection, command, incident, states, rules, now_s)
        if not states[command.team].on_shift:
            entry = replace(entry, flags=(*entry.flags, Flag.OFF_SHIFT))
    by_rule: HistoryEntry | None = None
    if command.step is Step.REFUSE:
        changed, by_rule = propose_or_dispatch(changed, rules.grid, team_states(connection, rules.grid, now_s), now_s)
    elif command.step in _NEEDS_PROPOSAL and changed.work is Work.ACKNOWLEDGED:
        changed = replace(changed, proposal=fresh_proposal(connection, changed, rules.grid, now_s))
    changed = rules.clocks.timed(changed)
    write_incidents(connection, [changed])
    entries = (*marks, entry, *((by_rule,) if by_rule else ()))
    add_history(connection, changed, entries)
    _remember(connection, command.id, said, incident.id, changed, now_s)
    detail = f"{incident.work} → {changed.work}" + (f", team {entry.team}" if entry.team else "")
    add_audit(connection, command.by, command.step.value, f"incident/{changed.id}", detail, now_s)
    return changed


def report_incident(
    connection: Connection, report: Report, rules: SiteRules, now_s: float, area: Area | None = None, there: str = ""
) -> Incident:
    """Open the incident that somebody reports, once; see `Store.report`. The caller commits.

    `there` is a team that is at the place and stays, so that others are proposed and sent.
    """
    said = ["report", *_who(report.by), report.origin, report.category, report.severity, report.text, report.caller]
    said += [report.lon, report.lat, report.grid_cell, *(["drill"] if report.drill else [])]
    repeated = _repeated(connection, report.id, said)
    if repeated is not None:
        return repeated
    check_report(report, now_s)
    report = replace(report, drill=report.drill or is_drill(connection, now_s))
    opened, entry = open_report(report, uuid7(now_s), next_number(connection), _place_of(report, rules.grid, area), now_s)
    states = dict(team_states(connection, rules.grid, now_s))
    if there:
        states[there] = replace(busy_with(states[there], opened), status=TeamStatus.ON_SCENE, supporting=True)
    opened, by_rule = propose_or_dispatch(opened, rules.grid, states, now_s)
    opened = rules.clocks.timed(opened)
    connection.execute(insert(incidents), incident_row(opened))
    add_history(connection, opened, [entry, *((by_rule,) if by_rule else ())])
    _remember(connection, report.id, said, opened.id, opened, now_s)
    add_audit(connection, report.by, "report", f"incident/{opened.id}", f"{report.origin}, {report.category}", now_s)
    return opened


def merge_incidents(connection: Connection, command: Command, rules: SiteRules, now_s: float) -> Incident:
    """Merge one incident into another one, once; the one that goes on. See `Store.merge`. The caller commits."""
    said = _said(command)
    repeated = _repeated(connection, command.id, said)
    if repeated is not None:
        return repeated
    source, target = _read(connection, command.incident), _read(connection, command.other)
    ensure_not_referred(connection, source)
    moved = read_events(connection, source.id)
    both = [*read_events(connection, target.id), *moved]
    (ended, ending), (grown, growing) = merge(source, target, both, command, now_s)
    told, marks = rules.clocks.tell(source, ending.at_s, now_s)
    if marks:
        (ended, ending), (grown, growing) = merge(told, target, both, command, now_s)
    grown, warning = rules.clocks.tell_raised(target, grown, now_s)
    ended, grown = rules.clocks.timed(ended), rules.clocks.timed(grown)
    write_incidents(connection, [ended, grown])
    connection.execute(update(events).where(events.c.incident == source.id).values(incident=target.id))
    growing = replace(growing, events=tuple(event.id for event in moved))
    add_history(connection, ended, (*marks, ending))
    add_history(connection, grown, (growing, *warning))
    _remember(connection, command.id, said, source.id, grown, now_s)
    add_audit(connection, command.by, "merge", f"incident/{source.id}", f"{source.number} → {target.number}", now_s)
    return grown


def split_incident(connection: Connection, command: Command, rules: SiteRules, now_s: float) -> Incident:
    """Give some events of an incident one of their own, once; the new one. See `Store.split`. The caller commits."""
    said = _said(command)
    repeated = _repeated(connection, command.id, said)
    if repeated is not None:
        return repeated
    source, wanted = _read(connection, command.incident), set(command.events)
    every = read_events(connection, source.id)
    moved, kept = [event for event in every if event.id in wanted], [event for event in every if event.id not in wanted]
    if len(moved) < len(wanted):
        raise CommandError(f"{len(wanted) - len(moved)} of these events do not belong to incident {source.number}")
    new = (uuid7(now_s), next_number(connection), rules.grid.locate(moved[0].camera) if moved else Locality())
    (left, leaving), (begun, beginning) = split(source, moved, kept, command, new, now_s)
    begun = replace(begun, proposal=fresh_proposal(connection, begun, rules.grid, now_s))
    left, begun = rules.clocks.timed(left), rules.clocks.timed(begun)
    connection.execute(insert(incidents), incident_row(begun))
    write_incidents(connection, [left])
    connection.execute(update(events).where(events.c.id.in_(wanted)).values(incident=begun.id))
    add_history(connection, left, (leaving,))
    add_history(connection, begun, (beginning,))
    _remember(connection, command.id, said, source.id, begun, now_s)
    add_audit(connection, command.by, "split", f"incident/{source.id}", f"{source.number} → {begun.number}", now_s)
    return begun


def fresh_proposal(connection: Connection, incident: Incident, grid: Grid, now_s: float, area: Area | None = None) -> Proposal:
    """A proposal from what the teams do now, of an area or all; those that refused this incident stay out."""
    states = team_states(connection, grid, now_s)
    if area is not None:
        states = {team: state for team, state in states.items() if team in area.teams}
    return propose(incident, grid, states, now_s, frozenset(incident.refused))


def _read(connection: Connection, incident: str) -> Incident:
    found = read_incident(connection, incident)
    if found is None:
        raise TransitionError(f"there is no incident {incident}")
    return found


def _place_of(report: Report, grid: Grid, area: Area | None) -> Locality:
    if report.grid_cell:
        where, what = grid.locate_cell(report.grid_cell), f"grid_cell: there is no grid cell {report.grid_cell} on this site"
    else:
        assert report.lon is not None
        assert report.lat is not None
        where, what = grid.locate_point((report.lon, report.lat)), "the place lies outside of the sub-district"
    if where is None or not (area is None or area.holds(where.grid_cell, where.community)):
        raise CommandError(what)
    return where


def _repeated(connection: Connection, command: str, said: list[object]) -> Incident | None:
    """What this command led to the first time; None if it is new. Raises CommandError if the id meant something else."""
    done = connection.execute(select(commands).where(commands.c.id == command)).first()
    if done is None:
        return None
    if done.fingerprint != _fingerprint(said):
        raise CommandError(f"the command id {command} was already used for another step; every step needs an id of its own")
    return incident_of(done.result)


def _remember(connection: Connection, command: str, said: list[object], incident: str, result: Incident, now_s: float) -> None:
    row = {"id": command, "incident": incident, "fingerprint": _fingerprint(said), "recorded_s": now_s}
    connection.execute(insert(commands), row | {"result": incident_row(result)})


def _said(command: Command) -> list[object]:
    """What a repetition must have in common with the first time. Not the time: a server stamps each arrival anew."""
    verdict = command.verdict.value if command.verdict else ""
    said = (command.incident, command.step.value, command.version, command.team, command.text, verdict, command.cause)
    more = [command.until_s, command.other, sorted(command.events)]
    return [*_who(command.by), *said, *(more if any(more) else ())]


def _who(by: Actor) -> tuple[str, str]:
    return by.kind.value, by.id


def _fingerprint(said: list[object]) -> str:
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()
