"""The second WebSocket: the overview of all cameras, as encoded pictures."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, WebSocket
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from starlette.websockets import WebSocketDisconnect

from base import Codec
from dashboard.authorize import Action, Principal
from dashboard.failures import TooManyError
from dashboard.overview import Overview, OverviewPage
from dashboard.policy import Parts, policy, signed_in_of
from dashboard.routes.updates import PER_SESSION, POLICY_VIOLATION, SLOW_S, TRY_AGAIN_LATER, close
from dashboard.schemas import ID

router = APIRouter(tags=["overview"])

TILES = 1_000
"""Tiles that a page may show at a time: more than a screen of 4 K has room for."""

PAUSE_S = 0.05
"""Rest after each message of a page: scrolling changes what is visible, but not more often than this."""


class Wish(BaseModel):
    """What a page shows now, and what it can decode."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    visible: Annotated[list[Annotated[str, StringConstraints(pattern=ID)]], Field(max_length=TILES)]
    codecs: frozenset[Codec] = frozenset()


@router.websocket("/api/v1/overview")
async def show(socket: WebSocket, parts: Parts, principal: Annotated[Principal, policy(Action.WATCH_LIVE)]) -> None:
    """Takes what the page shows, sends pictures of it. Closed with 1013 when too slow, 1008 when signed out or not understood.

    Raises TooManyError, before the socket opens, when the session has `PER_SESSION` overviews.
    """
    session = signed_in_of(socket).key
    if parts.overview.pages(session) >= PER_SESSION:
        raise TooManyError(f"You already have {PER_SESSION} overviews open; close one and try again.", 5.0)
    page = parts.overview.join(session, principal.area)  # before anything is awaited, as with the updates
    try:
        await socket.accept()
        await _serve(socket, parts.overview, page)
    finally:
        parts.overview.leave(page)


async def _serve(socket: WebSocket, overview: Overview, page: OverviewPage) -> None:
    """Send until the page leaves, is too slow, says nonsense, or its session ends."""
    sending = asyncio.create_task(_send(socket, page), name="overview-send")
    listening = asyncio.create_task(_listen(socket, overview, page), name="overview-listen")
    ended = asyncio.create_task(page.ended.wait(), name="overview-ended")
    tasks = (sending, listening, ended)
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        sent, heard, _ = await asyncio.gather(*tasks, return_exceptions=True)
    if page.ended.is_set():
        await close(socket, POLICY_VIOLATION, "the session has ended")
    elif isinstance(sent, TimeoutError):
        await close(socket, TRY_AGAIN_LATER, "too slow")
    elif isinstance(heard, str):
        await close(socket, POLICY_VIOLATION, heard)


async def _send(socket: WebSocket, page: OverviewPage) -> None:
    """Send what the overview gives. Ends quietly when the page is gone; raises TimeoutError when it takes nothing."""
    try:
        while True:
            message = await page.messages.get()
            async with asyncio.timeout(SLOW_S):
                await socket.send_bytes(message)
    except WebSocketDisconnect:
        return


async def _listen(socket: WebSocket, overview: Overview, page: OverviewPage) -> str | None:
    """Hear what the page shows, until it leaves (None) or says what cannot be understood (the reason)."""
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return None
        try:
            wish = Wish.model_validate_json(message.get("text") or "")
        except ValidationError:
            return f"expected visible, at most {TILES} cameras, and codecs"
        overview.show(page, wish.visible, wish.codecs)
        await asyncio.sleep(PAUSE_S)
