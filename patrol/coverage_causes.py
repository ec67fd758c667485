"""Why a camera covers nothing now, and which switch took several away at once. Pure.

What is not seen is told by the ledger of gaps; what is wrong with a picture by the events of the health rules, until the incident
that they opened is closed: that a camera was cleaned or turned back is for people to say.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from base import Advice, CameraStatus, EventKind, Gap, GapCause, Health
from camera_config.site import Site

__all__ = [
    "OUR_GAPS",
    "SWITCH_WITHIN_S",
    "TROUBLE_OF",
    "Loss",
    "SwitchLost",
    "failed_since",
    "lost_cameras",
    "switches",
    "switches_back",
    "switches_lost",
]


class Loss(StrEnum):
    """Why a camera does not cover what it should."""

    OFFLINE = "offline"  # no picture comes
    UPLINK = "uplink"  # nor from most others of its switch, since the same minute
    NOT_WATCHED = "not_watched"  # Gridpatrol does not read it: it starts, or its worker was lost
    COVERED = "covered"
    UNVERIFIED = "unverified"  # it looks somewhere else than it did
    DEGRADED = "degraded"  # frozen, out of focus, dark, glaring, or too much of its stream is lost
    BUDGET = "budget"  # for a whole minute others had the processor while there was something to see
    DISABLED = "disabled"  # the site does not use it


TROUBLE_OF: Mapping[EventKind, Loss] = {
    EventKind.COVERED: Loss.COVERED,
    EventKind.SCENE_CHANGED: Loss.UNVERIFIED,
    EventKind.FROZEN: Loss.DEGRADED,
    EventKind.DEFOCUSED: Loss.DEGRADED,
    EventKind.TOO_DARK: Loss.DEGRADED,
    EventKind.TOO_BRIGHT: Loss.DEGRADED,
}
"""What an event of a health rule says of a camera's coverage."""

OUR_GAPS = frozenset({GapCause.STARTING, GapCause.WORKER, GapCause.SITE_STOPPED})
"""Gaps that say nothing of the camera or its switch."""

SWITCH_LEAST = 3
"""Cameras from which on a switch is told apart from its cameras."""

SWITCH_SHARE = 0.8
SWITCH_WITHIN_S = 60.0
SWITCH_BACK_SHARE = 0.5
"""Of its cameras that see again, from which on a switch works: reconnecting spreads over half a minute."""


@dataclass(frozen=True, slots=True)
class SwitchLost:
    """A switch of which most cameras stopped within a minute: the first at `began_s`, `cameras` all that do not see now."""

    uplink: str
    cameras: tuple[str, ...]
    began_s: float


def switches(site: Site) -> Mapping[str, tuple[str, ...]]:
    """The enabled cameras of each switch that has enough of them to be told apart from one camera that fails."""
    fed = defaultdict[str, list[str]](list)
    for camera in site.cameras:
        if camera.enabled and camera.uplink:
            fed[camera.uplink].append(camera.id)
    return {uplink: tuple(cameras) for uplink, cameras in fed.items() if len(cameras) >= SWITCH_LEAST}


def failed_since(gaps: Mapping[str, Gap]) -> dict[str, float]:
    """Since when (UTC) each camera has not been seen through no fault of ours."""
    return {camera: gap.began_s for camera, gap in gaps.items() if gap.cause not in OUR_GAPS}


def switches_lost(fed: Mapping[str, tuple[str, ...]], failed: Mapping[str, float]) -> list[SwitchLost]:
    """The switches of which SWITCH_SHARE of the cameras, and at least SWITCH_LEAST, stopped within SWITCH_WITHIN_S."""
    found = []
    for uplink, cameras in fed.items():
        gone = sorted((failed[camera], camera) for camera in cameras if camera in failed)
        least = max(SWITCH_LEAST, SWITCH_SHARE * len(cameras))
        began = [began_s for began_s, _ in gone]
        for first, began_s in enumerate(began):
            if bisect_right(began, began_s + SWITCH_WITHIN_S) - first >= least:
                found.append(SwitchLost(uplink, tuple(sorted(camera for _, camera in gone)), began_s))
                break
    return found


def switches_back(fed: Mapping[str, tuple[str, ...]], lost: Collection[str], failed: Mapping[str, float]) -> list[str]:
    """Of the switches in `lost`, those that work again, and those that the site does not have any more."""
    return [
        uplink
        for uplink in lost
        if uplink not in fed or sum(camera not in failed for camera in fed[uplink]) >= SWITCH_BACK_SHARE * len(fed[uplink])
    ]


def lost_cameras(
    statuses: Mapping[str, CameraStatus],
    gaps: Mapping[str, Gap],
    troubles: Mapping[str, Loss],
    shed: Collection[str],
    uplink_of: Mapping[str, str],
) -> dict[str, str]:
    """Camera -> why it covers nothing, as a word of Loss; `uplink:` and the switch's id where that is the cause.

    `troubles` and `shed` are what the database knows of pictures and of the decode budget, `uplink_of` the cameras of switches
    that are lost. What keeps more from being seen comes first.
    """
    lost: dict[str, str] = dict.fromkeys(shed, Loss.BUDGET.value)
    for camera, status in statuses.items():
        if status.health is Health.OFFLINE:  # and without a gap: nobody has begun to read it
            lost[camera] = Loss.NOT_WATCHED.value
        elif status.health is Health.DEGRADED and Advice.PACKET_LOSS in status.advice:
            lost[camera] = Loss.DEGRADED.value
    lost.update((camera, loss.value) for camera, loss in troubles.items())
    for camera, gap in gaps.items():
        is_ours = gap.cause in OUR_GAPS
        lost[camera] = Loss.NOT_WATCHED.value if is_ours else Loss.OFFLINE.value
        if camera in uplink_of and not is_ours:
            lost[camera] = f"{Loss.UPLINK}:{uplink_of[camera]}"
    return lost
