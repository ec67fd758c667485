"""The proposed team against a slow, obvious twin; and the words that come with it."""

import dataclasses
import itertools
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from base import TransitionError
from camera_config.site import Name, Site, TravelMode
from patrol import (
    FRESH_S,
    REACH_M,
    Grid,
    Incident,
    TeamState,
    TeamStatus,
    Work,
    distance_m,
    ensure_free,
    open_incident,
    propose,
    status_of,
)
from patrol.travel import DETOUR, SPEED_M_S
from tests.patrol.small_site import NOON_S, intrusion, small_site

SITE = small_site()
GRID = Grid(SITE)


def incident_at(camera: str, grid: Grid = GRID) -> Incident:
    return open_incident(intrusion(camera), "i", 1, grid.locate(camera), NOON_S)[0]


def states(changes: Mapping[str, dict[str, object]] | None = None, site: Site = SITE) -> dict[str, TeamState]:
    """Everybody on shift, free, at its post, except as said by team id."""
    free = {team.id: TeamState(team.id, TeamStatus.AVAILABLE, True) for team in site.teams}
    return {
        name: dataclasses.replace(state, **(changes or {}).get(name, {}))  # type: ignore[arg-type]  # given by the tests below
        for name, state in free.items()
    }


BUSY: dict[str, object] = {"status": TeamStatus.EN_ROUTE, "incident": "j", "incident_number": 5}
OFF: dict[str, object] = {"status": TeamStatus.OFF_SHIFT, "on_shift": False}


def test_cells_that_share_an_edge_are_adjacent() -> None:
    assert {cell: GRID.adjacent(cell) for cell in ("g1", "g2", "g3", "g4")} == {
        "g1": {"g2"},
        "g2": {"g1", "g3"},
        "g3": {"g2"},
        "g4": set(),
    }
    assert GRID.adjacent("nowhere") == set()


def test_distance_of_one_degree_of_latitude() -> None:
    assert distance_m((120.0, 30.0), (120.0, 31.0)) == pytest.approx(111_195, abs=1)
    assert distance_m((120.0, 30.0), (120.0, 30.0)) == 0.0


HERE: dict[str, object] = {"position": (120.002, 30.002), "position_at_s": NOON_S - 240}
STALE: dict[str, object] = {"position": (120.002, 30.002), "position_at_s": NOON_S - FRESH_S - 1}
AWAY: dict[str, object] = {"position": (120.0045, 30.004), "position_at_s": NOON_S}
NEARBY: dict[str, object] = {"position": (120.0021, 30.002), "position_at_s": NOON_S}

# (what differs from everybody being free, proposed team, words of the reason in English and Chinese)
CHOICES: list[tuple[dict[str, dict[str, object]], str, str, str]] = [
    ({}, "t1", "free and on shift in this grid cell, its post about 0 m away", "本网格在班空闲"),
    ({"t1": BUSY}, "t2", "free and on shift in this grid cell, its post about 193 m away", "驻点距现场约 193 米"),
    (
        {"t1": BUSY, "t2": OFF},
        "t3",
        "Team t1 busy, Team t2 off shift; free and on shift in the adjacent grid cell Cell g2",
        "t1队处置中、t2队不在班；相邻网格“g2网格”在班空闲",
    ),
    ({"t1": BUSY, "t2": OFF, "t3": BUSY}, "t4", "nearest free team on shift beyond the adjacent cells", "较近的在班空闲队伍"),
    # A fresh position beats the post ...
    ({"t2": HERE, "t1": AWAY}, "t2", "about 0 m away (position 4 min old)", "距现场约 0 米（4 分钟前定位）"),
    # ... and a team that said where it is, but too long ago, is not proposed.
    ({"t2": STALE, "t1": {"load": 9}}, "t1", "dispatched 9× in the last 12 h", "近 12 小时已派 9 次"),
    (
        {"t1": STALE, "t2": STALE},
        "t3",
        "Team t1's position older than 30 min, Team t2's position older than 30 min; free and on shift",
        "t1队定位已超过 30 分钟、t2队定位已超过 30 分钟；相邻网格",
    ),
    # Equally near: the one that was sent less often.
    ({"t2": NEARBY, "t1": {"load": 1}}, "t2", "about 10 m away (position just now)", "（刚刚定位）"),
]


@pytest.mark.parametrize(("changes", "team", "en", "zh"), CHOICES)
def test_proposal_prefers_own_cell_then_adjacent_then_near_then_least_loaded(
    changes: dict[str, dict[str, object]], team: str, en: str, zh: str
) -> None:
    proposal = propose(incident_at("c1"), GRID, states(changes), NOON_S)
    assert proposal.team == team
    assert en in proposal.reason.en
    assert zh in proposal.reason.zh
    assert proposal.shortfall is None
    assert proposal.escalate_to == ""


def test_alternatives_come_in_order_with_reasons_and_without_the_proposed() -> None:
    proposal = propose(incident_at("c1"), GRID, states(), NOON_S)
    assert [each.team for each in proposal.alternatives] == ["t2", "t3", "t4", "t5"]
    assert all(each.reason.en and each.reason.zh for each in proposal.alternatives)


def test_a_team_that_refused_is_neither_proposed_nor_an_alternative() -> None:
    proposal = propose(incident_at("c1"), GRID, states(), NOON_S, frozenset({"t1", "t3"}))
    assert proposal.team == "t2"
    assert [each.team for each in proposal.alternatives] == ["t4", "t5"]
    proposal = propose(incident_at("c1"), GRID, states(), NOON_S, frozenset({"t1", "t2"}))
    assert "Team t1 refused, Team t2 refused" in proposal.reason.en


EVERYBODY = ("t1", "t2", "t3", "t4", "t5")
# (states, refused, why in English, in Chinese)
SHORTFALLS: list[tuple[dict[str, dict[str, object]], tuple[str, ...], str, str]] = [
    (dict.fromkeys(EVERYBODY, OFF), (), "nobody is on shift", "当前无队伍在班"),
    (dict.fromkeys(EVERYBODY, BUSY), (), "all teams on shift are busy (5)", "在班队伍均在处置中（5 支）"),
    (
        dict.fromkeys(EVERYBODY[1:], OFF) | {"t1": STALE},
        (),
        "4 off shift, 1 with positions older than 30 min, ask Team t1 by radio",
        "4 支不在班、1 支定位已超过 30 分钟、请用电台呼叫t1队",
    ),
    ({"t1": OFF} | dict.fromkeys(EVERYBODY[1:], BUSY), (), "all teams on shift are busy (4)", "在班队伍均在处置中（4 支）"),
    ({}, EVERYBODY, "5 refused", "5 支已退单"),
    (
        dict.fromkeys(EVERYBODY[2:], BUSY) | {"t2": OFF},
        ("t1",),
        "1 refused, 3 busy, 1 off shift",
        "1 支已退单、3 支处置中、1 支不在班",
    ),
]


@pytest.mark.parametrize(("changes", "refused", "en", "zh"), SHORTFALLS)
def test_with_nobody_to_send_the_proposal_says_why_and_who_decides(
    changes: dict[str, dict[str, object]], refused: tuple[str, ...], en: str, zh: str
) -> None:
    proposal = propose(incident_at("c1"), GRID, states(changes), NOON_S, frozenset(refused))
    assert (proposal.team, proposal.alternatives) == ("", ())
    assert proposal.shortfall is not None
    assert proposal.shortfall.en == f"{en}; escalate to the responsible person of Cell g1 (post 1)"
    assert proposal.shortfall.zh == f"{zh}；上报g1网格责任人（post 1）"
    assert proposal.escalate_to == "g1"


def test_escalation_climbs_to_the_community_and_the_sub_district() -> None:
    nobody = states(dict.fromkeys(EVERYBODY, OFF))
    assert propose(incident_at("c2"), GRID, nobody, NOON_S).escalate_to == "m1"
    assert propose(incident_at("gone"), GRID, nobody, NOON_S).escalate_to == "d"
    bare = Grid(dataclasses.replace(SITE, places=(), teams=()))
    proposal = propose(incident_at("gone"), bare, {}, NOON_S)
    assert proposal.shortfall == Name("本辖区未配置队伍；请值班负责人决定", "no teams are configured; the duty officer decides")


def test_a_team_too_far_away_is_not_proposed() -> None:
    far = dataclasses.replace(SITE, teams=(dataclasses.replace(SITE.teams[4], home=(120.1, 30.002)),))
    proposal = propose(incident_at("c1"), Grid(far), states(site=far), NOON_S)
    assert proposal.shortfall is not None
    assert proposal.shortfall.en.startswith("1 more than 5 km away")


def test_an_incident_without_a_place_still_gets_somebody() -> None:
    proposal = propose(incident_at("gone"), GRID, states({"t1": {"load": 1}}), NOON_S)
    assert proposal.team == "t2"
    assert proposal.reason.en == "the place belongs to no grid cell; nearest free team on shift beyond the adjacent cells"


def test_a_busy_team_cannot_be_dispatched_again_and_an_unknown_one_never() -> None:
    known = states({"t1": BUSY, "t2": OFF})
    with pytest.raises(TransitionError, match="team t1 is en_route for incident 5; choose another team"):
        ensure_free("t1", "i", known)
    with pytest.raises(TransitionError, match="no team 'nobody' on this site; teams are t1, t2, t3, t4, t5"):
        ensure_free("nobody", "i", known)
    ensure_free("t2", "i", known)
    ensure_free("t1", "j", known)


def test_a_team_keeps_its_status_when_its_shift_ends_on_the_way() -> None:
    assert status_of(Work.EN_ROUTE, False) is TeamStatus.EN_ROUTE
    assert status_of(None, False) is TeamStatus.OFF_SHIFT
    assert status_of(Work.REPORTED, True) is TeamStatus.AVAILABLE
    assert set(TeamStatus) == {status_of(work, shift) for work, shift in itertools.product(Work, (True, False))}


def slow_twin(incident: Incident, known: dict[str, TeamState], refused: frozenset[str]) -> str:
    """The rule as a person would say it, without any index.

    On this site everybody walks, nobody rests, no ways are drawn, and each team has one cell.
    """
    able = [team for team in SITE.teams if known[team.id].on_shift and not known[team.id].incident and team.id not in refused]
    neighbours = {"g1": ["g2"], "g2": ["g1", "g3"], "g3": ["g2"], "g4": []}[incident.grid_cell]
    may_go: list[tuple[int, float, int, str]] = []
    for team in able:
        state = known[team.id]
        if state.position_at_s is not None and NOON_S - state.position_at_s > 1800:
            continue
        where = state.position or team.home
        metres = distance_m(where, (incident.lon or 0.0, incident.lat or 0.0))
        tier = 0 if incident.grid_cell in team.grid_cells else 1 if set(neighbours) & set(team.grid_cells) else 2
        if tier == 2 and metres > REACH_M:
            continue
        may_go.append((tier, metres * DETOUR / SPEED_M_S[team.travels], state.load, team.id))
    nearest = [each for each in may_go if each[0] == min(may_go)[0]]
    soonest_s = min((each[1] for each in nearest), default=0.0)
    early = [each for each in nearest if each[1] - soonest_s < 120]
    return min(early, key=lambda each: each[2:])[3] if early else ""


def test_guards_whose_own_ground_it_is_go_before_a_car_that_is_hardly_sooner() -> None:
    """The car of t9 looks after all cells; from 386 m away it needs 91 s to c1, from 241 m 57 s; t2 needs 193 s."""
    guards = SITE.team_by_id["t2"]
    car = dataclasses.replace(
        guards, id="t9", name=Name("警务站", "Police post"), grid_cells=("g1", "g2", "g3", "g4"), travels=TravelMode.DRIVE
    )
    for home, expected in (((120.006, 30.002), "t2"), ((120.0045, 30.002), "t9")):
        site = dataclasses.replace(SITE, teams=(dataclasses.replace(car, home=home), *SITE.teams))
        proposal = propose(incident_at("c1"), Grid(site), states({"t1": BUSY, "t2": {"load": 3}}, site), NOON_S)
        assert proposal.team == expected
    site = dataclasses.replace(SITE, teams=(dataclasses.replace(car, home=(120.006, 30.002)), *SITE.teams))
    reason = propose(incident_at("c1"), Grid(site), states({"t1": BUSY}, site), NOON_S).reason
    assert reason.en.endswith("; Police post would be there only 102 s sooner, and this team is there for one grid cell, not 4")
    assert reason.zh.endswith("；警务站只早到 102 秒，而本队专责 1 个网格（对方 4 个）")


team_state: st.SearchStrategy[dict[str, object]] = st.builds(
    dict,
    on_shift=st.booleans(),
    incident=st.sampled_from(["", "", "j"]),
    position=st.tuples(st.floats(119.9, 120.1), st.floats(29.99, 30.01)),
    position_at_s=st.floats(NOON_S - 4000, NOON_S + 1),
    load=st.integers(0, 2),
)


@settings(max_examples=200, deadline=None)
@given(
    camera=st.sampled_from(["c1", "c2", "c3", "c4"]),
    facts=st.fixed_dictionaries(dict.fromkeys(EVERYBODY, team_state)),
    refused=st.frozensets(st.sampled_from(EVERYBODY), max_size=2),
)
def test_proposal_agrees_with_the_slow_twin_and_is_deterministic(
    camera: str, facts: dict[str, dict[str, object]], refused: frozenset[str]
) -> None:
    incident, known = incident_at(camera), states(facts)
    proposal = propose(incident, GRID, known, NOON_S, refused)
    assert proposal.team == slow_twin(incident, known, refused)
    assert proposal == propose(incident, GRID, dict(reversed(known.items())), NOON_S, refused)
    assert (proposal.shortfall is None) == bool(proposal.team)
    for team in filter(None, (proposal.team, *(each.team for each in proposal.alternatives))):
        assert known[team].on_shift
        assert not known[team].incident
        assert team not in refused
