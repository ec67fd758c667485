"""The tables of the versions of a site. Read `tables.py` first."""

from sqlalchemy import JSON, Column, Double, ForeignKey, Integer, LargeBinary, String, Table, Text

from storage.tables import metadata

__all__ = ["site_files", "site_versions"]

site_files = Table(  # once for each content that a file of the site ever had
    "site_files",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("content", LargeBinary, nullable=False),  # deflated (RFC 1950)
)

site_versions = Table(
    "site_versions",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("at_s", Double, nullable=False),
    Column("by_name", Text, nullable=False),
    Column("what", String(32), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("files", JSON, nullable=False),  # sha256 by name
    Column("changes", JSON, nullable=False),  # ids of cameras: added, changed, removed
    Column("restored", Integer, ForeignKey("site_versions.version")),
)
