"""`kill -9` of a worker and of everything: the time in which nobody watched is in the database, and only that time."""

import itertools
import sqlite3
import time
from pathlib import Path

import pytest

from base import Gap, GapCause
from camera_config import write_site
from ingest.simulate import Simulator
from tests.fleet.running import Running, kill, wait_until
from tests.fleet.small_site import small_site


def gaps(data: Path) -> list[Gap]:
    """What is in the database of the one camera, oldest first."""
    with sqlite3.connect(f"file:{data / 'gridpatrol.db'}?mode=ro", uri=True) as connection:
        rows = connection.execute("SELECT camera, began_s, ended_s, cause FROM gaps ORDER BY began_s").fetchall()
    return [Gap(camera, began_s, ended_s, GapCause(cause)) for camera, began_s, ended_s, cause in rows]


def wait_for(data: Path, *causes: GapCause) -> list[Gap]:
    """The gaps, once they are of these causes and all over."""

    def is_so() -> bool:
        found = gaps(data)
        return tuple(gap.cause for gap in found) == causes and all(gap.ended_s is not None for gap in found)

    wait_until(is_so, 30, f"gaps {causes}")
    return gaps(data)


@pytest.mark.kill
@pytest.mark.timeout(180)
def test_the_time_nobody_watched_is_a_gap(tmp_path: Path, busy_cameras: Simulator) -> None:
    site, data = tmp_path / "site", tmp_path / "data"
    write_site(small_site(site, {"c0001": busy_cameras.url("c0001")}), site)
    began_s = time.time()
    running = Running(site, data, "--workers", "1").start()
    try:
        wait_for(data, GapCause.STARTING)
        killed_s = time.time()
        kill(running.worker_pids()[0])
        found = wait_for(data, GapCause.STARTING, GapCause.WORKER, GapCause.STARTING)
        assert abs(found[1].began_s - killed_s) < 2
        everything_s = time.time()
        running.kill_everything()
        running.launch()
        found = wait_for(data, GapCause.STARTING, GapCause.WORKER, GapCause.STARTING, GapCause.SITE_STOPPED, GapCause.STARTING)
        assert everything_s - 6 < found[3].began_s <= everything_s + 0.5, "at most 5 s too early, never too late"
        assert found[3].ended_s == found[4].began_s
    finally:
        running.stop()
    stopped_s = time.time()
    assert began_s < found[0].began_s and all((gap.ended_s or 0) <= later.began_s for gap, later in itertools.pairwise(found))
    with running:
        last = wait_for(data, *(gap.cause for gap in found), GapCause.SITE_STOPPED, GapCause.STARTING)[-2]
    assert stopped_s - 8 < last.began_s < stopped_s, "told to stop, it writes down when"
