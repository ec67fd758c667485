"""The whole fleet, from the cameras' sockets to events in the database: what it costs, and what it misses.

``python -m benchmarks.pipeline --cameras 727 --fps 15 --busy 0.10 --seconds 60 --json`` prints one JSON object as its last line;
README.md tells what each figure means. ``--busy 0,0.05,0.10`` measures several shares of moving scenes, each also with a tenth of
the rules, and prints ``curve``.
"""

import argparse
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np

from base import SystemClock, WorkerStats
from benchmarks._ablations import ablations
from benchmarks._cameras import Cameras
from benchmarks._fleet import Fleet, Seen, Used
from benchmarks._machine import machine
from benchmarks._reference import Comparison, Found, as_found, compare, happenings
from benchmarks._scenes import Mix, clips_of, mix
from camera_config import Rule, Site
from ingest.simulate import SimCamera
from tests.fleet.small_site import small_site

_OPEN_S = 60.0
_AFTER_S = 4.0  # for events raised in the window to be stored
_PAST_S = 60.0  # before the window, that the reference begun anew has seen
_MOST_REFERENCES = 160  # moving cameras that are compared; more are drawn by chance
_MB = 2**20


def site_of(urls: dict[str, str], armed: float, dead_time_s: float = 0.0, seed: int = 1) -> Site:
    """A site whose cameras look for persons and vehicles everywhere, a share `armed` of them. A tenth of the rules are of
    severity 1, three tenths of 2, the rest of 3."""
    site = small_site(Path(), urls, labels=("person", "vehicle"), dwell_s=1.0, dead_time_s=dead_time_s, min_score=0.6)
    rng = random.Random(seed)
    kept = rng.sample(range(len(site.rules)), round(armed * len(site.rules)))
    rules = [replace(site.rules[at], severity=rng.choices((1, 2, 3), (1, 3, 6))[0]) for at in sorted(kept)]
    return replace(site, rules=tuple(rules))


def measure(arguments: argparse.Namespace, busy: float, armed: float) -> dict[str, object]:
    """One run at one share of moving scenes and one of rules."""
    shown = mix(arguments.cameras, arguments.fps, busy)
    with tempfile.TemporaryDirectory() as folder, Cameras(shown.plan, clips_of) as cameras:
        urls = {camera.id: url for camera, url in zip(shown.plan.cameras, cameras.urls, strict=True)}
        site = site_of(urls, armed, arguments.dead_time)
        started_s = cameras.sent().started_s
        with Fleet(site, Path(folder), arguments.workers, arguments.budget) as fleet:
            opened_s = _wait_for_all(fleet, len(urls))
            time.sleep(arguments.settle)
            before, seen, from_s = fleet.used(), fleet.seen(), SystemClock().now_s()
            time.sleep(arguments.seconds)
            after, seen_later, to_s = fleet.used(), fleet.seen(), SystemClock().now_s()
            time.sleep(_AFTER_S)
            last = _at_rest(fleet)
        stored = list(fleet.stored)
    rules = {rule.camera: rule for rule in site.rules}
    chosen = _compared(shown, rules)
    expected = happenings(chosen, rules, started_s, seen.online_s, to_s)
    compared = {camera.id for camera in chosen}
    events = [Found(one.camera, one.raised_s, one.at_s, one.path) for one in stored if one.camera in compared]
    found = compare(expected, events, from_s, to_s)
    later = happenings(chosen, rules, started_s, dict.fromkeys(compared, from_s - _PAST_S), to_s + _AFTER_S)
    again = compare(expected, as_found(later), from_s, to_s)
    if arguments.misses:
        _tell_misses(found, shown)
    busy_cameras = {camera.id for camera, moves in zip(shown.plan.cameras, shown.busy, strict=True) if moves}
    quiet_events = [one for one in stored if one.camera not in busy_cameras and from_s <= one.raised_s < to_s]
    hours = (to_s - from_s) / 3600
    return {
        "busy": busy,
        "armed": armed,
        **_cost(before, after),
        **_work(seen.stats, seen_later.stats, after.at_s - before.at_s),
        **_quality(found),
        "again_2s": again.recall_lasting,
        "again_all": again.recall_all,
        "again_told_2s": again.told_share_lasting,
        "compared_cameras": len(chosen),
        "false_per_camera_hour": round((found.unmatched + len(quiet_events)) / (len(chosen) + _quiet(shown)) / hours, 3),
        "false_on_quiet_per_camera_hour": round(len(quiet_events) / max(1, _quiet(shown)) / hours, 3),
        "seen_by": dict(Counter(one.seen_by for one in stored if from_s <= one.raised_s < to_s)),
        "lost_events": last.stats.events - len(stored),
        "open_all_s": round(opened_s, 1),
        "restarts": last.restarts,
    }


def _wait_for_all(fleet: Fleet, cameras: int) -> float:
    began_s = time.monotonic()
    while (online := len(fleet.seen().online_s)) < cameras:
        if time.monotonic() - began_s > _OPEN_S:
            raise TimeoutError(f"{online} of {cameras} cameras play after {_OPEN_S:g} s")
        time.sleep(0.5)
    return time.monotonic() - began_s


def _at_rest(fleet: Fleet) -> Seen:
    """What it says once its outboxes are empty; after half a minute whatever it says."""
    for _ in range(30):
        seen = fleet.seen()
        if seen.stats.outbox_depth == 0 and seen.stats.events <= len(fleet.stored):
            break
        time.sleep(1.0)
    return seen


def _compared(shown: Mix, rules: dict[str, Rule]) -> list[SimCamera]:
    moving = [camera for camera, moves in zip(shown.plan.cameras, shown.busy, strict=True) if moves and camera.id in rules]
    return moving if len(moving) <= _MOST_REFERENCES else random.Random(1).sample(moving, _MOST_REFERENCES)


def _quiet(shown: Mix) -> int:
    return sum(not moves for moves in shown.busy)


def _cost(before: Used, after: Used) -> dict[str, object]:
    lasted_s = after.at_s - before.at_s
    workers = (after.workers_cpu_s - before.workers_cpu_s) / lasted_s
    control = (after.control_cpu_s - before.control_cpu_s) / lasted_s
    return {
        "cores": round(workers + control, 3),
        "worker_cores": round(workers, 3),
        "control_cores": round(control, 3),
        "rss_mb": round(after.workers_rss_bytes / _MB, 1),
        "pss_mb": round(after.workers_pss_bytes / _MB, 1),
        "control_rss_mb": round(after.control_rss_bytes / _MB, 1),
        "workers": after.workers,
    }


def _work(before: WorkerStats, after: WorkerStats, lasted_s: float) -> dict[str, object]:
    def grown(name: str) -> float:
        return float(getattr(after, name) - getattr(before, name))

    packets, key_frames, frames = grown("packets"), grown("key_frames_decoded"), grown("frames_decoded")
    watched = {name: grown(f"{name}_s") for name in ("watched_full", "watched_quiet", "watched_budget", "not_watched")}
    total = max(1.0, sum(watched.values()))
    return {
        "frames_per_s": round(packets / lasted_s, 1),
        "decoded_fraction": round((key_frames + frames) / max(1.0, packets), 4),
        "key_frames_per_s": round(key_frames / lasted_s, 1),
        "key_frames_still_per_s": round(grown("key_frames_still") / lasted_s, 1),
        "awake_frames_per_s": round(frames / lasted_s, 1),
        "frames_dropped": int(grown("frames_dropped")),
        "crops_per_s": round(grown("crops") / lasted_s, 1),
        "inferences_per_s": round(grown("inferences") / lasted_s, 1),
        "events_per_s": round(grown("events") / lasted_s, 2),
        "packet_wakes": int(grown("packet_wakes")),
        "packet_wakes_vain": int(grown("packet_wakes_vain")),
        "wakes_refused": int(grown("wakes_refused")),
        "wakes_cut": int(grown("wakes_cut")),
        "packets_silent": after.cameras_packets_silent,
        "budget_cores": round(after.budget_cores, 3),
        "awake_cores": round(after.awake_cores, 3),
        "watched": {name: round(seconds / total, 4) for name, seconds in watched.items()},
    }


def _quality(found: Comparison) -> dict[str, object]:
    return {
        "recall_2s": found.recall_lasting,
        "recall_all": found.recall_all,
        "recall_severity_1": found.recall_severe,
        "reference_events": found.happenings,
        "reference_events_2s": found.lasting,
        "reference_events_severity_1": found.severe,
        "told_2s": found.told_share_lasting,
        "told_all": found.told_share,
        **_percentiles("latency", found.latency_s),
        **_percentiles("told_latency", found.told_latency_s),
        **_percentiles("since_began", found.since_began_s),
    }


def _percentiles(name: str, values: tuple[float, ...]) -> dict[str, object]:
    if not values:
        return {f"{name}_p{share}_s": None for share in (50, 95, 99)}
    return {f"{name}_p{share}_s": round(float(np.percentile(values, share)), 3) for share in (50, 95, 99)}


def _tell_misses(found: Comparison, shown: Mix) -> None:
    scene_of = {camera.id: scene for camera, scene in zip(shown.plan.cameras, shown.scene, strict=True)}
    for one in found.missed + tuple(one for one in found.untold if one not in found.missed):
        told = "untold" if one in found.untold else "told by another's event"
        paired = "missed" if one in found.missed else "paired with an event elsewhere"
        box = [round(edge, 2) for edge in one.box]
        print(f"{paired}, {told}: {one.camera} {scene_of[one.camera].clip} lasted {one.ended_s - one.began_s:.1f} s, box {box}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cameras", type=int, default=727)
    parser.add_argument("--fps", type=int, default=15)
    parser.add_argument("--busy", default="0.10", help="share of cameras whose scene moves; several with commas give a curve")
    parser.add_argument("--armed", type=float, default=1.0, help="share of cameras with an armed rule")
    parser.add_argument("--dead-time", type=float, default=0.0, help="of the rules, seconds; 0: each thing is an event")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--settle", type=float, default=140.0, help="seconds before that: sizes of packets are known after 134")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--budget", type=float, default=0.75, help="cores of each worker for decoding and analysing")
    parser.add_argument(
        "--ablations", action=argparse.BooleanOptionalAction, default=True, help="measure what each tier is worth"
    )
    parser.add_argument("--misses", action="store_true", help="tell each event of the reference that was not found")
    parser.add_argument("--json", action="store_true", help="one line of JSON only")
    arguments = parser.parse_args()
    facts = {"cameras": arguments.cameras, "fps": arguments.fps, "seconds": arguments.seconds, "machine": machine()}
    try:
        mix(1, arguments.fps, 1.0)
    except FileNotFoundError as error:
        print(json.dumps({"skipped": str(error), **facts}))
        return
    shares = [float(share) for share in arguments.busy.split(",")]
    if len(shares) == 1:
        result = measure(arguments, shares[0], arguments.armed)
        if arguments.ablations:
            result["ablations"] = ablations(arguments.cameras, arguments.fps, shares[0], site_of({"c": ""}, 1.0).rules[0])
        print(json.dumps({**result, **facts}))
        return
    curve = []
    for share, armed in product(shares, (1.0, 0.1)):
        curve.append(measure(arguments, share, armed))
        print(json.dumps(curve[-1]), file=sys.stderr, flush=True)  # a point takes minutes: none is lost with the rest
    print(json.dumps({"curve": curve, **facts}))


if __name__ == "__main__":
    main()
