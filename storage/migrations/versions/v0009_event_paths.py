"""Events: the way of the thing that was seen."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("events", sa.Column("path", sa.JSON))


def downgrade() -> None:
    """The older program shows no paths."""
    op.drop_column("events", "path")
