"""Weekly schedules: when a rule is armed, when a team is on shift. Rotations over n days are in `rotation.py`."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

__all__ = ["ALWAYS", "DAY_MIN", "Schedule", "Span", "Window"]

DAY_MIN = 24 * 60

Span = tuple[int, int]
"""Minutes of wall-clock time after the midnight that begins a date; the end may lie in the next day, never before the start."""

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WINDOW = re.compile(r"(?:(?P<first>[a-z]{3})(?:-(?P<last>[a-z]{3}))? )?(?P<h0>\d\d):(?P<m0>\d\d)-(?P<h1>\d\d):(?P<m1>\d\d)")
_ALLOWED = "'always', 'never', or windows such as '22:00-06:00' or 'mon-fri 08:00-18:00, sat 09:00-12:00'"


@dataclass(frozen=True, slots=True)
class Window:
    """Minutes of the day [start_min, end_min), on the weekdays on which it starts; runs past midnight if end ≤ start."""

    days: frozenset[int]  # 0 Monday – 6 Sunday
    start_min: int
    end_min: int

    @property
    def span(self) -> Span:
        """From when to when it lasts on a day on which it starts."""
        return self.start_min, self.end_min if self.end_min > self.start_min else self.end_min + DAY_MIN

    def contains(self, weekday: int, minute: int) -> bool:
        """Whether this minute of this weekday lies in the window."""
        if self.start_min < self.end_min:
            return weekday in self.days and self.start_min <= minute < self.end_min
        evening = weekday in self.days and minute >= self.start_min
        morning = (weekday - 1) % 7 in self.days and minute < self.end_min
        return evening or morning


@dataclass(frozen=True, slots=True)
class Schedule:
    """Windows in local time of the site; empty means never. `text` is what the operator wrote."""

    text: str
    windows: tuple[Window, ...]

    @classmethod
    def parse(cls, text: str) -> "Schedule":
        """Read 'always', 'never' or comma-separated windows; raises ValueError saying what is allowed."""
        words = " ".join(text.lower().split())
        if words == "always":
            return cls("always", (Window(frozenset(range(7)), 0, DAY_MIN),))
        if words == "never":
            return cls("never", ())
        return cls(words, tuple(_window(part.strip(), text) for part in words.split(",")))

    def spans_on(self, day: date) -> tuple[Span, ...]:
        """The windows that begin on `day`; those that run past midnight end after `DAY_MIN`."""
        return tuple(window.span for window in self.windows if day.weekday() in window.days)

    def contains(self, time_s: float, zone: ZoneInfo) -> bool:
        """Whether `time_s` (UTC seconds), seen as local time in `zone`, lies in one of the windows."""
        local = datetime.fromtimestamp(time_s, zone)
        return any(window.contains(local.weekday(), local.hour * 60 + local.minute) for window in self.windows)


def _window(part: str, whole: str) -> Window:
    match = _WINDOW.fullmatch(part)
    if not match:
        raise ValueError(f"expected {_ALLOWED}, got {whole!r}")
    first, last = match["first"] or "mon", match["last"] or match["first"] or "sun"
    if first not in _DAYS or last not in _DAYS:
        raise ValueError(f"expected weekdays {', '.join(_DAYS)}, got {part!r}")
    low, high = _DAYS.index(first), _DAYS.index(last)
    days = frozenset((low + step) % 7 for step in range((high - low) % 7 + 1))
    start = int(match["h0"]) * 60 + int(match["m0"])
    end = int(match["h1"]) * 60 + int(match["m1"])
    if start >= DAY_MIN or end > DAY_MIN or int(match["m0"]) > 59 or int(match["m1"]) > 59:
        raise ValueError(f"expected times 00:00 to 24:00, got {part!r}")
    return Window(days, start, end)


ALWAYS = Schedule.parse("always")
