"""Incidents: read and report them, take steps, merge and split them, see their pictures."""

import asyncio
from collections.abc import Callable
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
    )
    found, follows = parts.store.incident_page(state, limit, before, which)
    return IncidentList(items=[IncidentOut.of(incident) for incident in found], next=follows)


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
        at_s=parts.clock.now_s() if body.at is None else body.at.timestamp(),
        text=body.text,
        caller=body.caller,
        lon=body.lon,
        lat=body.lat,
        grid_cell=body.grid_cell or "",
        drill=body.drill,
    )
    try:
        opened = await asyncio.to_thread(parts.store.report, report)
    except CommandError as error:
        raise ConfigError(str(error)) from error
    await _announce(parts, set(), opened)
    return IncidentOut.of(opened, for_team)


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


@router.get("/api/v1/incidents/{incident}/cameras")
def read_related_cameras(
    incident: IncidentId, parts: Parts, principal: Annotated[Principal, policy(Action.READ_INCIDENTS)]
) -> RelatedCameraList:
    """The cameras that see where it happened, by their place and direction; the one that shows it largest first."""
    width_px = {camera: status.width_px for camera, status in parts.fleet.statuses().items()}
    related = parts.store.related_cameras(_incident(parts.store, incident), width_px)
    return RelatedCameraList(items=[RelatedCameraOut.of(each) for each in related])


@router.post("/api/v1/incidents/{incident}/steps", response_model=IncidentOut, responses=CONFLICT)
async def take_step(
    incident: IncidentId, body: StepIn, parts: Parts, principal: Annotated[Principal, policy(Action.TAKE_STEP)]
) -> Response | IncidentOut:
    """Take one step. Answered with the incident after it, or 409 with the incident as it is."""
    return await _carry_out(parts, principal, _command(parts, principal, incident, body), parts.store.apply)


@router.post("/api/v1/incidents/{incident}/merge", response_model=IncidentOut, responses=CONFLICT)
async def merge_incident(
    incident: IncidentId, body: MergeIn, parts: Parts, principal: Annotated[Principal, policy(Action.STEP_MERGE)]
) -> Response | IncidentOut:
    """Close this incident as a duplicate of `into`. Answered with that one, or 409 with this incident as it is."""
    await asyncio.to_thread(_incident, parts.store, body.into)
    command = Command(
        id=body.command_id,
        incident=incident,
        step=Step.MERGE,
        version=body.version,
        by=actor_of(principal),
        at_s=parts.clock.now_s(),
        text=body.text,
        other=body.into,
    )
    return await _carry_out(parts, principal, command, parts.store.merge)


@router.post("/api/v1/incidents/{incident}/split", response_model=IncidentOut, responses=CONFLICT)
async def split_incident(
    incident: IncidentId, body: SplitIn, parts: Parts, principal: Annotated[Principal, policy(Action.STEP_SPLIT)]
) -> Response | IncidentOut:
    """Give some events an incident of their own. Answered with the new one, or 409 with this incident as it is."""
    command = Command(
        id=body.command_id,
        incident=incident,
        step=Step.SPLIT,
        version=body.version,
        by=actor_of(principal),
        at_s=parts.clock.now_s(),
        text=body.text,
        events=tuple(dict.fromkeys(body.events)),
    )
    return await _carry_out(parts, principal, command, parts.store.split)


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


async def _carry_out(
    parts: Dashboard, principal: Principal, command: Command, do: Callable[[Command], Incident]
) -> Response | IncidentOut:
    """What `do` makes of the command, told to every page; or 409 with the incident as it is."""
    before = await asyncio.to_thread(_incident, parts.store, command.incident)
    await asyncio.to_thread(_check_may, parts.store, principal, before, command)
    left = await asyncio.to_thread(_left_behind, parts.store, command)
    try:
        after = await asyncio.to_thread(do, command)
    except CommandError as error:
        raise ConfigError(str(error)) from error
    except TransitionError as error:
        current = error.current if isinstance(error, Conflict) else await asyncio.to_thread(_incident, parts.store, before.id)
        return _conflict(error, current, principal)
    if after.id != before.id:
        await _announce(parts, {before.team}, before)
    if left is not None:
        await _announce(parts, set(), left)
    await _announce(parts, {before.team, after.team}, after)
    return IncidentOut.of(after, principal.kind is PrincipalKind.TEAM)


def _left_behind(store: Store, command: Command) -> Incident | None:
    """The other incident that the team of a dispatch is busy with; if it is called away from it, that one changes, too."""
    state = store.team_states().get(command.team) if command.step is Step.DISPATCH else None
    if state is None or state.incident in ("", command.incident):
        return None
    return store.incident(state.incident)


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
        until_s=None if body.until is None else body.until.timestamp(),
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
