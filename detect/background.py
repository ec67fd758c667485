"""Background and foreground of many cameras at once, in whole numbers, at whatever pace their frames come.

Per pixel a running mean (8.8 fixed point), the mean absolute deviation from it (8.8), and a *flicker* that rises where lone
pixels keep differing, as leaves do; a pixel is foreground where it is further from the mean than a limit made of both. Foreground
learns much more slowly, so that who stands still does not vanish. All rates follow the time between frames, not their number.
"""

from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["FORGET_S", "Backgrounds", "light_table"]

U8 = NDArray[np.uint8]
Bool = NDArray[np.bool_]
Pixel = TypeVar("Pixel", np.uint8, np.uint16)

# Tuned on cdnet_highway (waving trees, masks) and intel_one-by-one (people standing still), see tests/detect/test_real_clips.py.
_BLOCK = 16  # cameras in one vectorised pass; measured µs a key frame on 2 busy cores: 129 at 4, 115 at 8, 91 at 16
_UPDATE_S = 0.2  # the mean is updated at most this often; between updates a frame costs a difference and a comparison
_MEAN_S = 20.0  # time constant of the mean: slower than who walks by, faster than the sun
_STANDING = 0.25  # grey levels a second by which foreground is learned: a dark coat before a wall stays for minutes, and
#   leaves no ghost when it goes, which learning in proportion to the difference does (seen on intel_one-by-one)
_YOUNG_S, _STANDING_YOUNG = 20.0, 0.5  # a young model learns it faster, so that ghosts of what moved while learning fade
_LEARN_S, _LEARN_FRAMES = 2.0, 3  # rows are silent until both have passed
FORGET_S = 600.0  # a camera that was away for longer starts anew
_BASE = 10  # grey levels that are never foreground: coding noise after 4x4 averaging stays below
_NOISE_FACTOR = 3  # times the mean absolute deviation, 2.4 standard deviations of Gaussian noise
_FIRST_NOISE = 2 << 8
_NOISE_CAP = 20  # grey levels: what passes while the model learns is not noise
_FLICKER_CAP = 60  # grey levels
_FLICKER_RISE = 12.0  # grey levels for a lone speck, times the root of the seconds since the last update
_FLICKER_FALL = 1.0  # grey levels a second
_SPECK = 5  # of the 3x3 pixels around a pixel of a thing, more are foreground than not
_SAMPLE = 5  # every fifth pixel both ways decides about the light: 576 of 160x90
_SHIFT_LOOK = 1.5  # grey levels of mean difference worth a look at the light ...
_SHIFT_MIN = 2.0  # ... and of median difference worth following it
_APART = 16  # grey levels between the darker and the brighter half that a gain can be read from
_CHANGED = 0.3  # share of foreground from which on a frame may have changed as a whole
_CELLS_CHANGED = 0.6  # share of cells with foreground that tells the light from a lorry
_CELL_FILLED = 0.25  # share of a cell
_SUSPECT_S = 1.0  # a whole change that is gone by then was lightning; else the camera relearns


@dataclass(slots=True)
class _State:
    """Columns over all cameras; every first axis is the camera's row."""

    mean: NDArray[np.uint16]  # (N, H, W) 8.8
    noise: NDArray[np.uint16]  # (N, H, W) 8.8
    ref: U8  # (N, H, W) mean, rounded
    limit: U8  # (N, H, W)
    flicker: U8  # (N, H, W)


@dataclass(frozen=True, slots=True)
class _Look:
    """Rows of a batch that are to be learned.

    `ref` is the mean in today's light, `relit` where that differs from the mean; `difference` is how far `luma` is from `ref`.
    """

    camera: NDArray[np.int32]
    time_s: NDArray[np.float64]
    luma: U8
    ref: U8
    difference: U8
    relit: Bool
    moving: Bool


class Backgrounds:
    """The backgrounds of a worker's cameras. Owned by the pipeline thread.

    `relearned` counts whole-frame changes that were learned anew.
    """

    def __init__(self, cameras: int) -> None:
        self._cameras = cameras
        self._state: _State | None = None
        self._began_s = np.full(cameras, np.nan)  # start of the present model; NaN before the first frame
        self._updated_s = np.full(cameras, -np.inf)
        self._suspect_s = np.full(cameras, np.nan)  # set iff the last frame differed as a whole
        self._updates = np.zeros(cameras, np.int64)
        self._fall = np.zeros(cameras)  # fractions of a grey level the flicker still has to fall
        self.relearned = 0

    def apply(self, camera: NDArray[np.int32], time_s: NDArray[np.float64], luma: U8) -> Bool:
        """Foreground of a batch against each camera's background, bool (B, H, W). `luma` u8 (B, H, W), values 0–255.

        Rows of cameras still learning (2 s and three frames), and rows that changed as a whole, are all False. A frame not
        newer than the last of its camera is compared but not learned. Updates the background in place. Raises ValueError
        when the picture size changes: reduced luma has one size for all.
        """
        state = self._allocate(luma.shape[1:])
        moving = np.empty(luma.shape, np.bool_)
        for at in range(0, len(camera), _BLOCK):
            rows = slice(at, at + _BLOCK)
            self._apply_block(state, camera[rows], time_s[rows], luma[rows], moving[rows])
        return moving

    def picture(self, camera: int) -> U8:
        """What is behind all that moves on a camera, as far as it is learned, u8 (H, W); only after a first `apply`. A view."""
        if self._state is None:
            raise ValueError("Backgrounds: expected a first frame before its background is asked for")
        known: U8 = self._state.ref[camera]
        return known

    def forget(self, camera: NDArray[np.int32]) -> None:
        """Begin anew with the next frame of these rows, whatever its time: the clock was set back."""
        self._began_s[camera] = np.nan

    def _allocate(self, shape: tuple[int, ...]) -> _State:
        if self._state is None:
            full = (self._cameras, *shape)
            self._state = _State(
                mean=np.zeros(full, np.uint16),
                noise=np.zeros(full, np.uint16),
                ref=np.zeros(full, np.uint8),
                limit=np.zeros(full, np.uint8),
                flicker=np.zeros(full, np.uint8),
            )
        elif self._state.ref.shape[1:] != shape:
            raise ValueError(f"luma: expected {self._state.ref.shape[1:]} pixels as before, got {shape}")
        return self._state

    def _apply_block(self, state: _State, camera: NDArray[np.int32], time_s: NDArray[np.float64], luma: U8, moving: Bool) -> None:
        self._start_new(state, camera, time_s, luma)
        ref = state.ref[camera]  # a copy: rows of a block need not be neighbours
        relit = _follow_light(luma, ref)
        difference = np.asarray(cv2.absdiff(_flat(luma), _flat(ref)), np.uint8).reshape(luma.shape)
        np.greater(difference, state.limit[camera], out=moving)

        changed = _changed_as_a_whole(moving)
        self._judge_change(state, camera, time_s, luma, changed)
        learn = (time_s - self._updated_s[camera] >= _UPDATE_S) & ~changed
        if learn.any():
            look = _Look(*(each[learn] for each in (camera, time_s, luma, ref, difference, relit, moving)))
            self._learn(state, look)
        age_s = time_s - self._began_s[camera]
        # The first update comes with the first frame, so three updates are three frames or, at full rate, more.
        moving[changed | (age_s < _LEARN_S) | (self._updates[camera] < _LEARN_FRAMES)] = False

    def _start_new(self, state: _State, camera: NDArray[np.int32], time_s: NDArray[np.float64], luma: U8) -> None:
        """Begin the model of cameras seen for the first time, or again after a long while."""
        away = np.isnan(self._began_s[camera]) | (time_s - self._updated_s[camera] > FORGET_S)
        for row in np.flatnonzero(away):
            self._relearn(state, camera[row], time_s[row], luma[row])

    def _relearn(self, state: _State, camera: int, time_s: float, luma: U8) -> None:
        state.mean[camera] = luma.astype(np.uint16) << 8
        state.noise[camera] = _FIRST_NOISE
        state.ref[camera] = luma
        state.flicker[camera] = 0
        state.limit[camera] = _BASE + _NOISE_FACTOR * (_FIRST_NOISE >> 8)
        self._began_s[camera] = self._updated_s[camera] = time_s
        self._suspect_s[camera] = np.nan
        self._updates[camera] = 1

    def _judge_change(
        self, state: _State, camera: NDArray[np.int32], time_s: NDArray[np.float64], luma: U8, changed: Bool
    ) -> None:
        """Relearn cameras whose whole picture stays changed; forgive those whose picture came back."""
        self._suspect_s[camera[~changed]] = np.nan
        for row in np.flatnonzero(changed):
            one = camera[row]
            if np.isnan(self._suspect_s[one]):
                self._suspect_s[one] = time_s[row]
            elif time_s[row] - self._suspect_s[one] >= _SUSPECT_S:
                self._relearn(state, one, time_s[row], luma[row])
                self.relearned += 1

    def _learn(self, state: _State, look: _Look) -> None:
        """Move mean, noise, flicker and limit of some cameras towards a frame."""
        camera = look.camera
        dt_s = np.minimum(look.time_s - self._updated_s[camera], FORGET_S)
        rate, slow, learning = self._rates(look, dt_s)
        busy = np.flatnonzero(look.moving.any(axis=(1, 2)) & ~learning)

        step = np.subtract(look.luma, look.ref, dtype=np.int16)
        noise = state.noise[camera]
        size = _at_most(look.difference, _NOISE_CAP).astype(np.int16)
        size -= (noise >> 8).view(np.int16)
        for row in busy:
            # Multiplied, not picked: a masked assignment costs a hundred times as much as a product.
            moving = look.moving[row].view(np.int8)
            towards = np.sign(step[row]) * slow[row]
            step[row] *= rate[row]
            step[row] += moving * (towards - step[row])
            size[row] *= 1 - moving
        quiet = np.ones(len(camera), np.bool_)
        quiet[busy] = False
        step *= np.where(quiet, rate, 1).astype(np.int16)[:, None, None]
        size *= rate[:, None, None]

        mean = state.mean[camera]
        if look.relit.any():
            mean[look.relit] = look.ref[look.relit].astype(np.uint16) << 8
        mean += step.view(np.uint16)  # modulo 2^16, which is right: the sum lies within 0–65280
        noise += size.view(np.uint16)
        state.mean[camera], state.noise[camera] = mean, noise
        mean += 128
        mean >>= 8
        state.ref[camera] = mean
        noise *= _NOISE_FACTOR
        noise >>= 8
        noise += _BASE
        noise += self._flicker(state, look, dt_s)
        state.limit[camera] = _at_most(noise, 255)
        self._updated_s[camera] = look.time_s
        self._updates[camera] += 1

    def _rates(self, look: _Look, dt_s: NDArray[np.float64]) -> tuple[NDArray[np.int16], NDArray[np.int16], Bool]:
        """How much is learned of background, in 256ths of the difference, and of foreground, in 256ths of a grey level; and
        which cameras still learn everything. All (B,). At most 127, so that 127 * 255 fits int16."""
        updates = self._updates[look.camera]
        age_s = look.time_s - self._began_s[look.camera]
        learning = (age_s < _LEARN_S) | (updates < _LEARN_FRAMES)
        share = np.where(learning, 1 / (updates + 1), 1 - np.exp(-dt_s / _MEAN_S))
        crawl = np.where(age_s < _YOUNG_S, _STANDING_YOUNG, _STANDING) * dt_s
        rate = np.clip(np.rint(share * 256), 1, 127).astype(np.int16)
        return rate, np.clip(np.rint(crawl * 256), 1, 4 << 8).astype(np.int16), learning

    def _flicker(self, state: _State, look: _Look, dt_s: NDArray[np.float64]) -> U8:
        """Flicker after one more look: up where foreground is a lone speck, down with time."""
        camera = look.camera
        rise = np.rint(_FLICKER_RISE * np.sqrt(np.minimum(dt_s, 2.0))).astype(np.uint8)
        fall = self._fall[camera] + _FLICKER_FALL * dt_s
        whole = np.floor(fall)
        self._fall[camera] = fall - whole
        flicker = state.flicker[camera]
        for row in np.flatnonzero(whole):
            flicker[row] -= _at_most(flicker[row], min(255, int(whole[row])))
        for row in np.flatnonzero(look.moving.any(axis=(1, 2))):
            flicker[row] = _at_most(flicker[row] + _specks(look.moving[row]) * rise[row], _FLICKER_CAP)
        state.flicker[camera] = flicker
        return flicker


def _flat(rows: NDArray[Pixel]) -> NDArray[Pixel]:
    """Rows (B, H, W) or (H, W) as one picture, a view where they are contiguous."""
    return rows.reshape(-1, rows.shape[-1])


def _at_most(value: NDArray[Pixel], limit: int) -> NDArray[Pixel]:
    """`value` where it is below `limit`, else that, same shape: np.minimum, which is not vectorised, takes 15 times as long."""
    cut: NDArray[Pixel] = np.asarray(cv2.threshold(_flat(value), limit, 0, cv2.THRESH_TRUNC)[1], value.dtype)
    return cut.reshape(value.shape)


def _specks(moving: Bool) -> U8:
    """1 where foreground bool (H, W) has too little foreground around it to be part of a thing, u8 (H, W)."""
    mask = moving.view(np.uint8)
    return np.asarray((cv2.boxFilter(mask, -1, (3, 3), normalize=False) < _SPECK) & moving, np.uint8)


def light_table(luma: U8, ref: U8) -> U8 | None:
    """A table 256 → 256 that turns the grey levels of `ref` into those of the light `luma` was taken in, or None.

    Robust against what moves: a straight line through the median difference of the darker and of the brighter half. None
    where the light is the same, or where the line explains the picture no better. Both u8 of the same shape.
    """
    before = ref.ravel().astype(np.int16)
    shift = luma.ravel().astype(np.int16) - before
    middle = _median(before)
    dark = before <= middle
    dark_level, dark_shift = _median(before[dark]), _median(shift[dark])
    bright_level, bright_shift = dark_level, dark_shift
    if not dark.all():
        bright_level, bright_shift = _median(before[~dark]), _median(shift[~dark])
    if max(abs(dark_shift), abs(bright_shift)) < _SHIFT_MIN:
        return None
    gain = (bright_shift - dark_shift) / (bright_level - dark_level) if bright_level - dark_level >= _APART else 0.0
    level = np.arange(256, dtype=np.float64)
    table = np.clip(np.rint(level + dark_shift + gain * (level - dark_level)), 0, 255).astype(np.uint8)
    left = np.abs(luma.ravel().astype(np.int16) - table[ref.ravel()])
    better = np.count_nonzero(left > _BASE) < np.count_nonzero(np.abs(shift) > _BASE) or left.sum() < 0.8 * np.abs(shift).sum()
    return table if better else None


def _median(value: NDArray[np.int16]) -> float:
    """The upper median of some values (N,): np.median without its 20 µs of ceremony."""
    half = len(value) // 2
    return float(np.partition(value, half)[half])


def _follow_light(luma: U8, ref: U8) -> Bool:
    """Turn rows of `ref` into the light of `luma`, in place; which rows, bool (B,)."""
    sample = luma[:, ::_SAMPLE, ::_SAMPLE]
    known = ref[:, ::_SAMPLE, ::_SAMPLE]
    shift = sample.mean(axis=(1, 2)) - known.mean(axis=(1, 2))
    relit = np.zeros(len(luma), np.bool_)
    for row in np.flatnonzero(np.abs(shift) >= _SHIFT_LOOK):
        table = light_table(sample[row], known[row])
        if table is not None:
            ref[row] = cv2.LUT(ref[row], table)
            relit[row] = True
    return relit


def _changed_as_a_whole(moving: Bool) -> Bool:
    """Rows in which foreground is not a thing but the picture: much of it, spread over most cells. Bool (B,)."""
    height, width = moving.shape[1:]
    pixels = height * width
    changed = np.zeros(len(moving), np.bool_)
    for row, mask in enumerate(moving):
        if cv2.countNonZero(mask.view(np.uint8)) >= _CHANGED * pixels:
            filled = cv2.resize(mask.view(np.uint8) * np.uint8(255), (10, 9), interpolation=cv2.INTER_AREA)
            changed[row] = np.count_nonzero(filled >= 255 * _CELL_FILLED) >= _CELLS_CHANGED * filled.size
    return changed
