"""The sheet with which one shift of the control room hands over to the next. Pure.

What is on a sheet never changes: it is kept as the text that was hashed, and both sides sign that hash.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from base import DeniedError, TransitionError
from camera_config.time_limits import ShiftChanges
from patrol.incident import Actor, ActorKind, CommandError, Incident
from patrol.referral import Referral
from patrol.rounds import Round, RoundState
from patrol.shifts import instant_s
from patrol.steps import Condition, Verdict, Work

__all__ = [
    "EARLY_S",
    "BadRound",
    "CameraDown",
    "Handover",
    "HandoverAlarm",
    "Shelf",
    "Since",
    "check_confirm",
    "check_offer",
    "check_withdraw",
    "last_change_s",
    "sha256_of",
    "sheet",
]


EARLY_S = 3600.0
"""How long before a change of shifts its sheet may be signed by both sides: who comes may come early."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """Who shelved an alarm, and why."""

    incident: Incident
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class CameraDown:
    camera: str
    since_s: float
    cause: str


@dataclass(frozen=True, slots=True)
class BadRound:
    """A round that was missed, or not finished."""

    planned: Round
    state: RoundState
    missed: int  # checkpoints


@dataclass(frozen=True, slots=True)
class Since:
    """What happened since the last handover, at `from_s`. `closed` by verdict."""

    from_s: float
    opened: int
    closed: dict[Verdict, int]


@dataclass(frozen=True, slots=True)
class HandoverAlarm:
    """Nobody took over in time at the change of shifts at `change_s`. Cleared when both sides have signed."""

    change_s: float
    raised_s: float
    cleared_s: float | None = None


@dataclass(frozen=True, slots=True)
class Handover:
    """A sheet with its signatures. Offered by the outgoing user; confirmed or withdrawn at most once, then nothing changes."""

    id: str
    made_s: float
    content: str  # what `sheet` made; its SHA-256 is `sha256`
    sha256: str
    outgoing: Actor
    incoming: Actor | None = None  # set iff confirmed
    confirmed_s: float | None = None
    remark: str = ""  # of the incoming user
    withdrawn_s: float | None = None
    areas: str = ""  # ids of the places that it is about, with commas between them; empty: of the whole sub-district

    @property
    def is_offered(self) -> bool:
        return self.confirmed_s is None and self.withdrawn_s is None


def sheet(
    made_s: float,
    outgoing: Actor,
    notes: str,
    since: Since,
    incidents: Sequence[Incident],
    shelves: Sequence[Shelf],
    referrals: Sequence[Referral],
    cameras: Sequence[CameraDown],
    rounds: Sequence[BadRound],
    areas: Sequence[str] = (),
) -> str:
    """The sheet as JSON text, always the same for the same facts. `incidents` are those that are open; drills are marked.

    `areas` are the places it is about, if that is not the whole sub-district.
    """
    order = list(Work)
    content = {
        "made_at": _iso(made_s),
        "outgoing": outgoing.name,
        "notes": notes,
        **({"areas": list(areas)} if areas else {}),
        "since": {"from": _iso(since.from_s), "opened": since.opened, "closed": {k.value: n for k, n in since.closed.items()}},
        "incidents": [_incident(each) for each in sorted(incidents, key=lambda each: (order.index(each.work), each.number))],
        "shelved": [
            {"number": each.incident.number, "until": _iso(each.incident.shelved_until_s), "by": each.by, "reason": each.reason}
            for each in shelves
            if each.incident.condition is Condition.SHELVED
        ],
        "referrals": [
            {
                "number": each.number,
                "desk": each.desk,
                "state": each.state.value,
                "since": _iso(each.since_s),
                "due": _iso(each.due_s),
                "told": each.told,
                "reason": each.reason,
            }
            for each in referrals
        ],
        "cameras_offline": [{"camera": each.camera, "since": _iso(each.since_s), "cause": each.cause} for each in cameras],
        "rounds": [
            {
                "name": asdict(each.planned.name),
                "team": each.planned.team,
                "due": _iso(each.planned.due_s),
                "state": each.state.value,
                "missed": each.missed,
                "checkpoints": len(each.planned.stops),
            }
            for each in rounds
        ],
    }
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def sha256_of(content: str) -> str:
    """The hash that both sides sign."""
    return hashlib.sha256(content.encode()).hexdigest()


def last_change_s(changes: ShiftChanges, zone: ZoneInfo, now_s: float) -> float | None:
    """The last change of shifts after which the time to sign is over; None if there was none within a week."""
    by_s = now_s - 60 * changes.alarm_min
    today = datetime.fromtimestamp(by_s, UTC).astimezone(zone).date()
    days = [today - timedelta(days=ago) for ago in range(8)]
    moments_s = (instant_s(day, minute, zone) for day in days for minute in changes.at.on(day))
    return max((moment_s for moment_s in moments_s if moment_s <= by_s), default=None)


def check_offer(by: Actor, offered: Handover | None) -> None:
    """Return if `by` may offer a sheet while `offered` waits; raises DeniedError or TransitionError."""
    _check_user(by)
    if offered is not None:
        raise TransitionError(f"a sheet of {offered.outgoing.name} waits to be confirmed; confirm or withdraw that one first")


def check_confirm(handover: Handover, by: Actor, sha256: str) -> None:
    """Return if `by` may confirm this sheet, having read the content of `sha256`.

    Raises DeniedError for who signed it already, TransitionError if it is over, CommandError if another content was read.
    """
    _check_user(by)
    _check_offered(handover)
    if by.id == handover.outgoing.id:
        raise DeniedError("both sides sign: somebody else than who hands over has to confirm")
    if sha256 != handover.sha256:
        raise CommandError("sha256: this is not the hash of the sheet; read it again before it is confirmed")


def check_withdraw(handover: Handover, by: Actor, any_sheet: bool) -> None:
    """Return if `by` may withdraw this sheet: who offered it, or whoever may withdraw `any_sheet`."""
    _check_user(by)
    _check_offered(handover)
    if by.id != handover.outgoing.id and not any_sheet:
        raise DeniedError(f"this sheet is {handover.outgoing.name}'s; a dispatcher may withdraw it in their place")


def _check_user(by: Actor) -> None:
    if by.kind is not ActorKind.USER:
        raise DeniedError("the control room hands over from one user to another")


def _check_offered(handover: Handover) -> None:
    if not handover.is_offered:
        raise TransitionError(
            f"this sheet is {'confirmed' if handover.incoming else 'withdrawn'} already; it never changes again"
        )


def _incident(incident: Incident) -> dict[str, object]:
    due = incident.due
    return {
        "number": incident.number,
        "work": incident.work.value,
        "severity": incident.severity,
        "category": incident.category.value,
        "grid_cell": incident.grid_cell,
        "owner": incident.owner.name if incident.owner else None,
        "team": incident.team or None,
        "since": _iso(incident.since_s),
        "due_step": due.step.value if due else None,
        "due": _iso(due.at_s) if due else None,
        "told": incident.told,
        "paused_since": _iso(incident.paused_since_s),
        "drill": incident.drill,
    }


def _iso(time_s: float | None) -> str | None:
    if time_s is None:
        return None
    return datetime.fromtimestamp(time_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
