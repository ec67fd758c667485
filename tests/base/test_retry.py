"""Back-off: grows, is capped, is spread, and is not reset by a short success."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from base import Backoff


def test_delays_double_up_to_the_cap() -> None:
    backoff, rng = Backoff(jitter=0.0), random.Random(1)
    assert [backoff.next_delay_s(rng) for _ in range(9)] == [1, 2, 4, 8, 16, 32, 64, 120, 120]


def test_a_short_success_does_not_start_over_but_a_long_one_does() -> None:
    backoff, rng = Backoff(jitter=0.0), random.Random(1)
    for _ in range(5):
        backoff.next_delay_s(rng)
    backoff.succeeded(1.0)
    assert backoff.next_delay_s(rng) == 32
    backoff.succeeded(60.0)
    assert backoff.next_delay_s(rng) == 1


def test_a_server_may_ask_for_more_but_not_for_more_than_the_cap() -> None:
    backoff, rng = Backoff(jitter=0.0), random.Random(1)
    assert backoff.next_delay_s(rng, at_least_s=30) == 30
    assert backoff.next_delay_s(rng, at_least_s=9999) == 120


def test_cameras_that_fail_together_do_not_come_back_together() -> None:
    delays = [Backoff().next_delay_s(random.Random(seed)) for seed in range(727)]
    assert max(delays) - min(delays) > 0.5
    assert len({round(delay, 4) for delay in delays}) > 600


@given(st.integers(0, 10_000), st.floats(0, 1), st.integers(0, 2**32), st.floats(0, 30))
def test_no_delay_is_shorter_than_the_floor_or_longer_than_the_cap(tries: int, jitter: float, seed: int, floor_s: float) -> None:
    backoff = Backoff(jitter=jitter, attempts=tries)
    delay = backoff.next_delay_s(random.Random(seed), floor_s)
    assert max(1.0, floor_s) <= delay <= 120.0 + 1e-9
    assert backoff.attempts == tries + 1


@pytest.mark.parametrize(
    ("tries", "at_least_s", "low_s", "high_s"), [(0, 5.0, 5.0, 8.0), (0, 0.0, 1.0, 1.6), (20, 0.0, 75.0, 120.0)]
)
def test_delays_are_spread_evenly_and_pile_up_nowhere(tries: int, at_least_s: float, low_s: float, high_s: float) -> None:
    rng = random.Random(727)
    delays = sorted(Backoff(attempts=tries).next_delay_s(rng, at_least_s) for _ in range(4000))
    assert low_s <= delays[0] and delays[-1] <= high_s + 1e-9
    evenly = [low_s + (high_s - low_s) * (rank + 0.5) / len(delays) for rank in range(len(delays))]
    worst = max(abs(delay - even) for delay, even in zip(delays, evenly, strict=True)) / (high_s - low_s)
    assert worst < 0.035, "Kolmogorov-Smirnov: 1.95 / sqrt(4000) at 0.1 %"
