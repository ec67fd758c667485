"""The sub-district's statistics: how many cameras, what share of which places they cover."""

from collections.abc import Mapping
from dataclasses import dataclass

from camera_config.coverage_rules import CoverageRules
from camera_config.covered import Covered, Figure
from camera_config.site import CompoundKind, Name, PlaceKind, Site

__all__ = ["INSTITUTIONS", "PlaceLine", "Statistics", "statistics"]

INSTITUTIONS = (CompoundKind.ENTERPRISE, CompoundKind.COMMERCE, CompoundKind.INSTITUTION)
"""The kinds of compound whose share is reported together."""


@dataclass(frozen=True, slots=True)
class PlaceLine:
    """One line of the report; `compound_kind` is set iff it is a compound."""

    place: str
    name: Name
    parent: str
    figure: Figure
    compound_kind: CompoundKind | None = None


@dataclass(frozen=True, slots=True)
class Statistics:
    """The report. What it calls covered stands in `rules`, and `lost` tells why cameras did not count (camera -> reason).

    A compound has some coverage from `rules.some_share` of its open ground on, and is covered completely from
    `rules.complete_share` on. `institutions_rate` is the share of the compounds of the kinds INSTITUTIONS that are covered
    completely; `compounds_rate` is the covered share of the ground of all that have some coverage. Rates of nothing are 0.
    """

    rules: CoverageRules
    lost: Mapping[str, str]
    cameras: int  # of the site that are connected to, working or not
    working: int
    institutions: int
    institutions_rate: float
    compounds: int
    compounds_some: int
    compounds_rate: float
    compounds_full: int
    district: Figure
    by_kind: Mapping[CompoundKind, Figure]
    communities: tuple[PlaceLine, ...]
    compound_lines: tuple[PlaceLine, ...]
    cells: tuple[PlaceLine, ...]


def statistics(site: Site, covered: Covered) -> Statistics:
    """The statistics of one site and one state of its coverage, places in the order of the site."""
    rules, figures = site.coverage, covered.figures
    compounds = _lines(site, figures, PlaceKind.COMPOUND)
    some = [line for line in compounds if line.figure.rate >= rules.some_share]
    institutions = [line for line in compounds if line.compound_kind in INSTITUTIONS]
    top = next((place.id for place in site.places if place.kind is PlaceKind.SUB_DISTRICT), "")
    connected = [camera.id for camera in site.cameras if camera.enabled]
    return Statistics(
        rules=rules,
        lost=covered.lost,
        cameras=len(connected),
        working=sum(camera not in covered.lost for camera in connected),
        institutions=len(institutions),
        institutions_rate=_full(institutions, rules) / len(institutions) if institutions else 0.0,
        compounds=len(compounds),
        compounds_some=len(some),
        compounds_rate=sum((line.figure for line in some), Figure()).rate,
        compounds_full=_full(compounds, rules),
        district=figures.get(top, Figure()),
        by_kind=covered.by_kind,
        communities=_lines(site, figures, PlaceKind.COMMUNITY),
        compound_lines=compounds,
        cells=_lines(site, figures, PlaceKind.GRID_CELL),
    )


def _lines(site: Site, figures: Mapping[str, Figure], kind: PlaceKind) -> tuple[PlaceLine, ...]:
    places = (place for place in site.places if place.kind is kind)
    return tuple(PlaceLine(each.id, each.name, each.parent, figures[each.id], each.compound_kind) for each in places)


def _full(lines: list[PlaceLine] | tuple[PlaceLine, ...], rules: CoverageRules) -> int:
    return sum(line.figure.rate >= rules.complete_share for line in lines)
