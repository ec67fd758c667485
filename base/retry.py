"""Back-off with jitter, so that 727 cameras behind one switch do not all come back in the same millisecond."""

import random
from dataclasses import dataclass

__all__ = ["Backoff"]


@dataclass(slots=True)
class Backoff:
    """Delays that grow by `factor` from `floor_s` to `cap_s`, spread evenly over 2 · `jitter` of themselves. Owned by one thread.

    No delay is shorter than the floor or longer than the cap: what is spread must not pile up at a bound.

    A success counts only after it has lasted: call `succeeded(lasted_s)` when the thing fails again, and the delay starts over
    only if it had worked for `good_after_s`. A one-second success must not reset the delay.
    """

    floor_s: float = 1.0
    cap_s: float = 120.0
    factor: float = 2.0
    jitter: float = 0.3
    good_after_s: float = 60.0
    attempts: int = 0

    def succeeded(self, lasted_s: float) -> None:
        """Forget earlier failures if the success lasted long enough."""
        if lasted_s >= self.good_after_s:
            self.attempts = 0

    def next_delay_s(self, rng: random.Random, at_least_s: float = 0.0) -> float:
        """How long to wait before the next try, and count that try. `at_least_s` raises the floor this once."""
        most = 1 + 2 * self.jitter
        grown_s = self.floor_s * self.factor ** min(self.attempts, 32)
        self.attempts += 1
        return min(self.cap_s / most, max(at_least_s, grown_s)) * rng.uniform(1.0, most)
