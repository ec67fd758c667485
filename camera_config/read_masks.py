"""`masks.toml`: parts of a camera's picture that nobody may see, and parts in which motion means nothing."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path

from base import ConfigError
from camera_config.entry import Entry, Found, Problems, shown
from camera_config.read_tables import table_list
from camera_config.shapes import ring_problem
from camera_config.site import Camera, Mask, MaskKind, Outline

__all__ = ["MASK_KEYS", "check_masks", "read_masks", "read_outline"]

MASK_KEYS = ("camera", "outline")


def read_masks(path: Path, problems: Problems) -> tuple[Found[Mask], ...]:
    """The masks of `masks.toml`, one for each camera of each table; a missing file means none."""
    if not path.exists():
        return ()
    try:
        tables = list(table_list(path, tuple(MaskKind), problems))
    except ConfigError as error:
        problems.add_error(path, error)
        return ()
    return tuple(mask for name, entry in tables for mask in _masks(MaskKind(name), entry))


def check_masks(masks: Collection[Found[Mask]], cameras: Collection[Found[Camera]]) -> None:
    """Note masks of cameras that the site does not have: a picture that was to be masked must not be shown instead."""
    known = {found.id for found in cameras}
    for found in masks:
        if found.value is not None and found.value.camera not in known:
            found.entry.refuse("camera", f"no such camera in cameras.csv or cameras.toml, got {shown(found.value.camera)}")


def read_outline(entry: Entry, key: str) -> Outline:
    """A polygon in fractions of the picture, not closed; () if something is wrong, which is noted."""
    outline = entry.points(key, entry.value(key), (0, 0), (1, 1))
    outline = outline[:-1] if len(outline) > 1 and outline[0] == outline[-1] else outline
    if outline and (problem := ring_problem((*outline, outline[0]))):
        entry.refuse(key, problem)
    return outline


def _masks(kind: MaskKind, entry: Entry) -> Iterator[Found[Mask]]:
    """A mask for each camera named."""
    entry.only(MASK_KEYS)
    cameras = entry.ids("camera") if isinstance(entry.value("camera"), list) else (entry.id("camera"),)
    mask = Mask("", kind, read_outline(entry, "outline"))
    for camera in cameras:
        yield Found(entry, camera, replace(mask, camera=camera) if entry.ok else None)
