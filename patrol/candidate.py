"""A team seen from one incident: what the criteria of dispatch look at."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from camera_config.dispatch_rules import Rest
from camera_config.site import Name, Team
from patrol.team import TeamState
from patrol.travel import Trip

__all__ = ["NEAR_S", "Candidate", "Obstacle", "Tier", "first_to_arrive", "rest_of"]

NEAR_S = 120.0
"""A trip that takes less than this longer than the shortest is as good: what a team needs to get going. Our own choice."""


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
    def standing(self) -> tuple[bool, Tier]:
        """What goes before any distance: lowest first."""
        return self.rest is not None, self.tier

    @property
    def time_s(self) -> float:
        """How long it takes to the place; 0 where the incident has none."""
        return self.trip.time_s if self.trip else 0.0

    @property
    def breadth(self) -> int:
        """How many cells it serves. Of several teams of a cell, the one that serves the fewest is most its own."""
        return len(self.state.grid_cells or self.team.grid_cells)

    def rank(self, shortest_s: float) -> tuple[bool, Tier, int, int, int, str]:
        """Lowest goes first; `shortest_s` is the time of the first to arrive among those of its standing.

        The id makes it unique, so that the same facts always give the same proposal.
        """
        behind = int((self.time_s - shortest_s) // NEAR_S)
        return *self.standing, behind, self.breadth, self.state.load, self.team.id


def first_to_arrive(candidates: Iterable[Candidate]) -> dict[tuple[bool, Tier], Candidate]:
    """By standing, who of these takes the least time."""
    first: dict[tuple[bool, Tier], Candidate] = {}
    for each in sorted(candidates, key=lambda each: (each.time_s, each.team.id)):
        first.setdefault(each.standing, each)
    return first


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
