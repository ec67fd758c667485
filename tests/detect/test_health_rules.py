"""What is wrong with a camera: drawn scenes with a fault each, and real ones spoiled in known ways."""

from collections.abc import Callable, Iterable
from functools import cache
from zoneinfo import ZoneInfo

import cv2
import numpy as np
import pytest

from base import CameraStatus, EventKind, Health, Quality, SimulatedClock
from camera_config import HEALTH_KINDS, Name, Rule
from detect import Pipeline
from detect.health_rules import HealthRules
from detect.rules import Finding
from tests.detect.stage import HEIGHT, U8, WIDTH, ByShape, Pair, Still, batch, clip_path, noisy, read_clip

SEEN_KINDS = sorted(HEALTH_KINDS - {EventKind.VIDEO_LOSS})
CLIPS = [
    "motion/cdnet_highway/input.mp4",
    "motion/sbi_HallAndMonitor/input.mp4",
    "video/intel_one-by-one-person-detection.mp4",
    "video/dvrscan_traffic_camera.mp4",
    "video/opendatacam_street_640x360.mp4",
    "video/vehicle_counting_street.mp4",
]
Spoil = Callable[[U8, int], U8]


def health_rule(kind: EventKind, camera: str = "c0", dwell_s: float = 20.0) -> Rule:
    return Rule(camera, kind.value, kind, (), Name("", ""), (), dwell_s=dwell_s, dead_time_s=0.0, leave_s=30.0)


def every_rule(*cameras: str) -> list[Rule]:
    return [health_rule(kind, camera) for camera in cameras or ("c0",) for kind in SEEN_KINDS]


@cache
def city(seed: int) -> U8:
    """A drawn place with things of all sizes, 360x640."""
    random = np.random.default_rng(seed)
    picture = np.full((360, 640), 140, np.uint8)
    for _ in range(60):
        x, y = random.integers(0, 600), random.integers(0, 330)
        w, h = random.integers(10, 120), random.integers(8, 90)
        cv2.rectangle(picture, (int(x), int(y)), (int(x + w), int(y + h)), int(random.integers(30, 240)), -1)
    return picture


def with_noise(picture: U8, seed: int) -> U8:
    return noisy(picture, seed, 3.0)


def infrared(picture: U8, seed: int) -> U8:
    """As a lamp beside the lens shows it: other tones, partly turned round, bright in the middle, and much noise."""
    height, width = picture.shape
    y, x = np.mgrid[0:height, 0:width]
    vignette = 1 - 0.35 * (((x - width / 2) / (width / 2)) ** 2 + ((y - height / 2) / (height / 2)) ** 2)
    tone = np.abs(picture / 255 - 0.35) ** 0.7
    noise = np.random.default_rng(seed).normal(0, 8, picture.shape)
    return np.asarray(np.clip(tone * vignette * 230 + noise, 0, 255), np.uint8)


def blurred(picture: U8, seed: int) -> U8:
    return noisy(np.asarray(cv2.GaussianBlur(picture, (0, 0), picture.shape[1] / 250), np.uint8), seed, 1.0)


def cloth(picture: U8, seed: int) -> U8:
    """A hand or cloth close to the lens: soft patches."""
    patches = np.random.default_rng(5).integers(60, 110, (4, 5)).astype(np.uint8)
    return noisy(np.asarray(cv2.resize(patches, picture.shape[::-1], interpolation=cv2.INTER_CUBIC), np.uint8), seed, 2.0)


def turned(picture: U8, seed: int) -> U8:
    """The camera looks a third of its width further; what comes into view there is new."""
    return noisy(np.roll(picture[::-1], picture.shape[1] // 3, axis=1), seed, 2.0)


def rain(picture: U8, seed: int) -> U8:
    return noisy(picture, seed, 12.0)


def night(picture: U8, seed: int) -> U8:
    return noisy((picture * 0.06).astype(np.uint8), seed, 4.0)


def glare(picture: U8, seed: int) -> U8:
    return np.clip(noisy(picture, seed, 2.0).astype(np.int16) + 150, 0, 255).astype(np.uint8)


def dusk(picture: U8, number: int) -> U8:
    """Ever darker, down to a third."""
    return noisy((picture * max(0.33, 1 - number / 100)).astype(np.uint8), number, 3.0)


def look(rules: HealthRules, pictures: Iterable[U8], from_s: float, step_s: float = 2.0) -> list[tuple[float, Finding]]:
    """What key frames of one camera give, one every `step_s`."""
    found = []
    for number, picture in enumerate(pictures):
        time_s = from_s + number * step_s
        small = np.asarray(cv2.resize(picture, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)
        found += [(time_s, one) for _, one in rules.look(batch([small], time_s, False, picture=[Still(picture)]))]
    return found


def spoiled(spoil: Spoil, seconds: float = 80.0, before: Spoil = with_noise, picture: U8 | None = None) -> list[EventKind]:
    """The kinds found when a camera that saw a place well for two minutes sees it spoiled."""
    rules, place = HealthRules(["c0"], every_rule(), ZoneInfo("UTC")), city(1) if picture is None else picture
    assert look(rules, (before(place, number) for number in range(60)), 0.0) == []
    found = look(rules, (spoil(place, 1000 + number) for number in range(int(seconds / 2))), 120.0)
    return [one.rule.kind for _, one in found]


FAULTS: list[tuple[Spoil, EventKind]] = [
    (cloth, EventKind.COVERED),
    (lambda picture, seed: noisy(np.full_like(picture, 25), seed, 1.0), EventKind.COVERED),
    (blurred, EventKind.DEFOCUSED),
    (turned, EventKind.SCENE_CHANGED),
    (glare, EventKind.TOO_BRIGHT),
    (lambda picture, seed: with_noise(picture, 7), EventKind.FROZEN),
]


@pytest.mark.parametrize(("spoil", "kind"), FAULTS)
def test_each_fault_is_found_once_and_nothing_else(spoil: Spoil, kind: EventKind) -> None:
    assert spoiled(spoil) == [kind]


@pytest.mark.parametrize("harmless", [with_noise, infrared, rain, dusk])
def test_light_noise_and_infrared_are_no_fault(harmless: Spoil) -> None:
    assert spoiled(harmless, 300.0) == []


def test_morning_after_a_night_of_infrared_is_no_fault() -> None:
    assert spoiled(with_noise, 300.0, before=infrared) == []


def test_a_camera_that_sees_little_at_night_is_dark_and_not_covered() -> None:
    """Ever darker; what it can see it still sees where it was."""

    def fading(picture: U8, number: int) -> U8:
        return noisy((picture * max(0.06, 1.06 - number % 1000 / 60)).astype(np.uint8), number, 2.0)

    assert spoiled(fading, 240.0) == [EventKind.TOO_DARK]


def test_a_fault_shorter_than_the_dwell_time_is_none_and_one_that_flickers_is_one() -> None:
    assert spoiled(cloth, 16.0) == []
    rules, place = HealthRules(["c0"], every_rule(), ZoneInfo("UTC")), city(1)
    assert look(rules, (with_noise(place, number) for number in range(60)), 0.0) == []
    flicker = ((with_noise if number > 20 and number % 10 == 0 else cloth)(place, number) for number in range(100))
    assert len(look(rules, flicker, 120.0)) == 1


def test_a_turned_camera_gets_used_to_what_it_sees() -> None:
    rules, place = HealthRules(["c0"], every_rule(), ZoneInfo("UTC")), city(1)
    look(rules, (with_noise(place, number) for number in range(60)), 0.0)
    away = (turned(place, number) for number in range(100))
    assert [one.rule.kind for _, one in look(rules, away, 120.0)] == [EventKind.SCENE_CHANGED]
    back = (with_noise(place, number) for number in range(100))
    assert [one.rule.kind for _, one in look(rules, back, 320.0)] == [EventKind.SCENE_CHANGED]


def test_a_clock_that_ticks_in_a_frozen_picture_does_not_hide_it() -> None:
    def stuck(picture: U8, seed: int) -> U8:
        still = with_noise(picture, 7)
        cv2.putText(still, str(seed), (5, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.6, 255)
        return still

    assert spoiled(stuck) == [EventKind.FROZEN]


def test_each_camera_of_a_batch_is_judged_by_itself() -> None:
    names = [f"c{number}" for number in range(4)]
    rules = HealthRules(names, every_rule("c0", "c2", "c3"), ZoneInfo("UTC"))
    found = []
    for number in range(120):
        pictures = [with_noise(city(camera), number * 4 + camera) for camera in range(4)]
        if number >= 60:
            pictures[1], pictures[2] = cloth(pictures[1], number), cloth(pictures[2], number)
        order = np.random.default_rng(number).permutation(4).tolist()
        shown = [pictures[camera] for camera in order]
        small = [np.asarray(cv2.resize(one, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), np.uint8) for one in shown]
        now = batch(small, number * 2.0, False, order, [Still(one) for one in shown])
        found += [(order[row], one.rule.camera, one.rule.kind) for row, one in rules.look(now)]
    assert found == [(2, "c2", EventKind.COVERED)]


def test_a_pipeline_makes_an_event_of_it() -> None:
    pipeline = Pipeline(
        ["c0"], every_rule(), ZoneInfo("UTC"), Pair(ByShape()), lambda *_: None, clock=SimulatedClock(1_700_000_000.0)
    )
    place, events = city(1), []
    for number in range(100):
        picture = with_noise(place, number) if number < 60 else cloth(place, number)
        small = np.asarray(cv2.resize(picture, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)
        events += pipeline.process(batch([small], 1_700_000_000.0 + 2 * number, False, picture=[Still(picture)]))
    (one,) = events
    assert (one.camera, one.kind, one.rule, one.zone, one.box) == ("c0", EventKind.COVERED, "covered", "", (0.0, 0.0, 1.0, 1.0))
    assert one.snapshot_jpeg
    assert one.raised_s - one.began_s == 20.0


def status(last_frame_s: float | None, health: Health = Health.ONLINE) -> CameraStatus:
    return CameraStatus("c0", health, Quality.EXCELLENT, 1000.0, last_frame_s)


def test_video_that_stops_is_lost_once_until_it_comes_again() -> None:
    rules = HealthRules(["c0"], [health_rule(EventKind.VIDEO_LOSS, dwell_s=60.0)], ZoneInfo("UTC"))

    def lost(last_frame_s: Callable[[float], float | None], from_s: int, to_s: int) -> list[tuple[float, float]]:
        asked = [(float(now_s), status(last_frame_s(now_s))) for now_s in range(from_s, to_s, 5)]
        return [(now_s, one.began_s) for now_s, each in asked for one in rules.listen([each], now_s)]

    assert lost(lambda now_s: now_s - 0.1, 1000, 1100) == []
    assert lost(lambda _: 1099.0, 1100, 1400) == [(1160.0, 1099.0)]
    assert lost(lambda now_s: now_s - 0.1, 1400, 1500) == []
    assert lost(lambda _: 1499.0, 1500, 1700) == [(1560.0, 1499.0)]


def test_a_camera_that_never_came_is_lost_from_the_start() -> None:
    rules = HealthRules(["c0"], [health_rule(EventKind.VIDEO_LOSS, dwell_s=60.0)], ZoneInfo("UTC"))
    assert [now_s for now_s in range(1000, 1200, 5) for _ in rules.listen([status(None)], float(now_s))] == [1060]


def test_a_clock_set_forward_loses_no_camera() -> None:
    rules = HealthRules(["c0"], [health_rule(EventKind.VIDEO_LOSS, dwell_s=60.0)], ZoneInfo("UTC"))
    times = [(1000.0, 999.9), (1005.0, 1004.9), (8010.0, 1009.9), (8015.0, 8014.9), (8020.0, 8019.9)]
    assert [one for now_s, last_s in times for one in rules.listen([status(last_s)], now_s)] == []


@cache
def clip_pictures(clip: str) -> list[U8]:
    """Pictures of a real scene; shorter clips a second time."""
    pictures = [one.picture[0].luma for _, one in read_clip(clip_path(clip), 0.5)]
    return (pictures * 3)[:40]


@pytest.mark.parametrize("clip", CLIPS)
def test_a_real_scene_has_no_fault_by_day_in_rain_or_infrared(clip: str) -> None:
    pictures = clip_pictures(clip)
    rules = HealthRules(["c0"], every_rule(), ZoneInfo("UTC"))
    by_day = [with_noise(one, number) for number, one in enumerate(pictures)]
    assert look(rules, by_day, 0.0) == []
    for at, harmless in enumerate((rain, infrared, with_noise)):
        shown = (harmless(one, number) for number, one in enumerate(pictures))
        assert look(rules, shown, (at + 1) * 2.0 * len(pictures)) == []


@pytest.mark.parametrize("clip", CLIPS)
@pytest.mark.parametrize(("spoil", "kind"), [(cloth, EventKind.COVERED), (blurred, EventKind.DEFOCUSED)])
def test_a_real_scene_covered_or_out_of_focus_is_found(clip: str, spoil: Spoil, kind: EventKind) -> None:
    pictures = clip_pictures(clip)
    rules = HealthRules(["c0"], every_rule(), ZoneInfo("UTC"))
    assert look(rules, (with_noise(one, number) for number, one in enumerate(pictures)), 0.0) == []
    found = look(rules, (spoil(one, number) for number, one in enumerate(pictures)), 2.0 * len(pictures))
    assert [one.rule.kind for _, one in found] == [kind]


@pytest.mark.parametrize("clip", CLIPS)
def test_another_real_scene_is_a_turned_camera(clip: str) -> None:
    others = [one for one in CLIPS if one != clip]
    for other in (others[0], others[2]):
        rules = HealthRules(["c0"], every_rule(), ZoneInfo("UTC"))
        pictures = clip_pictures(clip)
        assert look(rules, pictures, 0.0) == []
        found = look(rules, clip_pictures(other), 2.0 * len(pictures))
        assert [one.rule.kind for _, one in found][:1] == [EventKind.SCENE_CHANGED]
