"""The tables. Migrations in `migrations/versions` make them; a test holds the two together.

Times are UTC seconds as double precision, exact to the microsecond. Ids are UUIDs as text; closed sets are their words.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
)

__all__ = [
    "audit",
    "commands",
    "events",
    "health",
    "history",
    "incidents",
    "metadata",
    "positions",
    "secrets",
    "sessions",
    "snapshots",
    "team_codes",
    "users",
]

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_UUID = String(36)
_WORD = String(32)
_HASH = String(64)
_NUMBER = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only in an INTEGER PRIMARY KEY
_JSON = JSON(none_as_null=True)

incidents = Table(
    "incidents",
    metadata,
    Column("id", _UUID, primary_key=True),
    Column("number", Integer, nullable=False, unique=True),
    Column("kind", _WORD, nullable=False),
    Column("label", Text, nullable=False),
    Column("severity", SmallInteger, nullable=False),
    Column("camera", Text, nullable=False),
    Column("compound", Text, nullable=False),
    Column("grid_cell", Text, nullable=False),
    Column("community", Text, nullable=False),
    Column("lon", Double),
    Column("lat", Double),
    Column("condition", _WORD, nullable=False),
    Column("work", _WORD, nullable=False),
    Column("owner_kind", _WORD),
    Column("owner_id", Text),
    Column("owner_name", Text),
    Column("team", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("decided", Integer, nullable=False),
    Column("began_s", Double, nullable=False),
    Column("opened_s", Double, nullable=False),
    Column("last_event_s", Double, nullable=False),
    Column("event_count", Integer, nullable=False),
    Column("best_event", _UUID, nullable=False),
    Column("box", _JSON, nullable=False),
    Column("score", Double, nullable=False),
    Column("since_s", Double, nullable=False),
    Column("stages", _JSON, nullable=False),
    Column("refused", _JSON, nullable=False),
    Column("verdict", _WORD),
    Column("cause", Text, nullable=False),
    Column("proposal", _JSON),
    Column("due_step", _WORD),
    Column("due_s", Double),
)
_is_open = incidents.c.work != "closed"
_is_assigned = incidents.c.work.in_(["dispatched", "accepted", "en_route", "on_scene"])
Index("ix_incidents_open", incidents.c.camera, incidents.c.kind, sqlite_where=_is_open, postgresql_where=_is_open)
Index("ix_incidents_open_number", incidents.c.number, sqlite_where=_is_open, postgresql_where=_is_open)
Index("ix_incidents_due", incidents.c.due_s, sqlite_where=_is_open, postgresql_where=_is_open)
# Nobody is sent to two places: the database itself refuses, whatever the program thinks.
Index("uq_incidents_team", incidents.c.team, unique=True, sqlite_where=_is_assigned, postgresql_where=_is_assigned)

events = Table(
    "events",
    metadata,
    Column("id", _UUID, primary_key=True),
    Column("incident", _UUID, ForeignKey(incidents.c.id), nullable=False, index=True),
    Column("camera", Text, nullable=False),
    Column("kind", _WORD, nullable=False),
    Column("label", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("zone", Text, nullable=False),
    Column("severity", SmallInteger, nullable=False),
    Column("began_s", Double, nullable=False),
    Column("raised_s", Double, nullable=False),
    Column("ended_s", Double),
    Column("score", Double, nullable=False),
    Column("box", _JSON, nullable=False),
    Column("seen_by", _WORD, nullable=False),
    Column("network", Text, nullable=False),
    Column("recorded_s", Double, nullable=False),
    Index("ix_events_camera_raised_s", "camera", "raised_s"),
)

snapshots = Table(
    "snapshots",
    metadata,
    Column("event", _UUID, ForeignKey(events.c.id), primary_key=True),
    Column("jpeg", LargeBinary, nullable=False),
)

history = Table(
    "history",
    metadata,
    Column("incident", _UUID, ForeignKey(incidents.c.id), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("step", _WORD, nullable=False),
    Column("work", _WORD, nullable=False),
    Column("at_s", Double, nullable=False),
    Column("recorded_s", Double, nullable=False),
    Column("by_kind", _WORD, nullable=False),
    Column("by_id", Text, nullable=False),
    Column("by_name", Text, nullable=False),
    Column("team", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("verdict", _WORD),
    Column("cause", Text, nullable=False),
    Column("event", _UUID, nullable=False),
    Column("command", String(64), nullable=False),
    Column("flags", _JSON, nullable=False),
)
_is_dispatch = history.c.step == "dispatch"
Index("ix_history_dispatch", history.c.at_s, sqlite_where=_is_dispatch, postgresql_where=_is_dispatch)

commands = Table(
    "commands",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("incident", _UUID, ForeignKey(incidents.c.id), nullable=False),
    Column("fingerprint", _HASH, nullable=False),
    Column("recorded_s", Double, nullable=False),
    Column("result", _JSON, nullable=False),
)

positions = Table(
    "positions",
    metadata,
    Column("team", Text, primary_key=True),
    Column("lon", Double, nullable=False),
    Column("lat", Double, nullable=False),
    Column("at_s", Double, nullable=False),
)

health = Table(
    "health",
    metadata,
    Column("number", _NUMBER, primary_key=True),
    Column("camera", Text, nullable=False),
    Column("health", _WORD, nullable=False),
    Column("quality", _WORD, nullable=False),
    Column("since_s", Double, nullable=False),
    Column("recorded_s", Double, nullable=False),
    Column("cause", Text, nullable=False),
    Index("ix_health_camera_number", "camera", "number"),
)

users = Table(
    "users",
    metadata,
    Column("id", _UUID, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("role", _WORD, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("created_s", Double, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_sha256", _HASH, primary_key=True),
    Column("principal_kind", _WORD, nullable=False),
    Column("principal_id", Text, nullable=False),
    Column("created_s", Double, nullable=False),
    Column("expires_s", Double, nullable=False, index=True),
    Index("ix_sessions_principal", "principal_kind", "principal_id"),
)

team_codes = Table(
    "team_codes",
    metadata,
    Column("code_sha256", _HASH, primary_key=True),
    Column("team", Text, nullable=False),
    Column("expires_s", Double, nullable=False),
    Column("used", Boolean(create_constraint=False), nullable=False),
)

secrets = Table(
    "secrets",
    metadata,
    Column("name", _WORD, primary_key=True),
    Column("hash", Text, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("number", _NUMBER, primary_key=True),
    Column("at_s", Double, nullable=False),
    Column("actor_kind", _WORD, nullable=False),
    Column("actor_id", Text, nullable=False),
    Column("actor_name", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("resource", Text, nullable=False),
    Column("detail", Text, nullable=False),
)
