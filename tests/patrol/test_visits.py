"""What becomes of a round: properties over random histories, and the cases by hand."""

from dataclasses import replace
from itertools import combinations
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_config.round_rules import Order
from camera_config.site import Point, TravelMode, Way
from patrol.rounds import Act, Proof, Round, RoundEntry, RoundFlag, RoundState
from patrol.travel import Travel
from patrol.visits import FASTEST_M_S, Finding, RoundResult, StopState, evaluate
from tests.patrol.round_site import METRE_DEG, entry, planned, round_site, route, visit
from tests.patrol.small_site import NOON_S

MINUTE = 60.0
[WALK] = planned(round_site(route()))
[FREE] = planned(round_site(route(order=Order.FREE)))


def result(entries: list[RoundEntry], minutes: float, walk: Round = WALK, ways: tuple[Way, ...] = ()) -> RoundResult:
    return evaluate(walk, entries, NOON_S + minutes * MINUTE, 50.0, Travel(ways))


def at(walk: Round, **minutes: float) -> list[RoundEntry]:
    return [visit(walk, name, NOON_S + minute * MINUTE) for name, minute in minutes.items()]


def findings(entries: list[RoundEntry], walk: Round = WALK) -> dict[str, tuple[Finding, ...]]:
    return {each.stop.checkpoint: each.findings for each in result(entries, 200, walk).stops if each.findings}


def test_a_round_is_due_until_somebody_begins_and_missed_if_nobody_does() -> None:
    assert result([], -60).state is RoundState.DUE
    assert result([], 14).state is RoundState.DUE
    assert result([], 30).state is RoundState.DUE  # two stops are missed, the round can still be begun
    assert [each.state for each in result([], 30).stops] == [StopState.MISSED, StopState.MISSED, StopState.OPEN, StopState.OPEN]
    assert result([], 45).state is RoundState.MISSED
    assert result([entry(WALK, Act.START, NOON_S)], 1).state is RoundState.UNDER_WAY
    assert result([entry(WALK, Act.START, NOON_S)], 45).state is RoundState.MISSED  # begun, and nobody was anywhere


def test_a_round_in_time_is_completed_when_its_last_stop_is() -> None:
    entries = at(WALK, k1=0, k2=10, k3=20, k4=30)
    for number in range(4):
        assert result(entries[:number], 10 * number).is_open
    done = result(entries, 30)
    assert (done.state, done.started_s, done.ended_s, done.look_s) == (RoundState.COMPLETED, NOON_S, NOON_S + 1800, None)
    assert (done.figures.visited, done.figures.on_time, done.figures.odd, done.figures.completion) == (4, 4, 0, 1.0)


def test_early_late_and_the_edges_of_the_grace() -> None:
    assert findings(at(WALK, k1=-10, k2=25)) == {}  # 10 minutes before, 15 after: still in time
    assert findings(at(WALK, k2=-0.1)) == {"k2": (Finding.EARLY,)}
    assert findings(at(WALK, k1=15.1)) == {"k1": (Finding.LATE,)}
    late = result(at(WALK, k1=0, k2=10, k3=20, k4=50), 60)
    assert (late.state, late.figures.late, late.figures.on_time) == (RoundState.COMPLETED, 1, 3)


def test_a_stop_falls_due_at_the_end_of_its_own_grace() -> None:
    assert result([], -60).look_s == NOON_S + 15 * MINUTE
    assert result(at(WALK, k1=0), 1).look_s == NOON_S + 25 * MINUTE
    just = result([], 15)
    assert just.stops[0].state is StopState.MISSED
    assert result([entry(WALK, Act.MISSED, NOON_S + 15 * MINUTE, "k1")], 15).look_s == NOON_S + 25 * MINUTE


def test_what_was_told_as_missed_stays_so_when_the_clock_steps_back_and_is_made_up_by_a_visit() -> None:
    told = entry(WALK, Act.MISSED, NOON_S + 15 * MINUTE, "k1")
    assert result([told], -3600).stops[0].state is StopState.MISSED
    made_up = result([told, *at(WALK, k1=14)], 20)  # a phone that was offline: in time, though we learned of it later
    assert (made_up.stops[0].state, made_up.stops[0].findings, made_up.stops[0].told) == (StopState.VISITED, (), True)


def test_skips_count_with_their_reason_but_a_round_of_skips_only_is_none() -> None:
    skipped = [entry(WALK, Act.SKIP, NOON_S, name, "flooded") for name in ("k2", "k3", "k4")]
    partly = result([*skipped, *at(WALK, k1=0)], 5)
    assert (partly.state, partly.figures.skipped, partly.stops[1].reason) == (RoundState.COMPLETED, 3, "flooded")
    assert partly.figures.completion == 0.25
    skipped.append(entry(WALK, Act.SKIP, NOON_S, "k1", "flooded"))
    assert result(skipped, 5).state is RoundState.INCOMPLETE
    assert result([*skipped, *at(WALK, k2=10)], 20).stops[1].state is StopState.VISITED  # who comes after all was there


def test_who_finishes_early_leaves_the_others_missed_at_that_moment() -> None:
    finished = result([*at(WALK, k1=0), entry(WALK, Act.FINISH, NOON_S + 5 * MINUTE)], 5)
    assert finished.state is RoundState.INCOMPLETE
    assert {each.until_s for each in finished.stops[1:]} == {NOON_S + 5 * MINUTE}
    assert finished.look_s == NOON_S + 5 * MINUTE  # to be told at once
    withdrawn = result([entry(WALK, Act.WITHDRAWN, NOON_S, reason="camera works again")], 500)
    assert (withdrawn.state, withdrawn.figures.missed, withdrawn.look_s) == (RoundState.WITHDRAWN, 0, None)


@pytest.mark.parametrize(
    ("order", "deviating"),
    [
        ("k1 k2 k3 k4", ""),
        ("k4 k1 k2 k3", "k4"),  # one was too soon, not three too late
        ("k1 k3 k2 k4", "k3"),
        ("k4 k3 k2 k1", "k4 k3 k2"),
        ("k2 k4", ""),  # stops that are left out do not put the others out of order
    ],
)
def test_the_fewest_visits_that_put_a_fixed_order_wrong_deviate(order: str, deviating: str) -> None:
    names = order.split()
    moments = {name: 10.0 * number for number, name in enumerate(names)}
    found = {name for name, odd in findings(at(WALK, **moments)).items() if Finding.OUT_OF_ORDER in odd}
    assert found == set(deviating.split())
    assert not any(Finding.OUT_OF_ORDER in odd for odd in findings(at(FREE, **moments), FREE).values())


def test_too_fast_is_faster_than_anybody_runs_and_the_geofence_is_given_for_positions() -> None:
    metres = 96.3  # from one stop to the next
    seconds = metres / FASTEST_M_S[TravelMode.WALK]
    slow, fast = seconds * 1.02 / MINUTE, seconds * 0.98 / MINUTE
    assert Finding.TOO_FAST not in findings(at(WALK, k1=0, k2=slow)).get("k2", ())
    assert Finding.TOO_FAST in findings(at(WALK, k1=0, k2=fast))["k2"]
    by_position = [visit(WALK, "k1", NOON_S, Proof.POSITION), visit(WALK, "k2", NOON_S + 1, Proof.POSITION)]
    assert Finding.TOO_FAST not in findings(by_position).get("k2", ())  # both may stand in the middle
    assert Finding.TOO_FAST in findings([*by_position, visit(WALK, "k4", NOON_S + 5)])["k4"]


def around(mode: TravelMode, metres: float) -> Way:
    """The way from k1 to k2, 96 m apart: so far north, across, and back."""
    (west, south), (east, _) = WALK.stops[0].place, WALK.stops[1].place
    north = south + metres * METRE_DEG
    corners: tuple[Point, ...] = ((west, south), (west, north), (east, north), (east, south))
    return Way(mode, corners)


@pytest.mark.parametrize(
    ("travels", "ways", "seconds", "too_fast"),
    [
        pytest.param(TravelMode.WALK, (), 30, False, id="straight across, 96 m in 30 s"),
        pytest.param(TravelMode.WALK, (around(TravelMode.WALK, 100),), 30, True, id="round the wall it is 296 m"),
        pytest.param(TravelMode.WALK, (around(TravelMode.WALK, 100),), 80, False, id="which takes 74 s at a run"),
        pytest.param(TravelMode.DRIVE, (around(TravelMode.DRIVE, 100),), 30, False, id="or 14 s by car"),
        pytest.param(TravelMode.DRIVE, (around(TravelMode.DRIVE, 100),), 10, True, id="but not 10"),
        pytest.param(
            TravelMode.DRIVE, (around(TravelMode.DRIVE, 1000), around(TravelMode.WALK, 0)), 30, False, id="or got out and walked"
        ),
    ],
)
def test_too_fast_counts_along_the_ways_of_the_site(
    travels: TravelMode, ways: tuple[Way, ...], seconds: float, too_fast: bool
) -> None:
    walk = replace(WALK, travels=travels)
    found = result(at(walk, k1=0, k2=seconds / MINUTE), 200, walk, ways).stops[1]
    assert (Finding.TOO_FAST in found.findings) == too_fast


def test_what_is_no_proof_is_no_visit_and_of_several_visits_the_first_counts() -> None:
    tried = visit(WALK, "k1", NOON_S, Proof.NONE, flags=(RoundFlag.FAR,))
    assert result([tried], 1).stops[0].state is StopState.OPEN
    twice = [visit(WALK, "k1", NOON_S + 60), visit(WALK, "k1", NOON_S + 30, Proof.RADIO)]
    assert (result(twice, 5).stops[0].at_s, result(twice, 5).stops[0].proof) == (NOON_S + 30, Proof.RADIO)


_MOMENTS = st.integers(-10 * 60, 160 * 60).map(lambda seconds: NOON_S + seconds)
_NAMES = st.sampled_from(["k1", "k2", "k3", "k4"])
_ENTRIES = st.lists(
    st.one_of(
        st.builds(lambda name, s: visit(WALK, name, s), _NAMES, _MOMENTS),
        st.builds(lambda name, s: visit(WALK, name, s, Proof.NONE), _NAMES, _MOMENTS),
        st.builds(lambda name, s: entry(WALK, Act.SKIP, s, name, "wet"), _NAMES, _MOMENTS),
        st.builds(lambda name, s: entry(WALK, Act.MISSED, s, name), _NAMES, _MOMENTS),
        st.builds(lambda s: entry(WALK, Act.FINISH, s), _MOMENTS),
        st.builds(lambda s: entry(WALK, Act.START, s), _MOMENTS),
    ),
    max_size=12,
)


@given(_ENTRIES, st.integers(-30, 300), st.randoms())
def test_the_order_in_which_we_learn_of_things_changes_nothing(entries: list[RoundEntry], minutes: int, rng: Random) -> None:
    shuffled = list(entries)
    rng.shuffle(shuffled)
    assert result(entries, minutes) == result(shuffled, minutes)


@given(_ENTRIES, st.integers(-30, 300), st.integers(0, 300))
def test_time_alone_opens_nothing_and_unvisits_nothing(entries: list[RoundEntry], minutes: int, later: int) -> None:
    before, after = result(entries, minutes), result(entries, minutes + later)
    for one, other in zip(before.stops, after.stops, strict=True):
        assert other.state is one.state or (one.state is StopState.OPEN and other.state is StopState.MISSED)
    assert before.is_open or not after.is_open
    figures = after.figures
    open_stops = sum(each.state is StopState.OPEN for each in after.stops)
    assert figures.visited + figures.skipped + figures.missed + open_stops == figures.stops == 4
    if not after.is_open:
        assert open_stops == 0
        assert after.ended_s is not None


@given(st.permutations(["k1", "k2", "k3", "k4"]), st.integers(0, 4))
def test_deviations_are_as_few_as_can_be(order: list[str], count: int) -> None:
    """Against every subset, in the slow and obvious way."""
    names = order[:count]
    found = findings(at(WALK, **{name: 10.0 * number for number, name in enumerate(names)}))
    deviating = sum(Finding.OUT_OF_ORDER in odd for odd in found.values())
    longest = max(size for size in range(count + 1) for kept in combinations(names, size) if list(kept) == sorted(kept))
    assert deviating == count - longest
