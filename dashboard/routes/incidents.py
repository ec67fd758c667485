"""Incidents: read and report them, take steps, merge and split them, see their pictures."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime
from starlette.responses import JSONResponse, Response

from base import ConfigError, DeniedError, TransitionError
from camera_config.time_limits import Category
from dashboard.announce import announce_incident, announce_team
from dashboard.authorize import STEP_ACTION, Action, Principal, PrincipalKind, authorize
from dashboard.failures import NotFoundError
from dashboard.incident_schemas import MergeIn, RelatedCameraList, RelatedCameraOut, ReportIn, SplitIn
from dashboard.policy import Dashboard, Parts, policy
from dashboard.schemas import ID, UUID, Failure, IncidentDetail, IncidentList, IncidentOut, ProposalOut, StepIn
from dashboard.scope import check_path, expect_team
from dashboard.sessions import actor_of
from patrol import Command, CommandError, Conflict, Incident, Origin, Report, Step, Work
from storage import IncidentFilter, Store

router = APIRouter(tags=["incidents"])

IncidentId = Annotated[str, Path(pattern=UUID)]
EventId = Annotated[str, Path(pattern=UUID)]


CONFLICT: dict[int | str, dict[str, Any]] = {  # Any: as FastAPI declares it
    409: {"model": Failure, "description": "not legal now, or somebody was faster; `current` is the incident as it is"}
}


@router.get("/api/v1/incidents")
def read_incidents(
    parts: Parts,
    principal: Annotated[Principal, policy(Action.READ_INCIDENTS)],
    state: Literal["open", "closed", "all"] = "open",
    work: Work | None = None,
    severity: Annotated[int | None, Query(ge=1, le=4)] = None,
    category: Category | None = None,
    grid_cell: Annotated[str, Query(pattern=ID, examples=["grid-03-12"])] | None = None,
    team: Annotated[str, Query(pattern=ID, examples=["t03"])] | None = None,
    text: Annotated[str, Query(max_length=100, description="in the report, camera, owner or cause; or a number")] = "",
    opened_from: Annotated[AwareDatetime | None, Query(alias="from", description="opened then or later")] = None,
    opened_before: Annotated[AwareDatetime | None, Query(alias="to", description="opened before")] = None,
    overdue: Annotated[bool, Query(description="only those whose limit has passed")] = False,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    before: Annotated[str | None, Query(pattern=UUID)] = None,
) -> IncidentList:
    """A page of incidents, newest first; with several filters, those that pass all of them.

    A page with filters looks at 10,000 incidents at most, so it may be short or empty though there is a `next`.
    """
    which = IncidentFilter(
        work=work,
        severity=severity,
        category=category,
        grid_cell=grid_cell or "",
        team=team or "",
        text=text.replace("\x00", "").strip(),
        from_s=None if opened_from is None else opened_from.timestamp(),
        to_s=None if opened_before is None else opened_before.timestamp(),
        overdue_s=parts.clock.now_s() if overdue else None,
        area=principal.area,
    )
    found, follows = parts.store.incident_page(state, limit, before, which)
    return IncidentList(items=[IncidentOut.of(incident, area=principal.area) for incident in found], next=follows)


@router.post("/api/v1/incidents", status_code=201)
async def report_incident(
    body: ReportIn, parts: Parts, principal: Annotated[Principal, policy(Action.REPORT_INCIDENT)]
) -> IncidentOut:
    """Open an incident from what a person reports. The same `command_id` again is answered as the first time."""
    for_team = principal.kind is PrincipalKind.TEAM
    if for_team and body.origin is not Origin.PATROL:
        raise ConfigError("origin: a team's phone reports as patrol")
    report = Report(
        id=body.command_id,
        origin=body.origin,
        category=body.category,
        severity=body.severity,
        by=actor_of(principal),
        at_s=parts.done_s(body.at),
        text=body.text,
        caller=body.caller,
        lon=body.lon,
        lat=body.lat,
        grid_cell=body.grid_cell or "",
        drill=body.drill,
    )
    try:
        opened = await asyncio.to_thread(parts.store.report, report, principal.area)
    except CommandError as error:
        raise ConfigError(str(error)) from error
    await _announce(parts, set(), opened)
    return IncidentOut.of(opened, for_team, principal.area)


@router.get("/api/v1/incidents/{incident}")
def read_incident(
    incident: IncidentId, parts: Parts, principal: Annotated[Principal, policy(Action.READ_INCIDENTS)]
) -> IncidentDetail:
    """One incident with its history and its events."""
    found = incident_of(parts.store, incident)
    history, events = parts.store.history(incident), parts.store.events(incident)
    return IncidentDetail.with_past(found, history, events, principal.area)


@router.get("/api/v1/incidents/{incident}/proposal")
def read_proposal(
    incident: IncidentId, parts: Parts, principal: Annotated[Principal, policy(Action.READ_INCIDENTS)]
) -> ProposalOut:
    """Which team should go now, worked out afresh, of those that the account may send."""
    proposal = parts.store.proposal(incident, principal.area)
    if proposal is None:
        raise NotFoundError("There is no such incident.")
    return ProposalOut.of(proposal)


@router.get("/api/v1/incidents/{incident}/cameras")
def read_related_cameras(
    incident: IncidentId, parts: Parts, principal: Annotated[Principal, policy(Action.READ_INCIDENTS)]
) -> RelatedCameraList:
    """The cameras that see where it happened, by their place and direction; the one that shows it largest first."""
    width_px = {camera: status.width_px for camera, status in parts.fleet.statuses().items()}
    related = parts.store.related_cameras(incident_of(parts.store, incident), width_px)
    mine = [each for each in related if principal.area is None or each.camera in principal.area.cameras]
    return RelatedCameraList(items=[RelatedCameraOut.of(each) for each in mine])


@router.get("/api/v1/incidents/{incident}/related")
def read_related_incidents(
    incident: IncidentId, parts: Parts, principal: Annotated[Principal, policy(Action.READ_INCIDENTS)]
) -> IncidentList:
    """Others that may be the same happening: of any kind, opened within two minutes by cameras that see the same ground."""
    found = parts.store.related_incidents(incident_of(parts.store, incident))
    mine = [each for each in found if principal.area is None or principal.area.holds_incident(each)]
    return IncidentList(items=[IncidentOut.of(each, area=principal.area) for each in mine], next=None)


@router.post("/api/v1/incidents/{incident}/steps", response_model=IncidentOut, responses=CONFLICT)
async def take_step(
    incident: IncidentId, body: StepIn, parts: Parts, principal: Annotated[Principal, policy(Action.TAKE_STEP)]
) -> Response | IncidentOut:
    """Take one step. Answered with the incident after it, or 409 with the incident as it is."""
    if body.team is not None:
        expect_team(parts.site, principal, body.team)
    command = replace(
        _command(parts, principal, incident, body.step, body),
        at_s=parts.done_s(body.at),
        team=body.team or "",
        verdict=body.verdict,
        cause=body.cause,
        until_s=None if body.until is None else body.until.timestamp(),
    )
    return await _carry_out(parts, principal, command, parts.store.apply)


@router.post("/api/v1/incidents/{incident}/merge", response_model=IncidentOut, responses=CONFLICT)
async def merge_incident(
    incident: IncidentId, body: MergeIn, parts: Parts, principal: Annotated[Principal, policy(Action.STEP_MERGE)]
) -> Response | IncidentOut:
    """Close this incident as a duplicate of `into`. Answered with that one, or 409 with this incident as it is."""
    await asyncio.to_thread(check_path, parts.site, parts.store, parts.clock.now_s(), principal, {"incident": body.into})
    command = replace(_command(parts, principal, incident, Step.MERGE, body), other=body.into)
    return await _carry_out(parts, principal, command, parts.store.merge)


@router.post("/api/v1/incidents/{incident}/split", response_model=IncidentOut, responses=CONFLICT)
async def split_incident(
    incident: IncidentId, body: SplitIn, parts: Parts, principal: Annotated[Principal, policy(Action.STEP_SPLIT)]
) -> Response | IncidentOut:
    """Give some events an incident of their own. Answered with the new one, or 409 with this incident as it is."""
    command = replace(_command(parts, principal, incident, Step.SPLIT, body), events=tuple(dict.fromkeys(body.events)))
    return await _carry_out(parts, principal, command, parts.store.split)


@router.get("/api/v1/events/{event}/snapshot", response_class=Response, responses={200: {"content": {"image/jpeg": {}}}})
def read_event_snapshot(
    event: EventId,
    parts: Parts,
    principal: Annotated[Principal, policy(Action.READ_EVENT_SNAPSHOT, of=lambda store, path: of_event(store, path["event"]))],
) -> Response:
    """The full frame at the event's best moment, without drawings, as JPEG."""
    jpeg = parts.store.snapshot(event)
    if not jpeg:
        raise NotFoundError("There is no picture of this event.")
    return Response(jpeg, media_type="image/jpeg")


async def _carry_out(
    parts: Dashboard, principal: Principal, command: Command, do: Callable[[Command], Incident]
) -> Response | IncidentOut:
    """What `do` makes of the command, told to every page; or 409 with the incident as it is."""
    before = await asyncio.to_thread(incident_of, parts.store, command.incident)
    await asyncio.to_thread(_check_may, parts.store, principal, before, command)
    left = await asyncio.to_thread(_left_behind, parts.store, command)
    try:
        after = await asyncio.to_thread(do, command)
    except CommandError as error:
        raise ConfigError(str(error)) from error
    except TransitionError as error:
        current = error.current if isinstance(error, Conflict) else await asyncio.to_thread(incident_of, parts.store, before.id)
        return _conflict(error, current, principal)
    if after.id != before.id:
        await _announce(parts, {before.team}, before)
    if left is not None:
        await _announce(parts, set(), left)
    await _announce(parts, {before.team, after.team}, after)
    return IncidentOut.of(after, principal.kind is PrincipalKind.TEAM, principal.area)


def _left_behind(store: Store, command: Command) -> Incident | None:
    """The other incident that the team of a dispatch is busy with; if it is called away from it, that one changes, too."""
    state = store.team_states().get(command.team) if command.step is Step.DISPATCH else None
    if state is None or state.incident in ("", command.incident):
        return None
    return store.incident(state.incident)


def of_event(store: Store, event: str) -> Incident | None:
    """The open incident of an event; once it is closed a team has no reason to look at the picture."""
    incident = store.incident_of_event(event)
    return incident if incident is not None and incident.is_open else None


def incident_of(store: Store, incident: str) -> Incident:
    """The incident of a path that was let through; raises NotFoundError if retention has deleted it since."""
    found = store.incident(incident)
    if found is None:
        raise NotFoundError("There is no such incident.")
    return found


def _command(parts: Dashboard, principal: Principal, incident: str, step: Step, body: StepIn | MergeIn | SplitIn) -> Command:
    """What all steps have in common, done now."""
    by, now_s = actor_of(principal), parts.clock.now_s()
    return Command(body.command_id, incident, step, body.version, by, now_s, text=body.text)


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
    content = IncidentOut.of(current, for_team, principal.area).model_dump(mode="json") if may_see else None
    return JSONResponse({"detail": str(error), "current": content}, 409)


async def _announce(parts: Dashboard, teams: set[str], after: Incident) -> None:
    """Tell all pages. The incident is read again: after a repeated command, `after` is how it once was."""
    current = await asyncio.to_thread(parts.store.incident, after.id)
    states = await asyncio.to_thread(parts.store.team_states)
    announce_incident(parts.updates, current or after)
    for team in sorted(teams & states.keys()):
        announce_team(parts.updates, parts.site, states[team])
