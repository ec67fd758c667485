"""Which cameras are not seen now, since when and why: what workers report, joined with what only control can know."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from base import Gap, GapCause

__all__ = ["GapLedger"]

_OURS = frozenset({GapCause.WORKER, GapCause.SITE_STOPPED})


class GapLedger:
    """Every gap that is open, by camera, and how long those that ended in this run lasted. Event-loop thread only.

    A worker that is gone cannot say when its cameras were last seen; then control does, and its gap lasts until the next worker
    begins to report about the camera. So the gaps of a camera follow each other without overlap or remainder.
    """

    def __init__(self) -> None:
        self._open: dict[str, Gap] = {}
        self._ended_s: dict[GapCause, float] = defaultdict(float)

    @property
    def open(self) -> Mapping[str, Gap]:
        """The gap of each camera that is not seen now."""
        return self._open

    @property
    def ended_s(self) -> Mapping[GapCause, float]:
        """Seconds of all gaps that ended in this run, by cause."""
        return self._ended_s

    def expect(self, gaps: Iterable[Gap]) -> None:
        """Gaps of the time before this run, open until a worker reports."""
        self._open.update((gap.camera, gap) for gap in gaps)

    def report(self, gaps: Sequence[Gap]) -> list[Gap]:
        """What a worker says has changed; what is to be recorded for it."""
        changed: list[Gap] = []
        for gap in gaps:
            before = self._open.get(gap.camera)
            if before is not None and before.began_s != gap.began_s:
                changed.append(self._end(before, gap.began_s))
            if gap.ended_s is None:
                self._open[gap.camera] = gap
                changed.append(gap)
            else:
                changed.append(self._end(gap, gap.ended_s))
        return changed

    def lose(self, cameras: Iterable[str], since_s: float) -> list[Gap]:
        """The worker of `cameras` is gone, last heard at `since_s`; what is to be recorded for it."""
        changed: list[Gap] = []
        for camera in cameras:
            before = self._open.get(camera)
            if before is not None and before.cause in _OURS:
                continue
            if before is not None and before.began_s < since_s:
                changed.append(self._end(before, since_s))
            began_s = since_s if before is None else max(since_s, before.began_s)
            self._open[camera] = Gap(camera, began_s, None, GapCause.WORKER)
            changed.append(self._open[camera])
        return changed

    def _end(self, gap: Gap, ended_s: float) -> Gap:
        """`gap`, ended; not before it began, should the clock have been set back."""
        self._open.pop(gap.camera, None)
        ended = replace(gap, ended_s=max(gap.began_s, ended_s))
        self._ended_s[gap.cause] += max(0.0, ended_s - gap.began_s)
        return ended
