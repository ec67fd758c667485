"""Clips from files, at another size, and in the cache."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.stream import VideoStream

from base import DecodeError, SourceError
from ingest.simulate import Clip, ClipCache, TruthBox, clip_from_file, encode, resize_clip
from ingest.simulate.clip import nal_units, picture_size
from tests.simulate.stage import FPS, FRAMES, GOP, small_clip


def write_video(path: Path, codec: str, rate: int, frames: int, **options: str) -> Path:
    """A file with a counter in its brightness."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=Fraction(rate), options=options)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = 128, 72, "yuv420p"
        for index in range(frames):
            picture = av.VideoFrame.from_ndarray(np.full((72, 128, 3), index * 2, np.uint8), format="bgr24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


def test_an_encoded_clip_is_what_a_camera_sends() -> None:
    clip = small_clip()
    assert [index for index, frame in enumerate(clip.frames) if frame.is_key] == list(range(0, FRAMES, GOP))
    for frame in clip.frames:
        kinds = [unit[0] & 31 for unit in nal_units(frame.data)]
        assert kinds == ([7, 8, 5] if frame.is_key else [1])
    assert picture_size(clip.frames[GOP].data) == (160, 96)
    assert clip.length_s == FRAMES / FPS


def test_a_fitting_file_is_taken_over_byte_for_byte(tmp_path: Path) -> None:
    fitting = {"bf": "0", "g": "30", "x264-params": "scenecut=0:keyint=30:min-keyint=30:bframes=0"}
    path = write_video(tmp_path / "fits.mp4", "libx264", 15, 61, **fitting)
    clip = clip_from_file(path)
    with av.open(str(path)) as container:
        slices = [bytes(packet)[4:] for packet in container.demux(video=0) if packet.size]
    assert len(clip.frames) == 61
    assert nal_units(clip.frames[1].data)[-1] == slices[1]


@pytest.mark.parametrize(
    ("codec", "rate", "frames", "expected"),
    [
        ("mpeg4", 15, 45, 45),  # another codec
        ("libx264", 30, 90, 45),  # twice the rate: every second picture
        ("libx264", 10, 30, 44),  # a lower rate: pictures repeat; the last one is shown once
    ],
)
def test_other_files_are_encoded_anew(tmp_path: Path, codec: str, rate: int, frames: int, expected: int) -> None:
    clip = clip_from_file(write_video(tmp_path / "other.mp4", codec, rate, frames))
    assert len(clip.frames) == expected
    assert (clip.width_px, clip.height_px, clip.fps) == (128, 72, 15)
    assert [frame.is_key for frame in clip.frames][:31:30] == [True, True]
    assert clip.truth == ()


def test_a_file_that_is_no_video_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="expected a video file"):
        clip_from_file(tmp_path / "missing.mp4")
    (tmp_path / "text.mp4").write_text("not a video")
    with pytest.raises(SourceError, match="expected a video file"):
        clip_from_file(tmp_path / "text.mp4")
    with pytest.raises(DecodeError):
        picture_size(b"\0\0\0\1\x09\x10")


def test_a_resized_clip_keeps_its_frames_and_key_frames() -> None:
    clip = resize_clip(small_clip(), 96, 64)
    assert picture_size(clip.frames[0].data) == (96, 64)
    assert [frame.is_key for frame in clip.frames] == [frame.is_key for frame in small_clip().frames]


def test_sightings_sum_up_the_truth() -> None:
    person, car = TruthBox("person", (0, 0, 1, 1), False, 0), TruthBox("car", (0, 0, 1, 1), False, 4)
    inside = TruthBox("person", (0, 0, 1, 1), True, 0)
    truth = ((), (person,), (inside, car), (inside,), (person,), ())
    clip = Clip("x", 8, 8, 2.0, small_clip().frames[:6], truth)
    first, second = clip.sightings
    assert (first.actor, first.appeared_s, first.left_s, first.trespass) == (0, 0.5, 2.5, True)
    assert (first.zone_from_s, first.zone_to_s) == (1.0, 2.0)
    assert (second.label, second.appeared_s, second.left_s, second.zone_from_s) == ("car", 1.0, 1.5, None)


def test_the_cache_draws_once_survives_damage_and_notices_a_changed_file(tmp_path: Path) -> None:
    cache = ClipCache(tmp_path / "clips")
    path = write_video(tmp_path / "hall.mp4", "mpeg4", 15, 20)
    clip = cache.get(path)
    (stored,) = (tmp_path / "clips").iterdir()
    written = stored.stat().st_mtime_ns
    assert cache.get(path) == clip
    assert stored.stat().st_mtime_ns == written
    stored.write_bytes(stored.read_bytes()[:-9] + b"scratched")
    assert cache.get(path) == clip
    write_video(path, "mpeg4", 15, 24)
    assert len(cache.get(path).frames) == 24


def test_encoding_the_same_twice_gives_the_same_bytes() -> None:
    rng = np.random.default_rng(1)
    pictures = list(rng.integers(0, 255, (4, 48, 64, 3), dtype=np.uint8))
    assert encode(pictures, 15, 2, 27) == encode(pictures, 15, 2, 27)
