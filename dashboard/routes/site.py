"""The site: places, cameras, checkpoints, for the map."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Request
from starlette.responses import Response

from dashboard.authorize import Action, Principal, PrincipalKind
from dashboard.policy import Parts, policy
from dashboard.site_schemas import SiteForTeamOut, SiteOut

router = APIRouter(tags=["site"])


@router.get("/api/v1/site", response_model=SiteOut | SiteForTeamOut)
async def read_site(request: Request, parts: Parts, principal: Annotated[Principal, policy(Action.READ_SITE)]) -> Response:
    """Everything the map draws, of the area of a limited account. A team's phone gets cameras by name only.

    Each version is made once for as long as cameras and rules are the same.
    """
    site, state = parts.site, request.app.state
    if state.site_json_of[0] is not site.cameras or state.site_json_of[1] is not site.rules:
        state.site_json, state.site_json_of = {}, (site.cameras, site.rules)
    made: dict[tuple[bool, str], bytes] = state.site_json
    for_team, area = principal.kind is PrincipalKind.TEAM, principal.area
    version = (for_team, "" if area is None else area.key)
    if version not in made:
        kind = SiteForTeamOut if for_team else SiteOut
        shown = site if area is None else area.part_of(site)
        made[version] = await asyncio.to_thread(lambda: kind.of(shown).model_dump_json().encode())
    return Response(made[version], media_type="application/json")
