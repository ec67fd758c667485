"""Decoding: the right picture in the right row at the right time, and nothing wrong after a loss."""

from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray

from base import Codec, DecodeError, Packet, SystemClock
from ingest.decode import AwakeDecoder, DecodeLoop, KeyDecoders, decode_key, reduce_luma
from ingest.frames import LatestFrames
from ingest.gate import Gate
from ingest.ring import Ring
from ingest.row_masks import RowMasks
from tests.ingest.conftest import GOP, HEIGHT, WIDTH, encode, encode_timed, picture, split

MASK = ((0.4, 0.4), (0.6, 0.4), (0.6, 0.6))


def packets(units: list[bytes], gop: int = GOP) -> list[Packet]:
    return [Packet("c1", index / 15, index * 6000, index % gop == 0, data) for index, data in enumerate(units)]


def error_of(luma: NDArray[np.uint8], index: int, size: tuple[int, int] = (WIDTH, HEIGHT)) -> float:
    """Mean absolute difference from the picture that was drawn, in grey levels (limited-range luma)."""
    drawn = cv2.cvtColor(picture(index, *size), cv2.COLOR_BGR2YUV)[:, :, 0].astype(np.float32) * 219 / 255 + 16
    return float(np.abs(luma.astype(np.float32) - drawn).mean())


def test_key_frames_of_different_sizes_share_a_pool() -> None:
    pool = KeyDecoders()
    small, large = packets(encode(frames=1))[0], packets(encode(frames=1, width=642, height=354))[0]
    for _ in range(3):
        for one, size in ((small, (WIDTH, HEIGHT)), (large, (642, 354))):
            luma = pool.decode(one).luma
            assert luma.shape == size[::-1] and error_of(luma, 0, size) < 4
    assert len(pool._decoders) == 2


def test_h265_cameras_of_different_sizes_have_a_decoder_each() -> None:
    pool = KeyDecoders()
    for _ in range(2):
        for width, height in ((320, 180), (640, 360)):
            key = encode_h265(width, height)
            assert pool.decode(Packet("c1", 0.0, 0, True, key, Codec.H265)).luma.shape == (height, width)
    assert len(pool._decoders) == 2


def encode_h265(width: int, height: int) -> bytes:
    """A key frame with its parameter sets in front, as our depacketizer puts them."""
    encoder = av.CodecContext.create("libx265", "w")
    assert isinstance(encoder, VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = width, height, "yuv420p", Fraction(1, 15)
    encoder.options = {"preset": "ultrafast", "x265-params": "log-level=none:bframes=0:repeat-headers=1:info=0:pools=1"}
    encoded = encoder.encode(av.VideoFrame.from_ndarray(picture(0, width, height), format="bgr24"))
    unit = bytes((encoded or encoder.encode(None))[0])
    return b"".join(b"\0\0\0\1" + nal for nal in split(unit))


def test_the_pool_is_bounded() -> None:
    pool = KeyDecoders()
    for width in range(64, 64 + 16 * 12, 16):
        pool.decode(packets(encode(frames=1, width=width, height=64))[0])
    assert len(pool._decoders) == 8


def test_the_reduced_luma_is_the_mean_of_what_it_covers() -> None:
    rng = np.random.default_rng(1)
    luma = rng.integers(0, 256, (180, 320), dtype=np.uint8)
    slow = luma.astype(np.float64).reshape(90, 2, 160, 2).mean(axis=(1, 3))
    assert np.abs(reduce_luma(luma) - slow).max() <= 0.5


def test_an_awake_camera_decodes_every_frame_at_its_time() -> None:
    decoder = AwakeDecoder()
    for index, one in enumerate(packets(encode(frames=20))):
        ((time_s, is_key, shown),) = decoder.decode(one)
        assert (time_s, is_key) == (index / 15, index % GOP == 0) and error_of(shown.luma, index) < 4
        assert shown.bgr().shape == (HEIGHT, WIDTH, 3)


def test_b_frames_come_out_in_order_of_display() -> None:
    decoder, shown = AwakeDecoder(), []
    units = encode_timed(frames=24, gop=24, b_frames=2)
    assert [number for number, _ in units] != sorted(number for number, _ in units)
    for at, (number, data) in enumerate(units):
        shown += decoder.decode(Packet("c1", number / 15, number * 6000, at == 0, data))
    numbers = [round(time_s * 15) for time_s, _, _ in shown]
    assert len(shown) >= 20 and numbers == list(range(len(shown)))
    assert all(error_of(one.luma, number) < 4 for number, (_, _, one) in zip(numbers, shown, strict=True))


def test_after_a_loss_nothing_comes_until_the_next_key_frame() -> None:
    decoder, out = AwakeDecoder(), []
    for index, one in enumerate(packets(encode(frames=20))):
        lost = Packet(one.camera, one.time_s, one.pts_90k, one.is_key, one.data, lost=2) if index == 3 else one
        out += [time_s for time_s, _, _ in decoder.decode(lost)]
    assert out == [index / 15 for index in range(20) if not 3 <= index < GOP]


def test_a_new_size_in_mid_stream_goes_on_at_its_key_frame() -> None:
    decoder = AwakeDecoder()
    before, after = packets(encode(frames=8)), packets(encode(frames=8, width=640, height=360))
    shapes = [shown.luma.shape for one in before + after for _, _, shown in decoder.decode(one)]
    assert shapes == [(HEIGHT, WIDTH)] * 8 + [(360, 640)] * 8


@pytest.mark.parametrize("data", [b"", b"\0\0\0\1", b"garbage" * 20])
def test_what_does_not_decode_is_a_decode_error(data: bytes) -> None:
    with pytest.raises(DecodeError, match="c9"):
        decode_key(Packet("c9", 0.0, 0, True, data))
    with pytest.raises(DecodeError, match="c9"):
        KeyDecoders().decode(Packet("c9", 0.0, 0, True, data))


def test_the_loop_delivers_what_led_to_the_alarm_once_and_in_order() -> None:
    clock = SystemClock()
    gate = Gate(Ring(2, 3, 10**6, 10**7), clock, 60)
    frames = LatestFrames(2, 64, 64, gate.work_ready.set)
    loop = DecodeLoop(gate, frames, clock)
    clip = packets(encode(frames=14))
    gate.admit(1, clip[:12])
    while loop.run_once():
        pass
    assert loop.stats.key_frames == 1
    gate.wake(1, clock.now_s() + 60)
    gate.admit(1, clip[12:])
    while loop.run_once():
        pass
    seen = []
    while (batch := frames.take(0)) is not None:
        assert batch.camera.tolist() == [1]
        seen.append((round(batch.time_s[0] * 15), bool(batch.is_key[0]), bool(batch.awake[0])))
        index = round(batch.time_s[0] * 15)
        assert np.array_equal(batch.luma[0], reduce_luma(batch.picture[0].luma)) and error_of(batch.picture[0].luma, index) < 4
    # From the key frame before; every third one is looked at, and what was looked at before is not once more.
    assert seen == [(8, True, False), (0, True, True), *[(index, False, True) for index in (3, 6, 11)]]
    assert loop.stats.frames == 14


@pytest.mark.parametrize("is_awake", [False, True])
def test_of_a_row_that_is_another_camera_meanwhile_nothing_is_handed_on(is_awake: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a picture of the old camera came without its mask, or as one of the new camera."""
    clock = SystemClock()
    gate = Gate(Ring(2, 3, 10**6, 10**7), clock, 60)
    frames, masks = LatestFrames(2, 64, 64, gate.work_ready.set), RowMasks([(MASK,), ()])
    loop = DecodeLoop(gate, frames, clock, masks)
    if is_awake:
        gate.wake(0, clock.now_s() + 60)

    def exchanged(luma: NDArray[np.uint8]) -> NDArray[np.uint8]:
        with masks.lock:
            gate.forget(0)
            frames.forget(0)
            masks.exchange(0, ())
        return reduce_luma(luma)

    gate.admit(0, packets(encode(frames=1)))
    monkeypatch.setattr("ingest.decode.reduce_luma", exchanged)
    assert loop.run_once() and frames.take(0) is None
    monkeypatch.undo()
    gate.admit(0, [one._replace(time_s=one.time_s + 60) for one in packets(encode(frames=1))])
    assert loop.run_once()
    batch = frames.take(0)
    assert batch is not None and batch.camera.tolist() == [0]


def test_all_frames_of_a_slow_camera_are_looked_at() -> None:
    clock = SystemClock()
    gate = Gate(Ring(1, 3, 10**6, 10**7), clock, 60)
    frames = LatestFrames(1, 64, 64, gate.work_ready.set)
    loop = DecodeLoop(gate, frames, clock)
    gate.wake(0, clock.now_s() + 60)
    gate.admit(0, [one._replace(time_s=one.time_s * 2.5) for one in packets(encode(frames=7))])  # six a second
    while loop.run_once():
        pass
    assert sum(1 for _ in iter(lambda: frames.take(0), None)) == 7


def test_a_broken_key_frame_does_not_stop_the_loop() -> None:
    clock = SystemClock()
    gate = Gate(Ring(1, 3, 10**6, 10**7), clock, 60)
    frames = LatestFrames(1, 64, 4, gate.work_ready.set)
    loop = DecodeLoop(gate, frames, clock)
    good = packets(encode(frames=1))[0]
    gate.admit(0, [Packet("c1", 1.0, 0, True, good.data[:60])])
    with pytest.raises(DecodeError):
        loop.run_once()
    gate.admit(0, [Packet("c1", 2.0, 0, True, good.data)])
    assert loop.run_once()
    batch = frames.take(0)
    assert batch is not None and batch.time_s.tolist() == [2.0]
