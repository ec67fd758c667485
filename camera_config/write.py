"""A `Site` back into a folder, so that `load_site` returns the same again."""

import csv
import io
import itertools
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from base import StorageError
from camera_config.read_cameras import CAMERA_KEYS
from camera_config.site import Camera, Checkpoint, Place, PlaceKind, Rule, Site, Team

__all__ = ["write_site", "write_text"]


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
    write_text(folder / "cameras.csv", _cameras_csv(site.cameras))
    write_text(folder / "places.geojson", _places_geojson(site.places, site.checkpoints))
    write_text(folder / "rules.toml", _rules_toml(site.rules))
    write_text(folder / "teams.toml", "\n".join(_table("[[team]]", _team_values(team)) for team in site.teams))
    if site.credentials:
        write_text(folder / "secrets.toml", _secrets_toml(site), mode=0o600)


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
    values = {"id": site.id, "name_zh": site.name.zh, "name_en": site.name.en, "timezone": site.timezone}
    plays_files = any(url.startswith("file:") for camera in site.cameras for url in (camera.url_sub, camera.url_main))
    return _table("", {**values, "allow_files": True} if plays_files else values)


def _cameras_csv(cameras: Iterable[Camera]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CAMERA_KEYS)
    for camera in cameras:
        values = {"name_zh": camera.name.zh, "name_en": camera.name.en, "enabled": "true" if camera.enabled else "false"}
        writer.writerow(values[key] if key in values else getattr(camera, key) for key in CAMERA_KEYS)
    return text.getvalue()


def _places_geojson(places: Iterable[Place], checkpoints: Iterable[Checkpoint]) -> str:
    """One feature a line, so that versions of a site can be compared."""
    lines = itertools.chain(map(_place_feature, places), map(_checkpoint_feature, checkpoints))
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


def _rules_toml(rules: Iterable[Rule]) -> str:
    """Neighbouring rules that differ only in their camera share a table."""
    return "\n".join(
        _table("[[rule]]", {"camera": [item.camera for item in group], **_rule_values(rule)})
        for rule, group in itertools.groupby(rules, key=lambda item: replace(item, camera=""))
    )


def _rule_values(rule: Rule) -> dict[str, object]:
    return {
        "name": rule.name,
        "kind": rule.kind,
        "zone": rule.zone,
        "zone_zh": rule.zone_name.zh,
        "zone_en": rule.zone_name.en,
        "labels": rule.labels,
        "schedule": rule.schedule.text,
        "dwell_s": rule.dwell_s,
        "dead_time_s": rule.dead_time_s,
        "severity": rule.severity,
        "min_score": rule.min_score,
    }


def _team_values(team: Team) -> dict[str, object]:
    return {
        "id": team.id,
        "name_zh": team.name.zh,
        "name_en": team.name.en,
        "kind": team.kind,
        "grid_cells": team.grid_cells,
        "shift": team.shift.text,
        "home": team.home,
        "members": team.members,
    }


def _secrets_toml(site: Site) -> str:
    tables = []
    for login in site.credentials:
        secret = {"password_env": login.password_env} if login.password_env else {"password": login.password}
        tables.append(_table(f"[{login.name}]", {"user": login.user, **secret}))
    return "\n".join(tables)


def _table(header: str, values: Mapping[str, object]) -> str:
    lines = [f"{key} = {_toml(value)}" for key, value in values.items()]
    return "\n".join([header, *lines] if header else lines) + "\n"


def _toml(value: object) -> str:
    """A TOML value. JSON's way to write a text is also TOML's, but for DEL, which no text of a site holds."""
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value, ensure_ascii=False)
