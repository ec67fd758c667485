"""What goes over the wire: requests refuse unknown fields, answers state every field, times are ISO 8601 UTC with Z."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from base import CameraStatus, Event, Gap, Health, Opinion, Quality, WatchRun
from camera_config.site import Name, Team
from patrol import Actor, HistoryEntry, Incident, Proposal, Step, TeamState, Verdict
from storage import Area

__all__ = [
    "EXAMPLE_UUID",
    "ID",
    "UUID",
    "ActorOut",
    "AnswerBody",
    "CameraList",
    "CameraOut",
    "Cause",
    "EventOut",
    "Failure",
    "GapList",
    "GapOut",
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

EXAMPLE_UUID = "0199a3c2-7b1e-7c3a-9d52-3f6b1a2c4d5e"


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
Uuid = Annotated[str, StringConstraints(pattern=UUID), Field(examples=[EXAMPLE_UUID])]
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
    gop_s: float = Field(description="typical distance of key frames")
    gop_most_s: float = Field(description="longest of late")
    codec: str = Field(examples=["h264"])
    profile: str = Field(examples=["High@4.0"])
    width_px: int
    height_px: int
    transport: str = Field(examples=["tcp"])
    skew_s: float | None = Field(description="the camera's clock minus ours")
    loss: float = Field(description="share of the packets of the last minute")
    reconnects: int
    stalls: int = Field(description="pauses of more than 2 s within a connection, in the last hour")
    ring_s: float
    lane: str = Field(examples=["quiet"])
    awake: bool
    packets: str = Field(examples=["telling"])
    advice: list[str] = Field(examples=[["long_gop"]])
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
            gop_most_s=round(status.gop_most_s, 2),
            codec=status.codec.value,
            profile=status.profile,
            width_px=status.width_px,
            height_px=status.height_px,
            transport=status.transport,
            skew_s=status.skew_s,
            loss=status.loss,
            reconnects=status.reconnects,
            stalls=status.stalls,
            ring_s=round(status.ring_s, 2),
            lane=status.lane.value,
            awake=status.awake,
            packets=status.packets.value,
            advice=[each.value for each in status.advice],
            error=status.error,
        )

    @classmethod
    def unknown(cls, camera: str) -> "CameraOut":
        """A camera of the site that no worker has reported yet."""
        return cls.of(CameraStatus(camera, Health.OFFLINE, Quality.UNUSABLE, 0.0, None)).model_copy(update={"since": None})


class CameraList(AnswerBody):
    items: list[CameraOut]


class GapOut(AnswerBody):
    """A time in which the camera was not seen; `ended_at` is null while it lasts."""

    began_at: Time
    ended_at: Time | None
    cause: str = Field(examples=["ended_by_camera"])

    @classmethod
    def of(cls, gap: Gap) -> "GapOut":
        return cls(began_at=iso(gap.began_s), ended_at=_iso_or_none(gap.ended_s), cause=gap.cause.value)


class GapList(AnswerBody):
    items: list[GapOut]


class WatchRunOut(AnswerBody):
    """A time in which the camera was watched in one way, or a minute in which it was in several: seconds of each."""

    began_at: Time
    ended_at: Time
    seconds: dict[str, float] = Field(examples=[{"full": 12.0, "quiet": 48.0}])

    @classmethod
    def of(cls, run: WatchRun, until_s: float) -> "WatchRunOut":
        ended_s = until_s if run.ended_s is None else run.ended_s
        seconds = run.seconds if run.state is None else ((run.state, ended_s - run.began_s),)
        told = {state.value: round(each_s, 3) for state, each_s in seconds}
        return cls(began_at=iso(run.began_s), ended_at=iso(ended_s), seconds=told)


class WatchRunList(AnswerBody):
    items: list[WatchRunOut]
    seconds: dict[str, float] = Field(description="Of all items together.")


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
    preempts: int | None = Field(description="number of the incident it would be called away from; null if it is free")


class ProposalOut(AnswerBody):
    """The team to send, or why there is none (`shortfall`) and which place's responsible person decides (`escalate_to`)."""

    team: str | None = Field(examples=["t03"])
    reason: NameOut
    shortfall: NameOut | None
    escalate_to: str | None
    alternatives: list[AlternativeOut]
    preempts: int | None = Field(description="number of the incident it would be called away from; null if it is free")

    @classmethod
    def of(cls, proposal: Proposal) -> "ProposalOut":
        return cls(
            team=proposal.team or None,
            reason=NameOut.of(proposal.reason),
            shortfall=None if proposal.shortfall is None else NameOut.of(proposal.shortfall),
            escalate_to=proposal.escalate_to or None,
            alternatives=[
                AlternativeOut(team=each.team, reason=NameOut.of(each.reason), preempts=each.preempts or None)
                for each in proposal.alternatives
            ],
            preempts=proposal.preempts or None,
        )


class DueOut(AnswerBody):
    step: str = Field(examples=["acknowledge"])
    at: Time


class IncidentOut(AnswerBody):
    id: Uuid
    number: int = Field(examples=[1042])
    origin: str = Field(examples=["event"], description="event, patrol, hotline or inspection")
    category: str = Field(examples=["public_order"])
    kind: str | None = Field(examples=["intrusion"], description="of its events; null while it has none")
    label: str = Field(examples=["person"])
    summary: str = Field(examples=[""], description="what was reported, in words; empty for events")
    caller: str | None = Field(description="whom to call back; never told to a team's phone")
    severity: int = Field(ge=1, le=4)
    camera: str = Field(examples=["c0417"], description="empty while no event belongs to it")
    cameras: list[str] = Field(examples=[["c0417", "c0418"]], description="whose events it holds")
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
    due: DueOut | None = Field(description="the next limit; null when closed, or while the clock stands still")
    told: int = Field(ge=0, le=5, description="what was told of the running clock: 1 warned, 2 breached, 3 to 5 escalated")
    paused_since: Time | None
    shelved_until: Time | None
    duplicate_of: str | None = Field(description="the incident it was merged into")
    best_event: str = Field(description="empty while no event belongs to it")
    box: tuple[float, float, float, float]
    score: float
    refused: list[str] = Field(description="teams that refused, in order")
    drill: bool = Field(description="an exercise: marked wherever it is shown, and in no figure")
    proposal: ProposalOut | None

    @classmethod
    def of(cls, incident: Incident, for_team: bool = False, area: Area | None = None) -> "IncidentOut":
        """As a user sees it, with an area one who may send its teams only; a phone is not told who else refused or might go."""
        return cls.model_validate(_incident_fields(incident, for_team, area))


def _incident_fields(incident: Incident, for_team: bool, area: Area | None) -> dict[str, object]:
    due, proposal = incident.due, None if for_team else incident.proposal
    if proposal is not None and area is not None:
        proposal = area.proposal(proposal)
    return {
        "id": incident.id,
        "number": incident.number,
        "origin": incident.origin.value,
        "category": incident.category.value,
        "kind": None if incident.kind is None else incident.kind.value,
        "label": incident.label,
        "summary": incident.summary,
        "caller": None if for_team else incident.caller or None,
        "severity": incident.severity,
        "camera": incident.camera,
        "cameras": list(incident.cameras),
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
        "told": incident.told,
        "paused_since": _iso_or_none(incident.paused_since_s),
        "shelved_until": _iso_or_none(incident.shelved_until_s),
        "duplicate_of": incident.duplicate_of or None,
        "best_event": incident.best_event,
        "box": incident.box,
        "score": round(incident.score, 4),
        "refused": [] if for_team else list(incident.refused),
        "drill": incident.drill,
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
    clock: str | None = Field(examples=["acknowledge"], description="warned, breached, escalated: the step that was due")
    level: str | None = Field(examples=["section"], description="breached, escalated: cell, section, community or sub_district")
    place: str | None = Field(description="breached, escalated: whose responsible person heard of it")
    other: str | None = Field(description="merge, absorbed, split, split_off: the other incident")
    until: Time | None = Field(description="shelve: when it ends")

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
            clock=None if entry.clock is None else entry.clock.value,
            level=None if entry.level is None else entry.level.value,
            place=entry.place or None,
            other=entry.other or None,
            until=_iso_or_none(entry.until_s),
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
    path: list[tuple[float, float, float]] = Field(
        description="the way of its thing until then, at most 64 points: seconds since it began, x, y as fractions of the picture"
    )
    opinion: Opinion = Field(description="of the second opinion before an event of severity 1 or 2; empty: nobody looked")
    delay_s: float = Field(description="from the picture in which the rule was fulfilled to the event")
    look_s: float = Field(description="of that: the second opinion")

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
            path=[(round(at_s - event.began_s, 2), x, y) for at_s, x, y in event.path],
            opinion=event.opinion,
            delay_s=round(event.delay_s, 3),
            look_s=round(event.look_s, 3),
        )


class IncidentDetail(IncidentOut):
    history: list[HistoryOut]
    events: list[EventOut]

    @classmethod
    def with_past(
        cls, incident: Incident, history: Sequence[HistoryEntry], events: Sequence[Event], area: Area | None
    ) -> "IncidentDetail":
        past = {"history": [HistoryOut.of(entry) for entry in history], "events": [EventOut.of(event) for event in events]}
        return cls.model_validate(_incident_fields(incident, for_team=False, area=area) | past)


class IncidentList(AnswerBody):
    items: list[IncidentOut]
    next: str | None = Field(default=None, description="give it as `before` to get the next page; null at the end")


class StepIn(RequestBody):
    """One step. `command_id` is made by the client; the same one again is answered as the first time and does nothing more."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"examples": [{"step": "dispatch", "version": 2, "command_id": EXAMPLE_UUID, "team": "t03"}]},
    )

    step: Step
    version: int = Field(ge=1, le=2**31, description="the incident's version that the person looked at")
    command_id: Uuid
    team: SiteId | None = None
    text: Text = ""
    verdict: Verdict | None = None
    cause: Cause = ""
    until: AwareDatetime | None = Field(default=None, description="shelve: when it ends, at most 8 hours from now")
    at: AwareDatetime | None = Field(default=None, description="when it was done, if that was earlier (offline phone)")


# Teams


class TeamOut(AnswerBody):
    id: str
    name: NameOut
    kind: str = Field(examples=["property_guard"])
    grid_cells: list[str]
    on_shift: bool
    shift_until: Time | None = Field(description="null off shift, or if the shift has no end within two days")
    status: str = Field(examples=["available"])
    incident: str | None
    supporting: bool = Field(description="it helps the incident's main team")
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
            shift_until=_iso_or_none(state.until_s),
            status=state.status.value,
            incident=state.incident or None,
            supporting=state.supporting,
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
