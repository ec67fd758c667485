"""Watch runs: contiguous by camera, across restarts, on both databases."""

import itertools

from base import SimulatedClock, Watched, WatchRun
from storage import Store
from tests.patrol.small_site import NOON_S

MIXED = ((Watched.FULL, 20.0), (Watched.QUIET, 40.0))


def run(began_s: float, ended_s: float | None, state: Watched | None, camera: str = "c1") -> WatchRun:
    ended = None if ended_s is None else NOON_S + ended_s
    return WatchRun(camera, NOON_S + began_s, ended, state, MIXED if state is None else ())


def test_a_run_lasts_until_the_next_begins(store: Store) -> None:
    store.record_watch_runs([run(0, None, Watched.STARTING), run(0, None, Watched.QUIET, "c2")])
    store.record_watch_runs([run(60, None, Watched.QUIET), run(600, 660, None), run(660, None, Watched.BUDGET)])
    found = store.watch_runs("c1", NOON_S, NOON_S + 1000)
    assert found == [
        run(0, 60, Watched.STARTING), run(60, 600, Watched.QUIET), run(600, 660, None), run(660, 1000, Watched.BUDGET),
    ]  # fmt: skip
    assert store.watch_runs("c2", NOON_S + 50, NOON_S + 70) == [run(50, 70, Watched.QUIET, "c2")], "cut to the time asked for"
    assert store.watch_runs("c3", 0, NOON_S) == []
    assert len(store.watch_runs("c1", NOON_S, NOON_S + 1000, limit=2)) == 2


def test_the_same_run_again_is_not_another(store: Store) -> None:
    for state in (Watched.QUIET, Watched.WORKER):
        store.record_watch_runs([run(0, None, state)])
    assert store.watch_runs("c1", NOON_S, NOON_S + 9) == [run(0, 9, Watched.WORKER)]


def test_a_clock_set_back_makes_no_run_negative(store: Store) -> None:
    store.record_watch_runs([run(600, None, Watched.QUIET), run(300, None, Watched.WORKER)])
    found = store.watch_runs("c1", NOON_S, NOON_S + 1000)
    assert found == [run(300, 1000, Watched.WORKER)], "the run that had no time left is empty"


def test_no_second_between_two_runs_of_the_site_is_forgotten(store: Store, clock: SimulatedClock) -> None:
    began_s = clock.now_s()
    store.begin_watch(["c1", "c2"])
    clock.advance(130)
    store.record_watch_runs([WatchRun("c1", began_s + 5, None, Watched.QUIET)])
    store.keep_watch()
    clock.advance(1000)
    store.begin_watch(["c1", "c3"])  # c2 was taken out
    clock.advance(50)
    now_s = clock.now_s()
    for camera, since_s in (("c1", began_s), ("c3", began_s + 1130)):
        runs = store.watch_runs(camera, 0, now_s)
        assert runs[0].began_s == since_s and runs[-1].ended_s == now_s and runs[-1].state is Watched.STARTING
        assert all(before.ended_s == after.began_s for before, after in itertools.pairwise(runs))
    stopped = store.watch_runs("c1", 0, now_s)[-2]
    assert stopped.state is Watched.SITE_STOPPED
    assert 0 <= began_s + 130 - stopped.began_s < 60, "at most a minute too early, never too late"
    last = store.watch_runs("c2", 0, now_s)[-1]
    assert last.state is Watched.SITE_STOPPED and last.ended_s == began_s + 1130
