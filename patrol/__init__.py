"""Events become incidents that people work on: legal steps, owners, time limits, and which team should go.

In: `base.Event`, the `camera_config.site.Site`, and commands of people. Out: the next `Incident` and its history entry, and a
`Proposal`. Pure: no clock, no I/O; times are passed in and `storage/` keeps the results. Read `steps.py` first, then
`incident.py`, `advance.py` and `clocks.py`; for patrol rounds `rounds.py`, `round_plan.py` and `visits.py`, imported by name.
"""

from patrol.advance import FUTURE_S, SHELF_MAX_S, advance
from patrol.automatic import busy_with, propose_or_dispatch, rule_for, withdrawn
from patrol.calendar import Calendar
from patrol.candidate import rest_of
from patrol.clocks import MARKS, Clocks, Mark
from patrol.dispatch import FRESH_S, PREEMPTS, REACH_M, ensure_free, may_call_away, propose
from patrol.grid import Grid, Locality
from patrol.incident import (
    CATEGORY_OF,
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
    Level,
    Origin,
)
from patrol.limits import LIMIT_OF, LIMITS_S, step_due
from patrol.merge import merge, split
from patrol.opening import Report, check_report, join, joins, open_incident, open_report
from patrol.position import DOUBT_NAME, Doubt, Fix, doubt_of
from patrol.proposal import Alternative, Proposal
from patrol.shifts import ChangeKind, Duty, OnShift, Roster, RosterChange, StaffingGap, check_change, staffing_gaps
from patrol.steps import (
    ASSIGNED,
    CONDITION_AFTER,
    LEGAL,
    MUST_VERIFY,
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
from patrol.support import HelpCall, Support, SupportState, moved
from patrol.team import TeamState, TeamStatus, status_of
from patrol.travel import Travel, Trip, distance_m
from patrol.views import RelatedCamera, Views, ground_point, pixels_per_metre

__all__ = [
    "ASSIGNED",
    "CATEGORY_OF",
    "CONDITION_AFTER",
    "DOUBT_NAME",
    "FRESH_S",
    "FUTURE_S",
    "LEGAL",
    "LIMITS_S",
    "LIMIT_OF",
    "MARKS",
    "MUST_VERIFY",
    "OPEN",
    "PREEMPTS",
    "REACH_M",
    "SHELF_MAX_S",
    "SYSTEM",
    "WHO_MAY",
    "Actor",
    "ActorKind",
    "Alternative",
    "Calendar",
    "ChangeKind",
    "Clocks",
    "Command",
    "CommandError",
    "Condition",
    "Conflict",
    "Doubt",
    "Due",
    "Duty",
    "Fix",
    "Flag",
    "Grid",
    "Happening",
    "HelpCall",
    "HistoryEntry",
    "Incident",
    "Level",
    "Locality",
    "Mark",
    "OnShift",
    "Origin",
    "Party",
    "Proposal",
    "RelatedCamera",
    "Report",
    "Roster",
    "RosterChange",
    "Signal",
    "StaffingGap",
    "Step",
    "Support",
    "SupportState",
    "TeamState",
    "TeamStatus",
    "Travel",
    "Trip",
    "Verdict",
    "Views",
    "Work",
    "advance",
    "busy_with",
    "check_change",
    "check_report",
    "condition_after",
    "distance_m",
    "doubt_of",
    "ensure_free",
    "ground_point",
    "join",
    "joins",
    "legal_steps",
    "may_call_away",
    "merge",
    "moved",
    "open_incident",
    "open_report",
    "pixels_per_metre",
    "propose",
    "propose_or_dispatch",
    "rest_of",
    "rule_for",
    "split",
    "staffing_gaps",
    "status_of",
    "step_due",
    "verdicts",
    "withdrawn",
    "work_after",
]
