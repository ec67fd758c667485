"""Supporting teams: further teams at an incident, beside the one that answers for it. Who calls for help supports that call."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path

from base import ConfigError, DeniedError
from dashboard.announce import announce_support, announce_team
from dashboard.authorize import Action, Principal, PrincipalKind
from dashboard.failures import NotFoundError
from dashboard.policy import Dashboard, Parts, policy
from dashboard.roster_schemas import (
    HelpCallIn,
    OwnSupportList,
    OwnSupportOut,
    SupportIn,
    SupportList,
    SupportMoveIn,
    SupportOut,
)
from dashboard.routes.incidents import IncidentId, incident_of
from dashboard.schemas import ID
from dashboard.scope import expect_team
from dashboard.sessions import actor_of
from patrol import FUTURE_S, CommandError, HelpCall, Support, SupportState

router = APIRouter(tags=["support"])

TeamId = Annotated[str, Path(pattern=ID, examples=["police-west"])]


@router.get("/api/v1/incidents/{incident}/support")
def read_support(
    incident: IncidentId, parts: Parts, principal: Annotated[Principal, policy(Action.READ_INCIDENTS)]
) -> SupportList:
    """The teams that support or supported an incident, in the order in which they were sent."""
    found = incident_of(parts.store, incident)
    return SupportList(items=[SupportOut.of(each, found.is_open) for each in parts.store.support(incident)])


@router.post("/api/v1/incidents/{incident}/support", status_code=201)
async def send_support(
    incident: IncidentId, body: SupportIn, parts: Parts, principal: Annotated[Principal, policy(Action.SEND_SUPPORT)]
) -> SupportOut:
    """Send one more team. 409 if it is busy, or the incident is closed."""
    expect_team(parts.site, principal, body.team)
    asked = Support(body.id, incident, body.team, SupportState.EN_ROUTE, parts.clock.now_s(), by=principal.name)
    sent = await asyncio.to_thread(parts.store.add_support, asked, actor_of(principal))
    await _announce(parts, sent)
    return SupportOut.of(sent)


@router.put("/api/v1/incidents/{incident}/support/{team}")
async def move_support(
    incident: IncidentId,
    team: TeamId,
    body: SupportMoveIn,
    parts: Parts,
    principal: Annotated[Principal, policy(Action.MOVE_SUPPORT)],
) -> SupportOut:
    """Say that a supporting team has arrived or is done; the team itself may, and an operator whom it told by radio."""
    if principal.kind is PrincipalKind.TEAM and principal.team != team:
        raise DeniedError("A team may speak only for itself.")
    now_s = parts.clock.now_s()
    at_s = parts.done_s(body.at)
    if at_s > now_s + FUTURE_S:
        raise ConfigError("at: this moment has not come yet; the clock of the device is wrong")
    moved = await asyncio.to_thread(parts.store.move_support, incident, team, SupportState(body.state), actor_of(principal), at_s)
    if moved is None:
        raise NotFoundError("This team does not support this incident.")
    await _announce(parts, moved)
    return SupportOut.of(moved)


@router.get("/api/v1/me/support")
def read_own_support(parts: Parts, principal: Annotated[Principal, policy(Action.READ_ASSIGNMENTS)]) -> OwnSupportList:
    """What this team supports now, its own call for help too: nothing, or one incident."""
    mine = parts.store.support_of_team(principal.team or "")
    about = None if mine is None else parts.store.incident(mine.incident)
    return OwnSupportList(items=[] if mine is None or about is None else [OwnSupportOut.with_incident(mine, about)])


@router.post("/api/v1/me/sos", status_code=201)
async def call_for_help(
    body: HelpCallIn, parts: Parts, principal: Annotated[Principal, policy(Action.CALL_FOR_HELP)]
) -> OwnSupportOut:
    """Open an incident of severity 1 where this team is; while one is open, another call is answered with that one."""
    place = None if body.lon is None or body.lat is None else (body.lon, body.lat)
    call = HelpCall(body.id, actor_of(principal), parts.done_s(body.at), body.text, place)
    try:
        incident, support = await asyncio.to_thread(parts.store.call_for_help, call)
    except CommandError as error:
        raise ConfigError(str(error)) from error
    await _announce(parts, support)
    return OwnSupportOut.with_incident(support, incident)


async def _announce(parts: Dashboard, support: Support) -> None:
    incident = await asyncio.to_thread(parts.store.incident, support.incident)
    states = await asyncio.to_thread(parts.store.team_states)
    if incident is not None:
        announce_support(parts.updates, support, incident)
    if support.team in states:
        announce_team(parts.updates, parts.site, states[support.team])
