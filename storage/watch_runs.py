"""How cameras were watched, every second of it. Begin with `record_watch_runs`; `begin_watch_runs` accounts for the time between
two runs of Gridpatrol."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from base import Watched, WatchRun
from storage.tables import watch_runs, watched

__all__ = ["begin_watch_runs", "read_watch_runs", "record_watch_runs"]

_MINUTE_S = 60.0
_MOST_NAMED = 500  # cameras in one query: databases bound the number of values


def record_watch_runs(connection: Connection, runs: Iterable[WatchRun]) -> None:
    """Store runs, in the order in which they were told for each camera. A run ends the one that lasts; one that is stored already
    is replaced."""
    runs = list(runs)
    lasting = _lasting(connection, sorted({run.camera for run in runs}))
    ends: dict[tuple[str, float], float] = {}
    rows: dict[tuple[str, float], dict[str, Any]] = {}  # Any: columns of different types
    for run in runs:
        key = run.camera, run.began_s
        before_s = lasting.pop(run.camera, None)
        if before_s is not None and before_s != run.began_s:
            ended_s = max(before_s, run.began_s)  # not before it began, should the clock have been set back
            if (run.camera, before_s) in rows:
                rows[run.camera, before_s]["ended_s"] = ended_s
            else:
                ends[run.camera, before_s] = ended_s
        rows[key] = _values(run)
        if run.ended_s is None:
            lasting[run.camera] = run.began_s
    known = _known(connection, rows)
    _update(connection, [{"its_camera": c, "its_began_s": s, "ended_s": ended_s} for (c, s), ended_s in ends.items()])
    _update(connection, [{"its_camera": c, "its_began_s": s} | _changed(rows[c, s]) for c, s in rows if (c, s) in known])
    if new := [values for key, values in rows.items() if key not in known]:
        connection.execute(insert(watch_runs), new)


def begin_watch_runs(connection: Connection, cameras: Sequence[str], now_s: float) -> None:
    """Gridpatrol begins: nobody watched from the last whole minute of the run before until now, and then cameras are starting."""
    alive_s = connection.scalar(select(watched.c.until_s))
    open_runs = connection.execute(select(watch_runs.c.camera, watch_runs.c.began_s).where(watch_runs.c.ended_s.is_(None))).all()
    runs = []
    for row in open_runs:
        stopped_s = min(alive_s // _MINUTE_S * _MINUTE_S if alive_s is not None else row.began_s, now_s)
        began_s = max(row.began_s, stopped_s)
        runs.append(WatchRun(row.camera, began_s, max(began_s, now_s), Watched.SITE_STOPPED))
    runs += [WatchRun(camera, now_s, None, Watched.STARTING) for camera in cameras]
    record_watch_runs(connection, runs)


def read_watch_runs(connection: Connection, camera: str, since_s: float, until_s: float, limit: int) -> list[WatchRun]:
    """At most `limit` runs of a camera between two moments, oldest first; those of one state are cut to that time."""
    its = watch_runs.c
    within = (
        its.camera == camera,
        its.began_s < until_s,
        its.ended_s.is_(None) | ((its.ended_s > since_s) & (its.ended_s > its.began_s)),
    )
    query = select(watch_runs).where(*within).order_by(its.began_s).limit(limit)
    return [_run(row, since_s, until_s) for row in connection.execute(query)]


def _lasting(connection: Connection, cameras: Sequence[str]) -> dict[str, float]:
    """When the run of each camera that lasts began."""
    found: dict[str, float] = {}
    for at in range(0, len(cameras), _MOST_NAMED):
        is_one = watch_runs.c.camera.in_(cameras[at : at + _MOST_NAMED])
        query = select(watch_runs.c.camera, watch_runs.c.began_s).where(is_one, watch_runs.c.ended_s.is_(None))
        found.update((row.camera, row.began_s) for row in connection.execute(query))
    return found


def _known(connection: Connection, keys: Iterable[tuple[str, float]]) -> set[tuple[str, float]]:
    """Which of these runs are stored already."""
    keys = list(keys)
    cameras, moments = sorted({camera for camera, _ in keys}), sorted({began_s for _, began_s in keys})
    found: set[tuple[str, float]] = set()
    for at in range(0, len(cameras), _MOST_NAMED):
        is_one = watch_runs.c.camera.in_(cameras[at : at + _MOST_NAMED])
        query = select(watch_runs.c.camera, watch_runs.c.began_s).where(
            is_one, watch_runs.c.began_s.between(moments[0], moments[-1])
        )
        found.update((row.camera, row.began_s) for row in connection.execute(query))
    return found


def _update(connection: Connection, changes: list[dict[str, Any]]) -> None:  # Any: columns of different types
    if changes:
        mine = (watch_runs.c.camera == bindparam("its_camera"), watch_runs.c.began_s == bindparam("its_began_s"))
        columns: dict[str, Any] = {name: bindparam(name) for name in changes[0] if not name.startswith("its_")}
        connection.execute(update(watch_runs).where(*mine).values(columns), changes)


def _values(run: WatchRun) -> dict[str, Any]:  # Any: columns of different types
    seconds = {state.value: seconds for state, seconds in run.seconds} or None
    state = None if run.state is None else run.state.value
    return {"camera": run.camera, "began_s": run.began_s, "ended_s": run.ended_s, "state": state, "seconds": seconds}


def _changed(values: dict[str, Any]) -> dict[str, Any]:  # Any: columns of different types
    return {name: values[name] for name in ("ended_s", "state", "seconds")}


def _run(row: Row[Any], since_s: float, until_s: float) -> WatchRun:  # Any: columns of different types
    if row.state is None:
        seconds = tuple((Watched(state), seconds) for state, seconds in row.seconds.items())
        return WatchRun(row.camera, row.began_s, row.ended_s, None, seconds)
    ended_s = until_s if row.ended_s is None else min(row.ended_s, until_s)
    return WatchRun(row.camera, max(row.began_s, since_s), ended_s, Watched(row.state))
