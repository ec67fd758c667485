"""Privacy masks: what a mask touches leaves the decoder black, in every way a picture can be had, and nothing else does."""

import time

import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import box, intersects
from shapely.geometry import Polygon

from base import Packet, SystemClock
from camera_config.black_out import black_out
from ingest import Feed, Feeds
from ingest.decode import AwakeDecoder, KeyDecoders
from tests.ingest.conftest import HEIGHT, WIDTH, Clip, Until, encode
from tests.servers.rtsp import RtspServer

MASK = ((0.0, 0.38), (0.5, 0.38), (0.5, 0.62), (0.0, 0.62))  # all of the disc's way
HIDDEN = slice(round(0.38 * HEIGHT), round(0.62 * HEIGHT)), slice(0, WIDTH // 2)
SHOWN = slice(0, round(0.34 * HEIGHT)), slice(0, WIDTH)  # clear of the border that is drawn around a mask

corner = st.tuples(st.floats(0, 1), st.floats(0, 1))


@settings(deadline=None, max_examples=60)
@given(st.tuples(corner, corner, corner))
def test_every_pixel_that_a_mask_touches_is_black_and_far_ones_are_not(triangle: tuple[tuple[float, float], ...]) -> None:
    height, width = 24, 32
    masked = black_out(np.full((height, width), 200, np.uint8), [triangle])
    outline = Polygon([(x * width, y * height) for x, y in triangle])
    y, x = (each.ravel() for each in np.mgrid[:height, :width])
    touched = intersects(box(x, y, x + 1, y + 1), outline).reshape(height, width)
    near = intersects(box(x - 4, y - 4, x + 5, y + 5), outline).reshape(height, width)
    assert (masked[touched] == 0).all()
    assert (masked[~near] == 200).all()


def test_the_decoder_still_predicts_from_what_it_decoded() -> None:
    """Masking works on copies: the frames after a masked key frame are those of a decoder without masks."""
    plain, masked = AwakeDecoder(), AwakeDecoder([MASK])
    for number, data in enumerate(encode(frames=8)):
        packet = Packet("c1", number / 15, number * 6000, number == 0, data)
        for (_, _, one), (_, _, other) in zip(plain.decode(packet), masked.decode(packet), strict=True):
            assert np.array_equal(one.luma[SHOWN], other.luma[SHOWN]) and np.array_equal(one.bgr()[SHOWN], other.bgr()[SHOWN])
            assert one.luma[HIDDEN].max() > 200 and other.luma[HIDDEN].max() == 0 and other.bgr()[HIDDEN].max() == 0


def test_cameras_that_share_a_decoder_do_not_share_masks() -> None:
    pool, key = KeyDecoders(), Packet("c1", 0.0, 0, True, encode(frames=1)[0])
    assert [pool.decode(key, masks).luma[HIDDEN].max() > 200 for masks in ([MASK], (), [MASK])] == [False, True, False]


def test_no_masked_pixel_leaves_the_feeds_quiet_awake_or_as_a_snapshot(clip: Clip, until: Until) -> None:
    with RtspServer(clip) as server:
        feeds = Feeds([Feed("c0", server.url("c0")), Feed("c1", server.url("c1"), masks=(MASK,))], SystemClock())
        feeds.start()
        try:
            brightest: dict[tuple[int, bool], int] = {}  # of what is hidden, by row and whether it was awake
            ends_s = time.monotonic() + 15
            while len(brightest) < 4:
                assert time.monotonic() < ends_s
                batch = feeds.next_batch(0.5)
                for at in range(len(batch) if batch else 0):
                    assert batch is not None
                    picture, small = batch.picture[at], batch.luma[at]
                    seen = max(picture.luma[HIDDEN].max(), picture.bgr()[HIDDEN].max(), small[35:55, :80].max())
                    brightest[int(batch.camera[at]), bool(batch.awake[at])] = int(seen)
                if (0, False) in brightest and (1, False) in brightest:
                    for camera in ("c0", "c1"):
                        feeds.wake(camera, SystemClock().now_s() + 2)
            assert brightest[1, False] == brightest[1, True] == 0
            assert min(brightest[0, False], brightest[0, True]) > 200
            assert until(lambda: bool(feeds.gop("c1")), 5)
            snapshot = cv2.imdecode(np.frombuffer(feeds.snapshot("c1"), np.uint8), cv2.IMREAD_COLOR)
        finally:
            feeds.stop()
    assert snapshot is not None and snapshot[HIDDEN].max() < 40 < snapshot[SHOWN].max()  # JPEG rings a little
