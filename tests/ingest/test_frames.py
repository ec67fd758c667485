"""The hand-over from decoder to pipeline."""

import threading

import numpy as np
from numpy.typing import NDArray

from ingest.frames import LatestFrames, LumaFrame


class Blank:
    """A picture without content."""

    @property
    def luma(self) -> NDArray[np.uint8]:
        return np.zeros((2, 2), np.uint8)

    def bgr(self) -> NDArray[np.uint8]:
        return np.zeros((2, 2, 3), np.uint8)


def frame(row: int, time_s: float, awake: bool = False) -> LumaFrame:
    return LumaFrame(row, time_s, np.full((90, 160), row, np.uint8), not awake, awake, Blank())


def handover(most: int = 8) -> tuple[LatestFrames, list[int]]:
    taken: list[int] = []
    return LatestFrames(4, most, 3, lambda: taken.append(1)), taken


def times(frames: LatestFrames) -> list[dict[int, float]]:
    out = []
    while (batch := frames.take(0)) is not None:
        assert batch.luma.shape == (len(batch), 90, 160) and batch.luma.dtype == np.uint8
        assert len(set(batch.camera.tolist())) == len(batch)
        out.append(dict(zip(batch.camera.tolist(), batch.time_s.tolist(), strict=True)))
    return out


def test_the_newest_wins_while_quiet_and_all_come_in_order_while_awake() -> None:
    frames, taken = handover()
    for time_s in (1.0, 2.0, 3.0):
        frames.put(frame(0, time_s))
        frames.put(frame(1, time_s, awake=True))
    assert times(frames) == [{0: 3.0, 1: 1.0}, {1: 2.0}, {1: 3.0}] and frames.replaced == 2
    assert len(taken) == 3


def test_a_frame_that_was_delivered_before_is_ignored() -> None:
    frames, _ = handover()
    assert frames.put(frame(0, 10.0)) and not frames.put(frame(0, 10.0, awake=True)) and not frames.put(frame(0, 9.5))
    assert frames.put(frame(0, 10.1, awake=True))
    assert times(frames) == [{0: 10.0}, {0: 10.1}]
    assert frames.put(frame(0, -3000.0))  # our own clock was set back


def test_a_batch_waits_for_company_but_not_when_there_is_enough_to_do() -> None:
    frames, _ = handover(most=64)
    frames.put(frame(0, 1.0))
    later = threading.Timer(0.005, lambda: frames.put(frame(1, 1.0)))
    later.start()
    first = frames.take(10.0)
    later.join()
    rest = frames.take(0)
    assert first is not None and len(first) + (len(rest) if rest else 0) == 2
    for time_s in (2.0, 2.1):
        frames.put(frame(0, time_s, awake=True))
    batch = frames.take(1e6)  # waits for ever if it waits
    assert batch is not None and batch.time_s.tolist() == [2.0]


def test_awake_frames_may_be_older_than_the_key_frame_that_woke_their_camera() -> None:
    frames, _ = handover()
    frames.put(frame(0, 10.0))
    assert [frames.put(frame(0, time_s, awake=True)) for time_s in (8.0, 8.1, 8.1, 10.0, 10.1)] == [
        True,
        True,
        False,
        False,
        True,
    ]
    assert not frames.put(frame(0, 8.2, awake=True)) and not frames.put(frame(0, 10.0))


def test_room_is_bounded_and_awake_frames_keep_a_quarter() -> None:
    frames, _ = handover(most=4)
    for row in range(3):
        assert frames.has_room(row, False)
        frames.put(frame(row, 1.0))
    assert not frames.has_room(3, False) and frames.has_room(0, False)  # a newer one replaces, so it needs no room
    assert frames.has_room(3, True)
    frames.put(frame(3, 1.0, awake=True))
    assert not frames.has_room(3, True) and not frames.has_room(2, True)


def test_take_waits_for_a_frame_and_gives_up_in_time() -> None:
    frames, _ = handover()
    assert frames.take(0.01) is None
    putting = threading.Timer(0.05, frames.put, [frame(2, 1.0)])
    putting.start()
    batch = frames.take(5.0)
    putting.join()
    assert batch is not None and batch.camera.tolist() == [2] and batch.camera.dtype == np.int32
