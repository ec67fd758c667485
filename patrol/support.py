"""Supporting teams: further teams at one incident, each with a state of its own. The incident's main team stays answerable."""

from dataclasses import dataclass, replace
from enum import StrEnum

from base import TransitionError
from camera_config.site import Point
from patrol.incident import Actor

__all__ = ["SUPPORT_AFTER", "HelpCall", "Support", "SupportState", "moved"]


class SupportState(StrEnum):
    """How far a supporting team has come."""

    EN_ROUTE = "en_route"
    ON_SCENE = "on_scene"
    DONE = "done"


SUPPORT_AFTER: dict[SupportState, frozenset[SupportState]] = {
    SupportState.EN_ROUTE: frozenset({SupportState.ON_SCENE, SupportState.DONE}),  # done without arriving: called back
    SupportState.ON_SCENE: frozenset({SupportState.DONE}),
    SupportState.DONE: frozenset(),
}
"""Where each state may lead."""


@dataclass(frozen=True, slots=True)
class Support:
    """One team sent to support an incident. `id` is made by the client; the same one again adds nothing."""

    id: str
    incident: str
    team: str
    state: SupportState
    sent_s: float
    arrived_s: float | None = None  # None also if it never arrived
    done_s: float | None = None  # set iff done
    by: str = ""  # who sent it


@dataclass(frozen=True, slots=True)
class HelpCall:
    """A team calls for help. `id` is made by the client; the same one again adds nothing. `by` is the team."""

    id: str
    by: Actor
    at_s: float  # when it was called, UTC
    text: str
    place: Point | None = None  # where the phone says it is; None if it does not know


def moved(support: Support, state: SupportState, at_s: float) -> Support:
    """`support` in its next state since `at_s`, itself if it is there already; raises TransitionError naming what is legal."""
    if state is support.state:
        return support
    if state not in SUPPORT_AFTER[support.state]:
        legal = ", ".join(sorted(SUPPORT_AFTER[support.state])) or "nothing"
        raise TransitionError(
            f"the support of team {support.team} is {support.state}; it cannot become {state}, legal is {legal}"
        )
    at_s = max(at_s, support.arrived_s or support.sent_s)
    if state is SupportState.ON_SCENE:
        return replace(support, state=state, arrived_s=at_s)
    return replace(support, state=state, done_s=at_s)
