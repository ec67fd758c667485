"""Which team should go: not resting, own cell, then adjacent cells, then the nearest, then the most local, then the least loaded.

The order of criteria is `Candidate.rank`, what keeps a team out is `obstacle_of`, the words are in `reasons.py`.
"""

from collections.abc import Iterable, Mapping, Sequence

from base import TransitionError
from camera_config.site import Team
from patrol.candidate import Candidate, Obstacle, Tier, first_to_arrive, rest_of
from patrol.grid import Grid
from patrol.incident import Incident
from patrol.proposal import Alternative, Proposal
from patrol.reasons import joined, not_the_first, own_cell_lack, reason_of, shortfall
from patrol.team import TeamState
from patrol.travel import distance_m

__all__ = ["FRESH_S", "PREEMPTS", "REACH_M", "ensure_free", "may_call_away", "obstacle_of", "propose"]

FRESH_S = 30 * 60.0
"""A reported position is believed for half an hour. A team that never reported one on this shift is taken to be at its post."""

REACH_M = 5_000.0
"""Teams of neither this nor an adjacent cell are proposed up to here: an hour's walk, ten minutes on wheels."""

PREEMPTS = 1
"""The severity for which a team may be called away from a lesser matter, if nobody else can go."""

ALTERNATIVES = 4


def propose(
    incident: Incident,
    grid: Grid,
    team_states: Mapping[str, TeamState],
    now_s: float,
    refused: frozenset[str] = frozenset(),
) -> Proposal:
    """The team to send to `incident`, with the reason in words and up to four alternatives.

    Only teams that are on shift, free, able to do what the site asks for, not of a stale position and not in `refused` are
    proposed. For severity 1 those follow, last and marked, that are busy with a lesser matter. With none of them, the proposal
    says what stands in the way and whose responsible person decides now; it is never silent. Teams missing in `team_states`
    count as off shift. Deterministic.
    """
    candidates = _candidates(incident, grid, team_states, now_s)
    able = [each for each in candidates if obstacle_of(each, refused) is None]
    called = [
        each for each in candidates if may_call_away(each.state, incident) and not obstacle_of(each, refused, is_busy=False)
    ]
    ranked = [*_ranked(able), *sorted(_ranked(called), key=lambda each: -each.state.severity)]
    if not ranked:
        obstacles = [(each, obstacle) for each in candidates if (obstacle := obstacle_of(each, refused))]
        return shortfall(incident, grid, obstacles, len(grid.site.teams) - len(candidates))
    best, others = ranked[0], ranked[1 : 1 + ALTERNATIVES]
    reason = reason_of(best, incident, grid)
    faster = first_to_arrive(able).get(best.standing, best)
    if faster.time_s < best.time_s and not best.state.is_busy:
        reason = joined("；", "; ", reason, not_the_first(best, faster))
    if best.tier is not Tier.OWN_CELL or best.state.is_busy:
        own = [(each, obstacle_of(each, refused)) for each in candidates if each.tier is Tier.OWN_CELL]
        reason = joined("；", "; ", own_cell_lack(incident, own), reason)
    alternatives = tuple(
        Alternative(each.team.id, reason_of(each, incident, grid), each.state.incident_number) for each in others
    )
    return Proposal(best.team.id, reason, alternatives=alternatives, preempts=best.state.incident_number)


def obstacle_of(candidate: Candidate, refused: frozenset[str], is_busy: bool | None = None) -> Obstacle | None:
    """What keeps a team from being proposed; None if nothing does. `is_busy` in place of whether it is."""
    state, is_busy = candidate.state, candidate.state.is_busy if is_busy is None else is_busy
    facts = {
        Obstacle.REFUSED: candidate.team.id in refused,
        Obstacle.BUSY: is_busy,
        Obstacle.OFF_SHIFT: not state.on_shift,
        Obstacle.UNABLE: not candidate.is_able,
        Obstacle.STALE: candidate.is_stale,
        Obstacle.TOO_FAR: candidate.tier is Tier.ELSEWHERE and (candidate.metres or 0.0) > REACH_M,
    }
    return next((obstacle for obstacle, stands in facts.items() if stands), None)


def ensure_free(team: str, incident: str, states: Mapping[str, TeamState]) -> None:
    """Return if `team` may be sent to `incident`; raises TransitionError if it does not exist or is busy elsewhere.

    A team off shift may be sent, people do call one in; it is never proposed.
    """
    state = states.get(team)
    if state is None:
        raise TransitionError(
            f"there is no team {team!r} on this site; teams are {', '.join(sorted(states)) or 'not configured'}"
        )
    if state.is_busy and (state.incident != incident or state.supporting):
        raise TransitionError(f"team {team} is {state.status} for incident {state.incident_number}; choose another team")


def may_call_away(state: TeamState, incident: Incident) -> bool:
    """Whether a team that is busy with a lesser matter may leave it for `incident`."""
    is_lesser = state.is_busy and not state.supporting and state.severity > PREEMPTS
    return incident.severity <= PREEMPTS and is_lesser and state.incident != incident.id


def _ranked(candidates: Sequence[Candidate]) -> list[Candidate]:
    first = first_to_arrive(candidates)
    return sorted(candidates, key=lambda each: each.rank(first[each.standing].time_s))


def _candidates(incident: Incident, grid: Grid, team_states: Mapping[str, TeamState], now_s: float) -> list[Candidate]:
    """Every team whose state is known, seen from the incident, by id: their order in the file means nothing."""
    by_id = sorted(grid.site.teams, key=lambda team: team.id)
    teams = [(team, state) for team in by_id if (state := team_states.get(team.id))]
    ages_s = [_position_age_s(team, state, now_s) for team, state in teams]
    stale = [age_s is not None and age_s > FRESH_S for age_s in ages_s]
    origins = [
        team.home if age_s is None or old or state.position is None else state.position
        for (team, state), age_s, old in zip(teams, ages_s, stale, strict=True)
    ]
    here = None if incident.lon is None or incident.lat is None else (incident.lon, incident.lat)
    trips = grid.travel.trips(here, [(at, team.travels) for at, (team, _) in zip(origins, teams, strict=True)]) if here else ()
    needs = [need for need in grid.site.dispatch.needs if need.matter.covers(incident.severity, incident.category)]
    skills = {skill for need in needs for skill in need.skills}
    equipment = {item for need in needs for item in need.equipment}
    adjacent = grid.adjacent(incident.grid_cell)
    return [
        Candidate(
            team=team,
            state=state,
            tier=_tier(incident.grid_cell, adjacent, state.grid_cells or team.grid_cells),
            metres=None if here is None else distance_m(origins[n], here),
            trip=None if here is None else trips[n],
            position_age_s=None if stale[n] else ages_s[n],
            is_stale=stale[n],
            is_able=skills <= set(team.skills) and equipment <= set(team.equipment),
            rest=None if incident.severity <= PREEMPTS else rest_of(state, grid.site.dispatch.rest, now_s),
        )
        for n, (team, state) in enumerate(teams)
    ]


def _tier(grid_cell: str, adjacent: frozenset[str], served: Iterable[str]) -> Tier:
    served = set(served)
    if grid_cell in served:
        return Tier.OWN_CELL
    return Tier.ELSEWHERE if adjacent.isdisjoint(served) else Tier.ADJACENT


def _position_age_s(team: Team, state: TeamState, now_s: float) -> float | None:
    """None for a team that is taken to be at its post: it is stationed there, or has not said where it is on this shift."""
    if team.stationed or state.position_at_s is None:
        return None
    return max(0.0, now_s - state.position_at_s)
