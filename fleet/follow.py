"""A change of the site on its way to what runs: the site that everybody holds, then the workers, then the open pages.

What is worked out from the cameras of a site, such as its coverage, looks by itself whether they are still the same.
"""

import logging

from camera_config import Site
from camera_config.change_cameras import differences
from camera_config.live_site import LiveSite
from dashboard import Applied, Updates, Waits
from fleet.control import Control
from fleet.setups import changes_of, setups_of

__all__ = ["FleetFollower"]

logger = logging.getLogger(__name__)


class FleetFollower:
    """Applies changes to the running site. Event-loop thread only, one change at a time, which the registry sees to."""

    def __init__(self, site: LiveSite, control: Control, updates: Updates) -> None:
        self._site, self._control, self._updates = site, control, updates
        self._setups = setups_of(site)

    async def follow(self, after: Site) -> Applied:
        """Have the cameras, rules, masks and logins of `after`. Cameras that did not change lose nothing."""
        named = [camera for group in differences(self._site, after) for camera in group]
        wanted = setups_of(after)
        setups = changes_of(self._setups, wanted)
        changed = list(dict.fromkeys([*named, *(setup.camera for setup in setups)]))
        self._site.take(after)
        try:
            refused = await self._control.change(setups)
        except Exception as error:
            logger.exception("a change of the site did not reach the workers")
            refused = {setup.camera: f"its worker could not be told: {type(error).__name__}" for setup in setups}
        self._setups = {camera: setup for camera, setup in wanted.items() if camera not in refused}
        if changed:
            self._updates.publish("site", {"cameras": changed[:100], "count": len(changed)})
        live = tuple(camera for camera in changed if camera not in refused)
        return Applied(live, tuple(Waits(camera, why) for camera, why in refused.items()))
