"""Live view: WHEP (RFC 9725) as ordinary players speak it, and packets for a page that decodes by itself."""

import asyncio
import logging
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, WebSocket
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.websockets import WebSocketDisconnect

from base import Codec, ConfigError, StreamName
from dashboard.authorize import Action, Principal
from dashboard.live_relay import Backlog
from dashboard.overview import WHOLE, record
from dashboard.policy import Dashboard, Parts, policy, signed_in_of
from dashboard.routes.cameras import CameraId
from dashboard.routes.updates import POLICY_VIOLATION, SLOW_S, TRY_AGAIN_LATER, close

logger = logging.getLogger(__name__)

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
    decodes: Annotated[frozenset[Codec], Query()] = frozenset(),
) -> Response:
    """Answer an SDP offer with the camera's H.264, passed through, or what it sends made into H.264. `Location` is what to DELETE
    when done. 409 with `packets` where the camera sends what the page `decodes`."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != SDP:
        raise HTTPException(415, f"Send the offer as {SDP}.")
    offer = await request.body()
    if len(offer) > OFFER_BYTES:
        raise ConfigError(f"The offer is larger than {OFFER_BYTES} bytes.")
    view, answer = await parts.live.open(camera, offer.decode(errors="replace"), signed_in_of(request).key, stream, decodes)
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


@router.websocket("/api/v1/cameras/{camera}/packets")
async def follow(
    camera: CameraId,
    socket: WebSocket,
    parts: Parts,
    principal: Annotated[Principal, policy(Action.WATCH_LIVE)],
    stream: StreamName = StreamName.SUB,
) -> None:
    """The camera's packets as it sends them, a record of the overview each. Closed with 1013 when the camera's are gone or the
    page takes nothing, 1008 when it says something."""
    async with parts.live.follow(camera, signed_in_of(socket).key, stream) as backlog:
        await socket.accept()
        sending = asyncio.create_task(_send(socket, parts, camera, backlog), name=f"packets-send-{camera}")
        listening = asyncio.create_task(socket.receive(), name=f"packets-listen-{camera}")
        try:
            await asyncio.wait((sending, listening), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sending.cancel()
            listening.cancel()
            sent, heard = await asyncio.gather(sending, listening, return_exceptions=True)
        if isinstance(heard, dict) and heard["type"] != "websocket.disconnect":
            await close(socket, POLICY_VIOLATION, "nothing is expected here")
        elif isinstance(sent, Exception) and not isinstance(sent, TimeoutError):
            logger.error("%s: sending its packets", camera, exc_info=sent)
        elif sent is None or isinstance(sent, TimeoutError):
            await close(socket, TRY_AGAIN_LATER, "too slow" if sent else "the camera's packets are gone")


async def _send(socket: WebSocket, parts: Dashboard, camera: str, backlog: Backlog) -> None:
    """Send until there is no more, or the page is gone; raises TimeoutError when it takes nothing."""
    while (packet := await backlog.take()) is not None:
        status, now_s = parts.fleet.statuses().get(camera), parts.clock.now_s()
        named = packet._replace(camera=camera)  # those of the main stream carry another name
        try:
            async with asyncio.timeout(SLOW_S):
                await socket.send_bytes(record(named, packet.data, status, now_s, WHOLE))
        except WebSocketDisconnect:
            return
