"""What goes over the wire about the coverage of a time that is over."""

from collections.abc import Sequence

from pydantic import Field

from camera_config.coverage import Coverage
from camera_config.covered import Figure
from camera_config.site import Site
from dashboard.schemas import AnswerBody, Time, iso
from patrol.coverage_history import LossInterval, camera_seconds, lost_at
from storage import Area

__all__ = ["CoverageHistoryOut"]


class CellLossOut(AnswerBody):
    """What a grid cell lost: minutes in which its cameras covered nothing, added up camera by camera."""

    grid_cell: str
    cameras: int = Field(description="that the site uses there", examples=[12])
    minutes: dict[str, float] = Field(
        description="camera-minutes by cause", examples=[{"offline": 12.5, "uplink:switch-1": 42.0}]
    )
    share: float = Field(description="of all camera-minutes of the cell", examples=[0.0125])


class MomentOut(AnswerBody):
    at: Time
    working: int
    rate: float = Field(description="covered share of the ground of the place then", examples=[0.61])
    important_rate: float


class CoverageHistoryOut(AnswerBody):
    """Made from the ledgers and from where cameras hang today: a camera that was moved since counts as if it had been there."""

    begin: Time = Field(serialization_alias="from")
    to: Time
    known_from: Time | None = Field(description="when the ledgers begin: before it nothing is known, and nothing counts as lost")
    cells: list[CellLossOut]
    points: list[MomentOut]

    @classmethod
    def of(
        cls,
        site: Site,
        coverage: Coverage,
        losses: Sequence[LossInterval],
        span_s: tuple[float, float],
        asked: tuple[Sequence[str], int],
        known_s: float | None,
        area: Area | None,
    ) -> "CoverageHistoryOut":
        """`losses` between two moments UTC; figures of the places asked for together, at so many moments."""
        from_s, to_s = span_s
        places, points = asked
        moments = [from_s + (to_s - from_s) * number / (points - 1) for number in range(points)]
        return cls(
            begin=iso(from_s),
            to=iso(to_s),
            known_from=None if known_s is None else iso(known_s),
            cells=_cells(site, losses, to_s - from_s, area),
            points=[_moment(coverage, losses, places, min(at_s, to_s - 0.001)) for at_s in moments],
        )


def _cells(site: Site, losses: Sequence[LossInterval], span_s: float, area: Area | None) -> list[CellLossOut]:
    cell_of = {camera.id: camera.grid_cell for camera in site.cameras if area is None or camera.grid_cell in area.grid_cells}
    used = [cell_of[camera.id] for camera in site.cameras if camera.enabled and cell_of.get(camera.id)]
    found = []
    for cell, seconds in sorted(camera_seconds(losses, cell_of).items()):
        cameras = used.count(cell)
        lost_s = sum(each_s for cause, each_s in seconds.items() if cause != "disabled")
        found.append(
            CellLossOut(
                grid_cell=cell,
                cameras=cameras,
                minutes={cause: round(each_s / 60, 3) for cause, each_s in sorted(seconds.items())},
                share=round(lost_s / (cameras * span_s), 6) if cameras else 0.0,
            )
        )
    return found


def _moment(coverage: Coverage, losses: Sequence[LossInterval], places: Sequence[str], at_s: float) -> MomentOut:
    covered = coverage.with_states(lost_at(losses, at_s))
    figure = sum((covered.figures[place] for place in places), Figure())
    return MomentOut(
        at=iso(at_s),
        working=len(coverage.cameras) - len(covered.lost),
        rate=round(figure.rate, 4),
        important_rate=round(figure.important_rate, 4),
    )
