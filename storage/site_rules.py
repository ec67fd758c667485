"""What the domain computes once from a site, and every transaction asks."""

from dataclasses import dataclass

from camera_config.site import Point, Site
from patrol import Clocks, Grid, Incident, Views, ground_point

__all__ = ["SiteRules"]


@dataclass(frozen=True, slots=True)
class SiteRules:
    """Where things are, what is due when, and which cameras see the same ground. Safe from any thread."""

    grid: Grid
    clocks: Clocks
    views: Views

    @classmethod
    def of(cls, site: Site) -> "SiteRules":
        return cls(Grid(site), Clocks(site), Views(site))

    def place_of(self, incident: Incident) -> Point | None:
        """Where on the ground it happened: what a camera saw stands at the foot of its box, not at the camera."""
        camera = self.grid.site.camera_by_id.get(incident.camera)
        if camera is not None and incident.best_event:
            return ground_point(camera, incident.box)
        return None if incident.lon is None or incident.lat is None else (incident.lon, incident.lat)
