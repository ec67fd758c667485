"""Cameras: their health, when they were not seen, and a still picture."""

import asyncio
from collections import Counter
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime
from starlette.responses import Response

from dashboard.authorize import Action, Principal
from dashboard.policy import Parts, policy
from dashboard.schemas import ID, CameraList, CameraOut, GapList, GapOut, WatchRunList, WatchRunOut

router = APIRouter(tags=["cameras"])

_DAY_S = 86_400.0

CameraId = Annotated[str, Path(pattern=ID, examples=["c0417"])]
Since = Annotated[AwareDatetime | None, Query(description="default: a day ago")]


@router.get("/api/v1/cameras")
async def read_cameras(parts: Parts, principal: Annotated[Principal, policy(Action.READ_CAMERAS)]) -> CameraList:
    """Every enabled camera with its health; one that no worker has reported yet is offline."""
    statuses, area = parts.fleet.statuses(), principal.area
    enabled = [each.id for each in parts.site.cameras if each.enabled and (area is None or each.id in area.cameras)]
    return CameraList(items=[CameraOut.of(statuses[each]) if each in statuses else CameraOut.unknown(each) for each in enabled])


@router.get("/api/v1/cameras/{camera}/snapshot", response_class=Response, responses={200: {"content": {"image/jpeg": {}}}})
async def read_snapshot(
    camera: CameraId, parts: Parts, principal: Annotated[Principal, policy(Action.READ_SNAPSHOT)]
) -> Response:
    """The newest key frame as JPEG; 503 if the camera has none."""
    return Response(await parts.fleet.snapshot(camera), media_type="image/jpeg")


@router.get("/api/v1/cameras/{camera}/gaps")
async def read_gaps(
    camera: CameraId,
    parts: Parts,
    principal: Annotated[Principal, policy(Action.READ_CAMERAS)],
    since: Since = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> GapList:
    """When the camera was not seen, and why: newest first, those that lasted at `since` (default: a day ago) or began later."""
    gaps = await asyncio.to_thread(parts.store.gaps, camera, _since_s(since, parts.clock.now_s()), limit)
    return GapList(items=[GapOut.of(gap) for gap in gaps])


@router.get("/api/v1/cameras/{camera}/watched")
async def read_watched(
    camera: CameraId,
    parts: Parts,
    principal: Annotated[Principal, policy(Action.READ_CAMERAS)],
    since: Since = None,
    until: AwareDatetime | None = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 2_000,
) -> WatchRunList:
    """How the camera was watched from `since` (default: a day ago) to `until` (default: now): every second, oldest first."""
    until_s = parts.clock.now_s() if until is None else min(until.timestamp(), parts.clock.now_s())
    runs = await asyncio.to_thread(parts.store.watch_runs, camera, _since_s(since, until_s), until_s, limit)
    items = [WatchRunOut.of(run, until_s) for run in runs]
    total = Counter[str]()
    for item in items:
        total.update(item.seconds)
    return WatchRunList(items=items, seconds={state: round(seconds, 3) for state, seconds in total.items()})


def _since_s(since: datetime | None, until_s: float) -> float:
    return until_s - _DAY_S if since is None else since.timestamp()
