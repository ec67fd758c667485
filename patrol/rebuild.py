"""An incident made again from its history: what is stored of it must follow from the lines that led there. Pure.

The lines are carried out by the same functions that wrote them. What no line decides is taken as it is stored: number, place,
category, origin, caller and proposal; the limits, which follow the site's rules of the day; and the severity of a report.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from base import Event, GridpatrolError
from patrol.advance import carried_out, unshelved
from patrol.automatic import sent, withdrawn
from patrol.clocks import MARKS
from patrol.grid import Locality
from patrol.incident import ActorKind, Command, Happening, HistoryEntry, Incident, Origin
from patrol.made_up import lapsed
from patrol.merge import ended_as_duplicate
from patrol.opening import join, new_incident, with_events
from patrol.steps import Signal, Step, condition_after, work_after

__all__ = ["BrokenHistory", "differences", "rebuild"]

_OF_EVENTS = (
    "kind",
    "label",
    "severity",
    "camera",
    "cameras",
    "began_s",
    "last_event_s",
    "event_count",
    "best_event",
    "box",
    "score",
    "raises",
)
"""What follows from an incident's events; it stays when retention has deleted them, but can no longer be made again."""

_OF_PEOPLE = (
    "version",
    "decided",
    "condition",
    "work",
    "owner",
    "team",
    "opened_s",
    "since_s",
    "stages",
    "refused",
    "verdict",
    "cause",
    "duplicate_of",
    "shelved_until_s",
    "pauses",
    "paused_since_s",
    "told",
)

_AS_STORED = ("category", "origin", "summary", "caller", "proposal", "due", "look_s", "drill")
"""What no line decides, besides number and place."""

_OPENING = (Happening.OPENED, Happening.SPLIT_OFF)


class BrokenHistory(GridpatrolError):
    """The lines of a history do not follow from each other."""


@dataclass(slots=True)
class _Held:
    """Which events an incident holds while its history is told; `known` until one was needed that is no longer stored."""

    stored: Mapping[str, Event]
    ids: set[str] = field(default_factory=set)
    known: bool = True

    def all(self, *ids: str) -> list[Event]:
        """Those of these events that are stored, oldest first."""
        found = [self.stored[name] for name in ids if name in self.stored]
        self.known = self.known and len(found) == len(ids)
        return sorted(found, key=lambda event: (event.raised_s, event.id))


def rebuild(stored: Incident, history: Sequence[HistoryEntry], events: Mapping[str, Event]) -> tuple[Incident, bool]:
    """`stored` made again from its history, oldest line first, and whether all events it ever held are among `events`, by id.

    Raises BrokenHistory if a line is missing, or does not follow from those before it.
    """
    held = _Held(events)
    incident: Incident | None = None
    for number, entry in enumerate(history, 1):
        if entry.version != number or (entry.step in _OPENING) != (number == 1):
            raise BrokenHistory(f"incident {stored.number}: line {number} of its history is {entry.step} {entry.version}")
        try:
            incident = _opened(stored, entry, held) if incident is None else _after(incident, entry, held)
        except GridpatrolError as error:
            raise BrokenHistory(f"incident {stored.number}: line {number} of its history is not legal: {error}") from error
        if (incident.version, incident.work) != (entry.version, entry.work):
            raise BrokenHistory(
                f"incident {stored.number}: line {number} of its history says {entry.work}, its steps lead to {incident.work}"
            )
    if incident is None:
        raise BrokenHistory(f"incident {stored.number} has no history")
    return incident, held.known


def differences(stored: Incident, history: Sequence[HistoryEntry], events: Mapping[str, Event]) -> list[str]:
    """What of the stored incident does not follow from its history, one sentence each; empty: it all does."""
    try:
        made, has_events = rebuild(stored, history, events)
    except BrokenHistory as error:
        return [str(error)]
    # Before a report, or an incident that took one in, got its severity, nobody wrote down what it was.
    told_severity = stored.origin is Origin.EVENT and all(entry.step is not Happening.ABSORBED for entry in history)
    names = [name for name in _OF_EVENTS if told_severity or name not in ("severity", "raises")] if has_events else []
    found = [name for name in (*_OF_PEOPLE, *names) if getattr(stored, name) != getattr(made, name)]
    return [
        f"incident {stored.number}: {name} is stored as {getattr(stored, name)!r}, its history leads to {getattr(made, name)!r}"
        for name in found
    ]


def _opened(stored: Incident, entry: HistoryEntry, held: _Held) -> Incident:
    ids = (entry.events or ()) if entry.step is Happening.SPLIT_OFF else (entry.event,) if entry.event else ()
    held.ids.update(ids)
    held.known = bool(ids) or stored.origin is not Origin.EVENT
    where = Locality(stored.compound, stored.grid_cell, stored.community, stored.lon, stored.lat)
    new = new_incident(stored.id, stored.number, where, stored.severity, entry.at_s, entry.recorded_s)
    first = replace(new, **{name: getattr(stored, name) for name in _AS_STORED})
    begun = held.all(*ids)
    return replace(with_events(first, begun), severity=min(event.severity for event in begun)) if begun else first


def _after(incident: Incident, entry: HistoryEntry, held: _Held) -> Incident:
    """`incident` after one more line."""
    version = incident.version + 1
    match entry.step:
        case Happening.JOINED:
            return _joined(incident, entry, held)
        case Happening.ABSORBED:
            return replace(_absorbed(incident, entry, held), version=version)
        case Step.SPLIT:
            held.ids.difference_update(entry.events or ())
            held.known = held.known and entry.events is not None
            return replace(with_events(incident, held.all(*held.ids)), version=version, decided=version)
        case Step.MERGE:
            held.ids.clear()
            return ended_as_duplicate(incident, entry.by, entry.cause, entry.other, entry.at_s)
        case Happening.UNSHELVED:
            return replace(unshelved(incident), version=version)
        case Happening.WITHDRAWN:
            return withdrawn(incident, 0, entry.by, entry.recorded_s)[0]
        case Step.DISPATCH if entry.by.kind is ActorKind.SYSTEM:
            return sent(incident, entry.team, entry.recorded_s)
        case Step():
            return carried_out(incident, _command(entry), work_after(incident.work, entry.step), entry.at_s)
        case Happening.LAPSED:
            return lapsed(incident, entry.recorded_s, entry.cause)
    # A severity that was raised warns again of what has been told already.
    told = MARKS.index((entry.step, entry.level)) + 1 if (entry.step, entry.level) in MARKS else 0
    return replace(incident, version=version, told=max(incident.told, told))


def _joined(incident: Incident, entry: HistoryEntry, held: _Held) -> Incident:
    held.ids.add(entry.event)
    for event in held.all(entry.event):
        return join(event, incident, entry.recorded_s)[0]
    return replace(incident, version=incident.version + 1, condition=condition_after(incident.condition, Signal.EVENT))


def _absorbed(incident: Incident, entry: HistoryEntry, held: _Held) -> Incident:
    """`incident` with the events of the one that was merged into it, which come after its own."""
    own, added = held.all(*held.ids), held.all(*(entry.events or ()))
    held.known = held.known and entry.events is not None
    held.ids.update(entry.events or ())
    return with_events(incident, [*own, *added]) if own or added else incident


def _command(entry: HistoryEntry) -> Command:
    return Command(
        id=entry.command,
        incident=entry.incident,
        step=Step(entry.step),
        version=entry.version - 1,
        by=entry.by,
        at_s=entry.at_s,
        team=entry.team,
        text=entry.text,
        verdict=entry.verdict,
        cause=entry.cause,
        until_s=entry.until_s,
    )
