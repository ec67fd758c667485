"""A `Site` back into a folder, so that `load_site` returns the same again."""

import csv
import io
import itertools
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields, replace
from datetime import date
from pathlib import Path

from base import StorageError
from camera_config.coverage_rules import CoverageRules, Stream
from camera_config.desks import FEEDBACK_MIN, RECEIPT_MIN, Desk
from camera_config.dispatch_rules import DispatchRules, Matter
from camera_config.notification_rules import KEEP_TRYING_S, Email, Mqtt, NotificationRules, Robot, Target, TellRule, Webhook
from camera_config.read_cameras import CAMERA_KEYS
from camera_config.read_rules import EVERY_CAMERA, keys_of
from camera_config.retention_rules import Kept, RetentionRules
from camera_config.round_rules import Inspection, RoundRules, Route
from camera_config.rule_kinds import HEALTH_KINDS
from camera_config.schedule import ALWAYS
from camera_config.score import ScoreWeights
from camera_config.site import (
    Camera,
    Checkpoint,
    Credential,
    Gate,
    Holiday,
    Mask,
    Place,
    PlaceKind,
    PlayArea,
    Pole,
    Rule,
    Site,
    Team,
    TravelMode,
    Wall,
    Way,
)
from camera_config.time_limits import TimeLimits

__all__ = [
    "camera_values",
    "cameras_csv",
    "masks_toml",
    "rule_values",
    "rules_toml",
    "table_toml",
    "write_cameras",
    "write_sealed",
    "write_site",
    "write_text",
]


def write_site(site: Site, folder: Path) -> None:
    """Write the files of `site` into `folder`, making it if need be; `load_site(folder)` gives the same site again.

    Cameras go to `cameras.csv`. `secrets.toml` is readable by its owner only; a password from an environment variable stays
    there. Raises StorageError; each file is replaced as a whole, so a full disk leaves the old one.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{folder}: cannot make this folder: {error.strerror}") from None
    write_text(folder / "site.toml", _site_toml(site))
    write_cameras(site.cameras, folder)
    write_text(folder / "places.geojson", _places_geojson(site.places, site.checkpoints))
    write_text(folder / "rules.toml", rules_toml(site.rules, site.cameras))
    if site.masks:
        write_text(folder / "masks.toml", masks_toml(site.masks))
    write_text(folder / "teams.toml", _teams_toml(site.teams, site.holidays))
    if site.ways:
        write_text(folder / "paths.geojson", _paths_geojson(site.ways))
    if site.walls or site.gates or site.play_areas or site.poles:
        write_text(folder / "ground.geojson", _ground_geojson(site))
    if site.dispatch != DispatchRules():
        write_text(folder / "dispatch.toml", _dispatch_toml(site.dispatch))
    if site.rounds != RoundRules():
        write_text(folder / "rounds.toml", _rounds_toml(site.rounds))
    if site.time_limits != TimeLimits() or site.place_hours or site.sections:
        write_text(folder / "limits.toml", _limits_toml(site))
    if site.desks:
        write_text(folder / "desks.toml", "\n".join(table_toml("[[desk]]", _desk_values(desk)) for desk in site.desks))
    if site.score != ScoreWeights():
        write_text(folder / "assessment.toml", table_toml("", asdict(site.score)))
    if site.notifications != NotificationRules():
        write_text(folder / "notifications.toml", _notifications_toml(site.notifications))
    if any(not login.sealed for login in site.credentials):
        write_text(folder / "secrets.toml", _secrets_toml(site), mode=0o600)
    write_sealed(site.credentials, folder)


def write_sealed(logins: Iterable[Credential], folder: Path) -> None:
    """Write those of `logins` that are sealed into `credentials.toml`; without one there is no such file. Raises StorageError."""
    sealed = [table_toml(f"[{login.name}]", {"user": login.user, "sealed": login.sealed}) for login in logins if login.sealed]
    if sealed:
        write_text(folder / "credentials.toml", "\n".join(sealed), mode=0o600)
    else:
        (folder / "credentials.toml").unlink(missing_ok=True)


def write_text(path: Path, text: str, mode: int = 0o644) -> None:
    """Replace a file as a whole; nobody but its owner can read a `mode` 0o600 one even while it is written."""
    new = path.with_name(f".{path.name}.new")
    try:
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        new.replace(path)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise StorageError(f"{path}: cannot write: {error.strerror}") from None


def _site_toml(site: Site) -> str:
    values: dict[str, object] = {"id": site.id, "name_zh": site.name.zh, "name_en": site.name.en, "timezone": site.timezone}
    plays_files = any(url.startswith("file:") for camera in site.cameras for url in (camera.url_sub, camera.url_main))
    values |= {"allow_files": True} if plays_files else {}
    values |= {"camera_networks": list(map(str, site.camera_networks))} if site.camera_networks else {}
    tables = [table_toml("", values)]
    if site.retention != RetentionRules():
        tables.append(table_toml("[retention]", _retention_values(site.retention)))
    if site.coverage != CoverageRules():
        tables.append(table_toml("[coverage]", asdict(site.coverage)))
    return "\n".join(tables)


def _retention_values(rules: RetentionRules) -> dict[str, object]:
    values: dict[str, object] = {"pictures_max_gb": rules.pictures_max_gb, "clips_max_gb": rules.clips_max_gb}
    for kept in Kept:
        keep = rules.of(kept)
        values |= {f"{kept}_min_days": keep.min_days, f"{kept}_max_days": keep.max_days}
    return values


def write_cameras(cameras: Iterable[Camera], folder: Path) -> None:
    """Write `cameras.csv` of a site folder anew. Raises StorageError; the file is replaced as a whole."""
    write_text(folder / "cameras.csv", cameras_csv(cameras))


def camera_values(camera: Camera) -> dict[str, str]:
    """A camera as the columns of `cameras.csv`; an absent value is an empty text."""
    values = {"name_zh": camera.name.zh, "name_en": camera.name.en, "enabled": "true" if camera.enabled else "false"}
    values |= {f"{stream}_px": "{}x{}".format(*getattr(camera, f"{stream}_px")) for stream in Stream}
    values |= {"hfov_deg": ""} if camera.focal_mm is not None else {}  # the lens says it
    for key in CAMERA_KEYS:
        if key not in values:
            value = getattr(camera, key)
            values[key] = "" if value is None else str(value)
    return values


def cameras_csv(cameras: Iterable[Camera]) -> str:
    """The text of `cameras.csv`."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, CAMERA_KEYS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(map(camera_values, cameras))
    return text.getvalue()


def _places_geojson(places: Iterable[Place], checkpoints: Iterable[Checkpoint]) -> str:
    """One feature a line, so that versions of a site can be compared."""
    return _collection(itertools.chain(map(_place_feature, places), map(_checkpoint_feature, checkpoints)))


def _paths_geojson(ways: Iterable[Way]) -> str:
    return _collection(_feature({"mode": way.mode}, "LineString", way.line) for way in ways)


def _ground_geojson(site: Site) -> str:
    gates = (_feature(_named("gate", gate), "Point", (gate.lon, gate.lat)) for gate in site.gates)
    areas = (_feature(_named("play_area", area), "Polygon", [area.outline]) for area in site.play_areas)
    return _collection(itertools.chain(map(_wall_feature, site.walls), gates, areas, map(_pole_feature, site.poles)))


def _wall_feature(wall: Wall) -> str:
    height = {} if wall.height_m is None else {"height_m": wall.height_m}
    return _feature({"kind": "wall", **height}, "LineString", wall.line)


def _pole_feature(pole: Pole) -> str:
    return _feature({"id": pole.id, "kind": "pole", "height_m": pole.height_m}, "Point", (pole.lon, pole.lat))


def _named(kind: str, thing: Gate | PlayArea) -> dict[str, object]:
    return {"id": thing.id, "kind": kind, "name_zh": thing.name.zh, "name_en": thing.name.en}


def _collection(lines: Iterable[str]) -> str:
    return '{"type": "FeatureCollection", "features": [\n' + ",\n".join(lines) + "\n]}\n"


def _place_feature(place: Place) -> str:
    values: dict[str, object] = {"id": place.id, "kind": place.kind, "name_zh": place.name.zh, "name_en": place.name.en}
    if place.kind is not PlaceKind.SUB_DISTRICT:
        values["parent"] = place.parent
    optional = {"compound_kind": place.compound_kind, "responsible": place.responsible or None, "households": place.households}
    values.update({key: value for key, value in optional.items() if value is not None})
    return _feature(values, "Polygon", [place.outline])


def _checkpoint_feature(point: Checkpoint) -> str:
    values = {"id": point.id, "kind": "checkpoint", "name_zh": point.name.zh, "name_en": point.name.en}
    return _feature({**values, "grid_cell": point.grid_cell, "key_node": point.key_node}, "Point", (point.lon, point.lat))


def _feature(properties: Mapping[str, object], kind: str, coordinates: object) -> str:
    feature = {"type": "Feature", "properties": properties, "geometry": {"type": kind, "coordinates": coordinates}}
    return json.dumps(feature, ensure_ascii=False)


def rules_toml(rules: Iterable[Rule], cameras: Iterable[Camera]) -> str:
    """The text of `rules.toml`. Neighbouring rules that differ only in their camera share a table.

    What holds for every camera of the site stays so for those that are added later, if its kind may.
    """
    everyone, tables = [camera.id for camera in cameras], []
    for rule, group in itertools.groupby(rules, key=lambda item: replace(item, camera="")):
        named = [item.camera for item in group]
        every = rule.kind in HEALTH_KINDS and named == everyone
        tables.append(table_toml("[[rule]]", {"camera": EVERY_CAMERA if every else named, **rule_values(rule)}))
    return "\n".join(tables)


def masks_toml(masks: Iterable[Mask]) -> str:
    """The text of `masks.toml`. Neighbouring masks that differ only in their camera share a table."""
    return "\n".join(
        table_toml(f"[[{mask.kind}]]", {"camera": [item.camera for item in group], "outline": mask.outline})
        for mask, group in itertools.groupby(masks, key=lambda item: replace(item, camera=""))
    )


def rule_values(rule: Rule) -> dict[str, object]:
    """A rule as the keys of `rules.toml` that its kind uses, without its camera."""
    values: dict[str, object] = {
        "name": rule.name,
        "kind": rule.kind,
        "zone": rule.zone,
        "zone_zh": rule.zone_name.zh,
        "zone_en": rule.zone_name.en,
        "line": rule.line,
        "direction": rule.direction,
        "count": rule.count or None,
        "density": rule.density or None,
        "speed": rule.speed,
        "labels": rule.labels or None,
        "schedule": rule.schedule.text,
        "dwell_s": rule.dwell_s,
        "leave_s": rule.leave_s,
        "dead_time_s": rule.dead_time_s,
        "severity": rule.severity,
        "min_score": rule.min_score,
    }
    allowed = keys_of(rule.kind)
    return {key: value for key, value in values.items() if key in allowed and value is not None}


def _teams_toml(teams: Iterable[Team], holidays: Iterable[Holiday]) -> str:
    tables = [table_toml("[[team]]", _team_values(team)) for team in teams]
    for holiday in holidays:
        names = {"name_zh": holiday.name.zh, "name_en": holiday.name.en}
        optional = {"made_up": True} if holiday.made_up else {}
        tables.append(table_toml("[[holiday]]", {"first": holiday.first, "last": holiday.last, **names, **optional}))
    return "\n".join(tables)


def _team_values(team: Team) -> dict[str, object]:
    values: dict[str, object] = {
        "id": team.id,
        "name_zh": team.name.zh,
        "name_en": team.name.en,
        "kind": team.kind,
        "grid_cells": team.grid_cells,
        "shift": team.shift.text,
        "home": team.home,
        "members": team.members,
    }
    optional = {
        "holiday_shift": team.holiday_shift.text if team.holiday_shift else "",
        "travels": "" if team.travels is TravelMode.WALK else team.travels,
        "stationed": team.stationed,
        "call_signs": team.call_signs,
        "skills": team.skills,
        "equipment": team.equipment,
    }
    return values | {key: value for key, value in optional.items() if value}


def _dispatch_toml(rules: DispatchRules) -> str:
    rest = {"assignments": rules.rest.assignments, "hours": rules.rest.hours, "minutes": rules.rest.minutes}
    tables = [table_toml("[rest]", rest)]
    for need in rules.needs:
        able = {key: value for key, value in (("skills", need.skills), ("equipment", need.equipment)) if value}
        tables.append(table_toml("[[need]]", {**_matter_values(need.matter), **able}))
    for rule in rules.automatic:
        values = {"name": rule.name, **_matter_values(rule.matter), "schedule": rule.schedule.text}
        tables.append(table_toml("[[automatic]]", values))
    for minimum in rules.minimums:
        cells = {"grid_cells": minimum.grid_cells} if minimum.grid_cells else {}
        tables.append(table_toml("[[minimum]]", {**cells, "schedule": minimum.schedule.text, "teams": minimum.teams}))
    return "\n".join(tables)


def _matter_values(matter: Matter) -> dict[str, object]:
    return {key: value for key, value in (("severity", matter.severities), ("category", matter.categories)) if value}


def _rounds_toml(rules: RoundRules) -> str:
    default = RoundRules()
    keys = ("geofence_m", "code_required", "camera_s", "camera_m", "incidents", "severity")
    settings = {key: getattr(rules, key) for key in keys if getattr(rules, key) != getattr(default, key)}
    tables = [table_toml("[visits]", settings)] if settings else []
    tables += [table_toml("[[route]]", _route_values(route)) for route in rules.routes]
    tables += [table_toml("[[inspection]]", _inspection_values(inspection)) for inspection in rules.inspections]
    return "\n".join(tables)


def _route_values(route: Route) -> dict[str, object]:
    starts = route.starts
    values: dict[str, object] = {"id": route.id, "name_zh": route.name.zh, "name_en": route.name.en}
    values |= {"grid_cell": route.grid_cell} if route.grid_cell else {"teams": route.teams}
    values |= {"stops": route.stops, "order": route.order}
    values |= {"walk_min": route.walk_min} if route.walk_min else {}
    if starts.at is not None:
        values["at"] = starts.at.text
    elif starts.every_h is not None:
        values["every_h"] = starts.every_h
    elif starts.within is not None:
        values |= {"random": starts.within.text, "times": starts.times}
    return values | {"early_min": route.early_min, "late_min": route.late_min}


def _inspection_values(inspection: Inspection) -> dict[str, object]:
    values = {"id": inspection.id, "name_zh": inspection.name.zh, "name_en": inspection.name.en}
    given = {"checkpoints": inspection.checkpoints, "teams": inspection.teams, "draw": inspection.draw}
    some = {key: value for key, value in given.items() if value}
    return {**values, "schedule": inspection.schedule.text, **some, "within_min": inspection.within_min}


def _limits_toml(site: Site) -> str:
    limits = site.time_limits
    top = {"warn_at": limits.warn_at, "escalate_after": limits.escalate_after, "working_hours": limits.working_hours.text}
    if limits.handover is not None:
        top |= {"handover_at": limits.handover.at.text, "handover_alarm_min": limits.handover.alarm_min}
    tables = [table_toml("", top)]
    for limit in limits.limits:
        some = {"category": limit.categories, "in_working_time": sorted(limit.in_working_time)}
        minutes = {f"{step}_min": seconds / 60 for step, seconds in (limit.limit_s or {}).items()}
        given = {key: value for key, value in some.items() if value}
        tables.append(table_toml("[[limit]]", {"severity": limit.severities, **minutes, **given}))
    for hours in site.place_hours:
        where = {"compound_kind": hours.compound_kind} if hours.compound_kind else {"place": hours.place}
        tables.append(table_toml("[[hours]]", {**where, "working_hours": hours.working_hours.text}))
    for section in site.sections:
        values = {"id": section.id, "name_zh": section.name.zh, "name_en": section.name.en, "grid_cells": section.grid_cells}
        post = {"responsible": section.responsible} if section.responsible else {}
        tables.append(table_toml("[[section]]", {**values, **post}))
    return "\n".join(tables)


def _desk_values(desk: Desk) -> dict[str, object]:
    values = {"id": desk.id, "name_zh": desk.name.zh, "name_en": desk.name.en, "kind": desk.kind}
    optional = {
        "opening_hours": "" if desk.opening_hours == ALWAYS else desk.opening_hours.text,
        "receipt_min": 0 if desk.receipt_min == RECEIPT_MIN else desk.receipt_min,
        "feedback_min": 0 if desk.feedback_min == FEEDBACK_MIN else desk.feedback_min,
        "users": desk.users,
        "responsible": desk.responsible,
        "places": desk.places,
    }
    return values | {key: value for key, value in optional.items() if value}


_TARGET_TABLE: dict[type, str] = {Webhook: "webhook", Robot: "robot", Email: "email", Mqtt: "mqtt"}


def _notifications_toml(rules: NotificationRules) -> str:
    settings: dict[str, object] = {"page": rules.page} if rules.page else {}
    if rules.keep_trying_s != KEEP_TRYING_S:
        settings["keep_trying_h"] = rules.keep_trying_s / 3600
    tables = [table_toml("", settings | {"camera_after_min": rules.camera_after_s / 60})]
    tables += [table_toml(f"[[{_TARGET_TABLE[type(target)]}]]", _target_values(target)) for target in rules.targets]
    tables += [table_toml("[[rule]]", _tell_values(rule)) for rule in rules.rules]
    return "\n".join(tables)


def _target_values(target: Target) -> dict[str, object]:
    values = {each.name: getattr(target, each.name) for each in fields(target)}
    if isinstance(target, Mqtt):
        host = f"[{target.host}]" if ":" in target.host else target.host
        values["url"] = f"{'mqtts' if target.tls else 'mqtt'}://{host}:{target.port}"
        for key in ("host", "port", "tls"):
            del values[key]
    return {key: value for key, value in values.items() if value}


def _tell_values(rule: TellRule) -> dict[str, object]:
    values = {"targets": rule.targets, "kinds": rule.kinds, "levels": rule.levels, "places": rule.places}
    values = {key: value for key, value in values.items() if value}
    quiet = {"quiet": rule.quiet.text} if rule.quiet else {}
    return {**values, "severity": rule.severity, "group_s": rule.group_s, **quiet}


def _secrets_toml(site: Site) -> str:
    tables = []
    for login in (login for login in site.credentials if not login.sealed):
        secret = {"password_env": login.password_env} if login.password_env else {"password": login.password}
        tables.append(table_toml(f"[{login.name}]", {"user": login.user, **secret}))
    return "\n".join(tables)


def table_toml(header: str, values: Mapping[str, object]) -> str:
    """A table with its header, or what stands above all tables; the keys are taken to be bare ones."""
    lines = [f"{key} = {_toml(value)}" for key, value in values.items()]
    return "\n".join([header, *lines] if header else lines) + "\n"


def _toml(value: object) -> str:
    """A TOML value. JSON's way to write a text is also TOML's, but for DEL, which no text of a site holds."""
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_toml, value))}]"
    return value.isoformat() if isinstance(value, date) else json.dumps(value, ensure_ascii=False)
