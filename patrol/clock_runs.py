"""How long each clock of an incident ran, read from its history alone. Pure.

A *run* begins when the work enters a stage and ends with whatever moves the work on. It counts for the step that was due: with
the time it took if that step ended it, and without one if the limit had passed before something else did.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from patrol.incident import Happening, HistoryEntry
from patrol.referral import ReferralEntry, ReferralStep
from patrol.steps import Step, Work

__all__ = ["Run", "referral_runs", "runs_of"]

_DUE: dict[Work, frozenset[Step]] = {
    Work.NEW: frozenset({Step.ACKNOWLEDGE}),
    Work.ACKNOWLEDGED: frozenset({Step.DISPATCH}),
    Work.DISPATCHED: frozenset({Step.ACCEPT}),
    Work.ACCEPTED: frozenset({Step.ARRIVE}),
    Work.EN_ROUTE: frozenset({Step.ARRIVE}),
    Work.ON_SCENE: frozenset({Step.REPORT}),
    Work.REPORTED: frozenset({Step.VERIFY, Step.CLOSE}),  # which of the two, the severity decides
    Work.VERIFIED: frozenset({Step.CLOSE}),
}
_RESTARTS = frozenset(
    {
        Step.ACKNOWLEDGE,
        Step.DISPATCH,
        Step.ACCEPT,
        Step.REFUSE,
        Step.ARRIVE,
        Step.REPORT,
        Step.VERIFY,
        Step.CLOSE,
        Step.REOPEN,
        Step.MERGE,
        Happening.WITHDRAWN,
        Happening.LAPSED,
    }
)
"""What ends a run and, unless the incident is closed by it, begins the next. Departing lets the clock of arriving run on."""


@dataclass(frozen=True, slots=True)
class Run:
    """A clock that ran for `step`. `took_s` (pauses left out) is set iff that step ended it; else its limit had passed."""

    step: StrEnum
    took_s: float | None
    in_time: bool
    team: str = ""  # the incident's team at its end


@dataclass(slots=True)
class _Clock:
    """The clock that runs while a history is read."""

    since_s: float
    work: Work
    paused_s: float = 0.0
    paused_since_s: float | None = None
    breach: HistoryEntry | None = None

    def resume(self, at_s: float) -> None:
        """It stands still no longer, if it did."""
        if self.paused_since_s is not None:
            self.paused_s += max(0.0, at_s - self.paused_since_s)
            self.paused_since_s = None

    def ended(self, entry: HistoryEntry) -> Run | None:
        """The run that `entry` ended; None if it counts for nothing."""
        # A phone that was offline may tell of an arrival from before a breach that was told meanwhile: that was in time.
        breach = self.breach if self.breach is not None and self.breach.at_s <= entry.at_s else None
        if entry.step in _DUE.get(self.work, ()):
            return Run(entry.step, entry.at_s - self.since_s - self.paused_s, breach is None, entry.team)
        return _late(breach)


def runs_of(entries: Sequence[HistoryEntry]) -> Iterator[Run]:
    """The runs of one incident's clocks, in order; the last may still go on, then it is there if its limit has passed."""
    if not entries:
        return
    clock = _Clock(entries[0].recorded_s, Work.NEW)  # before it was recorded, nobody could know of it
    for entry in entries:
        if entry.step in _RESTARTS:
            clock.resume(entry.at_s)
            run = clock.ended(entry)
            if run is not None:
                yield run
            clock = _Clock(entry.at_s, entry.work)
        elif entry.step is Happening.BREACHED:
            clock.breach = entry
        elif entry.step is Step.PAUSE:
            clock.paused_since_s = entry.at_s
        elif entry.step in (Step.RESUME, Step.DEPART):
            clock.resume(entry.at_s)
            clock.work = entry.work
    run = _late(clock.breach)
    if run is not None:
        yield run


def referral_runs(entries: Sequence[ReferralEntry]) -> Iterator[Run]:
    """The runs of one referral's clocks, receipt and then feedback; the result is the last feedback. All time counts."""
    since_s, breach = 0.0, None
    for entry in entries:
        if entry.step is Happening.BREACHED:
            breach = entry
        elif isinstance(entry.step, ReferralStep):
            if entry.step is ReferralStep.RECEIVE:
                yield Run(ReferralStep.RECEIVE, entry.at_s - since_s, breach is None)
            elif entry.step in (ReferralStep.FEEDBACK, ReferralStep.DONE):
                yield Run(ReferralStep.FEEDBACK, entry.at_s - since_s, breach is None)
            elif breach is not None and breach.clock is not None:
                yield Run(breach.clock, None, False)
            since_s, breach = entry.at_s, None
    if breach is not None and breach.clock is not None:
        yield Run(breach.clock, None, False)


def _late(breach: HistoryEntry | None) -> Run | None:
    return None if breach is None or breach.clock is None else Run(breach.clock, None, False, breach.team)
