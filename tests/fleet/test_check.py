"""`gridpatrol check`: what it finds of a good camera and of a dead one, and that it changes nothing."""

import io
import json
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from base import Advice, CameraStatus, Codec, EventKind, Health, Quality
from camera_config import write_site
from fleet.commands.check import _show, find
from fleet.run import feeds_of, vault_in
from ingest.simulate import Simulator
from tests.fleet.small_site import small_site
from tests.fleet.test_bad_input import gridpatrol

CANARY = "Canary-5b0e17"


def test_a_good_camera_is_described_and_a_dead_one_named(tmp_path: Path, busy_cameras: Simulator) -> None:
    site = tmp_path / "site"
    write_site(small_site(site, {"good": busy_cameras.url("c0001"), "dead": "rtsp://127.0.0.1:9/x"}), site)
    done = gridpatrol("check", str(site), "--data", str(tmp_path / "data"), "--seconds", "6", "--json")
    assert done.returncode == 1, "one camera is dead"
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(row["part"], row["ok"]) for row in rows[:3]] == [("site", True), ("database", True), ("network", True)]
    cameras = {row["camera"]: row for row in rows[3:]}
    good, dead = cameras["good"], cameras["dead"]
    assert (good["codec"], good["width_px"], good["height_px"], good["error"]) == ("h264", 640, 360, "")
    assert 10 <= good["frames_per_s"] <= 16, "the camera shares a busy machine"
    assert 1.9 <= good["gop_s"] <= 2.1
    assert abs(good["skew_s"]) < 1
    assert "refused" in dead["error"].lower()
    assert not (tmp_path / "data").exists(), "a check changes nothing"


def test_a_rule_that_no_network_here_can_fulfil_is_named(tmp_path: Path) -> None:
    plain = small_site(tmp_path / "site", {"c1": "rtsp://127.0.0.1:9/x"})
    fire = replace(plain.rules[0], name="stove", kind=EventKind.FIRE_SMOKE, labels=("fire", "smoke"))
    write_site(replace(plain, rules=(*plain.rules, fire)), tmp_path / "site")
    done = gridpatrol("check", str(tmp_path / "site"), "--data", str(tmp_path / "data"), "--no-cameras", "--json")
    wrong = [row["text"] for line in done.stdout.splitlines() if not (row := json.loads(line))["ok"]]
    assert done.returncode == 1 and len(wrong) == 1
    assert wrong[0].startswith("camera c1, rule stove: fire_smoke needs a network that knows fire or smoke; this one knows")


def test_a_sealed_login_is_opened_and_one_that_the_key_does_not_open_is_named(tmp_path: Path) -> None:
    site, data, other = tmp_path / "site", tmp_path / "data", tmp_path / "other"
    data.mkdir()
    sealed = vault_in(data).seal("yard", "viewer", CANARY)
    plain = small_site(site, {"c1": "rtsp://127.0.0.1:9/x"})
    cameras = tuple(replace(camera, credential="yard") for camera in plain.cameras)
    write_site(replace(plain, cameras=cameras, credentials=(*plain.credentials, sealed)), site)
    found = {finding.part: (finding, loaded) for finding, loaded in find(site, data, "")}
    assert "logins" not in found and found["site"][1] is not None
    assert [feed.password for feed in feeds_of(found["site"][1])] == [CANARY]
    other.mkdir()
    vault_in(other).seal("x", "x", "made for its key")
    [(logins, _)] = [each for each in find(site, other, "") if each[0].part == "logins"]
    assert not logins.ok and "does not open the logins yard" in logins.text


def test_a_narrow_window_cuts_nothing_off() -> None:
    good = CameraStatus("c0001", Health.ONLINE, Quality.EXCELLENT, 1.0, 2.0, 15.0, 512.0, codec=Codec.H264, profile="Main@3.1")
    error = "10.0.0.12:554: byte 249: the camera refuses the password of user '[red]' (401)"
    bad = CameraStatus("c0002", Health.DEGRADED, Quality.UNUSABLE, 1.0, None, error=error, advice=(Advice.WRONG_CREDENTIALS,))
    shown = io.StringIO()
    _show(Console(file=shown, width=60), (good, bad))
    lines = shown.getvalue().splitlines()
    assert len(lines) == 4 and "h264 Main@3.1" in lines[1] and "512" in lines[1] and "…" not in shown.getvalue()
    assert lines[3] == f"c0002  {error}; correct user and password of its login"
