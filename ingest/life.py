"""The life of one camera's connection: deadlines, back-off, health, gaps."""

import logging
import random
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace

from base.errors import AuthError, ProtocolError, SourceError, StreamTimeout, TooManyConnections
from base.records import Advice, CameraStatus, GapCause, Health, Lane, Quality
from base.retry import Backoff
from ingest.gaps import GapLog, GapTrack, cause_of
from ingest.grade import MUCH_LOSS, RESTLESS_ENDS, RESTLESS_STALLS, SLOW, grade
from ingest.media_stats import LONG_GOP_S, MediaStats
from ingest.run import PacketRun, Run
from ingest.second_look import LookFactory, SecondLook
from ingest.settings import IngestSettings
from ingest.source import CodecChanged, Feed, Flood, PacketSource, Phase, PlainPassword, StreamFacts
from ingest.standing import Brought, Standing

__all__ = ["CameraLife", "SourceFactory"]

logger = logging.getLogger(__name__)

SourceFactory = Callable[[Feed], PacketSource]
"""A new, closed source for a feed."""

_REFUSALS, _REFUSALS_S = 5, 300.0  # tries after 401 in five minutes: cameras lock accounts out
_OFFLINE_AFTER_S = 5.0  # without media, with nobody answering: less is a blip
_LOOK_EVERY_S = 60.0
_HOUR_S = 3600.0
_PAUSE_S = 2.0  # between frames that come several a second: a stall
_PAUSE_FRAMES = 4  # ... and in a stream of a frame every few seconds
_SKEW_S, _SKEWED_S = 2.0, 30.0  # a camera's clock that is off by more, for longer
_NOTHING_SEEN = {
    GapCause.CREDENTIALS: Advice.WRONG_CREDENTIALS,
    GapCause.TOO_MANY_CONNECTIONS: Advice.TOO_MANY_CONNECTIONS,
    GapCause.UNSUPPORTED: Advice.UNSUPPORTED_STREAM,
}


class CameraLife:
    """Opens, watches and reopens one camera's source. Owned by the reader thread; `status` may be called by any.

    `now_s` is monotonic, here and below; `utc_s` is our clock at the same moment.
    """

    def __init__(
        self,
        row: int,
        feed: Feed,
        settings: IngestSettings,
        make_source: SourceFactory,
        look_at: LookFactory,
        gaps: GapLog,
        rng: random.Random,
        utc_s: float,
        now_s: float,
    ) -> None:
        self.row, self.feed = row, feed
        self.stats = MediaStats()
        self.retry_at_s = now_s  # when closed
        self.busy_until_s = float("-inf")  # brings so much that it is swept often
        self.lane = Lane.CLOSED
        self.reconnects = 0
        self.opened_s: float | None = None  # the first time
        self._settings, self._make_source, self._look_at, self._rng = settings, make_source, look_at, rng
        self._backoff = Backoff(settings.backoff_floor_s, settings.backoff_cap_s, good_after_s=settings.good_media_s)
        self._gap = GapTrack(feed.camera, gaps, utc_s, now_s)
        self._source: PacketSource | None = None
        self._facts = StreamFacts()
        self._deadline_s = now_s  # of the phase, or of the next media progress
        self._full_bytes = float("inf")  # a sweep that brings more nearly filled the kernel's buffer
        self._received_bytes = 0  # in this connection
        self._counted_bytes, self._counted_s = 0, now_s
        self._media_began_s: float | None = None  # in this connection
        self._media_s: float | None = None  # newest progress ever
        self._since_media_s = now_s  # newest progress, or the beginning
        self._pause_s = _PAUSE_S
        self._last_pts = -1
        self._last_frame_s: float | None = None  # UTC
        self._tries = 0  # that failed since the last media
        self._refused = 0  # of them, with 401 or 403
        self._refusals: deque[float] = deque(maxlen=_REFUSALS)
        self._ends: deque[float] = deque(maxlen=16)  # when connections with media ended, for the grade
        self._stalls: deque[float] = deque(maxlen=128)
        self._error = ""
        self._cause: GapCause | None = None  # of the error
        self._spoke = False  # in the last try, which makes a second look superfluous
        self._look: SecondLook | None = None
        self._look_due_s = now_s
        self._answers: bool | None = None  # the camera, since it last gave media; None: nobody has looked
        self._skewed_since_s: float | None = None
        self._advice: tuple[Advice, ...] = ()
        self.health, self._quality, self._since_s = Health.DEGRADED, Quality.UNUSABLE, 0.0

    @property
    def connected(self) -> bool:
        """Whether there is a source to sweep."""
        return self._source is not None

    @property
    def gap_cause(self) -> GapCause | None:
        """Why the camera is not seen now; None while it is."""
        return self._gap.cause

    @property
    def phase(self) -> Phase:
        return self._facts.phase

    @property
    def streaming(self) -> bool:
        return self._facts.phase is Phase.STREAMING

    @property
    def answers(self) -> bool | None:
        """Whether the camera answers though it gives no media; None as long as nobody knows."""
        return self._answers

    def open(self, now_s: float) -> None:
        """Begin a connection. Raises SourceError when it is over already; call `fail` with it."""
        self._source = self._make_source(self.feed)
        self._last_pts, self._received_bytes, self._media_began_s = -1, 0, None
        if self.opened_s is None:
            self.opened_s = now_s
        self._enter(Phase.CONNECTING, now_s)
        self._source.open()

    def calm(self) -> Standing | None:
        """After `sweep`: where it stands, if it may be read on at a glance; else None."""
        return None if self._source is None else self._source.calm()

    def take(self, brought: Brought) -> Iterator[Run]:
        """Counts what was read at a glance, as if it had been swept when it came."""
        source = self._source
        assert source is not None
        for run in source.take(brought):
            self._count(source.received_bytes)
            self._progress(run, run.utc_s, run.now_s, run.until_s)
            yield run
        self._facts = source.facts

    def sweep(self, utc_s: float, now_s: float) -> Run | None:
        """What arrived, None if nothing did. Raises SourceError when the connection is over; call `fail` with it."""
        source = self._source
        assert source is not None
        packets = source.sweep(utc_s)
        if self._count(source.received_bytes) > self._full_bytes:
            self.busy_until_s = now_s + self._settings.busy_s
        facts = source.facts
        if facts is not self._facts:
            if facts.phase is not self._facts.phase:
                self._enter(facts.phase, now_s)
            self._facts = facts
        run = PacketRun(packets) if packets else None
        if run is not None:
            self._progress(run, utc_s, now_s, now_s)
        if now_s > self._deadline_s:
            raise self._late()
        return run

    def fail(self, error: SourceError, utc_s: float, now_s: float) -> None:
        """The connection is over: close it and choose when to try again."""
        phase, had_media = self._facts.phase, self._media_began_s is not None
        delay_s = self._delay_s(error, had_media, now_s)
        if isinstance(error, AuthError):
            error = self._refusal(error)
        self._cause, text = cause_of(error, phase), self._told(error)
        self._disconnect()
        self._tries += 1
        self.reconnects += 1
        self._gap.begin(self._cause, self._since_media_s if had_media else now_s, utc_s, now_s)
        self._spoke = phase is Phase.STARTING or self._cause in _NOTHING_SEEN or isinstance(error, ProtocolError)
        if self._spoke:
            self._answers = True
        self.retry_at_s = now_s + delay_s
        self.stats.interrupt()
        if text != self._error or had_media:
            logger.warning("%s: %s; next try in %.0f s", self.feed.camera, text, delay_s)
        self._error = text
        self._facts = replace(self._facts, phase=Phase.CLOSED, skew_s=None)
        self._skewed_since_s = None

    def close(self) -> None:
        self._disconnect()
        self._stop_looking()

    def retire(self, now_s: float) -> None:
        """Close for good: this camera is not to be seen any more, or another way."""
        self.close()
        self._gap.end(now_s)

    def refresh(self, utc_s: float, now_s: float) -> None:
        """Judge health and quality anew; every second or so, also while closed."""
        self.stats.refresh(now_s)
        if self._look is not None and (answers := self._look.poll()) is not None:
            self._stop_looking()
            self._answers = answers
        if self.streaming:
            self._measure(now_s)
        health, quality = self._judge(now_s)
        if health is not self.health or not self._since_s:
            if self._since_s:
                logger.info("%s is %s", self.feed.camera, health)
            self._since_s = utc_s
        self.health, self._quality = health, quality

    def wants_look(self, now_s: float) -> bool:
        """Whether it is time for a second, independent look: at most one a minute, and only while nobody knows if it answers."""
        if self.streaming or not self._tries or self._look is not None or self._spoke:
            return False
        return now_s >= max(self._look_due_s, self._since_media_s + _OFFLINE_AFTER_S)

    def look(self, now_s: float) -> None:
        """Begin to find out whether the camera answers at all; `refresh` learns it."""
        self._look_due_s = now_s + _LOOK_EVERY_S * self._rng.uniform(1.0, 1.2)
        self._look = self._look_at(self.feed)
        if self._look is None:
            self._answers = False

    def status(self, ring_s: float, awake: bool) -> CameraStatus:
        """As of when it was last judged. Any thread."""
        facts, stats = self._facts, self.stats
        return CameraStatus(
            camera=self.feed.camera,
            health=self.health,
            quality=self._quality,
            since_s=self._since_s,
            last_frame_s=self._last_frame_s,
            frames_per_s=round(stats.frames_per_s, 2),
            kbit_per_s=round(stats.kbit_per_s, 1),
            gop_s=round(stats.gop_s, 2),
            gop_most_s=round(stats.gop_most_s, 2),
            codec=facts.codec,
            profile=facts.profile,
            width_px=facts.width_px,
            height_px=facts.height_px,
            transport=facts.transport,
            skew_s=facts.skew_s,
            lost=stats.lost,
            loss=round(stats.loss, 4),
            reconnects=self.reconnects,
            stalls=len(self._stalls),
            lane=self.lane,
            ring_s=round(ring_s, 2),
            awake=awake,
            advice=self._advice,
            error=self._error,
        )

    def _enter(self, phase: Phase, now_s: float) -> None:
        settings = self._settings
        allowed_s = {
            Phase.CONNECTING: settings.connect_s,
            Phase.DESCRIBING: settings.describe_s,
            Phase.STARTING: settings.first_key_s,
        }.get(phase, settings.stall_s)
        self._deadline_s = now_s + allowed_s
        if phase is Phase.STREAMING:
            self._error, self._cause, self._tries, self._refused = "", None, 0, 0
            self._answers = None
            self._stop_looking()
            self._counted_bytes, self._counted_s = self._received_bytes, now_s
            self.busy_until_s = now_s + settings.busy_s  # until it is known what it brings
        elif phase is Phase.STARTING:
            self._answers = True

    def _count(self, received_bytes: int) -> int:
        """So many bytes came in this connection by now; how many of them are new."""
        new_bytes, self._received_bytes = received_bytes - self._received_bytes, received_bytes
        self.stats.bytes += new_bytes
        return new_bytes

    def _progress(self, run: Run, utc_s: float, now_s: float, until_s: float) -> None:
        """Media came, from `now_s` until `until_s` without a pause; a camera that repeats one timestamp makes no progress."""
        pts = run.pts_90k(-1)
        if pts != self._last_pts:
            self._last_pts, self._last_frame_s = pts, run.newest_s
            if self.streaming:
                if self._media_began_s is None:
                    self._media_began_s = now_s
                    self._gap.end(now_s)
                elif now_s - self._since_media_s > self._pause_s:
                    self._stalls.append(now_s)
                    self._gap.pause(self._since_media_s, utc_s, now_s)
                self._media_s = self._since_media_s = until_s
                self._deadline_s = until_s + self._settings.stall_s
        self.stats.add(run, now_s)

    def _measure(self, now_s: float) -> None:
        """Once a second: what must be known of a stream but not of every packet."""
        assert self._source is not None
        stats, settings = self.stats, self._settings
        room = self._source.buffer_bytes
        self._full_bytes = 0.75 * room if room else float("inf")
        brought = (self._received_bytes - self._counted_bytes) * settings.sweep_s / max(settings.sweep_s, now_s - self._counted_s)
        self._counted_bytes, self._counted_s = self._received_bytes, now_s
        burst = stats.key_bytes if self._facts.transport == "udp" else 0  # over TCP the camera waits, here it would be lost
        if room and max(brought, burst) > 0.5 * room:
            self.busy_until_s = now_s + settings.busy_s
        self._pause_s = max(_PAUSE_S, _PAUSE_FRAMES / stats.usual_per_s) if stats.usual_per_s else _PAUSE_S
        skew_s = self._facts.skew_s
        if skew_s is None or abs(skew_s) <= _SKEW_S:
            self._skewed_since_s = None
        elif self._skewed_since_s is None:
            self._skewed_since_s = now_s

    def _late(self) -> StreamTimeout:
        settings, phase = self._settings, self._facts.phase
        what = {
            Phase.CONNECTING: f"no connection within {settings.connect_s:g} s",
            Phase.DESCRIBING: f"no answer that leads to media within {settings.describe_s:g} s",
            Phase.STARTING: f"no decodable key frame within {settings.first_key_s:g} s",
        }.get(phase, f"no media for {settings.stall_s:g} s")
        return StreamTimeout(f"{self._facts.peer or self.feed.where}: {what}")

    def _told(self, error: SourceError) -> str:
        """The error, with where to look for it in a capture."""
        position = self._source.position if self._source is not None else ""
        return f"{error} ({position})" if position and "byte " not in str(error) else str(error)

    def _delay_s(self, error: SourceError, had_media: bool, now_s: float) -> float:
        """How long to wait before the next try."""
        if had_media:
            self._ends.append(now_s)
            if not isinstance(error, Flood):
                self._backoff.succeeded((self._media_s or now_s) - (self._media_began_s or now_s))
        stalled = had_media and isinstance(error, StreamTimeout)
        at_once = had_media and isinstance(error, CodecChanged) and not self._backoff.attempts
        delay_s = self._backoff.next_delay_s(self._rng, self._settings.backoff_after_stall_s if stalled else 0.0)
        if isinstance(error, AuthError):  # at most five tries in five minutes
            self._refusals.append(now_s)
            if len(self._refusals) == _REFUSALS:
                delay_s = max(delay_s, self._refusals[0] + _REFUSALS_S - now_s)
        return 0.0 if at_once else delay_s

    def _refusal(self, error: AuthError) -> SourceError:
        """A password that was good is not wrong now: cameras answer 401 to one client too many, too. Until it goes on and on."""
        self._refused += 1
        if isinstance(error, PlainPassword) or self._media_s is None or self._refused > _REFUSALS:
            return error
        return TooManyConnections(f"{error}; it was accepted before, so perhaps too many connections")

    def _disconnect(self) -> None:
        self.lane = Lane.CLOSED
        if self._source is not None:
            self._source.close()
            self._source = None

    def _stop_looking(self) -> None:
        if self._look is not None:
            self._look.close()
            self._look = None

    def _judge(self, now_s: float) -> tuple[Health, Quality]:
        """Health and grade; sets the advice."""
        while self._stalls and now_s - self._stalls[0] > _HOUR_S:
            self._stalls.popleft()
        while self._ends and now_s - self._ends[0] > _HOUR_S:
            self._ends.popleft()
        self._advice = self._advise(now_s)
        if not self.streaming:
            silent = self._answers is False and now_s - self._since_media_s >= _OFFLINE_AFTER_S
            return (Health.OFFLINE if silent else Health.DEGRADED), Quality.UNUSABLE
        stats = self.stats
        ill = stats.loss > MUCH_LOSS or Advice.LONG_GOP in self._advice
        return (Health.DEGRADED if ill else Health.ONLINE), grade(len(self._ends), len(self._stalls), self._rate(), stats.loss)

    def _rate(self) -> float:
        """The frame rate as a share of the usual one; 1 as long as either is unknown."""
        stats = self.stats
        return stats.frames_per_s / stats.usual_per_s if stats.frames_per_s and stats.usual_per_s else 1.0

    def _advise(self, now_s: float) -> tuple[Advice, ...]:
        stats, advice = self.stats, list[Advice]()
        if self._cause in _NOTHING_SEEN:
            advice.append(_NOTHING_SEEN[self._cause])
        elif self._tries and self._answers and now_s - self._since_media_s >= _OFFLINE_AFTER_S:
            advice.append(Advice.NO_PICTURE)
        if stats.loss > MUCH_LOSS:
            advice.append(Advice.PACKET_LOSS)
        if len(self._ends) > RESTLESS_ENDS or len(self._stalls) > RESTLESS_STALLS:
            advice.append(Advice.UNSTABLE)
        if self._rate() < SLOW:
            advice.append(Advice.LOW_FRAME_RATE)
        if self.streaming and stats.gop_s > LONG_GOP_S:
            advice.append(Advice.LONG_GOP)
        if self._skewed_since_s is not None and now_s - self._skewed_since_s >= _SKEWED_S:
            advice.append(Advice.CLOCK_SKEW)
        return tuple(advice)
