"""What a camera's encoder is set to, and making its stream analysable: key frames every two seconds."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path

from base import ConfigError
from dashboard.authorize import Action, Principal
from dashboard.failures import NotFoundError, TooManyError
from dashboard.policy import Dashboard, Parts, policy
from dashboard.registry_schemas import EncoderChangedOut, EncoderOut
from dashboard.schemas import ID
from dashboard.sessions import actor_of

__all__ = ["router"]

router = APIRouter(tags=["registry"])

EntryId = Annotated[str, Path(pattern=ID)]

_asking = asyncio.Semaphore(4)
"""Devices asked at a time: each holds a thread for some seconds."""


@router.get("/api/v1/registry/cameras/{entry}/encoder")
async def read_encoder(entry: EntryId, parts: Parts, principal: Annotated[Principal, policy(Action.READ_REGISTRY)]) -> EncoderOut:
    """What the encoder of the analysed stream is set to, by the device itself; takes seconds."""
    told = await _ask(parts, entry, change=False)
    return told.before


@router.post("/api/v1/registry/cameras/{entry}/encoder")
async def make_analysable(
    entry: EntryId, parts: Parts, principal: Annotated[Principal, policy(Action.CHANGE_REGISTRY)]
) -> EncoderChangedOut:
    """Have the device send a key frame every two seconds, everything else as it was; what it took is read back."""
    told = await _ask(parts, entry, change=True)
    what = f"key frames every {told.before.gop_s:g} s -> {told.after.gop_s:g} s"
    await asyncio.to_thread(parts.store.audit, actor_of(principal), "make_analysable", f"camera/{entry}", what)
    return told


async def _ask(parts: Dashboard, camera: str, change: bool) -> EncoderChangedOut:
    encoders, standing = parts.registry.encoders, await asyncio.to_thread(parts.registry.standing)
    found = standing.site.camera_by_id.get(camera)
    if found is None:
        raise NotFoundError("There is no such camera.")
    if encoders is None:
        raise ConfigError("nothing runs that could ask cameras")
    if _asking.locked():
        raise TooManyError("Other devices are being asked; ask again in a few seconds.", 5.0)
    status = parts.fleet.statuses().get(camera)
    measured_s = status.gop_s if status is not None and status.gop_s else None
    async with _asking:
        before, after = await asyncio.to_thread(encoders.ask, standing.site, found, change)
    # What was measured is of the time before.
    return EncoderChangedOut(before=EncoderOut.of(before, measured_s), after=EncoderOut.of(after, None if change else measured_s))
