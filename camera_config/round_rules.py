"""What a site asks of patrols: routes of checkpoints, when they are walked, what is inspected, and what proves a visit."""

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from camera_config.name import Name
from camera_config.schedule import ALWAYS, DAY_MIN, Schedule

__all__ = [
    "EARLY_MIN",
    "LATE_MIN",
    "WITHIN_MIN",
    "Inspection",
    "OpensIncident",
    "Order",
    "RoundRules",
    "Route",
    "Starts",
    "Times",
]

EARLY_MIN, LATE_MIN = 10.0, 15.0
"""Minutes around the expected time within which a visit is in time; our own choice, between what guard companies use."""

WITHIN_MIN = 120.0
"""Minutes for an unannounced inspection, from the moment it is told."""

_TIME = re.compile(r"(?:(?P<days>[a-z]{3}(?:-[a-z]{3})?) )?(?P<hour>\d\d):(?P<minute>\d\d)")
_ALLOWED = "times such as '22:00, 02:00' or 'mon-fri 08:00, sat 09:00'"


class Order(StrEnum):
    """Whether the checkpoints of a route are passed as they are listed."""

    FIXED = "fixed"
    FREE = "free"


class OpensIncident(StrEnum):
    """Which checkpoints, once missed, become an incident besides the notice."""

    NEVER = "never"
    KEY_NODES = "key_nodes"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class Times:
    """Times of the day, each on some weekdays, local time of the site. `text` is what the operator wrote."""

    text: str
    starts: tuple[tuple[frozenset[int], int], ...]  # weekdays (0 Monday – 6 Sunday), minute of the day

    @classmethod
    def parse(cls, text: str) -> "Times":
        """Read comma-separated times, each optionally after weekdays; raises ValueError saying what is allowed."""
        words = " ".join(text.lower().split())
        return cls(words, tuple(_start(part.strip(), text) for part in words.split(",")))

    def on(self, day: date) -> tuple[int, ...]:
        """The minutes of `day`, in order, each once."""
        return tuple(sorted({minute for days, minute in self.starts if day.weekday() in days}))


@dataclass(frozen=True, slots=True)
class Starts:
    """When rounds of a route begin; exactly one of the first three is set."""

    at: Times | None = None
    every_h: float | None = None  # within each shift of the team, from its beginning
    within: Schedule | None = None  # at random moments of each of these windows
    times: int = 1  # how many, in each window


@dataclass(frozen=True, slots=True)
class Route:
    """Checkpoints that are walked one after another, by one of `teams` or by whoever serves `grid_cell`; one of the two is set.

    `walk_min` is the expected time from each stop to the next; empty: worked out from the site's ways. A visit is in time from
    `early_min` before it is expected until `late_min` after.
    """

    id: str
    name: Name
    stops: tuple[str, ...]
    starts: Starts
    teams: tuple[str, ...] = ()
    grid_cell: str = ""
    order: Order = Order.FIXED
    walk_min: tuple[float, ...] = ()
    early_min: float = EARLY_MIN
    late_min: float = LATE_MIN


@dataclass(frozen=True, slots=True)
class Inspection:
    """Checkpoints of which each is visited once in every window of `schedule`, in any order.

    `checkpoints` empty: every key node. With `draw` only so many, drawn at random for each window, and nobody is told before the
    moment of that day, drawn too, at which `within_min` begin to run.
    """

    id: str
    name: Name
    schedule: Schedule = ALWAYS
    checkpoints: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()  # who may be asked to; empty: whoever serves the cell
    draw: int = 0  # 0: all of them, announced
    within_min: float = WITHIN_MIN


@dataclass(frozen=True, slots=True)
class RoundRules:
    """What `rounds.toml` says. Without the file nothing is walked."""

    routes: tuple[Route, ...] = ()
    inspections: tuple[Inspection, ...] = ()
    geofence_m: float = 50.0  # how far from its checkpoint a team may be when it checks in
    code_required: bool = True  # else a position within the geofence is proof enough
    camera_s: float = 30.0  # a person seen within so many seconds confirms a check-in
    camera_m: float = 30.0  # a team that passes a working camera so near is credited
    incidents: OpensIncident = OpensIncident.KEY_NODES
    severity: int = 3  # of those incidents


def _start(part: str, whole: str) -> tuple[frozenset[int], int]:
    match = _TIME.fullmatch(part)
    minute = int(match["hour"]) * 60 + int(match["minute"]) if match else DAY_MIN
    if not match or minute >= DAY_MIN or int(match["minute"]) > 59:
        raise ValueError(f"expected {_ALLOWED}, got {whole!r}")
    try:
        window = Schedule.parse(f"{match['days'] or 'mon-sun'} 00:00-24:00").windows[0]
    except ValueError:
        raise ValueError(f"expected {_ALLOWED}, got {whole!r}") from None
    return window.days, minute
