"""What a team's phone asks about itself."""

import asyncio
from typing import Annotated

from fastapi import APIRouter

from base import ConfigError
from dashboard.announce import announce_team
from dashboard.authorize import Action, Principal
from dashboard.policy import Parts, policy
from dashboard.schemas import IncidentList, IncidentOut, PositionIn

router = APIRouter(tags=["me"])

FUTURE_S = 60.0
"""How far a phone's clock may be ahead before its position is refused; networks keep phones within a second."""


@router.get("/api/v1/me/assignments")
def read_assignments(parts: Parts, principal: Annotated[Principal, policy(Action.READ_ASSIGNMENTS)]) -> IncidentList:
    """The open incidents this team was sent to, newest first."""
    mine, before = [], None
    while page := parts.store.incidents("open", 500, before):
        mine += [incident for incident in page if incident.team == principal.team]
        before = page[-1].id
    return IncidentList(items=[IncidentOut.of(incident, for_team=True) for incident in mine])


@router.post("/api/v1/me/position", status_code=204)
async def send_position(body: PositionIn, parts: Parts, principal: Annotated[Principal, policy(Action.SEND_POSITION)]) -> None:
    """Where the team is. An older one than is known changes nothing."""
    team, at_s = principal.team or "", body.at.timestamp()
    if at_s > parts.clock.now_s() + FUTURE_S:
        raise ConfigError("at: this moment has not come yet; the phone's clock is wrong")
    if await asyncio.to_thread(parts.store.set_position, team, body.lon, body.lat, at_s):
        states = await asyncio.to_thread(parts.store.team_states)
        announce_team(parts.updates, parts.site, states[team])
