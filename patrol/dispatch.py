"""Which team should go, and why: own cell, then adjacent cells, then the nearest, then the least loaded."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from base import TransitionError
from camera_config.site import Name, Team
from patrol.grid import Grid, distance_m
from patrol.incident import Incident
from patrol.proposal import Alternative, Proposal
from patrol.team import TeamState

__all__ = ["FRESH_S", "REACH_M", "Obstacle", "ensure_free", "obstacle_of", "propose"]

FRESH_S = 30 * 60.0
"""A reported position is believed for half an hour; after that the team is taken to be at its post."""

REACH_M = 5_000.0
"""Teams of neither this nor an adjacent cell are proposed up to here: an hour's walk, ten minutes on wheels."""

ALTERNATIVES = 4

NEAR_M = 100.0
"""Distances that differ by less are taken as equal, so that load decides: the error of a phone's position among buildings."""


class _Tier(IntEnum):
    OWN_CELL = 0
    ADJACENT = 1
    ELSEWHERE = 2


class Obstacle(StrEnum):
    """Why a team cannot be proposed."""

    OFF_SHIFT = "off_shift"
    BUSY = "busy"
    REFUSED = "refused"
    TOO_FAR = "too_far"


_OBSTACLE_NAME = {
    Obstacle.OFF_SHIFT: Name("{}不在班", "{} off shift"),
    Obstacle.BUSY: Name("{}处置中", "{} busy"),
    Obstacle.REFUSED: Name("{}已退单", "{} refused"),
    Obstacle.TOO_FAR: Name("{}超出 5 公里", "{} more than 5 km away"),
}


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A team seen from one incident."""

    team: Team
    state: TeamState
    tier: _Tier
    distance_m: float | None  # None where the incident has no place
    position_age_s: float | None  # None: measured from its post

    @property
    def rank(self) -> tuple[int, int, int, str]:
        """Lowest goes first. The id makes it unique, so that the same facts always give the same proposal."""
        return self.tier, int((self.distance_m or 0.0) // NEAR_M), self.state.load, self.team.id


def propose(
    incident: Incident,
    grid: Grid,
    team_states: Mapping[str, TeamState],
    now_s: float,
    refused: frozenset[str] = frozenset(),
) -> Proposal:
    """The team to send to `incident`, with the reason in words and up to four alternatives.

    Only teams that are on shift, free and not in `refused` are ever proposed. With none of them, the proposal says what
    stands in the way and whose responsible person decides now; it is never silent. Teams missing in `team_states` count as
    off shift. Deterministic.
    """
    candidates = [
        _candidate(team, incident, grid, state, now_s) for team in grid.site.teams if (state := team_states.get(team.id))
    ]
    able = sorted((each for each in candidates if obstacle_of(each, refused) is None), key=lambda each: each.rank)
    if not able:
        return _shortfall(incident, grid, candidates, refused)
    own = [each for each in candidates if each.tier is _Tier.OWN_CELL]
    best = able[0]
    reason = _reason(best, incident, grid)
    if best.tier is not _Tier.OWN_CELL:
        reason = _joined("；", "; ", _own_cell_lack(incident, own, refused), reason)
    alternatives = tuple(Alternative(each.team.id, _reason(each, incident, grid)) for each in able[1 : 1 + ALTERNATIVES])
    return Proposal(best.team.id, reason, alternatives=alternatives)


def obstacle_of(candidate: _Candidate, refused: frozenset[str]) -> Obstacle | None:
    """What keeps a team from being proposed; None if nothing does."""
    if candidate.team.id in refused:
        return Obstacle.REFUSED
    if candidate.state.is_busy:
        return Obstacle.BUSY
    if not candidate.state.on_shift:
        return Obstacle.OFF_SHIFT
    if candidate.tier is _Tier.ELSEWHERE and (candidate.distance_m or 0.0) > REACH_M:
        return Obstacle.TOO_FAR
    return None


def ensure_free(team: str, incident: str, states: Mapping[str, TeamState]) -> None:
    """Return if `team` may be sent to `incident`; raises TransitionError if it does not exist or is busy elsewhere.

    A team off shift may be sent, people do call one in; it is never proposed.
    """
    state = states.get(team)
    if state is None:
        raise TransitionError(
            f"there is no team {team!r} on this site; teams are {', '.join(sorted(states)) or 'not configured'}"
        )
    if state.is_busy and state.incident != incident:
        raise TransitionError(f"team {team} is {state.status} for incident {state.incident_number}; choose another team")


def _candidate(team: Team, incident: Incident, grid: Grid, state: TeamState, now_s: float) -> _Candidate:
    if incident.grid_cell in team.grid_cells:
        tier = _Tier.OWN_CELL
    elif grid.adjacent(incident.grid_cell).isdisjoint(team.grid_cells):
        tier = _Tier.ELSEWHERE
    else:
        tier = _Tier.ADJACENT
    age_s = None if state.position_at_s is None else max(0.0, now_s - state.position_at_s)
    fresh = state.position is not None and age_s is not None and age_s <= FRESH_S
    origin = state.position if fresh and state.position is not None else team.home
    here = None if incident.lon is None or incident.lat is None else (incident.lon, incident.lat)
    return _Candidate(team, state, tier, None if here is None else distance_m(origin, here), age_s if fresh else None)


def _reason(candidate: _Candidate, incident: Incident, grid: Grid) -> Name:
    """Why this team: where it belongs, how far it is, how much it has done."""
    if candidate.tier is _Tier.OWN_CELL:
        where = Name("本网格在班空闲", "free and on shift in this grid cell")
    elif candidate.tier is _Tier.ADJACENT:
        cell = grid.name(min(grid.adjacent(incident.grid_cell).intersection(candidate.team.grid_cells)))
        where = Name(f"相邻网格“{cell.zh}”在班空闲", f"free and on shift in the adjacent grid cell {cell.en}")
    else:
        where = Name("较近的在班空闲队伍", "nearest free team on shift beyond the adjacent cells")
    parts = [where]
    if candidate.distance_m is not None:
        parts.append(_distance(candidate.distance_m, candidate.position_age_s))
    if candidate.state.load:
        times = candidate.state.load
        parts.append(Name(f"近 12 小时已派 {times} 次", f"dispatched {times}× in the last 12 h"))
    return _joined("，", ", ", *parts)


def _distance(metres: float, position_age_s: float | None) -> Name:
    zh, en = (
        (f"{metres:.0f} 米", f"{metres:.0f} m") if metres < 1000 else (f"{metres / 1000:.1f} 公里", f"{metres / 1000:.1f} km")
    )
    if position_age_s is None:
        return Name(f"驻点距现场约 {zh}", f"its post about {en} away")
    minutes = int(position_age_s // 60)
    if minutes == 0:
        return Name(f"距现场约 {zh}（刚刚定位）", f"about {en} away (position just now)")
    return Name(f"距现场约 {zh}（{minutes} 分钟前定位）", f"about {en} away (position {minutes} min old)")


def _own_cell_lack(incident: Incident, own: list[_Candidate], refused: frozenset[str]) -> Name:
    """Why none of this cell's own teams goes."""
    if not incident.grid_cell:
        return Name("现场不属于任何网格", "the place belongs to no grid cell")
    if not own:
        return Name("本网格未配置队伍", "this grid cell has no team of its own")
    lacks = [_OBSTACLE_NAME[obstacle] for each in own if (obstacle := obstacle_of(each, refused))]
    named = [
        Name(lack.zh.format(each.team.name.zh), lack.en.format(each.team.name.en)) for lack, each in zip(lacks, own, strict=True)
    ]
    return _joined("、", ", ", *named)


def _shortfall(incident: Incident, grid: Grid, candidates: list[_Candidate], refused: frozenset[str]) -> Proposal:
    counts = Counter(obstacle for each in candidates if (obstacle := obstacle_of(each, refused)))
    counts[Obstacle.OFF_SHIFT] += len(grid.site.teams) - len(candidates)
    why = _why_nobody(counts)
    place = grid.escalation(incident.grid_cell, incident.community)
    if place is None:
        whom = Name("请值班负责人决定", "the duty officer decides")
    else:
        post = place.responsible
        whom = Name(
            f"上报{place.name.zh}{'责任人（' + post + '）' if post else '负责人'}",
            f"escalate to the responsible person of {place.name.en}{' (' + post + ')' if post else ''}",
        )
    reason = Name("无可派队伍", "no team can be sent")
    return Proposal("", reason, _joined("；", "; ", why, whom), place.id if place else "")


def _why_nobody(counts: Counter[Obstacle]) -> Name:
    present = {obstacle: count for obstacle, count in counts.items() if count}
    if not present:
        return Name("本辖区未配置队伍", "no teams are configured")
    if set(present) == {Obstacle.OFF_SHIFT}:
        return Name("当前无队伍在班", "nobody is on shift")
    if set(present) <= {Obstacle.OFF_SHIFT, Obstacle.BUSY}:
        return Name(
            f"在班队伍均在处置中（{present[Obstacle.BUSY]} 支）", f"all teams on shift are busy ({present[Obstacle.BUSY]})"
        )
    words = {
        Obstacle.REFUSED: Name("{} 支已退单", "{} refused"),
        Obstacle.BUSY: Name("{} 支处置中", "{} busy"),
        Obstacle.OFF_SHIFT: Name("{} 支不在班", "{} off shift"),
        Obstacle.TOO_FAR: Name("{} 支超出 5 公里", "{} more than 5 km away"),
    }
    parts = [
        Name(word.zh.format(present[each]), word.en.format(present[each])) for each, word in words.items() if each in present
    ]
    return _joined("、", ", ", *parts)


def _joined(zh: str, en: str, *parts: Name) -> Name:
    return Name(zh.join(part.zh for part in parts), en.join(part.en for part in parts))
