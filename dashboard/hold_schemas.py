"""What goes over the wire about legal holds."""

from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, ConfigDict, Field, StringConstraints

from dashboard.schemas import EXAMPLE_UUID, AnswerBody, RequestBody, Time, Uuid, iso, printable
from storage import Hold

__all__ = ["HoldIn", "HoldList", "HoldOut"]

_Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500), AfterValidator(printable)]


class HoldIn(RequestBody):
    """Keep an incident with all that belongs to it. `id` is made by the client; the same one again does nothing more."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra={"examples": [{"id": EXAMPLE_UUID, "reason": "Court, case 2026-117"}]}
    )

    id: Uuid
    reason: _Reason
    until: AwareDatetime | None = Field(default=None, description="when it ends; without it, when somebody lifts it")


class HoldOut(AnswerBody):
    id: Uuid
    incident: Uuid
    reason: str = Field(examples=["Court, case 2026-117"])
    by: str = Field(examples=["li.na"])
    made_at: Time
    until: Time | None
    lifted_at: Time | None
    lifted_by: str | None

    @classmethod
    def of(cls, hold: Hold) -> "HoldOut":
        return cls(
            id=hold.id,
            incident=hold.incident,
            reason=hold.reason,
            by=hold.by,
            made_at=iso(hold.made_s),
            until=None if hold.until_s is None else iso(hold.until_s),
            lifted_at=None if hold.lifted_s is None else iso(hold.lifted_s),
            lifted_by=hold.lifted_by or None,
        )


class HoldList(AnswerBody):
    items: list[HoldOut]
