"""Who is awake: everyone who asks, as long as the decode budget allows; then those it chooses."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from base import Clock, Tier
from detect.budget import Costs, Want, choose

__all__ = ["NOT_ARMED", "TIER_OF", "Turn", "WakeCause", "Wakes"]

NOT_ARMED = 5
"""What stands for the severity of a camera without an armed rule."""

_CHOOSE_EVERY_S = 1.0
_HURRY_S = 0.1  # somebody new asked: an alarm waits no longer than this for its choice
_TURN_S = 4.0  # a look is not broken off for an equal before: two key frames of the usual 2 s GOP
_PATIENCE_S = 30.0  # a wake that had no room for so long is about something that is long over
_SAMPLE_RANK = 1.5  # after severity 1: samples must not depend on how much else goes on
_LEARN_RANK = 4.0


class WakeCause(StrEnum):
    """Why a camera should be awake."""

    LEARN = "learn"  # its background is not known yet
    PACKET = "packet"  # its packets are unusually large
    KEY_FRAME = "key_frame"  # a key frame showed something an armed rule asks for
    FOLLOW = "follow"  # something relevant is being followed
    FORCED = "forced"  # a random sample
    CAMERA = "camera"  # the camera said that something moves


TIER_OF = {WakeCause.PACKET: Tier.PACKET, WakeCause.KEY_FRAME: Tier.KEY_FRAME, WakeCause.FORCED: Tier.FORCED}
"""The tier that an event is put down to; what is not in here counts as awake anyway."""


@dataclass(slots=True)
class _Wish:
    cause: WakeCause
    hold_s: float
    asked_s: float
    until_s: float = np.inf  # once awake
    awake_since_s: float | None = None
    by_turn: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """What a turn changed, by row: woken, and why; back to sleep because its time was over; put to sleep for another; given up
    before it was ever awake."""

    woken: tuple[tuple[int, WakeCause], ...] = ()
    ended: tuple[int, ...] = ()
    cut: tuple[int, ...] = ()
    refused: tuple[int, ...] = ()


class Wakes:
    """Opens and closes gates. `ask` may be called from any thread, everything else belongs to one. Times are monotonic.

    `open_gate(row, until)` gets UTC and may be told a later time at any moment; `close_gate(row)` is called only for rows that
    have to make room. A wake that waits begins its time, or what is left of it, when it is let in; after half a minute without
    it is given up.
    """

    def __init__(
        self, rows: int, open_gate: Callable[[int, float], None], close_gate: Callable[[int], None], clock: Clock
    ) -> None:
        self.refused = self.cut = self.wanting = 0
        self.awake_cores = 0.0
        self.seen_s = np.full(rows, -np.inf)  # when each row was last awake
        self._open_gate, self._close_gate, self._clock = open_gate, close_gate, clock
        self._asked: deque[tuple[int, float, WakeCause]] = deque()
        self._wishes: dict[int, _Wish] = {}
        self._chosen_s = -np.inf

    def ask(self, row: int, hold_s: float, cause: WakeCause) -> None:
        """Somebody wants this camera awake for `hold_s` from now, or from when there is room. Extends what was asked before."""
        self._asked.append((row, hold_s, cause))

    def forget(self, row: int) -> None:
        """Nobody wants this row awake any more: it is another camera from now on."""
        self._asked = deque(each for each in self._asked if each[0] != row)
        self._wishes.pop(row, None)

    def wants(self, row: int) -> bool:
        """Whether a camera is awake or waits to be."""
        return row in self._wishes

    def cause(self, row: int) -> WakeCause:
        """Why a camera that wants to be awake first asked."""
        return self._wishes[row].cause

    def awake_since(self) -> list[tuple[int, float]]:
        """Rows that are awake, and since when."""
        return [(row, wish.awake_since_s) for row, wish in self._wishes.items() if wish.awake_since_s is not None]

    def waiting(self) -> list[int]:
        """Rows that want to be awake and have no room."""
        return [row for row, wish in self._wishes.items() if wish.awake_since_s is None]

    def turn(self, budget: float, costs: Costs, rank: NDArray[np.float64]) -> Turn:
        """Let in, keep and send away. Cheap while nobody asks."""
        if not self._asked and not self._wishes:
            self.awake_cores, self.wanting = 0.0, 0
            return Turn()
        now_s = self._clock.monotonic_s()
        is_news = self._take_asked(now_s)
        ended, refused = self._expire(now_s)
        since_s = now_s - self._chosen_s
        if since_s < (_HURRY_S if is_news or self._has_new(now_s) else _CHOOSE_EVERY_S):
            return Turn(ended=ended, refused=refused)
        self._chosen_s = now_s
        woken, cut = self._choose(now_s, budget, costs, rank)
        return Turn(woken, ended, cut, refused)

    def _choose(
        self, now_s: float, budget: float, costs: Costs, rank: NDArray[np.float64]
    ) -> tuple[tuple[tuple[int, WakeCause], ...], tuple[int, ...]]:
        """Who was woken, and why; who had to make room."""
        wants = [self._want(row, wish, now_s, costs, rank) for row, wish in self._wishes.items()]
        choice = choose(wants, budget, _TURN_S)
        self.awake_cores = sum(want.cost for want in wants if want.row in choice.rows)
        cut = tuple(row for row, _ in self.awake_since() if row not in choice.rows)
        for row in cut:
            self._close_gate(row)
            self._wait_again(row, now_s)
        self.cut += len(cut)
        woken = []
        for row in choice.ranked + choice.turns:
            wish = self._wishes[row]
            wish.by_turn = row in choice.turns
            if wish.awake_since_s is None:
                wish.awake_since_s, wish.until_s = now_s, now_s + wish.hold_s
                self._open(row, wish, now_s)
                woken.append((row, wish.cause))
            self.seen_s[row] = now_s
        self.wanting = len(wants) - len(choice.rows)
        return tuple(woken), cut

    def _take_asked(self, now_s: float) -> bool:
        """Whether a row asked that did not want before."""
        is_news = False
        while self._asked:
            row, hold_s, cause = self._asked.popleft()
            wish = self._wishes.get(row)
            if wish is None:
                self._wishes[row] = _Wish(cause, hold_s, now_s)
                is_news = True
            elif wish.awake_since_s is None:
                wish.asked_s, wish.hold_s = now_s, max(wish.hold_s, hold_s)
            elif now_s + hold_s > wish.until_s:
                wish.until_s = now_s + hold_s
                self._open(row, wish, now_s)
        return is_news

    def _has_new(self, now_s: float) -> bool:
        """Whether somebody waits who no choice has seen yet."""
        return any(wish.awake_since_s is None and wish.asked_s >= self._chosen_s for wish in self._wishes.values())

    def _expire(self, now_s: float) -> tuple[tuple[int, ...], tuple[int, ...]]:
        ended = tuple(row for row, wish in self._wishes.items() if wish.until_s <= now_s)
        refused = tuple(row for row in self.waiting() if now_s - self._wishes[row].asked_s > _PATIENCE_S)
        for row in ended:
            self.seen_s[row] = now_s
        for row in ended + refused:
            del self._wishes[row]
        self.refused += len(refused)
        return ended, refused

    def _wait_again(self, row: int, now_s: float) -> None:
        """A camera had to make room: it waits for the rest of its time. Half a sample is none."""
        wish = self._wishes.pop(row)
        if wish.cause is not WakeCause.FORCED:
            self._wishes[row] = _Wish(wish.cause, wish.until_s - now_s, now_s)

    def _open(self, row: int, wish: _Wish, now_s: float) -> None:
        self._open_gate(row, self._clock.now_s() + wish.until_s - now_s)

    def _want(self, row: int, wish: _Wish, now_s: float, costs: Costs, ranks: NDArray[np.float64]) -> Want:
        rank = float(ranks[row])
        if rank < NOT_ARMED and wish.cause is WakeCause.LEARN:
            rank = _LEARN_RANK
        elif wish.cause is WakeCause.FORCED:
            rank = min(rank, _SAMPLE_RANK)
        awake_s = None if wish.awake_since_s is None else now_s - wish.awake_since_s
        unseen_s = 0.0 if awake_s is not None else now_s - self.seen_s[row]
        return Want(row, rank, costs.of(row), unseen_s, awake_s, wish.by_turn)
