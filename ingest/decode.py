"""From encoded packets to reduced luma: a small pool of decoders for quiet cameras, a decoder of its own for each awake one."""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import av
import cv2
import numpy as np
from av.codec.context import ThreadType
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from base.clock import Clock
from base.errors import DecodeError, ProtocolError
from base.records import Codec, Packet
from base.tally import Tally
from camera_config import Outline
from camera_config.black_out import black_out
from ingest.frames import LatestFrames, LumaFrame
from ingest.gate import Gate, Work
from ingest.row_masks import RowMasks
from ingest.rtsp import h264, h265
from ingest.rtsp.nal import MAX_PIXELS, START_CODE

__all__ = [
    "LEAST_STEP_S",
    "LUMA_HEIGHT",
    "LUMA_WIDTH",
    "AwakeDecoder",
    "DecodeLoop",
    "DecodeStats",
    "KeyDecoders",
    "VideoPicture",
    "decode_key",
    "reduce_luma",
]

logger = logging.getLogger(__name__)

LUMA_HEIGHT, LUMA_WIDTH = 90, 160
_TIDY_EVERY_S = 1.0
LEAST_STEP_S = 0.14
"""Of an awake camera, five to seven frames a second are looked at: a track needs no more, and each costs a millisecond."""

_MOST_POOLED = 8  # sizes seen side by side; a decoder of 640x360 takes 4 MB, one of 4K 100 MB
_MOST_SIZES_KNOWN = 4096
_SEQUENCE_SETS = {Codec.H264: (1, h264.parse_sps), Codec.H265: (2, h265.parse_sps)}  # which NAL unit; H.265 has one before it
_MOST_DELAYED = 32  # frames a decoder may hold back for reordering (16 by the standard)
_EIGHT_BIT = frozenset({"yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "nv12", "nv21", "gray"})


class VideoPicture:
    """A decoded frame; keeps the decoder's buffer alive as long as it is held. `masks` are black in all that it hands out."""

    __slots__ = ("_frame", "_luma", "_masks")

    def __init__(self, frame: VideoFrame, masks: Sequence[Outline] = ()) -> None:
        self._frame, self._masks = frame, masks
        self._luma = black_out(self._decoded(), masks) if masks else None

    @property
    def luma(self) -> NDArray[np.uint8]:
        """Luma u8 (height, width); a read-only view of the decoder's buffer for 8-bit formats without masks, else a copy."""
        return self._decoded() if self._luma is None else self._luma

    def bgr(self) -> NDArray[np.uint8]:
        return black_out(np.asarray(self._frame.to_ndarray(format="bgr24"), np.uint8), self._masks)

    def _decoded(self) -> NDArray[np.uint8]:
        frame = self._frame
        if frame.format.name not in _EIGHT_BIT:
            return np.asarray(frame.to_ndarray(format="gray"), np.uint8)
        plane = frame.planes[0]
        return np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[: frame.height, : frame.width]


def reduce_luma(luma: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Luma u8 (90, 160), the mean of what each of its pixels covers."""
    return np.asarray(cv2.resize(luma, (LUMA_WIDTH, LUMA_HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)


def decode_key(packet: Packet, masks: Sequence[Outline] = ()) -> VideoPicture:
    """The picture of a key frame in full quality, by a decoder of its own. Any thread. Raises DecodeError."""
    return VideoPicture(_one_frame(_decoder(packet, fast=False), packet), masks)


class KeyDecoders:
    """Decodes key frames of any camera. Owned by the decode thread.

    A key frame needs no other, so cameras share decoders; one per picture size, because changing the size costs a decoder its
    buffers. Leaves the loop filter out: no frame is predicted from these, and it is a third of the work.
    """

    def __init__(self) -> None:
        self._decoders: OrderedDict[tuple[Codec, int, int], VideoCodecContext] = OrderedDict()
        self._sizes: dict[bytes, tuple[int, int]] = {}

    def decode(self, packet: Packet, masks: Sequence[Outline] = ()) -> VideoPicture:
        """Raises DecodeError."""
        key = (packet.codec, *self._size(packet))
        decoder = self._decoders.pop(key, None) or _decoder(packet, fast=True)
        picture = VideoPicture(_one_frame(decoder, packet), masks)  # a decoder that failed is not kept
        self._decoders[key] = decoder
        if len(self._decoders) > _MOST_POOLED:
            self._decoders.popitem(last=False)
        return picture

    def _size(self, packet: Packet) -> tuple[int, int]:
        """Picture size by the sequence parameter set in front of a key frame; (0, 0) where it is not in front."""
        place, parse = _SEQUENCE_SETS.get(packet.codec, (0, None))
        units = packet.data[:512].split(START_CODE, place + 1)
        if parse is None or len(units) < place + 2:
            return 0, 0
        nal = units[place]
        if nal not in self._sizes:
            if len(self._sizes) >= _MOST_SIZES_KNOWN:
                self._sizes.clear()
            try:
                parameters = parse(nal)
                self._sizes[nal] = parameters.width_px, parameters.height_px
            except ProtocolError:
                self._sizes[nal] = 0, 0
        return self._sizes[nal]


class AwakeDecoder:
    """Decodes all frames of one camera in order. Owned by the decode thread.

    After a loss or an error nothing comes out until the next key frame: pictures predicted from a wrong one look like motion.
    """

    def __init__(self, masks: Sequence[Outline] = ()) -> None:
        self.masks = masks
        self._decoder: VideoCodecContext | None = None
        self._codec = Codec.OTHER
        self._times: OrderedDict[int, tuple[float, bool]] = OrderedDict()
        self.shown_s = -np.inf  # kept by the loop: time of the last frame that it handed on

    def decode(self, packet: Packet) -> list[tuple[float, bool, VideoPicture]]:
        """(time shown, is_key, picture) of each frame that came out, in order of display. Raises DecodeError."""
        if not packet.is_key and (self._decoder is None or packet.lost):
            self._decoder = None
            return []
        if self._decoder is None or packet.codec is not self._codec:
            self._decoder, self._codec = _decoder(packet, fast=False), packet.codec
            self._times.clear()
        self._times[packet.pts_90k] = packet.time_s, packet.is_key
        if len(self._times) > _MOST_DELAYED:
            self._times.popitem(last=False)
        try:
            frames = _decoded(self._decoder, packet)
        except av.error.FFmpegError as error:
            self._decoder = None
            raise DecodeError(f"{packet.camera}: {error.strerror}") from None
        shown = []
        for frame in frames:
            time_s, is_key = self._times.pop(frame.pts or 0, (packet.time_s, packet.is_key))
            if not frame.is_corrupt:
                shown.append((time_s, is_key, VideoPicture(frame, self.masks)))
        return shown


@dataclass(slots=True)
class DecodeStats:
    """Written by the decode thread, read by any."""

    key_frames: int = 0
    frames: int = 0
    errors: int = 0


class DecodeLoop:
    """Hop 3: takes work from the gate, hands frames to the pipeline. One thread.

    `masks` are the privacy masks of each row; they may be exchanged for others meanwhile. Of a row that is another camera by the
    time a frame is decoded nothing is handed on.
    """

    def __init__(self, gate: Gate, frames: LatestFrames, clock: Clock, masks: RowMasks | None = None) -> None:
        self.stats = DecodeStats()
        self._masks = masks or RowMasks([()] * frames.rows)
        self._gate, self._frames = gate, frames
        self._pool = KeyDecoders()
        self._awake: dict[int, AwakeDecoder] = {}
        self._clock = clock
        self._tidy_s = 0.0
        self._tally = Tally(logger, clock)
        self.pulse_s = clock.monotonic_s()  # when the loop last came round
        self.cpu_s = np.zeros((2, frames.rows))  # this thread's processor time for quiet and for awake frames, by row

    def run(self, stop: threading.Event) -> None:
        """Decode until `stop` is set."""
        while not stop.is_set():
            self.pulse_s = self._clock.monotonic_s()
            try:
                if not self.run_once():
                    self._gate.work_ready.wait(0.5)
                    self._gate.work_ready.clear()
            except DecodeError as error:
                self.stats.errors += 1
                self._tally.warn("decode", str(error))
            except Exception:
                self.stats.errors += 1
                logger.exception("decoding")

    def run_once(self) -> bool:
        """Decode one packet; whether there was one for which there is room. Raises DecodeError."""
        with self._masks.lock:
            work = self._gate.next_work(self._frames.has_room)
            masks = () if work is None else self._masks.of(work.row)
        if work is None or self._clock.monotonic_s() >= self._tidy_s:
            # By the clock too: who is never idle would keep the decoders of all who were ever awake, 4 MB each.
            self._tidy_s = self._clock.monotonic_s() + _TIDY_EVERY_S
            for row in [row for row in self._awake if self._gate.rest(row)]:
                del self._awake[row]
        if work is None:
            return False
        began_s = time.thread_time()
        try:
            if work.awake:
                self._continue(work, masks)
            else:
                self._hand_on(work, work.packet.time_s, True, self._pool.decode(work.packet, masks), masks)
                self.stats.key_frames += 1
        finally:
            self.cpu_s[int(work.awake), work.row] += time.thread_time() - began_s
        return True

    def _continue(self, work: Work, masks: Sequence[Outline]) -> None:
        decoder = self._awake.get(work.row)
        if decoder is None or decoder.masks is not masks:
            decoder = self._awake[work.row] = AwakeDecoder(masks)
        for time_s, is_key, picture in decoder.decode(work.packet):
            self.stats.frames += 1
            if is_key or not 0 < time_s - decoder.shown_s < LEAST_STEP_S:
                decoder.shown_s = time_s
                self._hand_on(work, time_s, is_key, picture, masks)

    def _hand_on(self, work: Work, time_s: float, is_key: bool, picture: VideoPicture, masks: Sequence[Outline]) -> None:
        frame = LumaFrame(work.row, time_s, reduce_luma(picture.luma), is_key, work.awake, picture)
        with self._masks.lock:
            if self._masks.of(work.row) is masks:
                self._frames.put(frame)


def _decoder(packet: Packet, fast: bool) -> VideoCodecContext:
    """A decoder for packets like this one: one thread, because cameras are many."""
    names = {Codec.H264: "h264", Codec.H265: "hevc", Codec.MJPEG: "mjpeg"}
    name = names.get(packet.codec)
    if name is None:
        raise DecodeError(f"{packet.camera}: no decoder for {packet.codec} packets that begin {packet.data[:4].hex()}")
    decoder = av.CodecContext.create(name, "r")
    assert isinstance(decoder, VideoCodecContext)
    decoder.thread_count, decoder.thread_type = 1, ThreadType.NONE
    bounds = {"max_pixels": str(MAX_PIXELS)}  # the size is in the bits: a small packet may claim a huge picture
    decoder.options = {**bounds, "skip_loop_filter": "all"} if fast else bounds
    return decoder


def _decoded(decoder: VideoCodecContext, packet: Packet) -> list[VideoFrame]:
    encoded = av.Packet(packet.data)
    encoded.pts = packet.pts_90k
    return decoder.decode(encoded)


def _one_frame(decoder: VideoCodecContext, packet: Packet) -> VideoFrame:
    """The one picture in a key frame; the decoder forgets it afterwards. Raises DecodeError."""
    try:
        frames = _decoded(decoder, packet) or decoder.decode(None)
        decoder.flush_buffers()
    except av.error.FFmpegError as error:
        raise DecodeError(f"{packet.camera}: {error.strerror}") from None
    if not frames or frames[0].is_corrupt:
        raise DecodeError(f"{packet.camera}: a key frame of {len(packet.data)} bytes in which there is no picture")
    return frames[0]
