"""For administrators: who is signed in, who did what, which limits hold, which networks there are."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime
from starlette.requests import Request
from starlette.responses import Response

from dashboard.admin_schemas import AuditList, AuditOut, LimitsOut, NetworkList, NetworkOut, SessionList, SignedInOut
from dashboard.authorize import Action, Principal
from dashboard.failures import NotFoundError
from dashboard.policy import Parts, policy, signed_in_of
from dashboard.sessions import actor_of
from storage import AuditFilter

router = APIRouter(tags=["administration"])

SessionName = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$", examples=["9f86d081" * 4])]


@router.get("/api/v1/sessions")
async def read_sessions(
    request: Request, parts: Parts, principal: Annotated[Principal, policy(Action.READ_SESSIONS)]
) -> SessionList:
    """Everybody who is signed in, users and teams' phones, the newest first."""
    mine = signed_in_of(request).key
    items = [SignedInOut.of(one, since_s, idle_s, one.key == mine) for one, since_s, idle_s in await parts.sessions.listed()]
    return SessionList(items=items)


@router.delete("/api/v1/sessions/{session}", status_code=204)
async def end_session(
    session: SessionName, parts: Parts, principal: Annotated[Principal, policy(Action.END_SESSION)]
) -> Response:
    """Sign somebody out: requests at once, open pages and live views within 5 seconds. It is in the audit."""
    ended = await parts.sessions.end_other(session)
    if ended is None:
        raise NotFoundError("There is no such session; it may have ended meanwhile.")
    whose = ended.principal
    await asyncio.to_thread(parts.store.audit, actor_of(principal), "end_session", f"{whose.kind}:{whose.id}", whose.name)
    return Response(status_code=204)


@router.get("/api/v1/audit")
def read_audit(
    parts: Parts,
    principal: Annotated[Principal, policy(Action.READ_AUDIT)],
    actor: Annotated[str, Query(max_length=64, description="part of a name")] = "",
    action: Annotated[str, Query(max_length=64)] = "",
    text: Annotated[str, Query(max_length=100, description="part of what it was done to, or of the detail")] = "",
    begin: Annotated[AwareDatetime | None, Query(alias="from")] = None,
    to: AwareDatetime | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    before: Annotated[int | None, Query(ge=1, le=2**53, description="`next` of the page before")] = None,
) -> AuditList:
    """A page of the audit trail, newest first: the rows that pass all filters."""
    from_s, to_s = (None if at is None else at.timestamp() for at in (begin, to))
    which = AuditFilter(actor.strip(), action, text.strip(), from_s, to_s)
    found = parts.store.audit_rows(limit + 1, before, which)
    items = [AuditOut.of(row) for row in found[:limit]]
    return AuditList(items=items, next=items[-1].number if len(found) > limit else None, actions=parts.store.audit_actions())


@router.get("/api/v1/limits")
def read_limits(parts: Parts, principal: Annotated[Principal, policy(Action.READ_REGISTRY)]) -> LimitsOut:
    """The time limits in force, by severity and step; they are changed in `limits.toml`."""
    return LimitsOut.of(parts.site)


@router.get("/api/v1/networks")
def read_networks(parts: Parts, principal: Annotated[Principal, policy(Action.READ_REGISTRY)]) -> NetworkList:
    """The cards of all networks that this installation knows, and whether the file of each is there."""
    return NetworkList(items=[NetworkOut.of(network) for network in parts.networks.all()])
