"""Teams: where they are, what they do, and the phones they carry."""

import asyncio
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Path

from camera_config.site import Team
from dashboard.authorize import Action, Principal
from dashboard.policy import Dashboard, Parts, policy
from dashboard.roster_schemas import BoardOut, BoardRow
from dashboard.schemas import ID, PairingOut, TeamList, TeamOut, iso
from dashboard.scope import expect_own_team
from dashboard.sessions import actor_of
from patrol import TeamState
from storage import Area, Store

router = APIRouter(tags=["teams"])

TeamId = Annotated[str, Path(pattern=ID, examples=["t03"])]


@router.get("/api/v1/teams")
def read_teams(parts: Parts, principal: Annotated[Principal, policy(Action.READ_TEAMS)]) -> TeamList:
    """Every team as it is now."""
    return TeamList(items=[TeamOut.of(team, state) for team, state in _teams(parts, principal)])


@router.get("/api/v1/teams/board")
def read_board(parts: Parts, principal: Annotated[Principal, policy(Action.READ_TEAMS)]) -> BoardOut:
    """Every team at a glance: status, cells, until when, how fresh its position is, what it has done, whether it should rest."""
    now_s = parts.clock.now_s()
    rows = [BoardRow.of(team, state, parts.site, now_s) for team, state in _teams(parts, principal)]
    return BoardOut(at=iso(now_s), items=rows)


@router.post("/api/v1/teams/{team}/phone")
async def pair_phone(team: TeamId, parts: Parts, principal: Annotated[Principal, policy(Action.PAIR_PHONE)]) -> PairingOut:
    """A one-time code that signs a phone in as this team's, good for a quarter of an hour."""
    expect_own_team(principal, team)
    code, expires_s = await parts.sessions.new_code(team)
    await asyncio.to_thread(parts.store.audit, actor_of(principal), "pair_phone", f"team:{team}")
    return PairingOut(code=code, path=f"/phone#code={code}", expires_at=iso(expires_s))


@router.delete("/api/v1/teams/{team}/phone", status_code=204)
async def sign_out_phones(team: TeamId, parts: Parts, principal: Annotated[Principal, policy(Action.PAIR_PHONE)]) -> None:
    """Sign out every phone of this team, for when one is lost; their pages close within seconds."""
    expect_own_team(principal, team)
    await parts.sessions.end_team(team)
    await asyncio.to_thread(parts.store.audit, actor_of(principal), "sign_out_phones", f"team:{team}")


def _teams(parts: Dashboard, principal: Principal) -> list[tuple[Team, TeamState]]:
    """The teams that `principal` may see, in the order of the site."""
    states, area = parts.store.team_states(), principal.area
    known = ((team, states[team.id]) for team in parts.site.teams if team.id in states)
    if area is None:
        return list(known)
    return [(team, _seen_from(parts.store, area, state)) for team, state in known if team.id in area.teams]


def _seen_from(store: Store, area: Area, state: TeamState) -> TeamState:
    """`state` without its incident, if that is outside of the area: the team is busy, and that is all."""
    incident = store.incident(state.incident) if state.incident else None
    if incident is None or area.holds_incident(incident):
        return state
    return replace(state, incident="", incident_number=0)
