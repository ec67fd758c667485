"""Random lives of one incident with crashes and clock steps: every mark is told once, in order, exactly when it is due."""

import json
import os
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from base import GridpatrolError
from patrol import LIMITS_S, MARKS, Clocks, Grid, Happening, HistoryEntry, Incident, Step, Work, advance, join, open_incident
from storage.rows import entry_of, entry_row, incident_of, incident_row
from tests.patrol.small_site import LI, NOON_S, command, intrusion, small_site, team_actor
from tests.patrol.test_steps import STEPS

EXAMPLES = max(200, int(os.environ.get("GRIDPATROL_EXAMPLES", "0")))
"""Random lives; set the variable to 20000 for a night's run."""

SITE = small_site()
GRID, CLOCKS = Grid(SITE), Clocks(SITE)
SHARES = (0.8, 1.0, 1.5, 2.0, 3.0)
DUE = {
    "new": "acknowledge",
    "acknowledged": "dispatch",
    "dispatched": "accept",
    "accepted": "arrive",
    "en_route": "arrive",
    "on_scene": "report",
    "verified": "close",
}
SINGLE = [step for step in Step if step not in (Step.MERGE, Step.SPLIT)]
RESTARTS = {"acknowledge", "dispatch", "accept", "arrive", "report", "verify", "refuse", "close", "reopen"}


class ClockMachine(RuleBasedStateMachine):
    """One incident as the database keeps it: `incident` and `history` are what was committed, all else is lost in a crash.

    The model is which severity counts from when, a list of pauses and how many marks were told, checked with plain arithmetic.
    """

    @initialize(severity=st.integers(1, 4))
    def open(self, severity: int) -> None:
        self.now_s = NOON_S
        incident, entry = open_incident(intrusion(severity=severity), "i", 1, GRID.locate("c1"), self.now_s)
        self.incident, self.history = CLOCKS.timed(incident), [entry]
        self.begun: list[tuple[float, int]] = [(self.now_s, severity)]
        self.pauses: list[tuple[float, float]] = []
        self.paused_s: float | None = None
        self.told, self.run, self.runs = 0, 0, [0]

    def commit(self, incident: Incident, entries: Sequence[HistoryEntry]) -> None:
        """Through the database and back."""
        rows = json.loads(json.dumps([incident_row(CLOCKS.timed(incident)), *(entry_row(entry) for entry in entries)]))
        self.incident = incident_of(rows[0])
        self.history += [entry_of(row) for row in rows[1:]]
        self.runs += [self.run] * len(entries)

    # What the model expects

    def limit_s(self, severity: int) -> float | None:
        work = self.incident.work.value
        step = ("verify" if severity <= 2 else "close") if work == "reported" else DUE.get(work)
        return LIMITS_S[severity][Step(step)] if step else None

    def elapsed_s(self, start_s: float, now_s: float) -> float:
        stops = [*self.pauses, *([(self.paused_s, float("inf"))] if self.paused_s is not None else [])]
        lost = sum(max(0.0, min(to_s, now_s) - max(from_s, start_s)) for from_s, to_s in stops)
        return now_s - start_s - lost

    def used(self, now_s: float) -> float:
        """The share of a limit that is used up by then: of the limits that count, the largest."""
        limits = [(start_s, self.limit_s(severity)) for start_s, severity in self.begun]
        return max(self.elapsed_s(start_s, now_s) / limit_s for start_s, limit_s in limits if limit_s)

    def expected_told(self, now_s: float) -> int:
        if self.limit_s(self.incident.severity) is None:
            return self.told
        return max(self.told, sum(self.used(now_s) >= share - 1e-9 for share in SHARES))

    # What happens

    @rule()
    def evaluate(self) -> None:
        incident, entries = CLOCKS.tell(self.incident, self.now_s, self.now_s)
        expected = self.expected_told(self.now_s)
        assert incident.told == expected
        assert [entry.step for entry in entries if entry.clock] == [MARKS[each][0] for each in range(self.told, expected)]
        self.told = expected
        self.commit(incident, entries)

    @rule()
    def crash_before_the_commit(self) -> None:
        once, again = (CLOCKS.tell(self.incident, self.now_s, self.now_s) for _ in range(2))
        assert once == again

    @rule(seconds=st.sampled_from([1, 10, 40, 90, 200, 1800, 40_000]))
    def time_passes(self, seconds: int) -> None:
        self.now_s += seconds

    @rule(seconds=st.sampled_from([-86_400, -3600, -30, 30, 3600]))
    def clock_steps(self, seconds: int) -> None:
        self.now_s += seconds

    @precondition(lambda self: self.incident.is_open)
    @rule(severity=st.integers(1, 4))
    def event(self, severity: int) -> None:
        before, due = self.incident.severity, self.incident.due
        joined, entry = join(intrusion(at_s=self.now_s, severity=severity), self.incident, self.now_s)
        warned, warning = CLOCKS.tell_raised(self.incident, joined, self.now_s)
        if severity < before:
            self.begun.append((max(self.now_s, self.begun[0][0]), severity))
        self.commit(warned, [entry, *warning])
        is_nearer = due is not None and self.used(due.at_s) > 1 + 1e-9
        assert [each.step for each in warning] == [Happening.WARNED] * (severity < before and self.told == 1 and is_nearer)

    @rule(step=st.sampled_from(SINGLE), late_s=st.sampled_from([0, 0, 45]))
    def any_step(self, step: Step, late_s: int) -> None:
        self.take(step, late_s)

    @precondition(lambda self: self.incident.is_open)
    @rule()
    def next_step(self) -> None:
        after = list(Work).index(self.incident.work)
        self.take(STEPS[after], 0)

    def take(self, step: Step, late_s: int) -> None:
        """As the database does it: what fell due before the step is told before it."""
        by = team_actor("t1") if step.value in ("accept", "refuse", "depart", "arrive", "report") else LI
        changes: dict[str, Any] = {"until_s": self.now_s + 3600} if step is Step.SHELVE else {}
        sent = command(self.incident, step, by, self.now_s - late_s, **changes)
        try:
            _, entry = advance(self.incident, sent, self.now_s)
        except GridpatrolError:
            return
        incident, entries = CLOCKS.tell(self.incident, entry.at_s, self.now_s)
        expected = self.expected_told(entry.at_s)
        assert incident.told == expected
        try:
            changed, entry = advance(incident, sent, self.now_s)
        except GridpatrolError:  # the shelf it meant has ended by itself
            return
        self.told = expected
        before = self.run
        self.commit(incident, entries)
        self.follow(step, entry.at_s)
        self.commit(changed, [entry])
        assert (self.run == before) == (step.value not in RESTARTS)

    def follow(self, step: Step, at_s: float) -> None:
        if step is Step.PAUSE:
            self.paused_s = at_s
        if step in (Step.RESUME, Step.DEPART) and self.paused_s is not None:
            if at_s > self.paused_s:
                self.pauses.append((self.paused_s, at_s))
            self.paused_s = None
        if step.value in RESTARTS:
            self.begun, self.pauses, self.paused_s, self.told = [(at_s, self.incident.severity)], [], None, 0
            self.run += 1

    # What always holds

    @invariant()
    def every_mark_of_every_clock_was_told_at_most_once_and_in_order(self) -> None:
        if not hasattr(self, "runs"):
            return
        assert [entry.version for entry in self.history] == list(range(1, self.incident.version + 1))
        by_run: dict[int, list[tuple[Happening, object]]] = {}
        for run, entry in zip(self.runs, self.history, strict=True):
            if entry.clock is not None and not entry.text:  # with a text: warned again
                assert isinstance(entry.step, Happening)
                by_run.setdefault(run, []).append((entry.step, entry.level))
        for marks in by_run.values():
            assert marks == list(MARKS[: len(marks)])
        assert len(by_run.get(self.run, [])) == self.told == self.incident.told

    @invariant()
    def the_limit_is_where_the_model_has_it(self) -> None:
        if not hasattr(self, "runs") or self.incident.due is None:
            return
        assert self.used(self.incident.due.at_s) == pytest.approx(1.0)


def test_random_lives_tell_every_mark_once() -> None:
    run_state_machine_as_test(
        ClockMachine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=50,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
