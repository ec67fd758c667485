"""Repeated errors become one line a second, with a count and the last of them."""

import logging
from dataclasses import dataclass, field

from base.clock import Clock

__all__ = ["Tally"]


@dataclass(slots=True)
class Tally:
    """Counts what repeats and logs at most one line per key and `every_s`. Owned by one thread.

    The first of a kind is logged at once; what follows within `every_s` is counted and told with the next line.
    """

    logger: logging.Logger
    clock: Clock
    every_s: float = 1.0
    _next_s: dict[str, float] = field(default_factory=dict)
    _silent: dict[str, int] = field(default_factory=dict)

    def warn(self, key: str, message: str) -> None:
        """Log `message` as a warning, or count it if `key` was logged a moment ago."""
        now_s = self.clock.monotonic_s()
        if now_s < self._next_s.get(key, float("-inf")):
            self._silent[key] = self._silent.get(key, 0) + 1
            return
        self._next_s[key] = now_s + self.every_s
        silent = self._silent.pop(key, 0)
        self.logger.warning("%s: %s%s", key, message, f" (and {silent} more like it)" if silent else "")

    def silent(self, key: str) -> int:
        """How many were counted under `key` since its last line."""
        return self._silent.get(key, 0)
