"""Patrol rounds with their history, refused codes, temporary stops, draws; notices that are about no incident."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_UUID = sa.String(36)
_WORD = sa.String(32)
_DATE = sa.String(10)
_HASH = sa.String(64)
_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_LOOK = sa.text("look_s IS NOT NULL")
_WAITING = sa.text("done_s IS NULL")


def upgrade() -> None:
    _rounds()
    _entries()
    _stops_and_draws()
    for table in ("round_entries", "code_attempts"):
        _forbid_changes(table)
    _need_incident(False)


def downgrade() -> None:
    """The older program can say nothing of a notice that is about no incident, so those go."""
    op.execute("DELETE FROM notices WHERE incident IS NULL")
    _need_incident(True)
    op.execute("DELETE FROM secrets WHERE name IN ('checkpoint_key', 'rounds_seed')")
    for table in ("draws", "temporary_stops", "code_attempts", "round_entries", "rounds"):
        op.drop_table(table)


def _rounds() -> None:
    op.create_table(
        "rounds",
        sa.Column("id", _UUID, nullable=False),
        sa.Column("kind", _WORD, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("name_zh", sa.Text, nullable=False),
        sa.Column("name_en", sa.Text, nullable=False),
        sa.Column("team", sa.Text, nullable=False),
        sa.Column("day", _DATE, nullable=False),
        sa.Column("order", _WORD, nullable=False),
        sa.Column("due_s", sa.Double, nullable=False),
        sa.Column("opens_s", sa.Double, nullable=False),
        sa.Column("closes_s", sa.Double, nullable=False),
        sa.Column("announced_s", sa.Double, nullable=False),
        sa.Column("travels", _WORD, nullable=False),
        sa.Column("draw", _UUID, nullable=False),
        sa.Column("stops", sa.JSON, nullable=False),
        sa.Column("state", _WORD, nullable=False),
        sa.Column("look_s", sa.Double),
        *(
            sa.Column(figure, sa.Integer, nullable=False)
            for figure in ("stop_count", "visited", "on_time", "late", "skipped", "missed", "odd")
        ),
        sa.PrimaryKeyConstraint("id", name="pk_rounds"),
    )
    op.create_index("ix_rounds_due_s", "rounds", ["due_s"])
    op.create_index("ix_rounds_team_due_s", "rounds", ["team", "due_s"])
    op.create_index("ix_rounds_look", "rounds", ["look_s"], sqlite_where=_LOOK, postgresql_where=_LOOK)


def _entries() -> None:
    op.create_table(
        "round_entries",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("round", _UUID, nullable=False),
        sa.Column("act", _WORD, nullable=False),
        sa.Column("at_s", sa.Double, nullable=False),
        sa.Column("recorded_s", sa.Double, nullable=False),
        sa.Column("by_kind", _WORD, nullable=False),
        sa.Column("by_id", sa.Text, nullable=False),
        sa.Column("by_name", sa.Text, nullable=False),
        sa.Column("checkpoint", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("proof", _WORD),
        sa.Column("distance_m", sa.Double),
        sa.Column("camera", sa.Text, nullable=False),
        sa.Column("incident", _UUID, nullable=False),
        sa.Column("flags", sa.JSON, nullable=False),
        sa.Column("fingerprint", _HASH, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_round_entries"),
        sa.ForeignKeyConstraint(["round"], ["rounds.id"], name="fk_round_entries_round"),
    )
    op.create_index("ix_round_entries_round", "round_entries", ["round"])
    op.create_index("ix_round_entries_recorded_s", "round_entries", ["recorded_s"])
    op.create_table(
        "code_attempts",
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("at_s", sa.Double, nullable=False),
        sa.Column("by_kind", _WORD, nullable=False),
        sa.Column("by_id", sa.Text, nullable=False),
        sa.Column("by_name", sa.Text, nullable=False),
        sa.Column("refusal", _WORD, nullable=False),
        sa.Column("checkpoint", sa.Text, nullable=False),
        sa.Column("round", _UUID, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_code_attempts"),
    )


def _stops_and_draws() -> None:
    op.create_table(
        "temporary_stops",
        sa.Column("id", _UUID, nullable=False),
        sa.Column("lon", sa.Double, nullable=False),
        sa.Column("lat", sa.Double, nullable=False),
        sa.Column("grid_cell", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("until_s", sa.Double, nullable=False),
        sa.Column("team", sa.Text, nullable=False),
        sa.Column("repeat_min", sa.Double),
        sa.Column("by_name", sa.Text, nullable=False),
        sa.Column("made_s", sa.Double, nullable=False),
        sa.Column("withdrawn_s", sa.Double),
        sa.Column("withdrawn_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_temporary_stops"),
    )
    op.create_index("ix_temporary_stops_until_s", "temporary_stops", ["until_s"])
    op.create_table(
        "draws",
        sa.Column("id", _UUID, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("seed", _HASH, nullable=False),
        sa.Column("pool", sa.JSON, nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("drawn", sa.JSON, nullable=False),
        sa.Column("made_s", sa.Double, nullable=False),
        sa.Column("announced_s", sa.Double, nullable=False),
        sa.Column("by_name", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_draws"),
    )
    op.create_index("ix_draws_announced_s", "draws", ["announced_s"])


def _need_incident(needed: bool) -> None:
    """Whether a notice must be about an incident. SQLite cannot change a column, so there the table is made anew."""
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("notices", "incident", nullable=not needed)
        return
    op.drop_index("ix_notices_waiting", "notices")
    op.rename_table("notices", "old_notices")
    op.create_table(
        "notices",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("at_s", sa.Double, nullable=False),
        sa.Column("kind", _WORD, nullable=False),
        sa.Column("incident", _UUID, nullable=not needed),
        sa.Column("level", _WORD),
        sa.Column("payload", sa.JSON, nullable=False),
        sa.Column("done_s", sa.Double),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_notices"),
        sa.ForeignKeyConstraint(["incident"], ["incidents.id"], name="fk_notices_incident"),
    )
    columns = "id, at_s, kind, incident, level, payload, done_s, attempts"
    op.execute(f"INSERT INTO notices ({columns}) SELECT {columns} FROM old_notices")  # noqa: S608  names written above
    op.drop_table("old_notices")
    op.create_index("ix_notices_waiting", "notices", ["id"], sqlite_where=_WAITING, postgresql_where=_WAITING)


def _forbid_changes(table: str) -> None:
    """Rows of this table are only ever added."""
    if op.get_bind().dialect.name == "postgresql":
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
