"""A key frame is passed over only where packets say that nothing has changed, and never for long."""

import numpy as np
import pytest

from base import Packet, SimulatedClock
from ingest.gate import Gate
from ingest.packet_stats import PacketStats
from ingest.ring import Ring
from ingest.stillness import MOST_UNSEEN_S, Stillness

EMPTY_BYTES, GOP = 60.0, 30


def shown(one: Stillness, pictures: int, mean_bytes: float = EMPTY_BYTES, noise: float = 0.3, rows: int = 1) -> None:
    """Predicted pictures of all rows, three at a time as a sweep brings them."""
    rng = np.random.default_rng(1)
    for _ in range(pictures // 3):
        size = mean_bytes * rng.lognormal(0.0, noise, (rows, 3))
        one.add(size.sum(axis=1), np.full(rows, 3))


def learned(mean_bytes: float = EMPTY_BYTES) -> Stillness:
    one = Stillness(1)
    shown(one, 3000, mean_bytes)
    one.seen(0)
    return one


def test_nothing_is_believed_before_half_a_minute_was_seen() -> None:
    one = Stillness(1)
    one.seen(0)
    shown(one, 15 * 20)
    assert one.changed(0)


def test_an_empty_scene_does_not_change_and_a_walker_changes_it() -> None:
    one = learned()
    shown(one, 2 * GOP)
    assert not one.changed(0)
    shown(one, GOP // 2, EMPTY_BYTES + 40)
    assert one.changed(0), "half a second of 40 bytes more a picture"
    one.seen(0)
    assert not one.changed(0), "until somebody has looked"


@pytest.mark.parametrize("mean_bytes", [800.0, 3000.0])
def test_where_leaves_or_a_pulsing_encoder_hide_a_walker_every_key_frame_counts(mean_bytes: float) -> None:
    one = learned(mean_bytes)
    shown(one, GOP, mean_bytes)
    assert one.changed(0)


def test_an_evening_s_noise_becomes_usual_and_an_empty_morning_too() -> None:
    one = learned()
    shown(one, 12 * 700, 2 * EMPTY_BYTES)
    one.seen(0)
    shown(one, GOP, 2 * EMPTY_BYTES)
    assert not one.changed(0)
    shown(one, 12 * 200, EMPTY_BYTES)
    one.seen(0)
    shown(one, GOP, EMPTY_BYTES + 40)
    assert one.changed(0)


def test_another_camera_in_the_row_begins_anew_and_no_other_row_does() -> None:
    one = Stillness(2)
    shown(one, 3000, rows=2)
    one.seen(0)
    one.seen(1)
    one.forget(0)
    assert one.changed(0) and not one.changed(1)


class Camera:
    """A camera of two seconds a GOP, before a gate."""

    def __init__(self) -> None:
        self.clock = SimulatedClock()
        stats = PacketStats(1, self.clock)
        self.gate = Gate(Ring(1, 3, 1 << 20, 1 << 20), self.clock, 300, stats.stillness)
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
