"""The grid cells of a site: where a camera's incidents happen, which cells touch, who is responsible one level up."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import shapely

from camera_config.site import Name, Place, PlaceKind, Point, Site

__all__ = ["Grid", "Locality", "distance_m"]

EARTH_RADIUS_M = 6_371_008.8
"""Mean radius, IUGG 1980."""

TOUCH_DEG = 1e-5
"""Cells nearer than this touch: about 1 m, so that outlines drawn by hand need not share their points exactly."""


@dataclass(frozen=True, slots=True)
class Locality:
    """Where a camera's incidents happen. Empty and None for a camera that the site does not have (any more)."""

    compound: str = ""
    grid_cell: str = ""
    community: str = ""
    lon: float | None = None
    lat: float | None = None


class Grid:
    """Geometry of one site, computed once. Immutable, so safe from any thread."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._adjacent = _adjacent([place for place in site.places if place.kind is PlaceKind.GRID_CELL])

    @property
    def site(self) -> Site:
        return self._site

    def adjacent(self, grid_cell: str) -> frozenset[str]:
        """The cells that share an edge or a corner with this one; empty for an unknown cell."""
        return self._adjacent.get(grid_cell, frozenset())

    def locate(self, camera: str) -> Locality:
        """Where incidents of this camera happen."""
        known = self._site.camera_by_id.get(camera)
        if known is None:
            return Locality()
        community = self._above(known.grid_cell, PlaceKind.COMMUNITY) or self._above(known.compound, PlaceKind.COMMUNITY)
        return Locality(known.compound, known.grid_cell, community.id if community else "", known.lon, known.lat)

    def name(self, place: str) -> Name:
        """What people call a place; its id if it is unknown."""
        known = self._site.place_by_id.get(place)
        return known.name if known else Name(place, place)

    def escalation(self, grid_cell: str, community: str) -> Place | None:
        """Whose responsible person decides when nobody can be sent: the cell's, else the community's, else the sub-district's."""
        cell = self._site.place_by_id.get(grid_cell)
        if cell is not None and cell.responsible:
            return cell
        known = self._site.place_by_id.get(community)
        if known is not None:
            return known
        return next((place for place in self._site.places if place.kind is PlaceKind.SUB_DISTRICT), None)

    def _above(self, place: str, kind: PlaceKind) -> Place | None:
        """The place of `kind` that contains `place`, or `place` itself."""
        seen: set[str] = set()
        while place and place not in seen:
            seen.add(place)
            known = self._site.place_by_id.get(place)
            if known is None or known.kind is kind:
                return known
            place = known.parent
        return None


def distance_m(a: Point, b: Point) -> float:
    """Great-circle distance of two points (longitude, latitude in degrees) by the haversine formula."""
    lon_a, lat_a, lon_b, lat_b = map(math.radians, (*a, *b))
    h = math.sin((lat_b - lat_a) / 2) ** 2 + math.cos(lat_a) * math.cos(lat_b) * math.sin((lon_b - lon_a) / 2) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(math.sqrt(min(1.0, h)))


def _adjacent(cells: list[Place]) -> Mapping[str, frozenset[str]]:
    shapes = [shapely.Polygon(cell.outline) for cell in cells]
    tree = shapely.STRtree(shapes)
    pairs = tree.query(shapes, predicate="dwithin", distance=TOUCH_DEG).T.tolist() if shapes else []
    touching: dict[str, set[str]] = {cell.id: set() for cell in cells}
    for left, right in pairs:
        if left != right:
            touching[cells[left].id].add(cells[right].id)
    return {cell: frozenset(others) for cell, others in touching.items()}
