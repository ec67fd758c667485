"""What machines ask: is it alive, how is it doing, what can be asked."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from base import StorageError
from dashboard.authorize import Action, Principal
from dashboard.metrics import CONTENT_TYPE, render
from dashboard.policy import Parts, policy
from dashboard.schemas import HealthOut

router = APIRouter(tags=["operations"])


@router.get("/healthz")
async def read_health(principal: Annotated[Principal, policy(Action.READ_HEALTH)]) -> HealthOut:
    """Alive: the event loop answers. Says nothing about cameras."""
    return HealthOut()


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def read_metrics(request: Request, parts: Parts, principal: Annotated[Principal, policy(Action.READ_METRICS)]) -> Response:
    """Prometheus text format: workers, cameras, outboxes, updates, live views, answers."""
    try:
        outgoing = await asyncio.to_thread(parts.store.outgoing.counts)
    except StorageError:  # the database is away, and that is when the others are wanted most
        outgoing = []
    return Response(render(parts, request.app.state.answers, outgoing), media_type=CONTENT_TYPE)


@router.get("/api/v1/openapi.json", include_in_schema=False)
async def read_api(request: Request, principal: Annotated[Principal, policy(Action.READ_API)]) -> JSONResponse:
    """The description of this API (OpenAPI 3.1)."""
    return JSONResponse(request.app.openapi())
