"""Patrol rounds: what is to be walked, what was, check-ins on the way; temporary stops and unannounced inspections."""

import asyncio
import secrets
from collections.abc import Callable
from typing import Annotated, TypeVar

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime

from base import ConfigError
from dashboard.announce import announce_round
from dashboard.authorize import Action, Principal
from dashboard.failures import NotFoundError
from dashboard.policy import Dashboard, Parts, policy
from dashboard.round_schemas import (
    CheckInIn,
    DrawIn,
    DrawList,
    DrawOut,
    RoundDetail,
    RoundFiguresList,
    RoundFiguresOut,
    RoundList,
    RoundOut,
    RoundStepIn,
    TemporaryStopIn,
    TemporaryStopList,
    TemporaryStopOut,
)
from dashboard.schemas import ID, UUID
from dashboard.scope import expect_team
from dashboard.sessions import actor_of
from patrol import CommandError
from patrol.check_in import AFTER_S
from patrol.rounds import Act, CheckIn, RoundCommand, RoundKind, RoundState, TemporaryStop
from patrol.visits import RoundNow
from storage import RoundFilter, WantedDraw

T = TypeVar("T")

router = APIRouter(tags=["rounds"])

RoundId = Annotated[str, Path(pattern=UUID)]
Limit = Annotated[int, Query(ge=1, le=200)]
Before = Annotated[str | None, Query(pattern=UUID, description="`next` of the page before")]
SiteId = Annotated[str | None, Query(pattern=ID)]

SEED_BYTES = 32  # as long as the digest of the draw's HMAC


@router.get("/api/v1/rounds")
def read_rounds(
    parts: Parts,
    principal: Annotated[Principal, policy(Action.READ_ROUNDS)],
    due_from: Annotated[AwareDatetime | None, Query(alias="from", description="due then or later")] = None,
    due_before: Annotated[AwareDatetime | None, Query(alias="to", description="due before")] = None,
    state: RoundState | None = None,
    kind: RoundKind | None = None,
    team: SiteId = None,
    source: SiteId = None,
    limit: Limit = 100,
    before: Before = None,
) -> RoundList:
    """A page of rounds, latest due first. Random ones are not shown, to anybody, before they begin."""
    which = RoundFilter(
        state=state,
        kind=kind,
        team=team or "",
        source=source or "",
        from_s=None if due_from is None else due_from.timestamp(),
        to_s=None if due_before is None else due_before.timestamp(),
        announced_s=parts.clock.now_s(),
        area=principal.area,
    )
    return _page(parts, which, limit, before)


@router.get("/api/v1/me/rounds")
def read_my_rounds(
    parts: Parts, principal: Annotated[Principal, policy(Action.READ_MY_ROUNDS)], limit: Limit = 100, before: Before = None
) -> RoundList:
    """This team's rounds that are due or under way, or with stops missed that can be made up; the latest first.

    Ask again every half minute, for unannounced ones.
    """
    now_s = parts.clock.now_s()
    which = RoundFilter(team=principal.team or "", open_only=True, missed_s=now_s - AFTER_S, announced_s=now_s)
    return _page(parts, which, limit, before)


@router.get("/api/v1/round-figures")
def read_round_figures(
    parts: Parts,
    principal: Annotated[Principal, policy(Action.READ_ROUNDS)],
    due_from: Annotated[AwareDatetime, Query(alias="from")],
    due_before: Annotated[AwareDatetime, Query(alias="to")],
) -> RoundFiguresList:
    """How complete the rounds were that are over, by team and route."""
    found = parts.store.rounds.figures(due_from.timestamp(), due_before.timestamp(), principal.area)
    return RoundFiguresList(items=[RoundFiguresOut.of(each) for each in found])


@router.get("/api/v1/rounds/{round_id}")
def read_round(round_id: RoundId, parts: Parts, principal: Annotated[Principal, policy(Action.READ_ROUNDS)]) -> RoundDetail:
    """One round with its history."""
    return RoundDetail.with_past(_round(parts, round_id))


@router.post("/api/v1/rounds/{round_id}/steps")
async def take_round_step(
    round_id: RoundId, body: RoundStepIn, parts: Parts, principal: Annotated[Principal, policy(Action.WALK_ROUND)]
) -> RoundOut:
    """Start or finish a round, or skip a checkpoint. A team's own rounds only; an operator does it for a team, by radio."""
    by, at_s = actor_of(principal), parts.done_s(body.at)
    command = RoundCommand(body.command_id, round_id, Act(body.step), by, at_s, body.checkpoint or "", body.reason)
    return await _carry_out(parts, lambda: parts.store.rounds.take(command))


@router.post("/api/v1/rounds/{round_id}/check-ins")
async def check_in(
    round_id: RoundId, body: CheckInIn, parts: Parts, principal: Annotated[Principal, policy(Action.WALK_ROUND)]
) -> RoundOut:
    """Say to be at a checkpoint. A bad code is refused with 409, and recorded; one too far away is noted, and proves nothing."""
    asked = CheckIn(
        id=body.command_id,
        round=round_id,
        by=actor_of(principal),
        at_s=parts.done_s(body.at),
        checkpoint=body.checkpoint or "",
        code=body.code,
        place=None if body.place is None else (body.place.lon, body.place.lat),
        accuracy_m=0.0 if body.place is None else body.place.accuracy_m,
    )
    return await _carry_out(parts, lambda: parts.store.rounds.check_in(asked))


@router.get("/api/v1/temporary-stops")
def read_temporary_stops(
    parts: Parts,
    principal: Annotated[Principal, policy(Action.READ_ROUNDS)],
    over: Annotated[bool, Query(description="also those that are over")] = False,
) -> TemporaryStopList:
    """The places that teams are asked to pass, oldest first."""
    return TemporaryStopList(
        items=[TemporaryStopOut.of(stop) for stop in parts.store.rounds.temporary_stops(over, principal.area)]
    )


@router.post("/api/v1/temporary-stops", status_code=201)
async def add_temporary_stop(
    body: TemporaryStopIn, parts: Parts, principal: Annotated[Principal, policy(Action.MANAGE_TEMPORARY_STOPS)]
) -> TemporaryStopOut:
    """Ask a team to pass a place. The same `command_id` again is answered as the first time."""
    if body.team is not None:
        expect_team(parts.site, principal, body.team)
    stop = TemporaryStop(
        id=body.command_id,
        place=(body.lon, body.lat),
        why=body.why,
        until_s=body.until.timestamp(),
        team=body.team or "",
        repeat_min=body.repeat_min,
    )
    by = actor_of(principal)
    return TemporaryStopOut.of(await _ask(lambda: parts.store.rounds.add_temporary_stop(stop, by, principal.area)))


@router.delete("/api/v1/temporary-stops/{stop}")
async def withdraw_temporary_stop(
    stop: RoundId, parts: Parts, principal: Annotated[Principal, policy(Action.MANAGE_TEMPORARY_STOPS)]
) -> TemporaryStopOut:
    """Call a stop off, with the round that waits for it."""
    withdrawn = await asyncio.to_thread(parts.store.rounds.withdraw_temporary_stop, stop, actor_of(principal))
    if withdrawn is None:
        raise NotFoundError("There is no such stop.")
    return TemporaryStopOut.of(withdrawn)


@router.get("/api/v1/inspection-draws")
def read_draws(
    parts: Parts, principal: Annotated[Principal, policy(Action.READ_ROUNDS)], limit: Limit = 100, before: Before = None
) -> DrawList:
    """The announced draws with the seeds that decided them, newest first."""
    found = parts.store.rounds.draws(limit + 1, before, principal.area)
    items = [DrawOut.of(draw) for draw in found[:limit]]
    return DrawList(items=items, next=items[-1].id if len(found) > limit else None)


@router.post("/api/v1/inspection-draws", status_code=201)
async def draw_inspection(body: DrawIn, parts: Parts, principal: Annotated[Principal, policy(Action.DRAW_INSPECTION)]) -> DrawOut:
    """Draw checkpoints at random; whoever serves them is asked at once. Nobody chooses the seed."""
    wanted = WantedDraw(
        id=body.command_id,
        seed=secrets.token_hex(SEED_BYTES),
        count=body.count,
        pool=_pool(parts, principal, body),
        teams=tuple(dict.fromkeys(body.teams)),
        within_min=body.within_min,
    )
    draw, planned = await _ask(lambda: parts.store.rounds.draw(wanted, actor_of(principal)))
    for each in planned:
        announce_round(parts.updates, await asyncio.to_thread(_round, parts, each.id))
    return DrawOut.of(draw)


async def _carry_out(parts: Dashboard, do: Callable[[], RoundNow]) -> RoundOut:
    """What `do` makes of a round, told to every page."""
    after = await _ask(do)
    announce_round(parts.updates, after)
    return RoundOut.of(after)


async def _ask(do: Callable[[], T]) -> T:
    try:
        return await asyncio.to_thread(do)
    except CommandError as error:
        raise ConfigError(str(error)) from error


def _pool(parts: Dashboard, principal: Principal, body: DrawIn) -> tuple[str, ...]:
    """What to draw from; of a limited account nothing outside of its area. Raises ConfigError."""
    asked, area = tuple(dict.fromkeys(body.checkpoints)), principal.area
    if area is None:
        return asked  # the store knows what is on the site
    for team in body.teams:
        expect_team(parts.site, principal, team)
    if unknown := [point for point in asked if point not in area.checkpoints]:
        raise ConfigError(f"there is no checkpoint or team {unknown[0]} on this site")
    pool = asked or tuple(each.id for each in parts.site.checkpoints if each.key_node and each.id in area.checkpoints)
    if not pool:
        raise ConfigError("checkpoints: your area has no key node to draw from; name the checkpoints")
    return pool


def _page(parts: Dashboard, which: RoundFilter, limit: int, before: str | None) -> RoundList:
    found = parts.store.rounds.rounds(which, limit + 1, before)
    items = [RoundOut.of(now) for now in found[:limit]]
    return RoundList(items=items, next=items[-1].id if len(found) > limit else None)


def _round(parts: Dashboard, round_id: str) -> RoundNow:
    found = parts.store.rounds.round(round_id)
    if found is None:  # the plan was changed since it was let through
        raise NotFoundError("There is no such round.")
    return found
