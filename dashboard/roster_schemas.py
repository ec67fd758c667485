"""What goes over the wire about shifts, changes of the roster, staffing, and supporting teams."""

from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, ConfigDict, Field, StringConstraints

from camera_config.schedule import DAY_MIN
from camera_config.site import Name, Site, Team
from dashboard.schemas import (
    AnswerBody,
    IncidentOut,
    Latitude,
    Longitude,
    NameOut,
    RequestBody,
    SiteId,
    Time,
    Uuid,
    iso,
    printable,
)
from patrol import DOUBT_NAME, FRESH_S, Duty, Incident, RosterChange, StaffingGap, Support, SupportState, TeamState, rest_of
from patrol.shifts import OnShift

__all__ = [
    "BoardOut",
    "BoardRow",
    "DutyList",
    "DutyOut",
    "HelpCallIn",
    "OwnShiftOut",
    "OwnSupportList",
    "OwnSupportOut",
    "RosterChangeIn",
    "RosterChangeList",
    "RosterChangeOut",
    "StaffingGapList",
    "StaffingGapOut",
    "SupportIn",
    "SupportList",
    "SupportMoveIn",
    "SupportOut",
    "minutes_of",
]

Reason = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500), AfterValidator(printable)]
ClockTime = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$"), Field(examples=["19:00"])]

_UUID_EXAMPLE = "0199a3c2-7b1e-7c3a-9d52-3f6b1a2c4d5e"


class DutyOut(AnswerBody):
    """A team works from `begin_at` to `end_at`."""

    team: str = Field(examples=["guards-3-day"])
    begin_at: Time
    end_at: Time
    grid_cells: list[str] = Field(description="served during this shift", examples=[["grid-03-12"]])
    instead_of: str | None = Field(description="the team it stands in for", examples=[None])
    change: str | None = Field(description="the change of the roster that brought it about", examples=[None])

    @classmethod
    def of(cls, duty: Duty) -> "DutyOut":
        return cls(
            team=duty.team,
            begin_at=iso(duty.begin_s),
            end_at=iso(duty.end_s),
            grid_cells=list(duty.grid_cells),
            instead_of=duty.instead_of or None,
            change=duty.change or None,
        )


class DutyList(AnswerBody):
    items: list[DutyOut]


class OwnShiftOut(AnswerBody):
    """What a team is told of its own work."""

    on_shift: bool
    since: Time | None = Field(description="null off shift")
    until: Time | None = Field(description="null off shift, or if the shift has no end within two days")
    grid_cells: list[str] = Field(description="served now, or off shift the team's own", examples=[["grid-03-12"]])
    next: DutyOut | None = Field(description="the next shift within a week, null if the present one has no end")
    load: int = Field(description="dispatched so often in the last 12 hours", examples=[2])
    rest: NameOut | None = Field(description="why others are sent before this team")

    @classmethod
    def of(cls, team: Team, state: TeamState, now: OnShift | None, then: Duty | None, rest: Name | None) -> "OwnShiftOut":
        return cls(
            on_shift=now is not None,
            since=None if now is None else iso(now.since_s),
            until=None if now is None or now.until_s is None else iso(now.until_s),
            grid_cells=list(state.grid_cells or team.grid_cells),
            next=None if then is None else DutyOut.of(then),
            load=state.load,
            rest=None if rest is None else NameOut.of(rest),
        )


class RosterChangeIn(RequestBody):
    """A swap (`other`, `other_day`), leave (`last_day`, and `other` if somebody stands in), or an extra shift (`begin`, `end`).

    Days are those of the site on which a shift begins. `id` is made by the client; the same one again changes nothing.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "id": _UUID_EXAMPLE,
                    "kind": "swap",
                    "team": "guards-3-day",
                    "day": "2026-03-02",
                    "other": "guards-4-day",
                    "other_day": "2026-03-03",
                    "reason": "training",
                },
                {"id": _UUID_EXAMPLE, "kind": "leave", "team": "volunteers-1", "day": "2026-03-02", "last_day": "2026-03-06"},
                {
                    "id": _UUID_EXAMPLE,
                    "kind": "extra",
                    "team": "guards-3-day",
                    "day": "2026-03-02",
                    "begin": "19:00",
                    "end": "02:00",
                },
            ]
        },
    )

    id: Uuid
    kind: Literal["swap", "leave", "extra"]
    team: SiteId
    day: date
    last_day: date | None = None
    other: SiteId | None = None
    other_day: date | None = None
    begin: ClockTime | None = None
    end: ClockTime | None = Field(default=None, description="not after `begin`: on the next day")
    reason: Reason = ""


class RosterChangeOut(AnswerBody):
    id: Uuid
    kind: str = Field(examples=["swap"])
    team: str
    day: date
    last_day: date
    other: str | None
    other_day: date | None
    begin: str | None = Field(examples=["19:00"])
    end: str | None = Field(examples=["02:00"])
    reason: str
    by: str = Field(examples=["wang"])
    made_at: Time
    undone_at: Time | None
    undone_by: str | None

    @classmethod
    def of(cls, change: RosterChange) -> "RosterChangeOut":
        begin, end = change.span or (None, None)
        return cls(
            id=change.id,
            kind=change.kind.value,
            team=change.team,
            day=change.day,
            last_day=change.last_day,
            other=change.other or None,
            other_day=change.other_day,
            begin=None if begin is None else _clock_time(begin),
            end=None if end is None else _clock_time(end - DAY_MIN if end > DAY_MIN else end),
            reason=change.reason,
            by=change.by,
            made_at=iso(change.made_s),
            undone_at=None if change.undone_s is None else iso(change.undone_s),
            undone_by=change.undone_by or None,
        )


class RosterChangeList(AnswerBody):
    items: list[RosterChangeOut]


class StaffingGapOut(AnswerBody):
    """From `begin_at` to `end_at` fewer teams serve a grid cell than the site asks for."""

    grid_cell: str = Field(examples=["grid-03-12"])
    begin_at: Time
    end_at: Time
    needed: int = Field(examples=[2])
    teams: list[str] = Field(description="those that serve it", examples=[["police-west"]])

    @classmethod
    def of(cls, gap: StaffingGap) -> "StaffingGapOut":
        times = {"begin_at": iso(gap.begin_s), "end_at": iso(gap.end_s)}
        return cls(grid_cell=gap.grid_cell, needed=gap.needed, teams=list(gap.teams), **times)


class StaffingGapList(AnswerBody):
    items: list[StaffingGapOut]


class BoardRow(AnswerBody):
    """A team at a glance: what it does, where, until when, how much it has done, and whether it should rest."""

    team: str = Field(examples=["guards-3-day"])
    name: NameOut
    kind: str = Field(examples=["property_guard"])
    call_signs: list[str] = Field(examples=[["Guard 3-1", "Guard 3-2"]])
    skills: list[str]
    equipment: list[str]
    status: str = Field(examples=["en_route"])
    incident: str | None
    incident_number: int | None
    supporting: bool = Field(description="it helps the incident's main team")
    grid_cells: list[str] = Field(description="served now, those of a team it stands in for too")
    on_shift: bool
    shift_until: Time | None = Field(description="null off shift, or if the shift has no end within two days")
    position: Literal["fresh", "stale", "none", "post"] = Field(
        description="none: nothing reported on this shift; post: stationed"
    )
    position_at: Time | None
    doubt: NameOut | None = Field(description="why the newest reported position is not used")
    load: int = Field(description="dispatched so often in the last 12 hours", examples=[2])
    finished: int = Field(description="reports within the hours of the site's rest rule", examples=[1])
    rest: NameOut | None = Field(description="why it comes later in proposals")

    @classmethod
    def of(cls, team: Team, state: TeamState, site: Site, now_s: float) -> "BoardRow":
        rest = rest_of(state, site.dispatch.rest, now_s)
        return cls(
            team=team.id,
            name=NameOut.of(team.name),
            kind=team.kind.value,
            call_signs=list(team.call_signs),
            skills=list(team.skills),
            equipment=list(team.equipment),
            status=state.status.value,
            incident=state.incident or None,
            incident_number=state.incident_number or None,
            supporting=state.supporting,
            grid_cells=list(state.grid_cells or team.grid_cells),
            on_shift=state.on_shift,
            shift_until=None if state.until_s is None else iso(state.until_s),
            position=_freshness(team, state, now_s),
            position_at=None if state.position_at_s is None else iso(state.position_at_s),
            doubt=None if state.doubt is None else NameOut.of(DOUBT_NAME[state.doubt]),
            load=state.load,
            finished=state.finished,
            rest=None if rest is None else NameOut.of(rest),
        )


class BoardOut(AnswerBody):
    at: Time
    items: list[BoardRow]


class SupportIn(RequestBody):
    """Send `team` to support an incident. `id` is made by the client; the same one again sends nobody."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra={"examples": [{"id": _UUID_EXAMPLE, "team": "police-west"}]}
    )

    id: Uuid
    team: SiteId


class SupportMoveIn(RequestBody):
    state: Literal["on_scene", "done"] = Field(examples=["on_scene"])
    at: AwareDatetime | None = Field(default=None, description="when it was so, if that was earlier (offline phone)")


class SupportOut(AnswerBody):
    id: Uuid
    incident: Uuid
    team: str = Field(examples=["police-west"])
    state: Literal["en_route", "on_scene", "done"]
    sent_at: Time
    arrived_at: Time | None
    done_at: Time | None
    by: str = Field(examples=["wang"])

    @classmethod
    def of(cls, support: Support, is_open: bool = True) -> "SupportOut":
        """A support ends with its incident, also where nobody said so."""
        state = support.state if is_open else SupportState.DONE
        return cls(
            id=support.id,
            incident=support.incident,
            team=support.team,
            state=state.value,
            sent_at=iso(support.sent_s),
            arrived_at=None if support.arrived_s is None else iso(support.arrived_s),
            done_at=None if support.done_s is None else iso(support.done_s),
            by=support.by,
        )


class SupportList(AnswerBody):
    items: list[SupportOut]


class OwnSupportOut(SupportOut):
    """What a team supports, with the incident as a phone sees it."""

    about: IncidentOut

    @classmethod
    def with_incident(cls, support: Support, incident: Incident) -> "OwnSupportOut":
        return cls(**dict(SupportOut.of(support, incident.is_open)), about=IncidentOut.of(incident, for_team=True))


class OwnSupportList(AnswerBody):
    items: list[OwnSupportOut]


class HelpCallIn(RequestBody):
    """A team calls for help. Without a place, or with one outside of the sub-district, what is known of the team decides."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"examples": [{"id": _UUID_EXAMPLE, "text": "SOS", "lon": 121.4737, "lat": 31.2304}]},
    )

    id: Uuid
    text: Annotated[Reason, Field(min_length=1)] = "SOS"
    lon: Longitude | None = None
    lat: Latitude | None = None
    at: AwareDatetime | None = Field(default=None, description="when help was called, if that was earlier (offline phone)")


def minutes_of(text: str) -> int:
    """Minutes after midnight of a time such as 19:00."""
    return int(text[:2]) * 60 + int(text[3:])


def _clock_time(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _freshness(team: Team, state: TeamState, now_s: float) -> Literal["fresh", "stale", "none", "post"]:
    if team.stationed:
        return "post"
    if state.position_at_s is None:
        return "none"
    return "fresh" if now_s - state.position_at_s <= FRESH_S else "stale"
