"""Control: events are acknowledged only after they are stored, lost workers come back, nothing is told twice."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from base import CameraStatus, Event, EventKind, Health, Packet, Quality, Report, SourceError, StorageError, SystemClock, Tier
from fleet.control import Control, Sink
from fleet.homes import WorkerLost
from fleet.tap import subscribe
from fleet.worker import WorkerConfig
from ingest import Feed


def event(number: int) -> Event:
    box = (0.1, 0.1, 0.2, 0.3)
    return Event(f"e{number}", "c1", EventKind.INTRUSION, "person", "r", "z", 2, 1.0, 2.0, None, 0.9, box, Tier.AWAKE)


class ScriptedHome:
    """A worker handle whose outbox is a list: the second implementation of the seam. Dies when told to, forgets nothing."""

    def __init__(self, tmp_path: Path) -> None:
        feeds = (Feed("c1", "rtsp://127.0.0.1/c1"),)
        self.config = WorkerConfig("worker-0", feeds, (), "UTC", tmp_path, (), f"ipc://{tmp_path}/t")
        self.outbox: list[Event] = []
        self.acknowledged = 0
        self.starts = 0
        self.lost: WorkerLost | None = None

    def start(self) -> None:
        self.starts += 1
        self.lost = None

    def drain(self, acknowledged: int) -> Report:
        if self.lost is not None:
            raise self.lost
        self.acknowledged = max(self.acknowledged, acknowledged)
        events = tuple(self.outbox[self.acknowledged : self.acknowledged + 2])
        status = CameraStatus("c1", Health.ONLINE, Quality.EXCELLENT, 0.0, 1.0)
        return Report("worker-0", self.acknowledged + len(events), events, (status,))

    def snapshot(self, camera: str) -> bytes:
        if self.lost is not None:
            raise self.lost
        return b"jpeg of " + camera.encode()

    def tap(self, camera: str) -> AbstractAsyncContextManager[AsyncIterator[Packet]]:
        return subscribe(self.config.tap_address, camera)

    def stop(self) -> None:
        pass


class ListSink(Sink):
    """A database that refuses as often as it is told to."""

    def __init__(self, refusals: int = 0) -> None:
        self.stored: list[str] = []
        self.told: list[CameraStatus] = []
        self.refusals = refusals
        super().__init__(self.put, self.tell)

    async def put(self, events: Sequence[Event]) -> None:
        if self.refusals:
            self.refusals -= 1
            raise StorageError("disk full")
        self.stored += [item.id for item in events]

    async def tell(self, statuses: Sequence[CameraStatus]) -> None:
        self.told += statuses


async def run_until(control: Control, reached: Callable[[], bool]) -> None:
    """Run control until `reached()` holds, at most 10 s."""
    task = asyncio.create_task(control.run())
    try:
        async with asyncio.timeout(10):
            while not reached():
                await asyncio.sleep(0.01)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def test_events_are_stored_in_order_and_only_then_acknowledged(tmp_path: Path) -> None:
    home, sink = ScriptedHome(tmp_path), ListSink()
    home.outbox = [event(number) for number in range(5)]
    control = Control([home], sink, SystemClock())
    asyncio.run(run_until(control, lambda: home.acknowledged == 5))
    assert sink.stored == ["e0", "e1", "e2", "e3", "e4"]


def test_a_refusing_database_loses_nothing(tmp_path: Path) -> None:
    home, sink = ScriptedHome(tmp_path), ListSink(refusals=1)
    home.outbox = [event(0), event(1)]
    control = Control([home], sink, SystemClock())
    asyncio.run(run_until(control, lambda: home.acknowledged == 2))
    assert sink.stored == ["e0", "e1"]


def test_a_lost_worker_is_started_again_and_its_cameras_are_told_offline_meanwhile(tmp_path: Path) -> None:
    home, sink = ScriptedHome(tmp_path), ListSink()
    control = Control([home], sink, SystemClock())

    def killed_and_back() -> bool:
        if home.starts == 1 and sink.told:
            home.lost = WorkerLost("killed")
        return home.starts == 2 and sink.told[-1].health is Health.ONLINE

    asyncio.run(run_until(control, killed_and_back))
    assert Health.OFFLINE in {status.health for status in sink.told}
    assert control.restarts == {"worker-0": 1}


def test_snapshots_of_unknown_cameras_and_lost_workers_are_source_errors(tmp_path: Path) -> None:
    home = ScriptedHome(tmp_path)
    control = Control([home], ListSink(), SystemClock())
    assert asyncio.run(control.snapshot("c1")) == b"jpeg of c1"
    with pytest.raises(SourceError, match="no such camera"):
        asyncio.run(control.snapshot("c2"))
    home.lost = WorkerLost("gone")
    with pytest.raises(SourceError, match="restarted"):
        asyncio.run(control.snapshot("c1"))
