"""Changing cameras, their rules and masks: what is asked for, read strictly, becomes the files that the site would have."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from base import ConfigError
from camera_config.entry import Entry, FieldProblems
from camera_config.import_cameras import Outcome, import_rows
from camera_config.read_cameras import camera_of
from camera_config.read_masks import read_outline
from camera_config.read_rules import rules_of
from camera_config.site import Camera, Mask, MaskKind, Outline, Rule, Site
from camera_config.site_files import SiteFiles
from camera_config.table_files import Row
from camera_config.write import camera_values, cameras_csv, masks_toml, rule_values, rules_toml

__all__ = [
    "Change",
    "Fault",
    "RefusedError",
    "camera_digest",
    "camera_digests",
    "change_camera",
    "change_cameras",
    "differences",
    "files_after",
    "read_view",
    "remove_camera",
    "set_masks",
    "set_rules",
]


VIEW_KEYS = frozenset(
    {"lon", "lat", "height_m", "azimuth_deg", "tilt_deg", "hfov_deg", "focal_mm", "sensor_mm"}
    | {"analysed_px", "recorded_px", "night_range_m"}
)
"""The columns that decide what a camera sees."""


Outlines = Sequence[Sequence[Sequence[float]]]
"""Outlines as they come, each a list of points."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: the file, its line if known, the camera and the field it is about, what was expected and came."""

    file: str
    line: int | None
    camera: str
    field: str
    reason: str


class RefusedError(ConfigError):
    """A change that the site would not load with; `faults` are all reasons."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        first = self.faults[0]
        where = ": ".join(part for part in (first.camera, first.field) if part)
        more = f" (and {len(self.faults) - 1} more)" if len(self.faults) > 1 else ""
        super().__init__(f"{first.file}: {where}: {first.reason}{more}")


@dataclass(frozen=True, slots=True)
class Change:
    """The cameras, rules and masks of a site as they shall be."""

    cameras: tuple[Camera, ...]
    rules: tuple[Rule, ...]
    masks: tuple[Mask, ...]

    @classmethod
    def of(cls, site: Site) -> "Change":
        """As they are."""
        return cls(site.cameras, site.rules, site.masks)


def camera_digest(site: Site, camera: Camera) -> str:
    """SHA-256 of everything configured for one camera, its rules and masks among it: it changes whenever any of it does."""
    return _digest(camera, site.rules_of(camera.id), [mask for mask in site.masks if mask.camera == camera.id])


def camera_digests(site: Site) -> dict[str, str]:
    """`camera_digest` of every camera."""
    rules: dict[str, list[Rule]] = {camera.id: [] for camera in site.cameras}
    masks: dict[str, list[Mask]] = {camera.id: [] for camera in site.cameras}
    for rule in site.rules:
        rules[rule.camera].append(rule)
    for mask in site.masks:
        masks[mask.camera].append(mask)
    return {camera.id: _digest(camera, rules[camera.id], masks[camera.id]) for camera in site.cameras}


def _digest(camera: Camera, rules: Sequence[Rule], masks: Sequence[Mask]) -> str:
    told = [camera_values(camera), [rule_values(rule) for rule in rules], [(mask.kind, mask.outline) for mask in masks]]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def change_cameras(site: Site, wanted: Sequence[Mapping[str, str]]) -> Change:
    """With cameras added or changed; `wanted` are the columns of `cameras.csv`. Raises RefusedError with all that is wrong."""
    lines = {camera.id: line for line, camera in enumerate(site.cameras, 2)}
    new = len(site.cameras) + 2
    rows = [Row(lines.get(values.get("id", ""), new), dict(values)) for values in wanted]
    imported = import_rows(site, Path("cameras.csv"), rows)
    faults = [
        Fault("cameras.csv", row.line, row.camera, name, reason)
        for row in imported.rows
        if row.outcome is Outcome.REFUSED
        for name, reason in row.problems
    ]
    if faults:
        raise RefusedError(faults)
    return Change(imported.cameras, site.rules, site.masks)


def change_camera(
    site: Site,
    camera: str,
    values: Mapping[str, str] | None,
    rules: Sequence[Mapping[str, object]] | None,
    masks: Mapping[MaskKind, Outlines],
) -> Change:
    """One camera with what is given in place of what it has. Raises RefusedError with all that is wrong with any of it."""
    makes: list[Callable[[Site], Change]] = []
    if values is not None:
        makes.append(partial(change_cameras, wanted=[values]))
    if rules is not None:
        makes.append(partial(set_rules, camera=camera, wanted=rules))
    makes.append(partial(set_masks, camera=camera, wanted=masks))
    change, faults = Change.of(site), list[Fault]()
    for make in makes:
        try:
            change = make(replace(site, cameras=change.cameras, rules=change.rules, masks=change.masks))
        except RefusedError as error:
            faults += error.faults
    if faults:
        raise RefusedError(faults)
    return change


def read_view(values: Mapping[str, str]) -> Camera:
    """A camera of which only what decides its view counts: place, direction, lens, sizes, range. Raises RefusedError."""
    problems, path = FieldProblems(), Path("cameras.csv")
    anybody = {"id": "new", "name_en": "new", "compound": "any", "grid_cell": "any", "url_sub": "rtsp://any/"}
    wanted = {key: value for key, value in values.items() if key in VIEW_KEYS}
    found = camera_of(Entry(problems, path, anybody | wanted, lambda _: 0, textual=True), False)
    if found.value is None:
        raise RefusedError([Fault(path.name, None, values.get("id", ""), name, reason) for name, reason in problems.found])
    return found.value


def remove_camera(site: Site, camera: str) -> Change:
    """Without a camera, its rules and its masks. Raises RefusedError for the last one."""
    if len(site.cameras) == 1:
        raise RefusedError([Fault("cameras.csv", 2, camera, "id", "expected at least one camera in the site; this is the last")])
    return Change(
        tuple(each for each in site.cameras if each.id != camera),
        tuple(rule for rule in site.rules if rule.camera != camera),
        tuple(mask for mask in site.masks if mask.camera != camera),
    )


def set_rules(site: Site, camera: str, wanted: Sequence[Mapping[str, object]]) -> Change:
    """With these rules of one camera in place of its own; each is a `[[rule]]` without `camera`. Raises RefusedError.

    A rule keeps its place in the file by its name, so that cameras which shared it still share what is left of it.
    """
    faults: list[Fault] = []
    rules: dict[str, Rule] = {}
    for number, values in enumerate(wanted, 1):
        problems = FieldProblems()
        entry = Entry(problems, Path("rules.toml"), {**values, "camera": camera}, lambda _: 0)
        [found] = rules_of(entry)
        if found.value is not None and found.value.name in rules:
            problems.add(Path(), 0, f"name: expected each name once for a camera, got {found.value.name!r} again")
        elif found.value is not None:
            rules[found.value.name] = found.value
        faults += [Fault("rules.toml", None, camera, f"rule {number}: {name}", reason) for name, reason in problems.found]
    if faults:
        raise RefusedError(faults)
    kept: list[Rule] = []
    for rule in site.rules:
        if rule.camera != camera:
            kept.append(rule)
        elif rule.name in rules:
            kept.append(rules.pop(rule.name))
    return Change(site.cameras, (*kept, *rules.values()), site.masks)


def set_masks(site: Site, camera: str, wanted: Mapping[MaskKind, Outlines]) -> Change:
    """With these masks of one camera in place of its own of the same kinds. Raises RefusedError."""
    faults: list[Fault] = []
    made: list[Mask] = []
    for kind, outlines in wanted.items():
        for number, outline in enumerate(outlines, 1):
            problems = FieldProblems()
            points = [list(point) for point in outline]
            read: Outline = read_outline(Entry(problems, Path("masks.toml"), {"outline": points}, lambda _: 0), "outline")
            faults += [Fault("masks.toml", None, camera, f"{kind} {number}: {name}", reason) for name, reason in problems.found]
            made.append(Mask(camera, kind, read))
    if faults:
        raise RefusedError(faults)
    kept = tuple(mask for mask in site.masks if mask.camera != camera or mask.kind not in wanted)
    return Change(site.cameras, site.rules, (*kept, *made))


def files_after(site: Site, change: Change, files: SiteFiles) -> dict[str, bytes]:
    """The files of `site` after a change; those it does not concern are the very same. Cameras go to `cameras.csv`."""
    after = dict(files)
    if change.cameras != site.cameras:
        after.pop("cameras.toml", None)
        after["cameras.csv"] = cameras_csv(change.cameras).encode()
    if change.rules != site.rules:
        after["rules.toml"] = rules_toml(change.rules, change.cameras).encode()
    if change.masks != site.masks:
        after["masks.toml"] = masks_toml(change.masks).encode()
    return after


def differences(before: Site, after: Site) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Ids of the cameras that were added, of those of which anything changed, and of those removed."""
    old, new = camera_digests(before), camera_digests(after)
    added = tuple(camera for camera in new if camera not in old)
    changed = tuple(camera for camera in new if camera in old and old[camera] != new[camera])
    return added, changed, tuple(camera for camera in old if camera not in new)
