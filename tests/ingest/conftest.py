"""Clips encoded here and now, and small tools to drive a source."""

import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray

Clip = list[list[bytes]]
"""Access units as lists of NAL units without start codes."""

WIDTH, HEIGHT, GOP, FRAMES = 320, 180, 8, 24


def picture(index: int, width: int = WIDTH, height: int = HEIGHT) -> NDArray[np.uint8]:
    """A textured backdrop with a bright disc that moves 4 pixels a frame."""
    rng = np.random.default_rng(7)
    backdrop = cv2.resize(rng.integers(40, 120, (height // 8, width // 8, 3), dtype=np.uint8), (width, height))
    return np.asarray(cv2.circle(backdrop, (20 + 4 * index % (width - 40), height // 2), 14, (240, 240, 240), -1), np.uint8)


def encode(frames: int = FRAMES, gop: int = GOP, width: int = WIDTH, height: int = HEIGHT) -> list[bytes]:
    """Annex B access units of the moving disc, parameter sets in front of key frames."""
    return [data for _, data in encode_timed(frames, gop, width, height)]


def encode_timed(frames: int, gop: int, width: int = WIDTH, height: int = HEIGHT, b_frames: int = 0) -> list[tuple[int, bytes]]:
    """(frame number, access unit) in decoding order."""
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = width, height, "yuv420p", Fraction(1, 15)
    tune = {} if b_frames else {"tune": "zerolatency"}
    encoder.options = {"preset": "ultrafast", "x264-params": f"keyint={gop}:scenecut=0:bframes={b_frames}:threads=1", **tune}
    packets = []
    for index in range(frames):
        frame = av.VideoFrame.from_ndarray(picture(index, width, height), format="bgr24")
        frame.pts = index
        packets += encoder.encode(frame)
    return [(packet.pts or 0, bytes(packet)) for packet in [*packets, *encoder.encode(None)]]


def split(annex_b: bytes) -> list[bytes]:
    """NAL units of an access unit."""
    return [nal.rstrip(b"\0") for nal in annex_b.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1") if nal]


@pytest.fixture(scope="session")
def clip() -> Clip:
    return [split(unit) for unit in encode()]


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of shared test data; skips where there is none."""
    root = Path(__file__).parents[2]
    folder = Path(os.environ.get("GRIDPATROL_TEST_DATA", root.parent / "shared")) / "data"
    if not folder.is_dir():
        pytest.skip(f"no test data at {folder}; set GRIDPATROL_TEST_DATA")
    return folder


@pytest.fixture(scope="session")
def clip_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The clip as an MP4 file: AVCC, parameter sets outside the stream."""
    path = tmp_path_factory.mktemp("clip") / "disc.mp4"
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=15)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.options = {"preset": "ultrafast", "x264-params": f"keyint={GOP}:scenecut=0:bframes=0:threads=1"}
        for index in range(FRAMES):
            frame = av.VideoFrame.from_ndarray(picture(index), format="bgr24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


Until = Callable[[Callable[[], bool], float], bool]


@pytest.fixture
def until() -> Until:
    """Waits for a condition with a deadline; whether it came true."""
    import threading
    import time

    def wait(condition: Callable[[], bool], within_s: float) -> bool:
        deadline_s, pause = time.monotonic() + within_s, threading.Event()
        while not condition():
            if time.monotonic() > deadline_s:
                return False
            pause.wait(0.01)
        return True

    return wait
