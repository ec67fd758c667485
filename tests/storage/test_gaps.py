"""Gaps: stored once, closed once, and no time between two runs is forgotten. On both databases."""

import itertools
import math
from collections.abc import Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from base import Gap, GapCause, SimulatedClock
from storage import Store
from tests.patrol.small_site import NOON_S


def gap(began_s: float, ended_s: float | None = None, cause: GapCause = GapCause.STALL, camera: str = "c1") -> Gap:
    return Gap(camera, NOON_S + began_s, None if ended_s is None else NOON_S + ended_s, cause)


def test_a_gap_is_known_by_camera_and_beginning_and_the_newest_record_counts(store: Store) -> None:
    store.record_gaps([gap(0, None, GapCause.CONNECT)])
    store.record_gaps([gap(0, None, GapCause.CREDENTIALS), gap(0, 5, camera="c2")])
    assert store.gaps("c1", 0) == [gap(0, None, GapCause.CREDENTIALS)]
    store.record_gaps([gap(0, 30, GapCause.CREDENTIALS), gap(40, None)])
    for _ in range(2):  # told again, also out of order: nothing changes
        store.record_gaps([gap(0, None, GapCause.CONNECT), gap(0, 30, GapCause.CREDENTIALS), gap(40, None)])
        assert store.gaps("c1", 0) == [gap(40, None), gap(0, 30, GapCause.CREDENTIALS)]
    assert store.gaps("c2", 0) == [gap(0, 5, camera="c2")] and store.gaps("c3", 0) == []


def test_gaps_are_asked_for_by_time(store: Store) -> None:
    store.record_gaps([gap(0, 10), gap(20, 30), gap(40, None)])
    assert store.gaps("c1", NOON_S + 10) == [gap(40, None), gap(20, 30)]
    assert store.gaps("c1", NOON_S + 1000) == [gap(40, None)]
    assert store.gaps("c1", 0, limit=2) == [gap(40, None), gap(20, 30)]


def test_what_no_database_holds_is_passed_over(store: Store) -> None:
    store.record_gaps([Gap("c1", math.nan, None, GapCause.STALL), Gap("c1", 1.0, math.inf, GapCause.STALL), gap(1, 2)])
    assert store.gaps("c1", 0) == [gap(1, 2)]


def test_the_first_start_knows_of_no_gap(store: Store) -> None:
    assert store.begin_watch(["c1", "c2"]) == []


def test_after_kill_9_the_time_since_the_last_sign_of_life_is_a_gap(
    open_store: Callable[[], Store], clock: SimulatedClock
) -> None:
    store = open_store()
    store.begin_watch(["c1", "c2", "gone"])
    store.record_gaps([gap(0, 1), gap(0, 1, camera="c2"), gap(2, None, GapCause.CONNECT, "gone"), gap(8, None, camera="c2")])
    clock.advance(10)
    store.keep_watch()
    clock.advance(300)
    store.close()  # nothing more was written

    store = open_store()
    stopped = store.begin_watch(["c1", "c2", "new"])
    assert stopped == [gap(10, None, GapCause.SITE_STOPPED), gap(10, None, GapCause.SITE_STOPPED, "c2")]
    assert store.gaps("c1", 0) == [gap(10, None, GapCause.SITE_STOPPED), gap(0, 1)]
    assert store.gaps("c2", 0)[1:] == [gap(8, 10, camera="c2"), gap(0, 1, camera="c2")], "closed where it was last known"
    assert store.gaps("gone", 0) == [gap(2, 10, GapCause.CONNECT, "gone")] and store.gaps("new", 0) == []


def test_a_gap_that_began_after_the_last_sign_of_life_goes_on_as_not_running(
    open_store: Callable[[], Store], clock: SimulatedClock
) -> None:
    store = open_store()
    store.begin_watch(["c1"])
    store.record_gaps([gap(3, None, GapCause.CONNECT)])
    clock.advance(60)
    store.close()
    assert open_store().begin_watch(["c1"]) == [gap(3, None, GapCause.SITE_STOPPED)]


def test_a_start_that_never_got_far_is_part_of_the_time_not_watched(
    open_store: Callable[[], Store], clock: SimulatedClock
) -> None:
    store = open_store()
    store.begin_watch(["c1"])
    store.record_gaps([gap(0, 1)])
    for began_s in (NOON_S + 1, NOON_S + 60):
        clock.advance(60)
        store.close()
        store = open_store()
        [stopped] = store.begin_watch(["c1"])
        assert stopped == Gap("c1", began_s, None, GapCause.SITE_STOPPED)
    assert [each.ended_s for each in store.gaps("c1", 0)] == [None, NOON_S + 60, NOON_S + 1]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(["alive", "gap", "end", "kill"]), st.floats(0.1, 100)), max_size=25))
def test_however_it_is_killed_gaps_never_overlap_and_the_last_one_tells_the_truth(
    open_store: Callable[[], Store], clock: SimulatedClock, script: list[tuple[str, float]]
) -> None:
    store = open_store()
    camera = f"c{clock.now_s()}"  # the database outlives an example
    store.begin_watch([camera])
    start = Gap(camera, clock.now_s(), None, GapCause.STARTING)
    going_on: Gap | None = start
    store.record_gaps([start])
    for what, seconds in script:
        clock.advance(seconds)
        if what == "alive":
            store.keep_watch()
        elif what == "kill":
            store.close()
            store = open_store()
            [going_on] = store.begin_watch([camera])
        elif what == "gap" and going_on is None:
            going_on = Gap(camera, clock.now_s(), None, GapCause.STALL)
            store.record_gaps([going_on])
        elif what == "end" and going_on is not None:
            store.record_gaps([Gap(camera, going_on.began_s, clock.now_s(), going_on.cause)])
            going_on = None
    found = store.gaps(camera, 0)[::-1]
    store.close()
    assert all(each.ended_s is not None and each.ended_s <= later.began_s for each, later in itertools.pairwise(found))
    assert (found[-1].ended_s is None) == (going_on is not None)
