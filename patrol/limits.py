"""Time limits: how long each stage of an incident may take, by severity, where the site does not say otherwise."""

from patrol.steps import MUST_VERIFY, Step, Work

__all__ = ["LIMITS_S", "LIMIT_OF", "step_due"]

_MINUTE_S, _HOUR_S = 60.0, 3600.0

LIMITS_S: dict[int, dict[Step, float]] = {
    1: {
        Step.ACKNOWLEDGE: 1 * _MINUTE_S,
        Step.DISPATCH: 1 * _MINUTE_S,
        Step.ACCEPT: 1 * _MINUTE_S,
        Step.ARRIVE: 5 * _MINUTE_S,
        Step.REPORT: 30 * _MINUTE_S,
        Step.VERIFY: 30 * _MINUTE_S,
        Step.CLOSE: 2 * _HOUR_S,
    },
    2: {
        Step.ACKNOWLEDGE: 1.5 * _MINUTE_S,
        Step.DISPATCH: 3 * _MINUTE_S,
        Step.ACCEPT: 2 * _MINUTE_S,
        Step.ARRIVE: 10 * _MINUTE_S,
        Step.REPORT: 1 * _HOUR_S,
        Step.VERIFY: 2 * _HOUR_S,
        Step.CLOSE: 8 * _HOUR_S,
    },
    3: {
        Step.ACKNOWLEDGE: 10 * _MINUTE_S,
        Step.DISPATCH: 15 * _MINUTE_S,
        Step.ACCEPT: 5 * _MINUTE_S,
        Step.ARRIVE: 30 * _MINUTE_S,
        Step.REPORT: 2 * _HOUR_S,
        Step.VERIFY: 8 * _HOUR_S,
        Step.CLOSE: 24 * _HOUR_S,
    },
    4: {
        Step.ACKNOWLEDGE: 1 * _HOUR_S,
        Step.DISPATCH: 2 * _HOUR_S,
        Step.ACCEPT: 15 * _MINUTE_S,
        Step.ARRIVE: 2 * _HOUR_S,
        Step.REPORT: 4 * _HOUR_S,
        Step.VERIFY: 24 * _HOUR_S,
        Step.CLOSE: 72 * _HOUR_S,
    },
}
"""Seconds a stage may take, by severity (1 is the highest) and by the step that ends it.

Our own defaults. The first two are set against the 90 s that NFPA 72 gives a supervising station from signal to
retransmission; the last ones are one shift, one day and three days.
"""

LIMIT_OF: dict[Work, Step] = {
    Work.NEW: Step.ACKNOWLEDGE,
    Work.ACKNOWLEDGED: Step.DISPATCH,
    Work.DISPATCHED: Step.ACCEPT,
    Work.ACCEPTED: Step.ARRIVE,
    Work.EN_ROUTE: Step.ARRIVE,
    Work.ON_SCENE: Step.REPORT,
    Work.REPORTED: Step.VERIFY,  # or CLOSE at once, where nobody has to verify
    Work.VERIFIED: Step.CLOSE,
}
"""Which step is due next while the work is here. Nothing is due when it is closed."""


def step_due(work: Work, severity: int) -> Step | None:
    """The next step with a limit; None when closed."""
    return Step.CLOSE if work is Work.REPORTED and severity not in MUST_VERIFY else LIMIT_OF.get(work)
