"""What it costs to serve simulated cameras: 727 at 15 frames/s, each with a real client in another process.

Run as `python -m benchmarks.simulate [CAMERAS] [SECONDS]`; the last line is one JSON object. Drawing the clips is not
part of the figures.
"""

import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from base import SystemClock
from ingest.simulate import ClipCache, SimPlan, run_simulation

FPS = 15
FOLDER = Path(tempfile.gettempdir()) / "gridpatrol-bench-clips"


def main() -> None:
    cameras = int(sys.argv[1]) if len(sys.argv) > 1 else 727
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 30.0
    stats = run_simulation(SimPlan.numbered(cameras, FPS), seconds, SystemClock(), clips=ClipCache(FOLDER), on_progress=_tell)
    print(json.dumps(asdict(stats)))


def _tell(done: int, of: int) -> None:
    print(f"drawn {done} of {of} clips", flush=True)


if __name__ == "__main__":
    main()
