"""Packet sizes: histograms agree with numpy on the same sizes, forget, keep hours apart, and know when sizes tell nothing."""

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from base import Packet, SimulatedClock
from ingest.packet_stats import PacketStats

BIN_OCTAVES = 0.5
DATA = bytes(40_000)


def packet(size: int, key: bool = False) -> Packet:
    return Packet("c", 0.0, 0, key, DATA[:size])


def fed(sizes: NDArray[np.int64], key: bool = False) -> PacketStats:
    stats = PacketStats(1, SimulatedClock())
    for start in range(0, len(sizes), 500):
        stats.add(0, [packet(int(size), key) for size in sizes[start : start + 500]])
    return stats


def noisy(median: float, octaves: float, count: int, seed: int = 1) -> NDArray[np.int64]:
    """`count` sizes, log-normal about `median`."""
    return (median * 2 ** np.random.default_rng(seed).normal(0, octaves, count)).astype(np.int64)


sizes = st.lists(st.integers(32, 32_000), min_size=1, max_size=200).map(lambda values: np.array(values, np.int64))


@settings(max_examples=200)
@given(sizes)
def test_the_median_is_numpys_within_a_bin(values: NDArray[np.int64]) -> None:
    lower, upper = np.quantile(values, 0.5, method="lower"), np.quantile(values, 0.5, method="higher")
    spread = fed(values).spread(0, key=False)
    assert spread.packets == len(values)
    assert lower * 2**-BIN_OCTAVES <= spread.median_bytes <= upper * 2**BIN_OCTAVES


@settings(max_examples=200)
@given(sizes, st.integers(32, 32_000))
def test_the_quantile_is_the_share_below_give_or_take_the_bin_it_is_in(values: NDArray[np.int64], newest: int) -> None:
    stats = fed(values)
    stats.add(0, [packet(newest)])
    values = np.append(values, newest)
    place = np.clip(np.floor((np.log2(values) - 5) / BIN_OCTAVES), 0, 19)
    below, same = (place < place[-1]).mean(), (place == place[-1]).mean()
    assert below - 1e-9 <= stats.score(0).quantile <= below + same + 1e-9


@pytest.mark.parametrize("key", [False, True])
@pytest.mark.parametrize("octaves", [0.3, 1.0, 2.0])
def test_median_and_mad_of_many_packets(key: bool, octaves: float) -> None:
    values = np.clip(noisy(4000, octaves, 20_000), 1024, 32_000)
    log2 = np.log2(values)
    spread = fed(values, key).spread(0, key)
    assert np.log2(spread.median_bytes) == pytest.approx(np.median(log2), abs=0.1)
    assert spread.mad_octaves == pytest.approx(np.median(np.abs(log2 - np.median(log2))), abs=0.1)


def test_key_frames_and_cameras_are_kept_apart() -> None:
    stats = PacketStats(3, SimulatedClock())
    for _ in range(100):
        for row, size in ((0, 90), (1, 1500)):
            stats.add(row, [packet(size), packet(20_000 + size, key=True), packet(size)])
    stats.count()
    small, large, key = stats.spread(0, key=False), stats.spread(1, key=False), stats.spread(0, key=True)
    assert (small.packets, large.packets, key.packets) == (200, 200, 100)
    assert small.median_bytes < 100 < 1000 < large.median_bytes < 10_000 < key.median_bytes
    assert stats.spread(2, key=False).packets == 0 and not stats.score(2).informative


def test_movement_stands_out_of_a_still_scene() -> None:
    stats = fed(noisy(85, 0.15, 5000))
    stats.add(0, [packet(85)])
    assert stats.score(0).informative and abs(stats.score(0).z) < 2
    stats.add(0, [packet(1500), packet(1500), packet(1500)])
    moving = stats.score(0)
    assert moving.informative and moving.quantile > 0.999 and moving.z > 8


def test_sizes_that_spread_widely_or_were_seen_too_shortly_tell_nothing() -> None:
    assert not fed(noisy(856, 1.3, 5000)).score(0).informative  # leaves in the wind
    assert not fed(noisy(85, 0.15, 500)).score(0).informative


def test_each_hour_has_its_own_measure_once_enough_was_seen() -> None:
    clock = SimulatedClock(now_s=0.0)
    stats = PacketStats(1, clock)
    for size in noisy(100, 0.2, 4000):
        stats.add(0, [packet(int(size))])
    clock.advance(3600)
    stats.add(0, [packet(1600)] * 10)
    assert stats.spread(0, key=False).packets == 4010  # all hours: this one is new
    for size in noisy(1600, 0.2, 4000):
        stats.add(0, [packet(int(size))])
    assert stats.spread(0, key=False).median_bytes == pytest.approx(1600, rel=0.15)
    clock.advance(23 * 3600)
    assert stats.spread(0, key=False).median_bytes == pytest.approx(100, rel=0.15)


def test_what_changed_for_good_becomes_usual() -> None:
    stats = fed(noisy(100, 0.2, 60_000))
    for _ in range(70):
        stats.add(0, [packet(1600)] * 1000)
    assert stats.spread(0, key=False).median_bytes > 1000
    assert stats.spread(0, key=False).packets <= 61_000


def test_a_flood_does_not_overflow() -> None:
    stats = PacketStats(2, SimulatedClock())
    for _ in range(200):
        stats.add(0, [packet(64)] * 2000)
        spread = stats.spread(0, key=False)
        assert spread.packets <= 65_000 and (not spread.packets or 64 <= spread.median_bytes < 91)


def test_no_packet_is_held_while_it_waits_to_be_counted() -> None:
    stats, packets = PacketStats(727, SimulatedClock()), [packet(40_000) for _ in range(1500)]
    before = [sys.getrefcount(one) for one in packets], sys.getrefcount(packets)
    stats.add(5, packets)
    assert ([sys.getrefcount(one) for one in packets], sys.getrefcount(packets)) == before
    assert len(stats._waiting.size) == 1000  # of a flood the beginning counts
    for _ in range(3):
        stats.add(5, packets)
    assert not stats._waiting.size and stats.spread(5, key=False).packets == 4000


def test_every_size_has_a_place() -> None:
    stats = PacketStats(1, SimulatedClock())
    stats.add(0, [packet(0), packet(1), packet(40_000), packet(5, key=True)])
    assert stats.spread(0, key=False).packets == 3 and 0 <= stats.score(0).quantile <= 1


def test_a_camera_takes_two_kilobytes() -> None:
    assert PacketStats(100, SimulatedClock())._count.nbytes / 100 <= 2048


@settings(max_examples=50, deadline=None)
@given(st.lists(sizes, min_size=1, max_size=4), st.floats(0.5, 1.0))
def test_levels_of_all_rows_agree_with_the_score_of_each(cameras: list[NDArray[np.int64]], quantile: float) -> None:
    stats = PacketStats(len(cameras), SimulatedClock())
    for row, values in enumerate(cameras):
        stats.add(row, [packet(int(size)) for size in values])
    stats.count()
    levels = stats.levels(quantile, octaves=0.0)
    for row, values in enumerate(cameras):
        log2 = np.log2(values)
        assert np.quantile(log2, quantile, method="lower") - BIN_OCTAVES <= levels.log2[row]
        assert levels.log2[row] <= np.quantile(log2, quantile, method="higher") + BIN_OCTAVES
        assert levels.informative[row] == stats.score(row).informative
    assert not levels.known.any(), "a few packets are not enough"
    further = stats.levels(quantile, octaves=3.0).log2
    assert (further >= levels.log2 - 1e-9).all()


def test_many_small_packets_and_a_large_one() -> None:
    stats = fed(noisy(90, 0.2, 3000))
    stats.count()
    assert stats.levels(0.99, 1.0).known.all() and stats.levels(0.99, 1.0).informative.all()
    stats.take_peaks()
    stats.add(0, [packet(1500)] * 3)
    stats.add(0, [packet(90)] * 3)
    stats.count()
    level = stats.levels(0.99, 1.0).log2[0]
    assert 7.4 < level < 9 < stats.take_peaks()[0] < 11
    assert stats.take_peaks()[0] == -np.inf, "told once"


def test_a_row_that_is_another_camera_begins_with_nothing() -> None:
    stats = PacketStats(2, SimulatedClock())
    stats.add(0, [packet(900)])
    stats.forget(0)
    stats.count()
    assert stats.spread(0, key=False).packets == 0 and np.isneginf(stats.take_peaks()).all()
