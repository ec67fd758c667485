"""Calls for help: an incident of severity 1 where the team is, which the team itself supports until it is safe."""

from sqlalchemy import Connection

from base import TransitionError
from camera_config.time_limits import Category
from patrol import Grid, HelpCall, Incident, Origin, Report, Support, SupportState
from storage.incidents import read_incident
from storage.site_rules import SiteRules
from storage.support import begin_support, end_support_of_team, read_support_by_id, read_support_of_team
from storage.take_steps import report_incident
from storage.teams import team_states

__all__ = ["call_for_help"]


def call_for_help(connection: Connection, call: HelpCall, rules: SiteRules, now_s: float) -> tuple[Incident, Support]:
    """Open the incident of a call once, by its id; see `Store.call_for_help`. The caller commits."""
    known = read_support_by_id(connection, call.id) or _open_call(connection, call)
    if known is not None:
        if known.team != call.by.id:
            raise TransitionError(f"the id {call.id} was already used by another team; every call needs an id of its own")
        incident = read_incident(connection, known.incident)
        assert incident is not None  # a foreign key
        return incident, known
    at_s = min(call.at_s, now_s)
    report = _report(call, at_s, rules.grid, team_states(connection, rules.grid, now_s)[call.by.id].position)
    incident = report_incident(connection, report, rules, now_s, there=call.by.id)
    end_support_of_team(connection, call.by.id, now_s)
    begun = Support(call.id, incident.id, call.by.id, SupportState.ON_SCENE, at_s, arrived_s=at_s, by=call.by.name)
    begin_support(connection, begun)
    return incident, begun


def _open_call(connection: Connection, call: HelpCall) -> Support | None:
    """The call of this team that is not over, perhaps from another of its phones: what a team supports because it said so."""
    support = read_support_of_team(connection, call.by.id)
    return support if support is not None and support.by == call.by.name else None


def _report(call: HelpCall, at_s: float, grid: Grid, known: tuple[float, float] | None) -> Report:
    """The call as a report that is never refused for its place: where the phone is, else was, else the post, else the cell."""
    team = grid.site.team_by_id[call.by.id]
    text, lon, lat, grid_cell = call.text, None, None, team.grid_cells[0]
    inside = (place for place in (call.place, known, team.home) if place and grid.locate_point(place) is not None)
    place = next(inside, None)
    if place is not None:
        (lon, lat), grid_cell = place, ""
    if call.place is not None and call.place != place:
        text = f"{text} ({call.place[1]:.5f}, {call.place[0]:.5f})"
    return Report(call.id, Origin.PATROL, Category.HELP, 1, call.by, at_s, text, lon=lon, lat=lat, grid_cell=grid_cell)
