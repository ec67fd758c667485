"""The grid cells of a site: where a camera's incidents happen, which cells touch, who is responsible one level up."""

from collections.abc import Mapping
from dataclasses import dataclass

import shapely

from camera_config.site import Name, Place, PlaceKind, Point, Site
from patrol.shifts import Roster
from patrol.travel import Travel, distance_m

__all__ = ["Grid", "Locality"]

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
    """Geometry of one site, its ways and its roster, computed once. Safe from any thread."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._adjacent = _adjacent([place for place in site.places if place.kind is PlaceKind.GRID_CELL])
        tops = [shapely.Polygon(place.outline) for place in site.places if place.kind is PlaceKind.SUB_DISTRICT]
        self._district = tops[0] if tops else None
        self.roster = Roster(site)
        self.travel = Travel(site.ways)

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

    def locate_point(self, point: Point) -> Locality | None:
        """The place of a point: its cell, compound and community where it lies in one; None outside the sub-district."""
        here = shapely.Point(point)
        found = {place.kind: place for place in self._site.places if shapely.Polygon(place.outline).covers(here)}
        if PlaceKind.SUB_DISTRICT not in found:
            return None
        cell, compound = found.get(PlaceKind.GRID_CELL), found.get(PlaceKind.COMPOUND)
        named = found.get(PlaceKind.COMMUNITY) or self._above(cell.id if cell else "", PlaceKind.COMMUNITY)
        return Locality(compound.id if compound else "", cell.id if cell else "", named.id if named else "", point[0], point[1])

    def locate_cell(self, grid_cell: str) -> Locality | None:
        """The place of a grid cell, without a point; None if there is no such cell."""
        cell = self._site.place_by_id.get(grid_cell)
        if cell is None or cell.kind is not PlaceKind.GRID_CELL:
            return None
        compound, community = (self._above(grid_cell, kind) for kind in (PlaceKind.COMPOUND, PlaceKind.COMMUNITY))
        return Locality(compound.id if compound else "", grid_cell, community.id if community else "")

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

    def outside_m(self, point: Point) -> float:
        """How far outside of the sub-district a point lies; 0 inside, and where the site has no outline."""
        if self._district is None:
            return 0.0
        here = shapely.Point(point)
        if self._district.intersects(here):
            return 0.0
        line = shapely.shortest_line(self._district, here)
        return distance_m((line.coords[0][0], line.coords[0][1]), point)

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


def _adjacent(cells: list[Place]) -> Mapping[str, frozenset[str]]:
    shapes = [shapely.Polygon(cell.outline) for cell in cells]
    tree = shapely.STRtree(shapes)
    pairs = tree.query(shapes, predicate="dwithin", distance=TOUCH_DEG).T.tolist() if shapes else []
    touching: dict[str, set[str]] = {cell.id: set() for cell in cells}
    for left, right in pairs:
        if left != right:
            touching[cells[left].id].add(cells[right].id)
    return {cell: frozenset(others) for cell, others in touching.items()}
