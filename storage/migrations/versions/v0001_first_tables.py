"""First tables: incidents with events, snapshots and history; teams' positions; camera health; accounts; audit."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_UUID = sa.String(36)
_WORD = sa.String(32)
_HASH = sa.String(64)
_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_OPEN = sa.text("work != 'closed'")
_ASSIGNED = sa.text("work IN ('dispatched', 'accepted', 'en_route', 'on_scene')")
_APPEND_ONLY = ("history", "audit")


def upgrade() -> None:
    _incidents()
    _events()
    _history()
    _teams_and_cameras()
    _accounts()
    for table in _APPEND_ONLY:
        _forbid_changes(table)


def downgrade() -> None:
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    for table in ("audit", "secrets", "team_codes", "sessions", "users", "health", "positions"):
        op.drop_table(table)
    for table in ("commands", "history", "snapshots", "events", "incidents"):
        op.drop_table(table)
    if is_postgresql:
        op.execute("DROP FUNCTION gridpatrol_append_only()")


def _incidents() -> None:
    op.create_table(
        "incidents",
        sa.Column("id", _UUID, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("kind", _WORD, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("severity", sa.SmallInteger, nullable=False),
        sa.Column("camera", sa.Text, nullable=False),
        sa.Column("compound", sa.Text, nullable=False),
        sa.Column("grid_cell", sa.Text, nullable=False),
        sa.Column("community", sa.Text, nullable=False),
        sa.Column("lon", sa.Double),
        sa.Column("lat", sa.Double),
        sa.Column("condition", _WORD, nullable=False),
        sa.Column("work", _WORD, nullable=False),
        sa.Column("owner_kind", _WORD),
        sa.Column("owner_id", sa.Text),
        sa.Column("owner_name", sa.Text),
        sa.Column("team", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("decided", sa.Integer, nullable=False),
        sa.Column("began_s", sa.Double, nullable=False),
        sa.Column("opened_s", sa.Double, nullable=False),
        sa.Column("last_event_s", sa.Double, nullable=False),
        sa.Column("event_count", sa.Integer, nullable=False),
        sa.Column("best_event", _UUID, nullable=False),
        sa.Column("box", sa.JSON, nullable=False),
        sa.Column("score", sa.Double, nullable=False),
        sa.Column("since_s", sa.Double, nullable=False),
        sa.Column("stages", sa.JSON, nullable=False),
        sa.Column("refused", sa.JSON, nullable=False),
        sa.Column("verdict", _WORD),
        sa.Column("cause", sa.Text, nullable=False),
        sa.Column("proposal", sa.JSON),
        sa.Column("due_step", _WORD),
        sa.Column("due_s", sa.Double),
        sa.PrimaryKeyConstraint("id", name="pk_incidents"),
        sa.UniqueConstraint("number", name="uq_incidents_number"),
    )
    for name, columns in (
        ("ix_incidents_open", ["camera", "kind"]),
        ("ix_incidents_open_number", ["number"]),
        ("ix_incidents_due", ["due_s"]),
    ):
        op.create_index(name, "incidents", columns, sqlite_where=_OPEN, postgresql_where=_OPEN)
    op.create_index("uq_incidents_team", "incidents", ["team"], unique=True, sqlite_where=_ASSIGNED, postgresql_where=_ASSIGNED)


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("id", _UUID, nullable=False),
        sa.Column("incident", _UUID, nullable=False),
        sa.Column("camera", sa.Text, nullable=False),
        sa.Column("kind", _WORD, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("zone", sa.Text, nullable=False),
        sa.Column("severity", sa.SmallInteger, nullable=False),
        sa.Column("began_s", sa.Double, nullable=False),
        sa.Column("raised_s", sa.Double, nullable=False),
        sa.Column("ended_s", sa.Double),
        sa.Column("score", sa.Double, nullable=False),
        sa.Column("box", sa.JSON, nullable=False),
        sa.Column("seen_by", _WORD, nullable=False),
        sa.Column("network", sa.Text, nullable=False),
        sa.Column("recorded_s", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
        sa.ForeignKeyConstraint(["incident"], ["incidents.id"], name="fk_events_incident"),
    )
    op.create_index("ix_events_incident", "events", ["incident"])
    op.create_index("ix_events_camera_raised_s", "events", ["camera", "raised_s"])
    op.create_table(
        "snapshots",
        sa.Column("event", _UUID, nullable=False),
        sa.Column("jpeg", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("event", name="pk_snapshots"),
        sa.ForeignKeyConstraint(["event"], ["events.id"], name="fk_snapshots_event"),
    )


def _history() -> None:
    op.create_table(
        "history",
        sa.Column("incident", _UUID, nullable=False),
        sa.Column("version", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("step", _WORD, nullable=False),
        sa.Column("work", _WORD, nullable=False),
        sa.Column("at_s", sa.Double, nullable=False),
        sa.Column("recorded_s", sa.Double, nullable=False),
        sa.Column("by_kind", _WORD, nullable=False),
        sa.Column("by_id", sa.Text, nullable=False),
        sa.Column("by_name", sa.Text, nullable=False),
        sa.Column("team", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("verdict", _WORD),
        sa.Column("cause", sa.Text, nullable=False),
        sa.Column("event", _UUID, nullable=False),
        sa.Column("command", sa.String(64), nullable=False),
        sa.Column("flags", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("incident", "version", name="pk_history"),
        sa.ForeignKeyConstraint(["incident"], ["incidents.id"], name="fk_history_incident"),
    )
    dispatched = sa.text("step = 'dispatch'")
    op.create_index("ix_history_dispatch", "history", ["at_s"], sqlite_where=dispatched, postgresql_where=dispatched)
    op.create_table(
        "commands",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("incident", _UUID, nullable=False),
        sa.Column("fingerprint", _HASH, nullable=False),
        sa.Column("recorded_s", sa.Double, nullable=False),
        sa.Column("result", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_commands"),
        sa.ForeignKeyConstraint(["incident"], ["incidents.id"], name="fk_commands_incident"),
    )


def _teams_and_cameras() -> None:
    op.create_table(
        "positions",
        sa.Column("team", sa.Text, nullable=False),
        sa.Column("lon", sa.Double, nullable=False),
        sa.Column("lat", sa.Double, nullable=False),
        sa.Column("at_s", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("team", name="pk_positions"),
    )
    op.create_table(
        "health",
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("camera", sa.Text, nullable=False),
        sa.Column("health", _WORD, nullable=False),
        sa.Column("quality", _WORD, nullable=False),
        sa.Column("since_s", sa.Double, nullable=False),
        sa.Column("recorded_s", sa.Double, nullable=False),
        sa.Column("cause", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_health"),
    )
    op.create_index("ix_health_camera_number", "health", ["camera", "number"])


def _accounts() -> None:
    op.create_table(
        "users",
        sa.Column("id", _UUID, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("role", _WORD, nullable=False),
        sa.Column("password_hash", sa.Text, nullable=False),
        sa.Column("created_s", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("name", name="uq_users_name"),
    )
    op.create_table(
        "sessions",
        sa.Column("token_sha256", _HASH, nullable=False),
        sa.Column("principal_kind", _WORD, nullable=False),
        sa.Column("principal_id", sa.Text, nullable=False),
        sa.Column("created_s", sa.Double, nullable=False),
        sa.Column("expires_s", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("token_sha256", name="pk_sessions"),
    )
    op.create_index("ix_sessions_expires_s", "sessions", ["expires_s"])
    op.create_index("ix_sessions_principal", "sessions", ["principal_kind", "principal_id"])
    op.create_table(
        "team_codes",
        sa.Column("code_sha256", _HASH, nullable=False),
        sa.Column("team", sa.Text, nullable=False),
        sa.Column("expires_s", sa.Double, nullable=False),
        sa.Column("used", sa.Boolean(create_constraint=False), nullable=False),
        sa.PrimaryKeyConstraint("code_sha256", name="pk_team_codes"),
    )
    op.create_table(
        "secrets",
        sa.Column("name", _WORD, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_secrets"),
    )
    op.create_table(
        "audit",
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("at_s", sa.Double, nullable=False),
        sa.Column("actor_kind", _WORD, nullable=False),
        sa.Column("actor_id", sa.Text, nullable=False),
        sa.Column("actor_name", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("resource", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_audit"),
    )


def _forbid_changes(table: str) -> None:
    """Rows of this table are only ever added."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE OR REPLACE FUNCTION gridpatrol_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
        )
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION gridpatrol_append_only()"
        )
        return
    for change in ("update", "delete"):
        op.execute(
            f"CREATE TRIGGER {table}_no_{change} BEFORE {change} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )
