"""The settings of a site that are changed as whole files of tables: desks, time limits, who is told.

What stands in a file is values above all tables and `[[tables]]` in order. It is written as text and read by the strict loader
like any file of the folder, so that here is nothing that knows what is allowed in it.
"""

import hashlib
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from camera_config.change_cameras import Fault
from camera_config.entry import SiteError
from camera_config.site_files import SiteFiles
from camera_config.write import table_toml

__all__ = ["SettingsFile", "Tables", "faults_of", "read_tables", "settings_digest", "tables_toml"]

Values = Mapping[str, object]

_HEADER = re.compile(r"\[\[(\w+)\]\]")


class SettingsFile(StrEnum):
    """Which settings; each is a file of the folder."""

    DESKS = "desks"
    LIMITS = "limits"
    NOTIFICATIONS = "notifications"

    @property
    def file(self) -> str:
        return f"{self}.toml"


@dataclass(frozen=True, slots=True)
class Tables:
    """The values of a file: those above all tables, and the tables of each name in order."""

    top: Values
    tables: Mapping[str, Sequence[Values]]


def read_tables(content: bytes) -> Tables:
    """What stands in a file that the loader takes; of one that it does not, nothing."""
    try:
        data = tomllib.loads(content.decode("utf-8-sig"))
    except ValueError:
        return Tables({}, {})
    tables = {name: value for name, value in data.items() if isinstance(value, list) and value and isinstance(value[0], dict)}
    return Tables({name: value for name, value in data.items() if name not in tables}, tables)


def tables_toml(wanted: Tables) -> str:
    """The text of a file with these values, one line each; empty if there are none."""
    parts = [table_toml("", wanted.top)] if wanted.top else []
    parts += [table_toml(f"[[{name}]]", values) for name, tables in wanted.tables.items() for values in tables]
    return "\n".join(parts)


def settings_digest(files: SiteFiles, name: str) -> str:
    """SHA-256 of one file, 64 hexadecimal digits; of an empty one where there is none."""
    return hashlib.sha256(files.get(name, b"")).hexdigest()


def faults_of(error: SiteError, name: str, text: str) -> list[Fault]:
    """What is wrong with a folder in which `name` is `text`, made by `tables_toml`: by the number of the table, not by a line."""
    lines = text.splitlines()
    faults = []
    for problem in error.problems:
        where, _, rest = problem.partition(": ")
        path, _, number = where.rpartition(":")
        line = int(number) if number.isdigit() else 0
        file = (path if line else where).rpartition("/")[2]
        key, _, reason = rest.partition(": ")
        if file == name:
            headers = [found[1] for found in map(_HEADER.fullmatch, lines[:line]) if found]
            table = f"{headers[-1]} {headers.count(headers[-1])}: " if headers else ""
            faults.append(Fault(name, None, "", table + key.rpartition(".")[2], reason))
        else:
            faults.append(Fault(file, line or None, "", key, reason))
    return faults
