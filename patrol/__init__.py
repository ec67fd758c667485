"""Events become incidents that people work on: legal steps, owners, time limits, and which team should go.

In: `base.Event`, the `camera_config.site.Site`, and commands of people. Out: the next `Incident` and its history entry, and a
`Proposal`. Pure: no clock, no I/O; times are passed in and `storage/` keeps the results. Read `steps.py` first, then
`incident.py`.
"""

from patrol.dispatch import FRESH_S, REACH_M, ensure_free, propose
from patrol.grid import Grid, Locality, distance_m
from patrol.incident import (
    SYSTEM,
    Actor,
    ActorKind,
    Command,
    CommandError,
    Conflict,
    Due,
    Flag,
    Happening,
    HistoryEntry,
    Incident,
    advance,
    join,
    joins,
    open_incident,
)
from patrol.limits import LIMIT_OF, LIMITS_S
from patrol.proposal import Alternative, Proposal
from patrol.steps import (
    ASSIGNED,
    CONDITION_AFTER,
    LEGAL,
    OPEN,
    WHO_MAY,
    Condition,
    Party,
    Signal,
    Step,
    Verdict,
    Work,
    condition_after,
    legal_steps,
    verdicts,
    work_after,
)
from patrol.team import TeamState, TeamStatus, status_of

__all__ = [
    "ASSIGNED",
    "CONDITION_AFTER",
    "FRESH_S",
    "LEGAL",
    "LIMITS_S",
    "LIMIT_OF",
    "OPEN",
    "REACH_M",
    "SYSTEM",
    "WHO_MAY",
    "Actor",
    "ActorKind",
    "Alternative",
    "Command",
    "CommandError",
    "Condition",
    "Conflict",
    "Due",
    "Flag",
    "Grid",
    "Happening",
    "HistoryEntry",
    "Incident",
    "Locality",
    "Party",
    "Proposal",
    "Signal",
    "Step",
    "TeamState",
    "TeamStatus",
    "Verdict",
    "Work",
    "advance",
    "condition_after",
    "distance_m",
    "ensure_free",
    "join",
    "joins",
    "legal_steps",
    "open_incident",
    "propose",
    "status_of",
    "verdicts",
    "work_after",
]
