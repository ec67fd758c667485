"""What a site asks of the clocks of its incidents: how long a stage may take, in which time, and when the next level is told."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from camera_config.round_rules import Times
from camera_config.schedule import ALWAYS, Schedule

__all__ = [
    "ESCALATE_AFTER",
    "HANDOVER_ALARM_MIN",
    "WARN_AT",
    "Category",
    "Limit",
    "LimitedStep",
    "ShiftChanges",
    "TimeLimits",
]

WARN_AT = 0.8
"""Share of a limit after which people are warned."""

ESCALATE_AFTER = (0.5, 1.0, 2.0)
"""Shares of a limit after its breach, at which the section, the community and the sub-district are told. Our own choice."""

HANDOVER_ALARM_MIN = 30.0


class Category(StrEnum):
    """What an incident is about, coarse enough for a ledger; events have a kind besides."""

    PUBLIC_ORDER = "public_order"
    TRAFFIC = "traffic"
    FIRE = "fire"
    ENVIRONMENT = "environment"
    FACILITY = "facility"
    DISPUTE = "dispute"
    HELP = "help"
    CAMERA_HEALTH = "camera_health"
    OTHER = "other"


class LimitedStep(StrEnum):
    """The steps of an incident that have a time limit."""

    ACKNOWLEDGE = "acknowledge"
    DISPATCH = "dispatch"
    ACCEPT = "accept"
    ARRIVE = "arrive"
    REPORT = "report"
    VERIFY = "verify"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class Limit:
    """Limits that differ from the defaults, for some severities and, if it names any, for some categories only."""

    severities: tuple[int, ...]
    categories: tuple[Category, ...] = ()
    limit_s: Mapping[LimitedStep, float] | None = None
    in_working_time: frozenset[LimitedStep] = frozenset()  # these count working hours only; severities 3 and 4

    def covers(self, severity: int, category: Category) -> bool:
        """Whether an incident like this is meant."""
        return severity in self.severities and (not self.categories or category in self.categories)


@dataclass(frozen=True, slots=True)
class ShiftChanges:
    """When the shifts of the control room change, and how long after that both sides must have signed the handover sheet."""

    at: Times
    alarm_min: float = HANDOVER_ALARM_MIN


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """Everything about clocks that a site may set. `escalate_after` rises; `limits` stand in the order of the file."""

    warn_at: float = WARN_AT
    escalate_after: tuple[float, float, float] = ESCALATE_AFTER
    working_hours: Schedule = ALWAYS
    limits: tuple[Limit, ...] = ()
    handover: ShiftChanges | None = None  # None: nobody is told of a sheet that is missing

    def limit_s(self, step: LimitedStep, severity: int, category: Category) -> float | None:
        """The limit a site sets for a step: by category, else for all categories; None where the default holds."""
        fitting = [each for each in self.limits if each.covers(severity, category) and step in (each.limit_s or {})]
        best = next((each for each in fitting if each.categories), fitting[0] if fitting else None)
        return best.limit_s[step] if best is not None and best.limit_s is not None else None

    def in_working_time(self, step: LimitedStep, severity: int, category: Category) -> bool:
        """Whether the limit of a step counts working hours only."""
        return any(each.covers(severity, category) and step in each.in_working_time for each in self.limits)
