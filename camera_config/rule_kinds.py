"""What each kind of rule needs, may be told, and takes where it is told nothing."""

from dataclasses import dataclass
from enum import StrEnum

from base import EventKind

__all__ = ["HEALTH_KINDS", "RULE_KINDS", "Direction", "RuleKind"]


class Direction(StrEnum):
    """Which crossings of a line count, for somebody who stands at its first point and looks towards its last."""

    ANY = "any"
    LEFT = "left"  # from the right side to the left
    RIGHT = "right"


@dataclass(frozen=True, slots=True)
class RuleKind:
    """Keys beyond those of every rule, and defaults. `labels` are what it looks for, () anything that moves."""

    needs: tuple[str, ...] = ("zone",)
    takes: tuple[str, ...] = ("labels", "min_score", "leave_s")
    labels: tuple[str, ...] = ("person",)
    dwell_s: float = 1.0
    leave_s: float = 0.5
    dead_time_s: float = 120.0


def _health(dwell_s: float) -> RuleKind:
    return RuleKind(needs=(), takes=("leave_s",), labels=(), dwell_s=dwell_s, leave_s=30.0, dead_time_s=3600.0)


_STANDING = RuleKind(takes=("leave_s",), labels=(), dwell_s=30.0, leave_s=10.0)

RULE_KINDS: dict[EventKind, RuleKind] = {
    EventKind.INTRUSION: RuleKind(),
    EventKind.MOTION: RuleKind(takes=("leave_s",), labels=()),
    EventKind.LINE_CROSSING: RuleKind(("line",), ("labels", "min_score", "direction"), dwell_s=0.0),
    EventKind.WRONG_WAY: RuleKind(("zone", "line"), labels=("vehicle",)),
    EventKind.LOITERING: RuleKind(dwell_s=60.0, leave_s=5.0),
    EventKind.CROWD: RuleKind(takes=("labels", "min_score", "leave_s", "count", "density"), dwell_s=5.0, leave_s=2.0),
    EventKind.OBJECT_LEFT: _STANDING,
    EventKind.OBJECT_REMOVED: _STANDING,
    EventKind.LANE_BLOCKED: RuleKind(labels=("vehicle",), dwell_s=60.0, leave_s=10.0),
    EventKind.FAST_MOTION: RuleKind(takes=("labels", "min_score", "leave_s", "speed"), dwell_s=0.5),
    EventKind.ABSENCE: RuleKind(takes=("labels", "min_score"), labels=(), dwell_s=300.0),
    EventKind.FIRE_SMOKE: RuleKind(takes=("min_score", "leave_s"), labels=("fire", "smoke"), dwell_s=3.0, leave_s=2.0),
    EventKind.VIDEO_LOSS: RuleKind(needs=(), takes=(), labels=(), dwell_s=60.0, dead_time_s=3600.0),
    EventKind.FROZEN: _health(30.0),
    EventKind.COVERED: _health(10.0),
    EventKind.DEFOCUSED: _health(60.0),
    EventKind.SCENE_CHANGED: _health(20.0),
    EventKind.TOO_DARK: _health(60.0),
    EventKind.TOO_BRIGHT: _health(60.0),
}
"""Every kind of event has its rule."""

HEALTH_KINDS = frozenset(kind for kind, about in RULE_KINDS.items() if not about.needs)
"""About the camera itself, not about a part of its picture."""
