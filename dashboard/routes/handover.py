"""Shift handover: the sheet of the outgoing side, and the confirmation of the incoming one."""

import asyncio
import json
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from base import ConfigError
from dashboard.announce import announce_handover
from dashboard.authorize import Action, Principal, Role
from dashboard.desk_schemas import ConfirmIn, DraftOut, HandoverAlarmOut, HandoverList, HandoverOut, OfferIn
from dashboard.failures import NotFoundError
from dashboard.policy import Parts, policy
from dashboard.schemas import UUID, Failure
from dashboard.sessions import actor_of
from patrol import CommandError
from patrol.handover import Handover

router = APIRouter(tags=["handover"])

HandoverId = Annotated[str, Path(pattern=UUID)]
REFUSED: dict[int | str, dict[str, Any]] = {
    409: {"model": Failure, "description": "not legal now"}
}  # Any: as FastAPI declares it


@router.get("/api/v1/handovers")
def read_handovers(
    parts: Parts,
    principal: Annotated[Principal, policy(Action.READ_HANDOVERS)],
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    before: Annotated[str | None, Query(pattern=UUID)] = None,
) -> HandoverList:
    """A page of sheets, newest first; the one that waits for its confirmation is among them."""
    found = parts.store.handovers.handovers(limit + 1, before, principal.area)
    items = [HandoverOut.of(each) for each in found[:limit]]
    alarms = [HandoverAlarmOut.of(each) for each in parts.store.handovers.alarms()]
    return HandoverList(items=items, alarms=alarms, next=items[-1].id if len(found) > limit else None)


@router.get("/api/v1/handovers/draft")
def read_draft(parts: Parts, principal: Annotated[Principal, policy(Action.SIGN_HANDOVER)]) -> DraftOut:
    """What a sheet would hold if it were offered now, of the area of a limited account; nothing is stored."""
    return DraftOut(content=json.loads(parts.store.handovers.draft(actor_of(principal), principal.area)))


@router.get("/api/v1/handovers/{handover}")
def read_handover(
    handover: HandoverId, parts: Parts, principal: Annotated[Principal, policy(Action.READ_HANDOVERS)]
) -> HandoverOut:
    """One sheet with its signatures."""
    return _found(parts.store.handovers.handover(handover))


@router.post("/api/v1/handovers", status_code=201, responses=REFUSED)
async def offer_handover(
    body: OfferIn, parts: Parts, principal: Annotated[Principal, policy(Action.SIGN_HANDOVER)]
) -> HandoverOut:
    """Draw up and sign a sheet as the outgoing side. 409 while another one waits for its confirmation."""
    try:
        made = await asyncio.to_thread(parts.store.handovers.offer, body.id, actor_of(principal), body.notes, principal.area)
    except CommandError as error:
        raise ConfigError(str(error)) from error
    return HandoverOut.of(made)


@router.post("/api/v1/handovers/{handover}/confirm", responses=REFUSED)
async def confirm_handover(
    handover: HandoverId, body: ConfirmIn, parts: Parts, principal: Annotated[Principal, policy(Action.SIGN_HANDOVER)]
) -> HandoverOut:
    """Sign as the incoming side: somebody else than who offered it. From then on nothing about it changes."""
    try:
        found = await asyncio.to_thread(parts.store.handovers.confirm, handover, actor_of(principal), body.sha256, body.remark)
    except CommandError as error:
        raise ConfigError(str(error)) from error
    announce_handover(parts.updates, await asyncio.to_thread(parts.store.handovers.alarms))
    return _found(found)


@router.post("/api/v1/handovers/{handover}/withdraw", responses=REFUSED)
async def withdraw_handover(
    handover: HandoverId, parts: Parts, principal: Annotated[Principal, policy(Action.SIGN_HANDOVER)]
) -> HandoverOut:
    """Withdraw a sheet that nobody has confirmed: who offered it, or a dispatcher in their place. It stays in the list."""
    any_sheet = principal.role in (Role.DISPATCHER, Role.ADMINISTRATOR)
    return _found(await asyncio.to_thread(parts.store.handovers.withdraw, handover, actor_of(principal), any_sheet))


def _found(handover: Handover | None) -> HandoverOut:
    if handover is None:
        raise NotFoundError("There is no such sheet.")
    return HandoverOut.of(handover)
