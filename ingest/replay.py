"""A video file as the pipeline would have seen it."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import av
import numpy as np

from base.errors import DecodeError
from base.records import FrameBatch
from camera_config import Outline
from ingest.decode import VideoPicture, reduce_luma
from ingest.libav_source import open_container
from ingest.source import Feed

__all__ = ["read_file"]


def read_file(path: Path | str, frames_per_s: float | None = None, masks: Sequence[Outline] = ()) -> Iterator[FrameBatch]:
    """Every frame of a file as a batch of one camera, row 0, awake; times are seconds from the first frame.

    `masks` are black in all of them. With `frames_per_s` frames that come sooner than that after the last one are left out.
    Raises SourceError if the file cannot be opened, DecodeError if nothing in it can be decoded; single broken frames are left
    out.
    """
    first_s, last_s = None, float("-inf")
    step_s = 1 / frames_per_s - 1e-3 if frames_per_s else 0.0
    with open_container(Feed(camera="file", url=str(path))) as container:
        if not container.streams.video:
            raise DecodeError(f"{path}: no video in it")
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        rate = float(stream.average_rate or 25)
        count = 0
        for packet in container.demux(stream):
            try:
                frames = packet.decode()
            except av.error.FFmpegError:
                continue
            for frame in frames:
                moment_s = float(frame.time) if frame.time is not None else count / rate
                count += 1
                first_s = moment_s if first_s is None else first_s
                time_s = moment_s - first_s
                if time_s <= last_s or (last_s >= 0 and time_s - last_s < step_s):
                    continue
                last_s = time_s
                picture = VideoPicture(frame, masks)
                yield FrameBatch(
                    camera=np.zeros(1, np.int32),
                    time_s=np.array([time_s]),
                    luma=reduce_luma(picture.luma)[None],
                    is_key=np.array([bool(frame.key_frame)]),
                    awake=np.ones(1, np.bool_),
                    picture=(picture,),
                )
    if first_s is None:
        raise DecodeError(f"{path}: no frame in it could be decoded")
