"""What differs between two versions of a site, cameras and settings, field by field, for people; broken files say nothing."""

import contextlib
import csv
import io
import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from camera_config.settings_files import SettingsFile, read_tables
from camera_config.site_files import SiteFiles

__all__ = ["Difference", "site_differences"]

_EVERY = "*"

Table = Mapping[str, Mapping[str, str]]
"""By camera the text of each of its fields."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A field of one camera; "" where a version does not have it. Rules are `rule NAME`, masks `privacy` and `ignore`.

    Of settings `camera` is "" and the field begins with the file: `desks.toml: desk mediation: receipt_min`.
    """

    camera: str
    field: str
    before: str
    after: str


def site_differences(before: SiteFiles, after: SiteFiles) -> list[Difference]:
    """Every field that differs, by camera in the order of the newer file, those that are gone last."""
    old, new = _table(before), _table(after)
    return [
        Difference(camera, field, was, now)
        for camera in dict.fromkeys([*new, *old])
        for field in dict.fromkeys([*new.get(camera, {}), *old.get(camera, {})])
        if (was := old.get(camera, {}).get(field, "")) != (now := new.get(camera, {}).get(field, ""))
    ]


def _table(files: SiteFiles) -> Table:
    table: dict[str, dict[str, str]] = {}
    for values in _cameras(files):
        table[values.get("id", "")] = values
    everyone = list(table)
    for name, kinds in (("rules.toml", ("rule",)), ("masks.toml", ("privacy", "ignore"))):
        for kind, told_of in _tables(files.get(name, b""), kinds):
            named = told_of.pop("camera", None)
            cameras = everyone if named == _EVERY else named if isinstance(named, list) else [named]
            field = f"rule {told_of.pop('name', '')}" if kind == "rule" else kind
            told = json.dumps(told_of, ensure_ascii=False, default=str)
            for camera in cameras:
                fields = table.setdefault(str(camera), {})
                fields[field] = f"{fields[field]} {told}" if field in fields else told
    if settings := dict(_settings(files)):
        table[""] = settings
    return table


def _settings(files: SiteFiles) -> Iterator[tuple[str, str]]:
    """By file, table and key the text of each value; a table is called by its id, or else counted."""
    for which in SettingsFile:
        found = read_tables(files.get(which.file, b""))
        yield from ((f"{which.file}: {key}", _told(value)) for key, value in found.top.items())
        for name, tables in found.tables.items():
            for number, values in enumerate(tables, 1):
                where = f"{which.file}: {name} {values.get('id', number)}"
                yield from ((f"{where}: {key}", _told(value)) for key, value in values.items() if key != "id")


def _told(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _cameras(files: SiteFiles) -> Iterator[dict[str, str]]:
    if "cameras.csv" in files:
        text = files["cameras.csv"].decode("utf-8-sig", "replace")
        with contextlib.suppress(csv.Error):
            for row in csv.DictReader(io.StringIO(text, newline="")):
                yield {str(key): value for key, value in row.items() if isinstance(value, str) and value != ""}
    for _, values in _tables(files.get("cameras.toml", b""), ("camera",)):
        yield {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}


def _tables(content: bytes, kinds: tuple[str, ...]) -> Iterator[tuple[str, dict[str, object]]]:
    try:
        data = tomllib.loads(content.decode("utf-8-sig", "replace"))
    except tomllib.TOMLDecodeError:
        return
    for kind in kinds:
        found = data.get(kind)
        tables = found if isinstance(found, list) else []
        yield from ((kind, dict(values)) for values in tables if isinstance(values, dict))
