"""What decoding costs: milliseconds a key frame and a predicted frame by codec and size, and the key-frame tier of 727 cameras.

``python -m benchmarks.decode --json`` prints one JSON object as its last line; README.md tells what each figure means.
"""

import argparse
import gc
import json
import multiprocessing
import time
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from multiprocessing.connection import Connection

import av
import cv2
import numpy as np
import psutil
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray

from base import Codec, Packet, SimulatedClock
from benchmarks._cameras import CLIPS, busy_plan
from benchmarks._machine import machine
from ingest.decode import AwakeDecoder, KeyDecoders, reduce_luma
from ingest.gate import Gate
from ingest.packet_stats import PacketStats
from ingest.ring import Ring
from ingest.simulate import ClipCache, SceneSpec
from ingest.simulate.scene import Scene

SIZES = ((640, 360), (1280, 720), (1920, 1080))
SCENES = {"quiet": ("street", "day"), "busy": ("street", "rain")}
FPS, GOP_S, CRF = 15, 2.0, 27
GOP = round(FPS * GOP_S)
_SWEEP_S, _FRAMES = 0.2, 3  # of quiet cameras
_KNOWN_S, _TIER_S = 60.0, 16.0  # until packets are known, and what is measured then


@dataclass(frozen=True, slots=True)
class Film:
    """One GOP or more of one scene, encoded as a camera would."""

    codec: Codec
    size: tuple[int, int]
    activity: str
    packets: list[Packet]


def film(codec: Codec, size: tuple[int, int], activity: str, frames: int) -> Film:
    """A drawn scene of 640x360, enlarged if need be; no B-frames, parameter sets in front of key frames."""
    pictures = islice((bgr for bgr, _ in Scene(SceneSpec(*SCENES[activity], fps=FPS)).frames()), frames)
    return Film(codec, size, activity, list(_encoded(codec, size, pictures)))


def _encoded(codec: Codec, size: tuple[int, int], pictures: Iterator[NDArray[np.uint8]]) -> Iterator[Packet]:
    library, options = {Codec.H264: ("libx264", "x264-params"), Codec.H265: ("libx265", "x265-params")}[codec]
    encoder = av.CodecContext.create(library, "w")
    assert isinstance(encoder, VideoCodecContext)
    encoder.width, encoder.height = size
    encoder.pix_fmt, encoder.time_base, encoder.thread_count = "yuv420p", Fraction(1, FPS), 1
    parameters = f"keyint={GOP}:min-keyint={GOP}:scenecut=0:bframes=0:repeat-headers=1:annexb=1"
    quiet = ":log-level=none:pools=1" if codec is Codec.H265 else ":threads=1"
    encoder.options = {"preset": "veryfast", "crf": str(CRF), options: parameters + quiet}
    encoded: list[av.Packet[av.VideoStream]] = []
    for index, bgr in enumerate(pictures):
        enlarged = np.asarray(cv2.resize(bgr, size, interpolation=cv2.INTER_CUBIC), np.uint8)
        frame = av.VideoFrame.from_ndarray(enlarged, format="bgr24")
        frame.pts = index
        encoded += encoder.encode(frame)
    for packet in [*encoded, *encoder.encode(None)]:
        pts = packet.pts or 0
        yield Packet("c", pts / FPS, pts * 90_000 // FPS, bool(packet.is_keyframe), bytes(packet), codec)


def time_film(one: Film, repeats: int) -> dict[str, object]:
    """Milliseconds of the decoding thread, reduction to 160x90 included: key frames by the pool, the rest as while awake."""
    keys = [packet for packet in one.packets if packet.is_key]
    pool, awake = KeyDecoders(), AwakeDecoder()
    key_ms, predicted_ms = list[float](), list[float]()
    for repeat in range(repeats + 1):
        for packet in one.packets:
            began_s = time.thread_time()
            for _, _, picture in awake.decode(packet):
                reduce_luma(picture.luma)
            if repeat and not packet.is_key:  # the first round warms up
                predicted_ms.append((time.thread_time() - began_s) * 1e3)
        for packet in keys:
            began_s = time.thread_time()
            reduce_luma(pool.decode(packet).luma)
            if repeat:
                key_ms.append((time.thread_time() - began_s) * 1e3)
    size = [len(packet.data) for packet in one.packets if not packet.is_key]
    return {
        "codec": str(one.codec),
        "size": "{}x{}".format(*one.size),
        "activity": one.activity,
        "key_ms": round(float(np.mean(key_ms)), 3),
        "predicted_ms": round(float(np.mean(predicted_ms)), 3),
        "key_kb": round(float(np.mean([len(packet.data) for packet in keys])) / 1000, 1),
        "predicted_kb": round(float(np.mean(size)) / 1000, 2),
    }


@dataclass(frozen=True, slots=True)
class Tier:
    """The key-frame tier of many cameras. `all_cores`: if every key frame were decoded; `decoded` is the share that is."""

    cores: float
    all_cores: float
    decoded: float


def tier(cameras: int) -> Tier:
    """Pooled decoders and reduction, of the cameras of the ingest benchmark: the key frames of some seconds that the gate lets
    through once it knows their packets, and each camera's next one for comparison."""
    plan, cache = busy_plan(cameras, FPS), ClipCache(CLIPS)
    cache.prepare(plan.specs().values())
    clips = {name: cache.get(spec).frames for name, spec in plan.specs().items()}
    clock = SimulatedClock()
    stats = PacketStats(cameras, clock)
    gate = Gate(Ring(cameras, 1, 2**20, 2**30), clock, 1, stats.stillness)
    pool, every, let_through, spent_s = KeyDecoders(), dict[int, Packet](), 0, 0.0
    for turn in range(round((_KNOWN_S + _TIER_S) / _SWEEP_S)):
        counts = turn * _SWEEP_S >= _KNOWN_S
        clock.advance(_SWEEP_S)
        for row, camera in enumerate(plan.cameras):
            frames, first = clips[plan.clip_name(camera)], int(camera.offset_s * FPS) + turn * _FRAMES
            numbers = range(first, first + _FRAMES)
            parts = [(number, frames[number % len(frames)]) for number in numbers]
            packets = [Packet(camera.id, number / FPS, number * 6000, part.is_key, part.data) for number, part in parts]
            gate.admit(row, packets)
            stats.add(row, packets)
            every.update((row, packet) for packet in packets if counts and packet.is_key)
        while (work := gate.next_work(lambda _row, _awake: True)) is not None:
            if counts:
                let_through += 1
                spent_s += _decoding_s(pool, work.packet)
    all_cores = sum(_decoding_s(pool, packet) for packet in every.values()) / GOP_S
    return Tier(spent_s / _TIER_S, all_cores, let_through / (cameras * _TIER_S / GOP_S))


def _decoding_s(pool: KeyDecoders, packet: Packet) -> float:
    began_s = time.thread_time()
    reduce_luma(pool.decode(packet).luma)
    return time.thread_time() - began_s


def pool_mb(films: list[Film]) -> float:
    """What the pool's decoders add to a fresh process once they have seen every codec and size."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_weigh_pool, args=(theirs, [one.packets[0] for one in films]), daemon=True)
    process.start()
    found = ours.recv()
    process.join(5.0)
    return float(found)


def _weigh_pool(pipe: "Connection[float, object]", keys: list[Packet]) -> None:
    pool, process = KeyDecoders(), psutil.Process()
    before = process.memory_info().rss
    for _ in range(3):
        for key in keys:
            reduce_luma(pool.decode(key).luma)
    gc.collect()
    pipe.send((process.memory_info().rss - before) / 2**20)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cameras", type=int, default=727, help="whose key frames are decoded for keyframe_tier_cores")
    parser.add_argument("--gops", type=int, default=3, help="GOPs encoded of each codec, size and activity")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="one line of JSON only")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    kinds = [(codec, size, activity) for codec in (Codec.H264, Codec.H265) for size in SIZES for activity in SCENES]
    films = [film(*kind, frames=options.gops * GOP) for kind in kinds]
    times = [time_film(one, options.repeats) for one in films]
    if not options.json:
        for one in times:
            print(*one.values())
    keys = tier(options.cameras)
    result = {
        "decode": times,
        "keyframe_tier_cores": round(keys.cores, 3),
        "keyframe_tier_all_cores": round(keys.all_cores, 3),
        "keyframe_tier_decoded": round(keys.decoded, 3),
        "keyframe_tier_cameras": options.cameras,
        "decoder_pool_mb": round(pool_mb([one for one in films if one.activity == "busy"]), 1),
        "machine": machine(),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
