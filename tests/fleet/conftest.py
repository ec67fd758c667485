"""Simulated cameras that the tests of the running whole share; their clips are drawn once a session."""

from collections.abc import Iterator

import pytest

from base import SystemClock
from ingest.simulate import ClipCache, SimPlan, Simulator


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> ClipCache:
    return ClipCache(tmp_path_factory.mktemp("clips"))


@pytest.fixture(scope="session")
def busy_cameras(clips: ClipCache) -> Iterator[Simulator]:
    """Six cameras in daylight in which something moves most of the time; alive for the whole session."""
    plan = SimPlan.numbered(6, scenes=("street", "gate"))
    simulator = Simulator(plan, {name: clips.get(spec) for name, spec in plan.specs().items()}, SystemClock())
    simulator.start()
    yield simulator
    simulator.stop()
