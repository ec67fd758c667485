"""Who is told what, when, and together with what else: notices become messages. Pure; `notice_words.py` has the words.

A *notice* is one thing that happened. By the site's rules it goes to some targets, to each by a *delivery* of its own. Deliveries
to one target that are about the same kind of thing and due at about the same time become one *message*: what fails together
(a switch with fourteen cameras, a shift with nobody on it) is told once. A message names how many there are and the first few;
none is left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from base import uuid7
from camera_config.name import Name
from camera_config.notification_rules import NoticeKind, NotificationRules, TellRule
from camera_config.schedule import Schedule
from patrol.incident import Level

__all__ = ["GATHER_S", "Addressed", "Bundle", "Notice", "Waiting", "address", "bundle", "counted", "group_of"]

GATHER_S = 60.0
"""When a message is made, deliveries of its group that are due within this time go along."""

PATIENT = frozenset({3, 4})
"""Severities that quiet hours may delay."""

_CAMERA_KINDS = frozenset({NoticeKind.CAMERA_OFFLINE, NoticeKind.CAMERA_BACK})
_DAY_MIN = 24 * 60


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that happened and that people elsewhere may have to hear of. What does not apply is empty, 0 or None.

    It holds nothing of a caller and no address or login of a camera: whatever is here may leave the house.
    """

    id: int
    kind: NoticeKind
    at_s: float  # when it happened, or fell due
    severity: int = 4
    level: Level | None = None  # breached, escalated: who is to hear of it
    place: str = ""  # breached, escalated: id of the place or section of that level
    incident: str = ""
    number: int = 0
    version: int = 0
    drill: bool = False
    category: str = ""
    event_kind: str = ""  # of the incident's events
    camera: str = ""
    grid_cell: str = ""
    compound: str = ""
    community: str = ""
    team: str = ""
    desk: str = ""
    clock: str = ""  # warned, breached, escalated: the step that was due
    verdict: str = ""
    summary: str = ""  # what was reported; drills and failed backups: the reason
    round_name: Name | None = None
    checkpoint: Name | None = None
    target: str = ""  # test: the only receiver


@dataclass(frozen=True, slots=True)
class Addressed:
    """A notice on its way to one target: not before `due_s`, together with others of the same `group`."""

    target: str
    group: str
    due_s: float


@dataclass(frozen=True, slots=True)
class Waiting:
    """A delivery that is not part of a message yet. Ids rise in the order in which things happened."""

    id: int
    group: str
    due_s: float
    notice: Notice


@dataclass(frozen=True, slots=True)
class Bundle:
    """Deliveries that become one message; `id` is the message's for good, whatever becomes of it."""

    id: str
    deliveries: tuple[int, ...]
    notices: tuple[Notice, ...]


def address(notice: Notice, rules: NotificationRules, zone: ZoneInfo, now_s: float) -> tuple[Addressed, ...]:
    """Who hears of `notice` and when; each target at most once, at the earliest of the times its rules give."""
    if notice.kind is NoticeKind.TEST:
        return (Addressed(notice.target, group_of(notice), now_s),)
    due_s: dict[str, float] = {}
    for rule in rules.rules:
        if _covers(rule, notice):
            at_s = _due_s(rule, notice, zone, now_s)
            for target in rule.targets:
                due_s[target] = min(at_s, due_s.get(target, at_s))
    return tuple(Addressed(target, group_of(notice), at_s) for target, at_s in due_s.items())


def group_of(notice: Notice) -> str:
    """What a notice may share a message with: its kind and level. Drills stay apart; a camera's way back is told with its end."""
    kind = "camera" if notice.kind in _CAMERA_KINDS else notice.kind.value
    return ":".join([kind, *([notice.level.value] if notice.level else []), *(["drill"] if notice.drill else [])])


def bundle(waiting: Sequence[Waiting], room: int, now_s: float) -> list[Bundle]:
    """At most `room` messages (1 or more) of what is due, in the order in which their first notices happened.

    A group goes as soon as one of its deliveries is due. Where there are more groups than room, the last message holds the
    notices of all groups that have none of their own: a robot that takes twenty messages a minute still tells everything.
    """
    groups: dict[str, list[Waiting]] = {}
    for delivery in sorted(waiting, key=lambda each: each.id):
        groups.setdefault(delivery.group, []).append(delivery)
    ready = [
        [delivery for delivery in group if delivery.due_s <= now_s + GATHER_S]
        for group in groups.values()
        if any(delivery.due_s <= now_s for delivery in group)
    ]
    if len(ready) > room:
        # Those most severe keep a message of their own.
        ready.sort(key=lambda group: (min(each.notice.severity for each in group), group[0].id))
        rest = [delivery for group in ready[room - 1 :] for delivery in group]
        ready = [*ready[: room - 1], sorted(rest, key=lambda each: each.id)]
    ready.sort(key=lambda group: group[0].id)
    return [_bundle(group, now_s) for group in ready]


def _bundle(group: Sequence[Waiting], now_s: float) -> Bundle:
    return Bundle(uuid7(now_s), tuple(each.id for each in group), tuple(each.notice for each in group))


def _covers(rule: TellRule, notice: Notice) -> bool:
    if rule.kinds and notice.kind not in rule.kinds:
        return False
    if notice.severity > rule.severity:
        return False
    if notice.level is not None and rule.levels and notice.level.value not in rule.levels:
        return False
    where = {notice.place} if notice.level is not None else {notice.grid_cell, notice.compound, notice.community}
    return not rule.places or not where.isdisjoint(rule.places)


def _due_s(rule: TellRule, notice: Notice, zone: ZoneInfo, now_s: float) -> float:
    if rule.quiet is not None and notice.severity in PATIENT and rule.quiet.contains(now_s, zone):
        return _end_s(rule.quiet, zone, now_s)
    return now_s if notice.severity == 1 else now_s + rule.group_s


def _end_s(quiet: Schedule, zone: ZoneInfo, now_s: float) -> float:
    """The first full minute after `now_s` that lies outside of `quiet`; a week from now if there is none."""
    first = int(now_s // 60) + 1
    minutes = range(first, first + 7 * _DAY_MIN)
    return next((60.0 * minute for minute in minutes if not quiet.contains(60.0 * minute, zone)), now_s + 7 * 86_400.0)


def counted(notices: Sequence[Notice]) -> Mapping[NoticeKind, int]:
    """How many of each kind, in the order in which they first occur."""
    counts: dict[NoticeKind, int] = {}
    for notice in notices:
        counts[notice.kind] = counts.get(notice.kind, 0) + 1
    return counts
