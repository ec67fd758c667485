"""The best picture of a track: kept as it was decoded while the track may become news, converted only when it does."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from base import Box, Picture

__all__ = ["Album", "Snapshot", "encode_jpeg", "sharpness"]

_BETTER = 1.2  # a new best must be this much better: how sharp it is costs 0.1 ms to say
_SHARP = 100.0  # variance of the Laplacian at which more sharpness stops to count; 640x360 street scenes have 100–1000


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The full frame in which a track looked best, where the track was, and its label's score there."""

    picture: Picture
    box: Box
    score: float
    worth: float


class Album:
    """The best snapshot of each track of one camera. Owned by the pipeline thread; holds one decoded frame a track."""

    def __init__(self) -> None:
        self._best: dict[int, Snapshot] = {}

    def offer(self, track: int, picture: Picture, box: Box, score: float) -> None:
        """Keep this moment of track number `track` if it is clearly the best so far: large, sharp and sure."""
        best = self._best.get(track)
        ceiling = _worth(box, score, _SHARP)
        if best is not None and ceiling < _BETTER * best.worth:
            return
        worth = _worth(box, score, sharpness(picture.luma, box))
        if best is None or worth >= _BETTER * best.worth:
            self._best[track] = Snapshot(picture, box, score, worth)

    def take(self, track: int) -> Snapshot | None:
        """The best snapshot of a track, which stays in the album."""
        return self._best.get(track)

    def forget(self, track: int) -> None:
        """Drop the frame of a track that has ended."""
        self._best.pop(track, None)


def encode_jpeg(bgr: NDArray[np.uint8], quality: int) -> bytes:
    """A JPEG of a picture u8 (h, w, 3); the same picture gives the same bytes."""
    done, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError(f"JPEG: OpenCV refused a picture {bgr.dtype} {bgr.shape}")
    return data.tobytes()


def sharpness(luma: NDArray[np.uint8], box: Box) -> float:
    """Variance of the Laplacian within `box`: high where edges are crisp, low where they are smeared."""
    height, width = luma.shape
    left, top = min(int(box[0] * width), width - 1), min(int(box[1] * height), height - 1)
    part = luma[
        max(0, top) : max(top + 1, int(np.ceil(box[3] * height))), max(0, left) : max(left + 1, int(np.ceil(box[2] * width)))
    ]
    return float(cv2.Laplacian(part, cv2.CV_16S).var())


def _worth(box: Box, score: float, sharp: float) -> float:
    """Height times width, less where blurred or doubtful."""
    area = (box[2] - box[0]) * (box[3] - box[1])
    return area * score * (0.25 + 0.75 * min(1.0, sharp / _SHARP))
