"""Important ground that stopped being covered becomes a place where a team could pass. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

import shapely

from camera_config.coverage import Coverage
from camera_config.covered import Covered
from camera_config.site import PlaceKind, Point
from camera_config.terrain import Patch, polygons

__all__ = ["PatrolSpot", "patrol_spots"]


@dataclass(frozen=True, slots=True)
class PatrolSpot:
    """Where in a grid cell nobody sees what matters, since cameras failed: the place that matters most, and what it touches."""

    grid_cell: str
    place: Point
    important_m2: float
    touches: tuple[str, ...]


def patrol_spots(coverage: Coverage, whole: Covered, covered: Covered) -> Mapping[str, PatrolSpot]:
    """By grid cell, where at least the site's `patrol_min_m2` of important ground is lost against `whole`; one place for each."""
    found = {}
    for patch in coverage.terrain.patches:
        cell = patch.place.get(PlaceKind.GRID_CELL, "")
        if not cell:
            continue
        lost_m2 = whole.figures[cell].important_covered_m2 - covered.figures[cell].important_covered_m2
        if lost_m2 < coverage.rules.patrol_min_m2:
            continue
        spot = _spot(coverage, patch, cell, lost_m2, polygons(shapely.difference(whole.covered(cell), covered.covered(cell))))
        if spot is not None:
            found[cell] = spot
    return found


def _spot(coverage: Coverage, patch: Patch, cell: str, lost_m2: float, gone: shapely.Geometry) -> PatrolSpot | None:
    """The place on what matters most of the ground that is `gone`, None if nothing of it matters."""
    best, most, touches = shapely.Polygon(), 0.0, set[str]()
    for feature in patch.features:
        for piece in shapely.get_parts(polygons(shapely.intersection(gone, feature.shape))):
            touches.add(f"{feature.matter}:{feature.id}" if feature.id else feature.matter)
            weight = coverage.terrain.weight(feature.matter) * piece.area
            if weight > most:
                best, most = piece, weight
    if not most:
        return None
    lon, lat = coverage.ground.degrees(shapely.get_coordinates(shapely.point_on_surface(best))[0]).tolist()
    return PatrolSpot(cell, (lon, lat), lost_m2, tuple(sorted(touches)))
