"""What is wrong with a camera itself: covered, turned, out of focus, frozen, dark, glaring, or without video.

Every few seconds, and for all cameras of a batch at once, a few figures are taken of the reduced picture: how dark and bright
it is, a coarse map of its contours, and how crisp they are. Contours say what a camera sees whatever the light: an infrared
switch leaves them where they were. What is usual is learned from pictures in which nothing is wrong.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import cv2
import numpy as np
from numpy.typing import NDArray

from base import Box, CameraStatus, EventKind, FrameBatch
from camera_config import HEALTH_KINDS, Rule
from detect.rules import Finding

__all__ = ["HealthRules", "Looks", "crispness", "look_at"]

Bool = NDArray[np.bool_]
Floats = NDArray[np.float64]
Maps = NDArray[np.float32]
U8 = NDArray[np.uint8]

_LOOK_S = 4.0  # a camera is looked at this often at most: 727 of them at 0.4 ms are 7 % of a core
_UNSEEN_S = 60.0  # after longer nothing is known to have lasted
_KNOWN_LOOKS = 8  # pictures until a camera's usual look is known
_USUAL_S = 1800.0  # time constant of what is usual: the sun moves shadows
_MOVED_ON_S = 600.0  # a scene that stays another is the usual one from then on
_EDGE_ROWS = 0.1  # of the height at top and bottom, where cameras write the time
_SAMPLE = 3  # every third pixel both ways decides about the light
_MAP = (45, 80)
_SPREAD = (3, 3)  # contours may shift by a cell: a mast in the wind
_AROUND = (15, 15)
_NOISE = 1.0  # grey levels of gradient
_CRISP_ROWS = 32  # of a full picture are looked at
_EDGE_PX = 8
_EDGE_RISE = 32  # grey levels over _EDGE_PX: a strong edge, beyond any noise
_EDGES = 40  # that many are needed

# Figures measured on the development clips, see tests/detect/test_health_rules.py.
_DARK_LEVEL, _DARK_SHARE = 40, 0.98
_BRIGHT_LEVEL, _BRIGHT_SHARE = 230, 0.6
_BARE = 0.5  # share of the usual contours below which a picture is bare
_SAME_PLACE = 0.3  # correlation of contours with the usual ones
_SOFT = 0.75  # share of the usual crispness
_WHOLE: Box = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Looks:
    """Figures of pictures, columns of equal length B: shares of dark and of bright pixels, and contours f32 (B, 45, 80)."""

    dark: Floats
    bright: Floats
    contours: Maps


def look_at(luma: U8) -> Looks:
    """The figures of reduced pictures u8 (B, H, W)."""
    sample = luma[:, ::_SAMPLE, ::_SAMPLE]
    dark, bright = ((each).mean(axis=(1, 2)) for each in (sample < _DARK_LEVEL, sample >= _BRIGHT_LEVEL))
    return Looks(dark, bright, np.stack([_contours(one) for one in luma]))


def _contours(luma: U8) -> Maps:
    """Where a picture u8 (H, W) has contours, f32 (45, 80); roots, so that few strong ones do not hide the rest."""
    smooth = cv2.GaussianBlur(luma, (3, 3), 0)
    step = cv2.absdiff(smooth[1:, :-1], smooth[:-1, :-1]), cv2.absdiff(smooth[:-1, 1:], smooth[:-1, :-1])
    strength = cv2.resize(cv2.add(*step).astype(np.float32), _MAP[::-1], interpolation=cv2.INTER_AREA)
    return np.asarray(np.sqrt(np.maximum(cv2.blur(strength, _SPREAD) - _NOISE, 0)), np.float32)


def crispness(luma: U8) -> float:
    """How steep the strong edges of a full picture u8 (h, w) are, 0–1: falls when it is out of focus, whatever its light and
    noise. NaN where there are no strong edges."""
    rows = luma[:: max(1, luma.shape[0] // _CRISP_ROWS)].astype(np.int16)
    rise = np.abs(rows[:, _EDGE_PX:] - rows[:, :-_EDGE_PX])
    step = np.abs(np.diff(rows, axis=1))
    steepest = step[:, : rise.shape[1]].copy()
    for at in range(1, _EDGE_PX):
        np.maximum(steepest, step[:, at : at + rise.shape[1]], out=steepest)
    strong = rise >= max(_EDGE_RISE, int(np.partition(rise.ravel(), -(rise.size // 50))[-(rise.size // 50)]))
    return float(steepest[strong].sum() / rise[strong].sum()) if np.count_nonzero(strong) >= _EDGES else np.nan


def similarity(one: Maps, two: Maps) -> Floats:
    """Correlation of contours (B, h, w) with others, (B,). What counts is where there are more than around, so that sky above
    and ground below are no likeness."""
    a, b = (np.stack([each - np.asarray(cv2.blur(each, _AROUND), np.float32) for each in maps]) for maps in (one, two))
    norm = np.sqrt((a * a).sum(axis=(1, 2)) * (b * b).sum(axis=(1, 2)))
    return np.asarray((a * b).sum(axis=(1, 2)) / np.maximum(norm, 1e-6), np.float64)


class HealthRules:
    """The health rules of a worker's cameras and what their pictures usually look like. Owned by the pipeline thread."""

    def __init__(self, cameras: Sequence[str], rules: Sequence[Rule], zone_info: ZoneInfo) -> None:
        """`cameras` in the order of the batches' row numbers; rules of other cameras or kinds are left aside."""
        self._zone_info = zone_info
        self._watched = np.zeros(len(cameras), np.bool_)  # rows with a rule
        self._states: list[list[_State]] = [[] for _ in cameras]  # by row
        self._lost: dict[str, _Silence] = {}
        self._usual = _Usual(len(cameras))
        self._looked_s = np.full(len(cameras), -np.inf)
        own: dict[str, list[Rule]] = {camera: [] for camera in cameras}
        for rule in rules:
            if rule.camera in own:
                own[rule.camera].append(rule)
        for row, camera in enumerate(cameras):
            self.exchange(row, "", camera, own[camera])

    def exchange(self, row: int, before: str, camera: str, rules: Sequence[Rule]) -> None:
        """A row that was the camera `before` is `camera` from now on, with these rules of its own."""
        mine = [rule for rule in rules if rule.kind in HEALTH_KINDS]
        self._lost.pop(before, None)
        self._lost.update((camera, _Silence(rule)) for rule in mine if rule.kind is EventKind.VIDEO_LOSS)
        self._states[row] = [_State(rule) for rule in mine if rule.kind is not EventKind.VIDEO_LOSS]
        self._watched[row] = bool(self._states[row])
        self._usual.forget(row)
        self._looked_s[row] = -np.inf

    def look(self, batch: FrameBatch) -> list[tuple[int, Finding]]:
        """What became news with a batch: its row and what was found there. Costs a comparison where nothing is due."""
        slot = batch.camera.astype(np.intp)
        due = np.flatnonzero(self._watched[slot] & (np.abs(batch.time_s - self._looked_s[slot]) >= _LOOK_S))
        if not len(due):
            return []
        slot, time_s, luma = slot[due], batch.time_s[due], batch.luma[due]
        looks = look_at(luma)
        crisp = np.array([crispness(batch.picture[row].luma) for row in due.tolist()])
        wrong = self._usual.compare(slot, time_s, luma, looks, crisp)
        # A clock set back, or a long while unseen: nothing is known to have lasted.
        apart = (time_s < self._looked_s[slot]) | (time_s - self._looked_s[slot] > _UNSEEN_S)
        self._looked_s[slot] = time_s
        found = []
        for at, row in enumerate(due.tolist()):
            for state in self._states[slot[at]]:
                if apart[at]:
                    state.restart()
                if state.step(bool(wrong[state.rule.kind][at]), float(time_s[at]), self._zone_info):
                    found.append((row, state.finding()))
                    if state.rule.kind is EventKind.SCENE_CHANGED:
                        self._usual.forget(slot[at])
        return found

    def listen(self, statuses: Sequence[CameraStatus], now_s: float) -> list[Finding]:
        """Cameras that have sent no video for too long at `now_s`, UTC; to be asked every few seconds."""
        silences = ((self._lost.get(status.camera), status) for status in statuses)
        return [
            silence.finding(status)
            for silence, status in silences
            if silence is not None and silence.step(status, now_s, self._zone_info)
        ]


class _Usual:
    """What the cameras usually see, in columns by row, here called slot; memory of rows never looked at stays untouched."""

    def __init__(self, slots: int) -> None:
        self._contours = np.zeros((slots, *_MAP), np.float32)
        self._crisp = np.zeros(slots)
        self._looks = np.zeros(slots, np.int64)
        self._learned_s = np.zeros(slots)
        self._other_s = np.full(slots, np.nan)  # since when the scene has been another
        self._last: U8 = np.zeros((slots, 0, 0), np.uint8)

    def forget(self, slot: int) -> None:
        """Learn anew with the next picture."""
        self._looks[slot] = 0

    def compare(self, slot: NDArray[np.intp], time_s: Floats, luma: U8, looks: Looks, crisp: Floats) -> dict[EventKind, Bool]:
        """What is wrong with each picture, bool (B,) by kind; pictures without fault are learned."""
        known = self._looks[slot] >= _KNOWN_LOOKS
        usual = self._contours[slot]
        share = looks.contours.mean(axis=(1, 2)) / np.maximum(usual.mean(axis=(1, 2)), 1e-6)
        same = similarity(looks.contours, usual) >= _SAME_PLACE
        dark, bright = looks.dark >= _DARK_SHARE, looks.bright >= _BRIGHT_SHARE
        bare = known & (share < _BARE)
        covered = bare & ~same & ~bright
        soft = known & same & (crisp < _SOFT * self._crisp[slot]) & ~dark & ~bright
        other = known & ~same & ~bare & ~dark & ~bright
        frozen = self._frozen(slot, luma)
        self._learn(slot, time_s, looks, crisp, ~(covered | soft | other | dark | bright))
        self._move_on(slot, time_s, other)
        return {
            EventKind.COVERED: covered,
            EventKind.DEFOCUSED: soft,
            EventKind.SCENE_CHANGED: other,
            EventKind.FROZEN: frozen,
            EventKind.TOO_DARK: dark & ~covered,
            EventKind.TOO_BRIGHT: bright,
        }

    def _frozen(self, slot: NDArray[np.intp], luma: U8) -> Bool:
        """Whether a picture is the last one to the bit, where no time is written. A sensor is never that still."""
        edge = round(_EDGE_ROWS * luma.shape[1])
        middle = luma[:, edge:-edge]
        if self._last.shape[1:] != middle.shape[1:]:
            self._last = np.zeros((len(self._looks), *middle.shape[1:]), np.uint8)
        frozen = (middle == self._last[slot]).all(axis=(1, 2)) & (self._looks[slot] > 0)
        self._last[slot] = middle
        return np.asarray(frozen, np.bool_)

    def _learn(self, slot: NDArray[np.intp], time_s: Floats, looks: Looks, crisp: Floats, sound: Bool) -> None:
        slot, now_s = slot[sound], time_s[sound]
        count = self._looks[slot]
        slow = 1 - np.exp(-np.clip(now_s - self._learned_s[slot], 0, 60) / _USUAL_S)
        share = np.where(count < 2 * _KNOWN_LOOKS, 1 / (count + 1), slow)
        self._contours[slot] += share.astype(np.float32)[:, None, None] * (looks.contours[sound] - self._contours[slot])
        told = ~np.isnan(crisp[sound])
        self._crisp[slot[told]] += share[told] * (crisp[sound][told] - self._crisp[slot[told]])
        self._looks[slot] = count + 1
        self._learned_s[slot] = now_s

    def _move_on(self, slot: NDArray[np.intp], time_s: Floats, other: Bool) -> None:
        since_s = np.where(other, np.fmin(self._other_s[slot], time_s), np.nan)
        self._looks[slot[other & (time_s - since_s > _MOVED_ON_S)]] = 0
        self._other_s[slot] = since_s


class _State:
    """One rule's hysteresis: on after `dwell_s` without a break, off after `leave_s` without a fault."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self._since_s: float | None = None
        self._wrong_s = -np.inf
        self._raised = False
        self._dead_until_s = -np.inf

    def restart(self) -> None:
        """What was wrong before is not known to have lasted."""
        self._since_s, self._dead_until_s = None, -np.inf

    def step(self, wrong: bool, time_s: float, zone_info: ZoneInfo) -> bool:
        """Whether the rule is fulfilled now; once in a time that something is wrong."""
        if not wrong:
            self._since_s = None
            self._raised &= time_s - self._wrong_s <= self.rule.leave_s
            return False
        self._wrong_s = time_s
        self._since_s = time_s if self._since_s is None else self._since_s
        if self._raised or time_s - self._since_s < self.rule.dwell_s or time_s < self._dead_until_s:
            return False
        if not self.rule.schedule.contains(time_s, zone_info):
            return False
        self._raised, self._dead_until_s = True, time_s + self.rule.dead_time_s
        return True

    def finding(self) -> Finding:
        """What has just been fulfilled."""
        return Finding(self.rule, "", 1.0, _WHOLE, self._since_s or self._wrong_s)


class _Silence:
    """The rule about video that does not arrive, of one camera."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._last_s: float | None = None  # time of the last packet ...
        self._asked_s: float | None = None  # ... and when it was asked for
        self._raised = False
        self._dead_until_s = -np.inf

    def step(self, status: CameraStatus, now_s: float, zone_info: ZoneInfo) -> bool:
        """Whether the rule is fulfilled now; once until video comes again."""
        last_s, asked_s = _last_s(status), self._asked_s
        self._asked_s = now_s
        if last_s != self._last_s or asked_s is None or now_s < asked_s:
            # A clock that was set looks like silence, but only until the next packet.
            self._last_s, self._raised = last_s, self._raised and last_s == self._last_s
            return False
        if self._raised or now_s - last_s < self._rule.dwell_s or now_s < self._dead_until_s:
            return False
        if not self._rule.schedule.contains(now_s, zone_info):
            return False
        self._raised, self._dead_until_s = True, now_s + self._rule.dead_time_s
        return True

    def finding(self, status: CameraStatus) -> Finding:
        """What has just been fulfilled, from the last packet on."""
        return Finding(self._rule, "", 1.0, _WHOLE, _last_s(status))


def _last_s(status: CameraStatus) -> float:
    return status.last_frame_s if status.last_frame_s is not None else status.since_s
