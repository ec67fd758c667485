"""A camera's own motion event on its way: from the column `own_motion` to a worker that wakes the camera."""

import ipaddress
import time
from dataclasses import replace
from pathlib import Path

import pytest

from base import SystemClock
from camera_config import Site, SiteError, load_site, write_site
from fleet.setups import setups_of
from fleet.worker import Worker, WorkerConfig
from ingest.onvif import AskedCamera, Login, notices
from tests.fleet.small_site import small_site
from tests.servers.onvif import PASSWORD, USER, Camera, OnvifServer, motion

DEADLINE_S = 20.0


def site_with(folder: Path, url: str, network: str | None) -> Site:
    site = small_site(folder, {"c1": url, "c2": "rtsp://127.0.0.1:9/c2"}, login=(USER, PASSWORD))
    first, second = site.cameras
    networks = (ipaddress.ip_network(network),) if network else ()
    return replace(site, cameras=(replace(first, own_motion=True), second), camera_networks=networks)


def test_the_column_is_read_and_says_where_to_ask(tmp_path: Path) -> None:
    write_site(site_with(tmp_path, "rtsp://127.0.0.1:9/c1", "127.0.0.0/8"), tmp_path)
    site = load_site(tmp_path)
    assert [camera.own_motion for camera in site.cameras] == [True, False]
    first, second = setups_of(site).values()
    assert first.notices == AskedCamera("c1", "127.0.0.1", Login(USER, PASSWORD)) and second.notices is None


@pytest.mark.parametrize(
    ("url", "network"),
    [("rtsp://127.0.0.1/c1", None), ("rtsp://camera-1.example/c1", "127.0.0.0/8")],
    ids=["no network", "a name"],
)
def test_only_an_address_in_the_camera_networks_is_asked(tmp_path: Path, url: str, network: str | None) -> None:
    write_site(site_with(tmp_path, url, network), tmp_path)
    with pytest.raises(SiteError, match=r"cameras\.csv:2: own_motion: expected false"):
        load_site(tmp_path)


def test_a_worker_wakes_the_camera_that_tells_of_motion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = site_with(tmp_path, "rtsp://127.0.0.1:9/c1", "127.0.0.0/8")
    with OnvifServer(Camera(notices=[motion(True)])) as device:
        monkeypatch.setattr(notices, "find_service", lambda *_: (device.port, "/onvif/device_service"))
        empty = WorkerConfig("worker-0", (), (), "UTC", tmp_path / "outbox", (), f"ipc://{tmp_path}/w.tap")
        worker = Worker(empty.with_changes(tuple(setups_of(site).values())), SystemClock())
        worker.start()
        try:
            ends_s = time.monotonic() + DEADLINE_S
            while not (awake := worker.drain(0).stats.awake_cores) and time.monotonic() < ends_s:
                time.sleep(0.02)
            assert awake > 0, "nothing else can have woken it: there is no video"
        finally:
            worker.stop()
