"""The assessment: figures of a time by place, team, month, category, camera or rule; as JSON or as a file."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime
from starlette.responses import StreamingResponse

from base import ConfigError
from camera_config.site import Name
from camera_config.time_limits import Category, LimitedStep
from dashboard.authorize import Action, Principal
from dashboard.coverage_mean import mean_coverage
from dashboard.ledger_export import Cell, Wording
from dashboard.ledger_schemas import AssessmentOut
from dashboard.policy import Parts, policy
from dashboard.routes.ledger import AS_FILE, Form, Language, as_file
from dashboard.sessions import actor_of
from patrol.assessment import Figures, GroupBy
from patrol.ledger import Column, Holds
from patrol.steps import Verdict
from storage import AssessmentOf

router = APIRouter(tags=["assessment"])

LONGEST = timedelta(days=366)

_HOLDS = {
    GroupBy.COMMUNITY: Holds.PLACE,
    GroupBy.COMPOUND: Holds.PLACE,
    GroupBy.GRID_CELL: Holds.PLACE,
    GroupBy.TEAM: Holds.TEAM,
    GroupBy.CATEGORY: Holds.WORD,
    GroupBy.CAMERA: Holds.CAMERA,
}
_ALL = Name("合计", "All")
_COUNTS = (
    Name("立案数", "Opened"),
    Name("结案数", "Closed"),
    Name("结案率", "Closing rate"),
    Name("误报数", "False alarms"),
    Name("误报率", "False-alarm rate"),
    Name("退单数", "Refused"),
    Name("巡更点数", "Checkpoints"),
    Name("已到点数", "Visited"),
    Name("准时点数", "On time"),
    Name("迟到点数", "Late"),
    Name("跳过点数", "Skipped"),
    Name("漏巡点数", "Missed"),
    Name("巡更完成率", "Patrol completion"),
    Name("考核得分", "Score"),
    Name("平均覆盖率", "Mean coverage"),
)
_STEPS = {
    LimitedStep.ACKNOWLEDGE: Name("签收", "Acknowledge"),
    LimitedStep.DISPATCH: Name("派单", "Dispatch"),
    LimitedStep.ACCEPT: Name("接单", "Accept"),
    LimitedStep.ARRIVE: Name("到场", "Arrive"),
    LimitedStep.REPORT: Name("反馈", "Report"),
    LimitedStep.VERIFY: Name("核查", "Verify"),
    LimitedStep.CLOSE: Name("结案", "Close"),
}
_TIMES = (
    Name("次数", "count"),
    Name("中位秒数", "median, s"),
    Name("90%秒数", "p90, s"),
    Name("按时率", "in time"),
)


def _asked(
    parts: Parts,
    begin: Annotated[AwareDatetime, Query(alias="from", examples=["2026-02-28T16:00:00Z"])],
    before: Annotated[AwareDatetime, Query(alias="to", examples=["2026-03-31T16:00:00Z"])],
    as_of: Annotated[AwareDatetime | None, Query(description="default: now; what was recorded later does not count")] = None,
    category: Category | None = None,
    severity: Annotated[int | None, Query(ge=1, le=4)] = None,
) -> AssessmentOf:
    if not timedelta(0) < before - begin <= LONGEST:
        raise ConfigError(f"to: expected a time after `from` and at most {LONGEST.days} days later")
    now_s = parts.clock.now_s()
    as_of_s = now_s if as_of is None else as_of.timestamp()
    if as_of_s > now_s:
        raise ConfigError("as_of: this moment has not come yet")
    return AssessmentOf(begin.timestamp(), before.timestamp(), as_of_s, category, severity)


Asked = Annotated[AssessmentOf, Depends(_asked)]


@router.get("/api/v1/assessment")
def read_assessment(
    principal: Annotated[Principal, policy(Action.READ_ASSESSMENT)],
    asked: Asked,
    parts: Parts,
    by: GroupBy = GroupBy.COMMUNITY,
    with_coverage: Annotated[bool, Query(description="false: leave out the coverage, which takes seconds")] = True,
) -> AssessmentOut:
    """Figures of everything together and of each group, worked out from the history; drills never count."""
    found, desks = parts.store.ledger.assessment(replace(asked, area=principal.area), by)
    coverage = mean_coverage(parts, asked, by, principal.area) if with_coverage else {}
    return AssessmentOut.of(asked, by.value, found, desks, coverage)


@router.get("/api/v1/assessment/export", response_class=StreamingResponse, responses=AS_FILE)
def export_assessment(
    principal: Annotated[Principal, policy(Action.READ_ASSESSMENT)],
    asked: Asked,
    parts: Parts,
    by: GroupBy = GroupBy.COMMUNITY,
    form: Form = "csv",
    language: Language = "zh",
) -> StreamingResponse:
    """The same as a file, one line for each group and a last one for everything together. It is in the audit."""
    found, _ = parts.store.ledger.assessment(replace(asked, area=principal.area), by)
    parts.store.audit(actor_of(principal), "export_assessment", "assessment", f"{form}, by {by}")
    wording = Wording(parts.site, language == "zh")
    group = Column(by.value, Name("", ""), _HOLDS.get(by, Holds.TEXT))

    coverage = mean_coverage(parts, asked, by, principal.area)

    def rows() -> Iterator[list[Cell]]:
        for name, figures in found.groups.items():
            yield [wording.cell(group, name), *_cells(figures, coverage.get(name))]
        yield [wording.text(_ALL), *_cells(found.all, coverage.get(""))]

    return as_file(_header(wording, by), rows(), "assessment", form)


def _header(wording: Wording, by: GroupBy) -> list[str]:
    names = [wording.text(name) for name in _COUNTS]
    for step in LimitedStep:
        names += [f"{wording.text(_STEPS[step])} {wording.text(name)}" for name in _TIMES]
    return [by.value, *names]


def _cells(figures: Figures, coverage: float | None) -> list[Cell]:
    cells: list[Cell] = [figures.opened, figures.closed, _share(figures.closing_rate)]
    cells += [figures.verdicts[Verdict.FALSE_ALARM], _share(figures.false_alarm_rate), figures.refused]
    walked = figures.patrol
    cells += [walked.stops, walked.visited, walked.on_time, walked.late, walked.skipped, walked.missed, _share(walked.completion)]
    cells += [None if figures.score is None else round(figures.score, 1), _share(coverage)]
    for step in LimitedStep:
        timing = figures.timings[step]
        median_s, p90_s = (None if each is None else round(each, 1) for each in (timing.median_s, timing.p90_s))
        cells += [timing.count, median_s, p90_s, _share(timing.share)]
    return cells


def _share(share: float | None) -> float | None:
    return None if share is None else round(share, 4)
