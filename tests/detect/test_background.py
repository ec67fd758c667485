"""The background model, frame by frame: what it must see, what it must forgive, and a slow twin of its arithmetic."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from detect.background import (
    _BASE,
    _FIRST_NOISE,
    _FLICKER_CAP,
    _FLICKER_FALL,
    _FLICKER_RISE,
    _LEARN_FRAMES,
    _LEARN_S,
    _MEAN_S,
    _NOISE_CAP,
    _NOISE_FACTOR,
    _NOISE_S,
    _NOISE_UNITS,
    _SPECK,
    _STANDING,
    _STANDING_YOUNG,
    _UPDATE_S,
    _YOUNG_S,
    Backgrounds,
    light_table,
)
from tests.detect.stage import HEIGHT, U8, WIDTH, noisy, scene, walker, with_thing

KEY_FRAMES_S, FULL_RATE_S = 2.0, 1 / 15
THING = walker(0.5)


def show(background: Backgrounds, picture: U8, time_s: float, camera: int = 0) -> NDArray[np.bool_]:
    mask: NDArray[np.bool_] = background.apply(np.array([camera], np.int32), np.array([time_s]), picture[None])[0]
    return mask


def learn(background: Backgrounds, empty: U8, step_s: float, until_s: float, from_s: float = 0.0) -> float:
    """Show the empty scene with noise; the time of the next frame. Nothing may move meanwhile."""
    time_s = from_s
    while time_s < until_s:
        assert show(background, noisy(empty, int(time_s * 1000)), time_s).mean() < 0.001
        time_s += step_s
    return time_s


def covered(mask: NDArray[np.bool_], box: tuple[float, float, float, float]) -> float:
    """Share of the box that is foreground."""
    left, top, right, bottom = (round(v * s) for v, s in zip(box, (WIDTH, HEIGHT, WIDTH, HEIGHT), strict=True))
    return float(mask[top:bottom, left:right].mean())


@pytest.mark.parametrize("step_s", [FULL_RATE_S, 0.5, KEY_FRAMES_S, 10.0])
def test_a_thing_is_seen_at_any_pace(step_s: float) -> None:
    background, empty = Backgrounds(1), scene()
    time_s = learn(background, empty, step_s, 30 + 3 * step_s)
    mask = show(background, noisy(with_thing(empty, THING), 7), time_s)
    assert covered(mask, THING) > 0.95
    assert mask.sum() < 1.2 * covered(mask, THING) * (0.08 * WIDTH) * (0.36 * HEIGHT) + 20


@pytest.mark.parametrize(("step_s", "first"), [(FULL_RATE_S, 30), (KEY_FRAMES_S, 2), (1.0, 2)])
def test_rows_still_learning_are_false(step_s: float, first: int) -> None:
    background, empty = Backgrounds(1), scene()
    seen = []
    for number in range(first + 1):
        picture = with_thing(empty, walker(0.1 + 0.8 * number / first))
        seen.append(bool(show(background, noisy(picture, number), number * step_s).any()))
    assert seen == [False] * first + [True]


@pytest.mark.parametrize("step_s", [FULL_RATE_S, KEY_FRAMES_S])
def test_who_stands_still_stays_in_sight_for_a_minute_and_leaves_no_ghost(step_s: float) -> None:
    background, empty = Backgrounds(1), scene()
    time_s = learn(background, empty, step_s, 40)
    came_s = time_s
    while time_s < came_s + 60:
        mask = show(background, noisy(with_thing(empty, THING), int(time_s * 100)), time_s)
        assert covered(mask, THING) > 0.9
        time_s += step_s
    mask = show(background, noisy(empty, 1), time_s)
    # A minute of standing shifted the mean by 15 grey levels; a few minutes of absence bring it back.
    assert mask.mean() < 0.05
    learned_s = time_s + 120
    while time_s < learned_s:
        mask = show(background, noisy(empty, int(time_s * 100)), time_s)
        time_s += step_s
    assert mask.mean() < 0.001


@pytest.mark.parametrize("step_s", [FULL_RATE_S, KEY_FRAMES_S])
@pytest.mark.parametrize(("gain", "offset"), [(1.0, 25.0), (1.0, -25.0), (1.15, 0.0), (0.7, 0.0), (0.8, 20.0)])
def test_a_change_of_light_is_no_motion(step_s: float, gain: float, offset: float) -> None:
    background, empty = Backgrounds(1), scene()
    time_s = learn(background, empty, step_s, 30)
    relit = np.clip(empty * gain + offset, 0, 255).astype(np.uint8)
    for number in range(20):
        assert show(background, noisy(relit, number), time_s).mean() < 0.005, number
        time_s += step_s
    # Who walks in the new light is seen, at once.
    assert covered(show(background, noisy(with_thing(relit, THING), 5), time_s), THING) > 0.9


def test_a_thing_is_seen_in_the_very_frame_in_which_the_light_changes() -> None:
    background, empty = Backgrounds(1), scene()
    time_s = learn(background, empty, KEY_FRAMES_S, 30)
    relit = np.clip(empty * 0.85 + 10.0, 0, 255).astype(np.uint8)
    mask = show(background, noisy(with_thing(relit, THING), 5), time_s)
    assert covered(mask, THING) > 0.9
    assert mask.mean() < 0.05


def test_lightning_is_forgiven_without_relearning() -> None:
    background, empty = Backgrounds(1), scene()
    time_s = learn(background, empty, FULL_RATE_S, 10)
    flash = np.random.default_rng(1).integers(180, 256, empty.shape, dtype=np.uint8)  # light with structure of its own
    for _ in range(4):
        assert not show(background, flash, time_s).any()
        time_s += FULL_RATE_S
    mask = show(background, noisy(with_thing(empty, THING), 5), time_s)
    assert covered(mask, THING) > 0.9
    assert background.relearned == 0


@pytest.mark.parametrize("step_s", [FULL_RATE_S, KEY_FRAMES_S])
def test_a_switch_to_infrared_is_learned_anew_without_motion(step_s: float) -> None:
    background, day, night = Backgrounds(1), scene(1), 255 - scene(2)  # another picture altogether
    time_s = learn(background, day, step_s, 30)
    switched_s = time_s
    while time_s < switched_s + 3 + 3 * step_s:
        assert show(background, noisy(night, int(time_s * 100)), time_s).mean() < 0.001
        time_s += step_s
    assert background.relearned == 1
    mask = show(background, noisy(with_thing(night, THING, 250), 5), time_s)
    assert covered(mask, THING) > 0.9


def test_a_large_vehicle_is_not_a_change_of_the_picture() -> None:
    background, empty = Backgrounds(1), scene()
    time_s = learn(background, empty, KEY_FRAMES_S, 30)
    lorry = (0.0, 0.1, 0.45, 0.95)
    mask = show(background, noisy(with_thing(empty, lorry), 5), time_s)
    assert covered(mask, lorry) > 0.9
    assert background.relearned == 0


def test_leaves_get_patience_and_a_person_before_them_does_not() -> None:
    background, empty, random = Backgrounds(1), scene(), np.random.default_rng(3)
    leaves = (slice(10, 60), slice(20, 70))
    shares, time_s = [], 0.0
    for number in range(600):
        picture = noisy(empty, number)
        # Each pixel of the tree turns darker for itself, now and then.
        picture[leaves] -= np.where(random.random((50, 50)) < 0.15, 40, 0).astype(np.uint8)
        shares.append(float(show(background, picture, time_s)[leaves].mean()))
        time_s += FULL_RATE_S
    assert np.mean(shares[-100:]) < 0.5 * np.mean(shares[40:80])
    person = walker(0.28, foot=0.62)
    assert covered(show(background, with_thing(picture, person, 0), time_s), person) > 0.7


def test_a_frame_seen_again_teaches_nothing() -> None:
    """After a wake the ring may show once more what was already seen."""
    one, two, empty = Backgrounds(1), Backgrounds(1), scene()
    for background in (one, two):
        learn(background, empty, KEY_FRAMES_S, 10)
    for back_s in (8.0, 2.0, 0.0):
        show(two, with_thing(empty, THING), back_s)
    assert np.array_equal(show(one, noisy(empty, 9), 10.0), show(two, noisy(empty, 9), 10.0))
    for number in range(5):
        picture = noisy(with_thing(empty, walker(0.2 + number / 10)), number)
        assert np.array_equal(show(one, picture, 12.0 + number), show(two, picture, 12.0 + number))


def test_a_camera_long_away_starts_anew() -> None:
    background = Backgrounds(1)
    learn(background, scene(1), KEY_FRAMES_S, 30)
    assert not show(background, with_thing(scene(2), THING), 3600.0).any()
    assert background.relearned == 0


def test_rows_do_not_touch_one_another() -> None:
    """Any cut of the cameras into batches gives what each camera alone gives."""
    together, alone = Backgrounds(20), [Backgrounds(1) for _ in range(20)]
    random = np.random.default_rng(5)
    empties = [scene(camera) for camera in range(20)]
    for step in range(12):
        chosen = random.permutation(20)[: int(random.integers(1, 21))]
        pictures = np.stack([noisy(with_thing(empties[camera], walker(random.random())), step) for camera in chosen])
        masks = together.apply(chosen.astype(np.int32), np.full(len(chosen), step * 1.5), pictures)
        for row, camera in enumerate(chosen):
            assert np.array_equal(masks[row], show(alone[camera], pictures[row], step * 1.5))


def test_another_picture_size_is_refused() -> None:
    background = Backgrounds(1)
    show(background, scene(), 0.0)
    with pytest.raises(ValueError, match="expected"):
        show(background, scene(0, 120, 160), 1.0)


class Twin:
    """The model of one camera pixel by pixel, as its docstring says it, without light, shake or whole changes."""

    def __init__(self, first: U8, time_s: float) -> None:
        self.shape = first.shape
        self.mean = first.astype(np.float32)
        self.ref = first.astype(int)
        self.noise = np.full(first.shape, _FIRST_NOISE)
        self.flicker = np.zeros(first.shape, int)
        self.limit = np.full(first.shape, _BASE + _NOISE_FACTOR * _FIRST_NOISE // _NOISE_UNITS)
        self.began_s = self.updated_s = self.noise_s = time_s
        self.updates, self.fall = 1, 0.0

    def apply(self, luma: U8, time_s: float) -> NDArray[np.bool_]:
        mask = np.zeros(self.shape, np.bool_)
        for y in range(self.shape[0]):
            for x in range(self.shape[1]):
                mask[y, x] = abs(int(luma[y, x]) - self.ref[y, x]) > self.limit[y, x]
        if time_s - self.updated_s >= _UPDATE_S:
            self.learn(luma, time_s, mask)
        silent = time_s - self.began_s < _LEARN_S or self.updates < _LEARN_FRAMES
        return np.zeros_like(mask) if silent else mask

    def learn(self, luma: U8, time_s: float, mask: NDArray[np.bool_]) -> None:
        dt_s, age_s = time_s - self.updated_s, time_s - self.began_s
        learning = age_s < _LEARN_S or self.updates < _LEARN_FRAMES
        mask = mask & (not learning)
        share = 1 / (self.updates + 1) if learning else 1 - np.exp(-dt_s / _MEAN_S)
        step = max(1, round((_STANDING_YOUNG if age_s < _YOUNG_S else _STANDING) * dt_s / share))
        noise_due = learning or time_s - self.noise_s >= _NOISE_S
        noise_share = share if learning else 1 - np.exp(-(time_s - self.noise_s) / _MEAN_S)
        flickers = mask.any() or self.flicker.any()
        if flickers:
            self.fall += _FLICKER_FALL * dt_s
        down, self.fall = int(self.fall), self.fall - int(self.fall)
        up = round(_FLICKER_RISE * min(dt_s, 2.0) ** 0.5)
        padded = np.pad(mask, 1, mode="reflect")
        for y in range(self.shape[0]):
            for x in range(self.shape[1]):
                difference = int(luma[y, x]) - self.ref[y, x]
                towards = self.ref[y, x] + min(max(difference, -step), step) if mask[y, x] else int(luma[y, x])
                self.mean[y, x] = (1 - share) * self.mean[y, x] + share * towards
                if noise_due and not mask[y, x]:
                    change = min(abs(difference) * _NOISE_UNITS, _NOISE_CAP) - self.noise[y, x]
                    self.noise[y, x] += int(np.sign(change) * np.rint(abs(change) * noise_share))
                self.flicker[y, x] = max(0, self.flicker[y, x] - down)
                if mask[y, x] and padded[y : y + 3, x : x + 3].sum() < _SPECK:
                    self.flicker[y, x] += up
                self.flicker[y, x] = min(self.flicker[y, x], _FLICKER_CAP)
        self.ref = np.rint(self.mean).astype(int)
        self.updated_s, self.updates = time_s, self.updates + 1
        if noise_due:
            self.noise_s = time_s
        if noise_due or flickers:
            noise = np.rint(self.noise * (_NOISE_FACTOR / _NOISE_UNITS) + _BASE).astype(int)
            self.limit = np.minimum(noise + self.flicker, 255)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1), st.lists(st.sampled_from([0.05, 0.2, 0.7, 2.0, 9.0]), min_size=3, max_size=12))
def test_the_model_agrees_with_its_slow_twin(seed: int, steps_s: list[float]) -> None:
    """But for pixels at the limit: a mean or a deviation that lies between two levels may be rounded to either."""
    random = np.random.default_rng(seed)
    empty = random.integers(60, 200, (20, 24), dtype=np.uint8)
    background, twin, time_s = Backgrounds(1), Twin(empty, 0.0), 0.0
    assert not show(background, empty, 0.0).any()
    for step_s in steps_s:
        time_s += step_s
        picture = empty + random.integers(0, 4, empty.shape, dtype=np.uint8)
        y, x = int(random.integers(0, 18)), int(random.integers(0, 21))
        picture[y : y + 3, x : x + 3] = random.integers(0, 256)
        picture[::5, ::5] = empty[::5, ::5]  # what the look at the light samples stays, so that it finds nothing
        near = np.abs(np.abs(picture.astype(int) - twin.ref) - twin.limit) <= 2
        ours, theirs = show(background, picture, time_s), twin.apply(picture, time_s)
        assert np.array_equal(ours | near, theirs | near)


@settings(deadline=None)
@given(st.floats(0.6, 1.4), st.floats(-30, 30), st.integers(0, 1000))
def test_the_light_table_finds_gain_and_offset_despite_things_that_move(gain: float, offset: float, seed: int) -> None:
    before = scene(seed)
    after = np.clip(before * gain + offset, 0, 255).astype(np.uint8)
    with_walker = with_thing(after, walker(0.4))
    table = light_table(with_walker, before)
    restored = before if table is None else table[before]
    unclipped = (after > 0) & (after < 255)
    assume(unclipped.mean() > 0.95)  # what is clipped cannot tell the light
    assert np.abs(restored.astype(int) - after.astype(int))[unclipped].mean() < 4


def test_the_light_table_leaves_the_same_light_alone() -> None:
    assert light_table(noisy(scene(), 1), scene()) is None
    assert light_table(with_thing(scene(), (0.3, 0.2, 0.6, 0.9)), scene()) is None


def test_a_forgotten_camera_learns_at_any_time_and_no_other_does() -> None:
    backgrounds = Backgrounds(2)
    rows = np.arange(2, dtype=np.int32)
    empty = np.stack([scene(0), scene(1)])
    thing = np.stack([with_thing(scene(0), walker(0.5)), with_thing(scene(1), walker(0.5))])
    for number in range(10):
        backgrounds.apply(rows, np.full(2, 7200.0 + number / 2), empty)
    backgrounds.forget(rows[:1])
    time_s = np.array([3600.0, 7205.0])
    assert backgrounds.apply(rows, time_s, thing).any(axis=(1, 2)).tolist() == [False, True]
    for number in range(1, 10):
        backgrounds.apply(rows, time_s + number / 2, empty)
    assert backgrounds.apply(rows, time_s + 5.0, thing).any(axis=(1, 2)).tolist() == [True, True]


@pytest.mark.parametrize("step_s", [KEY_FRAMES_S, FULL_RATE_S])
def test_a_camera_that_shakes_sees_nothing_move_but_what_does(step_s: float) -> None:
    """A mast in gusts: the whole picture moves by up to two pixels of the reduced one, to and fro."""
    background, random = Backgrounds(1), np.random.default_rng(5)
    empty = np.kron(random.integers(60, 220, (9, 16), dtype=np.uint8), np.ones((10, 10), np.uint8))  # contours everywhere
    time_s = learn(background, empty, step_s, 12.0)
    for number in range(20):
        dx, dy = ((2, 1), (-1, 2), (1, -2), (-2, 0))[number % 4]
        shaken = noisy(np.roll(empty, (dy, dx), axis=(0, 1)), number)
        assert show(background, shaken, time_s)[4:-4, 4:-4].mean() < 0.02
        seen = show(background, with_thing(shaken, THING, level=0), time_s)
        assert seen[35:65, 76:84].mean() > 0.5
        time_s += step_s
    assert background.relearned == 0


def test_what_glared_before_a_cloud_came_is_not_news() -> None:
    """A ceiling lamp that was clipped stays white when everything else darkens."""
    background, bright = Backgrounds(1), scene().astype(np.float32)
    bright[:20, 40:120] = 420  # as far as a sensor can tell, 255
    time_s = learn(background, np.clip(bright, 0, 255).astype(np.uint8), KEY_FRAMES_S, 12.0)
    for step in range(1, 8):
        darker = np.clip(bright * (1 - 0.05 * step), 0, 255).astype(np.uint8)
        assert show(background, noisy(darker, step), time_s).mean() < 0.005
        time_s += KEY_FRAMES_S
    with_walker = with_thing(noisy(darker, 9), walker(0.5, foot=0.3, tall=0.3))
    assert show(background, with_walker, time_s)[2:18, 76:84].mean() > 0.9
