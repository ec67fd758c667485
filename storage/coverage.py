"""Living coverage as the rest of Gridpatrol sees it: what is wrong with cameras, outages of switches, proposed patrol stops."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from base import Clock, TransitionError, Watched, uuid7
from camera_config.coverage_rules import PatrolStops
from patrol import SYSTEM, Actor, Incident
from patrol.coverage_causes import TROUBLE_OF, Loss, SwitchLost
from patrol.coverage_history import LossInterval
from patrol.coverage_patrol import PatrolSpot
from patrol.round_plan import RoundPlanner
from patrol.rounds import TemporaryStop
from storage import checkpoint_keys
from storage.accounts import add_audit
from storage.areas import Area
from storage.coverage_losses import read_losses
from storage.coverage_tables import patrol_proposals, switched_off
from storage.outages import Outage, begin_outage, end_outage, read_outages
from storage.plan_rounds import add_temporary, withdraw_temporary
from storage.reader import Reader
from storage.site_rules import SiteRules
from storage.tables import events, gaps, incidents, is_open, watch_runs
from storage.writer import Writer

__all__ = ["CoverageLedger", "PatrolProposal", "ProposalState"]

STOP_S = 12 * 3600.0
"""How long a stop that was made is asked for, if the cameras do not come back before."""

REPEAT_MIN = 60.0


class ProposalState(StrEnum):
    PROPOSED = "proposed"
    MADE = "made"  # a temporary stop was made of it
    WITHDRAWN = "withdrawn"  # the cameras see again


@dataclass(frozen=True, slots=True)
class PatrolProposal:
    """A place where a team of `grid_cell` could pass, because cameras stopped seeing it. `stop` and `by` are set iff made."""

    id: str
    grid_cell: str
    lon: float
    lat: float
    why: str
    state: ProposalState
    proposed_s: float
    stop: str = ""
    by: str = ""
    withdrawn_s: float | None = None


class CoverageLedger:
    """What is stored of the coverage of one site. As the `Store` it belongs to: any thread, returns after the commit."""

    def __init__(self, writer: Writer, read: Reader, clock: Clock, rules: SiteRules) -> None:
        self._writer = writer
        self._read = read
        self._clock = clock
        self._rules = rules
        self._planner = RoundPlanner(rules.grid, read(checkpoint_keys.read_seed))

    def troubles(self) -> dict[str, Loss]:
        """By camera, what its health rules said of its picture in an incident that nobody has closed yet."""
        return self._read(_troubles)

    def shed(self) -> frozenset[str]:
        """The cameras that the decode budget has kept from being watched for a whole minute, and still does."""
        lasting = (watch_runs.c.ended_s.is_(None), watch_runs.c.state == Watched.BUDGET.value)
        return self._read(lambda connection: frozenset(connection.scalars(select(watch_runs.c.camera).where(*lasting))))

    def losses(self, from_s: float, to_s: float) -> list[LossInterval]:
        """Which cameras covered nothing between two moments, and why: worked out from the ledgers, each second once."""
        now_s = self._clock.now_s()
        return self._read(lambda connection: read_losses(connection, from_s, min(to_s, now_s)))

    def known_since_s(self) -> float | None:
        """When the ledgers of gaps begin, UTC: what was before, nobody knows. None if nothing was ever watched."""
        since_s: float | None = self._read(lambda connection: connection.scalar(select(func.min(gaps.c.began_s))))
        return since_s

    def switch_off(self, cameras: Collection[str]) -> None:
        """Note which cameras the site does not use from now on; those that it uses again are over."""
        now_s = self._clock.now_s()
        self._writer.run(lambda connection: _switch_off(connection, cameras, now_s))

    # Outages

    def outages(self) -> list[Outage]:
        """The switches that are down now."""
        return self._read(read_outages)

    def begin_outage(self, lost: SwitchLost) -> list[Incident]:
        """Open the one incident of a switch, once; the incidents that this opened and changed."""
        now_s = self._clock.now_s()
        return self._writer.run(lambda connection: begin_outage(connection, lost, self._rules, now_s))

    def end_outage(self, uplink: str) -> list[Incident]:
        """The switch works again; the incident that this closed or changed."""
        now_s = self._clock.now_s()
        return self._writer.run(lambda connection: end_outage(connection, uplink, self._rules, now_s))

    # Patrol stops

    def proposals(self, area: Area | None = None) -> list[PatrolProposal]:
        """Those that stand, proposed and made, oldest first."""
        query = select(patrol_proposals).where(patrol_proposals.c.state != ProposalState.WITHDRAWN.value)
        query = query.order_by(patrol_proposals.c.proposed_s, patrol_proposals.c.grid_cell)
        if area is not None:
            query = query.where(patrol_proposals.c.grid_cell.in_(sorted(area.grid_cells)))
        return self._read(lambda connection: [_proposal(row) for row in connection.execute(query)])

    def proposal(self, proposal: str) -> PatrolProposal | None:
        """One proposal by its id."""
        return self._read(lambda connection: _one(connection, proposal))

    def propose(self, spots: Sequence[PatrolSpot]) -> None:
        """Propose a stop at each of these, at most one for a grid cell; made at once where the site says so."""
        now_s = self._clock.now_s()

        def work(connection: Connection) -> None:
            stands = patrol_proposals.c.state != ProposalState.WITHDRAWN.value
            known = set(connection.scalars(select(patrol_proposals.c.grid_cell).where(stands)))
            for spot in spots:
                if spot.grid_cell not in known:
                    added = _add(connection, spot, now_s)
                    if self._rules.grid.site.coverage.patrol is PatrolStops.AUTOMATIC:
                        self._make(connection, added, SYSTEM, now_s)

        self._writer.run(work)

    def accept(self, proposal: str, by: Actor) -> PatrolProposal | None:
        """Make the stop that is proposed, once; None if there is no such proposal. TransitionError if it was withdrawn."""
        now_s = self._clock.now_s()

        def work(connection: Connection) -> PatrolProposal | None:
            found = _one(connection, proposal)
            if found is None or found.state is ProposalState.MADE:
                return found
            if found.state is ProposalState.WITHDRAWN:
                raise TransitionError("the cameras see this place again, so its patrol stop is not proposed any more")
            return self._make(connection, found, by, now_s)

        return self._writer.run(work)

    def withdraw(self, grid_cells: Collection[str]) -> None:
        """Cameras see these cells again: what is proposed there is over, and stops that were made of it are called off."""
        now_s = self._clock.now_s()

        def work(connection: Connection) -> None:
            standing = patrol_proposals.c.state != ProposalState.WITHDRAWN.value
            query = select(patrol_proposals).where(standing, patrol_proposals.c.grid_cell.in_(sorted(grid_cells)))
            for found in [_proposal(row) for row in connection.execute(query).all()]:
                if found.stop:
                    withdraw_temporary(connection, found.stop, self._planner, self._rules, SYSTEM, now_s)
                _change(connection, found.id, state=ProposalState.WITHDRAWN.value, withdrawn_s=now_s)

        self._writer.run(work)

    def _make(self, connection: Connection, found: PatrolProposal, by: Actor, now_s: float) -> PatrolProposal:
        stop = TemporaryStop(uuid7(now_s), (found.lon, found.lat), found.why, now_s + STOP_S, repeat_min=REPEAT_MIN)
        add_temporary(connection, stop, self._planner, self._rules, by, now_s)
        _change(connection, found.id, state=ProposalState.MADE.value, stop=stop.id, by_name=by.name)
        add_audit(connection, by, "accept_patrol_proposal", f"patrol_proposal/{found.id}", found.why, now_s)
        return replace(found, state=ProposalState.MADE, stop=stop.id, by=by.name)


def _troubles(connection: Connection) -> dict[str, Loss]:
    kinds = [kind.value for kind in TROUBLE_OF]
    query = select(events.c.camera, events.c.kind).join(incidents, incidents.c.id == events.c.incident)
    rows = connection.execute(query.where(is_open, incidents.c.kind.in_(kinds), events.c.kind.in_(kinds)).distinct())
    order = list(Loss)
    found: dict[str, Loss] = {}
    for camera, kind in rows:
        loss = TROUBLE_OF[kind]
        found[camera] = min(found.get(camera, loss), loss, key=order.index)
    return found


def _switch_off(connection: Connection, cameras: Collection[str], now_s: float) -> None:
    lasting = set(connection.scalars(select(switched_off.c.camera).where(switched_off.c.ended_s.is_(None))))
    if back := sorted(lasting - set(cameras)):
        mine = (switched_off.c.ended_s.is_(None), switched_off.c.camera.in_(back))
        connection.execute(update(switched_off).where(*mine).values(ended_s=now_s))
    if new := sorted(set(cameras) - lasting):
        connection.execute(insert(switched_off), [{"camera": each, "began_s": now_s, "ended_s": None} for each in new])


def _add(connection: Connection, spot: PatrolSpot, now_s: float) -> PatrolProposal:
    what = ", ".join(spot.touches)
    added = PatrolProposal(
        id=uuid7(now_s),
        grid_cell=spot.grid_cell,
        lon=spot.place[0],
        lat=spot.place[1],
        why=f"摄像机看不到 {spot.important_m2:.0f} m² 重要区域 Cameras do not see {spot.important_m2:.0f} m²: {what}"[:200],
        state=ProposalState.PROPOSED,
        proposed_s=now_s,
    )
    row = {name: getattr(added, name) for name in ("id", "grid_cell", "lon", "lat", "why", "proposed_s", "stop", "withdrawn_s")}
    connection.execute(insert(patrol_proposals), row | {"state": added.state.value, "by_name": added.by})
    return added


def _change(connection: Connection, proposal: str, **values: object) -> None:
    connection.execute(update(patrol_proposals).where(patrol_proposals.c.id == proposal).values(**values))


def _one(connection: Connection, proposal: str) -> PatrolProposal | None:
    row = connection.execute(select(patrol_proposals).where(patrol_proposals.c.id == proposal)).first()
    return None if row is None else _proposal(row)


def _proposal(row: Row[Any]) -> PatrolProposal:  # Any: columns of different types
    state = ProposalState(row.state)
    return PatrolProposal(
        row.id, row.grid_cell, row.lon, row.lat, row.why, state, row.proposed_s, row.stop, row.by_name, row.withdrawn_s
    )
