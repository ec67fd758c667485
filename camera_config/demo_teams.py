"""The teams and checkpoints of the demo sub-district; at every hour of the week every grid cell has somebody on shift."""

from dataclasses import dataclass
from datetime import date
from functools import partial

import shapely

from camera_config.demo_layout import BlockPlan
from camera_config.demo_names import DISTRICT
from camera_config.demo_places import NamedPlan
from camera_config.dispatch_rules import Automatic, DispatchRules, Matter, Minimum, Need, Rest
from camera_config.schedule import Schedule
from camera_config.site import Checkpoint, CompoundKind, Holiday, Name, Point, Team, TeamKind, TravelMode
from camera_config.time_limits import Category

__all__ = ["HOLIDAYS", "make_checkpoints", "make_dispatch_rules", "make_teams"]

_ALWAYS, _DAY, _NIGHT = "always", "07:00-19:00", "19:00-07:00"
_EVENINGS = "mon-fri 18:00-21:00, sat-sun 09:00-17:00"  # when volunteers have time
_HOLIDAY_HOURS = Schedule.parse("09:00-17:00")  # of volunteers, whatever the day of the week
_HALVES = ((0, 1, 4, 5), (2, 3, 6, 7))  # communities west and east of the crossing road
_PAIRS = ((0, 1), (2, 3), (4, 5), (6, 7))
_KEY_KINDS = (CompoundKind.SCHOOL, CompoundKind.HOSPITAL)  # their gates are inspected daily

HOLIDAYS = (
    Holiday(date(2026, 1, 1), date(2026, 1, 1), Name("元旦", "New Year's Day")),
    Holiday(date(2026, 2, 16), date(2026, 2, 18), Name("春节", "Spring Festival")),
    Holiday(date(2026, 10, 1), date(2026, 10, 3), Name("国庆节", "National Day")),
)
"""Public holidays only; the days that are moved around them each year are for the site to fill in."""


@dataclass(frozen=True, slots=True)
class _Outfit:
    """What the teams of one kind are like; `travels`, `skills`, `equipment` as of a Team."""

    call_sign: str
    travels: TravelMode
    skills: tuple[str, ...]
    equipment: tuple[str, ...]


_OUTFITS = {
    TeamKind.POLICE_POST: _Outfit("Post", TravelMode.DRIVE, ("law_enforcement", "first_aid"), ("car", "extinguisher", "radio")),
    TeamKind.PROPERTY_GUARD: _Outfit("Guard", TravelMode.WALK, (), ("extinguisher", "radio")),
    TeamKind.VOLUNTEER: _Outfit("Volunteer", TravelMode.WALK, ("mediation",), ()),
}


def make_teams(plan: NamedPlan) -> tuple[Team, ...]:
    """2 police posts, property guards for each community by day and each pair of them by night, and volunteers: 18 teams."""
    names, teams = plan.community_name, []
    for half, (zh, en) in zip(_HALVES, (("西", "West"), ("东", "East")), strict=True):
        name = Name(f"{DISTRICT.zh}警务站({zh})", f"{DISTRICT.en} Police Post {en}")
        teams.append(_team(plan, f"police-{en.lower()}", name, TeamKind.POLICE_POST, half, _ALWAYS, 3))
    for index, stem in enumerate(names):
        name = Name(f"{stem.zh}物业保安队(日班)", f"{stem.en} Guards, day")
        teams.append(_team(plan, f"guards-{index + 1}-day", name, TeamKind.PROPERTY_GUARD, (index,), _DAY, 4))
    for number, pair in enumerate(_PAIRS, 1):
        (first, second) = (names[index] for index in pair)
        name = Name(f"{first.zh}·{second.zh}物业保安队(夜班)", f"{first.en} and {second.en} Guards, night")
        teams.append(_team(plan, f"guards-{number}-night", name, TeamKind.PROPERTY_GUARD, pair, _NIGHT, 3))
        name = Name(f"{first.zh}·{second.zh}志愿者队", f"{first.en} and {second.en} Volunteers")
        teams.append(_team(plan, f"volunteers-{number}", name, TeamKind.VOLUNTEER, pair[::-1], _EVENINGS, 6))
    return tuple(teams)


def _team(
    plan: NamedPlan, team_id: str, name: Name, kind: TeamKind, communities: tuple[int, ...], shift: str, members: int
) -> Team:
    blocks = [(index, block) for index, block in enumerate(plan.drawn.blocks) if block.community in communities]
    cells = tuple(cell for index, _ in blocks for cell in plan.cell_id[index])
    outfit = _OUTFITS[kind]
    return Team(
        id=team_id,
        name=name,
        kind=kind,
        grid_cells=cells,
        shift=Schedule.parse(shift),
        home=_home(plan, [block for _, block in blocks], kind, communities),
        members=members,
        holiday_shift=_HOLIDAY_HOURS if kind is TeamKind.VOLUNTEER else None,
        travels=outfit.travels,
        skills=outfit.skills,
        equipment=outfit.equipment,
        call_signs=tuple(f"{outfit.call_sign} {communities[0] + 1}-{number}" for number in range(1, members + 1)),
    )


def make_dispatch_rules() -> DispatchRules:
    """Fire needs an extinguisher and goes at once at night; every cell has a team, two by night; four in four hours: rest."""
    return DispatchRules(
        rest=Rest(assignments=4, hours=4.0, minutes=10.0),
        needs=(Need(Matter(categories=(Category.FIRE,)), equipment=("extinguisher",)),),
        automatic=(Automatic("fire-at-night", Matter((1,), (Category.FIRE,)), Schedule.parse("22:00-06:00")),),
        minimums=(Minimum((), Schedule.parse("always"), 1), Minimum((), Schedule.parse(_NIGHT), 2)),
    )


def _home(plan: NamedPlan, blocks: list[BlockPlan], kind: TeamKind, communities: tuple[int, ...]) -> Point:
    """Inside a gate: of public offices for the police, of homes for guards and volunteers, in the first community if possible."""
    wanted = CompoundKind.INSTITUTION if kind is TeamKind.POLICE_POST else CompoundKind.RESIDENTIAL
    gated = [block for block in blocks if block.gates]
    best = min(gated, key=lambda block: (block.kind is not wanted, communities.index(block.community), -block.outline.area))
    which = {TeamKind.POLICE_POST: 0, TeamKind.PROPERTY_GUARD: 0, TeamKind.VOLUNTEER: 1}[kind]
    x, y = _inside(best.gates[which], 6.0)
    return plan.drawn.plan.lonlat(x, y)


def make_checkpoints(plan: NamedPlan) -> tuple[Checkpoint, ...]:
    """Inside the main gate of each compound, and on open ground in each cell."""
    points = []
    for index, block in enumerate(plan.drawn.blocks):
        name, number = plan.compound_name[index], plan.compound_id[index].removeprefix("compound-")
        if block.gates:
            x, y = _inside(block.gates[0], 5.0)
            cell = min(range(len(block.cells)), key=partial(_distance, block, shapely.Point(x, y)))
            gate = Name(f"{name.zh}大门", f"{name.en}, main gate")
            lon, lat = plan.drawn.plan.lonlat(x, y)
            points.append(Checkpoint(f"gate-{number}", gate, plan.cell_id[index][cell], lon, lat, block.kind in _KEY_KINDS))
        for cell_id, outline, buildings in zip(plan.cell_id[index], block.cells, block.buildings, strict=True):
            open_ground = outline.buffer(-3).difference(shapely.union_all(buildings)).representative_point()
            lon, lat = plan.drawn.plan.lonlat(open_ground.x, open_ground.y)
            short = cell_id.removeprefix("grid-")
            points.append(Checkpoint(f"point-{short}", Name(f"巡更点 {short}", f"Checkpoint {short}"), cell_id, lon, lat))
    return tuple(points)


def _inside(gate: tuple[float, float, float, float], depth_m: float) -> Point:
    x, y, outx, outy = gate
    return x - outx * depth_m, y - outy * depth_m


def _distance(block: BlockPlan, point: shapely.Point, cell: int) -> float:
    return float(block.cells[cell].distance(point))
