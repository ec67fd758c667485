"""Clips on disk, so that a scene is drawn once per machine and code version."""

import contextlib
import hashlib
import json
import logging
import multiprocessing
import os
import zlib
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from functools import cache
from itertools import accumulate, pairwise
from pathlib import Path

import av

from ingest.simulate.clip import Clip, ClipFrame, SceneSpec, TruthBox, clip_from_file, draw_clip

__all__ = ["ClipCache"]

logger = logging.getLogger(__name__)

_MAGIC = b"GPCLIP1\n"
_SERVING = {"__init__", "drain", "faults", "packets", "plan", "player", "rtsp", "run", "server"}  # modules that draw nothing


class ClipCache:
    """Encoded clips in one folder: one file per spec, written whole or not at all. Several processes may share a folder.

    A file's name carries a hash of the spec, of the drawing code and of the encoder, so a changed scene is drawn anew. A damaged
    file is drawn anew too.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, spec: SceneSpec | Path) -> Clip:
        """The clip of a scene or of a video file (then at 15 frames/s), from disk or made now (about 6 s)."""
        path = self._path(spec)
        clip = _read(path)
        if clip is None:
            clip = draw_clip(spec) if isinstance(spec, SceneSpec) else clip_from_file(spec)
            _write(path, clip)
        return clip

    def has(self, spec: SceneSpec | Path) -> bool:
        return self._path(spec).is_file()

    def prepare(
        self, specs: Iterable[SceneSpec | Path], processes: int = 2, progress: Callable[[int, int], None] | None = None
    ) -> None:
        """Make what is not there yet, in `processes` child processes; `progress(done, of)` is called here as each is ready.

        Raises what making a clip raised, after the others are done.
        """
        missing = [spec for spec in dict.fromkeys(specs) if not self.has(spec)]
        if not missing:
            return
        if processes <= 1 or len(missing) == 1:
            for done, spec in enumerate(missing, 1):
                self.get(spec)
                if progress is not None:
                    progress(done, len(missing))
            return
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(min(processes, len(missing)), mp_context=context) as pool:
            jobs = [pool.submit(_make, self.folder, spec) for spec in missing]
            for done, job in enumerate(as_completed(jobs), 1):
                job.result()
                if progress is not None:
                    progress(done, len(missing))

    def _path(self, spec: SceneSpec | Path) -> Path:
        if isinstance(spec, SceneSpec):
            key, name = json.dumps(asdict(spec), sort_keys=True), spec.name
        else:
            with contextlib.suppress(OSError):
                stat = spec.stat()
                key = f"{spec.resolve()} {stat.st_size} {stat.st_mtime_ns}"
            name = spec.stem
        digest = hashlib.sha256(f"{key} {_code_version()}".encode()).hexdigest()[:16]
        return self.folder / f"{name}-{digest}.clip"


def _make(folder: Path, spec: SceneSpec | Path) -> None:
    import cv2

    cv2.setNumThreads(1)
    ClipCache(folder).get(spec)


@cache
def _code_version() -> str:
    """Of everything that decides a clip's bytes: the drawing modules of this folder, the zones, and the encoder."""
    digest = hashlib.sha256(repr(sorted(av.library_versions.items())).encode())
    here = Path(__file__).parent
    drawing = [path for path in sorted(here.glob("*.py")) if path.stem not in _SERVING]
    for path in [*drawing, here.parent.parent / "camera_config" / "demo_scenes.py"]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _write(path: Path, clip: Clip) -> None:
    """Header as JSON, then the frames one after another; CRC-32 of both in front."""
    head = {
        "name": clip.name,
        "width_px": clip.width_px,
        "height_px": clip.height_px,
        "fps": clip.fps,
        "sizes": [len(frame.data) for frame in clip.frames],
        "keys": [index for index, frame in enumerate(clip.frames) if frame.is_key],
        "truth": [[[box.label, box.box, box.in_forbidden, box.actor] for box in boxes] for boxes in clip.truth],
    }
    text = json.dumps(head, separators=(",", ":")).encode()
    body = len(text).to_bytes(4) + text + b"".join(frame.data for frame in clip.frames)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    temporary.write_bytes(_MAGIC + zlib.crc32(body).to_bytes(4) + body)
    temporary.replace(path)


def _read(path: Path) -> Clip | None:
    """The clip, or None if there is none or it is damaged."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    start, body = len(_MAGIC) + 4, memoryview(data)[len(_MAGIC) + 4 :]
    if data[: len(_MAGIC)] != _MAGIC or zlib.crc32(body) != int.from_bytes(data[len(_MAGIC) : start]):
        logger.warning("%s: damaged clip, drawing it again", path)
        return None
    size = int.from_bytes(body[:4])
    head = json.loads(bytes(body[4 : 4 + size]))
    keys = set(head["keys"])
    ends = list(accumulate(head["sizes"], initial=4 + size))
    frames = tuple(ClipFrame(bytes(body[a:b]), index in keys) for index, (a, b) in enumerate(pairwise(ends)))
    truth = tuple(tuple(TruthBox(label, (*box,), *rest) for label, box, *rest in boxes) for boxes in head["truth"])
    return Clip(head["name"], head["width_px"], head["height_px"], head["fps"], frames, truth)
