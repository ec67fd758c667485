"""The files of a folder are replaced all together or not at all; a site is tried out without touching its folder."""

import json
from pathlib import Path

import pytest

from base import StorageError
from camera_config import SiteError, load_site
from camera_config.live_site import LiveSite
from camera_config.site_diff import site_differences
from camera_config.site_files import digest_of, finish_replacing, read_site_files, replace_files, try_files
from tests.camera_config.small_site import write_small_site


def _changed(files: dict[str, bytes]) -> dict[str, bytes]:
    after = {**files, "cameras.csv": files["cameras.csv"].replace(b"4.5,90,15", b"4.5,91,15")}
    del after["rules.toml"]
    return after


def test_files_are_replaced_together_and_a_stopped_change_is_finished(tmp_path: Path) -> None:
    folder = write_small_site(tmp_path)
    secret, files = (folder / "secrets.toml").read_bytes(), read_site_files(folder)
    after = _changed(files)
    replace_files(folder, after)
    assert read_site_files(folder) == after and (folder / "secrets.toml").read_bytes() == secret
    assert digest_of(after) != digest_of(files) and not finish_replacing(folder)
    stage = folder / ".replacing"  # as it is when a change is stopped after it counts
    stage.mkdir()
    for name, content in files.items():
        (stage / name).write_bytes(content)
    (stage / "list.json").write_text(json.dumps({"changed": sorted(files), "gone": []}))
    assert finish_replacing(folder) and read_site_files(folder) == files
    stage.mkdir()
    (stage / "rules.toml").write_bytes(b"old")  # and while the rest of it is cleared away
    assert finish_replacing(folder) and read_site_files(folder) == files and not stage.exists()
    (folder / ".replacing.new").mkdir()  # and before it counts
    assert read_site_files(folder) == files
    replace_files(folder, after)
    assert read_site_files(folder) == after
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]


def test_a_folder_that_cannot_be_written_is_said_to_be(tmp_path: Path) -> None:
    folder = write_small_site(tmp_path)
    files = read_site_files(folder)
    (folder / ".replacing").write_text("in the way")
    with pytest.raises(StorageError, match="cannot write"):
        replace_files(folder, _changed(files))
    assert read_site_files(folder) == files


def test_a_trial_names_the_folder_and_touches_nothing(tmp_path: Path) -> None:
    folder = write_small_site(tmp_path)
    files = read_site_files(folder)
    site = try_files(folder, _changed(files), {})
    assert site.folder == folder and site.cameras[0].azimuth_deg == 91 and not site.rules
    with pytest.raises(SiteError) as refused:
        try_files(folder, {**files, "cameras.csv": files["cameras.csv"].replace(b"121.9020", b"191.9020")}, {})
    assert refused.value.problems[0].startswith(f"{folder}/cameras.csv:2: lon: expected a number")
    assert read_site_files(folder) == files


def test_everybody_who_holds_a_live_site_sees_its_new_cameras(tmp_path: Path) -> None:
    folder = write_small_site(tmp_path)
    site = load_site(folder)
    live = LiveSite.of(site)
    assert live.camera_by_id == site.camera_by_id and live.place_by_id == site.place_by_id
    live.take(try_files(folder, _changed(read_site_files(folder)), {}))
    assert live.cameras[0].azimuth_deg == 91 == live.camera_by_id[live.cameras[0].id].azimuth_deg
    assert live.rules == () and live.credential_by_name == site.credential_by_name


def test_differences_are_told_field_by_field(tmp_path: Path) -> None:
    files = read_site_files(write_small_site(tmp_path))
    found = {(each.camera, each.field): (each.before, each.after) for each in site_differences(files, _changed(files))}
    assert found["c0001", "azimuth_deg"] == ("90", "91")
    assert found["c0001", "rule no-entry"][0].startswith("{") and found["c0001", "rule no-entry"][1] == ""
    broken = site_differences(files, {"cameras.csv": b"\xff", "rules.toml": b"[[", "masks.toml": b"privacy = 3"})
    assert {each.after for each in broken} == {""}
