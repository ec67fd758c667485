"""Cases made from the empty scenes of real clips in which nothing happens and much changes: light, wind, lamps, noise, shake.

Each lasts a minute at 15 frames/s and 640x360 in colour, and is sent as a camera would send it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from base import EventKind
from benchmarks._films import Film, Picture, data_folder, read_pictures, sent
from benchmarks._labels import watch_for

__all__ = ["CASES", "SCENES", "make"]

F32 = NDArray[np.float32]
Change = Callable[[float, F32, np.random.Generator], F32]
"""What happens to a picture: (seconds since it began, picture f32 (h, w, 3), noise) → picture."""

WIDTH, HEIGHT, RATE_HZ, SECONDS = 640, 360, 15, 60.0
_CALM_S = 8.0  # at the beginning nothing changes
_NOISE = 2.5  # grey levels


@dataclass(frozen=True, slots=True)
class Scene:
    """Where an empty picture is to be had: the median of some frames of a clip."""

    clip: str
    frames: range


SCENES = {
    "hall": Scene("motion/sbi_HallAndMonitor/input.mp4", range(12)),
    "room": Scene("video/intel_one-by-one-person-detection.mp4", range(0, 50, 5)),
    "road": Scene("motion/cdnet_highway/input.mp4", range(0, 1700, 40)),
    "street": Scene("mot/TUD-Stadtmitte/input.mp4", range(0, 179, 6)),
}


def _brightness(time_s: float, picture: F32, random: np.random.Generator) -> F32:
    """Clouds: from 0.65 to 1.15 within 2 to 10 s; and three steps of auto-exposure."""
    del random
    cloud = 0.9 + 0.25 * np.sin(time_s / 3.1) * np.sin(time_s / 7.3)
    step = 1.0 + (0.25 if 15 < time_s < 24 else 0.0) - (0.3 if 40 < time_s < 41.5 else 0.0)
    return picture * np.float32(cloud * step)


def _tree(time_s: float, picture: F32, random: np.random.Generator) -> F32:
    """Wind: the left third sways by up to 6 pixels, in gusts, leaves by themselves."""
    del random
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    gust = 0.3 + 0.7 * max(0.0, np.sin(time_s / 4.0)) ** 2
    reach = np.clip((WIDTH * 0.38 - x) / 80, 0, 1)
    phase = y / 37 + x / 53
    x += reach * np.float32(gust) * (4 * np.sin(2.3 * time_s + phase) + 2 * np.sin(7.1 * time_s + 3 * phase))
    y += reach * np.float32(gust) * 2 * np.sin(3.1 * time_s + 2 * phase)
    return np.asarray(cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT), np.float32)


def _lamp(time_s: float, picture: F32, random: np.random.Generator) -> F32:
    """Night: headlights sweep across twice, a lamp goes on and off, and the camera switches to infrared and back."""
    del random
    dark = picture * np.float32(0.25)
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    for start_s, pace in ((12.0, 0.30), (45.0, -0.45)):
        at = (time_s - start_s) * pace
        if 0 <= abs(at) <= 1.3 and at * pace >= 0:
            middle = (at if pace > 0 else 1 + at) * WIDTH
            beam = np.exp(-(((x - middle) / 90) ** 2) - ((y - 0.62 * HEIGHT) / 60) ** 2)
            dark = dark + (picture * np.float32(0.5) + 40) * beam[..., None]
    if 22 < time_s < 29:
        dark = dark + picture * np.float32(0.4) * np.exp(-(((x - 480) / 120) ** 2) - ((y - 90) / 90) ** 2)[..., None]
    if 33 < time_s < 42:
        grey = picture.mean(axis=2, keepdims=True)
        dark = np.broadcast_to(180 - grey * np.float32(0.35), picture.shape).astype(np.float32)
    return dark


def _noise(time_s: float, picture: F32, random: np.random.Generator) -> F32:
    """A cheap sensor in the dark, and light that drifts as in a long quiet hour."""
    light = np.float32(0.3 + 0.06 * np.sin(time_s / 9))
    return picture * light + random.normal(0, 7, (HEIGHT, WIDTH, 1)).astype(np.float32)


def _shake(time_s: float, picture: F32, random: np.random.Generator) -> F32:
    """A mast in gusts: up to 6 pixels, one to two times a second."""
    del random
    gust = np.clip(np.sin(time_s / 3.0), 0, 1)
    dx, dy = gust * 6 * np.sin(8.1 * time_s), gust * 4 * np.sin(11.3 * time_s + 1)
    move = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
    return np.asarray(cv2.warpAffine(picture, move, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE), np.float32)


CASES: dict[str, tuple[Change, tuple[str, ...]]] = {
    "brightness": (_brightness, ("hall", "street")),
    "tree": (_tree, ("road", "street")),
    "lamp": (_lamp, ("room", "road")),
    "noise": (_noise, ("room", "hall")),
    "shake": (_shake, ("street", "road")),
}
"""What happens, and in which scenes."""


def make(case: str, scene: str) -> Film:
    """A minute of a case in a scene, watched for persons and vehicles, and for anything that moves."""
    rules = (watch_for(EventKind.INTRUSION, ("person", "vehicle")), watch_for(EventKind.MOTION))
    return Film(f"{case}/{scene}", rules, sent((case, scene), RATE_HZ, lambda: _pictures(CASES[case][0], _empty(SCENES[scene]))))


def _pictures(change: Change, empty: F32) -> Iterator[Picture]:
    random = np.random.default_rng(7)
    grain = [random.normal(0, _NOISE, (HEIGHT, WIDTH, 1)).astype(np.float32) for _ in range(16)]
    for number in range(round(SECONDS * RATE_HZ)):
        time_s = number / RATE_HZ
        changed = change(max(0.0, time_s - _CALM_S), empty, random)
        yield time_s, np.clip(changed + grain[number % 16], 0, 255).astype(np.uint8)


def _empty(scene: Scene) -> F32:
    pictures = [bgr for number, (_, bgr) in enumerate(read_pictures(data_folder() / scene.clip)) if number in scene.frames]
    middle = np.median(np.stack(pictures), axis=0).astype(np.uint8)
    height, width = middle.shape[:2]
    shown_h = min(height, width * HEIGHT // WIDTH)
    top = (height - shown_h) // 2
    return np.asarray(cv2.resize(middle[top : top + shown_h], (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), np.float32)
