"""Who is proposed, against every team weighed one by one: random incidents, shifts, positions and refusals in the demo district.

The last line is one JSON object: `incidents`; `optimal_rate` (share of proposals that brute force agrees with, teams and order);
`ineligible_proposed` (teams off shift, stale, busy, refused, unable or too far among proposals and alternatives; one called away
for severity 1 counts, unless it is marked); `shortfall_without_reason`; `shortfalls`, `preempting` (how often those came up);
`teams`, `p50_ms`, `p99_ms`, `p99_cpu_ms` (one proposal among that many teams); `machine`. Bars: 1.0, 0, 0, 20 ms with 200 teams.
"""

import argparse
import dataclasses
import json
import random
import time
from collections.abc import Mapping

import numpy as np

from base import Event, EventKind, Tier
from benchmarks._machine import machine
from camera_config import DispatchRules, Matter, Minimum, Need, Rest, Schedule, Site, Team
from camera_config.district import make_district
from camera_config.time_limits import Category
from patrol import Grid, Incident, Proposal, TeamState, TeamStatus, distance_m, open_incident, propose

NOW_S = 1_772_532_000.0  # 2026-03-03 18:00 in Shanghai, a Tuesday: volunteers begin, guards are about to change
BUSY = (TeamStatus.DISPATCHED, TeamStatus.EN_ROUTE, TeamStatus.ON_SCENE)


def measure(incidents: int, teams: int, seed: int) -> dict[str, object]:
    """Proposals for random situations with the district's own teams, then their time with `teams` of them."""
    rng = random.Random(seed)
    site = with_rules(make_district().site)
    grid = Grid(site)
    agreed = ineligible = silent = preempting = shortfalls = 0
    for number in range(incidents):
        now_s = NOW_S + rng.uniform(0, 7 * 86_400)
        incident, states, refused = situation(rng, site, grid, now_s, number)
        proposal = propose(incident, grid, states, now_s, refused)
        expected = by_force(incident, grid, states, now_s, refused)
        agreed += ranked(proposal) == expected[: len(ranked(proposal))] and bool(expected) == bool(proposal.team)
        ineligible += sum(1 for each in ranked(proposal) if each not in expected)
        preempting += proposal.preempts > 0
        if not proposal.team:
            shortfalls += 1
            said = proposal.shortfall
            silent += said is None or not said.zh or not said.en
    took_ms, used_ms = timed(rng, with_teams(site, teams), incidents)
    return {
        "incidents": incidents,
        "optimal_rate": agreed / incidents,
        "ineligible_proposed": ineligible,
        "shortfall_without_reason": silent,
        "shortfalls": shortfalls,
        "preempting": preempting,
        "teams": teams,
        "p50_ms": round(float(np.percentile(took_ms, 50)), 2),
        "p99_ms": round(float(np.percentile(took_ms, 99)), 2),
        "p99_cpu_ms": round(float(np.percentile(used_ms, 99)), 2),
        "machine": machine(),
    }


def with_rules(site: Site) -> Site:
    """The district with rules that come up often enough to be measured."""
    needs = (
        Need(Matter(categories=(Category.FIRE,)), equipment=("extinguisher",)),
        Need(Matter((1,), (Category.TRAFFIC,)), skills=("law_enforcement",)),
    )
    rules = DispatchRules(Rest(3, 4.0, 10.0), needs, minimums=(Minimum((), Schedule.parse("always")),))
    return dataclasses.replace(site, dispatch=rules)


def with_teams(site: Site, count: int) -> Site:
    """The district with `count` teams: its own again and again, under other names."""
    copies = [dataclasses.replace(site.teams[n % len(site.teams)], id=f"team-{n:03d}") for n in range(count)]
    return dataclasses.replace(site, teams=tuple(copies))


def timed(rng: random.Random, site: Site, times: int) -> tuple[list[float], list[float]]:
    """Milliseconds of each of `times` proposals, on the wall and of this thread, which leaves out what others do meanwhile."""
    grid, took_ms, used_ms = Grid(site), list[float](), list[float]()
    for number in range(times):
        incident, states, refused = situation(rng, site, grid, NOW_S, number)
        began_s, thread_s = time.perf_counter(), time.thread_time()
        propose(incident, grid, states, NOW_S, refused)
        took_ms.append(1000 * (time.perf_counter() - began_s))
        used_ms.append(1000 * (time.thread_time() - thread_s))
    return took_ms, used_ms


def situation(
    rng: random.Random, site: Site, grid: Grid, now_s: float, number: int
) -> tuple[Incident, Mapping[str, TeamState], frozenset[str]]:
    """An incident somewhere, every team in some state, and a few that refused; sometimes nearly everybody is away."""
    camera = rng.choice(site.cameras)
    event = Event(
        id=f"e{number}",
        camera=camera.id,
        kind=EventKind.INTRUSION,
        label="person",
        rule="no-entry",
        zone="",
        severity=rng.choice((1, 2, 2, 3, 4)),
        began_s=now_s,
        raised_s=now_s,
        ended_s=None,
        score=0.9,
        box=(0.0, 0.0, 1.0, 1.0),
        seen_by=Tier.KEY_FRAME,
        network="",
    )
    opened, _ = open_incident(event, f"i{number}", number + 1, grid.locate(camera.id), now_s)
    category = rng.choice((Category.PUBLIC_ORDER, Category.PUBLIC_ORDER, Category.FIRE, Category.TRAFFIC))
    scarce = rng.random() < 0.3
    on_shift = grid.roster.on_shift((), now_s)
    states = {team.id: _state(rng, team, team.id in on_shift, now_s, scarce, site) for team in site.teams}
    refused = frozenset(rng.sample(sorted(states), rng.choice((0, 0, 1, 3))))
    return dataclasses.replace(opened, category=category), states, refused


def _state(rng: random.Random, team: Team, on_shift: bool, now_s: float, scarce: bool, site: Site) -> TeamState:
    is_busy = rng.random() < (0.9 if scarce else 0.3)
    place = rng.choice(site.cameras)
    reported = rng.random() < 0.7
    status = rng.choice(BUSY) if is_busy else TeamStatus.AVAILABLE if on_shift else TeamStatus.OFF_SHIFT
    return TeamState(
        team=team.id,
        status=status,
        on_shift=on_shift,
        incident="other" if is_busy else "",
        incident_number=rng.randint(1, 99) if is_busy else 0,
        severity=rng.randint(1, 4) if is_busy else 0,
        supporting=is_busy and rng.random() < 0.2,
        position=(place.lon, place.lat) if reported else None,
        position_at_s=now_s - rng.uniform(0, 3600) if reported else None,
        load=rng.randint(0, 4),
        finished=rng.choice((0, 0, 1, 3)),
        finished_at_s=now_s - rng.uniform(0, 7200) if rng.random() < 0.5 else None,
    )


def ranked(proposal: Proposal) -> list[tuple[str, int]]:
    """The teams proposed, in order, each with the incident it would be called away from."""
    first = [(proposal.team, proposal.preempts)] if proposal.team else []
    return first + [(each.team, each.preempts) for each in proposal.alternatives]


def by_force(
    incident: Incident, grid: Grid, states: Mapping[str, TeamState], now_s: float, refused: frozenset[str]
) -> list[tuple[str, int]]:
    """Every team that may go, best first, by the order of criteria as docs/ref/dispatch.md has it.

    Written from that page and not from the code: one team at a time, a straight line of questions. Only travel times are shared.
    """
    free: list[tuple[bool, int, float, int, int, Team]] = []
    taken: list[tuple[bool, int, float, int, int, Team]] = []
    neighbours = grid.adjacent(incident.grid_cell)
    assert incident.lon is not None
    assert incident.lat is not None
    here = (incident.lon, incident.lat)
    for team in grid.site.teams:
        state = states[team.id]
        if team.id in refused or not state.on_shift:
            continue
        if incident.category is Category.FIRE and "extinguisher" not in team.equipment:
            continue
        if incident.category is Category.TRAFFIC and incident.severity == 1 and "law_enforcement" not in team.skills:
            continue
        where = team.home
        if state.position is not None and state.position_at_s is not None:
            if now_s - state.position_at_s > 30 * 60:
                continue
            where = state.position
        cell = 2
        if incident.grid_cell in team.grid_cells:
            cell = 0
        elif any(each in neighbours for each in team.grid_cells):
            cell = 1
        elif distance_m(where, here) > 5_000:
            continue
        rests = state.finished >= 3 or (state.finished_at_s is not None and now_s - state.finished_at_s < 600)
        seconds = grid.travel.trips(here, [(where, team.travels)])[0].time_s
        facts = (rests and incident.severity > 1, cell, seconds, len(team.grid_cells), state.load, team)
        if not state.incident:
            free.append(facts)
        elif incident.severity == 1 and state.severity > 1 and not state.supporting:
            taken.append(facts)
    found = [(team, 0) for team in _in_order(free)]
    away = sorted(_in_order(taken), key=lambda team: -states[team].severity)  # sorted keeps the order of equals
    return found + [(team, states[team].incident_number) for team in away]


def _in_order(teams: list[tuple[bool, int, float, int, int, Team]]) -> list[str]:
    """Ids of teams by rest, cell, how far behind the first of those, number of cells, load and id."""
    keys = []
    for rests, cell, seconds, cells, load, team in teams:
        soonest = min(each[2] for each in teams if each[:2] == (rests, cell))
        keys.append((rests, cell, int((seconds - soonest) // 120), cells, load, team.id))
    return [key[-1] for key in sorted(keys)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--incidents", type=int, default=1000)
    parser.add_argument("--teams", type=int, default=200)
    parser.add_argument("--seed", type=int, default=727)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    print(json.dumps(measure(arguments.incidents, arguments.teams, arguments.seed)))


if __name__ == "__main__":
    main()
