"""Which rounds are written down: those of the next day, kept in step with the site and the roster until they begin."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, insert, or_, select, update

from camera_config.round_rules import Inspection
from camera_config.site import Name
from patrol import Actor, CommandError
from patrol.advance import check_text
from patrol.inspections import Draw, draw_checkpoints
from patrol.round_plan import Plan, RoundPlanner
from patrol.rounds import Round, RoundState, TemporaryStop
from patrol.visits import evaluate
from storage.accounts import add_audit
from storage.areas import Area, draws_of, temporary_stops_of
from storage.roster import read_changes_around
from storage.round_rows import draw_of, draw_row, plan_row, result_row, round_of, stop_row, temporary_of
from storage.site_rules import SiteRules
from storage.tables import draws, round_entries, rounds, temporary_stops
from storage.walk_rounds import read_rounds_now, withdraw

__all__ = [
    "AHEAD_S",
    "WantedDraw",
    "add_draw",
    "add_temporary",
    "is_planned",
    "read_draws",
    "read_stop",
    "read_temporary",
    "replan",
    "withdraw_temporary",
]

AHEAD_S = 86_400.0
"""How far ahead rounds are written down, so that a phone can take the coming shift with it."""

BACK_S = 86_400.0
"""How long ago a round may have been due that is still planned, if nothing of it is missed: today's inspection."""

WHY_MAX = 200
LONGEST_STOP_S = 30 * 86_400.0
SHORTEST_REPEAT_MIN = 15.0

_DRAW_NAME = Name("突击检查", "Unannounced inspection")


@dataclass(frozen=True, slots=True)
class WantedDraw:
    """What somebody asks to draw: `count` of `pool` (empty: every key node), visited within `within_min` by one of `teams`.

    `id` and `seed` (hexadecimal, random) are made by the caller; `teams` empty: whoever serves the cell.
    """

    id: str
    seed: str
    count: int
    pool: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    within_min: float = 120.0


def is_planned(connection: Connection, planner: RoundPlanner, rules: SiteRules, now_s: float) -> bool:
    """Whether `replan` would change nothing. Reads only."""
    wanted = _wanted(connection, planner, rules, now_s)
    new, changed, gone = _compare(connection, wanted, now_s)
    return not (new or changed or gone)


def replan(connection: Connection, planner: RoundPlanner, rules: SiteRules, now_s: float) -> list[Round]:
    """Write down what is planned until `AHEAD_S` from now; the rounds that are new or changed. The caller commits.

    A round on which something was done stays as it was told. One that has begun keeps its times, but may get another team.
    """
    plan = _wanted(connection, planner, rules, now_s)
    new, changed, gone = _compare(connection, plan, now_s)
    if new:
        connection.execute(insert(rounds), [_row(each, rules, now_s) for each in new])
    for each in changed:
        connection.execute(update(rounds).where(rounds.c.id == each.id).values(_row(each, rules, now_s)))
    if gone:
        connection.execute(delete(rounds).where(rounds.c.id.in_(gone)))
    _write_draws(connection, plan.draws, now_s)
    return [*new, *changed]


def add_draw(
    connection: Connection, asked: WantedDraw, planner: RoundPlanner, rules: SiteRules, by: Actor, now_s: float
) -> tuple[Draw, list[Round]]:
    """Draw, and make the rounds of it, once by the id; the draw and its rounds. Raises CommandError. The caller commits."""
    known = connection.execute(select(draws).where(draws.c.id == asked.id)).mappings().first()
    if known is None:
        inspection = _inspection(asked, rules)
        pool = tuple(sorted(point.id for point in planner.pool(inspection)))
        if not pool:
            raise CommandError("pool: this site has no key node to draw from; name the checkpoints")
        drawn = draw_checkpoints(pool, asked.count, asked.seed)
        draw = Draw(asked.id, "", asked.seed, pool, asked.count, drawn, now_s, now_s, by.name)
        changes = read_changes_around(connection, rules.grid.site, now_s)
        day = datetime.fromtimestamp(now_s, UTC).astimezone(rules.grid.site.zone_info).date()
        planned = planner.inspect(draw, inspection, day, now_s, planner.duties_around(changes, now_s))
        connection.execute(insert(draws), draw_row(draw))
        connection.execute(insert(rounds), [_row(each, rules, now_s) for each in planned])
        add_audit(connection, by, "draw_inspection", f"draw/{draw.id}", f"{len(drawn)} of {len(pool)}", now_s)
        return draw, planned
    mine = select(rounds).where(rounds.c.draw == asked.id).order_by(rounds.c.id)
    return draw_of(known), [round_of(row) for row in connection.execute(mine).mappings()]


def read_draws(connection: Connection, now_s: float, limit: int, before: str | None, area: Area | None = None) -> list[Draw]:
    """The draws that were announced by `now_s`, newest first, those after `before` of the previous page."""
    query = select(draws).where(draws.c.announced_s <= now_s, *draws_of(area))
    query = query.order_by(draws.c.announced_s.desc(), draws.c.id).limit(limit)
    last = connection.execute(select(draws).where(draws.c.id == before)).first() if before else None
    if last is not None:
        same = (draws.c.announced_s == last.announced_s) & (draws.c.id > last.id)
        query = query.where(or_(draws.c.announced_s < last.announced_s, same))
    return [draw_of(row) for row in connection.execute(query).mappings()]


def add_temporary(
    connection: Connection,
    asked: TemporaryStop,
    planner: RoundPlanner,
    rules: SiteRules,
    by: Actor,
    now_s: float,
    area: Area | None = None,
) -> TemporaryStop:
    """Store a temporary stop, once by its id, and make its rounds. Raises CommandError. The caller commits."""
    known = connection.execute(select(temporary_stops).where(temporary_stops.c.id == asked.id)).mappings().first()
    if known is not None:
        stored = temporary_of(known)
        said = (stored.place, stored.why, stored.until_s, stored.team, stored.repeat_min)
        if said != (asked.place, asked.why, asked.until_s, asked.team, asked.repeat_min):
            raise CommandError(f"the id {asked.id} was already used for another stop; every stop needs an id of its own")
        return stored
    where = rules.grid.locate_point(asked.place)
    if where is None or not (area is None or area.holds(where.grid_cell, where.community)):
        raise CommandError("the place lies outside of the sub-district")
    check_text("why", asked.why, WHY_MAX)
    if not asked.why.strip():
        raise CommandError("why: a temporary stop needs a reason, which its team reads")
    if not now_s < asked.until_s <= now_s + LONGEST_STOP_S:
        raise CommandError(f"until: expected a time within {LONGEST_STOP_S / 86_400:.0f} days from now")
    if asked.repeat_min is not None and asked.repeat_min < SHORTEST_REPEAT_MIN:
        raise CommandError(f"repeat_min: expected at least {SHORTEST_REPEAT_MIN:.0f} minutes")
    if asked.team and asked.team not in rules.grid.site.team_by_id:
        raise CommandError(f"team: there is no team {asked.team} on this site")
    stop = replace(asked, grid_cell=where.grid_cell, by=by.name, made_s=now_s)
    connection.execute(insert(temporary_stops), stop_row(stop))
    add_audit(connection, by, "add_temporary_stop", f"temporary_stop/{stop.id}", stop.why, now_s)
    replan(connection, planner, rules, now_s)
    return stop


def withdraw_temporary(
    connection: Connection, stop: str, planner: RoundPlanner, rules: SiteRules, by: Actor, now_s: float
) -> TemporaryStop | None:
    """Call a stop off with the rounds that wait for it; None if there is none. The caller commits."""
    stored = read_stop(connection, stop)
    if stored is None or stored.withdrawn_s is not None or stored.until_s <= now_s:
        return stored
    by_id = update(temporary_stops).where(temporary_stops.c.id == stop)
    connection.execute(by_id.values(withdrawn_s=now_s, withdrawn_by=by.name))
    mine = select(rounds).where(rounds.c.source == stop, rounds.c.opens_s <= now_s)
    planned = [round_of(each) for each in connection.execute(mine).mappings().all()]
    for before in read_rounds_now(connection, planned, rules, now_s):
        withdraw(connection, before, f"{by.name}: {stored.why}", rules, now_s)
    replan(connection, planner, rules, now_s)
    add_audit(connection, by, "withdraw_temporary_stop", f"temporary_stop/{stop}", stored.why, now_s)
    return replace(stored, withdrawn_s=now_s, withdrawn_by=by.name)


def read_stop(connection: Connection, stop: str) -> TemporaryStop | None:
    """One temporary stop by its id."""
    row = connection.execute(select(temporary_stops).where(temporary_stops.c.id == stop)).mappings().first()
    return None if row is None else temporary_of(row)


def read_temporary(connection: Connection, now_s: float | None, area: Area | None = None) -> list[TemporaryStop]:
    """The stops that are asked for at `now_s`, oldest first; None: all there ever were."""
    query = select(temporary_stops).where(*temporary_stops_of(area)).order_by(temporary_stops.c.made_s, temporary_stops.c.id)
    if now_s is not None:
        query = query.where(temporary_stops.c.until_s > now_s, temporary_stops.c.withdrawn_s.is_(None))
    return [temporary_of(row) for row in connection.execute(query).mappings()]


def _inspection(asked: WantedDraw, rules: SiteRules) -> Inspection:
    unknown = [point for point in asked.pool if point not in rules.grid.site.checkpoint_by_id]
    unknown += [team for team in asked.teams if team not in rules.grid.site.team_by_id]
    if unknown:
        raise CommandError(f"there is no checkpoint or team {unknown[0]} on this site")
    if asked.count < 1:
        raise CommandError("count: expected at least one checkpoint to draw")
    return Inspection(asked.id, _DRAW_NAME, checkpoints=asked.pool, teams=asked.teams, within_min=asked.within_min)


def _wanted(connection: Connection, planner: RoundPlanner, rules: SiteRules, now_s: float) -> Plan:
    changes = read_changes_around(connection, rules.grid.site, now_s)
    plan = planner.plan(changes, read_temporary(connection, now_s), now_s - BACK_S, now_s + AHEAD_S)
    coming = tuple(each for each in plan.rounds if min(stop.until_s for stop in each.stops) > now_s)
    drawn = {each.draw for each in coming}
    return Plan(coming, tuple(draw for draw in plan.draws if draw.id in drawn))


def _compare(connection: Connection, plan: Plan, now_s: float) -> tuple[list[Round], list[Round], list[str]]:
    """What is to be added and changed, and the ids of what is to be taken away."""
    begun = select(round_entries.c.round).where(round_entries.c.round == rounds.c.id).exists()
    ids = [each.id for each in plan.rounds]
    ahead = select(rounds, begun.label("begun")).where(rounds.c.closes_s > now_s, rounds.c.due_s < now_s + AHEAD_S)
    stored = {row["id"]: row for row in connection.execute(ahead).mappings()}
    over = set(connection.scalars(select(rounds.c.id).where(rounds.c.id.in_(ids), rounds.c.closes_s <= now_s)))
    new, changed = [], []
    for each in plan.rounds:
        row = stored.get(each.id)
        if row is None:
            if each.id not in over:
                new.append(each)
        elif row["state"] == RoundState.DUE.value and not row["begun"]:
            known = round_of(row)
            wanted = each if known.opens_s > now_s else replace(known, team=each.team, travels=each.travels)
            if wanted != known:
                changed.append(wanted)
    planned = set(ids)
    gone = [name for name, row in stored.items() if name not in planned and row["opens_s"] > now_s and not row["begun"]]
    return new, changed, gone


def _write_draws(connection: Connection, wanted: Sequence[Draw], now_s: float) -> None:
    """Draws that were announced stay as they are; others follow the site until then."""
    stored = {row.id: row.announced_s for row in connection.execute(select(draws).where(draws.c.id.in_([d.id for d in wanted])))}
    for draw in wanted:
        if draw.id not in stored:
            connection.execute(insert(draws), draw_row(draw))
        elif stored[draw.id] > now_s:
            connection.execute(update(draws).where(draws.c.id == draw.id).values(draw_row(draw)))
    still = delete(draws).where(draws.c.announced_s > now_s, draws.c.id.not_in([draw.id for draw in wanted]))
    connection.execute(still)


def _row(planned: Round, rules: SiteRules, now_s: float) -> dict[str, object]:
    result = evaluate(planned, (), now_s, rules.grid.site.rounds.geofence_m, rules.grid.travel)
    return plan_row(planned) | result_row(result)
