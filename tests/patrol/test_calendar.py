"""Working time against a slow twin that looks at every minute, and what must hold whatever the hours are."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from camera_config.schedule import Schedule
from camera_config.site import Holiday, Name
from patrol import Calendar

ZONES = {name: ZoneInfo(name) for name in ("Asia/Shanghai", "Europe/Berlin", "America/St_Johns", "UTC")}
HOURS = [
    Schedule.parse(text)
    for text in (
        "always",
        "mon-fri 08:30-12:00, mon-fri 13:30-17:30",
        "mon-fri 08:00-18:00, wed 12:00-20:00",  # overlapping
        "fri-sun 22:00-06:00",  # past midnight
        "sat 00:00-24:00, sun 00:00-00:30",
    )
]
# Both are weeks with a change of the clocks in Europe: 29 March and 25 October 2026.
SPRING_S, AUTUMN_S = 1_774_224_000.0, 1_792_368_000.0
HOLIDAYS = (
    Holiday(date(2026, 3, 27), date(2026, 3, 30), Name("清明节", "Tomb Sweeping Day")),
    Holiday(date(2026, 4, 4), date(2026, 4, 4), Name("补班", "made up"), made_up=True),
    Holiday(date(2026, 10, 20), date(2026, 10, 22), Name("节", "Feast")),
)

moments = st.one_of(st.floats(SPRING_S, SPRING_S + 14 * 86400), st.floats(AUTUMN_S, AUTUMN_S + 14 * 86400))
calendars = st.builds(Calendar, st.sampled_from(list(ZONES.values())), st.sampled_from([(), HOLIDAYS]))
hours = st.sampled_from(HOURS)


def local_s(zone: str, *when: int) -> float:
    return datetime(*when, tzinfo=ZONES[zone]).timestamp()  # type: ignore[misc, arg-type]  # year to second


def counted_by_minute(calendar: Calendar, schedule: Schedule, from_s: float, until_s: float) -> float:
    """The rule as a person would say it: every minute is asked whether it is one of working time."""
    total = 0
    for minute in range(int(from_s // 60), int(until_s // 60)):
        local = datetime.fromtimestamp(minute * 60, calendar.zone)
        for begun_ago in (0, 1):
            day = date.fromordinal(local.date().toordinal() - begun_ago)
            entries = [each for each in calendar.holidays if each.first <= day <= each.last]
            if entries and not any(each.made_up for each in entries):
                continue
            weekday = 0 if entries else day.weekday()
            at = local.hour * 60 + local.minute + 1440 * begun_ago
            windows = [window for window in schedule.windows if weekday in window.days]
            if any(start <= at < end for start, end in (window.span for window in windows)):
                total += 60
                break
    return float(total)


@settings(max_examples=60, deadline=None)
@given(calendar=calendars, schedule=hours, start=moments, length_min=st.integers(0, 4 * 1440))
def test_working_time_agrees_with_counting_the_minutes(
    calendar: Calendar, schedule: Schedule, start: float, length_min: int
) -> None:
    from_s = start // 60 * 60
    until_s = from_s + 60 * length_min
    assert calendar.seconds(schedule, from_s, until_s) == counted_by_minute(calendar, schedule, from_s, until_s)


@given(calendar=calendars, schedule=hours, cuts=st.lists(moments, min_size=3, max_size=3))
def test_working_time_is_additive_and_never_more_than_the_time(calendar: Calendar, schedule: Schedule, cuts: list[float]) -> None:
    a, b, c = sorted(cuts)
    whole = calendar.seconds(schedule, a, c)
    assert calendar.seconds(schedule, a, b) + calendar.seconds(schedule, b, c) == pytest.approx(whole, abs=1e-3)
    assert 0 <= calendar.seconds(schedule, a, b) <= min(whole, b - a) + 1e-3
    assert calendar.seconds(schedule, b, a) == (0.0 if b >= a else pytest.approx(0))


@given(calendar=calendars, schedule=hours, start=moments, amount=st.floats(0.001, 5 * 86400))
def test_the_end_of_an_amount_is_the_first_moment_at_which_it_has_passed(
    calendar: Calendar, schedule: Schedule, start: float, amount: float
) -> None:
    end = calendar.after(schedule, start, amount)
    assert end is not None
    assert end >= start
    assert calendar.seconds(schedule, start, end) == pytest.approx(amount, abs=1e-3)
    assert calendar.seconds(schedule, start, end - 1) < amount
    longer = calendar.after(schedule, start, amount + 60)
    assert longer is not None
    assert longer >= end


OFFICE = Schedule.parse("mon-fri 09:00-17:00")

# (zone, from, until, working hours between them, why)
KNOWN = [
    ("Asia/Shanghai", (2026, 3, 23, 9), (2026, 3, 24, 9), 8.0, "a day"),
    ("Asia/Shanghai", (2026, 3, 26, 16), (2026, 3, 31, 10), 2.0, "over four holidays"),
    ("Asia/Shanghai", (2026, 4, 4, 0), (2026, 4, 5, 0), 8.0, "a Saturday that is made up"),
    ("Europe/Berlin", (2026, 10, 23, 16), (2026, 10, 26, 10), 2.0, "over the end of summer time"),
]


@pytest.mark.parametrize(("zone", "start", "until", "expected", "why"), KNOWN)
def test_known_hours(zone: str, start: tuple[int, ...], until: tuple[int, ...], expected: float, why: str) -> None:
    calendar = Calendar(ZONES[zone], HOLIDAYS)
    assert calendar.seconds(OFFICE, local_s(zone, *start), local_s(zone, *until)) == expected * 3600, why


def test_a_day_on_which_the_clocks_change_has_23_or_25_hours() -> None:
    calendar, always = Calendar(ZONES["Europe/Berlin"]), Schedule.parse("always")
    for day, expected in (((2026, 3, 29), 23), ((2026, 10, 25), 25), ((2026, 10, 26), 24)):
        start = local_s("Europe/Berlin", *day)
        assert calendar.seconds(always, start, start + expected * 3600) == expected * 3600
        following = local_s("Europe/Berlin", day[0], day[1], day[2] + 1)
        assert following - start == expected * 3600


def test_a_window_inside_the_skipped_hour_moves_on_and_nothing_counts_twice() -> None:
    calendar = Calendar(ZONES["Europe/Berlin"])
    night = Schedule.parse("sun 02:15-02:30, sun 03:00-04:00")
    start = local_s("Europe/Berlin", 2026, 3, 29)
    assert calendar.seconds(night, start, start + 23 * 3600) == 3600


def test_hours_that_never_come_end_nothing() -> None:
    assert Calendar(ZONES["UTC"]).after(Schedule.parse("never"), SPRING_S, 1.0) is None
    assert Calendar(ZONES["UTC"]).after(Schedule.parse("never"), SPRING_S, 0.0) == SPRING_S
