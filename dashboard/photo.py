"""A photo as it is kept: decoded and encoded anew, so that of the file that came nothing is left but its pixels."""

import threading
from dataclasses import dataclass

import cv2
import numpy as np

from base import ConfigError
from dashboard.photo_format import measure

__all__ = ["CleanPhoto", "clean"]

LONGEST_PX = 1600
"""Of the longer side: a number plate across a street can be read, and a picture takes some 300 kB."""

QUALITY = 85
"""Of JPEG, at which the blocks cannot be seen yet."""

_DECODING = threading.BoundedSemaphore(2)
"""Two at a time: each may take 150 MB for a moment."""


@dataclass(frozen=True, slots=True)
class CleanPhoto:
    """A JPEG without any metadata, upright."""

    jpeg: bytes
    width_px: int
    height_px: int


def clean(body: bytes, media_type: str) -> CleanPhoto:
    """The picture that `body` holds, turned upright, at most LONGEST_PX long. Blocks for some 0.1 s; any thread.

    Raises ConfigError, a sentence, for what is no picture of `media_type` alone or cannot be decoded.
    """
    said = measure(body)
    if said.media_type != media_type:
        raise ConfigError(f"This is {said.media_type}, and not {media_type} as it is said to be.")
    with _DECODING:
        try:
            pixels = cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_COLOR)
        except cv2.error:
            pixels = None
        if pixels is None or sorted(pixels.shape[:2]) != sorted((said.width_px, said.height_px)):
            raise ConfigError("The picture is damaged and cannot be decoded.")
        height_px, width_px = pixels.shape[:2]
        scale = LONGEST_PX / max(height_px, width_px)
        if scale < 1:
            size = (max(1, round(width_px * scale)), max(1, round(height_px * scale)))
            pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
        done, jpeg = cv2.imencode(".jpg", pixels, (cv2.IMWRITE_JPEG_QUALITY, QUALITY))
    assert done
    return CleanPhoto(jpeg.tobytes(), pixels.shape[1], pixels.shape[0])
