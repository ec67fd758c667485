"""What the dashboard may ask of the running fleet; `fleet/` implements it, the tests do too."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from base import CameraStatus, Gap, GapCause, Packet, StreamName, WorkerStats

__all__ = ["FleetView", "ManyTap", "WorkerState"]


@dataclass(frozen=True, slots=True)
class WorkerState:
    """A worker as control knows it: what it watches, how often it was started again in this run, when it was last heard, UTC."""

    name: str
    cameras: int
    restarts: int
    heard_s: float


class ManyTap(Protocol):
    """Key frames of many cameras, and all packets of a few, until closed; no method waits."""

    def want(self, keys: Iterable[str], whole: Iterable[str]) -> None:
        """From now on the key frames of `keys`, the newest at once, and all packets of `whole`; to be repeated every second."""
        ...

    def take(self) -> list[Packet]:
        """What came since the last call, in order for each camera."""
        ...

    def close(self) -> None:
        """Want nothing more; safe to repeat."""
        ...


class FleetView(Protocol):
    """The running fleet, seen from the event loop; every method is called there and none may block it."""

    def statuses(self) -> Mapping[str, CameraStatus]:
        """The last known status of each camera that has reported one, by camera id."""
        ...

    def open_gaps(self) -> Mapping[str, Gap]:
        """The gap of each camera that is not seen now, by camera id."""
        ...

    def ended_gaps_s(self) -> Mapping[GapCause, float]:
        """Seconds of all gaps of all cameras that ended in this run, by cause."""
        ...

    async def snapshot(self, camera: str) -> bytes:
        """The newest key frame as JPEG; raises SourceError if the camera has none."""
        ...

    def packets(self, camera: str, stream: StreamName = StreamName.SUB) -> AbstractAsyncContextManager[AsyncIterator[Packet]]:
        """The camera's packets: the cached GOP from its key frame at once, then live ones as they arrive.

        Of the main stream, which is opened only while somebody looks at it, there may be nothing cached.

        The camera counts as watched while the context is open. Entering raises SourceError when nobody can give packets;
        iterating raises SourceError, or ends, when the tap is lost.
        """
        ...

    def many(self) -> ManyTap:
        """A tap of as many cameras as one likes, which does not count as watching those of which it gives only key frames."""
        ...

    def stats(self) -> Mapping[str, WorkerStats]:
        """Counters of each worker, by worker id."""
        ...

    def workers(self) -> Sequence[WorkerState]:
        """Every worker, those that cannot be reached too, in the order of their names."""
        ...
