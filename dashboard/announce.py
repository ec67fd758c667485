"""Records become updates: what the routes and the control loop publish when something has changed. Event-loop thread only."""

import logging
from collections.abc import Sequence

from base import CameraStatus
from camera_config.site import Site
from dashboard.coverage_board import CoverageNow
from dashboard.coverage_schemas import CoverageNewsOut
from dashboard.desk_schemas import HandoverAlarmOut, ReferralOut
from dashboard.roster_schemas import SupportOut
from dashboard.round_schemas import RoundOut
from dashboard.schemas import CameraOut, IncidentOut, TeamOut
from dashboard.updates import JsonObject, Updates
from patrol import Incident, Support, SupportState, TeamState
from patrol.handover import HandoverAlarm
from patrol.referral import Referral
from patrol.visits import RoundNow
from storage import Area

__all__ = [
    "announce_camera",
    "announce_coverage",
    "announce_handover",
    "announce_incident",
    "announce_referral",
    "announce_round",
    "announce_support",
    "announce_team",
]

logger = logging.getLogger(__name__)


def announce_incident(updates: Updates, incident: Incident) -> None:
    """Tell every page that may see it, and the incident's team, how `incident` is now."""

    def of_area(area: Area) -> JsonObject | None:
        return IncidentOut.of(incident, area=area).model_dump(mode="json") if area.holds_incident(incident) else None

    updates.publish("incident", IncidentOut.of(incident).model_dump(mode="json"), of_area)


def announce_referral(updates: Updates, referral: Referral, incident: Incident) -> None:
    """Tell every page that may see `incident` how a referral of it is now."""
    data = ReferralOut.of(referral).model_dump(mode="json")
    updates.publish("referral", data, lambda area: data if area.holds_incident(incident) else None)


def announce_handover(updates: Updates, alarms: Sequence[HandoverAlarm]) -> None:
    """Tell every page which changes of shifts nobody has signed in time: none, once both sides have."""
    data: JsonObject = {"alarms": [HandoverAlarmOut.of(each).model_dump(mode="json") for each in alarms]}
    updates.publish("handover", data, lambda _: data)


def announce_coverage(updates: Updates, now: CoverageNow, site: Site) -> None:
    """Tell every page what is covered now, in short; a limited user hears of the own area."""

    def of_area(area: Area | None) -> JsonObject:
        return CoverageNewsOut.of(site, now, area).model_dump(mode="json")

    updates.publish("coverage", of_area(None), of_area)


def announce_round(updates: Updates, now: RoundNow) -> None:
    """Tell every page, and the round's team, what became of a round, and of the incidents that a late visit has changed."""
    for incident in now.incidents:
        announce_incident(updates, incident)
    data = RoundOut.of(now).model_dump(mode="json")
    updates.publish("round", data, lambda area: data if area.holds_round(now.planned) else None)


def announce_camera(updates: Updates, status: CameraStatus) -> None:
    """Tell every page a camera's status; statuses change often, so call it for cameras whose health or tier changed."""
    data = CameraOut.of(status).model_dump(mode="json")
    updates.publish("camera", data, lambda area: data if status.camera in area.cameras else None)


def announce_support(updates: Updates, support: Support, incident: Incident) -> None:
    """Tell every page that may see `incident`, and the team, how far its support is.

    While it lasts the team hears of all that is new of the incident, beginning with how it is now.
    """
    updates.support(incident.id, support.team, incident.is_open and support.state is not SupportState.DONE)
    data = SupportOut.of(support, incident.is_open).model_dump(mode="json")
    updates.publish("support", data, lambda area: data if area.holds_incident(incident) else None)
    announce_incident(updates, incident)


def announce_team(updates: Updates, site: Site, state: TeamState) -> None:
    """Tell every page what a team is doing and where it is; a team that the site does not have is only logged."""
    team = site.team_by_id.get(state.team)
    if team is None:
        logger.warning("team %r is not one of this site; its state is told to nobody", state.team)
        return
    data = TeamOut.of(team, state).model_dump(mode="json")
    updates.publish("team", data, lambda area: data if state.team in area.teams else None)
