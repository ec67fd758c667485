"""Crowds and absence, on hand-made tracks; loitering in parts."""

from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from base import Box, EventKind
from camera_config import Rule
from detect.rules import CameraRules, Scene
from detect.track import Track
from tests.detect.stage import LABELS, rule, scene, walker

SCENE = Scene(scene(), scene)
SQUARE = ((0.2, 0.4), (0.8, 0.4), (0.8, 0.9), (0.2, 0.9))


def rules_of(one: Rule) -> CameraRules:
    return CameraRules([one], ZoneInfo("UTC"), LABELS)


def track(number: int, box: Box) -> Track:
    return Track(number, box, float(number), 0.0, np.array((0.9, 0.05, 0.05), np.float32), confirmed=True)


def people(count: int) -> list[Track]:
    return [track(number, walker(0.25 + 0.05 * number)) for number in range(count)]


def crowd(count: int = 0, density: float = 0.0) -> CameraRules:
    return rules_of(
        rule(kind=EventKind.CROWD, zone=SQUARE, count=count, density=density, dwell_s=2.0, leave_s=1.0, dead_time_s=0.0)
    )


def test_so_many_for_so_long_are_a_crowd_once() -> None:
    rules = crowd(count=4)
    assert [f for t in range(50) for f in rules.update(t / 10, people(3), SCENE)] == []
    found = [(t / 10, f) for t in range(50, 150) for f in rules.update(t / 10, people(4), SCENE)]
    ((time_s, finding),) = found
    assert time_s == 7.0
    assert finding.began_s == 5.0
    assert finding.box == pytest.approx((0.21, 0.44, 0.44, 0.8))


def test_a_crowd_that_thins_out_for_a_moment_is_the_same_crowd() -> None:
    rules = crowd(count=4)
    thin = {30, 31, 60, 61}
    assert len([f for t in range(100) for f in rules.update(t / 10, people(3 if t in thin else 4), SCENE)]) == 1


def test_a_crowd_that_went_and_came_again_is_another() -> None:
    rules = crowd(count=4)
    gone = range(40, 60)
    assert len([f for t in range(100) for f in rules.update(t / 10, people(0 if t in gone else 4), SCENE)]) == 2


def test_people_who_hide_one_another_are_a_crowd_by_density() -> None:
    whole = [track(0, (0.2, 0.3, 0.55, 0.88))]  # one region of many people: more than half of the zone
    for rules, found in ((crowd(density=0.5), 1), (crowd(density=0.8), 0), (crowd(count=2), 0)):
        assert len([f for t in range(50) for f in rules.update(t / 10, whole, SCENE)]) == found


def absence(labels: tuple[str, ...] = ("person",)) -> CameraRules:
    return rules_of(rule(kind=EventKind.ABSENCE, zone=SQUARE, labels=labels, dwell_s=60.0, dead_time_s=0.0))


def look(rules: CameraRules, times: range, somebody: set[int] | range = range(0), score: float = 0.9) -> list[int]:
    """When key frames every so many seconds gave news."""
    there = [(walker(0.5), {"person": score, "vehicle": 0.1, "other": 0.0})]
    return [t for t in times for _ in rules.glimpse(float(t), there if t in somebody else [], SCENE)]


def test_absence_is_told_once_after_so_long() -> None:
    assert look(absence(), range(0, 600, 2)) == [60]


def test_somebody_now_and_then_is_enough_and_the_next_absence_is_another() -> None:
    assert look(absence(), range(0, 600, 2), somebody=range(0, 600, 50)) == []
    assert look(absence(), range(0, 400, 2), somebody={100}) == [60, 160]


def test_what_is_nobody_is_no_presence() -> None:
    assert look(absence(), range(0, 100, 2), somebody=range(0, 100, 10), score=0.2) == [60]


def test_motion_of_anything_counts_where_no_label_is_asked_for() -> None:
    assert look(absence(labels=()), range(0, 100, 2), somebody=range(0, 100, 10), score=0.0) == []


def test_a_time_that_nobody_watched_is_no_absence() -> None:
    rules = absence()
    assert look(rules, range(0, 50, 2)) == []
    assert look(rules, range(500, 600, 2)) == [560]


def test_presence_is_seen_while_awake_as_well() -> None:
    rules = absence()
    assert [t for t in range(55) for _ in rules.update(float(t), [], SCENE)] == []
    assert rules.update(55.0, [track(0, walker(0.5))], SCENE) == []
    assert [t for t in range(56, 200) for _ in rules.update(float(t), [], SCENE)] == [115]


def test_absence_wakes_nobody() -> None:
    rules = absence()
    assert len(rules.near(0.0, walker(0.5))) == 1  # it is judged ...
    assert rules.wakers(0.0, walker(0.5)) == ()  # ... and that is all
    assert not rules.relevant(0.0, track(0, walker(0.5)), 0.3, 60.0)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.floats(1.0, 20.0), st.floats(0.2, 9.0)), min_size=1, max_size=6),
    st.floats(5.0, 60.0),
    st.floats(0.5, 5.0),
)
def test_loitering_adds_up_what_short_gaps_part(parts: list[tuple[float, float]], dwell_s: float, leave_s: float) -> None:
    """Stays of so long with gaps of so long between them, seen ten times a second: raised as arithmetic says."""
    loiterer = rule(kind=EventKind.LOITERING, zone=SQUARE, dwell_s=dwell_s, leave_s=leave_s)
    rules, one = rules_of(loiterer), track(0, walker(0.5))
    time, since, last = 0, None, None
    raised: list[float] = []
    expected: list[float] = []
    for stay_s, gap_s in parts:
        for tick in range(time, time + round(stay_s * 10)):
            if since is None or last is None or tick / 10 - last > leave_s:
                since = tick / 10
            last = tick / 10
            if tick / 10 - since >= dwell_s and not expected:
                expected.append(tick / 10)
            raised += [tick / 10 for _ in rules.update(tick / 10, [one], SCENE)]
        time += round(stay_s * 10) + round(gap_s * 10)
    assert raised == expected


@settings(deadline=None)
@given(st.integers(1, 40), st.integers(2, 30))
def test_a_stay_lasts_as_long_however_often_it_is_looked_at(step: int, dwell_s: int) -> None:
    rules = rules_of(rule(kind=EventKind.LOITERING, zone=SQUARE, dwell_s=float(dwell_s), leave_s=5.0))
    one = track(0, walker(0.5))
    times = [tick / 10 for tick in range(0, 500, step)]
    (raised,) = [time_s for time_s in times for _ in rules.update(time_s, [one], SCENE)]
    assert raised == next(time_s for time_s in times if time_s >= dwell_s)
