"""A key frame is passed over only where packets say that nothing has changed, and never for long."""

import numpy as np
import pytest

from base import Packet, SimulatedClock
from ingest.gate import Gate
from ingest.packet_stats import PacketStats
from ingest.ring import Ring
from ingest.stillness import MOST_UNSEEN_S, Stillness

EMPTY_BYTES, GOP = 60.0, 30


class Scene:
    """What some cameras send while nothing, or something, moves there."""

    def __init__(self, rows: int = 1, fps: float = 15.0) -> None:
        self.stillness = Stillness(rows)
        self._rows, self._fps, self._now_s = rows, fps, 0.0
        self._rng = np.random.default_rng(1)

    def shown(self, pictures: int, mean_bytes: float = EMPTY_BYTES) -> None:
        """Predicted pictures of all rows, three at a time as a sweep brings them."""
        for _ in range(pictures // 3):
            self._now_s += 3 / self._fps
            size = mean_bytes * self._rng.lognormal(0.0, 0.3, (self._rows, 3))
            self.stillness.add(size.sum(axis=1), np.full(self._rows, 3), self._now_s)

    def changes(self, pictures: int, mean_bytes: float = EMPTY_BYTES) -> bool:
        """Whether these pictures change something, after somebody looked."""
        self.stillness.seen(0)
        self.shown(pictures, mean_bytes)
        return self.stillness.changed(0)


def learned(mean_bytes: float = EMPTY_BYTES, fps: float = 15.0) -> Scene:
    scene = Scene(fps=fps)
    scene.shown(3000, mean_bytes)
    return scene


def test_nothing_is_believed_before_half_a_minute_was_seen() -> None:
    assert Scene().changes(15 * 20)


def test_an_empty_scene_does_not_change_and_a_walker_changes_it() -> None:
    scene = learned()
    assert not scene.changes(2 * GOP)
    assert scene.changes(GOP // 2, EMPTY_BYTES + 40), "half a second of 40 bytes more a picture"
    scene.stillness.seen(0)
    assert not scene.stillness.changed(0), "until somebody has looked"


@pytest.mark.parametrize("mean_bytes", [800.0, 3000.0])
def test_where_leaves_or_a_pulsing_encoder_hide_a_walker_every_key_frame_counts(mean_bytes: float) -> None:
    assert learned(mean_bytes).changes(GOP, mean_bytes)


def test_of_a_camera_with_few_pictures_a_second_every_key_frame_counts() -> None:
    assert not learned(fps=6).changes(GOP)
    assert learned(fps=4).changes(GOP), "a walker is in three of its pictures, and the mean is over twelve"


def test_of_a_camera_that_sends_key_frames_only_every_one_counts() -> None:
    scene = Scene()
    assert scene.changes(0)
    assert scene.changes(0)


def test_an_evening_s_noise_becomes_usual_and_an_empty_morning_too() -> None:
    scene = learned()
    scene.shown(12 * 700, 2 * EMPTY_BYTES)
    assert not scene.changes(GOP, 2 * EMPTY_BYTES)
    scene.shown(12 * 200, EMPTY_BYTES)
    assert scene.changes(GOP, EMPTY_BYTES + 40)


def test_another_camera_in_the_row_begins_anew_and_no_other_row_does() -> None:
    scene = Scene(rows=2)
    scene.shown(3000)
    scene.stillness.seen(0)
    scene.stillness.seen(1)
    scene.stillness.forget(0)
    assert scene.stillness.changed(0) and not scene.stillness.changed(1)


class Camera:
    """A camera of two seconds a GOP, before a gate."""

    def __init__(self) -> None:
        self.clock = SimulatedClock()
        stats = PacketStats(1, self.clock)
        self.gate = Gate(Ring(1, 5, 1 << 20, 1 << 20), self.clock, 300, stats.stillness)
        self.stats, self.number = stats, 0

    def gop(self, predicted_bytes: int) -> bool:
        """Send one; whether its key frame is decoded."""
        for _ in range(GOP):
            is_key = self.number % GOP == 0
            data = b"x" * (9000 if is_key else predicted_bytes)
            packets = [Packet("c", self.clock.now_s(), self.number * 6000, is_key, data)]
            self.gate.admit(0, packets)
            self.stats.add(0, packets)
            self.number += 1
            self.clock.advance(2 / GOP)
        return self.gate.next_work(lambda row, awake: True) is not None


def settled() -> Camera:
    camera = Camera()
    assert all(camera.gop(60) for _ in range(15)), "until enough is known, every one is decoded"
    for _ in range(10):
        camera.gop(60)
    return camera


def test_of_a_still_camera_the_first_key_frame_after_seven_seconds_is_decoded() -> None:
    camera = settled()
    decoded = [camera.gop(60) for _ in range(16)]
    assert sum(decoded) == 4
    first = decoded.index(True)
    assert MOST_UNSEEN_S <= (decoded.index(True, first + 1) - first) * 2 < MOST_UNSEEN_S + 2
    assert camera.gate.stats().still >= 12, "and the others are counted"


def test_the_key_frame_after_something_moved_is_decoded() -> None:
    camera = settled()
    while camera.gop(60):
        pass
    camera.gop(300)
    assert camera.gop(60), "what moved in the GOP before is looked at"


def test_a_new_connection_is_looked_at() -> None:
    camera = settled()
    while camera.gop(60):
        pass
    camera.gate.restart(0)
    assert camera.gop(60)


def test_an_awake_camera_is_decoded_whole() -> None:
    camera = settled()
    while camera.gop(60):
        pass
    camera.gate.wake(0, camera.clock.now_s() + 60)
    assert camera.gop(60)


def test_waking_goes_back_to_the_last_key_frame_that_was_looked_at() -> None:
    camera = settled()
    while not camera.gop(60):
        pass
    assert not camera.gop(60) and not camera.gop(60)
    begins_s = camera.clock.now_s()
    camera.gate.wake(0, begins_s + 60)
    work = camera.gate.next_work(lambda row, awake: True)
    assert work is not None and work.awake
    assert begins_s - work.packet.time_s == pytest.approx(6.0), "three GOPs back: nobody has looked since"


def test_waking_by_the_first_key_frame_that_is_looked_at_again_goes_back_as_far() -> None:
    camera = settled()
    while not camera.gop(60):
        pass
    while not camera.gop(60):
        pass
    begins_s = camera.clock.now_s()
    camera.gate.wake(0, begins_s + 60)
    work = camera.gate.next_work(lambda row, awake: True)
    assert work is not None
    assert begins_s - work.packet.time_s == pytest.approx(10.0), "its own GOP, and the four of the eight seconds before"
