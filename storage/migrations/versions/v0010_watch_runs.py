"""Watch runs: how each camera was watched, every second of it."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_OPEN = sa.text("ended_s IS NULL")


def upgrade() -> None:
    op.create_table(
        "watch_runs",
        sa.Column("camera", sa.Text, nullable=False),
        sa.Column("began_s", sa.Double, nullable=False),
        sa.Column("ended_s", sa.Double),
        sa.Column("state", sa.String(32)),
        sa.Column("seconds", sa.JSON),
        sa.PrimaryKeyConstraint("camera", "began_s", name="pk_watch_runs"),
    )
    op.create_index("ix_watch_runs_ended_s", "watch_runs", ["ended_s"])
    op.create_index("ix_watch_runs_open", "watch_runs", ["camera"], sqlite_where=_OPEN, postgresql_where=_OPEN)


def downgrade() -> None:
    op.drop_table("watch_runs")
