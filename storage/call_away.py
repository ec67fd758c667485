"""Who is sent must be free; a matter of severity 1 may take a team away from a lesser one."""

from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import Connection

from patrol import Command, Incident, TeamState, busy_with, ensure_free, may_call_away, propose, withdrawn
from storage.accounts import add_audit
from storage.history import add_history
from storage.incidents import read_incident, write_incidents
from storage.site_rules import SiteRules

__all__ = ["free_team"]


def free_team(
    connection: Connection, command: Command, incident: Incident, states: Mapping[str, TeamState], rules: SiteRules, now_s: float
) -> None:
    """Make sure that the team of a dispatch is free for `incident`: what it is called away from waits for somebody else then.

    Raises TransitionError if the team is busy and may not be called away.
    """
    state = states.get(command.team)
    left = read_incident(connection, state.incident) if state is not None and may_call_away(state, incident) else None
    if state is None or left is None:
        ensure_free(command.team, incident.id, states)
        return
    told, marks = rules.clocks.tell(left, now_s, now_s)
    changed, entry = withdrawn(told, incident.number, command.by, now_s)
    without = {**states, state.team: busy_with(state, incident)}
    changed = replace(changed, proposal=propose(changed, rules.grid, without, now_s, frozenset(changed.refused)))
    changed = rules.clocks.timed(changed)
    write_incidents(connection, [changed])
    add_history(connection, changed, (*marks, entry))
    add_audit(connection, command.by, "withdraw", f"incident/{changed.id}", f"{left.work} → {changed.work}, {entry.text}", now_s)
