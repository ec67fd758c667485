"""`teams.toml` and `dispatch.toml`: who can be sent, when they are on shift, and what the site asks of dispatch."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from base import ConfigError, TomlFile
from camera_config.dispatch_rules import Automatic, DispatchRules, Matter, Minimum, Need, Rest
from camera_config.entry import Entry, Found, Problems, shown, text_problem
from camera_config.read_tables import read_schedule, table_list
from camera_config.rotation import Rotation, parse_shift
from camera_config.schedule import ALWAYS, Schedule
from camera_config.site import Holiday, Team, TeamKind, TravelMode
from camera_config.time_limits import Category

__all__ = ["DISPATCH_KEYS", "HOLIDAY_KEYS", "TEAM_KEYS", "DispatchFile", "TeamsFile", "read_dispatch", "read_teams"]

TEAM_KEYS = (
    "id",
    "name_zh",
    "name_en",
    "kind",
    "grid_cells",
    "shift",
    "holiday_shift",
    "home",
    "stationed",
    "travels",
    "members",
    "call_signs",
    "skills",
    "equipment",
)
HOLIDAY_KEYS = ("first", "last", "name_zh", "name_en", "made_up")
_MATTER_KEYS = ("severity", "category")
DISPATCH_KEYS = {
    "rest": ("assignments", "hours", "minutes"),
    "need": (*_MATTER_KEYS, "skills", "equipment"),
    "automatic": ("name", *_MATTER_KEYS, "schedule"),
    "minimum": ("grid_cells", "schedule", "teams"),
}
"""The tables of `dispatch.toml`; `rest` stands there once."""

_SEVERITIES = (1, 2, 3, 4)
_MOST_CALL_SIGN = 40  # letters of a call sign


@dataclass(frozen=True, slots=True)
class TeamsFile:
    """Everything found in `teams.toml`."""

    teams: tuple[Found[Team], ...] = ()
    holidays: tuple[Found[Holiday], ...] = ()


@dataclass(frozen=True, slots=True)
class DispatchFile:
    """Everything found in `dispatch.toml`; cells are checked by the entries of `minimums`."""

    rest: Rest
    needs: tuple[Found[Need], ...] = ()
    automatic: tuple[Found[Automatic], ...] = ()
    minimums: tuple[Found[Minimum], ...] = ()

    @property
    def rules(self) -> DispatchRules:
        """What of it is good."""
        return DispatchRules(
            self.rest,
            tuple(found.value for found in self.needs if found.value),
            tuple(found.value for found in self.automatic if found.value),
            tuple(found.value for found in self.minimums if found.value),
        )


def read_teams(path: Path, problems: Problems) -> TeamsFile:
    """Read `teams.toml`, noting what is wrong; a missing file means no teams."""
    if not path.exists():
        return TeamsFile()
    try:
        tables = table_list(path, ("team", "holiday"), problems)
        found = [(table, entry) for table, entry in tables]
    except ConfigError as error:
        problems.add_error(path, error)
        return TeamsFile()
    return TeamsFile(
        tuple(_team(entry) for table, entry in found if table == "team"),
        tuple(_holiday(entry) for table, entry in found if table == "holiday"),
    )


def read_dispatch(path: Path, problems: Problems) -> DispatchFile:
    """Read `dispatch.toml`, noting what is wrong; a missing file means the defaults."""
    if not path.exists():
        return DispatchFile(Rest())
    try:
        file = TomlFile.read(path)
        lists = [(table, entry) for table, entry in table_list(path, ("need", "automatic", "minimum"), problems, ("rest",))]
    except ConfigError as error:
        problems.add_error(path, error)
        return DispatchFile(Rest())
    for table, entry in lists:
        entry.only(DISPATCH_KEYS[table])
    return DispatchFile(
        _rest(path, file, problems),
        tuple(_need(entry) for table, entry in lists if table == "need"),
        tuple(_automatic(entry) for table, entry in lists if table == "automatic"),
        tuple(_minimum(entry) for table, entry in lists if table == "minimum"),
    )


def _team(entry: Entry) -> Found[Team]:
    entry.only(TEAM_KEYS)
    team_id = entry.id()
    home = entry.points("home", [entry.value("home")], (-180, -90), (180, 90))
    members = entry.whole("members", 1, 500, 2)
    team = Team(
        id=team_id,
        name=entry.name(),
        kind=entry.choice("kind", TeamKind),
        grid_cells=entry.ids("grid_cells"),
        shift=_shift(entry),
        home=home[0] if home else (0, 0),
        members=members,
        holiday_shift=None if entry.value("holiday_shift") is None else read_schedule(entry, "holiday_shift", None),
        travels=entry.choice("travels", TravelMode, TravelMode.WALK),
        stationed=entry.truth("stationed", False),
        skills=_words(entry, "skills"),
        equipment=_words(entry, "equipment"),
        call_signs=_call_signs(entry, members),
    )
    return Found(entry, team_id, team if entry.ok else None)


def _shift(entry: Entry) -> Schedule | Rotation:
    text = entry.text("shift")
    try:
        return parse_shift(text) if text else ALWAYS
    except ValueError as error:
        entry.refuse("shift", str(error))
        return ALWAYS


def _call_signs(entry: Entry, members: int) -> tuple[str, ...]:
    value = entry.value("call_signs")
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
        entry.refuse("call_signs", f"expected a list of texts, got {shown(value)}")
        return ()
    if problem := next((problem for item in value if (problem := text_problem(item, _MOST_CALL_SIGN))), ""):
        entry.refuse("call_signs", f"{problem}, got {shown(value)}")
    elif len(value) > members or len(set(value)) < len(value):
        entry.refuse("call_signs", f"expected each once and at most one for each of {members} members, got {shown(value)}")
    return tuple(value)


def _holiday(entry: Entry) -> Found[Holiday]:
    entry.only(HOLIDAY_KEYS)
    first = _date(entry, "first", None)
    last = _date(entry, "last", first)
    if last < first:
        entry.refuse("last", f"expected a day not before {first}, got {last}")
    holiday = Holiday(first, last, entry.name(), entry.truth("made_up", False))
    return Found(entry, "", holiday if entry.ok else None)


def _rest(path: Path, file: TomlFile, problems: Problems) -> Rest:
    table = file.data.get("rest", {})
    if not isinstance(table, dict):
        problems.add(path, file.line_of("rest", 0, ""), "rest: expected one table [rest]")
        return Rest()
    entry = Entry(problems, path, table, partial(file.line_of, "rest", 0), "rest.")
    entry.only(DISPATCH_KEYS["rest"])
    return Rest(entry.whole("assignments", 0, 100, 0), entry.number("hours", 0.5, 24, 4.0), entry.number("minutes", 0, 240, 0.0))


def _need(entry: Entry) -> Found[Need]:
    need = Need(_matter(entry), _words(entry, "skills"), _words(entry, "equipment"))
    if entry.ok and not need.skills and not need.equipment:
        entry.refuse("skills", "missing; expected a list here, or in equipment")
    return Found(entry, "", need if entry.ok else None)


def _automatic(entry: Entry) -> Found[Automatic]:
    name = entry.id("name")
    rule = Automatic(name, _matter(entry), read_schedule(entry, "schedule", ALWAYS))
    return Found(entry, name, rule if entry.ok else None)


def _minimum(entry: Entry) -> Found[Minimum]:
    cells = () if entry.value("grid_cells") is None else entry.ids("grid_cells")
    minimum = Minimum(cells, read_schedule(entry, "schedule", ALWAYS), entry.whole("teams", 1, 100, 1))
    return Found(entry, "", minimum if entry.ok else None)


def _matter(entry: Entry) -> Matter:
    severities = tuple(item for item in _some(entry, "severity", _SEVERITIES) if isinstance(item, int))
    return Matter(severities, tuple(Category(str(item)) for item in _some(entry, "category", tuple(Category))))


def _some(entry: Entry, key: str, allowed: Sequence[object]) -> list[object]:
    """Some of `allowed`, one or a list of them; none where the key is absent."""
    value = entry.value(key)
    given = [] if value is None else value if isinstance(value, list) else [value]
    if any(isinstance(item, bool) or item not in allowed for item in given) or (value is not None and not given):
        entry.refuse(key, f"expected some of {', '.join(map(str, allowed))}, got {shown(value)}")
        return []
    return list(dict.fromkeys(given))


def _words(entry: Entry, key: str) -> tuple[str, ...]:
    return () if entry.value(key) is None else entry.ids(key)


def _date(entry: Entry, key: str, default: datetime.date | None) -> datetime.date:
    value = entry.value(key)
    if value is None and default is not None:
        return default
    if not isinstance(value, datetime.date) or isinstance(value, datetime.datetime):
        entry.refuse(key, f"expected a date such as 2026-02-16 without quotation marks, got {shown(value)}")
        return datetime.date.min if default is None else default
    return value
