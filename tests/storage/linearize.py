"""Is a history of concurrent operations on one incident linearizable? A search for an order that explains every answer.

After Wing and Gong, "Testing and Verifying Concurrent Objects", J. Parallel Distrib. Comput. 17 (1993), with Lowe's memory of
what was tried: a pair of the operations done and the state they led to is never looked at twice. The state machine is written
from docs/ref/incident-steps.md, not from the program.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

__all__ = ["Incident", "Operation", "explain"]

AFTER = {
    ("new", "acknowledge"): "acknowledged",
    ("acknowledged", "dispatch"): "dispatched",
    ("dispatched", "accept"): "accepted",
    ("dispatched", "refuse"): "acknowledged",
    ("accepted", "refuse"): "acknowledged",
    ("closed", "reopen"): "acknowledged",
    **{(work, "close"): "closed" for work in ("new", "acknowledged", "dispatched", "accepted")},
    **{(work, "take_over"): work for work in ("acknowledged", "dispatched", "accepted")},
    **{(work, "note"): work for work in ("new", "acknowledged", "dispatched", "accepted", "closed")},
}
OWNER_ONLY = ("dispatch", "close")


@dataclass(frozen=True, slots=True)
class Incident:
    """What an answer shows of an incident, and `decided`, which it does not."""

    version: int = 1
    work: str = "new"
    owner: str = ""
    team: str = ""
    decided: int = 1

    @property
    def shown(self) -> tuple[int, str, str, str]:
        return self.version, self.work, self.owner, self.team


@dataclass(frozen=True, slots=True)
class Operation:
    """What one person did and was told. `step` "read" only looks; without an `answer` it may have happened or not."""

    id: str
    by: str
    step: str
    version: int  # that the person looked at
    began_s: float
    ended_s: float
    answer: tuple[int, str, str, str] | int | None  # what was shown, or the status of a refusal
    team: str = ""


def explain(operations: Sequence[Operation], begin: Incident) -> list[str] | None:
    """The ids of `operations` in an order that explains every answer and keeps what was over before what; None without one."""
    everything = (1 << len(operations)) - 1
    must = sum(1 << index for index, each in enumerate(operations) if each.answer is not None)
    tried: set[tuple[int, Incident]] = set()
    stack: list[tuple[int, Incident, list[str]]] = [(0, begin, [])]
    while stack:
        done, state, order = stack.pop()
        if done & must == must:
            return order
        if (done, state) in tried:
            continue
        tried.add((done, state))
        left = [index for index in range(len(operations)) if (everything ^ done) >> index & 1]
        # Nobody can come before an operation that had ended when it began.
        first_end_s = min((operations[index].ended_s for index in left), default=math.inf)
        for index in left:
            each = operations[index]
            if each.began_s <= first_end_s:
                after, answer = carry_out(state, each)
                if each.answer is None or each.answer == answer:
                    stack.append((done | 1 << index, after, [*order, each.id]))
    return None


def carry_out(state: Incident, each: Operation) -> tuple[Incident, tuple[int, str, str, str] | int]:
    """The incident after an operation, and what the person is told: what is shown, or the status of the refusal."""
    if each.step == "read":
        return state, state.shown
    is_note = each.step == "note"
    if not (1 if is_note else state.decided) <= each.version <= state.version:
        return state, 409
    work = AFTER.get((state.work, each.step))
    if work is None:
        return state, 409
    if each.step in OWNER_ONLY and state.owner not in ("", each.by):
        return state, 403
    if each.step == "take_over" and state.owner == each.by:
        return state, 409
    version = state.version + 1
    after = replace(state, version=version, work=work, decided=state.decided if is_note else version)
    match each.step:
        case "acknowledge" | "take_over":
            after = replace(after, owner=each.by)
        case "dispatch":
            after = replace(after, team=each.team)
        case "refuse":
            after = replace(after, team="")
        case "close":
            after = replace(after, owner=state.owner or each.by)
        case "reopen":
            after = replace(after, owner=each.by, team="")
    return after, after.shown
