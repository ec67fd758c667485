"""The ways people, cyclists and cars take through the four places, and those of the trespassers. Metres, see `places.py`.

Ways begin and end outside the picture or behind something. The trespassers' stay in the forbidden zone for at least 8 s; all
others keep clear of it as the camera sees it (`script.py` checks both).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import cv2
import numpy as np

from camera_config.demo_scenes import FORBIDDEN_ZONE
from ingest.simulate.routes import Route
from ingest.simulate.view import Array, View

__all__ = ["Ways", "ways_of"]


@dataclass(frozen=True, slots=True, eq=False)
class Ways:
    """The ways through a place, and its forbidden zone on the ground, (N, 2), as its camera sees it."""

    view: View
    zone: Array
    routes: tuple[Route, ...]
    trespass: tuple[Route, ...]

    def margin(self, xy: Array) -> Array:
        """How many pixels each ground point (N, 2) lies inside the forbidden zone in the picture; negative outside; (N,)."""
        outline, feet = (self.view.project(np.column_stack([spots, np.zeros(len(spots))])) for spots in (self.zone, xy))
        return np.array([cv2.pointPolygonTest(outline, foot, True) for foot in feet.tolist()], np.float32)


def ways_of(scene: str) -> Ways:
    """The ways through one of the four places."""
    view = View()
    corners = np.array(FORBIDDEN_ZONE[scene], np.float32) * np.array([view.width, view.height], np.float32)
    return Ways(view, view.ground(corners), ROUTES[scene], TRESPASSES[scene])


ROUTES: Mapping[str, tuple[Route, ...]] = MappingProxyType(
    {
        "street": (
            Route("walk", ((0.7, 2.0), (0.6, 12.0), (0.4, 22.0), (0.6, 36.5), (4.0, 36.9), (9.0, 36.8)), (1.1, 1.5)),
            Route("walk", ((19.0, 20.5), (10.0, 20.2), (3.0, 19.5), (0.6, 15.0), (0.4, 8.0), (0.6, 2.0)), (1.1, 1.45)),
            Route(
                "walk",
                ((-11.6, 2.5), (-11.4, 16.0), (-11.0, 17.6), (-5.0, 17.9), (0.4, 17.8), (1.0, 19.0), (9.0, 20.2), (19.0, 20.5)),
                (1.15, 1.4),
            ),
            Route("walk", ((-14.5, 36.0), (-11.4, 33.0), (-11.5, 18.0), (-11.6, 2.5)), (1.0, 1.35)),
            Route("ride", ((-1.5, 0.5), (-1.5, 30.0), (0.5, 38.5), (6.0, 40.0), (13.0, 40.0)), (3.2, 4.6), spread_m=0.25),
            Route("ride", ((-22.0, 39.0), (-10.0, 38.4), (-6.9, 33.0), (-6.8, 12.0), (-6.8, 0.5)), (3.4, 5.2), spread_m=0.2),
            Route("car", ((-2.4, -4.0), (-2.4, 28.0), (-1.4, 36.0), (3.5, 40.0), (14.0, 40.6)), (5.5, 7.5), spread_m=0.1),
            Route("car", ((-24.0, 39.4), (-10.5, 39.2), (-6.2, 34.5), (-5.7, 26.0), (-5.7, -4.0)), (5.5, 7.5), spread_m=0.1),
            Route(
                "car",
                ((-2.4, -4.0), (-2.4, 28.0), (-1.4, 36.0), (3.5, 40.0), (14.0, 40.6)),
                (5.0, 7.0),
                stops=((17.0, 3.5),),
                spread_m=0.1,
            ),
            Route("car", ((-24.0, 39.6), (0.0, 39.6), (16.0, 39.6)), (7.0, 9.0), spread_m=0.1),
        ),
        "courtyard": (
            Route("walk", ((-0.1, 2.2), (0.2, 12.0), (0.4, 24.0), (4.0, 28.0), (14.0, 28.6), (25.0, 28.6)), (1.1, 1.4)),
            Route("walk", ((24.0, 27.0), (14.0, 27.0), (4.0, 26.4), (2.6, 20.0), (2.4, 10.0), (2.5, 2.2)), (1.0, 1.4)),
            Route("walk", ((-24.5, 27.6), (-10.0, 27.4), (10.0, 27.2), (24.5, 27.8)), (1.1, 1.45)),
            Route("walk", ((0.4, 2.2), (0.6, 10.0), (0.8, 20.0), (-2.0, 26.8), (-14.0, 28.0), (-25.0, 28.0)), (1.05, 1.35)),
            Route(
                "ride", ((1.4, 0.5), (1.6, 12.0), (1.8, 22.0), (4.5, 27.4), (16.0, 28.4), (27.0, 28.6)), (2.6, 3.8), spread_m=0.25
            ),
            Route("ride", ((-27.0, 28.6), (-8.0, 28.2), (0.2, 24.5), (1.0, 14.0), (1.0, 0.5)), (2.6, 3.8), spread_m=0.2),
            Route(
                "car", ((28.0, 28.2), (12.0, 28.2), (3.6, 27.0), (1.4, 21.0), (1.2, 12.0), (1.2, -4.0)), (3.2, 4.2), spread_m=0.05
            ),
            Route(
                "car", ((1.3, -4.0), (1.3, 14.0), (1.5, 22.0), (4.2, 27.2), (14.0, 28.6), (28.0, 28.6)), (3.2, 4.4), spread_m=0.05
            ),
            Route("car", ((-28.0, 28.3), (0.0, 28.3), (28.0, 28.3)), (4.0, 5.5), spread_m=0.1),
        ),
        "gate": (
            Route(
                "car",
                ((-1.0, -4.0), (-1.0, 11.0), (-1.0, 20.0), (1.0, 24.5), (7.0, 26.3), (26.0, 26.3)),
                (3.4, 4.4),
                stops=((14.2, 4.0),),
                spread_m=0.05,
            ),
            Route(
                "car",
                ((-26.0, 26.0), (-12.0, 26.0), (-6.0, 23.6), (-4.8, 19.0), (-4.8, 12.0), (-4.8, -4.0)),
                (3.4, 4.4),
                stops=((21.0, 4.0),),
                spread_m=0.05,
            ),
            Route("car", ((29.0, 30.6), (0.0, 30.6), (-29.0, 30.6)), (7.0, 10.0), spread_m=0.2),
            Route("car", ((-26.0, 26.2), (0.0, 26.2), (26.0, 26.2)), (7.0, 10.0), spread_m=0.2),
            Route("walk", ((-8.4, 2.2), (-8.4, 12.0), (-8.4, 20.5), (-10.0, 22.6), (-21.0, 22.6)), (1.1, 1.4), spread_m=0.2),
            Route(
                "walk",
                ((20.5, 22.4), (6.0, 22.5), (-6.0, 22.3), (-8.4, 20.0), (-8.2, 10.0), (-8.4, 2.2)),
                (1.1, 1.4),
                spread_m=0.2,
            ),
            Route("walk", ((-30.0, 35.0), (0.0, 35.0), (30.0, 35.0)), (1.1, 1.5)),
            Route(
                "walk",
                ((3.6, 18.6), (0.8, 18.5), (0.7, 15.3), (0.7, 18.5), (3.6, 18.7)),
                (0.9, 1.0),
                stops=((6.0, 9.0),),
                spread_m=0.03,
                guard=True,
            ),
            Route(
                "ride",
                ((-9.6, 0.5), (-9.4, 12.0), (-8.5, 20.2), (-4.0, 23.4), (6.0, 25.0), (23.0, 25.0)),
                (2.4, 3.4),
                spread_m=0.15,
            ),
            Route("ride", ((28.0, 31.8), (0.0, 31.8), (-28.0, 31.8)), (4.0, 5.5), spread_m=0.2),
        ),
        "car_park": (
            Route("car", ((-22.0, 8.6), (0.0, 8.6), (22.0, 8.6)), (3.4, 5.0), spread_m=0.05),
            Route("car", ((22.0, 6.0), (0.0, 6.0), (-22.0, 6.0)), (3.4, 5.0), spread_m=0.05),
            Route("car", ((-22.0, 8.6), (0.0, 8.6), (22.0, 8.6)), (3.0, 4.0), stops=((27.0, 5.0),), spread_m=0.05),
            Route("walk", ((-16.0, 8.9), (-4.0, 9.0), (5.0, 9.2), (16.0, 9.0)), (1.1, 1.4), spread_m=0.15),
            Route(
                "walk",
                ((16.0, 6.6), (4.0, 6.8), (-5.2, 9.0), (-5.5, 13.0), (-6.5, 16.7), (-24.0, 16.9)),
                (1.1, 1.35),
                spread_m=0.15,
            ),
            Route("walk", ((-26.0, 16.9), (-10.0, 16.8), (10.0, 16.9), (26.0, 16.9)), (1.1, 1.4), spread_m=0.12),
            Route(
                "walk", ((24.0, 16.8), (6.6, 16.7), (5.4, 12.0), (5.4, 8.8), (2.0, 7.4), (1.0, 2.0)), (1.1, 1.4), spread_m=0.12
            ),
            Route("ride", ((-22.0, 7.6), (0.0, 7.4), (22.0, 7.6)), (2.6, 4.0), spread_m=0.3),
            Route("ride", ((20.0, 5.9), (2.0, 6.6), (-20.0, 6.2)), (2.6, 4.0), spread_m=0.3),
        ),
    }
)

TRESPASSES: Mapping[str, tuple[Route, ...]] = MappingProxyType(
    {
        "street": (
            Route(
                "walk",
                ((13.8, 11.6), (8.2, 11.0), (5.2, 10.6), (4.3, 9.0), (5.0, 8.2), (6.6, 10.4), (8.6, 12.0), (14.5, 12.2)),
                (1.0, 1.1),
                spread_m=0.1,
            ),
            Route(
                "walk",
                ((13.5, 10.8), (7.4, 9.8), (4.6, 8.0), (4.2, 7.4), (4.6, 9.4), (5.6, 11.6), (8.4, 12.2), (14.5, 12.4)),
                (1.0, 1.1),
                spread_m=0.1,
            ),
        ),
        "courtyard": (
            Route(
                "walk",
                ((-14.0, 9.6), (-8.0, 9.8), (-5.6, 10.2), (-4.0, 9.2), (-4.2, 8.2), (-6.0, 8.8), (-8.6, 11.0), (-15.0, 11.4)),
                (1.0, 1.1),
                spread_m=0.1,
            ),
            Route(
                "walk",
                ((-15.0, 11.6), (-8.6, 11.6), (-5.2, 11.8), (-4.4, 10.4), (-5.4, 9.4), (-7.6, 10.2), (-14.5, 10.0)),
                (1.0, 1.1),
                spread_m=0.1,
            ),
        ),
        "gate": (
            Route(
                "walk",
                ((13.5, 10.4), (7.2, 10.2), (4.6, 9.2), (3.6, 7.8), (4.6, 8.6), (6.0, 11.4), (7.8, 12.6), (14.5, 12.8)),
                (1.0, 1.1),
                spread_m=0.1,
            ),
            Route(
                "walk",
                ((15.0, 13.2), (8.2, 12.6), (5.4, 11.6), (4.2, 9.0), (3.4, 7.4), (4.6, 8.4), (6.6, 9.6), (13.5, 9.8)),
                (1.0, 1.1),
                spread_m=0.1,
            ),
        ),
        "car_park": (
            Route(
                "walk",
                (
                    (10.0, 31.0),
                    (3.6, 30.0),
                    (1.6, 22.0),
                    (0.6, 15.2),
                    (-1.8, 12.6),
                    (-0.6, 11.4),
                    (2.0, 12.2),
                    (2.2, 14.6),
                    (1.6, 22.0),
                    (-3.0, 30.4),
                    (-10.0, 31.0),
                ),
                (1.15, 1.2),
                stops=((26.5, 3.0),),
                spread_m=0.1,
            ),
            Route(
                "walk",
                (
                    (-10.0, 31.0),
                    (-3.4, 30.2),
                    (-1.4, 21.0),
                    (-1.2, 15.4),
                    (1.4, 13.2),
                    (0.8, 11.6),
                    (-1.6, 12.0),
                    (-1.8, 14.4),
                    (-0.8, 21.0),
                    (3.4, 30.2),
                    (10.0, 31.0),
                ),
                (1.15, 1.2),
                stops=((26.5, 3.0),),
                spread_m=0.1,
            ),
        ),
    }
)
