"""Wrong files, wrong passwords, dead and lying cameras, taken ports: one clear sentence each, and the rest keeps running."""

import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import httpx
import psutil
import pytest

from base import SystemClock
from camera_config import Credential, write_site
from ingest.simulate import ClipCache, Fault, FaultKind, SimCamera, SimPlan, Simulator
from tests.fleet.running import Running, wait_until
from tests.fleet.small_site import small_site
from tests.fleet.test_kill import missing

CANARY = "Canary-9f3b71c2"
FAULTS = {
    "garbage": (Fault(FaultKind.GARBAGE, at_s=0.0, for_s=0.0),),
    "hang": (Fault(FaultKind.STALL, at_s=0.0, for_s=0.0),),
}


def gridpatrol(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "fleet.cli", *arguments], capture_output=True, text=True, timeout=60, check=False
    )


def test_a_wrong_site_is_one_list_of_what_to_mend(tmp_path: Path) -> None:
    site = tmp_path / "site"
    write_site(small_site(site, {"c0001": "rtsp://127.0.0.1:9/x"}), site)
    cameras = (site / "cameras.csv").read_text("utf-8")
    (site / "cameras.csv").write_text(cameras.replace("rtsp://", "file://", 1), "utf-8")
    (site / "teams.toml").write_text((site / "teams.toml").read_text("utf-8").replace("g01", "g99"), "utf-8")
    done = gridpatrol("run", str(site), "--data", str(tmp_path / "data"))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "cameras.csv:2" in done.stderr
    assert "g99" in done.stderr
    assert not (tmp_path / "data").exists(), "nothing is made before the site is right"


def test_a_missing_site_says_so(tmp_path: Path) -> None:
    done = gridpatrol("run", str(tmp_path / "nowhere"))
    assert done.returncode == 1
    assert "nowhere" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_taken_port_is_named_with_what_to_do(tmp_path: Path) -> None:
    site = tmp_path / "site"
    write_site(small_site(site, {"c0001": "rtsp://127.0.0.1:9/x"}), site)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = gridpatrol("run", str(site), "--data", str(tmp_path / "data"), "--port", str(port))
    assert done.returncode == 1
    assert f"port {port}" in done.stderr
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr


def test_two_gridpatrols_on_one_data_folder_are_refused(tmp_path: Path) -> None:
    site = tmp_path / "site"
    write_site(small_site(site, {"c0001": "rtsp://127.0.0.1:9/x"}), site)
    with Running(site, tmp_path / "data"):
        done = gridpatrol("run", str(site), "--data", str(tmp_path / "data"), "--port", "0")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "stop that Gridpatrol first" in done.stderr


@pytest.mark.timeout(240)
def test_bad_cameras_are_told_apart_and_disturb_no_other(tmp_path: Path, clips: ClipCache) -> None:
    """A good camera beside one with a wrong password, one that nobody answers for, one that sends garbage, one that hangs."""
    names = ("good", "login", "garbage", "hang")
    plan = SimPlan(tuple(SimCamera(name, "street", faults=FAULTS.get(name, ())) for name in names), user="admin", password=CANARY)
    simulator = Simulator(plan, {name: clips.get(spec) for name, spec in plan.specs().items()}, SystemClock())
    simulator.start()
    urls = {name: simulator.url(name) for name in names} | {"nobody": "rtsp://127.0.0.1:9/x"}
    site = small_site(tmp_path / "site", urls, login=("admin", CANARY))
    wrong = Credential("wrong", "admin", "not-" + CANARY[::-1])
    cameras = tuple(replace(camera, credential="wrong") if camera.id == "login" else camera for camera in site.cameras)
    write_site(replace(site, cameras=cameras, credentials=(*site.credentials, wrong)), tmp_path / "site")
    try:
        with Running(tmp_path / "site", tmp_path / "data", "--workers", "1") as running:
            client = sign_in(running)

            def states() -> dict[str, tuple[str, str]]:
                answer = client.get("/api/v1/cameras").raise_for_status().json()
                return {item["id"]: (item["health"], item["error"]) for item in answer["items"]}

            wait_until(lambda: states()["good"][0] == "online", 40, "the good camera is online")
            wait_until(lambda: all(states()[name][1] for name in ("login", "garbage", "hang", "nobody")), 60, "all tell why")
            seen = states()
            assert "401" in seen["login"][1]
            assert "refused" in seen["nobody"][1].lower()
            assert seen["good"] == ("online", "")
            check_no_secret_anywhere(running, client, tmp_path / "data")
            client.close()
    finally:
        simulator.stop()


def sign_in(running: Running) -> httpx.Client:
    """The first administrator, as a client of the API."""
    client = httpx.Client(base_url=running.url, headers={"Origin": running.url}, timeout=10)
    body = {"secret": running.setup_secret, "name": "admin", "password": "correct horse battery"}
    client.post("/api/v1/setup", json=body).raise_for_status()
    return client


def check_no_secret_anywhere(running: Running, client: httpx.Client, data: Path) -> None:
    """Neither password is in the log, an answer of the API, a command line, an environment, or a file of the data folder."""
    secrets = (CANARY, "not-" + CANARY[::-1])
    texts = {path: client.get(path).text for path in ("/api/v1/site", "/api/v1/cameras", "/api/v1/teams", "/metrics")}
    texts["log"] = running.log.read_text("utf-8", "replace")
    assert running.process is not None
    for process in (psutil.Process(running.process.pid), *psutil.Process(running.process.pid).children(recursive=True)):
        texts[f"process {process.pid}"] = " ".join(process.cmdline()) + repr(process.environ())
    for path in data.rglob("*"):
        if path.is_file():
            texts[str(path)] = path.read_bytes().decode("latin-1")
    assert len(texts) > 8
    assert not [where for where, text in texts.items() for secret in secrets if secret in text]


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
@pytest.mark.timeout(240)
def test_a_full_disk_loses_no_acknowledged_event(tmp_path: Path, busy_cameras: Simulator) -> None:
    """The data folder is a disk of 24 MB that fills up while events come, and is freed again."""
    data = tmp_path / "data"
    data.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(data)], check=False).returncode:
        pytest.skip("mounting is not permitted here")
    try:
        urls = {camera.id: busy_cameras.url(camera.id) for camera in busy_cameras.plan.cameras}
        site = tmp_path / "site"
        write_site(small_site(site, urls, labels=("person", "vehicle"), dwell_s=0.0, dead_time_s=0.5, min_score=0.3), site)
        with Running(site, data, "--workers", "1") as running:
            wait_until(lambda: len(running.acknowledged()) >= 2, 60, "events come")
            fill(data / "ballast")
            wait_until(lambda: "events wait in" in running.new_log(), 90, "the full disk is told")
            assert httpx.get(running.url + "/healthz", timeout=10).is_success, "the rest keeps running"
            (data / "ballast").unlink()
            before = len(running.acknowledged())
            wait_until(lambda: len(running.acknowledged()) > before, 60, "events are acknowledged again")
            wait_until(lambda: not missing(running, data / "gridpatrol.db"), 60, "every acknowledged event is stored")
            assert "Traceback" not in running.new_log()
    finally:
        subprocess.run(["umount", "-l", str(data)], check=False)


def fill(path: Path) -> None:
    """Write until the disk takes no more."""
    with path.open("wb", buffering=0) as ballast:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while True:
                    ballast.write(b"x" * size)
            except OSError:
                continue
