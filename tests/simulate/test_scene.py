"""Drawn scenes: the same every time, the truth agrees with the pixels, and only the trespasser is ever in the zone."""

from functools import cache
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import pytest

from camera_config.demo_scenes import FORBIDDEN_ZONE, LIGHTS, SCENES
from ingest.simulate import ClipCache, SceneSpec, TruthBox, draw_clip
from ingest.simulate.scene import Scene
from ingest.simulate.script import Actor, write_script
from ingest.simulate.ways import ways_of


@cache
def script(scene: str, light: str, variant: int) -> tuple[Actor, ...]:
    return write_script(SceneSpec(scene, light, variant), ways_of(scene))


def pixels(box: TruthBox, grow: int = 0) -> tuple[slice, slice]:
    left, top, right, bottom = (round(part * size) for part, size in zip(box.box, (640, 360, 640, 360), strict=True))
    return slice(max(0, top - grow), bottom + grow), slice(max(0, left - grow), right + grow)


def test_the_same_spec_gives_the_same_bytes_and_the_cache_keeps_them(tmp_path: Path) -> None:
    spec = SceneSpec("car_park", "night", 5, fps=1)
    cache = ClipCache(tmp_path)
    assert not cache.has(spec)
    seen: list[tuple[int, int]] = []
    cache.prepare([spec, spec], processes=1, progress=lambda done, of: seen.append((done, of)))
    assert seen == [(1, 1)]
    kept, drawn = cache.get(spec), draw_clip(spec)
    assert kept == drawn
    assert len(drawn.frames) == len(drawn.truth) == spec.frame_count
    assert [frame.is_key for frame in drawn.frames[:4]] == [True, False, True, False]
    assert any(stay.trespass for stay in drawn.sightings)


def test_each_light_looks_different() -> None:
    shots = [Scene(SceneSpec("car_park", light, 0)).place.picture.bgr.astype(int) for light in LIGHTS]
    for one, other in combinations(shots, 2):
        assert np.abs(one - other).mean() > 8
    assert np.ptp(shots[LIGHTS.index("night")], axis=2).max() == 0  # infrared has no colour
    assert shots[LIGHTS.index("night")].mean() < shots[LIGHTS.index("day")].mean()


@pytest.mark.parametrize("scene", SCENES)
def test_truth_agrees_with_the_pixels(scene: str) -> None:
    """What differs from the empty picture lies in truth boxes or just beside them (shadows, also of what is not in the picture
    yet), every box has something different in it, and feet in the forbidden zone are the trespasser's."""
    zone = np.array(FORBIDDEN_ZONE[scene], np.float32)
    drawn = Scene(SceneSpec(scene, "day", 0, fps=1))
    empty = None
    trespass = 0
    for index, (picture, truth) in enumerate(drawn.frames()):
        if empty is None:
            assert not truth, "the loop begins with nobody about"
            empty = picture.astype(np.int16)
        difference = cv2.medianBlur(np.abs(picture - empty).max(axis=2).astype(np.uint8), 5)
        apart = difference > 30
        for box in truth:
            rows, columns = pixels(box)
            if (rows.stop - rows.start) * (columns.stop - columns.start) > 300:
                assert (difference[rows, columns] > 8).mean() > 0.1, (index, box)
            apart[pixels(box, 70)] = False
            left, _, right, bottom = box.box
            inside = cv2.pointPolygonTest(zone, ((left + right) / 2, bottom), True)
            assert inside < 0 or box.actor == 0, f"{box} stands in the zone"
            assert inside > -0.03 or not box.in_forbidden, "the foot of the box is where the feet are"
            trespass += box.in_forbidden
        assert apart.mean() < 0.01, f"frame {index}: {apart.sum()} changed pixels far from every box"
    assert trespass >= 8


@pytest.mark.parametrize("light", LIGHTS)
@pytest.mark.parametrize("scene", SCENES)
def test_only_the_trespasser_enters_the_zone_at_its_time(scene: str, light: str) -> None:
    for variant in range(3):
        actors = script(scene, light, variant)
        spec = SceneSpec(scene, light, variant)
        inside = [np.flatnonzero(ways_of(scene).margin(actor.track.xy) > 0) for actor in actors]
        assert 20 <= (actors[0].track.first + inside[0][0]) / spec.fps <= 32
        assert len(inside[0]) >= 8 * spec.fps
        assert [len(part) for part in inside[1:]] == [0] * (len(actors) - 1)
        assert [actor.trespass for actor in actors] == [True] + [False] * (len(actors) - 1)
        assert {actor.label for actor in actors} == {"person", "cyclist", "car"}
        assert len(actors) >= 7
        assert all(actor.track.first > 0 and actor.track.end < spec.frame_count for actor in actors)


@pytest.mark.parametrize("scene", SCENES)
def test_nobody_goes_through_anybody(scene: str) -> None:
    for one, other in combinations(script(scene, "day", 0), 2):
        start, end = max(one.track.first, other.track.first), min(one.track.end, other.track.end)
        room_m = 2.4 if one.label == other.label == "car" else 0.6
        for frame in range(start, end):
            a, b = one.track.xy[frame - one.track.first], other.track.xy[frame - other.track.first]
            assert np.hypot(*(a - b)) > room_m


def test_cars_gain_and_lose_speed_gently() -> None:
    waited = 0
    for actor in script("gate", "day", 0) + script("car_park", "day", 0):
        if actor.label == "car":
            change = np.diff(actor.track.speed) * 15
            assert -6.5 < change.min() <= change.max() < 2.0
            waited += int((actor.track.speed == 0).sum())
    assert waited > 4 * 15  # somebody stopped at a barrier


def test_a_quiet_scene_has_the_same_place_and_nobody_in_the_zone() -> None:
    spec = SceneSpec("gate", "day", 1, trespass=False)
    actors = write_script(spec, ways_of("gate"))
    assert actors
    assert not any(actor.trespass for actor in actors)
    assert spec.name == "gate-day-1-quiet"
