"""What goes over the wire about referral desks and shift handovers."""

import json
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints

from camera_config.desks import Desk
from dashboard.schemas import EXAMPLE_UUID, ActorOut, AnswerBody, NameOut, RequestBody, SiteId, Time, Uuid, iso, printable
from patrol.handover import Handover, HandoverAlarm
from patrol.referral import Referral, ReferralEntry

__all__ = [
    "ConfirmIn",
    "DeskList",
    "DeskOut",
    "DraftOut",
    "HandoverList",
    "HandoverOut",
    "OfferIn",
    "ReferIn",
    "ReferralDetail",
    "ReferralList",
    "ReferralOut",
    "ReferralStepIn",
]

_Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=4000), AfterValidator(printable)]
_Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$"), Field(examples=["9f86d081" * 8])]


def _example(**body: str) -> ConfigDict:
    return ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [dict(body)]})


class DeskOut(AnswerBody):
    id: str = Field(examples=["mediation"])
    name: NameOut
    kind: str = Field(examples=["mediation"])
    opening_hours: str = Field(examples=["mon-fri 08:30-12:00, mon-fri 13:30-17:30"])
    receipt_min: float = Field(description="opening hours until it has accepted", examples=[60])
    feedback_min: float = Field(description="opening hours between two lines of feedback", examples=[1440])
    users: list[str] = Field(description="who answers for it; empty: it is asked by telephone", examples=[["chen.mediation"]])
    responsible: str
    places: list[str] = Field(description="what it serves; empty: everything")
    waiting: int = Field(description="referrals it has not accepted yet", examples=[1])
    accepted: int = Field(description="referrals it answers for", examples=[3])

    @classmethod
    def of(cls, desk: Desk, mine: Sequence[Referral]) -> "DeskOut":
        return cls(
            id=desk.id,
            name=NameOut.of(desk.name),
            kind=desk.kind.value,
            opening_hours=desk.opening_hours.text,
            receipt_min=desk.receipt_min,
            feedback_min=desk.feedback_min,
            users=list(desk.users),
            responsible=desk.responsible,
            places=list(desk.places),
            waiting=sum(not each.desk_answers for each in mine),
            accepted=sum(each.desk_answers for each in mine),
        )


class DeskList(AnswerBody):
    items: list[DeskOut]


class ReferIn(RequestBody):
    """Hand the incident of the path to a desk. `command_id` becomes the referral's id; the same one again changes nothing."""

    model_config = _example(command_id=EXAMPLE_UUID, desk="mediation", reason="Neighbours quarrel about noise at night")

    command_id: Uuid
    desk: SiteId
    reason: _Words = Field(min_length=1)


class ReferralStepIn(RequestBody):
    """One step of a referral; every one but `receive` needs a text: the feedback, the result, or the reason."""

    model_config = _example(command_id=EXAMPLE_UUID, step="feedback", text="Both sides invited for Tuesday")

    command_id: Uuid
    step: Literal["receive", "feedback", "done", "return", "withdraw"]
    text: _Words = ""


class ReferralOut(AnswerBody):
    id: Uuid
    incident: Uuid
    number: int = Field(description="of the incident", examples=[1042])
    desk: str = Field(examples=["mediation"])
    state: str = Field(examples=["accepted"], description="sent, accepted, done, returned or withdrawn")
    answers: Literal["owner", "desk"] = Field(description="who answers for the matter now")
    reason: str
    by: ActorOut
    sent_at: Time
    since: Time = Field(description="since when the running clock runs")
    accepted_at: Time | None
    ended_at: Time | None
    clock: str | None = Field(examples=["feedback"], description="what is due next: receive or feedback; null when it is over")
    due_at: Time | None
    told: int = Field(ge=0, le=5, description="what was told of the running clock: 1 warned, 2 breached, 3 to 5 escalated")

    @classmethod
    def of(cls, referral: Referral) -> "ReferralOut":
        return cls.model_validate(_fields(referral))


class ReferralEntryOut(AnswerBody):
    version: int
    step: str = Field(examples=["receive"])
    state: str = Field(examples=["accepted"])
    at: Time
    recorded_at: Time
    by: ActorOut
    text: str
    flags: list[str] = Field(examples=[["on_behalf"]])
    clock: str | None
    level: str | None
    place: str | None

    @classmethod
    def of(cls, entry: ReferralEntry) -> "ReferralEntryOut":
        return cls(
            version=entry.version,
            step=entry.step.value,
            state=entry.state.value,
            at=iso(entry.at_s),
            recorded_at=iso(entry.recorded_s),
            by=ActorOut.of(entry.by),
            text=entry.text,
            flags=[flag.value for flag in entry.flags],
            clock=None if entry.clock is None else entry.clock.value,
            level=None if entry.level is None else entry.level.value,
            place=entry.place or None,
        )


class ReferralDetail(ReferralOut):
    history: list[ReferralEntryOut]

    @classmethod
    def with_past(cls, referral: Referral, history: Sequence[ReferralEntry]) -> "ReferralDetail":
        return cls.model_validate(_fields(referral) | {"history": [ReferralEntryOut.of(entry) for entry in history]})


class ReferralList(AnswerBody):
    items: list[ReferralOut]


class OfferIn(RequestBody):
    """Draw up a sheet as it is now and sign it. `id` is made by the client; the same one again gives the same sheet."""

    model_config = _example(id=EXAMPLE_UUID, notes="The barrier at the east gate is out of order until tomorrow")

    id: Uuid
    notes: _Words = ""


class ConfirmIn(RequestBody):
    """Sign as the incoming side. `sha256` is that of the sheet that was read."""

    model_config = _example(sha256="9f86d081" * 8, remark="Taken over")

    sha256: _Sha256
    remark: _Words = ""


class DraftOut(AnswerBody):
    content: dict[str, Any] = Field(description="what a sheet offered now would hold; see the reference of handovers")


class HandoverOut(AnswerBody):
    """A sheet with its signatures. `sha256` is of `text`, byte for byte; `content` is the same, read as JSON."""

    id: Uuid
    state: Literal["offered", "confirmed", "withdrawn"]
    made_at: Time
    outgoing: ActorOut
    incoming: ActorOut | None
    confirmed_at: Time | None
    remark: str
    withdrawn_at: Time | None
    sha256: _Sha256
    text: str = Field(description="the sheet as it was signed, JSON in UTF-8")
    content: dict[str, Any] = Field(description="the same as `text`")

    @classmethod
    def of(cls, handover: Handover) -> "HandoverOut":
        over: Literal["confirmed", "withdrawn"] = "confirmed" if handover.incoming else "withdrawn"
        return cls(
            id=handover.id,
            state="offered" if handover.is_offered else over,
            made_at=iso(handover.made_s),
            outgoing=ActorOut.of(handover.outgoing),
            incoming=None if handover.incoming is None else ActorOut.of(handover.incoming),
            confirmed_at=None if handover.confirmed_s is None else iso(handover.confirmed_s),
            remark=handover.remark,
            withdrawn_at=None if handover.withdrawn_s is None else iso(handover.withdrawn_s),
            sha256=handover.sha256,
            text=handover.content,
            content=json.loads(handover.content),
        )


class HandoverAlarmOut(AnswerBody):
    """Nobody took over in time when the shifts changed at `change_at`; it stands until both sides have signed a sheet."""

    change_at: Time
    raised_at: Time

    @classmethod
    def of(cls, alarm: HandoverAlarm) -> "HandoverAlarmOut":
        return cls(change_at=iso(alarm.change_s), raised_at=iso(alarm.raised_s))


class HandoverList(AnswerBody):
    items: list[HandoverOut]
    alarms: list[HandoverAlarmOut] = Field(description="changes of shifts that nobody has signed, oldest first; on every page")
    next: str | None = Field(description="give it as `before` to get the next page; null at the end")


def _fields(referral: Referral) -> dict[str, object]:
    return {
        "id": referral.id,
        "incident": referral.incident,
        "number": referral.number,
        "desk": referral.desk,
        "state": referral.state.value,
        "answers": "desk" if referral.desk_answers else "owner",
        "reason": referral.reason,
        "by": ActorOut.of(referral.by),
        "sent_at": iso(referral.sent_s),
        "since": iso(referral.since_s),
        "accepted_at": None if referral.accepted_s is None else iso(referral.accepted_s),
        "ended_at": None if referral.ended_s is None else iso(referral.ended_s),
        "clock": None if referral.clock is None else referral.clock.value,
        "due_at": None if referral.due_s is None else iso(referral.due_s),
        "told": referral.told,
    }
