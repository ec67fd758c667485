"""How incidents begin and grow: opened by an event or by somebody's report, joined by further events."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from base import Event
from camera_config.time_limits import Category
from patrol.advance import FUTURE_S, check_text
from patrol.grid import Locality
from patrol.incident import (
    CATEGORY_OF,
    NO_BOX,
    SYSTEM,
    Actor,
    ActorKind,
    CommandError,
    Happening,
    HistoryEntry,
    Incident,
    Origin,
)
from patrol.steps import Signal, Work, condition_after

__all__ = [
    "Report",
    "check_report",
    "join",
    "joins",
    "new_incident",
    "open_incident",
    "open_report",
    "raised",
    "with_events",
]

CALLER_MAX = 100


@dataclass(frozen=True, slots=True)
class Report:
    """What somebody reports: a patrol, a resident by telephone, an inspection. `id` is made by the client, like a command's.

    The place is either a point or a grid cell.
    """

    id: str
    origin: Origin
    category: Category
    severity: int
    by: Actor
    at_s: float  # when it was seen or said, UTC
    text: str
    caller: str = ""
    lon: float | None = None
    lat: float | None = None
    grid_cell: str = ""
    drill: bool = False


def new_incident(identity: str, number: int, where: Locality, severity: int, began_s: float, now_s: float) -> Incident:
    """An incident that nobody has touched and that holds no event. Its clocks run from now: before, nobody knew."""
    return Incident(
        id=identity,
        number=number,
        severity=severity,
        compound=where.compound,
        grid_cell=where.grid_cell,
        community=where.community,
        lon=where.lon,
        lat=where.lat,
        began_s=began_s,
        opened_s=now_s,
        last_event_s=began_s,
        since_s=now_s,
        stages={Work.NEW: now_s},
    )


def open_incident(event: Event, incident: str, number: int, where: Locality, now_s: float) -> tuple[Incident, HistoryEntry]:
    """The incident that `event` opens, with its first line of history."""
    bare = new_incident(incident, number, where, event.severity, event.began_s, now_s)
    opened = with_events(replace(bare, category=CATEGORY_OF[event.kind]), [event])
    return opened, _happening(opened, Happening.OPENED, event, now_s)


def open_report(report: Report, incident: str, number: int, where: Locality, now_s: float) -> tuple[Incident, HistoryEntry]:
    """The incident that a report opens, with its first line of history."""
    opened = replace(
        new_incident(incident, number, where, report.severity, min(report.at_s, now_s), now_s),
        category=report.category,
        origin=report.origin,
        summary=report.text.strip(),
        caller=report.caller.strip(),
        drill=report.drill,
    )
    entry = HistoryEntry(
        incident=incident,
        version=1,
        step=Happening.OPENED,
        work=Work.NEW,
        at_s=opened.began_s,
        recorded_s=now_s,
        by=report.by,
        team=report.by.id if report.by.kind is ActorKind.TEAM else "",
        text=opened.summary,
        command=report.id,
    )
    return opened, entry


def check_report(report: Report, now_s: float) -> None:
    """Return if the report can be carried out as it stands; raises CommandError."""
    if not 1 <= len(report.id) <= 64:
        raise CommandError(f"a report needs an id of 1 to 64 characters made by the client, got {len(report.id)} characters")
    if report.origin is Origin.EVENT:
        raise CommandError("a report comes from a patrol, the hotline or an inspection; events open incidents by themselves")
    if not 1 <= report.severity <= 4:
        raise CommandError(f"severity: expected 1 (highest) to 4, got {report.severity}")
    if not math.isfinite(report.at_s) or report.at_s > now_s + FUTURE_S:
        raise CommandError(f"the report claims to be {report.at_s - now_s:.0f} s in the future; check the clock of the device")
    if not report.text.strip():
        raise CommandError("a report needs a text: what is it about?")
    check_text("text", report.text)
    check_text("caller", report.caller, CALLER_MAX)
    if report.caller and report.origin is not Origin.HOTLINE:
        raise CommandError("caller: only the hotline has callers")
    if (report.lon is None) != (report.lat is None) or (report.lon is None) != bool(report.grid_cell):
        raise CommandError("a report needs its place: either a point (lon and lat) or a grid cell")


def joins(event: Event, incident: Incident, dead_time_s: float, overlapping: Collection[str] = ()) -> bool:
    """Whether `event` belongs to the open `incident`: same kind, same camera or view, at most `dead_time_s` after its last event.

    `overlapping` are the cameras that see the same ground as the event's own. Only the incident's first camera is compared with
    them, so that a chain of cameras does not become one incident. An event that arrives late (older than the incident's newest)
    joins as long as it is not older than the same time before the incident began.
    """
    if not incident.is_open or event.kind is not incident.kind:
        return False
    if event.camera not in incident.cameras and incident.camera not in overlapping:
        return False
    return incident.began_s - dead_time_s <= event.raised_s <= incident.last_event_s + dead_time_s


def join(event: Event, incident: Incident, now_s: float) -> tuple[Incident, HistoryEntry]:
    """`incident` with `event` added. Does not make anybody's command stale: only people decide."""
    joined = replace(
        raised(incident, _with_event(event, incident), now_s),
        version=incident.version + 1,
        condition=condition_after(incident.condition, Signal.EVENT),
    )
    return joined, _happening(joined, Happening.JOINED, event, now_s)


def raised(before: Incident, after: Incident, now_s: float) -> Incident:
    """`after`, which remembers since when it is more severe than `before`, if it is: the shorter limit counts from then."""
    if after.severity >= before.severity:
        return after
    return replace(after, raises=(*before.raises, (now_s, before.severity)))


def with_events(incident: Incident, events: Sequence[Event]) -> Incident:
    """`incident` as if exactly these events belonged to it, oldest first. Its severity and its place stay."""
    if not events:
        bare = replace(incident, kind=None, label="", camera="", cameras=(), best_event="", box=NO_BOX, score=0.0)
        return replace(bare, event_count=0, last_event_s=incident.began_s)
    first, *others = events
    seen = replace(
        incident,
        kind=first.kind if incident.kind is None else incident.kind,
        label=first.label,
        camera=first.camera,
        cameras=(first.camera,),
        began_s=first.began_s if incident.origin is Origin.EVENT else min(incident.began_s, first.began_s),
        last_event_s=_last_seen_s(first),
        event_count=1,
        best_event=first.id,
        box=first.box,
        score=first.score,
    )
    for event in others:
        seen = _with_event(event, seen)
    return replace(seen, severity=incident.severity)


def _with_event(event: Event, incident: Incident) -> Incident:
    is_best = event.camera == incident.camera and event.score > incident.score
    return replace(
        incident,
        severity=min(incident.severity, event.severity),
        began_s=min(incident.began_s, event.began_s),
        last_event_s=max(incident.last_event_s, _last_seen_s(event)),
        event_count=incident.event_count + 1,
        cameras=incident.cameras if event.camera in incident.cameras else (*incident.cameras, event.camera),
        best_event=event.id if is_best else incident.best_event,
        label=event.label if is_best else incident.label,
        box=event.box if is_best else incident.box,
        score=event.score if is_best else incident.score,
    )


def _last_seen_s(event: Event) -> float:
    return event.raised_s if event.ended_s is None else max(event.raised_s, event.ended_s)


def _happening(incident: Incident, step: Happening, event: Event, now_s: float) -> HistoryEntry:
    return HistoryEntry(
        incident=incident.id,
        version=incident.version,
        step=step,
        work=incident.work,
        at_s=event.raised_s,
        recorded_s=now_s,
        by=SYSTEM,
        event=event.id,
    )
