"""A site: the cameras, places, rules, teams and checkpoints of one control room, as plain frozen values."""

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

from base import EventKind
from camera_config.schedule import ALWAYS, Schedule

__all__ = [
    "Camera",
    "Checkpoint",
    "CompoundKind",
    "Credential",
    "Name",
    "Place",
    "PlaceKind",
    "Point",
    "Rule",
    "Site",
    "Team",
    "TeamKind",
]

Point = tuple[float, float]
"""Longitude, latitude in degrees WGS-84; for zones x, y as fractions 0–1 of the picture."""


@dataclass(frozen=True, slots=True)
class Name:
    """What people call a thing, in both languages of the page."""

    zh: str
    en: str


class PlaceKind(StrEnum):
    SUB_DISTRICT = "sub_district"
    COMMUNITY = "community"
    COMPOUND = "compound"
    GRID_CELL = "grid_cell"
    BUILDING = "building"


class CompoundKind(StrEnum):
    RESIDENTIAL = "residential"
    ENTERPRISE = "enterprise"
    COMMERCE = "commerce"
    INSTITUTION = "institution"
    SCHOOL = "school"
    HOSPITAL = "hospital"
    ROAD = "road"


class TeamKind(StrEnum):
    POLICE_POST = "police_post"
    PROPERTY_GUARD = "property_guard"
    VOLUNTEER = "volunteer"


@dataclass(frozen=True, slots=True)
class Place:
    """An area of the map; `parent` is the place one level up, empty for the sub-district."""

    id: str
    kind: PlaceKind
    name: Name
    parent: str
    outline: tuple[Point, ...]  # outer ring, closed (first = last)
    compound_kind: CompoundKind | None = None  # set iff kind is compound
    responsible: str = ""  # post of the responsible person of a grid cell
    households: int | None = None  # of a grid cell; None where nobody lives


@dataclass(frozen=True, slots=True)
class Credential:
    """A camera login by name. `password` comes from `secrets.toml` or an environment variable, never from a URL."""

    name: str
    user: str
    password: str = field(repr=False)
    password_env: str = ""  # the environment variable it came from, if it did


@dataclass(frozen=True, slots=True)
class Camera:
    """A configured camera. URLs carry no credentials; `azimuth_deg` is clockwise from north, `tilt_deg` down from level."""

    id: str
    name: Name
    compound: str
    grid_cell: str
    lon: float
    lat: float
    height_m: float
    azimuth_deg: float
    tilt_deg: float
    hfov_deg: float
    url_sub: str
    url_main: str = ""
    credential: str = ""  # name of a Credential of the site, or empty
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Rule:
    """When what, where in the picture of one camera, becomes an event. `zone` is a polygon in picture fractions."""

    camera: str
    name: str
    kind: EventKind
    zone: tuple[Point, ...]
    zone_name: Name
    labels: tuple[str, ...] = ("person",)
    schedule: Schedule = ALWAYS
    dwell_s: float = 1.0
    dead_time_s: float = 120.0
    severity: int = 2
    min_score: float = 0.6


@dataclass(frozen=True, slots=True)
class Team:
    """Who can be sent. `home` is where the team waits; `shift` when it is on duty, local time."""

    id: str
    name: Name
    kind: TeamKind
    grid_cells: tuple[str, ...]
    shift: Schedule
    home: Point
    members: int = 2


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A point a patrol route passes; `key_node` ones are inspected daily."""

    id: str
    name: Name
    grid_cell: str
    lon: float
    lat: float
    key_node: bool = False


@dataclass(frozen=True)
class Site:
    """Everything configured for one control room; already cross-checked, so every id mentioned exists."""

    folder: Path
    id: str
    name: Name
    timezone: str
    cameras: tuple[Camera, ...]
    places: tuple[Place, ...]
    rules: tuple[Rule, ...]
    teams: tuple[Team, ...]
    checkpoints: tuple[Checkpoint, ...]
    credentials: tuple[Credential, ...] = ()

    @cached_property
    def zone_info(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @cached_property
    def camera_by_id(self) -> dict[str, Camera]:
        return {camera.id: camera for camera in self.cameras}

    @cached_property
    def place_by_id(self) -> dict[str, Place]:
        return {place.id: place for place in self.places}

    @cached_property
    def team_by_id(self) -> dict[str, Team]:
        return {team.id: team for team in self.teams}

    @cached_property
    def credential_by_name(self) -> dict[str, Credential]:
        return {credential.name: credential for credential in self.credentials}

    def rules_of(self, camera: str) -> tuple[Rule, ...]:
        """The rules of one camera, in the order of the file."""
        return tuple(rule for rule in self.rules if rule.camera == camera)
