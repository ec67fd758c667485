"""`gridpatrol site versions` and `site restore`: an edited folder is a version, and an earlier one comes back."""

import json
from pathlib import Path

from typer.testing import CliRunner, Result

from base import SystemClock
from camera_config import load_site
from dashboard import Registry
from fleet.cli import app
from storage import Store
from tests.camera_config.small_site import write_small_site


def _run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["site", *map(str, arguments)])


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
        Registry(load_site(folder), store.site_versions).standing()
        Registry(load_site(folder), store.site_versions).standing()
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
