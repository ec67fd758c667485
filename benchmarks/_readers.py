"""Readers of many cameras, each kind in a process of its own: ours, and a PyAV thread per camera."""

import logging
import multiprocessing
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Self

import psutil

__all__ = ["ReaderProcess", "Taken", "read_ours", "read_pyav"]

_CONNECTS_PER_S = 50.0


@dataclass(frozen=True, slots=True)
class Taken:
    """Since the start: processor time (user and system) of the process, access units, RTP packets lost. Sizes are of now."""

    cpu_s: float
    frames: int
    lost: int
    playing: int  # cameras from which media has come
    rss_bytes: int
    ring_bytes: int = 0
    packet_stats_us: float = 0.0  # a frame; measured when asked "stats"


class ReaderProcess:
    """A process that reads `urls` by `target` while the context is open. One owner."""

    def __init__(self, target: "Callable[[Connection[Taken, str], list[str]], None]", urls: list[str]) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=target, args=(theirs, urls), name=target.__name__, daemon=True)
        self._process.start()
        theirs.close()
        self.ask()
        self.began_s = time.monotonic()

    def ask(self, word: str = "count") -> Taken:
        self._pipe.send(word)
        answer = self._pipe.recv()
        assert isinstance(answer, Taken)
        return answer

    def opened_s(self, cameras: int, within_s: float) -> float | None:
        """Seconds from the start until media came from all cameras; None if that took longer than `within_s`."""
        while self.ask().playing < cameras:
            if time.monotonic() - self.began_s > within_s:
                return None
            time.sleep(0.1)
        return time.monotonic() - self.began_s

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._pipe.close()
        self._process.join(2.0)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def read_ours(pipe: "Connection[Taken, str]", urls: list[str]) -> None:
    """Sweep reader, timeline, rates, ring, gate and packet statistics: hops 1 and 2, all that happens before decoding."""
    from base import SystemClock
    from ingest.gate import Gate
    from ingest.packet_stats import PacketStats
    from ingest.reader import SweepReader
    from ingest.ring import Ring
    from ingest.run import PacketRun, Run
    from ingest.settings import DEFAULT_SETTINGS as SETTINGS
    from ingest.source import Feed

    logging.disable(logging.WARNING)  # at the end every camera goes at once
    feeds = [Feed(f"c{row:04d}", url) for row, url in enumerate(urls)]
    clock, stop = SystemClock(), threading.Event()
    ring = Ring(len(feeds), SETTINGS.ring_gops, SETTINGS.ring_camera_bytes, SETTINGS.ring_bytes)
    gate, stats = Gate(ring, clock, SETTINGS.awake_packets), PacketStats(len(feeds), clock)

    def deliver(row: int, run: Run) -> None:
        gate.admit(row, run)
        if not run.told:
            stats.note(row, run.size, run.key)

    reader = SweepReader(feeds, clock, SETTINGS, deliver, gate.awake, restarted=gate.restart, note=stats.note_many)
    thread = threading.Thread(target=reader.run, args=(stop,), name="read", daemon=True)
    thread.start()

    def stats_us() -> float:
        """What the statistics take for the newest packets of every camera, three at a time as a sweep brings them."""
        newest = [(row, PacketRun(list(gate.gop(row)[-3:]))) for row in range(len(feeds))]
        again, began_s = PacketStats(len(feeds), clock), time.thread_time()
        for _ in range(20):
            for row, packets in newest:
                again.note(row, packets.size, packets.key)
        return (time.thread_time() - began_s) / 20 / max(1, sum(len(packets) for _, packets in newest)) * 1e6

    def taken(word: str) -> Taken:
        return Taken(
            cpu_s=time.process_time(),
            frames=sum(life.stats.packets for life in reader.lives),
            lost=sum(life.stats.lost for life in reader.lives),
            playing=sum(life.streaming for life in reader.lives),
            rss_bytes=psutil.Process().memory_info().rss,
            ring_bytes=gate.stats().ring_bytes,
            packet_stats_us=stats_us() if word == "stats" else 0.0,
        )

    _answer(pipe, taken)
    stop.set()
    thread.join(2.0)


def read_pyav(pipe: "Connection[Taken, str]", urls: list[str]) -> None:
    """FFmpeg's RTSP client by PyAV, a thread per camera; each takes packets and counts them, and keeps nothing."""
    import av

    stop = threading.Event()
    counts = [0] * len(urls)

    def read(row: int) -> None:
        try:
            with av.open(urls[row], options={"rtsp_transport": "tcp"}, timeout=(60.0, 10.0)) as container:
                for packet in container.demux(video=0):
                    counts[row] += packet.size > 0
                    if stop.is_set():
                        return
        except av.FFmpegError:
            return  # it has counted what it got; the missing frames say the rest

    def open_all() -> None:
        for row in range(len(urls)):
            threading.Thread(target=read, args=(row,), name=f"read-{row}", daemon=True).start()
            if stop.wait(1 / _CONNECTS_PER_S):
                return

    threading.Thread(target=open_all, name="open", daemon=True).start()

    def taken(word: str) -> Taken:
        rss_bytes = psutil.Process().memory_info().rss
        return Taken(time.process_time(), sum(counts), 0, sum(count > 0 for count in counts), rss_bytes)

    _answer(pipe, taken)
    stop.set()


def _answer(pipe: "Connection[Taken, str]", taken: Callable[[str], Taken]) -> None:
    """Tell how far it is whenever asked, until the other side closes."""
    try:
        while True:
            pipe.send(taken(pipe.recv()))
    except EOFError:
        return
