"""Messages to people elsewhere, their receivers, and drills, as the API shows and takes them."""

from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, ConfigDict, Field, StringConstraints

from camera_config.notification_rules import Email, Mqtt, Robot, Target
from dashboard.schemas import EXAMPLE_UUID, AnswerBody, RequestBody, Time, iso, printable
from patrol.notice_words import Message
from storage import Drill, StoredMessage, TargetCount

__all__ = [
    "DrillIn",
    "DrillMarkIn",
    "DrillNowOut",
    "DrillOut",
    "MessageList",
    "MessageOut",
    "NoticeTargetList",
    "NoticeTargetOut",
    "RetriedOut",
]

_Reason = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000), AfterValidator(printable), Field()
]


def channel_of(target: Target) -> str:
    """One word for how a receiver is reached; of a robot, whose it is."""
    if isinstance(target, Robot):
        return target.service.value
    return "email" if isinstance(target, Email) else "mqtt" if isinstance(target, Mqtt) else "webhook"


class NoticeTargetOut(AnswerBody):
    """A receiver. Its address is not shown: that of a robot is as good as a password."""

    id: str = Field(examples=["duty-group"])
    channel: str = Field(examples=["dingtalk"], description="webhook, email, mqtt, wecom, dingtalk or feishu")
    language: str = Field(examples=["zh"])
    configured: bool = Field(description="false: it was once, and left messages behind")
    waiting: int
    dead: int
    oldest_at: Time | None = Field(description="since when the oldest of what waits has been waiting")

    @classmethod
    def of(cls, name: str, target: Target | None, count: TargetCount | None) -> "NoticeTargetOut":
        return cls(
            id=name,
            channel="" if target is None else channel_of(target),
            language="" if target is None else target.language.value,
            configured=target is not None,
            waiting=count.waiting if count else 0,
            dead=count.dead if count else 0,
            oldest_at=iso(count.oldest_s) if count and count.oldest_s is not None else None,
        )


class NoticeTargetList(AnswerBody):
    items: list[NoticeTargetOut]


class MessageOut(AnswerBody):
    id: str = Field(examples=[EXAMPLE_UUID])
    target: str
    state: str = Field(examples=["dead"], description="waiting, delivered or dead")
    kind: str = Field(examples=["opened"], description="what all of it is about; several if that differs")
    severity: int
    drill: bool
    title: str
    lines: list[str]
    count: int = Field(description="how many notices it tells")
    incident: str | None
    made_at: Time
    tries: int
    tried_at: Time | None
    next_at: Time | None
    delivered_at: Time | None
    error: str = Field(description="why the last try failed; empty if it did not")

    @classmethod
    def of(cls, stored: StoredMessage) -> "MessageOut":
        message: Message = stored.message
        return cls(
            id=message.id,
            target=message.target,
            state=stored.state.value,
            kind=message.kind,
            severity=message.severity,
            drill=message.drill,
            title=message.title,
            lines=list(message.lines),
            count=message.count,
            incident=message.incident or None,
            made_at=iso(message.made_s),
            tries=stored.tries,
            tried_at=None if stored.tried_s is None else iso(stored.tried_s),
            next_at=None if stored.next_s is None else iso(stored.next_s),
            delivered_at=None if stored.delivered_s is None else iso(stored.delivered_s),
            error=stored.error,
        )


class MessageList(AnswerBody):
    items: list[MessageOut]
    next: str | None = Field(default=None, description="give it as `before` to get the next page; null at the end")


class RetriedOut(AnswerBody):
    count: int = Field(description="how many dead messages are sent again")


class DrillIn(RequestBody):
    """A drill of the whole site: everything that opens until then is an exercise."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"examples": [{"until": "2026-03-01T16:00:00Z", "reason": "Spring exercise"}]},
    )

    until: AwareDatetime = Field(description="when it ends by itself, at most 12 hours from now")
    reason: _Reason


class DrillOut(AnswerBody):
    id: str
    began_at: Time
    until: Time
    reason: str
    by: str

    @classmethod
    def of(cls, drill: Drill) -> "DrillOut":
        return cls(id=drill.id, began_at=iso(drill.began_s), until=iso(drill.until_s), reason=drill.reason, by=drill.by_name)


class DrillNowOut(AnswerBody):
    drill: DrillOut | None = Field(description="the drill of the whole site that goes on; null if none does")


class DrillMarkIn(RequestBody):
    """Whether one incident is an exercise."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra={"examples": [{"drill": True, "reason": "Fire drill of building 4"}]}
    )

    drill: bool
    reason: _Reason
