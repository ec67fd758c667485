"""An incident about missed checkpoints that were visited after all: closed by itself, or a line for whoever has it. Pure."""

from collections.abc import Sequence
from dataclasses import replace

from patrol.advance import ended
from patrol.incident import SYSTEM, ActorKind, Happening, HistoryEntry, Incident
from patrol.steps import Verdict, Work

__all__ = ["LAPSED_CAUSE", "has_lapsed", "is_taken_on", "lapsed", "made_up"]

LAPSED_CAUSE = "made up late"
"""Why such an incident is closed. Its verdict is `true`: the checkpoint was missed, and that is no false alarm."""


def made_up(
    incident: Incident, history: Sequence[HistoryEntry], text: str, all_of_it: bool, now_s: float
) -> tuple[Incident, HistoryEntry]:
    """`incident` and its line of history after a checkpoint was visited that it was opened for; `text` says which and when.

    With `all_of_it`, nothing is missed any more: then the incident is closed, unless somebody has taken it on.
    """
    if all_of_it and not is_taken_on(incident, history):
        return _with_line(lapsed(incident, now_s), Happening.LAPSED, text, now_s)
    return _with_line(replace(incident, version=incident.version + 1), Happening.MADE_UP, text, now_s)


def lapsed(incident: Incident, now_s: float, cause: str = LAPSED_CAUSE) -> Incident:
    """`incident` closed by the program, for nothing is left to be done."""
    return ended(incident, SYSTEM, Verdict.TRUE, cause, now_s)


def has_lapsed(incident: Incident) -> bool:
    """Whether `incident` is closed, and by the program; a missed checkpoint needs another one then."""
    return not incident.is_open and incident.owner is not None and incident.owner.kind is ActorKind.SYSTEM


def is_taken_on(incident: Incident, history: Sequence[HistoryEntry]) -> bool:
    """Whether somebody has begun to work on it, or merged another matter into it."""
    return incident.work is not Work.NEW or any(entry.step is Happening.ABSORBED for entry in history)


def _with_line(incident: Incident, step: Happening, text: str, now_s: float) -> tuple[Incident, HistoryEntry]:
    entry = HistoryEntry(incident.id, incident.version, step, incident.work, now_s, now_s, SYSTEM, team=incident.team, text=text)
    closes = step is Happening.LAPSED
    return incident, replace(entry, verdict=incident.verdict, cause=incident.cause) if closes else entry
