"""Live view: WHEP (RFC 9725) as ordinary players speak it."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from base import ConfigError, StreamName
from dashboard.authorize import Action, Principal
from dashboard.policy import Parts, policy, signed_in_of
from dashboard.routes.cameras import CameraId

router = APIRouter(tags=["live"])

SDP = "application/sdp"
OFFER_BYTES = 100_000
"""Browsers offer 5–10 kB."""


@router.post(
    "/api/v1/cameras/{camera}/whep",
    status_code=201,
    response_class=Response,
    responses={201: {"content": {SDP: {}}, "headers": {"Location": {"schema": {"type": "string"}}}}},
    openapi_extra={"requestBody": {"required": True, "content": {SDP: {"schema": {"type": "string"}}}}},
)
async def watch(
    camera: CameraId,
    request: Request,
    parts: Parts,
    principal: Annotated[Principal, policy(Action.WATCH_LIVE)],
    stream: StreamName = StreamName.SUB,
) -> Response:
    """Answer an SDP offer with the camera's H.264, passed through. `Location` is what to DELETE when done."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != SDP:
        raise HTTPException(415, f"Send the offer as {SDP}.")
    offer = await request.body()
    if len(offer) > OFFER_BYTES:
        raise ConfigError(f"The offer is larger than {OFFER_BYTES} bytes.")
    view, answer = await parts.live.open(camera, offer.decode(errors="replace"), signed_in_of(request).key, stream)
    return Response(answer, 201, {"Location": f"/api/v1/live/{view}"}, media_type=SDP)


@router.delete("/api/v1/live/{view}", status_code=204)
async def stop_watching(
    view: Annotated[str, Path(pattern=r"^[A-Za-z0-9_\-]{1,64}$")],
    request: Request,
    parts: Parts,
    principal: Annotated[Principal, policy(Action.WATCH_LIVE)],
) -> None:
    """End one of this session's live views."""
    await parts.live.close(view, signed_in_of(request).key)
