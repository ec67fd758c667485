"""One step of a person or a team: what it needs, who may, and what the incident is afterwards."""

import math
from dataclasses import replace

from base import DeniedError, TransitionError
from patrol.incident import Actor, ActorKind, Command, CommandError, Conflict, Flag, HistoryEntry, Incident
from patrol.steps import ASSIGNED, WHO_MAY, Condition, Party, Signal, Step, Verdict, Work, condition_after, verdicts, work_after

__all__ = [
    "FUTURE_S",
    "SHELF_MAX_S",
    "TEXT_MAX",
    "admit",
    "advance",
    "carried_out",
    "check_text",
    "closed",
    "ended",
    "entry_of_step",
    "led_to",
    "unshelved",
]

FUTURE_S = 2.0
"""How far ahead of our clock a phone's clock may be before its command is refused."""

LATE_S = 30.0

TEXT_MAX = 4000
"""Characters of a note or report; a page of A4 has about 1,800."""

CAUSE_MAX = 200

SHELF_MAX_S = 8 * 3600.0
"""How long an alarm may be shelved: a shift, so that who takes over hears of it."""

HIGHEST = 1
"""The severity that is never shelved."""

_NEEDS_TEXT = frozenset({Step.REPORT, Step.NOTE, Step.SHELVE, Step.PAUSE, Step.REOPEN})
_DECIDES_NOTHING = frozenset({Step.NOTE, Step.SHELVE, Step.UNSHELVE, Step.PAUSE, Step.RESUME})
"""Steps after which another person's step is not stale: they change neither work nor owner."""


def advance(incident: Incident, command: Command, now_s: float) -> tuple[Incident, HistoryEntry]:
    """`incident` after `command`, with its line of history. The arguments stay as they are.

    Raises CommandError if the command is incomplete or comes from the future, Conflict if somebody decided something since
    `command.version`, DeniedError if the actor may not do this, TransitionError if the step is not legal from here.
    """
    if command.step in (Step.MERGE, Step.SPLIT):
        raise CommandError(f"{command.step} concerns two incidents and has a path of its own")
    at_s = admit(incident, command, now_s)
    changed = carried_out(incident, command, work_after(incident.work, command.step), at_s)
    return changed, entry_of_step(incident, changed, command, at_s, now_s)


def admit(incident: Incident, command: Command, now_s: float) -> float:
    """Check everything about `command`; when it counts as done, UTC. Raises as `advance` does."""
    _check_command(command, now_s)
    _check_version(incident, command)
    work_after(incident.work, command.step)
    _check_party(incident, command)
    _check_content(incident, command)
    at_s = min(command.at_s, now_s)
    return at_s if command.step is Step.NOTE else max(at_s, _earliest_s(incident, command.step))


def entry_of_step(incident: Incident, changed: Incident, command: Command, at_s: float, now_s: float) -> HistoryEntry:
    """The line of history of `command`, which led from `incident` to `changed`."""
    closes = incident.is_open and not changed.is_open
    return HistoryEntry(
        incident=incident.id,
        version=changed.version,
        step=command.step,
        work=changed.work,
        at_s=at_s,
        recorded_s=now_s,
        by=command.by,
        team=command.team if command.step is Step.DISPATCH else incident.team,
        text=command.text,
        verdict=changed.verdict if closes else None,
        cause=changed.cause if closes else "",
        command=command.id,
        flags=_flags(incident, command, now_s),
        other=command.other,
        until_s=changed.shelved_until_s if command.step is Step.SHELVE else None,
    )


def check_text(name: str, text: str, longest: int = TEXT_MAX) -> None:
    """Return if a database and a page can take this text; raises CommandError."""
    if len(text) > longest:
        raise CommandError(f"{name}: expected at most {longest} characters, got {len(text)}")
    if "\x00" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise CommandError(f"{name}: expected readable text, got a NUL character or half a surrogate pair")


def _check_command(command: Command, now_s: float) -> None:
    if not 1 <= len(command.id) <= 64:
        raise CommandError(f"a command needs an id of 1 to 64 characters made by the client, got {len(command.id)} characters")
    if not math.isfinite(command.at_s) or command.at_s > now_s + FUTURE_S:
        ahead_s = command.at_s - now_s
        raise CommandError(
            f"the step {command.step} claims to be done {ahead_s:.0f} s in the future; check the clock of the device"
        )
    check_text("text", command.text)
    check_text("cause", command.cause, CAUSE_MAX)
    if command.step is Step.DISPATCH and not command.team:
        raise CommandError("dispatch needs the team to send")
    if command.step in _NEEDS_TEXT and not command.text.strip():
        raise CommandError(f"{command.step} needs a text")
    if command.step is Step.CLOSE and command.verdict is None:
        raise CommandError(f"close needs a verdict: one of {', '.join(Verdict)}")
    if command.step is Step.CLOSE and not command.cause.strip():
        raise CommandError(f"close as {command.verdict} needs a cause, for example light, rain, trespass or dispute")
    if command.step is Step.SHELVE and not (command.until_s is not None and now_s < command.until_s <= now_s + SHELF_MAX_S):
        raise CommandError(f"shelve needs a time when it ends, at most {SHELF_MAX_S / 3600:.0f} hours from now")
    if command.step is Step.MERGE and not command.other:
        raise CommandError("merge needs the incident to merge into")
    if command.step is Step.SPLIT and not command.events:
        raise CommandError("split needs the events that are another matter")


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
    """What depends on both, the command and the state. Raises TransitionError."""
    match command.step:
        case Step.TAKE_OVER if incident.owner is not None and incident.owner.id == command.by.id:
            raise TransitionError(f"incident {incident.number} already belongs to {incident.owner.name}")
        case Step.DISPATCH if incident.work is Work.DISPATCHED and command.team == incident.team:
            raise TransitionError(f"team {command.team} is already dispatched to incident {incident.number}")
        case Step.CLOSE if command.verdict not in verdicts(incident.work, incident.severity):
            allowed = ", ".join(sorted(verdicts(incident.work, incident.severity)))
            lack = "it was verified" if incident.work is Work.REPORTED else "a team has reported"
            raise TransitionError(
                f"the step close as {command.verdict} is not legal while the work is {incident.work}, before {lack}; "
                f"legal here: close as {allowed}"
            )
        case Step.SHELVE if incident.severity == HIGHEST:
            raise TransitionError(f"incident {incident.number} is of severity {HIGHEST}; such an alarm is never shelved")
        case Step.SHELVE:
            condition_after(incident.condition, Signal.SHELVE)
        case Step.UNSHELVE:
            condition_after(incident.condition, Signal.UNSHELVE)
        case Step.PAUSE if incident.paused_since_s is not None:
            raise TransitionError(f"the clock of incident {incident.number} already stands still")
        case Step.RESUME if incident.paused_since_s is None:
            raise TransitionError(f"the clock of incident {incident.number} does not stand still")
        case Step.REOPEN if incident.duplicate_of:
            raise TransitionError(f"incident {incident.number} was merged into another one; reopen that one")


def _earliest_s(incident: Incident, step: Step) -> float:
    """Before which moment a step cannot have been done; of pauses only those that it would overlap count."""
    pause_s = incident.pauses[-1][1] if incident.pauses else incident.since_s
    if step is Step.RESUME and incident.paused_since_s is not None:
        pause_s = incident.paused_since_s
    return max(incident.since_s, pause_s) if step in (Step.PAUSE, Step.RESUME) else incident.since_s


def carried_out(incident: Incident, command: Command, after: Work, at_s: float) -> Incident:
    """The next version, after a step that leads to `after`; everything has been checked."""
    version = incident.version + 1
    if command.step in _DECIDES_NOTHING:
        return replace(_aside(incident, command, at_s), version=version)
    changed = replace(incident, version=version, decided=version)
    if command.step is Step.TAKE_OVER:
        # A team that was sent by rule left the alarm unacknowledged; who takes the incident over has heard it.
        is_unheard = incident.condition is Condition.UNACKNOWLEDGED
        heard = condition_after(incident.condition, Signal.ACKNOWLEDGE) if is_unheard else incident.condition
        return replace(changed, owner=command.by, condition=heard)
    changed = replace(_with_clock(changed, command.step, at_s), work=after, since_s=at_s, stages=_stages(incident, after, at_s))
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
            assert command.verdict is not None
            return closed(changed, command.by, command.verdict, command.cause.strip())
        case Step.REOPEN:
            alarmed = condition_after(condition_after(incident.condition, Signal.EVENT), Signal.ACKNOWLEDGE)
            return replace(changed, owner=command.by, condition=alarmed, team="", refused=(), verdict=None, cause="")
    return changed


def _aside(incident: Incident, command: Command, at_s: float) -> Incident:
    """What shelving, pausing and their ends change; nothing for a note."""
    match command.step:
        case Step.SHELVE:
            condition = condition_after(incident.condition, Signal.SHELVE)
            return replace(incident, condition=condition, shelved_until_s=command.until_s)
        case Step.UNSHELVE:
            return unshelved(incident)
        case Step.PAUSE:
            return replace(incident, paused_since_s=at_s)
        case Step.RESUME:
            assert incident.paused_since_s is not None
            return replace(incident, pauses=(*incident.pauses, (incident.paused_since_s, at_s)), paused_since_s=None)
    return incident


def unshelved(incident: Incident) -> Incident:
    """`incident` taken off the shelf: it sounds again, unless somebody has it in hand."""
    condition = condition_after(incident.condition, Signal.UNSHELVE)
    if incident.work is not Work.NEW:
        condition = condition_after(condition, Signal.ACKNOWLEDGE)
    return replace(incident, condition=condition, shelved_until_s=None)


def _with_clock(incident: Incident, step: Step, at_s: float) -> Incident:
    """A step that moves the work ends a pause and starts the next clock; departing lets the clock of arriving run on."""
    if step is not Step.DEPART:
        return incident.next_clock()
    since_s = incident.paused_since_s
    pauses = incident.pauses if since_s is None or since_s >= at_s else (*incident.pauses, (since_s, at_s))
    return replace(incident, pauses=pauses, paused_since_s=None)


def _stages(incident: Incident, after: Work, at_s: float) -> dict[Work, float]:
    order = list(Work)
    earlier = {stage: when_s for stage, when_s in incident.stages.items() if order.index(stage) < order.index(after)}
    return earlier | {after: at_s}


def closed(changed: Incident, by: Actor, verdict: Verdict, cause: str) -> Incident:
    """`changed` with everything that an incident keeps when it is closed; who closes what nobody owns becomes its owner."""
    return replace(
        changed,
        owner=changed.owner or by,
        condition=condition_after(changed.condition, Signal.CLOSE),
        shelved_until_s=None,
        verdict=verdict,
        cause=cause,
    )


def led_to(incident: Incident, work: Work, at_s: float) -> Incident:
    """The next version of `incident`, brought to `work` otherwise than by a person's step, with the next clock."""
    version = incident.version + 1
    return replace(incident.next_clock(), version=version, decided=version, work=work, since_s=at_s)


def ended(incident: Incident, by: Actor, verdict: Verdict, cause: str, at_s: float) -> Incident:
    """The next version of `incident`, closed otherwise than by the step `close`."""
    done = replace(led_to(incident, Work.CLOSED, at_s), stages={**incident.stages, Work.CLOSED: at_s})
    return closed(done, by, verdict, cause)


def _flags(incident: Incident, command: Command, now_s: float) -> tuple[Flag, ...]:
    facts = {
        Flag.ON_BEHALF: command.by.kind is ActorKind.USER
        and Party.TEAM in WHO_MAY[command.step]
        and command.step is not Step.NOTE,
        Flag.LATE: now_s - command.at_s > LATE_S,
        Flag.TIME_RAISED: command.at_s < incident.since_s and command.step is not Step.NOTE,
    }
    return tuple(flag for flag, holds in facts.items() if holds)
