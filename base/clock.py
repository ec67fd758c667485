"""Time, injected: the one module that may ask the operating system what time it is."""

import threading
import time
from typing import Protocol

__all__ = ["Clock", "SimulatedClock", "SystemClock"]


class Clock(Protocol):
    """Tells time and waits. Safe to call from any thread."""

    def now_s(self) -> float:
        """UTC seconds since 1970; may step. For stamping what people see."""
        ...

    def monotonic_s(self) -> float:
        """Seconds since an arbitrary moment; never steps back. For every timer and deadline."""
        ...

    def sleep(self, seconds: float) -> None:
        """Return after `seconds`; at once if not positive."""
        ...

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        """Wait for `event`, at most `timeout_s`; whether it was set."""
        ...


class SystemClock:
    """The machine's own time."""

    def now_s(self) -> float:
        return time.time()

    def monotonic_s(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            time.sleep(seconds)

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        return event.wait(max(0.0, timeout_s))


class SimulatedClock:
    """Time that moves only when told to, or when somebody sleeps on it. Safe from any thread."""

    def __init__(self, now_s: float = 1_700_000_000.0) -> None:
        self._lock = threading.Lock()
        self._now_s = now_s
        self._monotonic_s = 0.0

    def now_s(self) -> float:
        with self._lock:
            return self._now_s

    def monotonic_s(self) -> float:
        with self._lock:
            return self._monotonic_s

    def sleep(self, seconds: float) -> None:
        self.advance(max(0.0, seconds))

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        if not event.is_set():
            self.advance(max(0.0, timeout_s))
        return event.is_set()

    def advance(self, seconds: float) -> None:
        """Let both clocks run on by `seconds`."""
        if seconds < 0:
            raise ValueError(f"a clock cannot run backwards: {seconds} s; use step_wall")
        with self._lock:
            self._now_s += seconds
            self._monotonic_s += seconds

    def step_wall(self, seconds: float) -> None:
        """Step wall-clock time only, either way, as an NTP correction does."""
        with self._lock:
            self._now_s += seconds
