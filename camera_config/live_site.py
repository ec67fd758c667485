"""The site of a running Gridpatrol: one object that everybody holds, so that a camera changed in it is changed for everybody."""

from dataclasses import fields
from typing import Self

from camera_config.site import Camera, Site

__all__ = ["MOVABLE", "LiveSite"]

MOVABLE = (
    "cameras",
    "rules",
    "masks",
    "credentials",
    "desks",
    "time_limits",
    "place_hours",
    "sections",
    "notifications",
)
"""What of a site can be exchanged while it runs."""


class LiveSite(Site):
    """A site of which what `MOVABLE` names can be exchanged for that of another; all else stays as it was.

    Any thread may read at any time: each attribute is exchanged in one step, the cameras first. Who needs several that fit
    together takes them while nothing changes: `take` is called by one task at a time, which then tells everybody.
    """

    @classmethod
    def of(cls, site: Site) -> Self:
        """The same site, alive."""
        live = cls(**{each.name: getattr(site, each.name) for each in fields(site)})
        live._index(site)
        return live

    def take(self, other: Site) -> None:
        """Have what is `MOVABLE` of `other`."""
        self._index(other)
        for name in MOVABLE:
            object.__setattr__(self, name, getattr(other, name))

    def _index(self, other: Site) -> None:
        """Put the dictionaries where `cached_property` looks; made anew they could be made of the old by a reader in between."""
        cameras: dict[str, Camera] = {camera.id: camera for camera in other.cameras}
        self.__dict__["camera_by_id"] = cameras
        self.__dict__["credential_by_name"] = {login.name: login for login in other.credentials}
        self.__dict__["desk_by_id"] = {desk.id: desk for desk in other.desks}
