"""Coverage: outages of switches, cameras that were switched off, patrol stops proposed where nobody sees."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_OPEN = sa.text("ended_s IS NULL")
_STANDING = sa.text("state <> 'withdrawn'")


def upgrade() -> None:
    op.create_table(
        "outages",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("uplink", sa.Text, nullable=False),
        sa.Column("incident", sa.String(36), nullable=False),
        sa.Column("cameras", sa.JSON, nullable=False),
        sa.Column("began_s", sa.Double, nullable=False),
        sa.Column("ended_s", sa.Double),
        sa.PrimaryKeyConstraint("id", name="pk_outages"),
        sa.ForeignKeyConstraint(["incident"], ["incidents.id"], name="fk_outages_incident"),
    )
    op.create_index("ix_outages_incident", "outages", ["incident"])
    op.create_index("ix_outages_open", "outages", ["uplink"], sqlite_where=_OPEN, postgresql_where=_OPEN)
    op.create_table(
        "switched_off",
        sa.Column("camera", sa.Text, nullable=False),
        sa.Column("began_s", sa.Double, nullable=False),
        sa.Column("ended_s", sa.Double),
        sa.PrimaryKeyConstraint("camera", "began_s", name="pk_switched_off"),
    )
    op.create_table(
        "patrol_proposals",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("grid_cell", sa.Text, nullable=False),
        sa.Column("lon", sa.Double, nullable=False),
        sa.Column("lat", sa.Double, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("proposed_s", sa.Double, nullable=False),
        sa.Column("stop", sa.String(36), nullable=False),
        sa.Column("by_name", sa.Text, nullable=False),
        sa.Column("withdrawn_s", sa.Double),
        sa.PrimaryKeyConstraint("id", name="pk_patrol_proposals"),
    )
    op.create_index(
        "ix_patrol_proposals_standing",
        "patrol_proposals",
        ["grid_cell"],
        unique=True,
        sqlite_where=_STANDING,
        postgresql_where=_STANDING,
    )


def downgrade() -> None:
    """The older program proposes nothing; stops that were made, and the incidents of outages, stay."""
    for table in ("patrol_proposals", "switched_off", "outages"):
        op.drop_table(table)
