"""A site: the cameras, places, rules, teams and checkpoints of one control room, as plain frozen values."""

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from zoneinfo import ZoneInfo

from base import EventKind, Transport
from camera_config.coverage_rules import CoverageRules
from camera_config.desks import Desk
from camera_config.dispatch_rules import DispatchRules
from camera_config.name import Name
from camera_config.notification_rules import NotificationRules
from camera_config.retention_rules import RetentionRules
from camera_config.rotation import Rotation
from camera_config.round_rules import RoundRules
from camera_config.rule_kinds import Direction
from camera_config.schedule import ALWAYS, Schedule
from camera_config.score import ScoreWeights
from camera_config.time_limits import TimeLimits

__all__ = [
    "ANALYSED_PX",
    "RECORDED_PX",
    "Camera",
    "Checkpoint",
    "CompoundKind",
    "Credential",
    "Gate",
    "Holiday",
    "Mask",
    "MaskKind",
    "Name",
    "Network",
    "Outline",
    "Place",
    "PlaceHours",
    "PlaceKind",
    "PlayArea",
    "Point",
    "Pole",
    "Rule",
    "Section",
    "Site",
    "Size",
    "Team",
    "TeamKind",
    "TravelMode",
    "Wall",
    "Way",
]

Network = IPv4Network | IPv6Network

Point = tuple[float, float]
"""Longitude, latitude in degrees WGS-84; for zones x, y as fractions 0–1 of the picture."""

Outline = tuple[Point, ...]
"""A polygon in fractions of the picture; its last point is joined to its first, which is not repeated."""


Size = tuple[int, int]
"""Width and height in pixels."""

ANALYSED_PX: Size = (640, 360)
"""Of an analysed stream nobody gave the size of: what small streams are usually set to."""

RECORDED_PX: Size = (1920, 1080)
"""Likewise of the recorded stream."""


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


class TravelMode(StrEnum):
    """How a team gets about, and who may use a way: what may be driven may be walked, too."""

    WALK = "walk"
    DRIVE = "drive"


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
    """A camera login by name. `password` comes from `secrets.toml`, an environment variable or `credentials.toml`."""

    name: str
    user: str
    password: str = field(repr=False)
    password_env: str = ""  # the environment variable it came from, if it did
    sealed: str = field(default="", repr=False)  # as it stands in `credentials.toml`, if it does


@dataclass(frozen=True, slots=True)
class Camera:
    """A configured camera. URLs carry no credentials; `azimuth_deg` is clockwise from north, `tilt_deg` down from level.

    `hfov_deg` is always set; where the file gives the lens instead, `focal_mm` and the width `sensor_mm` of the sensor are, too.
    """

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
    transport: Transport = Transport.TCP
    certificate_sha256: str = ""  # of the only certificate accepted over rtsps; empty: one the system trusts
    own_motion: bool = False  # its own motion events are asked for, by ONVIF
    enabled: bool = True
    focal_mm: float | None = None
    sensor_mm: float | None = None
    analysed_px: Size = ANALYSED_PX
    recorded_px: Size = RECORDED_PX
    night_range_m: float | None = None  # None: that of the coverage rules
    uplink: str = ""  # the switch that feeds it
    gb_code: str = ""  # 20 digits, by which platforms of GB/T 28181 know it


@dataclass(frozen=True, slots=True)
class Rule:
    """When what, where in the picture of one camera, becomes an event.

    `zone` is a polygon and `line` a polyline in picture fractions; which of these and of the last five a kind uses stands in
    `rule_kinds.py`. `labels` () is anything that moves.
    """

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
    leave_s: float = 0.5  # out of the zone, or unseen, for less than this is still there
    line: tuple[Point, ...] = ()  # to be crossed; or, for wrong_way, from where to where one may go
    direction: Direction = Direction.ANY
    count: int = 0  # of a crowd; 0: only its density counts
    density: float = 0.0  # share of the zone that a crowd covers; 0: only its count
    speed: float = 2.0  # in body heights a second


class MaskKind(StrEnum):
    """What a mask is for."""

    PRIVACY = "privacy"  # nobody may see it: blacked out before anything looks at the picture
    IGNORE = "ignore"  # shown, but what moves there means nothing: a tree, a screen, a road beyond the fence


@dataclass(frozen=True, slots=True)
class Mask:
    """A part of one camera's picture that is treated differently."""

    camera: str
    kind: MaskKind
    outline: Outline


@dataclass(frozen=True, slots=True)
class Team:
    """Who can be sent. `home` is where the team waits; `shift` when it is on duty, local time.

    `call_signs` are what its members answer to on the radio, as many as the roster needs; nothing else is kept of them.
    """

    id: str
    name: Name
    kind: TeamKind
    grid_cells: tuple[str, ...]
    shift: Schedule | Rotation
    home: Point
    members: int = 2
    holiday_shift: Schedule | None = None  # in place of `shift` on holidays; None: holidays are days like others
    travels: TravelMode = TravelMode.WALK
    stationed: bool = False  # always taken to be at `home`, whatever its phone says
    skills: tuple[str, ...] = ()
    equipment: tuple[str, ...] = ()
    call_signs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Holiday:
    """Days, both included, on which teams with a holiday shift work that one; `made_up` days count as Mondays instead (调休)."""

    first: date
    last: date
    name: Name
    made_up: bool = False


@dataclass(frozen=True, slots=True)
class PlaceHours:
    """Working hours of one place and all that lies in it, or of all compounds of a kind: staggered ones."""

    working_hours: Schedule
    place: str = ""  # either this
    compound_kind: CompoundKind | None = None  # or this


@dataclass(frozen=True, slots=True)
class Section:
    """Grid cells under one section leader (片长), the level between a cell and its community."""

    id: str
    name: Name
    grid_cells: tuple[str, ...]
    responsible: str = ""  # post of the section leader


@dataclass(frozen=True, slots=True)
class Way:
    """A line along which one gets about, in both directions. Ways meet where they have a point in common."""

    mode: TravelMode
    line: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Wall:
    """A line nobody sees through, apart from the buildings; a camera higher than `height_m` sees over it."""

    line: tuple[Point, ...]
    height_m: float | None = None  # None: higher than any camera


@dataclass(frozen=True, slots=True)
class Gate:
    """A way in, which matters more than the ground around it."""

    id: str
    name: Name
    lon: float
    lat: float


@dataclass(frozen=True, slots=True)
class PlayArea:
    """Ground where children play."""

    id: str
    name: Name
    outline: tuple[Point, ...]  # outer ring, closed


@dataclass(frozen=True, slots=True)
class Pole:
    """Where a camera could be put up: a lamp post or mast, `height_m` up."""

    id: str
    lon: float
    lat: float
    height_m: float


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
    masks: tuple[Mask, ...] = ()
    holidays: tuple[Holiday, ...] = ()
    ways: tuple[Way, ...] = ()
    dispatch: DispatchRules = field(default_factory=DispatchRules)
    time_limits: TimeLimits = field(default_factory=TimeLimits)
    place_hours: tuple[PlaceHours, ...] = ()
    sections: tuple[Section, ...] = ()
    rounds: RoundRules = field(default_factory=RoundRules)
    desks: tuple[Desk, ...] = ()
    score: ScoreWeights = field(default_factory=ScoreWeights)
    notifications: NotificationRules = field(default_factory=NotificationRules)
    retention: RetentionRules = field(default_factory=RetentionRules)
    coverage: CoverageRules = field(default_factory=CoverageRules)
    walls: tuple[Wall, ...] = ()
    gates: tuple[Gate, ...] = ()
    play_areas: tuple[PlayArea, ...] = ()
    poles: tuple[Pole, ...] = ()
    camera_networks: tuple[Network, ...] = ()

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
    def checkpoint_by_id(self) -> dict[str, Checkpoint]:
        return {checkpoint.id: checkpoint for checkpoint in self.checkpoints}

    @cached_property
    def team_by_id(self) -> dict[str, Team]:
        return {team.id: team for team in self.teams}

    @cached_property
    def desk_by_id(self) -> dict[str, Desk]:
        return {desk.id: desk for desk in self.desks}

    @cached_property
    def credential_by_name(self) -> dict[str, Credential]:
        return {credential.name: credential for credential in self.credentials}

    def rules_of(self, camera: str) -> tuple[Rule, ...]:
        """The rules of one camera, in the order of the file."""
        return tuple(rule for rule in self.rules if rule.camera == camera)

    def masks_of(self, camera: str, kind: MaskKind) -> tuple[Outline, ...]:
        """The outlines of one camera's masks of one kind, in the order of the file."""
        return tuple(mask.outline for mask in self.masks if mask.camera == camera and mask.kind is kind)
