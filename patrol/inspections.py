"""Draws: which checkpoints are inspected, and when, decided by a secret seed so that nobody can foresee it and all can check it.

The number of a label is the first 64 bits of HMAC-SHA-256(seed, label). A draw takes the checkpoints with the lowest numbers.
Who knows the seed can repeat it, so the seed of each draw is stored, and shown once the inspection was announced.
"""

import hashlib
import hmac
from collections.abc import Collection
from dataclasses import dataclass

from base import TransitionError

__all__ = ["Draw", "draw_checkpoints", "seed_of", "share"]


@dataclass(frozen=True, slots=True)
class Draw:
    """`drawn` are the first `count` of `pool` by their numbers under `seed` (hexadecimal). `announced_s` is when teams hear."""

    id: str
    source: str  # id of the inspection; empty if somebody asked for it
    seed: str
    pool: tuple[str, ...]
    count: int
    drawn: tuple[str, ...]
    made_s: float
    announced_s: float
    by: str


def draw_checkpoints(pool: Collection[str], count: int, seed: str) -> tuple[str, ...]:
    """`count` of `pool`, all of it if that is not more; the order of `pool` does not matter. Raises TransitionError if empty."""
    if not pool or count < 1:
        raise TransitionError("a draw needs at least one checkpoint to draw from, and one to draw")
    return tuple(sorted(set(pool), key=lambda checkpoint: (_number(seed, checkpoint), checkpoint))[:count])


def share(seed: str, label: str) -> float:
    """A number in [0, 1) that only who knows the seed can tell, always the same for the same label."""
    return (_number(seed, label) >> 11) / (1 << 53)  # 53 bits: all that a float holds


def seed_of(seed: str, label: str) -> str:
    """A seed for one purpose, from which the one it was made of cannot be found."""
    return hmac.new(seed.encode(), f"seed\n{label}".encode(), hashlib.sha256).hexdigest()


def _number(seed: str, label: str) -> int:
    return int.from_bytes(hmac.new(seed.encode(), label.encode(), hashlib.sha256).digest()[:8])
