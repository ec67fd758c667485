"""Lenses, pictures, walls, gates and the definition of covered in the files of a site: read strictly, written back the same."""

import json
from functools import partial
from pathlib import Path

import pytest

from camera_config import SiteError, load_site, write_site
from camera_config.coverage_rules import Band, CoverageRules, Stream
from camera_config.district import make_district
from camera_config.entry import Entry, Found, Problems
from camera_config.read_ground import GroundFile, check_ground
from camera_config.read_places import PlacesFile
from camera_config.site import Wall
from tests.camera_config.small_site import CAMERAS, FILES

LENS = """\
id,name_en,compound,grid_cell,lon,lat,height_m,azimuth_deg,tilt_deg,focal_mm,sensor_mm,analysed_px,recorded_px,night_range_m,uplink,url_sub
c0001,East gate,yard,cell-1,121.9015,30.6010,4.5,90,15,2.8,5.37,704x576,3840x2160,80,switch-1,rtsp://10.0.0.11/sub
c0002,Car park,yard,cell-1,121.9025,30.6015,5,180.5,20,4,5.37,,,,,rtsp://10.0.0.12:8554/sub
"""
COVERAGE = """
[coverage]
stream = "analysed"
band = "observe"
observe_ppm = 60
complete_share = 0.9
gate_weight = 12
"""


def feature(shape: str, coordinates: object, **properties: object) -> str:
    return json.dumps({"type": "Feature", "properties": properties, "geometry": {"type": shape, "coordinates": coordinates}})


WALL = feature("LineString", [[121.901, 30.601], [121.903, 30.601]], kind="wall", height_m=2.4)
GATE = feature("Point", [121.902, 30.601], kind="gate", id="gate-1", name_en="Gate")
SWINGS = [[121.902, 30.6011], [121.9025, 30.6011], [121.9025, 30.6015], [121.902, 30.6011]]
PLAY = feature("Polygon", [SWINGS], kind="play_area", id="play-1", name_en="Swings")
POLE = feature("Point", [121.9021, 30.6012], kind="pole", id="pole-1", height_m=5)


def ground(*features: str) -> str:
    return '{"type": "FeatureCollection", "features": [\n' + ",\n".join(features) + "\n]}\n"


def write(folder: Path, **texts: str) -> Path:
    named = {"site.toml": texts.get("site"), "cameras.csv": texts.get("cameras"), "ground.geojson": texts.get("ground")}
    for name, text in {**FILES, **{name: text for name, text in named.items() if text is not None}}.items():
        (folder / name).write_text(text, "utf-8")
        (folder / name).chmod(0o600)
    (folder / "cameras.toml").unlink(missing_ok=True)
    return folder


def problems(folder: Path) -> str:
    with pytest.raises(SiteError) as caught:
        load_site(folder)
    return str(caught.value)


def test_everything_comes_back_as_it_was_written(tmp_path: Path) -> None:
    folder = write(tmp_path, site=FILES["site.toml"] + COVERAGE, cameras=LENS, ground=ground(WALL, GATE, PLAY, POLE))
    site = load_site(folder)
    first, second = site.cameras
    assert (first.focal_mm, first.sensor_mm, round(first.hfov_deg, 2)) == (2.8, 5.37, 87.6)
    assert (first.analysed_px, first.recorded_px) == ((704, 576), (3840, 2160))
    assert (first.night_range_m, first.uplink) == (80.0, "switch-1")
    assert (second.analysed_px, second.recorded_px, second.night_range_m, second.uplink) == ((640, 360), (1920, 1080), None, "")
    expected = CoverageRules(stream=Stream.ANALYSED, band=Band.OBSERVE, observe_ppm=60.0, complete_share=0.9, gate_weight=12.0)
    assert site.coverage == expected
    assert (site.walls[0].height_m, site.gates[0].name.en, site.play_areas[0].id, site.poles[0].height_m) == (
        2.4,
        "Gate",
        "play-1",
        5.0,
    )
    again = tmp_path / "again"
    write_site(site, again)
    written = load_site(again)
    for part in ("cameras", "coverage", "walls", "gates", "play_areas", "poles"):
        assert getattr(written, part) == getattr(site, part), part


def test_without_any_of_it_the_defaults_hold(tmp_path: Path) -> None:
    site = load_site(write(tmp_path))
    assert (site.coverage, site.walls, site.gates, site.play_areas, site.poles) == (CoverageRules(), (), (), (), ())
    write_site(site, tmp_path / "again")
    assert not (tmp_path / "again" / "ground.geojson").exists()
    assert "[coverage]" not in (tmp_path / "again" / "site.toml").read_text("utf-8")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("2.8,5.37", ",5.37", "cameras.csv:2: focal_mm: missing; expected focal_mm and sensor_mm together"),
        ("2.8,5.37", "2.8,", "cameras.csv:2: sensor_mm: missing; expected focal_mm and sensor_mm together"),
        ("2.8,5.37", "-2.8,5.37", "cameras.csv:2: focal_mm: expected a number from 0.5 to 3000, got '-2.8'"),
        ("2.8,5.37", "nan,5.37", "cameras.csv:2: focal_mm: expected a number from 0.5 to 3000, got 'nan'"),
        ("2.8,5.37", "2900,5.37", "cameras.csv:2: focal_mm: expected a lens of 1 to 180 degrees, got 0.11"),
        ("2.8,5.37", ",", "cameras.csv:2: hfov_deg: missing; expected a number from 1 to 180"),
        ("704x576", "704", "cameras.csv:2: analysed_px: expected width and height in pixels such as 640x360"),
        ("704x576", "0x576", "cameras.csv:2: analysed_px: expected width and height in pixels"),
        ("704x576", "704x99999", "each from 16 to 16384, got '704x99999'"),
        ("3840x2160", "-1x2160", "cameras.csv:2: recorded_px: expected"),
        (",80,", ",-1,", "cameras.csv:2: night_range_m: expected a number from 0 to 2000, got '-1'"),
        ("switch-1", "Switch 1", "cameras.csv:2: uplink: expected 1 to 64 of a-z"),
        ("4.5,90", "-4.5,90", "cameras.csv:2: height_m: expected a number from 0.5 to 300, got '-4.5'"),
        (
            "121.9015,30.6010",
            "121.9028,30.6021",
            "cameras.csv:2: lon: expected a place outside of buildings, or at most 1 m",
        ),
        ("121.9015,30.6010", "30.6010,121.9015", "cameras.csv:2: lat: expected a number from -90 to 90, got '121.9015'"),
    ],
)
def test_a_camera_that_cannot_be_is_refused(old: str, new: str, says: str, tmp_path: Path) -> None:
    assert old in LENS
    assert says in problems(write(tmp_path, cameras=LENS.replace(old, new)))


@pytest.mark.parametrize("angle", ["0", "360", "-70", "nan", "inf"])
def test_a_field_of_view_is_less_than_half_a_turn(angle: str, tmp_path: Path) -> None:
    says = problems(write(tmp_path, cameras=CAMERAS.replace("90,15,70", f"90,15,{angle}")))
    assert f"cameras.csv:2: hfov_deg: expected a number from 1 to 180, got '{angle}'" in says


def test_a_lens_and_an_angle_are_one_too_many(tmp_path: Path) -> None:
    head, first, second = CAMERAS.splitlines()
    says = problems(write(tmp_path, cameras=f"{head},focal_mm,sensor_mm\n{first},4,5.37\n{second},,\n"))
    assert "cameras.csv:2: hfov_deg: expected either hfov_deg, or focal_mm and sensor_mm, found both" in says


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ("[coverage]\nband = 'see'\n", "coverage.band: expected one of monitor, detect, observe, recognise, identify, got 'see'"),
        ("[coverage]\nstream = 3\n", "coverage.stream: expected one of analysed, recorded, got 3"),
        ("[coverage]\ndetect_ppm = 70\n", "coverage.observe_ppm: expected more than detect_ppm, 70"),
        ("[coverage]\ndetect_ppm = nan\n", "coverage.detect_ppm: expected a number from 0.5 to 5000, got nan"),
        ("[coverage]\nsome_share = 0.99\n", "coverage.some_share: expected at most complete_share, 0.95"),
        ("[coverage]\ngate_wieght = 2\n", "coverage.gate_wieght: unknown key; did you mean 'gate_weight'?"),
        ("coverage = 3\n", "coverage: expected a table [coverage]"),
    ],
)
def test_a_definition_that_cannot_be_is_refused(table: str, says: str, tmp_path: Path) -> None:
    assert says in problems(write(tmp_path, site=FILES["site.toml"] + table))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            "[121.91, 30.6], [121.91, 30.61], [121.9, 30.61]",
            "[124, 30.6], [124, 30.61], [121.9, 30.61]",
            "top: geometry: expected an outline at most 1 degree wide and high",
        ),
        (
            "[[121.901, 30.6], [121.904, 30.6], [121.904, 30.603], [121.901, 30.603], [121.901, 30.6]]",
            "[[30.6, 21.901], [30.6, 21.904], [30.603, 21.904], [30.603, 21.901], [30.6, 21.901]]",
            "yard: geometry: expected an outline within or across that of its parent west, got one wholly outside",
        ),
    ],
)
def test_outlines_that_cannot_be_are_refused(old: str, new: str, says: str, tmp_path: Path) -> None:
    folder = write(tmp_path)
    text = (folder / "places.geojson").read_text("utf-8")
    assert old in text
    (folder / "places.geojson").write_text(text.replace(old, new, 1), "utf-8")
    assert says in problems(folder)


def test_an_outline_with_swapped_coordinates_is_told_from_one_elsewhere(tmp_path: Path) -> None:
    """Only where both are coordinates at all: west of 90 degrees east."""
    folder = write(tmp_path)
    text = (folder / "places.geojson").read_text("utf-8").replace("121.9", "21.9")
    yard = "[[21.901, 30.6], [21.904, 30.6], [21.904, 30.603], [21.901, 30.603], [21.901, 30.6]]"
    swapped = "[[30.6, 21.901], [30.6, 21.904], [30.603, 21.904], [30.603, 21.901], [30.6, 21.901]]"
    (folder / "places.geojson").write_text(text.replace(yard, swapped, 1), "utf-8")
    assert "yard: geometry: expected an outline within or across that of its parent west, got one wholly outside; " in problems(
        folder
    )
    assert "longitude and latitude look swapped" in problems(folder)


BOWTIE = [[121.902, 30.6011], [121.9025, 30.6015], [121.9025, 30.6011], [121.902, 30.6015], [121.902, 30.6011]]


@pytest.mark.parametrize(
    ("features", "says"),
    [
        (
            (PLAY.replace(json.dumps([SWINGS]), json.dumps([BOWTIE])),),
            "ground.geojson:2: play-1: geometry: expected an outline that does not cross",
        ),
        ((PLAY.replace(json.dumps([SWINGS]), "[[]]"),), "play-1: geometry: expected a list of [x, y], got []"),
        ((PLAY.replace("30.6015", "NaN"),), "ground.geojson:2: expected numbers, found NaN"),
        ((PLAY.replace("121.902,", "1e9,"),), "play-1: geometry: expected numbers within [-180 to 180, -90 to 90]"),
        ((PLAY.replace("121.9025", "151.9025"),), "play-1: geometry: expected a point inside the sub-district"),
        (
            (GATE.replace("121.902, 30.601", "30.6, 121.9"),),
            "gate-1: geometry: expected numbers within [-180 to 180",
        ),
        ((GATE.replace("121.902, 30.601", "60.601, 21.902"),), "gate-1: geometry: expected a point inside the sub-district"),
        ((GATE, GATE), "ground.geojson:3: gate-1: id: expected each id once, got 'gate-1' again"),
        ((WALL.replace("2.4", "-2.4"),), "height_m: expected a number from 0.1 to 300, got -2.4"),
        ((WALL.replace("121.903, 30.601", "121.901, 30.601"),), "geometry: expected a line of at least two different points"),
        ((POLE.replace('"height_m": 5', '"height_m": 0'),), "pole-1: height_m: expected a number from 0.5 to 300, got 0"),
        ((GATE.replace('"gate"', '"door"'),), "kind: expected one of wall, gate, play_area, pole, got 'door'"),
        ((GATE.replace('"kind"', '"height_m": 3, "kind"'),), "gate-1: height_m: unknown key"),
    ],
)
def test_ground_that_cannot_be_is_refused(features: tuple[str, ...], says: str, tmp_path: Path) -> None:
    assert says in problems(write(tmp_path, ground=ground(*features)))


def _line(number: int, _key: str) -> int:
    return number


def test_too_many_points_are_refused(tmp_path: Path) -> None:
    line = [[121.901 + n * 1e-9, 30.601] for n in range(10_001)]
    says = problems(write(tmp_path, ground=ground(feature("LineString", line, kind="wall"))))
    assert "ground.geojson:2: geometry: expected at most 10000 points, got 10001" in says


def test_too_many_points_together_are_refused(tmp_path: Path) -> None:
    noted = Problems()
    entries = [Entry(noted, tmp_path / "ground.geojson", {}, partial(_line, n)) for n in (2, 3, 4)]
    wall = Wall(((121.901, 30.601), (121.902, 30.601)) * 40_000)
    walls = tuple(Found(entry, "", wall) for entry in entries)
    check_ground(GroundFile(walls), PlacesFile(readable=True), ())
    with pytest.raises(SiteError, match=r"ground.geojson:4: geometry: expected buildings, .* at most 200000 points together"):
        noted.raise_if_any()
    assert noted.total == 1


def test_the_demo_has_everything_on_the_ground() -> None:
    site = make_district(cameras=16).site
    assert len(site.walls) >= 76
    assert len(site.gates) >= 76
    assert len(site.play_areas) >= 20
    assert len(site.poles) > 100
    assert all(camera.uplink.startswith("switch-") for camera in site.cameras)
