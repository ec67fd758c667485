"""Who is told what, and how: the receivers of a site's notices and the rules that choose among them."""

from dataclasses import dataclass, field
from enum import StrEnum

from camera_config.schedule import Schedule

__all__ = [
    "Body",
    "Email",
    "Language",
    "Mqtt",
    "MqttVersion",
    "NoticeKind",
    "NoticeLevel",
    "NotificationRules",
    "Robot",
    "RobotService",
    "Security",
    "Target",
    "TellRule",
    "Webhook",
]

GROUP_S = 10.0
"""How long a notice waits for others of its kind, so that they become one message."""

CAMERA_AFTER_S = 300.0
"""How long a camera must be away before somebody is told: most interruptions are over sooner."""

KEEP_TRYING_S = 24 * 3600.0


class NoticeKind(StrEnum):
    """What people elsewhere may be told of."""

    OPENED = "opened"
    DISPATCH = "dispatch"
    REFUSE = "refuse"
    WARNED = "warned"
    BREACHED = "breached"
    ESCALATED = "escalated"
    CLOSE = "close"
    REOPEN = "reopen"
    REFERRAL_REFER = "referral_refer"
    REFERRAL_FEEDBACK = "referral_feedback"
    REFERRAL_DONE = "referral_done"
    REFERRAL_RETURN = "referral_return"
    REFERRAL_WITHDRAW = "referral_withdraw"
    REFERRAL_WARNED = "referral_warned"
    REFERRAL_BREACHED = "referral_breached"
    REFERRAL_ESCALATED = "referral_escalated"
    STOP_MISSED = "stop_missed"
    STOP_MADE_UP = "stop_made_up"
    CAMERA_OFFLINE = "camera_offline"
    CAMERA_BACK = "camera_back"
    DRILL_BEGAN = "drill_began"
    DRILL_ENDED = "drill_ended"
    HANDOVER_MISSING = "handover_missing"
    HANDOVER_SIGNED = "handover_signed"
    BACKUP_FAILED = "backup_failed"
    OTHER = "other"  # of a kind that this version does not know
    TEST = "test"  # asked for by an administrator; goes to one receiver whatever the rules say


class NoticeLevel(StrEnum):
    """Who is to hear of a breach; the words are those of `patrol.Level`."""

    CELL = "cell"
    SECTION = "section"
    COMMUNITY = "community"
    SUB_DISTRICT = "sub_district"


class Language(StrEnum):
    ZH = "zh"
    EN = "en"


class Body(StrEnum):
    """What a webhook sends."""

    JSON = "json"
    CAP = "cap"  # Common Alerting Protocol 1.2, where the message is about one incident


class RobotService(StrEnum):
    """Whose group robot it is."""

    WECOM = "wecom"  # 企业微信
    DINGTALK = "dingtalk"  # 钉钉
    FEISHU = "feishu"  # 飞书


class Security(StrEnum):
    """How a connection to a mail server is protected."""

    TLS = "tls"  # from the first byte
    STARTTLS = "starttls"
    NONE = "none"


class MqttVersion(StrEnum):
    V3 = "3.1.1"
    V5 = "5"


@dataclass(frozen=True, slots=True)
class Webhook:
    """An HTTP address that gets messages. `secret` names the password of `secrets.toml` that signs them; empty: not signed."""

    id: str
    url: str
    language: Language = Language.ZH
    secret: str = ""
    body: Body = Body.JSON


@dataclass(frozen=True, slots=True)
class Robot:
    """A group robot. `token` and `secret` name passwords of `secrets.toml`: what its address ends with, and what signs."""

    id: str
    service: RobotService
    token: str
    language: Language = Language.ZH
    secret: str = ""
    url: str = ""  # of an installation of one's own; empty: the service's public address


@dataclass(frozen=True, slots=True)
class Email:
    """A person, or several who share everything. `login` names user and password in `secrets.toml`; empty: none."""

    id: str
    to: tuple[str, ...]
    sender: str
    server: str
    port: int
    security: Security
    language: Language = Language.ZH
    login: str = ""


@dataclass(frozen=True, slots=True)
class Mqtt:
    """A broker that gets messages, and the state of incidents, cameras and teams as retained topics below `prefix`."""

    id: str
    host: str
    port: int
    tls: bool
    language: Language = Language.ZH
    login: str = ""
    prefix: str = "gridpatrol"
    version: MqttVersion = MqttVersion.V5
    discovery: str = ""  # Home Assistant's discovery prefix; empty: nothing is announced there


Target = Webhook | Robot | Email | Mqtt


@dataclass(frozen=True, slots=True)
class TellRule:
    """These targets hear of these notices. Empty tuples stand for all."""

    targets: tuple[str, ...]
    kinds: tuple[NoticeKind, ...] = ()
    severity: int = 4  # this one and more severe ones
    levels: tuple[NoticeLevel, ...] = ()  # of breaches and escalations only
    places: tuple[str, ...] = ()  # cells, compounds, communities, sections
    group_s: float = GROUP_S
    quiet: Schedule | None = None  # severities 3 and 4 wait until these hours are over


@dataclass(frozen=True, slots=True)
class NotificationRules:
    """What `notifications.toml` says. Without the file nobody is told."""

    page: str = ""  # where the page is reached, for links; empty: messages have none
    keep_trying_s: float = KEEP_TRYING_S
    camera_after_s: float = CAMERA_AFTER_S
    targets: tuple[Target, ...] = ()
    rules: tuple[TellRule, ...] = field(default=())
