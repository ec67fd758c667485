"""The tables of referral desks and of shift handovers; read `tables.py` first."""

from sqlalchemy import JSON, Column, Double, ForeignKey, Index, Integer, SmallInteger, String, Table, Text

from storage.tables import incidents, metadata

__all__ = ["handover_alarms", "handovers", "referral_entries", "referrals"]

_UUID = String(36)
_WORD = String(32)
_HASH = String(64)

referrals = Table(
    "referrals",
    metadata,
    Column("id", _UUID, primary_key=True),
    Column("incident", _UUID, ForeignKey(incidents.c.id), nullable=False, index=True),
    Column("number", Integer, nullable=False),
    Column("desk", Text, nullable=False),
    Column("state", _WORD, nullable=False),
    Column("reason", Text, nullable=False),
    Column("by_kind", _WORD, nullable=False),
    Column("by_id", Text, nullable=False),
    Column("by_name", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("sent_s", Double, nullable=False, index=True),
    Column("since_s", Double, nullable=False),
    Column("accepted_s", Double),
    Column("ended_s", Double),
    Column("stopped_s", Double),
    Column("told", SmallInteger, nullable=False),
    Column("due_s", Double),
    Column("look_s", Double),
)
_is_timed = referrals.c.look_s.is_not(None)
Index("ix_referrals_look", referrals.c.look_s, sqlite_where=_is_timed, postgresql_where=_is_timed)
_is_referred = referrals.c.ended_s.is_(None)
Index(
    "uq_referrals_open",
    referrals.c.incident,
    referrals.c.desk,
    unique=True,
    sqlite_where=_is_referred,
    postgresql_where=_is_referred,
)

referral_entries = Table(
    "referral_entries",
    metadata,
    Column("referral", _UUID, ForeignKey(referrals.c.id), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("step", _WORD, nullable=False),
    Column("state", _WORD, nullable=False),
    Column("at_s", Double, nullable=False),
    Column("recorded_s", Double, nullable=False),
    Column("by_kind", _WORD, nullable=False),
    Column("by_id", Text, nullable=False),
    Column("by_name", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("command", String(64), nullable=False),
    Column("flags", JSON(none_as_null=True), nullable=False),
    Column("clock", _WORD),
    Column("level", _WORD),
    Column("place", Text, nullable=False),
    Column("fingerprint", _HASH, nullable=False),
)
_is_command = referral_entries.c.command != ""
Index(
    "uq_referral_entries_command",
    referral_entries.c.command,
    unique=True,
    sqlite_where=_is_command,
    postgresql_where=_is_command,
)

handovers = Table(
    "handovers",
    metadata,
    Column("id", _UUID, primary_key=True),
    Column("made_s", Double, nullable=False, index=True),
    Column("content", Text, nullable=False),
    Column("sha256", _HASH, nullable=False),
    Column("outgoing_kind", _WORD, nullable=False),
    Column("outgoing_id", Text, nullable=False),
    Column("outgoing_name", Text, nullable=False),
    Column("incoming_kind", _WORD),
    Column("incoming_id", Text),
    Column("incoming_name", Text),
    Column("confirmed_s", Double),
    Column("remark", Text, nullable=False),
    Column("withdrawn_s", Double),
    Column("areas", Text, nullable=False, server_default=""),  # `Area.key` of whom it is for; empty: the whole sub-district
)
handover_alarms = Table(  # one for each change of shifts at which nobody signed in time
    "handover_alarms",
    metadata,
    Column("change_s", Double, primary_key=True),
    Column("raised_s", Double, nullable=False),
    Column("cleared_s", Double),
)
_is_offered = handovers.c.confirmed_s.is_(None) & handovers.c.withdrawn_s.is_(None)
Index("ix_handovers_offered", handovers.c.id, sqlite_where=_is_offered, postgresql_where=_is_offered)
