"""The life of one camera's connection: deadlines, back-off, health."""

import logging
import random
from collections import deque
from collections.abc import Callable

from base.errors import AuthError, ConnectError, SourceError, StreamTimeout
from base.records import CameraStatus, Health, Packet, Quality
from base.retry import Backoff
from ingest.media_stats import MediaStats
from ingest.settings import IngestSettings
from ingest.source import Feed, PacketSource, Phase, StreamFacts

__all__ = ["CameraLife", "SourceFactory"]

logger = logging.getLogger(__name__)

SourceFactory = Callable[[Feed], PacketSource]
"""A new, closed source for a feed."""

_REFUSALS, _REFUSALS_S = 5, 300.0  # tries after 401 in five minutes: cameras lock accounts out
_OFFLINE_AFTER_S = 30.0
_OFFLINE_AFTER_TRIES = 2
_HOUR_S = 3600.0
_LONG_GOP_S = 8.0  # "smart codec": key frames come too rarely to watch by them


class CameraLife:
    """Opens, watches and reopens one camera's source. Owned by the reader thread; `status` may be called by any."""

    def __init__(self, row: int, feed: Feed, settings: IngestSettings, make_source: SourceFactory, rng: random.Random) -> None:
        self.row, self.feed = row, feed
        self.stats = MediaStats()
        self.retry_at_s = 0.0  # monotonic; when closed
        self.busy_until_s = float("-inf")  # monotonic; brings so much that it is swept often
        self.reconnects = 0
        self._settings, self._make_source, self._rng = settings, make_source, rng
        self._backoff = Backoff(settings.backoff_floor_s, settings.backoff_cap_s, good_after_s=settings.good_media_s)
        self._source: PacketSource | None = None
        self._facts = StreamFacts()
        self._deadline_s = 0.0  # monotonic; of the phase, or of the next media progress
        self._media_began_s: float | None = None  # monotonic, in this connection
        self._media_s: float | None = None  # monotonic, newest progress ever
        self._last_pts = -1
        self._last_frame_s: float | None = None  # UTC
        self._tries = 0  # that failed since the last media
        self._refusals: deque[float] = deque(maxlen=_REFUSALS)
        self._ends: deque[float] = deque(maxlen=32)  # when connections with media ended, for the grade
        self._error = ""
        self._health, self._quality, self._since_s = Health.DEGRADED, Quality.UNUSABLE, 0.0

    @property
    def connected(self) -> bool:
        """Whether there is a source to sweep."""
        return self._source is not None

    @property
    def streaming(self) -> bool:
        return self._facts.phase is Phase.STREAMING

    def open(self, now_s: float) -> None:
        """Begin a connection; `now_s` is monotonic, here and below."""
        self._source = self._make_source(self.feed)
        self._last_pts, self._media_began_s = -1, None
        self._enter(Phase.CONNECTING, now_s)
        try:
            self._source.open()
        except SourceError as error:
            self.fail(error, now_s)

    def sweep(self, utc_s: float, now_s: float) -> list[Packet]:
        """What arrived. Raises SourceError when the connection is over; call `fail` with it."""
        source = self._source
        assert source is not None
        packets = source.sweep(utc_s)
        facts = source.facts
        if facts is not self._facts:
            if facts.phase is not self._facts.phase:
                self._enter(facts.phase, now_s)
            self._facts = facts
        if packets:
            self._progress(packets, now_s)
        if now_s > self._deadline_s:
            raise self._late()
        return packets

    def fail(self, error: SourceError, now_s: float) -> None:
        """The connection is over: close it and choose when to try again."""
        if self._source is not None:
            self._source.close()
            self._source = None
        had_media = self._media_began_s is not None
        if had_media:
            self._ends.append(now_s)
            self._backoff.succeeded((self._media_s or now_s) - (self._media_began_s or now_s))
        self._tries += 1
        self.reconnects += 1
        stalled = had_media and isinstance(error, StreamTimeout)
        delay_s = self._backoff.next_delay_s(self._rng, self._settings.backoff_after_stall_s if stalled else 0.0)
        if isinstance(error, AuthError):
            delay_s = max(delay_s, self._refused_delay_s(now_s))
            if self._media_s is not None:
                error = ConnectError(f"{error}; it was accepted before, so perhaps too many connections")
        self.retry_at_s = now_s + delay_s
        self.stats.interrupt()
        if str(error) != self._error or had_media:
            logger.warning("%s: %s; next try in %.0f s", self.feed.camera, error, delay_s)
        self._error = str(error)
        self._facts = StreamFacts(Phase.CLOSED, self._facts.codec, self._facts.width_px, self._facts.height_px)

    def close(self) -> None:
        if self._source is not None:
            self._source.close()
            self._source = None

    def refresh(self, utc_s: float, now_s: float) -> None:
        """Judge health and quality anew; about once a second, also while closed."""
        self.stats.refresh(now_s)
        health, quality = self._judge(now_s)
        if health is not self._health or not self._since_s:
            if self._since_s:
                logger.info("%s is %s", self.feed.camera, health)
            self._since_s = utc_s
        self._health, self._quality = health, quality

    def status(self, ring_s: float, awake: bool) -> CameraStatus:
        """As of the last second. Any thread."""
        facts, stats = self._facts, self.stats
        return CameraStatus(
            camera=self.feed.camera,
            health=self._health,
            quality=self._quality,
            since_s=self._since_s,
            last_frame_s=self._last_frame_s,
            frames_per_s=round(stats.frames_per_s, 2),
            kbit_per_s=round(stats.kbit_per_s, 1),
            gop_s=round(stats.gop_s, 2),
            codec=facts.codec,
            width_px=facts.width_px,
            height_px=facts.height_px,
            skew_s=facts.skew_s,
            lost=stats.lost,
            reconnects=self.reconnects,
            ring_s=round(ring_s, 2),
            awake=awake,
            error=self._error or self._advice(),
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
            self._error, self._tries = "", 0

    def _progress(self, packets: list[Packet], now_s: float) -> None:
        """Media came; a camera that repeats one timestamp makes no progress."""
        newest = packets[-1]
        if newest.pts_90k != self._last_pts:
            self._last_pts, self._last_frame_s = newest.pts_90k, newest.time_s
            if self.streaming:
                self._media_s = now_s
                self._deadline_s = now_s + self._settings.stall_s
                if self._media_began_s is None:
                    self._media_began_s = now_s
        if self.stats.add(packets, now_s) > self._settings.busy_sweep_bytes:
            self.busy_until_s = now_s + self._settings.busy_s

    def _late(self) -> StreamTimeout:
        settings, phase = self._settings, self._facts.phase
        what = {
            Phase.CONNECTING: f"no connection within {settings.connect_s:g} s",
            Phase.DESCRIBING: f"no answer that leads to media within {settings.describe_s:g} s",
            Phase.STARTING: f"no decodable key frame within {settings.first_key_s:g} s",
        }.get(phase, f"no media for {settings.stall_s:g} s")
        return StreamTimeout(f"{self._facts.peer or self.feed.where}: {what}")

    def _refused_delay_s(self, now_s: float) -> float:
        """At most five tries in five minutes."""
        self._refusals.append(now_s)
        full = len(self._refusals) == _REFUSALS
        return max(0.0, self._refusals[0] + _REFUSALS_S - now_s) if full else 0.0

    def _judge(self, now_s: float) -> tuple[Health, Quality]:
        if self.streaming:
            ends = sum(now_s - end_s < _HOUR_S for end_s in self._ends)
            bad = ends > 5 or self.stats.loss > 0.01
            good = ends <= 1 and self.stats.loss < 0.001
            quality = Quality.POOR if bad else Quality.EXCELLENT if good else Quality.FAIR
            return (Health.DEGRADED if self.stats.loss > 0.01 or self._advice() else Health.ONLINE), quality
        recently = self._media_s is not None and now_s - self._media_s < _OFFLINE_AFTER_S
        offline = self._tries >= _OFFLINE_AFTER_TRIES and not recently
        return (Health.OFFLINE if offline else Health.DEGRADED), Quality.UNUSABLE

    def _advice(self) -> str:
        """What the administrator should change at the camera."""
        if self.stats.gop_s > _LONG_GOP_S:
            return f"key frames come every {self.stats.gop_s:.0f} s (smart codec?); set the interval to 2 s at the camera"
        return ""
