"""Whether a position that a phone reports can be true."""

from dataclasses import dataclass
from enum import StrEnum

from camera_config.site import Name, Point
from patrol.grid import Grid
from patrol.travel import distance_m

__all__ = ["DOUBT_NAME", "FASTEST_M_S", "OUTSIDE_M", "Doubt", "Fix", "doubt_of"]

OUTSIDE_M = 2_000.0
"""How far outside of the sub-district a team may be: to fetch something, or round a closed street."""

FASTEST_M_S = 150 / 3.6
"""Faster than a patrol car drives in a town: the phone, or its satellites, are wrong."""

ACCURACY_M = 200.0
"""Of the accuracy a phone claims, no more is believed when its speed is judged."""


class Doubt(StrEnum):
    """Why a reported position is not used."""

    OUTSIDE = "outside"
    TOO_FAST = "too_fast"


DOUBT_NAME = {
    Doubt.OUTSIDE: Name("定位在辖区 2 公里以外，未采用", "position more than 2 km outside the sub-district, not used"),
    Doubt.TOO_FAST: Name("定位移动超过 150 公里/小时，未采用", "position moved faster than 150 km/h, not used"),
}


@dataclass(frozen=True, slots=True)
class Fix:
    """Where a team was, and when (UTC)."""

    place: Point
    at_s: float


def doubt_of(fix: Fix, accuracy_m: float, last: Fix | None, grid: Grid) -> Doubt | None:
    """Why `fix` cannot be true, None if it can. `last` is the newest one that was believed.

    The speed is that of the shortest way between the two, less what the phone says it may be wrong by.
    """
    if grid.outside_m(fix.place) > OUTSIDE_M:
        return Doubt.OUTSIDE
    if last is None:
        return None
    moved_m = distance_m(last.place, fix.place) - min(accuracy_m, ACCURACY_M)
    return Doubt.TOO_FAST if moved_m > FASTEST_M_S * max(fix.at_s - last.at_s, 1.0) else None
