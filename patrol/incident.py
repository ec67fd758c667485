"""Incidents: what people respond to. The records; `opening.py`, `advance.py` and `merge.py` lead from one version to the next."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from base import Box, EventKind, TransitionError
from camera_config.time_limits import Category
from patrol.proposal import Proposal
from patrol.steps import OPEN, Condition, Step, Verdict, Work

__all__ = [
    "CATEGORY_OF",
    "NO_BOX",
    "SYSTEM",
    "Actor",
    "ActorKind",
    "Command",
    "CommandError",
    "Conflict",
    "Due",
    "Flag",
    "Happening",
    "HistoryEntry",
    "Incident",
    "Level",
    "Origin",
    "Pause",
    "Raise",
]

Pause = tuple[float, float]
"""From when to when a clock stood still, UTC."""

Raise = tuple[float, int]
"""When an incident became more severe, UTC, and which severity it had before."""

NO_BOX: Box = (0.0, 0.0, 0.0, 0.0)

CATEGORY_OF: dict[EventKind, Category] = {
    EventKind.MOTION: Category.PUBLIC_ORDER,
    EventKind.OBJECT_LEFT: Category.PUBLIC_ORDER,
    EventKind.OBJECT_REMOVED: Category.PUBLIC_ORDER,
    EventKind.LINE_CROSSING: Category.PUBLIC_ORDER,
    EventKind.INTRUSION: Category.PUBLIC_ORDER,
    EventKind.WRONG_WAY: Category.TRAFFIC,
    EventKind.LOITERING: Category.PUBLIC_ORDER,
    EventKind.CROWD: Category.PUBLIC_ORDER,
    EventKind.LANE_BLOCKED: Category.TRAFFIC,
    EventKind.FAST_MOTION: Category.PUBLIC_ORDER,
    EventKind.ABSENCE: Category.PUBLIC_ORDER,
    EventKind.FIRE_SMOKE: Category.FIRE,
    EventKind.VIDEO_LOSS: Category.CAMERA_HEALTH,
    EventKind.FROZEN: Category.CAMERA_HEALTH,
    EventKind.COVERED: Category.CAMERA_HEALTH,
    EventKind.DEFOCUSED: Category.CAMERA_HEALTH,
    EventKind.SCENE_CHANGED: Category.CAMERA_HEALTH,
    EventKind.TOO_DARK: Category.CAMERA_HEALTH,
    EventKind.TOO_BRIGHT: Category.CAMERA_HEALTH,
}
"""What an incident is about that an event opens."""


class ActorKind(StrEnum):
    USER = "user"
    TEAM = "team"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did something. `id` is the user's or the team's, `name` what people read in the history years later."""

    kind: ActorKind
    id: str
    name: str


SYSTEM = Actor(ActorKind.SYSTEM, "gridpatrol", "Gridpatrol")


class Origin(StrEnum):
    """Where an incident comes from."""

    EVENT = "event"  # a camera
    PATROL = "patrol"  # a team saw it
    HOTLINE = "hotline"  # a resident called
    INSPECTION = "inspection"  # found on a recurring inspection


class Level(StrEnum):
    """Who hears of a breach, from near to far."""

    CELL = "cell"
    SECTION = "section"
    COMMUNITY = "community"
    SUB_DISTRICT = "sub_district"


class Flag(StrEnum):
    """What the history notes about an entry beside what was said."""

    ON_BEHALF = "on_behalf"  # an operator did a team's step by radio
    LATE = "late"  # done offline, arrived more than 30 s after it was done
    TIME_RAISED = "time_raised"  # said to be done before the stage it follows; counted from that stage instead
    OFF_SHIFT = "off_shift"  # the dispatched team was not on shift


class Happening(StrEnum):
    """What stands in a history without being a step of this incident; steps are what people do to it."""

    OPENED = "opened"  # by an event, or by the report of a person
    JOINED = "joined"  # another event
    ABSORBED = "absorbed"  # another incident was merged into this one
    SPLIT_OFF = "split_off"  # begun with events of another incident
    UNSHELVED = "unshelved"  # the time of the shelf was over
    WARNED = "warned"  # most of a limit was used up
    BREACHED = "breached"  # a limit was reached; the grid cell hears of it
    ESCALATED = "escalated"  # still not done, the next level hears of it
    WITHDRAWN = "withdrawn"  # its team was called away to a matter of severity 1
    MADE_UP = "made_up"  # a missed checkpoint that it is about was visited after all
    LAPSED = "lapsed"  # nothing is left to be done, before anybody took it on: closed by the program
    MARKED_DRILL = "marked_drill"  # somebody said that it is an exercise
    MARKED_REAL = "marked_real"  # or that it is none
    PHOTO = "photo"  # a picture that goes with a report or an arrival; `text` is its SHA-256


@dataclass(frozen=True, slots=True)
class Command:
    """One step somebody wants to take. `id` is made by the client (UUID); the same id is only ever carried out once.

    `version` is the incident's version the person looked at. `at_s` is when it was done, UTC, which for a phone that was
    offline lies in the past.
    """

    id: str
    incident: str
    step: Step
    version: int
    by: Actor
    at_s: float
    team: str = ""  # dispatch: the team to send
    text: str = ""  # report, note, shelve, pause, reopen: required; else a note
    verdict: Verdict | None = None  # close: required
    cause: str = ""  # close: required
    until_s: float | None = None  # shelve: required
    other: str = ""  # merge: the incident it ends in
    events: tuple[str, ...] = ()  # split: the events that go


@dataclass(frozen=True, slots=True)
class Due:
    """The next step that has a time limit, and until when (UTC)."""

    step: Step
    at_s: float


@dataclass(frozen=True, slots=True)
class Incident:
    """One matter, from the first event or report to the verdict. Every change makes a new value with the next `version`.

    What belongs to a camera's picture (kind, label, camera, cameras, best_event, box, score) is empty, None or 0 while no event
    belongs to it. The defaults are those of an incident that nobody has touched.
    """

    id: str  # UUIDv7
    number: int  # what people call it: runs without gaps
    severity: int  # highest of its events, 1 (highest) – 4
    compound: str
    grid_cell: str
    community: str
    lon: float | None
    lat: float | None
    began_s: float  # first seen in the picture, or reported
    opened_s: float
    last_event_s: float
    since_s: float  # since when the work is where it is
    condition: Condition = Condition.UNACKNOWLEDGED
    work: Work = Work.NEW
    owner: Actor | None = None  # None iff nobody ever acknowledged or closed it
    team: str = ""  # the team last sent, empty if none or if it refused
    version: int = 1
    decided: int = 1  # version of the last step that changed the work or the owner; commands from before it are stale
    kind: EventKind | None = None  # of its events; None for a report
    label: str = ""  # of the best event
    camera: str = ""  # of the first event; the best event is one of this camera
    cameras: tuple[str, ...] = ()  # whose events it holds, in the order in which they came
    event_count: int = 0
    best_event: str = ""  # id of the event with the highest score
    box: Box = NO_BOX  # of the best event
    score: float = 0.0  # of the best event
    stages: Mapping[Work, float] = field(default_factory=dict)  # when each stage was reached; going back takes later ones away
    refused: tuple[str, ...] = ()  # teams that refused, in order
    verdict: Verdict | None = None  # set iff closed
    cause: str = ""
    proposal: Proposal | None = None
    category: Category = Category.OTHER
    origin: Origin = Origin.EVENT
    summary: str = ""  # what was reported, in words; empty for events
    caller: str = ""  # whom to call back, if a resident called and said so
    duplicate_of: str = ""  # id of the incident it was merged into
    shelved_until_s: float | None = None  # set iff the condition is shelved
    pauses: tuple[Pause, ...] = ()  # of the running clock, over
    paused_since_s: float | None = None  # set while the clock stands still
    raises: tuple[Raise, ...] = ()  # of the severity while the running clock ran, in order
    told: int = 0  # how many of the marks of the running clock were told, see clocks.py
    due: Due | None = None  # when the running clock reaches its limit; None when closed or paused. Set by Clocks.timed
    look_s: float | None = None  # when there is something to tell next. Set by Clocks.timed
    drill: bool = False  # an exercise: marked wherever people see it, and left out of all figures

    @property
    def is_open(self) -> bool:
        return self.work in OPEN

    def next_clock(self) -> "Incident":
        """With the clock of the next step, which never stood still and has told nothing."""
        return replace(self, pauses=(), paused_since_s=None, raises=(), told=0)


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One line of an incident's history, which is only ever added to. `version` and `work` are those after it."""

    incident: str
    version: int
    step: Step | Happening
    work: Work
    at_s: float  # when it was done, or when it became due
    recorded_s: float  # when we learned of it
    by: Actor
    team: str = ""
    text: str = ""
    verdict: Verdict | None = None
    cause: str = ""
    event: str = ""  # opened, joined: the event's id
    command: str = ""  # steps: the command's id
    flags: tuple[Flag, ...] = ()
    clock: Step | None = None  # warned, breached, escalated: the step that was due
    level: Level | None = None  # breached, escalated: who heard of it
    place: str = ""  # breached, escalated: id of the place or section of that level, empty if the site has none
    other: str = ""  # merge, absorbed, split, split_off: id of the other incident
    until_s: float | None = None  # shelve
    events: tuple[str, ...] | None = None  # split, split_off, absorbed: those that moved; None in histories before 0008


class CommandError(TransitionError):
    """The command itself is wrong or incomplete; it would be refused from any state."""


class Conflict(TransitionError):
    """Somebody else was faster. `current` is the incident as it is now."""

    def __init__(self, sentence: str, current: Incident) -> None:
        super().__init__(sentence)
        self.current = current
