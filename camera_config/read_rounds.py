"""`rounds.toml`: routes of checkpoints, inspections, and what counts as having been there."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from base import ConfigError, TomlFile
from camera_config.entry import Entry, Found, Problems, shown
from camera_config.read_tables import read_schedule, table_list
from camera_config.round_rules import (
    EARLY_MIN,
    LATE_MIN,
    WITHIN_MIN,
    Inspection,
    OpensIncident,
    Order,
    RoundRules,
    Route,
    Starts,
    Times,
)
from camera_config.schedule import ALWAYS
from camera_config.site import Checkpoint, Place, PlaceKind, Team

__all__ = ["ROUND_KEYS", "RoundsFile", "check_rounds", "read_rounds"]

_TEXT_KEYS = ("id", "name_zh", "name_en")
_START_KEYS = ("at", "every_h", "random")
ROUND_KEYS = {
    "visits": ("geofence_m", "code_required", "camera_s", "camera_m", "incidents", "severity"),
    "route": (
        *_TEXT_KEYS,
        "teams",
        "grid_cell",
        "stops",
        "order",
        "walk_min",
        *_START_KEYS,
        "times",
        "early_min",
        "late_min",
    ),
    "inspection": (*_TEXT_KEYS, "schedule", "checkpoints", "teams", "draw", "within_min"),
}
"""The tables of `rounds.toml`; `visits` stands there once."""

_MOST_STOPS = 200
_MOST_TIMES = 24


@dataclass(frozen=True, slots=True)
class RoundsFile:
    """Everything found in `rounds.toml`; `settings` holds its rules but for routes and inspections."""

    settings: RoundRules = RoundRules()  # noqa: RUF009  # frozen
    routes: tuple[Found[Route], ...] = ()
    inspections: tuple[Found[Inspection], ...] = ()

    @property
    def rules(self) -> RoundRules:
        """What of it is good."""
        return RoundRules(
            routes=tuple(found.value for found in self.routes if found.value),
            inspections=tuple(found.value for found in self.inspections if found.value),
            geofence_m=self.settings.geofence_m,
            code_required=self.settings.code_required,
            camera_s=self.settings.camera_s,
            camera_m=self.settings.camera_m,
            incidents=self.settings.incidents,
            severity=self.settings.severity,
        )


def read_rounds(path: Path, problems: Problems) -> RoundsFile:
    """Read the file, noting what is wrong; a missing file means that nothing is walked."""
    if not path.exists():
        return RoundsFile()
    try:
        file = TomlFile.read(path)
        found = list(table_list(path, ("route", "inspection"), problems, ("visits",)))
    except ConfigError as error:
        problems.add_error(path, error)
        return RoundsFile()
    for table, entry in found:
        entry.only(ROUND_KEYS[table])
    return RoundsFile(
        _settings(path, file, problems),
        tuple(_route(entry) for table, entry in found if table == "route"),
        tuple(_inspection(entry) for table, entry in found if table == "inspection"),
    )


def check_rounds(
    file: RoundsFile,
    checkpoints: Collection[Found[Checkpoint]],
    teams: Collection[Found[Team]],
    places: Collection[Found[Place]],
) -> None:
    """Note ids given twice, and checkpoints, teams and cells that the site does not have."""
    points = {found.id for found in checkpoints}
    names = {found.id for found in teams}
    cells = {found.id for found in places if found.value is None or found.value.kind is PlaceKind.GRID_CELL}
    seen: set[str] = set()
    every: tuple[Found[Route] | Found[Inspection], ...] = (*file.routes, *file.inspections)
    for found in every:
        if found.id and found.id in seen:
            found.entry.refuse("id", f"expected each id once among routes and inspections, got {shown(found.id)} again")
        seen.add(found.id)
        value = found.value
        if value is None:
            continue
        key, stops = ("stops", value.stops) if isinstance(value, Route) else ("checkpoints", value.checkpoints)
        _expect(found.entry, key, "checkpoint", stops, points)
        _expect(found.entry, "teams", "team", value.teams, names)
        if isinstance(value, Route) and value.grid_cell:
            _expect(found.entry, "grid_cell", "grid_cell", (value.grid_cell,), cells)


def _expect(entry: Entry, key: str, what: str, given: Sequence[str], known: Collection[str]) -> None:
    for item in given:
        if item not in known:
            some = ", ".join(sorted(known)[:3])
            entry.refuse(key, f"expected ids of a {what}{f', such as {some}' if some else ''}, got {shown(item)}")


def _settings(path: Path, file: TomlFile, problems: Problems) -> RoundRules:
    values, default = file.data.get("visits", {}), RoundRules()
    if not isinstance(values, dict):
        problems.add(path, file.line_of("visits", 0, ""), "visits: expected one [visits] table")
        return default
    entry = Entry(problems, path, values, partial(file.line_of, "visits", 0), "visits.")
    entry.only(ROUND_KEYS["visits"])
    return RoundRules(
        geofence_m=entry.number("geofence_m", 5, 1000, default.geofence_m),
        code_required=entry.truth("code_required", default.code_required),
        camera_s=entry.number("camera_s", 1, 600, default.camera_s),
        camera_m=entry.number("camera_m", 1, 200, default.camera_m),
        incidents=entry.choice("incidents", OpensIncident, default.incidents),
        severity=entry.whole("severity", 1, 4, default.severity),
    )


def _route(entry: Entry) -> Found[Route]:
    route_id, stops = entry.id(), entry.ids("stops")
    if len(stops) > _MOST_STOPS:
        entry.refuse("stops", f"expected at most {_MOST_STOPS} checkpoints, got {len(stops)}")
    teams = _ids(entry, "teams")
    cell = entry.id("grid_cell", "")
    if cell and entry.value("every_h") is not None:
        entry.refuse("every_h", "expected teams beside it: rounds every so many hours begin with a team's shift")
    if bool(teams) == bool(cell):
        entry.refuse("teams", "expected either teams, or the grid_cell whose team walks it")
    route = Route(
        id=route_id,
        name=entry.name(),
        stops=stops,
        starts=_starts(entry),
        teams=teams,
        grid_cell=cell,
        order=entry.choice("order", Order, Order.FIXED),
        walk_min=_walk_min(entry, len(stops)),
        early_min=entry.number("early_min", 0, 240, EARLY_MIN),
        late_min=entry.number("late_min", 1, 240, LATE_MIN),
    )
    return Found(entry, route_id, route if entry.ok else None)


def _inspection(entry: Entry) -> Found[Inspection]:
    inspection_id = entry.id()
    inspection = Inspection(
        id=inspection_id,
        name=entry.name(),
        schedule=read_schedule(entry, "schedule", ALWAYS),
        checkpoints=_ids(entry, "checkpoints"),
        teams=_ids(entry, "teams"),
        draw=entry.whole("draw", 0, 100, 0),
        within_min=entry.number("within_min", 5, 720, WITHIN_MIN),
    )
    return Found(entry, inspection_id, inspection if entry.ok else None)


def _starts(entry: Entry) -> Starts:
    given = [key for key in _START_KEYS if entry.value(key) is not None]
    if len(given) != 1:
        entry.refuse("at", f"expected exactly one of {', '.join(_START_KEYS)}, got {', '.join(given) or 'none'}")
    if entry.value("times") is not None and given != ["random"]:
        entry.refuse("times", "expected only beside random")
    times = entry.whole("times", 1, _MOST_TIMES, 1)
    if given == ["every_h"]:
        return Starts(every_h=entry.number("every_h", 0.25, 24))
    if given == ["random"]:
        return Starts(within=read_schedule(entry, "random", None), times=times)
    text = entry.text("at") if given == ["at"] else ""
    try:
        return Starts(at=Times.parse(text)) if text else Starts()
    except ValueError as error:
        entry.refuse("at", str(error))
        return Starts()


def _walk_min(entry: Entry, stops: int) -> tuple[float, ...]:
    """Minutes from each stop to the next."""
    value = entry.value("walk_min")
    if value is None:
        return ()
    numbers = value if isinstance(value, list) else []
    if len(numbers) != stops - 1 or not all(
        isinstance(item, int | float) and not isinstance(item, bool) and 0 <= item <= 240 for item in numbers
    ):
        entry.refuse("walk_min", f"expected {max(0, stops - 1)} numbers of minutes (0 to 240), one from each stop to the next")
        return ()
    return tuple(float(item) for item in numbers)


def _ids(entry: Entry, key: str) -> tuple[str, ...]:
    return () if entry.value(key) is None else entry.ids(key)
