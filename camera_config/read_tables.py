"""The TOML files of a site folder: `site.toml` and `secrets.toml`; modules of their own read the others."""

import stat
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from base import ConfigError, TomlFile
from camera_config.coverage_rules import CoverageRules
from camera_config.entry import Entry, Found, Problems, shown
from camera_config.networks import read_networks
from camera_config.read_coverage import read_coverage
from camera_config.read_retention import read_retention
from camera_config.retention_rules import RetentionRules
from camera_config.schedule import ALWAYS, Schedule
from camera_config.site import Credential, Name, Network

__all__ = [
    "SECRET_KEYS",
    "SITE_KEYS",
    "SiteFile",
    "read_schedule",
    "read_secrets",
    "read_site_file",
    "table_list",
]

SITE_KEYS = ("id", "name_zh", "name_en", "timezone", "allow_files", "camera_networks", "retention", "coverage")
SECRET_KEYS = ("user", "password", "password_env")


@dataclass(frozen=True, slots=True)
class SiteFile:
    """What `site.toml` says."""

    id: str = ""
    name: Name = Name("", "")  # noqa: RUF009  # frozen
    timezone: str = "UTC"
    allow_files: bool = False
    retention: RetentionRules = RetentionRules()  # noqa: RUF009  # frozen
    coverage: CoverageRules = CoverageRules()  # noqa: RUF009  # frozen
    camera_networks: tuple[Network, ...] = ()


def read_site_file(path: Path, problems: Problems) -> SiteFile:
    """Read `site.toml`, noting what is wrong."""
    try:
        file = TomlFile.read(path)
    except ConfigError as error:
        problems.add_error(path, error)
        return SiteFile(allow_files=True)  # so that its absence is not blamed on the cameras
    entry = Entry(problems, path, file.data, partial(file.line_of, "", 0))
    entry.only(SITE_KEYS)
    timezone = entry.text("timezone")
    if timezone and not _is_timezone(timezone):
        entry.refuse("timezone", f"expected a name of the IANA time zone database such as Asia/Shanghai, got {shown(timezone)}")
    retention = read_retention(_sub_table(file, entry, "retention"))
    coverage = read_coverage(_sub_table(file, entry, "coverage"))
    files, networks = entry.truth("allow_files", False), read_networks(entry)
    return SiteFile(entry.id(), entry.name(), timezone, files, retention, coverage, networks)


def read_secrets(path: Path, problems: Problems, environment: Mapping[str, str]) -> tuple[Found[Credential], ...] | None:
    """The camera logins of `secrets.toml`; () if there is none, None if it may not or cannot be read."""
    if not path.exists():
        return ()
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        problems.add(
            path, 1, f"expected a file only its owner may read (mode 0600), found mode {mode:04o}; run: chmod 600 {path}"
        )
        return None
    try:
        file = TomlFile.read(path)
    except ConfigError as error:
        problems.add_error(path, error)
        return None
    found = []
    for name, table in file.data.items():
        top = Entry(problems, path, {"name": name}, partial(_line_of_table, file, name))
        if not isinstance(table, dict):
            top.refuse("name", "expected tables such as [door-cameras] with user and password, found a key outside of a table")
        elif top.id("name"):
            found.append(_credential(Entry(problems, path, table, partial(file.line_of, name, 0), f"{name}."), name, environment))
    return tuple(found)


def table_list(
    path: Path, tables: Collection[str], problems: Problems, besides: Collection[str] = ()
) -> Iterator[tuple[str, Entry]]:
    """The entries of each `[[table]]` of a TOML file with its name; raises ConfigError if the file cannot be read.

    Keys of the file that are neither among `tables` nor among `besides` are noted as problems.
    """
    file = TomlFile.read(path)
    expected = ", ".join([*(f"[[{table}]]" for table in tables), *(f"[{table}]" for table in besides)])
    for key in file.data:
        if key not in tables and key not in besides:
            line = max(file.line_of("", 0, key), file.line_of(key, 0, ""))
            problems.add(path, line, f"{key[:80]}: unknown key; expected only {expected} tables")
    for table in tables:
        yield from ((table, entry) for entry in _entries(path, file, table, problems))


def _entries(path: Path, file: TomlFile, table: str, problems: Problems) -> Iterator[Entry]:
    tables = file.data.get(table, [])
    if not isinstance(tables, list):
        problems.add(path, file.line_of(table, 0, ""), f"{table}: expected [[{table}]] with two brackets, one for each {table}")
        return
    for index, values in enumerate(tables):
        if isinstance(values, dict):
            yield Entry(problems, path, values, partial(file.line_of, table, index), f"{table}.")
        else:
            problems.add(path, file.line_of("", 0, table), f"{table}: expected a table, got {shown(values)}")


def read_schedule(entry: Entry, key: str, default: Schedule | None) -> Schedule:
    """The weekly schedule of `key`; without a default the key must be there."""
    if entry.value(key) is None and default is not None:
        return default
    text = entry.text(key)
    try:
        return Schedule.parse(text) if text else ALWAYS
    except ValueError as error:
        entry.refuse(key, str(error))
        return ALWAYS


def _credential(entry: Entry, name: str, environment: Mapping[str, str]) -> Found[Credential]:
    entry.only(SECRET_KEYS)
    user, variable = entry.text("user", "", 200), entry.text("password_env", "", 200)
    if variable and entry.value("password") is not None:
        entry.refuse("password_env", "expected either password or password_env, found both")
    elif variable and not environment.get(variable):
        entry.refuse("password_env", f"expected the password in the environment variable {variable}, which is not set")
    password = environment.get(variable, "") if variable else entry.text("password", None, 200, secret=True)
    return Found(entry, name, Credential(name, user, password, variable) if entry.ok else None)


def _sub_table(file: TomlFile, top: Entry, name: str) -> Entry:
    """A table of a file that stands there once at most; empty if it is absent."""
    table = file.data.get(name, {})
    if not isinstance(table, dict):
        top.refuse(name, f"expected a table [{name}]")
        table = {}
    return Entry(top.problems, top.path, table, partial(file.line_of, name, 0), f"{name}.")


def _line_of_table(file: TomlFile, name: str, _key: str) -> int:
    return max(file.line_of(name, 0, ""), file.line_of("", 0, name))


def _is_timezone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # odd characters or an absolute path, a folder of zones, no such zone
        return False
    return True
