"""The tables of `steps.py` and `limits.py` as a page of the reference.

Run `python -m patrol.step_tables > docs/ref/incident-steps.md` after changing them.
"""

import sys

from patrol.limits import LIMIT_OF, LIMITS_S
from patrol.steps import CONDITION_AFTER, LEGAL, WHO_MAY, Condition, Signal, Step, Work, verdicts

__all__ = ["page"]

_WORK_ZH = {
    Work.NEW: "新案卷",
    Work.ACKNOWLEDGED: "已签收",
    Work.DISPATCHED: "已派单",
    Work.ACCEPTED: "已接单",
    Work.EN_ROUTE: "赶赴中",
    Work.ON_SCENE: "已到场",
    Work.REPORTED: "已反馈",
    Work.CLOSED: "已结案",
}


_OPENING = """\
Made from `patrol/steps.py` and `patrol/limits.py` by `python -m patrol.step_tables`; change those, not this page.

The *condition* is the alarm: may it sound and flash? The *work* is what people do about it. Acknowledging silences the alarm
and gives the work an owner; it clears nothing."""

_WHO = """\
*operator*: anybody signed in at the control room. *owner*: the operator who has the incident (anybody, while nobody has it).
*team*: the team that was sent. An operator who does a team's step by radio is marked `on_behalf` in the history."""

_LIMITS = """\
How long a stage may take, by severity (1 is the highest). The arrival clock runs from acceptance; after a refusal the dispatch
clock starts again. The next limit of an incident is its `due`."""


def page() -> str:
    """The whole page in Markdown; a test holds the committed file against it."""
    work = [[each, _WORK_ZH[each], *(LEGAL.get((each, step), "") for step in Step)] for each in Work]
    who = [[step, ", ".join(sorted(WHO_MAY[step]))] for step in Step]
    closing = [[each, ", ".join(sorted(verdicts(each)))] for each in Work if verdicts(each)]
    condition = [[each, *(CONDITION_AFTER.get((each, signal), "") for signal in Signal)] for each in Condition]
    limits = [[each, step, *(_duration(LIMITS_S[severity][step]) for severity in LIMITS_S)] for each, step in LIMIT_OF.items()]
    parts = [
        "# Steps of an incident",
        _OPENING,
        "## Work",
        "Where each step leads. An empty cell is an illegal step: HTTP 409, and nothing changes.",
        _table(["work", "zh-CN", *Step], work),
        "## Who may",
        _WHO,
        _table(["step", "from"], who),
        "## Verdicts",
        "With which verdict an incident may be closed. `false_alarm` needs a cause.",
        _table(["work", "verdicts"], closing),
        "## Condition",
        "Where each signal leads; an empty cell is illegal.",
        _table(["condition", *Signal], condition),
        "## Time limits",
        _LIMITS,
        _table(["while the work is", "the step due", *(f"severity {severity}" for severity in LIMITS_S)], limits),
    ]
    return "\n\n".join(parts) + "\n"


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def _duration(seconds: float) -> str:
    if seconds % 3600 == 0:
        return f"{seconds / 3600:.0f} h"
    return f"{seconds / 60:g} min"


if __name__ == "__main__":
    sys.stdout.write(page())
