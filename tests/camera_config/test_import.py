"""Importing cameras from a table: the good rows come in, each bad one is named, and a second time nothing changes."""

import csv
import dataclasses
import io
import json
import os
import zipfile
from pathlib import Path

import openpyxl
import pytest
from typer.testing import CliRunner

from base import ConfigError
from camera_config import Camera, Site, load_site, write_site
from camera_config.district import make_district
from camera_config.gcj02 import gcj02_from_wgs84
from camera_config.import_cameras import ImportedRow, Outcome, export_cameras, import_cameras, save_import
from camera_config.read_cameras import CAMERA_KEYS
from camera_config.write import camera_values
from fleet.cli import app

FAULTS = 9


@pytest.fixture(scope="module")
def demo() -> Site:
    return make_district().site


def _site(demo: Site, folder: Path, cameras: int) -> Site:
    """The demo district with only its first `cameras` cameras."""
    kept = demo.cameras[:cameras]
    ids = {camera.id for camera in kept}
    write_site(dataclasses.replace(demo, cameras=kept, rules=tuple(rule for rule in demo.rules if rule.camera in ids)), folder)
    return load_site(folder)


def _table(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, CAMERA_KEYS)
        writer.writeheader()
        writer.writerows(rows)
    return path


def _with_faults(demo: Site) -> tuple[list[dict[str, str]], dict[str, str]]:
    """727 rows of which nine are wrong; the field that is wrong by camera."""
    rows = [camera_values(camera) for camera in demo.cameras]
    camera = demo.cameras[200]
    lon, lat = gcj02_from_wgs84(camera.lon, camera.lat)
    faults = {
        30: {"id": rows[29]["id"]},
        60: {"url_sub": "http//no-colon/stream"},
        90: {"grid_cell": "grid-99-99"},
        120: {"lon": "2.3522", "lat": "48.8566"},
        200: {"lon": str(lon), "lat": str(lat)},
        300: {"height_m": "-3"},
        400: {"hfov_deg": "360", "focal_mm": "", "sensor_mm": ""},
        500: {"name_zh": "=HYPERLINK(1)"},
        600: {"lon": "NaN"},
    }
    wrong = {}
    for at, change in faults.items():
        rows[at] |= change
        wrong[str(at + 2)] = next(iter(change))
    assert len(wrong) == FAULTS
    return rows, wrong


def test_nine_bad_rows_of_727_are_named_and_the_rest_comes_in(demo: Site, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    _site(demo, folder, 29)
    rows, wrong = _with_faults(demo)
    table = _table(tmp_path / "cameras.csv", rows)
    command = ["site", "import", str(table), "--site", str(folder), "--json"]

    dry = CliRunner().invoke(app, [*command, "--dry-run"])
    report = json.loads(dry.stdout)
    assert dry.exit_code == 1
    assert {str(fault["line"]): fault["problems"][0]["field"] for fault in report["faults"]} == wrong
    assert all(len(fault["problems"]) == 1 and fault["problems"][0]["reason"] for fault in report["faults"])
    assert len(load_site(folder).cameras) == 29  # a dry run writes nothing

    first = json.loads(CliRunner().invoke(app, command).stdout)
    assert (first["added"], first["unchanged"], first["refused"]) == (718 - 29, 29, FAULTS)
    assert len(load_site(folder).cameras) == 718
    text = (folder / "cameras.csv").read_bytes()
    again = json.loads(CliRunner().invoke(app, command).stdout)
    assert (again["added"], again["changed"], again["unchanged"], again["refused"]) == (0, 0, 718, FAULTS)
    assert (folder / "cameras.csv").read_bytes() == text


@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".geojson"])
def test_what_was_exported_is_imported_without_a_change(demo: Site, tmp_path: Path, suffix: str) -> None:
    site = _site(demo, tmp_path / "site", 40)
    path = tmp_path / f"list{suffix}"
    export_cameras(site.cameras, path)
    imported = import_cameras(site, path)
    assert {row.outcome for row in imported.rows} == {Outcome.UNCHANGED}
    assert imported.cameras == site.cameras


def test_only_the_columns_of_the_table_change_a_known_camera(demo: Site, tmp_path: Path) -> None:
    site = _site(demo, tmp_path / "site", 5)
    path = tmp_path / "turned.csv"
    camera = site.cameras[2]
    path.write_text(f"id,azimuth_deg\n{camera.id},12.5\n", encoding="utf-8")
    imported = import_cameras(site, path)
    assert imported.rows == (ImportedRow(2, camera.id, Outcome.CHANGED),)
    save_import(site, imported, os.environ)
    after = load_site(site.folder).cameras
    assert after[2] == dataclasses.replace(camera, azimuth_deg=12.5)
    assert after[:2] + after[3:] == site.cameras[:2] + site.cameras[3:]


def test_numbers_of_a_spreadsheet_are_numbers(demo: Site, tmp_path: Path) -> None:
    site = _site(demo, tmp_path / "site", 3)
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.append(["id", "azimuth_deg", "enabled"])
    book.active.append([site.cameras[0].id, 90, False])
    book.save(tmp_path / "a.xlsx")
    imported = import_cameras(site, tmp_path / "a.xlsx")
    assert imported.cameras[0] == dataclasses.replace(site.cameras[0], azimuth_deg=90.0, enabled=False)


def _bomb(path: Path) -> None:
    """A workbook whose sheet declares entities that grow when they are resolved."""
    book = openpyxl.Workbook()
    book.save(path)
    grown = io.BytesIO()
    with zipfile.ZipFile(path) as packed, zipfile.ZipFile(grown, "w", zipfile.ZIP_DEFLATED) as out:
        for part in packed.infolist():
            data = packed.read(part)
            if part.filename == "xl/worksheets/sheet1.xml":
                entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "x"}">' for n in range(9))
                data = f"<?xml version='1.0'?><!DOCTYPE w [{entities}]><worksheet>&e8;</worksheet>".encode()
            out.writestr(part, data)
    path.write_bytes(grown.getvalue())


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.txt", b"id\n", "expected a file that ends with"),
        ("a.csv", b"", "expected a header"),
        ("a.csv", b"id,id\n1,2\n", "id twice"),
        ("a.csv", b"id;lon\n1;2\n", "separated by commas"),
        ("a.csv", b"id,lon\nc1\n", "expected 2 fields"),
        ("a.csv", b"id,colour\nc1,red\n", "unknown column 'colour'"),
        ("a.csv", b"id,name_en\nnew-camera,x\n", "column compound missing"),
        ("a.csv", b"id\n", "expected at least one camera"),
        ("a.xlsx", b"PK not really", "not a readable XLSX file"),
        ("a.geojson", b"[" * 100_000, "not valid JSON"),
        ("a.geojson", b'{"type":"FeatureCollection","features":[{"type":"Feature"}]}', "feature 1"),
    ],
)
def test_a_file_that_is_no_table_is_refused_with_a_sentence(
    demo: Site, tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    site = _site(demo, tmp_path / "site", 1)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigError, match=said):
        import_cameras(site, tmp_path / name)


def test_an_xml_bomb_in_a_workbook_is_refused(demo: Site, tmp_path: Path) -> None:
    site = _site(demo, tmp_path / "site", 1)
    _bomb(tmp_path / "bomb.xlsx")
    with pytest.raises(ConfigError, match="not a readable XLSX file"):
        import_cameras(site, tmp_path / "bomb.xlsx")


def test_a_camera_inside_a_building_is_refused(demo: Site, tmp_path: Path) -> None:
    site = _site(demo, tmp_path / "site", 4)
    building = next(place for place in site.places if place.kind == "building")
    lon = sum(point[0] for point in building.outline) / len(building.outline)
    lat = sum(point[1] for point in building.outline) / len(building.outline)
    moved: Camera = dataclasses.replace(site.cameras[0], lon=lon, lat=lat)
    imported = import_cameras(site, _table(tmp_path / "a.csv", [camera_values(moved)]))
    assert imported.rows[0].outcome is Outcome.REFUSED
    assert "building" in imported.rows[0].problems[0][1]
