"""`limits.toml`: time limits, working hours and the sections between grid cells and communities."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from base import ConfigError, TomlFile
from camera_config.entry import Entry, Found, Problems, shown
from camera_config.round_rules import Times
from camera_config.schedule import ALWAYS, Schedule
from camera_config.site import CompoundKind, Place, PlaceHours, PlaceKind, Section
from camera_config.time_limits import (
    ESCALATE_AFTER,
    HANDOVER_ALARM_MIN,
    WARN_AT,
    Category,
    Limit,
    LimitedStep,
    ShiftChanges,
    TimeLimits,
)

__all__ = ["HOURS_KEYS", "LIMIT_KEYS", "LIMIT_TABLES", "SECTION_KEYS", "TOP_KEYS", "LimitsFile", "check_limits", "read_limits"]

E = TypeVar("E", LimitedStep, Category)

LIMIT_TABLES = ("limit", "hours", "section")
TOP_KEYS = ("warn_at", "escalate_after", "working_hours", "handover_at", "handover_alarm_min")
LIMIT_KEYS = ("severity", "category", *(f"{step}_min" for step in LimitedStep), "in_working_time")
HOURS_KEYS = ("place", "compound_kind", "working_hours")
SECTION_KEYS = ("id", "name_zh", "name_en", "responsible", "grid_cells")

LONGEST_MIN = 60 * 24 * 366
_SEVERITIES = (1, 2, 3, 4)


@dataclass(frozen=True, slots=True)
class LimitsFile:
    """What `limits.toml` says; the defaults where there is none."""

    time_limits: TimeLimits = TimeLimits()  # noqa: RUF009  # frozen
    hours: tuple[Found[PlaceHours], ...] = ()
    sections: tuple[Found[Section], ...] = ()


def read_limits(path: Path, problems: Problems) -> LimitsFile:
    """Read `limits.toml`, noting what is wrong; a missing file means the defaults."""
    if not path.exists():
        return LimitsFile()
    try:
        file = TomlFile.read(path)
    except ConfigError as error:
        problems.add_error(path, error)
        return LimitsFile()
    values = {key: value for key, value in file.data.items() if key not in LIMIT_TABLES}
    top = Entry(problems, path, values, partial(file.line_of, "", 0))
    top.only(TOP_KEYS)
    time_limits = TimeLimits(
        warn_at=top.number("warn_at", 0.05, 0.99, WARN_AT),
        escalate_after=_shares(top),
        working_hours=_hours(top, ALWAYS),
        limits=tuple(_limit(entry) for entry in _tables(file, path, "limit", problems)),
        handover=_handover(top),
    )
    hours = tuple(_place_hours(entry) for entry in _tables(file, path, "hours", problems))
    return LimitsFile(time_limits, hours, tuple(_section(entry) for entry in _tables(file, path, "section", problems)))


def check_limits(file: LimitsFile, places: Collection[Found[Place]]) -> None:
    """Note what does not fit the places: unknown ones, a cell in two sections, a section with the id of a place."""
    kinds = {found.id: found.value.kind if found.value else None for found in places}
    taken: dict[str, str] = {}
    for hours in file.hours:
        if hours.id and hours.id not in kinds:
            hours.entry.refuse("place", f"expected the id of a place, got {shown(hours.id)}")
    for section in file.sections:
        if section.id in kinds or section.id in taken.values():
            section.entry.refuse("id", f"expected an id that no place and no other section has, got {shown(section.id)}")
        for cell in section.value.grid_cells if section.value else ():
            if kinds.get(cell) is not PlaceKind.GRID_CELL:
                section.entry.refuse("grid_cells", f"expected ids of grid cells, got {shown(cell)}")
            elif cell in taken:
                section.entry.refuse("grid_cells", f"expected each cell in one section, {cell} is in {taken[cell]} already")
            else:
                taken[cell] = section.id


def _tables(file: TomlFile, path: Path, table: str, problems: Problems) -> Iterator[Entry]:
    tables = file.data.get(table, [])
    if not isinstance(tables, list) or not all(isinstance(values, dict) for values in tables):
        line = max(file.line_of(table, 0, ""), file.line_of("", 0, table))
        problems.add(path, line, f"{table}: expected [[{table}]] tables with two brackets, got {shown(tables)}")
        return
    for index, values in enumerate(tables):
        yield Entry(problems, path, values, partial(file.line_of, table, index), f"{table}.")


def _shares(top: Entry) -> tuple[float, float, float]:
    value = top.value("escalate_after")
    if value is None:
        return ESCALATE_AFTER
    expected = "expected three rising numbers from 0.05 to 100: for the section, the community and the sub-district"
    are_numbers = isinstance(value, list) and all(isinstance(each, int | float) and not isinstance(each, bool) for each in value)
    if not isinstance(value, list) or not are_numbers or len(value) != 3 or not 0.05 <= value[0] < value[1] < value[2] <= 100:
        top.refuse("escalate_after", f"{expected}, got {shown(value)}")
        return ESCALATE_AFTER
    return float(value[0]), float(value[1]), float(value[2])


def _hours(entry: Entry, default: Schedule | None) -> Schedule:
    """Working hours; never empty, for no limit would ever be reached then."""
    if entry.value("working_hours") is None and default is not None:
        return default
    text = entry.text("working_hours")
    try:
        hours = Schedule.parse(text) if text else ALWAYS
    except ValueError as error:
        entry.refuse("working_hours", str(error))
        return ALWAYS
    if not hours.windows:
        entry.refuse("working_hours", "expected some hours: with 'never' no limit would ever be reached")
    return hours


def _handover(top: Entry) -> ShiftChanges | None:
    alarm_min = top.number("handover_alarm_min", 1, 12 * 60, HANDOVER_ALARM_MIN)
    text = top.text("handover_at", "")
    if not text:
        if top.value("handover_alarm_min") is not None:
            top.refuse("handover_alarm_min", "expected only together with handover_at")
        return None
    try:
        return ShiftChanges(Times.parse(text), alarm_min)
    except ValueError as error:
        top.refuse("handover_at", str(error))
        return None


def _limit(entry: Entry) -> Limit:
    entry.only(LIMIT_KEYS)
    severities = _severities(entry)
    limit_s = {}
    for step in LimitedStep:
        if entry.value(f"{step}_min") is not None:
            limit_s[step] = 60.0 * entry.number(f"{step}_min", 0.5, LONGEST_MIN)
    working = _some(entry, "in_working_time", LimitedStep)
    if working and min(severities, default=4) < 3:
        entry.refuse("in_working_time", "expected only with severities 3 and 4; the others do not wait for the morning")
    if not limit_s and not working:
        entry.refuse("severity", f"expected a limit such as {LIMIT_KEYS[2]}, or in_working_time, with these severities")
    return Limit(severities, _some(entry, "category", Category), limit_s, frozenset(working))


def _severities(entry: Entry) -> tuple[int, ...]:
    value = entry.value("severity")
    given = value if isinstance(value, list) else [value]
    severities = [each for each in given if isinstance(each, int) and not isinstance(each, bool) and each in _SEVERITIES]
    if not given or len(severities) < len(given):
        entry.refuse("severity", f"expected 1, 2, 3 or 4, or a list of some of them, got {shown(value)}")
        return ()
    return tuple(dict.fromkeys(severities))


def _some(entry: Entry, key: str, kind: type[E]) -> tuple[E, ...]:
    """Members of a closed set, one or a list of them; none where the key is absent."""
    value = entry.value(key)
    given = [] if value is None else value if isinstance(value, list) else [value]
    words = [each for each in given if isinstance(each, str) and each in list(kind)]
    if len(words) < len(given) or (value is not None and not given):
        entry.refuse(key, f"expected some of {', '.join(kind)}, got {shown(value)}")
        return ()
    return tuple(dict.fromkeys(kind(word) for word in words))


def _place_hours(entry: Entry) -> Found[PlaceHours]:
    entry.only(HOURS_KEYS)
    place = entry.id("place", "")
    kind = entry.choice("compound_kind", CompoundKind) if entry.value("compound_kind") is not None else None
    if bool(place) == (kind is not None):
        entry.refuse("place", "expected either place or compound_kind")
    hours = PlaceHours(_hours(entry, None), place, kind)
    return Found(entry, place, hours if entry.ok else None)


def _section(entry: Entry) -> Found[Section]:
    entry.only(SECTION_KEYS)
    section = Section(entry.id(), entry.name(), entry.ids("grid_cells"), entry.text("responsible", "", 200))
    return Found(entry, section.id, section if entry.ok else None)
