"""Legal holds: an incident that must be kept, however old it becomes."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path

from base import ConfigError
from dashboard.authorize import Action, Principal
from dashboard.failures import NotFoundError
from dashboard.hold_schemas import HoldIn, HoldList, HoldOut
from dashboard.policy import Parts, policy
from dashboard.schemas import UUID
from dashboard.sessions import actor_of
from patrol import CommandError
from storage import Hold

router = APIRouter(tags=["holds"])

Id = Annotated[str, Path(pattern=UUID)]


@router.get("/api/v1/holds")
def read_holds(parts: Parts, principal: Annotated[Principal, policy(Action.READ_HOLDS)]) -> HoldList:
    """The holds that are in force, newest first."""
    return HoldList(items=[HoldOut.of(hold) for hold in parts.store.retention.holds(area=principal.area)])


@router.get("/api/v1/incidents/{incident}/holds")
def read_holds_of_incident(incident: Id, parts: Parts, principal: Annotated[Principal, policy(Action.READ_HOLDS)]) -> HoldList:
    """All holds there ever were on an incident, newest first."""
    return HoldList(items=[HoldOut.of(hold) for hold in parts.store.retention.holds(incident)])


@router.post("/api/v1/incidents/{incident}/holds", status_code=201)
async def add_hold(
    incident: Id, body: HoldIn, parts: Parts, principal: Annotated[Principal, policy(Action.HOLD_INCIDENT)]
) -> HoldOut:
    """Put a hold on an incident: it is kept with its events, pictures and history until the hold ends or is lifted."""
    until_s = None if body.until is None else body.until.timestamp()
    asked = Hold(body.id, incident, body.reason, principal.name, parts.clock.now_s(), until_s)
    try:
        return HoldOut.of(await asyncio.to_thread(parts.store.retention.add_hold, asked, actor_of(principal)))
    except CommandError as error:
        raise ConfigError(str(error)) from error


@router.delete("/api/v1/holds/{hold}")
async def lift_hold(hold: Id, parts: Parts, principal: Annotated[Principal, policy(Action.HOLD_INCIDENT)]) -> HoldOut:
    """Lift a hold; a lifted one stays as it is."""
    lifted = await asyncio.to_thread(parts.store.retention.lift_hold, hold, actor_of(principal))
    if lifted is None:
        raise NotFoundError("There is no such hold.")
    return HoldOut.of(lifted)
