"""What our own motion detector cuts out of a sequence, named by the truth: the crops the network will really see."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from detect.background import Backgrounds
from detect.crops import squares
from detect.motion import find_regions
from detect.settings import DetectSettings
from fleet.training.teacher import overlap

__all__ = ["OTHER", "name_regions", "regions_of", "shown"]

OTHER = 2
REDUCED = (160, 90)  # the luma that motion is looked for in


def regions_of(grey: Sequence[NDArray[np.uint8]], frame_s: float) -> list[NDArray[np.float32]]:
    """Boxes f32 (R, 4) of what moves in each frame u8 (h, w); `frame_s` seconds lie between two frames."""
    settings = DetectSettings()
    background = Backgrounds(1)
    camera = np.zeros(1, np.int32)
    boxes = []
    for index, frame in enumerate(grey):
        luma = np.asarray(cv2.resize(frame, REDUCED, interpolation=cv2.INTER_AREA), np.uint8)[None]
        moving = background.apply(camera, np.array([index * frame_s]), luma)
        boxes.append(find_regions(moving, settings.min_area, settings.max_regions).box)
    return boxes


def name_regions(
    region: NDArray[np.float32], truth: NDArray[np.float32], label: NDArray[np.int64], width_px: int, height_px: int
) -> NDArray[np.int64]:
    """A label for each region (R, 4), int64 (R,): that of the thing it shows, OTHER where its crop shows none, -1 in between.

    A region shows a thing if it covers most of it and the thing fills a fair part of the region; of several the largest counts.
    """
    named = np.full(len(region), -1, np.int64)
    if not len(region):
        return named
    named[overlap(shown(region, width_px, height_px), truth).max(axis=1, initial=0) < 0.01] = OTHER
    if not len(truth):
        return named
    covered = overlap(truth, region).T  # (R, M): share of the thing inside the region
    filled = overlap(region, truth)  # (R, M): share of the region the thing fills
    shows = (covered > 0.6) & (filled > 0.25)
    best = np.where(shows, filled, 0).argmax(axis=1)
    return np.where(shows.any(axis=1), label[best], named)


def shown(box: NDArray[np.float32], width_px: int, height_px: int) -> NDArray[np.float32]:
    """What the crop of each box shows, context included: f32 (N, 4) fractions, may reach beyond the picture."""
    square = squares(box, height_px, width_px)
    edges = np.concatenate([square[:, :2], square[:, :2] + square[:, 2:]], axis=1)
    return np.asarray(edges / (width_px, height_px, width_px, height_px), np.float32)
