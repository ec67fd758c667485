"""The tables of `steps.py` and `limits.py` as a page of the reference.

Run `python -m patrol.step_tables > docs/ref/incident-steps.md` after changing them.
"""

import sys

from camera_config.time_limits import ESCALATE_AFTER, WARN_AT
from patrol.advance import SHELF_MAX_S
from patrol.clocks import MARKS
from patrol.limits import LIMIT_OF, LIMITS_S
from patrol.steps import CONDITION_AFTER, LEGAL, MUST_VERIFY, WHO_MAY, Condition, Signal, Step, Work, verdicts

__all__ = ["page"]

_WORK_ZH = {
    Work.NEW: "新案卷",
    Work.ACKNOWLEDGED: "已签收",
    Work.DISPATCHED: "已派单",
    Work.ACCEPTED: "已接单",
    Work.EN_ROUTE: "赶赴中",
    Work.ON_SCENE: "已到场",
    Work.REPORTED: "已反馈",
    Work.VERIFIED: "已核查",
    Work.CLOSED: "已结案",
}


_MOVES = tuple(step for step in Step if any(after is not work for (work, each), after in LEGAL.items() if each is step))
"""Steps that lead the work somewhere else."""

_OPENING = """\
Made from `patrol/steps.py`, `patrol/limits.py` and `patrol/clocks.py` by `python -m patrol.step_tables`; change those, not this
page.

The *condition* is the alarm: may it sound and flash? The *work* is what people do about it. Acknowledging silences the alarm
and gives the work an owner; it clears nothing. Shelving silences it for a while; the clocks run on."""

_STEPS = """\
- `dispatch` again sends another team: when the first does not answer, or when what was reported is not settled.
- `verify`: somebody at the control room has made sure of what the team reported. Severities {must} need it before they are
  closed as true or suspicious; the others may be closed without.
- `reopen` needs a reason. Whoever reopens is the owner, the clock of dispatching starts, and the verdict stays in the history.
- `merge` closes the incident as a duplicate of another one, which gets its events; `split` gives some of its events an
  incident of their own. Both histories name the other incident.
- `shelve` needs a reason and a time when it ends, at most {shelf} h ahead; severity 1 is never shelved.
- `pause` stops the clock and needs a reason; `resume`, or any step that moves the work, lets it go on."""

_WHO = """\
*operator*: anybody signed in at the control room. *owner*: the operator who has the incident (anybody, while nobody has it).
*team*: the team that was sent. An operator who does a team's step by radio is marked `on_behalf` in the history."""

_LIMITS = """\
How long a stage may take, by severity (1 is the highest), where the [limits.toml](site-folder.md#limitstoml) of the site does
not say otherwise. The arrival clock runs from acceptance; after a refusal the dispatch clock starts again. The next limit of an
incident is its `due`."""

_MARKS = """\
What each clock tells, in this order, each once, as a line of history with the time at which it fell due. A clock that stands
still tells nothing. A level that a place lacks is taken by the next one.

When events join, or another incident is merged in, that make an incident more severe while its clock runs, the shorter limit
counts from that moment: nobody could keep it before. A limit that would be reached earlier without it stays. What was told stays
told; only if people were warned already, and the limit is nearer now, they are warned once more, at once and with the reason."""


def page() -> str:
    """The whole page in Markdown; a test holds the committed file against it."""
    work = [[each, _WORK_ZH[each], *(LEGAL.get((each, step), "") for step in _MOVES)] for each in Work]
    stays = [[step, ", ".join(each for each in Work if LEGAL.get((each, step)) is each)] for step in Step if step not in _MOVES]
    who = [[step, ", ".join(sorted(WHO_MAY[step]))] for step in Step]
    closing = [
        [each, severities, ", ".join(sorted(allowed))]
        for each in Work
        for severities, severity in (("1, 2", 1), ("3, 4", 4))
        if (allowed := verdicts(each, severity))
    ]
    condition = [[each, *(CONDITION_AFTER.get((each, signal), "") for signal in Signal)] for each in Condition]
    limits = [[each, step, *(_duration(LIMITS_S[severity][step]) for severity in LIMITS_S)] for each, step in LIMIT_OF.items()]
    shares = (f"{WARN_AT:.0%} of the limit", "the limit", *(f"the limit + {share:.0%}" for share in ESCALATE_AFTER))
    marks = [[happening, share, level or ""] for (happening, level), share in zip(MARKS, shares, strict=True)]
    must = " and ".join(str(severity) for severity in sorted(MUST_VERIFY))
    parts = [
        "# Steps of an incident",
        _OPENING,
        "## Work",
        "Where each step leads. An empty cell is an illegal step: HTTP 409, and nothing changes.",
        _table(["work", "zh-CN", *_MOVES], work),
        "These steps leave the work where it is:",
        _table(["step", "legal while the work is"], stays),
        _STEPS.format(must=must, shelf=f"{SHELF_MAX_S / 3600:.0f}"),
        "## Who may",
        _WHO,
        _table(["step", "from"], who),
        "## Verdicts",
        "With which verdict an incident may be closed, by work and severity. Every verdict needs a cause.",
        _table(["work", "severity", "verdicts"], closing),
        "## Condition",
        "Where each signal leads; an empty cell is illegal. Off the shelf, an alarm that has an owner is acknowledged at once.",
        _table(["condition", *Signal], condition),
        "## Time limits",
        _LIMITS,
        _table(["while the work is", "the step due", *(f"severity {severity}" for severity in LIMITS_S)], limits),
        "Severities 3 and 4 go from `reported` to `close` directly; its limit counts then.",
        "## Warnings and escalation",
        _MARKS,
        _table(["line of history", "after", "level"], marks),
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
