"""Hop 7: tracks + zones + schedule → what is news. Pure: times are passed in, nothing is read or written elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import cv2
import numpy as np
from numpy.typing import NDArray

from base import Box, ConfigError, EventKind
from camera_config import Rule
from detect.track import Track

__all__ = ["WATCHED_KINDS", "CameraRules", "Finding", "inside"]

Bool = NDArray[np.bool_]

WATCHED_KINDS = frozenset({EventKind.INTRUSION, EventKind.MOTION})  # kinds this version can find

_GRID = (90, 160)  # raster of a zone's surroundings: the reduced picture
_REACH = 0.12  # of the picture's width around a zone: a walker's way between two key frames
_LEAVE_S = 0.5  # out of the zone for less than this is a wobble of the box
_BORDER = 1e-3  # a foot on the picture's edge is inside a zone drawn to that edge


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule was fulfilled by a track. `score` is the vote for `label`."""

    rule: Rule
    track: Track
    label: str
    score: float


@dataclass(slots=True)
class _Stay:
    """A track in the zone of a rule."""

    since_s: float
    last_s: float
    raised_s: float | None = None


class CameraRules:
    """The rules of one camera and what they remember of its tracks. Owned by the pipeline thread."""

    def __init__(self, rules: Sequence[Rule], zone_info: ZoneInfo, labels: Sequence[str]) -> None:
        """`labels` are those of the crop network. Raises ConfigError for a kind of rule that is not found yet."""
        for rule in rules:
            if rule.kind not in WATCHED_KINDS:
                known = ", ".join(sorted(WATCHED_KINDS))
                raise ConfigError(f"camera {rule.camera}, rule {rule.name}: kind: expected {known}, got {rule.kind}")
        self._rules = tuple(rules)
        self._zone_info = zone_info
        self._labels = tuple(labels)
        self._polygon = [np.array(rule.zone, np.float64).reshape(-1, 2) for rule in rules]
        self._reach = [_surroundings(polygon) for polygon in self._polygon]
        self._stays: dict[tuple[int, int], _Stay] = {}  # by track number and rule
        self._dead_until_s = [-np.inf] * len(rules)
        self._minute: int | None = None  # of the last look at the schedules ...
        self._armed: tuple[int, ...] = ()  # ... and the rules armed in it

    def armed(self, time_s: float) -> tuple[int, ...]:
        """Which rules' schedules hold at `time_s`. Schedules have whole minutes, so one look a minute is enough."""
        minute = int(time_s // 60)
        if self._minute != minute:
            holds = (i for i, rule in enumerate(self._rules) if rule.schedule.contains(time_s, self._zone_info))
            self._minute, self._armed = minute, tuple(holds)
        return self._armed

    def near(self, time_s: float, box: Box) -> tuple[Rule, ...]:
        """The armed rules in whose zone, or close to it, `box` lies."""
        return tuple(self._rules[i] for i in self.armed(time_s) if _touches(self._reach[i], box))

    def relevant(self, time_s: float, track: Track, least_score: float, follow_s: float) -> bool:
        """Whether `track` may still fulfil an armed rule, or did less than `follow_s` ago."""
        for i in self.armed(time_s):
            stay = self._stays.get((track.number, i))
            over = stay is not None and stay.raised_s is not None and time_s - stay.raised_s > follow_s
            if not over and _touches(self._reach[i], track.box) and self._vote(self._rules[i], track)[1] >= least_score:
                return True
        return False

    def candidates(self, time_s: float, tracks: Sequence[Track], least_score: float) -> list[tuple[Track, str]]:
        """Confirmed tracks of this frame that stand in the zone of an armed rule, with the label the rule sees in them."""
        found: dict[int, tuple[Track, str]] = {}
        for i, track in self._pairs(time_s, tracks):
            label, score = self._vote(self._rules[i], track)
            if track.confirmed and score >= least_score and self._stands_in(i, track):
                found.setdefault(track.number, (track, label))
        return list(found.values())

    def update(self, time_s: float, tracks: Sequence[Track]) -> list[Finding]:
        """What became news with the frame of `time_s`: at most one finding a rule, and one a track and rule ever."""
        findings = []
        for i, track in self._pairs(time_s, tracks):
            stay = self._stay(i, track, time_s)
            rule = self._rules[i]
            if stay is None or stay.raised_s is not None or not track.confirmed or time_s < self._dead_until_s[i]:
                continue
            label, score = self._vote(rule, track)
            if time_s - stay.since_s >= rule.dwell_s and score >= rule.min_score:
                stay.raised_s = time_s
                self._dead_until_s[i] = time_s + rule.dead_time_s
                findings.append(Finding(rule, track, label, score))
        return findings

    def forget(self, track: Track) -> None:
        """Drop what is remembered of a track that has ended."""
        for i in range(len(self._rules)):
            self._stays.pop((track.number, i), None)

    def reset(self) -> None:
        """Drop every stay and dead time: the clock was set back, so neither can be compared with what comes."""
        self._stays.clear()
        self._dead_until_s = [-np.inf] * len(self._rules)

    def _pairs(self, time_s: float, tracks: Sequence[Track]) -> list[tuple[int, Track]]:
        return [(i, track) for i in self.armed(time_s) for track in tracks if track.matched]

    def _stay(self, i: int, track: Track, time_s: float) -> _Stay | None:
        """The stay of `track` in zone `i` if it stands there now. One that left for longer than a wobble starts anew."""
        stay = self._stays.get((track.number, i))
        if not self._stands_in(i, track):
            if stay is not None and stay.raised_s is None and time_s - stay.last_s > _LEAVE_S:
                del self._stays[track.number, i]
            return None
        if stay is None:
            stay = self._stays[track.number, i] = _Stay(time_s, time_s)
        elif stay.raised_s is None and time_s - stay.last_s > _LEAVE_S:
            stay.since_s = time_s
        stay.last_s = time_s
        return stay

    def _stands_in(self, i: int, track: Track) -> bool:
        return bool(inside(self._polygon[i], np.clip(np.array([track.foot]), _BORDER, 1 - _BORDER))[0])

    def _vote(self, rule: Rule, track: Track) -> tuple[str, float]:
        """The label the rule asks for with most votes, and its share; anything that moves is worth 1 to a motion rule."""
        if rule.kind is EventKind.MOTION or not rule.labels:
            return EventKind.MOTION.value, 1.0
        votes = ((float(vote), label) for vote, label in zip(track.vote, self._labels, strict=True) if label in rule.labels)
        score, label = max(votes, default=(0.0, ""))
        return label, score


def inside(polygon: NDArray[np.float64], point: NDArray[np.float64]) -> Bool:
    """Which of the points (P, 2) lie in the polygon (V, 2), by the even-odd rule, bool (P,). The ring closes itself."""
    x, y = point[:, 0, None], point[:, 1, None]
    x0, y0 = polygon[:, 0], polygon[:, 1]
    x1, y1 = np.roll(x0, -1), np.roll(y0, -1)
    spans = (y0 > y) != (y1 > y)
    # Level edges divide by zero, and nearly level ones overflow; neither kind spans the point, so the result is not used.
    with np.errstate(all="ignore"):
        crossing = x0 + (y - y0) * (x1 - x0) / (y1 - y0)
    result: Bool = np.count_nonzero(spans & (x < crossing), axis=1) % 2 == 1
    return result


def _surroundings(polygon: NDArray[np.float64]) -> Bool:
    """Raster of the zone and what is within _REACH of it, bool (90, 160)."""
    height, width = _GRID
    mask = np.zeros(_GRID, np.uint8)
    cv2.fillPoly(mask, [np.rint(polygon * (width - 1, height - 1)).astype(np.int32)], 1)
    reach = round(_REACH * width)
    grown = cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1)))
    return np.asarray(grown, np.bool_)


def _touches(raster: Bool, box: Box) -> bool:
    """Whether any cell of `box` is set."""
    height, width = _GRID
    left, right = max(0, int(box[0] * width)), max(1, int(np.ceil(box[2] * width)))
    top, bottom = max(0, int(box[1] * height)), max(1, int(np.ceil(box[3] * height)))
    return bool(raster[min(top, height - 1) : bottom, min(left, width - 1) : right].any())
