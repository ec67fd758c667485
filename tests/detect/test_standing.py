"""Objects left and removed, blocked lanes: acted out before the whole pipeline, awake and asleep."""

from base import Box, Event, EventKind
from detect import DetectSettings
from tests.detect.stage import noisy, rule, walker, with_thing
from tests.detect.test_pipeline import Stage

BAG: Box = (0.47, 0.74, 0.53, 0.82)
CAR: Box = (0.4, 0.6, 0.62, 0.76)
LEFT = rule(name="left", kind=EventKind.OBJECT_LEFT, labels=(), dwell_s=10.0, leave_s=10.0)
REMOVED = rule(name="removed", kind=EventKind.OBJECT_REMOVED, labels=(), dwell_s=10.0, leave_s=10.0)
LANE = rule(name="lane", kind=EventKind.LANE_BLOCKED, labels=("vehicle",), dwell_s=30.0, leave_s=10.0)


def watch(stage: Stage, things: list[Box], seconds: float, awake: bool = True, pace_s: float = 0.1) -> list[Event]:
    """Things that stay where they are."""
    step_s = pace_s if awake else 2.0
    return [event for _ in range(round(seconds / step_s)) for event in stage.show(*things, awake=awake, step_s=step_s)]


def put_down(stage: Stage) -> None:
    """From now on the bag is there; it is not as dark as people are."""
    stage.empty = with_thing(stage.empty, BAG, 65)


def leave_bag(stage: Stage) -> list[Event]:
    """Somebody comes with the bag, puts it down and leaves."""
    events = stage.walk(0.1, 0.40, 4.0)
    put_down(stage)
    events += watch(stage, [walker(0.40)], 3.0)
    for number in range(40):
        events += stage.show(walker(0.40 - number / 100), step_s=0.1)
    return events


def test_a_bag_left_behind_is_one_event_after_its_bearer_has_gone() -> None:
    stage = Stage([LEFT, REMOVED])
    stage.learn()
    assert leave_bag(stage) == []
    gone_s = stage.time_s
    (one,) = watch(stage, [], 40.0)
    assert (one.kind, one.label, one.rule) == (EventKind.OBJECT_LEFT, "other", "left")
    assert 5.0 < one.raised_s - gone_s < 11.0
    assert abs(one.box[0] - BAG[0]) < 0.03


def test_a_sleeping_camera_finds_it_at_its_key_frames() -> None:
    stage = Stage([LEFT])
    stage.learn()
    leave_bag(stage)
    (one,) = watch(stage, [], 40.0, awake=False)
    assert one.kind is EventKind.OBJECT_LEFT
    assert one.snapshot_jpeg


def test_who_stands_at_his_bag_has_not_left_it() -> None:
    stage = Stage([LEFT])
    stage.learn()
    put_down(stage)
    assert watch(stage, [walker(0.40)], 40.0) == []


def test_who_stands_still_is_no_object() -> None:
    stage = Stage([LEFT, REMOVED])
    stage.learn()
    assert watch(stage, [walker(0.5)], 40.0) == []


def test_what_stood_there_and_is_gone_was_removed() -> None:
    stage = Stage([LEFT, REMOVED])
    put_down(stage)
    stage.learn()
    bare = Stage([]).empty
    events: list[Event] = []
    for number in range(300):
        events += stage.show_picture(noisy(bare, number), True, 0.1)
    assert [one.kind for one in events] == [EventKind.OBJECT_REMOVED]


def test_a_vehicle_that_stands_in_the_lane_blocks_it_once() -> None:
    stage = Stage([LANE])
    stage.learn()
    for number in range(40):
        stage.show((number / 100, 0.6, number / 100 + 0.22, 0.76), step_s=0.1)
    stopped_s = stage.time_s
    (one,) = watch(stage, [CAR], 100.0, pace_s=0.25)
    assert (one.label, one.rule) == ("vehicle", "lane")
    assert 28.0 < one.raised_s - stopped_s < 34.0
    assert one.path


def test_a_lane_is_watched_through_sleep_with_the_camera_asleep_most_of_the_time() -> None:
    stage = Stage([LANE], DetectSettings(hold_s=4.0))
    stage.learn()
    events = watch(stage, [CAR], 6.0, awake=False)
    assert stage.woken  # twice at the same place: that is worth a look
    stage.woken.clear()
    events += watch(stage, [CAR], 4.0)
    stage.woken.clear()
    events += watch(stage, [CAR], 60.0, awake=False)
    assert [one.kind for one in events] == [EventKind.LANE_BLOCKED]
    assert stage.woken == []


def test_a_vehicle_that_waits_and_drives_on_blocks_nothing() -> None:
    stage = Stage([LANE])
    stage.learn()
    events = watch(stage, [CAR], 15.0)
    for number in range(40):
        events += stage.show((0.4 + number / 60, 0.6, 0.62 + number / 60, 0.76), step_s=0.1)
    assert events + watch(stage, [], 60.0, pace_s=0.25) == []


def test_who_passes_while_it_stands_changes_nothing() -> None:
    stage = Stage([LANE])
    stage.learn()
    events = watch(stage, [CAR], 12.0)
    events += [one for number in range(60) for one in stage.show(CAR, walker(0.05 + number / 65, foot=0.9), step_s=0.1)]
    events += watch(stage, [CAR], 40.0)
    assert len(events) == 1


def test_traffic_that_passes_never_wakes_for_it() -> None:
    stage = Stage([LANE, LEFT])
    stage.learn()
    for number in range(20):
        x = 0.37 * number % 0.85
        stage.show((x, 0.6, x + 0.15, 0.71) if number % 3 else walker(0.5), awake=False, step_s=2.0)
    assert stage.woken == []


def test_a_change_of_light_is_no_object() -> None:
    stage = Stage([LEFT, REMOVED])
    stage.learn()
    events: list[Event] = []
    for number in range(300):
        events += stage.show(light=min(40.0, number / 4), step_s=0.1)
    assert events == []
