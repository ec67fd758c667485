"""Control: events are acknowledged only after they are stored, lost workers come back, nothing is told twice."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path

import pytest

from base import (
    CameraStatus,
    Clip,
    Codec,
    Event,
    EventKind,
    Gap,
    GapCause,
    Health,
    Packet,
    Quality,
    Report,
    SourceError,
    StorageError,
    SystemClock,
    Tier,
    Watched,
    WatchRun,
)
from fleet.control import Control, Sink
from fleet.homes import WorkerLost
from fleet.setups import CameraSetup, gone
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
        self.changed: list[CameraSetup] = []
        self.lost: WorkerLost | None = None
        self.gaps: list[Gap] = []
        self.clips: list[Clip] = []
        self.watched: tuple[tuple[WatchRun, ...], float] = (), 0.0

    def start(self) -> None:
        self.starts += 1
        self.lost = None

    def drain(self, acknowledged: int, clips: Sequence[str] = ()) -> Report:
        if self.lost is not None:
            raise self.lost
        self.acknowledged = max(self.acknowledged, acknowledged)
        events = tuple(self.outbox[self.acknowledged : self.acknowledged + 2])
        status = CameraStatus("c1", Health.ONLINE, Quality.EXCELLENT, 0.0, 1.0)
        gaps, self.gaps = tuple(self.gaps), []
        (runs, until_s), self.watched = self.watched, ((), self.watched[1])
        number = self.acknowledged + len(events)
        self.clips = [clip for clip in self.clips if clip.event not in clips]
        told = tuple(self.clips)
        return Report("worker-0", number, events, (status,), gaps, watched=runs, watched_until_s=until_s, clips=told)

    def snapshot(self, camera: str) -> bytes:
        if self.lost is not None:
            raise self.lost
        return b"jpeg of " + camera.encode()

    def change(self, setups: Sequence[CameraSetup]) -> None:
        self.config = self.config.with_changes(setups)
        self.changed += setups
        if self.lost is not None:
            raise self.lost

    def tap(self, camera: str) -> AbstractAsyncContextManager[AsyncIterator[Packet]]:
        return subscribe(self.config.tap_address, camera)

    def stop(self) -> None:
        pass


class ListSink(Sink):
    """A database that refuses as often as it is told to."""

    def __init__(self, refusals: int = 0) -> None:
        self.stored: list[str] = []
        self.told: list[CameraStatus] = []
        self.gap: dict[tuple[str, float], Gap] = {}
        self.refusals = refusals
        self.runs: list[WatchRun] = []
        self.clips: list[str] = []
        self.clip_refusals = 0
        super().__init__(self.put, self.tell, self.account, self.write, self.keep)

    async def keep(self, clip: Clip) -> None:
        if self.clip_refusals:
            self.clip_refusals -= 1
            raise StorageError("disk full")
        self.clips.append(clip.event)

    async def put(self, events: Sequence[Event]) -> None:
        if self.refusals:
            self.refusals -= 1
            raise StorageError("disk full")
        self.stored += [item.id for item in events]

    async def account(self, gaps: Sequence[Gap]) -> None:
        if self.refusals:
            self.refusals -= 1
            raise StorageError("disk full")
        self.gap.update(((gap.camera, gap.began_s), gap) for gap in gaps)

    async def write(self, runs: Sequence[WatchRun]) -> None:
        self.runs += runs

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


def test_gaps_are_recorded_and_those_of_a_lost_worker_last_until_the_next_one_reports(tmp_path: Path) -> None:
    home, sink, clock = ScriptedHome(tmp_path), ListSink(), SystemClock()
    control = Control([home], sink, clock)
    stopped = Gap("c1", 1.0, None, GapCause.SITE_STOPPED)
    control.deliver_to(sink, [stopped])
    assert control.open_gaps() == {"c1": stopped}
    first_s = clock.now_s()
    home.gaps = [Gap("c1", first_s, None, GapCause.STARTING), Gap("c1", first_s, first_s + 0.1, GapCause.STARTING)]

    def killed_and_back() -> bool:
        if home.starts == 1 and len(sink.gap) == 2:
            home.lost = WorkerLost("killed")
        if home.starts == 2 and len(sink.gap) == 3:
            home.gaps = [Gap("c1", clock.now_s(), None, GapCause.STARTING)]
        return len(sink.gap) == 4

    asyncio.run(run_until(control, killed_and_back))
    before, start, lost, again = [sink.gap[key] for key in sorted(sink.gap)]
    assert before == Gap("c1", 1.0, first_s, GapCause.SITE_STOPPED) and start.ended_s == first_s + 0.1
    assert lost.cause is GapCause.WORKER and lost.began_s >= first_s and lost.ended_s == again.began_s
    assert control.open_gaps() == {"c1": again} and set(control.ended_gaps_s()) == {
        GapCause.SITE_STOPPED,
        GapCause.STARTING,
        GapCause.WORKER,
    }


def test_gaps_a_database_refuses_are_recorded_once_it_does_not(tmp_path: Path) -> None:
    home, sink = ScriptedHome(tmp_path), ListSink(refusals=1)
    home.gaps = [Gap("c1", 5.0, None, GapCause.CONNECT)]
    asyncio.run(run_until(Control([home], sink, SystemClock()), lambda: bool(sink.gap)))
    assert sink.refusals == 0 and list(sink.gap.values()) == [Gap("c1", 5.0, None, GapCause.CONNECT)]


def test_what_a_lost_worker_had_not_told_counts_as_not_watched(tmp_path: Path) -> None:
    """From the last minute it told on; one that is lost again before it told anything changes nothing."""
    home, sink = ScriptedHome(tmp_path), ListSink()
    quiet, again = WatchRun("c1", 60.0, None, Watched.QUIET), WatchRun("c1", 300.0, None, Watched.QUIET)
    home.watched = (quiet,), 180.0

    def lost_twice_and_back() -> bool:
        if home.starts == 1 and sink.runs:
            home.watched, home.lost = ((), 0.0), WorkerLost("killed")
        elif home.starts == 2 and home.lost is None:
            home.lost = WorkerLost("killed again, before its first minute was over")
        elif home.starts == 3 and again not in sink.runs:
            home.watched = (again,), 360.0
        return again in sink.runs

    asyncio.run(run_until(Control([home], sink, SystemClock()), lost_twice_and_back))
    assert sink.runs == [quiet, WatchRun("c1", 180.0, None, Watched.WORKER), again]


def clip(number: int, folder: Path) -> Clip:
    return Clip(f"e{number}", "c1", 1.0, 9.0, 120, Codec.H264, 640, 360, 1000, "ab" * 32, False, (), folder / f"e{number}.mp4")


def test_clips_are_told_until_they_are_stored_and_hold_up_no_event(tmp_path: Path) -> None:
    home, sink = ScriptedHome(tmp_path), ListSink()
    home.clips = [clip(0, tmp_path), clip(1, tmp_path)]
    sink.clip_refusals = 1  # tried again five seconds later; events do not wait for that
    home.outbox = [event(number) for number in range(5)]
    control = Control([home], sink, SystemClock())
    asyncio.run(run_until(control, lambda: home.acknowledged == 5 and [each.event for each in home.clips] == ["e0"]))
    assert sink.stored == ["e0", "e1", "e2", "e3", "e4"] and sink.clips == ["e1"]
    again = Control([home], sink, SystemClock())
    asyncio.run(run_until(again, lambda: not home.clips))
    assert sink.clips == ["e1", "e0"]


def test_events_do_not_wait_while_a_clip_is_being_stored(tmp_path: Path) -> None:
    class SlowDisk(ListSink):
        async def keep(self, clip: Clip) -> None:
            await asyncio.Event().wait()

    home, sink = ScriptedHome(tmp_path), SlowDisk()
    home.clips, home.outbox = [clip(0, tmp_path)], [event(number) for number in range(4)]
    asyncio.run(run_until(Control([home], sink, SystemClock()), lambda: home.acknowledged == 4))
    assert sink.stored == ["e0", "e1", "e2", "e3"] and [each.event for each in home.clips] == ["e0"]


def test_cameras_are_added_where_there_is_room_and_dropped_with_their_gaps(tmp_path: Path) -> None:
    """A worker that is lost meanwhile comes back with what was asked for."""
    home = ScriptedHome(tmp_path)
    home.config = replace(home.config, rows=2)
    control = Control([home], _quiet_sink(), SystemClock())
    new = [CameraSetup(name, Feed(name, f"rtsp://127.0.0.1/{name}")) for name in ("c2", "c3")]
    refused = asyncio.run(control.change(new))
    assert list(refused) == ["c3"] and "room" in refused["c3"]
    assert control.statuses().keys() == {"c1", "c2"} and [feed.camera for feed in home.config.feeds] == ["c1", "c2"]
    home.lost = WorkerLost("worker-0: gone")
    control.deliver_to(_quiet_sink(), [Gap("c1", 5.0, None, GapCause.SITE_STOPPED)])
    assert asyncio.run(control.change([gone("c1"), gone("c9")])) == {}
    assert control.statuses().keys() == {"c2"} and not control.open_gaps()
    assert [feed.camera for feed in home.config.feeds] == ["c2"] and [setup.camera for setup in home.changed] == ["c2", "c1"]
    assert asyncio.run(control.change(new[1:])) == {}


def _quiet_sink() -> Sink:
    async def take(_: object) -> None:
        """What is told is of no interest here."""

    return Sink(take, take, take, take, take)
