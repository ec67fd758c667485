"""How long what is stored is kept: not deleted before, deleted after, and how much room pictures and clips may take."""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

__all__ = ["DEFAULTS", "MAX_GB", "Keep", "Kept", "RetentionRules"]


class Kept(StrEnum):
    """What is kept for a time of its own. Pictures include clips, incidents and rounds their history, health the gaps."""

    PICTURES = "pictures"
    EVENTS = "events"
    INCIDENTS = "incidents"
    ROUNDS = "rounds"
    AUDIT = "audit"
    HEALTH = "health"


@dataclass(frozen=True, slots=True)
class Keep:
    """Nothing younger than `min_days` is deleted, nothing older than `max_days` is kept."""

    min_days: float
    max_days: float


DEFAULTS: Final = MappingProxyType(
    {
        Kept.PICTURES: Keep(30, 90),
        Kept.EVENTS: Keep(30, 365),
        Kept.INCIDENTS: Keep(365, 1095),
        Kept.ROUNDS: Keep(365, 1095),
        Kept.AUDIT: Keep(180, 1095),
        Kept.HEALTH: Keep(30, 365),
    }
)
MAX_GB = 100.0


@dataclass(frozen=True, slots=True)
class RetentionRules:
    """What a site says under `[retention]`; the defaults where it says nothing."""

    pictures: Keep = DEFAULTS[Kept.PICTURES]
    events: Keep = DEFAULTS[Kept.EVENTS]
    incidents: Keep = DEFAULTS[Kept.INCIDENTS]
    rounds: Keep = DEFAULTS[Kept.ROUNDS]
    audit: Keep = DEFAULTS[Kept.AUDIT]
    health: Keep = DEFAULTS[Kept.HEALTH]
    pictures_max_gb: float = MAX_GB
    clips_max_gb: float = MAX_GB

    def of(self, kept: Kept) -> Keep:
        """How long one kind of data is kept."""
        keep: Keep = getattr(self, kept.value)
        return keep
