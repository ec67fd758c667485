"""What each tier is worth: the same cameras by a worker in simulated time that lacks it."""

from dataclasses import replace

import numpy as np

from benchmarks._reference import Comparison, Happening, compare, happenings
from benchmarks._scenes import Mix, load, mix
from benchmarks._twin import Counted, Twin, Variation
from camera_config import Rule
from detect import DEFAULT_WATCH

__all__ = ["ablations"]

_VARIATIONS = {
    "all_tiers": Variation(),
    "no_packet_gate": Variation(packets=False),
    "no_key_frame_tier": Variation(key_frames=False),
    "every_key_frame": Variation(still=False),
    "no_mosaic": Variation(batches=False),
    "full_decode": Variation(tiers=False),
}
_CAMERAS, _SETTLE_S, _WINDOW_S = 96, 140.0, 60.0
_FULL_CAMERAS, _FULL_SETTLE_S, _FULL_WINDOW_S = 24, 10.0, 20.0  # of full decode only the cost is asked for
_STARTED_S = 1_700_000_040.0
_BUDGET = 4.0  # cores: what is left out is to show in the cost, not in what there was no room for


def ablations(cameras: int, fps: int, busy: float, rule: Rule) -> dict[str, object]:
    """Cost and recall of each variation, on fewer cameras; `cores` are scaled to `cameras`.

    All of them look for what `rule` does. Reading the sockets and storing events are not in it.
    """
    shown = mix(min(cameras, _CAMERAS), fps, busy)
    rules = {camera.id: replace(rule, camera=camera.id, name=camera.id) for camera in shown.plan.cameras}
    expected = _expected(shown, rules)
    found = {}
    for name, variation in _VARIATIONS.items():
        if variation.tiers:
            found[name] = _measure(shown, rules, variation, expected, cameras)
        else:
            few = mix(min(cameras, _FULL_CAMERAS), fps, busy)
            twin = _twin(few, rules, variation)
            before = twin.run_until(_STARTED_S + _FULL_SETTLE_S)
            after = twin.run_until(_STARTED_S + _FULL_SETTLE_S + _FULL_WINDOW_S)
            found[name] = _summary(before, after, _FULL_WINDOW_S, len(few.scene), cameras)
    return {**found, "cameras": len(shown.scene), "full_decode_cameras": min(cameras, _FULL_CAMERAS), "cores_scaled_to": cameras}


def _expected(shown: Mix, rules: dict[str, Rule]) -> list[Happening]:
    from_s = _STARTED_S + _SETTLE_S
    moving = [camera for camera, moves in zip(shown.plan.cameras, shown.busy, strict=True) if moves]
    return happenings(moving, rules, _STARTED_S, dict.fromkeys(rules, _STARTED_S), from_s + _WINDOW_S)


def _measure(
    shown: Mix, rules: dict[str, Rule], variation: Variation, expected: list[Happening], cameras: int
) -> dict[str, object]:
    from_s = _STARTED_S + _SETTLE_S
    twin = _twin(shown, rules, variation)
    before = twin.run_until(from_s)
    after = twin.run_until(from_s + _WINDOW_S)
    twin.run_until(from_s + _WINDOW_S + 4)
    quality: Comparison = compare(expected, twin.found, from_s, from_s + _WINDOW_S)
    return {
        **_summary(before, after, _WINDOW_S, len(shown.scene), cameras),
        "recall_2s": quality.recall_lasting,
        "recall_all": quality.recall_all,
        "told_2s": quality.told_share_lasting,
        "told_all": quality.told_share,
        "told_latency_p95_s": round(float(np.percentile(quality.told_latency_s, 95)), 3) if quality.told_latency_s else None,
        "unmatched": quality.unmatched,
    }


def _twin(shown: Mix, rules: dict[str, Rule], variation: Variation) -> Twin:
    own = [rules[camera.id] for camera in shown.plan.cameras]
    clips = {path: load(path) for path in {camera.file for camera in shown.plan.cameras if camera.file is not None}}
    return Twin(shown.plan.cameras, clips, own, _STARTED_S, replace(DEFAULT_WATCH, budget_cores=_BUDGET), variation)


def _summary(before: Counted, after: Counted, lasted_s: float, cameras: int, scaled_to: int) -> dict[str, object]:
    """Figures of a stretch of simulated time."""
    stats, earlier = after.stats, before.stats
    decoded = stats.key_frames_decoded + stats.frames_decoded - earlier.key_frames_decoded - earlier.frames_decoded
    scale = scaled_to / cameras / lasted_s
    return {
        "cores": round((after.cpu_s - before.cpu_s) * scale, 3),
        "decode_cores": round((after.decode_s - before.decode_s) * scale, 3),
        "analysis_cores": round((after.analyse_s - before.analyse_s) * scale, 3),
        "key_frames_per_s": round((stats.key_frames_decoded - earlier.key_frames_decoded) * scale, 1),
        "decoded_fraction": round(decoded / max(1, stats.packets - earlier.packets), 4),
        "crops_per_s": round((stats.crops - earlier.crops) * scale, 1),
        "inferences_per_s": round((stats.inferences - earlier.inferences) * scale, 1),
    }
