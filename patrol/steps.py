"""The two state machines of an incident, each as one table, and who may do which step.

The *condition* is the alarm (does it still want attention?), the *work* is what people do about it. They are kept apart:
acknowledging silences the alarm and gives the work an owner, but it clears nothing.
"""

from enum import StrEnum

from base import TransitionError

__all__ = [
    "ASSIGNED",
    "CONDITION_AFTER",
    "LEGAL",
    "MUST_VERIFY",
    "OPEN",
    "WHO_MAY",
    "Condition",
    "Party",
    "Signal",
    "Step",
    "Verdict",
    "Work",
    "condition_after",
    "legal_steps",
    "verdicts",
    "work_after",
]


class Work(StrEnum):
    """How far people have come with an incident."""

    NEW = "new"
    ACKNOWLEDGED = "acknowledged"
    DISPATCHED = "dispatched"
    ACCEPTED = "accepted"
    EN_ROUTE = "en_route"
    ON_SCENE = "on_scene"
    REPORTED = "reported"
    VERIFIED = "verified"
    CLOSED = "closed"


class Step(StrEnum):
    """What a person or a team does to an incident."""

    ACKNOWLEDGE = "acknowledge"
    TAKE_OVER = "take_over"
    DISPATCH = "dispatch"
    ACCEPT = "accept"
    REFUSE = "refuse"
    DEPART = "depart"
    ARRIVE = "arrive"
    REPORT = "report"
    VERIFY = "verify"  # 核查: somebody at the control room has made sure of what the team reported
    CLOSE = "close"
    REOPEN = "reopen"
    MERGE = "merge"  # it is the same matter as another incident, and ends in that one
    SPLIT = "split"  # some of its events are another matter, and get an incident of their own
    SHELVE = "shelve"
    UNSHELVE = "unshelve"
    PAUSE = "pause"
    RESUME = "resume"
    NOTE = "note"


class Verdict(StrEnum):
    """What it turned out to be; required to close, with a cause."""

    TRUE = "true"
    SUSPICIOUS = "suspicious"
    FALSE_ALARM = "false_alarm"
    DUPLICATE = "duplicate"


OPEN = frozenset(Work) - {Work.CLOSED}
ASSIGNED = frozenset({Work.DISPATCHED, Work.ACCEPTED, Work.EN_ROUTE, Work.ON_SCENE})
"""While the work is here, the incident's team is busy with it."""

MUST_VERIFY = frozenset({1, 2})
"""Severities that are verified before they are closed as true or suspicious; with the others that step may be left out."""

_STAY = {
    Step.TAKE_OVER: OPEN - {Work.NEW},
    Step.SPLIT: OPEN,
    Step.SHELVE: OPEN,
    Step.UNSHELVE: OPEN,
    Step.PAUSE: OPEN - {Work.NEW},  # a clock stops only for somebody who answers for it
    Step.RESUME: OPEN - {Work.NEW},
    Step.NOTE: frozenset(Work),
}
"""Steps that leave the work where it is, and where they are legal."""

LEGAL: dict[tuple[Work, Step], Work] = {
    (Work.NEW, Step.ACKNOWLEDGE): Work.ACKNOWLEDGED,
    (Work.ACKNOWLEDGED, Step.DISPATCH): Work.DISPATCHED,
    (Work.DISPATCHED, Step.DISPATCH): Work.DISPATCHED,  # nobody answers: send another team, the first one is free again
    (Work.DISPATCHED, Step.ACCEPT): Work.ACCEPTED,
    (Work.DISPATCHED, Step.REFUSE): Work.ACKNOWLEDGED,
    (Work.ACCEPTED, Step.REFUSE): Work.ACKNOWLEDGED,  # accepted, then called to something else before leaving
    (Work.ACCEPTED, Step.DEPART): Work.EN_ROUTE,
    (Work.EN_ROUTE, Step.ARRIVE): Work.ON_SCENE,
    (Work.ON_SCENE, Step.REPORT): Work.REPORTED,
    (Work.REPORTED, Step.VERIFY): Work.VERIFIED,
    (Work.REPORTED, Step.DISPATCH): Work.DISPATCHED,  # it was not settled: somebody has to go again
    (Work.CLOSED, Step.REOPEN): Work.ACKNOWLEDGED,
    **{(work, Step.CLOSE): Work.CLOSED for work in Work if work in OPEN},
    # With a team on its way to it, the other incident is the duplicate.
    **{(work, Step.MERGE): Work.CLOSED for work in Work if work in OPEN - ASSIGNED},
    **{(work, step): work for step, works in _STAY.items() for work in Work if work in works},
}
"""Every legal step of the work and where it leads; what is not here raises TransitionError."""


class Party(StrEnum):
    """Whom a step may come from, seen from one incident."""

    OPERATOR = "operator"  # anybody signed in at the control room
    OWNER = "owner"  # the one operator who has the incident; anybody there while it has none
    TEAM = "team"  # the team that was sent


WHO_MAY: dict[Step, frozenset[Party]] = {
    Step.ACKNOWLEDGE: frozenset({Party.OPERATOR}),
    Step.TAKE_OVER: frozenset({Party.OPERATOR}),
    Step.DISPATCH: frozenset({Party.OWNER}),
    # A team without a working phone answers by radio: an operator then does its steps, marked "on behalf" in the history.
    Step.ACCEPT: frozenset({Party.TEAM, Party.OPERATOR}),
    Step.REFUSE: frozenset({Party.TEAM, Party.OPERATOR}),
    Step.DEPART: frozenset({Party.TEAM, Party.OPERATOR}),
    Step.ARRIVE: frozenset({Party.TEAM, Party.OPERATOR}),
    Step.REPORT: frozenset({Party.TEAM, Party.OPERATOR}),
    Step.VERIFY: frozenset({Party.OPERATOR}),  # anybody but the team itself
    Step.CLOSE: frozenset({Party.OWNER}),
    Step.REOPEN: frozenset({Party.OPERATOR}),
    Step.MERGE: frozenset({Party.OWNER}),
    Step.SPLIT: frozenset({Party.OWNER}),
    Step.SHELVE: frozenset({Party.OPERATOR}),
    Step.UNSHELVE: frozenset({Party.OPERATOR}),
    Step.PAUSE: frozenset({Party.OWNER}),
    Step.RESUME: frozenset({Party.OWNER}),
    Step.NOTE: frozenset({Party.OPERATOR, Party.TEAM}),
}


class Condition(StrEnum):
    """The alarm: what may sound and flash. `normal` wants no attention any more."""

    UNACKNOWLEDGED = "unacknowledged"
    ACKNOWLEDGED = "acknowledged"
    NORMAL = "normal"
    SHELVED = "shelved"


class Signal(StrEnum):
    """What moves the condition."""

    EVENT = "event"
    ACKNOWLEDGE = "acknowledge"
    CLOSE = "close"
    SHELVE = "shelve"
    UNSHELVE = "unshelve"


CONDITION_AFTER: dict[tuple[Condition, Signal], Condition] = {
    (Condition.UNACKNOWLEDGED, Signal.EVENT): Condition.UNACKNOWLEDGED,
    (Condition.UNACKNOWLEDGED, Signal.ACKNOWLEDGE): Condition.ACKNOWLEDGED,
    (Condition.UNACKNOWLEDGED, Signal.CLOSE): Condition.NORMAL,
    (Condition.UNACKNOWLEDGED, Signal.SHELVE): Condition.SHELVED,
    (Condition.ACKNOWLEDGED, Signal.EVENT): Condition.ACKNOWLEDGED,
    (Condition.ACKNOWLEDGED, Signal.CLOSE): Condition.NORMAL,
    (Condition.ACKNOWLEDGED, Signal.SHELVE): Condition.SHELVED,
    (Condition.NORMAL, Signal.EVENT): Condition.UNACKNOWLEDGED,
    (Condition.NORMAL, Signal.CLOSE): Condition.NORMAL,
    (Condition.SHELVED, Signal.EVENT): Condition.SHELVED,
    (Condition.SHELVED, Signal.ACKNOWLEDGE): Condition.SHELVED,
    (Condition.SHELVED, Signal.CLOSE): Condition.NORMAL,
    (Condition.SHELVED, Signal.UNSHELVE): Condition.UNACKNOWLEDGED,
}
"""Every legal signal to the condition and where it leads."""


def work_after(work: Work, step: Step) -> Work:
    """Where `step` leads from `work`; raises TransitionError with a sentence naming both and what is legal."""
    after = LEGAL.get((work, step))
    if after is None:
        legal = ", ".join(legal_steps(work))
        raise TransitionError(f"the step {step} is not legal while the work is {work}; legal here: {legal}")
    return after


def legal_steps(work: Work) -> tuple[Step, ...]:
    """The steps that are legal from `work`, in the order of Step."""
    return tuple(step for step in Step if (work, step) in LEGAL)


def condition_after(condition: Condition, signal: Signal) -> Condition:
    """Where `signal` leads from `condition`; raises TransitionError naming both and what is legal."""
    after = CONDITION_AFTER.get((condition, signal))
    if after is None:
        legal = ", ".join(each for each in Signal if (condition, each) in CONDITION_AFTER)
        raise TransitionError(f"the signal {signal} is not legal while the condition is {condition}; legal here: {legal}")
    return after


def verdicts(work: Work, severity: int) -> frozenset[Verdict]:
    """With which verdicts an incident may be closed from `work`.

    Nobody can call it true before a report says so and, with the severities of MUST_VERIFY, somebody has verified it.
    """
    if work is Work.VERIFIED or (work is Work.REPORTED and severity not in MUST_VERIFY):
        return frozenset(Verdict)
    return frozenset({Verdict.FALSE_ALARM, Verdict.DUPLICATE}) if (work, Step.CLOSE) in LEGAL else frozenset()
