"""Films: what a camera that saw a clip would have sent, and what happens in it."""

import hashlib
import os
import pickle
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from base import Packet
from benchmarks._live import CAMERA, START_S
from camera_config import Rule
from ingest.simulate import encode

__all__ = ["U8", "Film", "Picture", "Sent", "Truth", "data_folder", "lead_in", "read_pictures", "sent"]

U8 = NDArray[np.uint8]
Picture = tuple[float, U8]
"""When it is shown, in seconds from the first, and BGR u8 (h, w, 3)."""

_WIDTH = 640  # of a sub stream; larger clips are reduced
_GOP_S = 2
_CRF = 23
_LEAD_S = 6.0
_LEAD_NOISE = 2.0  # grey levels
_LEAD_PICTURES = 40  # are enough for a median
_FOLDER = Path(__file__).resolve().parent.parent / "build" / "accuracy"


@dataclass(frozen=True, slots=True)
class Truth:
    """Something that rule `rule` is to find between two moments. `once`: it is one thing, so a second event of it is a repeat."""

    rule: str
    from_s: float
    to_s: float
    once: bool = False


@dataclass(frozen=True, slots=True)
class Sent:
    """A camera's pictures: when each is shown, its encoded bytes, whether it is a key frame; and their size."""

    time_s: tuple[float, ...]
    data: tuple[bytes, ...]
    is_key: tuple[bool, ...]
    width_px: int
    height_px: int

    def packets(self) -> list[Packet]:
        """With times from START_S."""
        return [
            Packet(CAMERA, START_S + time_s, round(time_s * 90_000), is_key, data)
            for time_s, is_key, data in zip(self.time_s, self.is_key, self.data, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class Film:
    """What was sent, and what rules are to find in it. Nothing is known of what begins before `known_s`.

    The first `lead_frames` pictures are not the clip's own.
    """

    name: str
    rules: tuple[Rule, ...]
    sent: Sent
    truths: tuple[Truth, ...] = ()
    known_s: float = 0.0
    lead_frames: int = 0

    @property
    def seconds(self) -> float:
        return self.sent.time_s[-1]


def data_folder() -> Path:
    """Where the clips are. Raises FileNotFoundError naming the place."""
    folder = Path(os.environ.get("GRIDPATROL_TEST_DATA", Path(__file__).resolve().parents[2] / "shared")) / "data"
    if not folder.is_dir():
        raise FileNotFoundError(f"expected the development clips in {folder}; set GRIDPATROL_TEST_DATA")
    return folder


def read_pictures(path: Path) -> Iterator[Picture]:
    """The pictures of a clip at the size of a sub stream."""
    with av.open(str(path)) as container:
        rate = float(container.streams.video[0].average_rate or 25)
        first_s = None
        for number, frame in enumerate(container.decode(video=0)):
            bgr = np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
            if frame.width > _WIDTH:
                size = _WIDTH, frame.height * _WIDTH // frame.width // 2 * 2
                bgr = np.asarray(cv2.resize(bgr, size, interpolation=cv2.INTER_AREA), np.uint8)
            time_s = float(frame.time) if frame.time is not None else number / rate
            first_s = time_s if first_s is None else first_s
            yield time_s - first_s, bgr


def lead_in(pictures: Sequence[U8], rate_hz: float) -> Iterator[Picture]:
    """Some seconds of the scene without what moves in it: the median of `pictures`, with the noise of a sensor."""
    empty = np.median(np.stack(pictures[:: max(1, len(pictures) // _LEAD_PICTURES)]), axis=0).astype(np.float32)
    random = np.random.default_rng(1)
    noise = [random.normal(0, _LEAD_NOISE, empty.shape).astype(np.float32) for _ in range(8)]
    for number in range(round(_LEAD_S * rate_hz)):
        yield number / rate_hz, np.clip(empty + noise[number % 8], 0, 255).astype(np.uint8)


def sent(key: object, rate_hz: int, pictures: Callable[[], Iterator[Picture]]) -> Sent:
    """Pictures as a camera's encoder would send them, a key frame every 2 s; made once and kept under ``build``."""
    digest = hashlib.sha256(repr((key, rate_hz, _GOP_S, _CRF, av.library_versions)).encode())
    for module in ("_films.py", "_made.py"):
        digest.update(Path(__file__).with_name(module).read_bytes())
    path = _FOLDER / f"{digest.hexdigest()[:24]}.sent"
    if not path.exists():
        _FOLDER.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(f".{os.getpid()}")
        temporary.write_bytes(pickle.dumps(_encoded(rate_hz, pictures())))
        temporary.replace(path)
    made = pickle.loads(path.read_bytes())
    assert isinstance(made, Sent)
    return made


def _encoded(rate_hz: int, pictures: Iterator[Picture]) -> Sent:
    time_s: list[float] = []
    shape: tuple[int, ...] = ()

    def shown() -> Iterator[U8]:
        nonlocal shape
        for moment_s, bgr in pictures:
            time_s.append(moment_s)
            shape = bgr.shape
            yield bgr

    frames = encode(shown(), rate_hz, rate_hz * _GOP_S, _CRF)
    data, is_key = tuple(one.data for one in frames), tuple(one.is_key for one in frames)
    return Sent(tuple(time_s), data, is_key, shape[1], shape[0])
