"""Rounds over the wire: what teams walk, what they say on the way, temporary stops, draws and checkpoint codes."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, StringConstraints

from camera_config.site import Checkpoint
from dashboard.schemas import EXAMPLE_UUID, ID, UUID, ActorOut, AnswerBody, NameOut, RequestBody, Time, iso, printable
from patrol.inspections import Draw
from patrol.rounds import RoundEntry, TemporaryStop
from patrol.visits import Figures, RoundNow, StopResult
from storage import CodeAttempt, RoundFigures

__all__ = [
    "AttemptList",
    "AttemptOut",
    "CheckInIn",
    "CodeList",
    "CodeOut",
    "DrawIn",
    "DrawList",
    "DrawOut",
    "RenewedOut",
    "RoundDetail",
    "RoundFiguresList",
    "RoundFiguresOut",
    "RoundList",
    "RoundOut",
    "RoundStepIn",
    "TemporaryStopIn",
    "TemporaryStopList",
    "TemporaryStopOut",
    "VisitsOut",
]

_Uuid = Annotated[str, StringConstraints(pattern=UUID), Field(examples=[EXAMPLE_UUID])]
_SiteId = Annotated[str, StringConstraints(pattern=ID)]
_Reason = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500), AfterValidator(printable)]
_Why = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(printable)]
_Code = Annotated[str, StringConstraints(max_length=200), AfterValidator(printable)]
_Lon = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False, examples=[121.4737])]
_Lat = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False, examples=[31.2304])]


def _example(**values: JsonValue) -> ConfigDict:
    return ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [values]})


class RoundStepIn(RequestBody):
    """Start or finish a round, or skip one of its checkpoints, which needs a reason."""

    model_config = _example(step="skip", command_id=EXAMPLE_UUID, checkpoint="gate-07", reason="Gate closed for works")

    step: Literal["start", "skip", "finish"]
    command_id: _Uuid
    checkpoint: _SiteId | None = None
    reason: _Reason = ""
    at: AwareDatetime | None = Field(default=None, description="when it was done, if that was earlier (offline phone)")


class PlaceIn(BaseModel):
    """Where a phone thinks it is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    lon: _Lon
    lat: _Lat
    accuracy_m: float = Field(ge=0, le=100_000, allow_inf_nan=False, examples=[8.0])


class CheckInIn(RequestBody):
    """At a checkpoint: the text of its code, or its id, or both."""

    model_config = _example(
        command_id=EXAMPLE_UUID,
        code="GP1:DEMO-727:GATE-07:1:MZXW6YTBOI5DGNBV",
        place={"lon": 121.4737, "lat": 31.2304, "accuracy_m": 8.0},
        at="2026-03-01T14:05:09Z",
    )

    command_id: _Uuid
    checkpoint: _SiteId | None = None
    code: _Code = ""
    place: PlaceIn | None = None
    at: AwareDatetime | None = Field(default=None, description="when it was done, if that was earlier (offline phone)")


class TemporaryStopIn(RequestBody):
    """A place to be passed for a while; `command_id` becomes the id of the stop."""

    model_config = _example(
        command_id=EXAMPLE_UUID,
        lon=121.4737,
        lat=31.2304,
        why="Camera c0417 is down",
        until="2026-03-01T22:00:00Z",
        repeat_min=60,
    )

    command_id: _Uuid
    lon: _Lon
    lat: _Lat
    why: _Why
    until: AwareDatetime
    team: _SiteId | None = Field(default=None, description="who goes; without it whoever serves the cell")
    repeat_min: float | None = Field(default=None, ge=15, le=1440, description="once in each such time; without it once")


class DrawIn(RequestBody):
    """Draw checkpoints at random, to be inspected now; `command_id` becomes the id of the draw."""

    model_config = _example(command_id=EXAMPLE_UUID, count=3, within_min=120)

    command_id: _Uuid
    count: int = Field(ge=1, le=100)
    checkpoints: list[_SiteId] = Field(default=[], max_length=2000, description="to draw from; without them every key node")
    teams: list[_SiteId] = Field(default=[], max_length=200, description="who may be asked; without them whoever serves the cell")
    within_min: float = Field(default=120, ge=5, le=720)


class StopOut(AnswerBody):
    checkpoint: str = Field(examples=["gate-07"], description="or the id of a temporary stop")
    name: NameOut
    lon: float
    lat: float
    grid_cell: str = Field(examples=["grid-03-12"])
    key_node: bool
    has_code: bool
    from_at: Time = Field(description="before this a visit is early")
    due_at: Time
    until_at: Time = Field(description="after this the stop is missed, and a visit late")
    state: str = Field(examples=["visited"], description="open, visited, skipped, missed")
    visited_at: Time | None
    proof: str | None = Field(examples=["code"], description="code, camera, passed, position, radio")
    findings: list[str] = Field(examples=[["late"]], description="early, late, out_of_order, too_fast")
    reason: str = Field(description="why it was skipped")

    @classmethod
    def of(cls, result: StopResult) -> "StopOut":
        stop = result.stop
        return cls(
            checkpoint=stop.checkpoint,
            name=NameOut.of(stop.name),
            lon=stop.place[0],
            lat=stop.place[1],
            grid_cell=stop.grid_cell,
            key_node=stop.key_node,
            has_code=stop.has_code,
            from_at=iso(stop.from_s),
            due_at=iso(stop.due_s),
            until_at=iso(stop.until_s),
            state=result.state.value,
            visited_at=None if result.at_s is None else iso(result.at_s),
            proof=result.proof.value if result.proof else None,
            findings=[finding.value for finding in result.findings],
            reason=result.reason,
        )


class VisitsOut(AnswerBody):
    """Checkpoints of rounds, by what became of them."""

    stops: int
    visited: int
    on_time: int
    late: int
    skipped: int
    missed: int
    completion: float | None = Field(examples=[0.92], description="visited of all stops")

    @classmethod
    def of(cls, figures: Figures) -> Self:
        counts = {name: getattr(figures, name) for name in cls.model_fields}
        completion = None if figures.completion is None else round(figures.completion, 4)
        return cls.model_validate(counts | {"completion": completion})


class FiguresOut(VisitsOut):
    odd: int = Field(description="visits with any finding")


class RoundOut(AnswerBody):
    id: str = Field(examples=[EXAMPLE_UUID])
    kind: str = Field(examples=["route"], description="route, inspection, unannounced, temporary")
    source: str = Field(examples=["night-west"], description="id of the route, inspection, draw or temporary stop")
    name: NameOut
    team: str | None = Field(examples=["t03"], description="null: nobody was on shift")
    day: str = Field(examples=["2026-03-01"])
    order: str = Field(examples=["fixed"])
    state: str = Field(examples=["under_way"], description="due, under_way, completed, incomplete, missed, withdrawn")
    opens_at: Time
    due_at: Time
    closes_at: Time
    started_at: Time | None
    ended_at: Time | None
    draw: str | None
    stops: list[StopOut]
    figures: FiguresOut

    @classmethod
    def of(cls, now: RoundNow) -> "RoundOut":
        planned, result = now.planned, now.result
        return cls(
            id=planned.id,
            kind=planned.kind.value,
            source=planned.source,
            name=NameOut.of(planned.name),
            team=planned.team or None,
            day=planned.day.isoformat(),
            order=planned.order.value,
            state=result.state.value,
            opens_at=iso(planned.opens_s),
            due_at=iso(planned.due_s),
            closes_at=iso(planned.closes_s),
            started_at=None if result.started_s is None else iso(result.started_s),
            ended_at=None if result.ended_s is None else iso(result.ended_s),
            draw=planned.draw or None,
            stops=[StopOut.of(each) for each in result.stops],
            figures=FiguresOut.of(result.figures),
        )


class RoundEntryOut(AnswerBody):
    act: str = Field(examples=["check_in"])
    at: Time
    recorded_at: Time
    by: ActorOut
    checkpoint: str | None
    proof: str | None
    distance_m: float | None = Field(description="of the phone from the checkpoint; its position is not kept")
    camera: str | None
    incident: str | None
    reason: str
    flags: list[str] = Field(examples=[["far"]], description="far, no_position, arrived_late, on_behalf")

    @classmethod
    def of(cls, entry: RoundEntry) -> "RoundEntryOut":
        return cls(
            act=entry.act.value,
            at=iso(entry.at_s),
            recorded_at=iso(entry.recorded_s),
            by=ActorOut.of(entry.by),
            checkpoint=entry.checkpoint or None,
            proof=entry.proof.value if entry.proof else None,
            distance_m=None if entry.distance_m is None else round(entry.distance_m, 1),
            camera=entry.camera or None,
            incident=entry.incident or None,
            reason=entry.reason,
            flags=[flag.value for flag in entry.flags],
        )


class RoundDetail(RoundOut):
    """A round with everything that happened on it, oldest first."""

    history: list[RoundEntryOut]

    @classmethod
    def with_past(cls, now: RoundNow) -> "RoundDetail":
        return cls(**dict(RoundOut.of(now)), history=[RoundEntryOut.of(entry) for entry in now.entries])


class RoundList(AnswerBody):
    items: list[RoundOut]
    next: str | None = Field(description="give it as `before` for the next page; null at the end")


class RoundFiguresOut(AnswerBody):
    """Of rounds that are over, of one team from one route, inspection or temporary stop."""

    team: str | None
    source: str
    rounds: int
    completed: int
    stops: FiguresOut

    @classmethod
    def of(cls, found: RoundFigures) -> "RoundFiguresOut":
        return cls(
            team=found.team or None,
            source=found.source,
            rounds=found.rounds,
            completed=found.completed,
            stops=FiguresOut.of(found.stops),
        )


class RoundFiguresList(AnswerBody):
    items: list[RoundFiguresOut]


class TemporaryStopOut(AnswerBody):
    id: str = Field(examples=[EXAMPLE_UUID])
    lon: float
    lat: float
    grid_cell: str
    why: str
    until: Time
    team: str | None
    repeat_min: float | None
    by: str
    made_at: Time
    withdrawn_at: Time | None
    withdrawn_by: str | None

    @classmethod
    def of(cls, stop: TemporaryStop) -> "TemporaryStopOut":
        return cls(
            id=stop.id,
            lon=stop.place[0],
            lat=stop.place[1],
            grid_cell=stop.grid_cell,
            why=stop.why,
            until=iso(stop.until_s),
            team=stop.team or None,
            repeat_min=stop.repeat_min,
            by=stop.by,
            made_at=iso(stop.made_s),
            withdrawn_at=None if stop.withdrawn_s is None else iso(stop.withdrawn_s),
            withdrawn_by=stop.withdrawn_by or None,
        )


class TemporaryStopList(AnswerBody):
    items: list[TemporaryStopOut]


class DrawOut(AnswerBody):
    """Who has `seed` can draw again: the checkpoints with the lowest HMAC-SHA-256(seed, checkpoint), first 64 bits."""

    id: str = Field(examples=[EXAMPLE_UUID])
    source: str | None = Field(description="id of the inspection; null if somebody asked for it")
    seed: str = Field(examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"])
    pool: list[str]
    count: int
    drawn: list[str] = Field(examples=[["gate-07", "gate-12"]])
    announced_at: Time
    by: str

    @classmethod
    def of(cls, draw: Draw) -> "DrawOut":
        return cls(
            id=draw.id,
            source=draw.source or None,
            seed=draw.seed,
            pool=list(draw.pool),
            count=draw.count,
            drawn=list(draw.drawn),
            announced_at=iso(draw.announced_s),
            by=draw.by,
        )


class DrawList(AnswerBody):
    items: list[DrawOut]
    next: str | None


class CodeOut(AnswerBody):
    checkpoint: str = Field(examples=["gate-07"])
    name: NameOut
    text: str = Field(examples=["GP1:DEMO-727:GATE-07:1:MZXW6YTBOI5DGNBV"], description="of the QR code and the NFC tag")
    path: str = Field(examples=["/api/v1/checkpoint-codes/gate-07"], description="the QR code as a picture")

    @classmethod
    def of(cls, checkpoint: Checkpoint, text: str) -> "CodeOut":
        path = f"/api/v1/checkpoint-codes/{checkpoint.id}"
        return cls(checkpoint=checkpoint.id, name=NameOut.of(checkpoint.name), text=text, path=path)


class CodeList(AnswerBody):
    version: int
    items: list[CodeOut]


class RenewedOut(AnswerBody):
    version: int = Field(description="codes of earlier versions are refused from now on")


class AttemptOut(AnswerBody):
    number: int
    at: Time
    by: ActorOut
    refusal: str = Field(
        examples=["forged"], description="unreadable, foreign_site, old_version, forged, other_checkpoint, not_on_round"
    )
    checkpoint: str | None
    round: str

    @classmethod
    def of(cls, attempt: CodeAttempt) -> "AttemptOut":
        return cls(
            number=attempt.number,
            at=iso(attempt.at_s),
            by=ActorOut.of(attempt.by),
            refusal=attempt.refusal.value,
            checkpoint=attempt.checkpoint or None,
            round=attempt.round,
        )


class AttemptList(AnswerBody):
    items: list[AttemptOut]
    next: int | None
