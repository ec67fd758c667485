"""`gridpatrol site versions` and `site restore`: an edited folder is a version, and an earlier one comes back."""

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from base import SystemClock
from camera_config import Site, SiteError, load_site
from camera_config.change_cameras import files_after, remove_camera
from camera_config.site_files import read_site_files, replace_files
from dashboard import Registry
from fleet.cli import app
from storage import Store
from tests.camera_config.small_site import write_small_site


def _run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["site", *map(str, arguments)])


def test_a_change_that_was_killed_half_way_is_whole_at_the_next_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed after the cameras were replaced and before the rules were: by itself such a folder loads no more."""
    folder = write_small_site(tmp_path / "site")
    site, files = load_site(folder), read_site_files(folder)
    after = files_after(site, remove_camera(site, "c0001"), files)

    def killed(path: Path, to: Path) -> None:
        if path.name == "rules.toml":
            raise KeyboardInterrupt
        os.replace(path, to)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, "replace", killed)
        replace_files(folder, after)
    with pytest.raises(SiteError):
        load_site(folder)
    started: list[Site] = []

    async def start(loaded: Site, *_: object) -> None:
        started.append(loaded)

    monkeypatch.setattr("fleet.commands.run.run_site", start)
    done = CliRunner().invoke(app, ["run", str(folder), "--data", str(tmp_path / "data")])
    assert done.exit_code == 0, done.output
    assert "c0001" not in started[0].camera_by_id and read_site_files(folder) == after


def test_versions_are_listed_and_an_earlier_one_comes_back(tmp_path: Path) -> None:
    folder, data = tmp_path / "site", tmp_path / "data"
    write_small_site(folder)
    data.mkdir()
    first = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert json.loads(_run("versions", folder, "--data", data, "--json").stdout) == {"versions": []}
    for azimuth in ("90", "91"):
        table = folder / "cameras.csv"
        table.write_text(table.read_text("utf-8").replace(",90,15,", f",{azimuth},15,"), "utf-8")
        store = Store.open(f"sqlite:///{data}/gridpatrol.db", SystemClock(), load_site(folder))
        Registry(load_site(folder), store).standing()
        Registry(load_site(folder), store).standing()
        store.close()
    listed = json.loads(_run("versions", folder, "--data", data, "--json").stdout)["versions"]
    assert [(one["version"], one["what"], one["by"]) for one in listed] == [(2, "folder", "folder"), (1, "folder", "folder")]
    assert listed[0]["changes"]["changed"] == ["c0001"]
    assert "version 3 now: 0 cameras added, 1 changed, 0 removed" in _run("restore", folder, "1", "--data", data).stdout
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == first
    assert "as it was already" in _run("restore", folder, "1", "--data", data).stdout
    newest, *_ = json.loads(_run("versions", folder, "--data", data, "--json").stdout)["versions"]
    assert (newest["by"], newest["what"], newest["restored"]) == ("command line", "restore", 1)
    assert "restore 1" in _run("versions", folder, "--data", data).stdout
    missing = _run("restore", folder, "9", "--data", data)
    assert "there is no version 9" in str(missing.exception)
