"""What goes over the wire for administrators: sessions, the audit trail, time limits, networks."""

from dataclasses import asdict
from typing import Literal, Self

from pydantic import Field

from camera_config.site import Site
from camera_config.time_limits import Category, LimitedStep
from dashboard.network_shelf import Network
from dashboard.schemas import ActorOut, AnswerBody, Time, iso
from dashboard.sessions import SignedIn, name_of
from patrol import LIMITS_S, Step
from storage import AuditRow

__all__ = ["AuditList", "LimitsOut", "NetworkList", "NetworkOut", "SessionList", "SignedInOut"]


class SignedInOut(AnswerBody):
    id: str = Field(description="what to call the session; nothing of its token can be found from it", examples=["9f86d081" * 4])
    kind: Literal["user", "team"]
    name: str = Field(examples=["li.na"])
    name_en: str
    role: str = Field(examples=["operator"])
    areas: list[str]
    since: Time
    idle_s: float | None = Field(description="for how long nobody used it; null: not since the server started", examples=[12.5])
    expires_at: Time
    own: bool = Field(description="it is the one that asks")

    @classmethod
    def of(cls, signed_in: SignedIn, since_s: float, idle_s: float | None, own: bool) -> Self:
        who = signed_in.principal
        return cls(
            id=name_of(signed_in),
            kind="team" if who.team else "user",
            name=who.name,
            name_en=who.name_en or who.name,
            role=str(who.role),
            areas=[] if who.area is None else who.area.key.split(","),
            since=iso(since_s),
            idle_s=None if idle_s is None else round(idle_s, 1),
            expires_at=iso(signed_in.expires_s),
            own=own,
        )


class SessionList(AnswerBody):
    items: list[SignedInOut]


class AuditOut(AnswerBody):
    number: int
    at: Time
    by: ActorOut
    action: str = Field(examples=["export_ledger"])
    resource: str = Field(examples=["ledger/incidents"])
    detail: str

    @classmethod
    def of(cls, row: AuditRow) -> Self:
        actor = ActorOut.of(row.actor)
        return cls(number=row.number, at=iso(row.at_s), by=actor, action=row.action, resource=row.resource, detail=row.detail)


class AuditList(AnswerBody):
    items: list[AuditOut]
    next: int | None = Field(description="give it as `before` to get the next page; null at the end")
    actions: list[str] = Field(description="every action in the trail, to choose from")


class LimitOut(AnswerBody):
    """How long a step may take for one severity, and what the site sets for some categories."""

    severity: int
    step: LimitedStep
    limit_s: float
    default_s: float
    working_time: bool = Field(description="only working hours count")
    categories: dict[Category, float] = Field(description="where the limit of a category differs")


class LimitsOut(AnswerBody):
    warn_at: float = Field(description="share of a limit after which people are warned", examples=[0.8])
    escalate_after: list[float] = Field(description="shares of a limit after its breach at which the next level is told")
    working_hours: str = Field(examples=["mon-fri 08:30-17:30"])
    handover_alarm_min: float | None = Field(description="how long after a change of shifts both must sign; null: no alarm")
    limits: list[LimitOut]

    @classmethod
    def of(cls, site: Site) -> Self:
        rules = site.time_limits
        return cls(
            warn_at=rules.warn_at,
            escalate_after=list(rules.escalate_after),
            working_hours=rules.working_hours.text,
            handover_alarm_min=None if rules.handover is None else rules.handover.alarm_min,
            limits=[_limit(site, severity, step) for severity in sorted(LIMITS_S) for step in LimitedStep],
        )


def _limit(site: Site, severity: int, step: LimitedStep) -> LimitOut:
    rules, default_s = site.time_limits, LIMITS_S[severity][Step(step.value)]

    def limit_s(category: Category) -> float:
        own_s = rules.limit_s(step, severity, category)
        return default_s if own_s is None else own_s

    usual_s = limit_s(Category.OTHER)
    return LimitOut(
        severity=severity,
        step=step,
        limit_s=usual_s,
        default_s=default_s,
        working_time=rules.in_working_time(step, severity, Category.OTHER),
        categories={category: limit_s(category) for category in Category if limit_s(category) != usual_s},
    )


class AccuracyOut(AnswerBody):
    data: str
    label: str
    height: str = Field(description="of the thing in pixels", examples=["24-48"])
    recall: float
    false: float = Field(description="share of other crops called this; of a detector, of what it found that was nothing")
    count: int


class NetworkOut(AnswerBody):
    """The card of a network: docs/ref/models.md."""

    name: str = Field(examples=["crop_v1"])
    file: str
    present: bool = Field(description="its file is there, so it can be used")
    bytes: int
    sha256: str
    url: str = Field(description="where it is fetched from; empty: it comes with Gridpatrol")
    origin: str
    licence: str = Field(examples=["Apache-2.0"])
    head: str = Field(examples=["crop"])
    labels: list[str]
    input: str = Field(examples=["64 × 64 grey"])
    latency_ms: float
    latency_on: str
    about: str
    accuracy: list[AccuracyOut]

    @classmethod
    def of(cls, network: Network) -> Self:
        return cls.model_validate(asdict(network))


class NetworkList(AnswerBody):
    items: list[NetworkOut]
