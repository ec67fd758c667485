"""Clips: every frame of what was sent, each at its own time, in a file that plays; masks black."""

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray

from base import Codec, DecodeError, Packet
from ingest.clip_file import write_clip
from tests.ingest.conftest import GOP, HEIGHT, WIDTH, encode_timed, picture

MASK = ((0.4, 0.4), (0.6, 0.4), (0.6, 0.6), (0.4, 0.6))
BEGAN_S = 1_700_000_000.0


def packets(b_frames: int = 0, pause_s: float = 0.0) -> list[Packet]:
    """24 frames at 15 frames/s, in decoding order, with a pause before the second key frame."""
    times = [(number, BEGAN_S + number / 15 + pause_s * (number >= GOP)) for number in range(24)]
    units = encode_timed(24, GOP, b_frames=b_frames)
    return [Packet("c1", times[at][1], 6000 * at, at % GOP == 0, data) for at, data in units]


def h265() -> list[Packet]:
    encoder = av.CodecContext.create("libx265", "w")
    assert isinstance(encoder, VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt, encoder.framerate = WIDTH, HEIGHT, "yuv420p", Fraction(15)
    options = "keyint=8:min-keyint=8:scenecut=0:bframes=0:repeat-headers=1:pools=1:frame-threads=1:log-level=none"
    encoder.options = {"preset": "ultrafast", "x265-params": options}
    encoded = []
    for index in range(16):
        frame = av.VideoFrame.from_ndarray(picture(index), format="bgr24")
        frame.pts = index
        encoded += encoder.encode(frame)
    encoded += encoder.encode(None)
    return [Packet("c1", BEGAN_S + at / 15, 6000 * at, at % 8 == 0, bytes(one), Codec.H265) for at, one in enumerate(encoded)]


def jpegs() -> list[Packet]:
    """Of an odd width: H.264 has even ones only."""
    data = [cv2.imencode(".jpg", picture(index, 321, 180))[1].tobytes() for index in range(6)]
    return [Packet("c1", BEGAN_S + at / 5, 18_000 * at, True, jpeg, Codec.MJPEG) for at, jpeg in enumerate(data)]


def played(path: Path) -> list[tuple[float, NDArray[np.uint8]]]:
    """Second and picture of every frame, decoded anew."""
    with av.open(str(path)) as file:
        return [
            (float(frame.time or 0), np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)) for frame in file.decode(video=0)
        ]


@pytest.mark.parametrize("b_frames", [0, 2])
def test_h264_is_copied_bit_for_bit_and_a_pause_stays_as_long_as_it_was(tmp_path: Path, b_frames: int) -> None:
    sent = packets(b_frames, pause_s=5.0)
    footage = write_clip(tmp_path / "clip.mp4", sent)
    assert (footage.codec, footage.width_px, footage.height_px, footage.reencoded) == (Codec.H264, WIDTH, HEIGHT, False)
    shown = played(tmp_path / "clip.mp4")
    expected = sorted(packet.time_s - BEGAN_S for packet in sent)
    offset = shown[0][0]  # a player that reorders begins a frame or two late
    assert offset <= 2 / 15 + 1e-6 and [second - offset for second, _ in shown] == pytest.approx(expected, abs=1e-3)
    assert list(footage.time_s) == pytest.approx([BEGAN_S + second for second in expected], abs=1e-4)
    for index, (_, bgr) in enumerate(shown):
        assert cv2.absdiff(bgr, picture(index)).mean() < 8, "the right picture at the right time"


def test_h265_is_copied_under_the_name_that_players_know(tmp_path: Path) -> None:
    footage = write_clip(tmp_path / "clip.mp4", h265())
    assert (footage.codec, footage.reencoded, len(played(tmp_path / "clip.mp4"))) == (Codec.H265, False, 16)
    with av.open(str(tmp_path / "clip.mp4")) as file:
        assert file.streams.video[0].codec_context.codec_tag == "hvc1"


def test_the_file_is_fragmented_so_that_it_plays_before_it_is_whole(tmp_path: Path) -> None:
    write_clip(tmp_path / "clip.mp4", packets())
    data = (tmp_path / "clip.mp4").read_bytes()
    assert data.count(b"moof") == 3 and data.index(b"moov") < data.index(b"moof")
    half = tmp_path / "half.mp4"
    half.write_bytes(data[: data.rindex(b"moof") - 4])
    assert len(played(half)) == 16


def test_a_mask_is_black_in_every_frame_and_nothing_else_is(tmp_path: Path) -> None:
    footage = write_clip(tmp_path / "clip.mp4", packets(pause_s=5.0), [MASK])
    assert footage.reencoded and footage.codec is Codec.H264 and len(footage.time_s) == 24
    shown = played(tmp_path / "clip.mp4")
    assert [second for second, _ in shown] == pytest.approx([time_s - BEGAN_S for time_s in footage.time_s], abs=1e-3)
    for _, bgr in shown:
        assert bgr[int(0.42 * HEIGHT) : int(0.58 * HEIGHT), int(0.42 * WIDTH) : int(0.58 * WIDTH)].max() < 24
        assert bgr[: HEIGHT // 4].mean() > 40


def test_motion_jpeg_becomes_h264_because_browsers_do_not_play_it(tmp_path: Path) -> None:
    footage = write_clip(tmp_path / "clip.mp4", jpegs())
    assert (footage.codec, footage.width_px, footage.height_px, footage.reencoded) == (Codec.H264, 320, 180, True)
    assert [second for second, _ in played(tmp_path / "clip.mp4")] == pytest.approx([at / 5 for at in range(6)], abs=1e-3)


def test_two_frames_of_the_same_moment_are_both_shown(tmp_path: Path) -> None:
    sent = packets()
    sent[5] = sent[5]._replace(time_s=sent[4].time_s)
    assert len(write_clip(tmp_path / "clip.mp4", sent).time_s) == 24 == len(played(tmp_path / "clip.mp4"))


@pytest.mark.parametrize("masks", [(), (MASK,)])
def test_what_is_no_video_is_refused(tmp_path: Path, masks: tuple[tuple[tuple[float, float], ...], ...]) -> None:
    with pytest.raises(DecodeError, match="c1"):
        write_clip(tmp_path / "clip.mp4", [Packet("c1", BEGAN_S, 0, True, b"\0\0\0\1\x65" + bytes(200))], masks)
