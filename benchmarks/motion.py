"""What background and motion cost a camera and frame, beside OpenCV's MOG2 on the same frames in the same run.

``python -m benchmarks.motion --json`` prints one JSON object as its last line. Frames are drawn: a textured scene a camera,
sensor noise, slow light, and in a share of the cameras two things that walk. Reduced luma 160x90, one thread.
"""

import argparse
import json
import platform
import time

import cv2
import numpy as np
from numpy.typing import NDArray

from detect import Backgrounds, DetectSettings, find_regions

HEIGHT, WIDTH = 90, 160
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


def measure_ours(film: Frames, step_s: float, warm: int) -> tuple[float, int]:
    """Microseconds a camera-frame of background and regions, and how many regions were found."""
    frames, cameras = film.shape[:2]
    background, settings = Backgrounds(cameras), DetectSettings()
    camera, found, spent_s = np.arange(cameras, dtype=np.int32), 0, 0.0
    for t in range(frames):
        began_s = time.perf_counter()
        moving = background.apply(camera, np.full(cameras, t * step_s), film[t])
        regions = find_regions(moving, settings.min_area, settings.max_regions)
        if t >= warm:
            spent_s += time.perf_counter() - began_s
            found += len(regions)
    return float(spent_s / (frames - warm) / cameras * 1e6), found


def measure_mog2(film: Frames, warm: int) -> float:
    """Microseconds a camera-frame of MOG2 alone, with OpenCV's defaults, no regions."""
    frames, cameras = len(film), film.shape[1]
    models = [cv2.createBackgroundSubtractorMOG2() for _ in range(cameras)]
    spent_s = 0.0
    for t in range(frames):
        began_s = time.perf_counter()
        for camera, model in enumerate(models):
            model.apply(film[t, camera])
        if t >= warm:
            spent_s += time.perf_counter() - began_s
    return float(spent_s / (frames - warm) / cameras * 1e6)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cameras", type=int, default=64)
    parser.add_argument("--frames", type=int, default=120)
    parser.add_argument("--busy", type=float, default=0.10)
    parser.add_argument("--json", action="store_true", help="one line of JSON only")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    film = draw(options.cameras, options.frames, options.busy)
    warm = options.frames // 3
    full_us, regions = measure_ours(film, 1 / 15, warm)
    key_us, _ = measure_ours(film, 2.0, warm)
    mog2_us = measure_mog2(film, warm)
    result = {
        "us_per_camera_frame": round(full_us, 1),
        "us_per_key_frame": round(key_us, 1),
        "mog2_us": round(mog2_us, 1),
        "times_cheaper": round(mog2_us / full_us, 1),
        "regions": regions,
        "cameras": options.cameras,
        "busy": options.busy,
        "opencv": cv2.__version__,
        "numpy": np.__version__,
        "machine": platform.machine(),
    }
    if not options.json:
        print(f"{full_us:.1f} µs a camera-frame at 15 frames/s, {key_us:.1f} µs a key frame, MOG2 {mog2_us:.1f} µs")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
