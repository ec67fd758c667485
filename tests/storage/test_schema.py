"""Migrations up and down with data, and that they make the tables the program uses."""

from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from base import SimulatedClock, StorageError
from camera_config.site import Site
from storage import SchemaState, Store, schema_state
from storage.database import Database
from storage.schema import downgrade, revisions, upgrade
from storage.tables import metadata
from tests.patrol.small_site import intrusion


@pytest.fixture
def connection(url: str) -> Iterator[Connection]:
    database = Database(url)
    connection = database.connect_writer()
    yield connection
    connection.close()
    database.close()


def test_every_migration_goes_up_down_and_up_again(connection: Connection, url: str) -> None:
    for revision in revisions():
        for target in (revision, "-1", revision):
            with connection.begin():
                downgrade(connection, target) if target == "-1" else upgrade(connection, target)
        assert schema_state(url).current == revision
    with connection.begin():
        downgrade(connection, "base")
    assert set(inspect(connection).get_table_names()) <= {"alembic_version"}
    connection.rollback()
    assert schema_state(url) == SchemaState("", revisions()[-1])


def test_migrations_make_the_tables_of_the_program(connection: Connection) -> None:
    with connection.begin():
        upgrade(connection)
    context = MigrationContext.configure(connection, opts={"compare_type": True, "target_metadata": metadata})
    assert compare_metadata(context, metadata) == []


def test_a_failing_migration_leaves_nothing_behind(connection: Connection, url: str) -> None:
    with pytest.raises(ZeroDivisionError), connection.begin():
        upgrade(connection)
        assert 1 / 0
    assert inspect(connection).get_table_names() == []
    connection.rollback()
    assert schema_state(url).current == ""


def test_data_survives_opening_with_the_newest_tables(url: str, clock: SimulatedClock, site: Site) -> None:
    for count in (1, 2, 3):
        store = Store.open(url, clock, site)
        store.record_events([intrusion("c1", 1e9 + 1000 * count)])
        assert len(store.incidents()) == count
        store.close()
    assert schema_state(url).is_current


def test_a_database_of_a_newer_gridpatrol_is_refused(url: str, clock: SimulatedClock, site: Site) -> None:
    Store.open(url, clock, site).close()
    database = Database(url)
    with database.connect_writer() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        connection.commit()
    database.close()
    assert not schema_state(url).is_current
    with pytest.raises(StorageError, match=r"written by a newer Gridpatrol .tables 9999, this one knows up to"):
        Store.open(url, clock, site)


def test_going_back_to_an_unknown_migration_is_a_sentence(connection: Connection) -> None:
    with pytest.raises(StorageError, match="cannot go back to 7777"), connection.begin():
        downgrade(connection, "7777")
