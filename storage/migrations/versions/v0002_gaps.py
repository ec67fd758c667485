"""Gaps: when each camera was not seen, and why; and until when Gridpatrol was alive."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_OPEN = sa.text("ended_s IS NULL")


def upgrade() -> None:
    op.create_table(
        "gaps",
        sa.Column("camera", sa.Text, nullable=False),
        sa.Column("began_s", sa.Double, nullable=False),
        sa.Column("ended_s", sa.Double),
        sa.Column("cause", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("camera", "began_s", name="pk_gaps"),
    )
    op.create_index("ix_gaps_open", "gaps", ["camera"], sqlite_where=_OPEN, postgresql_where=_OPEN)
    op.create_table(
        "watched",
        sa.Column("until_s", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("until_s", name="pk_watched"),
    )


def downgrade() -> None:
    op.drop_table("watched")
    op.drop_table("gaps")
