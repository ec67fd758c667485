"""A change of the site on its way to what runs: the site that everybody holds, then the workers, then the open pages.

What is worked out from a site, such as its coverage or who is told by which way, looks by itself whether it is still the same.
"""

import asyncio
import logging

from base import StorageError
from camera_config import Site
from camera_config.change_cameras import differences
from camera_config.live_site import LiveSite
from dashboard import Applied, Updates, Waits, announce_incident
from fleet.control import Control
from fleet.setups import changes_of, setups_of
from storage import Store

__all__ = ["FleetFollower"]

_TIMED = ("time_limits", "place_hours", "sections", "desks")
"""What clocks count by."""

logger = logging.getLogger(__name__)


class FleetFollower:
    """Applies changes to the running site. Event-loop thread only, one change at a time, which the registry sees to."""

    def __init__(self, site: LiveSite, control: Control, store: Store, updates: Updates) -> None:
        self._site, self._control, self._store, self._updates = site, control, store, updates
        self._setups = setups_of(site)

    async def follow(self, after: Site) -> Applied:
        """Have all of `after` that can move. Cameras that did not change lose nothing; running clocks count the new limits."""
        named = [camera for group in differences(self._site, after) for camera in group]
        wanted = setups_of(after)
        setups = changes_of(self._setups, wanted)
        changed = list(dict.fromkeys([*named, *(setup.camera for setup in setups)]))
        timed = any(getattr(after, name) != getattr(self._site, name) for name in _TIMED)
        self._site.take(after)
        waits = await self._retimed() if timed else ()
        try:
            refused = await self._control.change(setups)
        except Exception as error:
            logger.exception("a change of the site did not reach the workers")
            refused = {setup.camera: f"its worker could not be told: {type(error).__name__}" for setup in setups}
        self._setups = {camera: setup for camera, setup in wanted.items() if camera not in refused}
        if changed:
            self._updates.publish("site", {"cameras": changed[:100], "count": len(changed)})
        live = tuple(camera for camera in changed if camera not in refused)
        return Applied(live, (*waits, *(Waits(camera, why) for camera, why in refused.items())))

    async def _retimed(self) -> tuple[Waits, ...]:
        try:
            for incident in await asyncio.to_thread(self._store.retime):
                announce_incident(self._updates, incident)
        except StorageError as error:
            logger.error("running clocks keep their limits until their next step: %s", error)
            return (Waits("limits", "running clocks keep their limits until their next step: the database refused"),)
        return ()
