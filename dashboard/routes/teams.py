"""Teams: where they are, what they do, and the phones they carry."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path

from dashboard.authorize import Action, Principal
from dashboard.failures import NotFoundError
from dashboard.policy import Dashboard, Parts, policy
from dashboard.roster_schemas import BoardOut, BoardRow
from dashboard.schemas import ID, PairingOut, TeamList, TeamOut, iso
from dashboard.sessions import actor_of

router = APIRouter(tags=["teams"])

TeamId = Annotated[str, Path(pattern=ID, examples=["t03"])]


@router.get("/api/v1/teams")
def read_teams(parts: Parts, principal: Annotated[Principal, policy(Action.READ_TEAMS)]) -> TeamList:
    """Every team as it is now."""
    states = parts.store.team_states()
    return TeamList(items=[TeamOut.of(team, states[team.id]) for team in parts.site.teams if team.id in states])


@router.get("/api/v1/teams/board")
def read_board(parts: Parts, principal: Annotated[Principal, policy(Action.READ_TEAMS)]) -> BoardOut:
    """Every team at a glance: status, cells, until when, how fresh its position is, what it has done, whether it should rest."""
    now_s, states = parts.clock.now_s(), parts.store.team_states()
    rows = [BoardRow.of(team, states[team.id], parts.site, now_s) for team in parts.site.teams if team.id in states]
    return BoardOut(at=iso(now_s), items=rows)


@router.post("/api/v1/teams/{team}/phone")
async def pair_phone(team: TeamId, parts: Parts, principal: Annotated[Principal, policy(Action.PAIR_PHONE)]) -> PairingOut:
    """A one-time code that signs a phone in as this team's, good for a quarter of an hour."""
    _check_team(parts, team)
    code, expires_s = await parts.sessions.new_code(team)
    await asyncio.to_thread(parts.store.audit, actor_of(principal), "pair_phone", f"team:{team}")
    return PairingOut(code=code, path=f"/phone#code={code}", expires_at=iso(expires_s))


@router.delete("/api/v1/teams/{team}/phone", status_code=204)
async def sign_out_phones(team: TeamId, parts: Parts, principal: Annotated[Principal, policy(Action.PAIR_PHONE)]) -> None:
    """Sign out every phone of this team, for when one is lost; their pages close within seconds."""
    _check_team(parts, team)
    await parts.sessions.end_team(team)
    await asyncio.to_thread(parts.store.audit, actor_of(principal), "sign_out_phones", f"team:{team}")


def _check_team(parts: Dashboard, team: str) -> None:
    if team not in parts.site.team_by_id:
        raise NotFoundError(f"There is no team {team}.")
