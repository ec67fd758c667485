"""What the demo cameras look at: kinds of scene, light, and the forbidden zone of each kind of scene.

One table for both sides: the demo district writes the zones into its rules, and the simulator draws the trespasser inside them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from camera_config.site import Name, Point

__all__ = ["FORBIDDEN_ZONE", "FORBIDDEN_ZONE_NAME", "LIGHTS", "SCENES", "SceneAssignment"]

SCENES = ("street", "courtyard", "gate", "car_park")
LIGHTS = ("day", "night", "rain")

FORBIDDEN_ZONE: Mapping[str, tuple[Point, ...]] = MappingProxyType(
    {
        "street": ((0.66, 0.56), (0.96, 0.56), (0.98, 0.92), (0.70, 0.92)),
        "courtyard": ((0.06, 0.55), (0.34, 0.55), (0.36, 0.86), (0.04, 0.86)),
        "gate": ((0.68, 0.52), (0.94, 0.52), (0.97, 0.94), (0.64, 0.94)),
        "car_park": ((0.36, 0.52), (0.64, 0.52), (0.67, 0.72), (0.33, 0.72)),
    }
)
"""Scene -> ground on which nobody may stand, in fractions of the picture (x right, y down); a person's feet are tested."""

FORBIDDEN_ZONE_NAME: Mapping[str, Name] = MappingProxyType(
    {
        "street": Name("围挡施工区", "Fenced building site"),
        "courtyard": Name("水泵房禁区", "Pump house"),
        "gate": Name("岗亭后侧通道", "Strip behind the barrier"),
        "car_park": Name("车库后巷", "Rear lane"),
    }
)


@dataclass(frozen=True, slots=True)
class SceneAssignment:
    """Which drawn scene a demo camera shows, from `offset_s` of its loop on; `trespass`: somebody enters the forbidden zone."""

    scene: str
    light: str
    variant: int
    offset_s: float
    trespass: bool = False
