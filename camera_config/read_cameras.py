"""The cameras of a site, from `cameras.csv` or `cameras.toml`; the same keys in both."""

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

from base import ConfigError, Transport
from base.settings import read_text
from camera_config.camera_url import redacted, url_problem
from camera_config.entry import Entry, Found, Problems, shown, text_problem
from camera_config.read_tables import table_list
from camera_config.site import ANALYSED_PX, RECORDED_PX, Camera, Size
from camera_config.view import hfov_deg

__all__ = ["CAMERA_KEYS", "REQUIRED_COLUMNS", "camera_of", "read_cameras"]

REQUIRED_COLUMNS = ("id", "compound", "grid_cell", "lon", "lat", "height_m", "azimuth_deg", "tilt_deg", "hfov_deg", "url_sub")
CAMERA_KEYS = (
    "id",
    "name_zh",
    "name_en",
    "compound",
    "grid_cell",
    "lon",
    "lat",
    "height_m",
    "azimuth_deg",
    "tilt_deg",
    "hfov_deg",
    "url_sub",
    "url_main",
    "credential",
    "transport",
    "certificate_sha256",
    "own_motion",
    "enabled",
    "focal_mm",
    "sensor_mm",
    "analysed_px",
    "recorded_px",
    "night_range_m",
    "uplink",
    "gb_code",
)
_SIZE = re.compile(r"(\d{2,5})x(\d{2,5})", re.ASCII)
_SIDE_PX = (16, 16_384)
_HFOV_DEG = (1.0, 180.0)
_GB_CODE = re.compile(r"\d{10}13[12]\d{7}", re.ASCII)


def read_cameras(folder: Path, allow_files: bool, problems: Problems) -> tuple[Found[Camera], ...] | None:
    """Every camera, noting what is wrong; None if there is none that could be read."""
    table, toml = folder / "cameras.csv", folder / "cameras.toml"
    path, before = toml if toml.exists() else table, problems.total
    if table.exists() and toml.exists():
        problems.add(toml, 1, "expected either cameras.csv or cameras.toml, found both; delete one")
        return None
    try:
        entries = (
            [entry for _, entry in table_list(toml, ("camera",), problems)] if toml.exists() else list(_rows(table, problems))
        )
    except ConfigError as error:
        problems.add_error(path, error)
        return None
    if not entries and problems.total == before:
        problems.add(path, 1, "expected at least one camera, found none")
    return tuple(camera_of(entry, allow_files) for entry in entries) if entries else None


def camera_of(entry: Entry, allow_files: bool) -> Found[Camera]:
    """The camera of one entry; what is wrong with it is noted there."""
    if not entry.textual:  # the columns of a CSV file were checked once, in its header
        entry.only(CAMERA_KEYS)
    camera_id = entry.id()
    focal_mm, sensor_mm = _optional(entry, "focal_mm", 0.5, 3000), _optional(entry, "sensor_mm", 0.5, 100)
    camera = Camera(
        id=camera_id,
        name=entry.name(),
        compound=entry.id("compound"),
        grid_cell=entry.id("grid_cell"),
        lon=entry.number("lon", -180, 180),
        lat=entry.number("lat", -90, 90),
        height_m=entry.number("height_m", 0.5, 300),
        azimuth_deg=entry.number("azimuth_deg", 0, 360),
        tilt_deg=entry.number("tilt_deg", -90, 90),
        hfov_deg=_hfov_deg(entry, focal_mm, sensor_mm),
        url_sub=_url(entry, "url_sub", None, allow_files),
        url_main=_url(entry, "url_main", "", allow_files),
        credential=entry.id("credential", ""),
        transport=entry.choice("transport", Transport, Transport.TCP),
        certificate_sha256=_fingerprint(entry),
        own_motion=entry.truth("own_motion", False),
        enabled=entry.truth("enabled", True),
        focal_mm=focal_mm,
        sensor_mm=sensor_mm,
        analysed_px=_size(entry, "analysed_px", ANALYSED_PX),
        recorded_px=_size(entry, "recorded_px", RECORDED_PX),
        night_range_m=_optional(entry, "night_range_m", 0, 2000),
        uplink=entry.id("uplink", ""),
        gb_code=_gb_code(entry),
    )
    if camera.transport is Transport.UDP and any(url.startswith("rtsps:") for url in (camera.url_sub, camera.url_main)):
        entry.refuse("transport", "expected 'tcp' with an rtsps:// URL, got 'udp', over which pictures are not encrypted")
    return Found(entry, camera_id, camera if entry.ok else None)


def _hfov_deg(entry: Entry, focal_mm: float | None, sensor_mm: float | None) -> float:
    """The angle given, or that of the lens given in its place."""
    if focal_mm is None and sensor_mm is None:
        return entry.number("hfov_deg", *_HFOV_DEG)
    if focal_mm is None or sensor_mm is None:
        missing = "focal_mm" if focal_mm is None else "sensor_mm"
        entry.refuse(missing, "missing; expected focal_mm and sensor_mm together")
    elif entry.value("hfov_deg") is not None:
        entry.refuse("hfov_deg", "expected either hfov_deg, or focal_mm and sensor_mm, found both")
    else:
        angle = hfov_deg(focal_mm, sensor_mm)
        if _HFOV_DEG[0] <= angle <= _HFOV_DEG[1]:
            return angle
        entry.refuse("focal_mm", f"expected a lens of 1 to 180 degrees, got {angle:.2g} with a sensor {sensor_mm:g} mm wide")
    return _HFOV_DEG[0]


def _optional(entry: Entry, key: str, low: float, high: float) -> float | None:
    return None if entry.value(key) is None else entry.number(key, low, high)


def _size(entry: Entry, key: str, default: Size) -> Size:
    """Width and height, written 640x360."""
    text = entry.text(key, "", 40)
    if not text:
        return default
    found = _SIZE.fullmatch(text)
    if not found or not all(_SIDE_PX[0] <= int(side) <= _SIDE_PX[1] for side in found.groups()):
        low, high = _SIDE_PX
        entry.refuse(key, f"expected width and height in pixels such as 640x360, each from {low} to {high}, got {shown(text)}")
        return default
    return int(found[1]), int(found[2])


def _fingerprint(entry: Entry) -> str:
    """A SHA-256 as `openssl x509 -fingerprint` or a browser shows it, in plain lower-case digits."""
    text = entry.text("certificate_sha256", "", 100)
    digits = text.replace(":", "").replace(" ", "").lower()
    if digits and not re.fullmatch("[0-9a-f]{64}", digits):
        entry.refuse("certificate_sha256", f"expected the 64 hexadecimal digits of a certificate's SHA-256, got {shown(text)}")
    return digits


def _gb_code(entry: Entry) -> str:
    """A camera's code by GB/T 28181-2022, annex E.1: 8 digits of the authority, 2 of the trade, 3 of the type, 7 more."""
    code = entry.text("gb_code", "", 40)
    if code and not _GB_CODE.fullmatch(code):
        what = "20 digits, digits 11 to 13 of them 131 (camera) or 132 (network camera)"
        entry.refuse("gb_code", f"expected a code of GB/T 28181: {what}, got {shown(code)}")
    return code


def _url(entry: Entry, key: str, default: str | None, allow_files: bool) -> str:
    """A camera's URL; unlike other values, what was found is shown only without its login."""
    value = entry.value(key)
    if not isinstance(value, str):
        return entry.text(key, default, secret=True)
    if problem := text_problem(value):
        entry.refuse(key, f"{problem}, got {redacted(value)}")
    elif problem := url_problem(value, allow_files):
        entry.refuse(key, problem)
    return value


def _rows(path: Path, problems: Problems) -> Iterator[Entry]:
    """The rows of a CSV file as entries, after its header was checked."""
    reader = csv.reader(io.StringIO(read_text(path), newline=""), strict=True)
    try:
        header = [column.strip() for column in next(reader, [])]
        if not _header_is_good(path, header, problems):
            return
        line = reader.line_num + 1
        for row in reader:
            if any(field.strip() for field in row):
                yield from _row(path, line, header, row, problems)
            line = reader.line_num + 1
    except csv.Error as error:
        raise ConfigError(f"{path}:{reader.line_num}: not valid CSV: {error}") from None


def _row(path: Path, line: int, header: list[str], row: list[str], problems: Problems) -> Iterator[Entry]:
    if len(row) != len(header):
        problems.add(path, line, f"expected {len(header)} fields as in the header, got {len(row)}")
        return
    values = {column: field.strip(" ") for column, field in zip(header, row, strict=True)}
    yield Entry(problems, path, values, lambda _: line, textual=True)


def _header_is_good(path: Path, header: list[str], problems: Problems) -> bool:
    before = problems.total
    if len(header) == 1 and any(mark in header[0] for mark in ";\t"):
        problems.add(path, 1, f"expected columns separated by commas, got {header[0][:80]!r}")
        return False
    top = Entry(problems, path, dict.fromkeys(header, "?"), lambda _: 1)
    top.only(CAMERA_KEYS)
    for column in sorted({column for column in header if header.count(column) > 1}):
        top.refuse(column[:80], "expected each column once, found it twice")
    for column in REQUIRED_COLUMNS:
        if column not in header and not (column == "hfov_deg" and "focal_mm" in header):
            top.refuse(column, f"column missing; expected {', '.join(REQUIRED_COLUMNS)}, and name_zh or name_en")
    return problems.total == before
