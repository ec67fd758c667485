"""The site of a running Gridpatrol: one object that everybody holds, so that a camera changed in it is changed for everybody."""

from dataclasses import fields
from typing import Self

from camera_config.site import Camera, Site

__all__ = ["LiveSite"]


class LiveSite(Site):
    """A site whose cameras, rules, masks and logins can be exchanged for those of another; all else stays as it was.

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
        """Have the cameras, rules, masks and logins of `other`."""
        self._index(other)
        for name in ("cameras", "rules", "masks", "credentials"):
            object.__setattr__(self, name, getattr(other, name))

    def _index(self, other: Site) -> None:
        """Put the dictionaries where `cached_property` looks; made anew they could be made of the old by a reader in between."""
        cameras: dict[str, Camera] = {camera.id: camera for camera in other.cameras}
        self.__dict__["camera_by_id"] = cameras
        self.__dict__["credential_by_name"] = {login.name: login for login in other.credentials}
