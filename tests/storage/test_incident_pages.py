"""Pages of incidents: all of them together are the list, whatever the filter, however little is looked at for each."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection

from base import SimulatedClock
from patrol import Incident, Step
from storage import IncidentFilter, Store
from storage.database import Database
from storage.incidents import ALL_INCIDENTS, IncidentState, read_incident_page
from tests.patrol.small_site import LI, NOON_S, command, intrusion

COUNT = 40


@pytest.fixture
def connection(url: str, store: Store, clock: SimulatedClock) -> Iterator[Connection]:
    """Forty incidents, ten minutes apart, every third closed, severities in turn."""
    for number in range(COUNT):
        clock.advance(600.0)
        [incident] = store.record_events([intrusion("c1", clock.now_s(), severity=1 + number % 4)])
        if number % 3 == 0:
            store.apply(command(incident, Step.CLOSE, LI, clock.now_s(), cause="rain" if number % 2 else "light"))
    database = Database(url)
    with database.reader.connect() as connection:
        yield connection
    database.close()


def turned(
    connection: Connection, state: IncidentState, which: IncidentFilter, limit: int, looked_at: int
) -> tuple[list[Incident], int]:
    """Everything, page by page, and how many pages that took."""
    found: list[Incident] = []
    before, pages = None, 0
    while True:
        page, before = read_incident_page(connection, state, limit, before, which, looked_at)
        assert len(page) <= limit
        found, pages = found + page, pages + 1
        if before is None:
            return found, pages


FILTERS = {
    "all": ALL_INCIDENTS,
    "severity": IncidentFilter(severity=2),
    "a text": IncidentFilter(text="rain"),
    "nothing": IncidentFilter(grid_cell="nowhere"),
    "a time": IncidentFilter(from_s=NOON_S + 6_000, to_s=NOON_S + 12_000),
    "before all": IncidentFilter(to_s=NOON_S),
    "after all": IncidentFilter(from_s=NOON_S + 1e6),
}


def test_pages_put_together_are_the_list(connection: Connection, store: Store) -> None:
    states: tuple[IncidentState, ...] = ("all", "open", "closed")
    for state in states:
        for name, which in FILTERS.items():
            expected = [incident.number for incident in store.incidents(state, 1000, None, which)]
            for limit, looked_at in ((7, 5), (100, 7), (1, 100), (100, 10_000)):
                found, pages = turned(connection, state, which, limit, looked_at)
                assert [incident.number for incident in found] == expected, (state, name, limit, looked_at)
                assert pages <= COUNT // min(limit, looked_at) + 2


def test_a_filter_that_fits_nothing_reads_no_more_than_it_may(connection: Connection) -> None:
    page, before = read_incident_page(connection, "all", 100, None, FILTERS["nothing"], 10)
    assert page == []
    assert before is not None
    assert turned(connection, "all", FILTERS["nothing"], 100, 10)[1] == 4
    assert read_incident_page(connection, "all", 100, "z" * 36, ALL_INCIDENTS) == ([], None), "nobody knows this incident"
