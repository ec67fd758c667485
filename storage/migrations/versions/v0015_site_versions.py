"""Versions of the site: what its files held, who changed them, when."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "site_files",
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_site_files"),
    )
    op.create_table(
        "site_versions",
        sa.Column("version", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("at_s", sa.Double, nullable=False),
        sa.Column("by_name", sa.Text, nullable=False),
        sa.Column("what", sa.String(32), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("files", sa.JSON, nullable=False),
        sa.Column("changes", sa.JSON, nullable=False),
        sa.Column("restored", sa.Integer),
        sa.PrimaryKeyConstraint("version", name="pk_site_versions"),
        sa.ForeignKeyConstraint(["restored"], ["site_versions.version"], name="fk_site_versions_restored"),
    )


def downgrade() -> None:
    """The older program reads the folder, which is the newest version; who changed what stays in the audit trail."""
    op.drop_table("site_versions")
    op.drop_table("site_files")
