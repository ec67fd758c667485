"""Both databases: a fresh one of each kind per test."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from base import SimulatedClock
from camera_config.site import Site
from storage import Store
from tests.patrol.small_site import NOON_S, small_site
from tests.storage import postgresql


@pytest.fixture(scope="session")
def sockets() -> Iterator[str]:
    """The socket folder of a PostgreSQL server for the whole run; skips where none can run."""
    if postgresql.binaries() is None:
        pytest.skip("no PostgreSQL server is installed here")
    try:
        postgresql.unprivileged()
    except KeyError:
        pytest.skip("running as root without a user `postgres` to run the server as")
    # Not below pytest's own folder: that is closed to others, and the server runs as somebody else.
    with tempfile.TemporaryDirectory(prefix="gridpatrol-") as place, postgresql.server(Path(place)) as folder:
        yield folder


@pytest.fixture
def postgresql_url(sockets: str) -> str:
    """The address of the server's only database, emptied: making a new one copies a thousand files."""
    with psycopg.connect(host=sockets, user="postgres", dbname="postgres", autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return f"postgresql+psycopg://postgres@/postgres?host={sockets}"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.peer)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/gridpatrol.db"
    address: str = request.getfixturevalue("postgresql_url")
    return address


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(NOON_S)


@pytest.fixture
def site() -> Site:
    return small_site()


@pytest.fixture
def open_store(url: str, clock: SimulatedClock, site: Site) -> Iterator[Callable[[], Store]]:
    """Opens the test's database, as often as wanted; closes what is open at the end."""
    opened: list[Store] = []

    def open_it() -> Store:
        opened.append(Store.open(url, clock, site))
        return opened[-1]

    yield open_it
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: Callable[[], Store]) -> Store:
    return open_store()
