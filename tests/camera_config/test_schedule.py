"""Weekly schedules against a slow twin that walks the minutes of the week."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_config import Schedule, Window

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WEEK_MIN = 7 * 24 * 60
SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")


def minutes_of(days: range, first: int, start_min: int, end_min: int) -> set[int]:
    """Every minute of the week that one window covers, by walking from its start to its end."""
    covered = set()
    for step in days:
        start = ((first + step) % 7) * 24 * 60 + start_min
        length = end_min - start_min if end_min > start_min else end_min - start_min + 24 * 60
        covered |= {(start + minute) % WEEK_MIN for minute in range(length)}
    return covered


@st.composite
def windows(draw: st.DrawFn) -> tuple[str, set[int]]:
    """The text of a window, and the minutes of the week it should cover."""
    start_min = draw(st.integers(0, 24 * 60 - 1))
    end_min = draw(st.integers(0, 24 * 60))
    first, last = draw(st.integers(0, 6)), draw(st.integers(0, 6))
    form = draw(st.sampled_from(("every day", "one day", "days")))
    clock = f"{start_min // 60:02d}:{start_min % 60:02d}-{end_min // 60:02d}:{end_min % 60:02d}"
    if form == "every day":
        return clock, minutes_of(range(7), 0, start_min, end_min)
    if form == "one day":
        return f"{DAYS[first]} {clock}", minutes_of(range(1), first, start_min, end_min)
    return f"{DAYS[first]}-{DAYS[last]} {clock}", minutes_of(range((last - first) % 7 + 1), first, start_min, end_min)


@given(st.lists(windows(), min_size=1, max_size=3), st.lists(st.integers(0, WEEK_MIN - 1), min_size=1, max_size=30))
def test_a_schedule_covers_the_minutes_its_windows_name(parts: list[tuple[str, set[int]]], probes: list[int]) -> None:
    schedule = Schedule.parse(", ".join(text for text, _ in parts))
    expected = set.union(*(covered for _, covered in parts))
    edges = [minute for covered in (expected,) for minute in list(covered)[:3]]
    for minute in (*probes, *edges):
        assert any(window.contains(minute // 1440, minute % 1440) for window in schedule.windows) == (minute in expected)


@given(st.integers(0, WEEK_MIN - 1), windows())
def test_a_schedule_reads_local_time(minute: int, part: tuple[str, set[int]]) -> None:
    text, covered = part
    monday = datetime(2026, 1, 5, tzinfo=SHANGHAI)
    moment = monday + timedelta(minutes=minute)
    assert Schedule.parse(text).contains(moment.timestamp() + 59.9, SHANGHAI) == (minute in covered)


def test_a_schedule_follows_the_clock_through_summer_time() -> None:
    night = Schedule.parse("02:00-03:00")
    # 2026-03-29: the clock jumps from 02:00 to 03:00, so that hour does not exist; 2026-10-25: it exists twice.
    spring = datetime(2026, 3, 29, 0, 30, tzinfo=UTC).timestamp()
    autumn = datetime(2026, 10, 25, 0, 30, tzinfo=UTC).timestamp()
    assert not any(night.contains(spring + 600 * step, BERLIN) for step in range(9))
    assert sum(night.contains(autumn + 600 * step - 1800, BERLIN) for step in range(12)) == 12


@pytest.mark.parametrize("minute", [0, 1, 719, 1439])
def test_always_and_never(minute: int) -> None:
    moment = datetime(2026, 1, 7, tzinfo=SHANGHAI).timestamp() + minute * 60
    assert Schedule.parse("always").contains(moment, SHANGHAI)
    assert Schedule.parse(" ALWAYS ").contains(moment, SHANGHAI)
    assert not Schedule.parse("never").contains(moment, SHANGHAI)


def test_a_window_past_midnight_belongs_to_the_day_on_which_it_starts() -> None:
    friday_night = Schedule.parse("fri 22:00-06:00").windows[0]
    assert friday_night == Window(frozenset({4}), 22 * 60, 6 * 60)
    assert friday_night.contains(5, 5 * 60 + 59)
    assert not friday_night.contains(5, 6 * 60)
    assert not friday_night.contains(4, 5 * 60)


@given(st.text(max_size=30))
def test_any_other_text_is_refused_with_what_is_allowed(text: str) -> None:
    try:
        schedule = Schedule.parse(text)
    except ValueError as error:
        assert "expected" in str(error)
    else:
        assert Schedule.parse(schedule.text) == schedule


@pytest.mark.parametrize(
    "text", ["", "24:00-25:00", "12:60-13:00", "mon-xyz 10:00-11:00", "10:00", "10:00-11:00,", "mon 10-11", "24:00-01:00"]
)
def test_wrong_schedules_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        Schedule.parse(text)


def test_what_was_written_is_kept() -> None:
    schedule = Schedule.parse("Mon-Fri  08:00-18:00,  sat 09:00-12:00")
    assert schedule.text == "mon-fri 08:00-18:00, sat 09:00-12:00"
    assert Schedule.parse(schedule.text) == schedule
