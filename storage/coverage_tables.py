"""The tables of living coverage: what no other ledger tells. Read `tables.py` first."""

from sqlalchemy import JSON, Column, Double, ForeignKey, Index, String, Table, Text

from storage.tables import incidents, metadata

__all__ = ["outages", "patrol_proposals", "switched_off"]

outages = Table(
    "outages",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("uplink", Text, nullable=False),
    Column("incident", String(36), ForeignKey(incidents.c.id), nullable=False, index=True),
    Column("cameras", JSON, nullable=False),
    Column("began_s", Double, nullable=False),
    Column("ended_s", Double),
)
_is_lasting = outages.c.ended_s.is_(None)
Index("ix_outages_open", outages.c.uplink, sqlite_where=_is_lasting, postgresql_where=_is_lasting)

switched_off = Table(
    "switched_off",
    metadata,
    Column("camera", Text, primary_key=True),
    Column("began_s", Double, primary_key=True),
    Column("ended_s", Double),
)

patrol_proposals = Table(
    "patrol_proposals",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("grid_cell", Text, nullable=False),
    Column("lon", Double, nullable=False),
    Column("lat", Double, nullable=False),
    Column("why", Text, nullable=False),
    Column("state", String(32), nullable=False),
    Column("proposed_s", Double, nullable=False),
    Column("stop", String(36), nullable=False),
    Column("by_name", Text, nullable=False),
    Column("withdrawn_s", Double),
)
_stands = patrol_proposals.c.state != "withdrawn"
Index("ix_patrol_proposals_standing", patrol_proposals.c.grid_cell, unique=True, sqlite_where=_stands, postgresql_where=_stands)
