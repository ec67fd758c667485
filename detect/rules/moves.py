"""Rules about how a thing moves: across a line, the wrong way, fast."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from camera_config import Direction, Rule
from detect.rules.geometry import ASPECT, clip_foot, crossings, distance_to_line
from detect.rules.watch import Finding, Followed, Scene, TrackWatch
from detect.track import Track

__all__ = ["FastWatch", "LineWatch", "WrongWayWatch"]

Floats = NDArray[np.float64]

_CLEAR = 0.3  # heights of the box beyond the line: a foot point wobbles by less
_STALE_S = 3.0  # unseen for longer, nothing is known of the way in between
_AGAINST = 0.5  # heights of the box gone against the way: a standing thing wobbles by less
_WITHIN = 0.5  # cosine of 60°
_HALF_S = 0.4  # speed is that of the slower of two such halves: a box that jumps is fast in one only


@dataclass(slots=True)
class _Crossing(Followed):
    """The last foot point, the crossings not decided yet, and since when it is clear of the line."""

    foot: Floats
    last_s: float
    net: int = 0
    clear_s: float | None = None


class LineWatch(TrackWatch[_Crossing]):
    """Fulfilled when a foot point has crossed the line and is clear of it; to and fro within that distance is no crossing."""

    def __init__(self, rule: Rule, labels: Sequence[str]) -> None:
        super().__init__(rule, labels, lambda track: _Crossing(np.array(clip_foot(track.foot)), track.seen_s))
        self._line = np.array(rule.line, np.float64)

    def update(self, time_s: float, tracks: Sequence[Track], scene: Scene) -> list[Finding]:
        del scene
        return [self.finding(track) for track in tracks if self._has_crossed(track, time_s)]

    def _has_crossed(self, track: Track, time_s: float) -> bool:
        one, foot = self.tracks.of(track, time_s), np.array(clip_foot(track.foot))
        if time_s - one.last_s > _STALE_S:
            one.net = 0
        else:
            one.net += crossings(self._line, one.foot, foot)
        one.foot, one.last_s = foot, time_s
        if not one.net or distance_to_line(self._line, foot) < _CLEAR * (track.box[3] - track.box[1]):
            one.clear_s = None
            return False
        one.clear_s = time_s if one.clear_s is None else one.clear_s
        if time_s - one.clear_s < self.rule.dwell_s or not self.sure(track):
            return False
        counts = self.rule.direction is Direction.ANY or (self.rule.direction is Direction.RIGHT) == (one.net > 0)
        one.net, one.clear_s = 0, None
        return counts

    def stand_in(self, tracks: Sequence[Track]) -> NDArray[np.bool_]:
        """Close enough to the line for a picture."""
        away = [distance_to_line(self._line, np.array(track.foot)) <= track.box[3] - track.box[1] for track in tracks]
        return np.array(away, np.bool_)


@dataclass(slots=True)
class _Way(Followed):
    """The furthest point along the permitted way, and when it was there."""

    foot: Floats | None = None
    best_s: float = 0.0
    last_s: float = 0.0


class WrongWayWatch(TrackWatch[_Way]):
    """Fulfilled when a thing in the zone has gone clearly against the way from the line's first point to its last."""

    def __init__(self, rule: Rule, labels: Sequence[str]) -> None:
        super().__init__(rule, labels, lambda _track: _Way())
        way = (np.array(rule.line[-1]) - rule.line[0]) * (ASPECT, 1.0)
        self._way = way / np.linalg.norm(way)

    def update(self, time_s: float, tracks: Sequence[Track], scene: Scene) -> list[Finding]:
        del scene
        found = []
        for track, stands in zip(tracks, self.stand_in(tracks).tolist(), strict=True):
            one = self.tracks.of(track, time_s)
            if stands and self._goes_wrong(one, track, time_s) and one.raised_s is None and self.sure(track):
                found.append(self.finding(track))
        return found

    def _goes_wrong(self, one: _Way, track: Track, time_s: float) -> bool:
        foot = np.array(track.foot) * (ASPECT, 1.0)
        left = time_s - one.last_s > max(self.rule.leave_s, _STALE_S)
        one.last_s = time_s
        if one.foot is None or left or (foot - one.foot) @ self._way >= 0:
            one.foot, one.best_s = foot, time_s
            return False
        moved = foot - one.foot
        against = float(-moved @ self._way)
        far = against >= _AGAINST * (track.box[3] - track.box[1]) and against >= _WITHIN * float(np.linalg.norm(moved))
        return far and time_s - one.best_s >= self.rule.dwell_s


@dataclass(slots=True)
class _Run(Followed):
    """The last moments as (time, x, y, height), lengths in heights of the picture; and since when it has been fast."""

    steps: deque[tuple[float, float, float, float]] = field(default_factory=deque)
    since_s: float | None = None
    fast_s: float = 0.0


class FastWatch(TrackWatch[_Run]):
    """Fulfilled when a thing in the zone has been faster than `speed` for `dwell_s`, short halts left out."""

    def __init__(self, rule: Rule, labels: Sequence[str]) -> None:
        super().__init__(rule, labels, lambda _track: _Run())

    def update(self, time_s: float, tracks: Sequence[Track], scene: Scene) -> list[Finding]:
        del scene
        found = []
        for track, stands in zip(tracks, self.stand_in(tracks).tolist(), strict=True):
            one = self.tracks.of(track, time_s)
            one.steps.append((time_s, track.foot[0] * ASPECT, track.foot[1], track.box[3] - track.box[1]))
            while time_s - one.steps[0][0] > 4 * _HALF_S:
                one.steps.popleft()
            if not stands or _speed(one.steps) < self.rule.speed:
                continue
            if one.since_s is None or time_s - one.fast_s > self.rule.leave_s:
                one.since_s = time_s
            one.fast_s = time_s
            if one.raised_s is None and time_s - one.since_s >= self.rule.dwell_s and self.sure(track):
                found.append(self.finding(track))
        return found


def _speed(steps: Sequence[tuple[float, float, float, float]]) -> float:
    """Body heights a second over the last two halves, the slower of them; 0 while too little is known."""
    now = steps[-1]
    middle = next((step for step in reversed(steps) if now[0] - step[0] >= _HALF_S), None)
    first = next((step for step in reversed(steps) if now[0] - step[0] >= 2 * _HALF_S), None)
    if middle is None or first is None or middle is first:
        return 0.0
    height = max(float(np.median([step[3] for step in steps])), 1e-3)
    halves = ((first, middle), (middle, now))
    return min(float(np.hypot(to[1] - at[1], to[2] - at[2])) / (to[0] - at[0]) for at, to in halves) / height
