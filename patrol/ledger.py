"""The ledger (台账): which books there are, what stands in each, and by what each can be searched. Pure.

A book is a view of what is stored anyway; nothing is written for it. What a resident left to be called back by is in none.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum

from base import GapCause
from camera_config.name import Name
from camera_config.time_limits import Category
from patrol.incident import Origin
from patrol.notice_words import CATEGORY_WORDS, EVENT_WORDS
from patrol.referral import ReferralState
from patrol.rounds import RoundKind, RoundState
from patrol.steps import Verdict, Work

__all__ = ["COLUMNS", "FILTERS", "WORDS", "Book", "Column", "Holds", "LedgerFilter", "unfit"]


class Book(StrEnum):
    INCIDENTS = "incidents"
    EVENTS = "events"
    REFERRALS = "referrals"
    ROUNDS = "rounds"
    GAPS = "gaps"


class Holds(StrEnum):
    """What the values of a column are."""

    TEXT = "text"
    NUMBER = "number"
    TIME = "time"  # UTC seconds
    WORD = "word"  # of a closed set, see WORDS
    PLACE = "place"  # id of a place of the site; likewise the next three
    TEAM = "team"
    CAMERA = "camera"
    DESK = "desk"


@dataclass(frozen=True, slots=True)
class Column:
    key: str
    name: Name
    holds: Holds


@dataclass(frozen=True, slots=True)
class LedgerFilter:
    """Which lines are wanted; what is None or empty leaves nothing out. Times are of the book's first column of times."""

    from_s: float | None = None
    to_s: float | None = None
    grid_cell: str = ""
    compound: str = ""
    community: str = ""
    team: str = ""
    kind: str = ""
    category: str = ""
    severity: int | None = None
    verdict: str = ""
    text: str = ""


def unfit(book: Book, which: LedgerFilter) -> tuple[str, ...]:
    """The filters that are set although `book` knows nothing of them."""
    return tuple(
        each.name for each in fields(which) if getattr(which, each.name) != each.default and each.name not in FILTERS[book]
    )


def _column(key: str, zh: str, en: str, holds: Holds = Holds.TEXT) -> Column:
    return Column(key, Name(zh, en), holds)


_PLACES = (
    _column("grid_cell", "网格", "Grid cell", Holds.PLACE),
    _column("compound", "小区", "Compound", Holds.PLACE),
    _column("community", "社区", "Community", Holds.PLACE),
)
_NUMBER = _column("number", "案卷号", "Incident", Holds.NUMBER)
_CATEGORY = _column("category", "类别", "Category", Holds.WORD)
_SEVERITY = _column("severity", "等级", "Severity", Holds.NUMBER)
_TEAM = _column("team", "队伍", "Team", Holds.TEAM)
_CAMERA = _column("camera", "摄像机", "Camera", Holds.CAMERA)

COLUMNS: Mapping[Book, tuple[Column, ...]] = {
    Book.INCIDENTS: (
        _NUMBER,
        _column("opened", "立案时间", "Opened", Holds.TIME),
        _column("origin", "来源", "Origin", Holds.WORD),
        _CATEGORY,
        _column("kind", "事件类型", "Kind", Holds.WORD),
        _SEVERITY,
        *_PLACES,
        _CAMERA,
        _column("summary", "内容", "What was reported"),
        _column("work", "处置状态", "Work", Holds.WORD),
        _column("owner", "处置人", "Owner"),
        _TEAM,
        _column("since", "状态时间", "Since", Holds.TIME),
        _column("verdict", "核查结论", "Verdict", Holds.WORD),
        _column("cause", "原因", "Cause"),
        _column("event_count", "事件数", "Events", Holds.NUMBER),
        _column("drill", "演练", "Drill", Holds.WORD),
    ),
    Book.EVENTS: (
        _column("raised", "发生时间", "Raised", Holds.TIME),
        _column("ended", "结束时间", "Ended", Holds.TIME),
        _column("kind", "事件类型", "Kind", Holds.WORD),
        _column("label", "目标", "Label"),
        _CAMERA,
        _column("rule", "规则", "Rule"),
        _column("zone", "区域", "Zone"),
        _SEVERITY,
        _column("score", "置信度", "Score", Holds.NUMBER),
        *_PLACES,
        _NUMBER,
        _CATEGORY,
        _column("verdict", "核查结论", "Verdict", Holds.WORD),
    ),
    Book.REFERRALS: (
        _column("sent", "转办时间", "Referred", Holds.TIME),
        _NUMBER,
        _column("desk", "服务台", "Desk", Holds.DESK),
        _column("state", "转办状态", "State", Holds.WORD),
        _column("reason", "转办事由", "Reason"),
        _column("by", "转办人", "By"),
        _column("accepted", "签收时间", "Accepted", Holds.TIME),
        _column("ended", "办结时间", "Ended", Holds.TIME),
        _column("due", "时限", "Due", Holds.TIME),
        _CATEGORY,
        _SEVERITY,
        *_PLACES,
    ),
    Book.ROUNDS: (
        _column("due", "应巡时间", "Due", Holds.TIME),
        _column("kind", "巡逻类型", "Kind", Holds.WORD),
        _column("name", "名称", "Name"),
        _TEAM,
        _column("state", "巡逻状态", "State", Holds.WORD),
        _column("stop_count", "巡更点", "Checkpoints", Holds.NUMBER),
        _column("visited", "已巡", "Visited", Holds.NUMBER),
        _column("on_time", "准时", "On time", Holds.NUMBER),
        _column("late", "迟到", "Late", Holds.NUMBER),
        _column("skipped", "跳过", "Skipped", Holds.NUMBER),
        _column("missed", "漏巡", "Missed", Holds.NUMBER),
        _column("odd", "异常", "Odd", Holds.NUMBER),
    ),
    Book.GAPS: (
        _column("began", "开始时间", "Began", Holds.TIME),
        _column("ended", "结束时间", "Ended", Holds.TIME),
        _CAMERA,
        _column("cause", "原因", "Cause", Holds.WORD),
        *_PLACES,
    ),
}
"""What stands in each book, in this order. The first column of times is what a book is sorted by, newest first."""

_EVERYWHERE = frozenset({"from_s", "to_s", "grid_cell", "compound", "community", "kind", "text"})

FILTERS: Mapping[Book, frozenset[str]] = {
    Book.INCIDENTS: _EVERYWHERE | {"team", "category", "severity", "verdict"},
    Book.EVENTS: _EVERYWHERE | {"category", "severity", "verdict"},
    Book.REFERRALS: _EVERYWHERE | {"category", "severity"},
    Book.ROUNDS: _EVERYWHERE | {"team"},
    Book.GAPS: _EVERYWHERE,
}
"""Fields of a LedgerFilter that a book can be searched by. `kind` is the desk of a referral, and the cause of a gap."""

WORDS: Mapping[str, Mapping[str, Name]] = {
    "origin": {
        Origin.EVENT: Name("摄像机", "camera"),
        Origin.PATROL: Name("巡逻上报", "patrol"),
        Origin.HOTLINE: Name("居民来电", "hotline"),
        Origin.INSPECTION: Name("检查发现", "inspection"),
    },
    "category": {each: CATEGORY_WORDS[each] for each in Category},
    "kind": {
        **{kind.value: name for kind, name in EVENT_WORDS.items()},
        RoundKind.ROUTE: Name("路线", "route"),
        RoundKind.INSPECTION: Name("例行检查", "inspection"),
        RoundKind.UNANNOUNCED: Name("突击检查", "unannounced inspection"),
        RoundKind.TEMPORARY: Name("临时点", "temporary stop"),
    },
    "work": {
        Work.NEW: Name("新警情", "new"),
        Work.ACKNOWLEDGED: Name("已签收", "acknowledged"),
        Work.DISPATCHED: Name("已派单", "dispatched"),
        Work.ACCEPTED: Name("已接单", "accepted"),
        Work.EN_ROUTE: Name("赶赴中", "on the way"),
        Work.ON_SCENE: Name("已到场", "on scene"),
        Work.REPORTED: Name("已反馈", "reported"),
        Work.VERIFIED: Name("已核查", "verified"),
        Work.CLOSED: Name("已结案", "closed"),
    },
    "verdict": {
        Verdict.TRUE: Name("属实", "true"),
        Verdict.SUSPICIOUS: Name("可疑", "suspicious"),
        Verdict.FALSE_ALARM: Name("误报", "false alarm"),
        Verdict.DUPLICATE: Name("重复", "duplicate"),
    },
    "state": {
        ReferralState.SENT: Name("待签收", "not accepted yet"),
        ReferralState.ACCEPTED: Name("办理中", "with the desk"),
        ReferralState.DONE: Name("已办结", "done"),
        ReferralState.RETURNED: Name("已退回", "returned"),
        ReferralState.WITHDRAWN: Name("已撤回", "withdrawn"),
        RoundState.DUE: Name("待巡", "due"),
        RoundState.UNDER_WAY: Name("巡逻中", "under way"),
        RoundState.COMPLETED: Name("已完成", "completed"),
        RoundState.INCOMPLETE: Name("未完成", "incomplete"),
        RoundState.MISSED: Name("漏巡", "missed"),
    },
    "cause": {
        GapCause.STARTING: Name("启动中", "starting"),
        GapCause.CONNECT: Name("无法连接", "no connection"),
        GapCause.CREDENTIALS: Name("密码错误", "wrong password"),
        GapCause.TOO_MANY_CONNECTIONS: Name("连接数已满", "too many connections"),
        GapCause.UNSUPPORTED: Name("格式不支持", "unsupported stream"),
        GapCause.STALL: Name("码流中断", "stalled"),
        GapCause.PROTOCOL: Name("协议错误", "protocol error"),
        GapCause.ENDED_BY_CAMERA: Name("摄像机断开", "ended by the camera"),
        GapCause.WORKER: Name("进程中断", "worker lost"),
        GapCause.SITE_STOPPED: Name("系统停止", "Gridpatrol did not run"),
    },
    "drill": {"true": Name("演练", "drill"), "false": Name("", "")},
}
"""What people read in an exported book in place of a word, by column; a word that is not here is written as it is."""
