"""Shifts that rotate over n days, and how the text of any shift is read."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from camera_config.schedule import DAY_MIN, Schedule, Span

__all__ = ["LONGEST_DAYS", "Rotation", "parse_shift"]

LONGEST_DAYS = 56
"""Days of the longest rotation: eight weeks, more than any roster in use."""

_ROTATION = re.compile(r"from (?P<anchor>\d{4}-\d\d-\d\d): ?(?P<days>.+)")
_WEEKDAY = re.compile(r"[a-z]{3}\b")
_ALLOWED = "'from 2026-01-05: 07:00-19:00 | 19:00-07:00 | off', one part for each day"


@dataclass(frozen=True, slots=True)
class Rotation:
    """Day k of `days` begins on the date `anchor` + k and comes again every `len(days)` days, before the anchor too.

    Teams that are staggered have the same days and anchors that differ. `text` is what the operator wrote.
    """

    text: str
    anchor: date
    days: tuple[tuple[Span, ...], ...]

    @classmethod
    def parse(cls, text: str) -> "Rotation":
        """Read 'from DATE: DAY | DAY | …', each day `off` or windows of time; raises ValueError saying what is allowed."""
        words = " ".join(text.lower().split())
        match = _ROTATION.fullmatch(words)
        if not match:
            raise ValueError(f"expected {_ALLOWED}, got {text!r}")
        try:
            anchor = date.fromisoformat(match["anchor"])
        except ValueError:
            raise ValueError(f"expected a date such as 2026-01-05, got {match['anchor']!r}") from None
        parts = [part.strip() for part in match["days"].split("|")]
        if len(parts) > LONGEST_DAYS:
            raise ValueError(f"expected at most {LONGEST_DAYS} days, got {len(parts)}")
        return cls(words, anchor, tuple(_spans(part) for part in parts))

    def spans_on(self, day: date) -> tuple[Span, ...]:
        """The windows that begin on `day`."""
        return self.days[(day - self.anchor).days % len(self.days)]

    def contains(self, time_s: float, zone: ZoneInfo) -> bool:
        """Whether `time_s` (UTC seconds), seen as local time in `zone`, lies in one of the windows."""
        local = datetime.fromtimestamp(time_s, zone)
        minute, today = local.hour * 60 + local.minute, local.date()
        return any(start <= minute < end for start, end in self.spans_on(today)) or any(
            minute + DAY_MIN < end for _, end in self.spans_on(today - timedelta(days=1))
        )


def parse_shift(text: str) -> Schedule | Rotation:
    """A weekly schedule, or a rotation if the text begins with `from`; raises ValueError saying what is allowed."""
    return Rotation.parse(text) if text.strip().lower().startswith("from ") else Schedule.parse(text)


def _spans(part: str) -> tuple[Span, ...]:
    if part == "off":
        return ()
    if _WEEKDAY.match(part) or not part:
        raise ValueError(
            f"expected 'off' or windows such as 07:00-19:00 without weekdays, got {part!r}; a rotation is {_ALLOWED}"
        )
    return tuple(window.span for window in Schedule.parse(part).windows)
