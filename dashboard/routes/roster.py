"""Shifts as they are worked: patterns with holidays, swaps, leave and extra shifts; and where they leave a cell short."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime

from base import ConfigError
from camera_config.schedule import DAY_MIN
from dashboard.announce import announce_team
from dashboard.authorize import Action, Principal
from dashboard.failures import NotFoundError
from dashboard.policy import Dashboard, Parts, policy
from dashboard.roster_schemas import (
    DutyList,
    DutyOut,
    OwnShiftOut,
    RosterChangeIn,
    RosterChangeList,
    RosterChangeOut,
    StaffingGapList,
    StaffingGapOut,
    minutes_of,
)
from dashboard.schemas import ID, UUID
from dashboard.scope import expect_own_team, expect_team
from dashboard.sessions import actor_of
from patrol import ChangeKind, Roster, RosterChange, rest_of, staffing_gaps

router = APIRouter(tags=["roster"])

AHEAD = timedelta(days=7)
LONGEST = timedelta(days=62)
"""At most so much at a time: two months, the longest that a printed roster covers."""

From = Annotated[AwareDatetime | None, Query(alias="from", description="default: now", examples=["2026-03-02T00:00:00Z"])]
To = Annotated[
    AwareDatetime | None, Query(alias="to", description="default: a week after `from`", examples=["2026-03-09T00:00:00Z"])
]


@router.get("/api/v1/shifts")
def read_shifts(
    parts: Parts,
    principal: Annotated[Principal, policy(Action.READ_ROSTER)],
    from_at: From = None,
    to_at: To = None,
    team: Annotated[str | None, Query(pattern=ID, examples=["guards-3-day"])] = None,
) -> DutyList:
    """Every shift that overlaps the time asked for, by team, then by time; changes of the roster are counted in."""
    from_s, to_s = _time(parts, from_at, to_at)
    changes = _changes(parts, from_s, to_s)
    duties, area = Roster(parts.site).duties(changes, from_s, to_s), principal.area
    mine = (duty for duty in duties if area is None or duty.team in area.teams)
    return DutyList(items=[DutyOut.of(duty) for duty in mine if team in (None, duty.team)])


@router.get("/api/v1/me/shift")
def read_my_shift(parts: Parts, principal: Annotated[Principal, policy(Action.READ_MY_SHIFT)]) -> OwnShiftOut:
    """This team's shift now and the one after it, and whether it should rest."""
    team = parts.site.team_by_id[principal.team or ""]
    now_s = parts.clock.now_s()
    ahead_s = now_s + AHEAD.total_seconds()
    roster, changes = Roster(parts.site), _changes(parts, now_s, ahead_s)
    now = roster.on_shift(changes, now_s).get(team.id)
    over_s = now_s if now is None else now.until_s
    later = () if over_s is None else roster.duties(changes, over_s, ahead_s)
    then = next((duty for duty in later if duty.team == team.id and duty.begin_s >= (over_s or 0.0)), None)
    state = parts.store.team_states()[team.id]
    return OwnShiftOut.of(team, state, now, then, rest_of(state, parts.site.dispatch.rest, now_s))


@router.get("/api/v1/staffing-gaps")
def read_staffing_gaps(
    parts: Parts, principal: Annotated[Principal, policy(Action.READ_ROSTER)], from_at: From = None, to_at: To = None
) -> StaffingGapList:
    """Where and when fewer teams serve a grid cell than the site asks for, by cell, then by time."""
    from_s, to_s = _time(parts, from_at, to_at)
    gaps, area = staffing_gaps(parts.site, _changes(parts, from_s, to_s), from_s, to_s), principal.area
    return StaffingGapList(items=[StaffingGapOut.of(gap) for gap in gaps if area is None or gap.grid_cell in area.grid_cells])


@router.get("/api/v1/roster-changes")
def read_roster_changes(
    parts: Parts, principal: Annotated[Principal, policy(Action.READ_ROSTER)], from_at: From = None, to_at: To = None
) -> RosterChangeList:
    """Swaps, leave and extra shifts on the days asked for, undone ones too, in the order in which they were made."""
    found, area = _changes(parts, *_time(parts, from_at, to_at)), principal.area
    mine = (each for each in found if area is None or not area.teams.isdisjoint((each.team, each.other)))
    return RosterChangeList(items=[RosterChangeOut.of(each) for each in mine])


@router.post("/api/v1/roster-changes", status_code=201)
async def change_roster(
    body: RosterChangeIn, parts: Parts, principal: Annotated[Principal, policy(Action.CHANGE_ROSTER)]
) -> RosterChangeOut:
    """Swap two shifts, give leave, or add a shift. 409 if the shift is changed already or there is none to swap."""
    change = _change(parts, principal, body)
    made = await asyncio.to_thread(parts.store.add_roster_change, change, actor_of(principal))
    await _announce(parts, made)
    return RosterChangeOut.of(made)


@router.delete("/api/v1/roster-changes/{change}")
async def undo_roster_change(
    change: Annotated[str, Path(pattern=UUID)], parts: Parts, principal: Annotated[Principal, policy(Action.CHANGE_ROSTER)]
) -> RosterChangeOut:
    """Undo a change; it stays in the list, with who undid it. Undoing it again changes nothing."""
    undone = await asyncio.to_thread(parts.store.undo_roster_change, change, actor_of(principal))
    if undone is None:
        raise NotFoundError("There is no such change of the roster.")
    await _announce(parts, undone)
    return RosterChangeOut.of(undone)


def _time(parts: Dashboard, from_at: datetime | None, to_at: datetime | None) -> tuple[float, float]:
    """What is asked for, UTC seconds."""
    begin = from_at or datetime.fromtimestamp(parts.clock.now_s(), UTC)
    end = to_at or begin + AHEAD
    if not timedelta(0) < end - begin <= LONGEST:
        raise ConfigError(f"to: expected a time after `from` and at most {LONGEST.days} days later")
    return begin.timestamp(), end.timestamp()


def _changes(parts: Dashboard, from_s: float, to_s: float) -> list[RosterChange]:
    """A shift may begin the day before."""
    first, last = (datetime.fromtimestamp(at_s, parts.site.zone_info).date() for at_s in (from_s, to_s))
    return parts.store.roster_changes(first - timedelta(days=1), last)


def _change(parts: Dashboard, principal: Principal, body: RosterChangeIn) -> RosterChange:
    """What was asked for; raises ConfigError if it does not fit its kind."""
    kind = ChangeKind(body.kind)
    given = {name for name in ("last_day", "other", "other_day", "begin", "end") if getattr(body, name) is not None}
    needed = {ChangeKind.SWAP: {"other", "other_day"}, ChangeKind.LEAVE: set[str](), ChangeKind.EXTRA: {"begin", "end"}}[kind]
    allowed = needed | ({"last_day", "other"} if kind is ChangeKind.LEAVE else set())
    if not needed <= given <= allowed:
        raise ConfigError(f"{kind} takes {', '.join(sorted(allowed))}; needed: {', '.join(sorted(needed)) or 'none of them'}")
    for name in filter(None, (body.team, body.other)):
        expect_team(parts.site, principal, name)
        expect_own_team(principal, name)
    span = None
    if body.begin is not None and body.end is not None:
        begin, end = minutes_of(body.begin), minutes_of(body.end)
        if begin >= DAY_MIN:
            raise ConfigError("begin: expected a time before 24:00")
        span = (begin, end if end > begin else end + DAY_MIN)
    return RosterChange(
        id=body.id,
        kind=kind,
        team=body.team,
        day=body.day,
        last_day=body.last_day or body.day,
        other=body.other or "",
        other_day=body.other_day,
        span=span,
        reason=body.reason,
        by=principal.name,
        made_s=parts.clock.now_s(),
    )


async def _announce(parts: Dashboard, change: RosterChange) -> None:
    """Tell all pages what the teams concerned do now; most changes are about another day and change nothing yet."""
    states = await asyncio.to_thread(parts.store.team_states)
    for team in (change.team, change.other):
        if team in states:
            announce_team(parts.updates, parts.site, states[team])
