"""How the system did, a sample every few minutes."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "system_samples",
        sa.Column("at_s", sa.Double, nullable=False),
        sa.Column("figures", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("at_s", name="pk_system_samples"),
    )


def downgrade() -> None:
    """The older program draws no pictures of them."""
    op.drop_table("system_samples")
