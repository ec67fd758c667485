"""Privacy masks on pixels, the same for whoever decodes a camera's pictures."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from camera_config.site import Outline

__all__ = ["black_out"]

_MASK_BORDER_PX = 2


def black_out(picture: NDArray[np.uint8], masks: Sequence[Outline]) -> NDArray[np.uint8]:
    """A picture u8 (h, w) or (h, w, 3) with every pixel that a mask touches black; itself without masks, else a copy, because
    the decoder predicts the next frame from its own."""
    if not masks:
        return picture
    picture = picture.copy()
    size = np.array((picture.shape[1], picture.shape[0]))
    for mask in masks:
        corner = np.rint(np.array(mask) * size).astype(np.int32)
        # The border is drawn two pixels beyond: colour has half the resolution, and bleeds.
        cv2.fillPoly(picture, [corner], (0, 0, 0))
        cv2.polylines(picture, [corner], True, (0, 0, 0), 2 * _MASK_BORDER_PX + 1)
    return picture
