"""Clips: the video of an event, which lies in a file. Events: the second opinion, and how long they took."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "clips",
        sa.Column("event", sa.String(36), nullable=False),
        sa.Column("began_s", sa.Double, nullable=False),
        sa.Column("ended_s", sa.Double, nullable=False),
        sa.Column("frames", sa.Integer, nullable=False),
        sa.Column("codec", sa.String(32), nullable=False),
        sa.Column("width_px", sa.Integer, nullable=False),
        sa.Column("height_px", sa.Integer, nullable=False),
        sa.Column("bytes", sa.Integer, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("reencoded", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("gaps", sa.JSON, nullable=False),
        sa.Column("recorded_s", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("event", name="pk_clips"),
        sa.ForeignKeyConstraint(["event"], ["events.id"], name="fk_clips_event"),
    )
    op.create_index("ix_clips_began_s", "clips", ["began_s"])
    op.add_column("events", sa.Column("opinion", sa.String(32), nullable=False, server_default=""))
    op.add_column("events", sa.Column("delay_s", sa.Double, nullable=False, server_default="0"))
    op.add_column("events", sa.Column("look_s", sa.Double, nullable=False, server_default="0"))


def downgrade() -> None:
    """The older program shows no clips; their files stay where they are."""
    op.drop_table("clips")
    for column in ("look_s", "delay_s", "opinion"):
        op.drop_column("events", column)
