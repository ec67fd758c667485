"""Taking cameras over from a table: every bad row is named with its reason, the good ones become part of the site."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from shutil import copytree

from base import ConfigError
from camera_config.checks import FoundSite, check_site
from camera_config.entry import Entry, FieldProblems, Found, Problems
from camera_config.load import load_site
from camera_config.networks import check_networks
from camera_config.read_cameras import CAMERA_KEYS, REQUIRED_COLUMNS, camera_of
from camera_config.read_ground import GroundFile, check_ground
from camera_config.read_places import PlacesFile
from camera_config.site import Camera, Site
from camera_config.table_files import Row, read_rows, write_rows
from camera_config.write import camera_values, write_cameras

__all__ = ["CameraImport", "ImportedRow", "Outcome", "export_cameras", "import_cameras", "import_rows", "save_import"]

_FORMULA = "=+-@"  # what a spreadsheet would take for a formula when the list is exported again


class Outcome(StrEnum):
    """What an import does with a row."""

    ADDED = "added"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class ImportedRow:
    """One row: where it stands, whose it is, what becomes of it; of a refused one each wrong field with the reason."""

    line: int
    camera: str
    outcome: Outcome
    problems: tuple[tuple[str, str], ...] = ()  # field, what was expected and what came


@dataclass(frozen=True, slots=True)
class CameraImport:
    """What an import would do: every row, and all cameras of the site after it. Nothing is written yet."""

    rows: tuple[ImportedRow, ...]
    cameras: tuple[Camera, ...]

    def count(self, outcome: Outcome) -> int:
        """How many rows have this outcome."""
        return sum(row.outcome is outcome for row in self.rows)


def import_cameras(site: Site, path: Path) -> CameraImport:
    """Read a table of cameras (CSV, XLSX or GeoJSON) against `site`; its columns are the keys of `cameras.csv`.

    A known camera is changed where the table says so; what the table has no column for stays as it is. Other cameras
    of the site are not touched. Raises ConfigError if the file as a whole cannot be used.
    """
    return import_rows(site, path, read_rows(path))


def import_rows(site: Site, path: Path, rows: Sequence[Row]) -> CameraImport:
    """As `import_cameras`, with the rows of the table `path` already read."""
    if not rows:
        raise ConfigError(f"{path}: expected at least one camera, found none")
    known = {camera.id: camera for camera in site.cameras}
    _check_columns(path, rows[0].values, known.keys() >= {row.values.get("id", "") for row in rows})
    plays_files = any(url.startswith("file:") for camera in site.cameras for url in (camera.url_sub, camera.url_main))
    found = [_read(path, row, known, plays_files) for row in rows]
    _check(site, found)
    outcomes = tuple(_outcome(row, one, known) for row, one in zip(rows, found, strict=True))
    imported = {
        one.id: one.value for one, row in zip(found, outcomes, strict=True) if one.value and row.outcome is not Outcome.REFUSED
    }
    kept = tuple(imported.pop(camera.id, camera) for camera in site.cameras)
    return CameraImport(outcomes, kept + tuple(imported.values()))


def save_import(site: Site, imported: CameraImport, environment: Mapping[str, str]) -> None:
    """Write the cameras into the site's folder, in one step; a site that would not load is refused and nothing is written.

    Raises ConfigError, StorageError. A running Gridpatrol is told by its own ways; the folder is what it starts from.
    """
    if (site.folder / "cameras.toml").exists():
        raise ConfigError(f"{site.folder}: its cameras are in cameras.toml; an import writes cameras.csv. Convert the file first")
    with tempfile.TemporaryDirectory() as scratch:
        trial = Path(
            copytree(
                site.folder, Path(scratch) / "site", ignore=lambda _, names: [name for name in names if name.startswith(".")]
            )
        )
        write_cameras(imported.cameras, trial)
        load_site(trial, environment)
    write_cameras(imported.cameras, site.folder)


def export_cameras(cameras: Sequence[Camera], path: Path) -> None:
    """Write the table that `import_cameras` reads back without a change. Raises ConfigError or StorageError."""
    write_rows(path, CAMERA_KEYS, [camera_values(camera) for camera in cameras])


def _check_columns(path: Path, columns: Mapping[str, str], all_known: bool) -> None:
    """New cameras need every required column, known ones only their id."""
    unknown = sorted(set(columns) - set(CAMERA_KEYS))
    if unknown:
        raise ConfigError(f"{path}:1: unknown column {unknown[0][:80]!r}; allowed are {', '.join(CAMERA_KEYS)}")
    needed = ("id",) if all_known else REQUIRED_COLUMNS
    missing = [column for column in needed if column not in columns and not (column == "hfov_deg" and "focal_mm" in columns)]
    if missing:
        raise ConfigError(f"{path}:1: column {missing[0]} missing; expected {', '.join(needed)}")


def _read(path: Path, row: Row, known: Mapping[str, Camera], allow_files: bool) -> Found[Camera]:
    before = known.get(row.values.get("id", ""))
    values = {**(camera_values(before) if before else {}), **row.values}
    if before and before.focal_mm is not None and row.values.get("hfov_deg"):
        values |= {key: "" for key in ("focal_mm", "sensor_mm") if key not in row.values}  # the angle replaces the lens
    entry = Entry(FieldProblems(), path, values, lambda _: row.line, textual=True)
    for key in ("name_zh", "name_en"):
        if values.get(key, "").startswith(tuple(_FORMULA)):
            entry.refuse(key, f"expected a name that does not begin with one of {' '.join(_FORMULA)}, got {values[key][:40]!r}")
    return camera_of(entry, allow_files)


def _check(site: Site, found: Sequence[Found[Camera]]) -> None:
    """What must fit the rest of the site, which is taken as it is."""
    aside = Entry(Problems(), site.folder, {}, lambda _: 0)
    places = PlacesFile(tuple(Found(aside, place.id, place) for place in site.places), (), True)
    credentials = tuple(Found(aside, login.name, login) for login in site.credentials)
    check_site(FoundSite(tuple(found), places, (), (), credentials))
    check_ground(GroundFile(), places, found)
    check_networks(site.camera_networks, found)


def _outcome(row: Row, found: Found[Camera], known: Mapping[str, Camera]) -> ImportedRow:
    problems = found.entry.problems
    assert isinstance(problems, FieldProblems)
    name = found.id or row.values.get("id", "")[:64]
    if problems.found or found.value is None:
        return ImportedRow(row.line, name, Outcome.REFUSED, tuple(problems.found))
    before = known.get(found.id)
    if before is None:
        return ImportedRow(row.line, name, Outcome.ADDED)
    return ImportedRow(row.line, name, Outcome.UNCHANGED if before == found.value else Outcome.CHANGED)
