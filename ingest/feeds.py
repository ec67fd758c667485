"""Hops 1-3 of a picture's life on one page: socket -> packet -> gate -> reduced frame."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from base.clock import Clock
from base.errors import DecodeError, SourceError
from base.records import CameraStatus, FrameBatch, Gap, GapCause, Packet
from ingest.decode import DecodeLoop, decode_key
from ingest.frames import LatestFrames
from ingest.gate import Gate
from ingest.life import SourceFactory
from ingest.packet_stats import PacketLevels, PacketStats
from ingest.reader import SweepReader
from ingest.ring import Ring
from ingest.row_masks import RowMasks
from ingest.run import Run
from ingest.settings import DEFAULT_SETTINGS, IngestSettings
from ingest.source import Feed

__all__ = ["Feeds", "IngestStats"]

_STOP_S = 2.0
_JPEG_QUALITY = 85


@dataclass(frozen=True, slots=True)
class IngestStats:
    """Counters since the start, and sizes now, of one worker's ingest."""

    packets: int = 0
    bytes: int = 0
    lost: int = 0  # RTP packets
    key_frames_decoded: int = 0  # while quiet
    key_frames_still: int = 0  # not decoded: by their packets nothing had changed
    frames_decoded: int = 0  # while awake
    frames_dropped: int = 0  # let through the gate, then given up because decoding or the pipeline fell behind
    decode_errors: int = 0
    reconnects: int = 0
    cameras_online: int = 0
    cameras_fast: int = 0  # in the fast lane of the sweep
    cameras_awake: int = 0
    ring_bytes: int = 0
    sweeps: int = 0  # turns of the reader thread
    sweep_s: float = 0.0  # its time at work
    sweeps_late: int = 0  # turns that began a whole turn too late


class Feeds:
    """All cameras of one worker, from URL to frames. Rows of a `FrameBatch` are positions in `feeds`. Who asks for a camera that
    is not there any more gets nothing.

    The thread `read` sweeps the sockets (hop 1) and passes packets through the gate (hop 2); the thread `decode` turns what the
    gate lets through into reduced frames (hop 3). `next_batch` belongs to the pipeline thread, everything else may be called
    from any. `on_packet` is called on the reader thread, in order, for every packet of watched cameras, and for the key frames of
    those of which somebody looks at these; it must not block.
    """

    def __init__(
        self,
        feeds: Sequence[Feed],
        clock: Clock,
        settings: IngestSettings = DEFAULT_SETTINGS,
        on_packet: Callable[[Packet], None] | None = None,
        make_source: SourceFactory | None = None,
    ) -> None:
        named = [(feed.camera, row) for row, feed in enumerate(feeds) if feed.camera]
        self._rows = dict(named)  # replaced as a whole, so that any thread may look
        if len(self._rows) != len(named):
            raise ValueError("feeds: expected every camera once")
        self._on_packet = on_packet
        self._keyed: frozenset[int] = frozenset()  # replaced as a whole, so that any thread may
        self._clock = clock
        ring = Ring(len(feeds), settings.ring_gops, settings.ring_camera_bytes, settings.ring_bytes)
        self._packet_stats = PacketStats(len(feeds), clock)
        self._gate = Gate(ring, clock, settings.awake_packets, self._packet_stats.stillness)
        self._reader = SweepReader(
            feeds,
            clock,
            settings,
            self._admit,
            self._gate.awake,
            make_source,
            restarted=self._gate.restart,
            note=self._packet_stats.note_many,
        )
        self._frames = LatestFrames(
            len(feeds), settings.pending_frames, settings.pending_frames_per_camera, self._gate.work_ready.set
        )
        self._masks = RowMasks([feed.masks for feed in feeds])
        self._decode = DecodeLoop(self._gate, self._frames, clock, self._masks)
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._reader.run, args=(self._stop,), name="read", daemon=True),
            threading.Thread(target=self._decode.run, args=(self._stop,), name="decode", daemon=True),
        ]

    def start(self) -> None:
        """Begin connecting to all cameras; returns at once."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Close all cameras and end both threads, within 2 s. May be called twice."""
        self._stop.set()
        self._gate.work_ready.set()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(_STOP_S / len(self._threads))

    def exchange(self, row: int, feed: Feed) -> threading.Event:
        """Make a row another camera, connected anew, or, with an empty feed, nobody's; no other row is touched.

        At once nobody finds the old camera any more, a little later the event is set: then nothing of it comes any more.
        """
        known = {camera: at for camera, at in self._rows.items() if at != row}
        self._rows = {**known, feed.camera: row} if feed.camera else known

        def swapped() -> None:
            with self._masks.lock:
                self._gate.forget(row)
                self._packet_stats.forget(row)
                self._frames.forget(row)
                self._masks.exchange(row, feed.masks)

        return self._reader.exchange(row, feed, swapped)

    def silent_s(self) -> float:
        """Seconds since the slower of the two threads last came round; infinite once one has ended, 0 before `start`."""
        if self._threads[0].ident is None:
            return 0.0
        if not all(thread.is_alive() for thread in self._threads):
            return float("inf")
        return self._clock.monotonic_s() - min(self._reader.pulse_s, self._decode.pulse_s)

    def _admit(self, row: int, run: Run) -> None:
        """Hop 2, on the reader thread."""
        self._gate.admit(row, run)
        if not run.told:
            self._packet_stats.note(row, run.size, run.key)
        if self._on_packet is None:
            return
        if self._reader.watched(row):
            for packet in run:
                self._on_packet(packet)
        elif row in self._keyed:
            for at in run.key:
                self._on_packet(run.packet(at))

    def next_batch(self, timeout_s: float) -> FrameBatch | None:
        """At most one frame of every camera, or None if there is none within `timeout_s`. Pipeline thread only.

        The newest wins while a camera is quiet; all come in order while it is awake. If the pipeline falls behind, the decoder
        waits for it, and the gate drops what was not decoded yet, counted.
        """
        return self._frames.take(timeout_s)

    def wake(self, camera: str, until_s: float) -> None:
        """Decode this camera from its last key frame on, then all frames, until `until_s` (UTC), at most 120 s. Extendable."""
        row = self._rows.get(camera)
        if row is not None:
            self._gate.wake(row, until_s)

    def awake(self, camera: str) -> bool:
        row = self._rows.get(camera)
        return row is not None and self._gate.awake(row)

    def sleep(self, camera: str) -> None:
        """Decode only key frames of this camera from now on, and give up what waits for its decoder."""
        row = self._rows.get(camera)
        if row is not None:
            self._gate.sleep(row)

    def packet_levels(self, quantile: float, octaves: float) -> PacketLevels:
        """From which size on packets are unusual, by row: beyond `quantile`, and `octaves` above the median."""
        return self._packet_stats.levels(quantile, octaves)

    def take_packet_peaks(self) -> NDArray[np.float64]:
        """Log2 of the largest packets of each row since the last call, -inf where none came: what tier T0 looks at."""
        return self._packet_stats.take_peaks()

    def gap_causes(self) -> tuple[GapCause | None, ...]:
        """Why each row is not seen now; None for those that are."""
        return tuple(life.gap_cause for life in self._reader.lives)

    def backlog_s(self) -> float:
        """How far the decoders of awake cameras are behind, the mean over these."""
        return self._gate.backlog_s()

    @property
    def decode_s(self) -> NDArray[np.float64]:
        """Processor seconds spent on decoding since the start, f64 (2, rows): quiet, awake. Grows while it is looked at."""
        return self._decode.cpu_s

    def watch(self, camera: str, watched: bool) -> None:
        """Read a camera every 25 ms, and pass its packets to `on_packet`, while somebody looks at it."""
        row = self._rows.get(camera)
        if row is not None:
            self._reader.watch(row, watched)

    def watch_keys(self, camera: str, watched: bool) -> None:
        """Pass a camera's key frames to `on_packet` while somebody looks at these; it is read as before. One thread only."""
        row = self._rows.get(camera)
        if row is not None:
            self._keyed = self._keyed | {row} if watched else self._keyed - {row}

    def gop(self, camera: str) -> tuple[Packet, ...]:
        """The newest GOP from its key frame on; empty if there is none."""
        row = self._rows.get(camera)
        return () if row is None else self._gate.gop(row)

    def packets(self, camera: str) -> tuple[Packet, ...]:
        """All that the ring keeps of a camera, from a key frame on; empty if there is nothing."""
        row = self._rows.get(camera)
        return () if row is None else self._gate.packets(row)

    def snapshot(self, camera: str) -> bytes:
        """JPEG of the newest key frame; raises SourceError if there is none. Decodes: 2-30 ms by size."""
        row = self._rows.get(camera)
        if row is None:
            raise SourceError(f"{camera}: no picture yet")
        with self._masks.lock:
            gop, masks = self._gate.gop(row), self._masks.of(row)
        if not gop:
            raise SourceError(f"{camera}: no picture yet")
        try:
            picture = decode_key(gop[0], masks).bgr()
        except DecodeError as error:
            raise SourceError(f"no picture: {error}") from error
        done, jpeg = cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY))
        if not done:
            raise SourceError(f"{camera}: a picture of {picture.shape} that is no JPEG")
        return jpeg.tobytes()

    def statuses(self) -> tuple[CameraStatus, ...]:
        """One per camera, in order of rows, about a second old; of calm cameras up to three and a half."""
        lives, gate = self._reader.lives, self._gate
        return tuple(life.status(gate.ring_s(life.row), gate.awake(life.row)) for life in lives)

    def gaps(self) -> tuple[Gap, ...]:
        """Gaps of all cameras that began, changed or ended since the last call."""
        return self._reader.gaps.take()

    def stats(self) -> IngestStats:
        lives, gate, decoded = self._reader.lives, self._gate.stats(), self._decode.stats
        return IngestStats(
            packets=sum(life.stats.packets for life in lives),
            bytes=sum(life.stats.bytes for life in lives),
            lost=sum(life.stats.lost for life in lives),
            key_frames_decoded=decoded.key_frames,
            key_frames_still=gate.still,
            frames_decoded=decoded.frames,
            frames_dropped=gate.dropped + self._frames.replaced,
            decode_errors=decoded.errors,
            reconnects=sum(life.reconnects for life in lives),
            cameras_online=sum(life.streaming for life in lives),
            cameras_fast=self._reader.stats.fast,
            cameras_awake=gate.awake,
            ring_bytes=gate.ring_bytes,
            sweeps=self._reader.stats.sweeps,
            sweep_s=self._reader.stats.busy_s,
            sweeps_late=self._reader.stats.late,
        )
