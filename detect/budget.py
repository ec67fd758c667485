"""The decode budget: which of the cameras that want to be awake may be, and what each of them costs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Choice", "Costs", "Want", "choose"]

_BY_TURN = 0.1  # of the budget, for the longest unseen whatever they rank
_PRIOR_CORES = 0.01  # of an awake camera before any was measured: 640x360, 15 frames/s, a busy street
_LEAST_CORES = 1e-4
_MEAN_OVER_S = 20.0  # time constant of the running means: a minute of other weather, not one frame with a crowd

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Want:
    """A camera that wants to be awake. `rank`: the lower, the more it matters; `cost` in cores.

    `unseen_s` is how long ago it was last watched fully, 0 while it is. `awake_s` is for how long it has been awake, None while
    it waits; `by_turn` whether it then was let in because it was its turn.
    """

    row: int
    rank: float
    cost: float
    unseen_s: float
    awake_s: float | None = None
    by_turn: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """Rows that may be awake: those that rank highest, and those whose turn it is."""

    ranked: tuple[int, ...]
    turns: tuple[int, ...]

    @property
    def rows(self) -> frozenset[int]:
        return frozenset(self.ranked + self.turns)


def choose(wants: Sequence[Want], budget: float, turn_s: float) -> Choice:
    """Who may be awake for a total cost of `budget` cores, exceeded by less than the last camera let in. Pure.

    Nine tenths go by rank, and within a rank to who has been awake for less than `turn_s`, then to the longest unseen: so equals
    take turns, and a look is not broken off for an equal. The rest goes to the longest unseen of any rank, at least one camera;
    so everyone who wants is awake within (others that want) x `turn_s`. Key frames are not in here: nobody chooses about them.
    """
    spent = 0.0
    ranked: list[int] = []
    left: list[Want] = []
    for want in sorted(wants, key=lambda want: (want.rank, not _is_fresh(want, turn_s), -want.unseen_s, want.row)):
        if spent + want.cost <= budget * (1 - _BY_TURN):
            ranked.append(want.row)
            spent += want.cost
        else:
            left.append(want)
    turns: list[int] = []
    for want in sorted(
        left, key=lambda want: (not (want.by_turn and _is_fresh(want, turn_s)), -want.unseen_s, want.rank, want.row)
    ):
        if turns and spent + want.cost > budget:
            break
        turns.append(want.row)
        spent += want.cost
    return Choice(tuple(ranked), tuple(turns))


def _is_fresh(want: Want, turn_s: float) -> bool:
    return want.awake_s is not None and want.awake_s < turn_s


class Costs:
    """Running means of what decoding and analysing take, from processor time of the threads that do it. One thread.

    A camera that was never awake is expected to cost as much as the others do.
    """

    def __init__(self, rows: int) -> None:
        self.quiet_cores = 0.0  # key frames of all cameras
        self._cores = np.full(rows, np.nan)
        self._before: tuple[float, Floats, Floats] | None = None

    def measure(self, now_s: float, quiet_s: Floats, awake_s: Floats, awake: NDArray[np.bool_]) -> None:
        """Processor seconds since the start, per row, for frames of quiet and of awake cameras; those in `awake`, bool (rows,),
        were so since the last call."""
        if self._before is not None and now_s > self._before[0]:
            before_s, quiet_before, awake_before = self._before
            step_s = now_s - before_s
            weight = 1 - np.exp(-step_s / _MEAN_OVER_S)
            self.quiet_cores += weight * (float((quiet_s - quiet_before).sum()) / step_s - self.quiet_cores)
            rate = (awake_s - awake_before)[awake] / step_s
            known = self._cores[awake]
            self._cores[awake] = np.where(np.isnan(known), rate, known + weight * (rate - known))
        self._before = now_s, quiet_s.copy(), awake_s.copy()

    def of(self, row: int) -> float:
        """Cores that a camera is expected to use while awake."""
        cores = float(self._cores[row])
        return max(_LEAST_CORES, self._usual() if np.isnan(cores) else cores)

    def _usual(self) -> float:
        known = self._cores[~np.isnan(self._cores)]
        return float(known.mean()) if len(known) else _PRIOR_CORES
