"""What a camera would see, for a page on which one is dragged about: nothing is stored."""

import asyncio
from collections import OrderedDict, deque
from threading import Lock
from typing import Annotated

import numpy as np
import shapely
from fastapi import APIRouter

from camera_config.change_cameras import read_view
from camera_config.coverage import Coverage
from camera_config.site import Camera, PlaceKind, Site
from camera_config.terrain import WALL_M
from dashboard.authorize import Action, Principal
from dashboard.coverage_schemas import shape_out
from dashboard.failures import TooManyError
from dashboard.policy import Dashboard, Parts, policy
from dashboard.registry_schemas import BandOut, GeometryIn, GeometryOut
from dashboard.routes.registry_answers import answered

router = APIRouter(tags=["registry"])

MOST_A_SECOND = 20
"""Of one account: a page asks at every frame of a drag that was answered before."""

_MOST_ACCOUNTS = 100


class _Rate:
    """Who asked when, the last second. Any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._asked: OrderedDict[str, deque[float]] = OrderedDict()

    def admit(self, who: str, now_s: float) -> None:
        """Count one more; raises TooManyError beyond MOST_A_SECOND. `now_s` is monotonic."""
        with self._lock:
            asked = self._asked.setdefault(who, deque(maxlen=MOST_A_SECOND))
            self._asked.move_to_end(who)
            if len(self._asked) > _MOST_ACCOUNTS:
                self._asked.popitem(last=False)
            if len(asked) == MOST_A_SECOND and now_s - asked[0] < 1.0:
                raise TooManyError("Too many views a second; ask for the newest one only.", 1.0)
            asked.append(now_s)


_rate = _Rate()


@router.post("/api/v1/registry/geometry")
async def look(body: GeometryIn, parts: Parts, principal: Annotated[Principal, policy(Action.READ_REGISTRY)]) -> GeometryOut:
    """The view of a camera that is not saved yet, with its bands; some milliseconds of work, 20 times a second at most."""
    _rate.admit(principal.id, parts.clock.monotonic_s())
    async with answered(parts):
        camera = read_view(body.camera.values())
    return await asyncio.to_thread(_looked, parts, camera, body)


def _looked(parts: Dashboard, camera: Camera, body: GeometryIn) -> GeometryOut:
    coverage = parts.coverage.now().coverage
    rules, seen = coverage.rules, coverage.look(camera)
    stream = body.stream or rules.stream
    here = shapely.Point(coverage.ground.metres(np.array([camera.lon, camera.lat])))
    return GeometryOut(
        view=shape_out(coverage, seen),
        bands=[
            BandOut(band=band.value, pixels_per_metre=rules.ppm(band), geometry=shape_out(coverage, shape))
            for band, shape in coverage.bands(camera, stream, body.light).items()
        ],
        area_m2=round(seen.area, 1),
        dead_zone_m=None if seen.is_empty else round(float(here.distance(seen)), 2),
        inside=_inside(parts.site, coverage, camera, here),
    )


def _inside(site: Site, coverage: Coverage, camera: Camera, here: shapely.Point) -> str | None:
    """The building in which a camera stands deeper than a map is wrong."""
    buildings = coverage.terrain.buildings
    if not shapely.contains_xy(buildings, here.x, here.y) or buildings.boundary.distance(here) <= WALL_M:
        return None
    for place in site.places:
        if place.kind is PlaceKind.BUILDING and shapely.contains_xy(shapely.Polygon(place.outline), camera.lon, camera.lat):
            return place.id
    return None
