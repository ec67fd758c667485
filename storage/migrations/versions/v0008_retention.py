"""Retention: legal holds, how far deletion has come, its door in append-only tables; which events moved between incidents."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_UUID = sa.String(36)
_PICTURED = sa.text("picture_bytes IS NOT NULL")
_CLOSED = sa.text("work = 'closed'")
_IN_FORCE = sa.text("lifted_s IS NULL")
_DELETING = "EXISTS (SELECT 1 FROM retention WHERE deleting)"


def upgrade() -> None:
    op.create_table(
        "holds",
        sa.Column("id", _UUID, nullable=False),
        sa.Column("incident", _UUID, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("by_name", sa.Text, nullable=False),
        sa.Column("made_s", sa.Double, nullable=False),
        sa.Column("until_s", sa.Double),
        sa.Column("lifted_s", sa.Double),
        sa.Column("lifted_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_holds"),
        sa.ForeignKeyConstraint(["incident"], ["incidents.id"], name="fk_holds_incident"),
    )
    op.create_index("ix_holds_incident", "holds", ["incident"])
    op.create_index("ix_holds_in_force", "holds", ["incident"], sqlite_where=_IN_FORCE, postgresql_where=_IN_FORCE)
    op.create_table(
        "retention",
        sa.Column("reached_s", sa.Double, nullable=False),
        sa.Column("deleting", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("deleted", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("reached_s", name="pk_retention"),
    )
    op.add_column("history", sa.Column("events", sa.JSON))
    op.add_column("events", sa.Column("picture_bytes", sa.Integer))
    size = "(SELECT length(jpeg) FROM snapshots WHERE event = events.id)"
    op.execute(f"UPDATE events SET picture_bytes = {size}")  # noqa: S608  the text above
    pictured = ["severity", "raised_s", "picture_bytes"]
    op.create_index("ix_events_pictured", "events", pictured, sqlite_where=_PICTURED, postgresql_where=_PICTURED)
    op.create_index("ix_incidents_closed", "incidents", ["since_s"], sqlite_where=_CLOSED, postgresql_where=_CLOSED)
    for table in ("commands", "notices"):  # else each incident that is deleted would be looked for in all of their rows
        op.create_index(f"ix_{table}_incident", table, ["incident"])
    _guard(f"WHEN NOT {_DELETING} ", f"IF TG_OP = 'DELETE' AND {_DELETING} THEN RETURN OLD; END IF; ")


def downgrade() -> None:
    """The older program deletes nothing, so it loses nothing but the holds."""
    _guard("", "")
    for table in ("commands", "notices"):
        op.drop_index(f"ix_{table}_incident", table)
    op.drop_index("ix_incidents_closed", "incidents")
    op.drop_index("ix_events_pictured", "events")
    op.drop_column("events", "picture_bytes")
    op.drop_column("history", "events")
    for table in ("retention", "holds"):
        op.drop_table(table)


def _guard(sqlite_door: str, postgresql_door: str) -> None:
    """Rows of append-only tables are never deleted, but through this door."""
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        op.execute(
            "CREATE OR REPLACE FUNCTION gridpatrol_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN {postgresql_door}RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
        )
        _guard_handovers(with_door=bool(postgresql_door))
        return
    found = connection.execute(sa.text("SELECT tbl_name FROM sqlite_master WHERE type = 'trigger' AND name LIKE '%_no_delete'"))
    for table in found.scalars().all():
        op.execute(f"DROP TRIGGER {table}_no_delete")
        op.execute(
            f"CREATE TRIGGER {table}_no_delete BEFORE delete ON {table} {sqlite_door}"
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )


def _guard_handovers(with_door: bool) -> None:
    """Their updates have a function of their own, which refuses every deletion."""
    op.execute("DROP TRIGGER handovers_append_only ON handovers")
    if not with_door:
        op.execute("DROP TRIGGER handovers_no_delete ON handovers")
    op.execute(
        f"CREATE TRIGGER handovers_append_only BEFORE UPDATE {'' if with_door else 'OR DELETE '}ON handovers "
        "FOR EACH ROW EXECUTE FUNCTION gridpatrol_handover_stays()"
    )
    if with_door:
        op.execute(
            "CREATE TRIGGER handovers_no_delete BEFORE DELETE ON handovers FOR EACH ROW EXECUTE FUNCTION gridpatrol_append_only()"
        )
