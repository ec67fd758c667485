"""Why this team, why not that one, why nobody: the words of a proposal in both languages."""

from collections import Counter
from collections.abc import Sequence

from camera_config.site import Name, TravelMode
from patrol.candidate import Candidate, Obstacle, Tier
from patrol.grid import Grid
from patrol.incident import Incident
from patrol.position import DOUBT_NAME
from patrol.proposal import Proposal

__all__ = ["joined", "not_the_first", "own_cell_lack", "reason_of", "shortfall"]

_NAMED = 3  # teams with stale positions that a shortfall names, so that somebody calls them by radio

_OBSTACLE_NAME = {
    Obstacle.OFF_SHIFT: Name("{}不在班", "{} off shift"),
    Obstacle.BUSY: Name("{}处置中", "{} busy"),
    Obstacle.REFUSED: Name("{}已退单", "{} refused"),
    Obstacle.UNABLE: Name("{}缺少所需技能或装备", "{} lacks the skills or equipment needed"),
    Obstacle.STALE: Name("{}定位已超过 30 分钟", "{}'s position older than 30 min"),
    Obstacle.TOO_FAR: Name("{}超出 5 公里", "{} more than 5 km away"),
}
_COUNT_NAME = {
    Obstacle.REFUSED: Name("{} 支已退单", "{} refused"),
    Obstacle.BUSY: Name("{} 支处置中", "{} busy"),
    Obstacle.OFF_SHIFT: Name("{} 支不在班", "{} off shift"),
    Obstacle.UNABLE: Name("{} 支缺少所需技能或装备", "{} without the skills or equipment needed"),
    Obstacle.STALE: Name("{} 支定位已超过 30 分钟", "{} with positions older than 30 min"),
    Obstacle.TOO_FAR: Name("{} 支超出 5 公里", "{} more than 5 km away"),
}
_MODE_NAME = {TravelMode.WALK: Name("步行", "on foot"), TravelMode.DRIVE: Name("驾车", "by car")}


def reason_of(candidate: Candidate, incident: Incident, grid: Grid) -> Name:
    """Why this team: where it belongs, how far it is, how much it has done; and what speaks against it."""
    state = candidate.state
    where = _busy(candidate) if state.is_busy else _where(candidate, incident, grid)
    parts = [where]
    if candidate.trip is not None:
        parts.append(_distance(candidate))
    if state.doubt is not None:
        parts.append(DOUBT_NAME[state.doubt])
    if state.load:
        parts.append(Name(f"近 12 小时已派 {state.load} 次", f"dispatched {state.load}× in the last 12 h"))
    if candidate.rest is not None:
        parts.append(candidate.rest)
    return joined("，", ", ", *parts)


def not_the_first(best: Candidate, faster: Candidate) -> Name:
    """Why this team and not the one that would be there a little sooner."""
    seconds = max(1, round(best.time_s - faster.time_s))
    name = faster.team.name
    soon = Name(f"{name.zh}只早到 {seconds} 秒", f"{name.en} would be there only {seconds} s sooner")
    if best.breadth < faster.breadth:
        few = f"one grid cell, not {faster.breadth}" if best.breadth == 1 else f"{best.breadth} grid cells, not {faster.breadth}"
        why = Name(f"而本队专责 {best.breadth} 个网格（对方 {faster.breadth} 个）", f"and this team is there for {few}")
    elif best.state.load < faster.state.load:
        why = Name(
            f"而近 12 小时已派 {faster.state.load} 次（本队 {best.state.load} 次）",
            f"and was dispatched {faster.state.load}× in the last 12 h, this team {best.state.load}×",
        )
    else:
        return soon
    return joined("，", ", ", soon, why)


def own_cell_lack(incident: Incident, own: Sequence[tuple[Candidate, Obstacle | None]]) -> Name:
    """Why none of this cell's own teams goes; those without an obstacle rest."""
    if not incident.grid_cell:
        return Name("现场不属于任何网格", "the place belongs to no grid cell")
    if not own:
        return Name("本网格未配置队伍", "this grid cell has no team of its own")
    lacks = []
    for candidate, obstacle in own:
        name, rest = candidate.team.name, candidate.rest
        if obstacle is not None:
            lack = _OBSTACLE_NAME[obstacle]
            lacks.append(Name(lack.zh.format(name.zh), lack.en.format(name.en)))
        elif rest is not None:
            lacks.append(Name(f"{name.zh}{rest.zh}", f"{name.en} {rest.en}"))
    return joined("、", ", ", *lacks)


def shortfall(incident: Incident, grid: Grid, obstacles: Sequence[tuple[Candidate, Obstacle]], unknown: int) -> Proposal:
    """The proposal of nobody: why, and who decides now. `unknown` teams have no state and count as off shift."""
    counts = Counter(obstacle for _, obstacle in obstacles)
    counts[Obstacle.OFF_SHIFT] += unknown
    stale = [candidate.team.name for candidate, obstacle in obstacles if obstacle is Obstacle.STALE]
    why = _why_nobody(counts, stale)
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
    return Proposal("", reason, joined("；", "; ", why, whom), place.id if place else "")


def joined(zh: str, en: str, *parts: Name) -> Name:
    """The parts one after another, with `zh` and `en` in between."""
    return Name(zh.join(part.zh for part in parts), en.join(part.en for part in parts))


def _where(candidate: Candidate, incident: Incident, grid: Grid) -> Name:
    if candidate.tier is Tier.OWN_CELL:
        return Name("本网格在班空闲", "free and on shift in this grid cell")
    if candidate.tier is Tier.ADJACENT:
        served = candidate.state.grid_cells or candidate.team.grid_cells
        cell = grid.name(min(grid.adjacent(incident.grid_cell).intersection(served)))
        return Name(f"相邻网格“{cell.zh}”在班空闲", f"free and on shift in the adjacent grid cell {cell.en}")
    return Name("较近的在班空闲队伍", "nearest free team on shift beyond the adjacent cells")


def _busy(candidate: Candidate) -> Name:
    state = candidate.state
    return Name(
        f"须从 {state.severity} 级案卷 {state.incident_number} 抽调",
        f"has to be called away from incident {state.incident_number} of severity {state.severity}",
    )


def _distance(candidate: Candidate) -> Name:
    trip, age_s = candidate.trip, candidate.position_age_s
    assert trip is not None
    metres = trip.metres
    zh, en = (
        (f"{metres:.0f} 米", f"{metres:.0f} m") if metres < 1000 else (f"{metres / 1000:.1f} 公里", f"{metres / 1000:.1f} km")
    )
    if trip.by_way:
        minutes, mode = max(1, round(trip.time_s / 60)), _MODE_NAME[candidate.team.travels]
        zh, en = f"{zh}（{mode.zh} {minutes} 分钟）", f"{en} ({minutes} min {mode.en})"
    if age_s is None:
        return Name(f"驻点距现场约 {zh}", f"its post about {en} away")
    minutes = int(age_s // 60)
    if minutes == 0:
        return Name(f"距现场约 {zh}（刚刚定位）", f"about {en} away (position just now)")
    return Name(f"距现场约 {zh}（{minutes} 分钟前定位）", f"about {en} away (position {minutes} min old)")


def _why_nobody(counts: Counter[Obstacle], stale: Sequence[Name]) -> Name:
    present = {obstacle: count for obstacle, count in counts.items() if count}
    if not present:
        return Name("本辖区未配置队伍", "no teams are configured")
    if set(present) == {Obstacle.OFF_SHIFT}:
        return Name("当前无队伍在班", "nobody is on shift")
    if set(present) <= {Obstacle.OFF_SHIFT, Obstacle.BUSY}:
        return Name(
            f"在班队伍均在处置中（{present[Obstacle.BUSY]} 支）", f"all teams on shift are busy ({present[Obstacle.BUSY]})"
        )
    parts = [
        Name(word.zh.format(present[each]), word.en.format(present[each]))
        for each, word in _COUNT_NAME.items()
        if each in present
    ]
    if stale:
        names = joined("、", ", ", *stale[:_NAMED])
        parts.append(Name(f"请用电台呼叫{names.zh}", f"ask {names.en} by radio"))
    return joined("、", ", ", *parts)
