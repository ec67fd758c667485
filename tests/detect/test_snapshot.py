"""The album keeps the largest sharp sure moment."""

import cv2
import numpy as np
import pytest

from detect.snapshot import Album, encode_jpeg, sharpness
from tests.detect.stage import Still, noisy, scene, walker, with_thing

NEAR, FAR = walker(0.5, tall=0.5, wide=0.2), walker(0.5, tall=0.2, wide=0.08)


def picture(box: tuple[float, float, float, float], blurred: bool = False) -> Still:
    drawn = noisy(with_thing(scene(0, 180, 320), box), 1, 8.0)
    return Still(np.asarray(cv2.GaussianBlur(drawn, (15, 15), 5), np.uint8) if blurred else drawn)


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        ((FAR, False, 0.9), (NEAR, False, 0.9), 1),  # larger wins
        ((NEAR, False, 0.9), (FAR, False, 0.9), 0),
        ((NEAR, True, 0.9), (NEAR, False, 0.9), 1),  # sharper wins
        ((NEAR, False, 0.9), (NEAR, True, 0.9), 0),
        ((NEAR, False, 0.5), (NEAR, False, 0.9), 1),  # surer wins
        ((NEAR, False, 0.85), (NEAR, False, 0.9), 0),  # hardly better is not worth the conversion
    ],
)
def test_the_better_moment_is_kept(
    first: tuple[tuple[float, float, float, float], bool, float],
    second: tuple[tuple[float, float, float, float], bool, float],
    kept: int,
) -> None:
    album = Album()
    for box, blurred, score in (first, second):
        album.offer(7, picture(box, blurred), box, score)
    best = album.take(7)
    assert best is not None
    assert (best.box, best.score) == ((first, second)[kept][0], (first, second)[kept][2])
    album.forget(7)
    assert album.take(7) is None


def test_a_jpeg_is_the_full_frame_and_always_the_same() -> None:
    bgr = picture(NEAR).bgr()
    jpeg = encode_jpeg(bgr, 85)
    back = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert back is not None
    assert np.abs(back.astype(int) - bgr).mean() < 6  # grey levels, of noise that has a deviation of 8
    assert encode_jpeg(bgr, 85) == jpeg
    assert len(encode_jpeg(bgr, 30)) < len(jpeg)


def test_sharpness_survives_boxes_at_and_beyond_the_border() -> None:
    luma = picture(NEAR).luma
    for box in ((0.0, 0.0, 0.001, 0.001), (0.99, 0.99, 1.2, 1.3), (-0.2, -0.1, 0.1, 0.1), (1.0, 1.0, 1.0, 1.0)):
        assert sharpness(luma, box) >= 0
