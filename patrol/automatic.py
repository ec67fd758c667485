"""What happens to assignments without a step of a person: a rule sends the proposed team, or a worse matter takes one away."""

from collections.abc import Mapping
from dataclasses import replace

from camera_config.dispatch_rules import Automatic
from camera_config.site import Site
from patrol.advance import led_to
from patrol.dispatch import propose
from patrol.grid import Grid
from patrol.incident import SYSTEM, Actor, Happening, HistoryEntry, Incident
from patrol.steps import ASSIGNED, Step, Work
from patrol.team import TeamState, TeamStatus

__all__ = ["WAITING", "busy_with", "propose_or_dispatch", "rule_for", "rules_now", "sent", "withdrawn"]

WAITING = frozenset({Work.NEW, Work.ACKNOWLEDGED})
"""While the work is here, nobody was sent, or nobody any more."""


def propose_or_dispatch(
    incident: Incident, grid: Grid, states: Mapping[str, TeamState], now_s: float
) -> tuple[Incident, HistoryEntry | None]:
    """`incident` with a fresh proposal; and on its way, with the line of history that says so, if a rule of the site asks for it.

    The alarm stays what it was: a rule sends a team, but it has not heard anything. Nobody is called away by a rule.
    """
    proposal = propose(incident, grid, states, now_s, frozenset(incident.refused))
    incident = replace(incident, proposal=proposal)
    rule = rule_for(incident, grid.site, now_s)
    if rule is None or not proposal.team or proposal.preempts or incident.work not in WAITING:
        return incident, None
    dispatched = sent(incident, proposal.team, now_s)
    return dispatched, _entry(dispatched, Step.DISPATCH, SYSTEM, f"automatic dispatch by the rule {rule.name}", now_s)


def sent(incident: Incident, team: str, now_s: float) -> Incident:
    """`incident` after a rule dispatched `team`."""
    stages = {**incident.stages, Work.DISPATCHED: now_s}
    return replace(led_to(incident, Work.DISPATCHED, now_s), team=team, stages=stages)


def rule_for(incident: Incident, site: Site, now_s: float) -> Automatic | None:
    """The first rule that dispatches such an incident at this time; None if there is none."""
    covering = (rule for rule in rules_now(site, now_s) if rule.matter.covers(incident.severity, incident.category))
    return next(covering, None)


def rules_now(site: Site, now_s: float) -> list[Automatic]:
    """The rules that dispatch at this time."""
    return [rule for rule in site.dispatch.automatic if rule.schedule.contains(now_s, site.zone_info)]


def withdrawn(incident: Incident, number: int, by: Actor, now_s: float) -> tuple[Incident, HistoryEntry]:
    """`incident` after `by` called its team away to the incident `number`; somebody has to be sent again."""
    kept = {stage: when_s for stage, when_s in incident.stages.items() if stage not in ASSIGNED}
    left = replace(led_to(incident, Work.ACKNOWLEDGED, now_s), team="", stages=kept)
    entry = _entry(left, Happening.WITHDRAWN, by, f"team {incident.team} called away to incident {number}", now_s)
    return left, replace(entry, team=incident.team)


def busy_with(state: TeamState, incident: Incident) -> TeamState:
    """The state of a team that was just sent to `incident`."""
    return replace(
        state,
        status=TeamStatus.DISPATCHED,
        incident=incident.id,
        incident_number=incident.number,
        severity=incident.severity,
        load=state.load + 1,
    )


def _entry(incident: Incident, step: Step | Happening, by: Actor, text: str, now_s: float) -> HistoryEntry:
    return HistoryEntry(incident.id, incident.version, step, incident.work, now_s, now_s, by, team=incident.team, text=text)
