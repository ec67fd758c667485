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
    UniqueConstraint,
    literal_column,
)

__all__ = [
    "audit",
    "code_attempts",
    "commands",
    "deliveries",
    "doubts",
    "draws",
    "drills",
    "events",
    "gaps",
    "health",
    "history",
    "holds",
    "incidents",
    "is_assigned",
    "is_closed",
    "is_open",
    "messages",
    "metadata",
    "notices",
    "positions",
    "retention",
    "roster_changes",
    "round_entries",
    "rounds",
    "secrets",
    "sessions",
    "snapshots",
    "support",
    "team_codes",
    "temporary_stops",
    "users",
    "watch_runs",
    "watched",
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
_DATE = String(10)  # as 2026-03-01: dates of the site, which compare as text
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
    Column("category", _WORD, nullable=False),
    Column("origin", _WORD, nullable=False),
    Column("summary", Text, nullable=False),
    Column("caller", Text, nullable=False),
    Column("cameras", _JSON, nullable=False),
    Column("camera_count", Integer, nullable=False),
    Column("duplicate_of", _UUID, nullable=False),
    Column("shelved_until_s", Double),
    Column("pauses", _JSON, nullable=False),
    Column("paused_since_s", Double),
    Column("told", SmallInteger, nullable=False),
    Column("look_s", Double),
    Column("drill", Boolean(create_constraint=False), nullable=False),
    Column("raises", _JSON, nullable=False),
)
# Queries use these very conditions: with a parameter in place of a word, or with the words in another order, a database need not
# see that an index of open incidents holds the answer, and reads every incident there ever was.
is_open = incidents.c.work != literal_column("'closed'")
is_closed = incidents.c.work == literal_column("'closed'")
is_assigned = incidents.c.work.in_([literal_column(f"'{work}'") for work in ("dispatched", "accepted", "en_route", "on_scene")])
Index("ix_incidents_open", incidents.c.camera, incidents.c.kind, sqlite_where=is_open, postgresql_where=is_open)
Index("ix_incidents_open_number", incidents.c.number, sqlite_where=is_open, postgresql_where=is_open)
Index("ix_incidents_closed", incidents.c.since_s, sqlite_where=is_closed, postgresql_where=is_closed)
_is_wide = is_open & (incidents.c.camera_count > 1)
Index("ix_incidents_several", incidents.c.kind, sqlite_where=_is_wide, postgresql_where=_is_wide)
Index("ix_incidents_grid_cell_number", incidents.c.grid_cell, incidents.c.number)
Index("ix_incidents_opened_s", incidents.c.opened_s)
Index("ix_incidents_look", incidents.c.look_s, sqlite_where=is_open, postgresql_where=is_open)
Index("ix_incidents_due", incidents.c.due_s, sqlite_where=is_open, postgresql_where=is_open)
# Nobody is sent to two places: the database itself refuses, whatever the program thinks.
Index("uq_incidents_team", incidents.c.team, unique=True, sqlite_where=is_assigned, postgresql_where=is_assigned)

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
    Column("picture_bytes", Integer),  # of its snapshot; None without one, or when it was deleted
    Column("path", _JSON),  # None where there is none
    Column("opinion", _WORD, nullable=False, server_default=""),
    Column("delay_s", Double, nullable=False, server_default="0"),
    Column("look_s", Double, nullable=False, server_default="0"),
    Index("ix_events_camera_raised_s", "camera", "raised_s"),
    Index("ix_events_raised_s", "raised_s"),
)
_is_pictured = events.c.picture_bytes.is_not(None)
Index(
    "ix_events_pictured",
    events.c.severity,
    events.c.raised_s,
    events.c.picture_bytes,
    sqlite_where=_is_pictured,
    postgresql_where=_is_pictured,
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
    Column("clock", _WORD),
    Column("level", _WORD),
    Column("place", Text, nullable=False),
    Column("other", _UUID, nullable=False),
    Column("until_s", Double),
    Column("events", _JSON),  # those that moved between two incidents
)
_is_dispatch = history.c.step == "dispatch"
Index("ix_history_dispatch", history.c.at_s, sqlite_where=_is_dispatch, postgresql_where=_is_dispatch)
_is_report = history.c.step == "report"
Index("ix_history_report", history.c.at_s, sqlite_where=_is_report, postgresql_where=_is_report)

commands = Table(
    "commands",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("incident", _UUID, ForeignKey(incidents.c.id), nullable=False, index=True),
    Column("fingerprint", _HASH, nullable=False),
    Column("recorded_s", Double, nullable=False),
    Column("result", _JSON, nullable=False),
)

notices = Table(
    "notices",
    metadata,
    Column("id", _NUMBER, primary_key=True),
    Column("at_s", Double, nullable=False),
    Column("kind", _WORD, nullable=False),
    Column("incident", _UUID, ForeignKey(incidents.c.id), index=True),  # None: about something else, such as a round
    Column("level", _WORD),
    Column("payload", _JSON, nullable=False),
    Column("done_s", Double),  # when it was addressed: the deliveries that it leads to are in the same transaction
)
_is_waiting = notices.c.done_s.is_(None)
Index("ix_notices_waiting", notices.c.id, sqlite_where=_is_waiting, postgresql_where=_is_waiting)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", _NUMBER, primary_key=True),
    Column("notice", _NUMBER, ForeignKey(notices.c.id), nullable=False),
    Column("target", Text, nullable=False),
    Column("bundle", Text, nullable=False),
    Column("due_s", Double, nullable=False),
    Column("message", _UUID),
    UniqueConstraint("notice", "target"),
)
_is_alone = deliveries.c.message.is_(None)
Index("ix_deliveries_waiting", deliveries.c.target, deliveries.c.id, sqlite_where=_is_alone, postgresql_where=_is_alone)

messages = Table(
    "messages",
    metadata,
    Column("number", _NUMBER, primary_key=True),
    Column("id", _UUID, nullable=False, unique=True),
    Column("target", Text, nullable=False),
    Column("state", _WORD, nullable=False),
    Column("made_s", Double, nullable=False),
    Column("content", _JSON, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("trying_since_s", Double),
    Column("tried_s", Double),
    Column("next_s", Double),
    Column("error", Text, nullable=False),
    Column("delivered_s", Double),
    Index("ix_messages_state", "state", "target", "number"),
)
_is_to_be_sent = messages.c.state == "waiting"
Index("ix_messages_waiting", messages.c.target, messages.c.number, sqlite_where=_is_to_be_sent, postgresql_where=_is_to_be_sent)

drills = Table(
    "drills",
    metadata,
    Column("id", _UUID, primary_key=True),
    Column("began_s", Double, nullable=False),
    Column("until_s", Double, nullable=False),
    Column("reason", Text, nullable=False),
    Column("by_name", Text, nullable=False),
    Column("ended_s", Double),
)
_is_running = drills.c.ended_s.is_(None)
Index("ix_drills_running", drills.c.until_s, sqlite_where=_is_running, postgresql_where=_is_running)

positions = Table(
    "positions",
    metadata,
    Column("team", Text, primary_key=True),
    Column("lon", Double, nullable=False),
    Column("lat", Double, nullable=False),
    Column("at_s", Double, nullable=False),
)

doubts = Table(
    "doubts",
    metadata,
    Column("team", Text, primary_key=True),
    Column("doubt", _WORD, nullable=False),
    Column("at_s", Double, nullable=False),
)

roster_changes = Table(
    "roster_changes",
    metadata,
    Column("id", _UUID, primary_key=True),
    Column("kind", _WORD, nullable=False),
    Column("team", Text, nullable=False),
    Column("day", _DATE, nullable=False),
    Column("first_day", _DATE, nullable=False),
    Column("last_day", _DATE, nullable=False, index=True),
    Column("other", Text, nullable=False),
    Column("other_day", _DATE),
    Column("begin_min", SmallInteger),
    Column("end_min", SmallInteger),
    Column("reason", Text, nullable=False),
    Column("by_name", Text, nullable=False),
    Column("made_s", Double, nullable=False),
    Column("undone_s", Double),
    Column("undone_by", Text, nullable=False),
)

support = Table(
    "support",
    metadata,
    Column("id", _UUID, primary_key=True),
    Column("incident", _UUID, ForeignKey(incidents.c.id), nullable=False, index=True),
    Column("team", Text, nullable=False),
    Column("state", _WORD, nullable=False),
    Column("sent_s", Double, nullable=False, index=True),
    Column("arrived_s", Double),
    Column("done_s", Double),
    Column("by_name", Text, nullable=False),
)
_is_supporting = support.c.state != "done"
Index("uq_support_team", support.c.team, unique=True, sqlite_where=_is_supporting, postgresql_where=_is_supporting)

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

gaps = Table(
    "gaps",
    metadata,
    Column("camera", Text, primary_key=True),
    Column("began_s", Double, primary_key=True),
    Column("ended_s", Double),
    Column("cause", _WORD, nullable=False),
    Column("told", SmallInteger, nullable=False, default=0),  # to people elsewhere: 1 that it lasts, 2 that it is over
)
Index("ix_gaps_began_s", gaps.c.began_s)
_is_going_on = gaps.c.ended_s.is_(None)
Index("ix_gaps_open", gaps.c.camera, sqlite_where=_is_going_on, postgresql_where=_is_going_on)
_was_told = gaps.c.told == 1
Index("ix_gaps_told", gaps.c.camera, sqlite_where=_was_told, postgresql_where=_was_told)

watch_runs = Table(
    "watch_runs",
    metadata,
    Column("camera", Text, primary_key=True),
    Column("began_s", Double, primary_key=True),
    Column("ended_s", Double, index=True),
    Column("state", _WORD),
    Column("seconds", _JSON),
)
_run_lasts = watch_runs.c.ended_s.is_(None)
Index("ix_watch_runs_open", watch_runs.c.camera, sqlite_where=_run_lasts, postgresql_where=_run_lasts)

watched = Table(
    "watched",
    metadata,
    Column("until_s", Double, primary_key=True),
)

users = Table(
    "users",
    metadata,
    Column("id", _UUID, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("role", _WORD, nullable=False),
    Column("areas", _JSON, nullable=False, server_default="[]"),  # ids of places; none: the whole sub-district
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

rounds = Table(
    "rounds",
    metadata,
    Column("id", _UUID, primary_key=True),
    Column("kind", _WORD, nullable=False),
    Column("source", Text, nullable=False),
    Column("name_zh", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("team", Text, nullable=False),
    Column("day", _DATE, nullable=False),
    Column("order", _WORD, nullable=False),
    Column("due_s", Double, nullable=False, index=True),
    Column("opens_s", Double, nullable=False),
    Column("closes_s", Double, nullable=False),
    Column("announced_s", Double, nullable=False),
    Column("travels", _WORD, nullable=False),
    Column("draw", _UUID, nullable=False),
    Column("stops", _JSON, nullable=False),
    Column("state", _WORD, nullable=False),
    Column("look_s", Double),
    Column("stop_count", Integer, nullable=False),
    Column("visited", Integer, nullable=False),
    Column("on_time", Integer, nullable=False),
    Column("late", Integer, nullable=False),
    Column("skipped", Integer, nullable=False),
    Column("missed", Integer, nullable=False),
    Column("odd", Integer, nullable=False),
    Index("ix_rounds_team_due_s", "team", "due_s"),
)
_has_to_be_looked_at = rounds.c.look_s.is_not(None)
Index("ix_rounds_look", rounds.c.look_s, sqlite_where=_has_to_be_looked_at, postgresql_where=_has_to_be_looked_at)

round_entries = Table(
    "round_entries",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("round", _UUID, ForeignKey(rounds.c.id), nullable=False, index=True),
    Column("act", _WORD, nullable=False),
    Column("at_s", Double, nullable=False),
    Column("recorded_s", Double, nullable=False, index=True),
    Column("by_kind", _WORD, nullable=False),
    Column("by_id", Text, nullable=False),
    Column("by_name", Text, nullable=False),
    Column("checkpoint", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("proof", _WORD),
    Column("distance_m", Double),
    Column("camera", Text, nullable=False),
    Column("incident", _UUID, nullable=False),
    Column("flags", _JSON, nullable=False),
    Column("fingerprint", _HASH, nullable=False),
)

code_attempts = Table(
    "code_attempts",
    metadata,
    Column("number", _NUMBER, primary_key=True),
    Column("at_s", Double, nullable=False),
    Column("by_kind", _WORD, nullable=False),
    Column("by_id", Text, nullable=False),
    Column("by_name", Text, nullable=False),
    Column("refusal", _WORD, nullable=False),
    Column("checkpoint", Text, nullable=False),
    Column("round", _UUID, nullable=False),
)

temporary_stops = Table(
    "temporary_stops",
    metadata,
    Column("id", _UUID, primary_key=True),
    Column("lon", Double, nullable=False),
    Column("lat", Double, nullable=False),
    Column("grid_cell", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("until_s", Double, nullable=False, index=True),
    Column("team", Text, nullable=False),
    Column("repeat_min", Double),
    Column("by_name", Text, nullable=False),
    Column("made_s", Double, nullable=False),
    Column("withdrawn_s", Double),
    Column("withdrawn_by", Text, nullable=False),
)

draws = Table(
    "draws",
    metadata,
    Column("id", _UUID, primary_key=True),
    Column("source", Text, nullable=False),
    Column("seed", _HASH, nullable=False),
    Column("pool", _JSON, nullable=False),
    Column("count", Integer, nullable=False),
    Column("drawn", _JSON, nullable=False),
    Column("made_s", Double, nullable=False),
    Column("announced_s", Double, nullable=False, index=True),
    Column("by_name", Text, nullable=False),
)

holds = Table(
    "holds",
    metadata,
    Column("id", _UUID, primary_key=True),
    Column("incident", _UUID, ForeignKey(incidents.c.id), nullable=False, index=True),
    Column("reason", Text, nullable=False),
    Column("by_name", Text, nullable=False),
    Column("made_s", Double, nullable=False),
    Column("until_s", Double),
    Column("lifted_s", Double),
    Column("lifted_by", Text, nullable=False),
)
_is_in_force = holds.c.lifted_s.is_(None)
Index("ix_holds_in_force", holds.c.incident, sqlite_where=_is_in_force, postgresql_where=_is_in_force)

retention = Table(  # one row; while `deleting` is set, within one transaction, rows of append-only tables may go
    "retention",
    metadata,
    Column("reached_s", Double, primary_key=True),
    Column("deleting", Boolean(create_constraint=False), nullable=False),
    Column("deleted", _JSON, nullable=False),
)
