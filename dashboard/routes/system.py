"""How the system does: now, with what to do about it, and over the last weeks."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from base import ConfigError
from dashboard.authorize import Action, Principal
from dashboard.policy import Parts, policy
from dashboard.system_advice import TREND_S, advise
from dashboard.system_schemas import SystemHistoryOut, SystemOut
from dashboard.vitals import SAMPLE_S, thinned

router = APIRouter(tags=["system"])

DAY_S = 86_400.0
LONGEST_S = 31 * DAY_S
POINTS = 144
"""Of a history: ten minutes of a day each, so that no stretch without a sample is one in which Gridpatrol was running."""


@router.get("/api/v1/system")
def read_system(parts: Parts, principal: Annotated[Principal, policy(Action.READ_SYSTEM)]) -> SystemOut:
    """Cores, memory, disk, what waits and what is not watched, the workers, and what somebody should do about it."""
    now, workers = parts.vitals.now(), parts.fleet.workers()
    past = parts.store.system.between(now.at_s - TREND_S, now.at_s)
    advice = advise(now, past, workers, parts.vitals.machine.memory_bytes)
    return SystemOut.of(parts.vitals.machine, now, workers, parts.fleet.stats(), advice)


@router.get("/api/v1/system/history")
def read_system_history(
    parts: Parts,
    principal: Annotated[Principal, policy(Action.READ_SYSTEM)],
    begin: Annotated[AwareDatetime | None, Query(alias="from", description="default: a day before `to`")] = None,
    before: Annotated[AwareDatetime | None, Query(alias="to", description="default: now")] = None,
) -> SystemHistoryOut:
    """The same figures over a time, at most 31 days of it: at most 144 points, each of all samples of its stretch."""
    now_s = parts.clock.now_s()
    to_s = now_s if before is None else min(before.timestamp(), now_s)
    from_s = to_s - DAY_S if begin is None else begin.timestamp()
    if not 0 < to_s - from_s <= LONGEST_S:
        raise ConfigError(f"from: expected a time before `to` and at most {LONGEST_S / DAY_S:.0f} days earlier")
    points = max(1, min(POINTS, int((to_s - from_s) / (2 * SAMPLE_S))))
    return SystemHistoryOut.of(from_s, to_s, thinned(parts.store.system.between(from_s, to_s), from_s, to_s, points))
