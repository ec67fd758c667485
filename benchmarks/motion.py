"""What background and motion cost a camera and frame, and what they find, beside MOG2 and a running average.

``python -m benchmarks.motion --json`` prints one JSON object as its last line. The cost is that of drawn films: a textured scene
a camera, sensor noise, slow light, in a share of the cameras two things that walk; reduced luma 160x90, one thread. Recall and
precision are those of the labelled clips, every frame of them and one every 2 s, by the same event logic for all three.
"""

import argparse
import json
import time
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from base import EventKind
from benchmarks._baselines import BASELINES, Boxes, Detector, MixtureOfGaussians, RunningAverage, alarms
from benchmarks._films import Film
from benchmarks._labels import CLIPS, film_of
from benchmarks._live import START_S
from benchmarks._machine import machine
from benchmarks._score import Score, score
from detect import Backgrounds, DetectSettings, find_regions
from ingest.decode import AwakeDecoder, reduce_luma

HEIGHT, WIDTH = 90, 160
FULL_S, KEY_S = 1 / 15, 2.0  # between frames
NOISE = 1.5  # standard deviation after 4x4 averaging: a small sensor by day has 4–8 before
Frames = NDArray[np.uint8]


def draw(cameras: int, frames: int, busy: float, seed: int = 1) -> Frames:
    """Frames u8 (T, N, 90, 160) of `cameras`, of which a share `busy` sees two things walk."""
    random = np.random.default_rng(seed)
    rough = random.integers(40, 200, (cameras, 10, 16)).astype(np.float32)
    scene = np.stack([cv2.resize(one, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC) for one in rough])
    film = np.empty((frames, cameras, HEIGHT, WIDTH), np.uint8)
    noise = random.normal(0, NOISE, (8, cameras, HEIGHT, WIDTH)).astype(np.float32)
    for t in range(frames):
        picture = scene + noise[t % 8] + 3 * np.sin(t / 40)
        for camera in range(round(busy * cameras)):
            for walker in range(2):
                x = int((t * (1 + walker) * 0.6 + camera * 7) % (WIDTH - 8))
                picture[camera, 30 + 20 * walker : 52 + 20 * walker, x : x + 8] = 20 if (x // 4) % 2 else 230
        film[t] = np.clip(picture, 0, 255)
    return film


def cost_us(make: Callable[[], Detector], film: Frames, step_s: float, warm: int) -> float:
    """Microseconds a camera-frame of one of the baselines, each camera by itself, as they are."""
    detectors = [make() for _ in range(film.shape[1])]
    spent_s = 0.0
    for t, frame in enumerate(film):
        began_s = time.thread_time()
        for detector, luma in zip(detectors, frame, strict=True):
            detector.boxes(t * step_s, luma)
        if t >= warm:
            spent_s += time.thread_time() - began_s
    return float(spent_s / (len(film) - warm) / film.shape[1] * 1e6)


def our_cost_us(film: Frames, step_s: float, warm: int) -> float:
    """Microseconds a camera-frame of background and regions, all cameras in one call, as a worker does."""
    frames, cameras = film.shape[:2]
    background, settings = Backgrounds(cameras), DetectSettings()
    camera, spent_s = np.arange(cameras, dtype=np.int32), 0.0
    for t in range(frames):
        began_s = time.thread_time()
        moving = background.apply(camera, np.full(cameras, t * step_s), film[t])
        find_regions(moving, settings.min_area, settings.max_regions)
        if t >= warm:
            spent_s += time.thread_time() - began_s
    return float(spent_s / (frames - warm) / cameras * 1e6)


class Ours:
    """Background and regions of one camera as a `Detector`."""

    def __init__(self) -> None:
        self._background, self._settings = Backgrounds(1), DetectSettings()

    def boxes(self, time_s: float, luma: Frames) -> Boxes:
        moving = self._background.apply(np.zeros(1, np.int32), np.array([time_s]), luma[None])
        return find_regions(moving, self._settings.min_area, self._settings.max_regions).box


def found_in(film: Film) -> dict[str, dict[float, Score]]:
    """What each detector finds in a clip, by name and seconds between frames."""
    decoder, results = AwakeDecoder(), dict[str, dict[float, Score]]()
    frames = [(time_s - START_S, picture.luma) for packet in film.sent.packets() for time_s, _, picture in decoder.decode(packet)]
    small = [(time_s, reduce_luma(luma)) for time_s, luma in frames]
    rule = next(rule for rule in film.rules if rule.kind in (EventKind.INTRUSION, EventKind.MOTION))
    truths = [truth for truth in film.truths if truth.rule == rule.name]
    for name, make in {"ours": Ours, **BASELINES}.items():
        results[name] = {}
        for step_s in (0.0, KEY_S):
            detector, last_s = make(), -np.inf
            boxes: list[tuple[float, Boxes]] = []
            for time_s, luma in frames if name == "running_average" else small:
                if time_s - last_s >= step_s - 1e-6:
                    last_s = time_s
                    boxes.append((time_s, detector.boxes(time_s, luma)))
            raised = list(alarms(rule, boxes, key_frames=step_s > 0))
            results[name][step_s] = score(raised, truths, film.known_s, film.seconds)
    return results


def findings() -> dict[str, object]:
    """Recall and precision over all labelled clips of which motion can tell."""
    total = {name: {0.0: Score(), KEY_S: Score()} for name in ("ours", *BASELINES)}
    for clip in CLIPS:
        for name, by_step in found_in(film_of(clip)).items():
            for step_s, one in by_step.items():
                total[name][step_s].add(one)
    result: dict[str, object] = {}
    for name, by_step in total.items():
        prefix = "" if name == "ours" else f"{name}_"
        for step_s, one in by_step.items():
            key = "key_frame_" if step_s else ""
            result |= {f"{prefix}{key}recall": one.recall, f"{prefix}{key}precision": one.precision}
    return result | {"truths": total["ours"][0.0].truths}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cameras", type=int, default=64)
    parser.add_argument("--frames", type=int, default=120)
    parser.add_argument("--busy", type=float, default=0.10)
    parser.add_argument("--no-clips", action="store_true", help="only the cost, where the labelled clips are missing")
    parser.add_argument("--json", action="store_true", help="one line of JSON only")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    film, warm = draw(options.cameras, options.frames, options.busy), options.frames // 3
    ours, key = our_cost_us(film, FULL_S, warm), our_cost_us(film, KEY_S, warm)
    mog2, mog2_key = (cost_us(MixtureOfGaussians, film, step_s, warm) for step_s in (FULL_S, KEY_S))
    average = cost_us(RunningAverage, film, FULL_S, warm)
    result: dict[str, object] = {
        "us_per_camera_frame": round(ours, 1),
        "us_per_key_frame": round(key, 1),
        "mog2_us": round(mog2, 1),
        "mog2_key_frame_us": round(mog2_key, 1),
        "running_average_us": round(average, 1),
        "times_cheaper": round(mog2 / ours, 1),
        "times_cheaper_key_frame": round(mog2_key / key, 1),
    }
    if not options.no_clips:
        result |= findings()
    result |= {
        "cameras": options.cameras,
        "busy": options.busy,
        "machine": machine(),
        "opencv": cv2.__version__,
        "numpy": np.__version__,
    }
    if not options.json:
        for name, value in result.items():
            print(f"{name}: {value}")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
