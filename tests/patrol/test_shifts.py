"""Shifts against a slow twin that walks the minutes; the two nights of the year; swaps, leave, extra shifts; gaps."""

import dataclasses
import itertools
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from base import TransitionError
from camera_config import DispatchRules, Holiday, Minimum, Name, Rotation, Schedule, Site
from camera_config.rotation import parse_shift
from patrol import ChangeKind, Roster, RosterChange, StaffingGap, check_change, staffing_gaps
from patrol.shifts import instant_s
from tests.patrol.small_site import small_site

BERLIN, SHANGHAI = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Shanghai")
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)  # nights of the change in Berlin
HOUR_S, DAY_S = 3600.0, 86_400.0


def site_of(shift: str, zone: ZoneInfo = SHANGHAI, holidays: tuple[Holiday, ...] = (), holiday_shift: str = "") -> Site:
    """The small site with t1 on `shift` and all others never on shift."""
    site = small_site(dict.fromkeys(("t1", "t2", "t3", "t4", "t5"), "never"))
    on_holidays = Schedule.parse(holiday_shift) if holiday_shift else None
    first = dataclasses.replace(site.teams[0], shift=parse_shift(shift), holiday_shift=on_holidays)
    return dataclasses.replace(site, timezone=zone.key, teams=(first, *site.teams[1:]), holidays=holidays)


def at(day: date, hour: float, zone: ZoneInfo = SHANGHAI) -> float:
    return (datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(hours=hour)).timestamp()


def worked(site: Site, first: date, days: int, changes: tuple[RosterChange, ...] = ()) -> list[tuple[str, str, str]]:
    """Who works from when to when, in local time."""
    duties = Roster(site).duties(changes, at(first, 0, site.zone_info), at(first + timedelta(days=days), 0, site.zone_info))
    return [(each.team, local(each.begin_s, site), local(each.end_s, site)) for each in duties]


def local(time_s: float, site: Site) -> str:
    return f"{datetime.fromtimestamp(time_s, site.zone_info):%a %H:%M}"


MONDAY = date(2026, 3, 2)


@pytest.mark.parametrize(
    ("shift", "expected"),
    [
        ("07:00-19:00", ["Mon 07:00", "Tue 07:00", "Wed 07:00", "Thu 07:00"]),
        ("22:00-06:00", ["Sun 22:00", "Mon 22:00", "Tue 22:00", "Wed 22:00", "Thu 22:00"]),  # Sunday's ends on Monday
        ("mon 08:00-12:00, mon 13:00-17:00", ["Mon 08:00", "Mon 13:00"]),
        # Day, night, off, off: the anchor may lie before and after.
        ("from 2026-03-02: 07:00-19:00 | 19:00-07:00 | off | off", ["Mon 07:00", "Tue 19:00"]),
        ("from 2026-03-04: 07:00-19:00 | 19:00-07:00 | off | off", ["Sun 19:00", "Wed 07:00", "Thu 19:00"]),
        ("from 2026-04-01: 08:00-08:00 | off | off", ["Mon 08:00", "Thu 08:00"]),
        ("never", []),
    ],
)
def test_patterns_over_four_days(shift: str, expected: list[str]) -> None:
    assert [begin for _, begin, _ in worked(site_of(shift), MONDAY, 4)] == expected


def test_holidays_and_the_days_made_up_for_them() -> None:
    holidays = (
        Holiday(date(2026, 3, 3), date(2026, 3, 4), Name("节", "Feast")),
        Holiday(date(2026, 3, 7), date(2026, 3, 7), Name("补", "Made up"), made_up=True),
    )
    site = site_of("mon-fri 08:00-18:00", holidays=holidays, holiday_shift="10:00-12:00")
    begins = [begin for _, begin, _ in worked(site, MONDAY, 7)]
    assert begins == ["Mon 08:00", "Tue 10:00", "Wed 10:00", "Thu 08:00", "Fri 08:00", "Sat 08:00"]
    plain = site_of("mon-fri 08:00-18:00", holidays=holidays[:1])
    assert [begin for _, begin, _ in worked(plain, MONDAY, 3)] == ["Mon 08:00", "Tue 08:00", "Wed 08:00"]


@pytest.mark.parametrize(
    ("day", "minute", "expected"),
    [
        (SPRING, 60, "2026-03-29 00:00"),  # 01:00 CET
        (SPRING, 150, "2026-03-29 01:00"),  # 02:30 is jumped over: the moment of the jump
        (SPRING, 180, "2026-03-29 01:00"),  # 03:00 CEST is that moment
        (AUTUMN, 120, "2026-10-25 00:00"),  # 02:00 is shown twice: the first
        (AUTUMN, 150, "2026-10-25 00:30"),
        (AUTUMN, 180, "2026-10-25 02:00"),  # 03:00 CET
        (AUTUMN, 27 * 60, "2026-10-26 02:00"),  # minutes go on into the next day
    ],
)
def test_an_instant_of_wall_clock_time(day: date, minute: int, expected: str) -> None:
    assert f"{datetime.fromtimestamp(instant_s(day, minute, BERLIN), UTC):%Y-%m-%d %H:%M}" == expected


def test_a_night_shift_is_an_hour_shorter_in_spring_and_longer_in_autumn() -> None:
    roster = Roster(site_of("22:00-06:00", BERLIN))
    team = site_of("22:00-06:00", BERLIN).teams[0]
    hours = [
        (end_s - begin_s) / HOUR_S
        for day in (MONDAY, SPRING - timedelta(days=1), AUTUMN - timedelta(days=1))
        for begin_s, end_s in roster.planned(team, day)
    ]
    assert hours == [8.0, 7.0, 9.0]


@settings(max_examples=150, deadline=None)
@given(
    zone=st.sampled_from([BERLIN, SHANGHAI, ZoneInfo("America/St_Johns"), ZoneInfo("Australia/Lord_Howe"), ZoneInfo("UTC")]),
    day=st.dates(date(2026, 1, 1), date(2026, 12, 31)) | st.sampled_from([SPRING, AUTUMN, date(2026, 3, 8), date(2026, 11, 1)]),
    cuts=st.lists(st.integers(0, 1439), min_size=2, max_size=5, unique=True).map(sorted),
)
def test_shifts_that_share_their_boundaries_neither_gape_nor_overlap_in_any_zone(
    zone: ZoneInfo, day: date, cuts: list[int]
) -> None:
    """A day cut into shifts, the last of which runs to the first of the next day: every moment has exactly one of them."""
    clock = [f"{minute // 60:02d}:{minute % 60:02d}" for minute in cuts]
    shift = ", ".join(f"{begin}-{end}" for begin, end in zip(clock, [*clock[1:], clock[0]], strict=True))
    site = site_of(shift, zone)
    from_s = instant_s(day - timedelta(days=1), cuts[0], zone)
    to_s = instant_s(day + timedelta(days=2), cuts[0], zone)
    duties = Roster(site).duties((), from_s, to_s)
    edges = sorted((duty.begin_s, duty.end_s) for duty in duties if duty.end_s > duty.begin_s)
    assert (edges[0][0], edges[-1][1]) == (from_s, to_s)
    assert all(before[1] == after[0] for before, after in itertools.pairwise(edges))
    assert Roster(site).on_shift((), (from_s + to_s) / 2)["t1"].until_s is None


@settings(max_examples=100, deadline=None)
@given(
    shift=st.sampled_from(
        ["22:00-06:00", "mon-fri 08:00-18:00, sat 20:00-02:00", "from 2026-01-03: 06:00-14:00 | 22:00-06:00 | off"]
    ),
    minute=st.integers(0, 60 * 24 * 60),
)
def test_away_from_clock_changes_shifts_are_what_the_wall_clock_says(shift: str, minute: int) -> None:
    now_s = datetime(2026, 1, 10, tzinfo=SHANGHAI).timestamp() + 60.0 * minute + 30
    site = site_of(shift)
    assert Roster(site).is_on_shift("t1", (), now_s) == site.teams[0].shift.contains(now_s, SHANGHAI)


def test_how_long_a_shift_lasts_follows_shifts_that_touch() -> None:
    roster = Roster(site_of("08:00-12:00, 12:00-16:00"))
    found = roster.on_shift((), at(MONDAY, 9))["t1"]
    assert (found.since_s, found.until_s) == (at(MONDAY, 8), at(MONDAY, 16))
    assert roster.on_shift((), at(MONDAY, 16)) == {}


def change(kind: ChangeKind, team: str, day: date, **more: object) -> RosterChange:
    values: dict[str, object] = {"id": f"{kind}-{team}-{day}", "kind": kind, "team": team, "day": day, "last_day": day}
    return RosterChange(**(values | more))  # type: ignore[arg-type]  # the values above have the right types


def two_teams() -> Site:
    """t1 works by day, t2 by night, every day."""
    site = site_of("08:00-20:00")
    night = dataclasses.replace(site.teams[2], shift=Schedule.parse("20:00-08:00"))
    return dataclasses.replace(site, teams=(site.teams[0], night))


def test_a_swap_gives_each_team_the_other_ones_shift_and_its_cells() -> None:
    site = two_teams()
    swap = change(ChangeKind.SWAP, "t1", MONDAY, other="t3", other_day=MONDAY + timedelta(days=1))
    assert worked(site, MONDAY, 2, (swap,)) == [
        ("t1", "Tue 08:00", "Tue 20:00"),
        ("t1", "Tue 20:00", "Wed 08:00"),
        ("t3", "Sun 20:00", "Mon 08:00"),
        ("t3", "Mon 08:00", "Mon 20:00"),
        ("t3", "Mon 20:00", "Tue 08:00"),
    ]
    at_noon = Roster(site).on_shift((swap,), at(MONDAY, 12))
    assert at_noon["t3"].grid_cells == ("g1",), "it serves the cells of the team it stands in for"
    assert at_noon["t3"].until_s == at(MONDAY, 32), "and then its own shift follows"
    undone = dataclasses.replace(swap, undone_s=1.0)
    assert worked(site, MONDAY, 2, (undone,)) == worked(site, MONDAY, 2)


def test_leave_with_and_without_somebody_who_stands_in() -> None:
    site = two_teams()
    alone = change(ChangeKind.LEAVE, "t1", MONDAY, last_day=MONDAY + timedelta(days=1))
    assert [team for team, begin, _ in worked(site, MONDAY, 3, (alone,)) if begin.endswith("08:00")] == ["t1"]
    covered = dataclasses.replace(alone, other="t3")
    duties = Roster(site).duties((covered,), at(MONDAY, 8), at(MONDAY, 20))
    assert [(duty.team, duty.instead_of, duty.change) for duty in duties] == [("t3", "t1", covered.id)]


def test_an_extra_shift_may_run_past_midnight() -> None:
    extra = change(ChangeKind.EXTRA, "t1", MONDAY, span=(20 * 60, 26 * 60))
    assert worked(two_teams(), MONDAY, 1, (extra,))[:2] == [
        ("t1", "Mon 08:00", "Mon 20:00"),
        ("t1", "Mon 20:00", "Tue 02:00"),
    ]


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (change(ChangeKind.LEAVE, "nobody", MONDAY), "no team 'nobody'"),
        (change(ChangeKind.SWAP, "t1", MONDAY, other="t1", other_day=MONDAY), "cannot stand in for itself"),
        (change(ChangeKind.LEAVE, "t1", MONDAY, last_day=MONDAY - timedelta(days=1)), "within a year"),
        (change(ChangeKind.LEAVE, "t1", MONDAY, last_day=MONDAY + timedelta(days=366)), "within a year"),
        (change(ChangeKind.SWAP, "t1", MONDAY, other="t2", other_day=MONDAY), "team t2 has no shift that begins on 2026-03-02"),
        (change(ChangeKind.LEAVE, "t1", MONDAY + timedelta(days=1)), "changed already"),
    ],
)
def test_a_change_that_cannot_be_made_is_refused_in_a_sentence(asked: RosterChange, says: str) -> None:
    known = change(ChangeKind.LEAVE, "t1", MONDAY + timedelta(days=1))
    with pytest.raises(TransitionError, match=says):
        check_change(site_of("08:00-20:00"), [dataclasses.replace(known, id="other")], asked)


def with_minimums(site: Site, *minimums: Minimum) -> Site:
    return dataclasses.replace(site, dispatch=DispatchRules(minimums=minimums))


def test_gaps_are_where_the_minimum_is_not_met_and_the_highest_counts() -> None:
    day_only = Minimum(("g1",), Schedule.parse("06:00-22:00"), 1)
    noon = Minimum(("g1",), Schedule.parse("11:00-13:00"), 2)
    site = with_minimums(two_teams(), day_only, noon)
    gaps = staffing_gaps(site, (), at(MONDAY, 0), at(MONDAY, 24))
    assert gaps == [
        StaffingGap("g1", at(MONDAY, 6), at(MONDAY, 8), 1, ()),
        StaffingGap("g1", at(MONDAY, 11), at(MONDAY, 13), 2, ("t1",)),
        StaffingGap("g1", at(MONDAY, 20), at(MONDAY, 22), 1, ()),
    ]
    leave = change(ChangeKind.LEAVE, "t1", MONDAY)
    assert [(gap.begin_s, gap.end_s, gap.needed) for gap in staffing_gaps(site, (leave,), at(MONDAY, 0), at(MONDAY, 24))] == [
        (at(MONDAY, 6), at(MONDAY, 11), 1),
        (at(MONDAY, 11), at(MONDAY, 13), 2),
        (at(MONDAY, 13), at(MONDAY, 22), 1),
    ]
    assert staffing_gaps(two_teams(), (), at(MONDAY, 0), at(MONDAY, 24)) == [], "nobody asked for anything"


@settings(max_examples=60, deadline=None)
@given(
    shifts=st.lists(
        st.sampled_from(["06:00-14:00", "14:00-22:00", "22:00-06:00", "mon-wed 10:00-16:00", "never"]), min_size=3, max_size=3
    ),
    asked=st.lists(
        st.tuples(st.sampled_from(["always", "22:00-06:00", "tue 05:00-15:00"]), st.integers(1, 3)), min_size=1, max_size=3
    ),
    minute=st.integers(0, 3 * 1440 - 1),
)
def test_gaps_agree_with_looking_at_any_one_minute(shifts: list[str], asked: list[tuple[str, int]], minute: int) -> None:
    site = small_site(dict(zip(("t1", "t2", "t3"), shifts, strict=True)) | {"t4": "never", "t5": "never"})
    site = with_minimums(site, *(Minimum((), Schedule.parse(text), teams) for text, teams in asked))
    from_s = at(MONDAY, 0)
    gaps = staffing_gaps(site, (), from_s, from_s + 3 * DAY_S)
    now_s = from_s + 60.0 * minute + 30
    for cell in ("g1", "g2", "g4"):
        on_shift = {team.id for team in site.teams if cell in team.grid_cells and team.shift.contains(now_s, SHANGHAI)}
        needed = max((teams for text, teams in asked if Schedule.parse(text).contains(now_s, SHANGHAI)), default=0)
        found = [gap for gap in gaps if gap.grid_cell == cell and gap.begin_s <= now_s < gap.end_s]
        expected = [(needed, tuple(sorted(on_shift)))] if len(on_shift) < needed else []
        assert [(gap.needed, gap.teams) for gap in found] == expected


@pytest.mark.parametrize(
    "text",
    [
        "from 2026-13-01: 08:00-20:00",
        "from monday: 08:00-20:00",
        "from 2026-01-05: mon 08:00-20:00 | off",
        "from 2026-01-05: 08:00-20:00 | ",
        "from 2026-01-05: 08:00-25:00",
        "from 2026-01-05: " + " | ".join(["off"] * 57),
    ],
)
def test_a_rotation_that_cannot_be_says_what_is_expected(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        Rotation.parse(text)
