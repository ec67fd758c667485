"""Messages in words, and who is told: pure."""

import itertools
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from base import EventKind
from camera_config.notification_rules import Language, NoticeKind, NotificationRules, TellRule
from camera_config.schedule import Schedule
from camera_config.site import Name
from camera_config.time_limits import Category
from patrol import Level
from patrol.notice_words import _HEADLINE, CATEGORY_WORDS, EVENT_WORDS, FIRST_FEW, Message, compose
from patrol.notify import GATHER_S, Bundle, Notice, Waiting, address, bundle, group_of
from tests.patrol.small_site import NOON_S, small_site

ZONE = ZoneInfo("Asia/Shanghai")
SITE = small_site()
NIGHT, GATE = Name("夜巡", "Night"), Name("校门", "Gate")


def said(*notices: Notice, language: Language = Language.EN) -> Message:
    return compose(Bundle("0" * 36, (), notices), "t", language, SITE, NOON_S)


def incident(number: int = 1, kind: NoticeKind = NoticeKind.OPENED, **more: object) -> Notice:
    values: dict[str, object] = {"severity": 2, "incident": f"i{number}", "number": number, "event_kind": "intrusion"}
    values |= {"category": "public_order", "camera": "c1", "grid_cell": "g1", "compound": "p1", "community": "m1"}
    return Notice(number, kind, NOON_S, **(values | more))  # type: ignore[arg-type]  # the right types


def test_every_word_is_there_in_both_languages() -> None:
    assert set(EVENT_WORDS) == set(EventKind)
    assert set(CATEGORY_WORDS) == set(Category)
    assert set(_HEADLINE) == set(NoticeKind)
    for kind, language in itertools.product(NoticeKind, Language):
        assert said(Notice(1, kind, NOON_S), language=language).title
        assert said(Notice(1, kind, NOON_S), Notice(2, kind, NOON_S), language=language).title


# a notice and what people read
@pytest.mark.parametrize(
    ("notice", "zh", "en"),
    [
        (
            incident(7, NoticeKind.BREACHED, level=Level.CELL, place="g1", clock="arrive"),
            "已超时 7：区域入侵（二级）\n一号院 · g1网格 · c1\n时限：到场\n上报：g1网格 网格\n2023-11-15 12:00:00",
            """Overdue 7: intrusion (severity 2)
Court One · Cell g1 · c1
limit: for the team to arrive
told to: Cell g1 (grid cell)
2023-11-15 12:00:00""",
        ),
        (
            incident(8, NoticeKind.CLOSE, team="t1", verdict="false_alarm", drill=True),
            "【演练】已结案 8：区域入侵（二级）\n一号院 · g1网格 · c1\n队伍：t1队\n结论：误报\n2023-11-15 12:00:00",
            """[DRILL] Closed 8: intrusion (severity 2)
Court One · Cell g1 · c1
team: Team t1
verdict: false alarm
2023-11-15 12:00:00""",
        ),
        (
            Notice(
                1, NoticeKind.STOP_MISSED, NOON_S, round_name=Name("夜巡", "Night"), checkpoint=Name("校门", "Gate"), team="t1"
            ),
            "漏巡：校门（夜巡）\n队伍：t1队\n2023-11-15 12:00:00",
            "Checkpoint missed: Gate (Night)\nteam: Team t1\n2023-11-15 12:00:00",
        ),
        (
            Notice(1, NoticeKind.CAMERA_OFFLINE, NOON_S, camera="gone-by-now"),
            "摄像机离线：gone-by-now\n2023-11-15 12:00:00",
            "Camera offline: gone-by-now\n2023-11-15 12:00:00",
        ),
        (
            Notice(1, NoticeKind.BACKUP_FAILED, NOON_S, summary="disk full"),
            "备份失败\ndisk full\n2023-11-15 12:00:00",
            "Backup failed\ndisk full\n2023-11-15 12:00:00",
        ),
    ],
)
def test_what_a_message_says(notice: Notice, zh: str, en: str) -> None:
    assert said(notice, language=Language.ZH).text == zh
    assert said(notice).text == en


def test_several_are_counted_and_the_first_few_named_worst_first() -> None:
    message = said(*(incident(number, severity=4 - number % 4) for number in range(1, 10)))
    assert message.title == "9 new incidents"
    assert (message.count, message.severity, message.kind, message.incident) == (9, 1, "opened", "")
    assert message.lines[0] == "New incident 3: intrusion (severity 1) · Court One · Cell g1 · c1"
    assert len(message.lines) == FIRST_FEW + 1
    assert message.lines[-1] == "… and 4 more"
    assert len(message.notices) == 9


def test_of_several_kinds_each_is_counted_and_part_of_a_drill_is_said() -> None:
    message = said(incident(1), incident(2, NoticeKind.CLOSE, drill=True), incident(3, NoticeKind.CLOSE))
    assert message.title == "[DRILL IN PART] New incident, 2 incidents closed"
    assert (message.kind, message.drill) == ("several", False)


def test_a_long_report_is_cut() -> None:
    message = said(incident(summary="长" * 4000))
    assert max(map(len, message.lines)) == 300


def test_rules_say_who_hears_of_it() -> None:
    rules = NotificationRules(
        rules=(
            TellRule(("kinds",), (NoticeKind.CLOSE,)),
            TellRule(("severe",), severity=1),
            TellRule(("here",), places=("m1",)),
            TellRule(("elsewhere",), places=("m2",)),
            TellRule(("all", "here"), group_s=30.0),
        )
    )
    found = {each.target: each.due_s - NOON_S for each in address(incident(), rules, ZONE, NOON_S)}
    assert found == {"here": 10.0, "all": 30.0}
    assert {each.due_s for each in address(incident(severity=1), rules, ZONE, NOON_S)} == {NOON_S}
    test = Notice(1, NoticeKind.TEST, NOON_S, target="kinds")
    assert [each.target for each in address(test, rules, ZONE, NOON_S)] == ["kinds"]


@pytest.mark.parametrize(
    ("hours", "hour", "waits_min"),
    [
        ("22:00-07:00", 23, 480),  # over midnight
        ("22:00-07:00", 7, 0),
        ("sat-sun 00:00-24:00", 12, 0),  # it is a Wednesday
        ("mon-fri 11:00-13:00", 12, 60),
    ],
)
def test_quiet_hours_end(hours: str, hour: int, waits_min: int) -> None:
    rules = NotificationRules(rules=(TellRule(("t",), group_s=0.0, quiet=Schedule.parse(hours)),))
    now_s = NOON_S + (hour - 12) * 3600.0
    [low] = address(incident(severity=3), rules, ZONE, now_s)
    [high] = address(incident(severity=2), rules, ZONE, now_s)
    assert (low.due_s - now_s, high.due_s - now_s) == (60.0 * waits_min, 0.0)


NOTICES = st.builds(
    lambda number, kind, severity, drill: incident(number, kind, severity=severity, drill=drill),
    st.integers(1, 9),
    st.sampled_from([NoticeKind.OPENED, NoticeKind.CLOSE, NoticeKind.CAMERA_BACK, NoticeKind.CAMERA_OFFLINE]),
    st.integers(1, 4),
    st.booleans(),
)


@given(st.lists(st.tuples(NOTICES, st.floats(-50, 200)), max_size=30), st.integers(1, 5))
def test_bundles_hold_every_due_delivery_once_and_are_no_more_than_there_is_room(
    found: list[tuple[Notice, float]], room: int
) -> None:
    waiting = [Waiting(number, group_of(notice), NOON_S + due_s, notice) for number, (notice, due_s) in enumerate(found, start=1)]
    made = bundle(waiting, room, NOON_S)
    inside = [delivery for each in made for delivery in each.deliveries]
    assert len(made) <= room
    assert len(inside) == len(set(inside))
    assert {each.id for each in waiting if each.due_s <= NOON_S} <= set(inside)
    assert all(each.due_s <= NOON_S + GATHER_S for each in waiting if each.id in inside)
    assert [each.deliveries[0] for each in made] == sorted(each.deliveries[0] for each in made)
    for each in made:
        assert list(each.deliveries) == sorted(each.deliveries)
    groups = {each.group for each in waiting if each.due_s <= NOON_S}
    if len(groups) <= room:
        assert len(made) == len(groups)
