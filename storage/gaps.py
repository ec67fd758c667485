"""When cameras were not seen, and why. Begin with `record_gaps`; `begin_watch` accounts for the time between two runs."""

import math
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from base import Gap, GapCause
from storage.tables import gaps, watched

__all__ = ["begin_watch", "keep_watch", "read_gaps", "record_gaps"]


def record_gaps(connection: Connection, changed: Sequence[Gap]) -> None:
    """Store what is known of these gaps, the newest last. Idempotent by camera and `began_s`; one that has ended stays so."""
    for gap in changed:
        if not math.isfinite(gap.began_s) or (gap.ended_s is not None and not math.isfinite(gap.ended_s)):
            continue  # no database holds it, and it would be tried again for ever
        mine = (gaps.c.camera == gap.camera, gaps.c.began_s == gap.began_s)
        values = {"ended_s": gap.ended_s, "cause": gap.cause.value}
        stored = connection.execute(select(gaps.c.ended_s).where(*mine)).first()
        if stored is None:
            connection.execute(insert(gaps).values(camera=gap.camera, began_s=gap.began_s, **values))
        elif stored.ended_s is None:
            connection.execute(update(gaps).where(*mine).values(values))


def begin_watch(connection: Connection, cameras: Sequence[str], now_s: float) -> list[Gap]:
    """A run begins. Gaps that an earlier run left open end when it was last alive; from there on Gridpatrol did not run.

    Returns those new gaps, one for each of `cameras` that was watched before. They are open: they end when a worker begins to
    report about the camera.
    """
    alive_s = connection.scalar(select(watched.c.until_s))
    keep_watch(connection, now_s)
    if alive_s is None:
        return []
    alive_s = min(alive_s, now_s)
    last_ended = select(gaps.c.camera, func.max(gaps.c.ended_s).label("ended_s")).group_by(gaps.c.camera)
    # Who wrote down the end of a gap was alive then, too.
    began_s = {row.camera: max(alive_s, row.ended_s or alive_s) for row in connection.execute(last_ended)}
    for row in connection.execute(select(gaps).where(gaps.c.ended_s.is_(None))):
        if row.began_s < alive_s:
            record_gaps(connection, [Gap(row.camera, row.began_s, alive_s, GapCause(row.cause))])
        else:  # it began after the last sign of life, and goes on as what it has become
            began_s[row.camera] = row.began_s
    stopped = [Gap(camera, began_s[camera], None, GapCause.SITE_STOPPED) for camera in cameras if camera in began_s]
    record_gaps(connection, stopped)
    return stopped


def keep_watch(connection: Connection, now_s: float) -> None:
    """Gridpatrol is alive at `now_s`."""
    if not connection.execute(update(watched).values(until_s=now_s)).rowcount:
        connection.execute(insert(watched).values(until_s=now_s))


def read_gaps(connection: Connection, camera: str, since_s: float, limit: int) -> list[Gap]:
    """At most `limit` gaps of a camera that lasted at `since_s` or began later, newest first."""
    recent = gaps.c.ended_s.is_(None) | (gaps.c.ended_s > since_s)
    query = select(gaps).where(gaps.c.camera == camera, recent).order_by(gaps.c.began_s.desc()).limit(limit)
    return [_gap(row) for row in connection.execute(query)]


def _gap(row: Row[Any]) -> Gap:  # Any: columns of different types
    return Gap(row.camera, row.began_s, row.ended_s, GapCause(row.cause))
