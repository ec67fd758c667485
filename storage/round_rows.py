"""Rounds, their history, stops and draws as rows, and back."""

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from camera_config.round_rules import Order
from camera_config.site import Name, TravelMode
from patrol.incident import Actor, ActorKind
from patrol.inspections import Draw
from patrol.rounds import Act, Proof, Round, RoundEntry, RoundFlag, RoundKind, Stop, TemporaryStop
from patrol.visits import RoundResult

__all__ = [
    "draw_of",
    "draw_row",
    "entry_of",
    "entry_row",
    "fingerprint",
    "plan_row",
    "result_row",
    "round_of",
    "stop_row",
    "temporary_of",
]

Row = Mapping[Any, Any]  # Any: columns of different types
Values = dict[str, Any]  # likewise


def plan_row(planned: Round) -> Values:
    """What was planned; `result_row` has the other columns."""
    return {
        "id": planned.id,
        "kind": planned.kind.value,
        "source": planned.source,
        "name_zh": planned.name.zh,
        "name_en": planned.name.en,
        "team": planned.team,
        "day": planned.day.isoformat(),
        "order": planned.order.value,
        "due_s": planned.due_s,
        "opens_s": planned.opens_s,
        "closes_s": planned.closes_s,
        "announced_s": planned.announced_s,
        "travels": planned.travels.value,
        "draw": planned.draw,
        "stops": [_stop_values(stop) for stop in planned.stops],
    }


def result_row(result: RoundResult) -> Values:
    """What became of it, kept for lists and sums; always worked out from the history."""
    figures = result.figures
    return {
        "state": result.state.value,
        "look_s": result.look_s,
        "stop_count": figures.stops,
        "visited": figures.visited,
        "on_time": figures.on_time,
        "late": figures.late,
        "skipped": figures.skipped,
        "missed": figures.missed,
        "odd": figures.odd,
    }


def round_of(row: Row) -> Round:
    """The round of a row of `rounds`."""
    return Round(
        id=row["id"],
        kind=RoundKind(row["kind"]),
        source=row["source"],
        name=Name(row["name_zh"], row["name_en"]),
        team=row["team"],
        day=date.fromisoformat(row["day"]),
        order=Order(row["order"]),
        due_s=row["due_s"],
        opens_s=row["opens_s"],
        closes_s=row["closes_s"],
        announced_s=row["announced_s"],
        stops=tuple(_stop_of(values) for values in row["stops"]),
        travels=TravelMode(row["travels"]),
        draw=row["draw"],
    )


def entry_row(entry: RoundEntry, said: str = "") -> Values:
    """`said` is the fingerprint of the command; empty for what no person said."""
    return {
        "id": entry.id,
        "round": entry.round,
        "act": entry.act.value,
        "at_s": entry.at_s,
        "recorded_s": entry.recorded_s,
        "by_kind": entry.by.kind.value,
        "by_id": entry.by.id,
        "by_name": entry.by.name,
        "checkpoint": entry.checkpoint,
        "reason": entry.reason,
        "proof": entry.proof.value if entry.proof else None,
        "distance_m": entry.distance_m,
        "camera": entry.camera,
        "incident": entry.incident,
        "flags": [flag.value for flag in entry.flags],
        "fingerprint": said,
    }


def entry_of(row: Row) -> RoundEntry:
    """The line of history of a row of `round_entries`."""
    return RoundEntry(
        id=row["id"],
        round=row["round"],
        act=Act(row["act"]),
        at_s=row["at_s"],
        recorded_s=row["recorded_s"],
        by=Actor(ActorKind(row["by_kind"]), row["by_id"], row["by_name"]),
        checkpoint=row["checkpoint"],
        reason=row["reason"],
        proof=Proof(row["proof"]) if row["proof"] else None,
        distance_m=row["distance_m"],
        camera=row["camera"],
        incident=row["incident"],
        flags=tuple(RoundFlag(flag) for flag in row["flags"]),
    )


def stop_row(stop: TemporaryStop) -> Values:
    return {
        "id": stop.id,
        "lon": stop.place[0],
        "lat": stop.place[1],
        "grid_cell": stop.grid_cell,
        "why": stop.why,
        "until_s": stop.until_s,
        "team": stop.team,
        "repeat_min": stop.repeat_min,
        "by_name": stop.by,
        "made_s": stop.made_s,
        "withdrawn_s": stop.withdrawn_s,
        "withdrawn_by": stop.withdrawn_by,
    }


def temporary_of(row: Row) -> TemporaryStop:
    """The temporary stop of a row of `temporary_stops`."""
    return TemporaryStop(
        id=row["id"],
        place=(row["lon"], row["lat"]),
        why=row["why"],
        until_s=row["until_s"],
        team=row["team"],
        repeat_min=row["repeat_min"],
        grid_cell=row["grid_cell"],
        by=row["by_name"],
        made_s=row["made_s"],
        withdrawn_s=row["withdrawn_s"],
        withdrawn_by=row["withdrawn_by"],
    )


def draw_row(draw: Draw) -> Values:
    return {
        "id": draw.id,
        "source": draw.source,
        "seed": draw.seed,
        "pool": list(draw.pool),
        "count": draw.count,
        "drawn": list(draw.drawn),
        "made_s": draw.made_s,
        "announced_s": draw.announced_s,
        "by_name": draw.by,
    }


def draw_of(row: Row) -> Draw:
    """The draw of a row of `draws`."""
    return Draw(
        id=row["id"],
        source=row["source"],
        seed=row["seed"],
        pool=tuple(row["pool"]),
        count=row["count"],
        drawn=tuple(row["drawn"]),
        made_s=row["made_s"],
        announced_s=row["announced_s"],
        by=row["by_name"],
    )


def fingerprint(*said: object) -> str:
    """What a repeated command must have in common with the first time. Not the time: a server may stamp each arrival anew."""
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def _stop_values(stop: Stop) -> Values:
    return {
        "checkpoint": stop.checkpoint,
        "zh": stop.name.zh,
        "en": stop.name.en,
        "lon": stop.place[0],
        "lat": stop.place[1],
        "grid_cell": stop.grid_cell,
        "from_s": stop.from_s,
        "due_s": stop.due_s,
        "until_s": stop.until_s,
        "key_node": stop.key_node,
        "has_code": stop.has_code,
    }


def _stop_of(values: Row) -> Stop:
    return Stop(
        checkpoint=values["checkpoint"],
        name=Name(values["zh"], values["en"]),
        place=(values["lon"], values["lat"]),
        grid_cell=values["grid_cell"],
        from_s=values["from_s"],
        due_s=values["due_s"],
        until_s=values["until_s"],
        key_node=values["key_node"],
        has_code=values["has_code"],
    )
