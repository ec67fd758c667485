"""Pictures of the simulator's drawn scenes with their truth, spread over kinds, light and variants, and the crops they give."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from detect.crops import cut_crops
from fleet.training.dataset import Crops, jittered, join, no_crops
from fleet.training.regions import OTHER, name_regions, regions_of
from fleet.training.teacher import PERSON, VEHICLE
from ingest.simulate.clip import SceneSpec
from ingest.simulate.scene import Scene as DrawnScene

__all__ = ["Scene", "draw_scenes", "drawn_crops"]

KINDS = ("street", "courtyard", "gate", "car_park")
LIGHTS = ("day", "night", "rain")
FRAMES_PER_S = 1
# A cyclist counts as a person, because a person is on it and rules about people should hear of it.
LABEL_OF = {"person": PERSON, "cyclist": PERSON, "car": VEHICLE}
SMALLEST_DRAWN_PX = 22  # high; less is often the sliver of somebody behind a hedge, of which the truth knows only the outline
OTHER_AGAIN = 4  # little else moves in drawn scenes, so what does counts more often


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture of a drawn scene: `grey` u8 (h, w), `box` f32 (M, 4) fractions of what is there, `label` int64 (M,), `region`
    f32 (R, 4) what motion found, `name` of the kind of scene."""

    grey: NDArray[np.uint8]
    box: NDArray[np.float32]
    label: NDArray[np.int64]
    region: NDArray[np.float32]
    name: str


def drawn_crops(variants: int, seed: int, cache: Path | None) -> Crops:
    """Crops of `variants` variants of each drawn scene, from `cache` if they were made before: drawing takes minutes."""
    kept = cache / f"drawn-{variants}-{seed}.npz" if cache else None
    if kept and kept.is_file():
        with np.load(kept) as file:
            return Crops(file["crop"], file["label"], tuple(file["source"].tolist()))
    crops = _crops_of(draw_scenes(variants), np.random.default_rng(seed))
    if kept:
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.savez(kept, crop=crops.crop, label=crops.label, source=np.array(crops.source))
    return crops


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


def _crops_of(scenes: Sequence[Scene], rng: np.random.Generator) -> Crops:
    """Crops of what motion finds in drawn scenes, and of the things themselves, which motion may have missed."""
    parts: list[Crops] = []
    for scene in scenes:
        h, w = scene.grey.shape
        whole = (scene.box[:, 3] - scene.box[:, 1]) * h >= SMALLEST_DRAWN_PX
        named = name_regions(scene.region, scene.box, scene.label, w, h)
        rows = np.concatenate([np.flatnonzero(named >= 0), np.repeat(np.flatnonzero(named == OTHER), OTHER_AGAIN)])
        box = np.concatenate([scene.region[rows], jittered(scene.box[whole], w, h, rng)])
        label = np.concatenate([named[rows], scene.label[whole]])
        parts.append(Crops(cut_crops(scene.grey, box), label, (f"drawn {scene.name}",) * len(label)))
    return join(parts) if parts else no_crops()
