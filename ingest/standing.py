"""Where a calm camera stands between two sweeps, and what it brought since, as plain values."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ingest.connection import Connection
from ingest.rtsp.calm import Calm, Read, Stretch
from ingest.timeline import Placing

__all__ = ["Brought", "Keys", "Standing"]


@dataclass(slots=True)
class Standing:
    """What must be known to read a camera on at a glance: what its next RTP packet looks like, and when it is to be swept."""

    connection: Connection
    refuse: Callable[[bytes, int, Exception | None], None]
    calm: Calm
    word: int  # first 16 bits of a frame, "$" and channel
    base: int  # first 32 bits of an RTP packet, without marker and sequence number
    sequence: int  # of the newest one
    stamp: int  # RTP timestamp of the newest picture
    ssrc: int
    placing: Placing
    since_s: float  # monotonic; what came until then was counted
    until_s: float  # monotonic; then the session has something to do
    most_bytes: int  # in one read: more is a matter for `sweep`


@dataclass(slots=True)
class Keys:
    """Of the newest read, what begins with its first key frame: at which byte, after how many pictures, which RTP timestamps it
    and the picture before it have; sizes of it and of all that follow, and the places of key frames among these.
    """

    begin: int
    after: int
    stamp: int
    before: int
    size: Sequence[int]
    key: Sequence[int]


@dataclass(slots=True)
class Brought:
    """What one camera brought since it was last taken; in between there was no pause. Without pictures only `since_s` counts."""

    calm: Calm
    reads: list[Read]
    keys: Keys | None
    pictures: int
    rtp_packets: int
    taken_bytes: int
    came_bytes: int
    reports: Sequence[tuple[float, bytes]]
    first: int  # RTP timestamps
    last: int
    spacing: int
    placing: Placing
    since_s: float
    arrival: tuple[float, float, float]  # of the first read, UTC and monotonic, and monotonic of the last
    utc_s: float  # of the last

    def stretches(self, camera: str) -> list[Stretch]:
        """One, or that before and that from a key frame on."""
        keys, shift = self.keys, self.placing.shift
        if keys is None:
            return [Stretch(self.calm, camera, shift, self.reads, self.pictures, (self.first, self.last), self.arrival)]
        reads, found = self.reads, list[Stretch]()
        data, offset_s = reads.pop()
        behind = len(keys.size)
        if self.pictures > behind:
            if keys.after:
                reads.append((data[: keys.begin], offset_s))
            stamps = self.first, keys.before
            found.append(Stretch(self.calm, camera, shift, reads, self.pictures - behind, stamps, self.arrival))
        newest, read = (self.utc_s, self.arrival[2], self.arrival[2]), (data[keys.begin :], offset_s)
        found.append(Stretch(self.calm, camera, shift, [read], behind, (keys.stamp, self.last), newest, keys.size, keys.key))
        return found
