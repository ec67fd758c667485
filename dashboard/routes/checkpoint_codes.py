"""The codes on checkpoints: to print, to renew, and who tried what with bad ones."""

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from dashboard.authorize import Action, Principal
from dashboard.checkpoint_sheet import qr_png, qr_svg
from dashboard.policy import Parts, policy
from dashboard.round_schemas import AttemptList, AttemptOut, CodeList, CodeOut, RenewedOut
from dashboard.schemas import ID
from dashboard.sessions import actor_of
from patrol.checkpoint_codes import code_of

router = APIRouter(tags=["checkpoint codes"])


@router.get("/api/v1/checkpoint-codes")
def read_codes(parts: Parts, principal: Annotated[Principal, policy(Action.PRINT_CODES)]) -> CodeList:
    """The text of every checkpoint's code, for NFC tags, and where its QR code is."""
    key = parts.store.rounds.code_key()
    return CodeList(version=key.version, items=[CodeOut.of(each, code_of(each.id, key)) for each in parts.site.checkpoints])


@router.get(
    "/api/v1/checkpoint-codes/{checkpoint}",
    response_class=Response,
    responses={200: {"content": {"image/svg+xml": {}, "image/png": {}}}},
)
def read_code_picture(
    checkpoint: Annotated[str, Path(pattern=ID, examples=["gate-07"])],
    parts: Parts,
    principal: Annotated[Principal, policy(Action.PRINT_CODES)],
    kind: Annotated[Literal["svg", "png"], Query(alias="format", description="svg carries the names, png only the code")] = "svg",
) -> Response:
    """A checkpoint's QR code, to be printed 6 cm wide and put up."""
    found = parts.site.checkpoint_by_id[checkpoint]
    text = code_of(found.id, parts.store.rounds.code_key())
    if kind == "png":
        return Response(qr_png(text), media_type="image/png")
    return Response(qr_svg(found, text), media_type="image/svg+xml")


@router.post("/api/v1/checkpoint-codes/renew")
async def renew_codes(parts: Parts, principal: Annotated[Principal, policy(Action.RENEW_CODES)]) -> RenewedOut:
    """Make a new key, for when codes were copied: every code printed so far is refused from now on."""
    key = await asyncio.to_thread(parts.store.rounds.renew_codes, actor_of(principal))
    return RenewedOut(version=key.version)


@router.get("/api/v1/code-attempts")
def read_attempts(
    parts: Parts,
    principal: Annotated[Principal, policy(Action.READ_CODE_ATTEMPTS)],
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    before: Annotated[int | None, Query(ge=1, le=2**62, description="`next` of the page before")] = None,
) -> AttemptList:
    """Codes that were refused, newest first: who showed what, and why it was no good."""
    found = parts.store.rounds.code_attempts(limit + 1, before, principal.area)
    items = [AttemptOut.of(attempt) for attempt in found[:limit]]
    return AttemptList(items=items, next=items[-1].number if len(found) > limit else None)
