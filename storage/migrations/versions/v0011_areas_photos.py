"""Areas of accounts and of handover sheets; photos that go with reports."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_UUID = sa.String(36)
_WORD = sa.String(32)
_HASH = sa.String(64)
_PICTURED = sa.text("picture_bytes IS NOT NULL")

LIMITED = "limited"
"""The role of an account with areas while an older program runs, which knows no areas and no such role: it lets nobody in."""

KEPT = "limited_accounts"
"""Name of the secret that keeps, meanwhile, what these accounts were."""


def upgrade() -> None:
    op.add_column("users", sa.Column("areas", sa.JSON, nullable=False, server_default="[]"))
    op.add_column("handovers", sa.Column("areas", sa.Text, nullable=False, server_default=""))
    _photos()
    connection = op.get_bind()
    kept = connection.execute(sa.text("SELECT hash FROM secrets WHERE name = :name"), {"name": KEPT}).scalar()
    if kept is None:
        return
    stored = json.loads(kept)
    for user, (role, areas) in stored["users"].items():
        again = sa.text("UPDATE users SET role = :role, areas = :areas WHERE id = :id AND role = :limited")
        connection.execute(again, {"role": role, "areas": json.dumps(areas), "id": user, "limited": LIMITED})
    _let_sheets_change(True)
    for sheet, areas in stored["handovers"].items():
        connection.execute(sa.text("UPDATE handovers SET areas = :areas WHERE id = :id"), {"areas": areas, "id": sheet})
    _let_sheets_change(False)
    connection.execute(sa.text("DELETE FROM secrets WHERE name = :name"), {"name": KEPT})


def downgrade() -> None:
    """The older program lets limited accounts do nothing, and reads of a photo in a note; the pictures themselves go."""
    connection = op.get_bind()
    users = {row.id: (row.role, _list(row.areas)) for row in connection.execute(sa.text("SELECT id, role, areas FROM users"))}
    limited = {user: known for user, known in users.items() if known[1]}
    sheets = connection.execute(sa.text("SELECT id, areas FROM handovers WHERE areas <> ''"))
    handovers = {row.id: row.areas for row in sheets}
    if limited or handovers:
        text = json.dumps({"users": limited, "handovers": handovers})
        connection.execute(sa.text("INSERT INTO secrets (name, hash) VALUES (:name, :hash)"), {"name": KEPT, "hash": text})
    for user in limited:
        connection.execute(sa.text("UPDATE users SET role = :role WHERE id = :id"), {"role": LIMITED, "id": user})
    op.drop_column("users", "areas")
    op.drop_column("handovers", "areas")
    _let_history_change(True)
    op.execute("UPDATE history SET step = 'note', text = 'photo, SHA-256 ' || text WHERE step = 'photo'")
    _let_history_change(False)
    op.drop_table("photo_jpegs")
    op.drop_table("photos")


def _photos() -> None:
    op.create_table(
        "photos",
        sa.Column("id", _UUID, nullable=False),
        sa.Column("incident", _UUID, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("command", sa.String(64), nullable=False),
        sa.Column("at_s", sa.Double, nullable=False),
        sa.Column("recorded_s", sa.Double, nullable=False),
        sa.Column("by_kind", _WORD, nullable=False),
        sa.Column("by_id", sa.Text, nullable=False),
        sa.Column("by_name", sa.Text, nullable=False),
        sa.Column("sha256", _HASH, nullable=False),
        sa.Column("width_px", sa.Integer, nullable=False),
        sa.Column("height_px", sa.Integer, nullable=False),
        sa.Column("picture_bytes", sa.Integer),
        sa.PrimaryKeyConstraint("id", name="pk_photos"),
        sa.ForeignKeyConstraint(["incident"], ["incidents.id"], name="fk_photos_incident"),
    )
    op.create_index("ix_photos_incident", "photos", ["incident"])
    op.create_index("ix_photos_command", "photos", ["command"])
    columns = ["at_s", "picture_bytes"]
    op.create_index("ix_photos_pictured", "photos", columns, sqlite_where=_PICTURED, postgresql_where=_PICTURED)
    op.create_table(
        "photo_jpegs",
        sa.Column("photo", _UUID, nullable=False),
        sa.Column("jpeg", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("photo", name="pk_photo_jpegs"),
        sa.ForeignKeyConstraint(["photo"], ["photos.id"], name="fk_photo_jpegs_photo"),
    )


def _list(areas: object) -> list[str]:
    """JSON is text in SQLite."""
    found: list[str] = json.loads(areas) if isinstance(areas, str) else list(areas)  # type: ignore[call-overload]  # a list then
    return found


def _let_history_change(may: bool) -> None:
    """History is only ever added to, but for this."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"ALTER TABLE history {'DISABLE' if may else 'ENABLE'} TRIGGER history_append_only")
    elif may:
        op.execute("DROP TRIGGER history_no_update")
    else:
        op.execute(
            "CREATE TRIGGER history_no_update BEFORE update ON history BEGIN SELECT RAISE(ABORT, 'history is append-only'); END"
        )


def _let_sheets_change(may: bool) -> None:
    """Sheets that are signed never change, but for getting back what they were."""
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        op.execute(f"ALTER TABLE handovers {'DISABLE' if may else 'ENABLE'} TRIGGER handovers_append_only")
    elif may:
        find = sa.text("SELECT sql FROM sqlite_master WHERE name = 'handovers_no_update'")
        connection.info["handovers_no_update"] = connection.execute(find).scalar_one()
        op.execute("DROP TRIGGER handovers_no_update")
    else:
        op.execute(connection.info.pop("handovers_no_update"))
