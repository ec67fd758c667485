"""How the system does: read from processes and workers, kept in the database, and turned into advice."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from base import SimulatedClock, WorkerStats
from dashboard import WorkerState
from dashboard.schemas import iso
from dashboard.system_advice import AdviceCode, advise, disk_full_in_s
from dashboard.vitals import SAMPLE_S, Vitals, thinned
from storage import Store, SystemSample
from tests.dashboard.clip import ClipFleet
from tests.dashboard.room import Room, small_site
from tests.patrol.small_site import NOON_S

DAY_S, GB, MEMORY = 86_400.0, 1e9, 16e9
QUIET = SystemSample(NOON_S, 0.5, 1e9, 8e9, 100 * GB, 1e8, 727, 727, 0.0, 0.0)


class CountingFleet(ClipFleet):
    """A fleet whose one worker has told this."""

    told = WorkerStats()

    def stats(self) -> dict[str, WorkerStats]:
        return {"w0": self.told}


def codes(now: SystemSample, past: list[SystemSample], *workers: WorkerState) -> list[tuple[AdviceCode, bool]]:
    return [(each.code, each.is_urgent) for each in advise(now, past, workers, MEMORY)]


def test_samples_are_means_since_the_one_before_and_a_worker_that_began_anew_counts_from_zero(tmp_path: Path) -> None:
    clock, site = SimulatedClock(NOON_S), small_site(tmp_path)
    store = Store.open(f"sqlite:///{tmp_path}/gridpatrol.db", clock, site)
    fleet = CountingFleet(tuple(site.camera_by_id), clock)
    vitals = Vitals(store, fleet, clock, tmp_path)
    try:
        fleet.told = WorkerStats(not_watched_s=1000.0, watched_budget_s=50.0, outbox_depth=3)
        vitals.look()
        assert vitals.now().not_watched is None and store.system.between(0, NOON_S + DAY_S) == []
        for not_watched_s, budget_s in ((1600.0, 50.0), (150.0, 30.0)):
            clock.advance(SAMPLE_S)
            fleet.told = WorkerStats(not_watched_s=not_watched_s, watched_budget_s=budget_s, outbox_depth=3)
            vitals.look()
        kept = store.system.between(0, NOON_S + DAY_S)
        assert [(each.at_s - NOON_S, each.not_watched, each.over_budget) for each in kept] == [(300, 2.0, 0.0), (600, 0.5, 0.1)]
        assert all(each.outbox == 3 and each.cameras == 3 and each.rss_bytes > 1e6 and each.database_bytes > 1e4 for each in kept)
        assert all(each.disk_free_bytes and each.memory_free_bytes and each.cores is not None for each in kept)
        assert vitals.now().not_watched == pytest.approx(150 / 600), "of a worker that began anew all that it has told"
    finally:
        store.close()


def test_samples_are_kept_for_a_month_and_none_of_a_clock_that_was_wrong(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/gridpatrol.db", SimulatedClock(NOON_S), small_site(tmp_path))
    try:
        for day in (0, 1, 31, 40, 32):
            store.system.add(replace(QUIET, at_s=NOON_S + day * DAY_S))
        assert [(each.at_s - NOON_S) / DAY_S for each in store.system.between(0, 1e11)] == [31, 32]
    finally:
        store.close()


def test_a_picture_keeps_peaks_and_says_where_nothing_is_known() -> None:
    samples = [
        replace(QUIET, at_s=at_s, outbox=outbox, cores=cores) for at_s, outbox, cores in ((0, 0, None), (9, 80, 1.0), (25, 1, 3))
    ]
    found = thinned(samples, 0, 30, 3)
    assert [at_s for at_s, _ in found] == [5, 15, 25] and found[1][1] is None
    first, last = found[0][1], found[2][1]
    assert first is not None and last is not None
    assert (first.outbox, first.cores, first.at_s, last.outbox, last.cores) == (80, 1.0, 5, 1, 3)


def test_a_disk_that_fills_is_told_in_days() -> None:
    past = [replace(QUIET, at_s=NOON_S - hour * 3600, disk_free_bytes=(100 + hour) * GB) for hour in range(48, 0, -1)]
    left_s = disk_full_in_s(past, 72 * GB)  # 1 GB an hour
    assert left_s == pytest.approx(3 * DAY_S)
    [full] = advise(replace(QUIET, disk_free_bytes=72 * GB), past, (), MEMORY)
    assert (full.code, full.is_urgent, full.values) == (AdviceCode.DISK_FULL, True, {"days": 3.0, "gb": 72.0})
    [later] = advise(replace(QUIET, disk_free_bytes=480 * GB), past, (), MEMORY)
    assert (later.is_urgent, later.values["days"]) == (False, 20.0)
    assert advise(replace(QUIET, disk_free_bytes=800 * GB), past, (), MEMORY) == []
    assert disk_full_in_s(past[-6:], 72 * GB) is None, "six hours are no trend"
    assert disk_full_in_s([replace(each, disk_free_bytes=1e9) for each in past], 1e9) is None
    assert disk_full_in_s([replace(each, disk_free_bytes=None) for each in past], 1e9) is None
    assert codes(replace(QUIET, disk_free_bytes=4 * GB), past) == [(AdviceCode.DISK_LOW, True)]
    assert codes(replace(QUIET, disk_free_bytes=None), past) == []


def test_each_trouble_has_its_advice_and_the_urgent_comes_first() -> None:
    recent = [replace(QUIET, at_s=NOON_S - 300 * number) for number in range(12, 0, -1)]
    assert codes(QUIET, recent, WorkerState("w0", 9, 2, NOON_S - 1)) == []
    assert codes(QUIET, recent, WorkerState("w0", 9, 3, NOON_S)) == [(AdviceCode.WORKER_RESTARTS, False)]
    [silent] = advise(QUIET, recent, [WorkerState("w0", 9, 5, NOON_S - 40)], MEMORY)
    assert (silent.code, silent.values) == (AdviceCode.WORKER_SILENT, {"worker": "w0", "seconds": 40, "n": 9})
    assert codes(replace(QUIET, memory_free_bytes=1e9), recent) == [(AdviceCode.MEMORY_LOW, True)]
    waits = [replace(each, outbox=150) for each in recent]
    assert codes(replace(QUIET, outbox=200), waits) == [(AdviceCode.OUTBOX_GROWS, True)]
    assert codes(replace(QUIET, outbox=200), recent) == [], "one look is no trend"
    unseen = [replace(each, not_watched=2.0, over_budget=20.0) for each in recent]
    assert codes(replace(QUIET, notices_dead=2), unseen) == [
        (AdviceCode.NOT_WATCHED, True),
        (AdviceCode.BUDGET_SMALL, False),
        (AdviceCode.NOTICES_DEAD, False),
    ]


def test_an_administrator_is_shown_it(new_room: Callable[..., Room], tmp_path: Path) -> None:
    room = new_room(SimulatedClock(NOON_S), data=tmp_path)
    boss = room.set_up()
    dispatcher = room.person(boss, "wang", "dispatcher")
    found = boss.get("/api/v1/system").json()
    assert found["machine"]["disk_bytes"] > found["figures"]["disk_free_bytes"] > 0
    assert [(each["name"], each["cameras"], each["outbox"]) for each in found["workers"]] == [("w0", 3, 2)]
    assert found["figures"]["online"] == 3 and isinstance(found["advice"], list)
    for back_s in (7000, 3600, 600):
        room.store.system.add(replace(QUIET, at_s=NOON_S - back_s, outbox=back_s))
    history = boss.get("/api/v1/system/history", params={"from": iso(NOON_S - 7200)}).json()
    assert [point["figures"]["outbox"] for point in history["points"] if point["figures"]] == [7000, 3600, 600]
    assert len(history["points"]) == 12 and history["to"] == iso(NOON_S)
    for wrong in ({"from": iso(NOON_S + 1)}, {"from": iso(NOON_S - 40 * DAY_S)}):
        assert boss.get("/api/v1/system/history", params=wrong).status_code == 422
    for path in ("/api/v1/system", "/api/v1/system/history"):
        assert dispatcher.get(path).status_code == 403
