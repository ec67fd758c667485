"""`rules.toml`: when what, where in the picture, becomes an event."""

import itertools
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from shapely.geometry import LineString

from base import ConfigError, EventKind
from camera_config.entry import Entry, Found, Problems, shown
from camera_config.name import Name
from camera_config.read_masks import read_outline
from camera_config.read_tables import read_schedule, table_list
from camera_config.rule_kinds import HEALTH_KINDS, RULE_KINDS, Direction, RuleKind
from camera_config.schedule import ALWAYS
from camera_config.site import Outline, Rule

__all__ = ["EVERY_CAMERA", "LABELS", "RULE_KEYS", "for_every_camera", "keys_of", "read_rules", "rules_of"]

EVERY_CAMERA = "*"
LABELS = ("person", "vehicle", "other")  # what every network's labels are mapped to
_ALWAYS_KEYS = ("camera", "name", "kind", "schedule", "dwell_s", "dead_time_s", "severity")
RULE_KEYS = (
    *_ALWAYS_KEYS,
    "zone",
    "zone_zh",
    "zone_en",
    "labels",
    "min_score",
    "leave_s",
    "line",
    "direction",
    "count",
    "density",
    "speed",
)
_MOST_LINE_POINTS = 100


def read_rules(path: Path, problems: Problems) -> tuple[Found[Rule], ...]:
    """The rules of `rules.toml`, one for each camera of each [[rule]], `EVERY_CAMERA` among them; a missing file means none."""
    if not path.exists():
        return ()
    try:
        return tuple(rule for _, entry in table_list(path, ("rule",), problems) for rule in rules_of(entry))
    except ConfigError as error:
        problems.add_error(path, error)
        return ()


def for_every_camera(rules: Iterable[Found[Rule]], cameras: Collection[str]) -> tuple[Found[Rule], ...]:
    """`rules` with those of EVERY_CAMERA once for each of `cameras`."""
    return tuple(each for found in rules for each in _spread(found, cameras))


def _spread(found: Found[Rule], cameras: Collection[str]) -> Iterator[Found[Rule]]:
    if found.value is None or found.value.camera != EVERY_CAMERA:
        yield found
        return
    for camera in cameras:
        yield replace(found, value=replace(found.value, camera=camera))


def keys_of(kind: EventKind) -> tuple[str, ...]:
    """The keys a rule of this kind may have, in the order of RULE_KEYS."""
    about = RULE_KINDS[kind]
    names = ("zone_zh", "zone_en") if about.needs else ()
    allowed = {*_ALWAYS_KEYS, *about.needs, *about.takes, *names}
    return tuple(key for key in RULE_KEYS if key in allowed)


def rules_of(entry: Entry) -> Iterator[Found[Rule]]:
    """A rule for each camera named; they share everything else."""
    entry.only(RULE_KEYS)
    kind = entry.choice("kind", EventKind, among=tuple(RULE_KINDS))
    about = RULE_KINDS[kind]
    cameras = _cameras(entry, kind)
    name = entry.id("name")
    if kind == entry.value("kind"):
        _refuse_unused(entry, kind)
    rule = Rule(
        camera="",
        name=name,
        kind=kind,
        zone=read_outline(entry, "zone") if "zone" in about.needs else (),
        zone_name=entry.name("zone") if about.needs else Name("", ""),
        labels=_labels(entry, about),
        schedule=read_schedule(entry, "schedule", ALWAYS),
        dwell_s=entry.number("dwell_s", 0, 3600, about.dwell_s),
        dead_time_s=entry.number("dead_time_s", 0, 86_400, about.dead_time_s),
        severity=entry.whole("severity", 1, 4, 2),
        min_score=entry.number("min_score", 0, 1, 0.6),
        leave_s=entry.number("leave_s", 0, 600, about.leave_s),
        line=_line(entry) if "line" in about.needs else (),
        direction=entry.choice("direction", Direction, Direction.ANY),
        count=entry.whole("count", 2, 500, 0),
        density=entry.number("density", 0.05, 1, 0.0),
        speed=entry.number("speed", 0.5, 20, 2.0),
    )
    if kind is EventKind.CROWD and not rule.count and not rule.density:
        entry.refuse("count", "missing; a crowd needs count, density or both")
    for camera in cameras:
        yield Found(entry, name, replace(rule, camera=camera) if entry.ok else None)


def _cameras(entry: Entry, kind: EventKind) -> tuple[str, ...]:
    if entry.value("camera") == EVERY_CAMERA and kind in HEALTH_KINDS:
        return (EVERY_CAMERA,)
    return entry.ids("camera") if isinstance(entry.value("camera"), list) else (entry.id("camera"),)


def _refuse_unused(entry: Entry, kind: EventKind) -> None:
    """A key that changes nothing was meant to change something."""
    allowed = keys_of(kind)
    for key in entry.values:
        if key in RULE_KEYS and key not in allowed:
            entry.refuse(key, f"not used by a rule of kind {kind}, which takes {', '.join(allowed)}")


def _line(entry: Entry) -> Outline:
    line = entry.points("line", entry.value("line"), (0, 0), (1, 1))
    if not line:
        return ()
    if not 2 <= len(line) <= _MOST_LINE_POINTS:
        entry.refuse("line", f"expected 2 to {_MOST_LINE_POINTS} points, got {len(line)}")
    elif any(one == two for one, two in itertools.pairwise(line)):
        entry.refuse("line", "expected points that differ from their neighbours")
    elif not LineString(line).is_simple or line[0] == line[-1]:
        entry.refuse("line", "expected a line that does not cross or touch itself")
    return line


def _labels(entry: Entry, about: RuleKind) -> tuple[str, ...]:
    value = entry.value("labels")
    if value is None or "labels" not in about.takes:
        return about.labels
    if not isinstance(value, list) or not value or any(label not in LABELS for label in value) or len(set(value)) < len(value):
        entry.refuse("labels", f"expected a list of some of {', '.join(LABELS)}, each once, got {shown(value)}")
        return ()
    return tuple(value)
