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
    CLOSE = "close"
    NOTE = "note"


class Verdict(StrEnum):
    """What it turned out to be; required to close."""

    TRUE = "true"
    SUSPICIOUS = "suspicious"
    FALSE_ALARM = "false_alarm"  # needs a cause
    DUPLICATE = "duplicate"


LEGAL: dict[tuple[Work, Step], Work] = {
    (Work.NEW, Step.ACKNOWLEDGE): Work.ACKNOWLEDGED,
    (Work.NEW, Step.CLOSE): Work.CLOSED,
    (Work.NEW, Step.NOTE): Work.NEW,
    (Work.ACKNOWLEDGED, Step.TAKE_OVER): Work.ACKNOWLEDGED,
    (Work.ACKNOWLEDGED, Step.DISPATCH): Work.DISPATCHED,
    (Work.ACKNOWLEDGED, Step.CLOSE): Work.CLOSED,
    (Work.ACKNOWLEDGED, Step.NOTE): Work.ACKNOWLEDGED,
    (Work.DISPATCHED, Step.TAKE_OVER): Work.DISPATCHED,
    (Work.DISPATCHED, Step.DISPATCH): Work.DISPATCHED,  # nobody answers: send another team, the first one is free again
    (Work.DISPATCHED, Step.ACCEPT): Work.ACCEPTED,
    (Work.DISPATCHED, Step.REFUSE): Work.ACKNOWLEDGED,
    (Work.DISPATCHED, Step.CLOSE): Work.CLOSED,
    (Work.DISPATCHED, Step.NOTE): Work.DISPATCHED,
    (Work.ACCEPTED, Step.TAKE_OVER): Work.ACCEPTED,
    (Work.ACCEPTED, Step.REFUSE): Work.ACKNOWLEDGED,  # accepted, then called to something else before leaving
    (Work.ACCEPTED, Step.DEPART): Work.EN_ROUTE,
    (Work.ACCEPTED, Step.CLOSE): Work.CLOSED,
    (Work.ACCEPTED, Step.NOTE): Work.ACCEPTED,
    (Work.EN_ROUTE, Step.TAKE_OVER): Work.EN_ROUTE,
    (Work.EN_ROUTE, Step.ARRIVE): Work.ON_SCENE,
    (Work.EN_ROUTE, Step.CLOSE): Work.CLOSED,
    (Work.EN_ROUTE, Step.NOTE): Work.EN_ROUTE,
    (Work.ON_SCENE, Step.TAKE_OVER): Work.ON_SCENE,
    (Work.ON_SCENE, Step.REPORT): Work.REPORTED,
    (Work.ON_SCENE, Step.CLOSE): Work.CLOSED,
    (Work.ON_SCENE, Step.NOTE): Work.ON_SCENE,
    (Work.REPORTED, Step.TAKE_OVER): Work.REPORTED,
    (Work.REPORTED, Step.CLOSE): Work.CLOSED,
    (Work.REPORTED, Step.NOTE): Work.REPORTED,
    (Work.CLOSED, Step.NOTE): Work.CLOSED,
}
"""Every legal step of the work and where it leads; what is not here raises TransitionError."""

OPEN = frozenset(Work) - {Work.CLOSED}
ASSIGNED = frozenset({Work.DISPATCHED, Work.ACCEPTED, Work.EN_ROUTE, Work.ON_SCENE})
"""While the work is here, the incident's team is busy with it."""


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
    Step.CLOSE: frozenset({Party.OWNER}),
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


def verdicts(work: Work) -> frozenset[Verdict]:
    """With which verdicts an incident may be closed from `work`: nobody can call it true before a report says so."""
    if work is Work.REPORTED:
        return frozenset(Verdict)
    return frozenset({Verdict.FALSE_ALARM, Verdict.DUPLICATE}) if (work, Step.CLOSE) in LEGAL else frozenset()
