"""`kill -9` of a worker, of control and of everything, at random moments: no acknowledged event is lost or doubled.

The witness is the workers' own log: a line "event acknowledged" is written after the outbox has the event on stable storage.
Every id in that log must be in the database exactly once, and in exactly one incident.
"""

import os
import random
import sqlite3
import time
from pathlib import Path

import pytest

from camera_config import write_site
from ingest.simulate import Simulator
from tests.fleet.running import Running, kill, wait_until
from tests.fleet.small_site import small_site

KILLS = int(os.environ.get("GRIDPATROL_KILLS", "50"))


@pytest.mark.kill
@pytest.mark.timeout(900)
def test_no_acknowledged_event_is_lost_or_doubled(tmp_path: Path, busy_cameras: Simulator) -> None:
    rng = random.Random(20260105)
    urls = {camera.id: busy_cameras.url(camera.id) for camera in busy_cameras.plan.cameras}
    site = tmp_path / "site"
    # Everything that moves anywhere is an event, every half second: kills must fall between them.
    write_site(small_site(site, urls, labels=("person", "vehicle"), dwell_s=0.0, dead_time_s=0.5, min_score=0.3), site)
    running = Running(site, tmp_path / "data", "--workers", "2")
    killed = {"worker": 0, "control": 0, "everything": 0}
    running.start()
    try:
        for _ in range(KILLS):
            wait_for_a_moment(running, rng)
            victim = rng.choices(("worker", "control", "everything"), (5, 3, 2))[0]
            workers = running.worker_pids()
            if victim == "worker" and workers:
                kill(rng.choice(workers))
            elif victim == "control":
                running.kill_control()
                running.launch()
            else:
                running.kill_everything()
                running.launch()
            killed[victim] += 1
        # A last quiet time, in which everything left in outboxes is delivered.
        wait_until(lambda: "ready at" in running.new_log(), 40, "ready after the last kill")
        database = tmp_path / "data" / "gridpatrol.db"
        wait_until(lambda: not missing(running, database), 60, "every acknowledged event is stored")
        running.stop()
        acknowledged = running.acknowledged()
        assert not missing(running, database)
        assert len(acknowledged) == len(set(acknowledged)), "an event was acknowledged twice"
        assert len(acknowledged) >= KILLS, f"only {len(acknowledged)} events in {KILLS} kills: too quiet to prove anything"
        check_once_each(database)
    finally:
        running.stop()
    print(f"kills {killed}, events acknowledged {len(acknowledged)}, lost 0, doubled 0")


def wait_for_a_moment(running: Running, rng: random.Random) -> None:
    """Two times in three: until some more events have been acknowledged, and a moment longer. Else: while it is starting."""
    if rng.random() < 0.35:
        time.sleep(rng.uniform(0.0, 2.0))
        return
    wanted = len(running.acknowledged()) + rng.randint(1, 3)
    wait_until(lambda: len(running.acknowledged()) >= wanted, 90, f"{wanted} events acknowledged")
    time.sleep(rng.uniform(0.0, 0.3))


def missing(running: Running, database: Path) -> set[str]:
    """Acknowledged ids that are not in the database yet."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        stored = {row[0] for row in connection.execute("SELECT id FROM events")}
    return set(running.acknowledged()) - stored


def check_once_each(database: Path) -> None:
    """Each event in one row, in one line of history, and every incident's count agrees with its events."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        doubled = connection.execute("SELECT id FROM events GROUP BY id HAVING count(*) <> 1").fetchall()
        told = connection.execute("SELECT event FROM history WHERE event <> '' GROUP BY event HAVING count(*) <> 1").fetchall()
        counts = connection.execute(
            "SELECT i.id, i.event_count, count(e.id) FROM incidents i LEFT JOIN events e ON e.incident = i.id GROUP BY i.id"
        ).fetchall()
    assert not doubled
    assert not told
    assert all(expected == real for _, expected, real in counts), [row for row in counts if row[1] != row[2]]
