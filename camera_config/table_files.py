"""Rows of a table that somebody made by hand or another system wrote: CSV, XLSX or GeoJSON points, each value as text."""

import csv
import io
import json
import math
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import openpyxl
import xlsxwriter
from defusedxml import DefusedXmlException
from openpyxl.utils.exceptions import InvalidFileException

from base import ConfigError, StorageError
from base.settings import read_text

__all__ = ["SUFFIXES", "Row", "read_rows", "write_rows"]

SUFFIXES = (".csv", ".xlsx", ".geojson")
MOST_ROWS = 20_000
MOST_COLUMNS = 100
MOST_BYTES = 50_000_000  # also of what an XLSX file holds when it is unpacked
_MARKS = ";\t"


@dataclass(frozen=True, slots=True)
class Row:
    """The values of one row by column.

    `line` is where it stands: the line of a CSV file, the row of a sheet, the number of a feature.
    """

    line: int
    values: dict[str, str]


def read_rows(path: Path) -> list[Row]:
    """Every row that is not empty, by the columns of the header (GeoJSON: its properties, and lon and lat of its point).

    Raises ConfigError for a file that cannot be read as a table; what the values mean is not looked at. At most 20,000 rows.
    """
    readers = {".csv": _csv, ".xlsx": _xlsx, ".geojson": _geojson, ".json": _geojson}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise ConfigError(f"{path}: expected a file that ends with {', '.join(SUFFIXES)}, got {path.suffix or 'no ending'!r}")
    try:
        size = path.stat().st_size
    except OSError as error:
        raise ConfigError(f"{path}: cannot read: {error.strerror}") from None
    if size > MOST_BYTES:
        raise ConfigError(f"{path}: expected at most {MOST_BYTES:,} bytes, got {size:,}")
    rows: list[Row] = []
    for row in reader(path):
        if len(rows) == MOST_ROWS:
            raise ConfigError(f"{path}:{row.line}: expected at most {MOST_ROWS:,} rows")
        rows.append(row)
    return rows


def write_rows(path: Path, columns: Sequence[str], rows: Sequence[dict[str, str]]) -> None:
    """Write the same by the file's ending; `read_rows` gives it back. Raises ConfigError for another ending, StorageError."""
    if path.suffix.lower() not in SUFFIXES:
        raise ConfigError(f"{path}: expected a file that ends with {', '.join(SUFFIXES)}, got {path.suffix or 'no ending'!r}")
    try:
        if path.suffix.lower() == ".xlsx":
            _write_xlsx(path, columns, rows)
        elif path.suffix.lower() == ".csv":
            with path.open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, columns, lineterminator="\n")
                writer.writeheader()
                writer.writerows(rows)
        else:
            path.write_text(_geojson_text(rows), encoding="utf-8")
    except OSError as error:
        raise StorageError(f"{path}: cannot write: {error.strerror}") from None


def _csv(path: Path) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(read_text(path), newline=""), strict=True)
    try:
        header = _header(path, next(reader, []))
        line = reader.line_num + 1
        for fields in reader:
            if any(field.strip() for field in fields):
                yield _row(path, line, header, fields)
            line = reader.line_num + 1
    except csv.Error as error:
        raise ConfigError(f"{path}:{reader.line_num}: not valid CSV: {error}") from None


def _xlsx(path: Path) -> Iterator[Row]:
    """The first sheet. With defusedxml installed, openpyxl refuses entities and external references by itself."""
    try:
        with zipfile.ZipFile(path) as packed:
            unpacked = sum(part.file_size for part in packed.infolist())
        if unpacked > MOST_BYTES:
            raise ConfigError(f"{path}: expected at most {MOST_BYTES:,} bytes when unpacked, got {unpacked:,}")
        book = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
        try:
            header: list[str] | None = None
            for line, cells in enumerate(book.worksheets[0].iter_rows(values_only=True, max_col=MOST_COLUMNS), 1):
                fields = [_cell(path, line, cell) for cell in cells]
                while fields and not fields[-1]:
                    fields.pop()
                if header is None:
                    header = _header(path, fields)
                elif fields:
                    yield _row(path, line, header, fields + [""] * (len(header) - len(fields)))
                if line > MOST_ROWS + 1 and not fields:
                    raise ConfigError(f"{path}:{line}: expected at most {MOST_ROWS:,} rows")
        finally:
            book.close()
    except ConfigError:
        raise
    except (
        zipfile.BadZipFile,
        InvalidFileException,
        DefusedXmlException,
        KeyError,
        IndexError,
        ValueError,
        TypeError,
        OSError,
    ) as error:
        raise ConfigError(f"{path}: not a readable XLSX file: {type(error).__name__}") from None
    except SyntaxError as error:  # ElementTree's ParseError
        raise ConfigError(f"{path}: not a readable XLSX file: {error.msg}") from None


def _cell(path: Path, line: int, value: object) -> str:
    """As it would stand in a CSV file: no `.0` after whole numbers, true and false in small letters."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and math.isfinite(value) and value == int(value) and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, str | int | float):
        return str(value)
    raise ConfigError(f"{path}:{line}: expected texts and numbers, got a cell with a {type(value).__name__}")


def _geojson(path: Path) -> Iterator[Row]:
    try:
        data = json.loads(read_text(path), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: not valid JSON: {error}") from None
    features = data.get("features") if isinstance(data, dict) and data.get("type") == "FeatureCollection" else None
    if not isinstance(features, list):
        raise ConfigError(f"{path}: expected a GeoJSON FeatureCollection of points")
    for number, feature in enumerate(features, 1):
        properties = feature.get("properties") if isinstance(feature, dict) else None
        geometry = feature.get("geometry") if isinstance(feature, dict) else None
        point = geometry.get("coordinates") if isinstance(geometry, dict) and geometry.get("type") == "Point" else None
        if not isinstance(properties, dict) or not isinstance(point, list) or len(point) not in (2, 3):
            raise ConfigError(f"{path}: feature {number}: expected a Feature with properties and a Point")
        values = {str(key): _json_text(value) for key, value in properties.items()}
        yield Row(number, {**values, "lon": _json_text(point[0]), "lat": _json_text(point[1])})


def _refuse_constant(name: str) -> float:
    raise ValueError(f"expected a number, got {name}")


def _json_text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _header(path: Path, fields: Sequence[str]) -> list[str]:
    header = [field.strip().removeprefix("\ufeff") for field in fields]
    if len(header) == 1 and any(mark in header[0] for mark in _MARKS):
        raise ConfigError(f"{path}:1: expected columns separated by commas, got {header[0][:80]!r}")
    twice = sorted({column for column in header if header.count(column) > 1})
    if not header or twice or len(header) > MOST_COLUMNS:
        found = f"{', '.join(twice)[:80]} twice" if twice else f"{len(header)} columns"
        raise ConfigError(f"{path}:1: expected a header with each column once, got {found}")
    return header


def _row(path: Path, line: int, header: Sequence[str], fields: Sequence[str]) -> Row:
    if len(fields) != len(header):
        raise ConfigError(f"{path}:{line}: expected {len(header)} fields as in the header, got {len(fields)}")
    return Row(line, {column: field.strip(" ") for column, field in zip(header, fields, strict=True)})


def _write_xlsx(path: Path, columns: Sequence[str], rows: Sequence[dict[str, str]]) -> None:
    """Every cell as text: nothing that a row holds can become a formula."""
    book = xlsxwriter.Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False})
    sheet = book.add_worksheet("cameras")
    for x, column in enumerate(columns):
        sheet.write_string(0, x, column)
    for y, row in enumerate(rows, 1):
        for x, column in enumerate(columns):
            sheet.write_string(y, x, row[column])
    sheet.freeze_panes(1, 1)
    try:
        book.close()
    except xlsxwriter.exceptions.FileCreateError as error:
        raise StorageError(f"{path}: cannot write: {error}") from None


def _geojson_text(rows: Sequence[dict[str, str]]) -> str:
    lines = []
    for row in rows:
        properties = {key: value for key, value in row.items() if key not in ("lon", "lat")}
        geometry = {"type": "Point", "coordinates": [float(row["lon"]), float(row["lat"])]}
        lines.append(json.dumps({"type": "Feature", "properties": properties, "geometry": geometry}, ensure_ascii=False))
    return '{"type": "FeatureCollection", "features": [\n' + ",\n".join(lines) + "\n]}\n"
