"""Severities that were raised while a clock ran; changes of shifts at which nobody signed."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("incidents", sa.Column("raises", sa.JSON, nullable=False, server_default="[]"))
    op.create_table(
        "handover_alarms",
        sa.Column("change_s", sa.Double, nullable=False),
        sa.Column("raised_s", sa.Double, nullable=False),
        sa.Column("cleared_s", sa.Double),
        sa.PrimaryKeyConstraint("change_s", name="pk_handover_alarms"),
    )


def downgrade() -> None:
    """The older program reads the new lines as notes, and what closed by itself as closed."""
    _let_history_change(True)
    op.execute("UPDATE history SET step = 'note' WHERE step = 'made_up' OR (step = 'warned' AND text <> '')")
    op.execute("UPDATE history SET step = 'close' WHERE step = 'lapsed'")
    _let_history_change(False)
    op.drop_table("handover_alarms")
    op.drop_column("incidents", "raises")


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
