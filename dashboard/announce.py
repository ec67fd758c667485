"""Records become updates: what the routes and the control loop publish when something has changed. Event-loop thread only."""

import logging

from base import CameraStatus
from camera_config.site import Site
from dashboard.round_schemas import RoundOut
from dashboard.schemas import CameraOut, IncidentOut, TeamOut
from dashboard.updates import Updates
from patrol import Incident, TeamState
from patrol.visits import RoundNow

__all__ = ["announce_camera", "announce_incident", "announce_round", "announce_team"]

logger = logging.getLogger(__name__)


def announce_incident(updates: Updates, incident: Incident) -> None:
    """Tell every page, and the incident's team, how `incident` is now."""
    updates.publish("incident", IncidentOut.of(incident).model_dump(mode="json"))


def announce_round(updates: Updates, now: RoundNow) -> None:
    """Tell every page, and the round's team, what became of a round."""
    updates.publish("round", RoundOut.of(now).model_dump(mode="json"))


def announce_camera(updates: Updates, status: CameraStatus) -> None:
    """Tell every page a camera's status; statuses change often, so call it for cameras whose health or tier changed."""
    updates.publish("camera", CameraOut.of(status).model_dump(mode="json"))


def announce_team(updates: Updates, site: Site, state: TeamState) -> None:
    """Tell every page what a team is doing and where it is; a team that the site does not have is only logged."""
    team = site.team_by_id.get(state.team)
    if team is None:
        logger.warning("team %r is not one of this site; its state is told to nobody", state.team)
        return
    updates.publish("team", TeamOut.of(team, state).model_dump(mode="json"))
