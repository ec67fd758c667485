"""Back-off: grows, is capped, is spread, and is not reset by a short success."""

import random

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


@given(st.integers(0, 10_000), st.floats(0, 1), st.integers(0, 2**32))
def test_delays_stay_within_the_jitter_of_floor_and_cap(tries: int, jitter: float, seed: int) -> None:
    backoff = Backoff(jitter=jitter, attempts=tries)
    delay = backoff.next_delay_s(random.Random(seed))
    assert 1.0 * (1 - jitter) <= delay <= 120.0 * (1 + jitter)
    assert backoff.attempts == tries + 1
