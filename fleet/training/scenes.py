"""Pictures of the simulator's drawn scenes with their truth, spread over kinds, light and variants."""

from itertools import product

import cv2
import numpy as np

from fleet.training.dataset import Scene
from fleet.training.regions import regions_of
from fleet.training.teacher import PERSON, VEHICLE
from ingest.simulate.clip import SceneSpec
from ingest.simulate.scene import Scene as DrawnScene

__all__ = ["draw_scenes"]

KINDS = ("street", "courtyard", "gate", "car_park")
LIGHTS = ("day", "night", "rain")
FRAMES_PER_S = 1
# A cyclist counts as a person, because a person is on it and rules about people should hear of it.
LABEL_OF = {"person": PERSON, "cyclist": PERSON, "car": VEHICLE}


def draw_scenes(variants: int, first: int = 0, kinds: tuple[str, ...] = KINDS, lights: tuple[str, ...] = LIGHTS) -> list[Scene]:
    """A picture a second of `variants` variants of each kind of scene in each light, from variant `first` on."""
    scenes = []
    for variant, kind, light in product(range(first, first + variants), kinds, lights):
        spec = SceneSpec(kind, light, variant, fps=FRAMES_PER_S)
        drawn = [(np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY), np.uint8), truth) for bgr, truth in DrawnScene(spec).frames()]
        moving = regions_of([grey for grey, _ in drawn], 1 / FRAMES_PER_S)
        for (grey, truth), region in zip(drawn, moving, strict=True):
            box = np.array([item.box for item in truth], np.float32).reshape(-1, 4)
            label = np.array([LABEL_OF[item.label] for item in truth], np.int64)
            scenes.append(Scene(grey, box, label, region, f"{kind} {light}"))
    return scenes
