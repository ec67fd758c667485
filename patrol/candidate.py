"""A team seen from one incident: what the criteria of dispatch look at."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from camera_config.dispatch_rules import Rest
from camera_config.site import Name, Team
from patrol.team import TeamState
from patrol.travel import Trip

__all__ = ["NEAR_S", "Candidate", "Obstacle", "Tier", "rest_of"]

NEAR_S = 100.0
"""Trips that differ by less are taken as equal, so that load decides: 100 m, the error of a phone's position among buildings."""


class Tier(IntEnum):
    OWN_CELL = 0
    ADJACENT = 1
    ELSEWHERE = 2


class Obstacle(StrEnum):
    """Why a team cannot be proposed."""

    REFUSED = "refused"
    BUSY = "busy"
    OFF_SHIFT = "off_shift"
    UNABLE = "unable"  # lacks a skill or equipment that such an incident needs
    STALE = "stale"  # said where it is on this shift, but too long ago
    TOO_FAR = "too_far"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One team and one incident. `metres` and `trip` are None where the incident has no place."""

    team: Team
    state: TeamState
    tier: Tier
    metres: float | None  # straight line
    trip: Trip | None
    position_age_s: float | None  # None: measured from its post
    is_stale: bool
    is_able: bool
    rest: Name | None  # why it comes later, None if it does not

    @property
    def rank(self) -> tuple[bool, int, int, int, str]:
        """Lowest goes first. The id makes it unique, so that the same facts always give the same proposal."""
        near = int((self.trip.time_s if self.trip else 0.0) // NEAR_S)
        return self.rest is not None, self.tier, near, self.state.load, self.team.id


def rest_of(state: TeamState, rest: Rest, now_s: float) -> Name | None:
    """Why a team should be left to rest, None if it need not be."""
    left_s = 0.0 if state.finished_at_s is None else state.finished_at_s + 60 * rest.minutes - now_s
    if left_s > 0:
        minutes = int(left_s // 60) + 1
        return Name(f"休息中（还有 {minutes} 分钟）", f"resting for {minutes} min more")
    if rest.assignments and state.finished >= rest.assignments:
        times, hours = state.finished, rest.hours
        return Name(f"近 {hours:g} 小时已完成 {times} 次任务，轮休", f"rests after {times} assignments in {hours:g} h")
    return None
