"""What a viewer costs the server: H.264 passed through, and H.265 of the same pictures transcoded for it.

The scenes are nine moving ones of the pipeline benchmark, 640x360 at 15 frames/s. Passed through they are the wall of a real
browser on the real server; the transcoding of them is measured by itself, by the time of its thread.
"""

import os
import pickle
import time
from fractions import Fraction
from pathlib import Path

import av
from playwright.sync_api import Page

from base import Codec, Packet, StreamName
from benchmarks._played import FPS, Played, PlayedRoom
from benchmarks._scenes import BUSY, GOP_S, Scene, prepare
from dashboard.live_transcode import BOUNDS, Reencoder
from ingest.simulate.clip import ClipFrame

__all__ = ["WALL", "scenes_of", "until", "viewers"]

WALL = 9
_PLAYED_S = 20
_SETTLE_MS = 4_000

_DRAWN = "[...document.querySelectorAll('[data-testid=wall-video]')].map(one => Number(one.dataset.frames))"


def scenes_of(cameras: list[str]) -> dict[str, Played]:
    """A wall of moving scenes, each at a moment of its own."""
    return {
        camera: Played(clip.frames, 37 * at) for at, (camera, clip) in enumerate(zip(cameras, prepare(BUSY[:WALL]), strict=True))
    }


def viewers(room: PlayedRoom, page: Page, seconds: float) -> dict[str, object]:
    """The server with a wall that shows nothing, and with one that moves; then what transcoding adds for each viewer."""
    idle, _ = _cores(room, page, [], seconds)
    busy, fps = _cores(room, page, room.cameras, seconds)
    viewer = (busy - idle) / WALL
    clips = [clip.frames[: _PLAYED_S * FPS] for clip in prepare(BUSY[:WALL])]
    coded = [_h265(scene, frames) for scene, frames in zip(BUSY, clips, strict=False)]
    transcode = sum(map(_transcode_cores, coded)) / WALL
    return {
        "viewer_cores": round(viewer, 4),
        "viewer_transcode_cores": round(viewer + transcode, 4),
        "viewer_ratio": round((viewer + transcode) / max(viewer, 1e-4), 1),
        "viewer_idle_cores": round(idle, 4),
        "viewer_fps": round(fps, 1),
        "viewer_kbit_per_s": _kbit_per_s(clips),
        "viewer_h265_kbit_per_s": _kbit_per_s(coded),
    }


def _kbit_per_s(clips: list[tuple[ClipFrame, ...]]) -> int:
    """The mean of the clips."""
    return round(sum(8 * len(frame.data) for frames in clips for frame in frames) / _PLAYED_S / WALL / 1000)


def _transcode_cores(frames: tuple[ClipFrame, ...]) -> float:
    """Of one camera, each packet as it comes; by the server's own transcode, all of it but the handing over."""
    coder, made = Reencoder("c0001", BOUNDS[StreamName.SUB], lambda: ()), 0
    used_s = time.thread_time()
    for number, frame in enumerate(frames):
        pts_90k = number * 90_000 // FPS
        made += len(coder.turn([Packet("c0001", number / FPS, pts_90k, frame.is_key, frame.data, Codec.H265)], pts_90k))
    if made != len(frames):
        raise ValueError(f"expected {len(frames)} pictures, got {made}")
    return (time.thread_time() - used_s) * FPS / len(frames)


def until(page: Page, is_so: str, most_s: float = 60.0) -> None:
    """Ask the page until it is so; its policy forbids what Playwright's own waiting does."""
    deadline_s = time.monotonic() + most_s
    while not page.evaluate(is_so):
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"waited {most_s:g} s for {is_so}")
        page.wait_for_timeout(50)


def _cores(room: PlayedRoom, page: Page, cameras: list[str], seconds: float) -> tuple[float, float]:
    """Cores of the server while the wall shows `cameras`, and frames a second that are drawn of each."""
    layout = f"{{view: 9, pinned: {cameras}, tour: false, blank: true}}"
    page.goto("about:blank")
    page.goto(f"{room.url}/#wall")
    page.evaluate(f"localStorage.setItem('gridpatrol.wall.window', JSON.stringify({layout}))")
    page.reload()
    page.locator("[data-testid=wall-tile]").nth(WALL - 1).wait_for(timeout=60_000)
    until(page, f"{_DRAWN}.filter(frames => frames > 30).length >= {len(cameras)}")
    page.wait_for_timeout(_SETTLE_MS)
    before, used_s, at_s = page.evaluate(_DRAWN), room.cpu_s()[0], time.monotonic()
    page.wait_for_timeout(1000 * seconds)
    lasted_s = time.monotonic() - at_s
    cores = (room.cpu_s()[0] - used_s) / lasted_s
    drawn = sum(page.evaluate(_DRAWN)) - sum(before)
    return cores, drawn / lasted_s / max(1, len(cameras))


def _h265(scene: Scene, frames: tuple[ClipFrame, ...]) -> tuple[ClipFrame, ...]:
    """The same pictures as H.265, made once."""
    path = scene.path.with_suffix(".h265")
    if not path.exists():
        temporary = path.with_suffix(f".{os.getpid()}")
        temporary.write_bytes(pickle.dumps(_encoded(frames)))
        temporary.replace(path)
    found: tuple[ClipFrame, ...] = pickle.loads(Path(path).read_bytes())
    return found


def _encoded(frames: tuple[ClipFrame, ...]) -> tuple[ClipFrame, ...]:
    decoder, encoder = av.CodecContext.create("h264", "r"), av.CodecContext.create("libx265", "w")
    assert isinstance(decoder, av.VideoCodecContext) and isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = 640, 360, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, FPS), Fraction(FPS)
    keys = f"keyint={FPS * int(GOP_S)}:min-keyint={FPS * int(GOP_S)}"
    more = "scenecut=0:bframes=0:repeat-headers=1:pools=1:frame-threads=1:log-level=none"
    encoder.options = {"preset": "superfast", "crf": "28", "x265-params": f"{keys}:{more}"}
    made = []
    for number, frame in enumerate(frames):
        for picture in decoder.decode(av.Packet(frame.data)):
            picture.pts, picture.time_base = number, encoder.time_base
            made += encoder.encode(picture)
    made += encoder.encode(None)
    return tuple(ClipFrame(bytes(packet), packet.is_keyframe) for packet in made)
