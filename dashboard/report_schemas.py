"""What goes over the wire about reports: when things happen where, and what was covered over a time."""

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Self

from pydantic import Field

from dashboard.schemas import AnswerBody, Time, iso
from storage import AssessmentOf

__all__ = ["CoverageSeriesOut", "HoursOut"]


class CellHoursOut(AnswerBody):
    grid_cell: str = Field(examples=["grid-03-12"], description="empty: in no cell")
    total: int
    hours: list[int] = Field(description="24 numbers, by hour of the site's day", examples=[[0, 1, 0, 3] + [0] * 20])


class HoursOut(AnswerBody):
    """How many events or incidents there were in each grid cell in each hour of the day, all days together."""

    from_at: Time
    to_at: Time
    as_of: Time
    timezone: str = Field(examples=["Asia/Shanghai"])
    total: int
    hours: list[int] = Field(description="of all cells together", examples=[[0, 1, 0, 3] + [0] * 20])
    cells: list[CellHoursOut] = Field(description="those in which anything happened, most first")

    @classmethod
    def of(cls, asked: AssessmentOf, timezone: str, counts: Mapping[str, Sequence[int]]) -> Self:
        cells = [CellHoursOut(grid_cell=cell, total=sum(hours), hours=list(hours)) for cell, hours in counts.items()]
        return cls(
            from_at=iso(asked.from_s),
            to_at=iso(asked.to_s),
            as_of=iso(asked.as_of_s),
            timezone=timezone,
            total=sum(cell.total for cell in cells),
            hours=[sum(cell.hours[hour] for cell in cells) for hour in range(24)],
            cells=sorted(cells, key=lambda cell: (-cell.total, cell.grid_cell)),
        )


class CoveragePointOut(AnswerBody):
    at: Time
    rate: float = Field(examples=[0.6012])


class PlaceCoverageOut(AnswerBody):
    place: str = Field(examples=["comm-03"])
    mean: float
    lowest: float
    lowest_at: Time


class CoverageSeriesOut(AnswerBody):
    """Which share of the ground was covered, by the cameras as they hang today; nothing from before the ledgers begin."""

    known_from: Time | None
    points: list[CoveragePointOut] = Field(description="at most 120, of everything that the account may see")
    mean: float | None
    places: list[PlaceCoverageOut] = Field(description="by place, lowest mean first")

    @classmethod
    def of(cls, known_s: float | None, series: Sequence[tuple[float, Mapping[str, float]]], places: Sequence[str]) -> Self:
        """`series` has the share of everything under an empty name."""
        found = []
        for place in places if series else ():
            rates = [(rates[place], at_s) for at_s, rates in series]
            lowest, lowest_s = min(rates)
            mean = round(fmean(rate for rate, _ in rates), 4)
            found.append(PlaceCoverageOut(place=place, mean=mean, lowest=round(lowest, 4), lowest_at=iso(lowest_s)))
        return cls(
            known_from=None if known_s is None else iso(known_s),
            points=[CoveragePointOut(at=iso(at_s), rate=round(rates[""], 4)) for at_s, rates in series],
            mean=round(fmean(rates[""] for _, rates in series), 4) if series else None,
            places=sorted(found, key=lambda each: (each.mean, each.place)),
        )
