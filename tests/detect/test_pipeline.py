"""Hops 4–7 together: quiet cameras wake for what matters, awake ones raise events with their best picture."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

import cv2
import numpy as np
import pytest

from base import Box, Event, EventKind, SimulatedClock, Tier
from camera_config import Rule
from detect import DetectSettings, Judges, Pipeline
from tests.detect.stage import U8, ByShape, Pair, Still, batch, noisy, rule, scene, walker, with_thing

START_S = 1_700_000_000.0
GATE = ((0.5, 0.5), (1.0, 0.5), (1.0, 1.0), (0.5, 1.0))


class Stage:
    """A pipeline of one camera, what it asked its gate, and a scene to act in; pictures are twice the reduced size."""

    def __init__(self, rules: Sequence[Rule], settings: DetectSettings | None = None, networks: Judges | None = None) -> None:
        self.clock = SimulatedClock(START_S)
        self.woken: list[tuple[str, float]] = []
        self.pipeline = Pipeline(
            ["c0"],
            rules,
            ZoneInfo("UTC"),
            networks or Pair(ByShape()),
            lambda camera, until_s, _cause: self.woken.append((camera, until_s)),
            clock=self.clock,
            settings=settings,
        )
        self.empty = scene(0, 180, 320)
        self.time_s = START_S
        self.frames = 0
        self.has_rules = any(rule.camera == "c0" for rule in rules)

    def show(self, *things: Box, awake: bool = True, step_s: float = 1 / 15, light: float = 0.0, level: int = 20) -> list[Event]:
        """One more frame with dark things in it."""
        picture = np.clip(self.empty + light, 0, 255).astype(np.uint8)
        for thing in things:
            picture = with_thing(picture, thing, level)
        self.frames += 1
        return self.show_picture(noisy(picture, self.frames), awake, step_s)

    def show_picture(self, picture: U8, awake: bool, step_s: float) -> list[Event]:
        small = np.asarray(cv2.resize(picture, (160, 90), interpolation=cv2.INTER_AREA), np.uint8)
        self.time_s += step_s
        self.clock.advance(step_s)
        return self.pipeline.process(batch([small], self.time_s, awake, picture=[Still(picture)]))

    def show_again(self, picture: U8, time_s: float, is_key: bool) -> list[Event]:
        """A frame of an awake camera with a time of its own, while the clock hardly moves."""
        small = np.asarray(cv2.resize(picture, (160, 90), interpolation=cv2.INTER_AREA), np.uint8)
        one = batch([small], time_s, True, picture=[Still(picture)])
        return self.pipeline.process(replace(one, is_key=np.array([is_key])))

    def step(self, seconds: float) -> None:
        """Somebody sets the clock of the machine; the pictures' times follow it."""
        self.time_s += seconds
        self.clock.step_wall(seconds)

    def learn(self) -> None:
        """Twenty quiet seconds at the pace of key frames; the first asks for the gate, so that learning goes faster."""
        for _ in range(10):
            assert self.show(awake=False, step_s=2.0) == []
        first = ("c0", START_S + 2.0 + DetectSettings().learn_s)
        assert self.woken == ([first] if self.has_rules else [])
        self.woken.clear()

    def walk(self, from_x: float, to_x: float, seconds: float) -> list[Event]:
        """A person walks through the picture in front of an awake camera."""
        count = round(seconds * 15)
        return [one for i in range(count) for one in self.show(walker(from_x + (to_x - from_x) * i / count))]


def test_a_walker_wakes_the_camera_and_becomes_one_event() -> None:
    stage = Stage([rule(zone=GATE)])
    stage.learn()
    assert stage.show(walker(0.45), awake=False, step_s=2.0) == []
    assert stage.woken == [("c0", stage.time_s + 6.0)]
    came_s = stage.time_s
    (one,) = stage.walk(0.3, 0.9, 6.0)
    assert (one.camera, one.kind, one.label, one.rule, one.zone) == ("c0", EventKind.INTRUSION, "person", "yard", "Yard")
    assert (one.severity, one.seen_by, one.network, one.ended_s) == (2, Tier.KEY_FRAME, "by_shape", None)
    # He walks 0.1 a second from 0.3: two seconds to the zone, one of dwelling.
    assert came_s < one.began_s < came_s + 0.2
    assert one.raised_s == pytest.approx(came_s + 3.0, abs=0.3)
    assert one.score == pytest.approx(0.9, abs=0.01)
    assert stage.pipeline.stats().events == 1


def test_the_snapshot_is_the_full_frame_and_the_box_fits_it() -> None:
    stage = Stage([rule(zone=GATE)])
    stage.learn()
    (one,) = stage.walk(0.5, 0.9, 4.0)
    picture = cv2.imdecode(np.frombuffer(one.snapshot_jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    assert picture.shape == (180, 320)
    left, top, right, bottom = (round(v * s) for v, s in zip(one.box, (320, 180, 320, 180), strict=True))
    dark = np.asarray(picture) < 60
    assert dark[top:bottom, left:right].mean() > 0.85
    assert dark.sum() < 1.1 * dark[top:bottom, left:right].sum()


def test_the_snapshot_is_the_best_moment_not_the_last() -> None:
    """Before the event is raised the thing was larger: nearer to the camera, and sharp."""
    stage = Stage([rule(dwell_s=2.0)])
    stage.learn()
    events = []
    for number in range(60):
        tall = 0.5 if number < 15 else 0.3
        events += stage.show(walker(0.5, foot=0.9, tall=tall, wide=tall / 4))
    (one,) = events
    assert one.box[3] - one.box[1] == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize(
    ("rules", "thing"),
    [
        ([rule(zone=GATE)], walker(0.1)),  # far from the zone
        ([rule(labels=("vehicle",))], walker(0.5)),  # another class
        ([rule(schedule="never")], walker(0.5)),  # not armed
        ([rule(camera="c1")], walker(0.5)),  # another camera's rule
        ([], walker(0.5)),
    ],
)
def test_what_cannot_matter_wakes_nobody(rules: list[Rule], thing: Box) -> None:
    stage = Stage(rules)
    stage.learn()
    for _ in range(3):
        stage.show(thing, awake=False, step_s=2.0)
    assert stage.woken == []


def test_motion_far_from_every_zone_costs_no_crop() -> None:
    stage = Stage([rule(zone=GATE)])
    stage.learn()
    stage.show(walker(0.1), awake=False, step_s=2.0)
    assert (stage.pipeline.stats().moving, stage.pipeline.stats().crops) == (1, 0)
    stage.show(walker(0.7), awake=False, step_s=2.0)
    assert stage.pipeline.stats().crops == 1


def test_the_gate_is_held_open_while_the_track_lives_and_no_longer() -> None:
    stage = Stage([rule()], DetectSettings(hold_s=6.0, follow_s=8.0, coast_s=2.0))
    stage.learn()
    stage.walk(0.5, 0.6, 20.0)
    times_s = [until_s - 6.0 for _, until_s in stage.woken]
    gaps_s = np.diff(times_s)
    assert gaps_s.max() < 1.2  # asked again about once a second ...
    assert gaps_s.min() > 0.9  # ... and not at every frame
    # Raised after a second, followed for eight more; a standing figure does not keep its camera awake for ever.
    began_s = times_s[0]
    assert times_s[-1] - began_s == pytest.approx(9.0, abs=1.5)


def test_frames_older_than_now_are_taken_by_their_own_time() -> None:
    """The ring gives the GOP from its key frame, so the first awake frames are seconds old."""
    stage = Stage([rule()])
    stage.learn()
    stage.show(walker(0.3), awake=False, step_s=2.0)
    stage.clock.advance(30.0)  # far behind
    key_frame_s = stage.time_s
    stage.time_s -= 1 / 15  # the key frame itself comes again
    (one,) = stage.walk(0.3, 0.5, 2.0)
    assert one.began_s == pytest.approx(key_frame_s, abs=0.1)
    assert one.raised_s == pytest.approx(key_frame_s + 1.0, abs=0.2)
    assert stage.woken[-1][1] > stage.clock.now_s() + 4  # the gate's time is the clock's


def test_a_camera_opened_by_somebody_else_says_so() -> None:
    stage = Stage([rule()])
    stage.learn()
    (one,) = stage.walk(0.3, 0.6, 3.0)
    assert one.seen_by is Tier.AWAKE


def test_ends_are_reported_on_request_under_the_same_id() -> None:
    stage = Stage([rule()], DetectSettings(report_ends=True, coast_s=1.0))
    stage.learn()
    events = stage.walk(0.3, 0.6, 3.0)
    left_s = stage.time_s
    for _ in range(30):
        events += stage.show()
    raised, ended = events
    assert (raised.id, raised.ended_s, ended.snapshot_jpeg) == (ended.id, None, b"")
    assert ended.ended_s == pytest.approx(left_s, abs=0.01)
    # Asleep, a key frame ends a track as well.
    other = Stage([rule()], DetectSettings(report_ends=True))
    other.learn()
    other.walk(0.3, 0.6, 3.0)
    assert len(other.show(awake=False, step_s=10.0)) == 1


def test_a_motion_rule_works_where_no_network_knows_the_thing() -> None:
    stage = Stage([rule(kind=EventKind.MOTION, labels=())])
    stage.learn()
    square = (0.4, 0.4, 0.5, 0.58)  # neither upright nor flat
    stage.show(square, awake=False, step_s=2.0)
    assert len(stage.woken) == 1
    (one,) = [one for _ in range(30) for one in stage.show(square)]
    assert (one.kind, one.label, one.score) == (EventKind.MOTION, "motion", 1.0)


@pytest.mark.parametrize("seconds", [-28_800.0, -3600.0, -6.0, 3600.0])
@pytest.mark.parametrize("quiet", [1, 60], ids=["soon after start", "in the middle"])
def test_a_clock_set_anew_leaves_no_camera_blind(seconds: float, quiet: int) -> None:
    """A person had just raised an event; another comes eight seconds of key frames after the step."""
    stage = Stage([rule(dead_time_s=5.0)])
    for _ in range(quiet):
        assert stage.show(awake=False, step_s=2.0) == []
    if quiet > 1:
        assert len(stage.walk(0.3, 0.6, 3.0)) == 1
    stage.step(seconds)
    for _ in range(4):
        assert stage.show(awake=False, step_s=2.0) == []
    stage.woken.clear()
    stage.show(walker(0.3), awake=False, step_s=2.0)
    assert stage.woken == [("c0", stage.clock.now_s() + 6.0)]
    came_s = stage.time_s
    (one,) = stage.walk(0.3, 0.6, 4.0)
    assert one.began_s == pytest.approx(came_s, abs=0.2)
    assert one.raised_s == pytest.approx(came_s + 1.0, abs=0.3)


@pytest.mark.parametrize("seconds", [-28_800.0, 3600.0])
def test_a_clock_set_anew_wakes_the_camera_to_learn(seconds: float, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "detect")
    stage = Stage([rule()])
    stage.learn()
    stage.step(seconds)
    stage.show(awake=False, step_s=2.0)
    assert stage.woken == [("c0", stage.clock.now_s() + DetectSettings().learn_s)]
    for _ in range(5):
        stage.show(awake=False, step_s=2.0)
    assert len(stage.woken) == 1
    assert caplog.text.count("set back by 28798 s") == (seconds < 0)


def test_a_clock_set_back_before_an_awake_camera_ends_its_tracks() -> None:
    """The thing in the picture becomes background; what moves again is a new track, and dead time of the old day is over."""
    stage = Stage([rule(dead_time_s=120.0)], DetectSettings(report_ends=True))
    stage.learn()
    (first,) = stage.walk(0.2, 0.5, 3.0)
    left_s = stage.time_s
    stage.step(-3600.0)
    after = stage.walk(0.5, 0.9, 8.0)
    ended, second = after
    assert (ended.id, ended.ended_s) == (first.id, left_s)
    assert second.id != first.id
    assert left_s - 3600.0 < second.began_s < left_s - 3600.0 + 4.0
    assert second.raised_s < left_s - 3600.0 + 6.0


def test_a_gop_shown_again_is_not_a_clock_set_back() -> None:
    """A gate that closed and opened within a GOP of ten seconds decodes it from its key frame again."""
    stage = Stage([rule(dead_time_s=0.0)])
    stage.learn()
    key_s, frames = stage.time_s + 2.0, []
    for number in range(15 * 8):
        picture = noisy(with_thing(stage.empty, walker(0.3 + number / 300)), number)
        frames.append((picture, key_s + number / 15, number == 0))
    raised = [one for picture, time_s, is_key in frames * 2 for one in stage.show_again(picture, time_s, is_key)]
    assert len(raised) == 1


def test_an_empty_frame_shown_again_is_not_taken_for_a_match() -> None:
    stage = Stage([rule(dwell_s=60.0)])
    stage.learn()
    stage.walk(0.3, 0.5, 2.0)
    stage.time_s -= 1.0
    assert stage.show() == []  # older than the last frame, and the thing is not in it


def test_how_long_a_gate_stays_open_does_not_hang_on_the_wall_clock() -> None:
    """The clock is set back by less than pictures follow: the gate is asked for again in good time all the same."""
    stage = Stage([rule()])
    stage.learn()
    stage.walk(0.4, 0.5, 2.0)
    stage.woken.clear()
    stage.clock.step_wall(-4.0)
    stage.walk(0.5, 0.6, 2.0)
    assert len(stage.woken) >= 2


def test_light_and_lightning_raise_nothing() -> None:
    stage = Stage([rule(kind=EventKind.MOTION, labels=(), dwell_s=0.0)])
    stage.learn()
    for number in range(90):
        assert stage.show(light=min(30.0, number)) == []
    assert stage.show(light=100.0) == []
    for _ in range(30):
        assert stage.show(light=30.0) == []


def test_cameras_of_one_batch_do_not_touch_one_another() -> None:
    """Cameras 0–4; a person walks on 3, a vehicle on 1, and only 3 has a rule for persons."""
    names = [f"c{number}" for number in range(5)]
    woken: list[str] = []
    rules = [rule(camera=name) for name in names]
    pipeline = Pipeline(
        names, rules, ZoneInfo("UTC"), Pair(ByShape()), lambda camera, *_: woken.append(camera), clock=SimulatedClock(START_S)
    )
    found: list[Event] = []
    for number in range(90):
        if number == 45:
            assert sorted(woken) == names  # each once, to learn
            woken.clear()
        order = np.random.default_rng(number).permutation(5).tolist()
        pictures = []
        for camera in order:
            picture = scene(camera)
            if number > 45 and camera == 3:
                picture = with_thing(picture, walker(number / 100))
            if number > 45 and camera == 1:
                picture = with_thing(picture, (number / 100 - 0.2, 0.5, number / 100, 0.62))
            pictures.append(noisy(picture, number * 5 + camera))
        found += pipeline.process(batch(pictures, START_S + number / 15, True, order))
    assert [(one.camera, one.label) for one in found] == [("c3", "person")]
    assert set(woken) == {"c3"}
    stats = pipeline.stats()
    assert (stats.frames, stats.events) == (450, 1)
    assert stats.crops >= stats.inferences > 0


def wake_in_vain(stage: Stage, looked_at: bool) -> None:
    """Eight times, by what is never sure enough for the rule."""
    for _ in range(8):
        assert stage.show(walker(0.6), awake=False, step_s=2.0) == []
        for _ in range(12 if looked_at else 0):
            stage.show(awake=True, step_s=0.2)
        for _ in range(5):
            stage.show(awake=False, step_s=2.0)


def test_a_wake_that_had_no_room_was_not_in_vain() -> None:
    stage = Stage([rule(zone=GATE)], networks=Pair(ByShape(sure=0.5)))
    stage.learn()
    wake_in_vain(stage, looked_at=False)
    assert len(stage.woken) >= 8, "nobody looked: that says nothing of the camera"


def test_key_frames_that_wake_in_vain_must_show_more_until_one_did_not() -> None:
    stage = Stage([rule(zone=GATE)], networks=Pair(ByShape(sure=0.5)))  # never sure enough for the rule
    stage.learn()
    wake_in_vain(stage, looked_at=True)
    assert 4 <= len(stage.woken) < 8, "by then 0.5 is not enough"
    stage.clock.advance(3600)
    stage.time_s += 1
    stage.show(awake=False, step_s=1.0)
    before = len(stage.woken)
    stage.show(walker(0.6), awake=False, step_s=2.0)
    assert len(stage.woken) == before + 1, "an hour later it is"


def test_leaves_that_keep_a_camera_awake_are_in_vain_again_and_again() -> None:
    stage = Stage([rule(zone=GATE)], networks=Pair(ByShape(sure=0.5)))  # never sure enough for the rule
    stage.learn()
    stage.show(walker(0.6), awake=False, step_s=2.0)
    woken, before = len(stage.woken), stage.pipeline.rank(stage.time_s)[0]
    for number in range(450):
        stage.show(walker(0.6 + 0.04 * (number % 5)), awake=True, step_s=0.2)
    assert len(stage.woken) > woken, "it was followed at first"
    assert before < stage.pipeline.rank(stage.time_s)[0] < before + 1, "of equals it goes last"
    last = len(stage.woken)
    for number in range(100):
        stage.show(walker(0.6 + 0.04 * (number % 5)), awake=True, step_s=0.2)
    assert len(stage.woken) == last, "a minute and a half later it asks for more than 0.5"


def test_a_rule_that_the_network_cannot_fulfil_is_left_aside_and_the_others_are_watched(caplog: pytest.LogCaptureFixture) -> None:
    fire = rule(name="fire", kind=EventKind.FIRE_SMOKE, labels=("fire", "smoke"))
    stage = Stage([fire, rule()])
    stage.learn()
    assert [event.rule for event in stage.walk(0.3, 0.9, 4.0)] == ["yard"]
    assert "rule fire: fire_smoke needs a network that knows fire or smoke" in caplog.text
