"""Hop 6: regions of one camera → tracks: one thing over time, with true time steps and a vote on what it is."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from base import Box
from detect.settings import DetectSettings

__all__ = ["Track", "Tracker"]

Floats = NDArray[np.float32]

_TENTATIVE_S = 0.6  # an unconfirmed track not seen for this long was noise
_VOTES = 15  # a vote counts as the mean of about this many frames: one second at 15 frames/s
_OVERLAP_MIN = 0.15  # intersection over union that makes a pair whatever the distance
_REACH = 1.0  # sizes of the box a thing may jump between two frames ...
_REACH_PER_S = 1.5  # ... and this much more for every second not seen
_SIZE_RATIO_MAX = 4.0  # in area: a dog does not become a lorry
_SMOOTHING_S = 0.3  # time constant of the velocity
_MAX_TRACKS = 64  # a camera; more is weather
_PATH_POINTS = 64  # of an event's path


@dataclass(slots=True, eq=False)
class Track:
    """One thing on one camera. `box` is where it was last seen; times are times of the picture.

    `vote` f32 (C,) is the running mean of its label scores; `matched` says whether the newest frame showed it.
    """

    number: int
    box: Box
    began_s: float
    seen_s: float
    vote: Floats
    hits: int = 1
    velocity: tuple[float, float] = (0.0, 0.0)  # of the box's middle, fractions of the picture a second
    confirmed: bool = False
    matched: bool = True
    region: int = -1  # row of the frame's regions it was matched to, if `matched`
    path: list[tuple[float, float, float]] = field(default_factory=list)  # time, foot: its whole way, thinned as it grows

    @property
    def foot(self) -> tuple[float, float]:
        """Where it stands: the middle of the lower edge."""
        return (self.box[0] + self.box[2]) / 2, self.box[3]

    def extend_path(self) -> None:
        """Add where it is now. A path that is full keeps its first, its last and every other point between."""
        if len(self.path) == _PATH_POINTS:
            self.path = [*self.path[:-1:2], self.path[-1]]
        x, y = self.foot
        self.path.append((self.seen_s, round(x, 4), round(y, 4)))

    def predicted(self, time_s: float) -> Box:
        """Where it would be at `time_s` at constant velocity."""
        dt_s = time_s - self.seen_s
        dx, dy = self.velocity[0] * dt_s, self.velocity[1] * dt_s
        return self.box[0] + dx, self.box[1] + dy, self.box[2] + dx, self.box[3] + dy


class Tracker:
    """The tracks of one camera. Owned by the pipeline thread."""

    def __init__(self, settings: DetectSettings) -> None:
        self._settings = settings
        self._number = 0
        self._time_s = -np.inf
        self.tracks: list[Track] = []

    def update(self, time_s: float, box: Floats, score: Floats) -> list[Track]:
        """Take in one frame's regions, `box` (R, 4) and `score` (R, C), and return the tracks that have ended.

        Frames not newer than the last one are passed over, with no track matched: after a wake the ring may show again what
        was already seen.
        """
        for track in self.tracks:
            track.matched = False
        if time_s <= self._time_s:
            return []
        self._time_s = time_s
        pairs = _associate([track.predicted(time_s) for track in self.tracks], self.tracks, time_s, box)
        for at, region in pairs:
            self._follow(self.tracks[at], time_s, box[region], score[region], region)
        self._begin(time_s, box, score, {region for _, region in pairs})
        return self.expire(time_s)

    def expire(self, time_s: float) -> list[Track]:
        """Let go of tracks not seen for too long before `time_s`, and return them."""
        ended = [track for track in self.tracks if time_s - track.seen_s > self._patience_s(track)]
        self.tracks = [track for track in self.tracks if track not in ended]
        return ended

    def reset(self) -> list[Track]:
        """End all tracks and take in frames of any time again; the tracks. Numbers go on."""
        ended, self.tracks, self._time_s = self.tracks, [], -np.inf
        return ended

    def _patience_s(self, track: Track) -> float:
        return self._settings.coast_s if track.confirmed else min(_TENTATIVE_S, self._settings.coast_s)

    def _follow(self, track: Track, time_s: float, box: Floats, score: Floats, region: int) -> None:
        left, top, right, bottom = box.tolist()
        dt_s = time_s - track.seen_s
        was = track.box
        share = 1 - float(np.exp(-dt_s / _SMOOTHING_S))
        moved = ((left + right - was[0] - was[2]) / 2 / dt_s, (top + bottom - was[1] - was[3]) / 2 / dt_s)
        track.velocity = (
            track.velocity[0] + share * (moved[0] - track.velocity[0]),
            track.velocity[1] + share * (moved[1] - track.velocity[1]),
        )
        track.box, track.seen_s, track.matched, track.region = (left, top, right, bottom), time_s, True, region
        track.extend_path()
        track.hits += 1
        track.vote += (score - track.vote) / np.float32(min(track.hits, _VOTES))
        persistent = time_s - track.began_s >= self._settings.confirm_s
        track.confirmed |= persistent and track.hits >= self._settings.confirm_hits

    def _begin(self, time_s: float, box: Floats, score: Floats, taken: set[int]) -> None:
        for region in range(len(box)):
            if region in taken or len(self.tracks) >= _MAX_TRACKS:
                continue
            left, top, right, bottom = box[region].tolist()
            vote = score[region].astype(np.float32)  # a copy: the track votes in place
            self.tracks.append(Track(self._number, (left, top, right, bottom), time_s, time_s, vote, region=region))
            self.tracks[-1].extend_path()
            self._number += 1


def _associate(predicted: Sequence[Box], tracks: Sequence[Track], time_s: float, box: Floats) -> list[tuple[int, int]]:
    """Pairs (track, region), best first, each at most once.

    Greedy: with the few things one camera sees, the best pair first is right where the optimum of sums would trade a sure pair
    for two doubtful ones. Overlap counts most; without overlap, distance in sizes of the box.
    """
    if not tracks or not len(box):
        return []
    worth = _worth(np.array(predicted, np.float32), box, np.array([time_s - track.seen_s for track in tracks], np.float32))
    # Confirmed tracks choose first among equals, then the older.
    worth += np.array([[0.1 if track.confirmed else 0.0] for track in tracks], np.float32) * (worth > 0)
    pairs: list[tuple[int, int]] = []
    while True:
        at, region = divmod(int(worth.argmax()), worth.shape[1])
        if worth[at, region] <= 0:
            return pairs
        pairs.append((at, region))
        worth[at] = 0
        worth[:, region] = 0


def _worth(predicted: Floats, box: Floats, unseen_s: Floats) -> Floats:
    """How well each predicted box (T, 4) fits each region (R, 4): f32 (T, R), 0 where they cannot be the same thing."""
    one, two = predicted[:, None], box[None]
    common = np.clip(np.minimum(one[..., 2:], two[..., 2:]) - np.maximum(one[..., :2], two[..., :2]), 0, None).prod(axis=2)
    size_one, size_two = one[..., 2:] - one[..., :2], two[..., 2:] - two[..., :2]
    area_one, area_two = size_one.prod(axis=2), size_two.prod(axis=2)
    overlap = common / np.maximum(area_one + area_two - common, 1e-9)
    apart = np.linalg.norm((one[..., :2] + one[..., 2:] - two[..., :2] - two[..., 2:]) / 2, axis=2)
    distance = apart / np.maximum(np.linalg.norm(np.maximum(size_one, size_two), axis=2), 1e-6)
    reach = (_REACH + _REACH_PER_S * unseen_s)[:, None]
    ratio = np.maximum(area_one, area_two) / np.maximum(np.minimum(area_one, area_two), 1e-9)
    possible = (overlap >= _OVERLAP_MIN) | ((distance <= reach) & (ratio <= _SIZE_RATIO_MAX))
    worth: Floats = np.where(possible, overlap + 0.5 * np.clip(1 - distance / reach, 0.01, 1), 0).astype(np.float32)
    return worth
