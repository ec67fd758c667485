"""Shift handover sheets: drawn up from one snapshot of the database, offered, confirmed by the other side, kept for good."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from base import Clock, Health
from camera_config.site import Site
from patrol import Actor, ActorKind, CommandError, Step, Verdict, Work
from patrol.advance import TEXT_MAX, check_text
from patrol.handover import (
    BadRound,
    CameraDown,
    Handover,
    HandoverAlarm,
    Shelf,
    Since,
    check_confirm,
    check_offer,
    check_withdraw,
    sha256_of,
    sheet,
)
from patrol.rounds import RoundState
from storage.accounts import add_audit
from storage.areas import Area, incidents_of, rounds_of
from storage.desk_tables import handovers
from storage.handover_alarms import clear_alarms, missing, raise_alarm, read_alarms
from storage.reader import Reader
from storage.referrals import read_open_referrals
from storage.round_rows import round_of
from storage.rows import incident_of
from storage.site_rules import SiteRules
from storage.tables import health, history, incidents, rounds
from storage.writer import Writer

__all__ = ["FIRST_S", "Handovers"]

FIRST_S = 24 * 3600.0
"""How far back the first sheet looks, before which nobody handed over."""

_BAD = (RoundState.MISSED.value, RoundState.INCOMPLETE.value)


class Handovers:
    """The handover sheets of one control room. As the `Store`: any thread, returns after the commit, raises StorageError."""

    def __init__(self, writer: Writer, read: Reader, clock: Clock, rules: SiteRules) -> None:
        self._writer = writer
        self._read = read
        self._clock = clock
        self._site = rules.grid.site

    def draft(self, by: Actor, area: Area | None = None) -> str:
        """What a sheet of `by` would hold if it were offered now, without notes; nothing is written."""
        now_s = self._clock.now_s()
        return self._read(lambda connection: _draw_up(connection, self._site, by, "", now_s, area))

    def offer(self, handover: str, by: Actor, notes: str, area: Area | None = None) -> Handover:
        """Draw up and sign a sheet of an area or of everything, once by its id, which the client makes.

        Raises TransitionError while another one of the same area waits, CommandError for notes that are too long or an id used by
        somebody else.
        """
        check_text("notes", notes, TEXT_MAX)
        now_s = self._clock.now_s()
        return self._writer.run(lambda connection: _offer(connection, self._site, handover, by, notes.strip(), now_s, area))

    def confirm(self, handover: str, by: Actor, sha256: str, remark: str) -> Handover | None:
        """Sign as the incoming side; None if there is no such sheet. Raises as `patrol.handover.check_confirm`."""
        check_text("remark", remark, TEXT_MAX)
        now_s = self._clock.now_s()
        return self._writer.run(lambda connection: _confirm(connection, handover, by, sha256, remark.strip(), now_s))

    def withdraw(self, handover: str, by: Actor, any_sheet: bool) -> Handover | None:
        """Withdraw a sheet that nobody has confirmed; None if there is none. Raises as `patrol.handover.check_withdraw`."""
        now_s = self._clock.now_s()
        return self._writer.run(lambda connection: _withdraw(connection, handover, by, any_sheet, now_s))

    def tell_due(self) -> list[HandoverAlarm]:
        """Raise the alarm if nobody has signed in time, once for each change of shifts; those that stand, if there is a new one.

        Call it every second; while nothing is due it only reads.
        """
        now_s = self._clock.now_s()
        if self._site.time_limits.handover is None:
            return []
        if self._read(lambda connection: missing(connection, self._site, now_s)) is None:
            return []
        self._writer.run(lambda connection: raise_alarm(connection, self._site, now_s))
        return self.alarms()

    def alarms(self) -> list[HandoverAlarm]:
        """The alarms that stand until both sides have signed, oldest first."""
        return self._read(read_alarms)

    def handover(self, handover: str) -> Handover | None:
        """One sheet by its id."""
        return self._read(lambda connection: _find(connection, handover))

    def handovers(self, limit: int, before: str | None = None, area: Area | None = None) -> list[Handover]:
        """At most `limit` sheets, newest first; those before the sheet `before` of the previous page. Of an area: its own."""
        mine = [] if area is None else [handovers.c.areas == area.key]
        query = select(handovers).where(*mine).order_by(handovers.c.made_s.desc(), handovers.c.id.desc()).limit(limit)
        if before is not None:
            made_s = select(handovers.c.made_s).where(handovers.c.id == before).scalar_subquery()
            query = query.where(handovers.c.made_s < made_s)
        return self._read(lambda connection: [_handover_of(row) for row in connection.execute(query).mappings()])


def _offer(connection: Connection, site: Site, handover: str, by: Actor, notes: str, now_s: float, area: Area | None) -> Handover:
    known = _find(connection, handover)
    if known is not None:
        if known.outgoing.id != by.id:
            raise CommandError(f"the id {handover} was already used for another sheet; every sheet needs an id of its own")
        return known
    waiting = select(handovers).where(handovers.c.confirmed_s.is_(None), handovers.c.withdrawn_s.is_(None))
    offered = connection.execute(waiting.where(handovers.c.areas == _key(area))).mappings().first()
    check_offer(by, _handover_of(offered) if offered else None)
    content = _draw_up(connection, site, by, notes, now_s, area)
    made = Handover(handover, now_s, content, sha256_of(content), by, areas=_key(area))
    connection.execute(insert(handovers), _row(made))
    add_audit(connection, by, "offer_handover", f"handover/{handover}", made.sha256, now_s)
    return made


def _confirm(connection: Connection, handover: str, by: Actor, sha256: str, remark: str, now_s: float) -> Handover | None:
    found = _find(connection, handover)
    if found is None or (found.incoming is not None and found.incoming.id == by.id and found.sha256 == sha256):
        return found  # none, or confirmed by the same person before
    check_confirm(found, by, sha256)
    values = {f"incoming_{part}": str(getattr(by, part)) for part in ("kind", "id", "name")}
    changed = update(handovers).where(handovers.c.id == handover)
    connection.execute(changed.values(**values, confirmed_s=now_s, remark=remark))
    clear_alarms(connection, now_s)
    add_audit(connection, by, "confirm_handover", f"handover/{handover}", sha256, now_s)
    return _find(connection, handover)


def _withdraw(connection: Connection, handover: str, by: Actor, any_sheet: bool, now_s: float) -> Handover | None:
    found = _find(connection, handover)
    if found is None:
        return None
    check_withdraw(found, by, any_sheet)
    connection.execute(update(handovers).where(handovers.c.id == handover).values(withdrawn_s=now_s))
    add_audit(connection, by, "withdraw_handover", f"handover/{handover}", found.sha256, now_s)
    return _find(connection, handover)


def _draw_up(connection: Connection, site: Site, by: Actor, notes: str, now_s: float, area: Area | None) -> str:
    confirmed_s = connection.scalar(select(func.max(handovers.c.confirmed_s)).where(handovers.c.areas == _key(area)))
    from_s = now_s - FIRST_S if confirmed_s is None else confirmed_s
    is_open = select(incidents).where(incidents.c.work != Work.CLOSED.value, *incidents_of(area))
    rows = connection.execute(is_open).mappings()
    still_open = [incident_of(row) for row in rows]
    return sheet(
        made_s=now_s,
        outgoing=by,
        notes=notes,
        areas=() if area is None else tuple(area.key.split(",")),
        since=_since(connection, from_s, area),
        incidents=still_open,
        shelves=_shelves(connection, {each.id: each for each in still_open if each.shelved_until_s is not None}),
        referrals=read_open_referrals(connection, area=area),
        cameras=[down for down in _offline(connection, site) if area is None or down.camera in area.cameras],
        rounds=_bad_rounds(connection, from_s, now_s, area),
    )


def _since(connection: Connection, from_s: float, area: Area | None) -> Since:
    counted = (incidents.c.drill.is_(False), *incidents_of(area))
    opened = select(func.count()).where(incidents.c.opened_s >= from_s, *counted)
    closed = select(incidents.c.verdict, func.count().label("number")).where(
        incidents.c.work == Work.CLOSED.value, incidents.c.since_s >= from_s, *counted
    )
    count: int = connection.execute(opened).scalar_one()
    by_verdict = {row.verdict: row.number for row in connection.execute(closed.group_by(incidents.c.verdict))}
    return Since(from_s, count, {verdict: by_verdict.get(verdict.value, 0) for verdict in Verdict})


def _shelves(connection: Connection, shelved: Mapping[str, Any]) -> list[Shelf]:
    """Who shelved what is on the shelf now, and why, the first to end first."""
    query = select(history.c.incident, history.c.by_name, history.c.text).where(
        history.c.incident.in_(shelved), history.c.step == Step.SHELVE.value
    )
    last = {row.incident: row for row in connection.execute(query.order_by(history.c.incident, history.c.version))}
    found = [Shelf(each, last[name].by_name, last[name].text) for name, each in shelved.items() if name in last]
    return sorted(found, key=lambda each: (each.incident.shelved_until_s, each.incident.number))


def _offline(connection: Connection, site: Site) -> list[CameraDown]:
    """Enabled cameras whose health was last recorded as offline."""
    newest = select(func.max(health.c.number)).group_by(health.c.camera)
    query = select(health).where(health.c.number.in_(newest), health.c.health == Health.OFFLINE.value).order_by(health.c.camera)
    enabled = {camera.id for camera in site.cameras if camera.enabled}
    return [CameraDown(row.camera, row.since_s, row.cause) for row in connection.execute(query) if row.camera in enabled]


def _bad_rounds(connection: Connection, from_s: float, to_s: float, area: Area | None) -> list[BadRound]:
    over = (rounds.c.closes_s > from_s, rounds.c.closes_s <= to_s)
    query = select(rounds).where(rounds.c.state.in_(_BAD), *over, *rounds_of(area))
    rows = connection.execute(query.order_by(rounds.c.due_s, rounds.c.id)).mappings()
    return [BadRound(round_of(row), RoundState(row["state"]), row["missed"]) for row in rows]


def _find(connection: Connection, handover: str) -> Handover | None:
    row = connection.execute(select(handovers).where(handovers.c.id == handover)).mappings().first()
    return _handover_of(row) if row else None


def _row(made: Handover) -> dict[str, Any]:  # Any: columns of different types
    outgoing = {f"outgoing_{part}": str(getattr(made.outgoing, part)) for part in ("kind", "id", "name")}
    return outgoing | {name: getattr(made, name) for name in ("id", "made_s", "content", "sha256", "remark", "areas")}


def _handover_of(row: Mapping[Any, Any]) -> Handover:
    incoming = row["incoming_kind"]
    return Handover(
        id=row["id"],
        made_s=row["made_s"],
        content=row["content"],
        sha256=row["sha256"],
        outgoing=Actor(ActorKind(row["outgoing_kind"]), row["outgoing_id"], row["outgoing_name"]),
        incoming=Actor(ActorKind(incoming), row["incoming_id"], row["incoming_name"]) if incoming else None,
        confirmed_s=row["confirmed_s"],
        remark=row["remark"],
        withdrawn_s=row["withdrawn_s"],
        areas=row["areas"],
    )


def _key(area: Area | None) -> str:
    return "" if area is None else area.key
