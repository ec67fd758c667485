"""Tables as CSV and XLSX files, written a little at a time. Who opens one in a spreadsheet gets text, never a formula.

CSV is that of RFC 4180 in UTF-8 with a byte order mark, so that spreadsheets take it for UTF-8. What begins like a formula gets
an apostrophe in front. In XLSX every text is a string cell, which no program takes for a formula, so nothing is put in front.
"""

import csv
import io
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import BinaryIO, cast
from zoneinfo import ZoneInfo

import xlsxwriter

from camera_config.site import Name, Site
from patrol.ledger import WORDS, Column, Holds

__all__ = ["CSV_MOST", "XLSX_MOST", "Cell", "Wording", "csv_file", "harmless", "xlsx_file"]

CSV_MOST = 1_000_000
"""Lines of a CSV file: as many as spreadsheets show."""

XLSX_MOST = 200_000
"""Lines of an XLSX file, which is made as a whole before its first byte goes out: about half a minute of one core."""

CHUNK_BYTES = 64 * 1024

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What spreadsheets may take for the beginning of a formula (OWASP, "CSV Injection"); the wide ones where Chinese is typed."""

Cell = str | int | float | datetime | None
"""What stands in a cell; times with their zone."""


class Wording:
    """Values of a book as people read them: words and names in one language, times of the site's clocks."""

    def __init__(self, site: Site, is_zh: bool) -> None:
        self._site = site
        self._is_zh = is_zh
        self._zone: ZoneInfo = site.zone_info
        self._names: dict[Holds, dict[str, Name]] = {
            Holds.PLACE: {place.id: place.name for place in site.places},
            Holds.TEAM: {team.id: team.name for team in site.teams},
            Holds.CAMERA: {camera.id: camera.name for camera in site.cameras},
            Holds.DESK: {desk.id: desk.name for desk in site.desks},
        }

    def text(self, name: Name) -> str:
        """`name` in the language."""
        return name.zh if self._is_zh else name.en

    def cell(self, column: Column, value: object) -> Cell:
        """`value` as it stands in a cell of `column`; empty for None."""
        if value is None or value == "":
            return None
        match column.holds:
            case Holds.TIME:
                return datetime.fromtimestamp(float(cast(float, value)), UTC).astimezone(self._zone)
            case Holds.WORD:
                word = str(value).lower()
                name = WORDS.get(column.key, {}).get(word)
                return word if name is None else self.text(name)
            case Holds.NUMBER:
                return cast(int | float, value)
            case Holds.TEXT:
                return str(value)
            case _:
                known = self._names[column.holds].get(str(value))
                return str(value) if known is None else f"{self.text(known)} ({value})"


def csv_file(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    """The file in pieces; times as ISO 8601 with their offset."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    text.write("\ufeff")
    writer.writerow([harmless(name) for name in header])
    for row in rows:
        writer.writerow([_plain(cell) for cell in row])
        if text.tell() >= CHUNK_BYTES:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


def xlsx_file(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    """The file in pieces; written to a temporary file first, row by row. Times as dates of the site's clocks."""
    with tempfile.TemporaryFile() as file:
        _write_xlsx(cast(BinaryIO, file), header, rows)
        file.seek(0)
        while piece := file.read(CHUNK_BYTES):
            yield piece


def harmless(text: str) -> str:
    """`text` with an apostrophe in front if a spreadsheet might take it for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _plain(cell: Cell) -> str | int | float:
    if isinstance(cell, datetime):
        return cell.isoformat(timespec="seconds")
    return harmless(cell) if isinstance(cell, str) else "" if cell is None else cell


def _write_xlsx(file: BinaryIO, header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    workbook = xlsxwriter.Workbook(file, {"constant_memory": True})
    try:
        sheet = workbook.add_worksheet()
        bold, moment = workbook.add_format({"bold": True}), workbook.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, len(header) - 1, 18)
        for column, name in enumerate(header):
            sheet.write_string(0, column, name, bold)
        for number, row in enumerate(rows, 1):
            for column, cell in enumerate(row):
                if isinstance(cell, str):
                    sheet.write_string(number, column, cell)
                elif isinstance(cell, datetime):
                    sheet.write_datetime(number, column, cell.replace(tzinfo=None), moment)
                elif cell is not None:
                    sheet.write_number(number, column, cell)
    finally:
        workbook.close()  # also where the rows failed: it clears its own temporary files away
