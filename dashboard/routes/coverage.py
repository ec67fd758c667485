"""Coverage: what is seen now and what is not, why, what it was like, and where a team or another camera would help."""

import asyncio
import threading
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime
from starlette.responses import Response

from base import ConfigError
from camera_config.coverage_rules import Band, Layer, Light, Stream
from camera_config.planner import propose_cameras, spots_along_buildings, spots_on_poles
from camera_config.site import Name, PlaceKind
from dashboard.authorize import Action, Principal
from dashboard.coverage_board import CoverageNow
from dashboard.coverage_history import CoverageHistoryOut
from dashboard.coverage_schemas import (
    CoverageOut,
    CoverageReportOut,
    PatrolProposalOut,
    PlanIn,
    PlanOut,
    ViewsOut,
    shown_places,
    tops_of,
)
from dashboard.failures import NotFoundError, TooManyError
from dashboard.ledger_export import Cell, Wording
from dashboard.policy import Dashboard, Parts, policy
from dashboard.routes.ledger import AS_FILE, Language, as_file
from dashboard.schemas import ID, UUID
from dashboard.scope import expect_whole
from dashboard.sessions import actor_of
from patrol.coverage_history import lost_at

router = APIRouter(tags=["coverage"])

DAY_S = 86_400.0
LONGEST_S = 31 * DAY_S
POINTS = 97
"""Moments of a history at most: quarters of an hour of a day."""

_HEADER = (
    Name("级别", "Level"),
    Name("编号", "Id"),
    Name("名称", "Name"),
    Name("类型", "Kind"),
    Name("在用摄像机", "Cameras at work"),
    Name("场地面积 m²", "Ground, m²"),
    Name("覆盖面积 m²", "Covered, m²"),
    Name("覆盖率", "Covered share"),
    Name("重要区域 m²", "Important, m²"),
    Name("重要区域覆盖 m²", "Important covered, m²"),
    Name("数值", "Value"),
)
_STATISTICS = {
    "cameras": Name("摄像机总数", "Cameras"),
    "working": Name("在用摄像机", "Cameras at work"),
    "institutions_rate": Name("单位覆盖率", "Enterprises, commerce and institutions covered"),
    "compounds_some": Name("有覆盖的小区", "Compounds with some coverage"),
    "compounds_rate": Name("其覆盖率", "Their rate"),
    "compounds_full": Name("全覆盖小区", "Compounds covered completely"),
}

_INSTANT_S = 0.001

_planning = threading.Lock()
"""A plan takes a core for seconds; one at a time, for all who ask."""

SiteId = Annotated[str | None, Query(pattern=ID)]
Moment = Annotated[AwareDatetime | None, Query(description="a moment of the last 31 days; default: now")]


@router.get("/api/v1/coverage")
def read_coverage(parts: Parts, principal: Annotated[Principal, policy(Action.READ_CAMERAS)], at: Moment = None) -> CoverageOut:
    """What is covered now: figures, blind spots, why cameras cover nothing, patrol stops that are proposed for it.

    Of a moment that is past: neither the incidents of switches nor proposals.
    """
    now, area, ledger = _state(parts, at), principal.area, parts.store.coverage
    if at is not None:
        return CoverageOut.of(parts.site, now, (), (), area)
    return CoverageOut.of(parts.site, now, ledger.outages(), ledger.proposals(area), area)


@router.get("/api/v1/coverage/history")
def read_coverage_history(
    parts: Parts,
    principal: Annotated[Principal, policy(Action.READ_CAMERAS)],
    begin: Annotated[AwareDatetime | None, Query(alias="from", description="default: a day before `to`")] = None,
    before: Annotated[AwareDatetime | None, Query(alias="to", description="default: now")] = None,
    place: SiteId = None,
    points: Annotated[int, Query(ge=2, le=POINTS)] = 25,
) -> CoverageHistoryOut:
    """Minutes lost by grid cell and cause, and how much of a place (default: of everything) was covered at `points` moments."""
    now_s = parts.clock.now_s()
    to_s = now_s if before is None else min(before.timestamp(), now_s)
    from_s = to_s - DAY_S if begin is None else begin.timestamp()
    if not 0 < to_s - from_s <= LONGEST_S:
        raise ConfigError(f"from: expected a time before `to` and at most {LONGEST_S / DAY_S:.0f} days earlier")
    shown = shown_places(parts.site, principal.area)
    if place is not None and place not in shown:
        raise ConfigError(f"place: there is no place {place} on this site")
    losses = parts.store.coverage.losses(from_s, to_s)
    places = [place] if place else tops_of(parts.site, shown)
    coverage, known_s = parts.coverage.now().coverage, parts.store.coverage.known_since_s()
    return CoverageHistoryOut.of(parts.site, coverage, losses, (from_s, to_s), (places, points), known_s, principal.area)


@router.get("/api/v1/coverage/report", response_model=CoverageReportOut, responses=AS_FILE)
def read_coverage_report(
    parts: Parts,
    principal: Annotated[Principal, policy(Action.READ_CAMERAS)],
    form: Annotated[Literal["json", "csv", "xlsx"], Query(alias="format")] = "json",
    language: Language = "zh",
) -> CoverageReportOut | Response:
    """The sub-district's statistics, by community, compound and grid cell; as JSON or as a file."""
    report = CoverageReportOut.of(parts.site, parts.coverage.now(), principal.area)
    if form == "json":
        return report
    wording = Wording(parts.site, language == "zh")
    header = [wording.text(name) for name in _HEADER]
    return as_file(header, _lines(report, wording, language == "zh"), "coverage", form)


@router.get("/api/v1/coverage/views")
def read_coverage_views(
    parts: Parts,
    principal: Annotated[Principal, policy(Action.READ_CAMERAS)],
    stream: Stream | None = None,
    band: Band | None = None,
    light: Light = Light.DAY,
    at: Moment = None,
) -> ViewsOut:
    """What each camera sees of the ground, with its state, as GeoJSON; without `stream` and `band`, as the site's definition."""
    now = _state(parts, at)
    rules = now.coverage.rules
    return ViewsOut.of(now, Layer(stream or rules.stream, band or rules.band, light), principal.area)


@router.post("/api/v1/coverage/plan")
def plan_cameras(body: PlanIn, parts: Parts, principal: Annotated[Principal, policy(Action.READ_CAMERAS)]) -> PlanOut:
    """Where more cameras would cover most, one after the other: on the site's poles, else along its buildings. Takes seconds."""
    if body.place is None:
        expect_whole(principal, "A plan for all of it")
    elif body.place not in shown_places(parts.site, principal.area):
        raise ConfigError(f"place: there is no place {body.place} on this site")
    now = parts.coverage.now()
    if not _planning.acquire(blocking=False):
        raise TooManyError("Another plan is being made; ask again in a few seconds.", 5.0)
    try:
        terrain = now.coverage.terrain
        spots = spots_on_poles(terrain, parts.site.poles) or spots_along_buildings(terrain)
        # Around the cameras as they were put up: what fails today is repaired, not planned around.
        whole = now.coverage.with_states({})
        return PlanOut.of(now.coverage, propose_cameras(now.coverage, whole, spots, body.count, place=body.place or ""))
    finally:
        _planning.release()


@router.post("/api/v1/coverage/proposals/{proposal}/accept")
async def accept_patrol_proposal(
    proposal: Annotated[str, Path(pattern=UUID)],
    parts: Parts,
    principal: Annotated[Principal, policy(Action.MANAGE_TEMPORARY_STOPS)],
) -> PatrolProposalOut:
    """Make the patrol stop that is proposed. Once: the same again is answered as the first time. 409 if it was withdrawn."""
    found = await asyncio.to_thread(parts.store.coverage.accept, proposal, actor_of(principal))
    if found is None:
        raise NotFoundError("There is no such proposal.")
    return PatrolProposalOut.of(found)


def _state(parts: Dashboard, at: datetime | None) -> CoverageNow:
    """The coverage now, or as it was at a moment, of the cameras as they hang today; raises ConfigError."""
    now = parts.coverage.now()
    if at is None:
        return now
    at_s, now_s = at.timestamp(), parts.clock.now_s()
    if not now_s - LONGEST_S <= at_s <= now_s:
        raise ConfigError(f"at: expected a moment of the last {LONGEST_S / DAY_S:.0f} days")
    lost = lost_at(parts.store.coverage.losses(at_s - _INSTANT_S, at_s + _INSTANT_S), at_s)
    return CoverageNow(now.version, at_s, now.coverage, now.coverage.with_states(lost))


def _lines(report: CoverageReportOut, wording: Wording, is_zh: bool) -> Iterator[list[Cell]]:
    """The statistics, one to a line, then the places, level by level."""
    if report.statistics is not None:
        for key, name in _STATISTICS.items():
            value: float = getattr(report.statistics, key)
            yield ["statistics", key, wording.text(name), *[None] * 7, value]
    by_kind = defaultdict[str, list[list[Cell]]](list)
    for each in report.places:
        figure = each.figure
        line: list[Cell] = [each.kind, each.place, each.name.zh if is_zh else each.name.en, each.compound_kind, figure.cameras]
        line += [figure.ground_m2, figure.covered_m2, figure.rate, figure.important_m2, figure.important_covered_m2, None]
        by_kind[each.kind].append(line)
    for kind in PlaceKind:
        yield from by_kind[kind]
