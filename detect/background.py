"""Background and foreground of many cameras, at whatever pace their frames come.

Per pixel a running mean, the mean absolute deviation from it, and a *flicker* that rises where lone pixels keep differing, as
leaves do; a pixel is foreground where it is further from the mean than a limit made of both. Foreground is followed in small
steps, so that who stands still does not vanish. All rates follow the time between frames, not their number.

One camera at a time: its 115 KB stay in the cache while the dozen passes over them run, each of them SIMD in OpenCV.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["FORGET_S", "Backgrounds", "light_table"]

U8 = NDArray[np.uint8]
Bool = NDArray[np.bool_]

# Tuned on cdnet_highway (waving trees, masks) and intel_one-by-one (people standing still), see tests/detect/test_real_clips.py.
_UPDATE_S = 0.2  # the mean is updated at most this often; between updates a frame costs a difference and a comparison ...
_NOISE_S = 4.0  # ... and deviation and limit at most this often
_MEAN_S = 20.0  # time constant of the mean: slower than who walks by, faster than the sun
_STANDING = 0.25  # grey levels a second by which foreground is learned: a dark coat before a wall stays for minutes, and
#   leaves no ghost when it goes, which learning in proportion to the difference does (seen on intel_one-by-one)
_YOUNG_S, _STANDING_YOUNG = 20.0, 0.5  # a young model learns it faster, so that ghosts of what moved while learning fade
_LEARN_S, _LEARN_FRAMES = 2.0, 3  # cameras are silent until both have passed
FORGET_S = 600.0  # a camera that was away for longer starts anew
_BASE = 10  # grey levels that are never foreground: coding noise after 4x4 averaging stays below
_NOISE_FACTOR = 3  # times the mean absolute deviation, 2.4 standard deviations of Gaussian noise
_NOISE_UNITS = 8  # of deviation in a grey level
_FIRST_NOISE = 2 * _NOISE_UNITS
_NOISE_CAP = 20 * _NOISE_UNITS  # what passes while the model learns is not noise
_FLICKER_CAP = 60  # grey levels
_FLICKER_RISE = 12.0  # grey levels for a lone speck, times the root of the seconds since the last update
_FLICKER_FALL = 1.0  # grey levels a second
_SPECK = 5  # of the 3x3 pixels around a pixel of a thing, more are foreground than not
_SAMPLE = 5  # every fifth pixel both ways decides about the light: 576 of 160x90
_SHIFT_LOOK = 2.0  # grey levels of mean difference worth a look at the light ...
_SHIFT_MIN = 2.0  # ... and of median difference worth following it
_GLARING = 225  # from which level on some of the 4x4 pixels that one is the mean of may have been clipped
_APART = 16  # grey levels between the darker and the brighter half that a gain can be read from
_CHANGED = 0.3  # share of foreground from which on a frame may have changed as a whole
_CELLS_CHANGED = 0.6  # share of cells with foreground that tells the light from a lorry
_CELL_FILLED = 0.25  # share of a cell
_CELLS = (10, 9)
_SHAKEN = 0.02  # share of foreground ...
_CELLS_SHAKEN = 0.4  # ... and of cells with some of it, from which on the camera itself may have moved
_EXPLAINED = 0.7  # of the foreground lies no further away than the camera shakes: it did
_REACH = cv2.getStructuringElement(cv2.MORPH_RECT, (5, 5))  # pixels of 160x90: 8 of 640 to each side
_SUSPECT_S = 1.0  # a whole change that is gone by then was lightning; else the camera relearns


@dataclass(slots=True)
class _Model:
    """What is known of one camera's background. Pictures are (H, W); those of all cameras lie in one block of memory."""

    mean: NDArray[np.float32]
    noise: U8  # mean absolute deviation, in eighths of a grey level
    ref: U8  # mean, rounded
    limit: U8
    flicker: U8
    brightness: float = 0.0  # sum of `ref`
    began_s: float = math.nan  # NaN before the first frame
    updated_s: float = -math.inf
    noise_s: float = -math.inf  # when `noise` was updated
    updates: int = 0
    suspect_s: float = math.nan  # set iff the last frame differed as a whole
    flickers: bool = False  # whether `flicker` is anywhere above 0
    fall: float = 0.0  # fraction of a grey level that it still has to fall

    def is_learning(self, time_s: float) -> bool:
        """Whether too little was seen to tell what moves."""
        return time_s - self.began_s < _LEARN_S or self.updates < _LEARN_FRAMES


class Backgrounds:
    """The backgrounds of a worker's cameras. Owned by the pipeline thread.

    `relearned` counts whole-frame changes that were learned anew.
    """

    def __init__(self, cameras: int) -> None:
        self._cameras = cameras
        self._models: list[_Model] = []
        self._spare: U8 = np.zeros((0, 0), np.uint8)  # a picture for the differences of the frame under way
        self.relearned = 0

    def apply(self, camera: NDArray[np.int32], time_s: NDArray[np.float64], luma: U8) -> Bool:
        """Foreground of a batch against each camera's background, bool (B, H, W). `luma` u8 (B, H, W), values 0–255.

        Rows of cameras still learning (2 s and three frames), and rows that changed as a whole, are all False. A frame not
        newer than the last of its camera is compared but not learned. Updates the background in place. Raises ValueError
        when the picture size changes: reduced luma has one size for all.
        """
        self._allocate(luma.shape[1], luma.shape[2])
        moving = np.empty(luma.shape, np.bool_)
        for one, moment_s, picture, mask in zip(camera.tolist(), time_s.tolist(), luma, moving, strict=True):
            self._look(self._models[one], moment_s, picture, mask)
        return moving

    def picture(self, camera: int) -> U8:
        """What is behind all that moves on a camera, as far as it is learned, u8 (H, W); only after a first `apply`. A view."""
        if not self._models:
            raise ValueError("Backgrounds: expected a first frame before its background is asked for")
        return self._models[camera].ref

    def forget(self, camera: NDArray[np.int32]) -> None:
        """Begin anew with the next frame of these rows, whatever its time: the clock was set back."""
        for one in camera.tolist() if self._models else ():
            self._models[one].began_s = math.nan

    def _allocate(self, height: int, width: int) -> None:
        if not self._models:
            full = (self._cameras, height, width)
            mean, small = np.zeros(full, np.float32), np.zeros((4, *full), np.uint8)
            self._models = [_Model(mean[one], *small[:, one]) for one in range(self._cameras)]
            self._spare = np.empty((height, width), np.uint8)
        elif self._spare.shape != (height, width):
            raise ValueError(f"luma: expected {self._spare.shape} pixels as before, got {(height, width)}")

    def _look(self, model: _Model, time_s: float, luma: U8, moving: Bool) -> None:
        """One frame of one camera; what moves goes to `moving`."""
        if math.isnan(model.began_s) or time_s - model.updated_s > FORGET_S:
            _begin(model, time_s, luma)
        relit = _in_todays_light(model, luma)
        ref = model.ref if relit is None else relit
        difference = np.asarray(cv2.absdiff(luma, ref, dst=self._spare), np.uint8)
        np.greater(difference, model.limit, out=moving)
        count = cv2.countNonZero(moving.view(np.uint8))
        if count >= _SHAKEN * moving.size:
            count = _without_shake(luma, ref, model.limit, moving, count)

        changed = count >= _CHANGED * moving.size and _is_everywhere(moving)
        if changed:
            self._suspect(model, time_s, luma)
        else:
            model.suspect_s = math.nan
            if time_s - model.updated_s >= _UPDATE_S:
                if relit is not None:
                    model.mean[:] = relit
                _learn(model, time_s, luma, ref, difference, moving if count else None)
        if changed or model.is_learning(time_s):
            moving[:] = False

    def _suspect(self, model: _Model, time_s: float, luma: U8) -> None:
        """Relearn a camera whose whole picture stays changed."""
        if math.isnan(model.suspect_s):
            model.suspect_s = time_s
        elif time_s - model.suspect_s >= _SUSPECT_S:
            _begin(model, time_s, luma)
            self.relearned += 1


def _begin(model: _Model, time_s: float, luma: U8) -> None:
    """Take a picture for the background."""
    model.mean[:] = luma
    model.ref[:] = luma
    model.brightness = cv2.sumElems(luma)[0]
    model.noise[:] = _FIRST_NOISE
    model.limit[:] = _BASE + _NOISE_FACTOR * _FIRST_NOISE // _NOISE_UNITS
    model.flicker[:] = 0
    model.flickers = False
    model.began_s = model.updated_s = model.noise_s = time_s
    model.suspect_s = math.nan
    model.updates = 1


def _in_todays_light(model: _Model, luma: U8) -> U8 | None:
    """`ref` as it would look in the light of `luma`; None where that is the same."""
    if abs(cv2.sumElems(luma)[0] - model.brightness) < _SHIFT_LOOK * luma.size:
        return None
    table = light_table(luma[::_SAMPLE, ::_SAMPLE], model.ref[::_SAMPLE, ::_SAMPLE])
    if table is None:
        return None
    relit = np.asarray(cv2.LUT(model.ref, table), np.uint8)
    # Of what was glaring only the least is known: it may be brighter than the table makes it.
    glaring = cv2.compare(model.ref, np.full_like(relit, _GLARING), cv2.CMP_GE)
    return np.asarray(cv2.copyTo(cv2.max(relit, luma), glaring, relit), np.uint8)


def _learn(model: _Model, time_s: float, luma: U8, ref: U8, difference: U8, moving: Bool | None) -> None:
    """Move mean, deviation, flicker and limit towards a frame; `ref` is the mean in its light. Writes into `difference`.

    `moving` None: nothing does.
    """
    dt_s = min(time_s - model.updated_s, FORGET_S)
    learning = model.is_learning(time_s)
    if learning:
        moving = None
    share = 1 / (model.updates + 1) if learning else 1 - math.exp(-dt_s / _MEAN_S)
    standing = _STANDING_YOUNG if time_s - model.began_s < _YOUNG_S else _STANDING
    towards = luma if moving is None else _held_back(luma, ref, moving, max(1, round(standing * dt_s / share)))
    cv2.accumulateWeighted(towards, model.mean, share)
    cv2.convertScaleAbs(model.mean, dst=model.ref)
    model.brightness = cv2.sumElems(model.ref)[0]
    model.updated_s = time_s
    model.updates += 1
    flickered = _flicker(model, dt_s, moving) if moving is not None or model.flickers else False
    since_s = time_s - model.noise_s
    if learning or since_s >= _NOISE_S:
        model.noise_s = time_s
        _learn_noise(model, share if learning else 1 - math.exp(-since_s / _MEAN_S), difference, moving)
        flickered = True
    if flickered:
        _set_limit(model)


def _held_back(luma: U8, ref: U8, moving: Bool, step: int) -> U8:
    """`luma`, but where something moves at most `step` grey levels from `ref`."""
    low, high = cv2.subtract(ref, np.full_like(ref, step)), cv2.add(ref, np.full_like(ref, step))
    near = cv2.min(cv2.max(luma, low), high)
    return np.asarray(cv2.copyTo(near, moving.view(np.uint8), luma.copy()), np.uint8)


def _learn_noise(model: _Model, share: float, difference: U8, moving: Bool | None) -> None:
    size = cv2.convertScaleAbs(difference, dst=difference, alpha=_NOISE_UNITS)
    size = cv2.threshold(size, _NOISE_CAP, 0, cv2.THRESH_TRUNC, dst=size)[1]
    if moving is not None:
        cv2.copyTo(model.noise, moving.view(np.uint8), size)  # what moves says nothing about noise
    # In two halves, because cv2.addWeighted of bytes takes five times as long.
    above, below = cv2.subtract(size, model.noise), cv2.subtract(model.noise, size)
    cv2.add(model.noise, cv2.convertScaleAbs(above, dst=above, alpha=share), dst=model.noise)
    cv2.subtract(model.noise, cv2.convertScaleAbs(below, dst=below, alpha=share), dst=model.noise)


def _set_limit(model: _Model) -> None:
    cv2.convertScaleAbs(model.noise, dst=model.limit, alpha=_NOISE_FACTOR / _NOISE_UNITS, beta=_BASE)
    if model.flickers:
        cv2.add(model.limit, model.flicker, dst=model.limit)


def _flicker(model: _Model, dt_s: float, moving: Bool | None) -> bool:
    """Flicker after one more look: up where foreground is a lone speck, down with time. Whether it changed."""
    fall = model.fall + _FLICKER_FALL * dt_s
    whole = min(255, int(fall))
    model.fall = fall - int(fall)
    if whole:
        cv2.subtract(model.flicker, np.full_like(model.flicker, whole), dst=model.flicker)
    if moving is not None:
        rise = round(_FLICKER_RISE * math.sqrt(min(dt_s, 2.0)))
        cv2.add(model.flicker, _specks(moving) * np.uint8(rise), dst=model.flicker)
        cv2.threshold(model.flicker, _FLICKER_CAP, 0, cv2.THRESH_TRUNC, dst=model.flicker)
    model.flickers = bool(model.flicker.any())
    return True


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


def _without_shake(luma: U8, ref: U8, limit: U8, moving: Bool, count: int) -> int:
    """How much moves besides the camera itself; takes the rest out of `moving`, which is spread along all contours.

    What shakes shows at each pixel what is known of one nearby, so a pixel is compared with the darkest and the brightest around.
    """
    if np.count_nonzero(_cells(moving)) < _CELLS_SHAKEN * _CELLS[0] * _CELLS[1]:
        return count
    low, high = cv2.subtract(cv2.erode(ref, _REACH), limit), cv2.add(cv2.dilate(ref, _REACH), limit)
    left = cv2.inRange(luma, low, high) == 0
    still = int(np.count_nonzero(left))
    if still > (1 - _EXPLAINED) * count:
        return count
    moving[:] = left
    return still


def _cells(moving: Bool) -> U8:
    """Share of foreground in each cell of a grid, 255 for all."""
    return np.asarray(cv2.resize(moving.view(np.uint8) * np.uint8(255), _CELLS, interpolation=cv2.INTER_AREA), np.uint8)


def _is_everywhere(moving: Bool) -> bool:
    """Whether foreground (H, W) is not a thing but the picture: spread over most cells."""
    filled = _cells(moving) >= 255 * _CELL_FILLED
    return bool(np.count_nonzero(filled) >= _CELLS_CHANGED * filled.size)
