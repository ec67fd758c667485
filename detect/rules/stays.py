"""Rules about being in a zone for a while: intrusion, motion, loitering, fire and smoke."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from camera_config import Rule
from detect.rules.geometry import covered, rasterise
from detect.rules.watch import Finding, Followed, Scene, TrackWatch
from detect.track import Track

__all__ = ["MotionWatch", "StayWatch"]

_VEHICLE = "vehicle"
_MOVED = 0.5  # of its box, by which a vehicle must have moved
_FILLS = 0.05  # of the zone: what passes in front of it without standing in it, a lorry, moves in it as well
_LIES_IN = 1 / 3  # of the box


@dataclass(slots=True)
class _Stay(Followed):
    """A track in the zone; before it was there, `last_s` is None."""

    since_s: float = 0.0
    last_s: float | None = None


class StayWatch(TrackWatch[_Stay]):
    """Fulfilled once a thing has been in the zone for `dwell_s`; ways out of it shorter than `leave_s` are part of the stay."""

    def __init__(self, rule: Rule, labels: Sequence[str]) -> None:
        super().__init__(rule, labels, lambda _track: _Stay())

    def update(self, time_s: float, tracks: Sequence[Track], scene: Scene) -> list[Finding]:
        del scene
        found = []
        for track, stands in zip(tracks, self.stand_in(tracks).tolist(), strict=True):
            stay = self.tracks.of(track, time_s)
            if not stands:
                continue
            if stay.last_s is None or (stay.raised_s is None and time_s - stay.last_s > self.rule.leave_s):
                stay.since_s = time_s
            stay.last_s = time_s
            if stay.raised_s is None and time_s - stay.since_s >= self.rule.dwell_s and self.sure(track) and self._is_news(track):
                found.append(self.finding(track))
        return found

    def _is_news(self, track: Track) -> bool:
        """Not a vehicle that only stands: it is parked, and what was learned while it was away, or before it, makes it show.

        One that drives in is seen to move, also where a key frame wakes the camera: what came before is looked at, too.
        """
        return self.vote(track)[0] != _VEHICLE or _has_moved(track)


def _has_moved(track: Track) -> bool:
    left, top, right, bottom = track.box
    foot_x, foot_y = track.foot
    far_x, far_y = _MOVED * (right - left), _MOVED * (bottom - top)
    return any(abs(x - foot_x) >= far_x or abs(y - foot_y) >= far_y for _, x, y in track.path)


class MotionWatch(StayWatch):
    """As StayWatch, but about pixels and not about feet: fulfilled by a thing that fills a part of the zone, or lies in it."""

    def __init__(self, rule: Rule, labels: Sequence[str]) -> None:
        super().__init__(rule, labels)
        self._raster = rasterise(self._polygon)

    def stand_in(self, tracks: Sequence[Track]) -> NDArray[np.bool_]:
        shares = [covered(self._raster, track.box) for track in tracks]
        return np.array([of_zone >= _FILLS or of_box >= _LIES_IN for of_zone, of_box in shares], np.bool_)
