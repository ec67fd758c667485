"""A site folder, read strictly: every file, then what must fit together, then one `Site` or one `SiteError`."""

import difflib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeVar

from base import ConfigError
from camera_config.checks import FoundSite, check_site
from camera_config.entry import Found, Problems
from camera_config.networks import check_networks
from camera_config.read_assessment import read_assessment
from camera_config.read_cameras import read_cameras
from camera_config.read_desks import check_desks, read_desks
from camera_config.read_ground import check_ground, read_ground
from camera_config.read_limits import check_limits, read_limits
from camera_config.read_masks import check_masks, read_masks
from camera_config.read_notifications import check_notifications, read_notifications
from camera_config.read_paths import read_paths
from camera_config.read_places import read_places
from camera_config.read_rounds import check_rounds, read_rounds
from camera_config.read_rules import for_every_camera, read_rules
from camera_config.read_tables import read_secrets, read_site_file
from camera_config.read_teams import read_dispatch, read_teams
from camera_config.sealed import SEALED_FILE, read_sealed
from camera_config.site import Site

__all__ = ["FILES", "load_site"]

FILES = (
    "site.toml",
    "cameras.csv",
    "cameras.toml",
    "places.geojson",
    "paths.geojson",
    "ground.geojson",
    "rules.toml",
    "masks.toml",
    "teams.toml",
    "dispatch.toml",
    "limits.toml",
    "rounds.toml",
    "notifications.toml",
    "desks.toml",
    "assessment.toml",
    "secrets.toml",
    "credentials.toml",
)
_SUFFIXES = (".toml", ".csv", ".geojson")

T = TypeVar("T")


def load_site(folder: Path, environment: Mapping[str, str] = os.environ) -> Site:
    """The site in `folder`; raises SiteError (a ConfigError) that lists everything wrong with it.

    `environment` is where `password_env` of `secrets.toml` looks. No camera is asked: that is `gridpatrol check`.
    """
    if not folder.is_dir():
        raise ConfigError(f"{folder}: expected a site folder here, found {'a file' if folder.exists() else 'nothing'}")
    problems = Problems()
    for path in sorted(folder.iterdir()):
        if path.suffix in _SUFFIXES and path.name not in FILES and not path.name.startswith("."):
            near = difflib.get_close_matches(path.name, FILES, 1)
            meant = f"; did you mean {near[0]}?" if near else ""
            problems.add(path, 1, f"unknown file{meant}; a site folder holds {', '.join(FILES)}")
    head = read_site_file(folder / "site.toml", problems)
    cameras = read_cameras(folder, head.allow_files, problems)
    places = read_places(folder / "places.geojson", problems)
    ways = read_paths(folder / "paths.geojson", problems)
    ground = read_ground(folder / "ground.geojson", problems)
    rules = for_every_camera(read_rules(folder / "rules.toml", problems), [found.id for found in cameras or ()])
    masks = read_masks(folder / "masks.toml", problems)
    teams = read_teams(folder / "teams.toml", problems)
    dispatch = read_dispatch(folder / "dispatch.toml", problems)
    limits = read_limits(folder / "limits.toml", problems)
    rounds = read_rounds(folder / "rounds.toml", problems)
    notifications = read_notifications(folder / "notifications.toml", problems)
    desks = read_desks(folder / "desks.toml", problems)
    score = read_assessment(folder / "assessment.toml", problems)
    secrets = read_secrets(folder / "secrets.toml", problems, environment)
    sealed = read_sealed(folder / SEALED_FILE, problems)
    credentials = None if secrets is None else (*secrets, *sealed)
    check_site(FoundSite(cameras, places, rules, teams.teams, credentials, ways, dispatch.minimums))
    if cameras is not None:
        check_masks(masks, cameras)
        check_networks(head.camera_networks, cameras)
    if places.readable:
        check_limits(limits, places.places)
        check_ground(ground, places, cameras or ())
        check_desks(desks, places.places)
        check_rounds(rounds, places.checkpoints, teams.teams, places.places)
        check_notifications(notifications, credentials, places.places, limits.sections, cameras or ())
    problems.raise_if_any()
    return Site(
        folder=folder,
        id=head.id,
        name=head.name,
        timezone=head.timezone,
        cameras=_values(cameras or ()),
        places=_values(places.places),
        rules=_values(rules),
        masks=_values(masks),
        teams=_values(teams.teams),
        checkpoints=_values(places.checkpoints),
        credentials=_values(credentials or ()),
        time_limits=limits.time_limits,
        place_hours=_values(limits.hours),
        sections=_values(limits.sections),
        holidays=_values(teams.holidays),
        ways=_values(ways),
        dispatch=dispatch.rules,
        rounds=rounds.rules,
        desks=_values(desks),
        score=score,
        notifications=notifications.all,
        retention=head.retention,
        coverage=head.coverage,
        walls=_values(ground.walls),
        gates=_values(ground.gates),
        play_areas=_values(ground.play_areas),
        poles=_values(ground.poles),
        camera_networks=head.camera_networks,
    )


def _values(found: Iterable[Found[T]]) -> tuple[T, ...]:
    return tuple(item.value for item in found if item.value is not None)
