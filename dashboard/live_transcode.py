"""Pictures that browsers do not play by WebRTC (H.265, Motion JPEG), made into H.264: once for all viewers of a camera.

Bounded on purpose: one thread each, a picture of at most `Bound`, at most `FRAMES_PER_S`; what comes faster than the thread
works is decoded and not shown. The pictures are decoded anyway, so the camera's privacy masks are black in them.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from av.codec.context import ThreadType
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType, VideoFrame

from base import Codec, Packet, SourceError, StreamName
from camera_config import Outline
from camera_config.black_out import black_out
from dashboard.live_relay import CLOSE_S, Backlog, Relay

__all__ = ["BOUNDS", "DECODERS", "FRAMES_PER_S", "Bound", "Masks", "Reencoder", "Transcode"]

logger = logging.getLogger(__name__)

DECODERS = {Codec.H265: "hevc", Codec.MJPEG: "mjpeg"}
"""What is transcoded, and FFmpeg's name of who decodes it."""

FRAMES_PER_S = 15
GOP_FRAMES = 30
BATCH = 8
"""Packets that the thread takes at a time: it ends soon after it is asked to."""

LATE_90K = 27_000
"""Pictures that are 0.3 s older than what waits already are decoded and not encoded."""

MOST_PIXELS = 4096 * 4096
"""The size is in the bits: a small packet may claim a huge picture. As much as ingest takes."""

Masks = Callable[[], Sequence[Outline]]
"""The camera's privacy masks as they are now. Called from the thread of the transcode."""


@dataclass(frozen=True, slots=True)
class Bound:
    """The largest picture, for one that is wider than high; the highest rate."""

    width_px: int
    height_px: int
    kbit_per_s: int


BOUNDS = {StreamName.SUB: Bound(640, 360, 1_000), StreamName.MAIN: Bound(1280, 720, 3_000)}
"""The main stream is only asked for where it is shown large."""


class Transcode(Relay):
    """H.264 of one relay's pictures, for as long as it is open. It holds `source`, which whoever closes it lets go."""

    def __init__(self, source: Relay, masks: Masks) -> None:
        super().__init__(source.camera, source.stream)
        self.source = source
        self._backlog = Backlog()
        self._reencoder = Reencoder(source.camera, BOUNDS[source.stream], masks)
        self._thread = ThreadPoolExecutor(1, f"transcode-{source.camera}")
        self._task = asyncio.create_task(self._run(), name=f"transcode-{source.camera}-{source.stream}")
        source.join(self)

    def begin(self, gop: list[Packet]) -> None:
        self._backlog.begin(gop)

    def offer(self, packet: Packet) -> None:
        if packet.is_key:
            self._backlog.shed(BATCH)  # a thread that is too slow begins anew with every key frame
        self._backlog.offer(packet)

    def lose(self) -> None:
        self._backlog.lose()

    async def close(self) -> None:
        self.source.leave(self)
        self._task.cancel()
        await asyncio.wait((self._task,), timeout=CLOSE_S)
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _run(self) -> None:
        loop, backlog = asyncio.get_running_loop(), self._backlog
        try:
            while (packet := await backlog.take()) is not None:
                batch = [packet, *backlog.take_now(BATCH - 1)]
                newest = backlog.newest or batch[-1]
                for made in await loop.run_in_executor(self._thread, self._reencoder.turn, batch, newest.pts_90k):
                    self._spread(made)
        except Exception:
            logger.exception("the transcode of camera %s failed", self.camera)
        finally:
            self._end(SourceError(f"the transcode of camera {self.camera} ended before its first picture"))


class Reencoder:
    """Packets of one camera in, H.264 out. Owned by one thread."""

    def __init__(self, camera: str, bound: Bound, masks: Masks) -> None:
        self._camera = camera
        self._bound = bound
        self._masks = masks
        self._decoder: VideoCodecContext | None = None
        self._encoder: VideoCodecContext | None = None
        self._due_90k = 0
        self._number = 0  # of the next picture that is encoded
        self._is_told = False

    def turn(self, packets: Sequence[Packet], newest_90k: int) -> list[Packet]:
        """H.264 of those of `packets` that are worth showing when something of the media time `newest_90k` waits already.

        A picture that cannot be decoded is left out, and what builds on it until the next key frame.
        """
        made: list[Packet] = []
        for packet in packets:
            for frame in self._decoded(packet):
                pts_90k = frame.pts if frame.pts is not None else packet.pts_90k
                if newest_90k - pts_90k <= LATE_90K and self._is_due(pts_90k):
                    time_s = packet.time_s + (pts_90k - packet.pts_90k) / 90_000
                    made += (
                        Packet(self._camera, time_s, pts_90k, each.is_keyframe, bytes(each)) for each in self._encoded(frame)
                    )
        return made

    def _decoded(self, packet: Packet) -> Iterator[VideoFrame]:
        if not packet.is_key and (self._decoder is None or packet.lost):
            self._decoder = None
            return
        if self._decoder is None:
            self._decoder = _decoder(packet.codec)
        coded = av.Packet(packet.data)
        coded.pts = packet.pts_90k
        try:
            frames = self._decoder.decode(coded)
        except av.error.FFmpegError as error:
            self._decoder = None
            if not self._is_told:
                logger.warning("camera %s: a picture to be transcoded does not decode: %s", self._camera, error.strerror)
                self._is_told = True
            return
        yield from (frame for frame in frames if not frame.is_corrupt)

    def _is_due(self, pts_90k: int) -> bool:
        """Whether a picture is shown at `FRAMES_PER_S`; one that comes a quarter of a step early is."""
        step = 90_000 // FRAMES_PER_S
        if step // 4 < self._due_90k - pts_90k <= 2 * step:
            return False
        self._due_90k = max(self._due_90k + step, pts_90k) if abs(self._due_90k - pts_90k) <= 2 * step else pts_90k + step
        return True

    def _encoded(self, frame: VideoFrame) -> "list[av.Packet[av.VideoStream]]":
        small = self._fitted(frame)
        size = small.width, small.height
        if self._encoder is None or (self._encoder.width, self._encoder.height) != size:
            self._encoder, self._number = _encoder(*size, self._bound.kbit_per_s), 0
        small.pts, small.time_base, self._number = self._number, self._encoder.time_base, self._number + 1
        small.pict_type = PictureType.NONE  # which one it was at the camera does not matter
        return self._encoder.encode(small)

    def _fitted(self, frame: VideoFrame) -> VideoFrame:
        """As large as is allowed, of even sides, masks black."""
        most = self._bound.width_px, self._bound.height_px
        if frame.height > frame.width:
            most = most[::-1]
        scale = min(1.0, most[0] / frame.width, most[1] / frame.height)
        width, height = (max(2, int(side * scale) // 2 * 2) for side in (frame.width, frame.height))
        masks = self._masks()
        if not masks:
            return frame.reformat(width, height, "yuv420p")
        bgr = np.asarray(frame.reformat(width, height, "bgr24").to_ndarray(), np.uint8)
        return VideoFrame.from_ndarray(black_out(bgr, masks), format="bgr24").reformat(format="yuv420p")


def _decoder(codec: Codec) -> VideoCodecContext:
    decoder = av.CodecContext.create(DECODERS[codec], "r")
    assert isinstance(decoder, VideoCodecContext)
    decoder.thread_count, decoder.thread_type = 1, ThreadType.NONE
    decoder.options = {"max_pixels": str(MOST_PIXELS)}
    return decoder


def _encoder(width_px: int, height_px: int, kbit_per_s: int) -> VideoCodecContext:
    """What every browser plays: baseline, one picture in, one out, parameter sets in front of each key frame.

    By x264, the only software encoder of H.264 in PyAV's wheels; what that means for who passes them on: docs/guide/operate.md.
    """
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = width_px, height_px, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, FRAMES_PER_S), Fraction(FRAMES_PER_S)
    encoder.thread_count = 1
    encoder.options = {
        "preset": "ultrafast",
        "tune": "zerolatency",
        "profile": "baseline",
        "crf": "26",
        "maxrate": f"{kbit_per_s}k",
        "bufsize": f"{kbit_per_s}k",
        "x264-params": f"keyint={GOP_FRAMES}:min-keyint={GOP_FRAMES}:scenecut=0:repeat-headers=1:annexb=1:threads=1",
    }
    return encoder
