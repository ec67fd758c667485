"""What the database knows of teams: last positions, present assignments, how often each was sent."""

from collections.abc import Mapping

from sqlalchemy import Connection, func, insert, select, update

from camera_config.site import Site
from patrol import ASSIGNED, Step, TeamState, Work, status_of
from storage.tables import history, incidents, positions

__all__ = ["set_position", "team_states"]

LOAD_S = 12 * 3600.0
"""Load counts the dispatches of one shift."""


def team_states(connection: Connection, site: Site, now_s: float) -> Mapping[str, TeamState]:
    """Every team of the site at `now_s`."""
    position = {row.team: row for row in connection.execute(select(positions))}
    assigned = {
        row.team: row
        for row in connection.execute(
            select(incidents.c.team, incidents.c.id, incidents.c.number, incidents.c.work).where(
                incidents.c.work.in_([work.value for work in ASSIGNED])
            )
        )
    }
    sent = select(history.c.team, func.count().label("times")).where(
        history.c.step == Step.DISPATCH.value, history.c.at_s > now_s - LOAD_S
    )
    load = {row.team: row.times for row in connection.execute(sent.group_by(history.c.team))}
    states = {}
    for team in site.teams:
        task, place = assigned.get(team.id), position.get(team.id)
        on_shift = team.shift.contains(now_s, site.zone_info)
        states[team.id] = TeamState(
            team=team.id,
            status=status_of(Work(task.work) if task else None, on_shift),
            on_shift=on_shift,
            incident=task.id if task else "",
            incident_number=task.number if task else 0,
            position=(place.lon, place.lat) if place else None,
            position_at_s=place.at_s if place else None,
            load=load.get(team.id, 0),
        )
    return states


def set_position(connection: Connection, team: str, lon: float, lat: float, at_s: float) -> bool:
    """Keep the newest position of a team; False if a newer one was known."""
    values = {"lon": lon, "lat": lat, "at_s": at_s}
    newer = update(positions).where(positions.c.team == team, positions.c.at_s <= at_s).values(values)
    if connection.execute(newer).rowcount:
        return True
    if connection.execute(select(positions.c.team).where(positions.c.team == team)).first():
        return False
    connection.execute(insert(positions).values(team=team, **values))
    return True
