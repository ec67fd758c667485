"""Incidents that people report, merged, shelved and paused ones; clocks that remember what they told; notices to deliver."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_UUID = sa.String(36)
_WORD = sa.String(32)
_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_OPEN = sa.text("work != 'closed'")
_SEVERAL = sa.text("work != 'closed' AND camera_count > 1")
_WAITING = sa.text("done_s IS NULL")

# The kinds of events that are not about public order, when these tables were made.
_CATEGORIES = {
    "traffic": ("wrong_way", "lane_blocked"),
    "fire": ("fire_smoke",),
    "camera_health": ("video_loss", "frozen", "covered", "defocused", "scene_changed", "too_dark", "too_bright"),
}
# What the program that goes with the older tables cannot read.
_NEW_STEPS: tuple[str, ...] = ("verify", "reopen", "merge", "split", "shelve", "unshelve", "pause", "resume", "absorbed")
_NEW_STEPS += ("split_off", "unshelved", "warned", "breached", "escalated")

_incidents = sa.table("incidents", *map(sa.column, ("kind", "category", "condition", "work", "due_step")))
_history = sa.table("history", *map(sa.column, ("step", "work", "text", "clock")))


def upgrade() -> None:
    for column in _incident_columns():
        op.add_column("incidents", column)
    for column in _history_columns():
        op.add_column("history", column)
    for category, kinds in _CATEGORIES.items():
        op.execute(sa.update(_incidents).where(_incidents.c.kind.in_(kinds)).values(category=category))
    op.execute(_cameras())
    op.create_index("ix_incidents_several", "incidents", ["kind"], sqlite_where=_SEVERAL, postgresql_where=_SEVERAL)
    op.create_index("ix_incidents_grid_cell_number", "incidents", ["grid_cell", "number"])
    op.create_index("ix_incidents_opened_s", "incidents", ["opened_s"])
    op.create_index("ix_incidents_look", "incidents", ["look_s"], sqlite_where=_OPEN, postgresql_where=_OPEN)
    op.create_table(
        "notices",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("at_s", sa.Double, nullable=False),
        sa.Column("kind", _WORD, nullable=False),
        sa.Column("incident", _UUID, nullable=False),
        sa.Column("level", _WORD),
        sa.Column("payload", sa.JSON, nullable=False),
        sa.Column("done_s", sa.Double),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_notices"),
        sa.ForeignKeyConstraint(["incident"], ["incidents.id"], name="fk_notices_incident"),
    )
    op.create_index("ix_notices_waiting", "notices", ["id"], sqlite_where=_WAITING, postgresql_where=_WAITING)


def downgrade() -> None:
    """The older program reads new steps as notes that say what they were, and verified work as reported."""
    op.drop_table("notices")
    for index in ("look", "opened_s", "grid_cell_number", "several"):
        op.drop_index(f"ix_incidents_{index}", "incidents")
    said = _history.c.step + sa.literal(" ") + sa.func.coalesce(_history.c.clock, "") + sa.literal(" ") + _history.c.text
    _let_history_change(True)
    op.execute(sa.update(_history).where(_history.c.step.in_(_NEW_STEPS)).values(text=said))
    op.execute(sa.update(_history).where(_history.c.step.in_(_NEW_STEPS)).values(step="note"))
    op.execute(sa.update(_history).where(_history.c.work == "verified").values(work="reported"))
    _let_history_change(False)
    op.execute(sa.update(_incidents).where(_incidents.c.work == "verified").values(work="reported"))
    op.execute(sa.update(_incidents).where(_incidents.c.due_step == "verify").values(due_step="close"))
    op.execute(sa.update(_incidents).where(_incidents.c.kind == "").values(kind="motion"))
    is_shelved = _incidents.c.condition == "shelved"
    op.execute(sa.update(_incidents).where(is_shelved, _incidents.c.work == "new").values(condition="unacknowledged"))
    op.execute(sa.update(_incidents).where(is_shelved).values(condition="acknowledged"))
    for column in reversed(_history_columns()):
        op.drop_column("history", column.name)
    for column in reversed(_incident_columns()):
        op.drop_column("incidents", column.name)


def _incident_columns() -> list[sa.Column[Any]]:  # Any: of each its own type
    return [
        sa.Column("category", _WORD, nullable=False, server_default="public_order"),
        sa.Column("origin", _WORD, nullable=False, server_default="event"),
        sa.Column("summary", sa.Text, nullable=False, server_default=""),
        sa.Column("caller", sa.Text, nullable=False, server_default=""),
        sa.Column("cameras", sa.JSON, nullable=False, server_default="[]"),
        sa.Column("camera_count", sa.Integer, nullable=False, server_default="1"),
        sa.Column("duplicate_of", _UUID, nullable=False, server_default=""),
        sa.Column("shelved_until_s", sa.Double),
        sa.Column("pauses", sa.JSON, nullable=False, server_default="[]"),
        sa.Column("paused_since_s", sa.Double),
        sa.Column("told", sa.SmallInteger, nullable=False, server_default="0"),
        sa.Column("look_s", sa.Double),
    ]


def _history_columns() -> list[sa.Column[Any]]:  # as above
    return [
        sa.Column("clock", _WORD),
        sa.Column("level", _WORD),
        sa.Column("place", sa.Text, nullable=False, server_default=""),
        sa.Column("other", _UUID, nullable=False, server_default=""),
        sa.Column("until_s", sa.Double),
    ]


def _cameras() -> str:
    if op.get_bind().dialect.name == "postgresql":
        return "UPDATE incidents SET cameras = json_build_array(camera)"
    return "UPDATE incidents SET cameras = json_array(camera)"


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
