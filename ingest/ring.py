"""The last GOPs of every camera, encoded, in memory."""

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from itertools import pairwise

from base.records import Packet
from ingest.run import Packets, Run, as_run

__all__ = ["Ring"]


@dataclass(slots=True, eq=False)
class _Gop:
    """From one key frame to the next; `bytes` is the sum of its runs'."""

    row: int
    runs: list[Run] = field(default_factory=list)
    bytes: int = 0


class Ring:
    """GOPs per camera (by row), the newest last. Not thread-safe: `Gate` owns it and guards it with its lock.

    At most `gops` and `camera_bytes` per camera and `total_bytes` in all, evicted by whole GOPs, oldest first; so what is kept
    of a camera always starts at a key frame. Should one GOP alone exceed the bound it is given up, and the camera's ring stays
    empty until its next key frame. Holds references to the packets, copies nothing.
    """

    def __init__(self, rows: int, gops: int, camera_bytes: int, total_bytes: int) -> None:
        self.bytes = 0
        self._gops: list[deque[_Gop]] = [deque() for _ in range(rows)]
        self._camera_bytes = [0] * rows
        self._by_age: OrderedDict[int, _Gop] = OrderedDict()  # id of a GOP -> it, oldest first
        self._open: list[_Gop | None] = [None] * rows  # that the next packet belongs to, unless it is a key frame
        self._most_gops, self._most_camera_bytes, self._most_bytes = gops, camera_bytes, total_bytes

    def extend(self, row: int, packets: Packets) -> None:
        """Append packets of one camera in decoding order. What comes before its first key frame is not kept."""
        run, gop = as_run(packets), self._open[row]
        if not run.key:
            if gop is not None:
                self._append(gop, run)
        else:
            edges = [*run.key, len(run)]
            if edges[0] and gop is not None:
                self._append(gop, run.part(0, edges[0]))
            for begin, end in pairwise(edges):
                self._append(self._begin(row), run.part(begin, end) if end - begin < len(run) else run)
        while self._camera_bytes[row] > self._most_camera_bytes:
            self._drop(self._gops[row][0])
        while self.bytes > self._most_bytes:
            self._drop(next(iter(self._by_age.values())))

    def newest_gop(self, row: int) -> tuple[Packet, ...]:
        """The newest GOP of a camera from its key frame on; empty if there is none."""
        return tuple(packet for run in self._gops[row][-1].runs for packet in run) if self._gops[row] else ()

    def gops_before(self, row: int, most: int) -> list[tuple[Packet, ...]]:
        """Up to `most` GOPs before the newest one, oldest first."""
        gops = list(self._gops[row])[:-1][-most:]
        return [tuple(packet for run in gop.runs for packet in run) for gop in gops]

    def packets(self, row: int) -> tuple[Packet, ...]:
        """All that is kept of a camera, from a key frame on."""
        return tuple(packet for gop in self._gops[row] for run in gop.runs for packet in run)

    def seconds(self, row: int) -> float:
        """Media time between a camera's oldest and newest packet."""
        gops = self._gops[row]
        return max(0.0, (gops[-1].runs[-1].pts_90k(-1) - gops[0].runs[0].pts_90k(0)) / 90_000) if gops else 0.0

    def forget(self, row: int) -> None:
        """Let go of all that is kept of a camera."""
        while self._gops[row]:
            self._drop(self._gops[row][0])
        self._open[row] = None

    def seal(self, row: int) -> None:
        """The newest GOP is over, whatever comes: the next packets belong to another connection."""
        self._open[row] = None

    def is_sealed(self, row: int) -> bool:
        """Whether the next packet that is kept can only be a key frame."""
        return self._open[row] is None

    def _append(self, gop: _Gop, run: Run) -> None:
        gop.runs.append(run)
        gop.bytes += run.bytes
        self._camera_bytes[gop.row] += run.bytes
        self.bytes += run.bytes

    def _begin(self, row: int) -> _Gop:
        gops = self._gops[row]
        while len(gops) >= self._most_gops:
            self._drop(gops[0])
        gop = _Gop(row)
        gops.append(gop)
        self._by_age[id(gop)] = self._open[row] = gop
        return gop

    def _drop(self, gop: _Gop) -> None:
        """Let go of the oldest GOP of its camera."""
        self._gops[gop.row].popleft()
        del self._by_age[id(gop)]
        if self._open[gop.row] is gop:
            self._open[gop.row] = None
        self._camera_bytes[gop.row] -= gop.bytes
        self.bytes -= gop.bytes
