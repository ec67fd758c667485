"""Notices in the database: written in the transaction of what they tell, then addressed to those who hear of it.

Whoever changes something that people elsewhere may have to hear of calls `queue_notices` in the same transaction; who hears of it
is decided afterwards, by `address_notices`, in a transaction that writes every delivery or none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, insert, select, update

from camera_config.name import Name
from camera_config.notification_rules import NoticeKind
from camera_config.site import Site
from patrol import Happening, HistoryEntry, Incident, Level, Step
from patrol.notify import Notice, address
from storage.tables import deliveries, gaps, notices

__all__ = ["address_notices", "notice_of", "notice_values", "notices_of_history", "queue_notices", "read_notices", "tell_cameras"]

AT_ONCE = 500
"""Notices addressed in one transaction; the next call goes on."""

CAMERA_SEVERITY = 3

_KIND_OF: Mapping[Step | Happening, NoticeKind] = {
    Happening.OPENED: NoticeKind.OPENED,
    Happening.SPLIT_OFF: NoticeKind.OPENED,
    Step.DISPATCH: NoticeKind.DISPATCH,
    Step.REFUSE: NoticeKind.REFUSE,
    Step.CLOSE: NoticeKind.CLOSE,
    Step.MERGE: NoticeKind.CLOSE,
    Happening.LAPSED: NoticeKind.CLOSE,
    Step.REOPEN: NoticeKind.REOPEN,
    Happening.WARNED: NoticeKind.WARNED,
    Happening.BREACHED: NoticeKind.BREACHED,
    Happening.ESCALATED: NoticeKind.ESCALATED,
}
"""Which lines of an incident's history people elsewhere may have to hear of."""

_COLUMNS = ("id", "kind", "at_s", "level", "incident")

Row = dict[str, Any]
"""One row by column name, as in `rows.py`."""


def notices_of_history(incident: Incident, entries: Sequence[HistoryEntry]) -> list[Notice]:
    """What people elsewhere may have to hear of these lines of one incident's history; `incident` is as it is after them."""
    return [
        Notice(
            id=0,
            kind=_KIND_OF[entry.step],
            at_s=entry.at_s,
            severity=incident.severity,
            level=entry.level,
            place=entry.place,
            incident=incident.id,
            number=incident.number,
            version=entry.version,
            drill=incident.drill,
            category=incident.category.value,
            event_kind=incident.kind.value if incident.kind else "",
            camera=incident.camera,
            grid_cell=incident.grid_cell,
            compound=incident.compound,
            community=incident.community,
            team=entry.team,
            clock=entry.clock.value if entry.clock else "",
            verdict=entry.verdict.value if entry.verdict else "",
            summary=incident.summary,
        )
        for entry in entries
        if entry.step in _KIND_OF
    ]


def queue_notices(connection: Connection, queued: Sequence[Notice]) -> None:
    """Write notices down, to be addressed later. The caller commits, together with what they tell."""
    rows = [
        {
            "at_s": notice.at_s,
            "kind": notice.kind.value,
            "incident": notice.incident or None,
            "level": notice.level.value if notice.level else None,
            "payload": {key: value for key, value in notice_values(notice).items() if key not in _COLUMNS},
            "done_s": None,
        }
        for notice in queued
    ]
    if rows:
        connection.execute(insert(notices), rows)


def address_notices(connection: Connection, site: Site, now_s: float) -> int:
    """Decide who hears of what was queued; how many notices that were. The caller commits."""
    query = select(notices).where(notices.c.done_s.is_(None)).order_by(notices.c.id).limit(AT_ONCE)
    found = [_notice_of_row(row) for row in connection.execute(query).mappings()]
    rows = [
        {"notice": notice.id, "target": each.target, "bundle": each.group, "due_s": each.due_s, "message": None}
        for notice in found
        for each in address(notice, site.notifications, site.zone_info, now_s)
    ]
    if rows:
        connection.execute(insert(deliveries), rows)
    if found:
        ids = [notice.id for notice in found]
        connection.execute(update(notices).where(notices.c.id.between(ids[0], ids[-1])).values(done_s=now_s))
    return len(found)


def read_notices(connection: Connection, ids: Sequence[int]) -> dict[int, Notice]:
    """Notices by their ids, which must exist; at most AT_ONCE."""
    query = select(notices).where(notices.c.id.in_(ids))
    return {row["id"]: _notice_of_row(row) for row in connection.execute(query).mappings()}


def tell_cameras(connection: Connection, site: Site, now_s: float) -> int:
    """Queue a notice for every camera that has been away for long enough, and for every one that is back; how many.

    A camera whose absence was told is told again only as back, whatever the gap in which it is away is called meanwhile.
    """
    lasting = list(connection.execute(select(gaps.c.camera, gaps.c.began_s, gaps.c.told).where(gaps.c.ended_s.is_(None))))
    ended = select(gaps.c.camera, gaps.c.ended_s).where(gaps.c.told == 1, gaps.c.ended_s.is_not(None))
    over = {row.camera: row.ended_s for row in connection.execute(ended)}
    away = {row.camera for row in lasting}
    told: list[Notice] = []
    for row in lasting:
        camera = site.camera_by_id.get(row.camera)
        if camera is None or not camera.enabled or row.told:
            continue
        if row.camera not in over:
            if row.began_s > now_s - site.notifications.camera_after_s:
                continue
            told.append(_camera_notice(site, NoticeKind.CAMERA_OFFLINE, row.camera, row.began_s))
        mine = (gaps.c.camera == row.camera, gaps.c.began_s == row.began_s)
        connection.execute(update(gaps).where(*mine).values(told=1))
    for name, ended_s in over.items():
        if name not in away and name in site.camera_by_id:
            told.append(_camera_notice(site, NoticeKind.CAMERA_BACK, name, ended_s))
        connection.execute(
            update(gaps).where(gaps.c.camera == name, gaps.c.told == 1, gaps.c.ended_s.is_not(None)).values(told=2)
        )
    queue_notices(connection, told)
    return len(told)


def notice_values(notice: Notice) -> Row:
    """Every field of a notice as JSON has it, but for those that are empty."""
    values = {key: value for key, value in asdict(notice).items() if value not in ("", 0, None, False)}
    return values | {"id": notice.id, "kind": notice.kind.value, "at_s": notice.at_s, "severity": notice.severity}


def notice_of(values: Mapping[str, Any]) -> Notice:
    """The notice that `notice_values` or a patrol round wrote; keys it does not know are left out."""
    texts = (
        "place",
        "incident",
        "category",
        "event_kind",
        "camera",
        "grid_cell",
        "compound",
        "community",
        "team",
        "desk",
        "clock",
    )
    round_name = values.get("round_name") or (values.get("name") if "round" in values else None)
    checkpoint = values.get("checkpoint_name") or values.get("checkpoint")
    return Notice(
        id=values["id"],
        kind=NoticeKind(values["kind"]) if values["kind"] in set(NoticeKind) else NoticeKind.OTHER,
        at_s=values["at_s"],
        severity=values.get("severity", 4),
        level=Level(values["level"]) if values.get("level") else None,
        number=values.get("number", 0),
        version=values.get("version", 0),
        drill=values.get("drill", False),
        verdict=values.get("verdict", ""),
        summary=values.get("summary", ""),
        round_name=Name(**round_name) if round_name else None,
        checkpoint=Name(**checkpoint) if isinstance(checkpoint, dict) else None,
        target=values.get("target", ""),
        **{key: values.get(key) or "" for key in texts},
    )


def _notice_of_row(row: Mapping[Any, Any]) -> Notice:
    return notice_of(row["payload"] | {key: row[key] for key in _COLUMNS})


def _camera_notice(site: Site, kind: NoticeKind, name: str, at_s: float) -> Notice:
    camera = site.camera_by_id[name]
    return Notice(0, kind, at_s, CAMERA_SEVERITY, camera=name, grid_cell=camera.grid_cell, compound=camera.compound)
