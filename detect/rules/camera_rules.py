"""The rules of one camera: which are armed, which frames concern them, what of it is news."""

from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

import numpy as np

from base import Box, EventKind
from camera_config import HEALTH_KINDS, Rule
from detect.rules.gathering import AbsenceWatch, CrowdWatch
from detect.rules.moves import FastWatch, LineWatch, WrongWayWatch
from detect.rules.standing import StandingWatch
from detect.rules.stays import MotionWatch, StayWatch
from detect.rules.watch import Finding, Scene, Watch
from detect.track import Track

__all__ = ["WATCHES", "CameraRules", "refusal"]

_BEFORE_S = 3.0  # before its dead time ends a rule asks again: a key frame and what led to it
_AGAIN_S = 2.0  # a look costs up to 60 ms, and what it saw does not change faster

WATCHES: dict[EventKind, type[Watch]] = {
    EventKind.INTRUSION: StayWatch,
    EventKind.MOTION: MotionWatch,
    EventKind.LOITERING: StayWatch,
    EventKind.FIRE_SMOKE: StayWatch,
    EventKind.LINE_CROSSING: LineWatch,
    EventKind.WRONG_WAY: WrongWayWatch,
    EventKind.FAST_MOTION: FastWatch,
    EventKind.OBJECT_LEFT: StandingWatch,
    EventKind.OBJECT_REMOVED: StandingWatch,
    EventKind.LANE_BLOCKED: StandingWatch,
    EventKind.CROWD: CrowdWatch,
    EventKind.ABSENCE: AbsenceWatch,
}


def refusal(rule: Rule, labels: Sequence[str]) -> str:
    """Why a network that knows `labels` cannot fulfil a rule, a sentence; empty where it can."""
    if not rule.labels or set(rule.labels) & set(labels):
        return ""
    return (
        f"camera {rule.camera}, rule {rule.name}: {rule.kind} needs a network that knows {' or '.join(rule.labels)}; "
        f"this one knows {', '.join(labels)}"
    )


class CameraRules:
    """The rules of one camera and what they remember of its tracks. Owned by the pipeline thread."""

    def __init__(self, rules: Sequence[Rule], zone_info: ZoneInfo, labels: Sequence[str]) -> None:
        """`labels` are those of the crop network; rules about the camera itself are left aside."""
        self._rules = tuple(rule for rule in rules if rule.kind not in HEALTH_KINDS)
        self._zone_info = zone_info
        self._watches = [WATCHES[rule.kind](rule, labels) for rule in self._rules]
        self._dead_until_s = [-np.inf] * len(self._rules)
        self._minute: int | None = None  # of the last look at the schedules ...
        self._armed: tuple[int, ...] = ()  # ... and the rules armed in it

    def __len__(self) -> int:
        return len(self._rules)

    def armed(self, time_s: float) -> tuple[int, ...]:
        """Which rules' schedules hold at `time_s`. Schedules have whole minutes, so one look a minute is enough."""
        minute = int(time_s // 60)
        if self._minute != minute:
            holds = (i for i, rule in enumerate(self._rules) if rule.schedule.contains(time_s, self._zone_info))
            self._minute, self._armed = minute, tuple(holds)
        return self._armed

    def near(self, time_s: float, box: Box) -> tuple[Rule, ...]:
        """The armed rules in whose zone, or close to it, `box` lies."""
        return tuple(self._rules[i] for i in self._asking(time_s) if self._watches[i].near(box))

    def wakers(self, time_s: float, box: Box) -> tuple[Rule, ...]:
        """Those of the rules near `box`, a region of a quiet camera, to whom it may be news."""
        watches = [self._watches[i] for i in self._asking(time_s)]
        return tuple(watch.rule for watch in watches if watch.near(box) and watch.wakes(box))

    def relevant(self, time_s: float, track: Track, least_score: float, follow_s: float) -> bool:
        """Whether `track` may still fulfil an armed rule, or did less than `follow_s` ago."""
        asking = self._asking(time_s)
        return any(
            watch.near(track.box) and watch.relevant(time_s, track, follow_s) and watch.vote(track)[1] >= least_score
            for i, watch in ((i, self._watches[i]) for i in self.armed(time_s))
            if i in asking or watch.has_raised(track)
        )

    def candidates(self, time_s: float, tracks: Sequence[Track], least_score: float) -> list[tuple[Track, str]]:
        """Confirmed tracks of this frame that stand in the zone of an armed rule, with the label the rule sees in them."""
        found: dict[int, tuple[Track, str]] = {}
        shown = [track for track in tracks if track.matched and track.confirmed]
        if not shown:
            return []
        for watch in (self._watches[i] for i in self.armed(time_s)):
            for track, stands in zip(shown, watch.stand_in(shown).tolist(), strict=True):
                label, score = watch.vote(track)
                if stands and score >= least_score:
                    found.setdefault(track.number, (track, label))
        return list(found.values())

    def update(self, time_s: float, tracks: Sequence[Track], scene: Scene) -> list[Finding]:
        """What became news with the frame of `time_s` of an awake camera."""
        shown = [track for track in tracks if track.matched]
        return [
            finding
            for i in self.armed(time_s)
            if shown or self._watches[i].always
            for finding in self._admit(i, time_s, self._watches[i].update(time_s, shown, scene))
        ]

    def glimpse(self, time_s: float, regions: Sequence[tuple[Box, dict[str, float]]], scene: Scene) -> list[Finding]:
        """What became news with a key frame of a quiet camera, whose regions came with the scores of their labels."""
        findings: list[Finding] = []
        for i in self.armed(time_s):
            watch = self._watches[i]
            box = [box for box, score in regions if watch.near(box) and _fits(watch.rule, score)]
            findings += self._admit(i, time_s, watch.glimpse(time_s, box, scene))
        return findings

    def withdraw(self, finding: Finding, time_s: float) -> None:
        """The event of `finding`, of the frame of `time_s`, is held back: its rule may be fulfilled again in two seconds."""
        i = self._rules.index(finding.rule)
        self._dead_until_s[i] = time_s + _AGAIN_S
        self._watches[i].withdraw(finding)

    def _asking(self, time_s: float) -> tuple[int, ...]:
        """The armed rules to which something new may be news: not those whose dead time lasts, and that look at nothing then."""
        return tuple(i for i in self.armed(time_s) if not self._watches[i].pauses or time_s >= self._dead_until_s[i] - _BEFORE_S)

    def forget(self, track: Track) -> None:
        """Drop what is remembered of a track that has ended."""
        for watch in self._watches:
            watch.forget(track.number)

    def reset(self) -> None:
        """Drop everything remembered: the clock was set back, so that it cannot be compared with what comes."""
        for watch in self._watches:
            watch.reset()
        self._dead_until_s = [-np.inf] * len(self._rules)

    def _admit(self, i: int, time_s: float, findings: Sequence[Finding]) -> Iterator[Finding]:
        """Of what fulfils rule `i`, what comes outside of its dead time."""
        for finding in findings:
            if time_s >= self._dead_until_s[i]:
                self._dead_until_s[i] = time_s + self._rules[i].dead_time_s
                self._watches[i].accept(finding, time_s)
                yield finding


def _fits(rule: Rule, score: dict[str, float]) -> bool:
    """Whether a region with these scores is what the rule asks for."""
    return not rule.labels or max((score.get(label, 0.0) for label in rule.labels), default=0.0) >= rule.min_score
