"""Living coverage: a camera that stops seeing stops covering, and within seconds the map, the figures and the blind spots say so.

Once a second it is asked which cameras cover nothing, and why. Only when that has changed is anything worked out again, on a
thread of its own: some ten milliseconds for a switch of a large site. Switches that took their cameras away get one incident,
important ground that is lost for minutes a proposed patrol stop; both are withdrawn when the cameras see again.
"""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from base import CameraStatus, Clock, Gap, StorageError
from camera_config import Site
from camera_config.coverage import Coverage
from camera_config.covered import Covered
from dashboard import CoverageBoard, CoverageNow, Updates, announce_coverage, announce_incident
from dashboard.fleet_view import FleetView
from fleet.background import in_background
from patrol import Incident
from patrol.coverage_causes import failed_since, lost_cameras, switches, switches_back, switches_lost
from patrol.coverage_patrol import PatrolSpot, patrol_spots
from storage import Store

__all__ = ["LivingCoverage", "Turn", "coverage_running"]

logger = logging.getLogger(__name__)

_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Turn:
    """What one look led to: the new state if there is one, and the incidents that changed."""

    now: CoverageNow | None
    incidents: tuple[Incident, ...]


class LivingCoverage:
    """Follows the states of one site's cameras. One thread at a time; `turn` blocks for the database and the geometry."""

    def __init__(self, site: Site, store: Store, clock: Clock) -> None:
        self._store = store.coverage
        self._clock = clock
        self._rules = site.coverage
        self._fed = switches(site)
        self._site, self._cameras = site, site.cameras
        self._coverage = Coverage(site)
        self._whole = self._coverage.with_states({})
        self._now: CoverageNow | None = None
        self._spots: Mapping[str, PatrolSpot] = {}
        self._wanted_s: dict[str, float] = {}  # monotonic: since when important ground of a cell has been lost
        self._standing: frozenset[tuple[str, str]] | None = None  # the proposals last shown: id and state
        self._store.switch_off([camera.id for camera in site.cameras if not camera.enabled])

    def _follow_site(self) -> bool:
        """Take over the cameras of the site if they are others than before; whether they are. Only what differs is new."""
        cameras = self._site.cameras
        if cameras is self._cameras:
            return False
        before, after = ({camera.id: camera for camera in each} for each in (self._cameras, cameras))
        coverage = self._coverage
        for gone in before.keys() - after.keys():
            coverage = coverage.without_camera(gone)
        for camera in after.values():
            if before.get(camera.id) != camera:
                coverage = coverage.with_camera(camera)
        self._store.switch_off([camera.id for camera in cameras if not camera.enabled])
        self._coverage, self._whole = coverage, coverage.with_states({})
        self._fed, self._cameras = switches(self._site), cameras
        return True

    def turn(self, statuses: Mapping[str, CameraStatus], gaps: Mapping[str, Gap]) -> Turn:
        """Look once. Raises StorageError; the next call goes on from there."""
        is_other = self._follow_site()
        incidents, uplink_of = self._follow_switches(failed_since(gaps))
        lost = lost_cameras(statuses, gaps, self._store.troubles(), self._store.shed(), uplink_of)
        lost = {camera: cause for camera, cause in lost.items() if camera in self._coverage.cameras}
        is_new = is_other or self._now is None or dict(self._now.covered.lost) != lost
        if is_new:
            covered = self._worked_out(lost)
            self._spots = patrol_spots(self._coverage, self._whole, covered)
        else:
            assert self._now is not None
            covered = self._now.covered
        standing = self._follow_spots()
        if not is_new and standing == self._standing:
            return Turn(None, tuple(incidents))
        version = 1 if self._now is None else self._now.version + 1
        self._now, self._standing = CoverageNow(version, self._clock.now_s(), self._coverage, covered), standing
        return Turn(self._now, tuple(incidents))

    def _worked_out(self, lost: Mapping[str, str]) -> Covered:
        """The coverage without these cameras; everything that pages ask for is computed here, before anybody waits for it."""
        covered = self._coverage.with_states(lost)
        sizes = len(covered.lost), len(covered.lost_m2), len(covered.blind_spots), len(covered.figures)
        logger.debug("%d cameras cover nothing for %d reasons: %d blind spots, %d places", *sizes)
        return covered

    def _follow_switches(self, failed: Mapping[str, float]) -> tuple[list[Incident], dict[str, str]]:
        """Open and end outages; the incidents that changed, and by camera the switch that took it away."""
        changed: list[Incident] = []
        down = {outage.uplink: outage for outage in self._store.outages()}
        for uplink in switches_back(self._fed, down, failed):
            logger.info("switch %s works again", uplink)
            changed += self._store.end_outage(uplink)
        for lost in switches_lost(self._fed, failed):
            if lost.uplink not in down:
                logger.warning("switch %s is down: %d cameras without video", lost.uplink, len(lost.cameras))
                changed += self._store.begin_outage(lost)
        uplink_of = {camera: outage.uplink for outage in self._store.outages() for camera in self._fed.get(outage.uplink, ())}
        return changed, uplink_of

    def _follow_spots(self) -> frozenset[tuple[str, str]]:
        """Propose stops where important ground has been lost for long enough, withdraw those where it is not; what stands."""
        now_s = self._clock.monotonic_s()
        self._wanted_s = {cell: self._wanted_s.get(cell, now_s) for cell in self._spots}
        standing = {proposal.grid_cell: proposal for proposal in self._store.proposals()}
        over = standing.keys() - self._spots.keys()
        due_s = now_s - self._rules.patrol_after_min * 60.0
        new = [spot for cell, spot in self._spots.items() if cell not in standing and self._wanted_s[cell] <= due_s]
        if over:
            self._store.withdraw(over)
        if new:
            self._store.propose(new)
        if over or new:
            standing = {proposal.grid_cell: proposal for proposal in self._store.proposals()}
        return frozenset((proposal.id, proposal.state.value) for proposal in standing.values())


def coverage_running(
    site: Site, store: Store, fleet: FleetView, board: CoverageBoard, updates: Updates, clock: Clock
) -> AbstractAsyncContextManager[None]:
    """Within the context the board shows what is covered, and pages are told when that changes."""
    return in_background(_follow(site, store, fleet, board, updates, clock), "coverage")


async def _follow(site: Site, store: Store, fleet: FleetView, board: CoverageBoard, updates: Updates, clock: Clock) -> None:
    living: LivingCoverage | None = None
    failing = False
    while True:
        try:
            if living is None:
                living = await asyncio.to_thread(LivingCoverage, site, store, clock)
            turn = await asyncio.to_thread(living.turn, dict(fleet.statuses()), dict(fleet.open_gaps()))
            for incident in turn.incidents:
                announce_incident(updates, incident)
            if turn.now is not None:
                board.put(turn.now)
                announce_coverage(updates, turn.now, site)
            failing = False
        except StorageError as error:
            if not failing:
                logger.error("the coverage stands still: %s", error)
            failing = True
        except Exception:
            logger.exception("coverage: something nobody expected; it goes on")
        await asyncio.sleep(_EVERY_S)
