"""How a camera with its infrared lamp on sees: cloth alike and bright, the ground dark away from the lamp, noise, soft lights."""

import cv2
import numpy as np
from numpy.typing import NDArray

from fleet.training.cutouts import Cutout

__all__ = ["lit_by_infrared", "under_infrared"]

Grey = NDArray[np.uint8]


def under_infrared(ground: Grey, rng: np.random.Generator) -> Grey:
    """A square picture lit by a lamp beside the lens: brightest somewhere, dark around it, little contrast, grainy."""
    side = len(ground)
    y, x = np.mgrid[:side, :side].astype(np.float32) / side
    middle, reach = rng.uniform(-0.1, 1.1, 2), rng.uniform(0.5, 1.8)
    lamp = np.exp(-((x - middle[0]) ** 2 + (y - middle[1]) ** 2) / (2 * reach**2))
    flat = ground.mean() + (ground.astype(np.float32) - ground.mean()) * rng.uniform(0.5, 1.0)
    lit = flat * lamp * rng.uniform(0.4, 1.1) + rng.uniform(5, 30)
    grain = cv2.GaussianBlur(rng.normal(0, 1, (side, side)).astype(np.float32), (0, 0), float(rng.uniform(0.4, 0.9)))
    return np.asarray(np.clip(lit + grain * rng.uniform(2, 9), 0, 255), np.uint8)


def lit_by_infrared(thing: Cutout, rng: np.random.Generator) -> Cutout:
    """A thing close to the lamp: dyes vanish, so cloth of any colour is nearly one bright grey; close by it burns out."""
    grey = cv2.GaussianBlur(thing.grey, (0, 0), 0.8).astype(np.float32)
    pale = (grey - grey.mean()) * rng.uniform(0.15, 0.6) + rng.uniform(110, 260)
    return Cutout(np.clip(pale, 0, 255).astype(np.uint8), thing.alpha, thing.label, thing.clip)
