"""The table of the clips of events; the videos themselves lie in files. Read `tables.py` first."""

from sqlalchemy import JSON, Boolean, Column, Double, ForeignKey, Index, Integer, String, Table

from storage.tables import events, metadata

__all__ = ["clips"]

clips = Table(
    "clips",
    metadata,
    Column("event", String(36), ForeignKey(events.c.id), primary_key=True),
    Column("began_s", Double, nullable=False),
    Column("ended_s", Double, nullable=False),
    Column("frames", Integer, nullable=False),
    Column("codec", String(32), nullable=False),
    Column("width_px", Integer, nullable=False),
    Column("height_px", Integer, nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("reencoded", Boolean(create_constraint=False), nullable=False),
    Column("gaps", JSON, nullable=False),
    Column("recorded_s", Double, nullable=False),
    Index("ix_clips_began_s", "began_s"),
)
