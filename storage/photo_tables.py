"""The tables of the photos that go with reports; read `tables.py` first. The pictures lie apart: lists need not read them."""

from sqlalchemy import Column, Double, ForeignKey, Index, Integer, LargeBinary, String, Table, Text

from storage.tables import incidents, metadata

__all__ = ["photo_jpegs", "photos"]

_UUID = String(36)
_WORD = String(32)

photos = Table(
    "photos",
    metadata,
    Column("id", _UUID, primary_key=True),
    Column("incident", _UUID, ForeignKey(incidents.c.id), nullable=False, index=True),
    Column("version", Integer, nullable=False),  # of the line of history that names it
    Column("command", String(64), nullable=False, index=True),  # the step that it goes with
    Column("at_s", Double, nullable=False),
    Column("recorded_s", Double, nullable=False),
    Column("by_kind", _WORD, nullable=False),
    Column("by_id", Text, nullable=False),
    Column("by_name", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("width_px", Integer, nullable=False),
    Column("height_px", Integer, nullable=False),
    Column("picture_bytes", Integer),  # None once the picture was deleted
)
_is_pictured = photos.c.picture_bytes.is_not(None)
Index("ix_photos_pictured", photos.c.at_s, photos.c.picture_bytes, sqlite_where=_is_pictured, postgresql_where=_is_pictured)

photo_jpegs = Table(
    "photo_jpegs",
    metadata,
    Column("photo", _UUID, ForeignKey(photos.c.id), primary_key=True),
    Column("jpeg", LargeBinary, nullable=False),
)
