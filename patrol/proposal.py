"""What is proposed to the person who dispatches; `dispatch.py` works it out."""

from dataclasses import dataclass

from camera_config.site import Name

__all__ = ["Alternative", "Proposal"]


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another team that could go."""

    team: str
    reason: Name
    preempts: int = 0  # number of the incident it would be called away from, 0 if it is free


@dataclass(frozen=True, slots=True)
class Proposal:
    """The team to send and the reason in words; or, with an empty `team`, why there is none and whom to turn to."""

    team: str  # empty iff shortfall is set
    reason: Name
    shortfall: Name | None = None  # why nobody can go, and who decides now
    escalate_to: str = ""  # id of the place whose responsible person decides; empty unless shortfall is set
    alternatives: tuple[Alternative, ...] = ()  # next best, at most four
    preempts: int = 0  # number of the incident the team would be called away from, 0 if it is free
