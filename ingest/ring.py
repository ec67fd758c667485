"""The last GOPs of every camera, encoded, in memory."""

from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from base.records import Packet

__all__ = ["Ring"]


@dataclass(slots=True, eq=False)
class _Gop:
    """Packets from one key frame to the next; `bytes` is the sum of their sizes."""

    row: int
    packets: list[Packet] = field(default_factory=list)
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

    def extend(self, row: int, packets: Iterable[Packet]) -> None:
        """Append packets of one camera in decoding order. What comes before its first key frame is not kept."""
        gop, added = self._open[row], 0
        for packet in packets:
            if packet.is_key:
                gop = self._begin(row)
            if gop is not None:
                size = len(packet.data)
                gop.packets.append(packet)
                gop.bytes += size
                added += size
        self._camera_bytes[row] += added
        self.bytes += added
        while self._camera_bytes[row] > self._most_camera_bytes:
            self._drop(self._gops[row][0])
        while self.bytes > self._most_bytes:
            self._drop(next(iter(self._by_age.values())))

    def newest_gop(self, row: int) -> tuple[Packet, ...]:
        """The newest GOP of a camera from its key frame on; empty if there is none."""
        return tuple(self._gops[row][-1].packets) if self._gops[row] else ()

    def seconds(self, row: int) -> float:
        """Media time between a camera's oldest and newest packet."""
        gops = self._gops[row]
        return max(0.0, (gops[-1].packets[-1].pts_90k - gops[0].packets[0].pts_90k) / 90_000) if gops else 0.0

    def seal(self, row: int) -> None:
        """The newest GOP is over, whatever comes: the next packets belong to another connection."""
        self._open[row] = None

    def is_sealed(self, row: int) -> bool:
        """Whether the next packet that is kept can only be a key frame."""
        return self._open[row] is None

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
