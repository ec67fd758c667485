"""Records of `patrol/` and `base/` to rows and back."""

from collections.abc import Mapping
from typing import Any

from base import Box, Event, EventKind, Opinion, Tier
from camera_config.site import Name
from camera_config.time_limits import Category
from patrol import (
    Actor,
    ActorKind,
    Alternative,
    Condition,
    Due,
    Flag,
    Happening,
    HistoryEntry,
    Incident,
    Level,
    Origin,
    Proposal,
    Step,
    Verdict,
    Work,
)

__all__ = ["entry_of", "entry_row", "event_of", "event_row", "incident_of", "incident_row"]

Row = dict[str, Any]
"""One row by column name; its types are those of `tables.py`, which the type checker cannot see."""

_PLAIN = (
    "id",
    "number",
    "label",
    "severity",
    "camera",
    "compound",
    "grid_cell",
    "community",
    "lon",
    "lat",
    "team",
    "version",
    "decided",
    "began_s",
    "opened_s",
    "last_event_s",
    "event_count",
    "best_event",
    "score",
    "since_s",
    "cause",
    "summary",
    "caller",
    "duplicate_of",
    "shelved_until_s",
    "paused_since_s",
    "told",
    "look_s",
    "drill",
)

_BEFORE: Row = {
    "summary": "",
    "caller": "",
    "duplicate_of": "",
    "shelved_until_s": None,
    "paused_since_s": None,
    "told": 0,
    "look_s": None,
    "category": "public_order",
    "origin": "event",
    "cameras": [],
    "pauses": [],
    "drill": False,
    "raises": [],
}
"""What answers of commands lack that were stored before migrations 0003, 0007 and 0012."""


def incident_row(incident: Incident) -> Row:
    """The columns of table `incidents`; every value can be JSON, too."""
    owner, due = incident.owner, incident.due
    return {name: getattr(incident, name) for name in _PLAIN} | {
        "kind": incident.kind.value if incident.kind else "",
        "category": incident.category.value,
        "origin": incident.origin.value,
        "cameras": list(incident.cameras),
        "camera_count": len(incident.cameras),
        "pauses": [list(pause) for pause in incident.pauses],
        "raises": [list(each) for each in incident.raises],
        "condition": incident.condition.value,
        "work": incident.work.value,
        "owner_kind": owner.kind.value if owner else None,
        "owner_id": owner.id if owner else None,
        "owner_name": owner.name if owner else None,
        "box": list(incident.box),
        "stages": {stage.value: at_s for stage, at_s in incident.stages.items()},
        "refused": list(incident.refused),
        "verdict": incident.verdict.value if incident.verdict else None,
        "proposal": _proposal_row(incident.proposal) if incident.proposal else None,
        "due_step": due.step.value if due else None,
        "due_s": due.at_s if due else None,
    }


def incident_of(row: Mapping[Any, Any]) -> Incident:
    if "raises" not in row:
        row = _BEFORE | dict(row)
    return Incident(
        **{name: row[name] for name in _PLAIN},
        kind=EventKind(row["kind"]) if row["kind"] else None,
        category=Category(row["category"]),
        origin=Origin(row["origin"]),
        cameras=tuple(row["cameras"]),
        pauses=tuple((from_s, until_s) for from_s, until_s in row["pauses"]),
        raises=tuple((at_s, severity) for at_s, severity in row["raises"]),
        due=Due(Step(row["due_step"]), row["due_s"]) if row["due_step"] else None,
        condition=Condition(row["condition"]),
        work=Work(row["work"]),
        owner=Actor(ActorKind(row["owner_kind"]), row["owner_id"], row["owner_name"]) if row["owner_kind"] else None,
        box=_box(row["box"]),
        stages={Work(stage): at_s for stage, at_s in row["stages"].items()},
        refused=tuple(row["refused"]),
        verdict=Verdict(row["verdict"]) if row["verdict"] else None,
        proposal=_proposal_of(row["proposal"]) if row["proposal"] else None,
    )


def event_row(event: Event, incident: str, recorded_s: float) -> Row:
    return {
        "id": event.id,
        "incident": incident,
        "camera": event.camera,
        "kind": event.kind.value,
        "label": event.label,
        "rule": event.rule,
        "zone": event.zone,
        "severity": event.severity,
        "began_s": event.began_s,
        "raised_s": event.raised_s,
        "ended_s": event.ended_s,
        "score": event.score,
        "box": list(event.box),
        "seen_by": event.seen_by.value,
        "network": event.network,
        "recorded_s": recorded_s,
        "picture_bytes": len(event.snapshot_jpeg) if event.snapshot_jpeg else None,
        "path": [list(point) for point in event.path] or None,
        "opinion": event.opinion.value,
        "delay_s": event.delay_s,
        "look_s": event.look_s,
    }


def event_of(row: Mapping[Any, Any]) -> Event:
    """The event without its snapshot."""
    return Event(
        id=row["id"],
        camera=row["camera"],
        kind=EventKind(row["kind"]),
        label=row["label"],
        rule=row["rule"],
        zone=row["zone"],
        severity=row["severity"],
        began_s=row["began_s"],
        raised_s=row["raised_s"],
        ended_s=row["ended_s"],
        score=row["score"],
        box=_box(row["box"]),
        seen_by=Tier(row["seen_by"]),
        network=row["network"],
        path=tuple((at_s, x, y) for at_s, x, y in row["path"] or ()),
        opinion=Opinion(row["opinion"]),
        delay_s=row["delay_s"],
        look_s=row["look_s"],
    )


def entry_row(entry: HistoryEntry) -> Row:
    return {
        "incident": entry.incident,
        "version": entry.version,
        "step": entry.step.value,
        "work": entry.work.value,
        "at_s": entry.at_s,
        "recorded_s": entry.recorded_s,
        "by_kind": entry.by.kind.value,
        "by_id": entry.by.id,
        "by_name": entry.by.name,
        "team": entry.team,
        "text": entry.text,
        "verdict": entry.verdict.value if entry.verdict else None,
        "cause": entry.cause,
        "event": entry.event,
        "command": entry.command,
        "flags": [flag.value for flag in entry.flags],
        "clock": entry.clock.value if entry.clock else None,
        "level": entry.level.value if entry.level else None,
        "place": entry.place,
        "other": entry.other,
        "until_s": entry.until_s,
        "events": None if entry.events is None else list(entry.events),
    }


def entry_of(row: Mapping[Any, Any]) -> HistoryEntry:
    step = row["step"]
    return HistoryEntry(
        incident=row["incident"],
        version=row["version"],
        step=Happening(step) if step in set(Happening) else Step(step),
        work=Work(row["work"]),
        at_s=row["at_s"],
        recorded_s=row["recorded_s"],
        by=Actor(ActorKind(row["by_kind"]), row["by_id"], row["by_name"]),
        team=row["team"],
        text=row["text"],
        verdict=Verdict(row["verdict"]) if row["verdict"] else None,
        cause=row["cause"],
        event=row["event"],
        command=row["command"],
        flags=tuple(Flag(flag) for flag in row["flags"]),
        clock=Step(row["clock"]) if row["clock"] else None,
        level=Level(row["level"]) if row["level"] else None,
        place=row["place"],
        other=row["other"],
        until_s=row["until_s"],
        events=None if row["events"] is None else tuple(row["events"]),
    )


def _box(values: list[float]) -> Box:
    left, top, right, bottom = values
    return left, top, right, bottom


def _proposal_row(proposal: Proposal) -> Row:
    return {
        "team": proposal.team,
        "reason": _name_row(proposal.reason),
        "shortfall": _name_row(proposal.shortfall) if proposal.shortfall else None,
        "escalate_to": proposal.escalate_to,
        "alternatives": [
            {"team": each.team, "reason": _name_row(each.reason), "preempts": each.preempts} for each in proposal.alternatives
        ],
        "preempts": proposal.preempts,
    }


def _proposal_of(row: Mapping[Any, Any]) -> Proposal:
    return Proposal(
        team=row["team"],
        reason=Name(**row["reason"]),
        shortfall=Name(**row["shortfall"]) if row["shortfall"] else None,
        escalate_to=row["escalate_to"],
        alternatives=tuple(
            Alternative(each["team"], Name(**each["reason"]), each.get("preempts", 0)) for each in row["alternatives"]
        ),
        preempts=row.get("preempts", 0),  # absent before migration 0004
    )


def _name_row(name: Name) -> Row:
    return {"zh": name.zh, "en": name.en}
