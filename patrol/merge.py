"""Two incidents that are one matter become one; two matters in one incident become two. Both histories name the other."""

from collections.abc import Sequence
from dataclasses import replace

from base import Event, TransitionError
from patrol.advance import admit, ended, entry_of_step
from patrol.grid import Locality
from patrol.incident import CATEGORY_OF, Actor, Command, Happening, HistoryEntry, Incident, Origin
from patrol.opening import new_incident, raised, with_events
from patrol.steps import Step, Verdict, Work

__all__ = ["absorbed_into", "ended_as_duplicate", "merge", "split"]

Changed = tuple[Incident, HistoryEntry]


def merge(source: Incident, target: Incident, events: Sequence[Event], command: Command, now_s: float) -> tuple[Changed, Changed]:
    """`source` closed as a duplicate of `target`, and `target` with the events of both, each with its line of history.

    `events` are those of the target and then those of the source, each oldest first. Raises as `advance` does, and
    TransitionError if the target is not another open incident.
    """
    at_s = admit(source, command, now_s)
    if target.id == source.id:
        raise TransitionError(f"incident {source.number} cannot be merged into itself")
    if not target.is_open:
        raise TransitionError(f"incident {target.number} is closed, so nothing can be merged into it; reopen it first")
    left = ended_as_duplicate(source, command.by, f"duplicate of {target.number}", target.id, at_s)
    grown = replace(with_events(target, events) if events else target, severity=min(source.severity, target.severity))
    grown = replace(
        raised(target, grown, now_s),
        version=target.version + 1,
        summary=target.summary or source.summary,
        caller=target.caller or source.caller,
    )
    absorbed = HistoryEntry(
        incident=target.id,
        version=grown.version,
        step=Happening.ABSORBED,
        work=grown.work,
        at_s=at_s,
        recorded_s=now_s,
        by=command.by,
        text=source.summary,
        command=command.id,
        other=source.id,
    )
    return (left, entry_of_step(source, left, command, at_s, now_s)), (grown, absorbed)


def absorbed_into(
    source: Incident, target: Incident, events: Sequence[Event], moved: Sequence[Event], by: Actor, now_s: float
) -> tuple[Changed, Changed]:
    """As `merge`, where the program knows that the untouched `source` is part of `target`; `moved` are its own of the events."""
    left = ended_as_duplicate(source, by, f"duplicate of {target.number}", target.id, now_s)
    ending = HistoryEntry(
        incident=source.id,
        version=left.version,
        step=Step.MERGE,
        work=left.work,
        at_s=now_s,
        recorded_s=now_s,
        by=by,
        verdict=left.verdict,
        cause=left.cause,
        other=target.id,
    )
    grown = replace(with_events(target, events), severity=min(source.severity, target.severity))
    grown = replace(raised(target, grown, now_s), version=target.version + 1)
    growing = HistoryEntry(
        incident=target.id,
        version=grown.version,
        step=Happening.ABSORBED,
        work=grown.work,
        at_s=now_s,
        recorded_s=now_s,
        by=by,
        other=source.id,
        events=tuple(event.id for event in moved),
    )
    return (left, ending), (grown, growing)


def ended_as_duplicate(source: Incident, by: Actor, cause: str, target: str, at_s: float) -> Incident:
    """`source` after `by` merged it into the incident `target`."""
    # Its events are the target's now; what a list shows of them stays.
    return replace(ended(source, by, Verdict.DUPLICATE, cause, at_s), event_count=0, duplicate_of=target)


def split(
    source: Incident,
    moved: Sequence[Event],
    kept: Sequence[Event],
    command: Command,
    new: tuple[str, int, Locality],
    now_s: float,
) -> tuple[Changed, Changed]:
    """`source` without the events `moved`, and a new incident with them, each with its line of history.

    `new` are the id, the number and the place of the new incident. `kept` are the events that stay; both lists oldest first.
    Raises as `advance` does, and TransitionError if nothing would stay.
    """
    at_s = admit(source, command, now_s)
    if not kept and source.origin is Origin.EVENT:
        raise TransitionError(f"incident {source.number} would be left without an event; at least one has to stay")
    version = source.version + 1
    left = replace(with_events(source, kept), version=version, decided=version)
    identity, number, where = new
    bare = new_incident(identity, number, where, min(event.severity for event in moved), moved[0].began_s, now_s)
    begun = with_events(replace(bare, category=CATEGORY_OF[moved[0].kind], drill=source.drill), moved)
    opened = HistoryEntry(
        incident=begun.id,
        version=1,
        step=Happening.SPLIT_OFF,
        work=Work.NEW,
        at_s=at_s,
        recorded_s=now_s,
        by=command.by,
        text=command.text,
        command=command.id,
        other=source.id,
        events=tuple(event.id for event in moved),
    )
    entry = replace(entry_of_step(source, left, command, at_s, now_s), other=begun.id, events=opened.events)
    return (left, entry), (begun, opened)
