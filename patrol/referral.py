"""Referrals (转办): an incident handed to another line, with its own limits. Records, one table of legal steps, clocks. Pure.

Whoever has the incident answers for it until the desk has accepted, and again once the desk has returned it. While a desk
answers, the incident's own clock stands still and the desk's runs. A referral is about an incident and holds no person.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from base import DeniedError, TransitionError
from camera_config.desks import Desk
from camera_config.site import Site
from patrol.advance import TEXT_MAX, check_text
from patrol.calendar import Calendar
from patrol.clocks import MARKS, Clocks, shares_of
from patrol.incident import SYSTEM, Actor, ActorKind, CommandError, Flag, Happening, HistoryEntry, Incident, Level
from patrol.steps import Step, Work

__all__ = [
    "OPEN_REFERRAL",
    "REFERRAL_AFTER",
    "DeskClocks",
    "Referral",
    "ReferralCommand",
    "ReferralEntry",
    "ReferralState",
    "ReferralStep",
    "go_on",
    "refer",
    "stand_still",
    "take_referral_step",
]


class ReferralState(StrEnum):
    SENT = "sent"  # the desk has not said yet that it takes the matter
    ACCEPTED = "accepted"
    DONE = "done"
    RETURNED = "returned"
    WITHDRAWN = "withdrawn"


class ReferralStep(StrEnum):
    REFER = "refer"
    RECEIVE = "receive"  # 签收: the desk takes it, and answers for it from now on
    FEEDBACK = "feedback"  # 反馈: how far it is; the clock of feedback starts again
    DONE = "done"  # 办结: with the result
    RETURN = "return"  # 退回: with the reason
    WITHDRAW = "withdraw"  # 撤回: the owner takes it back, with the reason


OPEN_REFERRAL = frozenset({ReferralState.SENT, ReferralState.ACCEPTED})

REFERRAL_AFTER: dict[tuple[ReferralState, ReferralStep], ReferralState] = {
    (ReferralState.SENT, ReferralStep.RECEIVE): ReferralState.ACCEPTED,
    (ReferralState.SENT, ReferralStep.RETURN): ReferralState.RETURNED,
    (ReferralState.SENT, ReferralStep.WITHDRAW): ReferralState.WITHDRAWN,
    (ReferralState.ACCEPTED, ReferralStep.FEEDBACK): ReferralState.ACCEPTED,
    (ReferralState.ACCEPTED, ReferralStep.DONE): ReferralState.DONE,
    (ReferralState.ACCEPTED, ReferralStep.RETURN): ReferralState.RETURNED,
    (ReferralState.ACCEPTED, ReferralStep.WITHDRAW): ReferralState.WITHDRAWN,
}
"""Every legal step after `refer` and where it leads; what is not here raises TransitionError."""

_NEEDS_TEXT = frozenset(ReferralStep) - {ReferralStep.RECEIVE}
_BY_OWNER = frozenset({ReferralStep.REFER, ReferralStep.WITHDRAW})
_CLOCK_OF = {ReferralState.SENT: ReferralStep.RECEIVE, ReferralState.ACCEPTED: ReferralStep.FEEDBACK}


@dataclass(frozen=True, slots=True)
class ReferralCommand:
    """One step somebody wants to take. `id` is made by the client (UUID); that of `refer` becomes the referral's id."""

    id: str
    step: ReferralStep
    by: Actor
    text: str = ""  # why, or the feedback; only `receive` may be without
    referral: str = ""  # all but refer
    incident: str = ""  # refer
    desk: str = ""  # refer


@dataclass(frozen=True, slots=True)
class Referral:
    """One incident at one desk, as it is now."""

    id: str
    incident: str
    number: int  # of the incident
    desk: str
    state: ReferralState
    reason: str  # why it was referred
    by: Actor  # who referred it
    version: int  # how many lines of history there are
    sent_s: float
    since_s: float  # since when the running clock runs
    accepted_s: float | None = None
    ended_s: float | None = None  # set iff done, returned or withdrawn
    stopped_s: float | None = None  # since when the incident's clock stands still for this referral; None: it does not
    told: int = 0  # how many of the marks of the running clock were told, see clocks.py
    due_s: float | None = None  # when the running clock reaches its limit. Set by DeskClocks.timed
    look_s: float | None = None  # when there is something to tell next. Set by DeskClocks.timed

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_REFERRAL

    @property
    def desk_answers(self) -> bool:
        """Whether the desk answers for the matter now; else the owner of the incident does."""
        return self.state is ReferralState.ACCEPTED

    @property
    def clock(self) -> ReferralStep | None:
        """The step that is due; None when it is over."""
        return _CLOCK_OF.get(self.state)


@dataclass(frozen=True, slots=True)
class ReferralEntry:
    """One line of a referral's history, which is only ever added to. `version` and `state` are those after it."""

    referral: str
    version: int
    step: ReferralStep | Happening  # warned, breached, escalated, as with incidents
    state: ReferralState
    at_s: float  # when it was done, or fell due
    recorded_s: float
    by: Actor
    text: str = ""
    command: str = ""  # steps: the command's id
    flags: tuple[Flag, ...] = ()
    clock: ReferralStep | None = None  # warned, breached, escalated: the step that was due
    level: Level | None = None  # breached, escalated: who heard of it
    place: str = ""  # breached, escalated: the place or section of that level


def refer(incident: Incident, desk: Desk, command: ReferralCommand, now_s: float) -> tuple[Referral, ReferralEntry]:
    """The referral of `incident` to `desk`, with its first line of history.

    Raises CommandError for an incomplete command, DeniedError unless it comes from the incident's owner, TransitionError if the
    incident is closed, nobody's, or does not lie where the desk serves.
    """
    _check_command(command)
    if not incident.is_open:
        raise TransitionError(f"incident {incident.number} is closed; reopen it before it is referred")
    _check_owner(incident, command)
    if desk.places and not {incident.grid_cell, incident.compound, incident.community} & set(desk.places):
        raise TransitionError(f"the desk {desk.id} does not serve the place of incident {incident.number}")
    referral = Referral(
        id=command.id,
        incident=incident.id,
        number=incident.number,
        desk=desk.id,
        state=ReferralState.SENT,
        reason=command.text.strip(),
        by=command.by,
        version=1,
        sent_s=now_s,
        since_s=now_s,
    )
    return referral, _entry_of_step(referral, command, now_s)


def take_referral_step(
    referral: Referral, incident: Incident, desk: Desk | None, command: ReferralCommand, now_s: float
) -> tuple[Referral, ReferralEntry]:
    """`referral` after `command`, with its line of history. `desk` None: the site has it no longer; anybody may end the matter.

    Raises CommandError for an incomplete command, DeniedError if the actor may not do this, TransitionError if it is not legal.
    """
    _check_command(command)
    after = REFERRAL_AFTER.get((referral.state, command.step))
    if after is None:
        legal = ", ".join(step for step in ReferralStep if (referral.state, step) in REFERRAL_AFTER) or "nothing"
        raise TransitionError(f"the step {command.step} is not legal while the referral is {referral.state}; legal here: {legal}")
    if command.step is ReferralStep.WITHDRAW:
        _check_owner(incident, command)
    else:
        _check_desk(desk, command)
    at_s = max(now_s, referral.since_s)  # the wall clock may have been set back
    is_over = after not in OPEN_REFERRAL
    changed = replace(
        referral,
        state=after,
        version=referral.version + 1,
        since_s=at_s,
        accepted_s=at_s if command.step is ReferralStep.RECEIVE else referral.accepted_s,
        ended_s=at_s if is_over else None,
        told=0,
    )
    flags = (Flag.ON_BEHALF,) if command.step not in _BY_OWNER and not (desk and desk.users) else ()
    return changed, replace(_entry_of_step(changed, command, now_s), at_s=at_s, flags=flags)


def stand_still(incident: Incident, desk: str, entry: ReferralEntry) -> tuple[Incident, HistoryEntry] | None:
    """`incident` with its clock standing still while `desk` answers for it; None if no clock runs."""
    if not incident.is_open or incident.work is Work.NEW or incident.paused_since_s is not None:
        return None
    at_s = max(entry.at_s, incident.since_s, *(until_s for _, until_s in incident.pauses))
    paused = replace(incident, version=incident.version + 1, paused_since_s=at_s)
    return paused, _incident_entry(paused, Step.PAUSE, f"accepted by the desk {desk}", at_s, entry)


def go_on(incident: Incident, referral: Referral, entry: ReferralEntry) -> tuple[Incident, HistoryEntry] | None:
    """`incident` with its clock running again; None if it no longer stands still for `referral`."""
    paused_s = incident.paused_since_s
    if paused_s is None or paused_s != referral.stopped_s:
        return None
    at_s = max(entry.at_s, paused_s)
    running = replace(incident, version=incident.version + 1, pauses=(*incident.pauses, (paused_s, at_s)), paused_since_s=None)
    return running, _incident_entry(running, Step.RESUME, f"the desk {referral.desk}: {entry.step}", at_s, entry)


class DeskClocks:
    """The clocks of a site's referrals: opening hours of each desk, marks as those of incidents. Safe from any thread."""

    def __init__(self, site: Site, clocks: Clocks) -> None:
        self._desks = site.desk_by_id
        self._calendar = Calendar(site.zone_info, site.holidays)
        self._shares = shares_of(site.time_limits)
        self._clocks = clocks

    def timed(self, referral: Referral) -> Referral:
        """`referral` with its limit and when there is something to tell next. Every stored referral went through here."""
        look_s = self._moment_s(referral, self._shares[referral.told]) if referral.told < len(MARKS) else None
        return replace(referral, due_s=self._moment_s(referral, 1.0), look_s=look_s)

    def tell(
        self, referral: Referral, incident: Incident, by_s: float, now_s: float
    ) -> tuple[Referral, tuple[ReferralEntry, ...]]:
        """`referral` after every mark that fell due by `by_s`, each with a line of history."""
        entries: list[ReferralEntry] = []
        while referral.told < len(MARKS):
            at_s = self._moment_s(referral, self._shares[referral.told])
            if at_s is None or at_s > by_s:
                break
            happening, level = MARKS[referral.told]
            referral = replace(referral, version=referral.version + 1, told=referral.told + 1)
            entries.append(
                ReferralEntry(
                    referral=referral.id,
                    version=referral.version,
                    step=happening,
                    state=referral.state,
                    at_s=at_s,
                    recorded_s=now_s,
                    by=SYSTEM,
                    clock=referral.clock,
                    level=level,
                    place="" if level is None else self._clocks.place_of(level, incident),
                )
            )
        return self.timed(referral), tuple(entries)

    def _moment_s(self, referral: Referral, share: float) -> float | None:
        """When the running clock reaches `share` of its limit; None if none runs, or the site has the desk no longer."""
        desk = self._desks.get(referral.desk)
        if desk is None or referral.clock is None:
            return None
        limit_min = desk.receipt_min if referral.clock is ReferralStep.RECEIVE else desk.feedback_min
        return self._calendar.after(desk.opening_hours, referral.since_s, share * 60 * limit_min)


def _check_command(command: ReferralCommand) -> None:
    check_text("text", command.text, TEXT_MAX)
    if command.step in _NEEDS_TEXT and not command.text.strip():
        raise CommandError(f"{command.step} needs a text")


def _check_owner(incident: Incident, command: ReferralCommand) -> None:
    owner = incident.owner
    if owner is None:
        raise TransitionError(
            f"incident {incident.number} is nobody's; acknowledge it first, for its owner answers until a desk accepts"
        )
    if owner.id != command.by.id:
        raise DeniedError(
            f"incident {incident.number} belongs to {owner.name}; take it over before the step {command.step} of a referral"
        )


def _check_desk(desk: Desk | None, command: ReferralCommand) -> None:
    if command.by.kind is not ActorKind.USER:
        raise DeniedError(f"the step {command.step} of a referral is for people at the control room or the desk")
    if desk is not None and desk.users and command.by.name not in desk.users:
        raise DeniedError(f"the desk {desk.id} is answered for by {', '.join(desk.users)}, not by {command.by.name}")


def _entry_of_step(referral: Referral, command: ReferralCommand, now_s: float) -> ReferralEntry:
    return ReferralEntry(
        referral=referral.id,
        version=referral.version,
        step=command.step,
        state=referral.state,
        at_s=referral.since_s,
        recorded_s=now_s,
        by=command.by,
        text=command.text.strip(),
        command=command.id,
    )


def _incident_entry(incident: Incident, step: Step, text: str, at_s: float, entry: ReferralEntry) -> HistoryEntry:
    return HistoryEntry(
        incident.id, incident.version, step, incident.work, at_s, entry.recorded_s, entry.by, team=incident.team, text=text
    )
