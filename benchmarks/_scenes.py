"""Scenes of the pipeline benchmark: real clips as endless loops, and quiet ones made from their empty pictures.

Each loop is H.264 at 640x360, 15 frames/s, a key frame every 2 s, as a camera's sub stream is. A clip is played to its
end and back again, so that no loop has a seam at which things appear from nowhere. Made once, kept under ``build/pipeline``.
"""

import hashlib
import json
import os
import pickle
import random
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from itertools import cycle, islice
from multiprocessing import get_context
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from ingest.simulate import Clip, SimCamera, SimPlan, encode

__all__ = ["BUSY", "GOP_S", "QUIET", "Mix", "Scene", "clips_of", "load", "mix", "prepare"]

WIDTH, HEIGHT, GOP_S = 640, 360, 2
_LEAST_S = 45.0  # a short clip is repeated until its loop is that long
_QUIET_S = 60.0
_CRF = 27
_FOLDER = Path(__file__).resolve().parent.parent / "build" / "pipeline"

U8 = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Scene:
    """Seconds `from_s` to `to_s` of a clip, there and back; `mirrored` left to right.

    If `still`, its first picture with the noise of a sensor and slowly changing light instead. `part` is cut out first: left,
    top, right, bottom as fractions.
    """

    clip: str
    from_s: float
    to_s: float
    mirrored: bool = False
    still: bool = False
    gain: float = 1.0
    noise: float = 2.0  # standard deviation of a still scene, grey levels
    part: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)
    fps: int = 15

    @property
    def path(self) -> Path:
        """Its loop; the name carries everything that decides the pictures."""
        key = json.dumps([asdict(self), WIDTH, HEIGHT, GOP_S, _CRF, _LEAST_S, _QUIET_S, av.library_versions], sort_keys=True)
        return _FOLDER / f"{Path(self.clip).parent.name}-{hashlib.sha256(key.encode()).hexdigest()[:16]}.loop"


_ONE_BY_ONE = "video/intel_one-by-one-person-detection.mp4"
_CARS = "video/intel_car-detection.mp4"
_HALL = "motion/sbi_HallAndMonitor/input.mp4"
_STREET = "video/vehicle_counting_street.mp4"
_LOBBY = "motion/sbi_IBMtest2/input.mp4"
_HIGHWAY = "motion/cdnet_highway/input.mp4"
_CROSSING = "video/opendatacam_street_640x360.mp4"
_BOTTLES = "video/intel_bottle-detection.mp4"

_SHOWN = (
    Scene(_ONE_BY_ONE, 0.0, 22.5),
    Scene(_CARS, 0.0, 30.0),
    Scene(_HALL, 0.0, 11.6),
    Scene(_STREET, 0.0, 30.0),
    Scene(_LOBBY, 0.0, 3.5),
    Scene(_HIGHWAY, 0.0, 30.0),
    Scene(_ONE_BY_ONE, 45.6, 73.0),
    Scene("mot/TUD-Stadtmitte/input.mp4", 0.0, 7.0),
    Scene(_CROSSING, 0.0, 16.5),
    Scene(_BOTTLES, 0.0, 30.0),
    Scene("motion/sbi_HighwayI/input.mp4", 0.0, 17.5),
    Scene("video/dvrscan_traffic_camera.mp4", 0.0, 23.0),
)
BUSY = _SHOWN + tuple(Scene(one.clip, one.from_s, one.to_s, mirrored=True) for one in _SHOWN)
"""Things move in all of them, in most of them persons or vehicles."""

QUIET = (
    Scene(_ONE_BY_ONE, 0.0, 1.0, still=True),
    Scene(_CARS, 0.0, 1.0, still=True),
    Scene(_HALL, 0.0, 0.2, still=True, gain=0.35, noise=4.0),
    Scene(_STREET, 10.0, 11.0, still=True),
    Scene(_LOBBY, 0.0, 1.0, still=True, noise=3.0),
    Scene(_BOTTLES, 0.0, 1.0, still=True, gain=0.6),
    Scene(_HIGHWAY, 0.0, 30.0, part=(0.0, 0.0, 0.42, 0.45)),  # leaves in the wind, nothing else
    Scene(_CROSSING, 0.0, 1.0, still=True, gain=0.3, noise=3.0),
)
"""Nothing happens in any of them."""


@dataclass(frozen=True, slots=True)
class Mix:
    """Which camera shows what. Columns: the camera with its moment of the loop, its scene, whether that moves."""

    plan: SimPlan
    scene: tuple[Scene, ...]
    busy: tuple[bool, ...]


def mix(cameras: int, fps: int, busy: float, seed: int = 1) -> Mix:
    """`cameras` of which a share `busy` shows a moving scene, each at a moment of its own, so that key frames are spread."""
    rng = random.Random(seed)
    chosen = set(rng.sample(range(cameras), round(busy * cameras)))
    moving, still = cycle(BUSY), cycle(QUIET)
    scenes = [replace(next(moving if row in chosen else still), fps=fps) for row in range(cameras)]
    _prepare(set(scenes))
    plan = SimPlan(
        tuple(
            SimCamera(f"c{row:04d}", file=scene.path, offset_s=round(rng.uniform(0, 120), 4)) for row, scene in enumerate(scenes)
        ),
        fps=fps,
    )
    return Mix(plan, tuple(scenes), tuple(row in chosen for row in range(cameras)))


def data_folder() -> Path:
    """Where the clips are. Raises FileNotFoundError naming the place."""
    folder = Path(os.environ.get("GRIDPATROL_TEST_DATA", Path(__file__).resolve().parents[2] / "shared")) / "data"
    if not folder.is_dir():
        raise FileNotFoundError(f"expected the development clips in {folder}; set GRIDPATROL_TEST_DATA")
    return folder


def load(path: Path) -> Clip:
    """A prepared loop."""
    clip = pickle.loads(path.read_bytes())
    assert isinstance(clip, Clip)
    return clip


def clips_of(plan: SimPlan) -> dict[str, Clip]:
    """The loops of a plan made by `mix`, as `Simulator` wants them."""
    return {name: load(path) for name, path in plan.specs().items() if isinstance(path, Path)}


def prepare(scenes: Sequence[Scene]) -> list[Clip]:
    """Their loops, made if they are not there. Raises FileNotFoundError where the development clips are missing."""
    _prepare(set(scenes))
    return [load(scene.path) for scene in scenes]


def _prepare(scenes: set[Scene]) -> None:
    """Make the loops that are not there yet, in two processes."""
    missing = sorted((scene for scene in scenes if not scene.path.exists()), key=lambda scene: scene.path.name)
    if missing:
        data_folder()
        _FOLDER.mkdir(parents=True, exist_ok=True)
        with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
            list(pool.map(_make, missing))


def _make(scene: Scene) -> None:
    cv2.setNumThreads(1)
    pictures = _still(scene) if scene.still else _there_and_back(scene)
    frames = encode(pictures, scene.fps, scene.fps * GOP_S, _CRF)
    temporary = scene.path.with_suffix(f".{os.getpid()}")
    temporary.write_bytes(pickle.dumps(Clip(str(scene.path), WIDTH, HEIGHT, scene.fps, frames)))
    temporary.replace(scene.path)


def _there_and_back(scene: Scene) -> Iterator[U8]:
    there = list(_pictures(scene))
    once = there + there[-2:0:-1]
    yield from islice(cycle(once), len(once) * -(-int(_LEAST_S * scene.fps) // len(once)))


def _still(scene: Scene) -> Iterator[U8]:
    picture = next(_pictures(scene)).astype(np.float32) * np.float32(scene.gain)
    rng = np.random.default_rng(1)
    frames = round(_QUIET_S * scene.fps)
    for number in range(frames):
        light = 1 + 0.04 * np.sin(2 * np.pi * number / frames)
        noise = rng.normal(0, scene.noise, (HEIGHT, WIDTH, 1)).astype(np.float32)
        yield np.clip(picture * np.float32(light) + noise, 0, 255).astype(np.uint8)


def _pictures(scene: Scene) -> Iterator[U8]:
    """The clip's pictures at a steady rate, filled up to 640x360 without distortion."""
    sent = round(scene.from_s * scene.fps)
    with av.open(str(data_folder() / scene.clip)) as container:
        for frame in container.decode(video=0):
            due = int(float(frame.time or 0.0) * scene.fps + 1e-6) + 1
            if due <= sent:
                continue
            bgr = _fitted(np.asarray(frame.to_ndarray(format="bgr24"), np.uint8), scene)
            for _ in range(due - sent):
                yield bgr
            sent = due
            if sent >= scene.to_s * scene.fps:
                return


def _fitted(bgr: U8, scene: Scene) -> U8:
    height, width = bgr.shape[:2]
    left, top, right, bottom = scene.part
    bgr = bgr[round(top * height) : round(bottom * height), round(left * width) : round(right * width)]
    height, width = bgr.shape[:2]
    shown_w, shown_h = min(width, height * WIDTH // HEIGHT), min(height, width * HEIGHT // WIDTH)
    x, y = (width - shown_w) // 2, (height - shown_h) // 2
    cut = bgr[y : y + shown_h, x : x + shown_w]
    shown = np.asarray(cv2.resize(cut, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)
    return np.ascontiguousarray(shown[:, ::-1]) if scene.mirrored else shown
