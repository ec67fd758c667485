"""Messages to people elsewhere: who gets them, what waits, what is dead, try again, test."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from dashboard.authorize import Action, Principal
from dashboard.failures import NotFoundError
from dashboard.notice_schemas import MessageList, MessageOut, NoticeTargetList, NoticeTargetOut, RetriedOut
from dashboard.policy import Parts, policy
from dashboard.schemas import ID, UUID
from dashboard.sessions import actor_of
from storage import MessageState

router = APIRouter(tags=["notices"])

TargetId = Annotated[str, Path(pattern=ID, examples=["duty-group"])]
MessageId = Annotated[str, Path(pattern=UUID)]


@router.get("/api/v1/notice-targets")
def read_targets(parts: Parts, principal: Annotated[Principal, policy(Action.READ_NOTICES)]) -> NoticeTargetList:
    """Every receiver with what waits for it and what is dead; those no longer configured too, while they have any."""
    counts = {count.target: count for count in parts.store.outgoing.counts()}
    known = {target.id: target for target in parts.site.notifications.targets}
    names = [*known, *(name for name in counts if name not in known)]
    return NoticeTargetList(items=[NoticeTargetOut.of(name, known.get(name), counts.get(name)) for name in names])


@router.post("/api/v1/notice-targets/{target}/test", status_code=202)
async def send_test(target: TargetId, parts: Parts, principal: Annotated[Principal, policy(Action.SEND_NOTICES)]) -> Response:
    """Queue a test message for one receiver; it goes the way of all others and shows in the list."""
    if target not in {each.id for each in parts.site.notifications.targets}:
        raise NotFoundError("There is no such receiver.")
    await asyncio.to_thread(parts.store.outgoing.test, target, actor_of(principal))
    return Response(status_code=202)


@router.post("/api/v1/notice-targets/{target}/retry")
async def retry_target(
    target: TargetId, parts: Parts, principal: Annotated[Principal, policy(Action.SEND_NOTICES)]
) -> RetriedOut:
    """Have all dead messages of a receiver sent again."""
    count = await asyncio.to_thread(parts.store.outgoing.try_again, target, actor_of(principal))
    return RetriedOut(count=count)


@router.get("/api/v1/messages")
def read_messages(
    parts: Parts,
    principal: Annotated[Principal, policy(Action.READ_NOTICES)],
    state: MessageState | None = None,
    target: Annotated[str, Query(pattern=ID, examples=["duty-group"])] | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    before: Annotated[str | None, Query(pattern=UUID)] = None,
) -> MessageList:
    """A page of messages, newest first. `state=dead` are the dead letters."""
    found = parts.store.outgoing.messages(state, target or "", limit + 1, before)
    items = [MessageOut.of(stored) for stored in found[:limit]]
    return MessageList(items=items, next=items[-1].id if len(found) > limit else None)


@router.post("/api/v1/messages/{message}/retry")
async def retry_message(
    message: MessageId, parts: Parts, principal: Annotated[Principal, policy(Action.SEND_NOTICES)]
) -> MessageOut:
    """Have one dead message sent again; one that is not dead stays as it is."""
    stored = await asyncio.to_thread(parts.store.outgoing.message, message)
    assert stored is not None  # the guard looked
    await asyncio.to_thread(parts.store.outgoing.try_again, stored.message.target, actor_of(principal), message)
    after = await asyncio.to_thread(parts.store.outgoing.message, message)
    assert after is not None
    return MessageOut.of(after)
