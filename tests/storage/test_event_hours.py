"""Counting by cell and hour of the day in the database, against the same worked out one by one in Python."""

import random
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from base import Event, SimulatedClock
from camera_config.site import Site
from camera_config.time_limits import Category
from patrol import Step, Verdict
from storage import AssessmentOf, Store
from storage.event_hours import spans_of_one_offset
from tests.patrol.small_site import LI, command, intrusion, small_site

BERLIN = ZoneInfo("Europe/Berlin")
FROM_S, TO_S = 1_711_666_800.0, 1_711_926_000.0
"""2024-03-29 to 2024-04-01, midnight to midnight in Berlin, where 2024-03-31 has no hour from 2 to 3."""

CELLS = {"c1": "g1", "c2": "g2", "c3": "g3", "c4": "g4"}


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(FROM_S - 7200)


@pytest.fixture
def site() -> Site:
    return replace(small_site(), timezone="Europe/Berlin")


def hour(at_s: float) -> int:
    return datetime.fromtimestamp(at_s, UTC).astimezone(BERLIN).hour


def table(places: list[tuple[str, float]]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for cell, at_s in places:
        found.setdefault(cell, [0] * 24)[hour(at_s)] += 1
    return found


def test_events_and_incidents_are_counted_as_one_by_one(store: Store, clock: SimulatedClock) -> None:
    chance = random.Random(7)
    edges = [FROM_S, FROM_S - 0.001, TO_S, TO_S - 0.001, 1_711_846_800.0, 1_711_846_799.999]  # the last two: the clocks change
    moments = sorted(edges + [chance.uniform(FROM_S - 7200, TO_S + 7200) for _ in range(70)])
    raised: list[Event] = [intrusion(chance.choice(list(CELLS)), at_s, severity=chance.choice((2, 3))) for at_s in moments]
    for each in raised:
        clock.advance(max(0.0, each.raised_s - clock.now_s()))
        store.record_events([each])
    [drill, double, *others] = store.incidents("all", limit=500)
    store.drills.mark(drill.id, True, "exercise", LI)
    taken = store.apply(command(double, Step.ACKNOWLEDGE, at_s=clock.now_s()))
    store.apply(command(taken, Step.CLOSE, at_s=clock.now_s(), verdict=Verdict.DUPLICATE, cause="the same again"))
    inside = [each for each in raised if FROM_S <= each.raised_s < TO_S]
    whose = {each.id: store.incident_of_event(each.id) for each in inside}
    kept = [each for each in inside if (found := whose[each.id]) is not None and found.id != drill.id]
    asked = AssessmentOf(FROM_S, TO_S, clock.now_s())
    assert store.ledger.hours(asked, of_events=True) == table([(CELLS[each.camera], each.raised_s) for each in kept])
    opened = [each for each in others if FROM_S <= each.opened_s < TO_S]
    assert store.ledger.hours(asked, of_events=False) == table([(each.grid_cell, each.opened_s) for each in opened])
    assert len(opened) > 3
    severe = [each for each in kept if (one := whose[each.id]) is not None and one.severity == 2]
    some = store.ledger.hours(replace(asked, severity=2, category=Category.PUBLIC_ORDER), of_events=True)
    assert some == table([(CELLS[each.camera], each.raised_s) for each in severe])
    area = store.area(("g2",))
    assert set(store.ledger.hours(replace(asked, area=area), of_events=True)) == {"g2"}
    assert store.ledger.hours(replace(asked, as_of_s=FROM_S - 1), of_events=True) == {}, "nothing was recorded by then"


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "America/New_York"])
def test_a_year_is_cut_where_the_clocks_change(zone: str) -> None:
    from_s, to_s = 1_700_000_000.5, 1_700_000_000.5 + 366 * 86_400
    spans = list(spans_of_one_offset(ZoneInfo(zone), from_s, to_s))
    assert spans[0][0] == from_s and spans[-1][1] == to_s
    assert [span[1] for span in spans[:-1]] == [span[0] for span in spans[1:]]
    for begin_s, end_s, offset_s in spans:
        for at_s in (begin_s, (begin_s + end_s) / 2, end_s - 0.001):
            offset = datetime.fromtimestamp(at_s, UTC).astimezone(ZoneInfo(zone)).utcoffset()
            assert offset is not None and offset.total_seconds() == offset_s
