"""Tier T3: severe events are looked at twice, wait half a second at most, and only a clear contradiction holds one back."""

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from base import Event, EventKind, Opinion, Tier
from camera_config import Rule
from detect import Detections, DetectSettings, Pipeline, replay
from detect.second_opinion import LookAside, LookNow, Question, Seen, weigh
from tests.detect.stage import U8, ByShape, Pair, batch, rule, scene, walker, with_thing
from tests.detect.test_pipeline import GATE, Stage

EVENT = Event("e", "c0", EventKind.INTRUSION, "person", "r", "z", 2, 0, 1, None, 0.8, (0.1, 0.1, 0.2, 0.4), Tier.AWAKE)


@dataclass
class Scripted:
    """Says what it is told to, or nothing until it is asked to."""

    seen: Seen | None = None
    silent: bool = False
    asked: list[Question] = field(default_factory=list)
    open: list[Future[Seen | None]] = field(default_factory=list)
    expected: int = 0

    def expect(self, camera: str) -> None:
        self.expected += 1

    def ask(self, question: Question) -> Future[Seen | None]:
        self.asked.append(question)
        answer: Future[Seen | None] = Future()
        if not self.silent:
            answer.set_result(self.seen)
        self.open.append(answer)
        return answer


def stage(opinions: Scripted, severity: int = 2, **changes: object) -> Stage:
    """As in the tests of the pipeline, with somebody to be asked."""
    rules: list[Rule] = [replace(rule(zone=GATE), severity=severity, **changes)]  # type: ignore[arg-type]  # fields of a rule
    made = Stage(rules)
    made.pipeline = Pipeline(
        ["c0"],
        rules,
        ZoneInfo("UTC"),
        Pair(ByShape()),
        lambda camera, until_s, _: made.woken.append((camera, until_s)),
        clock=made.clock,
        settings=DetectSettings(report_ends=True),
        opinions=opinions,
    )
    made.learn()
    return made


def raised(events: Sequence[Event]) -> list[Event]:
    return [event for event in events if event.ended_s is None]


@pytest.mark.parametrize(
    ("severity", "seen", "opinion", "score"),
    [
        (1, {"person": 0.9}, Opinion.CONFIRMED, 0.8),
        (2, {"person": 0.5, "vehicle": 0.9}, Opinion.CONFIRMED, 0.8),  # both are there
        (2, {}, Opinion.DOUBTED, 0.4),  # the small and the dark are often missed
        (2, {"person": 0.3}, Opinion.DOUBTED, 0.55),
        (2, {"person": 0.2, "vehicle": 0.9}, Opinion.DOUBTED, 0.5),  # not clear enough
        (2, {"vehicle": 0.5}, Opinion.DOUBTED, 0.4),
        (2, {"other": 0.99}, Opinion.DOUBTED, 0.4),  # a crop network's "other" says nothing about what it is
        (2, {"vehicle": 0.9}, Opinion.CONTRADICTED, 0.4),
        (1, {"dog": 0.7, "person": 0.1}, Opinion.CONTRADICTED, 0.45),
        (2, None, Opinion.NONE, 0.8),
    ],
)
def test_what_a_second_opinion_makes_of_an_event(severity: int, seen: Seen | None, opinion: Opinion, score: float) -> None:
    after = weigh(replace(EVENT, severity=severity), ("person",), seen)
    assert after.opinion is opinion and after.score == pytest.approx(score)
    assert replace(after, opinion=EVENT.opinion, score=EVENT.score) == replace(EVENT, severity=severity)


def test_it_may_correct_the_label_to_another_one_of_the_rule() -> None:
    assert weigh(EVENT, ("person", "vehicle"), {"vehicle": 0.9, "person": 0.4}).label == "vehicle"


@given(st.dictionaries(st.sampled_from(["person", "vehicle", "dog", "other"]), st.floats(0, 1)))
def test_a_score_never_rises(seen: dict[str, float]) -> None:
    after = weigh(EVENT, ("person",), seen)
    assert after.score <= EVENT.score + 1e-4 or seen.get("person", 0) > EVENT.score


def test_a_severe_event_is_asked_about_and_carries_what_was_said() -> None:
    opinions = Scripted({"person": 0.9})
    made = stage(opinions)
    (one,) = raised(made.walk(0.3, 0.9, 6.0))
    assert one.opinion is Opinion.CONFIRMED and one.score == pytest.approx(0.9, abs=0.01) and one.snapshot_jpeg
    [question] = opinions.asked
    assert (question.camera, question.box, question.path) == ("c0", one.box, one.path) and question.bgr.shape == (180, 320, 3)
    assert opinions.expected > 5, "told as soon as somebody stood in the zone"
    stats = made.pipeline.stats()
    assert (stats.events, stats.second_opinions, stats.events_doubted, stats.events_held_back) == (1, 1, 0, 0)


def test_a_less_severe_event_waits_for_nobody() -> None:
    opinions = Scripted()
    (one,) = raised(stage(opinions, severity=3).walk(0.3, 0.9, 6.0))
    assert one.opinion is Opinion.NONE and not opinions.asked and not opinions.expected


@pytest.mark.parametrize("severity", [1, 2])
def test_an_answer_that_does_not_come_delays_an_event_by_half_a_second_and_no_more(severity: int) -> None:
    prompt, late = Scripted(None), Scripted(silent=True)
    (at_once,) = raised(stage(prompt, severity).walk(0.3, 0.9, 6.0))
    waited = stage(late, severity)
    told = [(waited.time_s, event) for _ in range(90) for event in raised(waited.walk(0.3 + _ / 150, 0.3 + _ / 150, 1 / 15))]
    [(when_s, one)] = told
    assert (one.opinion, one.raised_s) == (Opinion.LATE, at_once.raised_s)
    assert when_s - one.raised_s == pytest.approx(0.5, abs=2 / 15)
    assert one.look_s == pytest.approx(0.5, abs=2 / 15) and one.delay_s == pytest.approx(one.look_s, abs=1e-3)
    assert late.open[0].cancelled() and waited.pipeline.stats().second_opinions_late == 1


def test_an_event_in_waiting_comes_out_also_when_no_frame_comes_any_more() -> None:
    late = Scripted(silent=True)
    made = stage(late)
    while not late.asked:
        made.walk(0.6, 0.6, 1 / 15)
    assert made.pipeline.settle() == []
    made.clock.advance(0.5)
    assert [event.opinion for event in made.pipeline.settle()] == [Opinion.LATE]
    assert made.pipeline.settle() == []


def test_severity_1_is_never_held_back_only_annotated() -> None:
    made = stage(Scripted({"vehicle": 0.95}), severity=1)
    (one,) = raised(made.walk(0.3, 0.9, 6.0))
    assert (one.opinion, one.severity) == (Opinion.CONTRADICTED, 1) and one.score < 0.5
    assert made.pipeline.stats().events_held_back == 0 and made.pipeline.stats().events_doubted == 1


def test_what_is_clearly_something_else_is_held_back_and_the_rule_goes_on_looking() -> None:
    """A dog first, and two seconds later somebody: the dead time of what was held back does not hide him."""
    opinions = Scripted({"dog": 0.9})
    made = stage(opinions)
    assert raised(made.walk(0.5, 0.65, 2.5)) == [] and len(opinions.asked) == 1
    assert made.pipeline.stats().events == 0 and made.pipeline.stats().events_held_back == 1
    opinions.seen = {"person": 0.9}
    (one,) = raised(made.walk(0.65, 0.9, 3.0))
    assert one.opinion is Opinion.CONFIRMED and made.pipeline.stats().events == 1


def test_a_thing_contradicted_three_times_is_not_asked_about_again() -> None:
    opinions = Scripted({"dog": 0.9})
    made = stage(opinions)
    assert raised(made.walk(0.5, 0.9, 14.0)) == []
    assert len(opinions.asked) == 3 == made.pipeline.stats().events_held_back


def test_a_rule_about_anything_that_moves_asks_nobody() -> None:
    opinions = Scripted({"vehicle": 0.9})
    made = stage(opinions, kind=EventKind.MOTION, labels=())
    assert [event.opinion for event in raised(made.walk(0.3, 0.9, 6.0))] == [Opinion.NONE] and not opinions.asked


@dataclass
class Finder:
    """A detector that finds a vehicle where it is dark, and remembers how large the pictures were."""

    label: str = "vehicle"
    latency_ms: float = 10.0
    sizes: list[tuple[int, ...]] = field(default_factory=list)

    def detect_all(self, pictures: Sequence[U8]) -> list[Detections]:
        return [self._detect(bgr) for bgr in pictures]

    def _detect(self, bgr: U8) -> Detections:
        self.sizes.append(bgr.shape)
        y, x = np.nonzero(bgr[:, :, 0] < 60)
        if not len(y):
            return Detections(np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty(0, np.int32), (self.label,))
        box = np.array([[x.min(), y.min(), x.max() + 1, y.max() + 1]]) / np.tile(bgr.shape[1::-1], 2)
        return Detections(box.astype(np.float32), np.array([0.9], np.float32), np.zeros(1, np.int32), (self.label,))


@dataclass
class Larger:
    """A main stream of three times the size, in which the thing stands where it stood a second before the event."""

    bgr: U8 | None
    time_s: float = 0.0
    prepared: int = 0

    def prepare(self, camera: str) -> None:
        self.prepared += 1

    def picture(self, camera: str, around_s: float) -> tuple[float, U8] | None:
        return None if self.bgr is None else (self.time_s, self.bgr)


def question(path: bool = True) -> Question:
    grey = with_thing(scene(0, 180, 320), walker(0.6))
    way = tuple((10 + at, 0.4 + at / 10, 0.8) for at in range(3)) if path else ()
    return Question("c0", np.repeat(grey[:, :, None], 3, axis=2), walker(0.6), way, 12.0)


def main_picture(x: float) -> U8:
    return np.repeat(with_thing(scene(0, 540, 960), walker(x))[:, :, None], 3, axis=2)


def test_the_main_stream_is_looked_at_where_the_thing_was_in_its_picture() -> None:
    finder = Finder()
    look = LookAside(Pair(ByShape(), finder), Larger(main_picture(0.5), time_s=11.0))
    seen = look.ask(question()).result(5)
    assert seen is not None and seen.keys() == {"vehicle"} and seen["vehicle"] == pytest.approx(0.9)
    assert finder.sizes[0][0] > 180, "cut out of the larger picture"
    elsewhere = LookAside(Pair(ByShape(), Finder()), Larger(main_picture(0.9), time_s=11.0))
    assert elsewhere.ask(question()).result(5) == {}
    for one in (look, elsewhere):
        one.stop()


def test_without_a_detector_the_crop_network_looks_at_the_larger_picture_or_nobody_does() -> None:
    look = LookAside(Pair(ByShape()), Larger(main_picture(0.6), time_s=12.0))
    seen = look.ask(question()).result(5)
    assert seen is not None and seen["person"] == pytest.approx(0.9)
    nobody = LookAside(Pair(ByShape()), Larger(None))
    assert nobody.ask(question()).result(5) is None
    for one in (look, nobody):
        one.stop()


def test_a_main_stream_that_is_no_larger_is_not_opened_again() -> None:
    same = Larger(question().bgr, time_s=12.0)
    look = LookAside(Pair(ByShape()), same)
    look.expect("c0")
    assert look.ask(question()).result(5) is None
    look.expect("c0")
    assert same.prepared == 1
    look.stop()


def test_who_has_too_much_to_do_does_not_answer_and_who_fails_says_nothing() -> None:
    class Broken(Larger):
        def picture(self, camera: str, around_s: float) -> tuple[float, U8] | None:
            raise RuntimeError("out of order")

    look = LookAside(Pair(ByShape()), Broken(None))
    assert look.ask(question()).result(5) is None
    look.stop()


def test_replay_asks_the_detector_and_gives_the_same_twice() -> None:
    def clip() -> list[Event]:
        empty = scene()
        frames = [batch([empty], i / 15) for i in range(45)]
        frames += [batch([with_thing(empty, walker(0.3 + i / 150))], 3 + i / 15) for i in range(45)]
        networks = Pair(ByShape(), Finder("person"))
        return list(replay(frames, "c0", [rule()], ZoneInfo("UTC"), networks))

    first, second = clip(), clip()
    assert first == second and [event.opinion for event in first] == [Opinion.CONFIRMED]
    assert first[0].delay_s == first[0].look_s == 0.0
    assert LookNow(Pair(ByShape())).ask(question()).result(0) is None
