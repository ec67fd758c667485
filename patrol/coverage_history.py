"""Which cameras covered nothing, and when: intervals from several ledgers made into one account. Pure.

Every second of a camera is lost to at most one cause: of those that hold at once the one that hides most, in the order of Loss.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from camera_config.coverage import Coverage
from camera_config.covered import Figure
from patrol.coverage_causes import Loss

__all__ = ["LossInterval", "account", "camera_seconds", "lost_at", "sampled_rates"]

_RANK = {
    loss: rank
    for rank, loss in enumerate(
        (Loss.DISABLED, Loss.UPLINK, Loss.OFFLINE, Loss.NOT_WATCHED, Loss.COVERED, Loss.UNVERIFIED, Loss.DEGRADED, Loss.BUDGET)
    )
}


@dataclass(frozen=True, slots=True)
class LossInterval:
    """A time, UTC, in which a camera covered nothing. `cause` as in `lost_cameras`."""

    camera: str
    cause: str
    began_s: float
    ended_s: float

    @property
    def seconds(self) -> float:
        return self.ended_s - self.began_s


def account(told: Iterable[LossInterval], from_s: float, to_s: float) -> list[LossInterval]:
    """What the ledgers told, cut to [from_s, to_s), each second of a camera once; by camera, oldest first."""
    by_camera = defaultdict[str, list[LossInterval]](list)
    for each in told:
        began_s, ended_s = max(each.began_s, from_s), min(each.ended_s, to_s)
        if began_s < ended_s:
            by_camera[each.camera].append(LossInterval(each.camera, each.cause, began_s, ended_s))
    return [each for camera in sorted(by_camera) for each in _without_overlap(by_camera[camera])]


def lost_at(intervals: Iterable[LossInterval], at_s: float) -> dict[str, str]:
    """Camera -> cause at a moment, as `Coverage.with_states` takes it."""
    return {each.camera: each.cause for each in intervals if each.began_s <= at_s < each.ended_s}


def camera_seconds(intervals: Iterable[LossInterval], cell_of: Mapping[str, str]) -> dict[str, dict[str, float]]:
    """Grid cell -> cause -> seconds of its cameras together; cameras without a cell are left out."""
    found = defaultdict[str, dict[str, float]](dict)
    for each in intervals:
        if cell := cell_of.get(each.camera, ""):
            found[cell][each.cause] = found[cell].get(each.cause, 0.0) + each.seconds
    return dict(found)


def sampled_rates(
    coverage: Coverage, intervals: Sequence[LossInterval], moments: Iterable[float], groups: Mapping[str, Sequence[str]]
) -> list[tuple[float, dict[str, float]]]:
    """At each moment the covered share of the ground of each group of places, by the cameras as they hang today."""
    known: dict[frozenset[str], dict[str, float]] = {}
    found = []
    for at_s in moments:
        lost = lost_at(intervals, at_s)
        missing = frozenset(lost)
        if missing not in known:
            figures = coverage.with_states(lost).figures
            known[missing] = {
                name: sum((figures[place] for place in places if place in figures), Figure()).rate
                for name, places in groups.items()
            }
        found.append((at_s, known[missing]))
    return found


def _without_overlap(told: Sequence[LossInterval]) -> list[LossInterval]:
    """Of one camera: at each moment only the cause that ranks first; neighbours of the same cause joined."""
    ends = sorted({moment for each in told for moment in (each.began_s, each.ended_s)})
    found: list[LossInterval] = []
    waiting = sorted(told, key=lambda each: each.began_s, reverse=True)
    lasting: list[LossInterval] = []
    for began_s, ended_s in pairwise(ends):
        while waiting and waiting[-1].began_s <= began_s:
            lasting.append(waiting.pop())
        lasting = [each for each in lasting if each.ended_s > began_s]
        if not lasting:
            continue
        first = min(lasting, key=_rank)
        goes_on = found and found[-1].cause == first.cause and found[-1].ended_s == began_s
        since_s = found.pop().began_s if goes_on else began_s
        found.append(LossInterval(first.camera, first.cause, since_s, ended_s))
    return found


def _rank(each: LossInterval) -> tuple[int, str]:
    return _RANK[Loss(each.cause.partition(":")[0])], each.cause
