"""A look at cameras as they are now, for `gridpatrol check`: read as in earnest, each connected to once."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from base.clock import Clock
from base.records import CameraStatus, Health
from ingest.life import CameraLife
from ingest.reader import SweepReader
from ingest.ring import Ring
from ingest.settings import DEFAULT_SETTINGS
from ingest.source import Feed

__all__ = ["survey"]

_KEYS = 3  # two whole GOPs
_ONCE_S = 86_400.0  # no second try: five wrong passwords lock an account


def survey(
    feeds: Sequence[Feed], clock: Clock, seconds: float, tell: Callable[[int], None] = lambda done: None
) -> tuple[CameraStatus, ...]:
    """The status of every camera, in order, after two GOPs or `seconds` of each. `tell` hears how many are done.

    At the same pace as a running Gridpatrol: at most 50 connects a second, spread over hosts. Never raises for what a camera
    does. Blocks; any thread.
    """
    settings = replace(DEFAULT_SETTINGS, backoff_floor_s=_ONCE_S, backoff_cap_s=2 * _ONCE_S)
    ring = Ring(len(feeds), settings.ring_gops, settings.ring_camera_bytes, settings.ring_bytes)
    reader = SweepReader(feeds, clock, settings, ring.extend)
    waiting = dict(enumerate(reader.lives))
    try:
        while waiting:
            reader.run_once()
            now_s = clock.monotonic_s()
            waiting = {row: life for row, life in waiting.items() if not _is_done(life, seconds, now_s)}
            tell(len(feeds) - len(waiting))
            clock.sleep(settings.fast_sweep_s)
        for life in reader.lives:
            life.refresh(clock.now_s(), clock.monotonic_s())
        return tuple(_told(life, ring.seconds(life.row)) for life in reader.lives)
    finally:
        reader.close()


def _is_done(life: CameraLife, seconds: float, now_s: float) -> bool:
    if life.opened_s is None:
        return False
    if now_s - life.opened_s >= seconds or life.stats.keys >= _KEYS:
        return True
    return not life.connected and (life.health is Health.OFFLINE or life.answers is True)


def _told(life: CameraLife, ring_s: float) -> CameraStatus:
    status = life.status(ring_s, awake=False)
    if status.error or status.last_frame_s is not None:
        return status
    return replace(status, error=f"{life.feed.where}: no media in time, still {life.phase}")
