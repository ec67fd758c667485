"""Packets of one camera into a video file that a browser plays: fragmented MP4 (ISO/IEC 14496-12 §8.8), not encoded anew unless
a privacy mask or the codec asks for it."""

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
from av.container import OutputContainer
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from base.errors import DecodeError
from base.records import Codec, Packet
from camera_config import Outline
from ingest.decode import AwakeDecoder
from ingest.timeline import MEDIA_HZ

__all__ = ["Footage", "is_copied", "write_clip"]

_DEMUXERS = {Codec.H264: "h264", Codec.H265: "hevc"}
_OPTIONS = {"movflags": "frag_keyframe+empty_moov+default_base_moof+global_sidx"}
_TIME_BASE = Fraction(1, MEDIA_HZ)
# Fast, and good enough to recognise what the camera showed; one thread, because a clip may take its time.
_ENCODER = {"preset": "veryfast", "crf": "23", "x264-params": "threads=1:keyint=30:bframes=0"}
_LAST_FRAME_S = 1 / 15  # how long the last frame is shown where nothing tells


@dataclass(frozen=True, slots=True)
class Footage:
    """What is in a file that was written: when each frame is shown, UTC, ascending, and what a player has to know."""

    time_s: tuple[float, ...]
    codec: Codec
    width_px: int
    height_px: int
    reencoded: bool


def is_copied(codec: Codec, masks: Sequence[Outline]) -> bool:
    """Whether packets of this codec go into a clip as they are; else they are decoded and encoded as H.264."""
    return codec in _DEMUXERS and not masks


def write_clip(path: Path, packets: Sequence[Packet], masks: Sequence[Outline] = ()) -> Footage:
    """Write `packets`, in decoding order from a key frame on, to a new file at `path`; `masks` are black in it.

    Every frame is shown at its `time_s`, counted from the first, so that a pause of the camera is as long in the clip. Changes of
    codec end the clip. Any thread; a clip that is encoded takes some milliseconds a frame. Raises DecodeError for packets that
    are no video, OSError when the disk refuses.
    """
    first = packets[0]
    if not first.is_key:
        raise ValueError(f"{first.camera}: expected a clip to begin with a key frame")
    packets = [packet for packet in packets if packet.codec is first.codec]
    try:
        with av.open(str(path), "w", format="mp4", options=_OPTIONS) as file:
            if is_copied(first.codec, masks):
                return _copy(file, packets)
            return _encode(file, packets, masks)
    except av.error.FFmpegError as error:
        if isinstance(error, OSError):
            raise
        raise DecodeError(f"{first.camera}: no clip can be made of these packets: {error.strerror}") from None


def _copy(file: OutputContainer, packets: Sequence[Packet]) -> Footage:
    first = packets[0]
    with av.open(io.BytesIO(first.data), "r", format=_DEMUXERS[first.codec]) as source:
        facts = source.streams.video[0]
        if not facts.codec_context.extradata or not facts.codec_context.width:
            raise DecodeError(f"{first.camera}: a key frame without its parameter sets")
        stream = file.add_stream_from_template(facts)
        width_px, height_px = facts.codec_context.width, facts.codec_context.height
    stream.time_base = _TIME_BASE
    if first.codec is Codec.H265:
        stream.codec_context.codec_tag = "hvc1"  # players that follow Apple's rules know H.265 by this name only
    shown = _distinct([round((packet.time_s - first.time_s) * MEDIA_HZ) for packet in packets])
    order = sorted(shown)
    following = dict(pairwise(order))
    # Decoding times ascend and are never later than a frame is shown, also where frames came in another order.
    early = max(decoded - at for decoded, at in zip(order, shown, strict=True))
    for packet, at, decoded in zip(packets, shown, order, strict=True):
        encoded = av.Packet(packet.data)
        encoded.stream, encoded.time_base = stream, _TIME_BASE
        encoded.pts, encoded.dts = at, decoded - early
        encoded.duration = following.get(at, at + _usual(order)) - at
        encoded.is_keyframe = packet.is_key
        file.mux(encoded)
    return Footage(tuple(first.time_s + at / MEDIA_HZ for at in order), first.codec, width_px, height_px, False)


def _encode(file: OutputContainer, packets: Sequence[Packet], masks: Sequence[Outline]) -> Footage:
    stream: VideoStream | None = None
    shown: list[int] = []
    began_s = packets[0].time_s
    for time_s, frame in _masked(packets, masks):
        if stream is None:
            stream = _encoder(file, frame)
            began_s = time_s
        at = round((time_s - began_s) * MEDIA_HZ)
        if (shown and at <= shown[-1]) or (frame.width, frame.height) != (stream.width, stream.height):
            continue  # one size is all that a file has; what is missing is a gap
        frame.pts, frame.time_base = at, _TIME_BASE
        shown.append(at)
        file.mux(stream.encode(frame))
    if stream is None:
        raise DecodeError(f"{packets[0].camera}: no frame of {len(packets)} packets could be decoded")
    file.mux(stream.encode(None))
    return Footage(tuple(began_s + at / MEDIA_HZ for at in shown), Codec.H264, stream.width, stream.height, True)


def _encoder(file: OutputContainer, frame: VideoFrame) -> VideoStream:
    stream = file.add_stream("libx264", rate=round(1 / _LAST_FRAME_S), options=_ENCODER)
    assert isinstance(stream, VideoStream)
    context = stream.codec_context
    assert isinstance(context, VideoCodecContext)
    # H.264 with colour of half the resolution has even sizes only.
    stream.width, stream.height, stream.pix_fmt = frame.width - frame.width % 2, frame.height - frame.height % 2, "yuv420p"
    stream.time_base = context.time_base = _TIME_BASE
    return stream


def _masked(packets: Iterable[Packet], masks: Sequence[Outline]) -> Iterator[tuple[float, VideoFrame]]:
    """Each frame that can be decoded, with its time; masks black."""
    decoder = AwakeDecoder(masks)
    for packet in packets:
        try:
            for time_s, _, picture in decoder.decode(packet):
                bgr = picture.bgr()
                height, width = bgr.shape[0] // 2 * 2, bgr.shape[1] // 2 * 2
                yield time_s, VideoFrame.from_ndarray(np.ascontiguousarray(bgr[:height, :width]), format="bgr24")
        except DecodeError:
            continue  # the next key frame makes it good; what is missing is a gap


def _distinct(times: Sequence[int]) -> list[int]:
    """`times` with no two the same: the later one of a pair moves by the least step."""
    taken: set[int] = set()
    moved = []
    for at in times:
        while at in taken:
            at += 1  # noqa: PLW2901
        taken.add(at)
        moved.append(at)
    return moved


def _usual(order: Sequence[int]) -> int:
    """The usual distance of two frames."""
    return int(np.median(np.diff(order))) if len(order) > 1 else round(_LAST_FRAME_S * MEDIA_HZ)
