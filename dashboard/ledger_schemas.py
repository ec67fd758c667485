"""What goes over the wire about the ledger and the assessment."""

from collections.abc import Mapping

from pydantic import Field

from camera_config.time_limits import LimitedStep
from dashboard.round_schemas import VisitsOut
from dashboard.schemas import AnswerBody, NameOut, Time, iso
from patrol.assessment import Assessment, DeskFigures, Figures, Timing
from patrol.ledger import COLUMNS, Book, Column, Holds
from patrol.steps import Verdict
from storage import AssessmentOf, LedgerPage

__all__ = ["AssessmentOut", "DeskFiguresOut", "FiguresOut", "LedgerOut", "TimingOut"]

Value = str | int | float | bool | None


class ColumnOut(AnswerBody):
    key: str = Field(examples=["opened"])
    name: NameOut
    holds: str = Field(examples=["time"], description="text, number, time, word, place, team, camera or desk")

    @classmethod
    def of(cls, column: Column) -> "ColumnOut":
        return cls(key=column.key, name=NameOut.of(column.name), holds=column.holds.value)


class LedgerOut(AnswerBody):
    """A page of a book, newest first. Each line has the keys of `columns`."""

    book: str = Field(examples=["incidents"])
    columns: list[ColumnOut]
    items: list[dict[str, Value]] = Field(
        examples=[[{"number": 1042, "opened": "2026-03-01T14:05:09.120Z", "category": "public_order", "verdict": "true"}]]
    )
    next: str | None = Field(description="give it as `after` to get the next page; null at the end")

    @classmethod
    def of(cls, book: Book, page: LedgerPage) -> "LedgerOut":
        columns = COLUMNS[book]
        items = [{column.key: _value(column, line[column.key]) for column in columns} for line in page.lines]
        after = None if page.next is None else f"{page.next[0]!r},{page.next[1]}"
        return cls(book=book.value, columns=[ColumnOut.of(column) for column in columns], items=items, next=after)


class TimingOut(AnswerBody):
    """Seconds; median and p90 by nearest rank, null where nothing was done."""

    count: int = Field(description="how often it was done", examples=[120])
    median_s: float | None = Field(examples=[34.2])
    p90_s: float | None = Field(examples=[88.0])
    runs: int = Field(description="`count`, and those times that it was not done although the limit had passed", examples=[124])
    in_time: int = Field(examples=[117])
    share: float | None = Field(description="of the runs, those within the limit", examples=[0.9435])

    @classmethod
    def of(cls, timing: Timing) -> "TimingOut":
        return cls(
            count=timing.count,
            median_s=_rounded(timing.median_s, 3),
            p90_s=_rounded(timing.p90_s, 3),
            runs=timing.runs,
            in_time=timing.in_time,
            share=_rounded(timing.share, 4),
        )


class FiguresOut(AnswerBody):
    name: str = Field(examples=["grid-03-12"], description="of the group; empty for everything together")
    opened: int = Field(description="without duplicates")
    closed: int
    closing_rate: float | None
    verdicts: dict[Verdict, int]
    false_alarm_rate: float | None = Field(description="of the closed incidents")
    refused: int = Field(description="times that a team refused")
    timings: dict[LimitedStep, TimingOut]
    total: TimingOut = Field(description="from opening to closing; without a limit of its own")
    patrol: VisitsOut = Field(description="checkpoints of the rounds that are over and were not called off")
    score: float | None = Field(description="0 to 100, by the weights of assessment.toml", examples=[91.4])
    coverage: float | None = Field(description="mean covered share of the ground, of places and months", examples=[0.6012])

    @classmethod
    def of(cls, name: str, figures: Figures, coverage: float | None) -> "FiguresOut":
        return cls(
            name=name,
            opened=figures.opened,
            closed=figures.closed,
            closing_rate=_rounded(figures.closing_rate, 4),
            verdicts=dict(figures.verdicts),
            false_alarm_rate=_rounded(figures.false_alarm_rate, 4),
            refused=figures.refused,
            timings={step: TimingOut.of(timing) for step, timing in figures.timings.items()},
            total=TimingOut.of(figures.total),
            patrol=VisitsOut.of(figures.patrol),
            score=_rounded(figures.score, 1),
            coverage=_rounded(coverage, 4),
        )


class DeskFiguresOut(AnswerBody):
    desk: str = Field(examples=["mediation"])
    sent: int
    states: dict[str, int] = Field(examples=[{"sent": 0, "accepted": 1, "done": 6, "returned": 1, "withdrawn": 0}])
    receipt: TimingOut
    feedback: TimingOut

    @classmethod
    def of(cls, desk: str, figures: DeskFigures) -> "DeskFiguresOut":
        return cls(
            desk=desk,
            sent=figures.sent,
            states={state.value: count for state, count in figures.states.items()},
            receipt=TimingOut.of(figures.receipt),
            feedback=TimingOut.of(figures.feedback),
        )


class AssessmentOut(AnswerBody):
    """Figures of what was opened, due or sent from `from_at` to `to_at`, as it was known at `as_of`."""

    from_at: Time
    to_at: Time
    as_of: Time = Field(description="ask for it again to get the same figures")
    by: str = Field(examples=["grid_cell"])
    all: FiguresOut
    groups: list[FiguresOut]
    desks: list[DeskFiguresOut]

    @classmethod
    def of(
        cls, asked: AssessmentOf, by: str, found: Assessment, desks: Mapping[str, DeskFigures], coverage: Mapping[str, float]
    ) -> "AssessmentOut":
        """`coverage` by the name of the group, that of everything together under an empty one."""
        return cls(
            from_at=iso(asked.from_s),
            to_at=iso(asked.to_s),
            as_of=iso(asked.as_of_s),
            by=by,
            all=FiguresOut.of("", found.all, coverage.get("")),
            groups=[FiguresOut.of(name, figures, coverage.get(name)) for name, figures in found.groups.items()],
            desks=[DeskFiguresOut.of(name, figures) for name, figures in desks.items()],
        )


def _value(column: Column, value: object) -> Value:
    if value is None or isinstance(value, bool):
        return value
    if column.holds is Holds.TIME:
        return iso(float(str(value)))
    return value if isinstance(value, int | float) else str(value)


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
