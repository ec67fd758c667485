"""What is known of a team at one moment."""

from dataclasses import dataclass
from enum import StrEnum

from camera_config.site import Point
from patrol.position import Doubt
from patrol.steps import ASSIGNED, Work

__all__ = ["TeamState", "TeamStatus", "status_of"]


class TeamStatus(StrEnum):
    """What a team is doing. Busy in all but the first and the last."""

    AVAILABLE = "available"
    DISPATCHED = "dispatched"
    ACCEPTED = "accepted"
    EN_ROUTE = "en_route"
    ON_SCENE = "on_scene"
    OFF_SHIFT = "off_shift"


@dataclass(frozen=True, slots=True)
class TeamState:
    """One team now. A team sent somewhere keeps that status when its shift ends, until it reports."""

    team: str
    status: TeamStatus
    on_shift: bool
    incident: str = ""  # id of the incident it was sent to, set iff busy
    incident_number: int = 0  # the same for people, 0 iff not busy
    position: Point | None = None  # last reported that could be true; None for a team that is off duty
    position_at_s: float | None = None  # when it was there, UTC; None iff position is None
    load: int = 0  # how often it was dispatched in the last 12 hours
    severity: int = 0  # of the incident, 0 iff not busy
    supporting: bool = False  # it helps the incident's main team
    grid_cells: tuple[str, ...] = ()  # served now, others' too if it stands in for them; empty: the team's own
    until_s: float | None = None  # when the shift ends; None off shift, or if no end is near
    doubt: Doubt | None = None  # why the newest reported position is not the one above
    doubt_at_s: float | None = None  # when that was; None iff doubt is None
    finished: int = 0  # reports within the hours that the site's rest rule counts
    finished_at_s: float | None = None  # the last of them, or of its supports

    @property
    def is_busy(self) -> bool:
        return bool(self.incident)


def status_of(work: Work | None, on_shift: bool) -> TeamStatus:
    """What a team does whose assignment stands at `work` (None: it has none)."""
    if work in ASSIGNED:
        return TeamStatus(work.value)
    return TeamStatus.AVAILABLE if on_shift else TeamStatus.OFF_SHIFT
