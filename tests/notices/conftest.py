"""A store of a given site, on SQLite."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from base import SimulatedClock
from camera_config.site import Site
from storage import Store
from tests.patrol.small_site import NOON_S


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(NOON_S)


@pytest.fixture
def open_store(tmp_path: Path, clock: SimulatedClock) -> Iterator[Callable[[Site], Store]]:
    """Opens the test's database for a site, as often as wanted; closes what is open at the end."""
    opened: list[Store] = []

    def open_it(site: Site) -> Store:
        opened.append(Store.open(f"sqlite:///{tmp_path}/gridpatrol.db", clock, site))
        return opened[-1]

    yield open_it
    for store in opened:
        store.close()
