"""Outages of switches: many cameras, one cause, one incident. Begin with `begin_outage`.

While an outage lasts, what the health rules say of its cameras joins its incident and alarms nobody again; what they had said
just before, and nobody had taken on, ends in it as a duplicate.
"""

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from base import Event
from camera_config.time_limits import Category
from patrol import SYSTEM, Happening, HistoryEntry, Incident, Origin, Report, Step, Work
from patrol.coverage_causes import SWITCH_WITHIN_S, SwitchLost
from patrol.incident import CATEGORY_OF
from patrol.made_up import lapsed
from patrol.merge import absorbed_into
from storage.coverage_tables import outages
from storage.history import add_history
from storage.incidents import read_events, read_incident, write_incidents
from storage.rows import incident_of
from storage.site_rules import SiteRules
from storage.tables import events, incidents, is_open
from storage.take_steps import report_incident

__all__ = ["Outage", "begin_outage", "end_outage", "read_outages", "suppressed_under"]

OUTAGE_SEVERITY = 2
RECOVERED_CAUSE = "recovered"

_NAMESPACE = uuid.UUID("5d0a2c0e-6a53-4f0e-9a2e-1f8a3c1b7d44")


@dataclass(frozen=True, slots=True)
class Outage:
    """A time in which a switch was down, UTC; `ended_s` is None while it is. `cameras` are those it took away."""

    id: str
    uplink: str
    incident: str
    cameras: tuple[str, ...]
    began_s: float
    ended_s: float | None


def begin_outage(connection: Connection, lost: SwitchLost, rules: SiteRules, now_s: float) -> list[Incident]:
    """Open the one incident of a switch, once; what changed: it and those that ended in it. The caller commits."""
    lasting = select(outages.c.id).where(outages.c.uplink == lost.uplink, outages.c.ended_s.is_(None))
    if connection.execute(lasting).first() is not None:
        return []
    identity = str(uuid.uuid5(_NAMESPACE, f"{lost.uplink}\n{lost.began_s!r}"))
    incident = report_incident(connection, _report(identity, lost, rules, now_s), rules, now_s)
    row = {"id": identity, "uplink": lost.uplink, "incident": incident.id, "cameras": list(lost.cameras)}
    connection.execute(insert(outages), row | {"began_s": lost.began_s, "ended_s": None})
    return _absorb_earlier(connection, incident, lost, rules, now_s)


def end_outage(connection: Connection, uplink: str, rules: SiteRules, now_s: float) -> list[Incident]:
    """The switch works again: its incident is closed, or told so if somebody has it. The caller commits."""
    found = connection.execute(select(outages).where(outages.c.uplink == uplink, outages.c.ended_s.is_(None))).first()
    if found is None:
        return []
    connection.execute(update(outages).where(outages.c.id == found.id).values(ended_s=now_s))
    before = read_incident(connection, found.incident)
    if before is None or not before.is_open:
        return []
    told, marks = rules.clocks.tell(before, now_s, now_s)
    is_free = told.work is Work.NEW
    after = lapsed(told, now_s, RECOVERED_CAUSE) if is_free else replace(told, version=told.version + 1)
    line = HistoryEntry(
        incident=after.id,
        version=after.version,
        step=Happening.LAPSED if is_free else Step.NOTE,
        work=after.work,
        at_s=now_s,
        recorded_s=now_s,
        by=SYSTEM,
        team=after.team,
        text=f"交换机 {uplink} 已恢复 Switch {uplink} works again",
        verdict=after.verdict if is_free else None,
        cause=after.cause if is_free else "",
    )
    after = rules.clocks.timed(after)
    write_incidents(connection, [after])
    add_history(connection, after, (*marks, line))
    return [after]


def read_outages(connection: Connection, from_s: float | None = None, to_s: float | None = None) -> list[Outage]:
    """The outages that last now, by the id of the switch; with a time, those that touch it."""
    query = select(outages).order_by(outages.c.uplink, outages.c.began_s)
    if from_s is None:
        query = query.where(outages.c.ended_s.is_(None))
    else:
        query = query.where(outages.c.ended_s.is_(None) | (outages.c.ended_s > from_s), outages.c.began_s < to_s)
    return [_outage(row) for row in connection.execute(query)]


def suppressed_under(connection: Connection, fresh: Sequence[Event]) -> dict[str, Incident]:
    """By the id of each event about a camera whose switch is down: the open incident of that. Only asks if there is such news."""
    about = [event for event in fresh if CATEGORY_OF[event.kind] is Category.CAMERA_HEALTH]
    if not about:
        return {}
    query = select(outages.c.cameras, incidents).join(incidents, incidents.c.id == outages.c.incident)
    down: dict[str, Incident] = {}
    for row in connection.execute(query.where(outages.c.ended_s.is_(None), is_open)).mappings():
        down |= dict.fromkeys(row[outages.c.cameras], incident_of({column.name: row[column] for column in incidents.c}))
    return {event.id: down[event.camera] for event in about if event.camera in down}


def _report(identity: str, lost: SwitchLost, rules: SiteRules, now_s: float) -> Report:
    """What the program reports, in the grid cell of most of the cameras."""
    located = ((camera, rules.grid.locate(camera)) for camera in lost.cameras)
    cells = Counter(where.grid_cell for _, where in located if where.grid_cell)
    first = rules.grid.site.camera_by_id[lost.cameras[0]]
    count = len(lost.cameras)
    return Report(
        id=identity,
        origin=Origin.INSPECTION,
        category=Category.CAMERA_HEALTH,
        severity=OUTAGE_SEVERITY,
        by=SYSTEM,
        at_s=min(lost.began_s, now_s),
        text=f"交换机 {lost.uplink} 中断：{count} 路摄像机无视频 Switch {lost.uplink} is down: {count} cameras without video",
        lon=None if cells else first.lon,
        lat=None if cells else first.lat,
        grid_cell=cells.most_common(1)[0][0] if cells else "",
    )


def _absorb_earlier(
    connection: Connection, incident: Incident, lost: SwitchLost, rules: SiteRules, now_s: float
) -> list[Incident]:
    """What was opened about single cameras since the outage began, and nobody has touched, ends in `incident`."""
    single = select(incidents).where(
        is_open,
        incidents.c.camera.in_(lost.cameras),
        incidents.c.category == Category.CAMERA_HEALTH.value,
        incidents.c.work == Work.NEW.value,
        incidents.c.began_s >= lost.began_s - SWITCH_WITHIN_S,
    )
    changed = []
    for row in connection.execute(single.order_by(incidents.c.number)).mappings().all():
        source = incident_of(row)
        moved = read_events(connection, source.id)
        both = [*read_events(connection, incident.id), *moved]
        (ended, ending), (incident, growing) = absorbed_into(source, incident, both, moved, SYSTEM, now_s)
        ended, incident = rules.clocks.timed(ended), rules.clocks.timed(incident)
        write_incidents(connection, [ended, incident])
        connection.execute(update(events).where(events.c.incident == source.id).values(incident=incident.id))
        add_history(connection, ended, [ending])
        add_history(connection, incident, [growing])
        changed.append(ended)
    return [incident, *changed]


def _outage(row: Row[Any]) -> Outage:  # Any: columns of different types
    return Outage(row.id, row.uplink, row.incident, tuple(row.cameras), row.began_s, row.ended_s)
