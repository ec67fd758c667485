"""A clip: a loop of encoded pictures and the truth about them, drawn or taken from a video file."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

from base import Box, DecodeError, SourceError

__all__ = ["Clip", "ClipFrame", "SceneSpec", "Sighting", "TruthBox", "clip_from_file", "draw_clip", "encode", "resize_clip"]

_LONGEST_FILE_FRAMES = 27_000  # half an hour at 15 frames/s; a clip is kept in memory
_SEI, _SPS, _PPS, _IDR, _AUD = 6, 7, 8, 5, 9  # nal_unit_type, ITU-T H.264 table 7-1


@dataclass(frozen=True, slots=True)
class SceneSpec:
    """Everything that decides the pictures of a drawn clip: the same spec gives the same bytes."""

    scene: str  # street, courtyard, gate, car_park
    light: str = "day"  # day, night, rain
    variant: int = 0
    fps: int = 15
    loop_s: float = 60.0
    gop_s: float = 2.0
    crf: int = 27
    trespass: bool = True  # somebody enters the forbidden zone once a loop

    @property
    def name(self) -> str:
        return f"{self.scene}-{self.light}-{self.variant}{'' if self.trespass else '-quiet'}"

    @property
    def frame_count(self) -> int:
        return round(self.fps * self.loop_s)


@dataclass(frozen=True, slots=True)
class TruthBox:
    """A moving thing in one picture: what of it can be seen. `actor` numbers the things of a clip."""

    label: str  # person, cyclist, car
    box: Box
    in_forbidden: bool  # its feet stand in the forbidden zone of its scene
    actor: int


@dataclass(frozen=True, slots=True)
class Sighting:
    """One actor's stay in the picture, in seconds of the clip: first picture it is in, and the first it is no longer in."""

    actor: int
    label: str
    appeared_s: float
    left_s: float
    trespass: bool
    zone_from_s: float | None = None  # set iff trespass
    zone_to_s: float | None = None


@dataclass(frozen=True, slots=True)
class ClipFrame:
    """One access unit, Annex B; a key frame carries its parameter sets."""

    data: bytes
    is_key: bool


@dataclass(frozen=True)
class Clip:
    """A loop of H.264 that begins with a key frame and has no B-frames. `truth` has one entry per frame, or none at all."""

    name: str
    width_px: int
    height_px: int
    fps: float
    frames: tuple[ClipFrame, ...]
    truth: tuple[tuple[TruthBox, ...], ...] = ()

    @property
    def length_s(self) -> float:
        return len(self.frames) / self.fps

    @cached_property
    def parameter_sets(self) -> tuple[bytes, bytes]:
        """SPS and PPS of the first key frame, without start codes."""
        units = {unit[0] & 31: unit for unit in nal_units(self.frames[0].data)}
        return units[_SPS], units[_PPS]

    @cached_property
    def sightings(self) -> tuple[Sighting, ...]:
        """Every actor's stay in the picture, in order of appearance."""
        seen: dict[int, list[tuple[int, TruthBox]]] = {}
        for index, boxes in enumerate(self.truth):
            for box in boxes:
                seen.setdefault(box.actor, []).append((index, box))
        stays = []
        for actor, rows in seen.items():
            zone = [index for index, box in rows if box.in_forbidden]
            stays.append(
                Sighting(
                    actor=actor,
                    label=rows[0][1].label,
                    appeared_s=rows[0][0] / self.fps,
                    left_s=(rows[-1][0] + 1) / self.fps,
                    trespass=bool(zone),
                    zone_from_s=zone[0] / self.fps if zone else None,
                    zone_to_s=(zone[-1] + 1) / self.fps if zone else None,
                )
            )
        return tuple(sorted(stays, key=lambda stay: (stay.appeared_s, stay.actor)))


def draw_clip(spec: SceneSpec) -> Clip:
    """The clip of a drawn scene; deterministic. About 6 s of one core for a minute of pictures."""
    from ingest.simulate.scene import Scene

    truth: list[tuple[TruthBox, ...]] = []

    def pictures() -> Iterator[NDArray[np.uint8]]:
        for bgr, boxes in Scene(spec).frames():
            truth.append(tuple(boxes))
            yield bgr

    frames = encode(pictures(), spec.fps, round(spec.fps * spec.gop_s), spec.crf)
    return Clip(spec.name, 640, 360, spec.fps, frames, tuple(truth))


def clip_from_file(path: Path, fps: int = 15, height_px: int = 360, gop_s: float = 2.0) -> Clip:
    """Any video file FFmpeg reads, as a camera would send it: at most `height_px` high, `fps` frames/s, key frame every `gop_s`.

    Taken over as it is when it already is H.264 without B-frames, of that rate and height, with a key frame at least every
    `gop_s`; else encoded anew. Raises SourceError for a file that is not there or no video, DecodeError for one that breaks off
    before its first picture.
    """
    try:
        taken = _taken_over(path, fps, height_px, gop_s)
        if taken is not None:
            return taken
        frames = encode(_file_pictures(path, fps, height_px), fps, round(fps * gop_s), 27)
    except (av.FFmpegError, OSError) as error:
        raise SourceError(f"{path}: expected a video file: {error}") from None
    if not frames:
        raise DecodeError(f"{path}: no picture could be decoded")
    width_px, height_px = picture_size(frames[0].data)
    return Clip(str(path), width_px, height_px, fps, frames)


def resize_clip(clip: Clip, width_px: int, height_px: int) -> Clip:
    """The same loop at another resolution, same frames and key frames: what a camera sends after its settings were changed."""

    def pictures() -> Iterator[NDArray[np.uint8]]:
        decoder = av.VideoCodecContext.create("h264", "r")
        for frame in [*clip.frames, None]:
            for picture in decoder.decode(av.Packet(frame.data) if frame is not None else None):
                yield _bgr(picture, width_px, height_px)

    keys = [index for index, frame in enumerate(clip.frames) if frame.is_key]
    gop = min((b - a for a, b in pairwise(keys)), default=len(clip.frames))
    frames = encode(pictures(), round(clip.fps), gop, 27)
    return Clip(f"{clip.name}@{width_px}x{height_px}", width_px, height_px, clip.fps, frames, clip.truth)


def encode(pictures: Iterable[NDArray[np.uint8]], fps: int, gop: int, crf: int) -> tuple[ClipFrame, ...]:
    """BGR u8 (H, W, 3) pictures as the encoder of a camera would: H.264 main profile, no B-frames, a key frame every `gop`
    frames with repeated parameter sets. One thread, so that the same pictures give the same bytes."""
    import cv2

    encoder: av.VideoCodecContext | None = None
    packets: list[av.Packet[av.VideoStream]] = []
    for index, bgr in enumerate(pictures):
        if encoder is None:
            encoder = _encoder(bgr.shape[1], bgr.shape[0], fps, gop, crf)
        yuv = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2YUV_I420), np.uint8)
        frame = av.VideoFrame.from_ndarray(yuv, format="yuv420p")
        frame.pts = index
        frame.time_base = encoder.time_base
        packets += encoder.encode(frame)
    if encoder is not None:
        packets += encoder.encode(None)
    return tuple(ClipFrame(_plain(bytes(packet)), bool(packet.is_keyframe)) for packet in packets)


def _encoder(width_px: int, height_px: int, fps: int, gop: int, crf: int) -> av.VideoCodecContext:
    encoder = av.VideoCodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width_px, height_px, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, fps), Fraction(fps)
    encoder.thread_count = 1
    encoder.options = {
        "preset": "veryfast",
        "profile": "main",
        "crf": str(crf),
        "x264-params": f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes=0:ref=1:repeat-headers=1:annexb=1:threads=1",
    }
    return encoder


def nal_units(data: bytes) -> list[bytes]:
    """The NAL units of Annex B bytes, without start codes and trailing zeros."""
    return [part.rstrip(b"\0") for part in data.split(b"\0\0\1")[1:]]


def picture_size(data: bytes) -> tuple[int, int]:
    """Width and height of a key frame, by decoding it."""
    decoder = av.VideoCodecContext.create("h264", "r")
    try:
        for packet in (av.Packet(data), None):
            for picture in decoder.decode(packet):
                return picture.width, picture.height
    except av.FFmpegError as error:
        raise DecodeError(f"expected a key frame that decodes alone: {error}") from None
    raise DecodeError("expected a key frame that decodes alone")


def _plain(data: bytes) -> bytes:
    """Only what cameras send: parameter sets and slices, with four-byte start codes; no encoder banner, no delimiters."""
    return b"".join(b"\0\0\0\1" + unit for unit in nal_units(data) if unit[0] & 31 not in (_SEI, _AUD))


def _taken_over(path: Path, fps: int, height_px: int, gop_s: float) -> Clip | None:
    """The file's own packets where they fit, else None."""
    with av.open(str(path)) as container:
        stream = _video(container, path)
        rate = float(stream.average_rate or 0)
        coder = stream.codec_context
        if coder.name != "h264" or coder.has_b_frames or abs(rate - fps) > 0.01 or stream.height > height_px:
            return None
        to_annex_b = av.BitStreamFilterContext("h264_mp4toannexb", stream)
        packets = [part for packet in container.demux(stream) if packet.size for part in to_annex_b.filter(packet)]
        size = stream.width, stream.height
    keys = [index for index, packet in enumerate(packets) if packet.is_keyframe]
    if not keys or keys[0] != 0 or len(packets) > _LONGEST_FILE_FRAMES:
        return None
    if max(b - a for a, b in pairwise([*keys, len(packets)])) > round(fps * gop_s):
        return None
    frames = tuple(ClipFrame(_plain(bytes(packet)), bool(packet.is_keyframe)) for packet in packets)
    if any({unit[0] & 31 for unit in nal_units(frames[key].data)} < {_SPS, _PPS, _IDR} for key in keys):
        return None
    return Clip(str(path), *size, rate, frames)


def _file_pictures(path: Path, fps: int, height_px: int) -> Iterator[NDArray[np.uint8]]:
    """Pictures of a file at a steady `fps`: the newest picture not later than each moment."""
    with av.open(str(path)) as container:
        stream = _video(container, path)
        height = min(height_px, stream.height) // 2 * 2
        width = round(stream.width * height / stream.height) // 2 * 2
        sent = 0
        first_s: float | None = None
        for picture in container.decode(stream):
            time_s = picture.time if picture.time is not None else sent / fps
            first_s = time_s if first_s is None else first_s
            wanted = int((time_s - first_s) * fps + 1e-6) + 1
            if wanted <= sent:
                continue
            bgr = _bgr(picture, width, height)
            for _ in range(min(wanted - sent, fps * 10)):
                yield bgr
            sent = wanted
            if sent >= _LONGEST_FILE_FRAMES:
                return


def _bgr(picture: av.VideoFrame, width_px: int, height_px: int) -> NDArray[np.uint8]:
    return np.asarray(picture.reformat(width=width_px, height=height_px, format="bgr24").to_ndarray(), np.uint8)


def _video(container: "av.container.InputContainer", path: Path) -> VideoStream:
    streams: Sequence[VideoStream] = container.streams.video
    if not streams:
        raise SourceError(f"{path}: expected a video stream, found none")
    return streams[0]
