"""Referrals to desks with their history, handover sheets; indices by time for the ledger."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_UUID = sa.String(36)
_WORD = sa.String(32)
_HASH = sa.String(64)
_LOOK = sa.text("look_s IS NOT NULL")
_OPEN = sa.text("ended_s IS NULL")
_COMMAND = sa.text("command != ''")
_OFFERED = sa.text("confirmed_s IS NULL AND withdrawn_s IS NULL")
_BY_TIME = (("events", "raised_s"), ("gaps", "began_s"))


def upgrade() -> None:
    _referrals()
    _handovers()
    for table, column in _BY_TIME:
        op.create_index(f"ix_{table}_{column}", table, [column])
    if op.get_bind().dialect.name == "postgresql":
        _guard_postgresql()
    else:
        _guard_sqlite()


def downgrade() -> None:
    """The older program can say nothing of a referral, so its notices go, too."""
    op.execute("DELETE FROM notices WHERE kind LIKE 'referral%'")
    for table, column in _BY_TIME:
        op.drop_index(f"ix_{table}_{column}", table)
    for table in ("handovers", "referral_entries", "referrals"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION gridpatrol_handover_stays()")


def _referrals() -> None:
    op.create_table(
        "referrals",
        sa.Column("id", _UUID, nullable=False),
        sa.Column("incident", _UUID, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("desk", sa.Text, nullable=False),
        sa.Column("state", _WORD, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        *_actor("by"),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("sent_s", sa.Double, nullable=False),
        sa.Column("since_s", sa.Double, nullable=False),
        sa.Column("accepted_s", sa.Double),
        sa.Column("ended_s", sa.Double),
        sa.Column("stopped_s", sa.Double),
        sa.Column("told", sa.SmallInteger, nullable=False),
        sa.Column("due_s", sa.Double),
        sa.Column("look_s", sa.Double),
        sa.PrimaryKeyConstraint("id", name="pk_referrals"),
        sa.ForeignKeyConstraint(["incident"], ["incidents.id"], name="fk_referrals_incident"),
    )
    op.create_index("ix_referrals_incident", "referrals", ["incident"])
    op.create_index("ix_referrals_sent_s", "referrals", ["sent_s"])
    op.create_index("ix_referrals_look", "referrals", ["look_s"], sqlite_where=_LOOK, postgresql_where=_LOOK)
    op.create_index(
        "uq_referrals_open", "referrals", ["incident", "desk"], unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN
    )
    op.create_table(
        "referral_entries",
        sa.Column("referral", _UUID, nullable=False),
        sa.Column("version", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("step", _WORD, nullable=False),
        sa.Column("state", _WORD, nullable=False),
        sa.Column("at_s", sa.Double, nullable=False),
        sa.Column("recorded_s", sa.Double, nullable=False),
        *_actor("by"),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("command", _HASH, nullable=False),
        sa.Column("flags", sa.JSON, nullable=False),
        sa.Column("clock", _WORD),
        sa.Column("level", _WORD),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("fingerprint", _HASH, nullable=False),
        sa.PrimaryKeyConstraint("referral", "version", name="pk_referral_entries"),
        sa.ForeignKeyConstraint(["referral"], ["referrals.id"], name="fk_referral_entries_referral"),
    )
    op.create_index(
        "uq_referral_entries_command",
        "referral_entries",
        ["command"],
        unique=True,
        sqlite_where=_COMMAND,
        postgresql_where=_COMMAND,
    )


def _handovers() -> None:
    op.create_table(
        "handovers",
        sa.Column("id", _UUID, nullable=False),
        sa.Column("made_s", sa.Double, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("sha256", _HASH, nullable=False),
        *_actor("outgoing"),
        *_actor("incoming", nullable=True),
        sa.Column("confirmed_s", sa.Double),
        sa.Column("remark", sa.Text, nullable=False),
        sa.Column("withdrawn_s", sa.Double),
        sa.PrimaryKeyConstraint("id", name="pk_handovers"),
    )
    op.create_index("ix_handovers_made_s", "handovers", ["made_s"])
    op.create_index("ix_handovers_offered", "handovers", ["id"], sqlite_where=_OFFERED, postgresql_where=_OFFERED)


def _actor(stem: str, nullable: bool = False) -> list[sa.Column[str]]:
    kinds = (("kind", _WORD), ("id", sa.Text), ("name", sa.Text))
    return [sa.Column(f"{stem}_{part}", kind, nullable=nullable) for part, kind in kinds]


def _guard_sqlite() -> None:
    for table in ("referral_entries", "handovers"):
        for change in ("update", "delete"):
            when = ""
            if (table, change) == ("handovers", "update"):
                when = f"WHEN {_changes_what_was_signed()} "
            op.execute(
                f"CREATE TRIGGER {table}_no_{change} BEFORE {change} ON {table} {when}"
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )


def _guard_postgresql() -> None:
    op.execute(
        "CREATE TRIGGER referral_entries_append_only BEFORE UPDATE OR DELETE ON referral_entries "
        "FOR EACH ROW EXECUTE FUNCTION gridpatrol_append_only()"
    )
    op.execute(
        "CREATE FUNCTION gridpatrol_handover_stays() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF TG_OP = 'DELETE' THEN RAISE EXCEPTION 'handovers is append-only'; END IF; "
        f"IF {_changes_what_was_signed()} THEN RAISE EXCEPTION 'handovers is append-only'; END IF; RETURN NEW; END $$"
    )
    op.execute(
        "CREATE TRIGGER handovers_append_only BEFORE UPDATE OR DELETE ON handovers "
        "FOR EACH ROW EXECUTE FUNCTION gridpatrol_handover_stays()"
    )


def _changes_what_was_signed() -> str:
    """A sheet never changes; beside it, only the one confirmation or withdrawal that is still missing is added."""
    stays = ("id", "made_s", "content", "sha256", "outgoing_kind", "outgoing_id", "outgoing_name")
    changed = " OR ".join(f"NEW.{column} <> OLD.{column}" for column in stays)
    return f"(OLD.confirmed_s IS NOT NULL OR OLD.withdrawn_s IS NOT NULL OR {changed})"
