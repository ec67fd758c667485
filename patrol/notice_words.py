"""Messages in words: what a receiver reads, in the language of the target. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from base import EventKind
from camera_config.name import Name
from camera_config.notification_rules import Language, NoticeKind
from camera_config.site import Site
from camera_config.time_limits import Category
from patrol.incident import Level
from patrol.notify import Bundle, Notice, counted
from patrol.steps import Step, Verdict

__all__ = ["CATEGORY_WORDS", "EVENT_WORDS", "FIRST_FEW", "Message", "compose", "what_of"]

FIRST_FEW = 5
"""Notices that a message names one by one; the others it counts."""

_TEXT_MOST = 300  # characters of a report in a message

EVENT_WORDS: dict[EventKind, Name] = {
    EventKind.MOTION: Name("移动侦测", "motion"),
    EventKind.OBJECT_LEFT: Name("遗留物", "object left behind"),
    EventKind.OBJECT_REMOVED: Name("物体移除", "object removed"),
    EventKind.LINE_CROSSING: Name("越界", "line crossed"),
    EventKind.INTRUSION: Name("区域入侵", "intrusion"),
    EventKind.WRONG_WAY: Name("逆行", "wrong way"),
    EventKind.LOITERING: Name("徘徊", "loitering"),
    EventKind.CROWD: Name("人员聚集", "crowd"),
    EventKind.LANE_BLOCKED: Name("消防通道占用", "fire lane blocked"),
    EventKind.FAST_MOTION: Name("奔跑", "running"),
    EventKind.ABSENCE: Name("无人在位", "nobody there"),
    EventKind.FIRE_SMOKE: Name("烟火", "fire or smoke"),
    EventKind.VIDEO_LOSS: Name("视频丢失", "video lost"),
    EventKind.FROZEN: Name("画面冻结", "picture frozen"),
    EventKind.COVERED: Name("镜头遮挡", "lens covered"),
    EventKind.DEFOCUSED: Name("虚焦", "out of focus"),
    EventKind.SCENE_CHANGED: Name("场景变更", "scene changed"),
    EventKind.TOO_DARK: Name("画面过暗", "too dark"),
    EventKind.TOO_BRIGHT: Name("画面过亮", "too bright"),
}
CATEGORY_WORDS: dict[Category, Name] = {
    Category.PUBLIC_ORDER: Name("治安秩序", "public order"),
    Category.TRAFFIC: Name("交通与通道", "traffic and access"),
    Category.FIRE: Name("消防", "fire"),
    Category.ENVIRONMENT: Name("环境卫生", "environment"),
    Category.FACILITY: Name("公共设施", "facility"),
    Category.DISPUTE: Name("矛盾纠纷", "dispute"),
    Category.HELP: Name("群众求助", "help wanted"),
    Category.CAMERA_HEALTH: Name("摄像机", "camera"),
    Category.OTHER: Name("其他事项", "other matter"),
}
_CLOCK_WORDS: dict[str, Name] = {
    Step.ACKNOWLEDGE: Name("签收", "to be acknowledged"),
    Step.DISPATCH: Name("派单", "to be dispatched"),
    Step.ACCEPT: Name("接单", "to be accepted by the team"),
    Step.ARRIVE: Name("到场", "for the team to arrive"),
    Step.REPORT: Name("反馈", "for the team to report"),
    Step.VERIFY: Name("核查", "to be verified"),
    Step.CLOSE: Name("结案", "to be closed"),
}
_VERDICT_WORDS: dict[str, Name] = {
    Verdict.TRUE: Name("属实", "true"),
    Verdict.SUSPICIOUS: Name("可疑", "suspicious"),
    Verdict.FALSE_ALARM: Name("误报", "false alarm"),
    Verdict.DUPLICATE: Name("重复", "duplicate"),
}
_LEVEL_WORDS: dict[Level, Name] = {
    Level.CELL: Name("网格", "grid cell"),
    Level.SECTION: Name("片区", "section"),
    Level.COMMUNITY: Name("社区", "community"),
    Level.SUB_DISTRICT: Name("街道", "sub-district"),
}
_SEVERITY_WORDS = {
    1: Name("一级", "severity 1"),
    2: Name("二级", "severity 2"),
    3: Name("三级", "severity 3"),
    4: Name("四级", "severity 4"),
}
_HEADLINE: dict[NoticeKind, Name] = {
    NoticeKind.OPENED: Name("新案卷", "New incident"),
    NoticeKind.DISPATCH: Name("已派单", "Team sent"),
    NoticeKind.REFUSE: Name("队伍退单", "Team refused"),
    NoticeKind.WARNED: Name("即将超时", "Limit near"),
    NoticeKind.BREACHED: Name("已超时", "Overdue"),
    NoticeKind.ESCALATED: Name("升级上报", "Escalated"),
    NoticeKind.CLOSE: Name("已结案", "Closed"),
    NoticeKind.REOPEN: Name("案卷重开", "Reopened"),
    NoticeKind.REFERRAL_REFER: Name("转办", "Referred"),
    NoticeKind.REFERRAL_FEEDBACK: Name("转办反馈", "Feedback of the desk"),
    NoticeKind.REFERRAL_DONE: Name("转办办结", "Desk has finished"),
    NoticeKind.REFERRAL_RETURN: Name("转办退回", "Returned by the desk"),
    NoticeKind.REFERRAL_WITHDRAW: Name("转办撤回", "Taken back from the desk"),
    NoticeKind.REFERRAL_WARNED: Name("转办即将超时", "Limit of the desk near"),
    NoticeKind.REFERRAL_BREACHED: Name("转办已超时", "Desk overdue"),
    NoticeKind.REFERRAL_ESCALATED: Name("转办升级上报", "Desk escalated"),
    NoticeKind.STOP_MISSED: Name("漏巡", "Checkpoint missed"),
    NoticeKind.STOP_MADE_UP: Name("漏巡已补", "Missed checkpoint made up"),
    NoticeKind.CAMERA_OFFLINE: Name("摄像机离线", "Camera offline"),
    NoticeKind.CAMERA_BACK: Name("摄像机恢复", "Camera back"),
    NoticeKind.DRILL_BEGAN: Name("全域演练开始", "Drill of the whole site begins"),
    NoticeKind.DRILL_ENDED: Name("全域演练结束", "Drill of the whole site is over"),
    NoticeKind.HANDOVER_MISSING: Name("交接班未签字", "Shift handover not signed"),
    NoticeKind.HANDOVER_SIGNED: Name("交接班已补签", "Shift handover signed after all"),
    NoticeKind.BACKUP_FAILED: Name("备份失败", "Backup failed"),
    NoticeKind.OTHER: Name("通知", "Notice"),
    NoticeKind.TEST: Name("测试消息", "Test message"),
}
_PLURAL: dict[NoticeKind, Name] = {
    NoticeKind.OPENED: Name("{} 件新案卷", "{} new incidents"),
    NoticeKind.DISPATCH: Name("{} 件已派单", "Teams sent to {} incidents"),
    NoticeKind.REFUSE: Name("{} 次退单", "{} refusals by teams"),
    NoticeKind.WARNED: Name("{} 件即将超时", "{} limits near"),
    NoticeKind.BREACHED: Name("{} 件已超时", "{} incidents overdue"),
    NoticeKind.ESCALATED: Name("{} 件升级上报", "{} incidents escalated"),
    NoticeKind.CLOSE: Name("{} 件已结案", "{} incidents closed"),
    NoticeKind.REOPEN: Name("{} 件重开", "{} incidents reopened"),
    NoticeKind.STOP_MISSED: Name("{} 处漏巡", "{} checkpoints missed"),
    NoticeKind.STOP_MADE_UP: Name("{} 处漏巡已补", "{} missed checkpoints made up"),
    NoticeKind.CAMERA_OFFLINE: Name("{} 路摄像机离线", "{} cameras offline"),
    NoticeKind.CAMERA_BACK: Name("{} 路摄像机恢复", "{} cameras back"),
}
_NOTHING = Name("", "")
_DRILL = Name("【演练】", "[DRILL] ")
_SOME_DRILL = Name("【含演练】", "[DRILL IN PART] ")


@dataclass(frozen=True, slots=True)
class Message:
    """What one target gets. `id` stays the same however often it is sent, so that a receiver can drop repetitions."""

    id: str
    target: str
    made_s: float
    kind: str  # of all its notices; 'several' if they differ
    severity: int  # the most severe
    drill: bool  # all of it
    title: str
    lines: tuple[str, ...]
    count: int
    link: str  # to the incident, or to the page; empty if the site does not say where that is
    incident: str  # id, set iff all of it is about this one
    notices: tuple[Notice, ...]

    @property
    def text(self) -> str:
        """Title and lines, one below the other."""
        return "\n".join((self.title, *self.lines))


def compose(bundle: Bundle, target: str, language: Language, site: Site, made_s: float) -> Message:
    """The message of a bundle. The most severe notices are named first, then those that happened first."""
    notices = sorted(bundle.notices, key=lambda notice: (notice.severity, notice.id))
    kinds = {notice.kind for notice in notices}
    incidents = {notice.incident for notice in notices}
    incident = incidents.pop() if len(incidents) == 1 else ""
    said = _Said(site, language)
    title, *lines = said.one(notices[0])
    if len(notices) > 1:
        title = said.many(notices)
        lines = [" · ".join(part for part in said.one(notice)[:2] if part) for notice in notices[:FIRST_FEW]]
        if len(notices) > FIRST_FEW:
            lines.append(said.rest(len(notices) - FIRST_FEW))
    return Message(
        id=bundle.id,
        target=target,
        made_s=made_s,
        kind=kinds.pop().value if len(kinds) == 1 else "several",
        severity=min(notice.severity for notice in notices),
        drill=all(notice.drill for notice in notices),
        title=title,
        lines=tuple(line for line in lines if line),
        count=len(notices),
        link=_link(site.notifications.page, incident),
        incident=incident,
        notices=tuple(bundle.notices),
    )


def what_of(event_kind: str, category: str) -> Name:
    """What an incident is about: its events' kind, or else its category."""
    if event_kind in set(EventKind):
        return EVENT_WORDS[EventKind(event_kind)]
    return CATEGORY_WORDS[Category(category)] if category in set(Category) else Name("案卷", "incident")


@dataclass(frozen=True, slots=True)
class _Said:
    """Words of one language for the things of one site."""

    site: Site
    language: Language

    def one(self, notice: Notice) -> list[str]:
        """The headline of a notice, where it is, and what else there is to say; may hold empty texts."""
        headline = self._in(_HEADLINE[notice.kind])
        if notice.number:
            about = what_of(notice.event_kind, notice.category)
            severity = _SEVERITY_WORDS[notice.severity]
            headline = self._in(
                Name(
                    f"{headline} {notice.number}：{about.zh}（{severity.zh}）",
                    f"{headline} {notice.number}: {about.en} ({severity.en})",
                )
            )
        elif subject := self._subject(notice):
            headline += self._in(Name("：", ": ")) + subject
        return [self._in(_DRILL if notice.drill else _NOTHING) + headline, self._where(notice), *self._details(notice)]

    def many(self, notices: Sequence[Notice]) -> str:
        """One headline for several: how many of each kind."""
        parts = []
        for kind, count in counted(notices).items():
            many = _PLURAL.get(kind, Name(f"{_HEADLINE[kind].zh} × {{}}", f"{_HEADLINE[kind].en} × {{}}"))
            parts.append(self._in(many).format(count) if count > 1 else self._in(_HEADLINE[kind]))
        drills = sum(notice.drill for notice in notices)
        drill = _NOTHING if not drills else _DRILL if drills == len(notices) else _SOME_DRILL
        return self._in(drill) + self._in(Name("，", ", ")).join(parts)

    def rest(self, count: int) -> str:
        """That there are `count` more."""
        return self._in(Name(f"……另有 {count} 项", f"… and {count} more"))

    def _in(self, name: Name) -> str:
        return name.zh if self.language is Language.ZH else name.en

    def _subject(self, notice: Notice) -> str:
        """What a notice is about that is about no incident."""
        if notice.camera:
            camera = self.site.camera_by_id.get(notice.camera)
            return f"{self._in(camera.name)} ({notice.camera})" if camera else notice.camera
        if notice.checkpoint is not None:
            route = notice.round_name or _NOTHING
            return self._in(Name(f"{notice.checkpoint.zh}（{route.zh}）", f"{notice.checkpoint.en} ({route.en})"))
        return self._in(self.site.name) if notice.kind is NoticeKind.TEST else ""

    def _where(self, notice: Notice) -> str:
        """Compound and grid cell by name."""
        names = [self._place(place) for place in (notice.compound, notice.grid_cell) if place]
        if notice.number and notice.camera:
            names.append(notice.camera)
        return " · ".join(names)

    def _details(self, notice: Notice) -> list[str]:
        said: list[str] = []
        if notice.clock:
            said.append(self._in(Name("时限：", "limit: ")) + self._in(_CLOCK_WORDS.get(notice.clock, _NOTHING)))
        if notice.level is not None:
            level = _LEVEL_WORDS[notice.level]
            place = f"{self._place(notice.place)} " if notice.place else ""
            said.append(self._in(Name(f"上报：{place}{level.zh}", f"told to: {place}({level.en})")))
        if notice.team:
            team = self.site.team_by_id.get(notice.team)
            said.append(self._in(Name("队伍：", "team: ")) + (self._in(team.name) if team else notice.team))
        if notice.desk:
            said.append(self._in(Name("服务台：", "desk: ")) + self._desk(notice.desk))
        if notice.verdict:
            said.append(self._in(Name("结论：", "verdict: ")) + self._in(_VERDICT_WORDS.get(notice.verdict, _NOTHING)))
        if notice.summary:
            said.append(notice.summary if len(notice.summary) <= _TEXT_MOST else notice.summary[: _TEXT_MOST - 1] + "…")
        at = datetime.fromtimestamp(notice.at_s, self.site.zone_info)
        return [*said, f"{at:%Y-%m-%d %H:%M:%S}"]

    def _desk(self, desk: str) -> str:
        return next((self._in(each.name) for each in self.site.desks if each.id == desk), desk)

    def _place(self, place: str) -> str:
        known = self.site.place_by_id.get(place)
        section = next((each for each in self.site.sections if each.id == place), None)
        found = known or section
        return self._in(found.name) if found else place


def _link(page: str, incident: str) -> str:
    return f"{page}/#incident={incident}" if page and incident else page
