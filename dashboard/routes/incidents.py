"""Incidents: read them, take steps, see their pictures."""

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from starlette.responses import JSONResponse, Response

from base import ConfigError, DeniedError, TransitionError
from dashboard.announce import announce_incident, announce_team
from dashboard.authorize import STEP_ACTION, Action, Principal, PrincipalKind, authorize
from dashboard.failures import NotFoundError
from dashboard.policy import Dashboard, Parts, policy
from dashboard.schemas import UUID, Failure, IncidentDetail, IncidentList, IncidentOut, ProposalOut, StepIn
from dashboard.sessions import actor_of
from patrol import Command, CommandError, Conflict, Incident
from storage import Store

router = APIRouter(tags=["incidents"])

IncidentId = Annotated[str, Path(pattern=UUID)]
EventId = Annotated[str, Path(pattern=UUID)]


@router.get("/api/v1/incidents")
def read_incidents(
    parts: Parts,
    principal: Annotated[Principal, policy(Action.READ_INCIDENTS)],
    state: Literal["open", "closed", "all"] = "open",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    before: Annotated[str | None, Query(pattern=UUID)] = None,
) -> IncidentList:
    """A page of incidents, newest first."""
    found = parts.store.incidents(state, limit + 1, before)
    items = [IncidentOut.of(incident) for incident in found[:limit]]
    return IncidentList(items=items, next=items[-1].id if len(found) > limit else None)


@router.get("/api/v1/incidents/{incident}")
def read_incident(
    incident: IncidentId, parts: Parts, principal: Annotated[Principal, policy(Action.READ_INCIDENTS)]
) -> IncidentDetail:
    """One incident with its history and its events."""
    found = _incident(parts.store, incident)
    return IncidentDetail.with_past(found, parts.store.history(incident), parts.store.events(incident))


@router.get("/api/v1/incidents/{incident}/proposal")
def read_proposal(
    incident: IncidentId, parts: Parts, principal: Annotated[Principal, policy(Action.READ_INCIDENTS)]
) -> ProposalOut:
    """Which team should go now, worked out afresh."""
    proposal = parts.store.proposal(incident)
    if proposal is None:
        raise NotFoundError("There is no such incident.")
    return ProposalOut.of(proposal)


@router.post(
    "/api/v1/incidents/{incident}/steps",
    response_model=IncidentOut,
    responses={
        409: {"model": Failure, "description": "not legal now, or somebody was faster; `current` is the incident as it is"}
    },
)
async def take_step(
    incident: IncidentId, body: StepIn, parts: Parts, principal: Annotated[Principal, policy(Action.TAKE_STEP)]
) -> Response | IncidentOut:
    """Take one step. Answered with the incident after it, or 409 with the incident as it is."""
    before = await asyncio.to_thread(_incident, parts.store, incident)
    command = _command(parts, principal, incident, body)
    await asyncio.to_thread(_check_may, parts.store, principal, before, command)
    for_team = principal.kind is PrincipalKind.TEAM
    try:
        after = await asyncio.to_thread(parts.store.apply, command)
    except CommandError as error:
        raise ConfigError(str(error)) from error
    except TransitionError as error:
        current = error.current if isinstance(error, Conflict) else await asyncio.to_thread(_incident, parts.store, incident)
        return _conflict(error, current, principal)
    await _announce(parts, {before.team, after.team}, after)
    return IncidentOut.of(after, for_team)


@router.get("/api/v1/events/{event}/snapshot", response_class=Response, responses={200: {"content": {"image/jpeg": {}}}})
def read_event_snapshot(
    event: EventId,
    parts: Parts,
    principal: Annotated[Principal, policy(Action.READ_EVENT_SNAPSHOT, of=lambda store, path: _of_event(store, path["event"]))],
) -> Response:
    """The full frame at the event's best moment, without drawings, as JPEG."""
    jpeg = parts.store.snapshot(event)
    if not jpeg:
        raise NotFoundError("There is no picture of this event.")
    return Response(jpeg, media_type="image/jpeg")


def _of_event(store: Store, event: str) -> Incident | None:
    """The open incident of an event; once it is closed a team has no reason to look at the picture."""
    incident = store.incident_of_event(event)
    return incident if incident is not None and incident.is_open else None


def _incident(store: Store, incident: str) -> Incident:
    found = store.incident(incident)
    if found is None:
        raise NotFoundError("There is no such incident.")
    return found


def _command(parts: Dashboard, principal: Principal, incident: str, body: StepIn) -> Command:
    if body.team is not None and body.team not in parts.site.team_by_id:
        raise ConfigError(f"team: there is no team {body.team} on this site")
    return Command(
        id=body.command_id,
        incident=incident,
        step=body.step,
        version=body.version,
        by=actor_of(principal),
        at_s=parts.clock.now_s() if body.at is None else body.at.timestamp(),
        team=body.team or "",
        text=body.text,
        verdict=body.verdict,
        cause=body.cause,
    )


def _check_may(store: Store, principal: Principal, incident: Incident, command: Command) -> None:
    """Raise DeniedError unless `principal` may take this step, or has already taken it.

    A phone that lost our answer to a refusal asks again when the incident is no longer its own.
    """
    try:
        authorize(principal, STEP_ACTION[command.step], incident)
    except DeniedError:
        taken = any(entry.command == command.id and entry.by == command.by for entry in store.history(incident.id))
        if not taken:
            raise


def _conflict(error: TransitionError, current: Incident, principal: Principal) -> Response:
    for_team = principal.kind is PrincipalKind.TEAM
    may_see = not for_team or current.team == principal.team
    content = IncidentOut.of(current, for_team).model_dump(mode="json") if may_see else None
    return JSONResponse({"detail": str(error), "current": content}, 409)


async def _announce(parts: Dashboard, teams: set[str], after: Incident) -> None:
    """Tell all pages. The incident is read again: after a repeated command, `after` is how it once was."""
    current = await asyncio.to_thread(parts.store.incident, after.id)
    states = await asyncio.to_thread(parts.store.team_states)
    announce_incident(parts.updates, current or after)
    for team in sorted(teams & states.keys()):
        announce_team(parts.updates, parts.site, states[team])
