"""Rules: zones, schedules, dwell and dead time, walked on hand-made tracks."""

from zoneinfo import ZoneInfo

import numpy as np
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from base import EventKind
from camera_config import Rule
from detect.rules import CameraRules, Scene, inside, refusal
from detect.rules.stays import StayWatch
from detect.track import Track
from tests.detect.stage import LABELS, rule, scene, walker

LEFT_HALF = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))
UTC = ZoneInfo("UTC")
SCENE = Scene(scene(), scene)


def rules_of(*rules: Rule, zone_info: ZoneInfo = UTC) -> CameraRules:
    return CameraRules(rules, zone_info, LABELS)


def track(x: float = 0.25, vote: tuple[float, ...] = (0.9, 0.05, 0.05), number: int = 0, confirmed: bool = True) -> Track:
    return Track(number, walker(x), 0.0, 0.0, np.array(vote, np.float32), confirmed=confirmed)


def times_raised(rules: CameraRules, one: Track, until_s: float, from_s: float = 0.0, step_s: float = 0.1) -> list[float]:
    """When findings came while `one` stood where it stands, in steps of 0.1 s."""
    count = round((until_s - from_s) / step_s) + 1
    times = [round(from_s + number * step_s, 3) for number in range(count)]
    return [time_s for time_s in times for _ in rules.update(time_s, [one], SCENE)]


def test_intrusion_is_raised_once_after_the_dwell_time() -> None:
    assert times_raised(rules_of(rule(zone=LEFT_HALF, dwell_s=1.0)), track(0.25), 500.0) == [1.0]


@pytest.mark.parametrize(
    "one",
    [
        track(0.75),  # outside the zone
        track(0.25, (0.05, 0.9, 0.05)),  # a vehicle
        track(0.25, (0.55, 0.3, 0.15)),  # below min_score
        track(0.25, confirmed=False),  # may be noise
    ],
)
def test_what_does_not_fit_is_no_intrusion(one: Track) -> None:
    assert times_raised(rules_of(rule(zone=LEFT_HALF)), one, 10.0) == []


def test_a_parked_vehicle_is_not_news_and_one_that_drives_in_is() -> None:
    """One that only stands shows because the background learned something else; who stands there is another matter."""
    vehicles = rule(labels=("person", "vehicle"))
    parked, driving = (track(0.25, (0.05, 0.9, 0.05)) for _ in range(2))
    parked.path = driving.path = [(0.0, *parked.foot)]
    assert times_raised(rules_of(vehicles), parked, 60.0) == []
    driving.path = [(0.0, 0.15, 0.6), (1.0, *driving.foot)]
    assert times_raised(rules_of(vehicles), driving, 60.0) == [1.0]
    assert times_raised(rules_of(vehicles), track(0.25), 60.0) == [1.0]


def test_the_foot_counts_not_the_head() -> None:
    below = ((0.0, 0.9), (1.0, 0.9), (1.0, 1.0), (0.0, 1.0))
    assert times_raised(rules_of(rule(zone=below)), track(0.5), 5.0) == []
    at_the_edge = Track(0, (0.4, 0.5, 0.5, 1.0), 0.0, 0.0, np.array([0.9, 0.05, 0.05], np.float32), confirmed=True)
    assert times_raised(rules_of(rule(zone=below)), at_the_edge, 5.0) == [1.0]


def test_a_motion_rule_is_about_pixels_wherever_the_foot_is() -> None:
    above = ((0.3, 0.3), (0.7, 0.3), (0.7, 0.6), (0.3, 0.6))  # his head and trunk are in it, his foot at 0.8 is not
    assert times_raised(rules_of(rule(zone=above)), track(0.5), 5.0) == []
    assert times_raised(rules_of(rule(kind=EventKind.MOTION, labels=(), zone=above)), track(0.5), 5.0) == [1.0]
    beside = ((0.6, 0.3), (0.9, 0.3), (0.9, 0.9), (0.6, 0.9))
    assert times_raised(rules_of(rule(kind=EventKind.MOTION, labels=(), zone=beside)), track(0.5), 5.0) == []


def test_dwell_survives_a_wobble_and_starts_anew_after_leaving() -> None:
    rules, one = rules_of(rule(zone=LEFT_HALF, dwell_s=1.0)), track(0.25)
    inside_box, outside_box = walker(0.25), walker(0.75)
    raised = []
    for number in range(40):
        time_s = round(number / 10, 3)
        # Out for 0.3 s at 0.5 s, which is a wobble; out for 0.8 s at 1.0 s, which is leaving; back at 1.9 s.
        one.box = outside_box if 0.5 <= time_s < 0.8 or 1.0 <= time_s < 1.9 else inside_box
        raised += [time_s for _ in rules.update(time_s, [one], SCENE)]
    assert raised == [2.9]


def test_a_wobble_alone_delays_nothing() -> None:
    rules, one, raised = rules_of(rule(zone=LEFT_HALF, dwell_s=1.0)), track(0.25), []
    for number in range(20):
        one.box = walker(0.75) if number in (5, 6, 7) else walker(0.25)
        raised += [number / 10 for _ in rules.update(number / 10, [one], SCENE)]
    assert raised == [1.0]


def test_dead_time_holds_per_rule_and_a_thing_still_there_is_raised_after_it() -> None:
    rules = rules_of(rule(name="a", dead_time_s=30.0), rule(name="b", dead_time_s=0.0))
    first, second = track(0.25, number=1), track(0.6, number=2)
    found = [
        (time_s / 10, finding.rule.name, finding.track.number if finding.track else None)
        for time_s in range(400)
        for finding in rules.update(time_s / 10, [first, second], SCENE)
    ]
    assert found == [(1.0, "a", 1), (1.0, "b", 1), (1.0, "b", 2), (31.0, "a", 2)]


def test_an_ended_track_is_forgotten_so_that_memory_stays_small() -> None:
    rules = rules_of(rule())
    for number in range(50):
        one = track(number=number)
        rules.update(float(number), [one], SCENE)
        rules.forget(one)
    (watch,) = rules._watches
    assert isinstance(watch, StayWatch)
    assert len(watch.tracks) < 10


def test_schedules_hold_in_the_time_zone_of_the_site() -> None:
    # 2024-01-05 is a Friday; 14:30 UTC is 22:30 in Shanghai.
    friday_1430_utc = 1_704_465_000.0
    night = rule(schedule="fri 22:00-06:00")
    assert rules_of(night, zone_info=ZoneInfo("Asia/Shanghai")).armed(friday_1430_utc) == (0,)
    assert rules_of(night, zone_info=UTC).armed(friday_1430_utc) == ()
    in_shanghai = rules_of(night, zone_info=ZoneInfo("Asia/Shanghai"))
    raised = times_raised(in_shanghai, track(), friday_1430_utc + 3, friday_1430_utc)
    assert raised == [friday_1430_utc + 1.0]
    assert times_raised(rules_of(rule(schedule="never")), track(), 10.0) == []


def test_arming_follows_the_minute() -> None:
    rules = rules_of(rule(schedule="00:01-00:03"))
    assert [bool(rules.armed(time_s)) for time_s in (0.0, 59.9, 60.0, 179.9, 180.0, 60.0)] == [
        False,
        False,
        True,
        True,
        False,
        True,
    ]


def test_a_motion_rule_wants_no_label() -> None:
    rules = rules_of(rule(kind=EventKind.MOTION, min_score=0.9))
    (finding,) = [f for number in range(12) for f in rules.update(number / 10, [track(vote=(0.2, 0.2, 0.6))], SCENE)]
    assert (finding.label, finding.score) == ("motion", 1.0)


def test_what_no_network_can_tell_is_refused_with_a_sentence() -> None:
    said = refusal(rule(kind=EventKind.FIRE_SMOKE, labels=("fire", "smoke")), LABELS)
    assert said == (
        "camera c0, rule yard: fire_smoke needs a network that knows fire or smoke; this one knows person, vehicle, other"
    )
    assert not refusal(rule(kind=EventKind.FIRE_SMOKE, labels=("fire",)), (*LABELS, "fire")) and not refusal(rule(), LABELS)


def test_a_rule_in_its_dead_time_asks_for_nothing_but_what_it_follows() -> None:
    rules, first, second = rules_of(rule(dead_time_s=60.0)), track(0.25), track(0.75, number=1)
    assert rules.near(0.0, first.box) and rules.relevant(0.0, first, 0.3, 60.0)
    assert times_raised(rules, first, 2.0) == [1.0]
    assert not rules.near(2.0, second.box) and not rules.wakers(2.0, second.box)
    assert rules.relevant(2.0, first, 0.3, 60.0) and not rules.relevant(2.0, second, 0.3, 60.0)
    assert rules.wakers(58.1, second.box) and rules.relevant(58.1, second, 0.3, 60.0), "in time for the end of it"


def test_near_means_the_zone_and_its_surroundings() -> None:
    gate = rule(zone=((0.1, 0.7), (0.2, 0.7), (0.2, 0.9), (0.1, 0.9)))
    rules = rules_of(gate)
    assert rules.near(0.0, walker(0.15)) == (gate,)
    assert rules.near(0.0, walker(0.3)) == (gate,)  # a few steps away
    assert rules.near(0.0, walker(0.7)) == ()
    assert rules.near(0.0, (-0.1, 0.6, 0.02, 1.2)) == (gate,)  # a box may reach beyond the picture


def test_a_raised_track_stops_to_matter_after_a_while() -> None:
    rules, one = rules_of(rule(dwell_s=1.0)), track()
    assert rules.relevant(0.0, one, 0.3, 60.0)
    assert times_raised(rules, one, 2.0) == [1.0]
    assert rules.relevant(60.0, one, 0.3, 60.0)
    assert not rules.relevant(61.5, one, 0.3, 60.0)
    assert not rules.relevant(0.0, track(vote=(0.1, 0.8, 0.1), number=9), 0.3, 60.0)


fraction = st.floats(0, 1)
points = st.tuples(fraction, fraction)


@settings(deadline=None)
@given(st.lists(points, min_size=3, max_size=8, unique=True), st.lists(points, min_size=1, max_size=20))
def test_inside_agrees_with_shapely(ring: list[tuple[float, float]], probes: list[tuple[float, float]]) -> None:
    polygon = shapely.Polygon(ring)
    assume(polygon.is_valid and polygon.area > 1e-6)
    answer = inside(np.array(ring), np.array(probes))
    for probe, result in zip(probes, answer.tolist(), strict=True):
        if polygon.exterior.distance(shapely.Point(probe)) > 1e-9:  # on the line both answers are right
            assert result == polygon.contains(shapely.Point(probe))
