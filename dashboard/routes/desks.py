"""Referral desks: which there are, what they have, and every step of a referral."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from base import ConfigError
from dashboard.announce import announce_incident, announce_referral
from dashboard.authorize import Action, Principal
from dashboard.desk_schemas import DeskList, DeskOut, ReferIn, ReferralDetail, ReferralList, ReferralOut, ReferralStepIn
from dashboard.failures import NotFoundError
from dashboard.policy import Dashboard, Parts, policy
from dashboard.routes.incidents import IncidentId
from dashboard.schemas import ID, UUID, Failure
from dashboard.sessions import actor_of
from patrol import CommandError
from patrol.referral import ReferralCommand, ReferralStep

router = APIRouter(tags=["desks"])

ReferralId = Annotated[str, Path(pattern=UUID)]
REFUSED: dict[int | str, dict[str, Any]] = {
    409: {"model": Failure, "description": "not legal now"}
}  # Any: as FastAPI declares it


@router.get("/api/v1/desks")
def read_desks(parts: Parts, principal: Annotated[Principal, policy(Action.READ_REFERRALS)]) -> DeskList:
    """The desks of the site, with how much each has."""
    found = parts.store.desks.open_referrals(area=principal.area)
    return DeskList(items=[DeskOut.of(desk, [each for each in found if each.desk == desk.id]) for desk in parts.site.desks])


@router.get("/api/v1/referrals")
def read_open_referrals(
    parts: Parts,
    principal: Annotated[Principal, policy(Action.READ_REFERRALS)],
    desk: Annotated[str | None, Query(pattern=ID, examples=["mediation"])] = None,
) -> ReferralList:
    """What desks have or are asked to take, oldest first. Those that are over: in the ledger."""
    return ReferralList(items=[ReferralOut.of(each) for each in parts.store.desks.open_referrals(desk or "", principal.area)])


@router.get("/api/v1/referrals/{referral}")
def read_referral(
    referral: ReferralId, parts: Parts, principal: Annotated[Principal, policy(Action.READ_REFERRALS)]
) -> ReferralDetail:
    """One referral with its history."""
    found = parts.store.desks.referral(referral)
    if found is None:
        raise NotFoundError("There is no such referral.")
    return ReferralDetail.with_past(found, parts.store.desks.history(referral))


@router.get("/api/v1/incidents/{incident}/referrals")
def read_referrals_of(
    incident: IncidentId, parts: Parts, principal: Annotated[Principal, policy(Action.READ_REFERRALS)]
) -> ReferralList:
    """The referrals of one incident, oldest first."""
    return ReferralList(items=[ReferralOut.of(each) for each in parts.store.desks.referrals_of(incident)])


@router.post("/api/v1/incidents/{incident}/referrals", status_code=201, responses=REFUSED)
async def refer_incident(
    incident: IncidentId, body: ReferIn, parts: Parts, principal: Annotated[Principal, policy(Action.TAKE_REFERRAL_STEP)]
) -> ReferralOut:
    """Refer an incident to a desk; its owner only. Until the desk has accepted, the owner answers for it."""
    by = actor_of(principal)
    asked = ReferralCommand(body.command_id, ReferralStep.REFER, by, body.reason, incident=incident, desk=body.desk)
    return await _take(parts, asked)


@router.post("/api/v1/referrals/{referral}/steps", responses=REFUSED)
async def take_referral_step(
    referral: ReferralId, body: ReferralStepIn, parts: Parts, principal: Annotated[Principal, policy(Action.TAKE_REFERRAL_STEP)]
) -> ReferralOut:
    """Receive, give feedback, finish or return: the desk. Withdraw: the incident's owner. 409 if it is not legal now."""
    return await _take(
        parts, ReferralCommand(body.command_id, ReferralStep(body.step), actor_of(principal), body.text, referral=referral)
    )


async def _take(parts: Dashboard, command: ReferralCommand) -> ReferralOut:
    """Carry it out and tell every page of the referral, and of the incident, whose clock may stand still now."""
    try:
        after = await asyncio.to_thread(parts.store.desks.take, command)
    except CommandError as error:
        raise ConfigError(str(error)) from error
    incident = await asyncio.to_thread(parts.store.incident, after.incident)
    if incident is not None:
        announce_referral(parts.updates, after, incident)
        announce_incident(parts.updates, incident)
    return ReferralOut.of(after)
