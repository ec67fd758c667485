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

    A site does not change while the server runs, so each version is made once.
    """
    made: dict[tuple[bool, str], bytes] = request.app.state.site_json
    for_team, area = principal.kind is PrincipalKind.TEAM, principal.area
    version = (for_team, "" if area is None else area.key)
    if version not in made:
        kind = SiteForTeamOut if for_team else SiteOut
        shown = parts.site if area is None else area.part_of(parts.site)
        made[version] = await asyncio.to_thread(lambda: kind.of(shown).model_dump_json().encode())
    return Response(made[version], media_type="application/json")
