"""What it costs to read many cameras, beside a PyAV thread per camera on the same cameras in the same run.

``python -m benchmarks.ingest --json`` prints one JSON object as its last line; README.md tells what each figure means.
``--curve 50,200,727`` measures ours alone at each number of cameras.
"""

import argparse
import json
import math
import time
from dataclasses import dataclass

from benchmarks._cameras import Cameras, busy_plan
from benchmarks._machine import machine
from benchmarks._readers import ReaderProcess, Taken, read_ours, read_pyav

_OPEN_S = 90.0
_SETTLE_S = 7.0  # rings fill with three GOPs of 2 s
_DRAIN_S = 1.0  # several sweeps
_BASELINE_WINDOW_S = 6.0
_BASELINE_SEARCH_S = 150.0
_BASELINE_FIRST = 200
_BASELINE_STEP = 1.5
_HOLDS = 0.99  # of the frames due, for the baseline to count as holding its cameras


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one reader over one stretch of time."""

    cameras: int
    cores: float
    us_per_frame: float
    frames: int


def cost(cameras: int, before: Taken, after: Taken, lasted_s: float) -> Cost:
    cpu_s, frames = after.cpu_s - before.cpu_s, after.frames - before.frames
    return Cost(cameras, cpu_s / lasted_s, cpu_s / max(1, frames) * 1e6, frames)


def measure_ours(cameras: Cameras, seconds: float) -> tuple[Cost, dict[str, object]]:
    """Open all, let the rings fill, measure for `seconds`; then stop the cameras and compare what was sent with what came."""
    count = len(cameras.urls)
    with ReaderProcess(read_ours, cameras.urls) as reader:
        opened_s = reader.opened_s(count, _OPEN_S)
        if opened_s is None:
            raise TimeoutError(f"{reader.ask().playing} of {count} cameras play after {_OPEN_S:g} s")
        time.sleep(_SETTLE_S)
        before, began_s = reader.ask(), time.monotonic()
        time.sleep(seconds)
        after = reader.ask()
        found = cost(count, before, after, time.monotonic() - began_s)
        stats_us = reader.ask("stats").packet_stats_us
        sent = cameras.stop()
        time.sleep(_DRAIN_S)
        end = reader.ask()
    return found, {
        "rss_mb": round((after.rss_bytes - after.ring_bytes) / 2**20, 1),
        "ring_mb": round(after.ring_bytes / 2**20, 1),
        "packet_stats_us_per_frame": round(stats_us, 2),
        "frames_offered": sent.frames + sent.dropped,
        "frames_received": end.frames,
        "lost": sent.frames + sent.dropped - end.frames + end.lost,
        "open_all_s": round(opened_s, 1),
    }


def search_baseline(cameras: Cameras) -> tuple[Cost | None, list[Cost]]:
    """The most cameras that PyAV threads were seen to hold without loss, and every try, in bounded time."""
    deadline_s = time.monotonic() + _BASELINE_SEARCH_S
    most, tries, held = len(cameras.urls), list[Cost](), None
    count, low, high = min(_BASELINE_FIRST, most), 0, most + 1
    while low < count < high and time.monotonic() < deadline_s:
        found, holds = _try_baseline(cameras, count, deadline_s)
        tries.append(found)
        if holds:
            held, low = found, count
            count = min(most, math.ceil(count * _BASELINE_STEP), (count + high) // 2 if high <= most else most)
        else:
            high = count
            count = math.floor(count / _BASELINE_STEP) if not low else (low + count) // 2
        if low and high - low < low // 4:
            break
    return held, tries


def _try_baseline(cameras: Cameras, count: int, deadline_s: float) -> tuple[Cost, bool]:
    """What `count` threads cost, and whether they got every frame."""
    with ReaderProcess(read_pyav, cameras.urls[:count]) as reader:
        opened = reader.opened_s(count, max(10.0, min(_OPEN_S / 2, deadline_s - time.monotonic()))) is not None
        time.sleep(2.0)
        before, sent, began_s = reader.ask(), cameras.sent(), time.monotonic()
        time.sleep(_BASELINE_WINDOW_S)
        after, sent_later = reader.ask(), cameras.sent()
        found = cost(count, before, after, time.monotonic() - began_s)
    due = sent_later.frames - sent.frames
    return found, opened and sent_later.dropped == sent.dropped and found.frames >= _HOLDS * due


def compare(count: int, fps: int, seconds: float) -> dict[str, object]:
    with Cameras(busy_plan(count, fps)) as cameras:
        ours, facts = measure_ours(cameras, seconds)
    with Cameras(busy_plan(count, fps)) as cameras:
        held, tries = search_baseline(cameras)
    baseline: dict[str, object] = {"baseline_cameras": 0, "baseline_us_per_frame": None, "ratio": None}
    if held is not None:
        baseline = {
            "baseline_cameras": held.cameras,
            "baseline_us_per_frame": round(held.us_per_frame, 1),
            "ratio": round(held.us_per_frame / ours.us_per_frame, 1),
        }
    return {
        "cameras": count,
        "fps": fps,
        "cores": round(ours.cores, 4),
        "us_per_frame": round(ours.us_per_frame, 2),
        **baseline,
        "baseline_tries": [shown(one) for one in tries],
        **facts,
    }


def curve(counts: list[int], fps: int, seconds: float) -> list[dict[str, float]]:
    found = []
    for count in counts:
        with Cameras(busy_plan(count, fps)) as cameras:
            found.append(shown(measure_ours(cameras, seconds)[0]))
    return found


def shown(one: Cost) -> dict[str, float]:
    return {"cameras": one.cameras, "cores": round(one.cores, 4), "us_per_frame": round(one.us_per_frame, 2)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cameras", type=int, default=727)
    parser.add_argument("--fps", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--curve", help="numbers of cameras, with commas")
    parser.add_argument("--json", action="store_true", help="one line of JSON only")
    options = parser.parse_args()
    result: dict[str, object]
    if options.curve:
        result = {"curve": curve([int(count) for count in options.curve.split(",")], options.fps, options.seconds)}
    else:
        result = compare(options.cameras, options.fps, options.seconds)
        if not options.json:
            print(f"{result['us_per_frame']} µs a frame, {result['baseline_us_per_frame']} by a PyAV thread each")
    print(json.dumps({**result, "machine": machine()}))


if __name__ == "__main__":
    main()
