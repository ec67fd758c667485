"""Reports beside the assessment: when things happen where, and how much was covered over a time; as JSON or as a file."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from starlette.responses import StreamingResponse

from base import ConfigError
from camera_config.site import Name, PlaceKind
from dashboard.authorize import Action, Principal
from dashboard.coverage_mean import coverage_series
from dashboard.coverage_schemas import shown_places
from dashboard.ledger_export import Cell, Wording
from dashboard.policy import Dashboard, Parts, policy
from dashboard.report_schemas import CoverageSeriesOut, HoursOut
from dashboard.routes.assessment import Asked
from dashboard.routes.ledger import AS_FILE, Form, Language, as_file
from dashboard.sessions import actor_of
from patrol.ledger import Column, Holds
from storage import AssessmentOf

router = APIRouter(tags=["reports"])

Counted = Annotated[
    Literal["events", "incidents"], Query(alias="of", description="what cameras saw, or what was opened, whoever reported it")
]
_CELL = Column("grid_cell", Name("网格", "Grid cell"), Holds.PLACE)
_ALL, _NO_CELL = Name("合计", "All"), Name("无网格", "No cell")
_AT, _RATE = Name("时间", "Time"), Name("覆盖率", "Covered share")
_SHOWN = (PlaceKind.COMMUNITY, PlaceKind.GRID_CELL)


@router.get("/api/v1/reports/hours")
def read_hours(
    principal: Annotated[Principal, policy(Action.READ_ASSESSMENT)], asked: Asked, parts: Parts, counted: Counted = "events"
) -> HoursOut:
    """Events or incidents by grid cell and hour of the day, in the site's zone; drills never count."""
    return _hours(parts, principal, asked, counted)


@router.get("/api/v1/reports/hours/export", response_class=StreamingResponse, responses=AS_FILE)
def export_hours(
    principal: Annotated[Principal, policy(Action.READ_ASSESSMENT)],
    asked: Asked,
    parts: Parts,
    counted: Counted = "events",
    form: Form = "csv",
    language: Language = "zh",
) -> StreamingResponse:
    """The same as a file: a line for each cell, a column for each hour, everything together last. It is in the audit."""
    found = _hours(parts, principal, asked, counted)
    parts.store.audit(actor_of(principal), "export_report", "reports/hours", f"{form}, {counted}")
    wording = Wording(parts.site, language == "zh")
    header = [wording.text(_CELL.name), wording.text(_ALL), *(f"{hour:02d}:00" for hour in range(24))]
    rows: list[list[Cell]] = [
        [wording.cell(_CELL, cell.grid_cell) or wording.text(_NO_CELL), cell.total, *cell.hours] for cell in found.cells
    ]
    rows.append([wording.text(_ALL), found.total, *found.hours])
    return as_file(header, iter(rows), f"{counted}-by-hour", form)


@router.get("/api/v1/reports/coverage")
def read_coverage_series(
    principal: Annotated[Principal, policy(Action.READ_ASSESSMENT)], asked: Asked, parts: Parts
) -> CoverageSeriesOut:
    """The covered share of the ground over the time, and by community and grid cell its mean and lowest."""
    _refuse_some(asked)
    series = coverage_series(parts, asked, principal.area, with_places=True)
    kinds = {place.id: place.kind for place in parts.site.places}
    places = [place for place in shown_places(parts.site, principal.area) if kinds[place] in _SHOWN]
    return CoverageSeriesOut.of(parts.store.coverage.known_since_s(), series, places)


@router.get("/api/v1/reports/coverage/export", response_class=StreamingResponse, responses=AS_FILE)
def export_coverage_series(
    principal: Annotated[Principal, policy(Action.READ_ASSESSMENT)],
    asked: Asked,
    parts: Parts,
    form: Form = "csv",
    language: Language = "zh",
) -> StreamingResponse:
    """The same as a file: a line for each moment, with the share of everything and of each community. It is in the audit."""
    _refuse_some(asked)
    series = coverage_series(parts, asked, principal.area, with_places=True)
    parts.store.audit(actor_of(principal), "export_report", "reports/coverage", form)
    wording = Wording(parts.site, language == "zh")
    communities = [place for place in parts.site.places if place.kind is PlaceKind.COMMUNITY]
    shown = [place for place in communities if series and place.id in series[0][1]]
    header = [wording.text(_AT), wording.text(_RATE), *(f"{wording.text(place.name)} ({place.id})" for place in shown)]

    def line(at_s: float, rates: dict[str, float]) -> list[Cell]:
        at = datetime.fromtimestamp(at_s, UTC).astimezone(parts.site.zone_info)
        return [at, round(rates[""], 4), *(round(rates[place.id], 4) for place in shown)]

    return as_file(header, (line(at_s, rates) for at_s, rates in series), "coverage", form)


def _hours(parts: Dashboard, principal: Principal, asked: AssessmentOf, counted: str) -> HoursOut:
    counts = parts.store.ledger.hours(replace(asked, area=principal.area), of_events=counted == "events")
    return HoursOut.of(asked, parts.site.timezone, counts)


def _refuse_some(asked: AssessmentOf) -> None:
    if asked.category is not None or asked.severity is not None:
        raise ConfigError("category, severity: coverage is not that of some incidents")
