"""How long the cameras of a killed worker go unanalysed: from `kill -9` to its next event, with something moving all the time.

The last line is one JSON object: `kills`, `back_s_p50`, `back_s_max` (seconds), `start_s_p50` (of those: until the new worker
answers), `machine`. The bar is 5 s.
"""

import argparse
import json
import platform
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from base import SystemClock
from camera_config import write_site
from ingest.simulate import ClipCache, SimCamera, SimPlan, Simulator
from tests.fleet.running import Running, kill, wait_until
from tests.fleet.small_site import small_site

_STARTED = ": watching "
_CLIPS = Path.home() / ".cache" / "gridpatrol" / "clips"


def measure(kills: int, folder: Path) -> dict[str, object]:
    """Kill one of two workers `kills` times, each time after it has raised events again."""
    plan = SimPlan(tuple(SimCamera(f"c{n:04d}", "street", offset_s=7.3 * n) for n in range(8)))
    simulator = Simulator(plan, {name: ClipCache(_CLIPS).get(spec) for name, spec in plan.specs().items()}, SystemClock())
    simulator.start()
    rng, back_s, start_s = random.Random(1), list[float](), list[float]()
    site = folder / "site"
    urls = {camera.id: simulator.url(camera.id) for camera in plan.cameras}
    write_site(small_site(site, urls, labels=("person", "vehicle"), dwell_s=0.0, dead_time_s=0.5, min_score=0.3), site)
    try:
        with Running(site, folder / "data", "--workers", "1") as running:
            for _ in range(kills):
                events = len(running.acknowledged())
                wait_until(_events(running, events + 3), 60, "events")
                time.sleep(rng.uniform(0, 1))
                starts = running.new_log().count(_STARTED)
                kill(running.worker_pids()[0])
                began_s, events = time.monotonic(), len(running.acknowledged())
                wait_until(_started(running, starts + 1), 60, "a new worker")
                start_s.append(time.monotonic() - began_s)
                wait_until(_events(running, events + 1), 60, "an event after the kill")
                back_s.append(time.monotonic() - began_s)
                time.sleep(6)  # lived long enough for the next restart to come at once
    finally:
        simulator.stop()
    return {
        "kills": kills,
        "back_s_p50": round(statistics.median(back_s), 2),
        "back_s_max": round(max(back_s), 2),
        "start_s_p50": round(statistics.median(start_s), 2),
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
    }


def _events(running: Running, count: int) -> Callable[[], bool]:
    return lambda: len(running.acknowledged()) >= count


def _started(running: Running, count: int) -> Callable[[], bool]:
    return lambda: running.new_log().count(_STARTED) >= count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measure(arguments.kills, Path(folder))))


if __name__ == "__main__":
    main()
