"""Simulated cameras that the tests of the running whole share; their clips are drawn once a session."""

from collections.abc import Iterator

import pytest

from base import SystemClock
from ingest.simulate import ClipCache, SimCamera, SimPlan, Simulator


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> ClipCache:
    return ClipCache(tmp_path_factory.mktemp("clips"))


@pytest.fixture(scope="session")
def busy_cameras(clips: ClipCache) -> Iterator[Simulator]:
    """Six cameras in which something moves most of the time, on two clips; alive for the whole session."""
    plan = SimPlan(tuple(SimCamera(f"c{n:04d}", "street" if n % 2 else "gate", offset_s=9.1 * n) for n in range(1, 7)))
    simulator = Simulator(plan, {name: clips.get(spec) for name, spec in plan.specs().items()}, SystemClock())
    simulator.start()
    yield simulator
    simulator.stop()
