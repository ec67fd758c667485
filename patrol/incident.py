"""Incidents: what people respond to. Records, and the pure functions that lead from one version to the next."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from base import Box, DeniedError, Event, EventKind, TransitionError
from patrol.grid import Locality
from patrol.limits import LIMIT_OF, LIMITS_S
from patrol.proposal import Proposal
from patrol.steps import (
    ASSIGNED,
    OPEN,
    WHO_MAY,
    Condition,
    Party,
    Signal,
    Step,
    Verdict,
    Work,
    condition_after,
    verdicts,
    work_after,
)

__all__ = [
    "Actor",
    "ActorKind",
    "Command",
    "CommandError",
    "Conflict",
    "Due",
    "Flag",
    "Happening",
    "HistoryEntry",
    "Incident",
    "advance",
    "join",
    "joins",
    "open_incident",
]

FUTURE_S = 2.0
"""How far ahead of our clock a phone's clock may be before its command is refused."""

TEXT_MAX = 4000
"""Characters of a note or report; a page of A4 has about 1,800."""

CAUSE_MAX = 200


class ActorKind(StrEnum):
    USER = "user"
    TEAM = "team"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did something. `id` is the user's or the team's, `name` what people read in the history years later."""

    kind: ActorKind
    id: str
    name: str


SYSTEM = Actor(ActorKind.SYSTEM, "gridpatrol", "Gridpatrol")


class Flag(StrEnum):
    """What the history notes about an entry beside what was said."""

    ON_BEHALF = "on_behalf"  # an operator did a team's step by radio
    LATE = "late"  # done offline, arrived more than 30 s after it was done
    TIME_RAISED = "time_raised"  # said to be done before the stage it follows; counted from that stage instead
    OFF_SHIFT = "off_shift"  # the dispatched team was not on shift


LATE_S = 30.0


class Happening(StrEnum):
    """What the system itself writes into a history; steps are what people do."""

    OPENED = "opened"
    JOINED = "joined"


@dataclass(frozen=True, slots=True)
class Command:
    """One step somebody wants to take. `id` is made by the client (UUID); the same id is only ever carried out once.

    `version` is the incident's version the person looked at. `at_s` is when it was done, UTC, which for a phone that was
    offline lies in the past.
    """

    id: str
    incident: str
    step: Step
    version: int
    by: Actor
    at_s: float
    team: str = ""  # dispatch: the team to send
    text: str = ""  # report: required; else a note
    verdict: Verdict | None = None  # close: required
    cause: str = ""  # close with false_alarm: required


@dataclass(frozen=True, slots=True)
class Due:
    """The next step that has a time limit, and until when (UTC)."""

    step: Step
    at_s: float


@dataclass(frozen=True, slots=True)
class Incident:
    """One matter, from the first event to the verdict. Every change makes a new value with the next `version`."""

    id: str  # UUIDv7
    number: int  # what people call it: runs without gaps
    kind: EventKind
    label: str  # of the best event
    severity: int  # highest of its events, 1 (highest) – 4
    camera: str
    compound: str
    grid_cell: str
    community: str
    lon: float | None
    lat: float | None
    condition: Condition
    work: Work
    owner: Actor | None  # None iff nobody ever acknowledged or closed it
    team: str  # the team last sent, empty if none or if it refused
    version: int
    decided: int  # version of the last step that changed the work or the owner; commands from before it are stale
    began_s: float  # first seen in the picture
    opened_s: float
    last_event_s: float
    event_count: int
    best_event: str  # id of the event with the highest score
    box: Box  # of the best event
    score: float  # of the best event
    since_s: float  # since when the work is where it is
    stages: Mapping[Work, float] = field(default_factory=dict)  # when each stage was reached; a refusal takes two back
    refused: tuple[str, ...] = ()  # teams that refused, in order
    verdict: Verdict | None = None  # set iff closed
    cause: str = ""
    proposal: Proposal | None = None

    @property
    def is_open(self) -> bool:
        return self.work in OPEN

    @property
    def due(self) -> Due | None:
        """The next step with a limit; None when closed. The arrival clock runs from acceptance, through departure."""
        step = LIMIT_OF.get(self.work)
        if step is None:
            return None
        start_s = self.stages[Work.ACCEPTED] if self.work is Work.EN_ROUTE else self.since_s
        return Due(step, start_s + LIMITS_S[self.severity][step])


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One line of an incident's history, which is only ever added to. `version` and `work` are those after it."""

    incident: str
    version: int
    step: Step | Happening
    work: Work
    at_s: float  # when it was done
    recorded_s: float  # when we learned of it
    by: Actor
    team: str = ""
    text: str = ""
    verdict: Verdict | None = None
    cause: str = ""
    event: str = ""  # opened, joined: the event's id
    command: str = ""  # steps: the command's id
    flags: tuple[Flag, ...] = ()


class CommandError(TransitionError):
    """The command itself is wrong or incomplete; it would be refused from any state."""


class Conflict(TransitionError):
    """Somebody else was faster. `current` is the incident as it is now."""

    def __init__(self, sentence: str, current: Incident) -> None:
        super().__init__(sentence)
        self.current = current


def open_incident(event: Event, incident: str, number: int, where: Locality, now_s: float) -> tuple[Incident, HistoryEntry]:
    """The incident that `event` opens, with its first line of history."""
    opened = Incident(
        id=incident,
        number=number,
        kind=event.kind,
        label=event.label,
        severity=event.severity,
        camera=event.camera,
        compound=where.compound,
        grid_cell=where.grid_cell,
        community=where.community,
        lon=where.lon,
        lat=where.lat,
        condition=condition_after(Condition.NORMAL, Signal.EVENT),
        work=Work.NEW,
        owner=None,
        team="",
        version=1,
        decided=1,
        began_s=event.began_s,
        opened_s=now_s,
        last_event_s=_last_seen_s(event),
        event_count=1,
        best_event=event.id,
        box=event.box,
        score=event.score,
        since_s=now_s,
        stages={Work.NEW: now_s},
    )
    return opened, _happening(opened, Happening.OPENED, event, now_s)


def joins(event: Event, incident: Incident, dead_time_s: float) -> bool:
    """Whether `event` belongs to the open `incident`: same camera and kind, at most `dead_time_s` after its last event.

    An event that arrives late (older than the incident's newest) joins as long as it is not older than the same time
    before the incident began.
    """
    if not incident.is_open or (event.camera, event.kind) != (incident.camera, incident.kind):
        return False
    return incident.began_s - dead_time_s <= event.raised_s <= incident.last_event_s + dead_time_s


def join(event: Event, incident: Incident, now_s: float) -> tuple[Incident, HistoryEntry]:
    """`incident` with `event` added. Does not make anybody's command stale: only people decide."""
    is_best = event.score > incident.score
    joined = replace(
        incident,
        version=incident.version + 1,
        condition=condition_after(incident.condition, Signal.EVENT),
        severity=min(incident.severity, event.severity),
        began_s=min(incident.began_s, event.began_s),
        last_event_s=max(incident.last_event_s, _last_seen_s(event)),
        event_count=incident.event_count + 1,
        best_event=event.id if is_best else incident.best_event,
        label=event.label if is_best else incident.label,
        box=event.box if is_best else incident.box,
        score=event.score if is_best else incident.score,
    )
    return joined, _happening(joined, Happening.JOINED, event, now_s)


def advance(incident: Incident, command: Command, now_s: float) -> tuple[Incident, HistoryEntry]:
    """`incident` after `command`, with its line of history. The arguments stay as they are.

    Raises CommandError if the command is incomplete or comes from the future, Conflict if somebody decided something since
    `command.version`, DeniedError if the actor may not do this, TransitionError if the step is not legal from here.
    """
    _check_command(command, now_s)
    _check_version(incident, command)
    after = work_after(incident.work, command.step)
    _check_party(incident, command)
    _check_content(incident, command)
    at_s = min(command.at_s, now_s)
    if command.step is not Step.NOTE:
        at_s = max(at_s, incident.since_s)
    changed = _changed(incident, command, after, at_s)
    return changed, HistoryEntry(
        incident=incident.id,
        version=changed.version,
        step=command.step,
        work=after,
        at_s=at_s,
        recorded_s=now_s,
        by=command.by,
        team=command.team if command.step is Step.DISPATCH else incident.team,
        text=command.text,
        verdict=changed.verdict if command.step is Step.CLOSE else None,
        cause=changed.cause if command.step is Step.CLOSE else "",
        command=command.id,
        flags=_flags(incident, command, now_s),
    )


def _check_command(command: Command, now_s: float) -> None:
    if not 1 <= len(command.id) <= 64:
        raise CommandError(f"a command needs an id of 1 to 64 characters made by the client, got {len(command.id)} characters")
    if not math.isfinite(command.at_s) or command.at_s > now_s + FUTURE_S:
        ahead_s = command.at_s - now_s
        raise CommandError(
            f"the step {command.step} claims to be done {ahead_s:.0f} s in the future; check the clock of the device"
        )
    for name, text, longest in (("text", command.text, TEXT_MAX), ("cause", command.cause, CAUSE_MAX)):
        if len(text) > longest:
            raise CommandError(f"{name}: expected at most {longest} characters, got {len(text)}")
        if "\x00" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
            raise CommandError(f"{name}: expected readable text, got a NUL character or half a surrogate pair")
    if command.step is Step.DISPATCH and not command.team:
        raise CommandError("dispatch needs the team to send")
    if command.step in (Step.REPORT, Step.NOTE) and not command.text.strip():
        raise CommandError(f"{command.step} needs a text")
    if command.step is Step.CLOSE and command.verdict is None:
        raise CommandError(f"close needs a verdict: one of {', '.join(Verdict)}")
    if command.step is Step.CLOSE and command.verdict is Verdict.FALSE_ALARM and not command.cause.strip():
        raise CommandError("close as false_alarm needs a cause, for example light, rain, animal or resident")


def _check_version(incident: Incident, command: Command) -> None:
    if incident.decided <= command.version <= incident.version:
        return
    if command.step is Step.NOTE and 1 <= command.version <= incident.version:
        return  # a note overrides nothing
    owner = f", owner {incident.owner.name}" if incident.owner else ""
    raise Conflict(
        f"incident {incident.number} has changed: it is at version {incident.version} ({incident.work}{owner}), "
        f"the {command.step} was meant for version {command.version}",
        incident,
    )


def _check_party(incident: Incident, command: Command) -> None:
    parties, by = WHO_MAY[command.step], command.by
    if by.kind is ActorKind.USER:
        if Party.OPERATOR in parties or incident.owner is None or incident.owner.id == by.id:
            return
        raise DeniedError(
            f"incident {incident.number} belongs to {incident.owner.name}; take it over before the step {command.step}"
        )
    if by.kind is ActorKind.TEAM and Party.TEAM in parties:
        if incident.team == by.id:
            return
        raise DeniedError(
            f"incident {incident.number} is not assigned to team {by.name}, so it may not do the step {command.step}"
        )
    raise DeniedError(f"the step {command.step} is for {' or '.join(sorted(parties))}, not for the {by.kind} {by.name}")


def _check_content(incident: Incident, command: Command) -> None:
    """What depends on both: owner, team and verdict against the state. Raises TransitionError."""
    if command.step is Step.TAKE_OVER and incident.owner is not None and incident.owner.id == command.by.id:
        raise TransitionError(f"incident {incident.number} already belongs to {incident.owner.name}")
    if command.step is Step.DISPATCH and incident.work is Work.DISPATCHED and command.team == incident.team:
        raise TransitionError(f"team {command.team} is already dispatched to incident {incident.number}")
    if command.step is Step.CLOSE and command.verdict not in verdicts(incident.work):
        allowed = ", ".join(sorted(verdicts(incident.work)))
        raise TransitionError(
            f"the step close as {command.verdict} is not legal while the work is {incident.work}, before a team has reported; "
            f"legal here: close as {allowed}"
        )


def _changed(incident: Incident, command: Command, after: Work, at_s: float) -> Incident:
    """The next version; everything has been checked."""
    version = incident.version + 1
    if command.step is Step.NOTE:
        return replace(incident, version=version)
    changed = replace(incident, version=version, decided=version)
    if command.step is Step.TAKE_OVER:
        return replace(changed, owner=command.by)
    changed = replace(changed, work=after, since_s=at_s, stages={**incident.stages, after: at_s})
    match command.step:
        case Step.ACKNOWLEDGE:
            return replace(changed, owner=command.by, condition=condition_after(incident.condition, Signal.ACKNOWLEDGE))
        case Step.DISPATCH:
            return replace(changed, team=command.team)
        case Step.REFUSE:
            # Acknowledged stays when it was; only the clock of the next dispatch starts again.
            kept = {stage: when_s for stage, when_s in incident.stages.items() if stage not in ASSIGNED}
            return replace(changed, team="", refused=(*incident.refused, incident.team), stages=kept)
        case Step.CLOSE:
            return replace(
                changed,
                owner=incident.owner or command.by,
                condition=condition_after(incident.condition, Signal.CLOSE),
                verdict=command.verdict,
                cause=command.cause.strip(),
            )
    return changed


def _flags(incident: Incident, command: Command, now_s: float) -> tuple[Flag, ...]:
    facts = {
        Flag.ON_BEHALF: command.by.kind is ActorKind.USER
        and Party.TEAM in WHO_MAY[command.step]
        and command.step is not Step.NOTE,
        Flag.LATE: now_s - command.at_s > LATE_S,
        Flag.TIME_RAISED: command.at_s < incident.since_s and command.step is not Step.NOTE,
    }
    return tuple(flag for flag, holds in facts.items() if holds)


def _last_seen_s(event: Event) -> float:
    return event.raised_s if event.ended_s is None else max(event.raised_s, event.ended_s)


def _happening(incident: Incident, step: Happening, event: Event, now_s: float) -> HistoryEntry:
    return HistoryEntry(
        incident=incident.id,
        version=incident.version,
        step=step,
        work=incident.work,
        at_s=event.raised_s,
        recorded_s=now_s,
        by=SYSTEM,
        event=event.id,
    )
