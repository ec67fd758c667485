"""The ledger of gaps: workers report, workers are lost, and every second of a camera is seen or has its gap."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from base import Gap, GapCause
from fleet.gap_ledger import GapLedger


def gap(began_s: float, ended_s: float | None = None, cause: GapCause = GapCause.STALL) -> Gap:
    return Gap("c1", began_s, ended_s, cause)


def test_what_workers_report_is_passed_on_and_counted() -> None:
    ledger = GapLedger()
    assert ledger.report([gap(10)]) == [gap(10)] and ledger.open == {"c1": gap(10)}
    assert ledger.report([gap(10, 14)]) == [gap(10, 14)] and ledger.open == {}
    assert ledger.report([gap(20, 23)]) == [gap(20, 23)], "a pause, known only when it was over"
    assert ledger.ended_s == {GapCause.STALL: 7}


def test_a_lost_worker_is_a_gap_until_the_next_one_begins_to_report() -> None:
    ledger = GapLedger()
    assert ledger.lose(["c1"], 100.0) == [gap(100, None, GapCause.WORKER)]
    assert ledger.lose(["c1"], 130.0) == [], "lost again before it reported anything"
    told = ledger.report([gap(140, None, GapCause.STARTING)])
    assert told == [gap(100, 140, GapCause.WORKER), gap(140, None, GapCause.STARTING)]


def test_a_gap_that_was_open_when_its_worker_was_lost_ends_there() -> None:
    ledger = GapLedger()
    ledger.report([gap(90, None, GapCause.CONNECT)])
    assert ledger.lose(["c1"], 100.0) == [gap(90, 100, GapCause.CONNECT), gap(100, None, GapCause.WORKER)]


def test_a_gap_reported_just_before_goes_on_as_the_workers() -> None:
    ledger = GapLedger()
    ledger.report([gap(100, None, GapCause.CONNECT)])
    assert ledger.lose(["c1"], 100.0) == [gap(100, None, GapCause.WORKER)]


def test_the_time_before_this_run_ends_with_the_first_report() -> None:
    ledger = GapLedger()
    ledger.expect([gap(5, None, GapCause.SITE_STOPPED)])
    assert ledger.lose(["c1"], 50.0) == []
    assert ledger.report([gap(60, 61, GapCause.STARTING)]) == [gap(5, 60, GapCause.SITE_STOPPED), gap(60, 61, GapCause.STARTING)]
    assert ledger.ended_s == {GapCause.SITE_STOPPED: 55, GapCause.STARTING: 1}


@given(st.lists(st.tuples(st.sampled_from(["seen", "not seen", "lost"]), st.floats(0.5, 100)), max_size=40))
def test_gaps_follow_each_other_and_add_up(script: list[tuple[str, float]]) -> None:
    """A worker as it is: begins with a gap when it comes up, and control hears of everything 0.1 s later, or never."""
    ledger, stored = GapLedger(), dict[float, Gap]()

    def store(changed: list[Gap]) -> None:
        stored.update((each.began_s, each) for each in changed)

    now_s = began_s = 1000.0
    mine: Gap | None = gap(now_s, None, GapCause.STARTING)
    store(ledger.report([gap(now_s, None, GapCause.STARTING)]))
    seen_s = 0.0
    for what, seconds in script:
        now_s += seconds
        if mine is None:
            seen_s += seconds
        if what == "lost":
            heard_s = now_s
            store(ledger.lose(["c1"], heard_s))
            now_s += 2.0  # until the next worker is up
            mine = gap(now_s, None, GapCause.STARTING)
            store(ledger.report([mine]))
        elif what == "seen" and mine is not None:
            store(ledger.report([gap(mine.began_s, now_s, mine.cause)]))
            mine = None
        elif what == "not seen" and mine is None:
            mine = gap(now_s)
            store(ledger.report([mine]))
    found = [stored[key] for key in sorted(stored)]
    assert all(each.ended_s is not None and each.ended_s <= later.began_s for each, later in itertools.pairwise(found))
    not_seen_s = sum((now_s if each.ended_s is None else each.ended_s) - each.began_s for each in found)
    assert seen_s + not_seen_s == pytest.approx(now_s - began_s)
    ended_s = sum(each.ended_s - each.began_s for each in found if each.ended_s is not None)
    assert sum(ledger.ended_s.values()) == pytest.approx(ended_s)
