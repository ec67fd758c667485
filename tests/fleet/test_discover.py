"""`gridpatrol site discover`: cameras on the network become rows of a table that an import takes."""

import dataclasses
import functools
import ipaddress
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import fleet.commands.site
from camera_config import Credential, Site, load_site, write_site
from camera_config.district import make_district
from camera_config.table_files import read_rows
from fleet.cli import app
from fleet.run import vault_in
from ingest.onvif import discover
from tests.ingest.test_onvif import Responder, match
from tests.servers.onvif import PASSWORD, USER, Camera, OnvifServer


def site(folder: Path, networks: tuple[str, ...], *more: Credential) -> Site:
    demo = make_district(cameras=2).site
    logins = (*demo.credentials, Credential("gate", USER, PASSWORD), *more)
    cameras = tuple(
        dataclasses.replace(camera, url_sub=f"rtsp://10.1.1.{n}/sub", url_main="") for n, camera in enumerate(demo.cameras, 1)
    )
    demo = dataclasses.replace(demo, cameras=cameras)
    places = dataclasses.replace(demo, credentials=logins, camera_networks=tuple(map(ipaddress.IPv4Network, networks)))
    write_site(places, folder)
    return load_site(folder)


@pytest.mark.parametrize("login", ["gate", "yard"])
def test_a_camera_is_found_asked_and_saved_as_a_row(login: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, table = tmp_path / "site", tmp_path / "found.csv"
    before = site(folder, ("127.0.0.0/8", "10.0.0.0/8"), vault_in(tmp_path).seal("yard", USER, PASSWORD))
    with OnvifServer(Camera()) as camera, Responder(match(f"http://127.0.0.1:{camera.port}/onvif/device_service")) as responder:
        on_this_port = functools.partial(discover, target=("127.0.0.1", responder.port))
        monkeypatch.setattr(fleet.commands.site, "discover", on_this_port)
        asked = [
            "site",
            "discover",
            "--site",
            str(folder),
            "--range",
            "127.0.0.1/32",
            "--credential",
            login,
            "--data",
            str(tmp_path),
            "--save",
            str(table),
        ]
        done = CliRunner().invoke(app, [*asked, "--seconds", "0.5", "--json"])
    assert done.exit_code == 0, done.output
    (found,) = json.loads(done.stdout)["devices"]
    assert (found["model"], found["name_en"], found["error"]) == ("Loopback L-1", "Gate 07", "")
    (row,) = read_rows(table)
    assert row.values["url_sub"] == "rtsp://127.0.0.1:554/sub?a=1&b=2"
    assert (row.values["credential"], row.values["analysed_px"], row.values["recorded_px"]) == (login, "640x360", "1920x1080")
    assert PASSWORD not in done.output
    assert load_site(folder) == before


def test_a_sealed_login_needs_its_key(tmp_path: Path) -> None:
    site(tmp_path / "site", ("127.0.0.0/8", "10.0.0.0/8"), vault_in(tmp_path).seal("yard", USER, PASSWORD))
    asked = ["site", "discover", "--site", str(tmp_path / "site"), "--data", str(tmp_path / "site"), "--credential"]
    assert "does not open the login 'yard'" in str(CliRunner().invoke(app, [*asked, "yard"]).exception)
    assert "there is no login 'nobody'" in str(CliRunner().invoke(app, [*asked, "nobody"]).exception)


def test_without_camera_networks_nothing_is_searched(tmp_path: Path) -> None:
    site(tmp_path / "site", ())
    done = CliRunner().invoke(app, ["site", "discover", "--site", str(tmp_path / "site")])
    assert "camera_networks: missing" in str(done.exception)


def test_a_camera_outside_of_the_camera_networks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        Exception, match=r"cameras.csv:2: url_sub: expected an address in camera_networks \(192.168.0.0/16\), got 10.1.1.1"
    ):
        site(tmp_path / "site", ("192.168.0.0/16",))
