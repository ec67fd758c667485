"""What a good site folder becomes."""

import dataclasses
import os
import random
from pathlib import Path

import pytest

from base import ConfigError, EventKind, StorageError
from camera_config import Name, PlaceKind, Schedule, SiteError, TeamKind, load_site, write_site
from camera_config.gcj02 import gcj02_from_wgs84, wgs84_from_gcj02
from tests.camera_config.small_site import FILES, write_small_site

_TOML_CAMERAS = """\
[[camera]]
id = "c0001"
name_en = "East gate"
compound = "yard"
grid_cell = "cell-1"
lon = 121.902
lat = 30.601
height_m = 4
azimuth_deg = 90
tilt_deg = 15
hfov_deg = 70
url_sub = "rtsp://[2001:db8::11]:8554/sub"

[[camera]]
id = "c0002"
name_zh = "车库"
compound = "yard"
grid_cell = "cell-1"
lon = 121.902
lat = 30.601
height_m = 4
azimuth_deg = 0
tilt_deg = -5
hfov_deg = 70
url_sub = "file:///videos/yard.mp4"
enabled = false
"""


def test_a_small_site_is_read_as_written(tmp_path: Path) -> None:
    site = load_site(write_small_site(tmp_path))
    assert (site.id, site.name, site.timezone) == ("small", Name("小街道", "Small Sub-district"), "Asia/Shanghai")
    camera = site.camera_by_id["c0002"]
    assert (camera.lon, camera.azimuth_deg, camera.enabled, camera.credential, camera.url_main) == (
        121.9025,
        180.5,
        False,
        "",
        "",
    )
    assert [place.kind for place in site.places] == list(PlaceKind)
    assert site.place_by_id["cell-1"].households == 310
    assert site.place_by_id["house"].outline[0] == site.place_by_id["house"].outline[-1]
    assert [(rule.camera, rule.name) for rule in site.rules] == [
        ("c0001", "no-entry"),
        ("c0001", "yard-night"),
        ("c0002", "yard-night"),
    ]
    rule = site.rules_of("c0002")[0]
    assert (rule.kind, rule.labels, rule.dwell_s, rule.severity) == (EventKind.INTRUSION, ("person", "vehicle"), 2.5, 2)
    assert rule.zone_name == Name("Yard", "Yard"), "one language stands in for the other"
    team = site.team_by_id["guards"]
    assert (team.kind, team.home, team.members) == (TeamKind.PROPERTY_GUARD, (121.9022, 30.6012), 3)
    assert site.checkpoints[0].key_node
    assert site.credential_by_name["door"].password == "s3cret-word"
    assert "s3cret-word" not in repr(site)


def test_cameras_may_stand_in_toml_and_files_may_be_allowed(tmp_path: Path) -> None:
    write_small_site(tmp_path)
    (tmp_path / "cameras.csv").unlink()
    (tmp_path / "cameras.toml").write_text(_TOML_CAMERAS, "utf-8")
    (tmp_path / "site.toml").write_text(FILES["site.toml"] + "allow_files = true\n", "utf-8")
    site = load_site(tmp_path)
    assert [camera.enabled for camera in site.cameras] == [True, False]
    assert site.cameras[0].name == Name("East gate", "East gate")
    write_site(site, tmp_path / "again")
    assert load_site(tmp_path / "again") == dataclasses.replace(site, folder=tmp_path / "again")


def test_rules_teams_and_secrets_may_be_missing(tmp_path: Path) -> None:
    write_small_site(tmp_path)
    for name in ("rules.toml", "teams.toml", "secrets.toml"):
        (tmp_path / name).unlink()
    text = FILES["cameras.csv"].replace(",door,", ",,")
    (tmp_path / "cameras.csv").write_text(text, "utf-8")
    site = load_site(tmp_path)
    assert (site.rules, site.teams, site.credentials) == ((), (), ())


def test_what_spreadsheets_and_drawing_programs_write_is_understood(tmp_path: Path) -> None:
    write_small_site(tmp_path)
    rows = FILES["cameras.csv"].replace(",true", ",TRUE").replace("\n", "\r\n") + ",,,,,,,,,,,,,,\r\n"
    (tmp_path / "cameras.csv").write_bytes(b"\xef\xbb\xbf" + rows.encode())
    crs = '"crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}, "name": "layer", "features"'
    places = (
        FILES["places.geojson"]
        .replace('"features"', crs)
        .replace('"key_node": true', '"key_node": true, "parent": null, "x": null')
    )
    (tmp_path / "places.geojson").write_text(places, "utf-8")
    (tmp_path / "teams.toml").write_text(FILES["teams.toml"].replace("\n", "\r\n"), "utf-8")
    site = load_site(tmp_path)
    assert len(site.cameras) == 2
    assert site.cameras[0].id == "c0001"


def test_a_password_may_come_from_the_environment_and_stays_there(tmp_path: Path) -> None:
    write_small_site(tmp_path)
    (tmp_path / "secrets.toml").write_text('[door]\nuser = "viewer"\npassword_env = "DOOR_PASSWORD"\n', "utf-8")
    environment = {"DOOR_PASSWORD": "from-outside"}
    site = load_site(tmp_path, environment)
    assert site.credentials[0].password == "from-outside"
    write_site(site, tmp_path / "again")
    assert "from-outside" not in (tmp_path / "again" / "secrets.toml").read_text("utf-8")
    assert load_site(tmp_path / "again", environment) == dataclasses.replace(site, folder=tmp_path / "again")


def test_a_site_survives_being_written(tmp_path: Path) -> None:
    site = load_site(write_small_site(tmp_path))
    folder = tmp_path / "deep" / "again"
    write_site(site, folder)
    assert load_site(folder) == dataclasses.replace(site, folder=folder)
    assert (folder / "secrets.toml").stat().st_mode & 0o777 == 0o600
    assert not list(folder.glob(".*")), "no half-written files are left behind"


def test_awkward_names_survive_being_written(tmp_path: Path) -> None:
    site = load_site(write_small_site(tmp_path))
    names = ('=HYPERLINK("http://x")', "a,b;'c' \\n \"q\"", "<b>&amp;</b>", "#5 门 🚪", "日本語—ß")
    cameras = tuple(dataclasses.replace(site.cameras[0], id=f"c{i}", name=Name(name, name)) for i, name in enumerate(names))
    teams = tuple(dataclasses.replace(site.teams[0], id=f"t{i}", name=Name(name, name)) for i, name in enumerate(names))
    rules = tuple(dataclasses.replace(site.rules[0], camera=camera.id, zone_name=camera.name) for camera in cameras)
    places = tuple(dataclasses.replace(place, name=Name(names[i % 5], "x")) for i, place in enumerate(site.places))
    shifts = ("always", "never", "22:00-06:00", "fri-mon 00:00-24:00", "sat 09:00-12:00, sun 10:00-11:30")
    teams = tuple(dataclasses.replace(team, shift=Schedule.parse(shift)) for team, shift in zip(teams, shifts, strict=True))
    before = dataclasses.replace(site, cameras=cameras, teams=teams, rules=rules, places=places, folder=tmp_path / "again")
    write_site(before, tmp_path / "again")
    assert load_site(tmp_path / "again") == before


def test_a_full_or_forbidden_disk_is_a_sentence_and_keeps_the_old_file(tmp_path: Path) -> None:
    site = load_site(write_small_site(tmp_path))
    (tmp_path / "file").write_text("x", "utf-8")
    with pytest.raises(StorageError, match="cannot make this folder"):
        write_site(site, tmp_path / "file" / "below")
    (tmp_path / "again" / "site.toml").mkdir(parents=True)
    with pytest.raises(StorageError, match=r"site\.toml: cannot write"):
        write_site(site, tmp_path / "again")
    assert [path.name for path in (tmp_path / "again").iterdir()] == ["site.toml"]


def test_a_missing_folder_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected a site folder here, found nothing"):
        load_site(tmp_path / "nowhere")
    (tmp_path / "file").write_text("x", "utf-8")
    with pytest.raises(ConfigError, match="expected a site folder here, found a file"):
        load_site(tmp_path / "file")


def test_many_problems_are_told_together_in_order_and_bounded(tmp_path: Path) -> None:
    write_small_site(tmp_path)
    header = FILES["cameras.csv"].splitlines()[0]
    rows = [f"c{i},n,n,yard,cell-1,121.902,30.601,4,400,15,70,rtsp://h/{i},,,true" for i in range(2000)]
    (tmp_path / "cameras.csv").write_text("\n".join([header, *rows]), "utf-8")
    (tmp_path / "site.toml").write_text(FILES["site.toml"].replace("Shanghai", "Nowhere"), "utf-8")
    (tmp_path / "rules.toml").unlink()
    with pytest.raises(SiteError) as caught:
        load_site(tmp_path)
    lines = str(caught.value).splitlines()
    assert len(lines) == 51
    assert lines[0].startswith(f"{tmp_path}/site.toml:4: timezone: ")
    assert [f"cameras.csv:{i + 1}: azimuth_deg" in lines[i] for i in range(1, 50)] == [True] * 49
    assert lines[-1] == "… and 1951 more problems"


def test_a_broken_file_is_not_blamed_on_the_others(tmp_path: Path) -> None:
    write_small_site(tmp_path)
    (tmp_path / "places.geojson").write_text("{", "utf-8")
    with pytest.raises(SiteError) as caught:
        load_site(tmp_path)
    assert len(caught.value.problems) == 1
    write_small_site(tmp_path)
    (tmp_path / "cameras.csv").write_text("", "utf-8")
    with pytest.raises(SiteError) as caught:
        load_site(tmp_path)
    assert all("cameras.csv" in problem for problem in caught.value.problems)


def test_broken_files_never_crash_the_loader(tmp_path: Path) -> None:
    """Bytes changed, cut and doubled at random: a site, or a SiteError, and nothing else; never a password in the text."""
    rng = random.Random(5)
    for turn in range(200):
        write_small_site(tmp_path)
        path = tmp_path / rng.choice(sorted(FILES))
        data = bytearray(path.read_bytes())
        for _ in range(rng.randint(1, 4)):
            at = rng.randrange(len(data))
            match rng.randrange(4):
                case 0:
                    data[at] = rng.randrange(256)
                case 1:
                    del data[at : at + rng.randint(1, 40)]
                case 2:
                    data[at:at] = data[at : at + rng.randint(1, 200)]
                case _:
                    data[at:at] = rng.choice((b'"', b"[", b"]", b"{", b",", b"\n", b"-", b"9" * 30, b"\xff", b"\x00", b"1e999"))
        path.write_bytes(bytes(data))
        try:
            load_site(tmp_path)
        except SiteError as error:
            assert error.problems, turn
            assert "s3cret" not in str(error)


def test_gcj02_is_undone() -> None:
    for lon, lat in ((121.9, 30.6), (116.4, 39.9), (87.6, 43.8), (113.3, 23.1)):
        shifted = gcj02_from_wgs84(lon, lat)
        assert 200 < abs(shifted[0] - lon) * 90_000 + abs(shifted[1] - lat) * 111_000 < 1200, "some hundred metres"
        back = wgs84_from_gcj02(*shifted)
        assert back == pytest.approx((lon, lat), abs=1e-7)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_a_sentence(tmp_path: Path) -> None:
    write_small_site(tmp_path)
    (tmp_path / "rules.toml").chmod(0)
    with pytest.raises(SiteError, match=r"rules\.toml: expected a readable file"):
        load_site(tmp_path)
