"""Hops 4–7 as one page: a batch of frames goes in, events come out."""

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from functools import partial
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from base import CameraStatus, Clock, Event, FrameBatch, Opinion, Tier, uuid7
from camera_config import HEALTH_KINDS, Outline, Rule
from detect.background import FORGET_S, Backgrounds
from detect.health_rules import HealthRules
from detect.motion import Ignored, Regions, find_regions
from detect.objects import Judge, Judges, Scores
from detect.rules import CameraRules, Finding, Scene, refusal
from detect.second_opinion import ASK_SEVERITY, DEADLINE_S, Opinions, Question, Seen, weigh
from detect.settings import DetectSettings
from detect.snapshot import Album, encode_jpeg
from detect.track import Track, Tracker
from detect.wake import NOT_ARMED, WakeCause

__all__ = ["DetectStats", "Pipeline", "Wake"]

logger = logging.getLogger(__name__)

_EXTEND_S = 1.0  # an awake camera's gate is held open anew at most this often
_STEP_S = 5.0  # a camera's time that falls further than this follows our own clock being set back
_HOLDS = 3  # contradictions of one track after which its event stays held back
_FREE_VAIN, _MOST_VAIN = 2, 6  # wakes by key frames in vain that change nothing, and that count at most
_VAIN_S = 12.0  # awake without an event for that long is in vain once more: leaves can keep a camera awake for minutes
_LEAST_LOOKS = 10  # awake frames, two seconds: a wake that had no room for them shows nothing
_VAIN_SCORE = 0.075  # more of a score for each: 0.6 at most, which rules ask for by themselves
_VAIN_RANK = 0.4  # of a severity: of equals, who was woken in vain goes last
_FORGIVEN_S = 600.0  # after which one of them is forgotten
_TELL_S = 60.0  # one step reaches every camera, each with its next frame: told once

Wake = Callable[[str, float, WakeCause], None]
"""Asks for a camera to be awake until a time (UTC), and says why."""


@dataclass(frozen=True, slots=True)
class DetectStats:
    """Counters since the start. `moving` counts frames with regions, `inferences` runs of a network."""

    frames: int = 0
    moving: int = 0
    relearned: int = 0
    crops: int = 0
    inferences: int = 0
    wakes: int = 0
    events: int = 0
    second_opinions: int = 0
    second_opinions_late: int = 0
    events_doubted: int = 0
    events_held_back: int = 0


@dataclass(slots=True)
class _Camera:
    """What the pipeline remembers of one camera that has rules."""

    id: str
    row: int
    rules: CameraRules
    tracker: Tracker
    album: Album = field(default_factory=Album)
    severities: tuple[int, ...] = ()  # of its rules
    vain: float = 0.0  # key frames woke it so often without an event, of late
    vain_s: float = -np.inf  # monotonic: when that was counted last
    event_s: float = -np.inf  # monotonic: when it last raised one
    woken_s: float | None = None  # monotonic: when a key frame last did, until that is judged
    looks: int = 0  # awake frames since then
    open_until_s: float = -np.inf  # monotonic: until when the gate was asked to stay open
    followed_s: float = -np.inf  # monotonic: when it was last held open for something relevant
    seen_by: Tier = Tier.AWAKE
    met: bool = False  # a frame of its present background has been seen
    raised: dict[int, list[Event]] = field(default_factory=dict)  # by track number, without their pictures
    held_back: Counter[int] = field(default_factory=Counter)  # how often each track was contradicted


@dataclass(frozen=True, slots=True)
class _Asked:
    """An event that waits for a second opinion since `asked_s` (monotonic)."""

    camera: _Camera
    finding: Finding
    event: Event  # without its picture
    bgr: NDArray[np.uint8]
    answer: Future[Seen | None]
    asked_s: float


class Pipeline:
    """Frames → events, for the cameras of one worker. Pipeline thread only.

    Quiet rows (`awake` False, key frames): motion near the zone of an armed rule is judged, and `wake(camera, until, cause)` is
    called if its label is plausible. Awake rows: motion is judged and tracked, tracks are held against the rules. All times of
    tracks and events are picture times; the clock serves only to say until when a gate stays open. A camera whose times fall by
    more than five seconds, because our own clock was set back, begins anew, as after its first frame.
    """

    def __init__(
        self,
        cameras: Sequence[str],
        rules: Sequence[Rule],
        zone_info: ZoneInfo,
        networks: Judges,
        wake: Wake,
        *,
        clock: Clock,
        settings: DetectSettings | None = None,
        ignored: Mapping[str, Sequence[Outline]] | None = None,
        opinions: Opinions | None = None,
        make_id: Callable[[float, str], str] | None = None,
    ) -> None:
        """`cameras` in the order of the batches' row numbers; rules of other cameras are left aside. What moves where a camera's
        `ignored` outlines are is not looked at. `opinions` are asked before an event of severity 1 or 2. `make_id` gives an
        event's id from its moment and a description; without it, a UUIDv7 of the moment on the clock. A rule that
        the network cannot fulfil is left aside, and the log says so."""
        self._settings = settings or DetectSettings()
        self._wake, self._clock = wake, clock
        self._make_id = make_id or (lambda _time_s, _what: uuid7(clock.now_s()))
        self._background = Backgrounds(len(cameras))
        self._ignored = Ignored(cameras, ignored or {})
        self._judge = Judge(networks, (self._settings.uncertain_low, self._settings.uncertain_high), self._settings.second_looks)
        self._zone_info = zone_info
        self._names = list(cameras)
        self._cameras: dict[int, _Camera] = {}  # by row number; only those with rules
        for row, camera in enumerate(cameras):
            self._equip(row, camera, [rule for rule in rules if rule.camera == camera])
        self.relevant_s = np.full(len(cameras), -np.inf)  # monotonic, by row: something relevant was seen by an awake look ...
        self.found_s = np.full(len(cameras), -np.inf)  # ... and a key frame showed enough to wake for it
        self._health = HealthRules(cameras, rules, zone_info)
        self._last_s = np.full(len(cameras), -np.inf)  # time of each row's last frame ...
        self._key_s = np.full(len(cameras), np.nan)  # ... and of its last key frame
        self._tell_s = -np.inf  # monotonic: from when on a step of the clock is told again
        self._frames = self._moving = self._wakes = self._events = 0
        self._opinions = opinions
        self._asked: list[_Asked] = []
        self._opinion = Counter[Opinion]()
        self._held_back = 0

    def exchange(self, row: int, camera: str, rules: Sequence[Rule], ignored: Sequence[Outline]) -> list[Event]:
        """From the next batch on a row is `camera` with these rules, seen for the first time; with an empty name it is none.

        No other row is touched. Gives the events of the camera before whose tracks ended by that.
        """
        before = self._cameras.pop(row, None)
        ended = [] if before is None else self._end(before, before.tracker.reset())
        self._background.forget(np.array([row], np.int32))
        self._ignored.exchange(row, ignored)
        self._health.exchange(row, self._names[row], camera, rules)
        self._names[row] = camera
        self._last_s[row], self._key_s[row] = -np.inf, np.nan
        self.relevant_s[row] = self.found_s[row] = -np.inf
        self._equip(row, camera, rules)
        return ended

    def _equip(self, row: int, camera: str, rules: Sequence[Rule]) -> None:
        """Remember what is to be remembered of a camera, if it has rules."""
        own = [rule for rule in rules if rule.kind not in HEALTH_KINDS and self._admits(rule)]
        if own:
            watched = CameraRules(own, self._zone_info, self._judge.labels)
            severities = tuple(rule.severity for rule in own)
            self._cameras[row] = _Camera(camera, row, watched, Tracker(self._settings), severities=severities)

    def _admits(self, rule: Rule) -> bool:
        """Whether the network can fulfil a rule; if not, the rest of the site is watched all the same."""
        problem = refusal(rule, self._judge.labels)
        if problem:
            logger.error("%s; it is not watched for", problem)
        return not problem

    def process(self, batch: FrameBatch) -> list[Event]:
        """The events that became news with this batch, oldest track first, each with its snapshot.

        With the setting `report_ends` also those that ended, a second time under the same id, with `ended_s`.
        """
        events = self._follow_clock(batch)
        moving = self._background.apply(batch.camera, batch.time_s, batch.luma)  # hop 4
        self._ignored.clear(batch.camera, moving)
        regions = find_regions(moving, self._settings.min_area, self._settings.max_regions)
        self._frames += len(batch)
        self._moving += len(np.unique(regions.row))

        regions = regions.pick(self._worth_judging(batch, regions))
        scores = self._judge.judge(regions, batch.picture, batch.awake, batch.camera)  # hop 5

        for row in range(len(batch)):
            camera = self._cameras.get(int(batch.camera[row]))
            if camera is None:
                continue
            if not camera.met:
                camera.met = True
                self._hold_open(camera, self._settings.learn_s, WakeCause.LEARN)
            here = regions.row == row
            scores_here = Scores(scores.labels, scores.score[here])
            if batch.awake[row]:
                if batch.is_key[row] and self._catches(camera, float(batch.time_s[row]), regions.pick(here), scores_here):
                    self.found_s[camera.row] = self._clock.monotonic_s()
                events += self._watch(camera, batch, row, regions.box[here], scores.score[here])  # hops 6 and 7
            else:
                self._glance(camera, float(batch.time_s[row]), regions.pick(here), scores_here)
                events += self._glimpse(camera, batch, row, regions.box[here], scores.score[here])
                events += self._end(camera, camera.tracker.expire(float(batch.time_s[row])))
        for row, finding in self._health.look(batch):
            picture = encode_jpeg(batch.picture[row].bgr(), self._settings.jpeg_quality)
            events.append(replace(self._bare_event(finding, float(batch.time_s[row])), snapshot_jpeg=picture))
        return events + self.settle()

    def settle(self) -> list[Event]:
        """The events whose second opinion has come, or is not waited for any longer; to be asked whenever no frame comes."""
        events, now_s, asked, self._asked = [], self._clock.monotonic_s(), self._asked, []
        for each in asked:
            if each.answer.done() and not each.answer.cancelled():
                event = weigh(each.event, each.finding.rule.labels, each.answer.result())
            elif now_s - each.asked_s >= DEADLINE_S:
                each.answer.cancel()
                event = replace(each.event, opinion=Opinion.LATE)
            else:
                self._asked.append(each)
                continue
            self._opinion[event.opinion] += 1
            if event.opinion is Opinion.CONTRADICTED and event.severity > 1:
                self._hold_back(each)
            else:
                look_s = round(now_s - each.asked_s, 3)
                events.append(self._raise(each.camera, each.finding, replace(event, look_s=look_s), each.bgr))
        return events

    def listen(self, statuses: Sequence[CameraStatus]) -> list[Event]:
        """The events of cameras that send no video, by what their streams say; to be asked every few seconds."""
        now_s = self._clock.now_s()
        return [self._bare_event(found, now_s) for found in self._health.listen(statuses, now_s)]

    def woken(self, row: int, tier: Tier, until_s: float) -> None:
        """Somebody else woke this camera until `until_s` (monotonic): what is seen from now on is put down to `tier`."""
        camera = self._cameras.get(row)
        if camera is not None:
            if camera.open_until_s < self._clock.monotonic_s():
                camera.seen_by = tier
            camera.open_until_s = max(camera.open_until_s, until_s)

    def tracks(self, row: int) -> Sequence[Track]:
        """What is followed on a camera now; () without rules."""
        return tuple(self._cameras[row].tracker.tracks) if row in self._cameras else ()

    def rank(self, time_s: float) -> NDArray[np.float64]:
        """How little a look at each row matters: the severity of its most severe rule that is armed at `time_s`, and up to 0.4
        more where wakes were in vain of late; 5 where none is armed."""
        rank = np.full(len(self._last_s), float(NOT_ARMED))
        for row, camera in self._cameras.items():
            armed = camera.rules.armed(time_s)
            if armed:
                rank[row] = min(camera.severities[i] for i in armed) + _VAIN_RANK * round(self._vain(camera)) / _MOST_VAIN
        return rank

    def stats(self) -> DetectStats:
        """Counters since the start."""
        return DetectStats(
            self._frames,
            self._moving,
            self._background.relearned,
            self._judge.crops,
            self._judge.inferences,
            self._wakes,
            self._events,
            self._opinion.total(),
            self._opinion[Opinion.LATE],
            self._opinion[Opinion.DOUBTED] + self._opinion[Opinion.CONTRADICTED] - self._held_back,
            self._held_back,
        )

    def _follow_clock(self, batch: FrameBatch) -> list[Event]:
        """Forget what cannot be compared with the times of `batch`; the events whose tracks ended by that."""
        row, time_s = batch.camera, batch.time_s
        last_s = self._last_s[row]
        # A gate opened twice within a long GOP shows it again from its key frame: that falls as well, but nothing was set back.
        again = batch.is_key & (time_s == self._key_s[row])
        fallen = (time_s < last_s - _STEP_S) & ~again
        self._last_s[row] = time_s
        self._key_s[row[batch.is_key]] = time_s[batch.is_key]

        ended: list[Event] = []
        for at in np.flatnonzero(fallen | (time_s > last_s + FORGET_S)):
            camera = self._cameras.get(int(row[at]))
            if camera is not None:
                camera.met = False  # the background learns anew: wake it for that
                if fallen[at]:
                    ended += self._end(camera, camera.tracker.reset())
                    camera.rules.reset()
        if fallen.any():
            self._background.forget(row[fallen])
            self._tell(float((last_s - time_s).max()))
        return ended

    def _tell(self, step_s: float) -> None:
        now_s = self._clock.monotonic_s()
        if now_s >= self._tell_s:
            logger.info("the clock was set back by %.0f s: cameras learn their backgrounds anew", step_s)
        self._tell_s = now_s + _TELL_S

    def _worth_judging(self, batch: FrameBatch, regions: Regions) -> NDArray[np.bool_]:
        """Regions that could matter, bool (R,): while quiet near a zone, awake anywhere; never without an armed rule."""
        worth = np.zeros(len(regions), np.bool_)
        for at, row in enumerate(regions.row.tolist()):
            camera = self._cameras.get(int(batch.camera[row]))
            if camera is not None:
                time_s = float(batch.time_s[row])
                armed = camera.rules.armed(time_s)
                worth[at] = bool(armed if batch.awake[row] else camera.rules.near(time_s, tuple(regions.box[at].tolist())))
        return worth

    def _glance(self, camera: _Camera, time_s: float, regions: Regions, scores: Scores) -> None:
        """Wake a quiet camera if a label an armed rule asks for is plausible where the rule looks."""
        if self._catches(camera, time_s, regions, scores):
            camera.seen_by = Tier.KEY_FRAME
            self.found_s[camera.row] = self._clock.monotonic_s()
            self._wakes += 1
            camera.woken_s = self._clock.monotonic_s() if camera.woken_s is None else camera.woken_s
            self._hold_open(camera, self._settings.hold_s, WakeCause.KEY_FRAME)
        elif self._clock.monotonic_s() > camera.open_until_s:
            camera.seen_by = Tier.AWAKE  # whoever opens the gate next, it was not us
            self._judge_wake(camera)

    def _judge_wake(self, camera: _Camera) -> None:
        """A camera that a key frame woke is quiet again, or has been awake for long: was that in vain?"""
        if camera.woken_s is not None and (camera.event_s >= camera.woken_s or camera.looks >= _LEAST_LOOKS):
            camera.vain = 0.0 if camera.event_s >= camera.woken_s else min(camera.vain + 1, _MOST_VAIN)
            camera.vain_s = self._clock.monotonic_s()
        camera.woken_s, camera.looks = None, 0

    def _enough(self, camera: _Camera) -> float:
        """The score that is worth a wake: higher where leaves were taken for people again and again, until that is long ago."""
        return self._settings.wake_score + max(0.0, self._vain(camera) - _FREE_VAIN) * _VAIN_SCORE

    def _vain(self, camera: _Camera) -> float:
        """How often it was woken in vain of late."""
        return max(0.0, camera.vain - (self._clock.monotonic_s() - camera.vain_s) / _FORGIVEN_S) if camera.vain else 0.0

    def _catches(self, camera: _Camera, time_s: float, regions: Regions, scores: Scores) -> bool:
        """Whether a key frame shows, where an armed rule looks, a label that it asks for."""
        return any(
            scores.best_of(rule.labels)[at] >= self._enough(camera)
            for at in range(len(regions))
            for rule in camera.rules.wakers(time_s, tuple(regions.box[at].tolist()))
        )

    def _watch(
        self, camera: _Camera, batch: FrameBatch, row: int, box: NDArray[np.float32], score: NDArray[np.float32]
    ) -> list[Event]:
        """One frame of an awake camera: tracks, then rules, then the gate."""
        time_s = float(batch.time_s[row])
        camera.looks += 1
        ended = camera.tracker.update(time_s, box, score)
        tracks = camera.tracker.tracks
        for track, label in camera.rules.candidates(time_s, tracks, self._settings.wake_score):
            sure = float(score[track.region, self._judge.labels.index(label)]) if label in self._judge.labels else 1.0
            camera.album.offer(track.number, batch.picture[row], track.box, sure)
            if self._opinions is not None and min(camera.severities) <= ASK_SEVERITY:
                self._opinions.expect(camera.id)
        found = camera.rules.update(time_s, tracks, self._scene(batch, row))
        events = [event for finding in found for event in self._event(camera, batch, row, finding)]
        self._stay_awake(camera, time_s)
        return events + self._end(camera, ended)

    def _glimpse(
        self, camera: _Camera, batch: FrameBatch, row: int, box: NDArray[np.float32], score: NDArray[np.float32]
    ) -> list[Event]:
        """What a key frame of a quiet camera is news of by itself: something stands there, or nobody is there."""
        regions = [
            ((left, top, right, bottom), dict(zip(self._judge.labels, scores, strict=True)))
            for (left, top, right, bottom), scores in zip(box.tolist(), score.tolist(), strict=True)
        ]
        found = camera.rules.glimpse(float(batch.time_s[row]), regions, self._scene(batch, row))
        return [event for finding in found for event in self._event(camera, batch, row, finding)]

    def _scene(self, batch: FrameBatch, row: int) -> Scene:
        return Scene(batch.luma[row], partial(self._background.picture, int(batch.camera[row])))

    def _event(self, camera: _Camera, batch: FrameBatch, row: int, finding: Finding) -> list[Event]:
        """The event of a finding; none yet if somebody is asked for a second opinion."""
        camera.event_s = self._clock.monotonic_s()
        track = finding.track
        raised_s = float(batch.time_s[row])
        best = camera.album.take(track.number) if track else None
        event = replace(
            self._bare_event(finding, raised_s),
            score=round(best.score if best else finding.score, 4),
            box=best.box if best else finding.box,
            seen_by=camera.seen_by,
            network=self._judge.network,
        )
        bgr = (best.picture if best else batch.picture[row]).bgr()
        if self._opinions is None or event.severity > ASK_SEVERITY or not _is_about_a_thing(finding):
            return [self._raise(camera, finding, event, bgr)]
        answer = self._opinions.ask(Question(camera.id, bgr, event.box, event.path, raised_s))
        self._asked.append(_Asked(camera, finding, event, bgr, answer, self._clock.monotonic_s()))
        return []

    def _raise(self, camera: _Camera, finding: Finding, event: Event, bgr: NDArray[np.uint8]) -> Event:
        """The event, with its picture and how long all of it took."""
        event = replace(event, delay_s=round(max(0.0, self._clock.now_s() - event.raised_s), 3))
        if self._settings.report_ends and finding.track:
            camera.raised.setdefault(finding.track.number, []).append(event)
        return replace(event, snapshot_jpeg=encode_jpeg(bgr, self._settings.jpeg_quality))

    def _hold_back(self, asked: _Asked) -> None:
        """Something else is there: the rule goes on looking; after the third time at the same track it is not asked again."""
        self._held_back += 1
        self._events -= 1
        finding, track = asked.finding, asked.finding.track
        logger.info("%s: event of rule %s held back: a second opinion saw something else", asked.camera.id, finding.rule.name)
        if track is not None:
            asked.camera.held_back[track.number] += 1
            if asked.camera.held_back[track.number] < _HOLDS:
                asked.camera.rules.withdraw(finding, asked.event.raised_s)

    def _bare_event(self, finding: Finding, raised_s: float) -> Event:
        """The event of a finding, without a picture."""
        rule, number = finding.rule, finding.track.number if finding.track else "-"
        self._events += 1
        return Event(
            id=self._make_id(raised_s, f"{rule.camera} {rule.name} {number} {finding.began_s!r} {raised_s!r}"),
            camera=rule.camera,
            kind=rule.kind,
            label=finding.label,
            rule=rule.name,
            zone=rule.zone_name.en,
            severity=rule.severity,
            began_s=finding.began_s,
            raised_s=raised_s,
            ended_s=None,
            score=round(finding.score, 4),
            box=finding.box,
            seen_by=Tier.KEY_FRAME,
            path=finding.path,
        )

    def _end(self, camera: _Camera, tracks: Sequence[Track]) -> list[Event]:
        """Forget tracks that ended; their events once more, where ends are reported."""
        ended = []
        for track in tracks:
            camera.rules.forget(track)
            camera.album.forget(track.number)
            del camera.held_back[track.number]
            ended += [replace(event, ended_s=track.seen_s) for event in camera.raised.pop(track.number, [])]
        return ended

    def _stay_awake(self, camera: _Camera, time_s: float) -> None:
        """Hold the gate open while a track that matters lives."""
        now_s, settings = self._clock.monotonic_s(), self._settings
        if camera.woken_s is not None and now_s - camera.woken_s >= _VAIN_S:
            self._judge_wake(camera)
            camera.woken_s = now_s
        if now_s - camera.followed_s < _EXTEND_S:
            return
        relevant = [
            track
            for track in camera.tracker.tracks
            if camera.rules.relevant(time_s, track, self._enough(camera), settings.follow_s)
        ]
        if relevant:
            camera.followed_s = now_s
            self._hold_open(camera, settings.hold_s, WakeCause.FOLLOW)
            if any(track.confirmed for track in relevant):
                self.relevant_s[camera.row] = now_s

    def _hold_open(self, camera: _Camera, hold_s: float, cause: WakeCause) -> None:
        camera.open_until_s = max(camera.open_until_s, self._clock.monotonic_s() + hold_s)
        self._wake(camera.id, self._clock.now_s() + hold_s, cause)


def _is_about_a_thing(finding: Finding) -> bool:
    """Whether a second opinion can say anything: one thing in one place, of a label."""
    return finding.track is not None and finding.box == finding.track.box and finding.label in finding.rule.labels
