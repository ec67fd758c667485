"""Working time: how much of it lies between two moments, and when an amount of it is over."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from camera_config.schedule import DAY_MIN, Schedule, Span
from camera_config.site import Holiday

__all__ = ["Calendar"]

LOOK_AHEAD_DAYS = 1100
"""Three years: a limit that no working hour ends by then never ends."""

_A_MONDAY = date(2024, 1, 1)

Stretch = tuple[float, float]
"""From and until, UTC seconds."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """Days as a site counts them. On a holiday no hours begin; a made-up day has the hours of a Monday. Safe from any thread.

    Hours are what wall clocks show: on a day on which the clocks are changed, a window is an hour longer or shorter if the change
    falls into it.
    """

    zone: ZoneInfo
    holidays: tuple[Holiday, ...] = ()

    def seconds(self, hours: Schedule, from_s: float, until_s: float) -> float:
        """Working seconds from `from_s` until `until_s` (UTC); 0 if that is not later."""
        total_s, day, last = 0.0, self._day(from_s), self._day(until_s)
        while day <= last:
            for start_s, end_s in _stretches(self.zone, self.holidays, hours, day):
                total_s += max(0.0, min(end_s, until_s) - max(start_s, from_s))
            day += timedelta(days=1)
        return total_s

    def after(self, hours: Schedule, from_s: float, seconds: float) -> float | None:
        """The first moment (UTC) at which `seconds` of working time have passed since `from_s`; None if never."""
        if seconds <= 0:
            return from_s
        day = self._day(from_s)
        for _ in range(LOOK_AHEAD_DAYS):
            for start_s, end_s in _stretches(self.zone, self.holidays, hours, day):
                begin_s = max(start_s, from_s)
                if end_s - begin_s >= seconds:
                    return begin_s + seconds
                seconds -= max(0.0, end_s - begin_s)
            day += timedelta(days=1)
        return None

    def _day(self, time_s: float) -> date:
        return datetime.fromtimestamp(time_s, self.zone).date()


@lru_cache(maxsize=4096)
def _stretches(zone: ZoneInfo, holidays: tuple[Holiday, ...], hours: Schedule, day: date) -> tuple[Stretch, ...]:
    """Working time between the midnights of `day`: disjoint, in order. What began the day before may reach into it."""
    today = [(start, min(end, DAY_MIN)) for start, end in _spans(holidays, hours, day)]
    before = [(max(start - DAY_MIN, 0), end - DAY_MIN) for start, end in _spans(holidays, hours, day - timedelta(days=1))]
    instants = ((_utc_s(zone, day, start), _utc_s(zone, day, end)) for start, end in (*before, *today) if start < end)
    stretches: list[Stretch] = []
    for start_s, end_s in sorted(instants):
        if stretches and start_s <= stretches[-1][1]:
            stretches[-1] = (stretches[-1][0], max(end_s, stretches[-1][1]))
        elif start_s < end_s:
            stretches.append((start_s, end_s))
    return tuple(stretches)


def _spans(holidays: tuple[Holiday, ...], hours: Schedule, day: date) -> tuple[Span, ...]:
    """The windows that begin on `day`; of days that are in two entries, the made-up one counts."""
    entries = [each for each in holidays if each.first <= day <= each.last]
    if any(each.made_up for each in entries):
        return hours.spans_on(_A_MONDAY)
    return () if entries else hours.spans_on(day)


def _utc_s(zone: ZoneInfo, day: date, minute: int) -> float:
    """When wall clocks show this minute: the first of two times, and past the gap where they skip it (PEP 495, fold=0)."""
    return (datetime.combine(day, time(), zone) + timedelta(minutes=minute)).timestamp()
