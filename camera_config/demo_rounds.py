"""The patrol routes and inspections of the demo sub-district."""

import math
from collections.abc import Sequence

from camera_config.round_rules import Inspection, OpensIncident, Order, RoundRules, Route, Starts, Times
from camera_config.schedule import Schedule
from camera_config.site import Checkpoint, Name, Team, TeamKind

__all__ = ["make_rounds"]

_MOST_GATES, _MOST_POINTS = 8, 10  # stops of a round by day, and by night


def make_rounds(teams: Sequence[Team], checkpoints: Sequence[Checkpoint]) -> RoundRules:
    """Guards walk their gates three times a day, and points among the buildings twice a night at times nobody foresees.

    Key nodes are inspected daily by the day's guards; two of them, drawn at random, once more in the evening by the police.
    """
    guards = [team for team in teams if team.kind is TeamKind.PROPERTY_GUARD]
    by_day = [team for team in guards if team.id.endswith("-day")]
    routes = [
        Route(
            id=f"gates-{team.id}",
            name=Name(f"{team.name.zh}大门巡逻", f"{team.name.en}: gates"),
            stops=_tour(team, [point for point in checkpoints if point.id.startswith("gate-")], _MOST_GATES),
            starts=Starts(at=Times.parse("08:30, 13:00, 17:30")),
            teams=(team.id,),
        )
        for team in by_day
    ]
    routes += [
        Route(
            id=f"points-{team.id}",
            name=Name(f"{team.name.zh}夜巡", f"{team.name.en}: night round"),
            stops=_tour(team, [point for point in checkpoints if point.id.startswith("point-")], _MOST_POINTS),
            starts=Starts(within=Schedule.parse("21:00-05:00"), times=2),
            teams=(team.id,),
            order=Order.FREE,
        )
        for team in guards
        if team not in by_day
    ]
    police = tuple(team.id for team in teams if team.kind is TeamKind.POLICE_POST)
    return RoundRules(
        routes=tuple(route for route in routes if route.stops),
        incidents=OpensIncident.NEVER,  # nobody walks in the demo: what is missed stays with the notices
        inspections=(
            Inspection(
                "key-nodes",
                Name("重点部位每日巡查", "Key nodes, daily"),
                Schedule.parse("07:30-18:30"),
                teams=tuple(team.id for team in by_day),
            ),
            Inspection("surprise", Name("突击检查", "Unannounced"), Schedule.parse("19:00-23:00"), teams=police, draw=2),
        ),
    )


def _tour(team: Team, points: Sequence[Checkpoint], most: int) -> tuple[str, ...]:
    """At most `most` of the points in the team's cells, from its home on always to the nearest that is left."""
    cells = set(team.grid_cells)
    left = [point for point in points if point.grid_cell in cells]
    here = team.home
    tour: list[str] = []
    while left and len(tour) < most:
        squeeze = math.cos(math.radians(here[1]))
        nearest = min(left, key=lambda point: math.hypot((point.lon - here[0]) * squeeze, point.lat - here[1]))
        left.remove(nearest)
        tour.append(nearest.id)
        here = (nearest.lon, nearest.lat)
    return tuple(tour)
