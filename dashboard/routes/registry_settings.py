"""Settings of the site that are changed as whole files: desks, time limits, who is told of what."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path

from camera_config.change_cameras import RefusedError
from camera_config.entry import SiteError
from camera_config.settings_files import SettingsFile, faults_of, tables_toml
from dashboard.authorize import Action, Principal
from dashboard.policy import Parts, policy
from dashboard.registry_schemas import ChangedOut
from dashboard.routes.registry_answers import CONFLICT, answered
from dashboard.sessions import actor_of
from dashboard.settings_schemas import SettingsIn, SettingsOut

__all__ = ["router"]

router = APIRouter(tags=["registry"])

Which = Annotated[SettingsFile, Path(description="which settings; each is a file of the folder of the same name")]


@router.get("/api/v1/registry/settings/{settings}")
async def read_settings(
    settings: Which, parts: Parts, principal: Annotated[Principal, policy(Action.READ_REGISTRY)]
) -> SettingsOut:
    """One file of settings as it stands in the folder."""
    standing = await asyncio.to_thread(parts.registry.standing)
    return SettingsOut.of(standing, settings)


@router.put("/api/v1/registry/settings/{settings}", responses=CONFLICT)
async def change_settings(
    settings: Which, body: SettingsIn, parts: Parts, principal: Annotated[Principal, policy(Action.CHANGE_REGISTRY)]
) -> ChangedOut:
    """Give one file of settings other values, all of them or none. 409 if it was changed since; 422 with all that is wrong."""
    name, text = settings.file, tables_toml(body.values())
    async with answered(parts):
        try:
            changed = await parts.registry.set_file(actor_of(principal), name, text.encode(), body.digest)
        except SiteError as error:
            raise RefusedError(faults_of(error, name, text)) from None
        return await asyncio.to_thread(ChangedOut.of, changed)
