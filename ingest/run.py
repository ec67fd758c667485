"""Packets of one camera that came together, in decoding order: with what the hops need of all of them as columns."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from base.records import Packet

__all__ = ["PacketRun", "Packets", "Run", "Settled", "as_run"]


class Run(Protocol):
    """Never empty. Iterating makes the packets, if they do not exist yet: not for who wants to know only how many there are.

    `size` has the bytes of each packet's data (where it was `told` before, only with key frames), `key` the places of key frames,
    `bytes` is what keeping it takes.
    """

    @property
    def size(self) -> Sequence[int]: ...
    @property
    def key(self) -> Sequence[int]: ...
    @property
    def bytes(self) -> int: ...

    @property
    def lost(self) -> int:
        """RTP packets missing before any of them."""
        ...

    @property
    def told(self) -> bool:
        """Whether the sizes were told when it came, by `Glances.look`."""
        ...

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Packet]: ...

    def packet(self, at: int) -> Packet: ...

    def pts_90k(self, at: int) -> int:
        """Media time of one of them, negative `at` from the end."""
        ...

    @property
    def newest_s(self) -> float:
        """UTC of the last one."""
        ...

    def part(self, begin: int, end: int) -> "Run":
        """Those from `begin` to `end`, keeping nothing of the others alive."""
        ...


class Settled(Run, Protocol):
    """What was read at a glance from `utc_s` on, `now_s` to `until_s` by the monotonic clock; in between there was no pause."""

    @property
    def utc_s(self) -> float: ...
    @property
    def now_s(self) -> float: ...
    @property
    def until_s(self) -> float: ...


class PacketRun:
    """A run of packets that exist."""

    __slots__ = ("_packets", "bytes", "key", "lost", "size")
    told = False

    def __init__(self, packets: list[Packet]) -> None:
        self._packets = packets
        self.size = [len(packet.data) for packet in packets]
        self.key = [at for at, packet in enumerate(packets) if packet.is_key]
        self.lost = sum(packet.lost for packet in packets)
        self.bytes = sum(self.size)

    def __len__(self) -> int:
        return len(self._packets)

    def __iter__(self) -> Iterator[Packet]:
        return iter(self._packets)

    def packet(self, at: int) -> Packet:
        return self._packets[at]

    def pts_90k(self, at: int) -> int:
        return self._packets[at].pts_90k

    @property
    def newest_s(self) -> float:
        return self._packets[-1].time_s

    def part(self, begin: int, end: int) -> "PacketRun":
        return PacketRun(self._packets[begin:end])


Packets = Run | list[Packet]
"""A run, or what one can be made of."""


def as_run(packets: Packets) -> Run:
    return PacketRun(packets) if isinstance(packets, list) else packets
