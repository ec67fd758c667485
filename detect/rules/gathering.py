"""Rules about how many are in a zone: a crowd, or nobody at all."""

from collections.abc import Sequence

import numpy as np

from base import Box
from camera_config import Rule
from detect.rules.geometry import GRID, rasterise
from detect.rules.watch import Finding, Scene, Watch
from detect.track import Track

__all__ = ["AbsenceWatch", "CrowdWatch"]

_UNSEEN_S = 60.0  # a camera that was not looked at for longer cannot say that nobody came


class CrowdWatch(Watch):
    """Fulfilled when for `dwell_s` at least `count` were in the zone, or they covered `density` of it.

    People who hide one another are one region of what moves, so in a dense crowd it is the density that tells.
    """

    def __init__(self, rule: Rule, labels: Sequence[str]) -> None:
        super().__init__(rule, labels)
        self._raster = rasterise(self._polygon)
        self._cells = max(1, int(self._raster.sum()))
        self._since_s: float | None = None
        self._last_s = -np.inf
        self._raised = False

    def update(self, time_s: float, tracks: Sequence[Track], scene: Scene) -> list[Finding]:
        del scene
        there = [
            track for track, stands in zip(tracks, self.stand_in(tracks).tolist(), strict=True) if stands and self.sure(track)
        ]
        if self._since_s is not None and time_s - self._last_s > self.rule.leave_s:
            self._since_s, self._raised = None, False
        if not there or not self._is_crowd(there):
            return []
        self._since_s = time_s if self._since_s is None else self._since_s
        self._last_s = time_s
        if self._raised or time_s - self._since_s < self.rule.dwell_s:
            return []
        first = min(there, key=lambda track: track.began_s)
        label, score = self.vote(first)
        return [Finding(self.rule, label, score, _around(there), self._since_s, tuple(first.path), first)]

    def _is_crowd(self, there: Sequence[Track]) -> bool:
        if self.rule.count and len(there) >= self.rule.count:
            return True
        return bool(self.rule.density) and self._covered(there) >= self.rule.density

    def _covered(self, there: Sequence[Track]) -> float:
        """Share of the zone."""
        covered = np.zeros(GRID, np.bool_)
        for track in there:
            left, top, right, bottom = np.rint(np.clip(track.box, 0, 1) * np.tile(GRID[::-1], 2)).astype(int).tolist()
            covered[top:bottom, left:right] = True
        return int((covered & self._raster).sum()) / self._cells

    def accept(self, finding: Finding, time_s: float) -> None:
        self._raised = True

    def relevant(self, time_s: float, track: Track, follow_s: float) -> bool:
        return not self._raised or (self._since_s is not None and time_s - self._since_s <= follow_s)

    def forget(self, number: int) -> None:
        """Nothing: a crowd outlives each of its people."""

    def reset(self) -> None:
        self._since_s, self._last_s, self._raised = None, -np.inf, False


class AbsenceWatch(Watch):
    """Fulfilled when nobody of `labels` was in the zone for `dwell_s`, nothing that moved where it asks for none."""

    always = True

    def __init__(self, rule: Rule, labels: Sequence[str]) -> None:
        super().__init__(rule, labels)
        self._seen_s: float | None = None  # when somebody was there last, or the watch began
        self._look_s = -np.inf
        self._raised = False
        self._box = _whole(rule)

    def update(self, time_s: float, tracks: Sequence[Track], scene: Scene) -> list[Finding]:
        del scene
        stands = self.stand_in(tracks).tolist()
        return self._observe(time_s, any(there and self._meant(track) for track, there in zip(tracks, stands, strict=True)))

    def glimpse(self, time_s: float, box: Sequence[Box], scene: Scene) -> list[Finding]:
        del scene
        return self._observe(time_s, any(self.near(one) for one in box))

    def wakes(self, box: Box) -> bool:
        return False  # that somebody is there is all that this rule wants to know

    def relevant(self, time_s: float, track: Track, follow_s: float) -> bool:
        return False

    def accept(self, finding: Finding, time_s: float) -> None:
        self._raised = True

    def forget(self, number: int) -> None:
        """Nothing: somebody else may be there."""

    def reset(self) -> None:
        self._seen_s, self._look_s, self._raised = None, -np.inf, False

    def _meant(self, track: Track) -> bool:
        return self.vote(track)[1] >= self.rule.min_score

    def _observe(self, time_s: float, somebody: bool) -> list[Finding]:
        if somebody or self._seen_s is None or time_s - self._look_s > _UNSEEN_S:
            self._seen_s, self._raised = time_s, False
        self._look_s = time_s
        if self._raised or time_s - self._seen_s < self.rule.dwell_s:
            return []
        return [Finding(self.rule, "", 1.0, self._box, self._seen_s)]


def _around(tracks: Sequence[Track]) -> Box:
    left, top, right, bottom = zip(*(track.box for track in tracks), strict=True)
    return min(left), min(top), max(right), max(bottom)


def _whole(rule: Rule) -> Box:
    """The box around a zone."""
    x, y = zip(*rule.zone, strict=True)
    return min(x), min(y), max(x), max(y)
