"""A worker in a process of its own: questions while it starts, dies and hangs; and how fast it is gone."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from base import Health, SourceError, SystemClock
from fleet.homes import InProcessHome, SubprocessHome, WorkerLost
from fleet.setups import CameraSetup
from fleet.worker import WorkerConfig
from ingest import Feed
from ingest.simulate import Simulator
from tests.fleet.running import kill, wait_until


def config(folder: Path, simulator: Simulator) -> WorkerConfig:
    feeds = tuple(Feed(camera.id, simulator.url(camera.id)) for camera in simulator.plan.cameras)
    zone = ZoneInfo("UTC").key
    return WorkerConfig("worker-0", feeds, (), zone, folder / "outbox", (), f"ipc://{folder}/w.tap", "WARNING")


@pytest.fixture
def home(tmp_path: Path, busy_cameras: Simulator) -> Iterator[SubprocessHome]:
    home = SubprocessHome(config(tmp_path, busy_cameras))
    yield home
    home.stop()


def longer(answers: list[bytes], than: int) -> Callable[[], bool]:
    return lambda: len(answers) > than


def test_snapshots_asked_for_while_it_starts_and_dies_never_confuse_it(home: SubprocessHome) -> None:
    """Eight pages ask for pictures all the time; the worker is killed and started three times. Only two answers are legal."""
    asking, wrong, answers = threading.Event(), list[BaseException](), list[bytes]()

    def page() -> None:
        while not asking.is_set():
            try:
                answers.append(home.snapshot("c0001"))
            except (SourceError, WorkerLost):
                time.sleep(0.01)
            except BaseException as error:
                wrong.append(error)
                return

    pages = [threading.Thread(target=page) for _ in range(8)]
    for thread in pages:
        thread.start()
    try:
        for _ in range(3):
            home.start()
            before = len(answers)
            wait_until(longer(answers, before + 5), 40, "pictures")
            assert home.pid is not None
            kill(home.pid)
            with pytest.raises(WorkerLost):
                while True:
                    home.drain(0)
            home.stop()
    finally:
        asking.set()
        for thread in pages:
            thread.join(10)
    assert not wrong, wrong
    assert all(answer.startswith(b"\xff\xd8") for answer in answers)


def test_a_hung_worker_is_gone_within_five_seconds(home: SubprocessHome) -> None:
    home.start()
    assert home.pid is not None
    os.kill(home.pid, signal.SIGSTOP)

    def ask() -> None:
        with pytest.raises(WorkerLost):
            home.drain(0)

    drain = threading.Thread(target=ask)
    drain.start()
    began_s = time.monotonic()
    home.stop()
    assert time.monotonic() - began_s < 5
    assert home.pid is None
    drain.join(10)


def test_it_reports_its_cameras_and_its_counters(home: SubprocessHome) -> None:
    home.start()
    online: set[str] = set()

    def all_online() -> bool:
        report = home.drain(0)
        online.update(status.camera for status in report.statuses if status.health is Health.ONLINE)
        return len(online) == 6 and report.stats.packets > 100 and report.stats.key_frames_decoded >= 6

    wait_until(all_online, 40, "six cameras online and decoded")


def test_a_worker_that_cannot_start_says_why(tmp_path: Path, busy_cameras: Simulator) -> None:
    (tmp_path / "outbox").write_text("a file where a folder should be")
    for home in (SubprocessHome(config(tmp_path, busy_cameras)), InProcessHome(config(tmp_path, busy_cameras), SystemClock())):
        with pytest.raises(WorkerLost, match="outbox"):
            home.start()
        home.stop()


@pytest.mark.parametrize("where", [SubprocessHome, InProcessHome])
def test_a_worker_that_cannot_change_a_camera_does_not_go_on_as_before(
    where: type[SubprocessHome] | type[InProcessHome],
    tmp_path: Path,
    busy_cameras: Simulator,
) -> None:
    """Else the masks of before would stay in force while everybody is told of the new ones."""
    made = config(tmp_path, busy_cameras)
    home = SubprocessHome(made) if where is SubprocessHome else InProcessHome(made, SystemClock())
    home.start()
    try:
        with pytest.raises(WorkerLost, match="no room for camera new"):
            home.change([CameraSetup("new", Feed("new", "rtsp://127.0.0.1:9/x"))])
        with pytest.raises(WorkerLost):
            home.drain(0)
        assert "new" in {feed.camera for feed in home.config.feeds}
    finally:
        home.stop()
