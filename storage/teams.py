"""What the database knows of teams: where they are, what they are sent to, how often, and how long they should rest."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from base import TransitionError
from camera_config.dispatch_rules import Rest
from camera_config.site import Team
from patrol import Grid, Step, TeamState, TeamStatus, Work, status_of
from patrol.position import Doubt, Fix, doubt_of
from patrol.shifts import OnShift
from patrol.support import SupportState
from storage.roster import read_changes_around
from storage.tables import doubts, history, incidents, is_assigned, is_open, positions, support

__all__ = ["forget_positions", "set_position", "team_states"]

LOAD_S = 12 * 3600.0
"""Load counts the dispatches of one shift."""


def team_states(connection: Connection, grid: Grid, now_s: float) -> Mapping[str, TeamState]:
    """Every team of the site at `now_s`."""
    on_shift = grid.roster.on_shift(read_changes_around(connection, grid.site, now_s), now_s)
    position = {row.team: row for row in connection.execute(select(positions))}
    doubt = {row.team: row for row in connection.execute(select(doubts))}
    task = _tasks(connection)
    load, finished = _past(connection, grid.site.dispatch.rest, now_s)
    states = {}
    for team in grid.site.teams:
        duty = on_shift.get(team.id)
        state = _state(team, duty, task.get(team.id))
        if state.status is not TeamStatus.OFF_SHIFT:
            state = _placed(state, position.get(team.id), doubt.get(team.id), duty.since_s if duty else 0.0)
        ended_s = finished[team.id]
        counted_s = now_s - 3600 * grid.site.dispatch.rest.hours
        states[team.id] = replace(
            state,
            load=load[team.id],
            finished=sum(at_s > counted_s for at_s in ended_s),
            finished_at_s=max(ended_s, default=None),
        )
    return states


def set_position(connection: Connection, grid: Grid, team: str, fix: Fix, accuracy_m: float, now_s: float) -> bool:
    """Keep the newest position of a team that is on duty; False if a newer one was known, or it is from before this shift.

    One that cannot be true is not kept; that there was one, is. Raises TransitionError for a team that is off duty.
    """
    if team not in grid.site.team_by_id:
        raise TransitionError(f"there is no team {team!r} on this site")
    duty = grid.roster.on_shift(read_changes_around(connection, grid.site, now_s), now_s).get(team)
    if duty is None and team not in _tasks(connection):
        raise TransitionError(f"team {team} is off shift; its position is not kept")
    known = connection.execute(select(positions).where(positions.c.team == team)).first()
    if (duty is not None and fix.at_s < duty.since_s) or (known is not None and known.at_s > fix.at_s):
        return False
    last = None if known is None else Fix((known.lon, known.lat), known.at_s)
    doubt = doubt_of(fix, accuracy_m, last, grid)
    connection.execute(delete(doubts).where(doubts.c.team == team))
    if doubt is not None:
        connection.execute(insert(doubts).values(team=team, doubt=doubt.value, at_s=fix.at_s))
        return True
    values = {"lon": fix.place[0], "lat": fix.place[1], "at_s": fix.at_s}
    if known is None:
        connection.execute(insert(positions).values(team=team, **values))
    else:
        connection.execute(update(positions).where(positions.c.team == team).values(values))
    return True


def forget_positions(connection: Connection, grid: Grid, now_s: float, really: bool) -> list[str]:
    """Delete the positions of teams that are off duty, and those of earlier shifts; the teams. Not `really`: only say which."""
    on_shift = grid.roster.on_shift(read_changes_around(connection, grid.site, now_s), now_s)
    task = _tasks(connection)
    gone = set()
    for table in (positions, doubts):
        for row in connection.execute(select(table.c.team, table.c.at_s)):
            duty = on_shift.get(row.team)
            if row.at_s < duty.since_s if duty is not None else row.team not in task:
                gone.add(row.team)
    if really and gone:
        for table in (positions, doubts):
            connection.execute(delete(table).where(table.c.team.in_(gone)))
    return sorted(gone)


@dataclass(frozen=True, slots=True)
class _Task:
    """What a busy team was sent to. `support` is set iff it is not the incident's main team."""

    incident: str
    number: int
    severity: int
    work: Work
    support: SupportState | None = None


def _tasks(connection: Connection) -> dict[str, _Task]:
    """What each busy team is busy with."""
    columns = (incidents.c.id, incidents.c.number, incidents.c.severity, incidents.c.work)
    helps = select(support.c.team, *columns, support.c.state).join(incidents, incidents.c.id == support.c.incident)
    helps = helps.where(support.c.state != SupportState.DONE.value, is_open)
    main = select(incidents.c.team, *columns).where(is_assigned)
    found = {}
    for helping in connection.execute(helps):
        state = SupportState(helping.state)
        found[helping.team] = _Task(helping.id, helping.number, helping.severity, Work(helping.work), state)
    for row in connection.execute(main):
        found[row.team] = _Task(row.id, row.number, row.severity, Work(row.work))
    return found


def _past(connection: Connection, rest: Rest, now_s: float) -> tuple[Counter[str], dict[str, list[float]]]:
    """How often each team was sent within `LOAD_S`, and when it finished something within the time that rest counts."""
    sent = select(history.c.team).where(history.c.step == Step.DISPATCH.value, history.c.at_s > now_s - LOAD_S)
    load = Counter(connection.scalars(sent))
    load.update(connection.scalars(select(support.c.team).where(support.c.sent_s > now_s - LOAD_S)))
    finished: dict[str, list[float]] = defaultdict(list)
    from_s = now_s - max(3600 * rest.hours, 60 * rest.minutes)
    reported = select(history.c.team, history.c.at_s).where(history.c.step == Step.REPORT.value, history.c.at_s > from_s)
    for row in connection.execute(reported):
        finished[row.team].append(row.at_s)
    helped = select(support.c.team, support.c.done_s).where(support.c.arrived_s.is_not(None), support.c.done_s > from_s)
    for row in connection.execute(helped):
        finished[row.team].append(row.done_s)
    return load, finished


def _state(team: Team, duty: OnShift | None, task: _Task | None) -> TeamState:
    helps = task.support if task else None
    status = status_of(task.work if task else None, duty is not None)
    return TeamState(
        team=team.id,
        status=TeamStatus(helps.value) if helps else status,
        on_shift=duty is not None,
        incident=task.incident if task else "",
        incident_number=task.number if task else 0,
        severity=task.severity if task else 0,
        supporting=helps is not None,
        grid_cells=() if duty is None or duty.grid_cells == team.grid_cells else duty.grid_cells,
        until_s=duty.until_s if duty else None,
    )


def _placed(state: TeamState, position: Row[Any] | None, doubt: Row[Any] | None, since_s: float) -> TeamState:
    """`state` with what its phone said on this shift."""
    if position is not None and position.at_s >= since_s:
        state = replace(state, position=(position.lon, position.lat), position_at_s=position.at_s)
    if doubt is not None and doubt.at_s >= since_s:
        state = replace(state, doubt=Doubt(doubt.doubt), doubt_at_s=doubt.at_s)
    return state
