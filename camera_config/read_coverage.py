"""`[coverage]` of `site.toml`: what counts as covered, and what ground matters how much."""

from dataclasses import fields
from itertools import pairwise

from camera_config.coverage_rules import Band, CoverageRules, PatrolStops, Stream
from camera_config.entry import Entry

__all__ = ["COVERAGE_KEYS", "read_coverage"]

COVERAGE_KEYS = tuple(field.name for field in fields(CoverageRules))

_LIMITS = {
    **{f"{band}_ppm": (0.5, 5000.0) for band in Band},
    "target_m": (0.0, 10.0),
    "day_range_m": (1.0, 2000.0),
    "night_range_m": (0.0, 2000.0),
    "some_share": (0.0001, 1.0),
    "complete_share": (0.01, 1.0),
    "blind_min_m2": (0.1, 1e6),
    "patrol_min_m2": (1.0, 1e6),
    "patrol_after_min": (0.0, 1440.0),
    **dict.fromkeys(("gate_weight", "lane_weight", "play_area_weight", "key_node_weight"), (0.0, 1000.0)),
}


def read_coverage(entry: Entry) -> CoverageRules:
    """The rules of one `[coverage]` table, noting what is wrong."""
    entry.only(COVERAGE_KEYS)
    default = CoverageRules()
    numbers = {key: entry.number(key, low, high, getattr(default, key)) for key, (low, high) in _LIMITS.items()}
    for lower, higher in pairwise(f"{band}_ppm" for band in Band):
        if numbers[lower] >= numbers[higher]:
            entry.refuse(higher, f"expected more than {lower}, {numbers[lower]:g}")
    if numbers["some_share"] > numbers["complete_share"]:
        entry.refuse("some_share", f"expected at most complete_share, {numbers['complete_share']:g}")
    stream, band = entry.choice("stream", Stream, default.stream), entry.choice("band", Band, default.band)
    patrol = entry.choice("patrol", PatrolStops, default.patrol)
    return CoverageRules(stream=stream, band=band, patrol=patrol, **numbers)
