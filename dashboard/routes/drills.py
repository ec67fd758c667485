"""Drills, and an incident as other centres read it (CAP 1.2)."""

import asyncio
from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from dashboard.announce import announce_incident
from dashboard.authorize import Action, Principal
from dashboard.notice_schemas import DrillIn, DrillMarkIn, DrillNowOut, DrillOut
from dashboard.policy import Parts, policy
from dashboard.routes.incidents import IncidentId, incident_of
from dashboard.schemas import IncidentOut
from dashboard.scope import expect_whole
from dashboard.sessions import actor_of
from patrol.cap import incident_cap

router = APIRouter(tags=["drills"])


@router.get("/api/v1/drill")
def read_drill(parts: Parts, principal: Annotated[Principal, policy(Action.READ_INCIDENTS)]) -> DrillNowOut:
    """The drill of the whole site that goes on now, if one does."""
    drill = parts.store.drills.now()
    return DrillNowOut(drill=None if drill is None else DrillOut.of(drill))


@router.post("/api/v1/drill", status_code=201)
async def begin_drill(body: DrillIn, parts: Parts, principal: Annotated[Principal, policy(Action.RUN_DRILL)]) -> DrillOut:
    """Begin a drill of the whole site: what opens until it ends is marked, and counts in no figure. 409 if one goes on."""
    expect_whole(principal, "A drill")
    drill = await asyncio.to_thread(parts.store.drills.begin, body.until.timestamp(), body.reason, actor_of(principal))
    return DrillOut.of(drill)


@router.delete("/api/v1/drill", status_code=204)
async def end_drill(parts: Parts, principal: Annotated[Principal, policy(Action.RUN_DRILL)]) -> Response:
    """End the drill of the whole site; nothing happens if none goes on."""
    expect_whole(principal, "A drill")
    await asyncio.to_thread(parts.store.drills.end, actor_of(principal))
    return Response(status_code=204)


@router.put("/api/v1/incidents/{incident}/drill")
async def mark_drill(
    incident: IncidentId, body: DrillMarkIn, parts: Parts, principal: Annotated[Principal, policy(Action.RUN_DRILL)]
) -> IncidentOut:
    """Say that an incident is an exercise, or that it is none."""
    marked = await asyncio.to_thread(parts.store.drills.mark, incident, body.drill, body.reason, actor_of(principal))
    announce_incident(parts.updates, marked)
    return IncidentOut.of(marked, area=principal.area)


@router.get(
    "/api/v1/incidents/{incident}/cap", response_class=Response, responses={200: {"content": {"application/cap+xml": {}}}}
)
def read_cap(incident: IncidentId, parts: Parts, principal: Annotated[Principal, policy(Action.READ_INCIDENTS)]) -> Response:
    """The incident as an alert of the Common Alerting Protocol 1.2, in both languages."""
    found = incident_of(parts.store, incident)
    history = parts.store.history(incident)
    current = [entry for entry in history if entry.version <= found.version]
    return Response(incident_cap(found, current[0], current[-1], parts.site), media_type="application/cap+xml")
