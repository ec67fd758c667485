"""Notices on their way to people: deliveries, messages; drills; which gaps of cameras were told."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_UUID = sa.String(36)
_WORD = sa.String(32)
_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_ALONE = sa.text("message IS NULL")
_WAITING = sa.text("state = 'waiting'")
_TOLD = sa.text("told = 1")
_RUNNING = sa.text("ended_s IS NULL")


def upgrade() -> None:
    op.create_table(
        "messages",
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("id", _UUID, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("state", _WORD, nullable=False),
        sa.Column("made_s", sa.Double, nullable=False),
        sa.Column("content", sa.JSON, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("trying_since_s", sa.Double),
        sa.Column("tried_s", sa.Double),
        sa.Column("next_s", sa.Double),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("delivered_s", sa.Double),
        sa.PrimaryKeyConstraint("number", name="pk_messages"),
        sa.UniqueConstraint("id", name="uq_messages_id"),
    )
    op.create_index("ix_messages_waiting", "messages", ["target", "number"], sqlite_where=_WAITING, postgresql_where=_WAITING)
    op.create_index("ix_messages_state", "messages", ["state", "target", "number"])
    op.create_table(
        "deliveries",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("notice", _NUMBER, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("bundle", sa.Text, nullable=False),
        sa.Column("due_s", sa.Double, nullable=False),
        sa.Column("message", _UUID),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        sa.ForeignKeyConstraint(["notice"], ["notices.id"], name="fk_deliveries_notice"),
        sa.UniqueConstraint("notice", "target", name="uq_deliveries_notice_target"),
    )
    op.create_index("ix_deliveries_waiting", "deliveries", ["target", "id"], sqlite_where=_ALONE, postgresql_where=_ALONE)
    op.drop_column("notices", "attempts")
    op.create_table(
        "drills",
        sa.Column("id", _UUID, nullable=False),
        sa.Column("began_s", sa.Double, nullable=False),
        sa.Column("until_s", sa.Double, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("by_name", sa.Text, nullable=False),
        sa.Column("ended_s", sa.Double),
        sa.PrimaryKeyConstraint("id", name="pk_drills"),
    )
    op.create_index("ix_drills_running", "drills", ["until_s"], sqlite_where=_RUNNING, postgresql_where=_RUNNING)
    op.add_column("incidents", sa.Column("drill", sa.Boolean(create_constraint=False), nullable=False, server_default=sa.false()))
    op.add_column("gaps", sa.Column("told", sa.SmallInteger, nullable=False, server_default="0"))
    op.create_index("ix_gaps_told", "gaps", ["camera"], sqlite_where=_TOLD, postgresql_where=_TOLD)


def downgrade() -> None:
    """The older program has nobody to deliver messages to: what waits in them waits as notices again."""
    op.drop_index("ix_gaps_told", "gaps")
    op.drop_column("gaps", "told")
    op.drop_column("incidents", "drill")
    op.drop_index("ix_drills_running", "drills")
    op.drop_table("drills")
    waiting = (
        "SELECT notice FROM deliveries WHERE message IS NULL OR message IN (SELECT id FROM messages WHERE state = 'waiting')"
    )
    op.execute(f"UPDATE notices SET done_s = NULL WHERE id IN ({waiting})")  # noqa: S608  the text is above
    op.drop_table("deliveries")
    op.drop_table("messages")
    op.add_column("notices", sa.Column("attempts", sa.Integer, nullable=False, server_default="0"))
