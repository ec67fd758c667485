"""Rules about being in a zone for a while: intrusion, motion, loitering, fire and smoke."""

from collections.abc import Sequence
from dataclasses import dataclass

from camera_config import Rule
from detect.rules.watch import Finding, Followed, Scene, TrackWatch
from detect.track import Track

__all__ = ["StayWatch"]


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
            if stay.raised_s is None and time_s - stay.since_s >= self.rule.dwell_s and self.sure(track):
                found.append(self.finding(track))
        return found
