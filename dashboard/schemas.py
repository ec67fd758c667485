"""What goes over the wire: requests refuse unknown fields, answers state every field, times are ISO 8601 UTC with Z."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from base import CameraStatus, Event
from camera_config.site import Name, Team
from patrol import Actor, HistoryEntry, Incident, Proposal, Step, TeamState, Verdict

__all__ = [
    "ID",
    "UUID",
    "AnswerBody",
    "CameraList",
    "CameraOut",
    "EventOut",
    "Failure",
    "HealthOut",
    "HistoryOut",
    "IncidentDetail",
    "IncidentList",
    "IncidentOut",
    "NameOut",
    "PairingOut",
    "PositionIn",
    "ProposalOut",
    "RequestBody",
    "StepIn",
    "TeamList",
    "TeamOut",
    "Time",
    "iso",
    "printable",
]

ID = r"^[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}$"
"""What an id of the site looks like in a path."""

UUID = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"

_EXAMPLE_UUID = "0199a3c2-7b1e-7c3a-9d52-3f6b1a2c4d5e"


def iso(time_s: float) -> str:
    """`time_s` as ISO 8601 UTC with milliseconds and Z; what is beyond the year 9999 becomes its end, NaN 1970."""
    bounded_s = min(max(0.0, time_s), 253_402_300_799.0)
    return datetime.fromtimestamp(bounded_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _iso_or_none(time_s: float | None) -> str | None:
    return None if time_s is None else iso(time_s)


def printable(text: str) -> str:
    """Refuse control characters, which no keyboard makes and which deceive logs and terminals."""
    if any((ord(letter) < 32 and letter not in "\n\t") or 0x7F <= ord(letter) < 0xA0 for letter in text):
        raise ValueError("control characters are not allowed")
    return text


Time = Annotated[str, Field(examples=["2026-03-01T14:05:09.120Z"])]
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=4000), AfterValidator(printable)]
Cause = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200), AfterValidator(printable)]
SiteId = Annotated[str, StringConstraints(pattern=ID)]
Uuid = Annotated[str, StringConstraints(pattern=UUID), Field(examples=[_EXAMPLE_UUID])]
Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False, examples=[121.4737])]
Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False, examples=[31.2304])]


class RequestBody(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AnswerBody(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Failure(AnswerBody):
    """Every error: one sentence."""

    detail: str = Field(examples=["Sign in first."])


class HealthOut(AnswerBody):
    status: Literal["ok"] = "ok"


class NameOut(AnswerBody):
    zh: str = Field(examples=["东门岗"])
    en: str = Field(examples=["East gate post"])

    @classmethod
    def of(cls, name: Name) -> "NameOut":
        return cls(zh=name.zh, en=name.en)


# Cameras


class CameraOut(AnswerBody):
    id: str = Field(examples=["c0417"])
    health: str = Field(examples=["online"])
    quality: str = Field(examples=["excellent"])
    since: Time | None
    last_frame_at: Time | None
    frames_per_s: float
    kbit_per_s: float
    gop_s: float
    codec: str = Field(examples=["h264"])
    width_px: int
    height_px: int
    awake: bool
    error: str

    @classmethod
    def of(cls, status: CameraStatus) -> "CameraOut":
        return cls(
            id=status.camera,
            health=status.health.value,
            quality=status.quality.value,
            since=iso(status.since_s),
            last_frame_at=_iso_or_none(status.last_frame_s),
            frames_per_s=round(status.frames_per_s, 2),
            kbit_per_s=round(status.kbit_per_s, 1),
            gop_s=round(status.gop_s, 2),
            codec=status.codec.value,
            width_px=status.width_px,
            height_px=status.height_px,
            awake=status.awake,
            error=status.error,
        )

    @classmethod
    def unknown(cls, camera: str) -> "CameraOut":
        """A camera of the site that no worker has reported yet."""
        return cls(
            id=camera,
            health="offline",
            quality="unusable",
            since=None,
            last_frame_at=None,
            frames_per_s=0.0,
            kbit_per_s=0.0,
            gop_s=0.0,
            codec="other",
            width_px=0,
            height_px=0,
            awake=False,
            error="",
        )


class CameraList(AnswerBody):
    items: list[CameraOut]


# Incidents


class ActorOut(AnswerBody):
    kind: str = Field(examples=["user"])
    id: str
    name: str = Field(examples=["li.na"])

    @classmethod
    def of(cls, actor: Actor) -> "ActorOut":
        return cls(kind=actor.kind.value, id=actor.id, name=actor.name)


class AlternativeOut(AnswerBody):
    team: str
    reason: NameOut


class ProposalOut(AnswerBody):
    """The team to send, or why there is none (`shortfall`) and which place's responsible person decides (`escalate_to`)."""

    team: str | None = Field(examples=["t03"])
    reason: NameOut
    shortfall: NameOut | None
    escalate_to: str | None
    alternatives: list[AlternativeOut]

    @classmethod
    def of(cls, proposal: Proposal) -> "ProposalOut":
        return cls(
            team=proposal.team or None,
            reason=NameOut.of(proposal.reason),
            shortfall=None if proposal.shortfall is None else NameOut.of(proposal.shortfall),
            escalate_to=proposal.escalate_to or None,
            alternatives=[AlternativeOut(team=each.team, reason=NameOut.of(each.reason)) for each in proposal.alternatives],
        )


class DueOut(AnswerBody):
    step: str = Field(examples=["acknowledge"])
    at: Time


class IncidentOut(AnswerBody):
    id: Uuid
    number: int = Field(examples=[1042])
    kind: str = Field(examples=["intrusion"])
    label: str = Field(examples=["person"])
    severity: int = Field(ge=1, le=4)
    camera: str
    compound: str
    grid_cell: str
    community: str
    lon: float | None
    lat: float | None
    condition: str = Field(examples=["unacknowledged"])
    work: str = Field(examples=["new"])
    owner: ActorOut | None
    team: str | None
    version: int
    verdict: str | None
    cause: str
    event_count: int
    began_at: Time
    opened_at: Time
    last_event_at: Time
    stages: dict[str, Time]
    due: DueOut | None
    best_event: str
    box: tuple[float, float, float, float]
    score: float
    refused: list[str] = Field(description="teams that refused, in order")
    proposal: ProposalOut | None

    @classmethod
    def of(cls, incident: Incident, for_team: bool = False) -> "IncidentOut":
        """As a user sees it; a team's phone is not told which other teams refused or might go."""
        return cls.model_validate(_incident_fields(incident, for_team))


def _incident_fields(incident: Incident, for_team: bool) -> dict[str, object]:
    due, proposal = incident.due, None if for_team else incident.proposal
    return {
        "id": incident.id,
        "number": incident.number,
        "kind": incident.kind.value,
        "label": incident.label,
        "severity": incident.severity,
        "camera": incident.camera,
        "compound": incident.compound,
        "grid_cell": incident.grid_cell,
        "community": incident.community,
        "lon": incident.lon,
        "lat": incident.lat,
        "condition": incident.condition.value,
        "work": incident.work.value,
        "owner": None if incident.owner is None else ActorOut.of(incident.owner),
        "team": incident.team or None,
        "version": incident.version,
        "verdict": None if incident.verdict is None else incident.verdict.value,
        "cause": incident.cause,
        "event_count": incident.event_count,
        "began_at": iso(incident.began_s),
        "opened_at": iso(incident.opened_s),
        "last_event_at": iso(incident.last_event_s),
        "stages": {work.value: iso(at_s) for work, at_s in incident.stages.items()},
        "due": None if due is None else DueOut(step=due.step.value, at=iso(due.at_s)),
        "best_event": incident.best_event,
        "box": incident.box,
        "score": round(incident.score, 4),
        "refused": [] if for_team else list(incident.refused),
        "proposal": None if proposal is None else ProposalOut.of(proposal),
    }


class HistoryOut(AnswerBody):
    version: int
    step: str = Field(examples=["dispatch"])
    work: str
    at: Time
    recorded_at: Time
    by: ActorOut
    team: str | None
    text: str
    verdict: str | None
    cause: str
    flags: list[str] = Field(examples=[["on_behalf"]])

    @classmethod
    def of(cls, entry: HistoryEntry) -> "HistoryOut":
        return cls(
            version=entry.version,
            step=entry.step.value,
            work=entry.work.value,
            at=iso(entry.at_s),
            recorded_at=iso(entry.recorded_s),
            by=ActorOut.of(entry.by),
            team=entry.team or None,
            text=entry.text,
            verdict=None if entry.verdict is None else entry.verdict.value,
            cause=entry.cause,
            flags=[flag.value for flag in entry.flags],
        )


class EventOut(AnswerBody):
    id: str
    camera: str
    kind: str
    label: str
    rule: str
    zone: str
    severity: int
    began_at: Time
    raised_at: Time
    ended_at: Time | None
    score: float
    box: tuple[float, float, float, float]
    seen_by: str = Field(examples=["key_frame"])
    network: str

    @classmethod
    def of(cls, event: Event) -> "EventOut":
        return cls(
            id=event.id,
            camera=event.camera,
            kind=event.kind.value,
            label=event.label,
            rule=event.rule,
            zone=event.zone,
            severity=event.severity,
            began_at=iso(event.began_s),
            raised_at=iso(event.raised_s),
            ended_at=_iso_or_none(event.ended_s),
            score=round(event.score, 4),
            box=event.box,
            seen_by=event.seen_by.value,
            network=event.network,
        )


class IncidentDetail(IncidentOut):
    history: list[HistoryOut]
    events: list[EventOut]

    @classmethod
    def with_past(cls, incident: Incident, history: Sequence[HistoryEntry], events: Sequence[Event]) -> "IncidentDetail":
        past = {"history": [HistoryOut.of(entry) for entry in history], "events": [EventOut.of(event) for event in events]}
        return cls.model_validate(_incident_fields(incident, for_team=False) | past)


class IncidentList(AnswerBody):
    items: list[IncidentOut]
    next: str | None = Field(default=None, description="give it as `before` to get the next page; null at the end")


class StepIn(RequestBody):
    """One step. `command_id` is made by the client; the same one again is answered as the first time and does nothing more."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"examples": [{"step": "dispatch", "version": 2, "command_id": _EXAMPLE_UUID, "team": "t03"}]},
    )

    step: Step
    version: int = Field(ge=1, le=2**31, description="the incident's version that the person looked at")
    command_id: Uuid
    team: SiteId | None = None
    text: Text = ""
    verdict: Verdict | None = None
    cause: Cause = ""
    at: AwareDatetime | None = Field(default=None, description="when it was done, if that was earlier (offline phone)")


# Teams


class TeamOut(AnswerBody):
    id: str
    name: NameOut
    kind: str = Field(examples=["property_guard"])
    grid_cells: list[str]
    on_shift: bool
    status: str = Field(examples=["available"])
    incident: str | None
    lon: float | None
    lat: float | None
    position_at: Time | None

    @classmethod
    def of(cls, team: Team, state: TeamState) -> "TeamOut":
        """A team as it is now; before its first position it is where it waits."""
        lon, lat = state.position or team.home
        return cls(
            id=team.id,
            name=NameOut.of(team.name),
            kind=team.kind.value,
            grid_cells=list(team.grid_cells),
            on_shift=state.on_shift,
            status=state.status.value,
            incident=state.incident or None,
            lon=lon,
            lat=lat,
            position_at=_iso_or_none(state.position_at_s),
        )


class TeamList(AnswerBody):
    items: list[TeamOut]


class PairingOut(AnswerBody):
    """What a phone opens to be signed in as the team's; it works once."""

    code: str = Field(examples=["7KQF-M2XW-4TRB"])
    path: str = Field(examples=["/phone#code=7KQF-M2XW-4TRB"])
    expires_at: Time


class PositionIn(RequestBody):
    lon: Longitude
    lat: Latitude
    accuracy_m: float = Field(ge=0, le=1e6, allow_inf_nan=False)
    at: AwareDatetime
