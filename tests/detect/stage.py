"""What the tests of detection share: drawn pictures, a classifier that goes by shape, batches, and real clips."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from base import Box, EventKind, FrameBatch, Picture
from camera_config import Direction, Name, Rule, Schedule
from camera_config.site import Point
from detect import CropClassifier, PictureDetector

HEIGHT, WIDTH = 90, 160
LABELS = ("person", "vehicle", "other")
EVERYWHERE: tuple[Point, ...] = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
U8 = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Still:
    """A picture that lies in memory."""

    luma: U8

    def bgr(self) -> U8:
        return np.asarray(cv2.cvtColor(self.luma, cv2.COLOR_GRAY2BGR), np.uint8)


@dataclass(frozen=True, slots=True)
class ShapeCard:
    name: str = "by_shape"


@dataclass(slots=True)
class ByShape:
    """Judges the dark thing in the middle of a crop by its shape: upright is a person, flat a vehicle, else something other.

    A real classifier, only a simple one: its answer depends on the pixels and on nothing else.
    """

    sure: float = 0.9
    card: ShapeCard = field(default_factory=ShapeCard)
    labels: tuple[str, ...] = LABELS

    def classify(self, crops: U8) -> NDArray[np.float32]:
        score = np.full((len(crops), 3), (1 - self.sure) / 2, np.float32)
        for row, crop in enumerate(crops):
            y, x = np.nonzero(crop < 60)
            tall, wide = (np.ptp(y), np.ptp(x)) if len(y) else (1, 1)
            score[row, 0 if tall > 1.5 * wide else 1 if wide > 1.5 * tall else 2] = self.sure
        return score


@dataclass(frozen=True, slots=True)
class Pair:
    """Networks of a test."""

    crop: CropClassifier
    detector: PictureDetector | None = None


def scene(seed: int = 0, height: int = HEIGHT, width: int = WIDTH) -> U8:
    """A textured empty scene, nowhere darker than 90."""
    rough = np.random.default_rng(seed).integers(100, 220, (height // 10, width // 10), dtype=np.uint8)
    return np.maximum(np.asarray(cv2.resize(rough, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8), 90)


def noisy(picture: U8, seed: int, deviation: float = 1.5) -> U8:
    """`picture` with the noise of a sensor."""
    noise = np.random.default_rng(seed).normal(0, deviation, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def with_thing(picture: U8, box: Box, level: int = 20) -> U8:
    """`picture` with a dark rectangle at `box` (fractions)."""
    drawn = picture.copy()
    height, width = picture.shape
    left, top, right, bottom = (round(v * size) for v, size in zip(box, (width, height, width, height), strict=True))
    drawn[max(0, top) : max(0, bottom), max(0, left) : max(0, right)] = level
    return drawn


def walker(x: float, foot: float = 0.8, tall: float = 0.36, wide: float = 0.08) -> Box:
    """An upright box whose foot point is (x, foot)."""
    return x - wide / 2, foot - tall, x + wide / 2, foot


def batch(
    luma: Sequence[U8],
    time_s: float | Sequence[float],
    awake: bool | Sequence[bool] = True,
    camera: Sequence[int] | None = None,
    picture: Sequence[Picture] | None = None,
) -> FrameBatch:
    """A batch of reduced pictures, which also serve as the full ones if no other are given."""
    n = len(luma)
    return FrameBatch(
        camera=np.array(range(n) if camera is None else camera, np.int32),
        time_s=np.broadcast_to(np.asarray(time_s, np.float64), n).copy(),
        luma=np.stack(luma),
        is_key=np.ones(n, np.bool_),
        awake=np.broadcast_to(np.asarray(awake, np.bool_), n).copy(),
        picture=[Still(one) for one in luma] if picture is None else picture,
    )


def rule(  # a rule of camera c0 that holds everywhere and always, but for what is given
    *,
    camera: str = "c0",
    name: str = "yard",
    kind: EventKind = EventKind.INTRUSION,
    zone: tuple[Point, ...] = EVERYWHERE,
    labels: tuple[str, ...] = ("person",),
    schedule: str = "always",
    dwell_s: float = 1.0,
    dead_time_s: float = 120.0,
    min_score: float = 0.6,
    leave_s: float = 0.5,
    line: tuple[Point, ...] = (),
    direction: Direction = Direction.ANY,
    count: int = 0,
    density: float = 0.0,
    speed: float = 2.0,
) -> Rule:
    return Rule(
        camera=camera,
        name=name,
        kind=kind,
        zone=zone,
        zone_name=Name("院子", "Yard"),
        labels=labels,
        schedule=Schedule.parse(schedule),
        dwell_s=dwell_s,
        dead_time_s=dead_time_s,
        min_score=min_score,
        leave_s=leave_s,
        line=line,
        direction=direction,
        count=count,
        density=density,
        speed=speed,
    )


def clip_path(name: str) -> Path:
    """A clip of the development data; skips the test where it is missing."""
    folder = Path(os.environ.get("GRIDPATROL_TEST_DATA", Path(__file__).resolve().parents[3] / "shared"))
    for path in (folder / "data" / name, folder / name):
        if path.exists():
            return path
    pytest.skip(f"real clip {name} is not in {folder}; set GRIDPATROL_TEST_DATA")


def read_clip(path: Path, step_s: float = 0.0) -> Iterator[tuple[int, FrameBatch]]:
    """Number and batch of each frame of a clip, or of one frame every `step_s`; row 0, awake, times from 0."""
    last_s = -np.inf
    with av.open(str(path)) as file:
        for number, frame in enumerate(file.decode(video=0)):
            time_s = float(frame.time or 0.0)
            if time_s - last_s < step_s - 1e-6:
                continue
            last_s = time_s
            luma = np.asarray(frame.to_ndarray(format="gray"), np.uint8)
            small = np.asarray(cv2.resize(luma, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)
            yield number, batch([small], time_s, picture=[Still(luma)])


def only_batches(frames: Iterable[tuple[int, FrameBatch]]) -> Iterator[FrameBatch]:
    """The batches without their numbers."""
    return (one for _, one in frames)
