"""What every kind of rule shares: a `Watch` follows the tracks of one camera for one rule and says when it is fulfilled."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from base import Box, EventKind, Path
from camera_config import Rule
from detect.rules.geometry import apart, clip_foot, inside, surroundings, touches
from detect.track import Track

__all__ = ["Finding", "Followed", "Memory", "Scene", "TrackWatch", "Watch"]

Bool = NDArray[np.bool_]
U8 = NDArray[np.uint8]


@dataclass(slots=True, kw_only=True)
class Followed:
    """What a watch remembers of one track."""

    raised_s: float | None = None  # when it became an event


S = TypeVar("S", bound=Followed)

_AGAIN_S = 3.0  # a track that begins where another was lost less than this before is the same thing: flicker, a lamp post
_AGAIN_HEIGHTS = 1.0  # how far from there, in heights of its box


@dataclass(frozen=True, slots=True)
class Scene:
    """The reduced picture u8 (H, W) of a frame, and what is behind what moves in it, asked for only when needed."""

    luma: U8
    background: Callable[[], U8]


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule is fulfilled. `score` is the vote for `label`; without a `track` it is about a place, not about a thing."""

    rule: Rule
    label: str
    score: float
    box: Box
    began_s: float
    path: Path = ()
    track: Track | None = None


class Watch(ABC):
    """One rule of one camera, and what it remembers. Owned by the pipeline thread.

    `update` returns what fulfils the rule in this frame, again and again until one is `accept`ed: while the rule is in its dead
    time nothing is.
    """

    always = False  # to be asked also about frames without tracks
    pauses = False  # in its dead time nothing new is worth a look: it remembers nothing but tracks

    def __init__(self, rule: Rule, labels: Sequence[str]) -> None:
        self.rule = rule
        self._labels = tuple(labels)
        self._polygon = np.array(rule.zone, np.float64).reshape(-1, 2)
        self._reach = surroundings(self._polygon, np.array(rule.line, np.float64).reshape(-1, 2))

    @abstractmethod
    def update(self, time_s: float, tracks: Sequence[Track], scene: Scene) -> list[Finding]:
        """Take in the tracks that a frame shows."""

    @abstractmethod
    def accept(self, finding: Finding, time_s: float) -> None:
        """`finding`, which `update` or `glimpse` has just returned, became an event."""

    def withdraw(self, finding: Finding) -> None:  # noqa: B027  what is about no thing is never withdrawn
        """`finding`, which was accepted, is no event after all: it may come again."""

    @abstractmethod
    def forget(self, number: int) -> None:
        """A track has ended."""

    @abstractmethod
    def reset(self) -> None:
        """Forget everything: the clock was set back."""

    def glimpse(self, time_s: float, box: Sequence[Box], scene: Scene) -> list[Finding]:
        """Take in a frame of a quiet camera, which has regions of the rule's labels but no tracks."""
        del time_s, box, scene
        return []

    def near(self, box: Box) -> bool:
        """Whether `box` lies in the zone or close to it."""
        return touches(self._reach, box)

    def wakes(self, box: Box) -> bool:
        """Whether a region of a quiet camera is worth a closer look, if it is near."""
        del box
        return True

    def relevant(self, time_s: float, track: Track, follow_s: float) -> bool:
        """Whether `track`, which is near, may still fulfil the rule, or did less than `follow_s` ago."""
        del time_s, track, follow_s
        return True

    def has_raised(self, track: Track) -> bool:
        """Whether `track` has become an event."""
        del track
        return False

    def stand_in(self, tracks: Sequence[Track]) -> Bool:
        """Which of `tracks` stand in the zone, bool (T,)."""
        return inside(self._polygon, np.array([clip_foot(track.foot) for track in tracks]).reshape(-1, 2))

    def vote(self, track: Track) -> tuple[str, float]:
        """The label the rule asks for with most votes, and its share; anything that moves where it asks for none."""
        if self.rule.kind is EventKind.MOTION or not self.rule.labels:
            return EventKind.MOTION.value, 1.0
        votes = [(float(vote), name) for vote, name in zip(track.vote, self._labels, strict=True) if name in self.rule.labels]
        score, label = max(votes, default=(0.0, ""))
        return label, score

    def finding(self, track: Track) -> Finding:
        """That `track` fulfils the rule."""
        label, score = self.vote(track)
        return Finding(self.rule, label, score, track.box, track.began_s, tuple(track.path), track)

    def sure(self, track: Track) -> bool:
        """Whether `track` is one, and of what the rule asks for."""
        return track.confirmed and self.vote(track)[1] >= self.rule.min_score


@dataclass(slots=True)
class _Kept(Generic[S]):
    state: S
    foot: tuple[float, float]
    height: float
    last_s: float


class Memory(Generic[S]):
    """What a watch remembers of each track.

    A track that begins where another was lost a moment ago takes its state over: one thing that flickers is one event.
    """

    def __init__(self, new: Callable[[Track], S], again_s: float = 0.0) -> None:
        self._new, self._again_s = new, max(_AGAIN_S, again_s)
        self._kept: dict[int, _Kept[S]] = {}
        self._ended: set[int] = set()

    def __len__(self) -> int:
        return len(self._kept)

    def of(self, track: Track, time_s: float) -> S:
        """The state of a track that the frame of `time_s` shows."""
        kept = self._kept.get(track.number)
        height = track.box[3] - track.box[1]
        if kept is None:
            heir = self._heir(track)
            kept = self._kept.pop(heir) if heir is not None else _Kept(self._new(track), track.foot, height, time_s)
            self._kept[track.number] = kept
        kept.foot, kept.height, kept.last_s = track.foot, height, time_s
        return kept.state

    def get(self, number: int) -> S | None:
        kept = self._kept.get(number)
        return kept.state if kept is not None else None

    def forget(self, number: int) -> None:
        """The track has ended; its state waits a little for an heir."""
        if number in self._kept:
            self._ended.add(number)
            newest_s = max(kept.last_s for kept in self._kept.values())
            self._ended &= self._kept.keys()
            for old in [each for each in self._ended if newest_s - self._kept[each].last_s > 2 * self._again_s]:
                del self._kept[old]

    def clear(self) -> None:
        self._kept.clear()
        self._ended.clear()

    def _heir(self, track: Track) -> int | None:
        """The number whose place `track` takes, if there is one."""
        near = [
            (apart(kept.foot, track.foot), number)
            for number, kept in self._kept.items()
            if kept.last_s < track.began_s <= kept.last_s + self._again_s
        ]
        distance, number = min(near, default=(np.inf, 0))
        return number if near and distance <= _AGAIN_HEIGHTS * self._kept[number].height else None


class TrackWatch(Watch, Generic[S]):
    """A watch for which each track is a matter of its own and becomes an event at most once."""

    pauses = True

    def __init__(self, rule: Rule, labels: Sequence[str], new: Callable[[Track], S]) -> None:
        super().__init__(rule, labels)
        self.tracks = Memory(new, rule.leave_s)

    def accept(self, finding: Finding, time_s: float) -> None:
        followed = self.tracks.get(finding.track.number) if finding.track else None
        if followed is not None:
            followed.raised_s = time_s

    def withdraw(self, finding: Finding) -> None:
        followed = self.tracks.get(finding.track.number) if finding.track else None
        if followed is not None:
            followed.raised_s = None

    def has_raised(self, track: Track) -> bool:
        followed = self.tracks.get(track.number)
        return followed is not None and followed.raised_s is not None

    def relevant(self, time_s: float, track: Track, follow_s: float) -> bool:
        followed = self.tracks.get(track.number)
        return followed is None or followed.raised_s is None or time_s - followed.raised_s <= follow_s

    def forget(self, number: int) -> None:
        self.tracks.forget(number)

    def reset(self) -> None:
        self.tracks.clear()
