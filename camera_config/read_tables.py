"""The TOML files of a site folder: `site.toml`, `rules.toml`, `teams.toml` and `secrets.toml`."""

import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from base import ConfigError, EventKind, TomlFile
from camera_config.entry import Entry, Found, Problems, shown
from camera_config.schedule import Schedule
from camera_config.shapes import ring_problem
from camera_config.site import Credential, Name, Point, Rule, Team, TeamKind

__all__ = [
    "LABELS",
    "RULE_KEYS",
    "RULE_KINDS",
    "SECRET_KEYS",
    "SITE_KEYS",
    "TEAM_KEYS",
    "SiteFile",
    "read_rules",
    "read_secrets",
    "read_site_file",
    "read_teams",
    "table_list",
]

SITE_KEYS = ("id", "name_zh", "name_en", "timezone", "allow_files")
RULE_KEYS = (
    "camera",
    "name",
    "kind",
    "zone",
    "zone_zh",
    "zone_en",
    "labels",
    "schedule",
    "dwell_s",
    "dead_time_s",
    "severity",
    "min_score",
)
TEAM_KEYS = ("id", "name_zh", "name_en", "kind", "grid_cells", "shift", "home", "members")
SECRET_KEYS = ("user", "password", "password_env")

RULE_KINDS = (
    EventKind.INTRUSION,
)  # the kinds `detect` can raise; a rule of another kind would never fire, and nobody would know
LABELS = ("person", "vehicle", "other")  # what every network's labels are mapped to

_ALWAYS = Schedule.parse("always")


@dataclass(frozen=True, slots=True)
class SiteFile:
    """What `site.toml` says."""

    id: str = ""
    name: Name = Name("", "")  # noqa: RUF009  # frozen
    timezone: str = "UTC"
    allow_files: bool = False


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
    return SiteFile(entry.id(), entry.name(), timezone, entry.truth("allow_files", False))


def read_rules(path: Path, problems: Problems) -> tuple[Found[Rule], ...]:
    """The rules of `rules.toml`, one for each camera of each [[rule]]; a missing file means none."""
    return tuple(rule for entry in _optional(path, "rule", problems) for rule in _rules(entry))


def read_teams(path: Path, problems: Problems) -> tuple[Found[Team], ...]:
    """The teams of `teams.toml`; a missing file means none."""
    return tuple(_team(entry) for entry in _optional(path, "team", problems))


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


def table_list(path: Path, table: str, problems: Problems) -> Iterator[Entry]:
    """The entries `[[table]]` of a TOML file; raises ConfigError if it cannot be read."""
    file = TomlFile.read(path)
    for key in file.data:
        if key != table:
            line = max(file.line_of("", 0, key), file.line_of(key, 0, ""))
            problems.add(path, line, f"{key[:80]}: unknown key; expected only [[{table}]] tables")
    tables = file.data.get(table, [])
    if not isinstance(tables, list):
        problems.add(path, file.line_of(table, 0, ""), f"{table}: expected [[{table}]] with two brackets, one for each {table}")
        return
    for index, values in enumerate(tables):
        if isinstance(values, dict):
            yield Entry(problems, path, values, partial(file.line_of, table, index), f"{table}.")
        else:
            problems.add(path, file.line_of("", 0, table), f"{table}: expected a table, got {shown(values)}")


def _optional(path: Path, table: str, problems: Problems) -> Iterator[Entry]:
    if path.exists():
        try:
            yield from table_list(path, table, problems)
        except ConfigError as error:
            problems.add_error(path, error)


def _rules(entry: Entry) -> Iterator[Found[Rule]]:
    """A rule for each camera named; they share everything else."""
    entry.only(RULE_KEYS)
    cameras = (entry.id("camera"),) if not isinstance(entry.value("camera"), list) else entry.ids("camera")
    name, kind = entry.id("name"), entry.choice("kind", EventKind, among=RULE_KINDS)
    zone, zone_name = _zone(entry), entry.name("zone")
    labels, schedule = _labels(entry), _schedule(entry, "schedule", _ALWAYS)
    dwell_s, dead_time_s = entry.number("dwell_s", 0, 3600, 1.0), entry.number("dead_time_s", 0, 86_400, 120.0)
    severity, min_score = entry.whole("severity", 1, 4, 2), entry.number("min_score", 0, 1, 0.6)
    for camera in cameras:
        rule = Rule(camera, name, kind, zone, zone_name, labels, schedule, dwell_s, dead_time_s, severity, min_score)
        yield Found(entry, name, rule if entry.ok else None)


def _zone(entry: Entry) -> tuple[Point, ...]:
    zone = entry.points("zone", entry.value("zone"), (0, 0), (1, 1))
    zone = zone[:-1] if len(zone) > 1 and zone[0] == zone[-1] else zone
    if zone and (problem := ring_problem((*zone, zone[0]))):
        entry.refuse("zone", problem)
    return zone


def _labels(entry: Entry) -> tuple[str, ...]:
    value = entry.value("labels")
    if value is None:
        return ("person",)
    if not isinstance(value, list) or not value or any(label not in LABELS for label in value) or len(set(value)) < len(value):
        entry.refuse("labels", f"expected a list of some of {', '.join(LABELS)}, each once, got {shown(value)}")
        return ()
    return tuple(value)


def _schedule(entry: Entry, key: str, default: Schedule | None) -> Schedule:
    if entry.value(key) is None and default is not None:
        return default
    text = entry.text(key)
    try:
        return Schedule.parse(text) if text else _ALWAYS
    except ValueError as error:
        entry.refuse(key, str(error))
        return _ALWAYS


def _team(entry: Entry) -> Found[Team]:
    entry.only(TEAM_KEYS)
    team_id = entry.id()
    home = entry.points("home", [entry.value("home")], (-180, -90), (180, 90))
    team = Team(
        id=team_id,
        name=entry.name(),
        kind=entry.choice("kind", TeamKind),
        grid_cells=entry.ids("grid_cells"),
        shift=_schedule(entry, "shift", None),
        home=home[0] if home else (0, 0),
        members=entry.whole("members", 1, 500, 2),
    )
    return Found(entry, team_id, team if entry.ok else None)


def _credential(entry: Entry, name: str, environment: Mapping[str, str]) -> Found[Credential]:
    entry.only(SECRET_KEYS)
    user, variable = entry.text("user", most=200), entry.text("password_env", "", 200)
    if variable and entry.value("password") is not None:
        entry.refuse("password_env", "expected either password or password_env, found both")
    elif variable and not environment.get(variable):
        entry.refuse("password_env", f"expected the password in the environment variable {variable}, which is not set")
    password = environment.get(variable, "") if variable else entry.text("password", None, 200, secret=True)
    return Found(entry, name, Credential(name, user, password, variable) if entry.ok else None)


def _line_of_table(file: TomlFile, name: str, _key: str) -> int:
    return max(file.line_of(name, 0, ""), file.line_of("", 0, name))


def _is_timezone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # odd characters or an absolute path, a folder of zones, no such zone
        return False
    return True
