"""Areas: the part of the sub-district that an account may see, as sets of ids and as conditions of queries.

Whoever asks the store for something hands in the area of who asks; None is the whole sub-district and leaves nothing out. What is
in an area is decided here and nowhere else.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import JSON, ColumnElement, FunctionElement, Text, column, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from base import ConfigError
from camera_config.site import Name, PlaceKind, Site
from patrol import Grid, Incident, Proposal
from patrol.rounds import Round
from storage.tables import code_attempts, draws, incidents, rounds, temporary_stops

__all__ = [
    "AREA_KINDS",
    "Area",
    "attempts_of",
    "check_areas",
    "draws_of",
    "incidents_of",
    "rounds_of",
    "stop_in",
    "temporary_stops_of",
]

Conditions = list[ColumnElement[bool]]

NOBODY_HERE = Name("本辖区暂无合适队伍，请街道调度员派遣", "No team of your area can go; ask a dispatcher of the sub-district")

AREA_KINDS = (PlaceKind.COMMUNITY, PlaceKind.GRID_CELL)


@dataclass(frozen=True, slots=True)
class Area:
    """What lies in some communities and grid cells of a site. Never changes, so any thread may use it.

    A thing with a grid cell lies where that does; one without lies in its community. A team belongs to each area of which it
    serves a cell, even if it serves others, too. A place that the site no longer has holds nothing: the area shrinks, down to
    nothing at all.
    """

    key: str  # the ids it was made of, in order; two areas with the same key are the same
    communities: frozenset[str]
    grid_cells: frozenset[str]
    cameras: frozenset[str] = frozenset()
    teams: frozenset[str] = frozenset()
    own_teams: frozenset[str] = frozenset()  # those of them that serve nothing else
    checkpoints: frozenset[str] = frozenset()

    @classmethod
    def of(cls, grid: Grid, places: Iterable[str]) -> "Area":
        site, named = grid.site, frozenset(places)
        communities = frozenset(each.id for each in site.places if each.kind is PlaceKind.COMMUNITY and each.id in named)
        located = ((each.id, grid.locate_cell(each.id)) for each in site.places)
        cells = {name for name, at in located if at is not None and (name in named or at.community in communities)}
        bare = cls(",".join(sorted(named)), communities, frozenset(cells))
        cameras = ((camera.id, grid.locate(camera.id)) for camera in site.cameras)
        return replace(
            bare,
            cameras=frozenset(name for name, at in cameras if bare.holds(at.grid_cell, at.community)),
            teams=frozenset(team.id for team in site.teams if not cells.isdisjoint(team.grid_cells)),
            own_teams=frozenset(team.id for team in site.teams if team.grid_cells and cells.issuperset(team.grid_cells)),
            checkpoints=frozenset(point.id for point in site.checkpoints if point.grid_cell in cells),
        )

    def holds(self, grid_cell: str, community: str) -> bool:
        """Whether what happens there is in the area."""
        return grid_cell in self.grid_cells if grid_cell else community in self.communities

    def holds_incident(self, incident: Incident) -> bool:
        return self.holds(incident.grid_cell, incident.community)

    def holds_round(self, planned: Round) -> bool:
        """Whether any of its stops is in the area."""
        return any(stop.grid_cell in self.grid_cells for stop in planned.stops)

    def part_of(self, site: Site) -> Site:
        """`site` with what lies in the area only; of the places above it, too, for they say where it is."""
        shown: set[str] = set()
        for name in (*self.grid_cells, *self.communities, *(each.compound for each in site.cameras if each.id in self.cameras)):
            place = site.place_by_id.get(name)
            while place is not None and place.id not in shown:
                shown.add(place.id)
                place = site.place_by_id.get(place.parent)
        inside = self.grid_cells | self.communities
        below = {place.id for place in site.places if place.parent in inside and place.kind not in AREA_KINDS}
        return replace(
            site,
            cameras=tuple(each for each in site.cameras if each.id in self.cameras),
            places=tuple(each for each in site.places if each.id in shown | below),
            rules=tuple(each for each in site.rules if each.camera in self.cameras),
            teams=tuple(each for each in site.teams if each.id in self.teams),
            checkpoints=tuple(each for each in site.checkpoints if each.id in self.checkpoints),
        )

    def proposal(self, proposal: Proposal) -> Proposal:
        """`proposal` with the teams of the area only: the best of those that it names."""
        others = [each for each in proposal.alternatives if each.team in self.teams]
        if proposal.shortfall is not None or proposal.team in self.teams:
            return replace(proposal, alternatives=tuple(others))
        if not others:
            return Proposal("", NOBODY_HERE, NOBODY_HERE)
        best = others[0]
        return replace(proposal, team=best.team, reason=best.reason, alternatives=tuple(others[1:]), preempts=best.preempts)


def check_areas(site: Site, places: Sequence[str]) -> tuple[str, ...]:
    """The ids in order, each once; raises ConfigError naming one that is no community or grid cell of the site."""
    known = {place.id for place in site.places if place.kind in AREA_KINDS}
    unknown = sorted(set(places) - known)
    if unknown:
        raise ConfigError(f"areas: there is no community or grid cell {unknown[0]} on this site")
    return tuple(sorted(set(places)))


# Conditions of queries; without an area there is none


def incidents_of(area: Area | None) -> Conditions:
    """Rows of `incidents` in the area, and what is joined to them."""
    if area is None:
        return []
    c = incidents.c
    in_cell = c.grid_cell.in_(sorted(area.grid_cells))
    return [in_cell | ((c.grid_cell == "") & c.community.in_(sorted(area.communities)))]


def rounds_of(area: Area | None) -> Conditions:
    """Rows of `rounds` with a stop in the area."""
    return [] if area is None else [stop_in(area.grid_cells)]


def stop_in(grid_cells: Iterable[str]) -> ColumnElement[bool]:
    """Whether a row of `rounds` has a stop in one of these cells."""
    stop = objects_of(rounds.c.stops).table_valued(column("value", JSON))
    return select(stop.c.value).where(stop.c.value["grid_cell"].as_string().in_(sorted(grid_cells))).exists()


def temporary_stops_of(area: Area | None) -> Conditions:
    """Rows of `temporary_stops` in the area."""
    return [] if area is None else [temporary_stops.c.grid_cell.in_(sorted(area.grid_cells))]


def draws_of(area: Area | None) -> Conditions:
    """Rows of `draws` that could not have drawn anything outside of the area."""
    if area is None:
        return []
    point = texts_of(draws.c.pool).table_valued(column("value", Text))
    return [~select(point.c.value).where(point.c.value.not_in(sorted(area.checkpoints))).exists()]


def attempts_of(area: Area | None) -> Conditions:
    """Rows of `code_attempts` that were made on a round in the area."""
    if area is None:
        return []
    return [code_attempts.c.round.in_(select(rounds.c.id).where(*rounds_of(area)))]


class objects_of(FunctionElement[Any]):  # noqa: N801  a function of SQL; Any: of whatever JSON holds
    """The elements of a JSON array as rows with the column `value`."""

    name = "objects_of"
    inherit_cache = True


class texts_of(FunctionElement[Any]):  # noqa: N801
    """Likewise, of an array of texts."""

    name = "texts_of"
    inherit_cache = True


@compiles(objects_of)
@compiles(texts_of)
def _in_sqlite(element: objects_of | texts_of, compiler: SQLCompiler, **how: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **how)})"


@compiles(objects_of, "postgresql")
def _objects_in_postgresql(element: objects_of, compiler: SQLCompiler, **how: Any) -> str:
    return f"json_array_elements({compiler.process(element.clauses, **how)})"


@compiles(texts_of, "postgresql")
def _texts_in_postgresql(element: texts_of, compiler: SQLCompiler, **how: Any) -> str:
    return f"json_array_elements_text({compiler.process(element.clauses, **how)})"
