"""Rules about things that stand still: an object left or removed, a vehicle in a fire lane.

A place where something stands is remembered by how it looks, so that it is known again at key frames, through the night's
change of light, and after the background has learned it; a thing that only passes costs nothing while its camera sleeps.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from base import Box, EventKind, Path
from camera_config import Rule
from detect.rules.geometry import ASPECT, overlap
from detect.rules.watch import Finding, Scene, Watch
from detect.track import Track

__all__ = ["StandingWatch"]

U8 = NDArray[np.uint8]
Floats = NDArray[np.float32]

_PERSON, _OBJECT = "person", "other"
_SAME = 0.3  # intersection over union of a thing that did not move: small boxes wobble by a pixel on each side
_SETTLED_S = 1.5  # standing for that long, a thing is worth remembering
_RENEW_S = 1.0  # while it is seen, how often its look is remembered anew
_LOOKS_SAME = 0.6  # correlation with the look remembered
_AROUND = 0.4  # of a box's size, on each side: with its contours against the ground, also a plain thing has a look
_AT_IT = 0.7  # heights of a person around his foot: within that he stands at it
_STRUCTURE = 1.15  # contours of a thing that came over those of what it hides
_MAYBE_PERSON = 0.3  # a vote from which on somebody is taken to be at a thing
_MOST_SPOTS = 32


@dataclass(slots=True)
class _Spot:
    """A place where something stands."""

    box: Box
    since_s: float
    last_s: float
    track: Track
    label: str
    score: float
    path: Path
    person: float = 0.0  # the vote that it is one
    look: Floats | None = None
    look_s: float = -np.inf
    came: bool | None = None  # whether it came, or is a gap that something left; None while that cannot be told
    busy_s: float = -np.inf  # when somebody was last seen at it
    raised: bool = False


class StandingWatch(Watch):
    """Fulfilled when something has stood in the zone for `dwell_s`, an object with nobody at it for that long."""

    def __init__(self, rule: Rule, labels: Sequence[str]) -> None:
        super().__init__(rule, labels)
        self._spots: list[_Spot] = []
        self._before: tuple[Box, ...] = ()  # regions of the last frame while quiet

    def update(self, time_s: float, tracks: Sequence[Track], scene: Scene) -> list[Finding]:
        stands = self.stand_in(tracks)
        for track, in_zone in zip(tracks, stands.tolist(), strict=True):
            if track.confirmed:
                self._follow(track, in_zone, time_s)
        people = [track for track in tracks if track.confirmed and self._person(track) >= _MAYBE_PERSON]
        for spot in self._spots:
            if any(person is not spot.track and _is_at(person.box, spot.box) for person in people):
                spot.busy_s = time_s
        return self._fulfilled(time_s, scene)

    def glimpse(self, time_s: float, box: Sequence[Box], scene: Scene) -> list[Finding]:
        self._before = tuple(box)
        if not self._spots:
            return []
        for spot in self._spots:
            for region in box:
                if overlap(region, spot.box) >= _SAME:
                    spot.last_s = time_s
                elif _is_at(region, spot.box):
                    spot.busy_s = time_s
        return self._fulfilled(time_s, scene)

    def accept(self, finding: Finding, time_s: float) -> None:
        for spot in self._spots:
            spot.raised |= spot.box == finding.box

    def wakes(self, box: Box) -> bool:
        """What stood there at the last look as well, and is not known yet."""
        stood = any(overlap(box, one) >= _SAME for one in self._before)
        return stood and not any(spot.look is not None and overlap(box, spot.box) >= _SAME for spot in self._spots)

    def relevant(self, time_s: float, track: Track, follow_s: float) -> bool:
        """While it may be settling; from then on key frames are enough."""
        return any(spot.track is track and spot.look is None and time_s > spot.since_s for spot in self._spots)

    def forget(self, number: int) -> None:
        """Nothing: what stands somewhere outlives its track."""

    def reset(self) -> None:
        self._spots.clear()
        self._before = ()

    def _follow(self, track: Track, in_zone: bool, time_s: float) -> None:
        """Find the spot of a track, or begin one."""
        spot = next((each for each in self._spots if overlap(each.box, track.box) >= _SAME), None)
        if spot is None:
            # What moved on leaves nothing behind; what has settled may be a thing that its bearer has parted from.
            self._spots = [each for each in self._spots if each.track is not track or each.look is not None]
            if not in_zone or len(self._spots) >= _MOST_SPOTS:
                return
            label, score = self.vote(track) if self.rule.labels else (_OBJECT, 1.0)
            spot = _Spot(track.box, time_s, time_s, track, label, score, tuple(track.path))
            self._spots.append(spot)
        spot.track, spot.last_s, spot.person = track, time_s, self._person(track)
        if self.rule.labels:
            spot.label, spot.score = self.vote(track)

    def _fulfilled(self, time_s: float, scene: Scene) -> list[Finding]:
        """Look at every spot; drop those where nothing stands any more."""
        found = []
        for spot in self._spots:
            self._look(spot, time_s, scene)
            stood_s = spot.last_s - max(spot.since_s, spot.busy_s)
            if not spot.raised and spot.look is not None and stood_s >= self.rule.dwell_s and self._is_meant(spot):
                found.append(Finding(self.rule, spot.label, spot.score, spot.box, spot.since_s, spot.path, spot.track))
        self._spots = [spot for spot in self._spots if time_s - spot.last_s <= self.rule.leave_s]
        return found

    def _look(self, spot: _Spot, time_s: float, scene: Scene) -> None:
        """Remember how the spot looks while something is seen there, and know it again when the background has learned it."""
        if spot.last_s == time_s:
            if time_s - spot.since_s >= _SETTLED_S and time_s - spot.look_s >= _RENEW_S and spot.busy_s < time_s:
                spot.look, spot.look_s = _cut(scene.luma, spot.box), time_s
                if spot.came is None:
                    spot.came = _came(scene.luma, scene.background(), spot.box)
        elif spot.look is not None and _correlation(spot.look, _cut(scene.luma, spot.box)) >= _LOOKS_SAME:
            spot.last_s = time_s

    def _is_meant(self, spot: _Spot) -> bool:
        if self.rule.kind is EventKind.LANE_BLOCKED:
            return spot.score >= self.rule.min_score
        return spot.came is (self.rule.kind is EventKind.OBJECT_LEFT) and spot.person < 0.5

    def _person(self, track: Track) -> float:
        return float(track.vote[self._labels.index(_PERSON)]) if _PERSON in self._labels else 0.0


def _is_at(person: Box, thing: Box) -> bool:
    """Whether somebody stands at a thing: his foot is within his reach of it."""
    reach_y = _AT_IT * (person[3] - person[1])
    reach_x = reach_y / ASPECT
    foot_x, foot_y = (person[0] + person[2]) / 2, person[3]
    return thing[0] - reach_x <= foot_x <= thing[2] + reach_x and thing[1] - reach_y <= foot_y <= thing[3] + reach_y


def _pixels(luma: U8, box: Box, around: float) -> U8:
    """The part of a picture where `box` is, grown by `around` of its size; at least 3x3 pixels, a view."""
    height, width = luma.shape
    grow_x, grow_y = around * (box[2] - box[0]), around * (box[3] - box[1])
    left = min(max(0, int((box[0] - grow_x) * width)), width - 3)
    top = min(max(0, int((box[1] - grow_y) * height)), height - 3)
    right = max(left + 3, int(np.ceil((box[2] + grow_x) * width)))
    bottom = max(top + 3, int(np.ceil((box[3] + grow_y) * height)))
    return luma[top:bottom, left:right]


def _cut(luma: U8, box: Box) -> Floats:
    """How the place of `box` looks, f32 (h, w), free of mean and of contrast."""
    part = _pixels(luma, box, _AROUND).astype(np.float32)
    part -= part.mean()
    return part / max(float(np.linalg.norm(part)), 1e-3)


def _correlation(one: Floats, two: Floats) -> float:
    return float((one * two).sum())


def _came(luma: U8, background: U8, box: Box) -> bool | None:
    """Whether the contours of a thing are in the picture, True, or in what is behind it, False; None if neither is clear."""
    now, before = (_contours(_pixels(picture, box, _AROUND / 2)) for picture in (luma, background))
    if now > _STRUCTURE * before:
        return True
    return False if before > _STRUCTURE * now else None


def _contours(part: U8) -> float:
    """Mean gradient."""
    return sum(float(np.abs(step).mean()) for step in _gradients(part))


def _gradients(part: U8) -> Iterable[NDArray[np.float32]]:
    for x, y in ((1, 0), (0, 1)):
        yield np.asarray(cv2.Sobel(part, cv2.CV_32F, x, y), np.float32)
