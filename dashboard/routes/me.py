"""What a team's phone asks about itself."""

import asyncio
from typing import Annotated

from fastapi import APIRouter

from base import ConfigError, Health
from dashboard.announce import announce_round, announce_team
from dashboard.authorize import Action, Principal
from dashboard.policy import Dashboard, Parts, policy
from dashboard.schemas import IncidentList, IncidentOut, PositionIn
from storage import IncidentFilter

router = APIRouter(tags=["me"])

FUTURE_S = 60.0
"""How far a phone's clock may be ahead before its position is refused; networks keep phones within a second."""

FRESH_S = 60.0
"""Within which a position says which cameras work where the team is: they are asked now, not then."""


@router.get("/api/v1/me/assignments")
def read_assignments(parts: Parts, principal: Annotated[Principal, policy(Action.READ_ASSIGNMENTS)]) -> IncidentList:
    """The open incidents this team was sent to, newest first."""
    mine = parts.store.incidents("open", 500, which=IncidentFilter(team=principal.team or "nobody"))
    return IncidentList(items=[IncidentOut.of(incident, for_team=True) for incident in mine])


@router.post("/api/v1/me/position", status_code=204)
async def send_position(body: PositionIn, parts: Parts, principal: Annotated[Principal, policy(Action.SEND_POSITION)]) -> None:
    """Where the team is. An older one than is known changes nothing; 409 off duty, when positions are not kept."""
    team, at_s = principal.team or "", body.at.timestamp()
    if at_s > parts.clock.now_s() + FUTURE_S:
        raise ConfigError("at: this moment has not come yet; the phone's clock is wrong")
    if await asyncio.to_thread(parts.store.set_position, team, body.lon, body.lat, at_s, body.accuracy_m):
        states = await asyncio.to_thread(parts.store.team_states)
        announce_team(parts.updates, parts.site, states[team])
        if states[team].position == (body.lon, body.lat) and parts.clock.now_s() - at_s <= FRESH_S:
            await _credit(parts, team, body, at_s)


async def _credit(parts: Dashboard, team: str, body: PositionIn, at_s: float) -> None:
    """Credit the checkpoints that the team passes now, where a camera works that could have seen it."""
    working = {camera for camera, status in parts.fleet.statuses().items() if status.health is Health.ONLINE}
    place = (body.lon, body.lat)
    for changed in await asyncio.to_thread(parts.store.rounds.credit, team, place, body.accuracy_m, at_s, working):
        announce_round(parts.updates, changed)
