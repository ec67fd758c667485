"""The WebSocket: everything that changes, in order, resumable."""

import asyncio
import json
from typing import Annotated

from fastapi import APIRouter, Query, WebSocket
from starlette.websockets import WebSocketDisconnect

from dashboard.authorize import Action, Principal
from dashboard.failures import TooManyError
from dashboard.policy import Dashboard, Parts, policy, signed_in_of
from dashboard.schemas import iso
from dashboard.updates import Audience, Subscriber

router = APIRouter(tags=["updates"])

PING_S = 10.0
SLOW_S = 5.0
"""How long a page that is being sent away may take to receive the reason."""

CHATTER = 100
"""Messages a page may send; it has nothing to say here, so more is an attack."""

PER_SESSION = 8
"""Pages of one session at a time: windows on a wall of screens, with some to spare. Each may hold `queue` updates."""

TRY_AGAIN_LATER, POLICY_VIOLATION = 1013, 1008


@router.websocket("/api/v1/updates")
async def follow(
    socket: WebSocket,
    parts: Parts,
    principal: Annotated[Principal, policy(Action.FOLLOW_UPDATES)],
    epoch: Annotated[str | None, Query(max_length=64)] = None,
    since: Annotated[int | None, Query(ge=0)] = None,
) -> None:
    """Hello, then what was missed since `since`, then what happens. Closed with 1013 when too slow, 1008 when signed out.

    Raises TooManyError, before the socket opens, when the session has `PER_SESSION` pages.
    """
    session = signed_in_of(socket).key
    if parts.updates.pages(session) >= PER_SESSION:
        raise TooManyError(f"You already have {PER_SESSION} pages open; close one and try again.", 5.0)
    # Subscribed before anything is awaited, so that many at a time find no more room than one by one.
    subscriber, hello = parts.updates.subscribe(Audience(principal.team, principal.area), session, epoch, since)
    first = [json.dumps({"type": "hello", "epoch": hello.epoch, "seq": hello.seq, "now": iso(parts.clock.now_s())})]
    if hello.reset:
        first.append(json.dumps({"type": "reset", "seq": hello.seq}))
    try:
        await socket.accept()
        await _serve(socket, parts, subscriber, first)
    finally:
        parts.updates.unsubscribe(subscriber)


async def _serve(socket: WebSocket, parts: Dashboard, subscriber: Subscriber, first: list[str]) -> None:
    """Send until the page leaves, is too slow, or its session ends."""
    sending = asyncio.create_task(_send(socket, parts, subscriber, first), name="updates-send")
    listening = asyncio.create_task(_listen(socket), name="updates-listen")
    lost = asyncio.create_task(subscriber.lost.wait(), name="updates-lost")
    revoked = asyncio.create_task(subscriber.revoked.wait(), name="updates-revoked")
    tasks = (sending, listening, lost, revoked)
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    if subscriber.lost.is_set():
        await close(socket, TRY_AGAIN_LATER, "too slow")
    elif subscriber.revoked.is_set():
        await close(socket, POLICY_VIOLATION, "the session has ended")
    elif results[1] is True:
        await close(socket, POLICY_VIOLATION, "nothing is expected here")


async def _send(socket: WebSocket, parts: Dashboard, subscriber: Subscriber, first: list[str]) -> None:
    """Send what is queued, and a ping every `PING_S`. Ends quietly when the page is gone."""
    loop = asyncio.get_running_loop()
    try:
        for text in first:
            await socket.send_text(text)
        next_ping_s = loop.time() + PING_S
        while True:
            try:
                if subscriber.queue.empty():
                    async with asyncio.timeout_at(next_ping_s):
                        text = await subscriber.queue.get()
                else:  # a timer for each message would take as long as sending it
                    text = subscriber.queue.get_nowait()
            except TimeoutError:
                text = json.dumps({"type": "ping", "now": iso(parts.clock.now_s())})
                next_ping_s = loop.time() + PING_S
            await socket.send_text(text)
    except WebSocketDisconnect:
        return


async def _listen(socket: WebSocket) -> bool:
    """Wait for the page to leave (False) or to talk too much (True)."""
    for _ in range(CHATTER):
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return False
    return True


async def close(socket: WebSocket, code: int, reason: str) -> None:
    """Send a page away, and wait no longer than `SLOW_S` for it to hear why."""
    try:
        async with asyncio.timeout(SLOW_S):
            await socket.close(code, reason)
    except (TimeoutError, WebSocketDisconnect, RuntimeError):  # RuntimeError: the page closed at the same moment
        return
