"""Runs migrations on the connection that `storage/schema.py` hands over; there is no alembic.ini and no other way."""

from alembic import context

from storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite cannot change a column in place
    transactional_ddl=True,  # our SQLite connections begin transactions themselves, so DDL rolls back there, too
)
with context.begin_transaction():
    context.run_migrations()
