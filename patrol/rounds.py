"""Rounds: the checkpoints a team is to visit, from when to when, and what happened on the way. The records.

`round_plan.py` says which rounds there are, `visits.py` what became of one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from camera_config.round_rules import Order
from camera_config.site import Name, Point, TravelMode
from patrol.incident import Actor

__all__ = [
    "Act",
    "CheckIn",
    "Proof",
    "Round",
    "RoundCommand",
    "RoundEntry",
    "RoundFlag",
    "RoundKind",
    "RoundState",
    "Stop",
    "TemporaryStop",
]


class RoundKind(StrEnum):
    """Why a round is walked."""

    ROUTE = "route"
    INSPECTION = "inspection"  # of key nodes, announced
    UNANNOUNCED = "unannounced"  # drawn at random, told when it begins
    TEMPORARY = "temporary"  # a place without a checkpoint, for a while


class RoundState(StrEnum):
    DUE = "due"  # nobody has begun, and it is not over
    UNDER_WAY = "under_way"
    COMPLETED = "completed"  # every stop visited or skipped with a reason
    INCOMPLETE = "incomplete"  # over, and some stop was missed
    MISSED = "missed"  # over, and nobody was anywhere
    WITHDRAWN = "withdrawn"  # called off


class Act(StrEnum):
    """What can stand in the history of a round."""

    START = "start"
    CHECK_IN = "check_in"
    SKIP = "skip"
    FINISH = "finish"
    SEEN = "seen"  # a camera saw somebody there at the time of a check-in that was not proof enough
    CREDITED = "credited"  # the team passed a working camera at the checkpoint
    MISSED = "missed"  # a stop was not visited in time; told once
    MADE_UP = "made_up"  # a stop told as missed was visited after all
    WITHDRAWN = "withdrawn"


class Proof(StrEnum):
    """What shows that somebody was there, the strongest that holds."""

    CODE = "code"  # the checkpoint's QR or NFC code was read
    CAMERA = "camera"  # a camera saw a person there at that time
    PASSED = "passed"  # the team's position passed a working camera there
    POSITION = "position"  # the phone said it was there
    RADIO = "radio"  # an operator entered it for the team
    NONE = "none"  # not enough: the stop stays open


class RoundFlag(StrEnum):
    """What is noted about an entry beside what it says."""

    FAR = "far"  # the phone was outside of the geofence
    NO_POSITION = "no_position"  # the phone did not say where it was
    ARRIVED_LATE = "arrived_late"  # done offline, told later
    ON_BEHALF = "on_behalf"  # an operator did it for the team


@dataclass(frozen=True, slots=True)
class Stop:
    """A checkpoint on a round. In time is from `from_s` to `until_s`; after that it is missed, and a visit late. All UTC."""

    checkpoint: str  # or the id of a temporary stop
    name: Name
    place: Point
    grid_cell: str
    from_s: float
    due_s: float
    until_s: float
    key_node: bool = False
    has_code: bool = True


@dataclass(frozen=True, slots=True)
class Round:
    """One walk through `stops`, as it was planned; later changes of the site do not touch it. `team` empty: nobody was on shift.

    It may begin at `opens_s` and is over at `closes_s`. Teams hear of it at `announced_s`.
    """

    id: str
    kind: RoundKind
    source: str  # id of the route, inspection, draw or temporary stop
    name: Name
    team: str
    day: date
    order: Order
    due_s: float
    opens_s: float
    closes_s: float
    announced_s: float
    stops: tuple[Stop, ...]
    travels: TravelMode = TravelMode.WALK
    draw: str = ""  # id of the draw that chose the stops, if one did

    def stop(self, checkpoint: str) -> Stop | None:
        """The stop at a checkpoint, None if this round does not pass it."""
        return next((stop for stop in self.stops if stop.checkpoint == checkpoint), None)


@dataclass(frozen=True, slots=True)
class TemporaryStop:
    """A place that teams are asked to pass until `until_s`, for example one that no camera sees now.

    `id` is made by whoever asks. With `repeat_min` once in each such time, else once. `team` empty: whoever serves the cell.
    """

    id: str
    place: Point
    why: str
    until_s: float
    team: str = ""
    repeat_min: float | None = None
    grid_cell: str = ""  # where `place` lies; found when the stop is stored
    by: str = ""
    made_s: float = 0.0
    withdrawn_s: float | None = None
    withdrawn_by: str = ""  # set iff withdrawn


@dataclass(frozen=True, slots=True)
class RoundCommand:
    """Start, skip or finish. `id` is made by the client (UUID); `at_s` is when it was done, UTC, earlier for an offline phone."""

    id: str
    round: str
    act: Act
    by: Actor
    at_s: float
    checkpoint: str = ""  # skip: required
    reason: str = ""  # skip: required


@dataclass(frozen=True, slots=True)
class CheckIn:
    """A team says it is at a checkpoint: with the text of its code, or its name, or both; and where the phone thinks it is."""

    id: str
    round: str
    by: Actor
    at_s: float
    checkpoint: str = ""
    code: str = ""
    place: Point | None = None
    accuracy_m: float = 0.0


@dataclass(frozen=True, slots=True)
class RoundEntry:
    """One line of a round's history, which is only ever added to. Of a position only the distance to the checkpoint is kept."""

    id: str  # of the command, or made from what it tells
    round: str
    act: Act
    at_s: float  # when it was done, or fell due
    recorded_s: float  # when we learned of it
    by: Actor
    checkpoint: str = ""  # set iff it is about one stop
    reason: str = ""
    proof: Proof | None = None  # set iff it is about having been there
    distance_m: float | None = None
    camera: str = ""
    incident: str = ""  # missed, made_up: the incident that was opened for it, if one was
    flags: tuple[RoundFlag, ...] = ()

    @property
    def is_visit(self) -> bool:
        """Whether it counts as having been there."""
        return self.proof is not None and self.proof is not Proof.NONE


def entries_about(entries: Iterable[RoundEntry], act: Act) -> list[RoundEntry]:
    """Those of one kind, by the time at which they were done."""
    return sorted((entry for entry in entries if entry.act is act), key=lambda entry: (entry.at_s, entry.id))
