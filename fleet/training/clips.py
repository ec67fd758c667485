"""The clips the crop network is trained on: those whose licence allows it. Test clips are not among them (see measure.py)."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["TRAINING_CLIPS", "TrainingClip", "background_of", "read_frames"]

MAX_WIDTH_PX = 1280


@dataclass(frozen=True, slots=True)
class TrainingClip:
    """One clip, and what is known of it by eye.

    `step` frames are passed over between two used. `tiles` is how many parts each way the teacher looks at besides the whole.
    `moving` names what everything that moves here is, where the teacher does not know it (cars from straight above, hands at
    bottles); empty where the teacher decides.
    """

    path: str
    step: int
    licence: str
    attribution: str
    tiles: int = 1
    moving: str = ""
    people: bool = True  # False: nobody is there, what the teacher takes for a person is none

    @property
    def name(self) -> str:
        return Path(self.path).stem


_INTEL = "Intel IoT DevKit, sample-videos (github.com/intel-iot-devkit/sample-videos at 5797889082)"

TRAINING_CLIPS = (
    TrainingClip("video/intel_one-by-one-person-detection.mp4", 4, "CC-BY-4.0", _INTEL),
    TrainingClip("video/intel_car-detection.mp4", 2, "CC-BY-4.0", _INTEL, moving="vehicle"),
    TrainingClip("video/intel_bottle-detection.mp4", 8, "CC-BY-4.0", _INTEL, moving="other"),
    TrainingClip(
        "video/opendatacam_street_640x360.mp4",
        8,
        "MIT",
        "OpenDataCam (github.com/opendatacam/opendatacam at 7080baa3e2)",
        tiles=3,
        people=False,  # tiles show the teacher a road sign that it takes for somebody
    ),
    TrainingClip(
        "video/vehicle_counting_street.mp4",
        8,
        "MIT",
        "Ahmet Özlü, vehicle_counting_tensorflow (github.com/ahmetozlu/vehicle_counting_tensorflow at ce4e86107f)",
        tiles=3,
        people=False,
    ),
    TrainingClip(
        "video/bgslibrary_highway_video02.avi",
        6,
        "MIT",
        "Andrews Sobral, BGSLibrary (github.com/andrewssobral/bgslibrary at 4622bc9cde)",
    ),
    TrainingClip(
        "video/dvrscan_traffic_camera.mp4",
        8,
        "BSD-2-Clause",
        "Brandon Castellano, DVR-Scan (github.com/Breakthrough/DVR-Scan at b8b229edc4), footage by Andrey Nikishaev",
        tiles=3,
    ),
)


def read_frames(path: Path, step: int) -> Iterator[NDArray[np.uint8]]:
    """Every `step`-th frame, BGR u8 (h, w, 3), at most 1280 wide; raises FileNotFoundError for a clip that does not open."""
    capture = cv2.VideoCapture(str(path))
    if not capture.isOpened():
        raise FileNotFoundError(path)
    number = 0
    while capture.grab():
        if number % step == 0:
            ok, frame = capture.retrieve()
            if not ok:
                break
            if frame.shape[1] > MAX_WIDTH_PX:
                scale = MAX_WIDTH_PX / frame.shape[1]
                frame = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            yield np.asarray(frame, np.uint8)
        number += 1
    capture.release()


def background_of(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """What stands still in frames u8 (N, h, w): the median of at most 60 of them."""
    pick = np.linspace(0, len(grey) - 1, min(60, len(grey))).astype(int)
    return np.asarray(np.median(grey[pick], axis=0), np.uint8)
