"""The times in which a camera was not seen, and why. Begin with `GapTrack`."""

import threading
from collections import OrderedDict

from base.errors import AuthError, ConnectError, SourceError, StreamEnded, StreamTimeout, TooManyConnections
from base.records import Gap, GapCause
from ingest.source import Phase, UnsupportedStream

__all__ = ["GapLog", "GapTrack", "cause_of"]

_MOST_UNTAKEN = 4096  # a worker takes them five times a second; without one nobody needs the old ones
_BY_KIND: tuple[tuple[type[SourceError], GapCause], ...] = (
    (TooManyConnections, GapCause.TOO_MANY_CONNECTIONS),
    (AuthError, GapCause.CREDENTIALS),
    (UnsupportedStream, GapCause.UNSUPPORTED),
    (ConnectError, GapCause.CONNECT),
    (StreamTimeout, GapCause.STALL),
    (StreamEnded, GapCause.ENDED_BY_CAMERA),
)
_BETTER = frozenset({GapCause.TOO_MANY_CONNECTIONS, GapCause.CREDENTIALS, GapCause.UNSUPPORTED})


def cause_of(error: SourceError, phase: Phase) -> GapCause:
    """Why there is no media after `error` in `phase`."""
    if isinstance(error, StreamTimeout) and phase in (Phase.CONNECTING, Phase.DESCRIBING):
        return GapCause.CONNECT
    return next((cause for kind, cause in _BY_KIND if isinstance(error, kind)), GapCause.PROTOCOL)


class GapLog:
    """Gaps of all cameras of a reader that changed since they were last taken. Any thread.

    Holds the newest record of each. Of more than 4096 the oldest are dropped.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._untaken: OrderedDict[tuple[str, float], Gap] = OrderedDict()

    def note(self, gap: Gap) -> None:
        with self._lock:
            self._untaken[gap.camera, gap.began_s] = gap
            if len(self._untaken) > _MOST_UNTAKEN:
                self._untaken.popitem(last=False)

    def take(self) -> tuple[Gap, ...]:
        """What changed since the last call, in order."""
        with self._lock:
            gaps = tuple(self._untaken.values())
            self._untaken.clear()
        return gaps


class GapTrack:
    """One camera's time, cut into seen and not seen without a remainder. Owned by the reader thread.

    Begins with a gap. Its times are UTC where it began, and monotonic from there on: a clock that is set makes no gap longer.
    `now_s`, `from_s` and `until_s` are monotonic.
    """

    def __init__(self, camera: str, log: GapLog, utc_s: float, now_s: float) -> None:
        self._camera, self._log = camera, log
        self._from_s = now_s
        self._open: Gap | None = Gap(camera, utc_s, None, GapCause.STARTING)
        log.note(self._open)

    @property
    def is_open(self) -> bool:
        return self._open is not None

    @property
    def cause(self) -> GapCause | None:
        """Of the open gap; None while the camera is seen."""
        gap = self._open
        return None if gap is None else gap.cause

    def begin(self, cause: GapCause, from_s: float, utc_s: float, now_s: float) -> None:
        """The camera has not been seen since `from_s`; if that is known already, learn the cause better.

        What an administrator can act on (password, connections, codec) counts more than what it began with.
        """
        gap = self._open
        if gap is None:
            self._from_s = from_s
            self._open = Gap(self._camera, utc_s - (now_s - from_s), None, cause)
        elif gap.cause is GapCause.STARTING or (cause in _BETTER and cause is not gap.cause):
            self._open = Gap(self._camera, gap.began_s, None, cause)
        if self._open is not None and self._open is not gap:
            self._log.note(self._open)

    def end(self, now_s: float) -> None:
        """The camera is seen again."""
        if self._open is not None:
            self._log.note(Gap(self._camera, self._open.began_s, self._open.began_s + now_s - self._from_s, self._open.cause))
            self._open = None

    def pause(self, from_s: float, utc_s: float, now_s: float) -> None:
        """Nothing came between `from_s` and now, and then it went on by itself."""
        self.begin(GapCause.STALL, from_s, utc_s, now_s)
        self.end(now_s)
