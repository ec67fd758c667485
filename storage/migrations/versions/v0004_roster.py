"""Changes of the roster, supporting teams, doubtful positions; teams called away stand in the history."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_UUID = sa.String(36)
_WORD = sa.String(32)
_DATE = sa.String(10)
_REPORT = sa.text("step = 'report'")
_SUPPORTING = sa.text("state != 'done'")


def upgrade() -> None:
    op.create_table(
        "doubts",
        sa.Column("team", sa.Text, nullable=False),
        sa.Column("doubt", _WORD, nullable=False),
        sa.Column("at_s", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("team", name="pk_doubts"),
    )
    op.create_table(
        "roster_changes",
        sa.Column("id", _UUID, nullable=False),
        sa.Column("kind", _WORD, nullable=False),
        sa.Column("team", sa.Text, nullable=False),
        sa.Column("day", _DATE, nullable=False),
        sa.Column("first_day", _DATE, nullable=False),
        sa.Column("last_day", _DATE, nullable=False),
        sa.Column("other", sa.Text, nullable=False),
        sa.Column("other_day", _DATE),
        sa.Column("begin_min", sa.SmallInteger),
        sa.Column("end_min", sa.SmallInteger),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("by_name", sa.Text, nullable=False),
        sa.Column("made_s", sa.Double, nullable=False),
        sa.Column("undone_s", sa.Double),
        sa.Column("undone_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_roster_changes"),
    )
    op.create_index("ix_roster_changes_last_day", "roster_changes", ["last_day"])
    op.create_table(
        "support",
        sa.Column("id", _UUID, nullable=False),
        sa.Column("incident", _UUID, nullable=False),
        sa.Column("team", sa.Text, nullable=False),
        sa.Column("state", _WORD, nullable=False),
        sa.Column("sent_s", sa.Double, nullable=False),
        sa.Column("arrived_s", sa.Double),
        sa.Column("done_s", sa.Double),
        sa.Column("by_name", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_support"),
        sa.ForeignKeyConstraint(["incident"], ["incidents.id"], name="fk_support_incident"),
    )
    op.create_index("ix_support_incident", "support", ["incident"])
    op.create_index("ix_support_sent_s", "support", ["sent_s"])
    op.create_index("uq_support_team", "support", ["team"], unique=True, sqlite_where=_SUPPORTING, postgresql_where=_SUPPORTING)
    op.create_index("ix_history_report", "history", ["at_s"], sqlite_where=_REPORT, postgresql_where=_REPORT)


def downgrade() -> None:
    """The older program reads that a team was called away as a note, whose text says so."""
    op.drop_index("ix_history_report", "history")
    _let_history_change(True)
    op.execute("UPDATE history SET step = 'note' WHERE step = 'withdrawn'")
    _let_history_change(False)
    for table in ("support", "roster_changes", "doubts"):
        op.drop_table(table)


def _let_history_change(may: bool) -> None:
    """History is only ever added to, but for this."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"ALTER TABLE history {'DISABLE' if may else 'ENABLE'} TRIGGER history_append_only")
    elif may:
        op.execute("DROP TRIGGER history_no_update")
    else:
        op.execute(
            "CREATE TRIGGER history_no_update BEFORE update ON history BEGIN SELECT RAISE(ABORT, 'history is append-only'); END"
        )
