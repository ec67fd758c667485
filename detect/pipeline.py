"""Hops 4–7 as one page: a batch of frames goes in, events come out."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from base import Clock, Event, FrameBatch, Tier, uuid7
from camera_config import Rule
from detect.background import FORGET_S, Backgrounds
from detect.motion import Regions, find_regions
from detect.objects import Judge, Judges, Scores
from detect.rules import CameraRules, Finding
from detect.settings import DetectSettings
from detect.snapshot import Album, encode_jpeg
from detect.track import Track, Tracker

__all__ = ["DetectStats", "Pipeline"]

logger = logging.getLogger(__name__)

_EXTEND_S = 1.0  # an awake camera's gate is held open anew at most this often
_STEP_S = 5.0  # a camera's time that falls further than this follows our own clock being set back
_TELL_S = 60.0  # one step reaches every camera, each with its next frame: told once


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


@dataclass(slots=True)
class _Camera:
    """What the pipeline remembers of one camera that has rules."""

    id: str
    rules: CameraRules
    tracker: Tracker
    album: Album = field(default_factory=Album)
    open_until_s: float = -np.inf  # monotonic: until when the gate was asked to stay open
    seen_by: Tier = Tier.AWAKE
    met: bool = False  # a frame of its present background has been seen
    raised: dict[int, list[Event]] = field(default_factory=dict)  # by track number, without their pictures


class Pipeline:
    """Frames → events, for the cameras of one worker. Pipeline thread only.

    Quiet rows (`awake` False, key frames): motion near the zone of an armed rule is judged, and `wake(camera, until)` is called
    if its label is plausible. Awake rows: motion is judged and tracked, tracks are held against the rules. All times of tracks
    and events are picture times; the clock serves only to say until when a gate stays open. A camera whose times fall by more
    than five seconds, because our own clock was set back, begins anew, as after its first frame.
    """

    def __init__(
        self,
        cameras: Sequence[str],
        rules: Sequence[Rule],
        zone_info: ZoneInfo,
        networks: Judges,
        wake: Callable[[str, float], None],
        *,
        clock: Clock,
        settings: DetectSettings | None = None,
        make_id: Callable[[float, str], str] | None = None,
    ) -> None:
        """`cameras` in the order of the batches' row numbers; rules of other cameras are left aside. `make_id` gives an
        event's id from its moment and a description; without it, a UUIDv7 of the moment on the clock. Raises ConfigError for
        a rule of a kind that is not found yet."""
        self._settings = settings or DetectSettings()
        self._wake, self._clock = wake, clock
        self._make_id = make_id or (lambda _time_s, _what: uuid7(clock.now_s()))
        self._background = Backgrounds(len(cameras))
        self._judge = Judge(networks, (self._settings.uncertain_low, self._settings.uncertain_high), self._settings.second_looks)
        self._cameras: dict[int, _Camera] = {}  # by row number; only those with rules
        for row, camera in enumerate(cameras):
            own = [rule for rule in rules if rule.camera == camera]
            if own:
                watched = CameraRules(own, zone_info, self._judge.labels)
                self._cameras[row] = _Camera(camera, watched, Tracker(self._settings))
        self._last_s = np.full(len(cameras), -np.inf)  # time of each row's last frame ...
        self._key_s = np.full(len(cameras), np.nan)  # ... and of its last key frame
        self._tell_s = -np.inf  # monotonic: from when on a step of the clock is told again
        self._frames = self._moving = self._wakes = self._events = 0

    def process(self, batch: FrameBatch) -> list[Event]:
        """The events that became news with this batch, oldest track first, each with its snapshot.

        With the setting `report_ends` also those that ended, a second time under the same id, with `ended_s`.
        """
        events = self._follow_clock(batch)
        moving = self._background.apply(batch.camera, batch.time_s, batch.luma)  # hop 4
        regions = find_regions(moving, self._settings.min_area, self._settings.max_regions)
        self._frames += len(batch)
        self._moving += len(np.unique(regions.row))

        regions = regions.pick(self._worth_judging(batch, regions))
        scores = self._judge.judge(regions, batch.picture, batch.awake)  # hop 5

        for row in range(len(batch)):
            camera = self._cameras.get(int(batch.camera[row]))
            if camera is None:
                continue
            if not camera.met:
                camera.met = True
                self._hold_open(camera, self._settings.learn_s)
            here = regions.row == row
            if batch.awake[row]:
                events += self._watch(camera, batch, row, regions.box[here], scores.score[here])  # hops 6 and 7
            else:
                self._glance(camera, float(batch.time_s[row]), regions.pick(here), Scores(scores.labels, scores.score[here]))
                events += self._end(camera, camera.tracker.expire(float(batch.time_s[row])))
        return events

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
        for at in range(len(regions)):
            for rule in camera.rules.near(time_s, tuple(regions.box[at].tolist())):
                if scores.best_of(rule.labels)[at] >= self._settings.wake_score:
                    camera.seen_by = Tier.KEY_FRAME
                    self._wakes += 1
                    self._hold_open(camera, self._settings.hold_s)
                    return
        if self._clock.monotonic_s() > camera.open_until_s:
            camera.seen_by = Tier.AWAKE  # whoever opens the gate next, it was not us

    def _watch(
        self, camera: _Camera, batch: FrameBatch, row: int, box: NDArray[np.float32], score: NDArray[np.float32]
    ) -> list[Event]:
        """One frame of an awake camera: tracks, then rules, then the gate."""
        time_s = float(batch.time_s[row])
        ended = camera.tracker.update(time_s, box, score)
        tracks = camera.tracker.tracks
        for track, label in camera.rules.candidates(time_s, tracks, self._settings.wake_score):
            sure = float(score[track.region, self._judge.labels.index(label)]) if label in self._judge.labels else 1.0
            camera.album.offer(track.number, batch.picture[row], track.box, sure)
        events = [self._event(camera, batch, row, finding) for finding in camera.rules.update(time_s, tracks)]
        self._stay_awake(camera, time_s)
        return events + self._end(camera, ended)

    def _event(self, camera: _Camera, batch: FrameBatch, row: int, finding: Finding) -> Event:
        rule, track = finding.rule, finding.track
        raised_s = float(batch.time_s[row])
        best = camera.album.take(track.number)
        event = Event(
            id=self._make_id(raised_s, f"{camera.id} {rule.name} {track.number} {track.began_s!r} {raised_s!r}"),
            camera=camera.id,
            kind=rule.kind,
            label=finding.label,
            rule=rule.name,
            zone=rule.zone_name.en,
            severity=rule.severity,
            began_s=track.began_s,
            raised_s=raised_s,
            ended_s=None,
            score=round(best.score if best else finding.score, 4),
            box=best.box if best else track.box,
            seen_by=camera.seen_by,
            network=self._judge.network,
        )
        if self._settings.report_ends:
            camera.raised.setdefault(track.number, []).append(event)
        self._events += 1
        return replace(
            event, snapshot_jpeg=encode_jpeg(best.bgr if best else batch.picture[row].bgr(), self._settings.jpeg_quality)
        )

    def _end(self, camera: _Camera, tracks: Sequence[Track]) -> list[Event]:
        """Forget tracks that ended; their events once more, where ends are reported."""
        ended = []
        for track in tracks:
            camera.rules.forget(track)
            camera.album.forget(track.number)
            ended += [replace(event, ended_s=track.seen_s) for event in camera.raised.pop(track.number, [])]
        return ended

    def _stay_awake(self, camera: _Camera, time_s: float) -> None:
        """Hold the gate open while a track that matters lives."""
        if camera.open_until_s - self._clock.monotonic_s() > self._settings.hold_s - _EXTEND_S:
            return
        settings = self._settings
        if any(camera.rules.relevant(time_s, track, settings.wake_score, settings.follow_s) for track in camera.tracker.tracks):
            self._hold_open(camera, settings.hold_s)

    def _hold_open(self, camera: _Camera, hold_s: float) -> None:
        camera.open_until_s = self._clock.monotonic_s() + hold_s
        self._wake(camera.id, self._clock.now_s() + hold_s)
