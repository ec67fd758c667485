"""The coverage of an assessment: the mean of what was covered at moments evenly spread over its time."""

import math
from statistics import fmean

from base import SourceError
from dashboard.coverage_schemas import shown_places, tops_of
from dashboard.policy import Dashboard
from patrol.assessment import GroupBy, month_of
from patrol.coverage_history import sampled_rates
from storage import Area, AssessmentOf

__all__ = ["coverage_series", "mean_coverage"]

MOMENTS = 120
"""At most; each takes up to 40 ms for a district of 727 cameras if no two are alike."""

HOUR_S = 3600.0

Rates = dict[str, float]
"""Covered shares by the name of a place."""

_OF_PLACES = frozenset({GroupBy.COMMUNITY, GroupBy.COMPOUND, GroupBy.GRID_CELL})


def mean_coverage(parts: Dashboard, asked: AssessmentOf, by: GroupBy, area: Area | None) -> dict[str, float]:
    """By the name of each place or month, of everything together under an empty name; nothing where nothing is known yet, nor
    where only some incidents are asked for. Blocks."""
    if asked.category is not None or asked.severity is not None:
        return {}
    try:
        rates = coverage_series(parts, asked, area, by in _OF_PLACES)
    except SourceError:  # Gridpatrol has just started
        return {}
    if not rates:
        return {}
    found = {name: fmean(each[name] for _, each in rates) for name in rates[0][1]}
    if by is GroupBy.MONTH:
        months: dict[str, list[float]] = {}
        for at_s, each in rates:
            months.setdefault(month_of(at_s, parts.site.zone_info), []).append(each[""])
        found |= {month: fmean(values) for month, values in months.items()}
    return found


def coverage_series(parts: Dashboard, asked: AssessmentOf, area: Area | None, with_places: bool) -> list[tuple[float, Rates]]:
    """The covered shares at moments whole hours apart, UTC, since the ledgers begin; none where nothing is known yet. Blocks.

    Under an empty name that of everything that an account may see, and `with_places` that of each of its places. Raises
    SourceError in the first seconds after a start.
    """
    known_s = parts.store.coverage.known_since_s()
    if known_s is None:
        return []
    coverage = parts.coverage.now().coverage
    from_s, to_s = max(asked.from_s, known_s), min(asked.to_s, asked.as_of_s)
    step_s = HOUR_S * max(1, math.ceil((to_s - from_s) / HOUR_S / MOMENTS))
    moments = [from_s + step_s * number for number in range(max(0, math.ceil((to_s - from_s) / step_s)))]
    if not moments:
        return []
    shown = shown_places(parts.site, area)
    groups = {"": tops_of(parts.site, shown)} | ({place: [place] for place in shown} if with_places else {})
    return sampled_rates(coverage, parts.store.coverage.losses(from_s, to_s), moments, groups)
