"""For administrators: who is signed in, who did what, which limits hold, which networks there are."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from pydantic import AwareDatetime
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from base import ConfigError
from dashboard.admin_schemas import AuditList, AuditOut, LimitsOut, NetworkList, NetworkOut, SessionList, SignedInOut
from dashboard.authorize import Action, Principal
from dashboard.failures import NotFoundError
from dashboard.ledger_export import CSV_MOST, XLSX_MOST, Cell
from dashboard.policy import Dashboard, Parts, policy, signed_in_of
from dashboard.routes.ledger import AS_FILE, PAGE, Form, Language, as_file
from dashboard.schemas import iso
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


def _filter(
    actor: Annotated[str, Query(max_length=64, description="part of a name")] = "",
    action: Annotated[str, Query(max_length=64)] = "",
    text: Annotated[str, Query(max_length=100, description="part of what it was done to, or of the detail")] = "",
    begin: Annotated[AwareDatetime | None, Query(alias="from")] = None,
    to: AwareDatetime | None = None,
) -> AuditFilter:
    from_s, to_s = (None if at is None else at.timestamp() for at in (begin, to))
    return AuditFilter(actor.strip(), action, text.strip(), from_s, to_s)


Which = Annotated[AuditFilter, Depends(_filter)]


@router.get("/api/v1/audit")
def read_audit(
    parts: Parts,
    principal: Annotated[Principal, policy(Action.READ_AUDIT)],
    which: Which,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    before: Annotated[int | None, Query(ge=1, le=2**53, description="`next` of the page before")] = None,
) -> AuditList:
    """A page of the audit trail, newest first: the rows that pass all filters."""
    found = parts.store.audit_rows(limit + 1, before, which)
    items = [AuditOut.of(row) for row in found[:limit]]
    return AuditList(items=items, next=items[-1].number if len(found) > limit else None, actions=parts.store.audit_actions())


@router.get("/api/v1/audit/export", response_class=StreamingResponse, responses=AS_FILE)
def export_audit(
    parts: Parts,
    principal: Annotated[Principal, policy(Action.READ_AUDIT)],
    which: Which,
    form: Form = "csv",
    language: Language = "zh",
) -> StreamingResponse:
    """The rows that pass all filters as a file, newest first: CSV of at most 1,000,000, XLSX of at most 200,000; 422 if there are
    more. It is in the audit, with the filters."""
    newest = parts.store.audit_rows(1)
    before = newest[0].number + 1 if newest else 1
    most = CSV_MOST if form == "csv" else XLSX_MOST
    count = parts.store.audit_count(most, before, which)
    if count > most:
        raise ConfigError(f"from, to: there are more than {most} rows like that, too many for one {form} file; ask for less")
    parts.store.audit(actor_of(principal), "export_audit", "audit", ", ".join([form, f"{count} rows", *_asked(which)]))
    header = (
        ["时间", "操作者", "类别", "操作", "对象", "详情"] if language == "zh" else ["At", "By", "Kind", "Action", "On", "Detail"]
    )
    return as_file(header, _lines(parts, which, before), "audit", form)


def _asked(which: AuditFilter) -> Iterator[str]:
    """The filters that leave something out, in words."""
    yield from (f"{name} {value}" for name in ("actor", "action", "text") if (value := getattr(which, name)))
    yield from (f"{word} {iso(at_s)}" for word, at_s in (("from", which.from_s), ("to", which.to_s)) if at_s is not None)


def _lines(parts: Dashboard, which: AuditFilter, before: int) -> Iterator[list[Cell]]:
    """Every row, read page by page: a slow client holds no connection to the database."""
    zone = parts.site.zone_info
    while found := parts.store.audit_rows(PAGE, before, which):
        for row in found:
            at = datetime.fromtimestamp(row.at_s, UTC).astimezone(zone)
            yield [at, row.actor.name, row.actor.kind.value, row.action, row.resource, row.detail]
        before = found[-1].number


@router.get("/api/v1/limits")
def read_limits(parts: Parts, principal: Annotated[Principal, policy(Action.READ_REGISTRY)]) -> LimitsOut:
    """The time limits in force, by severity and step; they are changed with the settings `limits`."""
    return LimitsOut.of(parts.site)


@router.get("/api/v1/networks")
def read_networks(parts: Parts, principal: Annotated[Principal, policy(Action.READ_REGISTRY)]) -> NetworkList:
    """The cards of all networks that this installation knows, and whether the file of each is there."""
    return NetworkList(items=[NetworkOut.of(network) for network in parts.networks.all()])
